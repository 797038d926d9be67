// A plan's record.
export const commands = 0;
/** Argument tables of thread 0, and bytes from one thread's to the next. */
export const tables = 8;
export const tableBytes = 16;
/** Counters of blocks taken, one a kernel in order of the walk; bytes from one thread's to the next. */
export const taken = 24;
export const takenBytes = 32;
/** Blocks done, one word a barrier in order of the walk. */
export const done = 40;
/** Bytes of all counters from `taken` on, zero at the start of a run. */
export const counterBytes = 48;
/** Threads among which blocks are divided. */
export const threads = 56;
/** Modules that a thread must have. */
export const needs = 64;
/** Start and end of each kernel in order of the walk, two f64 each; bytes from thread to thread; 1 when they are wanted. */
export const times = 72;
export const timesBytes = 80;
export const timed = 88;
/** Name number of the kernel that a thread alone runs or ran last. */
export const at = 96;
export const bytes = 128;
