/** Streaming metrics that a program rarely has: passed as functions, `compile({ metrics: [auc()] })`. */
import { showShape, ValueError } from "../base/index.ts";
import { logitsBehind } from "../nn/activations.ts";
import { cosineSimilarity as cosineLoss } from "../nn/losses-more.ts";
import { lossOf } from "../nn/losses.ts";
import * as t from "../tensor/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { iouOf, kappaOf, matthewsOf } from "./arrays.ts";
import { counts, floatOf, meanMetric, type Metric, type MetricContext, paired, ratio, weightsOf } from "./metric.ts";

type Named = { readonly name?: string };
type Threshold = Named & { readonly threshold?: number };

/**
 * (1 + β²)PR/(β²P + R); β 1 (Keras: FBetaScore for two classes).
 *
 * @example model.compile({ loss: "binaryCrossentropy", optimizer: adam(), metrics: [fBeta({ beta: 2 })] });
 */
export const fBeta = ({
  beta = 1,
  threshold = 0.5,
  name = "fBeta",
}: Threshold & { readonly beta?: number } = {}): Metric =>
  counts(name, threshold, (tp, fp, fn) => ratio((1 + beta ** 2) * tp, (1 + beta ** 2) * tp + beta ** 2 * fn + fp));

/**
 * TN/(TN + FP): the recall of class 0.
 *
 * @example
 * model.compile({ loss: "binaryCrossentropy", optimizer: adam(), metrics: [specificity({ threshold: 0.3 })] });
 */
export const specificity = ({ threshold = 0.5, name = "specificity" }: Threshold = {}): Metric =>
  counts(name, threshold, (_, fp, __, tn) => ratio(tn, tn + fp));

/**
 * √ of the mean square (Keras: RootMeanSquaredError; S-197).
 *
 * @example model.compile({ loss: "mse", optimizer: adam(), metrics: [rootMeanSquaredError()] });
 */
export function rootMeanSquaredError({ name = "rootMeanSquaredError" }: Named = {}): Metric {
  const squares = meanMetric(name, (p, y) => lossOf("mse").perSample(p, y));
  return { ...squares, result: (sums) => Math.sqrt(squares.result(sums)) };
}

/**
 * Mean of the cosine of the angle between prediction and target (Keras: CosineSimilarity as a metric).
 *
 * @example model.compile({ loss: "mse", optimizer: adam(), metrics: [meanCosineSimilarity()] });
 */
export const meanCosineSimilarity = ({ name = "cosineSimilarity" }: Named = {}): Metric =>
  meanMetric(name, (p, y) => t.neg(cosineLoss.perSample(p, y)));

/**
 * Mean of −ln p of what is true (Keras: BinaryCrossentropy and CategoricalCrossentropy as metrics; S-196): rows and class numbers,
 * rows and one-hot rows, or one probability a sample, by the shapes.
 *
 * @example model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: adam(), metrics: [logLoss()] });
 */
export function logLoss({ name = "logLoss" }: Named = {}): Metric {
  const perSample = (p: Tensor, y: Tensor, { logits = false }: MetricContext): Tensor => {
    const single = p.rank === 1 || p.shape[p.rank - 1] === 1;
    const hot = showShape(p.shape) === showShape(y.shape);
    const kind = single ? "binaryCrossentropy" : hot ? "categoricalCrossentropy" : "sparseCategoricalCrossentropy";
    return lossOf(kind, logitsBehind(p) === null ? { fromLogits: logits } : {}).perSample(p, y);
  };
  return meanMetric(name, perSample);
}

/**
 * 1 − Σ(y − p)²/Σ(y − ȳ)² over all samples (Keras: R2Score; S-202).
 *
 * @example model.compile({ loss: "mse", optimizer: adam(), metrics: [r2()] });
 */
export function r2({ name = "r2" }: Named = {}): Metric {
  return {
    name,
    batch(p, target, at) {
      const y = paired(name, p, target).cast(p.dtype);
      const w = weightsOf(y, at.sampleWeight) ?? t.onesLike(y);
      const total = (x: Tensor): Tensor => t.sum(t.mul(w, x));
      return t.stack([t.sum(w), total(y), total(t.square(y)), total(t.square(t.sub(y, p)))]);
    },
    result([n, y, yy, left]: ArrayLike<number> & Iterable<number>) {
      const all = yy - (y * y) / n;
      return all === 0 ? (left === 0 ? 1 : 0) : 1 - left / all;
    },
  };
}

/** From Σw, Σwy, Σwp, Σwy², Σwp² and Σwyp of targets y and predictions p, one number a sample or more. */
const moments = (
  name: string,
  result: (my: number, mp: number, vy: number, vp: number, c: number) => number,
): Metric => ({
  name,
  batch(prediction, target, at) {
    const p = t.reshape(prediction, [-1]);
    const y = t.reshape(paired(name, prediction, target).cast(p.dtype), [-1]);
    const w = weightsOf(paired(name, prediction, target).cast(p.dtype), at.sampleWeight);
    const weight = w === null ? t.onesLike(y) : t.reshape(w, [-1]);
    const total = (x: Tensor): Tensor => t.sum(t.mul(weight, x));
    return t.stack([t.sum(weight), total(y), total(p), total(t.square(y)), total(t.square(p)), total(t.mul(y, p))]);
  },
  result([n, y, p, yy, pp, yp]: ArrayLike<number> & Iterable<number>) {
    const [my, mp] = [y / n, p / n];
    return result(my, mp, yy / n - my * my, pp / n - mp * mp, yp / n - my * mp);
  },
});

/**
 * Pearson's correlation of targets and predictions over all samples: cov(y, p)/√(var y · var p) (NumPy: corrcoef). Keras'
 * PearsonCorrelation takes it along the last axis of each sample and averages.
 *
 * @example model.compile({ loss: "mse", optimizer: adam(), metrics: [pearsonCorrelation()] });
 */
export const pearsonCorrelation = ({ name = "pearsonCorrelation" }: Named = {}): Metric =>
  moments(name, (_, __, vy, vp, c) => ratio(c, Math.sqrt(vy * vp)));

/**
 * Lin's concordance of targets and predictions over all samples: 2 cov(y, p)/(var y + var p + (mean y − mean p)²) (Lin 1989). Keras'
 * ConcordanceCorrelation takes it along the last axis of each sample and averages.
 *
 * @example model.compile({ loss: "mse", optimizer: adam(), metrics: [concordanceCorrelation()] });
 */
export const concordanceCorrelation = ({ name = "concordanceCorrelation" }: Named = {}): Metric =>
  moments(name, (my, mp, vy, vp, c) => ratio(2 * c, vy + vp + (my - mp) ** 2));

/** A metric that counts pairs of target and prediction. */
export interface ConfusionMetric extends Metric {
  /** Row = target, column = prediction, of summed vectors. */
  matrix(sums: ArrayLike<number>): number[][];
}

/**
 * The confusion matrix of a stream; as a number, the accuracy. Predictions are rows of `classes`, or one number a sample for two
 * classes; targets are class numbers or one-hot rows.
 *
 * @example
 * const stream = new Streaming(confusion({ classes: 3 }));
 * stream.update(tensor([[0.1, 0.7, 0.2]]), tensor(new Int32Array([1])));
 * confusion({ classes: 3 }).matrix(stream.totals()); // [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
 */
export function confusion(
  options: Threshold & { readonly classes: number; readonly of?: (matrix: number[][]) => number },
): ConfusionMetric {
  const { classes, threshold = 0.5, name = "confusion", of } = options;
  if (!Number.isInteger(classes) || classes < 2)
    throw new ValueError(`[${name}] classes must be a whole number ≥ 2, got ${classes}.`);
  const matrix = (sums: ArrayLike<number>): number[][] =>
    Array.from({ length: classes }, (_, i) => Array.from({ length: classes }, (__, j) => sums[i * classes + j] ?? 0));
  const accuracy = (m: number[][]): number =>
    ratio(
      m.reduce((a, r, i) => a + r[i], 0),
      m.flat().reduce((a, b) => a + b, 0),
    );
  return {
    name,
    matrix,
    batch(p, y, at) {
      const single = p.rank === 1 || p.shape[p.rank - 1] === 1;
      const cut = at.logits === true && logitsBehind(p) === null ? Math.log(threshold / (1 - threshold)) : threshold;
      const said = single ? t.greater(p, cut).cast("int32") : t.argmax(p, -1);
      const is = !single && showShape(y.shape) === showShape(p.shape) ? t.argmax(y, -1) : y.cast("int32");
      const dtype = floatOf(p);
      const flat = (x: Tensor): Tensor => t.oneHot(t.reshape(x, [-1]), classes, { dtype });
      const w = weightsOf(t.zeros(said.shape, { dtype }), at.sampleWeight);
      const rows = w === null ? flat(is) : t.mul(flat(is), t.reshape(w, [-1, 1]));
      return t.reshape(t.matmul(t.transpose(rows), flat(said)), [-1]);
    },
    result: (sums) => (of ?? accuracy)(matrix(sums)),
  };
}

type Classes = Threshold & { readonly classes?: number };

/**
 * Matthews' correlation; two classes by default (scikit-learn: matthews_corrcoef).
 *
 * @example
 * model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: adam(), metrics: [matthews({ classes: 10 })] });
 */
export const matthews = ({ classes = 2, ...rest }: Classes = {}): Metric =>
  confusion({ name: "matthews", ...rest, classes, of: matthewsOf });
/**
 * Cohen's kappa; two classes by default (scikit-learn: cohen_kappa_score).
 *
 * @example
 * model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: adam(), metrics: [kappa({ classes: 10 })] });
 */
export const kappa = ({ classes = 2, ...rest }: Classes = {}): Metric =>
  confusion({ name: "kappa", ...rest, classes, of: kappaOf });
/**
 * Mean intersection over union of the classes that occur (Keras: MeanIoU; with two classes BinaryIoU).
 *
 * @example
 * model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: adam(), metrics: [meanIoU({ classes: 10 })] });
 */
export const meanIoU = ({ classes = 2, ...rest }: Classes = {}): Metric =>
  confusion({ name: "meanIoU", ...rest, classes, of: iouOf });

/** Options of `auc`. */
export interface AucOptions extends Named {
  /** Receiver operating characteristic, or precision over recall. Default "ROC". */
  readonly curve?: "ROC" | "PR";
  /** Number of thresholds, evenly from 0 to 1; default 200. Exact areas: `rocAuc` and `averagePrecision` on arrays. */
  readonly thresholds?: number;
}

/**
 * The area below a curve of two-class probabilities by thresholds: straight lines for ROC, Davis & Goadrich's interpolation for PR
 * (Keras: AUC).
 *
 * @example model.compile({ loss: "binaryCrossentropy", optimizer: adam(), metrics: [auc({ curve: "PR" })] });
 */
export function auc(options: AucOptions = {}): Metric {
  const { curve = "ROC", thresholds: n = 200, name = curve === "ROC" ? "auc" : "prAuc" } = options;
  if (!Number.isInteger(n) || n < 2) throw new ValueError(`[auc] thresholds must be a whole number ≥ 2, got ${n}.`);
  if (curve !== "ROC" && curve !== "PR")
    throw new ValueError(`[auc] curve must be "ROC" or "PR", got ${JSON.stringify(curve)}.`);
  // As in Keras the outer two are a little outside, so that all of 0 and none of 1 are above them.
  const at = Array.from({ length: n }, (_, i) => (i === 0 ? -1e-7 : i === n - 1 ? 1 + 1e-7 : i / (n - 1)));
  const last = (x: Tensor): Tensor => t.reshape(x, [-1, 1]);
  return {
    name,
    batch(prediction, target, { sampleWeight, logits }) {
      const p = logits === true && logitsBehind(prediction) === null ? t.sigmoid(prediction) : prediction;
      const is = t.greater(paired(name, p, target), 0.5).cast(floatOf(p));
      const w = weightsOf(is, sampleWeight) ?? t.onesLike(is);
      const cuts = t.tensor(at, { shape: [1, n], dtype: floatOf(p) });
      const above = t.greater(last(p), cuts).cast(floatOf(p));
      const total = (x: Tensor): Tensor => t.sum(t.mul(above, last(x)), 0);
      return t.concat([total(t.mul(w, is)), total(t.mul(w, t.sub(1, is)))]);
    },
    result(sums) {
      const tp = Array.from({ length: n }, (_, i) => sums[i] ?? 0);
      const fp = Array.from({ length: n }, (_, i) => sums[n + i] ?? 0);
      let area = 0;
      for (let i = 0; i + 1 < n; i++) area += curve === "ROC" ? rocPart(tp, fp, i) : prPart(tp, fp, i);
      return area;
    },
  };
}

/** Between two thresholds, a trapezoid of the rates. */
const rocPart = (tp: readonly number[], fp: readonly number[], i: number): number =>
  ratio((fp[i] - fp[i + 1]) * (tp[i] + tp[i + 1]), 2 * fp[0] * tp[0]);

/** Between two thresholds true positives grow evenly with all positives. */
function prPart(tp: readonly number[], fp: readonly number[], i: number): number {
  const [a, b] = [tp[i] + fp[i], tp[i + 1] + fp[i + 1]];
  const slope = a > b ? (tp[i] - tp[i + 1]) / (a - b) : 0;
  const intercept = tp[i + 1] - slope * b;
  const growth = a > 0 && b > 0 ? a / b : 1;
  return ratio(slope * (tp[i] - tp[i + 1] + intercept * Math.log(growth)), tp[0]);
}
