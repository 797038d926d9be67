/**
 * base: what every room stands on: dtypes, shape arithmetic, errors, trees, counter-based random and the context.
 *
 * It is not: anything that knows a graph, a tensor or a device. It imports nothing of ours.
 */
export * from "./dtype.ts";
export * from "./shape.ts";
export * from "./errors.ts";
export * from "./tree.ts";
export * from "./random.ts";
export * from "./caller.ts";
