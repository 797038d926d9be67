/** Penalties on weights: the catalogue's scalings, by layer options, in fit and in the open form. */
import { describe, expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { grad, valueAndGrad } from "../../src/autodiff/index.ts";
import * as nn from "../../src/nn/index.ts";
import { sgd } from "../../src/optim/index.ts";
import { compiled, matmul, square, sum, type Tensor, tensor } from "../../src/tensor/index.ts";
import { list, near, numbers } from "./harness.ts";

const { dense, l1, l1l2, l2, sequential } = nn;
const f64 = (x: number[]): Tensor => tensor(x, { dtype: "float64" });

/** w = 1 after one step at 0.1 of a loss with slope 0.5 and this penalty. */
const stepped = (r: nn.Regularizer): number => 1 - 0.1 * (0.5 + grad((w: Tensor) => r(w))(f64([1])).item());

describe("penalties", () => {
  test("S-148 the three scalings of L2 step w = 1 to .948, .9499, .949", () => {
    expect(stepped(l2(0.01))).toBeCloseTo(0.948, 12);
    expect(stepped(l2(0.01 / (2 * 10)))).toBeCloseTo(0.9499, 12);
    expect(stepped(l2(0.01 / 2))).toBeCloseTo(0.949, 12);
  });
  test("S-151 L1 steps w = 1 to .949; its slope at 0 is 0", () => {
    expect(stepped(l1(0.01))).toBeCloseTo(0.949, 12);
    near(grad((w: Tensor) => l1(0.01)(w))(f64([-2, 0, 3])), [-0.01, 0, 0.01], 1e-12);
  });
  test("S-153, S-099 the elastic net: extra slope .03; (λ/m)Σ|θ| + (λ/2m)Σθ² = .55", () => {
    near(grad((w: Tensor) => l1l2({ l1: 0.01, l2: 0.01 })(w))(f64([1])), [0.03], 1e-12);
    expect(l1l2({ l1: 1 / 10, l2: 1 / 20 })(f64([1, -2])).item()).toBeCloseTo(0.55, 12);
  });
  test("S-106 penalised squared error: errors (1, −1), w = (1, 2), λ = .1 → 1", () => {
    const data = nn.meanSquaredError(f64([1, -1]), f64([0, 0])).mul(0.5);
    expect(data.add(l2(0.1)(f64([1, 2]))).item()).toBeCloseTo(1, 12);
  });
  test("factors below 0 and unknown names are refused", () => {
    expect(() => l2(-1)).toThrow("factors must be ≥ 0");
    expect(() => dense(2, { kernelRegularizer: "l3" as "l2" })).toThrow('unknown regularizer "l3": did you mean');
  });
});

describe("in layers", () => {
  const make = (factor: number): nn.Model => {
    setSeed(1);
    return sequential(
      [
        dense(4, { kernelRegularizer: l2(factor) }),
        nn.relu,
        sequential([dense(3, { kernelRegularizer: l2(factor), biasRegularizer: "l1" })]),
        dense(1),
      ],
      { inputShape: [5] },
    );
  };

  test("S-150 the Frobenius penalty adds the kernels of all layers that ask, biases only where asked", () => {
    const net = make(0.5);
    const kernels = ["dense/kernel", "sequential/dense/kernel"].map((name) => net.namedVariables()[name]);
    const want = kernels.reduce((s, k) => s + 0.5 * sum(square(k)).item(), 0);
    expect(net.penalty()?.item()).toBeCloseTo(want, 5);
    expect(sequential([dense(1)], { inputShape: [2] }).penalty()).toBeNull();
    const again = nn.modelFromConfig(JSON.parse(JSON.stringify(net.config())) as nn.ModelConfig);
    again.setWeights(net.weights());
    expect(again.penalty()?.item()).toBe(net.penalty()?.item());
  });

  test("fit adds the penalty to the loss, as the open form does by hand", async () => {
    const [x, y] = [numbers(1, [32, 5]), numbers(2, [32, 1])];
    const fitted = make(0.01);
    fitted.compile({ optimizer: sgd(0.05), loss: "mse" });
    const { loss } = (await fitted.fit([x, y], { epochs: 5, batchSize: 32, shuffle: false, verbose: 0 })).history;
    const net = make(0.01);
    const optimizer = sgd(0.05);
    const step = compiled((a: Tensor, b: Tensor) => {
      const [value, grads] = valueAndGrad(net, () =>
        nn.meanSquaredError(net(a, { training: true }), b).add(net.penalty() ?? 0),
      );
      optimizer.update(net, grads);
      return value;
    });
    expect(Array.from({ length: 5 }, () => step(x, y).item())).toEqual(loss);
    expect((await fitted.evaluate([x, y])).loss).toBeLessThan(loss[4]);
  });

  test("S-154 with λ in 0, .01, .1, 1 the training loss rises and the weights shrink", async () => {
    const x = numbers(3, [64, 8]);
    const y = matmul(x, numbers(4, [8, 1]));
    const results: [number, number][] = [];
    for (const factor of [0, 0.01, 0.1, 1]) {
      setSeed(1);
      const net = sequential([dense(1, { kernelRegularizer: l2(factor) })], { inputShape: [8] });
      net.compile({ optimizer: sgd(0.05), loss: "mse" });
      await net.fit([x, y], { epochs: 150, batchSize: 64, verbose: 0 });
      results.push([nn.meanSquaredError(net(x), y).item(), Math.hypot(...list(net.variables[0]))]);
    }
    results.slice(1).forEach(([loss, size], i) => {
      expect(loss).toBeGreaterThan(results[i][0]);
      expect(size).toBeLessThan(results[i][1]);
    });
  });

  test("S-152 soft-thresholding gives exact zeros where the sub-gradient only hovers", () => {
    const x = numbers(5, [200, 20], "float64");
    const y = matmul(
      x,
      tensor([...[3, -2, 4], ...Array<number>(17).fill(0)], { shape: [20, 1], dtype: "float64" }),
    ).add(numbers(6, [200, 1], "float64").mul(0.1));
    const slope = (w: Tensor): Tensor => grad((v: Tensor) => nn.meanSquaredError(matmul(x, v), y))(w);
    let [prox, ridge] = [
      tensor(new Float64Array(20), { shape: [20, 1] }),
      tensor(new Float64Array(20), { shape: [20, 1] }),
    ];
    for (let i = 0; i < 300; i++) {
      const moved = prox.sub(slope(prox).mul(0.05));
      prox = moved.sign().mul(
        moved
          .abs()
          .sub(0.05 * 0.3)
          .maximum(0),
      );
      ridge = ridge.sub(slope(ridge).add(ridge.mul(0.6)).mul(0.05));
    }
    const zeros = (w: Tensor): number => list(w).filter((v) => v === 0).length;
    expect(zeros(prox)).toBeGreaterThanOrEqual(12);
    expect(zeros(ridge)).toBe(0);
    expect(
      list(prox)
        .slice(0, 3)
        .every((v) => Math.abs(v) > 1),
    ).toBe(true);
  });
});
