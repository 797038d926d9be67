/**
 * schedule: from a graph to a Plan: which values are kept, which are fused, in which loops and order they run, and where
 * every intermediate lies. Its results are plain data.
 *
 * It is not: code generation (no instruction is chosen here) and not execution (it never sees memory).
 */
export { makePlan } from "./plan.ts";
export type { Computation } from "./plan.ts";
export { explainPlan, shapeText } from "./explain.ts";
export type * from "./kernel.ts";
