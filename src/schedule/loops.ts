import { sameShape, sizeOf } from "../base/index.ts";
import { type Access, familyOf, isOp, type Node, PRIMITIVES, type Reading, type ReduceName } from "../ir/index.ts";
import { addAffine, constant, flatten, reshapeIndex, sameAffine, scaleAffine, SplitLoop } from "./affine.ts";
import { Axes, ExBuilder } from "./builder.ts";
import type { Affine, LoopKernel, Phase, Reduction, Store } from "./kernel.ts";
import { dependsOn, depths } from "./exs.ts";
import { arrangeParts, type Built } from "./split.ts";

/** Thrown when a node cannot be computed by the loops of a group. */
export class Unfusable extends Error {}

/** The loops of a group: a shape, and which of its axes are reduced. */
export interface Domain {
  readonly shape: readonly number[];
  readonly reduced: readonly boolean[];
}

/** Builds with loops split as the index arithmetic asks for. */
export function withSplits<T>(shape: readonly number[], make: (axes: Axes) => T): T {
  let splits: ReadonlyMap<number, readonly number[]> = new Map();
  for (let tries = 0; tries < 24; tries++) {
    const axes = new Axes(shape, splits);
    try {
      return make(axes);
    } catch (e) {
      if (!(e instanceof SplitLoop)) throw e;
      splits = axes.split(splits, e.loop, e.inner);
    }
  }
  throw new Unfusable();
}

/** Most parts that are put side by side by one kernel. */
const MOST_PARTS = 8;

/** Parts of one shape side by side: one loop over a part stores all of them. */
export const isEven = (n: Node): n is Node<"concat"> =>
  n.op === "concat" && n.srcs.length <= MOST_PARTS && n.srcs.every((s) => sameShape(s.shape, n.srcs[0].shape));

/** The domain that a root asks for when it starts a group. */
export function domainOf(n: Node): Domain {
  if (isEven(n)) return { shape: n.srcs[0].shape, reduced: n.shape.map(() => false) };
  if (isReduction(n) || isOp(n, "argmax")) {
    const { shape } = n.srcs[0];
    const axes = isOp(n, "argmax") ? [n.attrs.axis] : n.attrs.axes;
    return { shape, reduced: shape.map((_, i) => axes.includes(i)) };
  }
  const inner = readingOf(n)?.inner ?? [];
  return { shape: [...n.shape, ...inner], reduced: [...n.shape.map(() => false), ...inner.map(() => true)] };
}

const isReduction = (n: Node): n is Node<ReduceName> => PRIMITIVES[n.op].kind === "reduce" && "axes" in n.attrs;

/** How a primitive numbers loops of its own: contractions and windows; null for others. */
export const readingOf = (n: Node): Reading | null => (isOp(n, "dot") ? readDot(n) : (familyOf(n)?.reads?.(n) ?? null));

/** Result axes: batch, free axes of both; within them the contracted ones. */
function readDot(n: Node<"dot">): Reading {
  const [x, w] = n.srcs;
  const { lhsBatch, rhsBatch, lhsContract, rhsContract } = n.attrs;
  let free = lhsBatch.length;
  const read = (t: Node, batch: readonly number[], contract: readonly number[]): Access =>
    t.shape.map((_, i) => {
      const [p, k] = [batch.indexOf(i), contract.indexOf(i)];
      return [[1, p >= 0 ? p : k >= 0 ? n.shape.length + k : free++]];
    });
  return {
    inner: lhsContract.map((a) => x.shape[a]),
    how: "product",
    at: [read(x, lhsBatch, lhsContract), read(w, rhsBatch, rhsContract)],
  };
}

/** The index of a source by the loops of its user. */
export const accessed = (at: Access, loops: readonly Affine[]): Affine[] =>
  at.map((terms) => terms.reduce((sum, [f, l]) => addAffine(sum, scaleAffine(loops[l], f)), constant(0)));

/** What a node is in its kernel: its values, and how far apart they are stored. Several are parts that nothing here reads. */
interface Role {
  readonly at: readonly Affine[];
  readonly exs: readonly number[];
  readonly step: number;
  readonly what: "map" | "row";
}

/** The buffers that a node of a kernel is stored in: itself, others beside it, or none. */
export type Into = (n: Node) => readonly Node[];

/** A loop kernel in the making: the nodes it computes, what they load, and its final form once it is known what to keep. */
export class LoopDraft {
  private readonly domain: Domain;
  private readonly axes: Axes;
  private readonly builder: ExBuilder;
  private readonly roles: Map<Node, Role> = new Map();
  private readonly reductions: Reduction[][] = [];
  private readonly inner: readonly number[];
  private readonly outer: readonly number[];
  private readonly keptShape: readonly number[];
  private readonly keptIndex: readonly Affine[];
  /** The node that is being added: not in memory for itself. */
  private current: Node | null = null;

  constructor(domain: Domain, axes: Axes, inMemory: (n: Node) => boolean) {
    this.domain = domain;
    this.axes = axes;
    const loopsWhere = (reduced: boolean): number[] =>
      axes.loopsOf.flatMap((l, a) => (domain.reduced[a] === reduced ? l : []));
    this.inner = loopsWhere(true);
    this.outer = loopsWhere(false);
    this.keptShape = domain.shape.filter((_, a) => !domain.reduced[a]);
    this.keptIndex = axes.index.filter((_, a) => !domain.reduced[a]);
    this.builder = new ExBuilder(
      axes.sizes,
      (n) => n !== this.current && inMemory(n),
      (n, idx) => {
        const role = this.roles.get(n);
        if (role === undefined) return null;
        if (role.exs.length > 1 || !role.at.every((a, i) => n.shape[i] === 1 || sameAffine(a, idx[i])))
          throw new Unfusable();
        return role.exs[0];
      },
    );
  }

  /** What is read from memory so far. */
  loads(): readonly Node[] {
    return this.builder.args.slice();
  }

  /** Takes `n` in, which all members so far precede. On a throw nothing has changed. Gives the way back. */
  add(n: Node): () => void {
    const { builder, roles, reductions } = this;
    const mark = builder.mark();
    const counts = reductions.map((r) => r.length);
    const undo = (): void => {
      builder.undo(mark);
      roles.delete(n);
      reductions.length = counts.length;
      reductions.forEach((r, i) => (r.length = counts[i]));
    };
    try {
      this.current = n;
      roles.set(n, this.roleOf(n));
      // What is computed here is not in memory yet.
      if (builder.args.some((a) => roles.has(a))) throw new Unfusable();
    } catch (e) {
      undo();
      throw e;
    } finally {
      this.current = null;
    }
    return undo;
  }

  private roleOf(n: Node): Role {
    const { builder, domain, axes, inner, keptShape, keptIndex, reductions } = this;
    const reindex = (from: readonly number[], at: readonly Affine[], to: readonly number[]): Affine[] => {
      const idx = reshapeIndex(at, from, to, axes.sizes);
      if (idx === null) throw new Unfusable();
      return idx;
    };
    if (isEven(n)) {
      const [{ shape }] = n.srcs;
      if (inner.length > 0 || sizeOf(shape) !== sizeOf(domain.shape)) throw new Unfusable();
      const at = reindex(domain.shape, axes.index, shape);
      const exs = n.srcs.map((s) => builder.visit(s, at));
      return { at, exs, step: sizeOf(shape.slice(n.attrs.axis)), what: "map" };
    }
    const own = ownReduction(n, domain, axes, builder, reindex, inner);
    if (own !== null) {
      const depth = depths(builder.exs);
      const phase = Math.max(depth(own.value), depth(own.payload));
      // Depth comes from accumulators: all phases before this one are there.
      const list = (reductions[phase] ??= []);
      const slot = list.push({ ...own, dtype: n.dtype }) - 1;
      const ex = builder.add({ k: "acc", phase, slot, dtype: n.dtype });
      return { at: reindex(keptShape, keptIndex, n.shape), exs: [ex], step: 0, what: "row" };
    }
    const whole =
      sizeOf(n.shape) === sizeOf(domain.shape) && (inner.length > 0 ? sizeOf(keptShape) !== sizeOf(n.shape) : true);
    if (!whole && sizeOf(n.shape) !== sizeOf(keptShape)) throw new Unfusable();
    const at = whole ? reindex(domain.shape, axes.index, n.shape) : reindex(keptShape, keptIndex, n.shape);
    const ex = builder.visit(n, at);
    if (!whole && dependsOn(builder.exs, ex, inner)) throw new Unfusable();
    return { at, exs: [ex], step: 0, what: whole ? "map" : "row" };
  }

  /** The kernels that store its nodes. */
  finish(into: Into): Built[] {
    const { builder, axes, inner, outer, reductions } = this;
    const depth = depths(builder.exs);
    const args = builder.args.slice();
    const loops = inner.length > 0 ? inner : outer;
    const phases: { loops: readonly number[]; reductions: readonly Reduction[]; stores: Store[] }[] = reductions.map(
      (r) => ({ loops, reductions: r, stores: [] }),
    );
    const rows: Store[] = [];
    for (const [n, role] of this.roles) {
      const first = flatten(role.at, n.shape);
      for (const t of into(n)) {
        const arg = args.push(t) - 1;
        role.exs.forEach((value, i) => {
          const index = addAffine(first, constant(i * role.step));
          const store: Store = { arg, index, dyn: [], value, dtype: n.dtype, add: false };
          const at = inner.length > 0 ? depth(value) : 0;
          if (role.what === "row" && inner.length > 0) rows.push(store);
          else (phases[at] ??= { loops, reductions: [], stores: [] }).stores.push(store);
        });
      }
    }
    if (rows.length > 0) phases.push({ loops: [], reductions: [], stores: rows });
    const full: Phase[] = phases.map((p) => ({ ...p, ordered: false, vec: -1 }));
    const kernel: LoopKernel = {
      kind: "loop",
      loops: axes.sizes,
      outer: inner.length > 0 ? outer : [],
      phases: full,
      exs: builder.exs,
      args: args.map((a) => a.dtype),
      serial: false,
      vec: -1,
      scratch: 0,
    };
    return arrangeParts(kernel, args);
  }
}

/** Builds the kernel of a group of nodes (in dependency order) over one domain; throws Unfusable or NotAffine. */
export function draftLoops(domain: Domain, members: readonly Node[], inMemory: (n: Node) => boolean): LoopDraft {
  return withSplits(domain.shape, (axes) => {
    const draft = new LoopDraft(domain, axes, inMemory);
    for (const n of members) draft.add(n);
    return draft;
  });
}

/** The reduction that `n` itself is over this domain, or null for a pointwise member. */
function ownReduction(
  n: Node,
  domain: Domain,
  axes: Axes,
  builder: ExBuilder,
  reindex: (from: readonly number[], at: readonly Affine[], to: readonly number[]) => Affine[],
  inner: readonly number[],
): { kind: Reduction["kind"]; value: number; payload: number } | null {
  const [x] = n.srcs;
  const reducing = (idx: readonly Affine[], which: readonly number[]): void => {
    const loops = new Set<number>();
    for (const a of which) idx[a].t.forEach((f, l) => f !== 0 && axes.sizes[l] > 1 && loops.add(l));
    const want = inner.filter((l) => axes.sizes[l] > 1);
    if (loops.size !== want.length || !want.every((l) => loops.has(l))) throw new Unfusable();
  };
  if (isReduction(n)) {
    if (sizeOf(x.shape) !== sizeOf(domain.shape)) throw new Unfusable();
    const idx = reindex(domain.shape, axes.index, x.shape);
    reducing(idx, n.attrs.axes);
    return { kind: n.op, value: builder.visit(x, idx), payload: -1 };
  }
  if (isOp(n, "argmax")) {
    const idx = reindex(domain.shape, axes.index, x.shape);
    reducing(idx, [n.attrs.axis]);
    const payload = builder.add({ k: "iota", index: idx[n.attrs.axis], dtype: "int32" });
    return { kind: "pick", value: builder.visit(x, idx), payload };
  }
  const reading = readingOf(n);
  if (reading === null) return null;
  // Windows and contractions number the axes themselves.
  const mine = domainOf(n);
  if (!(sameShape(mine.shape, domain.shape) && mine.reduced.every((r, a) => r === domain.reduced[a])))
    throw new Unfusable();
  const { how, at } = reading;
  const [value, other] = n.srcs.map((s, i) => builder.visit(s, accessed(at[i] ?? at[0], axes.index)));
  if (how !== "product") return { kind: how, value, payload: how === "pick" ? other : -1 };
  return { kind: "sum", value: builder.add({ k: "op", op: "mul", srcs: [value, other], dtype: n.dtype }), payload: -1 };
}
