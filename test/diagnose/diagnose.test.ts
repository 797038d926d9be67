import { describe, expect, test } from "vitest";
import { customVjp, random, tensor, type Tensor } from "../../src/index.ts";
import { setSeed } from "../../src/base/context.ts";
import {
  beamErrorAnalysis,
  biasVariance,
  checkModel,
  diagnoseErrors,
  gradientNorms,
  overfitBatch,
  unitMonitor,
  updateRatios,
} from "../../src/diagnose/index.ts";
import {
  batchNorm,
  binaryCrossentropy,
  crossEntropy,
  dense,
  dropout,
  l2,
  lambda,
  meanSquaredError,
  relu,
  sequential,
  sigmoid,
  tanh,
} from "../../src/nn/index.ts";
import { adam } from "../../src/optim/index.ts";

describe("bias and variance", () => {
  const cases = [
    [0.01, 0.11, "variance"],
    [0.15, 0.16, "bias"],
    [0.15, 0.3, "bias and variance"],
    [0.005, 0.01, "fine"],
  ] as const;

  test("S-410 four pairs of training and dev errors", () => {
    for (const [train, dev, verdict] of cases) expect(diagnoseErrors({ train, dev }).verdict).toBe(verdict);
    // What people cannot do either is not bias.
    expect(diagnoseErrors({ train: 0.15, dev: 0.16, optimal: 0.145 }).verdict).toBe("fine");
  });

  test("S-410 bias and variance of fits to different data sets", () => {
    // Lines and polynomials of degree 9 through 12 noisy points of a sine: the first cannot, the second follows the noise.
    setSeed(5);
    const places = Float64Array.from({ length: 12 }, (_, i) => (2 * Math.PI * i) / 11);
    const truth = places.map(Math.sin);
    const fitted = (degree: number): Float64Array[] =>
      Array.from({ length: 40 }, () => {
        const noisy = tensor(truth)
          .add(random.normal([12], { dtype: "float64" }).mul(0.3))
          .dataSync();
        return leastSquares(places, noisy, degree);
      });
    const [line, wild] = [fitted(1), fitted(9)].map((fits) => biasVariance(fits, truth));
    expect(line.bias2).toBeGreaterThan(10 * wild.bias2);
    expect(wild.variance).toBeGreaterThan(2 * line.variance);
    expect(line.error).toBeCloseTo(line.bias2 + line.variance, 12);
    expect(
      biasVariance(
        [
          [1, 2],
          [3, 2],
        ],
        [2, 2],
      ),
    ).toEqual({ bias2: 0, variance: 0.5, error: 0.5 });
    expect(() => biasVariance([[1]], [1, 2])).toThrow("fit 0 has 1 predictions for 2 points");
  });

  test("S-411 high bias and much higher dev error are both", () => {
    const { verdict, bias, variance } = diagnoseErrors({ train: 0.15, dev: 0.3 });
    expect([verdict, bias, variance]).toEqual(["bias and variance", 0.15, 0.15]);
  });

  test("S-412 four cases, four lists of advice", () => {
    const lists = cases.map(([train, dev]) => diagnoseErrors({ train, dev }).advice.join("\n"));
    expect(new Set(lists).size).toBe(4);
    const [variance, bias, both] = lists;
    expect(bias).toContain("larger network");
    expect(variance).toContain("more training data");
    expect(both.indexOf("larger network")).toBeLessThan(both.indexOf("more training data"));
  });

  test("percentages are caught", () => {
    expect(() => diagnoseErrors({ train: 15, dev: 16 })).toThrow(
      "[diagnoseErrors] the train error is a rate in 0..1, got 15. Did you mean 0.15?",
    );
  });
});

/** Values at xs of the polynomial of least squares, by Gram-Schmidt on powers. */
function leastSquares(xs: Float64Array, ys: ArrayLike<number>, degree: number): Float64Array {
  const out = new Float64Array(xs.length);
  const basis: Float64Array[] = [];
  for (let d = 0; d <= degree; d++) {
    const v = xs.map((x) => (x / Math.PI - 1) ** d);
    for (let twice = 0; twice < 2; twice++)
      for (const b of basis) {
        const along = b.reduce((s, x, i) => s + x * v[i], 0);
        b.forEach((x, i) => (v[i] -= along * x));
      }
    const size = Math.hypot(...v);
    basis.push(v.map((x) => x / size));
    const along = basis[d].reduce((s, x, i) => s + x * ys[i], 0);
    basis[d].forEach((x, i) => (out[i] += along * x));
  }
  return out;
}

describe("gradients by layer", () => {
  test("S-414 the gradient of a chain of sigmoids is the product of its slopes, at most .25 each", () => {
    expect(0.25 ** 10).toBeCloseTo(9.5e-7, 8);
    // ∂L/∂w1 = (ŷ − y) σ' w2 σ' w3 σ' x of three neurons, as the network reports it.
    const [w1, w2, w3, x, y] = [0.5, -0.3, 0.8, 1, 0.2];
    const s = (z: number): number => 1 / (1 + Math.exp(-z));
    const chain = sequential(
      [1, 2, 3].map((i) => dense(1, { activation: "sigmoid", useBias: false, name: `w${i}` })),
      {
        inputShape: [1],
        inputDtype: "float64",
      },
    );
    chain.setWeights(
      Object.fromEntries(
        [w1, w2, w3].map((w, i) => [`w${i + 1}/kernel`, { data: Float64Array.of(w), shape: [1, 1], dtype: "float64" }]),
      ),
    );
    const [a1, a2, a3] = [s(w1 * x), s(w2 * s(w1 * x)), s(w3 * s(w2 * s(w1 * x)))];
    const slope = (a: number): number => a * (1 - a);
    const want = (a3 - y) * slope(a3) * w3 * slope(a2) * w2 * slope(a1) * x;
    const input = tensor([[x]], { dtype: "float64" });
    const found = gradientNorms(chain, () => chain(input).sub(y).square().mul(0.5).sum());
    expect(found.rows[0].gradientNorm).toBeCloseTo(Math.abs(want), 14);
    expect(found.loss).toBeCloseTo((a3 - y) ** 2 / 2, 14);

    // Ten sigmoid layers starve the first; ReLU with He weights does not.
    setSeed(1);
    const deep = (activation: "sigmoid" | "relu"): ReturnType<typeof gradientNorms> => {
      const net = sequential(
        Array.from({ length: 10 }, () =>
          dense(64, { activation, kernelInitializer: activation === "relu" ? "heNormal" : "glorotUniform" }),
        ),
        { inputShape: [64] },
      );
      const at = random.normal([128, 64]);
      return gradientNorms(net, () => net(at).square().mean());
    };
    const [sigmoids, relus] = [deep("sigmoid"), deep("relu")];
    expect(sigmoids.trend).toBe("vanishing");
    expect(sigmoids.firstToLast).toBeLessThan(1e-4);
    expect(relus.trend).toBe("even");
    expect(String(sigmoids)).toMatch(/^variable {2,}shape.*\(vanishing\)$/s);
    expect(sigmoids.rows).toHaveLength(20);
  });

  test("S-415 powers of 1.5 explode, of .5 vanish, and a matrix does by its eigenvalues", () => {
    expect(1.5 ** 100 / 4.07e17).toBeCloseTo(1, 2);
    expect(0.5 ** 100 / 7.9e-31).toBeCloseTo(1, 2);
    // A linear network of 100 layers of 1.5, and of .5, as gradients see it.
    for (const [scale, trend] of [
      [1.5, "exploding"],
      [0.5, "vanishing"],
    ] as const) {
      const net = sequential(
        Array.from({ length: 100 }, () => dense(2, { useBias: false })),
        { inputShape: [2], inputDtype: "float64" },
      );
      const kernel = { data: Float64Array.of(scale, 0, 0, scale), shape: [2, 2], dtype: "float64" } as const;
      net.setWeights(Object.fromEntries(Object.keys(net.weights()).map((name) => [name, kernel])));
      const out = net(tensor([[1, 1]], { dtype: "float64" }));
      expect(out.dataSync()[0] / scale ** 100).toBeCloseTo(1, 10);
      // Only the input's gradient sees all factors: that of the first kernel has 99.
      const { rows } = gradientNorms(net, () => net(tensor([[1, 1]], { dtype: "float64" })).sum());
      expect(rows[0].gradientNorm / (2 * scale ** 99)).toBeCloseTo(1, 10);
      // Along the chain forward and backward factors balance, so every kernel has the same norm: the growth is in the value.
      expect(trend === "exploding" ? rows[0].gradientNorm > 1e17 : rows[0].gradientNorm < 1e-29).toBe(true);
    }
    // W^t = U Λ^t U⁻¹ for W = [[2, 1], [1, 2]]: eigenvalues 3 and 1, U of (1, 1) and (1, -1).
    let power = tensor(
      [
        [1, 0],
        [0, 1],
      ],
      { dtype: "float64" },
    );
    for (let t = 0; t < 20; t++)
      power = power.matmul(
        tensor(
          [
            [2, 1],
            [1, 2],
          ],
          { dtype: "float64" },
        ),
      );
    const [u, inverse] = [
      [
        [1, 1],
        [1, -1],
      ],
      [
        [0.5, 0.5],
        [0.5, -0.5],
      ],
    ].map((m) => tensor(m, { dtype: "float64" }));
    const formula = u
      .matmul(
        tensor(
          [
            [3 ** 20, 0],
            [0, 1],
          ],
          { dtype: "float64" },
        ),
      )
      .matmul(inverse);
    expect([...power.dataSync()]).toEqual([...formula.dataSync()]);
  });

  test("S-416 150 linear layers that each scale by 1.1 grow their input 1.6 million times", () => {
    const net = sequential(
      Array.from({ length: 150 }, () =>
        dense(1, { useBias: false, kernelInitializer: { name: "constant", value: 1.1 } }),
      ),
      { inputShape: [1] },
    );
    expect(net(tensor([[1]])).item() / 1.6e6).toBeCloseTo(1, 1);
  });

  test("how far a step moves each variable", () => {
    const net = sequential([dense(4), relu, dense(1)], { inputShape: [3] });
    const [x, y] = [random.normal([16, 3]), random.normal([16, 1])];
    net.compile({ optimizer: adam(1e-3), loss: "mse" });
    const before = net.weights();
    const rows = updateRatios(net, () => net.setWeights(scaled(before, 1.01)));
    for (const r of rows.filter(({ name }) => name.endsWith("kernel"))) expect(r.ratio).toBeCloseTo(0.01, 5);
    expect(rows.map((r) => r.name)).toEqual(["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]);
    expect(gradientNorms(net, () => meanSquaredError(net(x), y)).rows[0].ratio).toBeGreaterThan(0);
  });

  const scaled = (weights: ReturnType<ReturnType<typeof sequential>["weights"]>, by: number): typeof weights =>
    Object.fromEntries(
      Object.entries(weights).map(([name, w]) => [name, { ...w, data: Float32Array.from(w.data, (v) => v * by) }]),
    );
});

describe("S-417 gradient checking", () => {
  const data = (): [Tensor, Tensor] => [random.normal([6, 4]), tensor([0, 1, 2, 0, 1, 2], { dtype: "int32" })];
  const loss = (p: Tensor, y: Tensor): Tensor => crossEntropy(p, y);

  test("S-417 a sound model is good, at the start and after training, with its regularizer", async () => {
    setSeed(2);
    const net = sequential([dense(5, { kernelRegularizer: l2(0.1) }), tanh, dropout(0.5), batchNorm(), dense(3)], {
      inputShape: [4],
    });
    const [x, y] = data();
    const start = checkModel(net, x, y, loss, { samples: Infinity });
    expect([start.verdict, start.variables.length]).toEqual(["good", 6]);
    // Without the penalty the kernel's gradient would be another one.
    const kernel = start.variables.find((v) => v.name === "dense/kernel")!;
    const plain = gradientNorms(net, () => loss(net(x), y)).rows[0].gradientNorm;
    const whole = gradientNorms(net, () => loss(net(x), y).add(net.penalty()!)).rows[0].gradientNorm;
    expect(Math.abs(whole - plain)).toBeGreaterThan(1e-3);
    expect(kernel.distance).toBeLessThan(1e-7);
    net.compile({ optimizer: adam(1e-2), loss: "sparseCategoricalCrossentropy" });
    await net.fit({ x, y }, { epochs: 5, verbose: 0 });
    expect(checkModel(net, x, y, loss).verdict).toBe("good");
    expect(() => checkModel(net, x, y, loss, { training: true })).toThrow("drops units at random in train mode");
  });

  test("S-417 a planted bug is found by its component", () => {
    setSeed(2);
    // 3·x with a derivative that is wrong for the third unit only.
    const wrong = customVjp(
      (x: Tensor) => x.mul(3),
      (ct: Tensor) => [ct.mul(tensor([3, 3, 2.9, 3, 3]))],
    );
    const net = sequential(
      [dense(5, { name: "first" }), lambda((x: Tensor) => wrong(x)), tanh, dense(3, { name: "last" })],
      { inputShape: [4] },
    );
    const [x, y] = data();
    const found = checkModel(net, x, y, loss, { samples: Infinity });
    expect(found.verdict).toBe("bug");
    expect(
      found.variables
        .map((v) => v.name)
        .slice(0, 2)
        .toSorted(),
    ).toEqual(["first/bias", "first/kernel"]);
    expect(found.variables.find((v) => v.name === "first/bias")!.worst.index).toEqual([2]);
    expect(found.variables.find((v) => v.name === "first/kernel")!.worst.index[1]).toBe(2);
    for (const v of found.variables.filter((u) => u.name.startsWith("last"))) expect(v.distance).toBeLessThan(1e-7);
    expect(String(found)).toMatch(/^\[checkModel\] bug: distance .* look at first\/(bias|kernel)\[/);
  });
});

test("S-418, S-369 whose fault a wrong output is", () => {
  const both = beamErrorAnalysis([
    { reference: 0.3, output: 0.2 },
    { reference: 0.1, output: 0.2 },
  ]);
  expect(both).toMatchObject({ blame: ["beam", "model"], beam: 0.5, model: 0.5 });
  const ten = beamErrorAnalysis(Array.from({ length: 10 }, (_, i) => ({ reference: -i, output: -4.5 })));
  expect(100 * ten.beam + 100 * ten.model).toBe(100);
  expect(ten.blame.filter((b) => b === "beam")).toHaveLength(5);
  expect(beamErrorAnalysis([{ reference: -1, output: -2 }]).advice).toContain("widen the beam");
  expect(() => beamErrorAnalysis([])).toThrow("at least one sentence");
});

describe("S-419 dead and saturated units", () => {
  test("S-419 three of ten planted dead units are .30", () => {
    setSeed(4);
    const net = sequential([dense(10, { activation: "relu", name: "hidden" }), dense(4, { name: "out" }), sigmoid], {
      inputShape: [3],
    });
    const bias = new Float32Array(10);
    for (const unit of [1, 4, 8]) bias[unit] = -100;
    net.setWeights({ ...net.weights(), "hidden/bias": { data: bias, shape: [10], dtype: "float32" } });
    const report = unitMonitor(net, random.normal([500, 3]));
    const [hidden, out, last] = report.rows;
    expect([hidden.path, hidden.activation, hidden.dead, hidden.deadShare]).toEqual(["hidden", "relu", [1, 4, 8], 0.3]);
    expect(hidden.saturated).toBeNull();
    expect([out.deadShare, last.activation, last.saturated]).toEqual([0, "sigmoid", 0]);
    expect(String(report)).toContain("hidden");
  });

  test("S-419 saturated shares", () => {
    const net = sequential([tanh], { inputShape: [4] });
    const [row] = unitMonitor(net, tensor([[-5, 5, 0.5, 0]])).rows;
    expect([row.saturated, row.zeros]).toEqual([0.5, 0.25]);
    expect(() => unitMonitor((x: Tensor) => x, tensor([1]))).toThrow("no layer was called");
  });
});

test("one batch by heart, or why not; the weights are put back", () => {
  setSeed(6);
  const net = sequential([dense(32), relu, dense(3)], { inputShape: [4] });
  const [x, y] = [random.normal([10, 4]), tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0], { dtype: "int32" })];
  const before = net.weights();
  const report = overfitBatch(net, x, y, (p, t) => crossEntropy(p, t));
  expect(report.passed).toBe(true);
  expect(report.losses.at(-1)).toBeLessThan(1e-3);
  expect(net.weights()).toEqual(before);
  const blind = sequential([lambda((t: Tensor) => t.mul(0)), dense(3)], { inputShape: [4] });
  const stuck = overfitBatch(blind, x, y, (p, t) => crossEntropy(p, t), { steps: 50 });
  expect(stuck.passed).toBe(false);
  expect(stuck.message).toMatch(/^\[overfitBatch\] FAILED: the loss went from .* in 50 steps \(target 0.001\)/);
});

test("S-422 no NaN where a probability is 0 or 1, in the loss or its gradient", () => {
  const p = tensor([[0], [1], [0], [1]]);
  const y = tensor([[0], [1], [1], [0]]);
  const bce = (q: Tensor): Tensor => binaryCrossentropy({ fromLogits: false })(q, y).mean();
  const values = [bce(p).item()];
  const net = sequential([dense(1, { useBias: false }), sigmoid], { inputShape: [1] });
  net.setWeights({ "dense/kernel": { data: Float32Array.of(1), shape: [1, 1], dtype: "float32" } });
  // Logits of ±1000: the probabilities round to 0 and 1.
  const x = tensor([[-1000], [1000], [-1000], [1000]]);
  expect([...net(x).dataSync()]).toEqual([0, 1, 0, 1]);
  const slopes = gradientNorms(net, () => bce(net(x)));
  values.push(slopes.loss, slopes.rows[0].gradientNorm);
  expect(values.every(Number.isFinite)).toBe(true);
});
