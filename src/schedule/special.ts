import { isFloat, sizeOf } from "../base/index.ts";
import { build as b, isOp, type Node, type Reading } from "../ir/index.ts";
import { addAffine, constant, flatten } from "./affine.ts";
import { arrange } from "./arrange.ts";
import { type Axes, baseOf, ExBuilder, NotAffine } from "./builder.ts";
import type { Affine, Axis, ContractKernel, Dynamic, LoopKernel, Phase, Reduction, Store } from "./kernel.ts";
import { accessed, readingOf, Unfusable, withSplits } from "./loops.ts";

/** Kernels that stand alone: they compute one node, in one or more runs over memory. */
export interface Fixed {
  readonly loads: readonly Node[];
  readonly parts: readonly {
    readonly kernel: LoopKernel;
    readonly args: readonly Node[];
    readonly name: string;
    /** It copies its first argument to this element of the second and what follows: it need not, if that is computed there. */
    readonly inside?: number;
  }[];
}

type InMemory = (n: Node) => boolean;

type Part = Fixed["parts"][number];

/** What one kernel stores, and what it reduces before that, in loops of their own. */
interface Body extends Pick<Store, "index" | "value"> {
  readonly dyn?: readonly Dynamic[];
  readonly add?: boolean;
  readonly reduction?: Reduction;
  readonly inner?: readonly number[];
  /** Turns are in order and store the sum so far. */
  readonly ordered?: boolean;
}

/** One nest over `shape` that writes into the buffer of `into`. */
function nest(
  into: Node,
  shape: readonly number[],
  inMemory: InMemory,
  name: string,
  body: (builder: ExBuilder, axes: Axes) => Body,
): Part {
  return withSplits(shape, (axes) => {
    const builder = new ExBuilder(
      axes.sizes,
      (n) => n !== into && inMemory(n),
      () => null,
    );
    const all = [...axes.sizes.keys()];
    const { index, value, dyn = [], add = false, reduction, inner = all, ordered = false } = body(builder, axes);
    const args = [...builder.args, into];
    const stores: Store[] = [{ arg: args.length - 1, index, dyn, value, dtype: into.dtype, add }];
    const last: Phase = { loops: inner, reductions: [], stores, ordered, vec: -1 };
    const reductions = reduction === undefined ? [] : [reduction];
    const phases = ordered ? [{ ...last, reductions }] : [last];
    if (!ordered && reduction !== undefined) phases.unshift({ ...last, reductions, stores: [] });
    const kernel: LoopKernel = {
      kind: "loop",
      loops: axes.sizes,
      outer: all.filter((l) => !inner.includes(l)),
      phases,
      exs: builder.exs,
      args: args.map((a) => a.dtype),
      serial: add,
      vec: -1,
      scratch: 0,
    };
    return { kernel: arrange(kernel), args, name };
  });
}

export const fixed = (parts: Fixed["parts"], into: Node): Fixed => ({
  parts,
  loads: [...new Set(parts.flatMap((p) => p.args.filter((a) => a !== into)))],
});

/** Parts that lie one after the other, some of which are in memory anyway. */
export const isStack = (n: Node, inMemory: InMemory): boolean =>
  isOp(n, "concat") && sizeOf(n.shape.slice(0, n.attrs.axis)) === 1 && n.srcs.some((s) => inMemory(baseOf(s)));

/** Each source into its own part of the result. */
export function concat(n: Node<"concat">, inMemory: InMemory): Fixed {
  let from = 0;
  const stack = isStack(n, inMemory);
  const parts = n.srcs.map((src) => {
    const at = from;
    from += src.shape[n.attrs.axis];
    const part = nest(n, src.shape, inMemory, "concat", (builder, { index }) => {
      const to = index.map((a, i) => (i === n.attrs.axis ? addAffine(a, constant(at)) : a));
      return { index: flatten(to, n.shape), value: builder.visit(src, index) };
    });
    return stack && inMemory(baseOf(src)) ? { ...part, inside: at * sizeOf(n.shape.slice(n.attrs.axis + 1)) } : part;
  });
  return fixed(parts, n);
}

/** The base copied, then every update added where its index says. */
export function scatterAdd(n: Node<"scatterAdd">, inMemory: InMemory): Fixed {
  const [base, indices, updates] = n.srcs;
  const { axis } = n.attrs;
  const rank = indices.shape.length;
  const adds = nest(n, updates.shape, inMemory, "scatterAdd", (builder, { index }) => {
    const ex = builder.visit(indices, index.slice(axis, axis + rank));
    const to = [...index.slice(0, axis), constant(0), ...index.slice(axis + rank)];
    const dyn = [{ ex, stride: sizeOf(n.shape.slice(axis + 1)), size: n.shape[axis] }];
    return { index: flatten(to, n.shape), dyn, value: builder.visit(updates, index), add: true };
  });
  return fixed([copyOf(base, n, inMemory), adds], n);
}

/** `value` written into the buffer of `into` (same element count), or from element `at` of it on. */
export const copyOf = (value: Node, into: Node, inMemory: InMemory, at = 0): Part =>
  nest(into, value.shape, inMemory, "copy", (builder, { index }) => ({
    index: addAffine(flatten(index, value.shape), constant(at)),
    value: builder.visit(value, index),
  }));

/** A running sum: one accumulator a row, stored in every turn. */
export function cumsum(n: Node<"cumsum">, inMemory: InMemory): Fixed {
  const part = nest(n, n.shape, inMemory, "cumsum", (builder, { index, loopsOf }) => {
    const value = builder.visit(n.srcs[0], index);
    return {
      index: flatten(index, n.shape),
      value: builder.add({ k: "acc", phase: 0, slot: 0, dtype: n.dtype }),
      reduction: { kind: "sum", value, payload: -1, dtype: n.dtype },
      inner: loopsOf[n.attrs.axis],
      ordered: true,
    };
  });
  return fixed([part], n);
}

/** Each window finds its first maximum, then writes its dy there and zero elsewhere; windows that overlap add up. */
export function writeBack(n: Node, { inner: window, at: [access] }: Reading, inMemory: InMemory): Fixed {
  const [x, dy] = n.srcs;
  const rank = dy.shape.length;
  const loops = [...dy.shape, ...window];
  // Windows that lie side by side and leave nothing out.
  const tiles = access.every(
    (terms, axis) =>
      x.shape[axis] === terms.reduce((d, [, l]) => d * loops[l], 1) &&
      terms.every(([factor], i) => factor === terms.slice(i + 1).reduce((d, [, l]) => d * loops[l], 1)),
  );
  const part = nest(n, loops, inMemory, n.op, (builder, { index, loopsOf }) => {
    const at = accessed(access, index);
    const value = builder.visit(x, at);
    const payload = builder.add({ k: "iota", index: flatten(index.slice(rank), window), dtype: "int32" });
    const best = builder.add({ k: "acc", phase: 0, slot: 0, dtype: "int32" });
    const here = builder.add({ k: "op", op: "eq", srcs: [best, payload], dtype: "bool" });
    const zero = builder.add({ k: "const", value: 0, dtype: n.dtype });
    const grad = builder.visit(dy, index.slice(0, rank));
    return {
      index: flatten(at, n.shape),
      value: builder.add({ k: "op", op: "where", srcs: [here, grad, zero], dtype: n.dtype }),
      add: !tiles,
      reduction: { kind: "pick", value, payload, dtype: "int32" },
      inner: loopsOf.slice(rank).flat(),
    };
  });
  return fixed(tiles ? [part] : [copyOf(b.full(n.shape, 0, n.dtype), n, inMemory), part], n);
}

/** A contraction with its operands in memory, before it is known what its epilogue stores. */
export interface Contraction {
  readonly kernel: Omit<ContractKernel, "exs" | "stores" | "args">;
  /** A and B. */
  readonly operands: readonly [Node, Node];
  /** Index of the result by the loops batch, m, n. */
  readonly at: readonly Affine[];
  readonly sizes: readonly number[];
}

/** The loops and strides of a dot or conv; NotAffine names what has to be put in memory first. */
export function contraction(n: Node<"dot"> | Node<"conv">, inMemory: InMemory): Contraction {
  if (!isFloat(n.dtype)) throw new Unfusable();
  const [x, w] = n.srcs;
  const rank = n.shape.length;
  const { inner, at: reads } = readingOf(n) as Reading;
  const [left, right] = reads.map((at) => new Set(at.flat().map(([, axis]) => axis)));
  const resultAxes = [...n.shape.keys()];
  const batchAxes = resultAxes.filter((i) => left.has(i) && right.has(i));
  const nAxes = resultAxes.filter((i) => !left.has(i));
  const mAxes = resultAxes.filter((i) => !right.has(i));
  return withSplits([...n.shape, ...inner], (axes) => {
    const [ia, ib] = reads.map((at) => accessed(at, axes.index));
    const [a, aBase] = address(x, ia, axes.sizes, inMemory);
    const [bb, bBase] = address(w, ib, axes.sizes, inMemory);
    const c = flatten(axes.index.slice(0, rank), n.shape);
    const axis = (l: number): Axis => ({ size: axes.sizes[l], a: a.t[l] ?? 0, b: bb.t[l] ?? 0, c: c.t[l] ?? 0 });
    const of = (list: readonly number[]): number[] => list.flatMap((i) => axes.loopsOf[i]);
    const order = [...of(batchAxes), ...of(mAxes), ...of(nAxes)];
    // The epilogue counts loops as batch, m, n.
    const position = new Map(order.map((l, i) => [l, i]));
    const at = axes.index.slice(0, rank).map((f): Affine => {
      const t = order.map(() => 0);
      f.t.forEach((x2, l) => x2 !== 0 && (t[position.get(l) as number] = x2));
      return { c: f.c, t };
    });
    return {
      kernel: {
        kind: "contract",
        dtype: n.dtype as "float32",
        batch: of(batchAxes).map(axis),
        m: of(mAxes).map(axis),
        n: of(nAxes).map(axis),
        k: of(axes.loopsOf.map((_, i) => i).slice(rank)).map(axis),
        aOffset: a.c,
        bOffset: bb.c,
      },
      operands: [aBase, bBase],
      at,
      sizes: order.map((l) => axes.sizes[l]),
    };
  });
}

/** The element offset of `n` at `idx` in the buffer below it. */
function address(n: Node, idx: readonly Affine[], sizes: readonly number[], inMemory: InMemory): [Affine, Node] {
  const builder = new ExBuilder(sizes, inMemory, () => null);
  const ex = builder.exs[builder.visit(n, idx)];
  if (ex.k !== "load" || ex.dyn.length > 0) throw new NotAffine(baseOf(n));
  return [ex.index, builder.args[ex.arg]];
}
