/** Diagonals and triangles of matrices: the last two axes of a tensor. */
import { checkShape, type DType, ShapeError, showShape } from "../base/index.ts";
import { build, type Node } from "../ir/index.ts";
import { apply } from "./apply.ts";
import { asTensor, type TensorLike } from "./convert.ts";
import { productType } from "./matmul.ts";
import { like } from "./nodes.ts";
import type { Tensor } from "./tensor.ts";

/** Where column - row (of the last two axes) is at most `k`. */
function below(shape: readonly number[], k: number): Node {
  const rank = shape.length;
  const edge = build.binary("add", build.iota(shape, rank - 2), build.full(shape, k, "int32"));
  return build.compare("le", build.iota(shape, rank - 1), edge);
}

function matrix(x: TensorLike, op: string): Tensor {
  const t = asTensor(x, op);
  if (t.rank < 2)
    throw new ShapeError(`[${op}] takes a matrix, got a tensor of rank ${t.rank}: ${showShape(t.shape)}.`);
  return t;
}

/**
 * Ones on and below the k-th diagonal of [rows, columns], zeros above it. dtype: float32 unless named.
 *
 * @example tri(2).array(); // → [[1, 0], [1, 1]]
 */
export function tri(rows: number, columns: number = rows, k = 0, options: { readonly dtype?: DType } = {}): Tensor {
  checkShape([rows, columns], "tri");
  return apply([], () => build.cast(below([rows, columns], k), options.dtype ?? "float32"));
}

/**
 * x with zeros above the k-th diagonal.
 *
 * @example tril([[1, 2], [3, 4]]).array(); // → [[1, 0], [3, 4]]
 */
export const tril = (x: TensorLike, k = 0): Tensor =>
  apply([matrix(x, "tril")], (a) => build.where(below(a.shape, k), a, like(a, 0)));

/**
 * x with zeros below the k-th diagonal.
 *
 * @example triu([[1, 2], [3, 4]]).array(); // → [[1, 2], [0, 4]]
 */
export const triu = (x: TensorLike, k = 0): Tensor =>
  apply([matrix(x, "triu")], (a) => build.where(below(a.shape, k - 1), like(a, 0), a));

/**
 * Of a vector, the matrix with it on its diagonal; of a matrix, its diagonal (numpy.diag).
 *
 * @example diag([1, 2]).array(); // → [[1, 0], [0, 2]]
 */
export function diag(x: TensorLike): Tensor {
  const t = asTensor(x, "diag");
  if (t.rank === 1) {
    return apply([t], (a) => {
      const shape = [a.shape[0], a.shape[0]];
      const hit = build.compare("eq", build.iota(shape, 0), build.iota(shape, 1));
      return build.where(hit, build.broadcast(a, shape), build.full(shape, 0, a.dtype));
    });
  }
  if (t.rank !== 2) throw new ShapeError(`[diag] takes a vector or a matrix, got ${showShape(t.shape)}.`);
  const size = Math.min(...t.shape);
  // The diagonal of [r, c] are the places i (c + 1) of the flattened matrix.
  return apply([t], (a) => {
    const square = build.slice(a, [0, 0], [size, size]);
    const flat = build.reshape(square, [size * size]);
    return size === 0 ? flat : build.slice(flat, [0], [size * size], [size + 1]);
  });
}

/**
 * The sum of the diagonal of a matrix (catalogue S-018).
 *
 * @example trace([[1, 2], [3, 4]]).item(); // → 5
 */
export function trace(x: TensorLike): Tensor {
  const t = asTensor(x, "trace");
  if (t.rank !== 2)
    throw new ShapeError(`[trace] takes a matrix, got a tensor of rank ${t.rank}: ${showShape(t.shape)}.`);
  return apply([t], (p) => {
    const a = build.cast(p, productType(p.dtype));
    const hit = build.compare("eq", build.iota(a.shape, 0), build.iota(a.shape, 1));
    return build.reduce("sum", build.where(hit, a, like(a, 0)), [0, 1]);
  });
}
