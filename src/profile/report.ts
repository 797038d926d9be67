// From what was noted to what is shown: figures of a typical step, by kernel and by program, against the ceilings.
import type { KernelInfo } from "./programs.ts";
import { writeFileSafely } from "../io/index.ts";
import type { Ceilings } from "./ceilings.ts";
import type { KeptCompilation, KeptRun, ProgramTimes, SeenProgram, StepTimes } from "./recorder.ts";
import { formatReport, type ReportOptions } from "./text.ts";
import { traceJson } from "./trace.ts";

/** Equal kernels together. Times and work are those of one step. */
export interface KernelProfile {
  readonly name: string;
  readonly kind: string;
  /** Its loops as text. */
  readonly loops: string;
  /** Calls in a step. */
  readonly calls: number;
  /** Time that passed; where several kernels ran at once, its part of it. */
  readonly ms: number;
  /** Part of the step, 0..1. */
  readonly share: number;
  /** Threads that worked on it, on average. */
  readonly threads: number;
  readonly flops: number;
  readonly bytes: number;
  readonly gflops: number;
  readonly gbps: number;
  /** Parts of the two ceilings, 1 = at the ceiling; null when they were not measured. */
  readonly ofPeak: number | null;
  readonly ofMemory: number | null;
  /** The ceiling it comes nearer to; `cache` when it moves bytes faster than memory could. */
  readonly bound: "compute" | "memory" | "cache" | null;
  /** What it would take at its ceiling. */
  readonly floorMs: number | null;
}

/** A compiled program in a profile. */
export interface ProgramProfile {
  /** From 1 on, in order of appearance. */
  readonly number: number;
  /** Kernels in its plan. */
  readonly kernels: number;
  /** Runs and calls of kernels in a step, and what they take in all. */
  readonly runs: number;
  readonly calls: number;
  readonly ms: number;
  /** Null: it was compiled before the profile began. */
  readonly compileMs: number | null;
  /** Intermediates, and what they would need without reuse. */
  readonly arenaBytes: number;
  readonly totalBytes: number;
}

/** Where the time of a step goes, in milliseconds. */
export interface StepProfile {
  readonly ms: number;
  /** Moments in which a kernel ran on any thread. */
  readonly kernels: number;
  /** In programs and outside of kernels: handing over, barriers, results. */
  readonly between: number;
  readonly compiling: number;
  /** Outside of programs: JavaScript, and whatever the function waits for. */
  readonly outside: number;
  readonly flops: number;
  readonly bytes: number;
  /** Of every step, in order. */
  readonly all: readonly number[];
}

/** Everything a report is made of. */
export interface Recording {
  /** One line about what ran the kernels. */
  readonly device: string;
  readonly threads: number;
  /** False: one long stretch, such as a whole script. */
  readonly stepwise: boolean;
  readonly steps: readonly StepTimes[];
  readonly programs: readonly SeenProgram[];
  readonly runs: readonly KeptRun[];
  readonly compilations: readonly KeptCompilation[];
  readonly lost: number;
  readonly ceilings: { readonly one: Ceilings; readonly all: Ceilings } | null;
}

/** What a profile found. Figures are of one step: the mean of the faster half of the steps, so that guests count little. */
export class ProfileReport {
  readonly device: string;
  readonly threads: number;
  /** False: one long stretch, whose figures are those of the whole. */
  readonly stepwise: boolean;
  readonly ceilings: { readonly one: Ceilings; readonly all: Ceilings } | null;
  readonly step: StepProfile;
  /** The hottest first. */
  readonly kernels: readonly KernelProfile[];
  readonly programs: readonly ProgramProfile[];
  readonly #recording: Recording;

  constructor(recording: Recording) {
    const typical = fasterHalf(recording.steps);
    this.#recording = recording;
    this.device = recording.device;
    this.threads = recording.threads;
    this.stepwise = recording.stepwise;
    this.ceilings = recording.ceilings;
    this.programs = recording.programs.map((p) => programProfile(p, typical));
    const ms = meanOf(typical, wallMs);
    this.kernels = kernelProfiles(recording, typical, ms);
    this.step = stepProfile(recording.steps, typical, this.kernels);
  }

  /** Tables for people. */
  toString(options: ReportOptions = {}): string {
    return formatReport(this, options);
  }

  /** The timeline as Chrome trace JSON, one lane a thread: for chrome://tracing and Perfetto. */
  trace(): string {
    return traceJson(this.#recording);
  }

  /** Writes the timeline to a file (Node; elsewhere take the text of `trace()`). */
  async writeTrace(path: string): Promise<void> {
    await writeFileSafely(path, new TextEncoder().encode(this.trace()));
  }
}

const wallMs = (s: StepTimes): number => s.end - s.start - s.noting;

const meanOf = (steps: readonly StepTimes[], f: (s: StepTimes) => number): number =>
  steps.reduce((sum, s) => sum + f(s), 0) / Math.max(1, steps.length);

const fasterHalf = (steps: readonly StepTimes[]): StepTimes[] =>
  steps.toSorted((a, b) => wallMs(a) - wallMs(b)).slice(0, Math.ceil(steps.length / 2));

/** The mean over steps of a figure of one program. */
const meanFor = (steps: readonly StepTimes[], program: SeenProgram, f: (t: ProgramTimes) => number): number =>
  meanOf(steps, (s) => {
    const times = s.programs.get(program);
    return times === undefined ? 0 : f(times);
  });

function programProfile(program: SeenProgram, steps: readonly StepTimes[]): ProgramProfile {
  const { number, info, compileMs } = program;
  return {
    number,
    kernels: info.kernels.length,
    calls: meanFor(steps, program, (t) => t.calls.reduce((a, b) => a + b, 0)),
    runs: meanFor(steps, program, (t) => t.runs),
    ms: meanFor(steps, program, (t) => t.ms),
    compileMs,
    arenaBytes: info.arenaBytes,
    totalBytes: info.totalBytes,
  };
}

function stepProfile(
  all: readonly StepTimes[],
  typical: readonly StepTimes[],
  kernels: readonly KernelProfile[],
): StepProfile {
  const inPrograms = (f: (t: ProgramTimes) => number): number =>
    meanOf(typical, (s) => [...s.programs.values()].reduce((sum, t) => sum + f(t), 0));
  const ms = meanOf(typical, wallMs);
  const compiling = meanOf(typical, (s) => s.compileMs);
  const running = inPrograms((t) => t.ms);
  const covered = inPrograms((t) => t.covered);
  return {
    ms,
    kernels: covered,
    between: Math.max(0, running - covered),
    compiling,
    outside: Math.max(0, ms - running - compiling),
    flops: kernels.reduce((sum, k) => sum + k.flops, 0),
    bytes: kernels.reduce((sum, k) => sum + k.bytes, 0),
    all: all.map(wallMs),
  };
}

interface Sum {
  readonly info: KernelInfo;
  calls: number;
  ms: number;
  busy: number;
  flops: number;
  bytes: number;
}

/** Equal kernels of all programs together, the hottest first. */
function kernelProfiles(recording: Recording, steps: readonly StepTimes[], stepMs: number): KernelProfile[] {
  const sums = new Map<string, Sum>();
  for (const program of recording.programs) {
    program.info.kernels.forEach((info, i) => {
      const key = `${info.kind} ${info.name} ${info.loops}`;
      let sum = sums.get(key);
      if (sum === undefined) sums.set(key, (sum = { info, calls: 0, ms: 0, busy: 0, flops: 0, bytes: 0 }));
      const calls = meanFor(steps, program, (t) => t.calls[i]);
      sum.calls += calls;
      sum.flops += calls * info.flops;
      sum.bytes += calls * info.bytes;
      sum.ms += meanFor(steps, program, (t) => t.kernels[i]);
      sum.busy += meanFor(steps, program, (t) => t.busy[i]);
    });
  }
  return [...sums.values()]
    .filter((s) => s.calls > 0)
    .map((s) => kernelProfile(s, stepMs, recording.ceilings?.all ?? null))
    .toSorted((a, b) => b.ms - a.ms);
}

function kernelProfile(sum: Sum, stepMs: number, ceilings: Ceilings | null): KernelProfile {
  const { info, calls, ms, busy, flops, bytes } = sum;
  const [gflops, gbps] = ms > 0 ? [flops / ms / 1e6, bytes / ms / 1e6] : [0, 0];
  const ofPeak = ceilings && gflops / ceilings.gflops;
  const ofMemory = ceilings && gbps / memoryCeiling(ceilings);
  return {
    name: info.name,
    kind: info.kind,
    loops: info.loops,
    calls,
    ms,
    share: stepMs > 0 ? ms / stepMs : 0,
    threads: ms > 0 ? busy / ms : 0,
    flops,
    bytes,
    gflops,
    gbps,
    ofPeak,
    ofMemory,
    bound: ofPeak === null || ofMemory === null ? null : boundOf(ofPeak, ofMemory),
    floorMs: ofPeak === null || ofMemory === null ? null : ms * Math.min(1, Math.max(ofPeak, ofMemory)),
  };
}

/** The fastest of the streams, in GB/s. */
export const memoryCeiling = (c: Ceilings): number => Math.max(c.read, c.copy, c.add);

/** From cache, bytes are no limit any more, and the arithmetic is what is left. */
function boundOf(ofPeak: number, ofMemory: number): "compute" | "memory" | "cache" {
  if (ofPeak >= ofMemory) return "compute";
  return ofMemory > 1 ? "cache" : "memory";
}
