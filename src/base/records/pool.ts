// Words that all threads share; those that are written often have a line of their own.
/** Number of the run; odd while one is open. */
export const turn = 0;
/** Rings for everything that somebody may wait for: it is counted up, and who sleeps on it wakes. */
export const bell = 64;
export const sleepers = 128;
/** Barriers of the run that are open. Who waits reads nothing of the plan, which may be gone when he wakes. */
export const passed = 192;
/** Plan of the run. */
export const plan = 256;
/** 1 + number of the thread whose kernel failed; 0: none. */
export const failed = 264;
/** Counts messages to the workers: they leave `serve` for them. -1: the end. */
export const mail = 272;
/** 1 when the leader must not sleep (a browser's main thread). */
export const awake = 280;
/** Records of threads that are in use, that of the leader included. */
export const hired = 288;
/** First of the threads' own records, and bytes of each. */
export const threads = 320;
export const threadBytes = 512;
