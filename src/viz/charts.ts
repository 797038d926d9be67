import { ValueError } from "../base/index.ts";

/** A chart as plain JSON in the Vega-Lite language: `renderSvg` draws it here, vega-embed in a browser. */
export interface ChartSpec {
  readonly $schema: string;
  readonly [key: string]: unknown;
}

/** Options of every chart. */
export interface ChartOptions {
  readonly title?: string;
  /** Names of the axes. */
  readonly x?: string;
  readonly y?: string;
  /** Pixels of the plotted area. Default 420 × 260. */
  readonly width?: number;
  readonly height?: number;
}

/** Options of `lineChart`. */
export interface LineOptions extends ChartOptions {
  /** Logarithmic axes: every value must be above 0. */
  readonly logX?: boolean;
  readonly logY?: boolean;
  /** Where each value stands on the x axis; default 1, 2, 3, … */
  readonly xs?: readonly number[];
  /** Marks every value with a point. Default: when there are 40 values at most. */
  readonly points?: boolean;
}

const SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json";

/** The parts that all charts have in common. */
function chart(options: ChartOptions, rest: Readonly<Record<string, unknown>>): ChartSpec {
  const { title, width = 420, height = 260 } = options;
  return { $schema: SCHEMA, ...(title === undefined ? {} : { title }), width, height, background: "white", ...rest };
}

/** The most marks of an axis of whole numbers, and of one of powers of ten. */
const MARKS = { whole: 8, log: 5 };

/**
 * Vega-Lite's channel of numbers: named, not forced to begin at 0. Marks are counted where Vega's own choice reads badly: halves between
 * whole numbers, and nine lines to every power of ten.
 */
function number(field: string, title: string | undefined, values: readonly number[], log = false): unknown {
  const span = (xs: readonly number[]): number => {
    const [low, high] = xs.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Infinity, -Infinity]);
    return Math.max(1, Math.ceil(high) - Math.floor(low));
  };
  const marks = log
    ? Math.min(MARKS.log, span(values.map(Math.log10)))
    : values.every(Number.isInteger) && values.length > 0
      ? Math.min(MARKS.whole, span(values))
      : undefined;
  return {
    field,
    type: "quantitative",
    title: title ?? field,
    ...(marks === undefined ? {} : { axis: { tickCount: marks } }),
    scale: log ? { type: "log" } : { zero: false },
  };
}

/**
 * Curves over a common axis, one a key; values that are not finite are left out. Curves may differ in length.
 *
 * @throws ValueError for a value ≤ 0 on a logarithmic axis, and for an x axis shorter than a curve.
 * @example lineChart({ train: [0.9, 0.4, 0.2], dev: [1, 0.6, 0.5] }, { x: "epoch", y: "loss" });
 */
export function lineChart(series: Readonly<Record<string, ArrayLike<number>>>, options: LineOptions = {}): ChartSpec {
  const { logX = false, logY = false, xs } = options;
  const longest = Math.max(0, ...Object.values(series).map((v) => v.length));
  if (xs !== undefined && xs.length < longest)
    throw new ValueError(`[lineChart] xs has ${xs.length} places, the longest curve ${longest} values.`);
  const values = Object.entries(series).flatMap(([curve, ys]) =>
    Array.from(ys, (y, i) => ({ x: xs?.[i] ?? i + 1, y, curve })).filter(({ y }) => Number.isFinite(y)),
  );
  const below = values.find(({ x, y }) => (logY && y <= 0) || (logX && x <= 0));
  if (below !== undefined)
    throw new ValueError(
      `[lineChart] curve "${below.curve}" has the point (${below.x}, ${below.y}): a logarithmic axis shows numbers above 0 only.`,
    );
  const column = (key: "x" | "y"): number[] => values.map((v) => v[key]);
  return chart(options, {
    data: { values },
    mark: { type: "line", point: options.points ?? longest <= 40 },
    encoding: {
      x: number("x", options.x, column("x"), logX),
      y: number("y", options.y, column("y"), logY),
      color: { field: "curve", type: "nominal", title: null, sort: Object.keys(series) },
    },
  });
}

/**
 * The curves of a training run, one panel for the loss and one for each metric, training beside validation (S-413).
 *
 * @param history one value an epoch by name, as `fit` returns it (`history.history`); validation begins with `val_`
 * @example learningCurves({ loss: [1, 0.5], val_loss: [1.1, 0.7], accuracy: [0.6, 0.8], val_accuracy: [0.5, 0.7] });
 */
export function learningCurves(
  history: Readonly<Record<string, ArrayLike<number>>>,
  options: ChartOptions = {},
): ChartSpec {
  const names = Object.keys(history).filter((name) => !name.startsWith("val_"));
  if (names.length === 0) throw new ValueError("[learningCurves] the history has no curve: train an epoch first.");
  const { title, ...rest } = options;
  const panels = names.map((name) => {
    const dev = history[`val_${name}`] as ArrayLike<number> | undefined;
    const curves = { train: history[name], ...(dev === undefined ? {} : { validation: dev }) };
    const { $schema: _, background: __, ...panel } = lineChart(curves, { x: "epoch", y: name, ...rest });
    return panel;
  });
  return { $schema: SCHEMA, ...(title === undefined ? {} : { title }), background: "white", hconcat: panels };
}

/**
 * Points in the plane, coloured by group.
 *
 * @example scatterChart([{ x: 1, y: 2, group: "a" }, { x: 2, y: 1, group: "b" }]);
 */
export function scatterChart(
  points: readonly { readonly x: number; readonly y: number; readonly group?: string | number }[],
  options: ChartOptions = {},
): ChartSpec {
  const groups = points.some((p) => p.group !== undefined);
  return chart(options, {
    data: { values: points },
    mark: { type: "point", filled: true, opacity: 0.7 },
    encoding: {
      x: number(
        "x",
        options.x,
        points.map(({ x }) => x),
      ),
      y: number(
        "y",
        options.y,
        points.map(({ y }) => y),
      ),
      ...(groups ? { color: { field: "group", type: "nominal", title: null } } : {}),
    },
  });
}

/**
 * Bars, one a key, in the order of the keys.
 *
 * @example barChart({ sgd: 0.91, adam: 0.97 }, { y: "accuracy" });
 */
export function barChart(bars: Readonly<Record<string, number>>, options: ChartOptions = {}): ChartSpec {
  return chart(options, {
    data: { values: Object.entries(bars).map(([name, value]) => ({ name, value })) },
    mark: "bar",
    encoding: {
      x: { field: "name", type: "nominal", title: options.x ?? null, sort: Object.keys(bars) },
      y: { field: "value", type: "quantitative", title: options.y ?? null },
    },
  });
}

/**
 * A matrix as coloured cells with their numbers: a confusion matrix, correlations, attention weights.
 *
 * @param rows [height][width]
 * @example heatmapChart([[50, 2], [1, 47]], { rowNames: ["cat", "dog"], columnNames: ["cat", "dog"] });
 */
export function heatmapChart(
  rows: readonly ArrayLike<number>[],
  options: ChartOptions & {
    readonly rowNames?: readonly string[];
    readonly columnNames?: readonly string[];
    /** Writes each number into its cell. Default: up to 400 cells. */
    readonly numbers?: boolean;
  } = {},
): ChartSpec {
  const { rowNames, columnNames } = options;
  const values = rows.flatMap((row, r) =>
    Array.from(row, (value, c) => ({ row: rowNames?.[r] ?? r, column: columnNames?.[c] ?? c, value })),
  );
  const axis = (field: string, title: string | undefined): unknown => ({
    field,
    type: "ordinal",
    title,
    sort: null,
    axis: { labelAngle: 0 },
  });
  const all = values.map(({ value }) => value);
  const middle = (all.reduce((a, b) => Math.min(a, b), Infinity) + all.reduce((a, b) => Math.max(a, b), -Infinity)) / 2;
  const cells = {
    mark: "rect",
    encoding: { color: { field: "value", type: "quantitative", title: null, scale: { scheme: "blues" } } },
  };
  const text = {
    mark: { type: "text", fontSize: 9 },
    encoding: {
      text: { field: "value", type: "quantitative", format: ".3~g" },
      color: { condition: { test: `datum.value > ${middle}`, value: "white" }, value: "black" },
    },
  };
  return chart(options, {
    data: { values },
    encoding: { x: axis("column", options.x), y: axis("row", options.y) },
    layer: (options.numbers ?? values.length <= 400) ? [cells, text] : [cells],
  });
}
