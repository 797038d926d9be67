import { checkShape, type DType, ValueError } from "../base/index.ts";
import {
  arange as range,
  eye as identityOf,
  full as filled,
  linspace as spaced,
  tensor,
  Tensor,
  type TensorLike,
} from "../tensor/index.ts";
import { logspace as logarithmic } from "../arrays/index.ts";

export interface DTypeOption {
  /** Default: float64. */
  readonly dtype?: DType;
}

/** A shape: one size or several. */
type Size = number | readonly number[];

/**
 * An array of numbers: float64 unless it is a tensor, a typed array or named otherwise; of booleans: bool.
 *
 * @example np.array([1, 2]).dtype; // → "float64"
 */
export function array(x: TensorLike, options: DTypeOption = {}): Tensor {
  if (x instanceof Tensor) return options.dtype === undefined ? x : x.cast(options.dtype);
  const own = ArrayBuffer.isView(x) ? tensor(x) : null;
  if (own !== null) return options.dtype === undefined ? own : own.cast(options.dtype);
  let first: unknown = x;
  while (Array.isArray(first)) [first] = first as unknown[];
  return tensor(x, { dtype: options.dtype ?? (typeof first === "boolean" ? "bool" : "float64") });
}

/** The operand of a function into the reals: whole numbers count as float64, as in NumPy. */
export function real(x: TensorLike): Tensor {
  const t = array(x);
  return t.dtype === "float32" || t.dtype === "float64" ? t : t.cast("float64");
}

function shapeOf(op: string, size: Size, next?: unknown): readonly number[] {
  if (typeof next === "number")
    throw new ValueError(`[${op}] takes the shape as one argument: ${op}([${String(size)}, ${next}]).`);
  const shape = typeof size === "number" ? [size] : size;
  checkShape(shape, op);
  return shape;
}

const creator =
  (op: string, value: number) =>
  (size: Size, options: DTypeOption = {}): Tensor =>
    filled(shapeOf(op, size, options), value, { dtype: options.dtype ?? "float64" });

type Creator = (size: Size, options?: DTypeOption) => Tensor;

/** Zeros of a shape: zeros([2, 3]) or zeros(5). */
export const zeros: Creator = creator("zeros", 0);
/** Ones of a shape. */
export const ones: Creator = creator("ones", 1);
/** An array whose values nobody relies on (they are zeros). */
export const empty: Creator = creator("empty", 0);
/**
 * `value` in every place of a shape.
 *
 * @example np.full([2], 7).array(); // → [7, 7]
 */
export const full = (size: Size, value: number, options: DTypeOption = {}): Tensor =>
  filled(shapeOf("full", size), value, { dtype: options.dtype ?? "float64" });
/**
 * The identity; k shifts its diagonal.
 *
 * @example np.eye(2).array(); // → [[1, 0], [0, 1]]
 */
export const eye = (rows: number, columns: number = rows, k = 0, options: DTypeOption = {}): Tensor =>
  identityOf(rows, columns, k, { dtype: options.dtype ?? "float64" });
/**
 * start, start + step … without `stop`: float64 (int32 for { dtype: "int32" }).
 *
 * @example np.arange(1, 7, 2).array(); // → [1, 3, 5]
 */
export const arange = (start: number, stop?: number, step = 1, options: DTypeOption = {}): Tensor =>
  range(start, stop, step, { dtype: options.dtype ?? "float64" });
/**
 * `count` evenly spaced numbers, both ends included.
 *
 * @example np.linspace(0, 1, 3).array(); // → [0, 0.5, 1]
 */
export const linspace = (start: number, stop: number, count = 50, options: DTypeOption = {}): Tensor =>
  spaced(start, stop, count, { dtype: options.dtype ?? "float64" });
/**
 * `count` numbers from base^start to base^stop.
 *
 * @example np.logspace(0, 2, 3).array(); // → [1, 10, 100]
 */
export const logspace = (
  start: number,
  stop: number,
  count = 50,
  options: DTypeOption & { readonly base?: number } = {},
): Tensor => logarithmic(start, stop, count, { dtype: "float64", ...options });
