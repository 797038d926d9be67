import { type DType, ShapeError, showShape, type TypedArray, ValueError } from "../base/index.ts";
import { logitsBehind } from "../nn/activations.ts";
import { type Loss, type LossLike, lossOf } from "../nn/losses.ts";
import { didYouMean } from "../nn/names.ts";
import { eagerly } from "../tensor/index.ts";
import * as t from "../tensor/index.ts";
import type { Tensor } from "../tensor/index.ts";

/**
 * A metric that streams: each batch adds a small vector of sums, and the value is a function of the sums so far. So a compiled
 * step returns the vector and the host adds; order and size of batches do not matter.
 */
export interface Metric {
  /** The key in logs: "accuracy". */
  readonly name: string;
  /** The sums of one batch, [k], float64 for float64 predictions, else float32. Weights [batch] count samples. */
  batch(prediction: Tensor, target: Tensor, at: MetricContext): Tensor;
  /** The value of summed vectors. */
  result(sums: ArrayLike<number>): number;
}

/** What a metric is told beside prediction and target. */
export interface MetricContext {
  readonly sampleWeight?: Tensor | null;
  /** Predictions without a last activation are logits: two-class decisions then cut at 0 instead of 0.5. Default false. */
  readonly logits?: boolean;
  /** Predictions came out of softmax or sigmoid: losses that stand as metrics take them for probabilities. Default false. */
  readonly activated?: boolean;
}

/** What `metrics` of `compile` takes: a metric, a loss whose mean it is, or a name. */
export type MetricLike =
  | Metric
  | Loss
  | "accuracy"
  | "acc"
  | "binaryAccuracy"
  | "categoricalAccuracy"
  | "sparseCategoricalAccuracy"
  | Extract<LossLike, string>
  | "precision"
  | "recall"
  | "f1";

/** What sums over a prediction are kept in. */
export const floatOf = (p: Tensor): DType => (p.dtype === "float64" ? "float64" : "float32");

/** Weights [batch] for every element of `values` [batch, ...], in their dtype; null when there are none. */
export const weightsOf = (values: Tensor, weight: Tensor | null | undefined): Tensor | null =>
  weight === null || weight === undefined
    ? null
    : t.broadcastTo(
        t.reshape(weight.cast(values.dtype), [
          ...weight.shape,
          ...new Array<number>(values.rank - weight.rank).fill(1),
        ]),
        values.shape,
      );

/** [Σ w·value, Σ w] of values [batch, ...]. */
function weightedSums(values: Tensor, weight: Tensor | null | undefined, dtype: DType): Tensor {
  const v = values.cast(dtype);
  const w = weightsOf(v, weight);
  return w === null ? t.stack([t.sum(v), t.full([], v.size)]) : t.stack([t.sum(t.mul(v, w)), t.sum(w)]);
}

export const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/**
 * A metric that is the mean of one number a sample.
 *
 * @example
 * const error = meanMetric("error", (p, t) => p.sub(t).abs().mean(-1));
 * model.compile({ loss: "mse", optimizer: adam(), metrics: [error] });
 */
export const meanMetric = (name: string, perSample: (p: Tensor, y: Tensor, at: MetricContext) => Tensor): Metric => ({
  name,
  batch: (p, y, at) => weightedSums(perSample(p, y, at), at.sampleWeight, floatOf(p)),
  result: (sums) => ratio(sums[0], sums[1]),
});

/** Where a two-class decision is cut: probabilities at `threshold`, logits at its logit. */
function decided(p: Tensor, at: MetricContext, threshold: number): Tensor {
  const logits = logitsBehind(p) === null && at.logits === true;
  return t.greater(p, logits ? Math.log(threshold / (1 - threshold)) : threshold);
}

const sameShape = (a: Tensor, b: Tensor): boolean => showShape(a.shape) === showShape(b.shape);

/** `target` in the shape of a prediction of one number a sample. */
export function paired(name: string, p: Tensor, y: Tensor): Tensor {
  if (sameShape(p, y)) return y;
  if (p.size === y.size) return t.reshape(y, p.shape);
  throw new ShapeError(`[${name}] prediction ${showShape(p.shape)} and target ${showShape(y.shape)} need one shape.`);
}

/**
 * Share of (p > threshold) = y, for two classes (Keras: BinaryAccuracy).
 *
 * @example model.compile({ loss: "mse", optimizer: adam(), metrics: [binaryAccuracy({ threshold: 0.7 })] });
 */
export const binaryAccuracy = (options: { readonly name?: string; readonly threshold?: number } = {}): Metric => {
  const { name = "binaryAccuracy", threshold = 0.5 } = options;
  return meanMetric(name, (p, y, at) =>
    t.equal(decided(p, at, threshold), t.greater(paired(name, p, y).cast("float32"), 0.5)),
  );
};

/**
 * Share of rows whose largest class is the target's largest (Keras: CategoricalAccuracy).
 *
 * @example
 * model.compile({ loss: "categoricalCrossentropy", optimizer: adam(), metrics: [categoricalAccuracy()] });
 */
export const categoricalAccuracy = (options: { readonly name?: string } = {}): Metric => {
  const { name = "categoricalAccuracy" } = options;
  return meanMetric(name, (p, y) => t.equal(t.argmax(p, -1), t.argmax(paired(name, p, y), -1)));
};

/**
 * Share of rows whose largest class is the class number in the target (Keras: SparseCategoricalAccuracy).
 *
 * @example
 * model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: adam(), metrics: [sparseCategoricalAccuracy()] });
 */
export const sparseCategoricalAccuracy = (options: { readonly name?: string } = {}): Metric =>
  meanMetric(options.name ?? "sparseCategoricalAccuracy", (p, y) =>
    t.equal(t.argmax(p, -1), t.reshape(y.cast("int32"), p.shape.slice(0, -1))),
  );

/**
 * Share of right answers, by shapes as in Keras: one number a sample is a two-class decision, rows of the prediction's shape
 * are one-hot, anything with one axis less holds class numbers (S-192).
 *
 * @example model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: adam(), metrics: [accuracy()] });
 */
export const accuracy = (options: { readonly name?: string } = {}): Metric => {
  const { name = "accuracy" } = options;
  const pick = (p: Tensor, y: Tensor): Metric => {
    if (p.rank === 1 || (p.shape[p.rank - 1] === 1 && p.size === y.size)) return binaryAccuracy({ name });
    return sameShape(p, y) ? categoricalAccuracy({ name }) : sparseCategoricalAccuracy({ name });
  };
  return { name, batch: (p, y, at) => pick(p, y).batch(p, y, at), result: (sums) => ratio(sums[0], sums[1]) };
};

/**
 * Share of rows whose class, a number or a one-hot row, is among the `k` largest predictions; 1 minus it is the top-k error (Keras:
 * TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy; S-198). A class counts when fewer than k predictions are above its own.
 *
 * @example
 * model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: adam(), metrics: [topKAccuracy({ k: 3 })] });
 */
export const topKAccuracy = (options: { readonly k?: number; readonly name?: string } = {}): Metric => {
  const { k = 5, name = `top${k}Accuracy` } = options;
  return meanMetric(name, (p, y) => {
    const labels = sameShape(p, y) ? t.argmax(y, -1) : y.cast("int32");
    const own = t.takeAlongAxis(p, t.reshape(labels, [...p.shape.slice(0, -1), 1]), -1);
    return t.less(t.sum(t.greater(p, own).cast("float32"), -1), k);
  });
};

/** From the true positives, false positives, false and true negatives of a two-class decision. */
export const counts = (
  name: string,
  threshold: number,
  result: (tp: number, fp: number, fn: number, tn: number) => number,
): Metric => ({
  name,
  batch(p, y, at) {
    const said = decided(p, at, threshold).cast(floatOf(p));
    const is = t.greater(paired(name, p, y), 0.5).cast(floatOf(p));
    const w = weightsOf(said, at.sampleWeight);
    const total = (x: Tensor): Tensor => t.sum(w === null ? x : t.mul(x, w));
    const [unsaid, isNot] = [t.sub(1, said), t.sub(1, is)];
    return t.stack([
      total(t.mul(said, is)),
      total(t.mul(said, isNot)),
      total(t.mul(unsaid, is)),
      total(t.mul(unsaid, isNot)),
    ]);
  },
  result: (s) => result(s[0], s[1], s[2], s[3]),
});

type Threshold = { readonly threshold?: number };

/**
 * TP/(TP + FP), 0 when nothing was said (Keras: Precision; S-193).
 *
 * @example
 * model.compile({ loss: "binaryCrossentropy", optimizer: adam(), metrics: [precision({ threshold: 0.7 })] });
 */
export const precision = ({ threshold = 0.5 }: Threshold = {}): Metric =>
  counts("precision", threshold, (tp, fp) => ratio(tp, tp + fp));
/**
 * TP/(TP + FN) (Keras: Recall; S-194).
 *
 * @example model.compile({ loss: "binaryCrossentropy", optimizer: adam(), metrics: [recall()] });
 */
export const recall = ({ threshold = 0.5 }: Threshold = {}): Metric =>
  counts("recall", threshold, (tp, _, fn) => ratio(tp, tp + fn));
/**
 * 2PR/(P + R), 0 for 0/0 (S-195).
 *
 * @example model.compile({ loss: "binaryCrossentropy", optimizer: adam(), metrics: [f1()] });
 */
export const f1 = ({ threshold = 0.5 }: Threshold = {}): Metric =>
  counts("f1", threshold, (tp, fp, fn) => ratio(2 * tp, 2 * tp + fp + fn));

const TABLE: Record<string, (() => Metric) | undefined> = {
  accuracy,
  acc: accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  precision,
  recall,
  f1,
};

/**
 * The metric of an option of `compile`: also every loss, whose mean it is.
 *
 * @example [metricOf("f1").name, metricOf("mse").name]; // → ["f1", "mse"]
 */
export function metricOf(like: MetricLike): Metric {
  if (typeof like !== "string")
    return "perSample" in like ? meanMetric(like.loss, (p, y, at) => like.perSample(p, y, !at.activated)) : like;
  const maker = TABLE[like];
  if (maker !== undefined) return maker();
  const name = like as Extract<LossLike, string>;
  try {
    lossOf(name);
  } catch {
    throw new ValueError(`unknown metric "${name}": ${didYouMean(name, Object.keys(TABLE))} Losses are metrics, too.`);
  }
  // Predictions come as plain tensors: whether they are logits is said beside them.
  return meanMetric(name, (p, y, { logits = false }) => lossOf(name, { fromLogits: logits }).perSample(p, y));
}

/** A metric over a stream of batches, for open loops. */
export class Streaming {
  readonly metric: Metric;
  private sums: Float64Array | null = null;

  constructor(metric: MetricLike) {
    this.metric = metricOf(metric);
  }

  /** Adds one batch. */
  update(prediction: Tensor, target: Tensor, at: MetricContext = {}): void {
    this.addSums(eagerly(() => this.metric.batch(prediction, target, at)).dataSync());
  }

  /** Adds the sums that `metric.batch` gave. */
  addSums(sums: TypedArray): void {
    this.sums ??= new Float64Array(sums.length);
    for (let i = 0; i < sums.length; i++) this.sums[i] += sums[i];
  }

  /** The value so far; 0 before the first batch. */
  result(): number {
    return this.sums === null ? 0 : this.metric.result(this.sums);
  }

  /** The sums so far; empty before the first batch. */
  totals(): Float64Array {
    return Float64Array.from(this.sums ?? []);
  }

  /** Starts anew. */
  reset(): void {
    this.sums = null;
  }
}
