import type { DType } from "../base/index.ts";
import type { PrimName, ReduceName } from "../ir/index.ts";

/** c + Σ t[loop] · loop: where an access falls, by the kernel's loop counters. */
export interface Affine {
  readonly c: number;
  /** One factor a loop of the kernel; missing trailing factors are 0. */
  readonly t: readonly number[];
}

/** Indices read from memory: clamp(value of ex, 0, size-1) · stride is added to an access. */
export interface Dynamic {
  readonly ex: number;
  readonly stride: number;
  readonly size: number;
}

/** An expression of a kernel; sources are numbers of earlier expressions. */
export type Ex =
  | { readonly k: "const"; readonly value: number; readonly dtype: DType }
  | {
      readonly k: "load";
      readonly arg: number;
      readonly index: Affine;
      readonly dyn: readonly Dynamic[];
      readonly dtype: DType;
    }
  | { readonly k: "op"; readonly op: PrimName; readonly srcs: readonly number[]; readonly dtype: DType }
  | { readonly k: "iota"; readonly index: Affine; readonly dtype: DType }
  /** Word 0 of Threefry under the two key words, counter (index, stream). */
  | {
      readonly k: "random";
      readonly key: readonly [number, number];
      readonly index: Affine;
      readonly stream: number;
      readonly dtype: DType;
    }
  /** `then` where every lo ≤ index < hi, else `value`. */
  | {
      readonly k: "guard";
      readonly conds: readonly Cond[];
      readonly then: number;
      readonly value: number;
      readonly dtype: DType;
    }
  /** The result of reduction `slot` of phase `phase`: final after its loops, running within them. */
  | { readonly k: "acc"; readonly phase: number; readonly slot: number; readonly dtype: DType }
  /** The accumulator of the contraction whose epilogue this is. */
  | { readonly k: "tile"; readonly dtype: DType };

export interface Cond {
  readonly index: Affine;
  readonly lo: number;
  readonly hi: number;
}

/** pick: keeps `payload` of the first largest `value`. */
export type ReduceKind = ReduceName | "pick";

export interface Reduction {
  readonly kind: ReduceKind;
  readonly value: number;
  readonly payload: number;
  readonly dtype: DType;
}

export interface Store {
  readonly arg: number;
  readonly index: Affine;
  readonly dyn: readonly Dynamic[];
  readonly value: number;
  readonly dtype: DType;
  /** Adds to what is there instead of replacing it. */
  readonly add: boolean;
}

/** One nest of inner loops: reductions accumulate over it, stores happen in each turn. No loops: once a row. */
export interface Phase {
  readonly loops: readonly number[];
  readonly reductions: readonly Reduction[];
  readonly stores: readonly Store[];
  /** Running sums: turns are in order and stores see the accumulator so far. */
  readonly ordered: boolean;
  /** The loop whose turns are lanes of a vector; it is the last one. -1: none. */
  readonly vec: number;
}

/**
 * Code of a primitive's own: sorting, factorisations. Its parts (rows, matrices) are the turns of the kernel's one outer loop:
 * independent of each other, and what threads share.
 */
export interface Routine {
  /** Equal for equal code. */
  readonly key: string;
  /** Operations of all parts together. */
  readonly flops: number;
  /** Writes the code of parts lo..hi in an assembler of codegen; `at`: addresses of the arguments and of the scratch memory. */
  emit(asm: never, at: readonly never[], lo: never, hi: never): void;
}

/** Fused loops: for every turn of the outer loops, the phases one after the other. */
export interface LoopKernel {
  readonly kind: "loop";
  readonly loops: readonly number[];
  readonly outer: readonly number[];
  readonly phases: readonly Phase[];
  readonly exs: readonly Ex[];
  readonly args: readonly DType[];
  /** Outer turns may not run at the same time (stores that add at indices from memory). */
  readonly serial: boolean;
  /** The outer loop whose turns are lanes of a vector; it is the last one. -1: none. */
  readonly vec: number;
  /** Bytes of working memory for one row; its address is the argument after the last. */
  readonly scratch: number;
  /** Code that takes the place of the loops. */
  readonly routine?: Routine;
}

/** One loop of a contraction: its size and the strides in A, B and the result, in elements. */
export interface Axis {
  readonly size: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** result[batch, m, n] = Σ_k A[batch, m, k] · B[batch, k, n], then the epilogue's stores. Loops: batch, m, n in order. */
export interface ContractKernel {
  readonly kind: "contract";
  readonly dtype: "float32" | "float64";
  readonly batch: readonly Axis[];
  readonly m: readonly Axis[];
  readonly n: readonly Axis[];
  readonly k: readonly Axis[];
  readonly aOffset: number;
  readonly bOffset: number;
  /** Arguments of the kernel: A, B, then what the epilogue loads and stores. */
  readonly args: readonly DType[];
  readonly exs: readonly Ex[];
  readonly stores: readonly Store[];
}

/** A loop over time around a plan of its own. */
export interface ScanKernel {
  readonly kind: "scan";
  readonly length: number;
  readonly reverse: boolean;
  readonly carries: number;
  readonly xs: number;
  readonly consts: number;
  /** Bytes of one slice of each xs and each ys. */
  readonly xsBytes: readonly number[];
  readonly ysBytes: readonly number[];
  readonly carryBytes: readonly number[];
  /** For each carry the ys that hold what it is before and after a turn, where it lives in them; -1: none, the body writes it. */
  readonly stacks: readonly { readonly before: number; readonly after: number }[];
  readonly body: Plan;
}

export type Kernel = LoopKernel | ContractKernel | ScanKernel;

/** Where the bytes of an argument are: a caller's array, or a place in the arena. */
export type Place =
  | { readonly at: "input"; readonly index: number }
  | { readonly at: "output"; readonly index: number }
  | { readonly at: "arena"; readonly offset: number; readonly bytes: number };

export interface Step {
  readonly kernel: Kernel;
  readonly args: readonly Place[];
  readonly name: string;
  readonly flops: number;
  readonly bytes: number;
}

/** A whole computation: kernels in order, intermediates at fixed places of one arena. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly inputs: readonly { readonly shape: readonly number[]; readonly dtype: DType }[];
  readonly outputs: readonly { readonly shape: readonly number[]; readonly dtype: DType }[];
  readonly arenaBytes: number;
  /** What the intermediates would need without reuse. */
  readonly totalBytes: number;
}
