/** Linear equations, inverses, determinants; Cholesky factors. Batched over all axes but the last two. */
import { isFloat, promote, ShapeError, showShape, ValueError } from "../base/index.ts";
import { customVjp } from "../autodiff/index.ts";
import { argsort, diagonal } from "../arrays/index.ts";
import { fused } from "../arrays/fused.ts";
import {
  asTensor,
  broadcastTo,
  expandDims,
  eye,
  matmul,
  mul,
  prod,
  squeeze,
  stack,
  sum,
  takeAlongAxis,
  type Tensor,
  type TensorLike,
  tril,
  triu,
} from "../tensor/index.ts";
import { choleskyLower, luPacked, substitute, TRANSPOSED, UNIT, UPPER } from "./code-solve.ts";
import { block, checked, matrices, symmetric, together, transposed } from "./matrices.ts";

/** X with A X = B, or Aᵀ X = B, from the factors of A. */
function solveRaw(a: Tensor, b: Tensor, trans: boolean): Tensor {
  const n = a.shape[a.rank - 1];
  const packed = luPacked([a]);
  const lu = block(packed, [0, n], [0, n]);
  const rows = transposed(block(packed, [n, n + 1], [0, n]).cast("int32"));
  if (!trans) {
    const y = substitute([lu, takeAlongAxis(b, rows, -2)], [UNIT]);
    return substitute([lu, y], [UPPER]);
  }
  const y = substitute([lu, b], [UPPER + TRANSPOSED]);
  const z = substitute([lu, y], [UNIT + TRANSPOSED]);
  // Place i of z belongs to row rows[i] of A.
  return takeAlongAxis(z, argsort(rows, -2), -2);
}

/** A [..., n, n], B [..., n, m] of float64 and one batch. */
const linear = (a: Tensor, b: Tensor, trans: boolean): Tensor =>
  customVjp(
    (p: Tensor, q: Tensor) => solveRaw(p, q, trans),
    (ct, x, p) => {
      const back = linear(p, ct, !trans);
      const outer = trans ? matmul(x, transposed(back)) : matmul(back, transposed(x));
      return [outer.neg(), back];
    },
  )(a, b);

/**
 * x with A x = b (numpy.linalg.solve): A [..., n, n] and b [n] or [..., n, m], batches broadcast. By LU with row exchanges, in
 * float64 inside; the result has the operands' dtype.
 *
 * Throws ShapeError for shapes that do not fit, ValueError for a singular A (inside `compiled` the result is then not finite).
 *
 * @example
 * linalg.solve([[3, 1], [1, 2]], [9, 8]); // [2, 3]
 */
export function solve(a: TensorLike, b: TensorLike): Tensor {
  const left = matrices(a, "solve", true);
  const right = asTensor(b, "solve");
  const n = left.t.shape[left.t.rank - 1];
  const vector = right.rank === 1;
  if (right.rank === 0 || right.shape[vector ? 0 : right.rank - 2] !== n) {
    throw new ShapeError(
      `[solve] A ${showShape(left.t.shape)} needs b of ${n} rows, [${n}] or [..., ${n}, m], got ${showShape(right.shape)}.`,
    );
  }
  const dtype = isFloat(right.dtype) ? promote(left.dtype, right.dtype) : left.dtype;
  const out = fused(() => {
    const wide = right.cast("float64");
    const [p, q] = together("solve", left.t, vector ? expandDims(wide, 1) : wide);
    const x = linear(p, q, false);
    return (vector ? squeeze(x, -1) : x).cast(dtype);
  });
  return checked(out, [left.t, right], singular("solve", left.t));
}

const singular = (op: string, a: Tensor): string =>
  `[${op}] a matrix of ${showShape(a.shape)} is singular: its rows depend on each other. lstsq() and pinv() take such matrices.`;

/**
 * The inverse of each matrix (numpy.linalg.inv). Throws ValueError for a singular one. `solve` is quicker and more exact.
 *
 * @example inv([[2, 0], [0, 4]]).array(); // → [[0.5, 0], [0, 0.25]]
 */
export function inv(a: TensorLike): Tensor {
  const { t, dtype } = matrices(a, "inv", true);
  return checked(
    fused(() => inverse(t).cast(dtype)),
    [t],
    singular("inv", t),
  );
}

const inverse = (t: Tensor, trans = false): Tensor => {
  const n = t.shape[t.rank - 1];
  return linear(t, broadcastTo(eye(n, n, 0, { dtype: "float64" }), t.shape), trans);
};

/** Sign and diagonal of U, and the sign of the row exchanges. */
function pivots(t: Tensor): { diagonal: Tensor; sign: Tensor } {
  const n = t.shape[t.rank - 1];
  const packed = luPacked([t]);
  const sign = squeeze(block(packed, [n + 1, n + 2], [0, 1]), [-2, -1]);
  return { diagonal: diagonal(block(packed, [0, n], [0, n])), sign };
}

const scaled = (x: Tensor, by: Tensor): Tensor => mul(x, expandDims(by, [-2, -1]));

/**
 * The determinant of each matrix (numpy.linalg.det). Its gradient det(A) A⁻ᵀ is not finite for a singular A. For large matrices
 * see `slogdet`.
 *
 * @example det([[1, 2], [3, 4]]).item(); // → -2
 */
export function det(a: TensorLike): Tensor {
  const { t, dtype } = matrices(a, "det", true);
  const f = customVjp(
    (x: Tensor) => {
      const { diagonal: d, sign } = pivots(x);
      return prod(d, -1).mul(sign);
    },
    (ct, out, x) => [scaled(inverse(x, true), ct.mul(out))],
  );
  return t.shape[t.rank - 1] === 0 ? emptyProduct(t, dtype) : fused(() => f(t).cast(dtype));
}

const emptyProduct = (t: Tensor, dtype: Tensor["dtype"]): Tensor => prod(t, [-2, -1]).cast(dtype);

/**
 * The sign of the determinant and ln |det| of each matrix (numpy.linalg.slogdet): sign 0 and -Infinity for a singular one. The
 * gradient of the logarithm is A⁻ᵀ.
 *
 * @example slogdet([[0, 2], [2, 0]]).sign.item(); // → -1
 */
export function slogdet(a: TensorLike): { sign: Tensor; logAbsDet: Tensor } {
  const { t, dtype } = matrices(a, "slogdet", true);
  const f = customVjp(
    (x: Tensor) => {
      const { diagonal: d, sign } = pivots(x);
      return stack([prod(d.sign(), -1).mul(sign), sum(d.abs().log(), -1)]);
    },
    (ct, _out, x) => [scaled(inverse(x, true), ct.at(1))],
  );
  const both = fused(() => f(t).cast(dtype));
  return { sign: both.at(0), logAbsDet: both.at(1) };
}

/** Options of `triangularSolve`. */
export interface TriangularOptions {
  /** Which triangle of T counts; the other is not read. Default: true. */
  readonly lower?: boolean;
  /** Solves Tᵀ x = b. Default: false. */
  readonly transposed?: boolean;
  /** Takes the diagonal for ones without reading it. Default: false. */
  readonly unitDiagonal?: boolean;
}

/** T and B of float64 and one batch. */
function triangular(t: Tensor, b: Tensor, o: Required<TriangularOptions>): Tensor {
  const how = (o.lower ? 0 : UPPER) + (o.transposed ? TRANSPOSED : 0) + (o.unitDiagonal ? UNIT : 0);
  return customVjp(
    (p: Tensor, q: Tensor) => substitute([p, q], [how]),
    (ct, x, p) => {
      const back = triangular(p, ct, { ...o, transposed: !o.transposed });
      const outer = o.transposed ? matmul(x, transposed(back)) : matmul(back, transposed(x));
      const k = o.unitDiagonal ? 1 : 0;
      return [(o.lower ? tril(outer, -k) : triu(outer, k)).neg(), back];
    },
  )(t, b);
}

/**
 * x with T x = b for triangular matrices T [..., n, n] and b [n] or [..., n, m], by substitution.
 *
 * Throws ShapeError for shapes that do not fit; a zero on the diagonal gives Infinity or NaN.
 *
 * @example triangularSolve([[2, 0], [1, 4]], [2, 9]).array(); // → [1, 2]
 */
export function triangularSolve(t: TensorLike, b: TensorLike, options: TriangularOptions = {}): Tensor {
  const left = matrices(t, "triangularSolve", true);
  const right = asTensor(b, "triangularSolve");
  const n = left.t.shape[left.t.rank - 1];
  const vector = right.rank === 1;
  if (right.rank === 0 || right.shape[vector ? 0 : right.rank - 2] !== n) {
    throw new ShapeError(
      `[triangularSolve] T ${showShape(left.t.shape)} needs b of ${n} rows, got ${showShape(right.shape)}.`,
    );
  }
  const dtype = isFloat(right.dtype) ? promote(left.dtype, right.dtype) : left.dtype;
  const o = { lower: true, transposed: false, unitDiagonal: false, ...options };
  return fused(() => {
    const wide = right.cast("float64");
    const [p, q] = together("triangularSolve", left.t, vector ? expandDims(wide, 1) : wide);
    const x = triangular(p, q, o);
    return (vector ? squeeze(x, -1) : x).cast(dtype);
  });
}

/** L⁻ᵀ X L⁻¹. */
function between(l: Tensor, x: Tensor): Tensor {
  const o = { lower: true, transposed: true, unitDiagonal: false };
  const left = triangular(l, x, o);
  return transposed(triangular(l, transposed(left), o));
}

/**
 * L with A = L Lᵀ for symmetric positive definite matrices (numpy.linalg.cholesky); of A that is not
 * symmetric the mean of A and Aᵀ is taken.
 *
 * Throws ValueError where A is not positive definite (inside `compiled` the result is then NaN).
 *
 * @example cholesky([[4, 2], [2, 3]]).array(); // → [[2, 0], [1, 1.4142]]
 */
export function cholesky(a: TensorLike): Tensor {
  const { t, dtype } = matrices(a, "cholesky", true);
  const f = customVjp(
    (x: Tensor) => choleskyLower([x]),
    (ct, l) => {
      const m = matmul(transposed(l), ct);
      // The lower triangle with half its diagonal.
      const s = between(l, tril(m).add(tril(m, -1)).mul(0.5));
      return [s.add(transposed(s)).mul(0.5)];
    },
  );
  return checked(
    fused(() => f(symmetric(t)).cast(dtype)),
    [t],
    `[cholesky] a matrix of ${showShape(t.shape)} is not positive definite: all its eigenvalues must be > 0 (see eigvalsh).`,
  );
}

/**
 * A multiplied with itself `n` times, by squaring; a negative n takes the inverse, 0 the identity.
 *
 * @example matrixPower([[1, 1], [0, 1]], 3).array(); // → [[1, 3], [0, 1]]
 */
export function matrixPower(a: TensorLike, n: number): Tensor {
  const t = asTensor(a, "matrixPower");
  matrices(t, "matrixPower", true);
  if (!Number.isInteger(n)) throw new ValueError(`[matrixPower] takes whole powers, got ${n}.`);
  if (n < 0) return matrixPower(inv(t), -n);
  return fused(() => {
    const size = t.shape[t.rank - 1];
    let out: Tensor | null = null;
    let square = t;
    for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) out = out === null ? square : matmul(out, square);
      if (rest > 1) square = matmul(square, square);
    }
    return out ?? broadcastTo(eye(size, size, 0, { dtype: t.dtype }), t.shape);
  });
}
