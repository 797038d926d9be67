/** Orthogonal factors and spectra. Batched over all axes but the last two; float64 inside. */
import { ValueError } from "../base/index.ts";
import { customVjp } from "../autodiff/index.ts";
import { fused } from "../arrays/fused.ts";
import {
  concat,
  expandDims,
  eye,
  matmul,
  reshape,
  slice,
  squeeze,
  type Tensor,
  type TensorLike,
  tril,
  where,
} from "../tensor/index.ts";
import { eighPacked } from "./code-eigh.ts";
import { eigvalsPacked } from "./code-eigvals.ts";
import { qrPacked } from "./code-qr.ts";
import { svdPacked } from "./code-svd.ts";
import { block, matrices, symmetric, transposed } from "./matrices.ts";
import { triangularSolve } from "./solve.ts";

/** Matrices side by side in one last axis, taken apart. */
function unpack(x: Tensor, shapes: readonly (readonly number[])[]): Tensor[] {
  let at = 0;
  return shapes.map((shape) => {
    const from = at;
    at += shape.reduce((p, d) => p * d, 1);
    return reshape(slice(x, "...", [from, at]), [...x.shape.slice(0, -1), ...shape]);
  });
}

const pack = (xs: readonly Tensor[], batch: number): Tensor =>
  concat(
    xs.map((x) => reshape(x, [...x.shape.slice(0, batch), -1])),
    -1,
  );

const diag = (x: Tensor): Tensor => {
  const n = x.shape[x.rank - 1];
  return expandDims(x, -1).mul(eye(n, n, 0, { dtype: x.dtype }));
};

/** 1 / x, and 0 where x is 0. */
const inverseOf = (x: Tensor): Tensor => where(x.equal(0), 0, where(x.equal(0), 1, x).reciprocal());

/** 1 / (x_j - x_i) in row i, column j; 0 where both are equal. */
const gaps = (x: Tensor): Tensor => inverseOf(expandDims(x, -2).sub(expandDims(x, -1)));

/** Options of `qr`. */
export interface QrOptions {
  /** "reduced": Q [m, k], R [k, n] with k = min(m, n); "complete": Q [m, m], R [m, n]. Default: "reduced". */
  readonly mode?: "reduced" | "complete";
}

/**
 * A = Q R with orthonormal columns of Q and an upper triangular R, in LAPACK's convention of signs (numpy.linalg.qr). The
 * gradient needs columns (of the first m, when there are more) that do not depend on each other.
 *
 * @example qr([[3, 0], [4, 5]]).r.array(); // → [[-5, -4], [0, 3]]
 */
export function qr(a: TensorLike, options: QrOptions = {}): { q: Tensor; r: Tensor } {
  const { t, dtype } = matrices(a, "qr");
  const [m, n] = t.shape.slice(-2);
  const k = Math.min(m, n);
  const q = options.mode === "complete" ? m : k;
  const shapes = [
    [m, q],
    [q, n],
  ];
  const f = customVjp(
    (x: Tensor) => qrPacked([x], [q]),
    (ct, out, x) => {
      if (q > k) throw new ValueError('[qr] has no derivative in mode "complete": use the reduced form.');
      const [[Q, R], [dQ, dR]] = [out, ct].map((y) => unpack(y, shapes));
      if (m >= n) return [qrGradient(Q, R, dQ, dR)];
      // A = [X Y], R = [U V] with X = Q U and V = Qᵀ Y.
      const [U, dU] = [R, dR].map((y) => block(y, [0, m], [0, m]));
      const [Y, dV] = [x, dR].map((y) => block(y, [0, m], [m, n]));
      return [concat([qrGradient(Q, U, dQ.add(matmul(Y, transposed(dV))), dU), matmul(Q, dV)], -1)];
    },
  );
  const both = fused(() => f(t).cast(dtype));
  const [Q, R] = unpack(both, shapes);
  return { q: Q, r: R };
}

/** (dQ + Q sym(R dRᵀ - dQᵀ Q)) R⁻ᵀ, sym copying the lower triangle up (Walter & Lehmann 2018). */
function qrGradient(Q: Tensor, R: Tensor, dQ: Tensor, dR: Tensor): Tensor {
  const m = matmul(R, transposed(dR)).sub(matmul(transposed(dQ), Q));
  const copied = tril(m).add(transposed(tril(m, -1)));
  const rhs = dQ.add(matmul(Q, copied));
  return transposed(triangularSolve(R, transposed(rhs), { lower: false }));
}

/** Packed eigenvalues [1, n] and vectors [n, n] of symmetric matrices. */
const eighAll = customVjp(
  (x: Tensor) => eighPacked([x], [1]),
  (ct, out) => {
    const n = out.shape[out.rank - 1];
    const [w, v, dw, dv] = [out, ct].flatMap((y) => [
      squeeze(block(y, [0, 1], [0, n]), -2),
      block(y, [1, n + 1], [0, n]),
    ]);
    const inner = diag(dw).add(gaps(w).mul(matmul(transposed(v), dv)));
    return [matmul(matmul(v, inner), transposed(v))];
  },
);

/**
 * Eigenvalues w (ascending) and orthonormal eigenvectors v (columns) of symmetric matrices: A v = v diag(w) (numpy.linalg.eigh).
 * Of A that is not symmetric the mean of A and Aᵀ is taken. Signs of the vectors mean nothing. The gradient through vectors of
 * equal eigenvalues leaves out what mixes them.
 *
 * @example
 * const { w, v } = linalg.eigh([[2, 1], [1, 2]]); // w = [1, 3]
 */
export function eigh(a: TensorLike): { w: Tensor; v: Tensor } {
  const { t, dtype } = matrices(a, "eigh", true);
  const n = t.shape[t.rank - 1];
  const both = fused(() => eighAll(symmetric(t)).cast(dtype));
  return { w: squeeze(block(both, [0, 1], [0, n]), -2), v: block(both, [1, n + 1], [0, n]) };
}

/**
 * The eigenvalues of symmetric matrices in ascending order (numpy.linalg.eigvalsh).
 *
 * @example eigvalsh([[2, 1], [1, 2]]).array(); // → [1, 3]
 */
export function eigvalsh(a: TensorLike): Tensor {
  const { t, dtype } = matrices(a, "eigvalsh", true);
  const f = customVjp(
    (x: Tensor) => squeeze(eighPacked([x], [0]), -2),
    (ct, _out, x) => {
      const v = block(eighAll(x), [1, x.shape[x.rank - 1] + 1], [0, x.shape[x.rank - 1]]);
      return [matmul(v.mul(expandDims(ct, -2)), transposed(v))];
    },
  );
  return fused(() => f(symmetric(t)).cast(dtype));
}

/**
 * The eigenvalues of any square matrices as real and imaginary parts (numpy.linalg.eigvals), complex ones as neighbours, the
 * one with the positive imaginary part first; the order means nothing else.
 *
 * They have no derivative here: for symmetric matrices use `eigvalsh`.
 *
 * @example
 * linalg.eigvals([[0, -1], [1, 0]]); // re [0, 0], im [1, -1]
 */
export function eigvals(a: TensorLike): { re: Tensor; im: Tensor } {
  const { t, dtype } = matrices(a, "eigvals", true);
  const n = t.shape[t.rank - 1];
  const f = customVjp(
    (x: Tensor) => eigvalsPacked([x]),
    () => {
      throw new ValueError("[eigvals] has no derivative: use eigvalsh() for symmetric matrices, or stopGradient().");
    },
  );
  const both = fused(() => f(t).cast(dtype));
  const [re, im] = [0, 1].map((i) => squeeze(block(both, [i, i + 1], [0, n]), -2));
  return { re, im };
}

/** The shapes of U [m, k], s [k] and Vᵀ [k, n]. */
const svdShapes = (m: number, n: number): number[][] => [[m, Math.min(m, n)], [Math.min(m, n)], [Math.min(m, n), n]];

/** U, s and Vᵀ in one last axis. */
function svdRaw(x: Tensor): Tensor {
  const [m, n] = x.shape.slice(-2);
  const batch = x.rank - 2;
  if (m < n) {
    const [u, s, vt] = unpack(svdRaw(transposed(x)), svdShapes(n, m));
    return pack([transposed(vt), s, transposed(u)], batch);
  }
  const [q, r] = unpack(qrPacked([x], [n]), [
    [m, n],
    [n, n],
  ]);
  const [s, ut, vt] = unpack(svdPacked([r]), [[n], [n, n], [n, n]]);
  return pack([matmul(q, transposed(ut)), s, vt], batch);
}

/** Townsend 2016, "Differentiating the singular value decomposition". */
const svdAll = customVjp(svdRaw, (ct, out, x) => {
  const [m, n] = x.shape.slice(-2);
  const [[u, s, vt], [du, ds, dvt]] = [out, ct].map((y) => unpack(y, svdShapes(m, n)));
  const [v, dv] = [transposed(vt), transposed(dvt)];
  const F = gaps(s.square());
  const skew = (p: Tensor, dp: Tensor): Tensor => {
    const inner = matmul(transposed(p), dp);
    return F.mul(inner.sub(transposed(inner)));
  };
  const [row, column] = [expandDims(s, -2), expandDims(s, -1)];
  const core = skew(u, du)
    .mul(row)
    .add(column.mul(skew(v, dv)))
    .add(diag(ds));
  const over = expandDims(inverseOf(s), -2);
  /** What lies outside the space of the vectors. */
  const outside = (p: Tensor, dp: Tensor): Tensor => dp.sub(matmul(p, matmul(transposed(p), dp))).mul(over);
  let back = matmul(matmul(u, core), vt);
  if (m > n) back = back.add(matmul(outside(u, du), vt));
  if (n > m) back = back.add(matmul(u, transposed(outside(v, dv))));
  return [back];
});

/** Options of `svd`. */
export interface SvdOptions {
  /** U [m, m] and Vᵀ [n, n] with vectors beyond the min(m, n) that have a singular value; no derivative. Default: false. */
  readonly fullMatrices?: boolean;
}

/**
 * A = U diag(s) Vᵀ: orthonormal columns of u [m, k], singular values s [k] in descending order, orthonormal rows of vt [k, n],
 * k = min(m, n) (numpy.linalg.svd with full_matrices=False). Signs of the vectors mean nothing; the gradient through vectors of
 * equal values leaves out what mixes them.
 *
 * @example svd([[3, 0], [0, 4]]).s.array(); // → [4, 3]
 */
export function svd(a: TensorLike, options: SvdOptions = {}): { u: Tensor; s: Tensor; vt: Tensor } {
  const { t, dtype } = matrices(a, "svd");
  const [m, n] = t.shape.slice(-2);
  const all = fused(() => svdAll(t).cast(dtype));
  const [u, s, vt] = unpack(all, svdShapes(m, n));
  if (options.fullMatrices !== true) return { u, s, vt };
  return { u: completed(u), s, vt: transposed(completed(transposed(vt))) };
}

/** Orthonormal columns, and as many more as make a square. */
function completed(u: Tensor): Tensor {
  const [m, k] = u.shape.slice(-2);
  if (m === k) return u;
  return concat([u, block(qr(u, { mode: "complete" }).q, [0, m], [k, m])], -1);
}

/**
 * The singular values in descending order (numpy.linalg.svdvals).
 *
 * @example svdvals([[3, 0], [0, 4]]).array(); // → [4, 3]
 */
export function svdvals(a: TensorLike): Tensor {
  const { t, dtype } = matrices(a, "svdvals");
  const [m, n] = t.shape.slice(-2);
  return fused(() => unpack(svdAll(t), svdShapes(m, n))[1].cast(dtype));
}
