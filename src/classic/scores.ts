import { type Numbers, accuracyScore as accuracy, r2Score as r2, rootMeanSquaredErrorScore } from "../metrics/index.ts";
import { type ArrayLikeInput, hostOf } from "../train/inputs.ts";

type Score = (target: ArrayLikeInput, predicted: ArrayLikeInput) => number;

/** A metric of plain numbers, for whatever models take and give. */
const scoreOf =
  (metric: (y: Numbers, p: Numbers) => number): Score =>
  (target, predicted) =>
    metric(Float64Array.from(hostOf(target, "target").data), Float64Array.from(hostOf(predicted, "predicted").data));

/** Share of predictions equal to their target. */
export const accuracyScore: Score = scoreOf(accuracy);

/** 1 - Σ(t - p)² / Σ(t - mean)²: 1 is perfect, 0 is as good as the mean. Of constant targets: 1 when all are met, else 0. */
export const r2Score: Score = scoreOf(r2);

/** √(mean (t - p)²). */
export const rootMeanSquaredError: Score = scoreOf(rootMeanSquaredErrorScore);
