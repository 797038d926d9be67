/** Constraints, penalties on results, layers of one's own, noise, initializers: what is not one layer's numbers. */
import { describe, expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { valueAndGrad } from "../../src/autodiff/index.ts";
import { svd } from "../../src/linalg/index.ts";
import * as nn from "../../src/nn/index.ts";
import { sgd } from "../../src/optim/index.ts";
import { compiled, matmul, ones, sum, type Tensor, tensor, transpose, zeros } from "../../src/tensor/index.ts";
import { modelFromBytes, modelToBytes } from "../../src/train/save.ts";
import { list, near, numbers } from "./harness.ts";

const { dense, sequential } = nn;
const f64 = (x: number[] | number[][]): Tensor => tensor(x, { dtype: "float64" });
const json = <T>(x: T): T => JSON.parse(JSON.stringify(x)) as T;

describe("constraints", () => {
  // Columns of length 5, 1 and 0.
  const w = f64([
    [3, 1, 0],
    [4, 0, 0],
  ]);
  test("norms of units: at most, exactly, and within", () => {
    near(nn.maxNorm({ maxValue: 2 })(w), [1.2, 1, 0, 1.6, 0, 0], 1e-6);
    near(nn.unitNorm()(w), [0.6, 1, 0, 0.8, 0, 0], 1e-6);
    near(nn.minMaxNorm({ minValue: 2, maxValue: 3 })(w), [1.8, 2, 0, 2.4, 0, 0], 1e-6);
    near(nn.minMaxNorm({ minValue: 2, maxValue: 3, rate: 0.5 })(w), [2.4, 1.5, 0, 3.2, 0, 0], 1e-6);
    near(nn.nonNeg()(f64([-1, 0, 2])), [0, 0, 2], 0);
    expect(
      list(
        sum(
          nn
            .unitNorm({ axis: [0, 1, 2] })(numbers(1, [3, 3, 2, 4]))
            .square(),
          [0, 1, 2],
        ),
      ),
    ).toEqual(Array.from({ length: 4 }, () => expect.closeTo(1, 5)));
  });
  test("layers put them on their variables, and files bring them back", () => {
    const net = sequential([dense(3, { kernelConstraint: nn.maxNorm({ maxValue: 1 }), biasConstraint: nn.nonNeg() })], {
      inputShape: [2],
    });
    const again = nn.modelFromConfig(json(net.config()));
    for (const { variables } of [net, again]) {
      near((variables[0].constraint as nn.Constraint)(w), [0.6, 1, 0, 0.8, 0, 0], 1e-6);
      near((variables[1].constraint as nn.Constraint)(f64([-1, 2])), [0, 2], 0);
    }
    expect(dense(1).variables.every((v) => v.constraint === null)).toBe(true);
  });
  test("values that make no sense are refused", () => {
    expect(() => nn.maxNorm({ maxValue: 0 })).toThrow("[maxNorm] maxValue must be > 0, got 0");
    expect(() => nn.minMaxNorm({ minValue: 2 })).toThrow("[minMaxNorm] needs 0 ≤ minValue ≤ maxValue");
  });
});

describe("penalties on results", () => {
  const x = numbers(1, [4, 3]);
  const make = (): nn.Model => {
    setSeed(1);
    return sequential(
      [dense(2, { activityRegularizer: nn.l2(0.5) }), nn.activityRegularization({ l1: 0.25 }), dense(1)],
      {
        inputShape: [3],
      },
    );
  };
  const wanted = (net: nn.Model): number => {
    const y = list(net.layers[0](x));
    return y.reduce((s, v) => s + 0.5 * v * v + 0.25 * Math.abs(v), 0);
  };
  test("the last call's results count, once, whatever was called before", () => {
    const net = make();
    expect(net.penalty()).toBeNull();
    const want = wanted(net);
    net(x.mul(7));
    net(x);
    expect(net.penalty()?.item()).toBeCloseTo(want, 5);
    const step = compiled((a: Tensor) => {
      net(a);
      return net.penalty() as Tensor;
    });
    expect(step(x).item()).toBeCloseTo(want, 5);
    // What was recorded in there is not of the next call.
    expect(net.penalty()?.item() ?? want).toBeCloseTo(want, 5);
  });
  test("fit adds them as the open form does", async () => {
    const y = numbers(2, [4, 1]);
    const fitted = make();
    fitted.compile({ optimizer: sgd(0.05), loss: "mse" });
    const { loss } = (await fitted.fit([x, y], { epochs: 3, batchSize: 4, shuffle: false, verbose: 0 })).history;
    const net = make();
    const optimizer = sgd(0.05);
    const losses = [1, 2, 3].map(() => {
      const [value, grads] = valueAndGrad(net, () =>
        nn.meanSquaredError(net(x, { training: true }), y).add(net.penalty() ?? 0),
      );
      optimizer.update(net, grads);
      return value.item();
    });
    near(losses, loss, 1e-6);
  });
  test("a layer that is called twice counts twice", () => {
    const shared = nn.activityRegularization({ l1: 1 });
    const at = nn.input([2]);
    const net = nn.model(at, nn.add()([shared(at), shared(at)]));
    net(ones([3, 2]));
    expect(net.penalty()?.item()).toBe(12);
  });
  test("the orthogonal penalty is 0 for orthogonal rows and factor for equal ones", () => {
    const penalty = nn.orthogonalRegularizer({ factor: 0.1 });
    expect(
      penalty(
        f64([
          [3, 0],
          [0, 2],
        ]),
      ).item(),
    ).toBeCloseTo(0, 12);
    expect(
      penalty(
        f64([
          [1, 2],
          [2, 4],
        ]),
      ).item(),
    ).toBeCloseTo(0.1, 9);
    expect(
      nn
        .orthogonalRegularizer({ factor: 0.1, mode: "columns" })(
          f64([
            [1, 1],
            [2, 2],
          ]),
        )
        .item(),
    ).toBeCloseTo(0.1, 9);
  });
});

describe("layers of one's own", () => {
  const scaled = nn.defineLayer({
    name: "scaled",
    options: { start: 1, sign: "plus" },
    build: ({ shape, options, variable }) => ({
      factor: variable("factor", shape.slice(-1), { name: "constant", value: options.start }),
    }),
    call: (x, { weights, options }) => (options.sign === "plus" ? x.mul(weights.factor) : x.mul(weights.factor).neg()),
  });
  const mixed = nn.defineLayer({ name: "mixed", many: true, call: ([a, b]) => a.mul(2).add(b) });

  test("they build, train, and come back from a file by what defineLayer gave", () => {
    const net = sequential([dense(4), scaled({ start: 0.5, sign: "minus", name: "s" }), dense(1)], { inputShape: [3] });
    expect(Object.keys(net.namedVariables())).toContain("s/factor");
    expect(list(net.namedVariables()["s/factor"])).toEqual([0.5, 0.5, 0.5, 0.5]);
    const grads = valueAndGrad(net, () => sum(net(ones([2, 3]))))[1];
    expect(grads.length).toBe(5);
    const bytes = modelToBytes(net);
    const x = numbers(1, [2, 3]);
    for (const layers of [[scaled], { scaled }] as const) {
      const again = modelFromBytes(bytes, { layers });
      expect(list(again(x))).toEqual(list(net(x)));
      expect(again.config()).toEqual(net.config());
    }
    expect(() => modelFromBytes(bytes)).toThrow(
      "for a layer of your own pass what defineLayer gave, { layers: [scaled] }",
    );
  });
  test("several inputs; no options, no variables", () => {
    near(mixed()([f64([1, 2]), f64([10, 20])]), [12, 24], 0);
    expect(mixed.class).toBe("mixed");
    expect(mixed().config()).toEqual({});
  });
  test("an option that is not there is named", () => {
    expect(() => scaled({ strat: 2 } as object)).toThrow('[scaled] has no option "strat": did you mean "start"?');
    expect(() => mixed({ a: 1 } as object)).toThrow('[mixed] has no option "a": it has none but name and trainable.');
  });
  test("timeDistributed holds the layer in its JSON, one's own too", () => {
    const net = sequential([nn.timeDistributed(scaled({ start: 3 }))], { inputShape: [2, 5] });
    const again = nn.modelFromConfig(json(net.config()), { layers: [scaled] });
    expect(list(again(ones([1, 2, 5])))).toEqual(Array<number>(10).fill(3));
    expect(Object.keys(net.namedVariables())).toEqual(["timeDistributed/scaled/factor"]);
  });
});

describe("spectralNorm", () => {
  test("training holds the largest singular value at 1, whatever the optimizer asks for", async () => {
    setSeed(1);
    const net = sequential([nn.spectralNorm(dense(6), { powerIterations: 3 }), nn.tanh, dense(1)], {
      inputShape: [4],
    });
    const model = nn.modelFromConfig(json(net.config())) as nn.Sequential;
    expect(Object.keys(model.namedVariables()).slice(0, 3)).toEqual([
      "spectralNorm/vector_u",
      "spectralNorm/dense/kernel",
      "spectralNorm/dense/bias",
    ]);
    model.compile({ optimizer: sgd(0.02), loss: "mse" });
    const x = numbers(1, [64, 4], "float32");
    const y = x.sum(1, { keepdims: true }).mul(5);
    const { history } = await model.fit({ x, y }, { epochs: 40, batchSize: 16, verbose: 0 });
    expect(history["loss"].at(-1)).toBeLessThan(history["loss"][0] / 3);
    const kernel = model.namedVariables()["spectralNorm/dense/kernel"];
    model(x, { training: true });
    expect(svd(kernel).s.at(0).item()).toBeCloseTo(1, 2);
    const before = kernel.array();
    model(x);
    expect(kernel.array()).toEqual(before);
  });
  test("a table of embeddings too; a layer without one kernel is refused", () => {
    const layer = nn.spectralNorm(nn.embedding(5, 3), { powerIterations: 30 });
    const at = tensor([[1, 4]], { dtype: "int32" });
    layer(at, { training: true });
    layer(at, { training: true });
    expect(svd(layer.variables[1]).s.at(0).item()).toBeCloseTo(1, 5);
    expect(() => nn.spectralNorm(nn.flatten())(zeros([1, 2]))).toThrow(
      '[spectralNorm "spectralNorm"] needs a layer with one kernel or table of embeddings, got flatten "flatten" with 0.',
    );
    expect(() => nn.spectralNorm(nn.separableConv2d(2, 3))(zeros([1, 4, 4, 2]))).toThrow("with 2.");
    expect(() => nn.spectralNorm(dense(1), { powerIterations: 0 })).toThrow("[spectralNorm] powerIterations must be");
    expect(nn.costsOf([nn.spectralNorm(dense(3))], [4])).toMatchObject({ parameters: 18, multiplyAdds: 12 });
  });
});

describe("noise", () => {
  const stats = (y: Tensor): { mean: number; std: number } => {
    const values = list(y);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return { mean, std: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) };
  };
  test("gaussian noise and gaussian dropout have the deviation they say", () => {
    setSeed(1);
    const x = ones([200, 500]).mul(2);
    const noisy = stats(nn.gaussianNoise(0.3)(x, { training: true }));
    expect(Math.abs(noisy.mean - 2)).toBeLessThan(0.005);
    expect(Math.abs(noisy.std - 0.3)).toBeLessThan(0.005);
    const dropped = stats(nn.gaussianDropout(0.2)(x, { training: true }));
    expect(Math.abs(dropped.mean - 2)).toBeLessThan(0.015);
    expect(Math.abs(dropped.std - 2 * 0.5)).toBeLessThan(0.015);
  });
  test("alpha dropout keeps mean 0 and variance 1", () => {
    setSeed(2);
    const y = nn.alphaDropout(0.3)(numbers(1, [300, 500]), { training: true });
    const { mean, std } = stats(y);
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.abs(std - 1)).toBeLessThan(0.01);
  });
  test("spatial dropout drops whole channels and nothing else", () => {
    setSeed(3);
    const y = list(nn.spatialDropout2d(0.5)(ones([8, 5, 4, 16]), { training: true }));
    const channels = Array.from({ length: 8 * 16 }, (_, i) => {
      const [b, c] = [Math.floor(i / 16), i % 16];
      return new Set(Array.from({ length: 20 }, (_, p) => y[(b * 20 + p) * 16 + c]));
    });
    expect(channels.every((s) => s.size === 1)).toBe(true);
    expect(new Set(channels.map((s) => [...s][0]))).toEqual(new Set([0, 2]));
  });
});

describe("initializers of matrices", () => {
  test("orthogonal: orthonormal columns, or rows, or of the flattened kernel, times gain; a seed repeats", () => {
    for (const shape of [
      [40, 40],
      [50, 20],
      [20, 50],
      [3, 3, 4, 8],
    ]) {
      const w = nn.orthogonal({ gain: 2, seed: 7 })(shape, "float64");
      const m = w.reshape([-1, shape[shape.length - 1]]);
      const [rows, columns] = m.shape;
      const gram = rows >= columns ? matmul(transpose(m), m) : matmul(m, transpose(m));
      const n = Math.min(rows, columns);
      near(
        gram,
        Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 4 : 0)),
        1e-12,
      );
      expect(list(nn.orthogonal({ gain: 2, seed: 7 })(shape, "float64"))).toEqual(list(w));
    }
    expect(() => nn.orthogonal()([3])).toThrow("[orthogonal] fills matrices and kernels, got [3]");
  });
  test("identity", () => {
    expect(list(nn.identity({ gain: 3 })([2, 3]))).toEqual([3, 0, 0, 0, 3, 0]);
    expect(() => nn.identity()([2, 2, 2])).toThrow("[identity] fills matrices, got [2, 2, 2]");
  });
});

describe("mistakes", () => {
  test.each([
    [
      () => nn.zeroPadding2d([1, 2, 3]),
      "[zeroPadding2d] padding must be a whole number ≥ 0, or 2 of them or pairs, got [1,2,3]",
    ],
    [
      () => nn.cropping1d(2)(zeros([1, 4, 1])),
      "cuts 2 + 2 off 4 on spatial axis 0 of input [1, 4, 1]: nothing is left",
    ],
    [() => nn.permute([0, 1]), "[permute] dims must hold each of 1..2 once (0 is the batch), got [0, 1]"],
    [() => nn.groupNorm(3)(zeros([1, 4, 4, 8])), "8 channels of input [1, 4, 4, 8] do not split into 3 groups"],
    [() => nn.dot({ axes: 0 })([zeros([2, 3]), zeros([2, 3])]), "never the batch, got [2, 3] and [2, 3]"],
    [() => nn.repeatVector(2)(zeros([1, 2, 3])), "expects [batch, features], got input [1, 2, 3]"],
    [
      () => nn.spatialDropout2d(0.1)(zeros([1, 2, 3])),
      "expects [batch, 2 spatial axes, channels], got input [1, 2, 3]",
    ],
    [() => nn.alphaDropout(1), "[alphaDropout] rate is the share that is dropped, 0 ≤ rate < 1, got 1"],
    [
      () => nn.upSampling2d(2, { interpolation: "cubic" as "nearest" }),
      'interpolation must be "nearest" or "bilinear", got "cubic"',
    ],
    [() => nn.timeDistributed(dense(1))(zeros([2, 3])), "expects [batch, time, ...features], got input [2, 3]"],
    [
      () => nn.adaptiveAvgPool2d(3)(zeros([1, 2, 4, 1])),
      "cannot pool 2 places to 3 on spatial axis 0 of input [1, 2, 4, 1]: upSampling2d() makes more.",
    ],
    [
      () => nn.einsumDense("ab-bc", 3),
      '[einsumDense] the equation must be of the form "ab,bc->ac" or "...b,bc->...c", got "ab-bc".',
    ],
    [
      () => nn.einsumDense("ab,bc->ad", 3),
      '[einsumDense] the output\'s "d" stands neither in the input nor in the kernel',
    ],
    [() => nn.einsumDense("abc,cd->abd", 3), 'outputShape must have a size (or null) for each of "bd"'],
    [() => nn.einsumDense("ab,bc->ac", 0), 'for each of "c" in ab,bc->ac, got [0]'],
    [() => nn.einsumDense("ab,bc->ac", [null])(zeros([2, 3])), 'nothing says how large "c" of ab,bc->ac is'],
    [() => nn.einsumDense("ab,bc->ac", 3)(zeros([2, 3, 4])), "ab,bc->ac needs an input of 2 axes, got [2, 3, 4]"],
    [() => nn.globalAvgPool2d()(zeros([2, 3, 4])), "expects [batch, height, width, channels], got input [2, 3, 4]"],
  ] as const)("%#", (f, message) => {
    expect(f).toThrow(message);
  });
});
