/** One trial to run. */
export interface Job {
  readonly trial: number;
  readonly seed: number;
  readonly params: Readonly<Record<string, unknown>>;
  /** Stores an intermediate value; rejects when the trial shall stop. */
  readonly report: (step: number, value: number) => Promise<void>;
  /** The error that says that a trial was stopped. */
  readonly prunedError: () => Error;
}

/** Runs trials, up to `count` at a time. */
export interface Runner {
  readonly count: number;
  run(job: Job): Promise<number>;
  close(): void;
}
