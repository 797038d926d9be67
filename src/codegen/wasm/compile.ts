// From recorded functions to callable ones: what this host's WebAssembly can do, and how to get optimised code at once.
import type { Asm, Target } from "../asm/index.ts";
import { encodeWasm } from "./encode.ts";
import type { EncodeOptions } from "./encode.ts";
import { allowRelaxed, forms, optimised } from "./flags.node.ts";

/** What a probe of this host found. */
export interface WasmFeatures {
  readonly simd: boolean;
  /** Relaxed SIMD: fused multiply-add and fast lane selection. */
  readonly relaxed: boolean;
  /** Shared memory and atomics. */
  readonly threads: boolean;
}

export type WasmExports = Record<string, (...args: number[]) => number | void>;
export type HostFunction = (...args: number[]) => number;

/** What a module imports. */
export interface ImportOptions {
  memory: WebAssembly.Memory;
  /** Functions that `callPtr` calls. */
  table?: WebAssembly.Table;
  /** Host functions by the names given to `asm.extern`. */
  host?: Readonly<Record<string, HostFunction>>;
}

/** Options of `compileWasm`. */
export type CompileOptions = ImportOptions & EncodeOptions;

// (func (drop (i32x4.splat 0))), (func (drop (f32x4.relaxed_madd 0 0 0))), an empty module with a shared memory
const HEAD = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const FUNC = [1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0];
const ZERO = [0x41, 0, 0xfd, 0x11];
const body = (code: readonly number[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array([...HEAD, ...FUNC, 10, code.length + 5, 1, code.length + 3, 0, ...code, 0x1a, 0x0b]);

/** Probes this host; on Node 20 relaxed SIMD is allowed first. */
export function probeWasm(): WasmFeatures {
  const valid = (bytes: Uint8Array<ArrayBuffer>): boolean => WebAssembly.validate(bytes);
  const relaxed = body([...ZERO, ...ZERO, ...ZERO, 0xfd, 0x85, 0x02]);
  if (!valid(relaxed)) allowRelaxed();
  return {
    simd: valid(body(ZERO)),
    relaxed: valid(relaxed),
    threads: valid(new Uint8Array([...HEAD, 5, 4, 1, 3, 1, 1])),
  };
}

/** The assembler target that fits the probed features. */
export function wasmTarget(features: WasmFeatures): Target {
  if (!features.simd) throw new Error("[wasm] this host has no WebAssembly SIMD");
  return {
    name: features.relaxed ? "wasm-simd128-relaxed" : "wasm-simd128",
    lanes: 4,
    ptrBytes: 4,
    fma: features.relaxed,
    registers: 15,
    ...(features.relaxed && forms),
  };
}

const importsOf = ({ memory, table, host }: ImportOptions): WebAssembly.Imports => ({
  host: { memory, ...(table && { table }), ...host },
});

/** True for memory that several threads may see. */
const isShared = (memory: WebAssembly.Memory): boolean =>
  typeof SharedArrayBuffer === "function" && memory.buffer instanceof SharedArrayBuffer;

const bytesFor = (asm: Asm, options: EncodeOptions & { memory: WebAssembly.Memory }): Uint8Array<ArrayBuffer> =>
  encodeWasm(asm, { shared: isShared(options.memory), ...options }) as Uint8Array<ArrayBuffer>;

/** Compiles at once, for a memory of this kind. */
export function buildWasm(asm: Asm, options: EncodeOptions & { memory: WebAssembly.Memory }): WebAssembly.Module {
  const bytes = bytesFor(asm, options);
  return optimised(() => new WebAssembly.Module(bytes));
}

export function instantiateWasm(module: WebAssembly.Module, options: ImportOptions): WasmExports {
  return new WebAssembly.Instance(module, importsOf(options)).exports as WasmExports;
}

/** Compiles and instantiates at once (Node; in browsers' main threads modules over 4 KB need `compileWasmAsync`). */
export function compileWasm(asm: Asm, options: CompileOptions): WasmExports {
  return instantiateWasm(buildWasm(asm, options), options);
}

/** Compiles without blocking. */
export async function compileWasmAsync(asm: Asm, options: CompileOptions): Promise<WasmExports> {
  const { instance } = await WebAssembly.instantiate(bytesFor(asm, options), importsOf(options));
  return instance.exports as WasmExports;
}
