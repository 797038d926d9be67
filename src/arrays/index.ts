/**
 * arrays: what NumPy has beyond the methods of Tensor: sorting and what stands on it, counting, running products and extremes,
 * grids, further element-wise functions. Free functions, each in no program that does not use it.
 *
 * It is not: linear algebra (linalg), or NumPy's calling forms (numpy).
 */
export * from "./order.ts";
export * from "./counts.ts";
export * from "./running.ts";
export * from "./maths.ts";
export * from "./grids.ts";
