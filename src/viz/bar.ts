import { formatCount, formatDuration, visibleWidth } from "./text.ts";

/** Eighths of a cell, from empty to nearly full. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;

/**
 * A bar of `width` columns, `fraction` of it filled, to an eighth of a column.
 *
 * @example formatBar(0.5, 4); // → "██░░"
 */
export function formatBar(fraction: number, width: number, ascii = false): string {
  const f = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
  if (ascii) {
    const full = Math.round(f * width);
    return "#".repeat(full) + "-".repeat(width - full);
  }
  const eighths = Math.round(f * width * 8);
  const full = Math.floor(eighths / 8);
  const part = EIGHTHS[eighths % 8];
  return "█".repeat(full) + part + "░".repeat(width - full - (part === "" ? 0 : 1));
}

/** Where long work stands. */
export interface ProgressState {
  /** For example "epoch 1/8". */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** Per second. */
  readonly rate?: number;
  /** Of the rate, for example "images". */
  readonly unit?: string;
  /** Shown as `name value` with four decimals, in order. */
  readonly values?: Readonly<Record<string, number>>;
  /** Seconds left. */
  readonly left?: number;
}

/**
 * One line of at most `columns` columns: label, bar, count, rate, values, time left. On a narrow screen the bar gives way
 * first, then the rate.
 *
 * @example formatProgress({ label: "epoch 1/2", done: 5, total: 10, values: { loss: 0.25 }, left: 9 }, 80);
 */
export function formatProgress(state: ProgressState, columns: number, ascii = false): string {
  const { label, done, total, rate, unit = "steps", values = {}, left } = state;
  const percent = `${Math.floor((total === 0 ? 1 : done / total) * 100)}%`.padStart(4);
  const speed = rate === undefined ? [] : [`${formatCount(rate)} ${unit}/s`];
  const numbers = Object.entries(values).map(([name, v]) => `${name} ${formatValue(v)}`);
  const time = left === undefined ? [] : [`${formatDuration(left)} left`];
  const full = [...speed, ...numbers, ...time].join("  ");
  const short = [...numbers, ...time].join("  ");
  for (const tail of [full, short]) {
    const room = columns - visibleWidth(`${label}  ${percent}  ${tail}`) - 1;
    if (room >= 8)
      return `${label} ${formatBar(total === 0 ? 1 : done / total, Math.min(30, room), ascii)} ${percent}  ${tail}`;
  }
  return `${label} ${percent}  ${short}`.slice(0, Math.max(0, columns));
}

/** Four decimals, or an exponent where they would say nothing. */
function formatValue(v: number): string {
  return v !== 0 && Math.abs(v) < 1e-3 ? v.toExponential(1) : v.toFixed(4);
}
