/**
 * viz: plain data in, text out: tables, progress bars, confusion matrices, images drawn with characters.
 *
 * It is not: anything that knows a tensor, a model or a terminal. Whether colour may be used and how wide the screen is,
 * the caller says.
 */
export { formatCount, formatDuration, formatTable, visibleWidth } from "./text.ts";
export type { TableOptions } from "./text.ts";
export { formatBar, formatProgress } from "./bar.ts";
export type { ProgressState } from "./bar.ts";
export { confusionCounts, formatConfusion } from "./confusion.ts";
export { arrangeBlocks, drawImage } from "./image.ts";
export type { DrawOptions, Picture } from "./image.ts";
