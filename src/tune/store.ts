/** How a trial stands. */
export type TrialState = "running" | "done" | "pruned" | "failed";

/** One trial as it is stored. */
export interface TrialRecord {
  readonly number: number;
  readonly state: TrialState;
  /** Hyperparameters as JSON. */
  readonly params: Readonly<Record<string, unknown>>;
  /** What the objective gave; null while it runs and when it failed. */
  readonly value: number | null;
  readonly error: string | null;
  /** Intermediate values by step. */
  readonly reports: readonly (readonly [step: number, value: number])[];
  readonly seconds: number | null;
}

/** How a trial ended. */
export interface Ending {
  readonly state: "done" | "pruned" | "failed";
  readonly value: number | null;
  readonly error: string | null;
  readonly seconds: number;
}

/** Where the trials of a study are kept: several processes, on several machines, may share one. */
export interface Store {
  /** Makes the study, or checks that one of this name has the same space and seed. */
  open(study: string, config: string): Promise<void>;
  /**
   * A trial to run: the lowest number below `total` that nobody has taken, or one whose runner has not given a sign for
   * `stale` seconds; null when there is none.
   */
  claim(study: string, total: number, paramsOf: (trial: number) => unknown, stale: number): Promise<number | null>;
  /** A sign of life, and an intermediate value. */
  report(study: string, trial: number, step: number, value: number): Promise<void>;
  beat(study: string, trial: number): Promise<void>;
  /** Gives a running trial up: anyone may take it. */
  release(study: string, trial: number): Promise<void>;
  finish(study: string, trial: number, ending: Ending): Promise<void>;
  /** All trials by number. */
  trials(study: string): Promise<TrialRecord[]>;
  close(): Promise<void>;
}

interface Kept {
  state: TrialState;
  params: Readonly<Record<string, unknown>>;
  value: number | null;
  error: string | null;
  reports: [number, number][];
  seconds: number | null;
}

/** Trials in memory: gone with the process. */
export function memoryStore(): Store {
  const trials = new Map<number, Kept>();
  const of = (trial: number): Kept => trials.get(trial) as Kept;
  return {
    open: () => Promise.resolve(),
    claim(_, total, paramsOf) {
      for (let n = 0; n < total; n++) {
        if (trials.has(n)) continue;
        const params = paramsOf(n) as Kept["params"];
        trials.set(n, { state: "running", params, value: null, error: null, reports: [], seconds: null });
        return Promise.resolve(n);
      }
      return Promise.resolve(null);
    },
    report(_, trial, step, value) {
      const { reports } = of(trial);
      const at = reports.findIndex(([s]) => s === step);
      reports.splice(at < 0 ? reports.length : at, 1, [step, value]);
      return Promise.resolve();
    },
    beat: () => Promise.resolve(),
    release(_, trial) {
      trials.delete(trial);
      return Promise.resolve();
    },
    finish(_, trial, ending) {
      Object.assign(of(trial), ending);
      return Promise.resolve();
    },
    trials: () =>
      Promise.resolve(
        [...trials]
          .sort(([a], [b]) => a - b)
          .map(([number, kept]) => ({ number, ...kept, reports: [...kept.reports] })),
      ),
    close: () => Promise.resolve(),
  };
}
