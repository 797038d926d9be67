import { sameShape } from "../base/index.ts";
import { isOp, type Node } from "../ir/index.ts";
import { addAffine, constant, reshapeIndex, sameAffine, scaleAffine, SplitLoop } from "./affine.ts";
import { Axes, ExBuilder } from "./builder.ts";
import type { Affine, LoopKernel, Phase, Reduction, Store } from "./kernel.ts";
import { dependsOn, depths } from "./exs.ts";
import { arrangeRows } from "./spill.ts";

/** Thrown when a node cannot be computed by the loops of a group. */
export class Unfusable extends Error {}

/** A loop kernel in the making: what it computes, what it loads, and its final form once it is known what to keep. */
export interface Draft {
  readonly loads: readonly Node[];
  /** The kernel that stores those of its nodes that `kept` wants. */
  finish(kept: (n: Node) => boolean): { kernel: LoopKernel; args: Node[] };
}

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

/** The domain that a root asks for when it starts a group. */
export function domainOf(n: Node): Domain {
  const none = (shape: readonly number[]): Domain => ({ shape, reduced: shape.map(() => false) });
  if (isOp(n, "sum") || isOp(n, "prod") || isOp(n, "max") || isOp(n, "min")) {
    const { shape } = n.srcs[0];
    return { shape, reduced: shape.map((_, i) => n.attrs.axes.includes(i)) };
  }
  if (isOp(n, "argmax")) {
    const { shape } = n.srcs[0];
    return { shape, reduced: shape.map((_, i) => i === n.attrs.axis) };
  }
  if (isOp(n, "windowSum") || isOp(n, "windowMax") || isOp(n, "windowPick")) {
    return {
      shape: [...n.shape, ...n.attrs.window],
      reduced: [...n.shape.map(() => false), ...n.attrs.window.map(() => true)],
    };
  }
  if (isOp(n, "conv") || isOp(n, "dot")) {
    const k = contracted(n);
    return { shape: [...n.shape, ...k], reduced: [...n.shape.map(() => false), ...k.map(() => true)] };
  }
  return none(n.shape);
}

function contracted(n: Node<"conv"> | Node<"dot">): number[] {
  const [x, w] = n.srcs;
  if (isOp(n, "dot")) return n.attrs.lhsContract.map((a) => x.shape[a]);
  const nd = x.shape.length - 3;
  return [...w.shape.slice(0, nd), w.shape[nd + 1]];
}

/** Indices of both operands of a contraction from the index of its result and of the contracted axes. */
export function operandIndex(
  n: Node<"conv"> | Node<"dot">,
  out: readonly Affine[],
  k: readonly Affine[],
): [Affine[], Affine[]] {
  const [x, w] = n.srcs;
  if (isOp(n, "conv")) {
    const nd = x.shape.length - 3;
    const { strides, rhsDilation } = n.attrs;
    const spatial = strides.map((s, i) => addAffine(scaleAffine(out[i + 1], s), scaleAffine(k[i], rhsDilation[i])));
    const group = out[nd + 1];
    return [
      [out[0], ...spatial, group, k[nd]],
      [...k.slice(0, nd), group, k[nd], out[nd + 2]],
    ];
  }
  const { lhsBatch, rhsBatch, lhsContract, rhsContract } = n.attrs;
  let free = lhsBatch.length;
  const fill = (t: Node, batch: readonly number[], contract: readonly number[]): Affine[] =>
    t.shape.map((_, i) => {
      if (batch.includes(i)) return out[batch.indexOf(i)];
      if (contract.includes(i)) return k[contract.indexOf(i)];
      return out[free++];
    });
  return [fill(x, lhsBatch, lhsContract), fill(w, rhsBatch, rhsContract)];
}

type Role = { readonly at: readonly Affine[]; readonly ex: number; readonly what: "map" | "row" };

/** Builds the kernel of a group of nodes (in dependency order) over one domain; throws Unfusable or NotAffine. */
export function draftLoops(domain: Domain, members: readonly Node[], inMemory: (n: Node) => boolean): Draft {
  return withSplits(domain.shape, (axes) => {
    const loopsWhere = (reduced: boolean): number[] =>
      axes.loopsOf.flatMap((l, a) => (domain.reduced[a] === reduced ? l : []));
    const inner = loopsWhere(true);
    const outer = loopsWhere(false);
    const keptShape = domain.shape.filter((_, a) => !domain.reduced[a]);
    const keptIndex = axes.index.filter((_, a) => !domain.reduced[a]);
    const roles = new Map<Node, Role>();
    let current: Node | null = null;
    const builder: ExBuilder = new ExBuilder(
      axes.sizes,
      (n) => n !== current && inMemory(n),
      (n, idx) => {
        const role = roles.get(n);
        if (role === undefined) return null;
        if (!role.at.every((a, i) => n.shape[i] === 1 || sameAffine(a, idx[i]))) throw new Unfusable();
        return role.ex;
      },
    );
    const reductions: Reduction[][] = [];
    const depth = depths(builder.exs);
    const reindex = (from: readonly number[], at: readonly Affine[], to: readonly number[]): Affine[] => {
      const idx = reshapeIndex(at, from, to, axes.sizes);
      if (idx === null) throw new Unfusable();
      return idx;
    };
    const reduce = (
      n: Node,
      kind: Reduction["kind"],
      value: number,
      payload: number,
      dtype: Reduction["dtype"],
    ): void => {
      const phase = Math.max(depth(value), depth(payload));
      const list = (reductions[phase] ??= []);
      const slot = list.push({ kind, value, payload, dtype }) - 1;
      const ex = builder.add({ k: "acc", phase, slot, dtype });
      roles.set(n, { at: reindex(keptShape, keptIndex, n.shape), ex, what: "row" });
    };
    for (const n of members) {
      current = n;
      const own = ownReduction(n, domain, axes, builder, reindex, inner);
      if (own !== null) {
        reduce(n, own.kind, own.value, own.payload, n.dtype);
      } else {
        const whole =
          size(n.shape) === size(domain.shape) && (inner.length > 0 ? size(keptShape) !== size(n.shape) : true);
        if (!whole && size(n.shape) !== size(keptShape)) throw new Unfusable();
        const at = whole ? reindex(domain.shape, axes.index, n.shape) : reindex(keptShape, keptIndex, n.shape);
        const ex = builder.visit(n, at);
        if (!whole && dependsOn(builder.exs, ex, inner)) throw new Unfusable();
        roles.set(n, { at, ex, what: whole ? "map" : "row" });
      }
      current = null;
    }
    // What is computed here is not in memory yet.
    if (builder.args.some((a) => roles.has(a))) throw new Unfusable();
    return {
      loads: builder.args.slice(),
      finish(kept) {
        const args = builder.args.slice();
        const phases: { loops: number[]; reductions: Reduction[]; stores: Store[] }[] = reductions.map((r) => ({
          loops: inner.length > 0 ? inner : outer,
          reductions: r,
          stores: [],
        }));
        const rows: Store[] = [];
        for (const [n, role] of roles) {
          if (!kept(n)) continue;
          const index = flattenStore(role.at, n.shape);
          const arg = args.push(n) - 1;
          const store: Store = { arg, index, dyn: [], value: role.ex, dtype: n.dtype, add: false };
          if (role.what === "row" && inner.length > 0) {
            rows.push(store);
            continue;
          }
          const at = inner.length > 0 ? depth(role.ex) : 0;
          (phases[at] ??= { loops: inner.length > 0 ? inner : outer, reductions: [], stores: [] }).stores.push(store);
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
        return { kernel: arrangeRows(kernel), args };
      },
    };
  });
}

const size = (shape: readonly number[]): number => shape.reduce((a, d) => a * d, 1);

export function flattenStore(at: readonly Affine[], shape: readonly number[]): Affine {
  let out = constant(0);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1) out = addAffine(out, scaleAffine(at[i], stride));
    stride *= shape[i];
  }
  return out;
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
  if (isOp(n, "sum") || isOp(n, "prod") || isOp(n, "max") || isOp(n, "min")) {
    if (size(x.shape) !== size(domain.shape)) throw new Unfusable();
    const idx = reindex(domain.shape, axes.index, x.shape);
    reducing(idx, n.attrs.axes);
    return { kind: n.op as "sum", value: builder.visit(x, idx), payload: -1 };
  }
  if (isOp(n, "argmax")) {
    const idx = reindex(domain.shape, axes.index, x.shape);
    reducing(idx, [n.attrs.axis]);
    const payload = builder.add({ k: "iota", index: idx[n.attrs.axis], dtype: "int32" });
    return { kind: "pick", value: builder.visit(x, idx), payload };
  }
  const rank = n.shape.length;
  // Windows and contractions number the axes themselves.
  const mine = domainOf(n);
  if (
    mine.reduced.includes(true) &&
    !(sameShape(mine.shape, domain.shape) && mine.reduced.every((r, a) => r === domain.reduced[a]))
  )
    throw new Unfusable();
  if (isOp(n, "windowSum") || isOp(n, "windowMax") || isOp(n, "windowPick")) {
    const idx = windowIndex(n.attrs, axes.index.slice(0, rank), axes.index.slice(rank));
    const value = builder.visit(x, idx);
    if (isOp(n, "windowPick")) return { kind: "pick", value, payload: builder.visit(n.srcs[1], idx) };
    return { kind: n.op === "windowSum" ? "sum" : "max", value, payload: -1 };
  }
  if (isOp(n, "conv") || isOp(n, "dot")) {
    const [ia, ib] = operandIndex(n, axes.index.slice(0, rank), axes.index.slice(rank));
    const srcs = [builder.visit(x, ia), builder.visit(n.srcs[1], ib)];
    return { kind: "sum", value: builder.add({ k: "op", op: "mul", srcs, dtype: n.dtype }), payload: -1 };
  }
  return null;
}

/** Where a window's tap falls in its source. */
export function windowIndex(
  at: { strides: readonly number[]; dilation: readonly number[] },
  out: readonly Affine[],
  taps: readonly Affine[],
): Affine[] {
  const spatial = taps.map((t, i) => addAffine(scaleAffine(out[i + 1], at.strides[i]), scaleAffine(t, at.dilation[i])));
  return [out[0], ...spatial, out[out.length - 1]];
}
