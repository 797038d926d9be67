/** Products of matrices and vectors: all are one contraction over labelled axes. */
import { axisOf, type DType, ShapeError, showShape, ValueError } from "../base/index.ts";
import { build, type Node } from "../ir/index.ts";
import { apply } from "./apply.ts";
import { type TensorLike, together } from "./convert.ts";
import type { Tensor } from "./tensor.ts";

/** A node whose axes carry labels, all different. */
export interface Labelled {
  readonly node: Node;
  readonly labels: readonly string[];
}

/** The axes in the order of `out`, which holds the same labels. */
export const arrange = ({ node, labels }: Labelled, out: readonly string[]): Node =>
  build.permute(
    node,
    out.map((l) => labels.indexOf(l)),
  );

/** Sums over the labels that nobody asks for. */
export function sumOut({ node, labels }: Labelled, keep: ReadonlySet<string>): Labelled {
  const axes = labels.flatMap((l, i) => (keep.has(l) ? [] : [i]));
  return { node: build.reduce("sum", node, axes), labels: labels.filter((l) => keep.has(l)) };
}

/** x without the axes of size 1 whose label is longer in y: they broadcast by standing aside. */
function standAside(x: Labelled, y: Labelled): Labelled {
  const drop = x.labels.map((l, i) => {
    const j = y.labels.indexOf(l);
    return x.node.shape[i] === 1 && j >= 0 && y.node.shape[j] !== 1;
  });
  if (!drop.includes(true)) return x;
  return {
    node: build.reshape(
      x.node,
      x.node.shape.filter((_, i) => !drop[i]),
    ),
    labels: x.labels.filter((_, i) => !drop[i]),
  };
}

/** Two operands into one: labels in both and in `keep` are batch, in both only are contracted, the others free or summed. */
export function contract(a: Labelled, b: Labelled, keep: ReadonlySet<string>): Labelled {
  const inA = new Set(a.labels);
  const inB = new Set(b.labels);
  const p = sumOut(standAside(a, b), new Set([...keep, ...inB]));
  const q = sumOut(standAside(b, a), new Set([...keep, ...inA]));
  const shared = p.labels.filter((l) => q.labels.includes(l));
  const batch = shared.filter((l) => keep.has(l));
  const gone = shared.filter((l) => !keep.has(l));
  const node = build.dot(p.node, q.node, {
    lhsBatch: batch.map((l) => p.labels.indexOf(l)),
    rhsBatch: batch.map((l) => q.labels.indexOf(l)),
    lhsContract: gone.map((l) => p.labels.indexOf(l)),
    rhsContract: gone.map((l) => q.labels.indexOf(l)),
  });
  const free = (x: Labelled): string[] => x.labels.filter((l) => !shared.includes(l));
  const out: Labelled = { node, labels: [...batch, ...free(p), ...free(q)] };
  // A label that stood aside on both ends up free, and goes if nobody keeps it.
  return sumOut(out, keep);
}

/** The dtype products are taken in: bool counts as int32, as does uint8, which would overflow. */
export const productType = (dtype: DType): DType => (dtype === "bool" || dtype === "uint8" ? "int32" : dtype);

function operandsOf(op: string, x: TensorLike, y: TensorLike): { a: Tensor; b: Tensor; dtype: DType } {
  const { operands, dtype } = together(op, [x, y]);
  return { a: operands[0], b: operands[1], dtype: productType(dtype) };
}

const name = (i: number): string => `b${i}`;

/** Labels of a matmul operand: the last two axes (or the only one) as given, batch axes counted from the right. */
const batchLabels = (rank: number, core: readonly string[]): string[] => [
  ...Array.from({ length: rank - core.length }, (_, i) => name(rank - core.length - 1 - i)),
  ...core,
];

/**
 * The matrix product by NumPy's rules: [..., n, k] · [..., k, m] → [..., n, m], leading axes broadcast; a vector on the
 * left is a row, on the right a column, and its axis goes. Throws ShapeError for scalars and sizes that do not meet.
 *
 * @example
 * matmul([[1, 2], [3, 4]], [5, 6]);   // [17, 39]  (catalogue S-003)
 */
export function matmul(x: TensorLike, y: TensorLike): Tensor {
  const { a, b, dtype } = operandsOf("matmul", x, y);
  if (a.rank === 0 || b.rank === 0) {
    throw new ShapeError(
      `[matmul] takes vectors and matrices, got ${showShape(a.shape)} and ${showShape(b.shape)}: use mul() for a scalar.`,
    );
  }
  const ka = a.shape[a.rank - 1];
  const kb = b.shape[Math.max(0, b.rank - 2)];
  if (ka !== kb) {
    const transposed =
      a.rank >= 2 && b.rank >= 2 && b.shape[b.rank - 1] === ka ? " Did you mean y.T (swapaxes(-1, -2))?" : "";
    const turned = transposed === "" && a.rank === 2 && a.shape[0] === kb ? " Did you mean x.T?" : "";
    throw new ShapeError(
      `[matmul] cannot multiply ${showShape(a.shape)} by ${showShape(b.shape)}: the last axis of the first (${ka}) must equal ` +
        `${b.rank === 1 ? "the length" : "the second-last axis"} of the second (${kb}).${transposed}${turned}`,
    );
  }
  const la = batchLabels(a.rank, a.rank === 1 ? ["k"] : ["n", "k"]);
  const lb = batchLabels(b.rank, b.rank === 1 ? ["k"] : ["k", "m"]);
  const depth = Math.max(a.rank, b.rank) - 2;
  const out = [
    ...Array.from({ length: Math.max(0, depth) }, (_, i) => name(depth - 1 - i)),
    ...(a.rank === 1 ? [] : ["n"]),
    ...(b.rank === 1 ? [] : ["m"]),
  ].filter((l) => la.includes(l) || lb.includes(l));
  for (const l of out) {
    const [p, q] = [a.shape[la.indexOf(l)], b.shape[lb.indexOf(l)]];
    if (la.includes(l) && lb.includes(l) && p !== q && p !== 1 && q !== 1) {
      throw new ShapeError(
        `[matmul] the batch axes of ${showShape(a.shape)} and ${showShape(b.shape)} do not broadcast: ${p} against ${q}.`,
      );
    }
  }
  return apply([a, b], (p, q) =>
    arrange(
      contract({ node: build.cast(p, dtype), labels: la }, { node: build.cast(q, dtype), labels: lb }, new Set(out)),
      out,
    ),
  );
}

/**
 * numpy.dot: the inner product of vectors, the matrix product of matrices, a scaling by a scalar; in general the last axis of
 * x with the second-last of y, all other axes kept.
 *
 * @example dot([1, 2], [3, 4]).item(); // → 11
 */
export function dot(x: TensorLike, y: TensorLike): Tensor {
  const { a, b, dtype } = operandsOf("dot", x, y);
  if (a.rank === 0 || b.rank === 0) return a.mul(b);
  const [i, j] = [a.rank - 1, Math.max(0, b.rank - 2)];
  if (a.shape[i] !== b.shape[j]) {
    throw new ShapeError(
      `[dot] cannot multiply ${showShape(a.shape)} by ${showShape(b.shape)}: the last axis of the first (${a.shape[i]}) must ` +
        `equal ${b.rank === 1 ? "the length" : "the second-last axis"} of the second (${b.shape[j]}).`,
    );
  }
  return apply([a, b], (p, q) =>
    build.dot(build.cast(p, dtype), build.cast(q, dtype), {
      lhsBatch: [],
      rhsBatch: [],
      lhsContract: [i],
      rhsContract: [j],
    }),
  );
}

/**
 * x_i · y_j for all pairs; operands are flattened: [n], [m] → [n, m].
 *
 * @example outer([1, 2], [3, 4]).array(); // → [[3, 4], [6, 8]]
 */
export function outer(x: TensorLike, y: TensorLike): Tensor {
  const { a, b, dtype } = operandsOf("outer", x, y);
  return apply([a, b], (p, q) => {
    const u = build.cast(build.reshape(p, [a.size, 1]), dtype);
    const v = build.cast(build.reshape(q, [1, b.size]), dtype);
    return build.binary("mul", build.expand(u, [a.size, b.size]), build.expand(v, [a.size, b.size]));
  });
}

/**
 * The contraction of several axes: the last `axes` of x with the first of y, or the pairs named. Default: 2.
 *
 * @example
 * tensordot(ones([2, 3]), ones([3, 2]), [[0, 1], [1, 0]]).item(); // → 6
 */
export function tensordot(
  x: TensorLike,
  y: TensorLike,
  axes: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor {
  const { a, b, dtype } = operandsOf("tensordot", x, y);
  if (typeof axes === "number" && (axes < 0 || axes > Math.min(a.rank, b.rank))) {
    throw new ValueError(
      `[tensordot] ${axes} axes cannot be contracted of ${showShape(a.shape)} and ${showShape(b.shape)}.`,
    );
  }
  const count = typeof axes === "number" ? Array.from({ length: axes }, (_, i) => i) : null;
  const l =
    count?.map((i) => a.rank - count.length + i) ??
    (axes as [number[], number[]])[0].map((i) => axisOf(i, a.rank, "tensordot"));
  const r = count ?? (axes as [number[], number[]])[1].map((i) => axisOf(i, b.rank, "tensordot"));
  if (l.length !== r.length || l.some((p, i) => a.shape[p] !== b.shape[r[i]])) {
    throw new ShapeError(
      `[tensordot] axes ${showShape(l)} of ${showShape(a.shape)} and ${showShape(r)} of ${showShape(b.shape)} differ in number or size.`,
    );
  }
  return apply([a, b], (p, q) =>
    build.dot(build.cast(p, dtype), build.cast(q, dtype), {
      lhsBatch: [],
      rhsBatch: [],
      lhsContract: l,
      rhsContract: r,
    }),
  );
}
