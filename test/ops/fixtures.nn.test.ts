/** Layers, losses, activations and optimizers against PyTorch. */
import { expect, test } from "vitest";
import { add, grad, mul, mean, sum, tensor, type Tensor, valueAndGrad, Variable } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { adam, adamw, momentum, nesterov, type Optimizer, sgd } from "../../src/optim/index.ts";
import { difference } from "../support/compare.ts";
import { expectNumbers, load, type Numbers, readFixture } from "../support/fixtures.ts";

interface NormCase {
  readonly name: string;
  readonly kind: "batchNorm" | "layerNorm";
  readonly epsilon: number;
  readonly momentum: number;
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

const named = (layer: nn.Layer, name: string): Variable => {
  const v = layer.variables.find((w) => w.name.endsWith(name));
  if (v === undefined)
    throw new Error(`${layer.name} has no ${name}: ${layer.variables.map((w) => w.name).join(", ")}`);
  return v;
};

test.each(readFixture<NormCase>("norms"))("$name", (c) => {
  const batch = c.kind === "batchNorm";
  const layer = batch
    ? nn.batchNorm({ epsilon: c.epsilon, momentum: c.momentum })
    : nn.layerNorm({ epsilon: c.epsilon });
  const x = new Variable(load(c.x));
  layer.build(c.x.shape);
  named(layer, "gamma").assign(load(c.gamma));
  named(layer, "beta").assign(load(c.beta));
  if (batch) {
    named(layer, "moving_mean").assign(load(c.mean));
    named(layer, "moving_variance").assign(load(c.variance));
    expectNumbers(layer(x, { training: false }), c.evaluated, "evaluated");
  }
  const wrt = [x, named(layer, "gamma"), named(layer, "beta")];
  let y: Tensor | null = null;
  const [, [dx, dgamma, dbeta]] = valueAndGrad(wrt, () => {
    y = layer(x, { training: true });
    return sum(mul(y, load(c.dy)));
  });
  expectNumbers(dx, c.dx, "dx");
  expectNumbers(dgamma, c.dgamma, "dgamma");
  expectNumbers(dbeta, c.dbeta, "dbeta");
  if (batch) {
    expectNumbers(named(layer, "moving_mean"), c.newMean, "moving mean");
    expectNumbers(named(layer, "moving_variance"), c.newVariance, "moving variance");
  }
  expectNumbers(layer(x, { training: true }), c.y, "y");
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

const LOSSES: Readonly<Record<string, nn.Loss>> = {
  "sparse crossentropy": nn.sparseCategoricalCrossentropy({ fromLogits: true }),
  "sparse crossentropy extreme": nn.sparseCategoricalCrossentropy({ fromLogits: true }),
  "categorical crossentropy": nn.categoricalCrossentropy({ fromLogits: true }),
  "categorical crossentropy label smoothing 0.1": nn.categoricalCrossentropy({ fromLogits: true, labelSmoothing: 0.1 }),
  "binary crossentropy from logits": nn.binaryCrossentropy({ fromLogits: true }),
  meanSquaredError: nn.meanSquaredError,
  meanAbsoluteError: nn.meanAbsoluteError,
  huber: nn.huber(),
};

const losses = readFixture<LossCase>("losses");

test.each(losses.filter((c) => c.name in LOSSES))("$name", (c) => {
  const loss = LOSSES[c.name];
  const target = c.labels === undefined ? load(c.target as Numbers) : load(c.labels, "int32");
  expectNumbers(loss(load(c.x), target), c.y, "loss");
  expectNumbers(grad((x: Tensor) => loss(x, target))(load(c.x)), c.dx, "gradient");
});

test("sparse crossentropy of each sample, and weighted", () => {
  const c = losses.find((l) => l.name === "sparse crossentropy each") as LossCase;
  const loss = nn.sparseCategoricalCrossentropy({ fromLogits: true });
  const labels = load(c.labels as Numbers, "int32");
  expectNumbers(loss.perSample(load(c.x), labels), c.y, "per sample");
  const weights = load(c.weights as Numbers);
  const want = c.y.data.reduce((s, v, i) => s + v * (c.weights as Numbers).data[i], 0) / c.y.data.length;
  expectNumbers(loss(load(c.x), labels, weights), { shape: [], data: [want] }, "weighted");
});

interface ActivationCase {
  readonly name: string;
  readonly x: Numbers;
  readonly y: Numbers;
  readonly dx: Numbers;
  readonly d2x: Numbers;
}

const ACTIVATIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  relu: nn.relu,
  relu6: nn.relu6,
  sigmoid: nn.sigmoid,
  hardSigmoid: nn.hardSigmoid,
  tanh: nn.tanh,
  softplus: nn.softplus,
  softsign: nn.softsign,
  silu: nn.silu,
  mish: nn.mish,
  selu: nn.selu,
  elu: nn.elu(),
  gelu: nn.gelu({ approximate: false }),
  "gelu approximate": nn.gelu({ approximate: true }),
  leakyRelu: nn.leakyRelu({ slope: 0.2 }),
};

test.each(readFixture<ActivationCase>("activations").filter((c) => c.name in ACTIVATIONS))(
  "$name and two derivatives",
  (c) => {
    const f = ACTIVATIONS[c.name];
    const first = grad((x: Tensor) => sum(f(x)));
    expectNumbers(f(load(c.x)), c.y, "y");
    expectNumbers(first(load(c.x)), c.dx, "dx");
    expectNumbers(grad((x: Tensor) => sum(first(x)))(load(c.x, "float64")), c.d2x, "d2x");
  },
);

test("the gradient of an embedding adds repeated rows", () => {
  const [c] = readFixture<{
    readonly table: Numbers;
    readonly ids: Numbers;
    readonly y: Numbers;
    readonly dy: Numbers;
    readonly dtable: Numbers;
  }>("embedding");
  const layer = nn.embedding(c.table.shape[0], c.table.shape[1]);
  layer.build(c.ids.shape, "int32");
  layer.variables[0].assign(load(c.table));
  const ids = load(c.ids, "int32");
  expectNumbers(layer(ids), c.y, "y");
  const [, [dtable]] = valueAndGrad(layer, () => sum(mul(layer(ids), load(c.dy))));
  expectNumbers(dtable, c.dtable, "dtable");
});

interface OptimizerCase {
  readonly name: string;
  readonly options: Readonly<Record<string, number>>;
  readonly start: Numbers;
  readonly gradients: readonly (readonly number[])[];
  readonly path: readonly (readonly number[])[];
}

const OPTIMIZERS: Readonly<Record<string, (options: Readonly<Record<string, number>>) => Optimizer>> = {
  sgd,
  momentum,
  nesterov,
  adam,
  "adam other betas": adam,
  adamw,
};

test.each(readFixture<OptimizerCase>("optimizers"))("20 steps of $name", (c) => {
  const w = new Variable(load(c.start));
  const optimizer = OPTIMIZERS[c.name](c.options);
  c.gradients.forEach((g, step) => {
    optimizer.update([w], [tensor([...g], { shape: c.start.shape })]);
    const why = difference(w.dataSync(), Float64Array.from(c.path[step]), "float32", {
      relative: 1e-5,
      absolute: 2e-6,
    });
    if (why !== null) expect.fail(`step ${step}: ${why}`);
  });
});

test("the mean of a loss over a batch is the mean of its samples", () => {
  const [x, y] = [load(losses[0].x), mul(load(losses[0].x), 2)];
  const each = nn.meanSquaredError.perSample(x, y);
  expect(nn.meanSquaredError(x, y).item()).toBeCloseTo(mean(each).item(), 6);
  expect(add(each, 0).shape).toEqual([5]);
});
