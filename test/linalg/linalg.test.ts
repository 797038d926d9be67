/** Factorisations put together again, gradients, catalogue rows, mistakes. */
import { describe, expect, test } from "vitest";
import { checkGradients, compiled, grad, linalg, random, scan, type Tensor, tensor, triu } from "../../src/index.ts";

const f64 = (...shape: number[]): Tensor => random.normal(shape, { dtype: "float64" });
const T = (x: Tensor): Tensor => x.swapaxes(-1, -2);
const far = (a: Tensor, b: Tensor | number): number => a.sub(b).abs().max().item();
const identity = (n: number): Tensor =>
  tensor(
    Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_2, j) => Number(i === j))),
    { dtype: "float64" },
  );
const spd = (...shape: number[]): Tensor => {
  const x = f64(...shape, shape[shape.length - 1]);
  return x.matmul(T(x)).add(identity(shape[shape.length - 1]));
};

describe("factorisations put together again", () => {
  test.each([1, 2, 3, 7, 16, 33, 90])("eigh, n = %i", (n) => {
    random.seed(n);
    const x = f64(2, n, n);
    const a = x.add(T(x));
    const { w, v } = linalg.eigh(a);
    expect(far(v.mul(w.expandDims(-2)).matmul(T(v)), a)).toBeLessThan(1e-12 * n);
    expect(far(T(v).matmul(v), identity(n))).toBeLessThan(1e-13 * n);
    expect(far(linalg.eigvalsh(a), w)).toBeLessThan(1e-12 * n);
    const values = w.dataSync();
    for (let i = 1; i < n; i++) expect(values[i]).toBeGreaterThanOrEqual(values[i - 1]);
  });

  test("eigh of matrices with equal eigenvalues, zeros and huge numbers", () => {
    for (const a of [
      identity(5),
      identity(4).mul(0),
      identity(3).mul(1e200),
      tensor(
        [
          [0, 1e-170],
          [1e-170, 0],
        ],
        { dtype: "float64" },
      ),
    ]) {
      const { w, v } = linalg.eigh(a);
      const scale = Math.max(1e-300, a.abs().max().item());
      expect(far(v.mul(w.expandDims(-2)).matmul(v.T).div(scale), a.div(scale))).toBeLessThan(1e-13);
      expect(far(v.T.matmul(v), identity(a.shape[0]))).toBeLessThan(1e-13);
    }
  });

  test.each([
    [1, 1],
    [5, 3],
    [3, 5],
    [40, 40],
    [100, 17],
  ])("svd and qr of [%i, %i]", (m, n) => {
    random.seed(m * n);
    const a = f64(2, m, n);
    const k = Math.min(m, n);
    const { u, s, vt } = linalg.svd(a);
    expect([u.shape, s.shape, vt.shape]).toEqual([
      [2, m, k],
      [2, k],
      [2, k, n],
    ]);
    expect(far(u.mul(s.expandDims(-2)).matmul(vt), a)).toBeLessThan(1e-12);
    expect(far(T(u).matmul(u), identity(k))).toBeLessThan(1e-12);
    expect(far(vt.matmul(T(vt)), identity(k))).toBeLessThan(1e-12);
    const full = linalg.svd(a, { fullMatrices: true });
    expect(far(T(full.u).matmul(full.u), identity(m))).toBeLessThan(1e-12);
    expect(far(full.vt.matmul(T(full.vt)), identity(n))).toBeLessThan(1e-12);
    const { q, r } = linalg.qr(a);
    expect(far(q.matmul(r), a)).toBeLessThan(1e-12);
    expect(far(T(q).matmul(q), identity(k))).toBeLessThan(1e-12);
    expect(far(triu(r), r)).toBe(0);
  });

  test("svd of matrices without full rank has orthonormal vectors still", () => {
    random.seed(9);
    for (const a of [
      identity(4).mul(0),
      f64(8, 2).matmul(f64(2, 6)),
      tensor(
        [
          [1, 2],
          [2, 4],
          [0, 0],
        ],
        { dtype: "float64" },
      ),
    ]) {
      const { u, s, vt } = linalg.svd(a);
      const k = s.size;
      expect(far(u.mul(s).matmul(vt), a)).toBeLessThan(1e-12);
      expect(far(u.T.matmul(u), identity(k))).toBeLessThan(1e-12);
      expect(far(vt.matmul(vt.T), identity(k))).toBeLessThan(1e-12);
    }
  });

  test("eigvals have the trace and the determinant of their matrix", () => {
    random.seed(5);
    for (const n of [2, 3, 10, 60]) {
      const a = f64(n, n);
      const { re, im } = linalg.eigvals(a);
      expect(re.sum().item()).toBeCloseTo(linalg.trace(a).item(), 9);
      expect(im.sum().item()).toBeCloseTo(0, 9);
      const logs = re.square().add(im.square()).log().sum().item() / 2;
      expect(logs).toBeCloseTo(linalg.slogdet(a).logAbsDet.item(), 8);
    }
  });
});

describe("gradients", () => {
  const weights = (shape: readonly number[]): Tensor => {
    random.seed(99);
    return f64(...shape);
  };
  const weighted = (x: Tensor): Tensor => x.mul(weights(x.shape)).sum();
  const symmetric = (x: Tensor): Tensor => x.add(T(x));

  const CASES: [string, (a: Tensor, b: Tensor) => Tensor, number[], number[]][] = [
    ["solve", (a, b) => weighted(linalg.solve(a, b)), [2, 4, 4], [2, 4, 3]],
    ["solve, one vector", (a, b) => weighted(linalg.solve(a, b)), [4, 4], [4]],
    ["solve, batches broadcast", (a, b) => weighted(linalg.solve(a, b)), [3, 4, 4], [4, 2]],
    ["inv", (a) => weighted(linalg.inv(a)), [4, 4], [1]],
    ["det", (a) => weighted(linalg.det(a)), [2, 3, 3], [1]],
    ["slogdet", (a) => weighted(linalg.slogdet(a).logAbsDet), [2, 3, 3], [1]],
    ["cholesky", (a) => weighted(linalg.cholesky(a.matmul(T(a)).add(identity(4)))), [2, 4, 4], [1]],
    ["cholesky of any matrix", (a) => weighted(linalg.cholesky(a.mul(0.1).add(identity(4)))), [4, 4], [1]],
    [
      "triangularSolve",
      (a, b) => weighted(linalg.triangularSolve(a.add(identity(4).mul(3)), b, { lower: false })),
      [4, 4],
      [4, 2],
    ],
    [
      "triangularSolve, transposed, unit",
      (a, b) => weighted(linalg.triangularSolve(a, b, { transposed: true, unitDiagonal: true })),
      [4, 4],
      [4, 2],
    ],
    [
      "qr",
      (a) => {
        const { q, r } = linalg.qr(a);
        return weighted(q).add(weighted(r));
      },
      [5, 3],
      [1],
    ],
    [
      "qr, wide",
      (a) => {
        const { q, r } = linalg.qr(a);
        return weighted(q).add(weighted(r));
      },
      [3, 5],
      [1],
    ],
    [
      "eigh",
      (a) => {
        const { w, v } = linalg.eigh(symmetric(a));
        return weighted(w).add(weighted(v.square()));
      },
      [2, 4, 4],
      [1],
    ],
    ["eigvalsh", (a) => weighted(linalg.eigvalsh(a)), [5, 5], [1]],
    [
      "svd",
      (a) => {
        const { u, s, vt } = linalg.svd(a);
        return weighted(s).add(weighted(u.square())).add(weighted(vt.square()));
      },
      [5, 3],
      [1],
    ],
    [
      "svd, wide",
      (a) => {
        const { u, s, vt } = linalg.svd(a);
        return weighted(u.mul(s.expandDims(-2).square()).matmul(T(u))).add(weighted(vt.square()));
      },
      [2, 3, 5],
      [1],
    ],
    ["svdvals", (a) => weighted(linalg.svdvals(a)), [4, 4], [1]],
    ["pinv", (a) => weighted(linalg.pinv(a)), [5, 3], [1]],
    ["lstsq", (a, b) => weighted(linalg.lstsq(a, b).x), [6, 3], [6]],
    ["lstsq, wide", (a, b) => weighted(linalg.lstsq(a, b).x), [3, 6], [3, 2]],
    ["norm nuc", (a) => linalg.norm(a, { ord: "nuc" }), [4, 3], [1]],
    ["norm 2", (a) => linalg.norm(a, { ord: 2 }), [4, 3], [1]],
    ["norm 3 of vectors", (a) => weighted(linalg.norm(a, { ord: 3, axis: 1 })), [4, 3], [1]],
    ["kron", (a, b) => weighted(linalg.kron(a, b)), [2, 3], [3, 2]],
    ["cross", (a, b) => weighted(linalg.cross(a, b)), [4, 3], [3]],
    ["cov", (a) => weighted(linalg.cov(a)), [3, 6], [1]],
    ["corrcoef", (a) => weighted(linalg.corrcoef(a)), [3, 6], [1]],
    ["matrixPower", (a) => weighted(linalg.matrixPower(a, 5)), [3, 3], [1]],
    ["matrixPower, negative", (a) => weighted(linalg.matrixPower(a, -2)), [3, 3], [1]],
  ];

  test.each(CASES)("%s", (_, f, a, b) => {
    random.seed(3);
    const [x, y] = [f64(...a), f64(...b)];
    checkGradients((p: Tensor, q: Tensor) => f(p, q).add(q.sum().mul(1e-3)), [x, y], { tolerance: 2e-6 });
  });

  test.each(CASES.filter(([name]) => !/svd|lstsq|pinv|norm 2|nuc/.test(name)).slice(0, 12))(
    "%s, twice",
    (_, f, a, b) => {
      random.seed(4);
      const [x, y] = [f64(...a), f64(...b)];
      const first = grad((p: Tensor, q: Tensor) => f(p, q).add(q.sum()));
      checkGradients((p: Tensor) => weighted(first(p, y)), [x], { tolerance: 1e-5 });
    },
  );

  test("eigvals say that they have none", () => {
    expect(() => grad((a: Tensor) => linalg.eigvals(a).re.sum())(f64(3, 3))).toThrow(
      "[eigvals] has no derivative: use eigvalsh() for symmetric matrices, or stopGradient().",
    );
  });
});

test("a least-squares fit by gradient steps through solve, compiled, and a loop of solutions", () => {
  random.seed(8);
  const [a, b] = [spd(6), f64(6)];
  const step = compiled((x: Tensor, y: Tensor) => linalg.solve(x, y));
  expect(far(a.matmul(step(a, b)), b)).toBeLessThan(1e-12);
  const many = spd(5, 4);
  const [, xs] = scan((n: Tensor, m: Tensor) => [n.add(1), linalg.inv(m)], tensor(0), many);
  expect(far(many.matmul(xs), identity(4).broadcastTo([5, 4, 4]))).toBeLessThan(1e-10);
});

describe("catalogue", () => {
  test("S-023 eigenvalues of an orthogonal matrix have modulus 1", () => {
    const { re, im } = linalg.eigvals([
      [0, -1],
      [1, 0],
    ]);
    expect(re.array()).toEqual([0, 0]);
    expect(im.array()).toEqual([1, -1]);
    random.seed(23);
    const { q } = linalg.qr(f64(7, 7));
    const values = linalg.eigvals(q);
    expect(far(values.re.square().add(values.im.square()).sqrt(), 1)).toBeLessThan(1e-12);
  });

  test("S-024 positive definite: all eigenvalues above 0", () => {
    const values = (m: number[][]): number[] => [...linalg.eigvalsh(tensor(m, { dtype: "float64" })).dataSync()];
    const [definite, not] = [
      [
        [2, 1],
        [1, 2],
      ],
      [
        [1, 2],
        [2, 1],
      ],
    ];
    values(definite).forEach((v, i) => expect(v).toBeCloseTo([1, 3][i], 12));
    values(not).forEach((v, i) => expect(v).toBeCloseTo([-1, 3][i], 12));
    expect(linalg.cholesky(definite).shape).toEqual([2, 2]);
    expect(() => linalg.cholesky(not)).toThrow(
      "[cholesky] a matrix of [2, 2] is not positive definite: all its eigenvalues must be > 0 (see eigvalsh).",
    );
    // vᵀ A v: never below the least eigenvalue, and of both signs for the other.
    random.seed(24);
    const v = f64(2, 500);
    const forms = (m: number[][]): Tensor => v.mul(tensor(m, { dtype: "float64" }).matmul(v)).sum(0);
    expect(forms(definite).min().item()).toBeGreaterThan(0);
    expect(forms(not).min().item()).toBeLessThan(0);
  });

  test("S-025 singular value decomposition", () => {
    random.seed(25);
    const a = f64(4, 3);
    const { u, s, vt } = linalg.svd(a);
    expect(far(u.mul(s).matmul(vt), a)).toBeLessThan(1e-10);
    // σ² are the eigenvalues of AᵀA, and AAᵀ = U Σ² Uᵀ.
    expect(far(linalg.eigvalsh(a.T.matmul(a)).flip(), s.square())).toBeLessThan(1e-10);
    expect(far(u.mul(s.square()).matmul(u.T), a.matmul(a.T))).toBeLessThan(1e-10);
    const two = linalg.svdvals(
      tensor(
        [
          [3, 0],
          [0, 4],
        ],
        { dtype: "float64" },
      ),
    );
    expect(two.array()).toEqual([4, 3]);
  });
});

describe("mistakes", () => {
  test.each([
    [() => linalg.inv([[1, 2, 3]]), "[inv] takes square matrices, got [1, 3]: the last two axes must be equal."],
    [() => linalg.solve([1, 2], [1]), "[solve] takes matrices, got a tensor of rank 1: [2]."],
    [
      () =>
        linalg.solve(
          [
            [1, 2],
            [3, 4],
          ],
          [1, 2, 3],
        ),
      "[solve] A [2, 2] needs b of 2 rows, [2] or [..., 2, m], got [3].",
    ],
    [
      () =>
        linalg.solve(
          [
            [1, 2],
            [2, 4],
          ],
          [1, 2],
        ),
      "[solve] a matrix of [2, 2] is singular: its rows depend on each other. lstsq() and pinv() take such matrices.",
    ],
    [
      () =>
        linalg.lstsq(
          [
            [1, 2],
            [3, 4],
          ],
          [1],
        ),
      "[lstsq] A [2, 2] needs b of 2 rows, [2] or [..., 2, k], got [1].",
    ],
    [() => linalg.cross([1, 2], [3, 4]), "[cross] takes vectors of 3 along axis -1, got [2]."],
    [
      () =>
        linalg.matrixPower(
          [
            [1, 2],
            [3, 4],
          ],
          0.5,
        ),
      "[matrixPower] takes whole powers, got 0.5.",
    ],
    [() => linalg.norm([[1]], { ord: 3 }), '[norm] matrices have the norms "fro", "nuc", ±1, ±2 and ±Infinity, got 3.'],
    [() => linalg.norm([1], { ord: "nuc" }), '[norm] "nuc" is a norm of matrices: name two axes.'],
  ])("%s", (f, message) => {
    expect(f).toThrow(message);
  });
});
