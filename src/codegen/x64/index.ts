/**
 * The x86-64 encoder: turns functions recorded with the vector assembler (`../asm`) into machine code, for AVX-512 (16 lanes)
 * and AVX2 with FMA (8 lanes), in the calling convention of System V or of Windows.
 *
 * What it is: a look over the function (`analyse`), selection of instructions on virtual registers (`select*`), linear scan
 * (`allocate`), bytes (`emit`, with `calls`, `special`, `frame`; `forms` and `encode` know the encodings). What it is not: an
 * optimiser or the owner of pages (the runtime makes them executable).
 *
 * ```ts
 * const asm = new Asm(x64Target(true));
 * asm.fn(…);
 * const { bytes, offsets } = compileX64(asm, { host });
 * ```
 */
export { compileX64, x64Target } from "./compile.ts";
export { KeptKernels, X64Code } from "./store.ts";
export { readCpu } from "./cpuid.ts";
