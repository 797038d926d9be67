/** NumPy's functions over Tensor: arrays and numbers go in as float64, `axis` by place or by name. */
import * as more from "../arrays/index.ts";
import * as la from "../linalg/index.ts";
import * as t from "../tensor/index.ts";
import { Tensor, type TensorLike } from "../tensor/index.ts";
import { array, real } from "./creation.ts";

type Unary = (x: TensorLike) => Tensor;
type Binary = (x: TensorLike, y: TensorLike) => Tensor;

const unary =
  (f: Unary): Unary =>
  (x) =>
    f(array(x));
const ofReals =
  (f: Unary): Unary =>
  (x) =>
    f(real(x));

/** Both operands as arrays; a number beside an array takes its dtype. */
function pair(x: TensorLike, y: TensorLike): [TensorLike, TensorLike] {
  const loose = (a: TensorLike, b: TensorLike): TensorLike =>
    typeof a === "number" && typeof b !== "number" ? a : array(a);
  return [loose(x, y), loose(y, x)];
}
const binary =
  (f: Binary): Binary =>
  (x, y) =>
    f(...pair(x, y));
/** Whole numbers count as float64. */
const binaryReals =
  (f: Binary): Binary =>
  (x, y) =>
    f(...(pair(x, y).map((a) => (typeof a === "number" ? a : real(a))) as [TensorLike, TensorLike]));

// Element by element
/** |x|. */
export const abs: Unary = unary(t.abs);
/** −x. */
export const negative: Unary = unary(t.neg);
/** −1, 0 or 1. */
export const sign: Unary = unary(t.sign);
/** X². */
export const square: Unary = unary(t.square);
/** The next whole number downward. */
export const floor: Unary = unary(t.floor);
/** The next whole number upward. */
export const ceil: Unary = unary(t.ceil);
/** Without what follows the point. */
export const trunc: Unary = unary(more.trunc);
/** √x. */
export const sqrt: Unary = ofReals(t.sqrt);
/** Eˣ. */
export const exp: Unary = ofReals(t.exp);
/** Eˣ − 1, exact near 0. */
export const expm1: Unary = ofReals(t.expm1);
/** The natural logarithm. */
export const log: Unary = ofReals(t.log);
/** The logarithm to base 2. */
export const log2: Unary = ofReals(t.log2);
/** The logarithm to base 10. */
export const log10: Unary = ofReals(t.log10);
/** Ln(1 + x), exact near 0. */
export const log1p: Unary = ofReals(t.log1p);
/** The sine of x in radians. */
export const sin: Unary = ofReals(t.sin);
/** The cosine of x in radians. */
export const cos: Unary = ofReals(t.cos);
/** The tangent of x in radians. */
export const tan: Unary = ofReals(t.tan);
/** The hyperbolic sine. */
export const sinh: Unary = ofReals(t.sinh);
/** The hyperbolic cosine. */
export const cosh: Unary = ofReals(t.cosh);
/** The hyperbolic tangent. */
export const tanh: Unary = ofReals(t.tanh);
/** The angle whose sine is x. */
export const arcsin: Unary = ofReals(more.asin);
/** The angle whose cosine is x. */
export const arccos: Unary = ofReals(more.acos);
/** The angle whose tangent is x. */
export const arctan: Unary = ofReals(more.atan);
/** 1/x. */
export const reciprocal: Unary = ofReals(t.reciprocal);
/** Where there is a NaN, as bool. */
export const isnan: Unary = unary(t.isNaN);
/** Where there is ±∞, as bool. */
export const isinf: Unary = unary(more.isInf);
/** Where there is neither NaN nor ±∞, as bool. */
export const isfinite: Unary = unary(t.isFinite);
/** Not x, as bool. */
export const logicalNot: Unary = unary(t.logicalNot);

/**
 * To `decimals` places, halves to even.
 *
 * @example np.round([0.125, 2.5], 2).array(); // → [0.12, 2.5]
 */
export function round(x: TensorLike, decimals = 0): Tensor {
  const a = array(x);
  if (decimals === 0) return t.round(a);
  const scale = 10 ** Math.abs(decimals);
  return decimals > 0 ? t.div(t.round(t.mul(a, scale)), scale) : t.mul(t.round(t.div(a, scale)), scale);
}
/**
 * NaN and ±∞ replaced by numbers.
 *
 * @example np.nanToNum([1, NaN]).array(); // → [1, 0]
 */
export const nanToNum = (x: TensorLike, options: more.NanToNumOptions = {}): Tensor => more.nanToNum(array(x), options);

/** x + y, broadcast. */
export const add: Binary = binary(t.add);
/** x − y, broadcast. */
export const subtract: Binary = binary(t.sub);
/** x · y element by element (Hadamard product), broadcast. */
export const multiply: Binary = binary(t.mul);
/** x / y, broadcast, as float64 for whole numbers. */
export const divide: Binary = binaryReals(t.div);
/** x to the power y, broadcast. */
export const power: Binary = binary(t.pow);
/** The remainder x − y⌊x / y⌋ with the sign of y, broadcast. */
export const mod: Binary = binary(t.mod);
/** ⌊x / y⌋, broadcast. */
export const floorDivide: Binary = binary(t.floorDiv);
/** The larger of x and y, broadcast. */
export const maximum: Binary = binary(t.maximum);
/** The smaller of x and y, broadcast. */
export const minimum: Binary = binary(t.minimum);
/** √(x² + y²), broadcast, without overflow. */
export const hypot: Binary = binaryReals(more.hypot);
/** The angle of the point (y, x): atan2(y, x). */
export const arctan2: Binary = binaryReals(more.atan2);
/** ln(eˣ + eʸ), broadcast, without overflow. */
export const logaddexp: Binary = binaryReals(more.logAddExp);
/** x = y as bool, broadcast. */
export const equal: Binary = binary(t.equal);
/** x ≠ y as bool, broadcast. */
export const notEqual: Binary = binary(t.notEqual);
/** x < y as bool, broadcast. */
export const less: Binary = binary(t.less);
/** x ≤ y as bool, broadcast. */
export const lessEqual: Binary = binary(t.lessEqual);
/** x > y as bool, broadcast. */
export const greater: Binary = binary(t.greater);
/** x ≥ y as bool, broadcast. */
export const greaterEqual: Binary = binary(t.greaterEqual);
/** x and y as bool, broadcast; not 0 is true. */
export const logicalAnd: Binary = binary(t.logicalAnd);
/** x or y as bool, broadcast; not 0 is true. */
export const logicalOr: Binary = binary(t.logicalOr);
/** Either x or y, not both, as bool, broadcast. */
export const logicalXor: Binary = binary(t.logicalXor);

/**
 * Limited to [lo, hi].
 *
 * @example np.clip([-1, 5], 0, 3).array(); // → [0, 3]
 */
export const clip = (x: TensorLike, lo: TensorLike, hi: TensorLike): Tensor => t.clip(array(x), lo, hi);
/**
 * With three arguments a choice element by element; with one the places that are true.
 *
 * @example np.where([true, false], [1, 2], [3, 4]).array(); // → [1, 4]
 */
export function where(mask: TensorLike): Tensor[];
export function where(mask: TensorLike, x: TensorLike, y: TensorLike): Tensor;
export function where(mask: TensorLike, x?: TensorLike, y?: TensorLike): Tensor | Tensor[] {
  if (x === undefined || y === undefined) return more.nonzero(array(mask));
  return t.where(array(mask).cast("bool"), ...pair(x, y));
}

// Along axes
/** Options of reductions. */
export interface AxisOptions {
  readonly axis?: t.Axis;
  /** Leaves the axes with size 1. Default: false. */
  readonly keepdims?: boolean;
}
/** sum(x), sum(x, 0), sum(x, { axis: 0, keepdims: true }). */
type Reduction<O extends AxisOptions = AxisOptions> = (x: TensorLike, how?: t.Axis | O) => Tensor;

const named = <O extends AxisOptions>(how: t.Axis | O): O =>
  (typeof how === "object" && how !== null && !Array.isArray(how) ? how : { axis: how }) as O;

const reduction =
  <O extends AxisOptions>(prepare: Unary, f: (x: TensorLike, axis: t.Axis, options: O) => Tensor): Reduction<O> =>
  (x, how) => {
    const options = named<O>(how);
    return f(prepare(x), options.axis, options);
  };

interface OneAxis {
  readonly axis?: number;
  readonly keepdims?: boolean;
}
type Arg = (x: TensorLike, how?: number | OneAxis) => Tensor;
const ofOneAxis =
  (f: (x: TensorLike, axis?: number, options?: t.ReduceOptions) => Tensor): Arg =>
  (x, how) => {
    const options = typeof how === "number" ? { axis: how } : (how ?? {});
    return f(array(x), options.axis, options);
  };

/** Σ x over an axis, several, or all. */
export const sum: Reduction = reduction(array, t.sum);
/** Π x over an axis, several, or all. */
export const prod: Reduction = reduction(array, t.prod);
/** The mean over an axis, several, or all. */
export const mean: Reduction = reduction(real, t.mean);
/** The variance over an axis, several, or all; divides by n unless `ddof` says otherwise. */
export const variance: Reduction<AxisOptions & t.VarianceOptions> = reduction(real, t.variance);
/** The standard deviation: the root of `variance`. */
export const std: Reduction<AxisOptions & t.VarianceOptions> = reduction(real, t.std);
/** The smallest over an axis, several, or all. */
export const min: Reduction = reduction(array, t.min);
/** The largest over an axis, several, or all. */
export const max: Reduction = reduction(array, t.max);
/** Whether one is true, over an axis, several, or all. */
export const any: Reduction = reduction(array, t.any);
/** Whether all are true, over an axis, several, or all. */
export const all: Reduction = reduction(array, t.all);
/** How many are not 0. */
export const countNonzero: Reduction = reduction(array, more.countNonzero);
/** The place of the largest along an axis (default: of all, flattened), int32; the first of equals. */
export const argmax: Arg = ofOneAxis(t.argmax);
/** The place of the smallest along an axis (default: of all, flattened), int32; the first of equals. */
export const argmin: Arg = ofOneAxis(t.argmin);
/** The middle value along an axis; the mean of two for an even number. */
export const median: Arg = ofOneAxis((x, axis, options) => more.median(real(x), axis, options));
/**
 * The q-th quantile (0 to 1), with linear interpolation.
 *
 * @example np.quantile([1, 2, 3, 4], 0.5).item(); // → 2.5
 */
export const quantile = (x: TensorLike, q: number | readonly number[], axis?: number): Tensor =>
  more.quantile(real(x), q, axis);
/**
 * The q-th percentile (0 to 100), with linear interpolation.
 *
 * @example np.percentile([1, 2, 3, 4], 25).item(); // → 1.75
 */
export const percentile = (x: TensorLike, q: number | readonly number[], axis?: number): Tensor =>
  more.percentile(real(x), q, axis);
/** Along an axis, or without one of all elements in a row. */
type Running = (x: TensorLike, axis?: number) => Tensor;
const runningOf =
  (f: (x: Tensor, axis: number) => Tensor): Running =>
  (x, axis) =>
    axis === undefined ? f(array(x).reshape([-1]), 0) : f(array(x), axis);
/** Running sums along an axis; without one, of all elements in a row. */
export const cumsum: Running = runningOf(t.cumsum);
/** Running products along an axis; without one, of all elements in a row. */
export const cumprod: Running = runningOf(more.cumprod);
/**
 * Differences of neighbours along an axis, n times.
 *
 * @example np.diff([1, 4, 9]).array(); // → [3, 5]
 */
export const diff = (x: TensorLike, n = 1, axis = -1): Tensor => more.diff(array(x), n, axis);

// Order and counts
/**
 * Sorted upward along an axis. Default: the last.
 *
 * @example np.sort([3, 1, 2]).array(); // → [1, 2, 3]
 */
export const sort: Running = (x, axis = -1) => more.sort(array(x), axis);
/**
 * The places that sort an axis. Default: the last.
 *
 * @example np.argsort([3, 1, 2]).array(); // → [1, 2, 0]
 */
export const argsort: Running = (x, axis = -1) => more.argsort(array(x), axis);
/**
 * Where each v belongs in the sorted vector a.
 *
 * @example np.searchsorted([1, 3, 5], [3, 4]).array(); // → [1, 2]
 */
export const searchsorted = (a: TensorLike, v: TensorLike, side: "left" | "right" = "left"): Tensor =>
  more.searchSorted(array(a), array(v), { side });
/**
 * The distinct elements, sorted; see `unique` of the main entry for where and how often they stand.
 *
 * @example np.unique([3, 1, 3]).array(); // → [1, 3]
 */
export const unique: Unary = (x) => more.unique(array(x)).values;
/**
 * The places that are not 0: one vector of indices an axis.
 *
 * @example np.nonzero([0, 2, 3])[0].array(); // → [1, 2]
 */
export const nonzero = (x: TensorLike): Tensor[] => more.nonzero(array(x));
/** The places that are not 0: one row of indices each. */
export const argwhere: Unary = unary(more.argWhere);
/**
 * How often each whole number from 0 occurs.
 *
 * @example np.bincount([0, 2, 2]).array(); // → [1, 0, 2]
 */
export const bincount = (x: TensorLike, options: more.BincountOptions = {}): Tensor =>
  more.bincount(array(x).cast("int32"), options);
/**
 * [counts, edges].
 *
 * @example np.histogram([1, 2, 4], { bins: 2 })[0].array(); // → [2, 1]
 */
export function histogram(x: TensorLike, options: more.HistogramOptions = {}): [Tensor, Tensor] {
  const { counts, edges } = more.histogram(real(x), options);
  return [counts, edges];
}

// Products
/** Of vectors their product, of matrices the matrix product; a number multiplies. */
export const dot: Binary = binary(t.dot);
/** Matrix product of the last two axes: [..., n, k] · [..., k, m] → [..., n, m]; the axes before broadcast. */
export const matmul: Binary = binary(t.matmul);
/** x yᵀ of two vectors: [n], [m] → [n, m]. */
export const outer: Binary = binary(t.outer);
/**
 * Σ x y over the last axes.
 *
 * @example np.inner([1, 2], [3, 4]).item(); // → 11
 */
export const inner: Binary = (x, y) => {
  const [a, b] = [array(x), array(y)];
  return a.rank === 0 || b.rank === 0 ? a.mul(b) : t.tensordot(a, b, [[-1], [-1]]);
};
/** Kronecker's product. */
export const kron: Binary = binary(la.kron);
/** The vector product in three dimensions, along the last axis. */
export const cross: Binary = binary(la.cross);
/**
 * Einstein's sum, written as a formula: "ij,jk->ik".
 *
 * @example np.einsum("i,i->", [1, 2], [3, 4]).item(); // → 11
 */
export const einsum = (formula: string, ...xs: TensorLike[]): Tensor => t.einsum(formula, ...xs.map((x) => array(x)));
/** The sum of the diagonal. */
export const trace: Unary = unary(t.trace);
/**
 * Covariances; each row is a variable, each column an observation, unless `rowvar` is false.
 *
 * @example np.cov([[1, 2, 3], [3, 2, 1]]).array(); // → [[1, -1], [-1, 1]]
 */
export const cov = (x: TensorLike, options: la.CovOptions = {}): Tensor => la.cov(real(x), options);
/**
 * Coefficients of correlation; rows are variables, as in `cov`.
 *
 * @example np.corrcoef([[1, 2, 3], [3, 2, 1]]).array(); // → [[1, -1], [-1, 1]]
 */
export const corrcoef = (x: TensorLike, options: Pick<la.CovOptions, "rowvar"> = {}): Tensor =>
  la.corrcoef(real(x), options);
export { Tensor as ndarray };
