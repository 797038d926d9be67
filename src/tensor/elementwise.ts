/**
 * Element-wise operations. Two operands broadcast as in NumPy; a bare number takes the other's dtype; otherwise the higher
 * of bool < uint8 < int32 < uint32 < float32 < float64 wins. Functions into the reals turn whole numbers into float32.
 */
import { broadcastShapes, type DType, DTYPES, DTypeError, isFloat } from "../base/index.ts";
import { type BinaryName, build, type CompareName, type Node, type UnaryName } from "../ir/index.ts";
import { apply } from "./apply.ts";
import { asTensor, constant, type TensorLike, together } from "./convert.ts";
import * as n from "./nodes.ts";
import type { Tensor } from "./tensor.ts";

function arithmetic(op: BinaryName, name: string, x: TensorLike, y: TensorLike, fixed = false): Tensor {
  const { operands, dtype } = together(name, [x, y], fixed);
  const to = n.arithmetic(dtype);
  return apply(operands, (a, b) => n.binary(op, build.cast(a, to), build.cast(b, to), name));
}

/**
 * x + y.
 * @example add([1, 2], 3).array(); // → [4, 5]
 */
export const add = (x: TensorLike, y: TensorLike): Tensor => arithmetic("add", "add", x, y);
/**
 * x - y.
 * @example sub([1, 2], 3).array(); // → [-2, -1]
 */
export const sub = (x: TensorLike, y: TensorLike): Tensor => arithmetic("sub", "sub", x, y);
/**
 * x · y, element by element (the Hadamard product).
 * @example mul([1, 2], [3, 4]).array(); // → [3, 8]
 */
export const mul = (x: TensorLike, y: TensorLike): Tensor => arithmetic("mul", "mul", x, y);
/**
 * x / y; whole numbers divide as float32.
 * @example div([1, 2], 4).array(); // → [0.25, 0.5]
 */
export function div(x: TensorLike, y: TensorLike): Tensor {
  const { operands, dtype } = together("div", [x, y]);
  const to = isFloat(dtype) ? dtype : "float32";
  return apply(operands, (a, b) => n.binary("div", build.cast(a, to), build.cast(b, to), "div"));
}
/**
 * ⌊x / y⌋ in the operands' dtype, as Python's //.
 * @example floorDiv([7, -7], 2).array(); // → [3, -4]
 */
export function floorDiv(x: TensorLike, y: TensorLike): Tensor {
  const { operands, dtype } = together("floorDiv", [x, y]);
  const to = n.arithmetic(dtype);
  return apply(operands, (p, q) => {
    const [a, b] = [build.cast(p, to), build.cast(q, to)];
    if (isFloat(to)) return build.unary("floor", n.binary("div", a, b, "floorDiv"));
    // Whole numbers: exact once the remainder (which has the divisor's sign) is taken off.
    return n.div(n.sub(a, n.binary("mod", a, b, "floorDiv")), b);
  });
}
/**
 * The remainder with the divisor's sign, as Python's %.
 * @example mod([7, -7], 3).array(); // → [1, 2]
 */
export const mod = (x: TensorLike, y: TensorLike): Tensor => arithmetic("mod", "mod", x, y);
/**
 * x to the power y.
 * @example pow([1, 2, 3], 2).array(); // → [1, 4, 9]
 */
export const pow = (x: TensorLike, y: TensorLike): Tensor => arithmetic("pow", "pow", x, y, true);
/**
 * The larger of the two; NaN wins. The gradient of a tie is split in half; against a constant it is 0 (ReLU'(0) = 0).
 * @example maximum([1, 5], 3).array(); // → [3, 5]
 */
export const maximum = (x: TensorLike, y: TensorLike): Tensor => arithmetic("maximum", "maximum", x, y, true);
/**
 * The smaller of the two; NaN wins. The gradient of a tie is split in half; against a constant it is 0.
 * @example minimum([1, 5], 3).array(); // → [1, 3]
 */
export const minimum = (x: TensorLike, y: TensorLike): Tensor => arithmetic("minimum", "minimum", x, y, true);

function unary(op: UnaryName, x: TensorLike, floats: boolean): Tensor {
  return apply([asTensor(x, op)], (a) => build.unary(op, floats ? n.floats(a) : build.cast(a, n.arithmetic(a.dtype))));
}

/**
 * −x.
 * @example neg([1, -2]).array(); // → [-1, 2]
 */
export const neg = (x: TensorLike): Tensor => unary("neg", x, false);
/**
 * |x|; its derivative at 0 is 0.
 * @example abs([-2, 3]).array(); // → [2, 3]
 */
export const abs = (x: TensorLike): Tensor => unary("abs", x, false);
/**
 * -1, 0 or 1.
 * @example sign([-3, 0, 2]).array(); // → [-1, 0, 1]
 */
export const sign = (x: TensorLike): Tensor => unary("sign", x, false);
const rounding = (op: UnaryName, x: TensorLike): Tensor =>
  apply([asTensor(x, op)], (a) => (isFloat(a.dtype) ? build.unary(op, a) : a));
/**
 * The next whole number downward.
 * @example floor([1.7, -1.2]).array(); // → [1, -2]
 */
export const floor = (x: TensorLike): Tensor => rounding("floor", x);
/**
 * The next whole number upward.
 * @example ceil([1.2, -1.2]).array(); // → [2, -1]
 */
export const ceil = (x: TensorLike): Tensor => rounding("ceil", x);
/**
 * To the nearest whole number, halves to even.
 * @example round([0.5, 1.5, 2.4]).array(); // → [0, 2, 2]
 */
export const round = (x: TensorLike): Tensor => rounding("round", x);
/**
 * √x.
 * @example sqrt([4, 9]).array(); // → [2, 3]
 */
export const sqrt = (x: TensorLike): Tensor => unary("sqrt", x, true);
/**
 * Eˣ.
 * @example exp([0, 1]).array(); // → [1, 2.7183]
 */
export const exp = (x: TensorLike): Tensor => unary("exp", x, true);
/**
 * e^x - 1, exact near 0.
 * @example expm1(1e-5).item(); // → 0.00001
 */
export const expm1 = (x: TensorLike): Tensor => unary("expm1", x, true);
/**
 * The natural logarithm.
 * @example log([1, Math.E]).array(); // → [0, 1]
 */
export const log = (x: TensorLike): Tensor => unary("log", x, true);
/**
 * ln(1 + x), exact near 0.
 * @example log1p(1e-5).item(); // → 0.0000099999
 */
export const log1p = (x: TensorLike): Tensor => unary("log1p", x, true);
/**
 * The sine of x in radians.
 * @example sin([0, Math.PI / 2]).array(); // → [0, 1]
 */
export const sin = (x: TensorLike): Tensor => unary("sin", x, true);
/**
 * The cosine of x in radians.
 * @example cos([0, Math.PI]).array(); // → [1, -1]
 */
export const cos = (x: TensorLike): Tensor => unary("cos", x, true);
/**
 * The hyperbolic tangent.
 * @example tanh([-1, 0, 1]).array(); // → [-0.76159, 0, 0.76159]
 */
export const tanh = (x: TensorLike): Tensor => unary("tanh", x, true);
/**
 * The error function 2/√π ∫₀ˣ e^(-t²) dt.
 * @example erf([0, 1]).array(); // → [0, 0.8427]
 */
export const erf = (x: TensorLike): Tensor => unary("erf", x, true);

/** A composite function of one float operand, run as one graph. */
const real = (name: string, x: TensorLike, f: (a: Node) => Node): Tensor =>
  apply([asTensor(x, name)], (a) => f(n.floats(a)));

/**
 * The tangent of x in radians.
 * @example tan([0, Math.PI / 4]).array(); // → [0, 1]
 */
export const tan = (x: TensorLike): Tensor =>
  real("tan", x, (a) => n.div(build.unary("sin", a), build.unary("cos", a)));
/**
 * (e^x - e^-x) / 2, exact near 0.
 * @example sinh([0, 1]).array(); // → [0, 1.1752]
 */
export const sinh = (x: TensorLike): Tensor =>
  real("sinh", x, (a) => {
    const e = build.unary("expm1", a);
    return n.mul(n.like(a, 0.5), n.add(e, n.div(e, n.add(e, n.like(a, 1)))));
  });
/**
 * (e^x + e^-x) / 2.
 * @example cosh([0, 1]).array(); // → [1, 1.5431]
 */
export const cosh = (x: TensorLike): Tensor =>
  real("cosh", x, (a) => {
    const e = build.unary("exp", build.unary("abs", a));
    return n.mul(n.like(a, 0.5), n.add(e, n.div(n.like(a, 1), e)));
  });
/**
 * The logarithm to base 2.
 * @example log2([1, 8]).array(); // → [0, 3]
 */
export const log2 = (x: TensorLike): Tensor =>
  real("log2", x, (a) => n.mul(build.unary("log", a), n.like(a, Math.LOG2E)));
/**
 * The logarithm to base 10.
 * @example log10([1, 1000]).array(); // → [0, 3]
 */
export const log10 = (x: TensorLike): Tensor =>
  real("log10", x, (a) => n.mul(build.unary("log", a), n.like(a, Math.LOG10E)));
/**
 * 1 / √x.
 * @example rsqrt([4, 16]).array(); // → [0.5, 0.25]
 */
export const rsqrt = (x: TensorLike): Tensor => real("rsqrt", x, (a) => n.div(n.like(a, 1), build.unary("sqrt", a)));
/**
 * 1 / x.
 * @example reciprocal([2, 4]).array(); // → [0.5, 0.25]
 */
export const reciprocal = (x: TensorLike): Tensor => real("reciprocal", x, (a) => n.div(n.like(a, 1), a));
/**
 * x².
 * @example square([2, -3]).array(); // → [4, 9]
 */
export const square = (x: TensorLike): Tensor =>
  apply([asTensor(x, "square")], (a) => {
    const b = build.cast(a, n.arithmetic(a.dtype));
    return build.binary("mul", b, b);
  });

/**
 * 1 / (1 + e^-x), without overflow or NaN for any x (catalogue S-061).
 * @example sigmoid([-1000, 0, 2]).array(); // → [0, 0.5, 0.8808]
 */
export const sigmoid = (x: TensorLike): Tensor => real("sigmoid", x, n.sigmoid);
/**
 * max(x, 0); the derivative at 0 is 0 (catalogue S-066).
 * @example relu([-1, 2]).array(); // → [0, 2]
 */
export const relu = (x: TensorLike): Tensor =>
  apply([asTensor(x, "relu")], (a) => {
    const b = build.cast(a, n.arithmetic(a.dtype));
    return build.binary("maximum", b, n.like(b, 0));
  });
/**
 * ln(1 + e^x), without overflow (catalogue S-072).
 * @example softplus([-1000, 0, 1000]).array(); // → [0, 0.69315, 1000]
 */
export const softplus = (x: TensorLike): Tensor => real("softplus", x, n.softplus);
/**
 * ln σ(x), without overflow.
 * @example logSigmoid([-1000, 0]).array(); // → [-1000, -0.69315]
 */
export const logSigmoid = (x: TensorLike): Tensor =>
  real("logSigmoid", x, (a) => build.unary("neg", n.softplus(build.unary("neg", a))));

/** Options of `gelu`. */
export interface GeluOptions {
  /** The tanh form 0.5 x (1 + tanh(√(2/π)(x + 0.044715 x³))). Default: false, the exact x Φ(x) with erf. */
  readonly approximate?: boolean;
}

/**
 * x times the standard normal distribution function of x (Hendrycks & Gimpel 2016).
 * @example gelu([-1, 0, 1]).array(); // → [-0.15866, 0, 0.84134]
 */
export const gelu = (x: TensorLike, options: GeluOptions = {}): Tensor =>
  real("gelu", x, (a) => {
    if (options.approximate === true) {
      // 0.5 (1 + tanh u) is σ(2u), without the cancellation
      const twice = 2 * Math.sqrt(2 / Math.PI);
      const slope = n.add(n.like(a, twice), n.mul(n.like(a, twice * 0.044715), n.mul(a, a)));
      return n.mul(a, n.sigmoid(n.mul(a, slope)));
    }
    const inner = build.unary("erf", n.mul(a, n.like(a, Math.SQRT1_2)));
    return n.mul(n.mul(n.like(a, 0.5), a), n.add(n.like(a, 1), inner));
  });

/**
 * x limited to lo..hi. The gradient is 1 strictly inside constant limits and 0 outside and on them.
 * @example clip([-1, 0.5, 7], 0, 1).array(); // → [0, 0.5, 1]
 */
export function clip(x: TensorLike, lo: TensorLike, hi: TensorLike): Tensor {
  const { operands, dtype } = together("clip", [x, lo, hi], true);
  const to = n.arithmetic(dtype);
  return apply(operands, (a, l, h) =>
    n.binary("minimum", n.binary("maximum", build.cast(a, to), build.cast(l, to), "clip"), build.cast(h, to), "clip"),
  );
}

function comparison(op: CompareName, name: string, x: TensorLike, y: TensorLike): Tensor {
  const { operands, dtype } = together(name, [x, y]);
  return apply(operands, (a, b) => n.compare(op, build.cast(a, dtype), build.cast(b, dtype), name));
}

/**
 * x = y, as bool.
 * @example equal([1, 2], [1, 3]).array(); // → [true, false]
 */
export const equal = (x: TensorLike, y: TensorLike): Tensor => comparison("eq", "equal", x, y);
/**
 * x ≠ y as bool, broadcast.
 * @example notEqual([1, 2], [1, 3]).array(); // → [false, true]
 */
export const notEqual = (x: TensorLike, y: TensorLike): Tensor => comparison("ne", "notEqual", x, y);
/**
 * x < y as bool, broadcast.
 * @example less([1, 2, 3], 2).array(); // → [true, false, false]
 */
export const less = (x: TensorLike, y: TensorLike): Tensor => comparison("lt", "less", x, y);
/**
 * x ≤ y as bool, broadcast.
 * @example lessEqual([1, 2, 3], 2).array(); // → [true, true, false]
 */
export const lessEqual = (x: TensorLike, y: TensorLike): Tensor => comparison("le", "lessEqual", x, y);
/**
 * x > y as bool, broadcast.
 * @example greater([1, 2, 3], 2).array(); // → [false, false, true]
 */
export const greater = (x: TensorLike, y: TensorLike): Tensor => comparison("lt", "greater", y, x);
/**
 * x ≥ y as bool, broadcast.
 * @example greaterEqual([1, 2, 3], 2).array(); // → [false, true, true]
 */
export const greaterEqual = (x: TensorLike, y: TensorLike): Tensor => comparison("le", "greaterEqual", y, x);

const truth = (x: TensorLike, op: string): Tensor => {
  const t = asTensor(x, op);
  return t.dtype === "bool" ? t : cast(t, "bool");
};
/**
 * Both true; numbers count as true unless 0.
 * @example logicalAnd([true, true], [true, false]).array(); // → [true, false]
 */
export const logicalAnd = (x: TensorLike, y: TensorLike): Tensor =>
  apply([truth(x, "logicalAnd"), truth(y, "logicalAnd")], (a, b) => n.binary("and", a, b, "logicalAnd"));
/**
 * x or y as bool, broadcast; not 0 is true.
 * @example logicalOr([true, false], [false, false]).array(); // → [true, false]
 */
export const logicalOr = (x: TensorLike, y: TensorLike): Tensor =>
  apply([truth(x, "logicalOr"), truth(y, "logicalOr")], (a, b) => n.binary("or", a, b, "logicalOr"));
/**
 * Either x or y, not both, as bool, broadcast.
 * @example logicalXor([true, true], [true, false]).array(); // → [false, true]
 */
export const logicalXor = (x: TensorLike, y: TensorLike): Tensor =>
  apply([truth(x, "logicalXor"), truth(y, "logicalXor")], (a, b) => n.binary("xor", a, b, "logicalXor"));
/**
 * Not x, as bool.
 * @example logicalNot([true, false]).array(); // → [false, true]
 */
export const logicalNot = (x: TensorLike): Tensor => apply([truth(x, "logicalNot")], (a) => build.unary("not", a));

/**
 * Where x is not a number.
 * @example isNaN([1, NaN]).array(); // → [false, true]
 */
export const isNaN = (x: TensorLike): Tensor => apply([asTensor(x, "isNaN")], (a) => build.compare("ne", a, a));
/**
 * Where x is neither infinite nor NaN.
 * @example isFinite([1, Infinity]).array(); // → [true, false]
 */
export const isFinite = (x: TensorLike): Tensor =>
  apply([asTensor(x, "isFinite")], (a) => {
    if (!isFloat(a.dtype)) return build.full(a.shape, 1, "bool");
    // x - x is 0 for every finite x and NaN for the others.
    const d = build.binary("sub", a, a);
    return build.compare("eq", d, n.like(a, 0));
  });

/**
 * a where the mask holds, else b; all three broadcast.
 * @example
 * where(x.greater(0), x, 0);
 */
export function where(mask: TensorLike, x: TensorLike, y: TensorLike): Tensor {
  const c = asTensor(mask, "where");
  if (c.dtype !== "bool") {
    throw new DTypeError(
      `[where] the mask must be bool, got ${c.dtype} [${c.shape.join(", ")}]: compare first, as in where(m.greater(0), a, b).`,
    );
  }
  const { operands, dtype } = together("where", [x, y], true);
  return apply([c, ...operands], (m, a, b) => {
    const shape = broadcastShapes(m.shape, broadcastShapes(a.shape, b.shape, "where"), "where");
    const [p, q] = [a, b].map((v) => build.broadcast(build.cast(v, dtype), shape));
    return build.where(build.broadcast(m, shape), p, q);
  });
}

/**
 * x in another dtype: floats truncate towards zero into whole numbers; anything but 0 is true.
 * @example cast([1.7, -1.7], "int32").array(); // → [1, -1]
 */
export function cast(x: TensorLike, dtype: DType): Tensor {
  if (!DTYPES.includes(dtype))
    throw new DTypeError(`[cast] there is no dtype "${dtype}": use one of ${DTYPES.join(", ")}.`);
  const t = asTensor(x, "cast");
  return t.dtype === dtype ? t : apply([t], (a) => build.cast(a, dtype));
}
/**
 * NumPy's name for `cast`.
 * @example astype([1.7, -1.7], "int32").array(); // → [1, -1]
 */
export const astype = (x: TensorLike, dtype: DType): Tensor => cast(x, dtype);

/**
 * A scalar constant of the graph in progress.
 *
 * @example scalar(2).mul([1, 2]).array(); // → [2, 4]
 */
export const scalar = (value: number, dtype: DType = "float32"): Tensor => apply([constant(value, dtype)], (a) => a);

/**
 * x itself, with no gradient flowing through it.
 * @example grad((x: Tensor) => x.mul(stopGradient(x)))(tensor(5)).item(); // → 5
 */
export const stopGradient = (x: TensorLike): Tensor =>
  apply([asTensor(x, "stopGradient")], (a) => build.stopGradient(a));
