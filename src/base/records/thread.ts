// A thread's record.
/** 1 while it may touch the plan. */
export const busy = 0;
/** Name number of the kernel it runs or ran last. */
export const at = 8;
/** Modules that it has; see PLAN.needs. */
export const ready = 16;
/** 1 while it is outside of `serve`, where no bell wakes it. */
export const parked = 24;
/** For native threads: the pool, and the thread's number. */
export const pool = 32;
export const number = 40;
/** Why its kernel failed: length and UTF-16 units. */
export const reason = 64;
export const reasonUnits = 200;
