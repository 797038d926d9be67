/** Sorting and what stands on it. NaN counts as largest; equal elements keep their order. */
import { axisOf, isFloat, ShapeError, showShape, ValueError } from "../base/index.ts";
import { build, type Node } from "../ir/index.ts";
import {
  apply,
  asTensor,
  concat,
  moveaxis,
  type ReduceOptions,
  reshape,
  slice,
  takeAlongAxis,
  type Tensor,
  type TensorLike,
  where,
} from "../tensor/index.ts";
import { argsortRows } from "./argsort.ts";
import { fused } from "./fused.ts";

/** Options of `argsort` and `sort`. */
export interface SortOptions {
  /** From the largest to the smallest. Default: false. */
  readonly descending?: boolean;
}

/**
 * int32 indices that would sort x along an axis (numpy.argsort with kind "stable"). Any dtype. Default axis: the last.
 *
 * @example
 * argsort([3, 1, 2]);                          // [1, 2, 0]
 * argsort([3, 1, 2], -1, { descending: true }); // [0, 2, 1]
 */
export function argsort(x: TensorLike, axis = -1, options: SortOptions = {}): Tensor {
  const t = asTensor(x, "argsort");
  const a = axisOf(axis, t.rank, "argsort");
  const perm = [...t.shape.keys()].filter((k) => k !== a);
  perm.push(a);
  return apply([t], (p) => {
    const rows = build.permute(p.dtype === "bool" || p.dtype === "uint8" ? build.cast(p, "int32") : p, perm);
    const order = argsortRows(rows, options.descending ?? false);
    return build.permute(
      order,
      perm.map((_, k) => perm.indexOf(k)),
    );
  });
}

/**
 * x in ascending order along an axis; the gradient goes back to where each element came from. Default axis: the last.
 *
 * @example
 * sort([3, 1, 2]); // [1, 2, 3]
 */
export function sort(x: TensorLike, axis = -1, options: SortOptions = {}): Tensor {
  const t = asTensor(x, "sort");
  const a = axisOf(axis, t.rank, "sort");
  return fused(() => takeAlongAxis(t, argsort(t, a, options), a));
}

/** Options of `topK`. */
export interface TopKOptions {
  /** Default: the last. */
  readonly axis?: number;
  /** The smallest ones instead when false. Default: true. */
  readonly largest?: boolean;
}

/**
 * The k largest elements along an axis, largest first, and their int32 indices. Of equal ones the first counts. Gradients reach
 * the elements that were taken. Throws ValueError for a k that the axis does not have.
 *
 * @example
 * const { values, indices } = topK([1, 5, 3], 2); // [5, 3] at [1, 2]
 */
export function topK(x: TensorLike, k: number, options: TopKOptions = {}): { values: Tensor; indices: Tensor } {
  const t = asTensor(x, "topK");
  const a = axisOf(options.axis ?? -1, t.rank, "topK");
  if (!Number.isInteger(k) || k < 0 || k > t.shape[a]) {
    throw new ValueError(`[topK] k must be a whole number in 0..${t.shape[a]}, the size of axis ${a}, got ${k}.`);
  }
  const order = argsort(t, a, { descending: options.largest ?? true });
  const indices = slice(order, ...t.shape.map((d, i) => [0, i === a ? k : d] as const));
  return { values: takeAlongAxis(t, indices, a), indices };
}

/** Options of `searchSorted`. */
export interface SearchSortedOptions {
  /** Of equal elements, before the first or after the last. Default: "left". */
  readonly side?: "left" | "right";
}

/**
 * Where each of `values` would go into the sorted vector to keep it sorted: int32 of values' shape (numpy.searchsorted).
 *
 * @example
 * searchSorted([1, 3, 5], [0, 3, 6]); // [0, 1, 3]
 */
export function searchSorted(sorted: TensorLike, values: TensorLike, options: SearchSortedOptions = {}): Tensor {
  const [s, v] = [asTensor(sorted, "searchSorted"), asTensor(values, "searchSorted")];
  if (s.rank !== 1) {
    throw new ShapeError(`[searchSorted] looks in one sorted vector, got ${showShape(s.shape)}: flatten() it first.`);
  }
  const right = options.side === "right";
  const size = s.shape[0];
  return apply([s, v], (from, of) => {
    const [table, x] = commonFloats(from, of);
    const full = (value: number): Node => build.full(x.shape, value, "int32");
    let at = full(0);
    // One comparison a step: are the next `step` elements before x, too?
    for (let step = size === 0 ? 0 : 2 ** Math.floor(Math.log2(size)); step >= 1; step /= 2) {
      const next = build.binary("add", at, full(step));
      const last = build.gather(table, build.binary("minimum", build.binary("sub", next, full(1)), full(size - 1)), 0);
      let before = build.compare(right ? "le" : "lt", last, x);
      if (isFloat(x.dtype)) {
        const nan = build.compare("ne", x, x);
        const beats = right ? nan : build.binary("and", nan, build.compare("eq", last, last));
        before = build.binary("or", before, beats);
      }
      const fits = build.compare("le", next, full(size));
      at = build.where(build.binary("and", before, fits), next, at);
    }
    return at;
  });
}

/** Both in one dtype. */
function commonFloats(a: Node, b: Node): [Node, Node] {
  if (a.dtype === b.dtype) return [a, b];
  const dtype = a.dtype === "float64" || b.dtype === "float64" ? "float64" : "float32";
  return [build.cast(a, dtype), build.cast(b, dtype)];
}

/** Options of `quantile` and `percentile`. */
export interface QuantileOptions extends ReduceOptions {
  /** What a place between two elements gives. Default: "linear". */
  readonly method?: "linear" | "lower" | "higher" | "nearest" | "midpoint";
}

/**
 * The element that a share `q` (0 to 1) of the others lies below, along an axis or of all (numpy.quantile). Several q give a
 * first axis of their own. Whole numbers count as float32; a row with NaN gives NaN.
 *
 * @example
 * quantile([1, 2, 3, 4], 0.25);        // 1.75
 * quantile(x, [0.1, 0.5, 0.9], 0);     // [3, ...]
 */
export function quantile(
  x: TensorLike,
  q: number | readonly number[],
  axis?: number | null,
  options: QuantileOptions = {},
): Tensor {
  const t = asTensor(x, "quantile");
  const qs = typeof q === "number" ? [q] : q;
  const bad = qs.find((p) => !(p >= 0 && p <= 1));
  if (bad !== undefined) throw new ValueError(`[quantile] q must be in 0..1, got ${bad}: percentile() takes 0..100.`);
  const flat = axis === undefined || axis === null;
  const a = flat ? 0 : axisOf(axis, t.rank, "quantile");
  const size = flat ? t.size : t.shape[a];
  if (size === 0) throw new ValueError(`[quantile] of an empty axis of ${showShape(t.shape)} has no value.`);
  const kept = t.shape.map((d, i) => (flat || i === a ? 1 : d));
  return fused(() => {
    const floats = isFloat(t.dtype) ? t : t.cast("float32");
    const rows = sort(flat ? reshape(floats, [size]) : moveaxis(floats, a, 0), 0);
    const at = (i: number): Tensor => slice(rows, [i, i + 1]);
    const top = at(size - 1);
    const parts = qs.map((p) => {
      const place = p * (size - 1);
      const [lo, hi] = between(place, options.method ?? "linear");
      const share = options.method === "midpoint" ? 0.5 : place - lo;
      const part = lo === hi ? at(lo) : at(lo).add(at(hi).sub(at(lo)).mul(share));
      return where(top.isNaN(), top, part);
    });
    const out = parts.length === 1 ? parts[0] : concat(parts);
    const shape = options.keepdims === true ? kept : flat ? [] : t.shape.filter((_, i) => i !== a);
    return reshape(out, typeof q === "number" ? shape : [qs.length, ...shape]);
  });
}

/** The two places that are mixed; equal ones for one place alone. */
function between(place: number, method: NonNullable<QuantileOptions["method"]>): [number, number] {
  const [lo, hi] = [Math.floor(place), Math.ceil(place)];
  if (method === "lower") return [lo, lo];
  if (method === "higher") return [hi, hi];
  if (method === "nearest") {
    const near = place - lo === 0.5 ? 2 * Math.round(place / 2) : Math.round(place);
    return [near, near];
  }
  return [lo, hi];
}

/**
 * `quantile` with q in percent: 0 to 100.
 *
 * @example percentile([1, 2, 3, 4], 50).item(); // → 2.5
 */
export const percentile = (
  x: TensorLike,
  q: number | readonly number[],
  axis?: number | null,
  options: QuantileOptions = {},
): Tensor => quantile(x, typeof q === "number" ? q / 100 : q.map((p) => p / 100), axis, options);

/**
 * The middle element, or the mean of the middle two, along an axis or of all.
 *
 * @example median([3, 1, 2]).item(); // → 2
 */
export const median = (x: TensorLike, axis?: number | null, options: ReduceOptions = {}): Tensor =>
  quantile(x, 0.5, axis, options);
