import { ChainruleError, ValueError } from "../base/index.ts";
import { device } from "../engine.ts";
import { type Executor, executor } from "../tensor/executor.ts";
import { type Ceilings, ceilings } from "./ceilings.ts";
import { Recorder, type StepTimes } from "./recorder.ts";
import { ProfileReport } from "./report.ts";
import { join, MainProgram, stepsOf } from "./segments.ts";

/** Options of `profile`. */
export interface ProfileOptions {
  /** Calls that are timed; default 20. */
  readonly steps?: number;
  /** Calls before them, in which programs are compiled; default 3. */
  readonly warmup?: number;
  /** Measure what this machine can do at most, half a second; default true. */
  readonly ceilings?: boolean;
}

/** Options of `startProfile`. */
export interface StartProfileOptions {
  /**
   * Ends the noting after that many steps, and shows figures of one step instead of the whole. A step ends with each run of
   * the program that takes most of the time.
   */
  readonly steps?: number;
  /** Steps before them, which are left out; default 3. Without `steps` nothing is left out. */
  readonly warmup?: number;
  /** Called when the steps have been noted. */
  readonly onEnd?: () => void;
  /** Measure what this machine can do at most, half a second; default true. */
  readonly ceilings?: boolean;
}

/**
 * Runs a function some times and tells where its time goes: by kernel, with rates beside this machine's measured ceilings,
 * by program, and outside of them. What the function runs counts, compiled or not; it may be async.
 *
 * @example
 * const step = compiled((a: Tensor) => model(a));
 * const report = await profile(() => step(x));
 * console.log(report.toString());
 * await report.writeTrace("trace.json"); // for chrome://tracing or Perfetto
 */
export async function profile(fn: () => unknown, options: ProfileOptions = {}): Promise<ProfileReport> {
  const { steps = 20, warmup = 3 } = options;
  checkCount("profile", "steps", steps, 1);
  checkCount("profile", "warmup", warmup, 0);
  const watch = new Watch();
  const { recorder } = watch;
  try {
    for (let i = 0; i < warmup; i++) await fn();
    for (let i = 0; i < steps; i++) {
      recorder.begin();
      const result = fn();
      if (result instanceof Promise) await result;
      recorder.end();
    }
  } finally {
    watch.end();
  }
  return watch.report(recorder.steps, true, options.ceilings ?? true);
}

/**
 * Begins to note everything that runs, until `stop()` makes a report of it: for programs whose steps cannot be called one by
 * one, such as `fit`.
 *
 * @example
 * const profiler = startProfile({ steps: 20 });
 * await model.fit(train);
 * console.log(profiler.stop().toString());
 */
export function startProfile(options: StartProfileOptions = {}): Profiler {
  const { steps, warmup = 3, onEnd } = options;
  checkCount("startProfile", "warmup", warmup, 0);
  if (steps !== undefined) checkCount("startProfile", "steps", steps, 1);
  const watch = new Watch();
  const { recorder } = watch;
  if (steps !== undefined) {
    const main = new MainProgram();
    recorder.onRun = () => {
      recorder.end();
      main.add(recorder.steps[recorder.steps.length - 1]);
      if ((main.get()?.runs ?? 0) < warmup + steps) return recorder.begin();
      watch.end();
      onEnd?.();
    };
  }
  recorder.begin();
  return {
    stop() {
      recorder.end();
      watch.end();
      const inSteps = steps === undefined ? [] : stepsOf(recorder.steps, warmup, steps);
      const whole = recorder.steps.length > 1 ? [join(recorder.steps)] : recorder.steps;
      const some = inSteps.length > 0;
      return watch.report(some ? inSteps : whole, some, options.ceilings ?? true);
    },
  };
}

/** A profile that is being taken. */
export interface Profiler {
  /** Ends it. */
  stop(): ProfileReport;
}

/** A recorder in an executor. */
class Watch {
  readonly recorder: Recorder = new Recorder();
  private readonly executor: Executor = executor();

  constructor() {
    if (this.executor.observer !== null)
      throw new ChainruleError("[profile] a profile is being taken already; end that one first.");
    this.executor.observer = this.recorder;
  }

  end(): void {
    if (this.executor.observer === this.recorder) this.executor.observer = null;
  }

  report(steps: readonly StepTimes[], stepwise: boolean, measure: boolean): ProfileReport {
    const { recorder } = this;
    return new ProfileReport({
      device: device().name,
      threads: recorder.threads,
      stepwise,
      steps,
      programs: [...recorder.programs.values()],
      runs: recorder.runs,
      compilations: recorder.compilations,
      lost: recorder.lost,
      ceilings: measure && recorder.programs.size > 0 ? oneAndAll() : null,
    });
  }
}

function oneAndAll(): { one: Ceilings; all: Ceilings } {
  const one = ceilings({ threads: 1 });
  const { threads } = device();
  return { one, all: threads === 1 ? one : ceilings({ threads }) };
}

function checkCount(who: string, name: string, n: number, least: number): void {
  if (!Number.isInteger(n) || n < least)
    throw new ValueError(`[${who}] ${name} must be a whole number from ${least} on, got ${n}.`);
}
