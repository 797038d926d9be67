/** Curves over all thresholds of a score, and the areas below them, exactly: scores are sorted. */
import { ValueError } from "../base/index.ts";
import type { Numbers, Weighted } from "./arrays.ts";

/** Weighted counts of what scores at least each distinct score, the largest first. */
function steps(
  name: string,
  y: Numbers,
  scores: Numbers,
  w: Numbers | undefined,
): { score: number[]; tp: number[]; fp: number[] } {
  if (y.length !== scores.length || (w !== undefined && w.length !== y.length)) {
    throw new ValueError(`[${name}] ${y.length} targets and ${scores.length} scores: one of each a sample.`);
  }
  const order = Array.from({ length: y.length }, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  const out = { score: [] as number[], tp: [] as number[], fp: [] as number[] };
  let [tp, fp] = [0, 0];
  order.forEach((i, at) => {
    if (Number.isNaN(scores[i]) || (y[i] !== 0 && y[i] !== 1)) {
      throw new ValueError(
        `[${name}] sample ${i}: target ${y[i]}, score ${scores[i]}; targets are 0 or 1, scores numbers.`,
      );
    }
    const weight = w?.[i] ?? 1;
    if (y[i] === 1) tp += weight;
    else fp += weight;
    if (at < order.length - 1 && scores[order[at + 1]] === scores[i]) return;
    out.score.push(scores[i]);
    out.tp.push(tp);
    out.fp.push(fp);
  });
  if (tp === 0 || fp === 0) {
    throw new ValueError(`[${name}] all targets are ${tp === 0 ? 0 : 1}: a curve needs both classes.`);
  }
  return out;
}

/** What `rocCurve` gives: one entry a threshold. */
export interface RocCurve {
  /** False-positive rate at each threshold, rising from 0 to 1. */
  readonly falsePositiveRate: number[];
  readonly truePositiveRate: number[];
  /** Scores from this on are called positive; Infinity at first. */
  readonly thresholds: number[];
}

/**
 * The receiver's operating characteristic, one point a distinct score (scikit-learn: roc_curve without dropping points).
 *
 * @example rocCurve([0, 1, 1], [0.2, 0.4, 0.9]).truePositiveRate; // → [0, 0.5, 1, 1]
 */
export function rocCurve(y: Numbers, scores: Numbers, { sampleWeight }: Weighted = {}): RocCurve {
  const { score, tp, fp } = steps("rocCurve", y, scores, sampleWeight);
  const [positives, negatives] = [tp[tp.length - 1], fp[fp.length - 1]];
  return {
    falsePositiveRate: [0, ...fp.map((v) => v / negatives)],
    truePositiveRate: [0, ...tp.map((v) => v / positives)],
    thresholds: [Number.POSITIVE_INFINITY, ...score],
  };
}

/**
 * Area below the ROC curve: the chance that a positive scores above a negative, ties half (scikit-learn: roc_auc_score).
 *
 * @example rocAuc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]); // → 0.75
 */
export function rocAuc(y: Numbers, scores: Numbers, options: Weighted = {}): number {
  const { falsePositiveRate: x, truePositiveRate: t } = rocCurve(y, scores, options);
  let area = 0;
  for (let i = 1; i < x.length; i++) area += ((x[i] - x[i - 1]) * (t[i] + t[i - 1])) / 2;
  return area;
}

/** What `precisionRecallCurve` gives: one entry a threshold. */
export interface PrecisionRecallCurve {
  readonly precision: number[];
  /** Rising to 1. */
  readonly recall: number[];
  readonly thresholds: number[];
}

/**
 * Precision and recall at each distinct score, the largest first (scikit-learn: precision_recall_curve, in the other order).
 *
 * @example precisionRecallCurve([0, 1, 1], [0.2, 0.4, 0.9]).recall; // → [0.5, 1, 1]
 */
export function precisionRecallCurve(
  y: Numbers,
  scores: Numbers,
  { sampleWeight }: Weighted = {},
): PrecisionRecallCurve {
  const { score, tp, fp } = steps("precisionRecallCurve", y, scores, sampleWeight);
  const positives = tp[tp.length - 1];
  return {
    precision: tp.map((v, i) => v / (v + fp[i])),
    recall: tp.map((v) => v / positives),
    thresholds: score,
  };
}

/**
 * Σ (R_i − R_{i−1}) P_i: the area below the precision–recall curve in steps (scikit-learn: average_precision_score).
 *
 * @example averagePrecision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]); // → 0.83333
 */
export function averagePrecision(y: Numbers, scores: Numbers, options: Weighted = {}): number {
  const { precision, recall } = precisionRecallCurve(y, scores, options);
  return precision.reduce((sum, p, i) => sum + p * (recall[i] - (i === 0 ? 0 : recall[i - 1])), 0);
}

/**
 * The area below the precision–recall curve by straight lines, from (0, 1) (scikit-learn: auc of precision_recall_curve).
 *
 * @example prAuc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]); // → 0.79167
 */
export function prAuc(y: Numbers, scores: Numbers, options: Weighted = {}): number {
  const { precision, recall } = precisionRecallCurve(y, scores, options);
  return precision.reduce(
    (sum, p, i) => sum + ((p + (i === 0 ? 1 : precision[i - 1])) / 2) * (recall[i] - (i === 0 ? 0 : recall[i - 1])),
    0,
  );
}
