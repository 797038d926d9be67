import { ValueError, ChainruleError } from "../base/index.ts";
import { device } from "../engine.ts";
import { executor } from "../tensor/executor.ts";
import { ceilings } from "./ceilings.ts";
import { Recorder } from "./recorder.ts";
import { ProfileReport } from "./report.ts";

export interface ProfileOptions {
  /** Calls that are timed; default 20. */
  readonly steps?: number;
  /** Calls before them, in which programs are compiled; default 3. */
  readonly warmup?: number;
  /** Measure what this machine can do at most, a third of a second; default true. */
  readonly ceilings?: boolean;
}

/**
 * Runs a function some times and tells where its time goes: by kernel, with rates beside this machine's measured ceilings,
 * by program, and outside of them. What the function runs counts, compiled or not; it may be async.
 *
 * @example
 * const report = await profile(() => step(x, y));
 * console.log(report.toString());
 * await report.writeTrace("trace.json"); // for chrome://tracing or Perfetto
 */
export async function profile(fn: () => unknown, options: ProfileOptions = {}): Promise<ProfileReport> {
  const { steps = 20, warmup = 3 } = options;
  checkCount("steps", steps, 1);
  checkCount("warmup", warmup, 0);
  const profiler = new Profiler(true, options);
  try {
    for (let i = 0; i < warmup; i++) await fn();
    for (let i = 0; i < steps; i++) {
      profiler.recorder.begin();
      const result = fn();
      if (result instanceof Promise) await result;
      profiler.recorder.end();
    }
  } catch (error) {
    profiler.detach();
    throw error;
  }
  return profiler.stop();
}

/**
 * Begins to note everything that runs, until `stop()` makes a report of the whole: for programs whose steps cannot be
 * called one by one.
 */
export function startProfile(options: Pick<ProfileOptions, "ceilings"> = {}): Profiler {
  const profiler = new Profiler(false, options);
  profiler.recorder.begin();
  return profiler;
}

/** A profile that is being taken. */
export class Profiler {
  /** @internal */
  readonly recorder: Recorder = new Recorder();
  private readonly stepwise: boolean;
  private readonly wanted: Pick<ProfileOptions, "ceilings">;

  /** @internal */
  constructor(stepwise: boolean, wanted: Pick<ProfileOptions, "ceilings">) {
    this.stepwise = stepwise;
    this.wanted = wanted;
    const e = executor();
    if (e.observer !== null)
      throw new ChainruleError("[profile] a profile is being taken already; stop() that one first.");
    e.observer = this.recorder;
  }

  /** Ends the profile. */
  stop(): ProfileReport {
    const { recorder } = this;
    if (!this.stepwise) recorder.end();
    this.detach();
    const { name, threads } = device();
    return new ProfileReport({
      device: name,
      threads: recorder.threads,
      stepwise: this.stepwise,
      steps: recorder.steps,
      programs: [...recorder.programs.values()],
      runs: recorder.runs,
      compilations: recorder.compilations,
      lost: recorder.lost,
      ceilings:
        this.wanted.ceilings === false
          ? null
          : threads === 1
            ? oneAndAll(ceilings({ threads: 1 }))
            : { one: ceilings({ threads: 1 }), all: ceilings({ threads }) },
    });
  }

  /** @internal Ends it without a report. */
  detach(): void {
    const e = executor();
    if (e.observer === this.recorder) e.observer = null;
  }
}

const oneAndAll = <T>(x: T): { one: T; all: T } => ({ one: x, all: x });

function checkCount(name: string, n: number, least: number): void {
  if (!Number.isInteger(n) || n < least)
    throw new ValueError(`[profile] ${name} must be a whole number from ${least} on, got ${n}.`);
}
