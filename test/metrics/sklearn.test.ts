/** Metrics against scikit-learn (test/fixtures/sklearn_metrics.json, made by make_sklearn.py): arrays and streams, to 1e-9. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import "../../src/engine.ts";
import * as m from "../../src/metrics/index.ts";
import { type Tensor, tensor } from "../../src/tensor/index.ts";

interface Fixture {
  readonly data: Readonly<Record<string, number[]>>;
  readonly plain: Readonly<Record<string, number>>;
  readonly weighted: Readonly<Record<string, number>>;
}

const { data, plain, weighted } = JSON.parse(
  readFileSync(new URL("../fixtures/sklearn_metrics.json", import.meta.url), "utf8"),
) as Fixture;
const { w, bits, score, said, labels, probs, guess, y, p, a, b } = data;
const options = { sampleWeight: w };

type OfArrays = (o: m.Weighted) => number;
const ARRAYS: Readonly<Record<string, OfArrays>> = {
  binaryAccuracy: (o) => m.accuracyScore(bits, said, o),
  accuracy: (o) => m.accuracyScore(labels, guess, o),
  precision: (o) => m.precisionScore(bits, said, o),
  recall: (o) => m.recallScore(bits, said, o),
  f1: (o) => m.fBetaScore(bits, said, o),
  fBeta: (o) => m.fBetaScore(bits, said, { beta: 2, ...o }),
  specificity: (o) => m.specificityScore(bits, said, o),
  mse: (o) => m.meanSquaredErrorScore(y, p, o),
  rmse: (o) => m.rootMeanSquaredErrorScore(y, p, o),
  mae: (o) => m.meanAbsoluteErrorScore(y, p, o),
  r2: (o) => m.r2Score(y, p, o),
  logLoss: (o) => m.logLossScore(bits, score, o),
  rocAuc: (o) => m.rocAuc(bits, score, o),
  averagePrecision: (o) => m.averagePrecision(bits, score, o),
};
const PLAIN_ARRAYS: Readonly<Record<string, () => number>> = {
  logLossRows: () => m.logLossScore(labels, probs),
  matthews: () => m.matthewsCorrelation(bits, said),
  matthewsRows: () => m.matthewsCorrelation(labels, guess),
  kappa: () => m.cohenKappa(bits, said),
  kappaRows: () => m.cohenKappa(labels, guess),
  iou: () => m.meanIoUScore(labels, guess),
  prAuc: () => m.prAuc(bits, score),
};

/** [metric, prediction, target]: what each stream sees. */
const two: [number[], number[], number[]?] = [score, bits];
const many: [number[], number[], number[]?] = [probs, labels, [60, 4]];
const real: [number[], number[], number[]?] = [p, y];
const STREAMS: Readonly<Record<string, [m.MetricLike, [number[], number[], number[]?]]>> = {
  binaryAccuracy: ["binaryAccuracy", two],
  accuracy: ["accuracy", many],
  top2: [m.topKAccuracy({ k: 2 }), many],
  precision: ["precision", two],
  recall: ["recall", two],
  f1: ["f1", two],
  fBeta: [m.fBeta({ beta: 2 }), two],
  specificity: [m.specificity(), two],
  mse: ["mse", real],
  rmse: [m.rootMeanSquaredError(), real],
  mae: ["mae", real],
  r2: [m.r2(), real],
  logLoss: [m.logLoss(), two],
  logLossRows: [m.logLoss(), many],
  matthews: [m.matthews(), two],
  matthewsRows: [m.matthews({ classes: 4 }), many],
  kappa: [m.kappa(), two],
  kappaRows: [m.kappa({ classes: 4 }), many],
  iou: [m.meanIoU({ classes: 4 }), many],
  rocByThresholds: [m.auc({ thresholds: 50 }), two],
  prByThresholds: [m.auc({ thresholds: 50, curve: "PR" }), two],
  pearson: [m.pearsonCorrelation(), real],
  concordance: [m.concordanceCorrelation(), real],
  cosine: [m.meanCosineSimilarity(), [a, b, [60, 3]]],
};

/** The stream's value over three batches of uneven sizes. */
function streamed(
  like: m.MetricLike,
  [pred, target, shape = [60]]: [number[], number[], number[]?],
  weigh: boolean,
): m.Streaming {
  const stream = new m.Streaming(like);
  const whole = target.every((v) => Number.isInteger(v));
  const rows = (x: number[], from: number, to: number): number[] =>
    x.slice((from * x.length) / 60, (to * x.length) / 60);
  const shaped = (x: number[], n: number): Tensor =>
    tensor(x, { shape: x.length === n ? [n] : [n, shape[1]], dtype: "float64" });
  for (const [from, to] of [
    [0, 7],
    [7, 40],
    [40, 60],
  ]) {
    const t = rows(target, from, to);
    stream.update(
      shaped(rows(pred, from, to), to - from),
      whole ? tensor(new Int32Array(t)) : shaped(t, to - from),
      weigh ? { sampleWeight: tensor(w.slice(from, to), { dtype: "float64" }) } : {},
    );
  }
  return stream;
}

describe("arrays, as in scikit-learn", () => {
  test.each(Object.keys(ARRAYS))("S-192, S-196, S-197 %s", (name) => {
    expect(Math.abs(ARRAYS[name]({}) - plain[name])).toBeLessThan(1e-9);
    expect(Math.abs(ARRAYS[name](options) - weighted[name])).toBeLessThan(1e-9);
  });
  test.each(Object.keys(PLAIN_ARRAYS))("%s", (name) => {
    expect(Math.abs(PLAIN_ARRAYS[name]() - plain[name])).toBeLessThan(1e-9);
  });
});

describe("streams, as in scikit-learn", () => {
  test.each(Object.keys(STREAMS))("%s", (name) => {
    const [like, at] = STREAMS[name];
    // Keras clips probabilities to 1e-7 from 0 and 1, scikit-learn to 2e-16: none of these is as near.
    expect(Math.abs(streamed(like, at, false).result() - plain[name])).toBeLessThan(1e-9);
    if (name in weighted) expect(Math.abs(streamed(like, at, true).result() - weighted[name])).toBeLessThan(1e-9);
  });
  test("the confusion matrix itself, and accuracy as its number", () => {
    const metric = m.confusion({ classes: 4 });
    const stream = streamed(metric, many, false);
    expect(metric.matrix(stream.totals())).toEqual(plain["confusion"]);
    expect(m.confusionMatrix(labels, guess, 4)).toEqual(plain["confusion"]);
    expect(stream.result()).toBeCloseTo(plain["accuracy"], 12);
    const hot = tensor(
      labels.flatMap((l) => [0, 1, 2, 3].map((c) => (c === l ? 1 : 0))),
      { shape: [60, 4] },
    );
    const again = new m.Streaming(metric);
    again.update(tensor(probs, { shape: [60, 4] }), hot);
    expect(metric.matrix(again.totals())).toEqual(plain["confusion"]);
  });
});

describe("edges", () => {
  test("logits are cut at 0 and squashed for areas", () => {
    const z = tensor(
      score.map((s) => Math.log(s / (1 - s))),
      { dtype: "float64" },
    );
    const t = tensor(new Int32Array(bits));
    for (const [metric, name] of [
      [m.matthews(), "matthews"],
      [m.specificity(), "specificity"],
    ] as const) {
      const stream = new m.Streaming(metric);
      stream.update(z, t, { logits: true });
      expect(stream.result()).toBeCloseTo(plain[name], 9);
    }
    const stream = new m.Streaming(m.auc({ thresholds: 2001 }));
    stream.update(z, t, { logits: true });
    expect(stream.result()).toBeCloseTo(plain["rocAuc"], 2);
  });
  test("perfect, none, and one class only", () => {
    expect(m.rocAuc([0, 1], [0.1, 0.9])).toBe(1);
    expect(m.rocAuc([0, 1], [0.5, 0.5])).toBe(0.5);
    expect(() => m.rocAuc([1, 1], [0.5, 0.6])).toThrow("[rocCurve] all targets are 1: a curve needs both classes");
    expect(() => m.precisionRecallCurve([2], [0.5])).toThrow("sample 0: target 2, score 0.5; targets are 0 or 1");
    expect(m.r2Score([2, 2], [2, 2])).toBe(1);
    expect(m.r2Score([2, 2], [2, 3])).toBe(0);
    expect(m.matthewsCorrelation([1, 1], [1, 1])).toBe(0);
    expect(() => m.accuracyScore([1, 2], [1])).toThrow("[accuracyScore] 2 targets, 1 predictions");
    expect(() => m.auc({ thresholds: 1 })).toThrow("[auc] thresholds must be a whole number ≥ 2, got 1");
    expect(() => m.confusion({ classes: 1 })).toThrow("[confusion] classes must be a whole number ≥ 2, got 1");
    const { falsePositiveRate, thresholds } = m.rocCurve([0, 1, 1], [0.2, 0.2, 0.7]);
    expect([falsePositiveRate, thresholds]).toEqual([
      [0, 0, 1],
      [Infinity, 0.7, 0.2],
    ]);
  });
});
