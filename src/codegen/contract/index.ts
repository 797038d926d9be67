/**
 * Packed contraction kernels: matmul, batched matmul, convolution and both convolution gradients are one kind of kernel.
 *
 * What it is: a generator. Given strides as plain data (`ContractSpec`), it emits blocked loops around a register tile with
 * the vector assembler; sums leave through a callback, so that a fused epilogue (bias, activation, residual) costs no pass
 * over memory. What it is not: a place for padding, gather or dilation (all accesses are affine and in bounds).
 *
 * ```ts
 * asm.fn("matmul", ["ptr", "i32", "i32"], undefined, (args, lo, hi) => {
 *   const [a, b, c, scratch] = [0, 1, 2, 3].map((i) => asm.load("ptr", args, i * asm.ptrBytes));
 *   emitContract(asm, spec, { a, b, scratch, lo, hi }, storePlain(asm, c, 4));
 * });
 * kernel(args, 0, contractBlocks(spec, asm.target));
 * ```
 * `scratch` holds `contractScratchBytes(spec, target)` bytes, one thread's own. The callback is called for every vector of a tile, and
 * once more to see how long its code is: a long one is written once, in a loop over the tile's rows.
 * Tiles, packing and blocks are chosen for the target: its lanes, registers and caches (`shape`, `plan`). Blocks are fixed,
 * whatever the number of threads; what the blocks of a call share is packed once in it, so a call should have
 * `planContract(spec, target).grain` of them at least.
 * Sums over k are taken in one fixed order, whatever lo..hi is; every block writes its own part of the output.
 */
export { contractBlocks, contractScratchBytes, emitContract, storePlain } from "./emit.ts";
export type { StoreCtx, StorePlace } from "./emit.ts";
export { planContract } from "./plan.ts";
export type { Axis, ContractSpec } from "./spec.ts";
