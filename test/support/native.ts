// Machine code in tests: functions of an assembler run natively over a page of memory, where this machine can.
import type { Asm, Target } from "../../src/codegen/asm/index.ts";
import { readCpu } from "../../src/codegen/x64/cpuid.ts";
import { HostFunctions } from "../../src/codegen/x64/host.ts";
import { compileX64, x64Target } from "../../src/codegen/x64/index.ts";
import type { NativeBridge } from "../../src/runtime/native.browser.ts";
import { openNative } from "../../src/runtime/native.node.ts";

const answer = openNative();
export const native: NativeBridge | undefined = answer.native;
const cpu = native && readCpu(native);
const host = native && new HostFunctions(native);

/** What this machine runs: nothing, AVX2, or AVX-512 as well. */
export const x64Targets: readonly Target[] = [
  ...(cpu?.avx2 ? [x64Target(false)] : []),
  ...(cpu?.avx512 ? [x64Target(true)] : []),
];

const C = { ptr: "ptr", i32: "i32", f32: "f32", f64: "f64" } as const;

/** The functions of `asm` by name, natively; addresses are absolute. */
export function loadX64(asm: Asm): Record<string, (...args: number[]) => number> {
  if (!native || !host) throw new Error("no machine code here");
  const { bytes, offsets } = compileX64(asm, { host: (name) => host.address(name), windows: native.windows });
  const base = native.loadCode(bytes);
  return Object.fromEntries(
    asm.fns.map((f, i) => [
      f.name,
      native.fn(
        base + offsets[i],
        f.params.map((p) => C[p.type as "ptr"]),
        f.result === undefined ? "void" : C[f.result as "ptr"],
      ),
    ]),
  );
}
