// What a command does; its operands in order.
export const end = 0;
/** fn, blocks, blocks a piece, offset of its table, name number. */
export const kernel = 1;
/** All blocks of some kernels by one thread, in order: how many (turns of loops counted), bytes of their commands. */
export const serial = 2;
/** Waits until all since the last barrier is done: blocks (and serials) in all. */
export const barrier = 3;
/** Within a serial: bytes, offsets in the table of the addresses from and to. */
export const copy = 4;
/** turns, 1 to go backwards, patches, how many, offset of the turn's number in the table. */
export const loop = 5;
/** Bytes back to the command of the loop. */
export const next = 6;
