/** Scaling of columns: statistics from the training samples, applied to any (S-178, S-179, S-180). */
import { type DType, hostArray, ShapeError, showShape, type TypedArray, ValueError } from "../base/index.ts";
import type { HostArray } from "../io/index.ts";
import { isNaN as isNaNTensor, Tensor, tensor, type TensorLike, where } from "../tensor/index.ts";
import { Dataset } from "./dataset.ts";

/** Samples [n, features] (any axes before the last; [n] is one column). A dataset stands for its x. */
export type Columns = Dataset | HostArray | TensorLike;

/** The same kind of data as went in: dataset, host array, else tensor. float64 stays float64, all else becomes float32. */
export interface Transform {
  (data: Dataset): Dataset;
  (data: HostArray): HostArray;
  (data: TensorLike): Tensor;
}

/** Scales features by statistics of the training set. */
export interface Scaler {
  /** Takes the statistics of these samples: of the training set, never of the test set. */
  fit(data: Columns): this;
  /** The samples by the statistics of `fit`; for tensors in operations, so that it may stand in a compiled function. */
  readonly transform: Transform;
  /** What `transform` was given, from what it gave. */
  readonly inverseTransform: Transform;
  /** Both at once, for training samples. */
  readonly fitTransform: Transform;
  /** Kind and statistics, for a file; see `scalerFromConfig`. */
  config(): ScalerConfig;
}

/** (x - center) / spread · gain + base, a column each. */
export interface ScalerConfig {
  readonly scaler: string;
  readonly center: readonly number[];
  readonly spread: readonly number[];
  readonly gain: number;
  readonly base: number;
}

/** Center and spread of one column of numbers. */
type Statistics = (column: Float64Array) => readonly [center: number, spread: number];

/**
 * Columns to 0..1, or to `range`: (x - min) / (max - min). A constant column becomes the lower end.
 *
 * @throws ValueError when the range is empty; when `fit` sees NaN.
 * @example minMaxScaler().fitTransform([2, 4, 6, 8]); // 0, 0.333, 0.667, 1
 */
export function minMaxScaler(options: { readonly range?: readonly [number, number] } = {}): Scaler {
  const [low, high] = options.range ?? [0, 1];
  if (!(low < high)) throw new ValueError(`[minMaxScaler] range must be [low, high] with low < high.`);
  const statistics: Statistics = (c) => {
    let [least, most] = [Infinity, -Infinity];
    for (const v of c) {
      least = Math.min(least, v);
      most = Math.max(most, v);
    }
    return [least, most - least];
  };
  return scalerOf("minMaxScaler", statistics, high - low, low);
}

/**
 * Columns to mean 0 and standard deviation 1 (by 1/n): (x - μ) / σ. A constant column becomes 0.
 *
 * @throws ValueError when `fit` sees NaN.
 * @example
 * const scaler = standardScaler().fit(train);
 * const [a, b] = [scaler.transform(train), scaler.transform(test)]; // both by the mean and deviation of train
 */
export function standardScaler(options: { readonly center?: boolean; readonly scale?: boolean } = {}): Scaler {
  const { center = true, scale = true } = options;
  const statistics: Statistics = (c) => {
    const mean = c.reduce((a, v) => a + v, 0) / c.length;
    const variance = c.reduce((a, v) => a + (v - mean) ** 2, 0) / c.length;
    // What rounding leaves of a constant column is no deviation.
    const noise = (c.length * Number.EPSILON * mean) ** 2;
    return [center ? mean : 0, scale && variance > noise ? Math.sqrt(variance) : 1];
  };
  return scalerOf("standardScaler", statistics);
}

/**
 * Columns by median and quartiles, which outliers do not move: (x - median) / (q₇₅ - q₂₅).
 *
 * @throws ValueError when quantiles are not in 0..100 in order, or `fit` sees NaN.
 * @example robustScaler().fitTransform([[1], [2], [3], [1000]]);
 */
export function robustScaler(options: { readonly quantiles?: readonly [number, number] } = {}): Scaler {
  const [low, high] = options.quantiles ?? [25, 75];
  if (!(low >= 0 && low < high && high <= 100))
    throw new ValueError(`[robustScaler] quantiles must be [low, high] in 0..100, got [${low}, ${high}].`);
  const statistics: Statistics = (c) => {
    const sorted = c.slice().sort();
    return [quantile(sorted, 50), quantile(sorted, high) - quantile(sorted, low)];
  };
  return scalerOf("robustScaler", statistics);
}

/**
 * The scaler that `config()` described.
 *
 * @example
 * const scaler = standardScaler().fit([[1], [3]]);
 * scalerFromConfig(scaler.config()).transform([[2]]).array(); // → [[0]]
 */
export function scalerFromConfig(config: ScalerConfig): Scaler {
  const scalers: Readonly<Record<string, (() => Scaler) | undefined>> = { minMaxScaler, standardScaler, robustScaler };
  const statistics = scalers[config.scaler];
  if (statistics === undefined) throw new ValueError(`[scalerFromConfig] there is no scaler "${config.scaler}".`);
  return (statistics() as Fitted).with(config);
}

/** Linear between the two nearest of the sorted numbers (NumPy's default). */
function quantile(sorted: Float64Array, percent: number): number {
  const at = (percent / 100) * (sorted.length - 1);
  const i = Math.floor(at);
  return sorted[i] + (at - i) * ((sorted[i + 1] ?? sorted[i]) - sorted[i]);
}

interface Fitted extends Scaler {
  with(config: ScalerConfig): Scaler;
}

function scalerOf(name: string, statistics: Statistics, gain = 1, base = 0): Scaler {
  let state: ScalerConfig | null = null;
  const need = (method: string): ScalerConfig => {
    if (state === null) throw new ValueError(`[${name}] ${method} before fit: call fit(train) first.`);
    return state;
  };
  const scaler: Fitted = {
    fit(data: Columns): Fitted {
      const columns = columnsOf(name, data);
      const both = columns.map((c, i) => statistics(complete(name, c, i)));
      const spread = both.map(([, s]) => (s > 0 && Number.isFinite(s) ? s : 1));
      state = { scaler: name, center: both.map(([c]) => c), spread, gain, base };
      return scaler;
    },
    transform: transformer(name, () => {
      const { center, spread, gain, base } = need("transform");
      return {
        width: center.length,
        number: (v, c) => ((v - center[c]) / spread[c]) * gain + base,
        tensor: (x, like) => x.sub(like(center)).div(like(spread)).mul(gain).add(base),
      };
    }),
    inverseTransform: transformer(name, () => {
      const { center, spread, gain, base } = need("inverseTransform");
      return {
        width: center.length,
        number: (v, c) => ((v - base) / gain) * spread[c] + center[c],
        tensor: (x, like) => x.sub(base).div(gain).mul(like(spread)).add(like(center)),
      };
    }),
    fitTransform: ((data: HostArray) => scaler.fit(data).transform(data)) as Transform,
    config: () => need("config"),
    with(config) {
      state = config;
      return scaler;
    },
  };
  return scaler;
}

/** Fills missing values; see `imputer`. */
export interface Imputer {
  /** Takes the means or medians of what is there. */
  fit(data: Columns): this;
  /** The samples with those in place of NaN. */
  readonly transform: Transform;
  readonly fitTransform: Transform;
}

/**
 * Fills missing values (NaN) with the mean or the median of their column in the training samples, or with a number.
 *
 * @throws ValueError when a column has no value at all.
 * @example imputer({ strategy: "median" }).fitTransform([[1], [NaN], [3]]); // 1, 2, 3
 */
export function imputer(options: { readonly strategy?: "mean" | "median" | number } = {}): Imputer {
  const { strategy = "mean" } = options;
  let fill: readonly number[] | null = null;
  const result: Imputer = {
    fit(data) {
      fill = columnsOf("imputer", data).map((column, c) => {
        const there = column.filter((v) => !Number.isNaN(v)).sort();
        if (typeof strategy === "number") return strategy;
        if (there.length === 0) throw new ValueError(`[imputer] column ${c} has no value: leave it out.`);
        return strategy === "median" ? quantile(there, 50) : there.reduce((a, v) => a + v, 0) / there.length;
      });
      return result;
    },
    transform: transformer("imputer", () => {
      if (fill === null) throw new ValueError("[imputer] transform before fit: call fit(train) first.");
      const values = fill;
      return {
        width: values.length,
        number: (v, c) => (Number.isNaN(v) ? values[c] : v),
        tensor: (x, like) => where(isNaNTensor(x), like(values), x),
      };
    }),
    fitTransform: ((data: HostArray) => result.fit(data).transform(data)) as Transform,
  };
  return result;
}

interface Rule {
  /** Columns that `fit` saw. */
  readonly width: number;
  readonly number: (value: number, column: number) => number;
  readonly tensor: (x: Tensor, like: (values: readonly number[]) => Tensor) => Tensor;
}

/** A rule on every kind of data. */
function transformer(name: string, ruleNow: () => Rule): Transform {
  const onHost = (a: HostArray): HostArray => {
    const rule = ruleNow();
    const width = checkWidth(name, a.shape, rule.width);
    const dtype: DType = a.dtype === "float64" ? "float64" : "float32";
    const data = hostArray(dtype, a.data.length);
    for (let i = 0; i < data.length; i++) data[i] = rule.number(a.data[i], i % width);
    return { data, shape: a.shape, dtype };
  };
  const onTensor = (x: TensorLike): Tensor => {
    const rule = ruleNow();
    const given = x instanceof Tensor ? x : tensor(x);
    const t = given.dtype === "float64" ? given : given.cast("float32");
    const width = checkWidth(name, t.shape, rule.width);
    return rule.tensor(t, (v) =>
      tensor(Float64Array.from(v))
        .reshape(t.rank < 2 ? [] : [width])
        .cast(t.dtype),
    );
  };
  return ((data: Columns) => {
    if (data instanceof Dataset) return data.mapBatches(({ x, y }) => ({ x: onHost(x), y }));
    return isHostArray(data) ? onHost(data) : onTensor(data);
  }) as Transform;
}

const isHostArray = (x: Columns): x is HostArray =>
  typeof x === "object" && !(x instanceof Tensor) && "shape" in x && "dtype" in x && "data" in x;

const widthOf = (shape: readonly number[]): number => (shape.length < 2 ? 1 : (shape.at(-1) ?? 1));

function checkWidth(name: string, shape: readonly number[], width: number): number {
  const got = widthOf(shape);
  if (got !== width)
    throw new ShapeError(`[${name}] got ${got} columns ${showShape(shape)}, fit saw ${width}: they must be the same.`);
  return width;
}

function columnsOf(name: string, data: Columns): Float64Array[] {
  let values: TypedArray;
  let shape: readonly number[];
  if (data instanceof Dataset || isHostArray(data)) {
    const x = data instanceof Dataset ? data.all().x : data;
    [values, shape] = [x.data, x.shape];
  } else {
    const t = data instanceof Tensor ? data : tensor(data, { dtype: "float64" });
    [values, shape] = [t.dataSync(), t.shape];
  }
  if (shape.length === 0 || values.length === 0)
    throw new ShapeError(`[${name}] fit needs samples [n, features], got ${showShape(shape)}.`);
  const width = widthOf(shape);
  return Array.from({ length: width }, (_, c) =>
    Float64Array.from({ length: values.length / width }, (_, i) => values[i * width + c]),
  );
}

function complete(name: string, column: Float64Array, c: number): Float64Array {
  const row = column.findIndex(Number.isNaN);
  if (row < 0) return column;
  throw new ValueError(`[${name}] row ${row} of column ${c} is NaN: fill missing values with imputer() first.`);
}
