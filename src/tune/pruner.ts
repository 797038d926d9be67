import type { TrialRecord } from "./store.ts";

/** Whether a trial shall stop after it reported `value` at `step`. */
export type Pruner = (
  trials: readonly TrialRecord[],
  trial: number,
  step: number,
  value: number,
  direction: "minimize" | "maximize",
) => boolean;

export interface MedianPrunerOptions {
  /** Finished trials that are needed before any is stopped. Default 5. */
  readonly startupTrials?: number;
  /** Steps of a trial that are never stopped. Default 0. */
  readonly warmupSteps?: number;
}

/**
 * Stops a trial whose value at a step is worse than the median of what others had there (as in Google Vizier). A search with a
 * pruner depends on the order in which trials end.
 *
 * @example await search({ space, objective, pruner: medianPruner({ startupTrials: 4 }) });
 */
export function medianPruner(options: MedianPrunerOptions = {}): Pruner {
  const { startupTrials = 5, warmupSteps = 0 } = options;
  return (trials, trial, step, value, direction) => {
    if (step < warmupSteps) return false;
    const others = trials
      .filter((t) => t.number !== trial && t.state === "done")
      .map((t) => t.reports.find(([s]) => s === step)?.[1])
      .filter((v): v is number => v !== undefined && !Number.isNaN(v))
      .sort((a, b) => a - b);
    if (others.length < Math.max(1, startupTrials)) return false;
    const half = others.length / 2;
    const median = (others[Math.ceil(half) - 1] + others[Math.floor(half)]) / 2;
    return Number.isNaN(value) || (direction === "minimize" ? value > median : value < median);
  };
}
