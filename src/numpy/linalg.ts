/** numpy.linalg: the same functions with NumPy's results: tuples where NumPy has them. */
import * as la from "../linalg/index.ts";
import type { Tensor, TensorLike } from "../tensor/index.ts";
import { array, real } from "./creation.ts";

type Unary = (a: TensorLike) => Tensor;

/**
 * The inverse.
 *
 * @example np.linalg.inv([[2, 0], [0, 4]]).array(); // → [[0.5, 0], [0, 0.25]]
 */
export const inv: Unary = (a) => la.inv(real(a));
/**
 * The determinant.
 *
 * @example np.linalg.det([[2, 0], [0, 4]]).array(); // → 8
 */
export const det: Unary = (a) => la.det(real(a));
/**
 * The lower triangle L of A = L Lᵀ.
 *
 * @example np.linalg.cholesky([[2, 0], [0, 4]]).array(); // → [[1.4142, 0], [0, 2]]
 */
export const cholesky: Unary = (a) => la.cholesky(real(a));
/**
 * The eigenvalues of a symmetric matrix, upward.
 *
 * @example np.linalg.eigvalsh([[2, 0], [0, 4]]).array(); // → [2, 4]
 */
export const eigvalsh: Unary = (a) => la.eigvalsh(real(a));
/**
 * The singular values, downward.
 *
 * @example np.linalg.svdvals([[2, 0], [0, 4]]).array(); // → [4, 2]
 */
export const svdvals: Unary = (a) => la.svdvals(real(a));
/**
 * The condition number: the largest singular value by the smallest.
 *
 * @example np.linalg.cond([[2, 0], [0, 4]]).array(); // → 2
 */
export const cond: Unary = (a) => la.cond(real(a));
/**
 * The pseudo-inverse of Moore and Penrose.
 *
 * @example np.linalg.pinv([[2, 0], [0, 4]]).array(); // → [[0.5, 0], [0, 0.25]]
 */
export const pinv = (a: TensorLike, rcond?: number): Tensor => la.pinv(real(a), rcond === undefined ? {} : { rcond });
/**
 * x of a x = b.
 *
 * @example np.linalg.solve([[2, 0], [0, 4]], [2, 4]).array(); // → [1, 1]
 */
export const solve = (a: TensorLike, b: TensorLike): Tensor => la.solve(real(a), real(b));
/**
 * x, residuals (of every column, also where NumPy leaves them out), rank, singular values.
 *
 * @example np.linalg.lstsq([[2, 0], [0, 4]], [2, 4])[0].array(); // → [1, 1]
 */
export function lstsq(a: TensorLike, b: TensorLike, rcond?: number): [Tensor, Tensor, Tensor, Tensor] {
  const { x, residuals, rank, singularValues } = la.lstsq(real(a), real(b), rcond === undefined ? {} : { rcond });
  return [x, residuals, rank, singularValues];
}
/**
 * q, r with a = q r.
 *
 * @example np.linalg.qr([[2, 0], [0, 4]]).map((m) => m.shape); // → [[2, 2], [2, 2]]
 */
export function qr(a: TensorLike, mode: "reduced" | "complete" = "reduced"): [Tensor, Tensor] {
  const { q, r } = la.qr(real(a), { mode });
  return [q, r];
}
/**
 * u, s, vt; square u and vt unless { fullMatrices: false }.
 *
 * @example np.linalg.svd([[2, 0], [0, 4]])[1].array(); // → [4, 2]
 */
export function svd(a: TensorLike, options: la.SvdOptions = {}): [Tensor, Tensor, Tensor] {
  const { u, s, vt } = la.svd(real(a), { fullMatrices: true, ...options });
  return [u, s, vt];
}
/**
 * Eigenvalues (upward) and eigenvectors (columns) of a symmetric matrix.
 *
 * @example np.linalg.eigh([[2, 0], [0, 4]])[0].array(); // → [2, 4]
 */
export function eigh(a: TensorLike): [Tensor, Tensor] {
  const { w, v } = la.eigh(real(a));
  return [w, v];
}
/**
 * Real and imaginary parts: there are no complex arrays.
 *
 * @example np.linalg.eigvals([[0, -1], [1, 0]]).im.array(); // → [1, -1]
 */
export const eigvals = (a: TensorLike): { re: Tensor; im: Tensor } => la.eigvals(real(a));
/**
 * Sign and logarithm of the absolute value of the determinant.
 *
 * @example np.linalg.slogdet([[2, 0], [0, 4]])[1].item(); // → 2.0794
 */
export function slogdet(a: TensorLike): [Tensor, Tensor] {
  const { sign, logAbsDet } = la.slogdet(real(a));
  return [sign, logAbsDet];
}
/**
 * norm(x), norm(x, ord), norm(x, ord, { axis, keepdims }).
 *
 * @example np.linalg.norm([3, 4]).item(); // → 5
 */
export const norm = (
  x: TensorLike,
  ord?: la.NormOptions["ord"] | null,
  options: Omit<la.NormOptions, "ord"> = {},
): Tensor => la.norm(real(x), ord === undefined || ord === null ? options : { ...options, ord });
/**
 * a · a · … · a; of the inverse for negative n.
 *
 * @example np.linalg.matrixPower([[2, 0], [0, 4]], 2).array(); // → [[4, 0], [0, 16]]
 */
export const matrixPower = (a: TensorLike, n: number): Tensor => la.matrixPower(array(a), n);
/**
 * How many singular values count.
 *
 * @example np.linalg.matrixRank([[1, 2], [2, 4]]).item(); // → 1
 */
export const matrixRank = (a: TensorLike, rcond?: number): Tensor =>
  la.matrixRank(real(a), rcond === undefined ? {} : { rcond });
/**
 * The product of several matrices, in the cheapest order.
 *
 * @example np.linalg.multiDot([[[2, 0], [0, 4]], [[2, 0], [0, 4]], [[1], [1]]]).array(); // → [[4], [16]]
 */
export const multiDot = (xs: readonly TensorLike[]): Tensor => la.multiDot(xs.map((x) => array(x)));
export { matrixPower as matrix_power, matrixRank as matrix_rank, multiDot as multi_dot };
