/**
 * codegen: from kernels as plain data to code. Everything for CPUs is written once against the vector assembler (`asm`);
 * `wasm` and `x64` are its encoders. `interp` runs graphs slowly and obviously: the oracle.
 *
 * It is not: a scheduler (loops come as they are) and not the owner of memory (kernels get addresses).
 */
export type { Arg, Asm, Val, Var } from "./asm/index.ts";
export { Kernels } from "./kernels.ts";
export type { CodeModule, CodeStore, CompiledKernel } from "./kernels.ts";
export { WasmCode } from "./wasm/index.ts";
export type { SentModule } from "./wasm/index.ts";
export { KeptKernels, readCpu, X64Code } from "./x64/index.ts";
