import { ValueError } from "../base/index.ts";
import type { TrialRecord } from "./store.ts";

/**
 * Whether a trial shall stop after it reported `value` at `step`. `trials` are all of the study as they stand, this one with its
 * reports among them.
 */
export type Pruner = (
  trials: readonly TrialRecord[],
  trial: number,
  step: number,
  value: number,
  direction: "minimize" | "maximize",
) => boolean;

/** When trials are judged. */
export interface MedianPrunerOptions {
  /** Finished trials that are needed before any is stopped. Default 5. */
  readonly startupTrials?: number;
  /** The first step that is judged. Default 0. */
  readonly warmupSteps?: number;
  /** Steps from one judgement to the next: after the first, the first report at or behind each of these steps. Default 1. */
  readonly intervalSteps?: number;
  /** Values of other trials that are needed for a median. Default 1. */
  readonly minTrials?: number;
}

/**
 * Stops a trial whose best value so far is worse than the median of what others had at this step (the rule and the options of
 * Optuna's MedianPruner). Others are finished trials, as there, and stopped ones too, with their best beyond the step where they
 * stopped: without them only survivors would be compared, and every stop would make the rule harsher. A search with a pruner depends
 * on the order in which trials end.
 *
 * @throws ValueError for an option that is not a whole number in its range.
 * @example
 * const { trials } = await search({
 *   space: { lr: logUniform(1e-4, 1) },
 *   objective: async ({ lr }, { report }) => {
 *     for (let epoch = 0; epoch < 3; epoch++) await report(epoch, lr);
 *     return lr;
 *   },
 *   pruner: medianPruner({ startupTrials: 4, warmupSteps: 1 }),
 * });
 */
export function medianPruner(options: MedianPrunerOptions = {}): Pruner {
  const { startupTrials = 5, warmupSteps = 0, intervalSteps = 1, minTrials = 1 } = options;
  const least = { startupTrials: 0, warmupSteps: 0, intervalSteps: 1, minTrials: 1 };
  for (const [name, given] of Object.entries({ startupTrials, warmupSteps, intervalSteps, minTrials })) {
    const low = least[name as keyof typeof least];
    if (!Number.isInteger(given) || given < low)
      throw new ValueError(`[medianPruner] ${name} must be a whole number ≥ ${low}, got ${given}.`);
  }
  return (trials, trial, step, value, direction) => {
    const done = trials.filter((t) => t.state === "done").length;
    if (step < warmupSteps || done === 0 || done < startupTrials) return false;
    const own = trials.find((t) => t.number === trial)?.reports ?? [];
    const due = step - ((step - warmupSteps) % intervalSteps);
    if (own.some(([s]) => s >= due && s !== step)) return false;
    const best = bestOf([...own, [step, value]], direction);
    if (Number.isNaN(best)) return true;
    const others = trials
      .filter((t) => t.number !== trial && (t.state === "done" || t.state === "pruned"))
      .map((t) => valueAt(t, step, direction))
      .filter((v) => v !== undefined);
    if (others.length < minTrials) return false;
    const sorted = others.filter((v) => !Number.isNaN(v)).sort((a, b) => a - b);
    if (sorted.length === 0) return false;
    const half = sorted.length / 2;
    const median = (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
    return direction === "minimize" ? best > median : best < median;
  };
}

/** The best of some reports; NaN when none is a number. */
function bestOf(reports: TrialRecord["reports"], direction: "minimize" | "maximize"): number {
  const values = reports.map(([, v]) => v).filter((v) => !Number.isNaN(v));
  if (values.length === 0) return NaN;
  return direction === "minimize" ? Math.min(...values) : Math.max(...values);
}

/** What a trial had at a step; of one that was stopped before, the best it had. */
function valueAt(t: TrialRecord, step: number, direction: "minimize" | "maximize"): number | undefined {
  const at = t.reports.find(([s]) => s === step);
  if (at !== undefined) return at[1];
  return t.state === "pruned" && t.reports.every(([s]) => s < step) ? bestOf(t.reports, direction) : undefined;
}
