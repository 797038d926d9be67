/** Symmetric matrices on the host, in float64, row-major: of a size in features, not in samples. */
import { ValueError } from "../base/index.ts";

/**
 * X [n, m] with A X = B, of a symmetric positive definite A [n, n] (Cholesky).
 *
 * @throws ValueError when A is not positive definite.
 */
export function solvePositive(op: string, a: Float64Array, b: Float64Array, n: number): Float64Array {
  const l = a.slice();
  const largest = Math.max(...Array.from({ length: n }, (_, i) => a[i * n + i]));
  for (let j = 0; j < n; j++) {
    let d = l[j * n + j];
    for (let k = 0; k < j; k++) d -= l[j * n + k] ** 2;
    if (!(d > n * Number.EPSILON * largest)) {
      throw new ValueError(
        `[${op}] the normal equations are singular: feature ${j} depends on the others (or there are too few samples). Pass { l2 }.`,
      );
    }
    const root = Math.sqrt(d);
    l[j * n + j] = root;
    for (let i = j + 1; i < n; i++) {
      let s = l[i * n + j];
      for (let k = 0; k < j; k++) s -= l[i * n + k] * l[j * n + k];
      l[i * n + j] = s / root;
    }
  }
  const m = b.length / n;
  const x = b.slice();
  for (let c = 0; c < m; c++) {
    for (let i = 0; i < n; i++) {
      let s = x[i * m + c];
      for (let k = 0; k < i; k++) s -= l[i * n + k] * x[k * m + c];
      x[i * m + c] = s / l[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      let s = x[i * m + c];
      for (let k = i + 1; k < n; k++) s -= l[k * n + i] * x[k * m + c];
      x[i * m + c] = s / l[i * n + i];
    }
  }
  return x;
}

/**
 * Eigenvalues, the largest first, and eigenvectors (rows) of a symmetric matrix [n, n]: Householder's tridiagonal form, then QL with
 * implicit shifts (J. H. Wilkinson, C. Reinsch, "Linear algebra", 1971, tred2 and tql2).
 */
export function eigenSymmetric(a: Float64Array, n: number): { values: Float64Array; vectors: Float64Array[] } {
  const v = Array.from({ length: n }, (_, i) => a.slice(i * n, (i + 1) * n));
  const d = new Float64Array(n);
  const e = new Float64Array(n);
  tridiagonal(v, d, e, n);
  diagonalise(v, d, e, n);
  const order = Array.from(d.keys()).sort((i, j) => d[j] - d[i]);
  return { values: Float64Array.from(order, (i) => d[i]), vectors: order.map((i) => v[i]) };
}

/** v [n][n] becomes the transposed transformation, d the diagonal, e[i] what joins i - 1 and i. */
function tridiagonal(v: Float64Array[], d: Float64Array, e: Float64Array, n: number): void {
  for (let i = n - 1; i > 0; i--) {
    const row = v[i];
    let h = 0;
    let scale = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(row[k]);
    if (i === 1 || scale === 0) {
      e[i] = row[i - 1];
    } else {
      for (let k = 0; k < i; k++) {
        row[k] /= scale;
        h += row[k] * row[k];
      }
      const f = row[i - 1];
      const g = f > 0 ? -Math.sqrt(h) : Math.sqrt(h);
      e[i] = scale * g;
      h -= f * g;
      row[i - 1] = f - g;
      let sum = 0;
      // p = A u / h, of the lower triangle.
      e.fill(0, 0, i);
      for (let j = 0; j < i; j++) {
        const vj = v[j];
        let s = vj[j] * row[j];
        for (let k = 0; k < j; k++) {
          s += vj[k] * row[k];
          e[k] += vj[k] * row[j];
        }
        e[j] += s;
      }
      for (let j = 0; j < i; j++) {
        e[j] /= h;
        sum += e[j] * row[j];
      }
      const half = sum / (h + h);
      for (let j = 0; j < i; j++) e[j] -= half * row[j];
      for (let j = 0; j < i; j++) {
        const vj = v[j];
        for (let k = 0; k <= j; k++) vj[k] -= row[j] * e[k] + e[j] * row[k];
      }
    }
    d[i] = h;
  }
  // The product of the reflections; rows are what will be eigenvectors.
  const q = Array.from({ length: n }, (_, i) => {
    const unit = new Float64Array(n);
    unit[i] = 1;
    return unit;
  });
  for (let i = 1; i < n; i++) {
    const h = d[i];
    if (h === 0) continue;
    const u = v[i];
    for (let r = 0; r < i; r++) {
      const row = q[r];
      let s = 0;
      for (let k = 0; k < i; k++) s += row[k] * u[k];
      s /= h;
      for (let k = 0; k < i; k++) row[k] -= s * u[k];
    }
  }
  for (let i = 0; i < n; i++) d[i] = v[i][i];
  for (let i = 0; i < n; i++) v[i] = q[i];
  e[0] = 0;
}

/** Rotations until e is 0: d holds eigenvalues, the rows of v eigenvectors. */
function diagonalise(v: Float64Array[], d: Float64Array, e: Float64Array, n: number): void {
  for (let i = 1; i < n; i++) e[i - 1] = e[i];
  e[n - 1] = 0;
  for (let l = 0; l < n; l++) {
    for (let turn = 0; ; turn++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))) m++;
      if (m === l) break;
      if (turn === 60) throw new ValueError("[pca] the eigenvalues did not converge: are there NaN in the samples?");
      let g = (d[l + 1] - d[l]) / (2 * e[l]);
      let r = Math.hypot(g, 1);
      g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r));
      let [s, c, p] = [1, 1, 0];
      for (let i = m - 1; i >= l; i--) {
        const f = s * e[i];
        const b = c * e[i];
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        const [low, high] = [v[i], v[i + 1]];
        for (let k = 0; k < n; k++) {
          const x = high[k];
          high[k] = s * low[k] + c * x;
          low[k] = c * low[k] - s * x;
        }
      }
      if (r === 0 && m - 1 > l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
}
