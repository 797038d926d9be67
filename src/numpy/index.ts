/**
 * numpy: NumPy's names and calling forms over Tensor, for those who come from NumPy or from notes that are written in it. Numbers
 * become float64 arrays, `axis` goes by place or by name, several words are spelt both ways (emptyLike, empty_like), and
 * random.seed gives NumPy's own numbers.
 *
 * It is not: another array (results are tensors, with their methods), nor Python's operators: a + b is a.add(b), a < b is
 * a.less(b), a[1:3] is a.slice("1:3"). Tensors never change; nothing writes into one.
 *
 * @example
 * import * as np from "chainrule/numpy";
 * np.random.seed(1);
 * const w = np.random.randn(4, 3).mul(0.01);
 * const z = np.dot(w, np.ones([3, 5])).add(np.zeros([4, 1]));
 * console.log(np.sum(z, { axis: 1, keepdims: true }).shape); // [4, 1]
 *
 * @module chainrule/numpy
 */
import "../engine.ts";

export {
  arange,
  array,
  array as asarray,
  empty,
  eye,
  eye as identity,
  full,
  linspace,
  logspace,
  ones,
  zeros,
} from "./creation.ts";
export * from "./functions.ts";
export * from "./shapes.ts";
export {
  abs as absolute,
  countNonzero as count_nonzero,
  floorDivide as floor_divide,
  greaterEqual as greater_equal,
  lessEqual as less_equal,
  logicalAnd as logical_and,
  logicalNot as logical_not,
  logicalOr as logical_or,
  logicalXor as logical_xor,
  nanToNum as nan_to_num,
  notEqual as not_equal,
  variance as var,
} from "./functions.ts";
export {
  arrayEqual as array_equal,
  broadcastTo as broadcast_to,
  emptyLike as empty_like,
  expandDims as expand_dims,
  fullLike as full_like,
  onesLike as ones_like,
  takeAlongAxis as take_along_axis,
  zerosLike as zeros_like,
} from "./shapes.ts";
export * as linalg from "./linalg.ts";
export * as random from "./random.ts";

/** π. */
export const pi: number = Math.PI;
/** Euler's number. */
export const e: number = Math.E;
/** ∞. */
export const inf: number = Infinity;
/** Not a number. */
export const nan: number = NaN;
/** A new axis of size 1, in `slice`. */
export const newaxis = "newaxis";
/** The dtype. */
export const float32 = "float32";
/** The dtype. */
export const float64 = "float64";
/** The dtype. */
export const int32 = "int32";
/** The dtype. */
export const uint8 = "uint8";
/** The dtype; kept as bytes 0 and 1. */
export const bool = "bool";
