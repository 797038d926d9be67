/**
 * Reductions: `axis` is a number, several numbers, or nothing for all; `keepdims` leaves the reduced axes with size 1.
 */
import { axesOf, axisOf, type DType, sizeOf, ValueError } from "../base/index.ts";
import { build, type Node, type ReduceName } from "../ir/index.ts";
import { apply } from "./apply.ts";
import { asTensor, type TensorLike } from "./convert.ts";
import * as n from "./nodes.ts";
import type { Tensor } from "./tensor.ts";

/** Axes to reduce; negative ones count from the end; nothing means all. */
export type Axis = number | readonly number[] | null | undefined;

/** Options of every reduction. */
export interface ReduceOptions {
  /** Leaves the reduced axes with size 1. Default: false. */
  readonly keepdims?: boolean;
}

/** What sums of this dtype are kept in: bool and uint8 would overflow. */
const accumulator = (dtype: DType): DType => (dtype === "bool" || dtype === "uint8" ? "int32" : dtype);

type Body = (a: Node, axes: readonly number[]) => Node;

/** Runs `f`, which keeps or drops the axes as `keeps` says, and brings the result to the asked-for form. */
function reduction(name: string, x: TensorLike, axis: Axis, options: ReduceOptions, f: Body, keeps = false): Tensor {
  const t = asTensor(x, name);
  const axes = axesOf(axis, t.rank, name);
  return apply([t], (a) => {
    const out = f(a, axes);
    const keep = options.keepdims ?? false;
    if (keep === keeps) return out;
    return build.reshape(out, keep ? n.keptShape(a.shape, axes) : a.shape.filter((_, i) => !axes.includes(i)));
  });
}

const plain = (op: ReduceName, x: TensorLike, axis: Axis, options: ReduceOptions): Tensor =>
  reduction(op, x, axis, options, (a, axes) => build.reduce(op, build.cast(a, accumulator(a.dtype)), axes));

/**
 * Sums; bool and uint8 add up as int32.
 *
 * @example sum([[1, 2], [3, 4]], 0).array(); // → [4, 6]
 */
export const sum = (x: TensorLike, axis?: Axis, options: ReduceOptions = {}): Tensor => plain("sum", x, axis, options);
/**
 * Products.
 *
 * @example prod([[1, 2], [3, 4]], 0).array(); // → [3, 8]
 */
export const prod = (x: TensorLike, axis?: Axis, options: ReduceOptions = {}): Tensor =>
  plain("prod", x, axis, options);

function extreme(op: "max" | "min", x: TensorLike, axis: Axis, options: ReduceOptions): Tensor {
  return reduction(op, x, axis, options, (a, axes) => {
    if (a.dtype !== "bool") return build.reduce(op, a, axes);
    return build.cast(build.reduce(op, build.cast(a, "uint8"), axes), "bool");
  });
}

/**
 * The largest element; NaN wins. The gradient of a tie is shared equally. Throws ValueError for an empty axis.
 *
 * @example max([[1, 9], [7, 5]], 0).array(); // → [7, 9]
 */
export const max = (x: TensorLike, axis?: Axis, options: ReduceOptions = {}): Tensor =>
  extreme("max", x, axis, options);
/**
 * The smallest element; NaN wins.
 *
 * @example min([[1, 9], [7, 5]], 0).array(); // → [1, 5]
 */
export const min = (x: TensorLike, axis?: Axis, options: ReduceOptions = {}): Tensor =>
  extreme("min", x, axis, options);

/**
 * Whether any element is true (not 0); false for none.
 *
 * @example any([[true, false], [false, false]], 1).array(); // → [true, false]
 */
export const any = (x: TensorLike, axis?: Axis, options: ReduceOptions = {}): Tensor =>
  reduction("any", x, axis, options, (a, axes) =>
    build.cast(build.reduce("sum", build.cast(build.cast(a, "bool"), "int32"), axes), "bool"),
  );
/**
 * Whether all elements are true (not 0); true for none.
 *
 * @example all([[true, false], [true, true]], 1).array(); // → [false, true]
 */
export const all = (x: TensorLike, axis?: Axis, options: ReduceOptions = {}): Tensor =>
  reduction("all", x, axis, options, (a, axes) =>
    build.cast(build.reduce("prod", build.cast(build.cast(a, "bool"), "int32"), axes), "bool"),
  );

const countOf = (a: Node, axes: readonly number[]): number => sizeOf(axes.map((i) => a.shape[i]));

const meanNode = (a: Node, axes: readonly number[]): Node => {
  const total = build.reduce("sum", a, axes);
  return n.div(total, n.like(total, countOf(a, axes)));
};

/**
 * The mean; whole numbers count as float32. NaN for an empty axis.
 *
 * @example mean([[1, 2], [3, 4]], 0).array(); // → [2, 3]
 */
export const mean = (x: TensorLike, axis?: Axis, options: ReduceOptions = {}): Tensor =>
  reduction("mean", x, axis, options, (a, axes) => meanNode(n.floats(a), axes));

/** Options of `variance` and `std`. */
export interface VarianceOptions extends ReduceOptions {
  /** Delta degrees of freedom: the divisor is n - ddof. Default: 0 (the population variance, catalogue S-009). */
  readonly ddof?: number;
}

function varianceNode(x: Node, axes: readonly number[], ddof: number): Node {
  const a = n.floats(x);
  const centred = n.sub(a, build.reshape(meanNode(a, axes), n.keptShape(a.shape, axes)));
  const total = build.reduce("sum", n.mul(centred, centred), axes);
  return n.div(total, n.like(total, countOf(a, axes) - ddof));
}

/**
 * The mean squared distance from the mean.
 *
 * @example variance([1, 2, 3, 4]).item(); // → 1.25
 */
export const variance = (x: TensorLike, axis?: Axis, options: VarianceOptions = {}): Tensor =>
  reduction("variance", x, axis, options, (a, axes) => varianceNode(a, axes, options.ddof ?? 0));
/**
 * The square root of the variance.
 *
 * @example std([1, 2, 3, 4]).item(); // → 1.118
 */
export const std = (x: TensorLike, axis?: Axis, options: VarianceOptions = {}): Tensor =>
  reduction("std", x, axis, options, (a, axes) => build.unary("sqrt", varianceNode(a, axes, options.ddof ?? 0)));

function argReduction(
  op: "argmax" | "argmin",
  x: TensorLike,
  axis: number | undefined,
  options: ReduceOptions,
): Tensor {
  const t = asTensor(x, op);
  if (axis !== undefined) axisOf(axis, t.rank, op);
  return apply([t], (p) => {
    const a = p.dtype === "bool" ? build.cast(p, "uint8") : p;
    if (axis === undefined) {
      const out = build.argReduce(op, build.reshape(a, [sizeOf(a.shape)]), 0);
      return options.keepdims === true
        ? build.reshape(
            out,
            a.shape.map(() => 1),
          )
        : out;
    }
    const out = build.argReduce(op, a, axis);
    return options.keepdims === true
      ? build.reshape(out, n.keptShape(a.shape, [axisOf(axis, a.shape.length, op)]))
      : out;
  });
}

/**
 * The int32 index of the first largest element along `axis`; without it, into the flattened tensor.
 *
 * @example argmax([[1, 9, 3], [7, 5, 6]], -1).array(); // → [1, 0]
 */
export const argmax = (x: TensorLike, axis?: number, options: ReduceOptions = {}): Tensor =>
  argReduction("argmax", x, axis, options);
/**
 * The int32 index of the first smallest element along `axis`; without it, into the flattened tensor.
 *
 * @example argmin([[1, 9, 3], [7, 5, 6]], -1).array(); // → [0, 1]
 */
export const argmin = (x: TensorLike, axis?: number, options: ReduceOptions = {}): Tensor =>
  argReduction("argmin", x, axis, options);

/** Options of `norm`. */
export interface NormOptions extends ReduceOptions {
  /** 1, 2, Infinity or any p > 0; over two axes or all, 2 is the Frobenius norm. Default: 2. */
  readonly ord?: number;
}

/**
 * The p-norm of the elements over the axes: Σ|x|, √Σx², max|x| … (catalogue S-016, S-017).
 *
 * @example norm([3, -4]).item(); // → 5
 */
export function norm(x: TensorLike, axis?: Axis, options: NormOptions = {}): Tensor {
  const ord = options.ord ?? 2;
  if (!(ord > 0)) throw new ValueError(`[norm] ord must be a number > 0 or Infinity, got ${ord}.`);
  return reduction("norm", x, axis, options, (p, axes) => {
    const a = n.floats(p);
    if (ord === 2) return build.unary("sqrt", build.reduce("sum", n.mul(a, a), axes));
    const size = build.unary("abs", a);
    if (ord === 1) return build.reduce("sum", size, axes);
    if (ord === Infinity) return build.reduce("max", size, axes);
    const total = build.reduce("sum", n.binary("pow", size, n.like(a, ord)), axes);
    return n.binary("pow", total, n.like(total, 1 / ord));
  });
}

/** x less its largest element along the axes: what keeps exp in range. The shift cancels, so it needs no gradient. */
const shifted = (a: Node, axes: readonly number[]): Node => n.sub(a, build.stopGradient(n.reduceKeep("max", a, axes)));

/**
 * ln Σ e^x, computed as m + ln Σ e^(x-m) (catalogue S-019). -Infinity for a row of -Infinity.
 *
 * @example logSumExp([1000, 1000]).item(); // → 1000.7
 */
export const logSumExp = (x: TensorLike, axis?: Axis, options: ReduceOptions = {}): Tensor =>
  reduction(
    "logSumExp",
    x,
    axis,
    options,
    (p, axes) => {
      const a = n.floats(p);
      const peak = build.stopGradient(n.reduceKeep("max", a, axes));
      // An infinite peak would give inf - inf: leave such rows unshifted.
      const finite = build.compare("eq", n.sub(peak, peak), n.like(peak, 0));
      const m = build.where(finite, peak, n.like(peak, 0));
      return n.add(build.unary("log", n.reduceKeep("sum", build.unary("exp", n.sub(a, m)), axes)), m);
    },
    true,
  );

const alongAxis = (name: string, x: TensorLike, axis: number, f: Body): Tensor => {
  const t = asTensor(x, name);
  const a = axisOf(axis, t.rank, name);
  return apply([t], (p) => f(n.floats(p), [a]));
};

/**
 * e^x / Σ e^x along an axis, shifted by the largest (catalogue S-074). Default axis: the last.
 *
 * @example softmax([1, 2, 3]).array(); // → [0.090031, 0.24473, 0.66524]
 */
export const softmax = (x: TensorLike, axis = -1): Tensor =>
  alongAxis("softmax", x, axis, (a, axes) => {
    const e = build.unary("exp", shifted(a, axes));
    const sum = n.reduceKeep("sum", e, axes);
    // One division a row: the sum is at least 1, so its reciprocal is a normal number.
    return n.mul(e, n.div(n.like(sum, 1), sum));
  });

/**
 * x - ln Σ e^x along an axis, without ever taking the logarithm of a softmax. Default axis: the last.
 *
 * @example logSoftmax([1, 2, 3]).array(); // → [-2.4076, -1.4076, -0.40761]
 */
export const logSoftmax = (x: TensorLike, axis = -1): Tensor =>
  alongAxis("logSoftmax", x, axis, (a, axes) => {
    const s = shifted(a, axes);
    return n.sub(s, build.unary("log", n.reduceKeep("sum", build.unary("exp", s), axes)));
  });

/** Options of `cumsum`. */
export interface CumsumOptions {
  /** From the end. Default: false. */
  readonly reverse?: boolean;
  /** Each place gets the sum of those before it, without its own. Default: false. */
  readonly exclusive?: boolean;
}

/**
 * Running sums along an axis. Default: 0.
 *
 * @example cumsum([1, 2, 3]).array(); // → [1, 3, 6]
 */
export function cumsum(x: TensorLike, axis = 0, options: CumsumOptions = {}): Tensor {
  const t = asTensor(x, "cumsum");
  const at = axisOf(axis, t.rank, "cumsum");
  return apply([t], (p) => {
    const a = build.cast(p, accumulator(p.dtype));
    const sums = build.cumsum(a, at, options.reverse ?? false);
    return options.exclusive === true ? n.sub(sums, a) : sums;
  });
}

/**
 * Whether |x - y| ≤ atol + rtol · |y| in every place (numpy.allclose); NaN is close to nothing. Read at once.
 *
 * @example allClose([1, 2], [1, 2.000001]); // → true
 */
export function allClose(
  x: TensorLike,
  y: TensorLike,
  options: { readonly rtol?: number; readonly atol?: number } = {},
): boolean {
  const { rtol = 1e-5, atol = 1e-8 } = options;
  const [a, b] = [asTensor(x, "allClose").cast("float64"), asTensor(y, "allClose").cast("float64")];
  const near = a.sub(b).abs().lessEqual(b.abs().mul(rtol).add(atol));
  return all(near.logicalOr(a.equal(b))).item() === 1;
}
