/**
 * Records in memory that the runtime writes and the walk (codegen/walk.ts) reads: where each field lies, in bytes. They are
 * made of cells of 8 bytes, one number or address each, on every device.
 */

/** Words that all threads share; those that are written often have a line of their own. */
export const POOL = {
  /** Number of the run; odd while one is open. */
  turn: 0,
  /** Rings for everything that somebody may wait for: it is counted up, and who sleeps on it wakes. */
  bell: 64,
  sleepers: 128,
  /** Barriers of the run that are open. Who waits reads nothing of the plan, which may be gone when he wakes. */
  passed: 192,
  /** Plan of the run. */
  plan: 256,
  /** 1 + number of the thread whose kernel failed; 0: none. */
  failed: 264,
  /** Counts messages to the workers: they leave `serve` for them. -1: the end. */
  mail: 272,
  /** 1 when the leader must not sleep (a browser's main thread). */
  awake: 280,
  /** Records of threads that are in use, that of the leader included. */
  hired: 288,
  /** First of the threads' own records, and bytes of each. */
  threads: 320,
  threadBytes: 512,
} as const;

/** A thread's record. */
export const THREAD = {
  /** 1 while it may touch the plan. */
  busy: 0,
  /** Name number of the kernel it runs or ran last. */
  at: 8,
  /** Modules that it has; see PLAN.needs. */
  ready: 16,
  /** 1 while it is outside of `serve`, where no bell wakes it. */
  parked: 24,
  /** For native threads: the pool, and the thread's number. */
  pool: 32,
  number: 40,
  /** Why its kernel failed: length and UTF-16 units. */
  reason: 64,
  reasonUnits: 200,
} as const;

/** A plan's record. */
export const PLAN = {
  commands: 0,
  /** Argument tables of thread 0, and bytes from one thread's to the next. */
  tables: 8,
  tableBytes: 16,
  /** Counters of blocks taken, one a kernel in order of the walk; bytes from one thread's to the next. */
  taken: 24,
  takenBytes: 32,
  /** Blocks done, one word a barrier in order of the walk. */
  done: 40,
  /** Bytes of all counters from `taken` on, zero at the start of a run. */
  counterBytes: 48,
  /** Threads among which blocks are divided. */
  threads: 56,
  /** Modules that a thread must have. */
  needs: 64,
  /** Start and end of each kernel in order of the walk, two f64 each; bytes from thread to thread; 1 when they are wanted. */
  times: 72,
  timesBytes: 80,
  timed: 88,
  /** Name number of the kernel that a thread alone runs or ran last. */
  at: 96,
  bytes: 128,
} as const;

/** A command: what it does, then its operands. */
export const COMMAND = { bytes: 64, op: 0, a: 8, b: 16, c: 24, d: 32, e: 40, f: 48 } as const;

export const OP = {
  end: 0,
  /** fn, blocks, blocks a piece, offset of its table, name number. */
  kernel: 1,
  /** All blocks of some kernels by one thread, in order: how many (turns of loops counted), bytes of their commands. */
  serial: 2,
  /** Waits until all since the last barrier is done: blocks (and serials) in all. */
  barrier: 3,
  /** Within a serial: bytes, offsets in the table of the addresses from and to. */
  copy: 4,
  /** turns, 1 to go backwards, patches, how many, offset of the turn's number in the table. */
  loop: 5,
  /** Bytes back to the command of the loop. */
  next: 6,
} as const;

/** A patch of an argument table, before each turn of a loop: offsets in the table. */
export const PATCH = {
  bytes: 64,
  kind: 0,
  to: 8,
  /** slice: address + stride · turn. first, last: from `a` in the first (last) turn, else from `b` or `c` by turns. */
  a: 16,
  b: 24,
  c: 32,
  slice: 0,
  first: 1,
  last: 2,
} as const;
