/** Catalogue rows of area autodiff, each with the row's own numbers. */
import { expect, test } from "vitest";
import * as c from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";

const f64 = (x: c.TensorLike): Tensor => c.tensor(x, { dtype: "float64" });
const random64 = (...shape: number[]): Tensor => c.random.normal(shape, { dtype: "float64" });
const flat = (t: Tensor): number[] => [...t.dataSync()];

function close(got: Tensor | number, want: c.NestedArray | number, digits = 6): void {
  const g = typeof got === "number" ? [got] : flat(got);
  const w = typeof want === "number" ? [want] : (want as number[]).flat(Infinity);
  expect(g.length).toBe(w.length);
  w.forEach((v, i) => expect(g[i]).toBeCloseTo(v, digits));
}

/** -mean(y ln a + (1 - y) ln(1 - a)). */
const bce = (a: Tensor, y: c.TensorLike): Tensor =>
  c
    .mul(y, a.log())
    .add(c.sub(1, y).mul(c.sub(1, a).log()))
    .mean()
    .neg();
const checked = (f: (...x: Tensor[]) => Tensor, xs: Tensor[], tolerance = 1e-7): boolean =>
  c.checkGradients(f, xs, { tolerance }).passed;

test("S-034 computation graph and chain rule", () => {
  const [x, y] = [f64([1, 2]), 1];
  const [dw, db] = c.grad((w: Tensor, b: Tensor) => bce(w.dot(x).add(b).sigmoid(), y), { argnums: [0, 1] })(
    f64([0, 0]),
    f64(0),
  );
  close(dw, [-0.5, -1]);
  close(db, -0.5);
  close(c.grad((z: Tensor) => bce(z.sigmoid(), y))(f64(0)), -0.5);
});

test("S-035 logistic derivatives", () => {
  const a = f64(0.8);
  close(c.grad((v: Tensor) => bce(v, 1))(a), -1.25);
  close(c.grad((z: Tensor) => bce(z.sigmoid(), 1))(a.div(c.sub(1, a)).log()), -0.2);
  close(-1.25 * 0.8 * 0.2, -0.2);
});

test("S-036 looped and vectorised gradient of logistic regression", () => {
  const [m, n] = [100, 5];
  const [x, w, b] = [random64(n, m), random64(n), f64(0.3)];
  const y = c.random.bernoulli(0.5, [m]).cast("float64");
  const loss = (v: Tensor, u: Tensor): Tensor => bce(v.matmul(x).add(u).sigmoid(), y);
  const [dw, db] = c.grad(loss, { argnums: [0, 1] })(w, b);
  const [xs, ws, ys] = [flat(x), flat(w), flat(y)];
  const sums = Array<number>(n).fill(0);
  let dbSum = 0;
  for (let i = 0; i < m; i++) {
    let z = 0.3;
    for (let j = 0; j < n; j++) z += ws[j] * xs[j * m + i];
    const dz = 1 / (1 + Math.exp(-z)) - ys[i];
    for (let j = 0; j < n; j++) sums[j] += (xs[j * m + i] * dz) / m;
    dbSum += dz / m;
  }
  close(dw, sums, 12);
  close(db, dbSum, 12);
  expect(checked(loss, [w, b])).toBe(true);
  // dw = X dZᵀ / m, db = Σ dZ / m
  const dz = w.matmul(x).add(b).sigmoid().sub(y);
  close(x.matmul(dz).div(m), flat(dw), 12);
  close(dz.mean(), db.item(), 12);
});

test("S-037 vectorised logistic gradient agrees with finite differences", () => {
  const [x, y] = [random64(3, 8), f64([1, 0, 1, 1, 0, 0, 1, 0])];
  expect(checked((w, b) => bce(w.matmul(x).add(b).sigmoid(), y), [random64(1, 3), f64([[0.1]])])).toBe(true);
});

const layers = (sizes: readonly number[]): Tensor[] =>
  sizes.slice(1).flatMap((n, i) => [random64(n, sizes[i]).mul(0.5), random64(n, 1).mul(0.1)]);

/** Z = W A + b, layer by layer, columns are examples; returns A of the last and every Z. */
function forward(
  x: Tensor,
  params: readonly Tensor[],
  g: (l: number) => (z: Tensor) => Tensor,
): { a: Tensor; cache: Tensor[] } {
  let a = x;
  const cache: Tensor[] = [];
  for (let l = 0; l < params.length / 2; l++) {
    const z = params[2 * l].matmul(a).add(params[2 * l + 1]);
    cache.push(z);
    a = g(l)(z);
  }
  return { a, cache };
}

test("S-038 one-hidden-layer forward", () => {
  const [x, params] = [random64(2, 6), layers([2, 3, 1])];
  const net = (v: Tensor): { a: Tensor; cache: Tensor[] } => forward(v, params, (l) => (l === 0 ? c.tanh : c.sigmoid));
  const { a, cache } = net(x);
  expect(cache[0].shape).toEqual([3, 6]);
  expect(a.shape).toEqual([1, 6]);
  for (let j = 0; j < 6; j++) close(net(x.slice(null, [j, j + 1])).a, flat(a.slice(null, j)), 12);
});

test("S-039 six back-prop equations of one hidden layer", () => {
  const m = 5;
  const x = random64(2, m);
  const y = f64([[1, 0, 1, 1, 0]]);
  const params = layers([2, 3, 1]);
  const loss = (...p: Tensor[]): Tensor => bce(forward(x, p, (l) => (l === 0 ? c.tanh : c.sigmoid)).a, y);
  const [dw1, db1, dw2, db2] = c.grad(loss, { argnums: [0, 1, 2, 3] })(...params);
  const { a, cache } = forward(x, params, (l) => (l === 0 ? c.tanh : c.sigmoid));
  const a1 = cache[0].tanh();
  const dz2 = a.sub(y);
  const dz1 = params[2].T.matmul(dz2).mul(c.sub(1, a1.square()));
  close(dw2, flat(dz2.matmul(a1.T).div(m)), 12);
  close(db2, flat(dz2.mean(1, { keepdims: true })), 12);
  close(dw1, flat(dz1.matmul(x.T).div(m)), 12);
  close(db1, flat(dz1.mean(1, { keepdims: true })), 12);
  expect(checked(loss, params)).toBe(true);
});

test("S-040 L-layer forward with cache", () => {
  const { a, cache } = forward(random64(3, 4), layers([3, 5, 5, 3, 1]), (l) => (l < 3 ? c.relu : c.sigmoid));
  expect(cache.length).toBe(4);
  expect(flat(a).every((v) => v > 0 && v < 1)).toBe(true);
});

test("S-041 L-layer backward block", () => {
  const [x, y] = [random64(3, 6), f64([[1, 0, 0, 1, 1, 0]])];
  expect(checked((...p) => bce(forward(x, p, (l) => (l < 3 ? c.tanh : c.sigmoid)).a, y), layers([3, 5, 5, 3, 1]))).toBe(
    true,
  );
});

test("S-042 three-neuron chain", () => {
  const x = f64(1);
  const chain = (w: Tensor, b: Tensor): Tensor => {
    let a = x;
    for (let i = 0; i < 3; i++) a = a.mul(w.at(i)).add(b.at(i)).sigmoid();
    return a;
  };
  expect(checked(chain, [f64([0.5, -0.3, 0.8]), f64([0, 0, 0])], 1e-8)).toBe(true);
});

test("S-043 worked 2-2-2-1 back-prop", () => {
  const [w1, w2, w3, x] = [
    f64([
      [0.1, 0.2],
      [0.3, 0.4],
    ]),
    f64([
      [0.5, 0.6],
      [0.7, 0.8],
    ]),
    f64([1, 2]),
    f64([1, 2]),
  ];
  const f = (m1: Tensor, z1add: Tensor, z2add: Tensor): Tensor => {
    const a1 = m1.matmul(x).add(z1add).sigmoid();
    return w3.dot(w2.matmul(a1).add(z2add).sigmoid());
  };
  const zero = f64([0, 0]);
  const [value, [dw1, d1, d2]] = c.valueAndGrad(f, { argnums: [0, 1, 2] })(w1, zero, zero);
  close(value, 2.157782);
  close(d2, [0.217002, 0.386651]);
  close(d1, [0.089103, 0.082353]);
  close(dw1.at(0, 0), 0.089103);
});

test("S-044 two-layer regression back-prop", () => {
  const [x, y, m] = [random64(3, 4), random64(2, 4), 4];
  const params = layers([3, 5, 2]);
  const out = (p: readonly Tensor[]): Tensor => forward(x, p, (l) => (l === 0 ? c.sigmoid : (z): Tensor => z)).a;
  const loss = (...p: Tensor[]): Tensor => out(p).sub(y).square().sum().div(m);
  expect(checked(loss, params)).toBe(true);
  const a = params[0].matmul(x).add(params[1]).sigmoid();
  close(
    c.grad(loss, { argnums: [2] })(...params)[0],
    flat(
      out(params)
        .sub(y)
        .matmul(a.T)
        .mul(2 / m),
    ),
    12,
  );
});

test("S-045 row-vector 3-layer softmax forward", () => {
  const x = random64(1, 2);
  const z2 = x.matmul(random64(2, 3));
  expect(z2.shape).toEqual([1, 3]);
  const z4 = z2.sigmoid().matmul(random64(3, 3)).sigmoid().matmul(random64(3, 4));
  close(z4.softmax().sum(), 1, 12);
});

test("S-046 weighted-sum worked example", () => {
  const z = c.add(0.5, f64([1.6, 0.6, 0.3]).dot(f64([1, 1, 1])));
  close(z, 3, 12);
  close(z.sigmoid(), 0.952574);
});

test("S-047 weight-shape rules", () => {
  const params = layers([3, 5, 5, 3, 1]);
  expect(params.reduce((n, p) => n + p.size, 0)).toBe(72);
  const grads = c.grad((...p: Tensor[]) => forward(random64(3, 4), p, () => c.sigmoid).a.sum(), {
    argnums: params.map((_p, i) => i),
  })(...params);
  grads.forEach((g, i) => expect(g.shape).toEqual(params[i].shape));
  expect(() => forward(random64(4, 4), params, () => c.sigmoid)).toThrow(/matmul/);
});

test("S-048 gradients of linear forms", () => {
  const x = random64(4);
  close(c.grad((t: Tensor) => t.dot(x))(random64(4)), flat(x), 12);
  const w = random64(3, 4);
  close(c.jacobian((v) => w.matmul(v))(x), flat(w), 12);
  expect(checked((t) => t.dot(x), [random64(4)], 1e-8)).toBe(true);
});

test("S-049 gradient of a quadratic form", () => {
  const a = f64([
    [1, 2],
    [3, 4],
  ]);
  expect(
    c
      .grad((x: Tensor) => x.dot(a.matmul(x)))(f64([1, 1]))
      .array(),
  ).toEqual([7, 13]);
});

test("S-050 gradient of the L2 penalty", () => {
  close(c.grad((w: Tensor) => w.dot(w).mul(0.1 / 2))(f64([1, -2])), [0.1, -0.2], 12);
});

test("S-051 matrix back-prop rule Y = WX", () => {
  const [w, x, g] = [random64(3, 4), random64(4, 5), random64(3, 5)];
  const loss = (p: Tensor, q: Tensor): Tensor => p.matmul(q).mul(g).sum();
  const [dw, dx] = c.grad(loss, { argnums: [0, 1] })(w, x);
  close(dw, flat(g.matmul(x.T)), 12);
  close(dx, flat(w.T.matmul(g)), 12);
  expect(checked(loss, [w, x], 1e-8)).toBe(true);
});

test("S-052 trace derivative", () => {
  const [w, x, y] = [random64(3, 4), random64(4, 5), random64(3, 5)];
  const byTrace = (v: Tensor): Tensor => c.trace(v.matmul(x).matmul(y.T));
  close(byTrace(w), y.mul(w.matmul(x)).sum().item(), 10);
  close(c.grad(byTrace)(w), flat(y.matmul(x.T)), 10);
  expect(checked(byTrace, [w], 1e-8)).toBe(true);
});

test("S-053 softmax log-likelihood gradient in w", () => {
  const [m, classes] = [6, 3];
  const x = random64(m, 4);
  const y = c.oneHot([0, 2, 1, 1, 0, 1], classes, { dtype: "float64" });
  const loss = (w: Tensor, b: Tensor): Tensor =>
    y
      .mul(c.logSoftmax(x.matmul(w).add(b)))
      .sum()
      .div(-m);
  const [w, b] = [random64(4, classes), random64(classes)];
  expect(checked(loss, [w, b])).toBe(true);
  const [dw, db] = c.grad(loss, { argnums: [0, 1] })(w, b);
  const p = x.matmul(w).add(b).softmax();
  close(dw, flat(x.T.matmul(p.sub(y)).div(m)), 12);
  close(db, flat(p.mean(0).sub(y.mean(0))), 12);
});

test("S-054 softmax and cross-entropy fused", () => {
  close(c.grad((z: Tensor) => c.logSoftmax(z).at(2).neg())(f64([1, 2, 3])), [0.09, 0.2447, -0.3348], 4);
});

test("S-055 centred numerical gradient", () => {
  const cube = (v: number): number => c.pow(f64(v), 3).item();
  const eps = 0.01;
  close((cube(1 + eps) - cube(1 - eps)) / (2 * eps), 3.0001);
  close((cube(1 + eps) - cube(1)) / eps, 3.0301);
});

test("S-056 gradient with respect to the input", () => {
  const w = c.variable(random64(4, 3), { name: "w" });
  const before = w.array();
  const x = random64(2, 4);
  const loss = (v: Tensor): Tensor => c.logSoftmax(v.matmul(w)).slice(null, 0).mean().neg();
  expect(checked(loss, [x], 1e-6)).toBe(true);
  expect(c.grad(loss)(x).shape).toEqual([2, 4]);
  expect(w.array()).toEqual(before);
});

test("S-057 subgradient of the largest row sum", () => {
  const w = f64([
    [1, -2, 3],
    [4, 0, -1],
  ]);
  expect(w.abs().sum(1).array()).toEqual([6, 5]);
  close(
    c.grad((v: Tensor) => v.abs().sum(1).max())(w),
    [
      [1, -1, 1],
      [0, 0, 0],
    ],
    12,
  );
});

test("S-058 batch normalisation's graph", () => {
  const target = random64(5, 3);
  const norm = (x: Tensor, gamma: Tensor, beta: Tensor): Tensor => {
    const hat = x.sub(x.mean(0)).div(x.variance(0).add(1e-3).sqrt());
    return hat.mul(gamma).add(beta).sub(target).square().mean();
  };
  expect(checked(norm, [random64(5, 3), random64(3), random64(3)], 1e-6)).toBe(true);
});

test("S-059 derivatives at kinks: ReLU'(0) = 0, |x|'(0) = 0, ties shared", () => {
  expect(
    c
      .grad((x: Tensor) => x.relu().sum())(f64([-1, 0, 2]))
      .array(),
  ).toEqual([0, 0, 1]);
  expect(
    c
      .grad((x: Tensor) => x.abs().sum())(f64([-1, 0, 2]))
      .array(),
  ).toEqual([-1, 0, 1]);
  expect(
    c
      .grad((x: Tensor, y: Tensor) => x.maximum(y).sum(), { argnums: [0, 1] })(f64([1, 2]), f64([1, 0]))
      .map((g) => g.array()),
  ).toEqual([
    [0.5, 1],
    [0.5, 0],
  ]);
  expect(
    c
      .grad((x: Tensor) => x.max())(f64([3, 1, 3]))
      .array(),
  ).toEqual([0.5, 0, 0.5]);
  expect(
    c
      .grad((x: Tensor) => x.clip(0, 1).sum())(f64([-1, 0, 0.5, 1, 2]))
      .array(),
  ).toEqual([0, 0, 1, 0, 0]);
});
