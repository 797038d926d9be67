import { checkShape, type DType, hostArray, isFloat, sizeOf, ValueError } from "../base/index.ts";
import { build } from "../ir/index.ts";
import { apply } from "./apply.ts";
import { asIndices, asTensor, fromHost, type TensorLike } from "./convert.ts";
import type { Tensor } from "./tensor.ts";
import { currentTrace } from "./trace.ts";

/** Elements up to which an array is filled here: quicker than compiling a kernel for its shape. */
const FILLED = 1 << 18;

/** The dtype of a new tensor. */
export interface DTypeOption {
  /** Default: float32. */
  readonly dtype?: DType;
}

/**
 * `value` in every place of `shape`.
 *
 * @example full([2], 7).array(); // → [7, 7]
 */
export function full(shape: readonly number[], value: number, options: DTypeOption = {}): Tensor {
  checkShape(shape, "full");
  const { dtype = "float32" } = options;
  const n = sizeOf(shape);
  if (currentTrace() === null && n <= FILLED && (value === 0 || isFloat(dtype)))
    return fromHost(hostArray(dtype, n).fill(value), shape, dtype);
  return apply([], () => build.full(shape, value, dtype));
}

/**
 * Zeros of `shape`.
 *
 * @example zeros([2]).array(); // → [0, 0]
 */
export const zeros = (shape: readonly number[], options: DTypeOption = {}): Tensor => full(shape, 0, options);
/**
 * Ones of `shape`.
 *
 * @example ones([2]).array(); // → [1, 1]
 */
export const ones = (shape: readonly number[], options: DTypeOption = {}): Tensor => full(shape, 1, options);
/**
 * A tensor of `shape` whose values nobody relies on (they are zeros).
 *
 * @example empty([2]).shape; // → [2]
 */
export const empty = (shape: readonly number[], options: DTypeOption = {}): Tensor => full(shape, 0, options);

/**
 * `value` in every place of x's shape, in x's dtype unless named.
 *
 * @example fullLike([1, 2], 7).array(); // → [7, 7]
 */
export function fullLike(x: TensorLike, value: number, options: DTypeOption = {}): Tensor {
  const t = asTensor(x, "fullLike");
  return full(t.shape, value, { dtype: options.dtype ?? t.dtype });
}
/**
 * Zeros in the shape of x, and in its dtype unless told otherwise.
 *
 * @example zerosLike([1, 2]).array(); // → [0, 0]
 */
export const zerosLike = (x: TensorLike, options: DTypeOption = {}): Tensor => fullLike(x, 0, options);
/**
 * Ones in the shape of x, and in its dtype unless told otherwise.
 *
 * @example onesLike([1, 2]).array(); // → [1, 1]
 */
export const onesLike = (x: TensorLike, options: DTypeOption = {}): Tensor => fullLike(x, 1, options);
/**
 * Same shape and dtype as x; the values are unspecified (they are zeros).
 *
 * @example emptyLike([1, 2, 3]).shape; // → [3]
 */
export const emptyLike = (x: TensorLike, options: DTypeOption = {}): Tensor => fullLike(x, 0, options);

/**
 * start, start + step … up to and without `stop`; `arange(n)` is 0 … n-1. dtype: int32 when all three are whole numbers,
 * else float32.
 *
 * @example arange(0, 10, 3).array(); // → [0, 3, 6, 9]
 */
export function arange(start: number, stop?: number, step = 1, options: DTypeOption = {}): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (step === 0 || !Number.isFinite(step))
    throw new ValueError(`[arange] step must be a finite number other than 0, got ${step}.`);
  const n = Math.max(0, Math.ceil((to - from) / step));
  if (!Number.isFinite(n)) throw new ValueError(`[arange] ${from} to ${to} by ${step} has no finite length.`);
  const dtype = options.dtype ?? ([from, to, step].every(Number.isInteger) ? "int32" : "float32");
  const host = hostArray(dtype, n);
  for (let i = 0; i < n; i++) host[i] = from + i * step;
  return fromHost(host, [n], dtype);
}

/**
 * `count` evenly spaced numbers from `start` to `stop`, both included. Default count: 50, as in NumPy.
 *
 * @example linspace(0, 1, 5).array(); // → [0, 0.25, 0.5, 0.75, 1]
 */
export function linspace(start: number, stop: number, count = 50, options: DTypeOption = {}): Tensor {
  if (!Number.isInteger(count) || count < 0)
    throw new ValueError(`[linspace] count must be a whole number ≥ 0, got ${count}.`);
  const dtype = options.dtype ?? "float32";
  const host = hostArray(dtype, count);
  for (let i = 0; i < count; i++)
    host[i] = i === count - 1 && count > 1 ? stop : start + (i * (stop - start)) / Math.max(1, count - 1);
  return fromHost(host, [count], dtype);
}

/**
 * The identity [rows, columns] with ones on the k-th diagonal (above the main one for k > 0).
 *
 * @example eye(2).array(); // → [[1, 0], [0, 1]]
 */
export function eye(rows: number, columns: number = rows, k = 0, options: DTypeOption = {}): Tensor {
  checkShape([rows, columns], "eye");
  return apply([], () => {
    const shape = [rows, columns];
    const i = build.iota(shape, 0);
    const at = k === 0 ? i : build.binary("add", i, build.full(shape, k, "int32"));
    return build.cast(build.compare("eq", at, build.iota(shape, 1)), options.dtype ?? "float32");
  });
}

/** Options of `oneHot`. */
export interface OneHotOptions extends DTypeOption {
  /** Default: 1. */
  readonly onValue?: number;
  /** Default: 0. */
  readonly offValue?: number;
}

/**
 * indices [...S] → [...S, depth], 1 at each index and 0 elsewhere; a row of zeros for an index outside 0..depth-1.
 *
 * @example
 * oneHot([0, 2], 3); // [[1, 0, 0], [0, 0, 1]]
 */
export function oneHot(indices: TensorLike, depth: number, options: OneHotOptions = {}): Tensor {
  if (!Number.isInteger(depth) || depth < 1)
    throw new ValueError(`[oneHot] depth must be a whole number ≥ 1, got ${depth}.`);
  const dtype = options.dtype ?? "float32";
  const { onValue = 1, offValue = 0 } = options;
  return apply([asIndices(indices, "oneHot")], (i) => {
    const shape = [...i.shape, depth];
    const hit = build.compare(
      "eq",
      build.expand(build.reshape(i, [...i.shape, 1]), shape),
      build.iota(shape, shape.length - 1),
    );
    if (onValue === 1 && offValue === 0) return build.cast(hit, dtype);
    return build.where(hit, build.full(shape, onValue, dtype), build.full(shape, offValue, dtype));
  });
}

/**
 * Throws unless x has exactly this shape (-1 fits any size): the shape assertion of NumPy scripts. Returns x.
 *
 * @example assertShape(zeros([2, 3]), [2, -1]).shape; // → [2, 3]
 */
export function assertShape(x: TensorLike, shape: readonly number[], name = "tensor"): Tensor {
  const t = asTensor(x, "assertShape");
  if (t.rank !== shape.length || shape.some((d, i) => d !== -1 && d !== t.shape[i])) {
    throw new ValueError(
      `[assertShape] ${name} is ${t.dtype} [${t.shape.join(", ")}], expected [${shape.join(", ")}].`,
    );
  }
  return t;
}
