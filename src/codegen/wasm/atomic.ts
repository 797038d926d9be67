// Opcodes of threads (after the 0xFE prefix).
export const notify = 0x00;
export const wait = 0x01;
export const load = 0x10;
export const store = 0x17;
export const add = 0x1e;
