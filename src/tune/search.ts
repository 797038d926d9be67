import { ChainruleError, foldKey, keyOfSeed, ValueError } from "../base/index.ts";
import { formatTable } from "../viz/index.ts";
import { type Pruner } from "./pruner.ts";
import type { Job, Runner } from "./runner.ts";
import { gridOf, type Params, sampleSpace, type Space } from "./space.ts";
import { memoryStore, type Store, type TrialRecord } from "./store.ts";

/** What an objective is told beside its hyperparameters. */
export interface Trial {
  readonly trial: number;
  /** Of this trial: the same in every run of the study. */
  readonly seed: number;
  /** Stores an intermediate value; throws when a pruner stops the trial. Await it. */
  readonly report: (step: number, value: number) => Promise<void>;
}

/** What a search makes small: the value of one choice of hyperparameters. */
export type Objective<S extends Space> = (params: Params<S>, trial: Trial) => number | Promise<number>;

/** Options of `search`. */
export interface SearchOptions<S extends Space> {
  readonly space: S;
  /**
   * What is minimised: a function, run in this process; or the URL of a module whose default export it is, run in processes of its
   * own, `workers` at a time.
   */
  readonly objective: Objective<S> | URL;
  /** Default 20; a grid has as many as it has points. */
  readonly trials?: number;
  /** "random", or a grid with that many places an axis. Default "random". */
  readonly sampler?: "random" | { readonly grid: number };
  readonly direction?: "minimize" | "maximize";
  /** Default 0. */
  readonly seed?: number;
  /** Trials at a time. Default: the processors for a module, 1 for a function. */
  readonly workers?: number;
  /** Threads of each worker process. Default: the processors shared among the workers. */
  readonly threads?: number;
  /** Where trials are kept: a file (SQLite, package libsql) or `postgres://…` (package postgres). Default: memory. */
  readonly store?: string;
  /** Name in the store: a search of the same name, space and seed goes on where it was. Default "study". */
  readonly study?: string;
  readonly pruner?: Pruner;
  /** Called as each trial ends. */
  readonly onTrial?: (trial: TrialRecord, result: SearchResult<S>) => void;
  /** Prints a line a trial. Default 1. */
  readonly verbose?: 0 | 1;
  /** Starts no further trial, stops worker processes, waits for no other search; what was finished is kept. */
  readonly signal?: AbortSignal;
  /**
   * Seconds without a sign of life after which a trial is another's. Default 60. What a process that is gone from this machine left
   * is free at once.
   */
  readonly stale?: number;
}

/** A study as it stands. */
export interface SearchResult<S extends Space = Space> {
  readonly study: string;
  readonly space: S;
  readonly direction: "minimize" | "maximize";
  readonly trials: readonly TrialRecord[];
  /** Whether all trials have ended. */
  readonly complete: boolean;
  /** The best finished trial. */
  readonly best: (TrialRecord & { readonly params: Params<S>; readonly value: number }) | null;
  /** The n best finished trials, best first. */
  top(n: number): (TrialRecord & { readonly params: Params<S>; readonly value: number })[];
  /** A table, best first. */
  toString(): string;
}

/** A trial that a pruner stopped. */
class Pruned extends ChainruleError {
  override name = "Pruned";
}

const inNode = typeof process !== "undefined" && process.versions?.node !== undefined;

async function openStore(where: string | undefined): Promise<Store> {
  if (where === undefined) return memoryStore();
  return (await (inNode ? import("./sql.node.ts") : import("./sql.browser.ts"))).openStore(where);
}

async function runnerOf<S extends Space>(options: SearchOptions<S>, count: number): Promise<Runner> {
  const { objective } = options;
  if (objective instanceof URL) {
    const { processRunner } = await (inNode ? import("./workers.node.ts") : import("./workers.browser.ts"));
    const threads = options.threads ?? Math.max(1, Math.floor(processors() / count));
    return processRunner(objective.href, count, { CHAINRULE_THREADS: String(threads) });
  }
  return {
    count,
    run: async ({ params, trial, seed, report }) => objective(params as Params<S>, { trial, seed, report }),
    close: () => {},
  };
}

const processors = (): number => (typeof navigator === "undefined" ? 2 : (navigator.hardwareConcurrency ?? 2));

/** The trials of a study, best first where they have a value. */
function resultOf<S extends Space>(
  study: string,
  space: S,
  direction: "minimize" | "maximize",
  trials: readonly TrialRecord[],
  total: number,
): SearchResult<S> {
  type Finished = TrialRecord & { readonly params: Params<S>; readonly value: number };
  const sign = direction === "minimize" ? 1 : -1;
  const finished = trials
    .filter((t): t is Finished => t.state === "done" && t.value !== null && !Number.isNaN(t.value))
    .sort((a, b) => sign * (a.value - b.value) || a.number - b.number);
  const names = Object.keys(space);
  const text = (): string =>
    formatTable(
      [
        ["trial", "value", ...names, "seconds"],
        ...finished.map((t) => [
          t.number,
          show(t.value),
          ...names.map((n) => show(t.params[n])),
          t.seconds?.toFixed(1) ?? "",
        ]),
      ],
      { header: true },
    );
  return {
    study,
    space,
    direction,
    trials,
    complete: trials.length >= total && trials.every((t) => t.state !== "running"),
    best: finished[0] ?? null,
    top: (n) => finished.slice(0, n),
    toString: text,
  };
}

const show = (v: unknown): string => (typeof v === "number" ? String(Number(v.toPrecision(4))) : String(v));

/**
 * Searches hyperparameters: at random points (or on a grid), in parallel processes, in a store that a killed search goes on from and
 * that several machines may share. A trial's hyperparameters depend on seed and number alone, so that a parallel search finds
 * what a serial one does (S-394, S-398). A trial that throws is kept as failed, and the search goes on. It ends when all trials have
 * ended, those that other machines run among them.
 *
 * @throws ValueError for options that do not fit; ChainruleError when every trial failed, with the first error.
 * @example
 * const result = await search({
 *   space: { learningRate: logUniform(1e-4, 1), units: choice([8, 16]) },
 *   objective: async ({ learningRate, units }) => {
 *     const net = sequential([flatten(), dense(units), relu, dense(10)]);
 *     net.compile({ optimizer: adam(learningRate), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
 *     await net.fit(train, { epochs: 2, verbose: 0 });
 *     return 1 - (await net.evaluate(dev))["accuracy"];
 *   },
 *   trials: 4,
 * });
 * console.log(result.best, String(result));
 */
export async function search<S extends Space>(options: SearchOptions<S>): Promise<SearchResult<S>> {
  const { space, seed = 0, sampler = "random", direction = "minimize", study = "study", verbose = 1 } = options;
  const { stale = 60, pruner, signal, onTrial, objective } = options;
  if (Object.keys(space).length === 0)
    throw new ValueError("[search] the space is empty: give at least one parameter.");
  if (typeof objective !== "function" && !(objective instanceof URL))
    throw new ValueError(
      "[search] objective is a function, or the URL of a module: new URL('./objective.mjs', import.meta.url).",
    );
  const grid = sampler === "random" ? null : gridOf(space, sampler.grid);
  const total = grid === null ? (options.trials ?? 20) : Math.min(grid.length, options.trials ?? grid.length);
  const workers = options.workers ?? (objective instanceof URL ? processors() : 1);
  for (const [name, value] of Object.entries({ trials: total, workers }))
    if (!Number.isInteger(value) || value < 1)
      throw new ValueError(`[search] ${name} must be a whole number ≥ 1, got ${value}.`);
  const paramsOf = (trial: number): Params<S> => grid?.[trial] ?? sampleSpace(space, seed, trial);
  const config = JSON.stringify({
    space: Object.fromEntries(Object.entries(space).map(([name, p]) => [name, p.config])),
    seed,
    sampler,
    direction,
  });
  const store = await openStore(options.store);
  const result = async (): Promise<SearchResult<S>> =>
    resultOf(study, space, direction, await store.trials(study), total);
  let runner: Runner | null = null;
  try {
    await store.open(study, config);
    const running = (runner = await runnerOf(options, Math.min(workers, total)));
    const abort = (): void => running.close();
    signal?.addEventListener("abort", abort);
    const stopped = (): boolean => signal?.aborted === true;
    /** The trials that run in this search. */
    const mine = new Set<number>();
    const takeTrials = async (): Promise<void> => {
      while (!stopped()) {
        const trial = await store.claim(study, total, paramsOf, stale);
        if (trial !== null) {
          mine.add(trial);
          await runTrial(trial);
          mine.delete(trial);
        } else if ((await store.trials(study)).some((t) => t.state === "running" && !mine.has(t.number))) {
          // Of another search: its result belongs to the study, or its silence makes the trial free.
          await new Promise((resolve) => setTimeout(resolve, 250));
        } else return;
      }
    };
    const runTrial = async (trial: number): Promise<void> => {
      const start = performance.now();
      const beat = setInterval(() => void store.beat(study, trial), 250 * stale);
      const job: Job = {
        trial,
        seed: foldKey(keyOfSeed(seed), trial)[0],
        params: paramsOf(trial),
        prunedError: () => new Pruned(`[search] trial ${trial} was stopped by the pruner.`),
        async report(step, value) {
          await store.report(study, trial, step, value);
          if (pruner?.(await store.trials(study), trial, step, value, direction) === true) throw job.prunedError();
        },
      };
      try {
        const value = await running.run(job);
        if (typeof value !== "number")
          throw new ChainruleError(`[search] the objective of trial ${trial} returned ${typeof value}, not a number.`);
        await store.finish(study, trial, {
          state: "done",
          value,
          error: null,
          seconds: (performance.now() - start) / 1e3,
        });
      } catch (error) {
        // The next search takes it up again.
        if (stopped()) return await store.release(study, trial);
        const seconds = (performance.now() - start) / 1e3;
        const state = error instanceof Pruned ? "pruned" : "failed";
        const text = error instanceof Pruned ? null : error instanceof Error ? error.message : String(error);
        await store.finish(study, trial, { state, value: null, error: text, seconds });
      } finally {
        clearInterval(beat);
      }
      const now = await result();
      const record = now.trials.find((t) => t.number === trial) as TrialRecord;
      if (verbose === 1) console.log(lineOf(record, now, total));
      onTrial?.(record, now);
    };
    await Promise.all(Array.from({ length: running.count }, takeTrials));
    signal?.removeEventListener("abort", abort);
    const end = await result();
    const failed = end.trials.filter((t) => t.state === "failed");
    if (failed.length > 0 && failed.length === end.trials.length)
      throw new ChainruleError(`[search] all ${failed.length} trials failed; the first: ${failed[0].error}`);
    return end;
  } finally {
    runner?.close();
    await store.close();
  }
}

function lineOf<S extends Space>(record: TrialRecord, now: SearchResult<S>, total: number): string {
  const ended = now.trials.filter((t) => t.state !== "running").length;
  const what = record.state === "done" ? `value ${show(record.value)}` : record.state;
  const params = Object.entries(record.params).map(([name, v]) => `${name} ${show(v)}`);
  const best = now.best === null ? "" : `  best ${show(now.best.value)} (trial ${now.best.number})`;
  return `trial ${record.number}  ${ended}/${total}  ${what}  ${params.join(", ")}${best}`;
}

/**
 * The trials of a study in a store, without running any.
 *
 * @example
 * const space = { x: uniform(-1, 1) };
 * await search({ space, objective: ({ x }) => x ** 2, trials: 5, store: "trials.db", study: "squares" });
 * (await loadStudy("trials.db", "squares", space)).trials.length; // → 5
 */
export async function loadStudy<S extends Space>(
  where: string,
  study: string,
  space: S,
  direction: "minimize" | "maximize" = "minimize",
): Promise<SearchResult<S>> {
  const store = await openStore(where);
  try {
    const trials = await store.trials(study);
    if (trials.length === 0) throw new ValueError(`[loadStudy] the store has no trial of a study "${study}".`);
    return resultOf(study, space, direction, trials, trials.length);
  } finally {
    await store.close();
  }
}
