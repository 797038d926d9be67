/** Catalogue rows: losses, normalisation, dropout, convolution layers, with their own numbers. */
import { describe, expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { grad, valueAndGrad } from "../../src/autodiff/index.ts";
import * as nn from "../../src/nn/index.ts";
import { adam, momentum, rmsprop } from "../../src/optim/index.ts";
import { mean, mul, ones, sum, type Tensor, tensor, zeros } from "../../src/tensor/index.ts";
import { list, near, numbers } from "./harness.ts";

const { dense, sequential } = nn;
const f64 = (x: number | number[] | number[][]): Tensor => tensor(x, { dtype: "float64" });

describe("losses", () => {
  test("S-094, S-095 squared error: ½e² = 0.02; errors (1, −1, 2) have mean square 2", () => {
    expect(
      nn
        .meanSquaredError(f64([0.8]), f64([1]))
        .mul(0.5)
        .item(),
    ).toBeCloseTo(0.02, 12);
    expect(nn.meanSquaredError(f64([1, -1, 2]), f64([0, 0, 0])).item()).toBeCloseTo(2, 12);
    expect(nn.meanAbsoluteError(f64([1, -1, 2]), f64([0, 0, 0])).item()).toBeCloseTo(4 / 3, 12);
  });
  test("S-096 binary cross-entropy: 0.223144, 1.609438, finite at 0 and 1", () => {
    const loss = nn.binaryCrossentropy({ fromLogits: false });
    expect(loss(f64([0.8]), f64([1])).item()).toBeCloseTo(0.223144, 6);
    expect(loss(f64([0.8]), f64([0])).item()).toBeCloseTo(1.609438, 6);
    expect(loss(f64([0, 1]), f64([1, 0])).item()).toBeCloseTo(-Math.log(1e-7), 6);
    expect(
      nn
        .binaryCrossentropy()(nn.sigmoid(f64([-1000])), f64([1]))
        .item(),
    ).toBe(1000);
  });
  test("S-097 the cost is the mean of the losses", () => {
    const [p, y] = [numbers(1, [6, 3], "float64"), numbers(2, [6, 3], "float64")];
    for (const loss of [nn.meanSquaredError, nn.huber(), nn.hinge, nn.categoricalCrossentropy()]) {
      expect(loss(p, y).item()).toBeCloseTo(mean(loss.perSample(p, y)).item(), 12);
      expect(loss.perSample(p, y).shape).toEqual([6]);
    }
  });
  test("S-100 categorical cross-entropy: 0.171935; ten untrained classes about ln 10", () => {
    const loss = nn.categoricalCrossentropy({ fromLogits: false });
    expect(loss(f64([[0.842, 0.042, 0.002, 0.114]]), f64([[1, 0, 0, 0]])).item()).toBeCloseTo(0.171975, 6);
    expect(nn.crossEntropy(zeros([4, 10]), tensor(new Int32Array([1, 2, 3, 4]))).item()).toBeCloseTo(2.302585, 5);
    near(nn.crossEntropy(f64([[5, 2, -1, 3]]), tensor(new Int32Array([0]))), [0.171935], 2e-4);
  });
  test("S-102, S-103 hinge: 0.7 and 0; its sub-gradient (−1, −2)", () => {
    near(nn.hinge.perSample(f64([0.3, 2]), f64([1, 1])), [0.7, 0]);
    const g = grad((w: Tensor) => nn.hinge(sum(mul(w, f64([1, 2]))).reshape([1]), f64([1])))(f64([0, 0]));
    near(g, [-1, -2]);
  });
  test("S-104 the squared error of a sigmoid saturates, the cross-entropy does not", () => {
    const z = f64([-10]);
    const y = f64([1]);
    near(grad((a: Tensor) => nn.meanSquaredError(nn.sigmoid(a), y).mul(0.5))(z), [-4.54e-5], 1e-7);
    near(grad((a: Tensor) => nn.binaryCrossentropy()(nn.sigmoid(a), y))(z), [-0.99995], 1e-5);
  });
  test("S-168 label smoothing: 0.91 and 0.01 for ten classes at 0.1", () => {
    const z = numbers(1, [1, 10], "float64");
    const soft = f64([[0.91, ...Array<number>(9).fill(0.01)]]);
    const y = f64([[1, ...Array<number>(9).fill(0)]]);
    expect(nn.categoricalCrossentropy({ labelSmoothing: 0.1 })(z, y).item()).toBeCloseTo(
      nn.categoricalCrossentropy()(z, soft).item(),
      12,
    );
  });
});

describe("batch normalisation", () => {
  const column = f64([[1], [2], [3], [4]]);
  const plain = (epsilon = 0): nn.Layer => nn.batchNorm({ epsilon });
  test("S-181, S-179, S-188 (1,2,3,4) → ±1.341641, ±0.447214; γ = 2, β = 3 after it", () => {
    const layer = plain();
    const want = [-1.341641, -0.447214, 0.447214, 1.341641];
    near(layer(column, { training: true }), want);
    layer.variables[0].assign(f64([2]));
    layer.variables[1].assign(f64([3]));
    near(
      layer(column, { training: true }),
      want.map((v) => 2 * v + 3),
      1e-5,
    );
  });
  test("S-182 evaluation: a batch of one works, rows do not see each other, calls repeat", () => {
    const layer = plain(1e-3);
    layer(column, { training: true });
    const whole = list(layer(column));
    expect(list(layer(f64([[2]])))).toEqual([whole[1]]);
    expect(list(layer(column))).toEqual(whole);
  });
  test("S-183 (A-53) moving statistics of N(3, 4) after 1000 batches: 3 and 4", () => {
    const layer = nn.batchNorm({ momentum: 0.99 });
    for (let i = 0; i < 1000; i++) layer(numbers(i, [64, 1]).mul(2).add(3), { training: true });
    near(layer.variables[2], [3], 0.1);
    near(layer.variables[3], [4], 0.2);
  });
  test("S-185 a bias before it changes nothing", () => {
    const [x, b] = [numbers(1, [8, 3], "float64"), f64([5, -7, 0.3])];
    near(plain(1e-3)(x.add(b), { training: true }), list(plain(1e-3)(x, { training: true })), 1e-10);
  });
  test("S-186 γ = √(σ² + ε), β = μ give the input back; two parameters a feature", () => {
    const layer = plain(1e-3);
    const x = numbers(2, [16, 3], "float64");
    layer(x, { training: true });
    layer.variables[0].assign(x.variance(0).add(1e-3).sqrt());
    layer.variables[1].assign(x.mean(0));
    near(layer(x, { training: true }), list(x), 1e-6);
    expect(nn.countParameters(layer.trainableVariables)).toBe(6);
  });
  test("S-189 γ and β learn under momentum, RMSProp and Adam", () => {
    for (const optimizer of [momentum(0.1), rmsprop(0.1), adam(0.1)]) {
      const net = sequential([dense(3), nn.batchNorm(), nn.relu, dense(1)], { inputShape: [2] });
      const before = net.weights();
      const grads = valueAndGrad(net, () => mean(net(numbers(1, [8, 2]), { training: true }).square()))[1];
      optimizer.update(net, grads);
      const after = net.weights();
      for (const name of ["batchNorm/gamma", "batchNorm/beta"]) expect(after[name].data).not.toEqual(before[name].data);
    }
  });
  test("a frozen layer evaluates even in training, as in Keras", () => {
    const layer = plain(1e-3);
    layer(column, { training: true });
    layer.trainable = false;
    expect(list(layer(column, { training: true }))).toEqual(list(layer(column)));
  });
});

describe("dropout", () => {
  test("S-157 keep 0.8: values 0 and 1.25, mean 1, a fifth zeros; fresh at each call", () => {
    setSeed(1);
    const layer = nn.dropout(0.2);
    const x = ones([40_000]).reshape([200, 200]);
    const y = list(layer(x, { training: true }));
    expect(new Set(y)).toEqual(new Set([0, 1.25]));
    expect(y.reduce((a, b) => a + b, 0) / y.length).toBeCloseTo(1, 1.7);
    expect(y.filter((v) => v === 0).length / y.length).toBeCloseTo(0.2, 1.7);
    expect(list(layer(x, { training: true }))).not.toEqual(y);
  });
  test("S-158, S-159 off in evaluation; rate 0 is the identity to the bit; gradients use the same mask", () => {
    const x = numbers(1, [5, 7]);
    expect(list(nn.dropout(0.5)(x))).toEqual(list(x));
    expect(list(nn.dropout(0)(x, { training: true }))).toEqual(list(x));
    setSeed(4);
    const [y, g] = valueAndGrad((a: Tensor) => sum(nn.dropout(0.5)(a, { training: true })))(x);
    expect(y.item()).toBeCloseTo(sum(mul(x, g)).item(), 4);
    expect(new Set(list(g))).toEqual(new Set([0, 2]));
  });
  test("one mask for whole channels", () => {
    setSeed(2);
    const y = nn.dropout(0.5, { noiseShape: [null, 1, 1, null] })(ones([4, 3, 3, 8]), { training: true });
    expect(list(y.mean([1, 2])).every((v) => v === 0 || v === 2)).toBe(true);
  });
});

describe("convolution layers", () => {
  const image = (rows: readonly (readonly number[])[]): Tensor =>
    tensor(rows.flat(), { shape: [1, rows.length, rows[0].length, 1] });
  const filter = (rows: readonly (readonly number[])[], options: nn.ConvOptions = {}): nn.Layer => {
    const layer = nn.conv2d(1, [rows.length, rows[0].length], { useBias: false, ...options });
    layer.build([null, 16, 16, 1]);
    layer.variables[0].assign(tensor(rows.flat(), { shape: [rows.length, rows[0].length, 1, 1] }));
    return layer;
  };
  test("S-211 slide, multiply, sum; the kernel is not flipped: 2", () => {
    near(
      filter([
        [-1, 0, 1],
        [-2, 0, 2],
        [-1, 0, 1],
      ])(
        image([
          [3, 2, 1],
          [1, 2, 3],
          [1, 1, 1],
        ]),
      ),
      [2],
      0,
    );
  });
  test("S-214, S-215, S-431 a vertical edge: rows of [0 30 30 0]; its transpose sees nothing", () => {
    const edge = image(Array.from({ length: 6 }, () => [10, 10, 10, 0, 0, 0]));
    const kernel = [
      [1, 0, -1],
      [1, 0, -1],
      [1, 0, -1],
    ];
    near(filter(kernel)(edge), Array.from({ length: 4 }, () => [0, 30, 30, 0]).flat(), 0);
    near(filter(kernel[0].map((_, i) => kernel.map((r) => r[i])))(edge), Array(16).fill(0), 0);
  });
  test("S-220, S-221, S-223, S-224, S-247, S-252 sizes: valid, same, strided", () => {
    const size = (n: number, f: number, options: nn.ConvOptions = {}): number | null =>
      nn.conv2d(1, f, options).outputShape([null, n, n, 1])[1];
    expect([
      size(6, 3),
      size(32, 5),
      size(28, 5, { padding: "same" }),
      size(7, 3, { strides: 2 }),
      size(32, 5, { strides: 2 }),
      size(8, 3, { strides: 2 }),
    ]).toEqual([4, 28, 28, 3, 14, 3]);
    // An even window: the odd zero stands behind.
    near(filter([[1, 0, 0, 0]], { padding: "same" })(image([[1, 2, 3, 4, 5, 6]])), [0, 1, 2, 3, 4, 5], 0);
  });
  test("S-225, S-226, S-227 volumes: the kernel is as deep as the image; filters stack", () => {
    expect(nn.conv2d(1, 3).outputShape([null, 6, 6, 3])).toEqual([null, 4, 4, 1]);
    expect(nn.conv2d(10, 3).outputShape([null, 6, 6, 3])).toEqual([null, 4, 4, 10]);
  });
  test("S-235, S-236 max and average pooling of the notes' 4×4", () => {
    const x = image([
      [1, 1, 0, 1],
      [1, 2, 2, 5],
      [1, 1, 3, 1],
      [0, 1, 1, 2],
    ]);
    near(nn.maxPool2d(2)(x), [2, 5, 1, 3], 0);
    near(nn.avgPool2d(2)(x), [1.25, 2, 0.75, 1.75], 0);
  });
  test("S-237, S-238, S-239 pooled sizes 28 → 14, 55 → 27 → 13 → 6; gradients 1 at the maximum, ¼ each for the mean", () => {
    expect(nn.maxPool2d(2).outputShape([null, 28, 28, 1])).toEqual([null, 14, 14, 1]);
    const sizes = [55];
    for (let i = 0; i < 3; i++)
      sizes.push(nn.maxPool2d(3, { strides: 2 }).outputShape([null, sizes[i], sizes[i], 1])[1] as number);
    expect(sizes).toEqual([55, 27, 13, 6]);
    const x = image([
      [1, 2],
      [4, 3],
    ]);
    near(grad((a: Tensor) => sum(nn.maxPool2d(2)(a)))(x), [0, 0, 1, 0], 0);
    near(grad((a: Tensor) => sum(nn.avgPool2d(2)(a)))(x), [0.25, 0.25, 0.25, 0.25], 0);
  });
  test("S-240, S-241 a shift inside a window changes nothing; convolution moves with its input", () => {
    const dot = (at: number): Tensor =>
      image(Array.from({ length: 8 }, (_, r) => Array.from({ length: 8 }, (__, c) => Number(r === 3 && c === at))));
    expect(list(nn.maxPool2d(2)(dot(2)))).toEqual(list(nn.maxPool2d(2)(dot(3))));
    const conv = filter([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    const [a, b] = [conv(dot(3)), conv(dot(4))];
    expect(list(b.slice(null, null, [1, 6]))).toEqual(list(a.slice(null, null, [0, 5])));
  });
  test("S-245 a 1×1 convolution is a dense layer at each pixel", () => {
    const conv = nn.conv2d(4, 1);
    const layer = dense(4);
    const x = numbers(1, [2, 5, 6, 3], "float64");
    conv(x);
    layer(x);
    layer.variables[0].assign(conv.variables[0].reshape([3, 4]));
    near(layer(x), list(conv(x)), 1e-10);
  });
});
