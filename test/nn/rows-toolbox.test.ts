/** Catalogue rows: whole small networks, and what they cost. */
import { describe, expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { checkGradients, grad, valueAndGrad } from "../../src/autodiff/index.ts";
import { diagnoseErrors } from "../../src/diagnose/index.ts";
import * as nn from "../../src/nn/index.ts";
import { adam } from "../../src/optim/index.ts";
import { concat, matmul, random, slice, type Tensor, tensor, transpose } from "../../src/tensor/index.ts";
import { list, numbers } from "./harness.ts";

const { conv2d, costsOf, dense, flatten, maxPool2d, relu, sequential } = nn;

test("S-079 another activation in each layer: tanh, relu, sigmoid; gradients agree with differences to 1e-7", () => {
  setSeed(3);
  const net = sequential([
    dense(5, { activation: "tanh" }),
    dense(4, { activation: "relu" }),
    dense(1, { activation: "sigmoid" }),
  ]);
  const [x, y] = [numbers(1, [6, 3], "float64"), numbers(2, [6, 1], "float64").greater(0).cast("float64")];
  net.build([null, 3], "float64");
  const report = checkGradients(net, () => nn.binaryCrossentropy()(net(x), y), { tolerance: 1e-7 });
  expect(report.passed, report.message).toBe(true);
});

test("S-093 a canvas of seeded noise in 0..1, from which the style cost falls", () => {
  const start = nn.uniform({ min: 0, max: 1, seed: 9 })([1, 16, 16, 3]);
  const values = list(start);
  expect(Math.min(...values) >= 0 && Math.max(...values) <= 1).toBe(true);
  expect(list(nn.uniform({ min: 0, max: 1, seed: 9 })([1, 16, 16, 3]))).toEqual(values);
  setSeed(1);
  const features = sequential([conv2d(8, 3, { activation: "relu" })], { inputShape: [16, 16, 3] });
  const gram = (image: Tensor): Tensor => {
    const rows = features(image).reshape([-1, 8]);
    return matmul(transpose(rows), rows).div(rows.shape[0]);
  };
  const style = gram(random.uniform([1, 16, 16, 3]).mul(2));
  const cost = (image: Tensor): Tensor => gram(image).sub(style).square().sum();
  let canvas = start;
  const costs: number[] = [];
  for (let i = 0; i < 30; i++) {
    costs.push(cost(canvas).item());
    canvas = canvas.sub(grad(cost)(canvas).mul(0.5));
  }
  expect(costs.at(-1)).toBeLessThan(costs[0] / 2);
  costs.slice(1).forEach((c, i) => expect(c).toBeLessThanOrEqual(costs[i] * 1.0001));
});

describe("S-254 one hidden layer", () => {
  test("S-254 four tanh units: planar petals ≥ 88 %; shapes (n1, n0), (n1, 1), (1, n1), (1, 1) as ours are transposed", async () => {
    setSeed(2);
    const n = 200;
    const points: number[] = [];
    const labels: number[] = [];
    for (let i = 0; i < 2 * n; i++) {
      const c = i < n ? 0 : 1;
      const t = ((i % n) / n) * 3.12 + c * 3.12 + 0.2 * Math.sin(7 * i);
      const r = 4 * Math.sin(4 * t) + 0.2 * Math.cos(13 * i);
      points.push(r * Math.sin(t), r * Math.cos(t));
      labels.push(c);
    }
    const net = sequential([dense(4, { activation: "tanh" }), dense(1, { activation: "sigmoid" })], {
      inputShape: [2],
    });
    expect(net.variables.map((v) => v.shape)).toEqual([[2, 4], [4], [4, 1], [1]]);
    net.compile({ optimizer: adam(0.05), loss: "binaryCrossentropy", metrics: ["accuracy"] });
    const data = { x: tensor(points, { shape: [2 * n, 2] }), y: tensor(labels, { shape: [2 * n, 1] }) };
    await net.fit(data, { epochs: 300, batchSize: 400, verbose: 0 });
    expect((await net.evaluate(data)).accuracy).toBeGreaterThanOrEqual(0.88);
  });
  test("S-254 XOR, four of four", async () => {
    setSeed(5);
    const net = sequential([dense(4, { activation: "tanh" }), dense(1, { activation: "sigmoid" })], {
      inputShape: [2],
    });
    net.compile({ optimizer: adam(0.1), loss: "binaryCrossentropy", metrics: ["accuracy"] });
    const data = {
      x: tensor([
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ]),
      y: tensor([[0], [1], [1], [0]]),
    };
    await net.fit(data, { epochs: 200, batchSize: 4, verbose: 0 });
    expect((await net.evaluate(data)).accuracy).toBe(1);
  });
});

test("S-199 errors of three splits, and their gap: .02 and .10 are .08 apart", async () => {
  expect(diagnoseErrors({ train: 0.02, dev: 0.1 })).toMatchObject({ bias: 0.02, variance: 0.08 });
  setSeed(1);
  const net = sequential([dense(16, { activation: "relu" }), dense(2)], { inputShape: [4] });
  net.compile({ optimizer: adam(0.02), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const split = (seed: number, n: number): { x: Tensor; y: Tensor } => {
    const x = numbers(seed, [n, 4]);
    const noisy = x.sum(1).add(numbers(seed + 50, [n]).mul(1.5));
    return { x, y: noisy.greater(0).cast("int32") };
  };
  const [train, dev, other] = [split(1, 40), split(2, 400), split(3, 400)];
  await net.fit(train, { epochs: 200, batchSize: 40, verbose: 0 });
  const errors = await Promise.all([train, dev, other].map(async (s) => 1 - (await net.evaluate(s)).accuracy));
  const { variance, verdict } = diagnoseErrors({ train: errors[0], dev: errors[1] });
  expect(variance).toBeCloseTo(errors[1] - errors[0], 9);
  expect(verdict).toContain("variance");
  // Dev and test are of one distribution.
  expect(Math.abs(errors[1] - errors[2])).toBeLessThan(0.1);
});

describe("LeNet by the calculator", () => {
  const lenet = [
    conv2d(6, 5, { padding: "same" }),
    relu,
    maxPool2d(2),
    conv2d(16, 5),
    relu,
    maxPool2d(2),
    flatten(),
    dense(120),
    relu,
    dense(84),
    relu,
    dense(10),
  ];
  test("S-257 C1 is 28×28×6 with 156 parameters and 122 304 connections, S2 14×14×6 with none", () => {
    const [c1, , s2] = costsOf(lenet, [28, 28, 1]).layers;
    expect(c1).toMatchObject({ output: [28, 28, 6], parameters: 156 });
    expect(c1.multiplyAdds + 28 * 28 * 6).toBe(122_304);
    expect(s2).toMatchObject({ output: [14, 14, 6], parameters: 0, multiplyAdds: 0 });
  });
  test("S-258 C3: 3×3 gives 12×12×16 and 880, 5×5 gives 10×10×16 and 2416, LeCun's sparse table 1516", () => {
    expect(costsOf([conv2d(16, 3)], [14, 14, 6]).layers[0]).toMatchObject({ output: [12, 12, 16], parameters: 880 });
    expect(costsOf([conv2d(16, 5)], [14, 14, 6]).layers[0]).toMatchObject({ output: [10, 10, 16], parameters: 2416 });
    const maps = [
      ...Array.from({ length: 6 }, (_, i) => [0, 1, 2].map((k) => (i + k) % 6)),
      ...Array.from({ length: 6 }, (_, i) => [0, 1, 2, 3].map((k) => (i + k) % 6)),
      ...Array.from({ length: 3 }, (_, i) => [0, 1, 3, 4].map((k) => (i + k) % 6)),
      [0, 1, 2, 3, 4, 5],
    ];
    const x = nn.input([14, 14, 6]);
    const parts = maps.map((channels) => {
      const pick = nn.lambda((at: Tensor) =>
        concat(
          channels.map((c) => slice(at, "...", [c, c + 1])),
          -1,
        ),
      );
      return conv2d(1, 5)(pick(x));
    });
    const c3 = nn.model(x, nn.concatenate()(parts));
    const costs = costsOf(c3);
    expect(costs.layers.at(-1)?.output).toEqual([10, 10, 16]);
    expect(costs.parameters).toBe(1516);
    expect(costs.multiplyAdds).toBe(100 * 25 * 60);
  });
});

describe("S-269 the calculator", () => {
  const parameters = (layer: nn.LayerLike, shape: number[]): number => costsOf([layer], shape).parameters;
  const conv = (filters: number, size: number, options: nn.ConvOptions = {}): nn.LayerLike =>
    conv2d(filters, size, options);
  test("S-269 the counts of the section, from layers that are never built", () => {
    const layer = conv(6, 4);
    const single: [nn.LayerLike, number[], number][] = [
      [conv(1, 5, { useBias: false }), [32, 32, 3], 75],
      [conv(1, 5), [32, 32, 3], 76],
      [conv(5, 3), [32, 32, 3], 140],
      [layer, [4, 4, 3], 294],
      [conv(4, 4), [4, 4, 3], 196],
      [conv(6, 5), [32, 32, 3], 456],
      [flatten(), [32, 32, 3], 0],
      [dense(4704), [3072], 14_455_392],
      [conv(10, 3), [39, 39, 3], 280],
      [conv(20, 5, { strides: 2 }), [37, 37, 10], 5020],
      [conv(40, 5, { strides: 2 }), [17, 17, 20], 20_040],
      [conv(16, 3), [14, 14, 6], 880],
      [conv(16, 5), [14, 14, 6], 2416],
      [dense(120), [400], 48_120],
      [dense(84), [120], 10_164],
      [dense(10), [84], 850],
      [conv(5, 3, { padding: "same" }), [256, 256, 3], 140],
      [conv(5, 3, { padding: "same" }), [128, 128, 5], 230],
      [conv(64, 7, { useBias: false }), [56, 56, 64], 200_704],
      [conv(192, 3, { padding: "same", useBias: false }), [28, 28, 64], 110_592],
    ];
    for (const [l, shape, want] of single) expect(parameters(l, shape)).toBe(want);
    expect((layer as nn.Layer).built).toBe(false);
  });
  test("S-269 LeNet, AlexNet and VGG-16: sizes, parameters, multiplications", () => {
    const block = (n: number, filters: number): nn.LayerLike[] => [
      ...Array.from({ length: n }, () => conv(filters, 3, { padding: "same", activation: "relu" })),
      maxPool2d(2),
    ];
    const head = [flatten(), dense(4096), relu, dense(4096), relu, dense(1000)];
    const vgg = [...block(2, 64), ...block(2, 128), ...block(3, 256), ...block(3, 512), ...block(3, 512)];
    const costs = costsOf([...vgg, ...head], [224, 224, 3]);
    expect(costs.parameters).toBe(138_357_544);
    expect(costsOf(vgg, [224, 224, 3]).parameters).toBe(14_714_688);
    expect(costsOf(head, [7, 7, 512]).parameters).toBe(123_642_856);
    expect(costs.layers.filter((l) => l.class === "maxPool2d").map((l) => l.output[0])).toEqual([112, 56, 28, 14, 7]);
    const alex = (groups: number): nn.LayerLike[] => [
      conv(96, 11, { strides: 4 }),
      maxPool2d(3, { strides: 2 }),
      conv(256, 5, { padding: "same", groups }),
      maxPool2d(3, { strides: 2 }),
      conv(384, 3, { padding: "same" }),
      conv(384, 3, { padding: "same", groups }),
      conv(256, 3, { padding: "same", groups }),
      maxPool2d(3, { strides: 2 }),
      ...head,
    ];
    const alexCosts = costsOf(alex(1), [227, 227, 3]);
    expect(alexCosts.parameters).toBe(62_378_344);
    expect(costsOf(alex(2), [227, 227, 3]).parameters).toBe(60_965_224);
    expect(alexCosts.layers.slice(0, 8).map((l) => l.output[0])).toEqual([55, 27, 27, 13, 13, 13, 13, 6]);
    const reduce = costsOf([conv(16, 1), conv(32, 5, { padding: "same" })], [28, 28, 192]);
    expect(reduce.layers.map((l) => l.multiplyAdds)).toEqual([2_408_448, 10_035_200]);
    expect(reduce.multiplyAdds).toBe(12_443_648);
    expect(costsOf([conv(32, 5, { padding: "same" })], [28, 28, 192]).multiplyAdds).toBe(120_422_400);
    expect(String(reduce)).toContain("total");
  });
  test("built networks, shared layers, wrappers and nested ones count as their summary does", () => {
    const net = sequential(
      [sequential([conv2d(4, 3), nn.batchNorm()]), nn.timeDistributed(dense(3)), flatten(), dense(2)],
      {
        inputShape: [8, 8, 2],
      },
    );
    expect(costsOf(net).parameters).toBe(nn.countParameters(net.variables));
    expect(costsOf(net).layers.map((l) => l.class)).toEqual(["conv2d", "batchNorm", "dense", "flatten", "dense"]);
    const shared = dense(4);
    const at = nn.input([4]);
    const twice = costsOf(nn.model(at, shared(shared(at))));
    expect([twice.parameters, twice.multiplyAdds]).toEqual([20, 32]);
    expect(() => costsOf([dense(1)])).toThrow("[costsOf] needs the shape of a sample");
    expect(() => costsOf([dense(1)], [null, 3])).toThrow("[costsOf] sizes of a sample must be known");
  });
});

test("valueAndGrad and costsOf leave each other alone", () => {
  const net = sequential([dense(3), relu, dense(1)], { inputShape: [2] });
  costsOf(net);
  const [, grads] = valueAndGrad(net, () => net(numbers(1, [4, 2])).sum());
  expect(grads.length).toBe(4);
});
