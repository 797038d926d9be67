/** Catalogue rows that need a little training: activations, initial weights, dropout, batch norm, transfer, sanity checks. */
import { describe, expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { valueAndGrad } from "../../src/autodiff/index.ts";
import { topKAccuracy, Streaming } from "../../src/metrics/index.ts";
import * as nn from "../../src/nn/index.ts";
import { adam, momentum, piecewiseConstant, sgd } from "../../src/optim/index.ts";
import { argmax, matmul, mean, oneHot, ones, square, std, sum, tensor, type Tensor } from "../../src/tensor/index.ts";
import { list, near, numbers } from "../nn/harness.ts";
import { mlp, stripes } from "./nets.ts";

const { dense, sequential } = nn;
const DATA = stripes(240);
const quiet = { verbose: 0 } as const;
const norm = (x: Tensor): number => Math.sqrt(sum(square(x)).item());

/** Gradients of the kernels of a deep network of this activation and initializer. */
function kernelGradients(depth: number, activation: nn.ActivationName, init: nn.InitializerName): number[] {
  setSeed(2);
  const net = sequential([
    ...Array.from({ length: depth }, () => dense(64, { activation, kernelInitializer: init })),
    dense(1),
  ]);
  const [x, y] = [numbers(1, [64, 64]), numbers(2, [64, 1])];
  net.build([null, 64]);
  const [, grads] = valueAndGrad(net, () => nn.meanSquaredError(net(x), y));
  return grads.filter((g) => g.rank === 2 && g.shape[1] === 64).map(norm);
}

describe("activations and initial weights", () => {
  test("S-075 hardmax: 1 at the largest", () => {
    const z = tensor([[5, 2, -1, 3]]);
    near(oneHot(argmax(z, -1), 4), [1, 0, 0, 0], 0);
  });
  test("S-077 sigmoid units average ½, tanh units 0; sigmoid inputs give a unit's weights gradients of one sign", () => {
    setSeed(1);
    const x = numbers(1, [256, 32]);
    const hidden = (f: nn.ActivationName): Tensor => sequential([dense(64, { activation: f })])(x);
    expect(mean(hidden("sigmoid")).item()).toBeCloseTo(0.5, 1);
    expect(Math.abs(mean(hidden("tanh")).item())).toBeLessThan(0.05);
    const top = dense(1);
    const h = hidden("sigmoid").slice([0, 1]);
    top(h);
    const [, [dw]] = valueAndGrad(top, () => nn.meanSquaredError(top(h), tensor([[9]])));
    expect(new Set(list(dw).map(Math.sign))).toEqual(new Set([-1]));
  });
  test("S-405, S-092 six sigmoid layers starve the first one; twenty He-ReLU layers do not", () => {
    const sigmoid = kernelGradients(6, "sigmoid", "glorotUniform");
    expect(sigmoid[0] / sigmoid[5]).toBeLessThan(0.1);
    const relu = kernelGradients(20, "relu", "heNormal");
    expect(relu[0] / relu[19]).toBeGreaterThan(0.1);
    expect(relu[0] / relu[19]).toBeLessThan(10);
  });
});

describe("losses", () => {
  test("S-098 logistic regression is convex: five starts meet", async () => {
    const x = numbers(1, [128, 2]);
    const y = x
      .slice(null, 0)
      .add(numbers(5, [128]))
      .greater(0)
      .cast("float32");
    const finals: number[][] = [];
    for (let seed = 0; seed < 5; seed++) {
      setSeed(seed);
      const net = sequential([dense(1, { kernelInitializer: nn.normal({ stddev: 3 }) })], { inputShape: [2] });
      net.compile({ optimizer: momentum(0.5), loss: "binaryCrossentropy" });
      await net.fit([x, y], { epochs: 400, batchSize: 128, ...quiet });
      finals.push(net.variables.flatMap(list));
    }
    for (const w of finals) near(w, finals[0], 1e-4);
  });
  test("S-101 minus the mean log-likelihood is the cross-entropy; Σ[LSE − own score]", () => {
    const z = numbers(1, [6, 4], "float64");
    const y = tensor(new Int32Array([0, 3, 1, 1, 2, 0]));
    const own = sum(z.mul(oneHot(y, 4, { dtype: "float64" })), -1);
    expect(mean(z.logSumExp(-1).sub(own)).item()).toBeCloseTo(nn.crossEntropy(z, y).item(), 12);
    expect(
      nn
        .softmax(z)
        .log()
        .mul(oneHot(y, 4, { dtype: "float64" }))
        .sum(-1)
        .mean()
        .item(),
    ).toBeCloseTo(-nn.crossEntropy(z, y).item(), 12);
  });
  test("S-107 a sequence's loss is the sum of its steps': 3 · 0.693147 at ŷ = ½", () => {
    const loss = nn.binaryCrossentropy({ fromLogits: false });
    const steps = [1, 0, 1].map((y) => loss(tensor([0.5]), tensor([y])).item());
    expect(steps.reduce((a, b) => a + b)).toBeCloseTo(3 * Math.LN2, 5);
  });
  test("S-196 log loss of class probabilities: (1, .8) → .223144", () => {
    expect(
      nn
        .binaryCrossentropy({ fromLogits: false })(tensor([0.8]), tensor([1]))
        .item(),
    ).toBeCloseTo(0.223144, 6);
  });
  test("S-198 top-k: k = 1 is accuracy; three of four labels among five → error .25", () => {
    const p = numbers(3, [4, 12]);
    const order = Array.from({ length: 4 }, (_, r) =>
      list(p.slice(r))
        .map((v, i) => [v, i])
        .sort((a, b) => b[0] - a[0])
        .map(([, i]) => i),
    );
    const labels = tensor(Int32Array.from([order[0][0], order[1][4], order[2][2], order[3][5]]));
    const of = (k: number): number => {
      const stream = new Streaming(topKAccuracy({ k }));
      stream.update(p, labels);
      return stream.result();
    };
    expect([1 - of(5), of(1)]).toEqual([0.25, 0.25]);
  });
});

describe("dropout", () => {
  test("S-156 standard dropout: the mean of training outputs over masks is the scaled test output", () => {
    setSeed(1);
    const layer = nn.dropout(0.3, { inverted: false });
    const x = ones([100_000]);
    const y = list(layer(x.reshape([1000, 100]), { training: true }));
    expect(new Set(y)).toEqual(new Set([0, 1]));
    near(layer(ones([1, 1])), [0.7]);
    expect(y.reduce((a, b) => a + b, 0) / y.length).toBeCloseTo(0.7, 2);
    expect(layer.config()).toEqual({ rate: 0.3, inverted: false });
  });
  test("S-160 ten units have 1024 masks; the mean over them of a linear net is the scaled net", () => {
    const masks = tensor(
      Array.from({ length: 1024 }, (_, m) => Array.from({ length: 10 }, (__, i) => (m >> i) & 1)),
      { dtype: "float64" },
    );
    const [x, w] = [numbers(1, [1, 10], "float64"), numbers(2, [10, 1], "float64")];
    expect(mean(matmul(masks.mul(x), w)).item()).toBeCloseTo(matmul(x.mul(0.5), w).item(), 12);
  });
  test("S-161 without dropout the cost falls at every step of full-batch descent; with it, it need not", async () => {
    const run = async (rate: number): Promise<number[]> => {
      setSeed(1);
      const net = sequential([nn.flatten(), dense(16), nn.relu, nn.dropout(rate), dense(3)]);
      net.compile({ optimizer: sgd(0.1), loss: "sparseCategoricalCrossentropy" });
      return [...(await net.fit(DATA, { epochs: 25, batchSize: 240, ...quiet })).history.loss];
    };
    const rises = (x: readonly number[]): number => x.slice(1).filter((v, i) => v > x[i]).length;
    expect(rises(await run(0))).toBe(0);
    expect(rises(await run(0.6))).toBeGreaterThan(0);
  });
});

describe("batch normalisation", () => {
  test("S-184 dense → batch norm → relu: what relu sees has mean 0 and variance 1", () => {
    const pre = sequential([dense(8), nn.batchNorm({ epsilon: 1e-6 })]);
    const z = pre(numbers(1, [256, 5], "float64"), { training: true });
    expect(list(mean(z, 0)).every((m) => Math.abs(m) < 1e-6)).toBe(true);
    expect(list(z.variance(0)).every((v) => Math.abs(v - 1) < 1e-3)).toBe(true);
  });
  test("S-176 the spread of batch means falls as 1/√B: 16 against 256 is 4", () => {
    const x = numbers(1, [256 * 200]);
    const spread = (b: number): number => std(mean(x.reshape([-1, b]), 1)).item();
    expect(spread(16) / spread(256)).toBeGreaterThan(3.2);
    expect(spread(16) / spread(256)).toBeLessThan(4.8);
  });
  test("S-187 at ten times the learning rate the network with batch norm still trains, the plain one does not", async () => {
    const final = async (bn: boolean): Promise<number> => {
      setSeed(5);
      const block = (n: number): nn.LayerLike[] => [dense(n), ...(bn ? [nn.batchNorm()] : []), nn.relu];
      const net = sequential([nn.flatten(), ...block(32), ...block(32), ...block(32), dense(3)]);
      net.compile({ optimizer: sgd(2), loss: "sparseCategoricalCrossentropy" });
      return (await net.fit(DATA, { epochs: 8, batchSize: 48, ...quiet })).history.loss[7];
    };
    const [normalised, plain] = [await final(true), await final(false)];
    expect(normalised).toBeLessThan(0.3);
    expect(plain > 2 * normalised || Number.isNaN(plain)).toBe(true);
  });
});

describe("procedures", () => {
  test("S-406 ten samples are learned by heart: loss below 1e-3", async () => {
    const net = mlp();
    net.compile({ optimizer: adam(0.01), loss: "sparseCategoricalCrossentropy" });
    const { history } = await net.fit(DATA.take(10), { epochs: 80, ...quiet });
    expect(history.loss[79]).toBeLessThan(1e-3);
  });
  test("S-402, S-175 transfer: frozen layers stay to the bit over 100 steps; a new head of three classes has 3(d + 1) parameters", async () => {
    const base = mlp();
    const x = nn.input([12, 12, 1]);
    const features = base.layers.slice(0, -1).reduce<nn.Symbolic>((h, l) => l(h), x);
    for (const l of base.layers) l.trainable = false;
    const head = dense(3, { name: "head" });
    const net = nn.model(x, head(features));
    expect(nn.countParameters(net.trainableVariables)).toBe(3 * (16 + 1));
    const before = net.weights();
    net.compile({ optimizer: adam(0.01), loss: "sparseCategoricalCrossentropy" });
    const { history } = await net.fit(DATA, { epochs: 14, ...quiet });
    expect(history.loss[13]).toBeLessThan(history.loss[0]);
    const after = net.weights();
    for (const name of Object.keys(before)) {
      if (name.startsWith("head")) expect(after[name]).not.toEqual(before[name]);
      else expect(after[name]).toEqual(before[name]);
    }
  });
  test("S-401 reloaded weights and moving statistics give the same outputs: difference 0", () => {
    const make = (): nn.Model => sequential([dense(4), nn.batchNorm(), nn.relu, dense(2)], { inputShape: [3] });
    const [a, b] = [make(), make()];
    a(numbers(1, [8, 3]), { training: true });
    b.setWeights(a.weights());
    expect(list(b(numbers(2, [5, 3])))).toEqual(list(a(numbers(2, [5, 3]))));
  });
  test("S-146 a staircase in the rate: the loss drops in the epochs after it", async () => {
    setSeed(3);
    const x = numbers(1, [256, 20]);
    const y = matmul(x, numbers(2, [20, 1])).add(numbers(3, [256, 1]).mul(0.5));
    const net = sequential([dense(1)], { inputShape: [20] });
    net.compile({ optimizer: sgd(piecewiseConstant([10 * 32], [0.06, 0.006])), loss: "mse" });
    const { loss } = (await net.fit([x, y], { epochs: 14, batchSize: 8, ...quiet })).history;
    const about = (from: number): number => (loss[from] + loss[from + 1] + loss[from + 2]) / 3;
    expect(about(10)).toBeLessThan(about(7));
  });
  test("S-409 logistic regression needs hundreds of iterations, not thousands", async () => {
    const x = numbers(1, [200, 3]);
    const y = sum(x.mul([1, -2, 0.5]), -1)
      .greater(0)
      .cast("float32");
    const net = sequential([dense(1)], { inputShape: [3] });
    net.compile({ optimizer: sgd(1), loss: "binaryCrossentropy", metrics: ["accuracy"] });
    await net.fit([x, y], { epochs: 300, batchSize: 200, ...quiet });
    expect((await net.evaluate([x, y])).accuracy).toBeGreaterThan(0.97);
  });
});
