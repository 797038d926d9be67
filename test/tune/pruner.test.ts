import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { medianPruner, search, type TrialRecord, uniform } from "../../src/tune/index.ts";

/** Decisions of Optuna's MedianPruner (test/fixtures/make_pruner.py). */
interface Case {
  readonly n_startup_trials: number;
  readonly n_warmup_steps: number;
  readonly interval_steps: number;
  readonly n_min_trials: number;
  readonly direction: "minimize" | "maximize";
  readonly others: readonly Reports[];
  readonly own: Reports;
  /** What it said after each of the own reports. */
  readonly said: readonly boolean[];
}
type Reports = readonly (readonly [number, number | null])[];
const cases = JSON.parse(readFileSync(new URL("../fixtures/pruner.json", import.meta.url), "utf8")) as Case[];

const trialOf = (number: number, state: TrialRecord["state"], reports: Reports): TrialRecord => ({
  number,
  state,
  params: {},
  value: state === "done" ? 0 : null,
  error: null,
  reports: reports.map(([s, v]) => [s, v ?? NaN]),
  seconds: 1,
});

describe("medianPruner", () => {
  test("decides as Optuna's MedianPruner does beside finished trials", () => {
    const said = cases.map((c) => {
      const prune = medianPruner({
        startupTrials: c.n_startup_trials,
        warmupSteps: c.n_warmup_steps,
        intervalSteps: c.interval_steps,
        minTrials: c.n_min_trials,
      });
      const others = c.others.map((r, i) => trialOf(i, "done", r));
      return c.own.map(([step, v], i) =>
        prune([...others, trialOf(99, "running", c.own.slice(0, i + 1))], 99, step, v ?? NaN, c.direction),
      );
    });
    expect(said).toEqual(cases.map((c) => c.said));
    expect(cases.flatMap((c) => c.said).filter(Boolean).length).toBeGreaterThan(30);
  });

  test("stopped trials count, beyond the step where they stopped with their best", () => {
    const prune = medianPruner({ startupTrials: 1 });
    const trials = [
      trialOf(0, "done", [[0, 1], [1, 1]]),
      trialOf(1, "pruned", [[0, 5]]),
      trialOf(2, "pruned", [[0, 7], [1, 6]]),
      trialOf(3, "running", [[0, 0], [1, 0]]),
      trialOf(4, "failed", [[0, 0], [1, 0]]),
    ]; // prettier-ignore
    // Medians: 5 of [1, 5, 7] at step 0, and 5 of [1, 5, 6] at step 1.
    expect([4.9, 5.1].map((v) => prune(trials, 9, 0, v, "minimize"))).toEqual([false, true]);
    expect([4.9, 5.1].map((v) => prune(trials, 9, 1, v, "minimize"))).toEqual([false, true]);
  });

  test("of alike trials about half are stopped, in the last hundred as in the first", async () => {
    const { trials } = await search({
      space: { quality: uniform(0, 1) },
      trials: 400,
      seed: 3,
      verbose: 0,
      pruner: medianPruner({ startupTrials: 8, warmupSteps: 1 }),
      async objective({ quality }, { report }) {
        for (let step = 0; step < 6; step++) await report(step, quality + 1 / (1 + step));
        return quality;
      },
    });
    const stopped = (from: number): number => trials.slice(from, from + 100).filter((t) => t.state === "pruned").length;
    // Within three standard deviations of 50; with finished trials alone it was 67 at first and 90 in the end.
    for (const from of [0, 100, 200, 300]) expect(Math.abs(stopped(from) - 50)).toBeLessThanOrEqual(15);
  });

  test("a trial that reports only NaN is stopped; options are checked", () => {
    const trials = [trialOf(0, "done", [[0, 1]])];
    expect(medianPruner({ startupTrials: 1 })(trials, 1, 0, NaN, "minimize")).toBe(true);
    expect(() => medianPruner({ intervalSteps: 0 })).toThrow(
      "[medianPruner] intervalSteps must be a whole number ≥ 1, got 0.",
    );
    expect(() => medianPruner({ warmupSteps: 1.5 })).toThrow("warmupSteps must be a whole number ≥ 0");
  });
});
