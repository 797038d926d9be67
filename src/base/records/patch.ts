// A patch of an argument table, before each turn of a loop: offsets in the table.
export const bytes = 64;
export const kind = 0;
export const to = 8;
/** slice: address + stride · turn. first, last: from `a` in the first (last) turn, else from `b` or `c` by turns.
 *  next: from `a` in the last turn, else the slice of the next one, from `b` on. */
export const a = 16;
export const b = 24;
export const c = 32;
export const slice = 0;
export const first = 1;
export const last = 2;
export const next = 3;
