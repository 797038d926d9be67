// What programs consist of, as a profile shows it.
import { allSteps } from "../runtime/index.ts";
import { type Plan, shapeText } from "../schedule/index.ts";
import type { Program } from "../tensor/executor.ts";

/** A kernel of a program and the work of one call. */
export interface KernelInfo {
  readonly name: string;
  /** loop, contract. */
  readonly kind: string;
  /** Its loops as text. */
  readonly loops: string;
  readonly flops: number;
  readonly bytes: number;
}

/** What a program consists of. */
export interface ProgramInfo {
  readonly kernels: readonly KernelInfo[];
  /** Memory for intermediates, and what they would need without reuse. */
  readonly arenaBytes: number;
  readonly totalBytes: number;
}

/** One run of a program by the clock: milliseconds of the calling thread's `performance.now()`. */
export interface ProgramRun {
  readonly program: Program;
  /** The whole run: handing over, kernels, results. */
  readonly start: number;
  readonly end: number;
  /** Number in the program's kernels of each call, in order of the walk, turns of loops over time and all. */
  readonly order: ArrayLike<number>;
  /** For each thread start and end of each call of `order`; 0, 0: it had no part in it. Good until the next run. */
  readonly threads: readonly Float64Array[];
}

export function programInfo(program: Program): ProgramInfo {
  const plan = program.plan as Plan;
  const kernels = allSteps(plan).map(({ name, kernel, flops, bytes }): KernelInfo => {
    // The work of a loop over time is that of its body's kernels.
    const work = kernel.kind === "scan" ? { flops: 0, bytes: 0 } : { flops, bytes };
    return { name, kind: kernel.kind, loops: shapeText(kernel), ...work };
  });
  return { kernels, arenaBytes: plan.arenaBytes, totalBytes: plan.totalBytes };
}
