// What this machine can do at most, measured by kernels that the assembler makes for the device in use.
import { Asm } from "../codegen/asm/index.ts";
import { emitFma, emitStreams, fmaFlops, STREAM_BLOCK, type Stream, STREAMS } from "../codegen/ceilings.ts";
import type { CodeModule } from "../codegen/index.ts";
import { device, engine, setThreads } from "../engine.ts";
import { PlanRunner } from "../runtime/index.ts";
import type { Plan, Step } from "../schedule/index.ts";

/** The most that a number of threads reaches together. */
export interface Ceilings {
  readonly threads: number;
  /** float32 multiply-adds in registers, 10⁹ operations a second. */
  readonly gflops: number;
  /** Reading one array of 40 MB, copying it, adding two into a third: 10⁹ bytes a second, read and written. */
  readonly read: number;
  readonly copy: number;
  readonly add: number;
}

/** Milliseconds for each figure, and the least number of runs: caches of other levels are slow to fill. */
const BUDGET = 50;
const LEAST = 12;
/** Milliseconds that threads have to start. */
const PATIENCE = 1000;
/** Blocks of multiply-adds a thread, and of an array: 40 MB. */
const FMA_BLOCKS = 24;
const STREAM_BLOCKS = 152;
const ARRAY = STREAM_BLOCKS * STREAM_BLOCK;

/**
 * Measures the ceilings of this device, in some tenths of a second: multiply-adds in registers, and arrays too long for
 * most caches.
 *
 * @param options.threads how many threads share the work; default: all that programs use.
 * @example
 * // not run: it takes a second
 * console.log(await ceilings({ threads: 1 }));
 */
export function ceilings(options: { threads?: number } = {}): Ceilings {
  const before = device().threads;
  const { threads = before } = options;
  if (threads !== before) setThreads(threads);
  try {
    return measure(device().threads);
  } finally {
    if (threads !== before) setThreads(before);
  }
}

function measure(threads: number): Ceilings {
  const { heap, code, crew } = engine.device;
  const asm = new Asm(code.target);
  emitFma(asm);
  emitStreams(asm);
  const module = code.add(asm);
  const room = heap.alloc(3 * ARRAY);
  try {
    const run = (name: string, blocks: number, arrays: number, first = 0): number =>
      fastest({ module, name, fn: asm.fns.findIndex((f) => f.name === name), blocks, arrays, first }, room);
    for (const i of [0, 1, 2]) run("zero", STREAM_BLOCKS, 1, i);
    const fmaBlocks = threads * FMA_BLOCKS;
    const patient = performance.now() + PATIENCE;
    while (crew.serving < threads && performance.now() < patient) run("fma", fmaBlocks, 1);
    const rate = (name: Stream): number => {
      const arrays = STREAMS[name] + 1;
      const touched = (name === "read" ? 1 : arrays) * ARRAY;
      return touched / run(name, STREAM_BLOCKS, arrays) / 1e6;
    };
    return {
      threads,
      gflops: (fmaBlocks * fmaFlops(asm.lanes)) / run("fma", fmaBlocks, 1) / 1e6,
      read: rate("read"),
      copy: rate("copy"),
      add: rate("add"),
    };
  } finally {
    heap.release(room);
    module.drop();
  }
}

interface Job {
  readonly module: CodeModule;
  readonly name: string;
  /** Its place in the module. */
  readonly fn: number;
  readonly blocks: number;
  /** Arrays that are its arguments, from the first one on. */
  readonly arrays: number;
  readonly first: number;
}

/** Milliseconds of the fastest run. */
function fastest(job: Job, room: number): number {
  const plan = planOf(job);
  const { fns, needs } = job.module;
  const code = { fn: fns[job.fn], blocks: job.blocks, grain: 1, scratchBytes: 0, needs };
  const runner = new PlanRunner(plan, new Map([[plan.steps[0], code]]), engine.device.crew);
  try {
    runner.bindRoom(room);
    let least = Infinity;
    const start = performance.now();
    for (let i = 0; i < LEAST || performance.now() - start < BUDGET; i++) {
      const begin = performance.now();
      runner.run();
      least = Math.min(least, performance.now() - begin);
      if (job.name === "zero") break;
    }
    return least;
  } finally {
    runner.dispose();
  }
}

/** A plan of one kernel. */
function planOf({ name, blocks, arrays, first }: Job): Plan {
  const step: Step = {
    name,
    kernel: {
      kind: "loop",
      loops: [blocks],
      outer: [0],
      phases: [],
      exs: [],
      args: Array.from({ length: arrays }, () => "float32" as const),
      serial: false,
      vec: -1,
      scratch: 0,
    },
    args: Array.from(
      { length: arrays },
      (_, i) => ({ at: "arena", offset: (first + i) * ARRAY, bytes: ARRAY }) as const,
    ),
    // Enough to be worth all threads.
    flops: 1e9,
    bytes: 1e9,
  };
  return { steps: [step], inputs: [], outputs: [], arenaBytes: 3 * ARRAY, totalBytes: 3 * ARRAY };
}
