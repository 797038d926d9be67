/** Catalogue rows: activations and initialisation, with their own numbers. */
import { describe, expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { grad, valueAndGrad } from "../../src/autodiff/index.ts";
import * as nn from "../../src/nn/index.ts";
import { adam, sgd } from "../../src/optim/index.ts";
import { matmul, ones, std, sum, type Tensor, tensor } from "../../src/tensor/index.ts";
import { keyOfSeed, threefry2x32 } from "../../src/base/index.ts";
import { normalQuantile, sampleUniform } from "../../src/nn/sampling.ts";
import { list, near, numbers } from "./harness.ts";

const { dense, sequential } = nn;
const f64 = (x: number | number[] | number[][]): Tensor => tensor(x, { dtype: "float64" });
const slope = (f: (x: Tensor) => Tensor, x: number[]): number[] => list(grad((a: Tensor) => sum(f(a)))(f64(x)));
const variance = (x: readonly number[]): number => {
  const m = x.reduce((a, b) => a + b, 0) / x.length;
  return x.reduce((s, v) => s + (v - m) ** 2, 0) / x.length;
};

describe("activations", () => {
  test("S-060 linear: z itself, slope 1", () => {
    near(nn.linear(f64([-2, 0, 3])), [-2, 0, 3]);
    near(slope(nn.linear, [-2, 3]), [1, 1]);
  });
  test("S-061, S-062 sigmoid and its slope ≤ 0.25", () => {
    near(nn.sigmoid(f64([0, 2, -1000, 1000])), [0.5, 0.880797, 0, 1]);
    near(slope(nn.sigmoid, [0, 2]), [0.25, 0.104994]);
    const grid = Array.from({ length: 101 }, (_, i) => (i - 50) / 5);
    expect(Math.max(...slope(nn.sigmoid, grid))).toBe(0.25);
    expect(slope(nn.sigmoid, [-1000, 1000])).toEqual([0, 0]);
  });
  test("S-063, S-064, S-065 tanh, 1 − a², and 2σ(2x) − 1", () => {
    near(nn.tanh(f64([0, 1, 1000, -1000])), [0, 0.761594, 1, -1]);
    near(slope(nn.tanh, [1]), [0.419974]);
    near(
      nn
        .sigmoid(f64([2]))
        .mul(2)
        .sub(1),
      [0.761594],
    );
  });
  test("S-066, S-067 relu, its slope, and 0 at 0", () => {
    near(nn.relu(f64([-1, 0, 2])), [0, 0, 2]);
    near(slope(nn.relu, [-1, 0, 2]), [0, 0, 1]);
  });
  test("S-068, S-069 leaky relu: slopes 0.1 and 0.01", () => {
    near(nn.leakyRelu({ slope: 0.1 })(f64([-1, 1, 0])), [-0.1, 1, 0]);
    near(nn.leakyRelu({ slope: 0.01 })(f64([-1])), [-0.01]);
    near(slope(nn.leakyRelu({ slope: 0.01 }), [-1, 1]), [0.01, 1]);
  });
  test("S-071 (A-09) ELU is piecewise", () => near(nn.elu(f64([-1, 1])), [-0.632121, 1]));
  test("S-072 softplus", () => near(nn.softplus(f64([0, 1, 1000])), [0.693147, 1.313262, 1000]));
  test("S-073 maxout of two linear pieces is |x|, with twice the parameters", () => {
    const x = nn.input([1]);
    const net = nn.model(
      x,
      nn.maximum()([
        dense(1, { kernelInitializer: nn.ones() })(x),
        dense(1, { kernelInitializer: nn.constant(-1) })(x),
      ]),
    );
    near(net(tensor([[-3], [2]])), [3, 2], 0);
    expect(nn.countParameters(net.variables)).toBe(4);
  });
  test("S-074 softmax: (.842, .042, .002, .114), safe at 1000, the same after a shift", () => {
    near(nn.softmax(f64([5, 2, -1, 3])), [0.842, 0.042, 0.002, 0.114], 5e-4);
    near(nn.softmax(f64([1001, 1002, 1003])), [0.09, 0.2447, 0.6652], 5e-5);
    near(
      nn.softmax({ axis: 0 })(
        f64([
          [1, 2],
          [3, 4],
        ]),
      ),
      [0.1192, 0.1192, 0.8808, 0.8808],
      1e-4,
    );
  });
  test("S-076 an output activation and a loss that do not belong together are refused", () => {
    expect(() => nn.binaryCrossentropy()(nn.softmax(ones([2, 3])), ones([2, 3]))).toThrow(
      /ends in softmax, this loss goes with sigmoid/,
    );
    expect(() => nn.categoricalCrossentropy()(nn.sigmoid(ones([2, 3])), ones([2, 3]))).toThrow(
      /ends in sigmoid, this loss goes with softmax/,
    );
  });
  test("S-078 linear layers collapse to one; with a relu XOR is learned, without it is not", async () => {
    const x = tensor([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    const y = new Float32Array([0, 1, 1, 0]);
    const accuracy = async (inner: nn.Activation): Promise<number> => {
      setSeed(3);
      const net = sequential([dense(8), inner, dense(1)]);
      net.compile({ optimizer: adam(0.05), loss: "binaryCrossentropy", metrics: ["accuracy"] });
      await net.fit([x, y], { epochs: 200, batchSize: 4, verbose: 0 });
      return (await net.evaluate([x, y])).accuracy;
    };
    expect(await accuracy(nn.relu)).toBe(1);
    expect(await accuracy(nn.linear)).toBeLessThan(1);
    const deep = sequential([dense(4, { useBias: false }), dense(3, { useBias: false }), dense(2, { useBias: false })]);
    const at = numbers(1, [5, 6], "float64");
    const want = deep(at);
    const one = deep.variables.slice(1).reduce<Tensor>((a, v) => matmul(a, v), deep.variables[0]);
    near(matmul(at, one), list(want), 1e-12);
  });
  test("S-080, S-081 saturation, dead relu and its cure", () => {
    near(slope(nn.sigmoid, [10]), [4.54e-5], 1e-7);
    near(slope(nn.tanh, [10]), [8.2e-9], 1e-10);
    const net = (f: nn.Activation): Tensor[] => {
      const layer = sequential([dense(4, { biasInitializer: nn.constant(-100) }), f]);
      layer.build([null, 3]);
      const [loss, grads] = valueAndGrad(layer, () => sum(layer(numbers(2, [8, 3]))));
      return [loss, ...grads];
    };
    expect(net(nn.relu).every((g) => list(g).every((v) => v === 0))).toBe(true);
    expect(list(net(nn.leakyRelu({ slope: 0.1 }))[1]).some((v) => v !== 0)).toBe(true);
  });
});

describe("initialisation", () => {
  const draw = (init: nn.Initializer, shape: readonly number[]): number[] => list(init(shape, "float64"));
  test("S-083 small random weights, zero biases", () => {
    const w = draw(nn.normal({ stddev: 0.01, seed: 1 }), [100, 100]);
    expect(Math.abs(w.reduce((a, b) => a + b, 0) / 1e4)).toBeLessThan(5e-4);
    expect(Math.sqrt(variance(w))).toBeCloseTo(0.01, 3);
    expect(draw(nn.zeros(), [3])).toEqual([0, 0, 0]);
  });
  test("S-084 lecun 1/n: variance 0.002 for 500 inputs", () => {
    for (const init of [nn.lecunNormal({ seed: 1 }), nn.lecunUniform({ seed: 1 })]) {
      expect(Math.abs(variance(draw(init, [500, 500])) / 0.002 - 1)).toBeLessThan(0.02);
    }
  });
  test("S-085, S-086 glorot: variance 0.01 for 100/100, uniform limit √6/√200 = 0.173205", () => {
    expect(variance(draw(nn.glorotNormal({ seed: 2 }), [100, 100]))).toBeCloseTo(0.01, 3);
    const u = draw(nn.glorotUniform({ seed: 2 }), [100, 100]);
    expect(variance(u)).toBeCloseTo(0.01, 3);
    expect(Math.max(...u.map(Math.abs))).toBeLessThan(0.173206);
    expect(Math.max(...u.map(Math.abs))).toBeGreaterThan(0.1731);
  });
  test("S-087, S-088 he, lecun and glorot deviations", () => {
    const dev = (init: nn.Initializer, shape: readonly number[]): number => Math.sqrt(variance(draw(init, shape)));
    expect(dev(nn.heNormal({ seed: 3 }), [256, 200])).toBeCloseTo(0.088388, 3);
    expect(dev(nn.lecunNormal({ seed: 3 }), [300, 100])).toBeCloseTo(0.0577, 3);
    expect(dev(nn.glorotNormal({ seed: 3 }), [300, 100])).toBeCloseTo(0.0707, 3);
    expect(dev(nn.heNormal({ seed: 3 }), [300, 100])).toBeCloseTo(0.0816, 3);
    expect(dev(nn.heUniform({ seed: 3 }), [3, 3, 64, 32])).toBeCloseTo(Math.sqrt(2 / 576), 3);
  });
  test("fans as Keras counts them; a seed gives the same numbers; truncation at two deviations", () => {
    expect([nn.fans([7]), nn.fans([3, 4]), nn.fans([5, 5, 3, 8])]).toEqual([
      { fanIn: 7, fanOut: 7 },
      { fanIn: 3, fanOut: 4 },
      { fanIn: 75, fanOut: 200 },
    ]);
    expect(draw(nn.normal({ seed: 5 }), [9])).toEqual(draw(nn.normal({ seed: 5 }), [9]));
    expect(draw(nn.normal({ seed: 5 }), [9])).not.toEqual(draw(nn.normal({ seed: 6 }), [9]));
    const cut = draw(nn.truncatedNormal({ stddev: 1, seed: 1 }), [20_000]);
    expect(Math.max(...cut.map(Math.abs))).toBeLessThan(2);
    expect(variance(cut)).toBeCloseTo(0.8796256610342398 ** 2, 1);
    expect(nn.initializerOf({ name: "heNormal", seed: 3 }).config).toEqual({ name: "heNormal", seed: 3 });
    setSeed(1);
    const [a, b] = [draw(nn.glorotUniform(), [4]), draw(nn.glorotUniform(), [4])];
    expect(a).not.toEqual(b);
    setSeed(1);
    expect(draw(nn.glorotUniform(), [4])).toEqual(a);
  });
  test("weights are drawn from the words of Threefry", () => {
    const key = keyOfSeed(11);
    const words = [0, 1, 2].flatMap((i) => threefry2x32(key[0], key[1], i, 0)).slice(0, 5);
    near(
      [...sampleUniform(key, [5], "float64", 0, 1)],
      words.map((w) => (w + 0.5) / 2 ** 32),
      0,
    );
  });
  test("the normal distribution's quantiles, centre and tails", () => {
    near(
      [0.5, 0.975, 0.01, 1e-9, 2 ** -33].map(normalQuantile),
      [0, 1.959963984540054, -2.326347874040841, -5.997807015007687, -6.33795775455379],
      1e-12,
    );
  });
  test("S-082 equal weights stay equal, random ones do not", () => {
    const rows = (init: nn.InitializerLike): number[] => {
      setSeed(1);
      const net = sequential([
        dense(2, { kernelInitializer: init, activation: "tanh" }),
        dense(1, { kernelInitializer: nn.constant(0.3) }),
      ]);
      const [x, y] = [numbers(3, [16, 3]), numbers(4, [16, 1])];
      net.build([null, 3]);
      const optimizer = sgd(0.05);
      for (let i = 0; i < 100; i++) optimizer.update(net, valueAndGrad(net, () => nn.meanSquaredError(net(x), y))[1]);
      return list(net.variables[0]);
    };
    const same = rows("zeros");
    expect(same[0]).not.toBe(0);
    expect([same[1], same[3], same[5]]).toEqual([same[0], same[2], same[4]]);
    const [p, q] = rows("glorotUniform");
    expect(p).not.toBe(q);
  });
  test("S-089, S-090, S-091 ten layers of 500: 1/n keeps linear and tanh alive, relu needs 2/n", () => {
    const ratio = (init: nn.Initializer, f: nn.Activation): number => {
      let h = numbers(1, [200, 500]);
      const before = std(h).item();
      for (let i = 0; i < 10; i++) h = f(matmul(h, init([500, 500])));
      return std(h).item() / before;
    };
    setSeed(1);
    expect(ratio(nn.lecunNormal(), nn.linear) ** 2).toBeGreaterThan(0.7);
    expect(ratio(nn.lecunNormal(), nn.linear) ** 2).toBeLessThan(1.3);
    expect(ratio(nn.normal({ stddev: 0.01 }), nn.tanh)).toBeLessThan(1e-5);
    expect(ratio(nn.normal({ stddev: 1 }), nn.tanh)).toBeGreaterThan(0.95);
    expect(ratio(nn.lecunNormal(), nn.tanh)).toBeCloseTo(0.23, 1);
    expect(ratio(nn.lecunNormal(), nn.relu)).toBeLessThan(0.06);
    expect(ratio(nn.heNormal(), nn.relu)).toBeGreaterThan(0.6);
  });
});
