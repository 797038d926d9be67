// The device of machine code: x86-64, in Node, where koffi is installed.
import { withV8Flags } from "./base/v8flags.ts";
import { Kernels, readCpu, X64Code } from "./codegen/index.ts";
import type { MachineAnswer } from "./engine.browser.ts";
import { Heap, NativeCrew } from "./runtime/index.ts";
import { openNative } from "./runtime/native.node.ts";

/**
 * Runs a compiler's `body` with V8's optimiser less eager, where that is Node 20's, which has no tier between: what runs
 * some times only would be optimised and thrown away again, for half of the time of a first compilation.
 */
export const unhurried = <T>(body: () => T): T =>
  process.versions.v8.startsWith("11.3.")
    ? withV8Flags(["--interrupt-budget=400000"], ["--interrupt-budget=67584"], body)
    : body();

/** Machine code for this processor, or why there is none. */
export function machineDevice(threads: number): MachineAnswer {
  const { native, ...answer } = openNative();
  if (native === undefined) return answer as { why: string };
  const cpu = readCpu(native);
  if (!cpu.avx2) return { why: `${cpu.brand} has no AVX2 with FMA` };
  const heap = new Heap({ shared: true, native });
  const code = new X64Code(native, cpu);
  const crew = new NativeCrew(heap, native, code.walk, threads);
  // A worker of Node that ends takes no native thread with it.
  process.once("exit", () => crew.dispose());
  return {
    name: cpu.avx512 ? "x64 AVX-512" : "x64 AVX2",
    why: cpu.brand,
    heap,
    code,
    kernels: new Kernels(code),
    crew,
  };
}
