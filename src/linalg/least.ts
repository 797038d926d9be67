/** What stands on singular values: pseudo-inverse, least squares, rank, condition, norms. */
import { axisOf, type DType, isFloat, promote, ShapeError, showShape, ValueError } from "../base/index.ts";
import { customVjp } from "../autodiff/index.ts";
import { fused } from "../arrays/fused.ts";
import {
  asTensor,
  expandDims,
  eye,
  matmul,
  moveaxis,
  type ReduceOptions,
  reshape,
  squeeze,
  sum,
  type Tensor,
  type TensorLike,
  where,
} from "../tensor/index.ts";
import { svd, svdvals } from "./factor.ts";
import { matrices, together, transposed } from "./matrices.ts";

/** Options of `pinv`, `lstsq` and `matrixRank`. */
export interface CutoffOptions {
  /** Singular values up to this share of the largest count as 0. Default: max(m, n) times the dtype's epsilon. */
  readonly rcond?: number;
}

const EPSILON: Partial<Record<DType, number>> = { float32: 2 ** -23, float64: 2 ** -52 };

const cutoff = (t: Tensor, dtype: DType, { rcond }: CutoffOptions): number =>
  rcond ?? Math.max(...t.shape.slice(-2)) * (EPSILON[dtype] as number);

/** The pseudo-inverse of float64 matrices; the derivative is that of Golub & Pereyra 1973, for a rank that stays. */
const pinvOf = (t: Tensor, share: number): Tensor =>
  customVjp(
    (x: Tensor) => {
      const { u, s, vt } = svd(x);
      const kept = s.greater(s.max(-1, { keepdims: true }).mul(share));
      const over = where(kept, where(kept, s, 1).reciprocal(), 0);
      return matmul(transposed(vt).mul(expandDims(over, -2)), transposed(u));
    },
    (ct, p, x) => {
      const [pt, gt] = [transposed(p), transposed(ct)];
      const [m, n] = x.shape.slice(-2);
      const rows = eye(m, m, 0, { dtype: "float64" }).sub(matmul(x, p));
      const columns = eye(n, n, 0, { dtype: "float64" }).sub(matmul(p, x));
      const inside = matmul(matmul(pt, ct), pt);
      const left = matmul(matmul(rows, gt), matmul(p, pt));
      const right = matmul(matmul(matmul(pt, p), gt), columns);
      return [left.add(right).sub(inside)];
    },
  )(t);

/**
 * The Moore-Penrose inverse of each matrix (numpy.linalg.pinv), for any shape and rank.
 *
 * @example pinv([[1], [1]]).array(); // → [[0.5, 0.5]]
 */
export function pinv(a: TensorLike, options: CutoffOptions = {}): Tensor {
  const { t, dtype } = matrices(a, "pinv");
  return fused(() => pinvOf(t, cutoff(t, dtype, options)).cast(dtype));
}

/** What `lstsq` gives. */
export interface LeastSquares {
  /** The x with the smallest ‖A x - b‖, of several the shortest: [n] or [..., n, m]. */
  readonly x: Tensor;
  /** ‖A x - b‖² of each column of b. */
  readonly residuals: Tensor;
  /** int32, one for each matrix. */
  readonly rank: Tensor;
  readonly singularValues: Tensor;
}

/**
 * Least squares for any shape and rank (numpy.linalg.lstsq): A [..., m, n] and b [m] or [..., m, k]. By singular values, so rows
 * and columns may depend on each other.
 *
 * Throws ShapeError for shapes that do not fit.
 *
 * @example
 * linalg.lstsq([[1, 0], [1, 1], [1, 2]], [1, 2, 3]).x; // [1, 1]
 */
export function lstsq(a: TensorLike, b: TensorLike, options: CutoffOptions = {}): LeastSquares {
  const { t, dtype: own } = matrices(a, "lstsq");
  const right = asTensor(b, "lstsq");
  const [m] = t.shape.slice(-2);
  const vector = right.rank === 1;
  if (right.rank === 0 || right.shape[vector ? 0 : right.rank - 2] !== m) {
    throw new ShapeError(
      `[lstsq] A ${showShape(t.shape)} needs b of ${m} rows, [${m}] or [..., ${m}, k], got ${showShape(right.shape)}.`,
    );
  }
  const dtype = isFloat(right.dtype) ? promote(own, right.dtype) : own;
  const share = cutoff(t, own, options);
  const wide = right.cast("float64");
  const [p, q] = together("lstsq", t, vector ? expandDims(wide, 1) : wide);
  const x = fused(() => matmul(pinvOf(p, share), q));
  const residuals = fused(() => sum(matmul(p, x).sub(q).square(), -2).cast(dtype));
  const singularValues = svdvals(p);
  const rank = fused(() => rankOf(singularValues, share));
  return { x: (vector ? squeeze(x, -1) : x).cast(dtype), residuals, rank, singularValues: singularValues.cast(dtype) };
}

const rankOf = (s: Tensor, share: number): Tensor => sum(s.greater(s.max(-1, { keepdims: true }).mul(share)), -1);

/**
 * How many rows do not depend on each other: the singular values above the cut-off, int32 (numpy.linalg.matrix_rank).
 *
 * @example matrixRank([[1, 2], [2, 4]]).item(); // → 1
 */
export function matrixRank(a: TensorLike, options: CutoffOptions = {}): Tensor {
  const { t, dtype } = matrices(a, "matrixRank");
  return fused(() => rankOf(svdvals(t), cutoff(t, dtype, options)));
}

/**
 * The largest singular value over the smallest: how errors of A grow in solutions (numpy.linalg.cond).
 *
 * @example cond([[1, 0], [0, 4]]).item(); // → 4
 */
export function cond(a: TensorLike): Tensor {
  const { t, dtype } = matrices(a, "cond");
  return fused(() => {
    const s = svdvals(t);
    return s.max(-1).div(s.min(-1)).cast(dtype);
  });
}

/** Options of `linalg.norm`. */
export interface NormOptions extends ReduceOptions {
  /**
   * Vectors: any number, ±Infinity, 0 (how many are not 0). Matrices: "fro", "nuc", 1, -1, 2, -2, ±Infinity. Default: 2 for
   * vectors, "fro" for matrices.
   */
  readonly ord?: number | "fro" | "nuc";
  /** One axis: vectors; two: matrices. Default: by the rank of x; of higher ranks all elements as one vector. */
  readonly axis?: number | readonly [number, number];
}

/**
 * Norms of vectors and matrices (numpy.linalg.norm).
 *
 * @example
 * linalg.norm([[3, 0], [0, 4]], { ord: 2 }); // 4
 */
export function norm(x: TensorLike, options: NormOptions = {}): Tensor {
  const t = asTensor(x, "norm");
  const { ord, keepdims = false } = options;
  const axis = options.axis ?? (t.rank === 2 && ord !== undefined ? ([0, 1] as const) : undefined);
  const v = isFloat(t.dtype) ? t : t.cast("float32");
  if (axis === undefined && t.rank !== 1) {
    if (ord !== undefined)
      throw new ValueError(`[norm] ord ${ord} of a tensor ${showShape(t.shape)} needs an axis or two.`);
    return fused(() => v.norm(null, { keepdims }));
  }
  if (typeof axis !== "object") return fused(() => vectorNorm(v, axis ?? 0, ord ?? 2, keepdims));
  const [r, c] = axis.map((a) => axisOf(a, t.rank, "norm"));
  if (r === c) throw new ValueError(`[norm] needs two different axes, got [${axis.join(", ")}].`);
  return fused(() => {
    const out = matrixNorm(moveaxis(moveaxis(v, r, -1), c > r ? c - 1 : c, -1), ord ?? "fro");
    return keepdims
      ? reshape(
          out,
          t.shape.map((d, i) => (i === r || i === c ? 1 : d)),
        )
      : out;
  });
}

function vectorNorm(x: Tensor, axis: number, ord: number | "fro" | "nuc", keepdims: boolean): Tensor {
  if (typeof ord === "string") throw new ValueError(`[norm] "${ord}" is a norm of matrices: name two axes.`);
  const o = { keepdims };
  if (ord === 0) return x.notEqual(0).sum(axis, o).cast(x.dtype);
  if (ord === -Infinity) return x.abs().min(axis, o);
  if (ord > 0) return x.norm(axis, { ord, keepdims });
  return x
    .abs()
    .pow(ord)
    .sum(axis, o)
    .pow(1 / ord);
}

/** Of the matrices in the last two axes. */
function matrixNorm(x: Tensor, ord: number | "fro" | "nuc"): Tensor {
  switch (ord) {
    case "fro":
      return x.norm([-2, -1]);
    case "nuc":
      return svdvals(x).sum(-1);
    case 2:
      return svdvals(x).max(-1);
    case -2:
      return svdvals(x).min(-1);
    case 1:
      return x.abs().sum(-2).max(-1);
    case -1:
      return x.abs().sum(-2).min(-1);
    case Infinity:
      return x.abs().sum(-1).max(-1);
    case -Infinity:
      return x.abs().sum(-1).min(-1);
    default:
      throw new ValueError(`[norm] matrices have the norms "fro", "nuc", ±1, ±2 and ±Infinity, got ${ord}.`);
  }
}
