import { sameShape, sizeOf } from "../base/index.ts";
import { familyOf, isOp, type Node, type PrimName, PRIMITIVES, topoOrder } from "../ir/index.ts";
import { factor, flatten, reshapeIndex, sameAffine, SplitLoop } from "./affine.ts";
import { baseOf, ExBuilder, NotAffine } from "./builder.ts";
import type { Affine, Kernel, LoopKernel, Store } from "./kernel.ts";
import { domainOf, type Domain, draftLoops, type Into, isEven, type LoopDraft, Unfusable } from "./loops.ts";
import { mergeContraction } from "./arrange.ts";
import { inParts } from "./parts.ts";
import { findRoots, isPacked } from "./roots.ts";
import { concat, contraction, cumsum, type Fixed, fixed, isStack, scatterAdd, writeBack } from "./special.ts";

/** One kernel in the making: the nodes it computes and what it needs. */
export interface Group {
  /** Position of its first node: the order to fall back on. */
  readonly at: number;
  readonly members: readonly Node[];
  readonly loads: readonly Node[];
  readonly what: "loops" | "contract" | "fixed" | "scan";
  /** Of loops: what can be extended in place. */
  readonly loops: { readonly domain: Domain; readonly draft: LoopDraft } | null;
  /** The kernels; `into` names the buffers that a member is stored in: itself, others beside it, or none. */
  finish(into: Into): { kernel: Kernel; args: readonly Node[]; name: string; inside?: number }[];
}

type InMemory = (n: Node) => boolean;

/** All groups of a lowered graph, and which group computes each root. */
export function formGroups(results: readonly Node[]): {
  groups: Set<Group>;
  groupOf: Map<Node, Group>;
  roots: Set<Node>;
} {
  const roots = findRoots(results);
  const order = topoOrder(results);
  for (;;) {
    try {
      return { ...fuse(order, roots), roots };
    } catch (e) {
      if (!(e instanceof NotAffine) || roots.has(e.node)) throw e;
      roots.add(e.node);
    }
  }
}

/** Most stores that fused neighbours may share, so that registers last. */
const MAX_MEMBERS = 12;

function fuse(order: readonly Node[], roots: ReadonlySet<Node>): { groups: Set<Group>; groupOf: Map<Node, Group> } {
  const inMemory: InMemory = (n) => n.op === "leaf" || roots.has(n);
  const groups = new Set<Group>();
  const groupOf = new Map<Node, Group>();
  const loadedBy = new Map<Node, Group[]>();
  // Which groups each group needs, directly or not, as bits; a joined group has the number of the one that it grew from.
  const numbers = new Map<Group, number>();
  const needs: Int32Array[] = [];
  const has = (set: Int32Array, id: number): boolean => ((set[id >> 5] >> (id & 31)) & 1) === 1;
  const add = (set: Int32Array, other: Int32Array): void => {
    for (let i = 0; i < set.length; i++) set[i] |= other[i];
  };
  const numberOf = (n: Node): number => numbers.get(groupOf.get(n) as Group) ?? -1;
  const put = (g: Group, old?: Group): void => {
    if (old !== undefined) groups.delete(old);
    groups.add(g);
    for (const m of g.members) groupOf.set(m, g);
    const id = (old && numbers.get(old)) ?? needs.push(new Int32Array(roots.size / 32 + 1)) - 1;
    numbers.set(g, id);
    for (const from of g.loads.map(numberOf)) {
      if (from < 0 || from === id) continue;
      add(needs[id], needs[from]);
      needs[id][from >> 5] |= 1 << (from & 31);
    }
    if (old !== undefined) for (const set of needs) if (has(set, id)) add(set, needs[id]);
    for (const l of g.loads) {
      const list = (loadedBy.get(l) ?? []).filter((x) => x !== old && x !== g);
      list.push(g);
      loadedBy.set(l, list);
    }
  };
  order.forEach((n, at) => {
    if (!roots.has(n)) return;
    if (n.op === "get") {
      groupOf.set(n, groupOf.get(n.srcs[0]) as Group);
      return;
    }
    const alone = startGroup(n, at, inMemory);
    if (alone.what === "loops") {
      const producers = alone.loads.flatMap((l) => groupOf.get(l) ?? []);
      const sharers = alone.loads.flatMap((l) => (loadedBy.get(l) ?? []).slice(-4));
      const candidates = [...new Set([...producers.sort((a, b) => b.at - a.at), ...sharers])];
      for (const g of candidates) {
        const joined = join(g, n, alone, inMemory);
        if (joined === null) continue;
        // Nothing else that the joined group loads may need the old group's results.
        const id = numbers.get(g) as number;
        if (!joined.group.loads.map(numberOf).some((from) => from >= 0 && from !== id && has(needs[from], id))) {
          put(joined.group, g);
          return;
        }
        joined.undo?.();
      }
    }
    put(alone);
  });
  return { groups, groupOf };
}

const SPECIAL: Partial<Record<PrimName, (n: never, inMemory: InMemory) => Fixed>> = { concat, scatterAdd, cumsum };

/** The kernels of a node that stands alone. */
function specialOf(n: Node, inMemory: InMemory): Fixed | undefined {
  const family = familyOf(n);
  const writes = family?.writes?.(n);
  if (writes) return writeBack(n, writes, inMemory);
  const kernel = family?.routine?.(n) as LoopKernel | undefined;
  if (kernel) return fixed([{ kernel, args: [...n.srcs.map(baseOf), n], name: n.op }], n);
  return isEven(n) && !isStack(n, inMemory) ? undefined : SPECIAL[n.op]?.(n as never, inMemory);
}

function startGroup(n: Node, at: number, inMemory: InMemory): Group {
  if (isOp(n, "scan")) {
    return { at, members: [n], loads: n.srcs.map(baseOf), what: "scan", loops: null, finish: () => [] };
  }
  if (isPacked(n)) return contractGroup(n, [], at, inMemory);
  const special = specialOf(n, inMemory);
  if (special) return fixedGroup(n, special, at);
  const domain = domainOf(n);
  return loopGroup(domain, [n], at, draftLoops(domain, [n], inMemory));
}

export const fixedGroup = (n: Node, f: Fixed, at: number): Group => ({
  at,
  members: [n],
  loads: f.loads,
  what: "fixed",
  loops: null,
  finish: () => [...f.parts],
});

const loopGroup = (domain: Domain, members: readonly Node[], at: number, draft: LoopDraft): Group => ({
  at,
  members,
  loads: draft.loads(),
  what: "loops",
  loops: { domain, draft },
  finish: (into) => draft.finish(into).map((part) => ({ ...part, name: nameOf(members) })),
});

const hasReduced = (d: Domain): boolean => d.reduced.includes(true);

/** True when neighbours in memory are reduced: a softmax row, not a column sum. */
function isRow(d: Domain): boolean {
  for (let a = d.shape.length - 1; a >= 0; a--) if (d.shape[a] !== 1) return d.reduced[a];
  return false;
}

/** The domain of `g` with `n` in it, or null when their loops differ. */
function jointDomain(g: Domain, n: Node): Domain | null {
  const own = domainOf(n);
  const total = sizeOf(g.shape);
  const kept = sizeOf(g.shape.filter((_, a) => !g.reduced[a]));
  if (hasReduced(own)) {
    if (sizeOf(own.shape) !== total) return null;
    if (hasReduced(g)) return sizeOf(n.shape) === kept ? g : null;
    // A producer of whole rows takes the reduction in.
    return isRow(own) && sizeOf(n.shape) > 1 ? own : null;
  }
  const size = sizeOf(own.shape);
  if (!hasReduced(g)) return size === total ? g : null;
  if (size === kept) return g;
  return size === total && isRow(g) && (kept > 1 || total <= 4096) ? g : null;
}

/** `g` with `n` computed in the same loops, and the way back if it was extended in place; null when they differ. */
function join(g: Group, n: Node, alone: Group, inMemory: InMemory): { group: Group; undo?: () => void } | null {
  if (g.members.length >= MAX_MEMBERS) return null;
  const members = [...g.members, n];
  try {
    if (g.what === "contract") {
      const [head, ...rest] = members;
      if (hasReduced(domainOf(n)) || sizeOf(n.shape) !== sizeOf(head.shape) || g.members.length > 5) return null;
      if (!alone.loads.some((l) => g.members.includes(l))) return null;
      return { group: contractGroup(head as Node<"dot">, rest, g.at, inMemory) };
    }
    if (g.loops === null || g.loops.domain.shape.includes(0)) return null;
    const { domain, draft } = g.loops;
    const wanted = jointDomain(domain, n);
    if (wanted === null) return null;
    if (wanted === domain) {
      try {
        const undo = draft.add(n);
        return { group: loopGroup(domain, members, g.at, draft), undo };
      } catch (e) {
        // Loops that have to be split are drafted anew.
        if (!(e instanceof SplitLoop)) throw e;
      }
    }
    return { group: loopGroup(wanted, members, g.at, draftLoops(wanted, members, inMemory)) };
  } catch (e) {
    if (e instanceof Unfusable || e instanceof NotAffine || e instanceof SplitLoop) return null;
    throw e;
  }
}

/** A contraction and the pointwise nodes that are computed as its tiles are stored. */
function contractGroup(
  n: Node<"dot"> | Node<"conv">,
  epilogue: readonly Node[],
  at: number,
  inMemory: InMemory,
): Group {
  const c = contraction(n, inMemory);
  const roles = new Map<Node, { at: typeof c.at; ex: number }>();
  let current: Node | null = null;
  const builder: ExBuilder = new ExBuilder(
    c.sizes,
    (m) => m !== current && inMemory(m),
    (m, idx) => {
      const role = roles.get(m);
      if (role === undefined) return null;
      if (!role.at.every((a, i) => m.shape[i] === 1 || sameAffine(a, idx[i]))) throw new Unfusable();
      return role.ex;
    },
    [],
  );
  roles.set(n, { at: c.at, ex: builder.add({ k: "tile", dtype: n.dtype }) });
  for (const m of epilogue) {
    current = m;
    const idx = indexVia(m, roles, inMemory, c.sizes);
    if (idx === null || !isAlong(c.at, n.shape, idx, m.shape)) throw new Unfusable();
    roles.set(m, { at: idx, ex: builder.visit(m, idx) });
    current = null;
  }
  // Tiles have no edges to decide about padding at.
  if (builder.args.some((a) => roles.has(a)) || builder.exs.some((e) => e.k === "guard")) throw new Unfusable();
  const members = [n, ...epilogue];
  return {
    at,
    members,
    loads: [...new Set([...c.operands, ...builder.args])],
    what: "contract",
    loops: null,
    finish(into) {
      // Arguments: A, B, then the epilogue's own.
      const args: Node[] = [...c.operands, ...builder.args];
      const stores: Store[] = [];
      for (const [m, role] of roles) {
        const index = flatten(role.at, m.shape);
        for (const t of into(m))
          stores.push({ arg: args.push(t) - 1, index, dyn: [], value: role.ex, dtype: m.dtype, add: false });
      }
      const exs = builder.exs.map((e) => (e.k === "load" ? { ...e, arg: e.arg + 2 } : e));
      const kernel = mergeContraction({ ...c.kernel, args: args.map((a) => a.dtype), exs, stores });
      return (inParts(kernel, args) ?? [{ kernel, args }]).map((part) => ({ ...part, name: nameOf(members) }));
    },
  };
}

type Roles = ReadonlyMap<Node, { readonly at: readonly Affine[] }>;

/** The index of `n` at which it reads a member where that is computed, through what is written out in place; null: nowhere. */
function indexVia(n: Node, roles: Roles, inMemory: InMemory, sizes: readonly number[]): readonly Affine[] | null {
  const memo = new Map<Node, readonly Affine[] | null>();
  const through = (m: Node, s: Node): readonly Affine[] | null => {
    const at = find(s);
    if (at === null) return null;
    if (isOp(m, "permute")) return m.attrs.perm.map((p) => at[p]);
    if (m.op === "reshape") return reshapeIndex(at, s.shape, m.shape, sizes);
    return PRIMITIVES[m.op].kind !== "move" && sameShape(m.shape, s.shape) ? at : null;
  };
  const find = (m: Node): readonly Affine[] | null => {
    const role = roles.get(m);
    if (role !== undefined) return role.at;
    if (m !== n && inMemory(m)) return null;
    let at = memo.get(m);
    if (at === undefined) {
      at = null;
      for (const s of m.srcs) at ??= through(m, s);
      memo.set(m, at);
    }
    return at;
  };
  return find(n);
}

/** True when neighbours in one value are neighbours in the other. */
function isAlong(
  at: readonly Affine[],
  shape: readonly number[],
  idx: readonly Affine[],
  to: readonly number[],
): boolean {
  const [a, b] = [flatten(at, shape), flatten(idx, to)];
  return a.t.every((f, l) => f !== 1 || factor(b, l) === 1);
}

/** `dot+add+maximum`: what a kernel computes, for people. */
function nameOf(members: readonly Node[]): string {
  const names: string[] = [];
  // Values that only lie elsewhere in memory have no name of their own.
  for (const m of members.filter((x, i) => i === 0 || PRIMITIVES[x.op].kind !== "move")) {
    const ops: string[] = [];
    let at: Node | undefined = m;
    while (at !== undefined && ops.length < 3 && (PRIMITIVES[at.op].kind === "move" || ops.length === 0)) {
      if (PRIMITIVES[at.op].kind !== "move") ops.push(at.op);
      at = at.srcs[0];
    }
    names.push(ops[0] ?? m.op);
  }
  return names.slice(0, 6).join("+") + (names.length > 6 ? `+${names.length - 6}` : "");
}
