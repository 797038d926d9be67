/**
 * runtime: memory that kernels work on, values that live in it, and the walk over a plan's kernels.
 *
 * It is not: a compiler (kernels come ready to call) and not a scheduler (a plan is carried out as it is).
 */
export { Heap } from "./heap.ts";
export { DeviceValue, Residents } from "./values.ts";
export { PlanRunner } from "./runner.ts";
export type { KernelCode } from "./runner.ts";
export { Tracker } from "./tracker.ts";
