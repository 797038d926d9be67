import { ValueError } from "../base/index.ts";
import { pad } from "./text.ts";

/** Options of `drawLines`. */
export interface DrawLinesOptions {
  /** Characters of the plotted area. Default 60 × 12. */
  readonly width?: number;
  readonly height?: number;
  /** ANSI colours, one a curve. Without them each curve is a letter. */
  readonly colour?: boolean;
}

/** Codes of the colours that curves take in turn. */
const COLOURS = [36, 33, 32, 35, 31, 34];
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

const show = (v: number): string => {
  const text = Math.abs(v) >= 1e5 || (v !== 0 && Math.abs(v) < 1e-3) ? v.toExponential(1) : v.toPrecision(4);
  return text.includes("e") ? text : String(Number(text));
};

/**
 * Curves as lines of text, with the scale at the left and a legend below; values that are not finite leave gaps.
 *
 * @example drawLines({ train: [0.9, 0.4, 0.2], dev: [1, 0.6, 0.5] }).join("\n");
 */
export function drawLines(
  series: Readonly<Record<string, ArrayLike<number>>>,
  options: DrawLinesOptions = {},
): string[] {
  const { width = 60, height = 12, colour = false } = options;
  if (!(width >= 2 && height >= 2))
    throw new ValueError(`[drawLines] width and height must be at least 2 characters, got ${width} × ${height}.`);
  const names = Object.keys(series);
  const all = names.flatMap((n) => Array.from(series[n])).filter(Number.isFinite);
  if (all.length === 0) return ["(nothing to draw: no finite value)"];
  const low = all.reduce((a, b) => Math.min(a, b));
  const high = all.reduce((a, b) => Math.max(a, b));
  const span = high - low || 1;
  const longest = Math.max(...names.map((n) => series[n].length));
  const mark = (curve: number): string => {
    const letter = LETTERS[curve % LETTERS.length];
    return colour ? `\x1b[${COLOURS[curve % COLOURS.length]}m•\x1b[0m` : letter;
  };
  const cells = Array.from({ length: height }, () => new Array<string>(width).fill(" "));
  names.forEach((name, curve) => {
    const ys = series[name];
    for (let column = 0; column < width; column++) {
      // Every column shows its part of the curve: the value there, or the mean of those that share it.
      const from = Math.floor((column * longest) / width);
      const to = Math.max(from + 1, Math.floor(((column + 1) * longest) / width));
      const here = Array.from({ length: to - from }, (_, i) => ys[from + i]).filter(Number.isFinite);
      if (here.length === 0) continue;
      const mean = here.reduce((a, b) => a + b, 0) / here.length;
      cells[height - 1 - Math.round(((mean - low) / span) * (height - 1))][column] = mark(curve);
    }
  });
  const labels = cells.map((_, row) => (row === 0 ? show(high) : row === height - 1 ? show(low) : ""));
  const room = Math.max(...labels.map((l) => l.length));
  return [
    ...cells.map((row, i) => `${pad(labels[i], room, "right")} ┤${row.join("")}`.trimEnd()),
    `${" ".repeat(room)} └${"─".repeat(width)} ${longest}`,
    names.map((name, i) => `${mark(i)} ${name}`).join("   "),
  ];
}
