import { isFloat } from "../base/index.ts";
import { type Access, build as b, type Node, type Reading } from "../ir/index.ts";
import { addAffine, constant, flatten } from "./affine.ts";
import { arrange } from "./arrange.ts";
import { baseOf, ExBuilder, NotAffine } from "./builder.ts";
import type { Affine, Axis, ContractKernel, LoopKernel, Phase, Store } from "./kernel.ts";
import { accessed, readingOf, Unfusable, withSplits } from "./loops.ts";

/** Kernels that stand alone: they compute one node, in one or more runs over memory. */
export interface Fixed {
  readonly loads: readonly Node[];
  readonly parts: readonly { readonly kernel: LoopKernel; readonly args: readonly Node[]; readonly name: string }[];
}

type InMemory = (n: Node) => boolean;

const phase = (loops: readonly number[], stores: readonly Store[]): Phase => ({
  loops,
  reductions: [],
  stores,
  ordered: false,
  vec: -1,
});

/** One nest that stores `value` of `n` at `index` in the buffer of `into`. */
function nest(
  into: Node,
  shape: readonly number[],
  inMemory: InMemory,
  body: (builder: ExBuilder, idx: readonly Affine[]) => Omit<Store, "arg" | "dtype">,
  name: string,
): Fixed["parts"][number] {
  return withSplits(shape, (axes) => {
    const builder = new ExBuilder(
      axes.sizes,
      (n) => n !== into && inMemory(n),
      () => null,
    );
    const s = body(builder, axes.index);
    const args = [...builder.args, into];
    const kernel: LoopKernel = {
      kind: "loop",
      loops: axes.sizes,
      outer: [],
      phases: [
        phase(
          axes.sizes.map((_, l) => l),
          [{ ...s, arg: args.length - 1, dtype: into.dtype }],
        ),
      ],
      exs: builder.exs,
      args: args.map((a) => a.dtype),
      serial: s.add,
      vec: -1,
      scratch: 0,
    };
    return { kernel: arrange(kernel), args, name };
  });
}

const fixed = (parts: Fixed["parts"], into: Node): Fixed => ({
  parts,
  loads: [...new Set(parts.flatMap((p) => p.args.filter((a) => a !== into)))],
});

/** Each source into its own part of the result. */
export function concat(n: Node<"concat">, inMemory: InMemory): Fixed {
  let from = 0;
  const parts = n.srcs.map((src) => {
    const at = from;
    from += src.shape[n.attrs.axis];
    return nest(
      n,
      src.shape,
      inMemory,
      (builder, idx) => {
        const to = idx.map((a, i) => (i === n.attrs.axis ? addAffine(a, constant(at)) : a));
        return { index: flatten(to, n.shape), dyn: [], value: builder.visit(src, idx), add: false };
      },
      "concat",
    );
  });
  return fixed(parts, n);
}

/** The base copied, then every update added where its index says. */
export function scatterAdd(n: Node<"scatterAdd">, inMemory: InMemory): Fixed {
  const [base, indices, updates] = n.srcs;
  const { axis } = n.attrs;
  const rank = indices.shape.length;
  const copy = copyOf(base, n, inMemory);
  const adds = nest(
    n,
    updates.shape,
    inMemory,
    (builder, idx) => {
      const ex = builder.visit(indices, idx.slice(axis, axis + rank));
      const stride = n.shape.slice(axis + 1).reduce((a, d) => a * d, 1);
      const to = [...idx.slice(0, axis), constant(0), ...idx.slice(axis + rank)];
      const dyn = [{ ex, stride, size: n.shape[axis] }];
      return { index: flatten(to, n.shape), dyn, value: builder.visit(updates, idx), add: true };
    },
    "scatterAdd",
  );
  return fixed([copy, adds], n);
}

/** `value` written into the buffer of `into` (same element count). */
export function copyOf(value: Node, into: Node, inMemory: InMemory): Fixed["parts"][number] {
  const source = value;
  return nest(
    into,
    source.shape,
    inMemory,
    (builder, idx) => ({ index: flatten(idx, source.shape), dyn: [], value: builder.visit(source, idx), add: false }),
    "copy",
  );
}

/** A running sum: one accumulator a row, stored in every turn. */
export function cumsum(n: Node<"cumsum">, inMemory: InMemory): Fixed {
  const { axis } = n.attrs;
  const part = withSplits(n.shape, (axes) => {
    const builder = new ExBuilder(
      axes.sizes,
      (m) => m !== n && inMemory(m),
      () => null,
    );
    const value = builder.visit(n.srcs[0], axes.index);
    const acc = builder.add({ k: "acc", phase: 0, slot: 0, dtype: n.dtype });
    const args = [...builder.args, n];
    const inner = axes.loopsOf[axis];
    const store: Store = {
      arg: args.length - 1,
      index: flatten(axes.index, n.shape),
      dyn: [],
      value: acc,
      dtype: n.dtype,
      add: false,
    };
    const kernel: LoopKernel = {
      kind: "loop",
      loops: axes.sizes,
      outer: axes.sizes.map((_, l) => l).filter((l) => !inner.includes(l)),
      phases: [
        {
          loops: inner,
          reductions: [{ kind: "sum", value, payload: -1, dtype: n.dtype }],
          stores: [store],
          ordered: true,
          vec: -1,
        },
      ],
      exs: builder.exs,
      args: args.map((a) => a.dtype),
      serial: false,
      vec: -1,
      scratch: 0,
    };
    return { kernel: arrange(kernel), args, name: "cumsum" };
  });
  return fixed([part], n);
}

/** Each window finds its first maximum, then writes its dy there and zero elsewhere; windows that overlap add up. */
export function windowPickGrad(n: Node<"windowPickGrad">, access: Access, inMemory: InMemory): Fixed {
  const [x, dy] = n.srcs;
  const { window, strides, dilation } = n.attrs;
  const rank = dy.shape.length;
  const tiles = window.every((k, i) => k === strides[i] && dilation[i] === 1 && dy.shape[i + 1] * k === x.shape[i + 1]);
  const part = withSplits([...dy.shape, ...window], (axes) => {
    const builder = new ExBuilder(
      axes.sizes,
      (m) => m !== n && inMemory(m),
      () => null,
    );
    const at = accessed(access, axes.index);
    const value = builder.visit(x, at);
    const place = flatten(axes.index.slice(rank), window);
    const payload = builder.add({ k: "iota", index: place, dtype: "int32" });
    const best = builder.add({ k: "acc", phase: 0, slot: 0, dtype: "int32" });
    const here = builder.add({ k: "op", op: "eq", srcs: [best, payload], dtype: "bool" });
    const zero = builder.add({ k: "const", value: 0, dtype: n.dtype });
    const grad = builder.add({
      k: "op",
      op: "where",
      srcs: [here, builder.visit(dy, axes.index.slice(0, rank)), zero],
      dtype: n.dtype,
    });
    const args = [...builder.args, n];
    const inner = axes.loopsOf.slice(rank).flat();
    const store: Store = {
      arg: args.length - 1,
      index: flatten(at, n.shape),
      dyn: [],
      value: grad,
      dtype: n.dtype,
      add: !tiles,
    };
    const kernel: LoopKernel = {
      kind: "loop",
      loops: axes.sizes,
      outer: axes.sizes.map((_, l) => l).filter((l) => !inner.includes(l)),
      phases: [
        {
          loops: inner,
          reductions: [{ kind: "pick", value, payload, dtype: "int32" }],
          stores: [],
          ordered: false,
          vec: -1,
        },
        phase(inner, [store]),
      ],
      exs: builder.exs,
      args: args.map((a) => a.dtype),
      serial: !tiles,
      vec: -1,
      scratch: 0,
    };
    return { kernel: arrange(kernel), args, name: "windowPickGrad" };
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
