/**
 * Records in memory that the runtime writes and the walk (codegen/walk.ts) reads: where each field lies, in bytes. They are
 * made of cells of 8 bytes, one number or address each, on every device. A module a record: bundlers then write the numbers.
 */
export * as POOL from "./records/pool.ts";
export * as THREAD from "./records/thread.ts";
export * as PLAN from "./records/plan.ts";
export * as COMMAND from "./records/command.ts";
export * as OP from "./records/op.ts";
export * as PATCH from "./records/patch.ts";
