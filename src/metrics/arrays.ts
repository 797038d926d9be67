/**
 * Metrics of arrays on the host, in double precision: what scikit-learn's functions of (y_true, y_pred) give. Targets come first, as
 * there.
 */
import { ValueError } from "../base/index.ts";
import { confusionMatrix } from "./confusion.ts";

/** Numbers as scores take them: an array or a typed array. */
export type Numbers = ArrayLike<number>;

/** Options of scores that weigh samples. */
export interface Weighted {
  /** One weight a sample; default 1 each. */
  readonly sampleWeight?: Numbers;
}

function needPairs(name: string, y: Numbers, p: Numbers, w?: Numbers): void {
  if (y.length === 0 || y.length !== p.length || (w !== undefined && w.length !== y.length)) {
    throw new ValueError(
      `[${name}] ${y.length} targets, ${p.length} predictions${w === undefined ? "" : ` and ${w.length} weights`}: one of each a sample, and at least one.`,
    );
  }
}

/** Σ w·f(i) / Σ w. */
function average(n: number, w: Numbers | undefined, f: (i: number) => number): number {
  let [sum, total] = [0, 0];
  for (let i = 0; i < n; i++) {
    const weight = w?.[i] ?? 1;
    sum += weight * f(i);
    total += weight;
  }
  return total === 0 ? 0 : sum / total;
}

/**
 * Share of targets that are predicted (scikit-learn: accuracy_score; S-192).
 *
 * @example accuracyScore([0, 1, 1, 0], [0, 1, 0, 0]); // → 0.75
 */
export function accuracyScore(y: Numbers, p: Numbers, { sampleWeight: w }: Weighted = {}): number {
  needPairs("accuracyScore", y, p, w);
  return average(y.length, w, (i) => (y[i] === p[i] ? 1 : 0));
}

/**
 * Mean of (y − p)² (scikit-learn: mean_squared_error).
 *
 * @example meanSquaredErrorScore([1, 2], [1, 4]); // → 2
 */
export function meanSquaredErrorScore(y: Numbers, p: Numbers, { sampleWeight: w }: Weighted = {}): number {
  needPairs("meanSquaredErrorScore", y, p, w);
  return average(y.length, w, (i) => (y[i] - p[i]) ** 2);
}

/**
 * √ of the mean of (y − p)² (scikit-learn: root_mean_squared_error; S-197).
 *
 * @example rootMeanSquaredErrorScore([1, 2], [1, 4]); // → 1.4142
 */
export const rootMeanSquaredErrorScore = (y: Numbers, p: Numbers, options: Weighted = {}): number =>
  Math.sqrt(meanSquaredErrorScore(y, p, options));

/**
 * Mean of |y − p| (scikit-learn: mean_absolute_error).
 *
 * @example meanAbsoluteErrorScore([1, 2], [1, 4]); // → 1
 */
export function meanAbsoluteErrorScore(y: Numbers, p: Numbers, { sampleWeight: w }: Weighted = {}): number {
  needPairs("meanAbsoluteErrorScore", y, p, w);
  return average(y.length, w, (i) => Math.abs(y[i] - p[i]));
}

/**
 * 1 − Σ w(y − p)²/Σ w(y − ȳ)²; for constant targets 1 when exact, else 0 (scikit-learn: r2_score).
 *
 * @example r2Score([1, 2, 3], [1, 2, 4]); // → 0.5
 */
export function r2Score(y: Numbers, p: Numbers, { sampleWeight: w }: Weighted = {}): number {
  needPairs("r2Score", y, p, w);
  const mean = average(y.length, w, (i) => y[i]);
  const left = average(y.length, w, (i) => (y[i] - p[i]) ** 2);
  const all = average(y.length, w, (i) => (y[i] - mean) ** 2);
  return all === 0 ? (left === 0 ? 1 : 0) : 1 - left / all;
}

/**
 * Mean of −ln p at the class of each target: p [n] of class 1 for two classes, or rows [n · classes] (scikit-learn: log_loss; S-196).
 * Probabilities are clipped to 2.2e-16 from 0 and 1 first.
 *
 * @example logLossScore([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]); // → 0.47229
 */
export function logLossScore(y: Numbers, p: Numbers, { sampleWeight: w }: Weighted = {}): number {
  const classes = p.length === y.length ? 1 : p.length / y.length;
  if (!Number.isInteger(classes) || y.length === 0) {
    throw new ValueError(`[logLossScore] ${p.length} probabilities do not make rows for ${y.length} targets.`);
  }
  const of = (i: number): number => (classes === 1 ? (y[i] === 1 ? p[i] : 1 - p[i]) : p[i * classes + y[i]]);
  return average(y.length, w, (i) => -Math.log(Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, of(i)))));
}

/** Weighted counts of one class against the rest. */
function binaryCounts(
  name: string,
  y: Numbers,
  p: Numbers,
  { sampleWeight: w, positive = 1 }: BinaryOptions,
): number[] {
  needPairs(name, y, p, w);
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < y.length; i++) counts[(y[i] === positive ? 2 : 0) + (p[i] === positive ? 1 : 0)] += w?.[i] ?? 1;
  return counts;
}

const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/** Options of `precisionScore`, `recallScore`, `specificityScore` and `fBetaScore`. */
export interface BinaryOptions extends Weighted {
  /** The class number that counts as positive; default 1. */
  readonly positive?: number;
}

/**
 * TP/(TP + FP); 0 for 0/0 (scikit-learn: precision_score; S-193).
 *
 * @example precisionScore([0, 1, 1, 0], [0, 1, 0, 0]); // → 1
 */
export function precisionScore(y: Numbers, p: Numbers, options: BinaryOptions = {}): number {
  const [, fp, , tp] = binaryCounts("precisionScore", y, p, options);
  return ratio(tp, tp + fp);
}

/**
 * TP/(TP + FN); 0 for 0/0 (scikit-learn: recall_score; S-194).
 *
 * @example recallScore([0, 1, 1, 0], [0, 1, 0, 0]); // → 0.5
 */
export function recallScore(y: Numbers, p: Numbers, options: BinaryOptions = {}): number {
  const [, , fn, tp] = binaryCounts("recallScore", y, p, options);
  return ratio(tp, tp + fn);
}

/**
 * TN/(TN + FP); 0 for 0/0: the recall of the other class.
 *
 * @example specificityScore([0, 1, 1, 0], [0, 1, 0, 0]); // → 1
 */
export function specificityScore(y: Numbers, p: Numbers, options: BinaryOptions = {}): number {
  const [tn, fp] = binaryCounts("specificityScore", y, p, options);
  return ratio(tn, tn + fp);
}

/**
 * (1 + β²)PR/(β²P + R), β 1; 0 for 0/0 (scikit-learn: fbeta_score, f1_score; S-195).
 *
 * @example fBetaScore([0, 1, 1, 0], [0, 1, 0, 0], { beta: 2 }); // → 0.55556
 */
export function fBetaScore(y: Numbers, p: Numbers, options: BinaryOptions & { readonly beta?: number } = {}): number {
  const [, fp, fn, tp] = binaryCounts("fBetaScore", y, p, options);
  const b = (options.beta ?? 1) ** 2;
  return ratio((1 + b) * tp, (1 + b) * tp + b * fn + fp);
}

/** Largest of the class numbers, plus 1. */
const classesIn = (...lists: Numbers[]): number =>
  Math.max(...lists.map((l) => Array.from(l).reduce((a, b) => Math.max(a, b), 0))) + 1;

/**
 * Correlation of targets and predictions, for any number of classes; 0 for 0/0 (scikit-learn: matthews_corrcoef).
 *
 * @example matthewsCorrelation([0, 1, 1, 0], [0, 1, 0, 0]); // → 0.57735
 */
export function matthewsCorrelation(y: Numbers, p: Numbers): number {
  needPairs("matthewsCorrelation", y, p);
  return matthewsOf(confusionMatrix(y, p, classesIn(y, p)));
}

/**
 * Agreement beyond chance (scikit-learn: cohen_kappa_score).
 *
 * @example cohenKappa([0, 1, 1, 0], [0, 1, 0, 0]); // → 0.5
 */
export function cohenKappa(y: Numbers, p: Numbers): number {
  needPairs("cohenKappa", y, p);
  return kappaOf(confusionMatrix(y, p, classesIn(y, p)));
}

/**
 * Mean over the classes that occur of TP/(TP + FP + FN) (scikit-learn: jaccard_score, average macro; Keras: MeanIoU).
 *
 * @example meanIoUScore([0, 1, 1, 0], [0, 1, 0, 0]); // → 0.58333
 */
export function meanIoUScore(y: Numbers, p: Numbers): number {
  needPairs("meanIoUScore", y, p);
  return iouOf(confusionMatrix(y, p, classesIn(y, p)));
}

type Matrix = readonly (readonly number[])[];
const rows = (m: Matrix): number[] => m.map((r) => r.reduce((a, b) => a + b, 0));
const columns = (m: Matrix): number[] => m[0].map((_, j) => m.reduce((a, r) => a + r[j], 0));
const diagonal = (m: Matrix): number => m.reduce((a, r, i) => a + r[i], 0);
const product = (a: readonly number[], b: readonly number[]): number => a.reduce((s, v, i) => s + v * b[i], 0);

/** Matthews' correlation of a confusion matrix (Gorodkin 2004 for more than two classes). */
export function matthewsOf(m: Matrix): number {
  const [t, p] = [rows(m), columns(m)];
  const n = t.reduce((a, b) => a + b, 0);
  const both = Math.sqrt((n * n - product(p, p)) * (n * n - product(t, t)));
  return ratio(diagonal(m) * n - product(t, p), both);
}

/** Cohen's kappa of a confusion matrix; 0 when chance alone would agree always. */
export function kappaOf(m: Matrix): number {
  const [t, p] = [rows(m), columns(m)];
  const n = t.reduce((a, b) => a + b, 0);
  const chance = ratio(product(t, p), n);
  return ratio(diagonal(m) - chance, n - chance);
}

/** Mean intersection over union of a confusion matrix; classes that do not occur are left out. */
export function iouOf(m: Matrix): number {
  const [t, p] = [rows(m), columns(m)];
  const each = m.flatMap((r, i) => (t[i] + p[i] === 0 ? [] : [r[i] / (t[i] + p[i] - r[i])]));
  return ratio(
    each.reduce((a, b) => a + b, 0),
    each.length,
  );
}
