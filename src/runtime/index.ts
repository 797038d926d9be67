/**
 * runtime: memory that kernels work on, values that live in it, the commands of a plan's walk, and the threads.
 *
 * It is not: a compiler (kernels come ready to call) and not a scheduler (a plan is carried out as it is).
 */
export { Heap } from "./heap.ts";
export { DeviceValue, Residents } from "./values.ts";
export { PlanRunner } from "./runner.ts";
export type { Failure, Walker } from "./runner.ts";
export { Clocks } from "./clocks.ts";
export { allSteps } from "./commands.ts";
export type { KernelCode } from "./commands.ts";
export { MOST_THREADS, WasmCrew } from "./crew.ts";
export { NativeCrew } from "./native-crew.ts";
export { Tracker } from "./tracker.ts";
