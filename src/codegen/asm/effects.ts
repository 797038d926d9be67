// Which operations touch memory: every encoder has to keep loads and these in order.
import type { Op } from "./types.ts";

/** They write, or others may have written when they are over: no load moves across them. */
export const WRITING: readonly Op[] = [
  "store",
  "storePartial",
  "storeU8",
  "copy",
  "fill",
  "call",
  "callPtr",
  "atomicLoad",
  "atomicStore",
  "atomicAdd",
  "wait",
];
export const READING: readonly Op[] = ["load", "loadSplat", "loadPartial", "loadU8"];
