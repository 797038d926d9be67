import { describe, expect, test } from "vitest";
import * as metrics from "../../src/metrics/index.ts";
import { softmax } from "../../src/nn/index.ts";
import { type Tensor, tensor } from "../../src/tensor/index.ts";

/** The value of a metric over one batch. */
function value(metric: metrics.MetricLike, p: Tensor, y: Tensor, at: metrics.MetricContext = {}): number {
  const stream = new metrics.Streaming(metric);
  stream.update(p, y, at);
  return stream.result();
}

/** TP 8, FP 2, FN 4, TN 86: the table of S-191. */
const said = tensor([...Array<number>(10).fill(0.9), ...Array<number>(90).fill(0.2)]);
const truth = tensor([...Array<number>(8).fill(1), 0, 0, ...Array<number>(4).fill(1), ...Array<number>(86).fill(0)]);

describe("two classes", () => {
  test("S-191, S-192 confusion counts, accuracy .94, error .06", () => {
    const predicted = said.greater(0.5).cast("int32").dataSync();
    expect(metrics.confusionMatrix(truth.dataSync(), predicted, 2)).toEqual([
      [86, 2],
      [4, 8],
    ]);
    expect(value("accuracy", said, truth)).toBeCloseTo(0.94, 12);
    expect(1 - value("binaryAccuracy", said.reshape([100, 1]), truth)).toBeCloseTo(0.06, 12);
  });
  test("S-193, S-194, S-195 precision .8, recall .666667, F1 .727273; 0 for 0/0", () => {
    expect(value("precision", said, truth)).toBeCloseTo(0.8, 12);
    expect(value("recall", said, truth)).toBeCloseTo(8 / 12, 12);
    expect(value("f1", said, truth)).toBeCloseTo(0.727273, 6);
    const none = tensor([0, 0]);
    for (const name of ["precision", "recall", "f1"] as const) expect(value(name, none, none)).toBe(0);
  });
  test("logits are cut at 0, probabilities at one half or another threshold", () => {
    const z = tensor([-1, 0.2, 2]);
    const y = tensor([0, 1, 1]);
    expect(value("accuracy", z, y, { logits: true })).toBe(1);
    expect(value("accuracy", z, y)).toBeCloseTo(2 / 3, 12);
    expect(value(metrics.binaryAccuracy({ threshold: 0.1 }), z, y)).toBe(1);
  });
});

describe("several classes and errors", () => {
  const p = tensor([
    [0.1, 0.9, 0],
    [0.8, 0.1, 0.1],
    [0.2, 0.3, 0.5],
    [0.6, 0.3, 0.1],
  ]);
  const labels = tensor(new Int32Array([1, 0, 2, 1]));
  test("accuracy goes by the shape of the target", () => {
    const hot = tensor([
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
      [0, 1, 0],
    ]);
    expect(value("accuracy", p, labels)).toBe(0.75);
    expect(value("accuracy", p, labels.reshape([4, 1]))).toBe(0.75);
    expect(value("accuracy", p, hot)).toBe(0.75);
    expect(value("sparseCategoricalAccuracy", softmax(p), labels)).toBe(0.75);
    expect(value("categoricalAccuracy", p, hot)).toBe(0.75);
    expect(value("accuracy", p, labels, { sampleWeight: tensor([1, 1, 1, 5]) })).toBeCloseTo(3 / 8, 12);
  });
  test("S-197 errors (1, −1, 2): mean square 2, its root 1.414214; mean size 4/3", () => {
    const [e, zero] = [tensor([1, -1, 2]), tensor([0, 0, 0])];
    expect(value("mse", e, zero)).toBe(2);
    expect(Math.sqrt(value("meanSquaredError", e, zero))).toBeCloseTo(1.414214, 6);
    expect(value("mae", e, zero)).toBeCloseTo(4 / 3, 6);
  });
  test("streams: batches add up whatever their size, and reset starts anew", () => {
    const stream = new metrics.Streaming("accuracy");
    expect(stream.result()).toBe(0);
    stream.update(p.slice([0, 3]), labels.slice([0, 3]));
    stream.update(p.slice([3, 4]), labels.slice([3, 4]));
    expect(stream.result()).toBe(0.75);
    stream.reset();
    expect(stream.result()).toBe(0);
  });
  test("mistakes are named", () => {
    expect(() => metrics.metricOf("acuracy" as "accuracy")).toThrow(
      'unknown metric "acuracy": did you mean "accuracy"?',
    );
    expect(() => value("mse", tensor([1, 2]), tensor([1, 2, 3]))).toThrow(
      "[meanSquaredError] prediction [2] and target [3] need one shape",
    );
    expect(metrics.confusionMatrix([0, 1, 1], [0, 1, 0])).toEqual([
      [1, 0],
      [1, 1],
    ]);
    expect(() => metrics.confusionMatrix([0, 3], [0, 1], 3)).toThrow(
      "sample 1: target 3, prediction 1; both must be in 0..2",
    );
    expect(() => metrics.confusionMatrix([0], [0, 1], 3)).toThrow("1 targets and 2 predictions");
  });
});
