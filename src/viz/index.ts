/**
 * viz: plain data in, text and pictures out: tables, progress bars, confusion matrices and curves in characters; charts as
 * Vega-Lite specs and SVG, graphs as SVG, sheets of pictures as pixels.
 *
 * It is not: anything that knows a tensor, a model or a terminal. Whether colour may be used and how wide the screen is,
 * the caller says.
 *
 * @module chainrule/viz
 */
export { formatCount, formatDuration, formatTable, visibleWidth } from "./text.ts";
export type { TableOptions } from "./text.ts";
export { formatBar, formatProgress } from "./bar.ts";
export type { ProgressState } from "./bar.ts";
export { confusionCounts, formatConfusion } from "./confusion.ts";
export { arrangeBlocks, drawImage } from "./image.ts";
export type { DrawOptions, Picture } from "./image.ts";
export { barChart, heatmapChart, learningCurves, lineChart, scatterChart } from "./charts.ts";
export type { ChartOptions, ChartSpec, LineOptions } from "./charts.ts";
export { graphSvg, renderSvg } from "./svg.ts";
export type { GraphNode } from "./svg.ts";
export { drawLines } from "./lines.ts";
export type { DrawLinesOptions } from "./lines.ts";
export { overlay, pictureSheet, stretch } from "./sheet.ts";
export type { ColourPicture, Palette, RgbImage, SheetOptions } from "./sheet.ts";
