// The twin of engine.node.ts: no machine code in a browser. Holds what a device is.
import type { CodeStore, Kernels } from "./codegen/index.ts";
import type { Heap, Walker } from "./runtime/index.ts";
import type { Keeper } from "./runtime/keeper.ts";
import { makePlan, type Plan } from "./schedule/index.ts";
import type { Graph } from "./tensor/executor.ts";

/** What runs kernels here: their code, the memory they work on, the threads that walk plans. */
export interface Device {
  /** "wasm", or "x64" with the instruction set. */
  readonly name: string;
  /** Why it is this one. */
  readonly why: string;
  readonly heap: Heap;
  readonly code: CodeStore;
  readonly kernels: Kernels;
  readonly crew: Crew;
  /** Keeps what was compiled for later processes; a browser's device has none. */
  readonly keeper?: Keeper;
}

/** Threads that walk plans together. */
export interface Crew extends Walker {
  threads: number;
  always: boolean;
  /** Why there are no more, where there are not. */
  readonly trouble: string;
  dispose(): void;
}

/** How many threads to use, and why. */
export interface Threads {
  readonly count: number;
  readonly why: string;
}

/** Runs a compiler's `body`; see engine.node.ts. */
export const unhurried = <T>(body: () => T): T => body();

/** The plan of a graph; see engine.node.ts. */
export const planOf: (graph: Graph, key: string, device: Device) => Plan = makePlan;

/** A browser has WebAssembly only. */
export const openDevice = (threads: number, wasm: (threads: number, why: string) => Device): Device =>
  wasm(threads, "no machine code: a browser runs none");

/** A browser has no environment to ask by. */
export const askedThreads = (_check: (n: number, who: string) => number): Threads | undefined => undefined;
