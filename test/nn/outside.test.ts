/** Activations, losses and normalisation layers against PyTorch (test/fixtures, made by make_fixtures.py). */
import { describe, expect, test } from "vitest";
import { grad, valueAndGrad } from "../../src/autodiff/index.ts";
import * as nn from "../../src/nn/index.ts";
import { mul, sum, type Tensor } from "../../src/tensor/index.ts";
import { expectNumbers, load, type Numbers, readFixture } from "../support/fixtures.ts";

const f64 = (x: Numbers): Tensor => load(x, "float64");

interface ActivationCase {
  readonly name: string;
  readonly x: Numbers;
  readonly y: Numbers;
  readonly dx: Numbers;
  readonly d2x: Numbers;
}

const ONE: Record<string, nn.Activation> = {
  relu: nn.relu,
  sigmoid: nn.sigmoid,
  tanh: nn.tanh,
  softplus: nn.softplus,
  softsign: nn.softsign,
  silu: nn.silu,
  mish: nn.mish,
  selu: nn.selu,
  elu: nn.elu,
  gelu: nn.gelu,
  "gelu approximate": nn.gelu({ approximate: true }),
  leakyRelu: nn.leakyRelu,
  relu6: nn.relu6,
  hardSigmoid: nn.hardSigmoid,
};

describe("activations and two derivatives", () => {
  test.each(readFixture<ActivationCase>("activations").filter((c) => c.name in ONE))("$name", (c) => {
    const f = ONE[c.name];
    // PyTorch's hard sigmoid has a float32 constant inside.
    const x = load(c.x, c.name === "hardSigmoid" ? "float32" : "float64");
    const total = (a: Tensor): Tensor => sum(f(a));
    expectNumbers(f(x), c.y, "y");
    expectNumbers(grad(total)(x), c.dx, "dx");
    expectNumbers(grad((a: Tensor) => sum(grad(total)(a)))(x), c.d2x, "d2x");
  });
});

interface LossCase {
  readonly name: string;
  readonly x: Numbers;
  readonly y: Numbers;
  readonly dx: Numbers;
  readonly labels?: Numbers;
  readonly target?: Numbers;
  readonly weights?: Numbers;
}

const LOSSES: Record<string, nn.Loss> = {
  "sparse crossentropy": nn.sparseCategoricalCrossentropy(),
  "sparse crossentropy extreme": nn.sparseCategoricalCrossentropy({ fromLogits: true }),
  "categorical crossentropy": nn.categoricalCrossentropy(),
  "categorical crossentropy label smoothing 0.1": nn.categoricalCrossentropy({ labelSmoothing: 0.1 }),
  "binary crossentropy from logits": nn.binaryCrossentropy(),
  meanSquaredError: nn.meanSquaredError,
  meanAbsoluteError: nn.meanAbsoluteError,
  huber: nn.huber(),
};

const lossCase = (name: string): LossCase => readFixture<LossCase>("losses").find((c) => c.name === name) as LossCase;

describe("losses", () => {
  test.each(readFixture<LossCase>("losses").filter((c) => c.name in LOSSES))("$name", (c) => {
    const target = c.labels === undefined ? f64(c.target as Numbers) : load(c.labels, "int32");
    const [value, dx] = valueAndGrad((x: Tensor) => LOSSES[c.name](x, target))(f64(c.x));
    expectNumbers(value, c.y, "y");
    expectNumbers(dx, c.dx, "dx");
  });

  test("smoothed class numbers are smoothed one-hot rows", () => {
    const c = lossCase("sparse crossentropy");
    const smoothed = lossCase("categorical crossentropy label smoothing 0.1");
    const loss = nn.sparseCategoricalCrossentropy({ labelSmoothing: 0.1 });
    expectNumbers(loss(f64(c.x), load(c.labels as Numbers, "int32")), smoothed.y, "y");
  });

  test("sparse crossentropy each, weighted", () => {
    const c = lossCase("sparse crossentropy each");
    const labels = load(c.labels as Numbers, "int32");
    const loss = nn.sparseCategoricalCrossentropy();
    expectNumbers(loss.perSample(f64(c.x), labels), c.y, "y");
    const weights = load(c.weights as Numbers, "float64");
    const want = sum(mul(loss.perSample(f64(c.x), labels), weights)).item() / 5;
    expect(loss(f64(c.x), labels, weights).item()).toBeCloseTo(want, 12);
  });

  test("from probabilities: softmax and sigmoid first give the same losses and gradients", () => {
    for (const [name, last, make] of [
      ["sparse crossentropy", nn.softmax, nn.sparseCategoricalCrossentropy],
      ["categorical crossentropy", nn.softmax, nn.categoricalCrossentropy],
      ["binary crossentropy from logits", nn.sigmoid, nn.binaryCrossentropy],
    ] as const) {
      const c = lossCase(name);
      const target = c.labels === undefined ? f64(c.target as Numbers) : load(c.labels, "int32");
      for (const loss of [make({ fromLogits: false }), make()]) {
        const [value, dx] = valueAndGrad((x: Tensor) => loss(last(x), target))(f64(c.x));
        expectNumbers(value, c.y, `${name} y`);
        expectNumbers(dx, c.dx, `${name} dx`);
      }
    }
  });
});

interface NormCase {
  readonly name: string;
  readonly kind: "batchNorm" | "layerNorm";
  readonly epsilon: number;
  readonly momentum?: number;
  readonly x: Numbers;
  readonly gamma: Numbers;
  readonly beta: Numbers;
  readonly mean: Numbers;
  readonly variance: Numbers;
  readonly y: Numbers;
  readonly dy: Numbers;
  readonly dx: Numbers;
  readonly dgamma: Numbers;
  readonly dbeta: Numbers;
  readonly evaluated: Numbers;
  readonly newMean: Numbers;
  readonly newVariance: Numbers;
}

describe("normalisation layers", () => {
  test.each(readFixture<NormCase>("norms"))("$name", (c) => {
    const { epsilon, momentum } = c;
    const layer = c.kind === "batchNorm" ? nn.batchNorm({ epsilon, momentum }) : nn.layerNorm({ epsilon });
    const x = f64(c.x);
    layer.build(c.x.shape, "float64");
    const [gamma, beta, mean, variance] = layer.variables;
    gamma.assign(f64(c.gamma));
    beta.assign(f64(c.beta));
    if (c.kind === "batchNorm") {
      mean.assign(f64(c.mean));
      variance.assign(f64(c.variance));
      expectNumbers(layer(x), c.evaluated, "evaluated");
    }
    expectNumbers(grad((a: Tensor) => sum(mul(layer(a, { training: true }), f64(c.dy))))(x), c.dx, "dx");
    if (c.kind === "batchNorm") {
      mean.assign(f64(c.mean));
      variance.assign(f64(c.variance));
      expectNumbers(layer(x, { training: true }), c.y, "y");
      expectNumbers(mean, c.newMean, "moving mean");
      expectNumbers(variance, c.newVariance, "moving variance");
    } else expectNumbers(layer(x), c.y, "y");
    const [, [dgamma, dbeta]] = valueAndGrad(layer, () => sum(mul(layer(x, { training: true }), f64(c.dy))));
    expectNumbers(dgamma, c.dgamma, "dgamma");
    expectNumbers(dbeta, c.dbeta, "dbeta");
  });
});
