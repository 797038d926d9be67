// Everything that runs assembler functions, behind one face: WebAssembly, machine code where this machine has it, and the
// evaluator at each number of lanes.
import type { Asm, Target } from "../../src/codegen/asm/index.ts";
import { hostOps } from "../../src/codegen/loops/index.ts";
import { hostMath } from "../../src/codegen/math/index.ts";
import { compileWasm, probeWasm, wasmTarget } from "../../src/codegen/wasm/index.ts";
import { evaluateAsm, evaluatorTarget } from "./evaluate-asm.ts";
import { loadX64, native, x64Targets } from "./native.ts";

/** Callable functions over a memory of their own. */
export interface Loaded {
  readonly f: Readonly<Record<string, (...args: number[]) => number | void>>;
  /** Address of the memory's first byte. */
  readonly base: number;
  readonly buffer: ArrayBuffer;
  readonly f32: Float32Array;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
}
export interface Backend {
  readonly name: string;
  readonly target: Target;
  load(asm: Asm, bytes?: number): Loaded;
  /** Gives back the memory of `load`. */
  unload?(loaded: Loaded): void;
}

const host = { ...hostMath, ...hostOps };
const PAGE = 65536;
const views = (f: Loaded["f"], base: number, buffer: ArrayBuffer): Loaded => ({
  f,
  base,
  buffer,
  f32: new Float32Array(buffer),
  i32: new Int32Array(buffer),
  f64: new Float64Array(buffer),
  u8: new Uint8Array(buffer),
});

const wasm = (target: Target): Backend => ({
  name: target.name,
  target,
  load(asm, bytes = PAGE) {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
    return views(compileWasm(asm, { memory, host }), 0, memory.buffer);
  },
});
const x64 = (target: Target): Backend => ({
  name: target.name,
  target,
  load(asm, bytes = PAGE) {
    if (!native) throw new Error("no machine code here");
    const at = native.allocate(bytes);
    return views(loadX64(asm), at, native.view(at, bytes));
  },
  unload({ base, buffer }) {
    native?.free(base, buffer.byteLength);
  },
});
const evaluator = (target: Target): Backend => ({
  name: target.name,
  target,
  load(asm, bytes = PAGE) {
    const buffer = new ArrayBuffer(bytes);
    return views(evaluateAsm(asm, { memory: { buffer }, host }), 0, buffer);
  },
});

const features = probeWasm();
/** Those that make code. */
export const machines: readonly Backend[] = [wasm(wasmTarget(features)), ...x64Targets.map(x64)];
/** Those and the ones that stand beside them. */
export const backends: readonly Backend[] = [
  ...machines,
  wasm(wasmTarget({ ...features, relaxed: false })),
  ...[4, 8, 16].map((lanes) => evaluator(evaluatorTarget(lanes))),
];
