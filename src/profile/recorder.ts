// What is noted while programs run: time by kernel for each step, and the raw clocks for a trace.
import { Clocks, type PlanRunner } from "../runtime/index.ts";
import type { Observer, Program } from "../tensor/executor.ts";
import { programInfo, type ProgramInfo, type ProgramRun } from "./programs.ts";

/** Stamps kept for the trace; what comes later is in the table only. */
const MOST_STAMPS = 500_000;

/** A program that was seen. */
export interface SeenProgram {
  /** From 1 on, in order of appearance. */
  readonly number: number;
  readonly info: ProgramInfo;
  /** Null: it was there before the profile began. */
  compileMs: number | null;
}

/** Runs of one program within a step. */
export interface ProgramTimes {
  runs: number;
  /** Whole runs, and the part of them in which at least one kernel ran. */
  ms: number;
  covered: number;
  /** By kernel: calls, its share of the time that passed, and the time of all threads that worked on it. */
  readonly calls: Float64Array;
  readonly kernels: Float64Array;
  readonly busy: Float64Array;
}

/** One call of the profiled function, or all of a session. */
export interface StepTimes {
  readonly start: number;
  end: number;
  /** Of that, what noting took. */
  noting: number;
  compileMs: number;
  readonly programs: Map<SeenProgram, ProgramTimes>;
}

/** One run with copies of its clocks. */
export interface KeptRun {
  readonly program: SeenProgram;
  readonly start: number;
  readonly end: number;
  readonly order: ArrayLike<number>;
  readonly threads: readonly Float64Array[];
}

export interface KeptCompilation {
  readonly program: SeenProgram;
  readonly start: number;
  readonly end: number;
}

export class Recorder implements Observer {
  readonly programs: Map<Program, SeenProgram> = new Map();
  readonly steps: StepTimes[] = [];
  readonly runs: KeptRun[] = [];
  readonly compilations: KeptCompilation[] = [];
  /** Runs that are in the table and not in the trace. */
  lost = 0;
  /** Threads that took part in a run, at most. */
  threads = 1;
  /** Called after each run that was noted. */
  onRun: (() => void) | null = null;
  private step: StepTimes | null = null;
  /** Of the program that runs. */
  private runner: PlanRunner | null = null;
  private stamps = 0;

  begin(): void {
    this.step = { start: performance.now(), end: 0, noting: 0, compileMs: 0, programs: new Map() };
  }

  end(): void {
    const end = performance.now();
    if (this.step === null) return;
    this.step.end = end;
    this.steps.push(this.step);
    this.step = null;
  }

  compiled(program: Program, start: number, end: number): void {
    const seen = this.see(program);
    seen.compileMs = (seen.compileMs ?? 0) + end - start;
    if (this.step !== null) this.step.compileMs += end - start;
    this.compilations.push({ program: seen, start, end });
  }

  watch(runner: unknown): void {
    this.runner = runner as PlanRunner;
    this.runner.clocks ??= new Clocks(this.runner);
  }

  ran(program: Program, start: number, end: number): void {
    const { step, runner } = this;
    if (step === null || !runner?.clocks) return;
    const before = performance.now();
    const run: ProgramRun = { program, start, end, order: runner.clocks.order, threads: runner.clocks.stamps() };
    const seen = this.see(program);
    let times = step.programs.get(seen);
    if (times === undefined) step.programs.set(seen, (times = noTimes(seen)));
    times.runs++;
    times.ms += run.end - run.start;
    for (let i = 0; i < run.order.length; i++) times.calls[run.order[i]]++;
    times.covered += shareTime(run.threads, run.order, times.kernels, times.busy);
    this.threads = Math.max(this.threads, run.threads.length);
    this.keep(seen, run);
    step.noting += performance.now() - before;
    this.onRun?.();
  }

  private see(program: Program): SeenProgram {
    let seen = this.programs.get(program);
    if (seen === undefined) {
      seen = { number: this.programs.size + 1, info: programInfo(program), compileMs: null };
      this.programs.set(program, seen);
    }
    return seen;
  }

  private keep(program: SeenProgram, { start, end, order, threads }: ProgramRun): void {
    this.stamps += threads.reduce((n, t) => n + t.length, 0);
    if (this.stamps > MOST_STAMPS) this.lost++;
    else this.runs.push({ program, start, end, order, threads: threads.map((t) => t.slice()) });
  }
}

const noTimes = ({ info }: SeenProgram): ProgramTimes => ({
  runs: 0,
  ms: 0,
  covered: 0,
  calls: new Float64Array(info.kernels.length),
  kernels: new Float64Array(info.kernels.length),
  busy: new Float64Array(info.kernels.length),
});

/**
 * Adds each kernel's share of the time that passed: of a moment in which several threads work, every one's kernel has an
 * equal part. So shares add up to the time in which anything ran (the result), and a kernel that keeps the others waiting
 * is charged for it.
 *
 * `threads`: start and end of each call of `order` by thread, in order; 0, 0 where a thread had no part.
 */
export function shareTime(
  threads: readonly Float64Array[],
  order: ArrayLike<number>,
  kernels: Float64Array,
  busy: Float64Array,
): number {
  const count = threads.length;
  const at = new Int32Array(count);
  const working = new Uint8Array(count);
  const skip = (t: number): void => {
    while (2 * at[t] < threads[t].length && threads[t][2 * at[t] + 1] === 0) at[t]++;
  };
  for (let t = 0; t < count; t++) skip(t);
  let [active, now, covered] = [0, 0, 0];
  for (;;) {
    let next = Infinity;
    let who = -1;
    for (let t = 0; t < count; t++) {
      if (2 * at[t] >= threads[t].length) continue;
      const edge = threads[t][2 * at[t] + working[t]];
      if (edge < next) [next, who] = [edge, t];
    }
    if (who < 0) return covered;
    if (active > 0 && next > now) {
      const passed = next - now;
      covered += passed;
      for (let t = 0; t < count; t++) {
        if (working[t] === 0) continue;
        kernels[order[at[t]]] += passed / active;
        busy[order[at[t]]] += passed;
      }
    }
    // Clocks of two threads may differ by a little: time does not run backwards.
    now = Math.max(now, next);
    if (working[who] === 1) {
      at[who]++;
      skip(who);
    }
    working[who] ^= 1;
    active += working[who] === 1 ? 1 : -1;
  }
}
