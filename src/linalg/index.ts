/**
 * linalg: linear algebra on tensors: equations, determinants, factors, spectra, least squares, norms, products. Batched over the
 * leading axes as in NumPy, differentiable (but for eigvals), and inside `compiled` like any other operation: factorisations are
 * routines, code of their own written against the assembler in float64.
 *
 * It is not: a library of sparse or huge matrices; everything is dense and fits in memory.
 */
export * from "./solve.ts";
export { eigh, eigvals, eigvalsh, qr, type QrOptions, svd, type SvdOptions, svdvals } from "./factor.ts";
export * from "./least.ts";
export * from "./products.ts";
export { outer, trace } from "../tensor/index.ts";
