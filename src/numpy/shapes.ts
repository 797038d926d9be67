/** NumPy's functions over the shape of arrays: reshaping, joining, cutting, arrays like another one, facts. */
import type { DType } from "../base/index.ts";
import * as more from "../arrays/index.ts";
import * as t from "../tensor/index.ts";
import type { Tensor, TensorLike } from "../tensor/index.ts";
import { array } from "./creation.ts";

type Unary = (x: TensorLike) => Tensor;

/**
 * The same elements in another shape; one size may be −1.
 *
 * @example np.reshape([1, 2, 3, 4], [2, -1]).array(); // → [[1, 2], [3, 4]]
 */
export const reshape = (x: TensorLike, shape: number | readonly number[]): Tensor =>
  array(x).reshape(typeof shape === "number" ? [shape] : shape);
/**
 * All elements in one row.
 *
 * @example np.ravel([[1, 2], [3, 4]]).array(); // → [1, 2, 3, 4]
 */
export const ravel: Unary = (x) => array(x).reshape([-1]);
/**
 * Axes in another order; reversed without one.
 *
 * @example np.transpose([[1, 2], [3, 4]]).array(); // → [[1, 3], [2, 4]]
 */
export const transpose = (x: TensorLike, axes?: readonly number[]): Tensor => t.transpose(array(x), axes);
/**
 * Without axes of size 1: those named, or all.
 *
 * @example np.squeeze([[1, 2]]).array(); // → [1, 2]
 */
export const squeeze = (x: TensorLike, axis?: t.Axis): Tensor => t.squeeze(array(x), axis);
/**
 * With new axes of size 1 at these places.
 *
 * @example np.expandDims([1, 2], 0).array(); // → [[1, 2]]
 */
export const expandDims = (x: TensorLike, axis: number | readonly number[]): Tensor => t.expandDims(array(x), axis);
/**
 * Two axes exchanged.
 *
 * @example np.swapaxes([[1, 2]], 0, 1).array(); // → [[1], [2]]
 */
export const swapaxes = (x: TensorLike, a: number, b: number): Tensor => t.swapaxes(array(x), a, b);
/**
 * One axis at another place.
 *
 * @example np.moveaxis(np.zeros([2, 3, 4]), 0, -1).shape; // → [3, 4, 2]
 */
export const moveaxis = (x: TensorLike, from: number, to: number): Tensor => t.moveaxis(array(x), from, to);
/**
 * Repeated along axes of size 1 and new ones in front, without a copy.
 *
 * @example np.broadcastTo([1, 2], [2, 2]).array(); // → [[1, 2], [1, 2]]
 */
export const broadcastTo = (x: TensorLike, shape: readonly number[]): Tensor => t.broadcastTo(array(x), shape);
const arrays = (xs: readonly TensorLike[]): Tensor[] => xs.map((x) => array(x));
/** concatenate([a, b], 1) or concatenate([a, b], { axis: 1 }). */
type Joining = (xs: readonly TensorLike[], axis?: number | { readonly axis?: number }) => Tensor;
const axisOf = (axis: number | { readonly axis?: number } | undefined): number =>
  typeof axis === "object" ? (axis.axis ?? 0) : (axis ?? 0);
/**
 * Arrays joined along an axis that is there. Default: 0.
 *
 * @example np.concatenate([[1, 2], [3]]).array(); // → [1, 2, 3]
 */
export const concatenate: Joining = (xs, axis) => t.concat(arrays(xs), axisOf(axis));
/**
 * Arrays of one shape joined along a new axis. Default: 0.
 *
 * @example np.stack([[1, 2], [3, 4]]).array(); // → [[1, 2], [3, 4]]
 */
export const stack: Joining = (xs, axis) => t.stack(arrays(xs), axisOf(axis));
/**
 * Rows below each other: vectors count as rows.
 *
 * @example np.vstack([[1, 2], [3, 4]]).array(); // → [[1, 2], [3, 4]]
 */
export const vstack = (xs: readonly TensorLike[]): Tensor =>
  t.concat(
    arrays(xs).map((x) => (x.rank < 2 ? x.reshape([1, -1]) : x)),
    0,
  );
/**
 * Columns beside each other: vectors follow each other.
 *
 * @example np.hstack([[1, 2], [3, 4]]).array(); // → [1, 2, 3, 4]
 */
export function hstack(xs: readonly TensorLike[]): Tensor {
  const ts = arrays(xs).map((x) => (x.rank === 0 ? x.reshape([1]) : x));
  return t.concat(ts, ts[0]?.rank === 1 ? 0 : 1);
}
/**
 * Parts along an axis: a number of equal ones, or the places of the cuts.
 *
 * @example np.split([1, 2, 3, 4], 2)[1].array(); // → [3, 4]
 */
export const split = (x: TensorLike, parts: number | readonly number[], axis = 0): Tensor[] => {
  if (typeof parts === "number") return t.split(array(x), parts, axis);
  // NumPy names the places of the cuts, not the sizes.
  const a = array(x);
  const size = a.shape[axis < 0 ? axis + a.rank : axis];
  const cuts = [0, ...parts, size];
  return t.split(
    a,
    cuts.slice(1).map((c, i) => Math.max(0, c - cuts[i])),
    axis,
  );
};
/**
 * Repeated as a whole, so often along each axis.
 *
 * @example np.tile([1, 2], 2).array(); // → [1, 2, 1, 2]
 */
export const tile = (x: TensorLike, reps: number | readonly number[]): Tensor => t.tile(array(x), reps);
/**
 * Each element repeated, along an axis.
 *
 * @example np.repeat([1, 2], 2).array(); // → [1, 1, 2, 2]
 */
export const repeat = (x: TensorLike, count: number, axis?: number): Tensor => t.repeat(array(x), count, axis);
/**
 * Along an axis, or without one of all elements in a row.
 *
 * @example np.roll([1, 2, 3], 1).array(); // → [3, 1, 2]
 */
export function roll(x: TensorLike, shift: number, axis?: number): Tensor {
  const a = array(x);
  return axis === undefined ? t.roll(a.reshape([-1]), shift, 0).reshape(a.shape) : t.roll(a, shift, axis);
}
/**
 * Reversed along an axis, several, or all.
 *
 * @example np.flip([1, 2, 3]).array(); // → [3, 2, 1]
 */
export const flip = (x: TensorLike, axis?: t.Axis): Tensor => t.flip(array(x), axis);
/**
 * Reversed from left to right (axis 1).
 *
 * @example np.fliplr([[1, 2]]).array(); // → [[2, 1]]
 */
export const fliplr: Unary = (x) => t.flip(array(x), 1);
/**
 * Reversed from top to bottom (axis 0).
 *
 * @example np.flipud([[1], [2]]).array(); // → [[2], [1]]
 */
export const flipud: Unary = (x) => t.flip(array(x), 0);
/**
 * With zeros (or `value`) around: [before, after] an axis.
 *
 * @example np.pad([1], [[1, 2]]).array(); // → [0, 1, 0, 0]
 */
export const pad = (x: TensorLike, padding: t.Padding, options: t.PadOptions = {}): Tensor =>
  t.pad(array(x), padding, options);
/**
 * The slices at these indices along an axis; without one, of all elements in a row.
 *
 * @example np.take([5, 6, 7], [2, 0]).array(); // → [7, 5]
 */
export const take = (x: TensorLike, indices: TensorLike, axis?: number): Tensor =>
  axis === undefined ? t.gather(ravel(x), indices, 0) : t.gather(array(x), indices, axis);
/**
 * One element an index, along an axis; indices have the shape of the result.
 *
 * @example np.takeAlongAxis([[5, 6]], [[1, 0]]).array(); // → [[6, 5]]
 */
export const takeAlongAxis = (x: TensorLike, indices: TensorLike, axis = -1): Tensor =>
  t.takeAlongAxis(array(x), indices, axis);
/**
 * The diagonal of a matrix, or the matrix with this diagonal.
 *
 * @example np.diag([1, 2]).array(); // → [[1, 0], [0, 2]]
 */
export const diag: Unary = (x) => t.diag(array(x));
/**
 * The k-th diagonal of the first two axes.
 *
 * @example np.diagonal([[1, 2], [3, 4]]).array(); // → [1, 4]
 */
export const diagonal = (x: TensorLike, k = 0): Tensor => more.diagonal(array(x), k, [0, 1]);
/**
 * The lower triangle, up to the k-th diagonal; zeros above.
 *
 * @example np.tril([[1, 2], [3, 4]]).array(); // → [[1, 0], [3, 4]]
 */
export const tril = (x: TensorLike, k = 0): Tensor => t.tril(array(x), k);
/**
 * The upper triangle, from the k-th diagonal; zeros below.
 *
 * @example np.triu([[1, 2], [3, 4]]).array(); // → [[1, 2], [0, 4]]
 */
export const triu = (x: TensorLike, k = 0): Tensor => t.triu(array(x), k);
/**
 * meshgrid(x, y, …).
 *
 * @example np.meshgrid([1, 2], [3, 4])[0].array(); // → [[1, 2], [1, 2]]
 */
export const meshgrid = (...xs: readonly TensorLike[]): Tensor[] => more.meshgrid(arrays(xs));

// Like another array
/** Options of `zerosLike`, `onesLike`, `emptyLike` and `fullLike`. */
export interface LikeOptions {
  /** Default: that of x. */
  readonly dtype?: DType;
}
type Like = (x: TensorLike, options?: LikeOptions) => Tensor;
/**
 * Zeros in the shape of x.
 *
 * @example np.zerosLike([1, 2]).array(); // → [0, 0]
 */
export const zerosLike: Like = (x, options = {}) => t.zerosLike(array(x), options);
/**
 * Ones in the shape of x.
 *
 * @example np.onesLike([5, 6]).array(); // → [1, 1]
 */
export const onesLike: Like = (x, options = {}) => t.onesLike(array(x), options);
/**
 * An array of x's shape whose values nobody relies on (they are zeros).
 *
 * @example np.emptyLike([5, 6]).shape; // → [2]
 */
export const emptyLike: Like = (x, options = {}) => t.emptyLike(array(x), options);
/**
 * One value in the shape of x.
 *
 * @example np.fullLike([5, 6], 7).array(); // → [7, 7]
 */
export const fullLike = (x: TensorLike, value: number, options: LikeOptions = {}): Tensor =>
  t.fullLike(array(x), value, options);
/** A tensor never changes: x itself is as good as a copy. */
export const copy: Unary = array;

// Facts
/**
 * The size of each axis.
 *
 * @example np.shape([[1, 2]]); // → [1, 2]
 */
export const shape = (x: TensorLike): readonly number[] => array(x).shape;
/**
 * The number of elements.
 *
 * @example np.size([[1, 2]]); // → 2
 */
export const size = (x: TensorLike): number => array(x).size;
/**
 * The number of axes.
 *
 * @example np.ndim([[1, 2]]); // → 2
 */
export const ndim = (x: TensorLike): number => array(x).rank;
/**
 * |x − y| ≤ atol + rtol · |y|, element by element.
 *
 * @example np.isclose([1, 2], [1, 2.1]).array(); // → [true, false]
 */
export const isclose = (x: TensorLike, y: TensorLike, options: more.CloseOptions = {}): Tensor =>
  more.isClose(array(x), array(y), options);
/**
 * Whether all elements are close: a boolean, so not inside `compiled`.
 *
 * @example np.allclose([1, 2], [1, 2.1]); // → false
 */
export const allclose = (x: TensorLike, y: TensorLike, options: more.CloseOptions = {}): boolean =>
  isclose(x, y, options).all().item() === 1;
/**
 * Whether shapes and all elements are equal: a boolean, so not inside `compiled`.
 *
 * @example np.arrayEqual([1, 2], [1, 2]); // → true
 */
export function arrayEqual(x: TensorLike, y: TensorLike): boolean {
  const [a, b] = [array(x), array(y)];
  return a.rank === b.rank && a.shape.every((d, i) => d === b.shape[i]) && a.equal(b).all().item() === 1;
}
