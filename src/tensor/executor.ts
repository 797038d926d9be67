import type { DType, TypedArray } from "../base/index.ts";
import { ChainruleError } from "../base/index.ts";
import { context } from "../base/context.ts";
import type { Node } from "../ir/index.ts";

/** A realised array, owned by the runtime. Immutable, but for the values of variables, which programs update in place. */
export interface Value {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** A copy of the elements on the host (bool as 0/1). */
  read(): TypedArray;
  /** Overwrites the elements from the host. */
  write(data: TypedArray): void;
  /** Gives the memory back at once; optional, the runtime reclaims it anyway. */
  dispose(): void;
}

/** A closed computation: results and in-place updates as functions of the input leaves. */
export interface Graph {
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
  /** After the run, input number `input` holds `value`. */
  readonly updates: readonly { readonly input: number; readonly value: Node }[];
}

/** A graph made ready to run. */
export interface Program {
  run(inputs: readonly Value[]): Value[];
  /** The kernel list as text: shapes, flops, bytes, arena size. */
  explain(): string;
  /** The plan behind it; what runs programs knows its form. */
  readonly plan: unknown;
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

/** Told of what an executor does, for profiles. */
export interface Observer {
  /** A program was made, not found in the cache. */
  compiled(program: Program, start: number, end: number): void;
  ran(run: ProgramRun): void;
}

/** What runs graphs: injected by engine.ts, so that tensors know no device. */
export interface Executor {
  /** Cached by the structure of the graph. */
  compile(graph: Graph): Program;
  /** A value that holds (a copy of) host data. */
  fromHost(data: TypedArray, shape: readonly number[], dtype: DType): Value;
  /** While there is one, runs are timed and it is told of them. */
  observer: Observer | null;
}

export function executor(): Executor {
  if (context.executor === null)
    throw new ChainruleError('No engine is loaded: import from "chainrule" instead of its inner files.');
  return context.executor as Executor;
}
