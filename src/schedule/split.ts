// Reductions that threads could not share: a fixed number of parts is reduced first, what needs the results adds them up.
import { build as b, type Node } from "../ir/index.ts";
import type { Affine, Ex, LoopKernel, Phase, Reduction, Store } from "./kernel.ts";
import { reachable, storeWith, wantedBy, withIndices, withSources } from "./exs.ts";
import { arrangeRows } from "./spill.ts";

/** A kernel and the nodes whose buffers are its arguments. */
export interface Built {
  readonly kernel: LoopKernel;
  readonly args: readonly Node[];
}

/** Elements that are worth a block of their own, and a second kernel. */
const BLOCK = 8192;
const SPLIT = 16 * BLOCK;
/** Blocks that a long kernel should have: fixed, so that results do not depend on the number of threads. */
const BLOCKS = 32;
/** Columns that go into one block where lanes are columns. */
const COLUMNS = 64;

/** The kernel arranged, or two and more in its place that have enough blocks. */
export function arrangeParts(kernel: LoopKernel, args: readonly Node[]): Built[] {
  const whole = arrangeRows(kernel);
  const blocks = whole.outer.reduce((n, l) => n * (l === whole.vec ? 1 : whole.loops[l]), 1) * columnBlocks(whole);
  const cut = blocks * 2 > BLOCKS || !isSplittable(kernel) ? null : cutOf(kernel, Math.ceil(BLOCKS / blocks));
  if (cut === null) return [{ kernel: whole, args }];
  return new Splitter(kernel, args, cut).stages().map((s) => ({ ...s, kernel: arrangeRows(s.kernel) }));
}

/** Blocks of columns where the only outer loop runs along lanes. */
const columnBlocks = (k: LoopKernel): number =>
  k.outer.length === 1 && k.outer[0] === k.vec ? Math.ceil(k.loops[k.vec] / COLUMNS) : 1;

const isSplittable = (k: LoopKernel): boolean =>
  !k.serial &&
  k.phases.some((p) => p.reductions.length > 0) &&
  k.phases.every((p) => !p.ordered && p.reductions.every((r) => r.kind !== "pick"));

/** Which reduced loops become outer ones: some whole, then one in `times` pieces. */
interface Cut {
  readonly whole: readonly number[];
  readonly loop: number;
  readonly times: number;
  readonly parts: number;
}

/** Elements of a line of memory. */
const LINE = 16;

/** Whether elements of a loop lie side by side. */
const isLine = (k: LoopKernel, l: number): boolean => k.exs.some((e) => e.k === "load" && e.index.t[l] === 1);

/** Equal pieces of a loop, `most` or fewer; whole lines in up to twice as many, since a vector in two lines is two loads. */
function piecesOf(size: number, most: number, lines: boolean): number {
  const end = lines ? 2 * most : most;
  let n = most;
  while (n < end && size % (n * LINE) !== 0) n++;
  if (n === end) n = most;
  while (size % n !== 0) n--;
  return n;
}

function cutOf(k: LoopKernel, most: number): Cut | null {
  const inner = (k.phases.find((p) => p.reductions.length > 0) as Phase).loops;
  const total = k.loops.reduce((n, s) => n * s, 1);
  if (total < SPLIT) return null;
  const want = Math.min(most, Math.floor(total / BLOCK));
  const whole: number[] = [];
  let parts = 1;
  for (const l of inner) {
    const size = k.loops[l];
    const times = piecesOf(size, Math.min(size, Math.floor(want / parts)), isLine(k, l));
    parts *= times;
    if (times === size && l !== inner[inner.length - 1]) {
      whole.push(l);
      continue;
    }
    return parts * 4 > want && parts > 1 ? { whole, loop: l, times, parts } : null;
  }
  return null;
}

/** Loops in front of the kernel's own: over the parts when they are added up, and over the pieces of the loop that is cut. */
const PARTS = 0;
const PIECE = 1;
const OWN = 2;

class Splitter {
  private readonly k: LoopKernel;
  private readonly args: readonly Node[];
  private readonly cut: Cut;
  private readonly loops: readonly number[];
  private readonly outer: readonly number[];
  private readonly partLoops: readonly number[];
  /** Results of the parts: by phase, then slot. */
  private readonly partials: Node[][];

  constructor(k: LoopKernel, args: readonly Node[], cut: Cut) {
    this.k = k;
    this.args = args;
    this.cut = cut;
    const pieces = k.loops[cut.loop] / cut.times;
    this.loops = [cut.parts, cut.times, ...k.loops.map((s, l) => (l === cut.loop ? pieces : s))];
    this.outer = k.outer.map((l) => l + OWN);
    this.partLoops = [...cut.whole.map((l) => l + OWN), PIECE];
    const shape = [cut.parts, ...k.outer.map((l) => k.loops[l])];
    this.partials = k.phases.map((p) => p.reductions.map((r) => b.leaf(shape, r.dtype, "parts")));
  }

  /** One kernel a reduction, then one for what is stored a turn, and one for what is stored a row. */
  stages(): Built[] {
    const { k } = this;
    const split = [...this.partLoops, ...this.outer];
    const maps = k.phases.filter((p) => p.reductions.length === 0 && p.loops.length > 0);
    const rows = k.phases.filter((p) => p.reductions.length === 0 && p.loops.length === 0);
    return [
      ...k.phases.flatMap((p, i) => (p.reductions.length > 0 ? [this.stage(split, [p], i)] : [])),
      ...(maps.length > 0 ? [this.stage(split, maps, -1)] : []),
      ...(rows.length > 0 ? [this.stage(this.outer, rows, -1)] : []),
    ];
  }

  /** A kernel of these phases; `own`: the one whose parts it stores. */
  private stage(outer: readonly number[], list: readonly Phase[], own: number): Built {
    const { k } = this;
    const exs: Ex[] = [];
    const args: Node[] = [];
    const argOf = (n: Node): number => (args.includes(n) ? args.indexOf(n) : args.push(n) - 1);
    // Results of earlier phases come first: sums of their parts.
    const earlier = new Set<number>();
    for (const i of reachable(k.exs, list.flatMap(wantedBy))) {
      const e = k.exs[i];
      if (e.k === "acc" && e.phase !== own) earlier.add(e.phase);
    }
    const place = new Map([...earlier].map((phase, i) => [phase, i]));
    if (own >= 0) place.set(own, earlier.size);
    const sums = [...earlier].map((phase): Phase => {
      const reductions = k.phases[phase].reductions.map((r, slot): Reduction => {
        const arg = argOf(this.partials[phase][slot]);
        const load: Ex = { k: "load", arg, index: this.partIndex(PARTS), dyn: [], dtype: r.dtype };
        return { ...r, value: exs.push(load) - 1, payload: -1 };
      });
      return { loops: [PARTS], reductions, stores: [], ordered: false, vec: -1 };
    });
    const memo = new Map<number, number>();
    const copy = (i: number): number => {
      if (i < 0) return i;
      let at = memo.get(i);
      // Sources stand before what is made from them.
      if (at === undefined) memo.set(i, (at = exs.push(moved(withSources(k.exs[i], copy))) - 1));
      return at;
    };
    const index = (a: Affine): Affine => this.index(a);
    const moved = (e: Ex): Ex => {
      if (e.k === "acc") return { ...e, phase: place.get(e.phase) as number };
      return withIndices(e.k === "load" ? { ...e, arg: argOf(this.args[e.arg]) } : e, index);
    };
    const store = (s: Store): Store => ({
      ...storeWith(s, copy),
      arg: argOf(this.args[s.arg]),
      index: index(s.index),
    });
    const phases = list.map((p): Phase => ({
      ...p,
      loops: p.loops.map((l) => l + OWN).filter((l) => !outer.includes(l)),
      reductions: p.reductions.map((r) => ({ ...r, value: copy(r.value) })),
      stores: p.stores.map(store),
    }));
    const results = own < 0 ? [] : k.phases[own].reductions;
    const stores = results.map((r, slot): Store => {
      const value = exs.push({ k: "acc", phase: earlier.size, slot, dtype: r.dtype }) - 1;
      const arg = argOf(this.partials[own][slot]);
      return { arg, index: this.partIndex(...this.partLoops), dyn: [], value, dtype: r.dtype, add: false };
    });
    if (stores.length > 0) phases.push({ loops: [], reductions: [], stores, ordered: false, vec: -1 });
    const all = [...sums, ...phases];
    const used = new Set([...outer, ...all.flatMap((p) => p.loops)]);
    const kernel: LoopKernel = {
      ...k,
      loops: this.loops.map((s, l) => (used.has(l) ? s : 1)),
      outer,
      phases: all,
      exs,
      args: args.map((a) => a.dtype),
    };
    return { kernel, args };
  }

  /** An index by the kernel's loops as one by ours. */
  private index(a: Affine): Affine {
    const { cut } = this;
    const f = a.t[cut.loop] ?? 0;
    return { c: a.c, t: [0, f * this.loops[cut.loop + OWN], ...a.t] };
  }

  /** Where the result of a part is: the part's number by these loops, then the row. */
  private partIndex(...partLoops: readonly number[]): Affine {
    const t = this.loops.map(() => 0);
    let stride = 1;
    for (const l of [...partLoops, ...this.outer].toReversed()) {
      t[l] = stride;
      stride *= this.loops[l];
    }
    return { c: 0, t };
  }
}
