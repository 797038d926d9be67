// Steps of a program that nobody calls step by step: a step ends with each run of the program that takes most of the time.
import type { ProgramTimes, SeenProgram, StepTimes } from "./recorder.ts";

/** Which program takes most of the time; its longest run does not count, so that it is one that is run again and again. */
export class MainProgram {
  private readonly sums: Map<SeenProgram, { ms: number; longest: number; runs: number }> = new Map();

  add({ programs }: StepTimes): void {
    for (const [program, { ms, runs }] of programs) {
      const sum = this.sums.get(program) ?? { ms: 0, longest: 0, runs: 0 };
      this.sums.set(program, { ms: sum.ms + ms, longest: Math.max(sum.longest, ms), runs: sum.runs + runs });
    }
  }

  /** It, and how often it ran; null before the first run. */
  get(): { readonly program: SeenProgram; readonly runs: number } | null {
    let best: { program: SeenProgram; rest: number; runs: number } | null = null;
    for (const [program, { ms, longest, runs }] of this.sums)
      if (best === null || ms - longest > best.rest) best = { program, rest: ms - longest, runs };
    return best;
  }
}

/** Segments (each up to the end of a run) joined to steps: those after the first `warmup`, `most` at most. */
export function stepsOf(segments: readonly StepTimes[], warmup: number, most: number): StepTimes[] {
  const programs = new MainProgram();
  for (const s of segments) programs.add(s);
  const main = programs.get();
  if (main === null) return [];
  const out: StepTimes[] = [];
  let open: StepTimes[] = [];
  for (const s of segments) {
    open.push(s);
    if (!s.programs.has(main.program)) continue;
    out.push(join(open));
    open = [];
  }
  return out.slice(warmup, warmup + most);
}

/** One stretch of time in place of several that follow each other. */
export function join(list: readonly StepTimes[]): StepTimes {
  const [first, last] = [list[0], list[list.length - 1]];
  const sum = (f: (s: StepTimes) => number): number => list.reduce((n, s) => n + f(s), 0);
  const programs = new Map<SeenProgram, ProgramTimes>();
  for (const s of list) {
    for (const [program, t] of s.programs) {
      const known = programs.get(program);
      programs.set(program, known === undefined ? t : added(known, t));
    }
  }
  // What lies between two of them was spent on noting, too.
  const gaps = last.end - first.start - sum((s) => s.end - s.start);
  return {
    start: first.start,
    end: last.end,
    noting: gaps + sum((s) => s.noting),
    compileMs: sum((s) => s.compileMs),
    programs,
  };
}

const added = (a: ProgramTimes, b: ProgramTimes): ProgramTimes => ({
  runs: a.runs + b.runs,
  ms: a.ms + b.ms,
  covered: a.covered + b.covered,
  calls: a.calls.map((x, i) => x + b.calls[i]),
  kernels: a.kernels.map((x, i) => x + b.kernels[i]),
  busy: a.busy.map((x, i) => x + b.busy[i]),
});
