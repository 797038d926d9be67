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

/** Told of what an executor does, for profiles. */
export interface Observer {
  /** A program was made, not found in the cache. */
  compiled(program: Program, start: number, end: number): void;
  /** A program is about to run; the runner knows how to note the clock. */
  watch(runner: unknown): void;
  ran(program: Program, start: number, end: number): void;
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
