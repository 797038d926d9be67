/** Running products and extremes, differences. */
import { axisOf, isFloat, ValueError } from "../base/index.ts";
import { build, type Node } from "../ir/index.ts";
import { apply, asTensor, slice, sub, type Tensor, type TensorLike, notEqual } from "../tensor/index.ts";

/** Each place joined with all before it along an axis, in ⌈log₂ n⌉ steps that double their reach; `unit` changes nothing. */
function running(name: string, op: "mul" | "maximum" | "minimum", x: TensorLike, axis: number): Tensor {
  const t = asTensor(x, name);
  const a = axisOf(axis, t.rank, name);
  return apply([t], (p) => {
    let at: Node = p.dtype === "bool" || p.dtype === "uint8" ? build.cast(p, "int32") : p;
    const unit = op === "mul" ? 1 : unitOf(op, at.dtype);
    const size = at.shape[a];
    for (let by = 1; by < size; by *= 2) {
      const shifted = build.pad(
        build.slice(
          at,
          at.shape.map(() => 0),
          at.shape.map((d, i) => (i === a ? d - by : d)),
        ),
        at.shape.map((_, i) => [i === a ? by : 0, 0]),
        unit,
      );
      at = build.binary(op, at, shifted);
    }
    return at;
  });
}

const unitOf = (op: "maximum" | "minimum", dtype: Node["dtype"]): number => {
  const up = op === "minimum";
  if (isFloat(dtype)) return up ? Infinity : -Infinity;
  if (dtype === "uint32") return up ? 2 ** 32 - 1 : 0;
  return up ? 2 ** 31 - 1 : -(2 ** 31);
};

/**
 * Running products along an axis (numpy.cumprod); zeros have gradients, too. Default axis: 0.
 *
 * @example cumprod([1, 2, 3]).array(); // → [1, 2, 6]
 */
export const cumprod = (x: TensorLike, axis = 0): Tensor => running("cumprod", "mul", x, axis);
/**
 * The largest element so far along an axis; NaN stays. Default axis: 0.
 *
 * @example cummax([1, 3, 2, 4]).array(); // → [1, 3, 3, 4]
 */
export const cummax = (x: TensorLike, axis = 0): Tensor => running("cummax", "maximum", x, axis);
/**
 * The smallest element so far along an axis; NaN stays. Default axis: 0.
 *
 * @example cummin([4, 2, 3, 1]).array(); // → [4, 2, 2, 1]
 */
export const cummin = (x: TensorLike, axis = 0): Tensor => running("cummin", "minimum", x, axis);

/**
 * Differences of neighbours along an axis, `times` times over; for bool whether they differ (numpy.diff). Default axis: the
 * last.
 *
 * @example
 * diff([1, 4, 9]); // [3, 5]
 */
export function diff(x: TensorLike, times = 1, axis = -1): Tensor {
  let t = asTensor(x, "diff");
  const a = axisOf(axis, t.rank, "diff");
  if (!Number.isInteger(times) || times < 0)
    throw new ValueError(`[diff] takes differences a whole number ≥ 0 of times, got ${times}.`);
  for (let i = 0; i < times; i++) {
    const part = (from: number, to: number | null): Tensor =>
      slice(t, ...t.shape.map((_, k) => (k === a ? ([from, to] as const) : null)));
    const [left, right] = t.shape[a] < 1 ? [t, t] : [part(0, -1), part(1, null)];
    t = t.dtype === "bool" ? notEqual(right, left) : sub(right, left);
  }
  return t;
}
