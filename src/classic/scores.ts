import { ShapeError } from "../base/index.ts";
import { type ArrayLikeInput, hostOf } from "../train/inputs.ts";

/** Both on the host, with as many elements. */
function pair(op: string, target: ArrayLikeInput, predicted: ArrayLikeInput): [Float64Array, Float64Array] {
  const [a, b] = [hostOf(target, "target"), hostOf(predicted, "predicted")];
  if (a.data.length !== b.data.length || a.data.length === 0)
    throw new ShapeError(
      `[${op}] ${a.data.length} targets and ${b.data.length} predictions: there must be as many, and some.`,
    );
  return [Float64Array.from(a.data), Float64Array.from(b.data)];
}

/** Share of predictions equal to their target. */
export function accuracyScore(target: ArrayLikeInput, predicted: ArrayLikeInput): number {
  const [t, p] = pair("accuracyScore", target, predicted);
  return t.reduce((hits, v, i) => hits + (v === p[i] ? 1 : 0), 0) / t.length;
}

/** 1 - Σ(t - p)² / Σ(t - mean)²: 1 is perfect, 0 is as good as the mean. Of constant targets: 1 when all are met, else 0. */
export function r2Score(target: ArrayLikeInput, predicted: ArrayLikeInput): number {
  const [t, p] = pair("r2Score", target, predicted);
  const mean = t.reduce((a, v) => a + v, 0) / t.length;
  const left = t.reduce((a, v, i) => a + (v - p[i]) ** 2, 0);
  const total = t.reduce((a, v) => a + (v - mean) ** 2, 0);
  return total === 0 ? (left === 0 ? 1 : 0) : 1 - left / total;
}

/** √(mean (t - p)²). */
export function rootMeanSquaredError(target: ArrayLikeInput, predicted: ArrayLikeInput): number {
  const [t, p] = pair("rootMeanSquaredError", target, predicted);
  return Math.sqrt(t.reduce((a, v, i) => a + (v - p[i]) ** 2, 0) / t.length);
}
