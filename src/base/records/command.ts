// A command: what it does, then its operands.
export const bytes = 64;
export const op = 0;
export const a = 8;
export const b = 16;
export const c = 24;
export const d = 32;
export const e = 40;
