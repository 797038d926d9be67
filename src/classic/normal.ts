import { ValueError } from "../base/index.ts";
import { diagonal } from "../arrays/index.ts";
import { qr, triangularSolve } from "../linalg/index.ts";
import { matmul, type Tensor } from "../tensor/index.ts";

/**
 * x [n] with A x = b for the symmetric A [n, n] of normal equations, float64.
 *
 * @throws ValueError that names the first feature which depends on those before it.
 */
export function solveNormal(op: string, a: Tensor, b: Tensor): Tensor {
  const { q, r } = qr(a);
  const pivots = diagonal(r).abs().dataSync() as Float64Array;
  const least = pivots.length * Number.EPSILON * Math.max(...pivots);
  const j = pivots.findIndex((p) => !(p > least));
  if (j >= 0) {
    throw new ValueError(
      `[${op}] the normal equations are singular: feature ${j} depends on the others (or there are too few samples). Pass { l2 }.`,
    );
  }
  return triangularSolve(r, matmul(q.T, b), { lower: false });
}
