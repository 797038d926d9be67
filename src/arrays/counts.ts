/** Counting: what stands where, how often. Results whose size depends on values need them: not inside `compiled`. */
import {
  bytesOf,
  hostArray,
  isFloat,
  ShapeError,
  showShape,
  sizeOf,
  stridesOf,
  type TypedArray,
  ValueError,
} from "../base/index.ts";
import {
  asIndices,
  asTensor,
  type Axis,
  fromHost,
  linspace,
  type ReduceOptions,
  scatterAdd,
  sum,
  type Tensor,
  type TensorLike,
  tensor,
  where,
  zeros,
} from "../tensor/index.ts";
import { searchSorted } from "./order.ts";
import { fused, needsValues } from "./fused.ts";

/**
 * How many elements are not 0, along axes or of all; int32.
 *
 * @example countNonzero([[1, 0], [2, 3]], 0).array(); // → [2, 1]
 */
export const countNonzero = (x: TensorLike, axis?: Axis, options: ReduceOptions = {}): Tensor =>
  sum(asTensor(x, "countNonzero").cast("bool"), axis, options);

/**
 * The places of elements that are not 0, row by row: one int32 vector an axis (numpy.nonzero).
 *
 * Throws TraceError inside `compiled`, where the number of places is not known: where() and masks do not need it.
 *
 * @example
 * nonzero([[0, 3], [4, 0]]); // [[0, 1], [1, 0]]
 */
export function nonzero(x: TensorLike): Tensor[] {
  const places = placesOf(x, "nonzero");
  const { shape } = places;
  return stridesOf(shape).map((stride, a) =>
    fromHost(
      places.flat.map((i) => Math.floor(i / stride) % shape[a]),
      [places.flat.length],
      "int32",
    ),
  );
}

/**
 * The places of elements that are not 0: int32 [count, rank] (numpy.argwhere). Not inside `compiled`.
 *
 * @example argWhere([[0, 5], [6, 0]]).array(); // → [[0, 1], [1, 0]]
 */
export function argWhere(x: TensorLike): Tensor {
  const { flat, shape } = placesOf(x, "argWhere");
  const strides = stridesOf(shape);
  const out = new Int32Array(flat.length * shape.length);
  flat.forEach((i, row) => {
    for (let a = 0; a < shape.length; a++) out[row * shape.length + a] = Math.floor(i / strides[a]) % shape[a];
  });
  return fromHost(out, [flat.length, shape.length], "int32");
}

function placesOf(x: TensorLike, op: string): { flat: Int32Array; shape: readonly number[] } {
  const t = asTensor(x, op);
  needsValues(op, "use where() with the mask instead");
  const data = t.dataSync();
  const flat = new Int32Array(data.length);
  let count = 0;
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) flat[count++] = i;
  return { flat: flat.slice(0, count), shape: t.shape };
}

/** What `unique` gives. */
export interface Unique {
  /** The distinct elements, sorted, in x's dtype. */
  readonly values: Tensor;
  /** Where each first stands in the flattened x, int32. */
  readonly indices: Tensor;
  /** For each element of x the place of its value: int32 of x's shape. */
  readonly inverse: Tensor;
  /** How often each stands in x, int32. */
  readonly counts: Tensor;
}

/**
 * The distinct elements of x, sorted, with where and how often they stand (numpy.unique).
 *
 * Throws TraceError inside `compiled`, where their number is not known.
 *
 * @example
 * const { values, counts } = unique([3, 1, 3]); // [1, 3], [1, 2]
 */
export function unique(x: TensorLike): Unique {
  const t = asTensor(x, "unique");
  needsValues("unique", "call it outside, or count with bincount(x, { length })");
  const data = t.dataSync();
  const order = sortedPlaces(data);
  const starts: number[] = [];
  const inverse = new Int32Array(data.length);
  order.forEach((i, k) => {
    // All NaN are one.
    if (k === 0 || (data[i] !== data[order[k - 1]] && !Number.isNaN(data[order[k - 1]]))) starts.push(k);
    inverse[i] = starts.length - 1;
  });
  const values = hostArray(t.dtype, starts.length, new ArrayBuffer(starts.length * bytesOf(t.dtype)));
  starts.forEach((k, i) => (values[i] = data[order[k]]));
  const whole = (list: readonly number[]): Tensor => fromHost(Int32Array.from(list), [list.length], "int32");
  return {
    values: fromHost(values, [starts.length], t.dtype),
    indices: whole(starts.map((k) => order[k])),
    inverse: fromHost(inverse, t.shape, "int32"),
    counts: whole(starts.map((k, i) => (starts[i + 1] ?? data.length) - k)),
  };
}

/** Places in order of the elements, equal ones in order of place, NaN last. */
function sortedPlaces(data: TypedArray): Int32Array {
  const order = Int32Array.from(data, (_, i) => i);
  return order.sort((i, k) => {
    const [a, b] = [data[i], data[k]];
    return a < b ? -1 : a > b ? 1 : Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || i - k;
  });
}

/** Options of `bincount`. */
export interface BincountOptions {
  /** Added instead of 1, in the shape of x; the result then has their dtype. */
  readonly weights?: TensorLike;
  /** Size of the result. Default: the largest element + 1, which has to be known: inside `compiled` give it. */
  readonly length?: number;
}

/**
 * How often each of 0, 1, 2 … stands in x: int32 [length], or the sums of weights. Elements outside 0..length-1 do not count.
 *
 * @example
 * bincount([0, 2, 2]); // [1, 0, 2]
 */
export function bincount(x: TensorLike, options: BincountOptions = {}): Tensor {
  const t = asIndices(x, "bincount");
  const { weights } = options;
  const w = weights === undefined ? null : asTensor(weights, "bincount");
  if (w !== null && w.size !== t.size) {
    throw new ShapeError(`[bincount] weights ${showShape(w.shape)} must have the shape of x ${showShape(t.shape)}.`);
  }
  let { length } = options;
  if (length === undefined) {
    needsValues("bincount", "name its length, as in bincount(x, { length: 10 })");
    length = 0;
    let low = 0;
    for (const v of t.dataSync()) {
      length = Math.max(length, v + 1);
      low = Math.min(low, v);
    }
    if (low < 0) throw new ValueError(`[bincount] counts whole numbers ≥ 0, got ${low}.`);
  }
  if (!Number.isInteger(length) || length < 0) {
    throw new ValueError(`[bincount] length must be a whole number ≥ 0, got ${length}.`);
  }
  return counted(t, length, w);
}

/** The sums of weights (or 1) by whole numbers in 0..length-1. */
function counted(at: Tensor, length: number, weights: Tensor | null): Tensor {
  const dtype =
    weights === null ? "int32" : weights.dtype === "bool" || weights.dtype === "uint8" ? "int32" : weights.dtype;
  if (length === 0) return zeros([0], { dtype });
  return fused(() => {
    const flat = at.reshape([-1]);
    const inside = flat.greaterEqual(0).logicalAnd(flat.less(length));
    const ones = inside.cast(dtype);
    const updates = weights === null ? ones : where(inside, weights.reshape([-1]).cast(dtype), ones);
    return scatterAdd(zeros([length], { dtype }), flat.clip(0, length - 1), updates);
  });
}

/** Options of `histogram`. */
export interface HistogramOptions {
  /** Number of bins of equal width, or their edges in ascending order. Default: 10. */
  readonly bins?: number | TensorLike;
  /** First and last edge. Default: the least and the largest element. */
  readonly range?: readonly [number, number];
  /** Added instead of 1, in the shape of x. */
  readonly weights?: TensorLike;
  /** Shares over widths, so that the area is 1. Default: false. */
  readonly density?: boolean;
}

/**
 * How many elements fall between each pair of edges; the last bin holds its right edge, too (numpy.histogram). Elements
 * outside do not count.
 *
 * @example
 * const { counts, edges } = histogram([1, 2, 2, 4], { bins: 3 }); // [1, 2, 1], [1, 2, 3, 4]
 */
export function histogram(x: TensorLike, options: HistogramOptions = {}): { counts: Tensor; edges: Tensor } {
  const t = asTensor(x, "histogram");
  const values = isFloat(t.dtype) ? t : t.cast("float32");
  const { dtype } = values;
  const edges = edgesOf(values, options);
  const bins = edges.shape[0] - 1;
  const w = options.weights === undefined ? null : asTensor(options.weights, "histogram");
  if (w !== null && w.size !== t.size) {
    throw new ShapeError(`[histogram] weights ${showShape(w.shape)} must have the shape of x ${showShape(t.shape)}.`);
  }
  const total = fused(() => {
    const flat = values.reshape([-1]);
    const last = edges.at(bins);
    const at = searchSorted(edges, flat, { side: "right" }).sub(1);
    // The right edge belongs to the last bin; NaN to none.
    const place = where(flat.equal(last), bins - 1, where(flat.less(last), at, -1)).cast("int32");
    const count = counted(place, bins, w);
    if (options.density !== true) return count;
    const widths = edges.slice([1, null]).sub(edges.slice([0, -1]));
    const c = count.cast(dtype);
    return c.div(c.sum()).div(widths);
  });
  return { counts: total, edges };
}

function edgesOf(x: Tensor, { bins = 10, range }: HistogramOptions): Tensor {
  const { dtype } = x;
  if (typeof bins !== "number") {
    const edges = tensor(bins).cast(dtype);
    if (edges.rank !== 1 || edges.size < 2)
      throw new ShapeError(`[histogram] edges are a vector of at least 2, got ${showShape(edges.shape)}.`);
    return edges;
  }
  if (!Number.isInteger(bins) || bins < 1)
    throw new ValueError(`[histogram] bins must be a whole number ≥ 1 or the edges, got ${bins}.`);
  if (range !== undefined) {
    const [lo, hi] = range;
    if (!(lo <= hi)) throw new ValueError(`[histogram] range must ascend, got [${lo}, ${hi}].`);
    return lo === hi ? linspace(lo - 0.5, hi + 0.5, bins + 1, { dtype }) : linspace(lo, hi, bins + 1, { dtype });
  }
  if (sizeOf(x.shape) === 0) return linspace(0, 1, bins + 1, { dtype });
  const steps = linspace(0, 1, bins + 1, { dtype });
  return fused(() => {
    const [lo, hi] = [x.min(), x.max()];
    const half = where(lo.equal(hi), tensor(0.5, { dtype }), 0);
    const [from, to] = [lo.sub(half), hi.add(half)];
    // The last edge is the largest element itself, not what rounding makes of it.
    return where(steps.equal(1), to, from.add(to.sub(from).mul(steps)));
  });
}
