/** Catalogue rows of area tensor, each with the row's own numbers. */
import { expect, test } from "vitest";
import * as c from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";

const f64 = (x: c.TensorLike, shape?: readonly number[]): Tensor =>
  c.tensor(x, { dtype: "float64", ...(shape ? { shape } : {}) });
const random64 = (...shape: number[]): Tensor => c.random.normal(shape, { dtype: "float64" });
const flat = (t: Tensor): number[] => [...t.dataSync()];

function close(got: Tensor | number, want: c.NestedArray | number, digits = 6): void {
  const g = typeof got === "number" ? [got] : flat(got);
  const w = typeof want === "number" ? [want] : (want as number[]).flat(Infinity);
  expect(g.length).toBe(w.length);
  w.forEach((v, i) => expect(g[i]).toBeCloseTo(v, digits));
}

test("S-002 layout and notation: columns WX + b and rows xWT + b agree", () => {
  const [w, b, x] = [random64(1, 4), random64(1, 1), random64(4, 7)];
  const columns = w.matmul(x).add(b);
  const rows = x.T.matmul(w.T).add(b.reshape([1]));
  expect(columns.sub(rows.T).abs().max().item()).toBeLessThan(1e-12);
});

test("S-003 matrix-vector product", () => {
  expect(
    c
      .matmul(
        [
          [1, 2],
          [3, 4],
        ],
        [5, 6],
      )
      .array(),
  ).toEqual([17, 39]);
});

test("S-004 matrix product: (1, n)(n, m) + scalar, dot as a.dot(b), equal to the loop", () => {
  const [w, x] = [random64(1, 5), random64(5, 8)];
  const z = c.dot(w, x).add(0.5);
  expect(z.shape).toEqual([1, 8]);
  expect(w.dot(x).array()).toEqual(c.dot(w, x).array());
  const [a, b] = [flat(w), flat(x)];
  for (let j = 0; j < 8; j++) {
    let s = 0.5;
    for (let i = 0; i < 5; i++) s += a[i] * b[i * 8 + j];
    expect(Math.abs(flat(z)[j] - s)).toBeLessThan(1e-12);
  }
});

test("S-005 vectorisation: a dot of a million, and a batch of a thousand against single passes", () => {
  const [a, b] = [
    c.random.uniform([1_000_000], { dtype: "float64" }),
    c.random.uniform([1_000_000], { dtype: "float64" }),
  ];
  const [p, q] = [a.dataSync(), b.dataSync()];
  let loop = 0;
  for (let i = 0; i < p.length; i++) loop += p[i] * q[i];
  expect(Math.abs(a.dot(b).item() / loop - 1)).toBeLessThan(1e-9);
  const [w, x] = [random64(6, 4), random64(1000, 6)];
  const net = (v: Tensor): Tensor => v.matmul(w).tanh();
  const whole = net(x);
  for (let i = 0; i < 1000; i++) expect(net(x.at(i)).sub(whole.at(i)).abs().max().item()).toBeLessThan(1e-12);
});

test("S-006 broadcasting rule", () => {
  for (const op of [c.add, c.sub, c.mul, c.div]) {
    expect(op(c.ones([2, 3]), c.ones([2, 1])).shape).toEqual([2, 3]);
    expect(op(c.ones([2, 3]), c.ones([3])).shape).toEqual([2, 3]);
    expect(op(c.ones([3, 1]), c.ones([3])).shape).toEqual([3, 3]);
    expect(() => op(c.ones([2, 3]), c.ones([2]))).toThrow(
      /cannot broadcast \[2, 3\] with \[2\].*\.reshape\(\[2, 1\]\)/,
    );
  }
});

test("S-007 column percentages, with and without reshape", () => {
  const a = c.tensor([
    [1, 4, 7],
    [2, 5, 8],
    [3, 6, 9],
  ]);
  const cal = a.sum(0);
  expect(cal.array()).toEqual([6, 15, 24]);
  const share = a.mul(100).div(cal.reshape([1, 3]));
  close(
    share,
    [
      [16.667, 26.667, 29.167],
      [33.333, 33.333, 33.333],
      [50, 40, 37.5],
    ],
    3,
  );
  expect(a.mul(100).div(cal).array()).toEqual(share.array());
});

test("S-008 scalar, row and column", () => {
  expect(c.add([[1], [2], [3], [4]], 100).array()).toEqual([[101], [102], [103], [104]]);
  const a = c.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect(a.add([100, 200, 300]).array()).toEqual([
    [101, 202, 303],
    [104, 205, 306],
  ]);
  expect(a.add([[100], [200]]).array()).toEqual([
    [101, 102, 103],
    [204, 205, 206],
  ]);
});

test("S-009 reductions with axis and keepdims", () => {
  expect(c.ones([3, 5]).sum(1, { keepdims: true }).shape).toEqual([3, 1]);
  expect(c.ones([3, 5]).sum(1).shape).toEqual([3]);
  expect(c.variance([1, 2, 3, 4]).item()).toBe(1.25);
});

test("S-010 element-wise functions", () => {
  close(c.exp([0, 1]), [1, 2.71828], 5);
  expect(c.maximum([-1, 2], 0).array()).toEqual([0, 2]);
  expect(c.div(1, [2, 4]).array()).toEqual([0.5, 0.25]);
  expect(c.square([2, 3]).array()).toEqual([4, 9]);
});

test("S-011 rank-1 arrays", () => {
  const a = c.random.uniform([5]);
  expect(a.shape).toEqual([5]);
  expect(a.dot(a.T).shape).toEqual([]);
  const column = c.random.uniform([5, 1]);
  expect(column.matmul(column.T).shape).toEqual([5, 5]);
  expect(c.assertShape(column, [5, 1])).toBe(column);
  expect(() => c.assertShape(a, [5, 1], "a")).toThrow("[assertShape] a is float32 [5], expected [5, 1].");
});

test("S-012 flatten idiom", () => {
  const m = 3;
  const x = c.arange(m * 64 * 64 * 3).reshape([m, 64, 64, 3]);
  const columns = x.reshape([m, -1]).T;
  expect(columns.shape).toEqual([12288, m]);
  for (let j = 0; j < m; j++) expect(flat(columns.slice(null, j))).toEqual(flat(x.at(j).flatten()));
  expect(flat(x.reshape([12288, m]).slice(null, 1))).not.toEqual(flat(x.at(1).flatten()));
});

test("S-013 random generators", () => {
  c.random.seed(1);
  const u = c.random.uniform([1_000_000]);
  expect(Math.abs(u.mean().item() - 0.5)).toBeLessThan(0.002);
  expect(Math.abs(u.variance().item() - 1 / 12)).toBeLessThan(0.001);
  expect(u.min().item()).toBeGreaterThanOrEqual(0);
  expect(u.max().item()).toBeLessThan(1);
  const n = c.random.normal([1_000_000]);
  expect(Math.abs(n.mean().item())).toBeLessThan(0.005);
  expect(Math.abs(n.variance().item() - 1)).toBeLessThan(0.01);
  c.random.seed(1);
  expect(c.random.uniform([1_000_000]).sub(u).abs().max().item()).toBe(0);
});

test("S-014 zeros, empty_like, ones", () => {
  expect(c.zeros([2, 1]).array()).toEqual([[0], [0]]);
  expect(c.emptyLike(c.ones([3, 4])).shape).toEqual([3, 4]);
  expect(c.ones([2]).array()).toEqual([1, 1]);
});

test("S-015 Hadamard product", () => {
  expect(c.mul([1, 2], [3, 4]).array()).toEqual([3, 8]);
});

test("S-016 Frobenius norm", () => {
  const x = c.tensor([
    [1, -2, 3],
    [4, 0, -1],
  ]);
  close(x.norm().square(), 31, 4);
  expect(c.trace(x.T.matmul(x)).item()).toBe(31);
  expect(x.square().sum().item()).toBe(31);
});

test("S-017 vector norms", () => {
  expect(c.norm([3, -4], null, { ord: 1 }).item()).toBe(7);
  expect(c.norm([3, -4]).item()).toBe(5);
  expect(c.norm([3, -4], null, { ord: Infinity }).item()).toBe(4);
});

test("S-018 trace identities", () => {
  const [a, b, d] = [random64(3, 4), random64(4, 5), random64(5, 3)];
  const abc = c.trace(a.matmul(b).matmul(d)).item();
  expect(Math.abs(c.trace(d.matmul(a).matmul(b)).item() - abc)).toBeLessThan(1e-12);
  expect(Math.abs(c.trace(b.matmul(d).matmul(a)).item() - abc)).toBeLessThan(1e-12);
  const square = random64(4, 4);
  expect(Math.abs(c.trace(square).item() - c.trace(square.T).item())).toBeLessThan(1e-12);
  expect(() => a.matmul(d)).toThrow(/cannot multiply \[3, 4\] by \[5, 3\]/);
});

test("S-019 log-sum-exp", () => {
  close(c.logSumExp(f64([1, 2, 3])), 3.407606);
  close(c.logSumExp([1000, 1000]), 1000.693147, 3);
  close(c.logSumExp(f64([1000, 1000])), 1000.693147);
  expect(c.logSumExp([-Infinity, -Infinity]).item()).toBe(-Infinity);
});

test("S-020 LSE bounds", () => {
  const v = c.logSumExp(f64([1, 2, 3])).item();
  expect(v).toBeGreaterThanOrEqual(3);
  expect(v).toBeLessThanOrEqual(3 + Math.log(3));
  close(3 + Math.log(3), 4.0986, 4);
  const w = c.logSumExp(f64([-3, 1])).item();
  close(w, 1.01815, 5);
  expect(w).toBeLessThan(c.norm([-3, 1], null, { ord: Infinity }).item());
});

test("S-021 LSE equality conditions", () => {
  close(c.logSumExp(f64([2, 2, 2])), 2 + Math.log(3), 12);
  close(2 + Math.log(3), 3.098612);
});

test("S-022 scaled LSE as smooth maximum", () => {
  const smooth = (t: number): number => c.logSumExp(f64([1, 2, 3]).mul(t)).item() / t;
  close(smooth(10), 3.0000045, 7);
  close(3 + Math.log(3) / 10, 3.109861);
  expect(smooth(10)).toBeLessThanOrEqual(3 + Math.log(3) / 10);
  expect(Math.abs(smooth(1000) - 3)).toBeLessThan(1e-9);
});

test("S-026 orthogonal invariances: a rotation keeps norms, QTQ = I", () => {
  const t = Math.PI / 6;
  const q = f64([
    [Math.cos(t), -Math.sin(t)],
    [Math.sin(t), Math.cos(t)],
  ]);
  expect(q.T.matmul(q).sub(c.eye(2)).abs().max().item()).toBeLessThan(1e-12);
  expect(q.matmul(q.T).sub(c.eye(2)).abs().max().item()).toBeLessThan(1e-12);
  const v = random64(2);
  expect(Math.abs(q.matmul(v).norm().item() - v.norm().item())).toBeLessThan(1e-12);
  const det = (m: Tensor): number =>
    m
      .at(0, 0)
      .mul(m.at(1, 1))
      .sub(m.at(0, 1).mul(m.at(1, 0)))
      .item();
  expect(det(q)).toBeCloseTo(1, 12);
  expect(
    det(
      f64([
        [1, 0],
        [0, -1],
      ]),
    ),
  ).toBe(-1);
});

test("S-027 covariance under an affine map", () => {
  c.random.seed(2);
  const x = c.random.normal([2, 1_000_000]);
  const y = c
    .matmul(
      [
        [1, 2],
        [0, 1],
      ],
      x,
    )
    .add([[3], [-1]]);
  const centred = y.sub(y.mean(1, { keepdims: true }));
  const cov = flat(centred.matmul(centred.T).div(1_000_000));
  [5, 2, 2, 1].forEach((v, i) => expect(Math.abs(cov[i] - v)).toBeLessThan(0.02));
});

test("S-028 finite geometric series", () => {
  const k = c.arange(2, 7).cast("float64");
  expect(c.mul(3, c.pow(0.5, k)).sum().item()).toBe(1.453125);
  expect((3 * (0.5 ** 2 - 0.5 ** 7)) / (1 - 0.5)).toBe(1.453125);
});

test("S-029 variance of a uniform variable", () => {
  c.random.seed(3);
  const x = c.random.uniform([1_000_000], { low: -0.3, high: 0.3 });
  expect(Math.abs(x.variance().item() / 0.03 - 1)).toBeLessThan(0.01);
  const y = c.random.uniform([1_000_000], { low: 1, high: 4 });
  expect(Math.abs(y.mean().item() - 2.5)).toBeLessThan(0.01);
  expect(Math.abs(y.variance().item() / (9 / 12) - 1)).toBeLessThan(0.01);
});

test("S-030 variance of a product", () => {
  c.random.seed(4);
  const w = c.random.normal([1_000_000], { mean: 2, std: 1 });
  const x = c.random.normal([1_000_000], { mean: 3, std: 2 });
  expect(Math.abs(w.mul(x).variance().item() / 29 - 1)).toBeLessThan(0.02);
});

test("S-031 counting image-to-label mappings", () => {
  // 256^(3·64·64) images; as a power of two, and the parameters of a logistic regression beside it.
  expect(8 * 3 * 64 * 64).toBe(98304);
  expect((2n ** 98304n).toString().length).toBe(29593);
  expect(c.ones([64, 64, 3]).size + 1).toBe(12289);
});

test("S-032 one-hot vectors", () => {
  expect(c.oneHot([0, 1, 2], 3).array()).toEqual(c.eye(3).array());
  const labels = c.tensor([2, 0, 1, 2], { dtype: "int32" });
  expect(c.oneHot(labels, 3).argmax(-1).array()).toEqual(labels.array());
});

test("S-033 dataset matrix from examples", () => {
  const [w, xs] = [random64(5, 4), Array.from({ length: 7 }, () => random64(4))];
  const z = w.matmul(c.stack(xs, 1));
  expect(z.shape).toEqual([5, 7]);
  xs.forEach((x, i) => expect(z.slice(null, i).sub(w.matmul(x)).abs().max().item()).toBeLessThan(1e-12));
});
