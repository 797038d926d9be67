/**
 * Fused loops: turns loop kernels (element-wise, reductions, windows, scatters) and the epilogues of contractions into
 * assembler functions. Which loops there are was decided by the schedule; here lanes, unrolling and hoisting happen.
 */
export { loopBlocks, loopGrain } from "./cut.ts";
export { emitLoopKernel, loopScratch } from "./nest.ts";
export { Epilogue } from "./epilogue.ts";
export type { Tile } from "./epilogue.ts";
export { hostOps } from "./ops.ts";
