/** Escape sequences that set colours: they take no room on the screen. */
// eslint-disable-next-line no-control-regex -- the escape character is what is looked for
const ANSI = /\x1b\[[0-9;]*m/g;

/**
 * Columns that `text` takes on a screen; wide characters are not used by this room.
 *
 * @example visibleWidth("\u001b[31mred\u001b[0m"); // → 3
 */
export const visibleWidth = (text: string): number => [...text.replace(ANSI, "")].length;

/** `text` filled with spaces to `width` columns. */
export function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, width - visibleWidth(text)));
  return align === "left" ? text + space : space + text;
}

/** Options of `formatTable`. */
export interface TableOptions {
  /** Alignment of each column; default: numbers right, text left, judged by the cells. */
  readonly align?: readonly ("left" | "right")[];
  /** Between columns; default two spaces. */
  readonly gap?: string;
  /** Draw a line under the first row. */
  readonly header?: boolean;
}

/**
 * Rows as aligned columns, no trailing spaces.
 *
 * @example formatTable([["layer", "weights"], ["dense", 1290]], { header: true });
 */
export function formatTable(rows: readonly (readonly (string | number)[])[], options: TableOptions = {}): string {
  const { gap = "  ", header = false } = options;
  const cells = rows.map((row) => row.map(String));
  const count = Math.max(0, ...cells.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, c) => Math.max(...cells.map((row) => visibleWidth(row[c] ?? ""))));
  const body = header ? rows.slice(1) : rows;
  const align = Array.from({ length: count }, (_, c) => options.align?.[c] ?? guess(body.map((row) => row[c])));
  const lines = cells.map((row) =>
    widths
      .map((w, c) => pad(row[c] ?? "", w, align[c]))
      .join(gap)
      .trimEnd(),
  );
  if (header && lines.length > 0) lines.splice(1, 0, widths.map((w) => "─".repeat(w)).join(gap));
  return lines.join("\n");
}

/** Right when every cell is a number, perhaps with a unit. */
function guess(column: readonly (string | number | undefined)[]): "left" | "right" {
  const cells = column.filter((c) => c !== undefined && c !== "");
  return cells.length > 0 &&
    cells.every((c) => typeof c === "number" || /^[\d.,+-]+(e[+-]?\d+)?\s?[%a-zµ/]{0,4}$/i.test(String(c)))
    ? "right"
    : "left";
}

/**
 * Seconds as `0:07`, `12:30` or `1:02:03`.
 *
 * @example formatDuration(750); // → "12:30"
 */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–:––";
  const s = Math.max(0, Math.round(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/**
 * Whole numbers with thousands separated: `61,706`.
 *
 * @example formatCount(61706); // → "61,706"
 */
export const formatCount = (n: number): string =>
  Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
