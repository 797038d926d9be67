/** Catalogue rows on moments, noise and directions of optimizers. */
import { expect, test } from "vitest";
import { grad } from "../../src/autodiff/index.ts";
import { keyOfSeed, permutationOf } from "../../src/base/index.ts";
import { sampleNormal } from "../../src/nn/sampling.ts";
import { adagrad, adam, momentum, type Optimizer, rmsprop, sgd } from "../../src/optim/index.ts";
import { mul, square, sum, type Tensor, tensor, variable } from "../../src/tensor/index.ts";
import "../../src/engine.ts";

const f64 = (x: number[]): Tensor => tensor(x, { dtype: "float64" });
const draw = (seed: number, n: number): number[] => [...sampleNormal(keyOfSeed(seed), [n], "float64", 0, 1)];
const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;
const variance = (x: readonly number[]): number => {
  const centre = mean(x);
  return mean(x.map((v) => (v - centre) ** 2));
};

function path(
  optimizer: Optimizer,
  gradient: (w: number[], step: number) => number[],
  start: number[],
  steps: number,
): number[][] {
  const w = variable(f64(start), { name: "w" });
  return Array.from({ length: steps }, (_, i) => {
    optimizer.update([w], [f64(gradient([...w.dataSync()], i))]);
    return [...w.dataSync()];
  });
}

test("S-117, S-119, S-120 momentum on gradients of mean 1: E[v₃] = −.271, E[θ₃] = −.561, E[θ₁₀] = −4.138106", () => {
  const theta = path(momentum(0.1), () => [1], [0], 10).flat();
  expect(theta[2] - theta[1]).toBeCloseTo(-0.271, 12);
  expect(theta[2]).toBeCloseTo(-0.561, 12);
  expect(theta[9]).toBeCloseTo(-4.138106, 6);
});

test("S-118 Cov(v₃) of unit gradients is .024661, and tends to .0526316", () => {
  const n = 100_000;
  const optimizer = momentum(0.1);
  path(optimizer, (_, i) => draw(i, n), new Array<number>(n).fill(0), 3);
  expect(variance([...optimizer.state()["w/momentum"].data])).toBeCloseTo(0.024661, 3);
  expect((0.01 * (1 - 0.81 ** 200)) / (1 - 0.81)).toBeCloseTo(0.0526316, 6);
});

test("S-121 the weight of a gradient after 1/(1 − β) steps: .9¹⁰ = .3487, .98⁵⁰ = .3642", () => {
  for (const [beta, steps, want] of [
    [0.9, 10, 0.3487],
    [0.98, 50, 0.3642],
  ]) {
    const optimizer = sgd({ learningRate: 1, momentum: beta });
    path(optimizer, (_, i) => [Number(i === 0)], [0], steps + 1);
    expect(-optimizer.state()["w/momentum"].data[0]).toBeCloseTo(want, 4);
  }
});

test("S-129 RMSProp with momentum: the first step is RMSProp's, the second differs by α·v₁; Nesterov and Adam are others", () => {
  const gradients = [[1], [0], [0]];
  const on = (o: Optimizer): number[] => path(o, (_, i) => gradients[i], [0], 3).flat();
  const plain = on(rmsprop({ learningRate: 0.1, epsilon: 0 }));
  const heavy = on(rmsprop({ learningRate: 0.1, epsilon: 0, momentum: 0.9 }));
  expect(heavy[0]).toBeCloseTo(plain[0], 12);
  expect(heavy[1] - plain[1]).toBeCloseTo(0.9 * plain[0], 12);
  expect(on(rmsprop({ learningRate: 0.1, epsilon: 0, momentum: 0.9, nesterov: true }))[0]).toBeCloseTo(
    1.9 * plain[0],
    12,
  );
  expect(Math.abs(on(adam(0.1))[1] - heavy[1])).toBeGreaterThan(0.01);
});

test("S-135 on ½(x² + 25y²) a gradient step is at right angles to the contour, and AdaGrad flips y less often", () => {
  const gradient = ([x, y]: number[]): number[] => [x, 25 * y];
  const at = [10, 1];
  const [next] = path(sgd(0.01), gradient, at, 1);
  const tangent = [25 * at[1], -at[0]];
  expect((next[0] - at[0]) * tangent[0] + (next[1] - at[1]) * tangent[1]).toBeCloseTo(0, 12);
  const flips = (o: Optimizer): number => {
    const y = [1, ...path(o, gradient, [10, 1], 60).map((w) => w[1])];
    return y.slice(1).filter((v, i) => v * y[i] < 0).length;
  };
  expect(flips(sgd(0.07))).toBe(60);
  expect(flips(adagrad(1))).toBeLessThan(20);
});

test("S-137 noise leaves the saddle of x² − y²; gradient descent stays", () => {
  const saddle = ([x, y]: number[]): number[] => [2 * x, -2 * y];
  expect(path(sgd(0.05), saddle, [1, 0], 200).every((w) => w[1] === 0)).toBe(true);
  const noise = draw(3, 200);
  const noisy = path(sgd(0.05), (w, i) => saddle(w).map((g, k) => g + 0.01 * noise[(2 * i + k) % 200]), [1, 0], 200);
  expect(noisy.some((w) => Math.abs(w[1]) > 1)).toBe(true);
});

test("S-111, S-112, S-177 single gradients are unbiased; their variance falls as 1/K", () => {
  const n = 4096;
  const [x, y] = [draw(1, n), draw(2, n)];
  // d/dw of ½(wx − y)² at w = 0.5, for each sample, by the tape.
  const [xt, yt] = [f64(x), f64(y)];
  const loss = (w: Tensor): Tensor => mul(sum(square(w.sub(0).mul(xt).sub(yt))), 0.5 / n);
  const w = tensor(0.5, { dtype: "float64" });
  const single = x.map((v, i) => (0.5 * v - y[i]) * v);
  expect(mean(single)).toBeCloseTo(grad(loss)(w).item(), 10);
  expect(variance(single)).toBeGreaterThan(0);
  const means = (k: number): number[] => {
    const out: number[] = [];
    for (let round = 0; round < 12; round++) {
      const order = permutationOf(keyOfSeed(round), n);
      for (let i = 0; i + k <= n; i += k) out.push(mean([...order.subarray(i, i + k)].map((s) => single[s])));
    }
    return out;
  };
  expect(variance(means(10)) / variance(means(100))).toBeGreaterThan(8);
  expect(variance(means(10)) / variance(means(100))).toBeLessThan(12);
  expect(Math.sqrt(variance(means(16)) / variance(means(256)))).toBeCloseTo(4, 0);
});

test("S-430 TF1's GradientDescentOptimizer.minimize of w² − 20w + 100 in float32: 0.2, then 9.99998", () => {
  const w = variable(tensor(0), { name: "w" });
  const optimizer = sgd(0.01);
  for (let i = 0; i < 1000; i++) {
    optimizer.update(
      [w],
      grad([w], () => w.mul(w).sub(w.mul(20)).add(100)),
    );
    if (i === 0) expect(w.item()).toBeCloseTo(0.2, 6);
  }
  expect(w.item()).toBeCloseTo(9.99998, 4);
});
