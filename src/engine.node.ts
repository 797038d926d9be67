// The device of machine code: x86-64, in Node, where koffi is installed.
import { ValueError } from "./base/index.ts";
import { withV8Flags } from "./base/v8flags.ts";
import { KeptKernels, readCpu, X64Code } from "./codegen/index.ts";
import type { Device, Threads } from "./engine.browser.ts";
import { NativeCrew } from "./runtime/index.ts";
import { Keeper } from "./runtime/keeper.ts";
import { NativeHeap } from "./runtime/native-heap.ts";
import { openNative } from "./runtime/native.node.ts";
import { makePlan, type Plan } from "./schedule/index.ts";
import type { Graph } from "./tensor/executor.ts";

/** Which build this is: a text that scripts/lib/bundle.mjs writes here. What other builds compiled is not for this one. */
declare const CHAINRULE_BUILD: string | undefined;
/** Writes the bytecode of what has run (runtime/bytecode.ts), where scripts/lib/bundle.mjs puts it. */
declare const CHAINRULE_RENEW: (() => void) | undefined;

/**
 * Runs a compiler's `body` with V8's optimiser less eager, where that is Node 20's, which has no tier between: what runs
 * some times only would be optimised and thrown away again, for half of the time of a first compilation.
 */
export const unhurried = <T>(body: () => T): T =>
  process.versions.v8.startsWith("11.3.")
    ? withV8Flags(["--interrupt-budget=400000"], ["--interrupt-budget=67584"], body)
    : body();

/** A variable of the environment, where there is one. */
const setting = (name: string): string | undefined => {
  const value = (globalThis as { process?: NodeJS.Process }).process?.env?.[name];
  return value === "" ? undefined : value;
};

/** The threads that CHAINRULE_THREADS asks for; `check` says what is wrong with a number. */
export function askedThreads(check: (n: number, who: string) => number): Threads | undefined {
  const set = setting("CHAINRULE_THREADS");
  if (set === undefined) return undefined;
  return { count: check(Number(set), "CHAINRULE_THREADS"), why: `CHAINRULE_THREADS=${set}` };
}

/** Machine code where there is some, unless CHAINRULE_DEVICE says otherwise; else WebAssembly. */
export function openDevice(threads: number, wasm: (threads: number, why: string) => Device): Device {
  const asked = setting("CHAINRULE_DEVICE");
  if (asked !== undefined && asked !== "wasm" && asked !== "x64")
    throw new ValueError(`[CHAINRULE_DEVICE] "wasm" or "x64", got "${asked}".`);
  if (asked === "wasm") return wasm(threads, "CHAINRULE_DEVICE=wasm");
  const machine = machineDevice(threads);
  if (machine.name !== undefined) return machine;
  if (asked === undefined) return wasm(threads, `no machine code: ${machine.why}`);
  throw new ValueError(`[CHAINRULE_DEVICE] x64 was asked for, but there is no machine code here: ${machine.why}.`);
}

/** The plan of a graph with this key (`graphKey`): made now, or by an earlier process. */
export const planOf = (graph: Graph, key: string, { keeper }: Device): Plan => {
  const make = (): Plan => makePlan(graph);
  return keeper?.get(`plan ${key}`, make) ?? make();
};

/** Machine code for this processor, or why there is none. */
export function machineDevice(threads: number): Device | { readonly name?: undefined; readonly why: string } {
  const { native, ...answer } = openNative();
  if (native === undefined) return answer as { why: string };
  const cpu = readCpu(native);
  if (!cpu.avx2) return { why: `${cpu.brand} has no AVX2 with FMA` };
  const heap = new NativeHeap(native);
  const build = typeof CHAINRULE_BUILD === "string" ? CHAINRULE_BUILD : "";
  const machine = [process.platform, cpu.avx512 ? "avx512" : "avx2", cpu.l1, cpu.l2].join(" ");
  const keeper = new Keeper(build && `${build} ${machine}`, setting("CHAINRULE_CACHE"), () => {
    if (typeof CHAINRULE_RENEW === "function") CHAINRULE_RENEW();
  });
  const code = new X64Code(native, cpu, keeper);
  const crew = new NativeCrew(heap, native, code.walk, threads);
  // A worker of Node that ends takes no native thread with it.
  process.once("exit", () => {
    crew.dispose();
    keeper.flush();
  });
  return {
    name: cpu.avx512 ? "x64 AVX-512" : "x64 AVX2",
    why: cpu.brand,
    heap,
    code,
    kernels: new KeptKernels(code),
    crew,
    keeper,
  };
}
