/**
 * The WebAssembly encoder: turns functions recorded with the vector assembler (`../asm`) into a module and compiles it.
 *
 * What it is: byte encoding, local allocation, feature probe, compilation. What it is not: an optimiser (V8's TurboFan is
 * one) or an owner of memory (the runtime makes the memory, kernels get addresses through their argument table).
 *
 * ```ts
 * const asm = new Asm(wasmTarget(probeWasm()));
 * asm.fn(…);
 * const kernels = compileWasm(asm, { memory, host: hostMath });
 * kernels.axpy(argsAddress, 0, n);
 * ```
 */
export { compileWasm, compileWasmAsync, probeWasm, wasmTarget } from "./compile.ts";
export { WasmCode } from "./store.ts";
export type { SentModule } from "./store.ts";
