import { bytesOf, sizeOf } from "../base/index.ts";
import { build as b, isOp, type Node } from "../ir/index.ts";
import { factor, sameAffine } from "./affine.ts";
import { baseOf } from "./builder.ts";
import { fixedGroup, formGroups, type Group } from "./groups.ts";
import type { Ex, Kernel, Phase, Place, Plan, ScanKernel, Step, Store } from "./kernel.ts";
import { lower } from "./lower.ts";
import { placeInArena } from "./arena.ts";
import { copyOf } from "./special.ts";
import { workOf } from "./work.ts";

/** What a plan is made from: results and in-place updates as functions of input leaves. */
export interface Computation {
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
  readonly updates: readonly { readonly input: number; readonly value: Node }[];
}

interface Ready {
  readonly group: Group;
  /** Groups that have to run before. */
  readonly after: Set<Group>;
}

interface Draft {
  readonly kernel: Kernel;
  readonly args: readonly Node[];
  readonly name: string;
  readonly inside?: number;
}

/** Values that are a part of another one, and how many bytes from its beginning. */
type Homes = Map<Node, { whole: Node; at: number }>;

/** Position of copies. */
const LAST = Number.MAX_SAFE_INTEGER;

/** The kernels of a group that store all of its members: made once. */
type Whole = (g: Group) => readonly Draft[];

function makeWhole(): Whole {
  const known = new Map<Group, readonly Draft[]>();
  return (g) => {
    const drafts = known.get(g) ?? g.finish((n) => [n]);
    known.set(g, drafts);
    return drafts;
  };
}

const bytes = (n: Node): number => sizeOf(n.shape) * bytesOf(n.dtype);

/** The kernels of a computation in order, with every intermediate at its place. */
export function makePlan(c: Computation): Plan {
  const results = lower([...c.outputs, ...c.updates.map((u) => u.value)]);
  const outputs = results.slice(0, c.outputs.length);
  const updates = c.updates.map((u, i) => ({
    leaf: c.inputs[u.input],
    input: u.input,
    value: results[c.outputs.length + i],
  }));
  const { groups, groupOf } = formGroups(results);
  const places = new Map<Node, Place>(c.inputs.map((leaf, index) => [leaf, { at: "input", index }]));
  const ready = new Map<Group, Ready>();
  for (const group of groups) {
    const after = new Set<Group>();
    for (const l of group.loads) {
      const g = groupOf.get(l);
      if (g !== undefined && g !== group) after.add(g);
    }
    ready.set(group, { group, after });
  }
  const whole = makeWhole();
  const wanted = new Set<Node>();
  for (const g of groups) for (const l of g.loads) wanted.add(l);

  /** Further places of a value that its kernel stores it in. */
  const twins = new Map<Node, Node[]>();
  const twin = (base: Node, place: Place): void => {
    const into = b.leaf(base.shape, base.dtype, "twin");
    places.set(into, place);
    twins.set(base, [...(twins.get(base) ?? []), into]);
  };

  /** A last step that copies a value to where a caller wants it, after everything in `after`. */
  const copies: Group[] = [];
  const copy = (value: Node, place: Place, after: Iterable<Group>): void => {
    const into = b.leaf(value.shape, value.dtype, "copy");
    places.set(into, place);
    const f = copyOf(value, into, (n) => n.op === "leaf" || groupOf.has(n));
    const g = fixedGroup(into, { parts: [f], loads: f.args.filter((a) => a !== into) }, LAST);
    const deps = new Set(after);
    for (const l of g.loads) {
      wanted.add(l);
      const from = groupOf.get(l);
      if (from !== undefined) deps.add(from);
    }
    ready.set(g, { group: g, after: deps });
    copies.push(g);
  };

  /** The old value of a variable that is about to change, kept aside for another variable. */
  const aside = new Map<Node, { value: Node; group: Group }>();
  for (const u of updates) {
    const old = baseOf(u.value);
    if (old.op !== "leaf" || old === u.leaf || aside.has(old) || !updates.some((w) => w.leaf === old)) continue;
    const value = b.leaf(old.shape, old.dtype, "old value");
    const f = copyOf(old, value, (n) => n.op === "leaf");
    const group = fixedGroup(value, { parts: [f], loads: [old] }, -1);
    ready.set(group, { group, after: new Set() });
    groups.add(group);
    groupOf.set(value, group);
    aside.set(old, { value, group });
  }

  for (const u of updates) {
    const kept = aside.get(baseOf(u.value));
    const from = kept !== undefined && baseOf(u.value) !== u.leaf ? b.reshape(kept.value, u.value.shape) : u.value;
    const base = baseOf(from);
    const home = groupOf.get(base);
    const readers = [...groups].filter((g) => g !== home && g.loads.includes(u.leaf));
    const place: Place = { at: "input", index: u.input };
    if (base === u.leaf) continue;
    if (
      home !== undefined &&
      kept === undefined &&
      !places.has(base) &&
      home.what !== "scan" &&
      canUpdate(home, base, u.leaf, readers, ready, whole)
    ) {
      places.set(base, place);
      wanted.add(base);
      for (const r of readers) ready.get(home)?.after.add(r);
    } else {
      const own = home !== undefined && home.loads.includes(u.leaf) ? [home] : [];
      copy(from, place, [...readers, ...own]);
    }
  }
  outputs.forEach((value, index) => {
    const base = baseOf(value);
    const place: Place = { at: "output", index };
    if (groupOf.has(base) && !places.has(base)) {
      places.set(base, place);
      wanted.add(base);
    } else if (canStoreTwice(groupOf.get(base))) {
      twin(base, place);
    } else {
      const writers = updates.filter((u) => baseOf(value) === u.leaf && places.get(baseOf(u.value)) !== undefined);
      copy(value, place, []);
      // A result that is the old value of a variable has to be read before the variable changes.
      const last = copies[copies.length - 1];
      for (const w of writers) {
        const g = groupOf.get(baseOf(w.value));
        if (g !== undefined) ready.get(g)?.after.add(last);
      }
      for (const other of copies) {
        if (other !== last && (places.get(other.members[0]) as { at: string; index: number }).at === "input")
          ready.get(other)?.after.add(last);
      }
    }
  });

  const order = sortGroups([...ready.values()]);
  return assemble(c, order, places, wanted, twins, whole);
}

/** Kernels of loops and contractions store a value wherever it is wanted; for others it is copied. */
const canStoreTwice = (g: Group | undefined): boolean => g?.what === "loops" || g?.what === "contract";

/** True when `home` may write its result straight over the old value of `leaf`. */
function canUpdate(
  home: Group,
  base: Node,
  leaf: Node,
  readers: readonly Group[],
  ready: Map<Group, Ready>,
  whole: Whole,
): boolean {
  const seen = new Set<Group>();
  const needs = (g: Group): boolean => {
    if (g === home) return true;
    if (seen.has(g)) return false;
    seen.add(g);
    return [...(ready.get(g)?.after ?? [])].some(needs);
  };
  if (readers.some(needs)) return false;
  if (!home.loads.includes(leaf)) return true;
  const parts = whole(home);
  const at = parts.findIndex((p) => p.args.includes(base));
  // Of several kernels, only the last one that reads the old value may write the new one.
  if (at < 0 || parts.slice(at + 1).some((p) => p.args.includes(leaf))) return false;
  const { kernel, args } = parts[at];
  if (kernel.kind === "scan") return false;
  const arg = args.indexOf(leaf);
  const into = args.indexOf(base);
  if (kernel.kind === "contract") {
    if (args[0] === leaf || args[1] === leaf) return false;
    const store = kernel.stores.find((s) => s.arg === into) as Store;
    return kernel.exs.every(
      (e) => e.k !== "load" || e.arg !== arg || (e.dyn.length === 0 && sameAffine(e.index, store.index)),
    );
  }
  const last = kernel.phases.findIndex((p) => p.stores.some((s) => s.arg === into));
  const [store, ...more] = kernel.phases[last].stores.filter((s) => s.arg === into);
  const reduces = (p: Phase): boolean => p.reductions.length > 0 || p.ordered;
  // A row's result is stored when all that the row reads has been read.
  if (store.add || more.length > 0 || kernel.routine || kernel.phases.slice(last + 1).some(reduces)) return false;
  if (kernel.phases.some(reduces) && kernel.phases[last].loops.length > 0) return false;
  return kernel.exs.every((e) => {
    if (e.k !== "load" || e.arg !== arg) return true;
    for (let l = 0; l < kernel.loops.length; l++) if (factor(e.index, l) !== factor(store.index, l)) return false;
    return e.dyn.length === 0 && e.index.c === store.index.c;
  });
}

/** Dependencies first; then what nothing waits for, so that what it reads is soon done with; else in the order of the graph. */
function sortGroups(all: readonly Ready[]): Group[] {
  const left = new Map(all.map((r) => [r.group, new Set(r.after)]));
  const waiters = new Map<Group, Group[]>(all.map((r) => [r.group, []]));
  for (const r of all) for (const a of r.after) waiters.get(a)?.push(r.group);
  const free = all.filter((r) => r.after.size === 0).map((r) => r.group);
  const ends = (g: Group): boolean => waiters.get(g)?.length === 0 && g.at < LAST;
  const before = (g: Group, h: Group): boolean => (ends(g) === ends(h) ? g.at < h.at : ends(g));
  const out: Group[] = [];
  while (free.length > 0) {
    let best = 0;
    for (let i = 1; i < free.length; i++) if (before(free[i], free[best])) best = i;
    const [g] = free.splice(best, 1);
    out.push(g);
    for (const w of waiters.get(g) ?? []) {
      const rest = left.get(w) as Set<Group>;
      rest.delete(g);
      if (rest.size === 0) free.push(w);
    }
  }
  if (out.length !== all.length) throw new Error("schedule: kernels depend on each other in a circle");
  return out;
}

function assemble(
  c: Computation,
  order: readonly Group[],
  places: Map<Node, Place>,
  wanted: ReadonlySet<Node>,
  twins: ReadonlyMap<Node, readonly Node[]>,
  whole: Whole,
): Plan {
  const into = (n: Node): readonly Node[] => (wanted.has(n) ? [n, ...(twins.get(n) ?? [])] : []);
  const drafts: Draft[] = [];
  const homes: Homes = new Map();
  for (const g of order) {
    if (g.what === "scan") drafts.push(...scanSteps(g.members[0] as Node<"scan">, wanted, places, homes));
    else if (g.what === "fixed" || g.members.some((m) => wanted.has(m))) {
      const parts = g.members.every((m) => into(m).length === 1) ? whole(g) : g.finish(into);
      for (const part of parts) {
        const [from, to] = part.args;
        if (part.inside !== undefined && ![from, to].some((x) => places.has(x)) && !homes.has(from))
          homes.set(from, { whole: to, at: part.inside * bytesOf(from.dtype) });
        else if (!isEmpty(part, places)) drafts.push(part);
      }
    }
  }
  const homeOf = (n: Node): { whole: Node; at: number } => {
    const home = homes.get(n);
    if (home === undefined) return { whole: n, at: 0 };
    const { whole, at } = homeOf(home.whole);
    return { whole, at: at + home.at };
  };
  // Lifetimes of what lives in the arena, by step.
  const spans = new Map<Node, { from: number; to: number; bytes: number }>();
  drafts.forEach((d, i) => {
    for (const a of d.args) {
      if (places.has(a)) continue;
      const { whole: key } = homeOf(a);
      const span = spans.get(key);
      if (span === undefined) spans.set(key, { from: i, to: i, bytes: bytes(key) });
      else span.to = i;
    }
  });
  const { offsets, arenaBytes, totalBytes } = placeInArena([...spans].map(([key, s]) => ({ key, ...s })));
  const placeOf = (n: Node): Place => {
    const { whole: key, at } = homeOf(n);
    return places.get(n) ?? { at: "arena", offset: (offsets.get(key) as number) + at, bytes: bytes(n) };
  };
  const steps = drafts.map((d): Step => ({
    kernel: d.kernel,
    args: d.args.map(placeOf),
    name: d.name,
    ...workOf(d.kernel),
  }));
  const types = (ns: readonly Node[]): Plan["inputs"] => ns.map((n) => ({ shape: n.shape, dtype: n.dtype }));
  return { steps, inputs: types(c.inputs), outputs: types(c.outputs), arenaBytes, totalBytes };
}

/** Nothing to store: an outer loop of no turns, no store at all, or a copy to the same place. */
function isEmpty({ kernel: k, args }: Draft, places: ReadonlyMap<Node, Place>): boolean {
  if (k.kind !== "loop") return false;
  const input = (n: Node): number | undefined => {
    const place = places.get(n);
    return place?.at === "input" ? place.index : undefined;
  };
  const still = (s: Store): boolean => {
    const e: Ex | undefined = k.exs[s.value];
    if (e?.k !== "load" || e.dyn.length > 0 || s.dyn.length > 0 || !sameAffine(e.index, s.index)) return false;
    return !s.add && input(args[e.arg]) !== undefined && input(args[e.arg]) === input(args[s.arg]);
  };
  const none = (loops: readonly number[]): boolean => loops.some((l) => k.loops[l] === 0);
  return none(k.outer) || k.phases.every((p) => none(p.loops) || p.stores.every(still));
}

/**
 * A scan with a plan of its own for the body. Arguments: carries, xs, constants, final carries, the ys that are read. A carry whose
 * values before each turn are stacked lives in that stack; where those after each turn are, too, both are one with a slice more.
 */
function scanSteps(
  n: Node<"scan">,
  wanted: ReadonlySet<Node>,
  places: ReadonlyMap<Node, Place>,
  homes: Homes,
): Draft[] {
  const { body, length, reverse } = n.attrs;
  const { carries, params, outs } = body;
  const read = new Map<number, Node>();
  for (const w of [...wanted, ...places.keys()]) if (isOp(w, "get") && w.srcs[0] === n) read.set(w.attrs.index, w);
  const given = [...outs.keys()].filter((i) => i < carries || read.has(i));
  const results = given.map((i) => read.get(i) ?? b.get(n, i));
  const ys = given.slice(carries).map((i) => outs[i]);
  const drafts: Draft[] = [];
  const stacks = params.slice(0, carries).map((p, i) => {
    const before = length === 0 || outs[i] === p ? -1 : ys.indexOf(p);
    if (before < 0) return { before, after: -1 };
    const stack = results[carries + before];
    const first = reverse ? (length - 1) * sizeOf(p.shape) : 0;
    drafts.push(copyOf(baseOf(n.srcs[i]), stack, () => true, first));
    const after = ys.indexOf(outs[i]);
    const parts = [stack, results[carries + after], results[i]];
    if (after < 0 || parts.some((x) => places.has(x) || homes.has(x))) return { before, after: -1 };
    const whole = b.leaf([length + 1, ...p.shape], p.dtype, "stack");
    (reverse ? [1, 0, 0] : [0, 1, length]).forEach((slice, k) => homes.set(parts[k], { whole, at: slice * bytes(p) }));
    return { before, after };
  });
  const own = ys.filter((_, i) => stacks.every((s) => s.before !== i && s.after !== i));
  const kernel: ScanKernel = {
    kind: "scan",
    length,
    reverse,
    carries,
    xs: body.xs,
    consts: params.length - carries - body.xs,
    xsBytes: params.slice(carries, carries + body.xs).map(bytes),
    ysBytes: ys.map(bytes),
    carryBytes: outs.slice(0, carries).map(bytes),
    stacks,
    body: makePlan({ inputs: params, outputs: [...outs.slice(0, carries), ...own], updates: [] }),
  };
  return [...drafts, { kernel, args: [...n.srcs.map(baseOf), ...results], name: "scan" }];
}
