/** Every loss and its gradient against Keras (test/fixtures/keras_losses.json, made by make_keras.py), and how losses are reduced. */
import { describe, expect, test } from "vitest";
import { valueAndGrad } from "../../src/autodiff/index.ts";
import type { DType } from "../../src/base/index.ts";
import * as nn from "../../src/nn/index.ts";
import { metricOf } from "../../src/metrics/index.ts";
import { mul, sum, type Tensor, tensor } from "../../src/tensor/index.ts";
import { difference } from "../support/compare.ts";
import { load, type Numbers, readFixture } from "../support/fixtures.ts";
import { list, near } from "./harness.ts";

interface LossCase {
  readonly name: string;
  readonly options: Readonly<Record<string, number | boolean>> | null;
  readonly p: Numbers;
  readonly target: Numbers;
  readonly y: Numbers;
  readonly dp: Numbers;
}

const CASES = readFixture<LossCase>("keras_losses");
const ALL = nn as unknown as Readonly<Record<string, nn.Loss | ((options: object) => nn.Loss)>>;

function lossIn(c: LossCase): nn.Loss {
  const found = ALL[c.name];
  return "perSample" in found ? found : found(c.options ?? {});
}

function same(got: Tensor, want: Numbers, off: number, what: string): void {
  expect(got.shape, what).toEqual(want.shape);
  const why = difference(got.dataSync(), Float64Array.from(want.data), got.dtype, {
    relative: off,
    ofLargest: off,
    absolute: off / 100,
  });
  if (why !== null) expect.fail(`${what}: ${why}`);
}

describe("as in Keras", () => {
  test.each(CASES.map((c) => ({ ...c, title: `${c.name} ${JSON.stringify(c.options ?? {})}` })))("$title", (c) => {
    const loss = lossIn(c);
    for (const [dtype, off] of [
      ["float64", 1e-10],
      ["float32", 1e-5],
    ] as [DType, number][]) {
      const target = load(c.target, loss.sparse ? "int32" : dtype);
      const [, dp] = valueAndGrad((p: Tensor) => sum(loss.perSample(p, target)))(load(c.p, dtype));
      same(loss.perSample(load(c.p, dtype), target), c.y, off, "y");
      same(dp, c.dp, off, "dp");
    }
  });
  test("all losses are here", () => {
    const losses = Object.entries(nn as unknown as Record<string, unknown>).filter(
      ([name, f]) => typeof f === "function" && ("perSample" in f || /crossentropy$/i.test(name) || name === "huber"),
    );
    const seen = new Set([...CASES.map((c) => c.name), "crossEntropy"]);
    expect(losses.map(([name]) => name).filter((name) => !seen.has(name))).toEqual([]);
  });
});

describe("reductions", () => {
  const [p, y, w] = [tensor([[1], [2], [4]]), tensor([[0], [0], [0]]), tensor([1, 0, 3])];
  test("mean over the batch, sum, weighted mean, none", () => {
    const by = (r: nn.Reduction): number[] => list(nn.reduced(nn.meanSquaredError, r)(p, y, w));
    near(by("sumOverBatchSize"), [49 / 3], 1e-5);
    near(by("sum"), [49], 1e-5);
    near(by("meanWithSampleWeight"), [49 / 4], 1e-5);
    near(by("none"), [1, 0, 48], 1e-5);
    near(nn.reduced(nn.meanSquaredError, "sum")(p, y), [21], 1e-5);
    expect(() => nn.reduced(nn.meanSquaredError, "mean" as "sum")(p, y)).toThrow("[reduced] reduction must be");
  });
  test("short names, and losses as metrics", () => {
    expect(nn.lossOf("mape")).toBe(nn.meanAbsolutePercentageError);
    expect(nn.lossOf("msle")).toBe(nn.meanSquaredLogarithmicError);
    for (const like of ["mse", nn.poisson, "huber"] as const)
      expect(metricOf(like).name).toBe(typeof like === "string" ? like : "poisson");
    const sums = metricOf(nn.logCosh).batch(p, y, { sampleWeight: w }).dataSync();
    const each = list(nn.logCosh.perSample(p, y));
    expect(metricOf(nn.logCosh).result(sums)).toBeCloseTo((each[0] + 3 * each[2]) / 4, 5);
    // Predictions are probabilities unless it is said that they are logits.
    const q = tensor([0.8, 0.4]);
    const t01 = tensor([1, 0]);
    const entropy = metricOf("binaryCrossentropy");
    expect(entropy.result(entropy.batch(q, t01, {}).dataSync())).toBeCloseTo(-(Math.log(0.8) + Math.log(0.6)) / 2, 6);
    expect(entropy.result(entropy.batch(q, t01, { logits: true }).dataSync())).toBeCloseTo(
      (Math.log1p(Math.exp(-0.8)) + Math.log1p(Math.exp(0.4))) / 2,
      6,
    );
  });
  test("an unknown loss", () => {
    expect(() => nn.lossOf("hnige" as "hinge")).toThrow('unknown loss "hnige": did you mean "hinge"?');
    expect(() => metricOf("poison" as "mse")).toThrow('unknown metric "poison": use one of accuracy');
    expect(() => mul(nn.generalizedCrossentropy({ q: 1 })(p, y), 1)).toThrow("q must be between 0 and 1, got 1");
  });
});

test("circle: a lone sample has loss 0; shapes are checked", () => {
  const p = tensor([
    [1, 0],
    [0, 1],
  ]);
  expect(list(nn.circle().perSample(p, tensor([0, 1], { dtype: "int32" })))).toEqual([0, 0]);
  expect(() => nn.circle()(p, tensor([0, 1, 2], { dtype: "int32" }))).toThrow(
    "[circle] needs embeddings [batch, features] and as many class numbers, got [2, 2] and [3].",
  );
});
