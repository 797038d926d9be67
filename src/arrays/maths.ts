/** Element-wise functions that Tensor has no method for. They broadcast, and whole numbers count as float32. */
import { broadcastShapes, type DType, isFloat } from "../base/index.ts";
import {
  abs,
  add,
  asTensor,
  div,
  equal,
  exp,
  isNaN,
  log1p,
  maximum,
  minimum,
  mul,
  neg,
  scalar,
  sqrt,
  sub,
  type Tensor,
  type TensorLike,
  where,
} from "../tensor/index.ts";
import { customVjp } from "../autodiff/index.ts";
import { together } from "../tensor/convert.ts";
import { fused } from "./fused.ts";

const real = (x: TensorLike, op: string): Tensor => {
  const t = asTensor(x, op);
  return isFloat(t.dtype) ? t : t.cast("float32");
};

/** Both operands as floats of one dtype and shape. */
function realPair(op: string, x: TensorLike, y: TensorLike): readonly [Tensor, Tensor] {
  const { operands, dtype } = together(op, [x, y]);
  const to: DType = isFloat(dtype) ? dtype : "float32";
  const shape = broadcastShapes(operands[0].shape, operands[1].shape, op);
  const [a, b] = operands.map((t) => t.cast(to).broadcastTo(shape));
  return [a, b];
}

/**
 * Where x is infinite.
 *
 * @example isInf([1, Infinity]).array(); // → [false, true]
 */
export const isInf = (x: TensorLike): Tensor =>
  fused(() => {
    const t = asTensor(x, "isInf");
    return isFloat(t.dtype) ? equal(abs(t), Infinity) : t.notEqual(t);
  });

/** Options of `nanToNum`. */
export interface NanToNumOptions {
  /** Default: 0. */
  readonly nan?: number;
  /** What Infinity becomes. Default: the largest finite number of the dtype. */
  readonly posinf?: number;
  /** What -Infinity becomes. Default: the opposite of that. */
  readonly neginf?: number;
}

/**
 * x with finite numbers in place of NaN and infinities.
 *
 * @example nanToNum([NaN, 1]).array(); // → [0, 1]
 */
export const nanToNum = (x: TensorLike, options: NanToNumOptions = {}): Tensor =>
  fused(() => {
    const t = asTensor(x, "nanToNum");
    if (!isFloat(t.dtype)) return t;
    const most = t.dtype === "float64" ? Number.MAX_VALUE : 3.4028234663852886e38;
    const { nan = 0, posinf = most, neginf = -most } = options;
    return where(isNaN(t), nan, where(t.equal(Infinity), posinf, where(t.equal(-Infinity), neginf, t)));
  });

/** Options of `isClose`. */
export interface CloseOptions {
  /** Relative tolerance. Default: 1e-5. */
  readonly rtol?: number;
  /** Absolute tolerance. Default: 1e-8. */
  readonly atol?: number;
  /** Whether NaN is close to NaN. Default: false. */
  readonly equalNaN?: boolean;
}

/**
 * Where |x - y| ≤ atol + rtol |y| (numpy.isclose); `allClose` asks for all.
 *
 * @example isClose([1, 2], [1, 2.1]).array(); // → [true, false]
 */
export const isClose = (x: TensorLike, y: TensorLike, options: CloseOptions = {}): Tensor =>
  fused(() => {
    const [a, b] = realPair("isClose", x, y);
    const { rtol = 1e-5, atol = 1e-8, equalNaN = false } = options;
    const near = abs(a.sub(b)).lessEqual(abs(b).mul(rtol).add(atol)).logicalAnd(b.isFinite());
    const close = near.logicalOr(a.equal(b));
    return equalNaN ? close.logicalOr(a.isNaN().logicalAnd(b.isNaN())) : close;
  });

/**
 * Towards zero.
 *
 * @example trunc([1.7, -1.7]).array(); // → [1, -1]
 */
export const trunc = (x: TensorLike): Tensor =>
  fused(() => {
    const t = asTensor(x, "trunc");
    return isFloat(t.dtype) ? t.sign().mul(t.abs().floor()) : t;
  });

/**
 * √(x² + y²), without overflow; its derivative at 0 is 0.
 *
 * @example hypot(3, 4).item(); // → 5
 */
export const hypot = (x: TensorLike, y: TensorLike): Tensor =>
  fused(() => {
    const length = customVjp(
      (a: Tensor, b: Tensor) => {
        const most = maximum(abs(a), abs(b));
        const scale = where(most.equal(0).logicalOr(most.equal(Infinity)), 1, most);
        return mul(sqrt(add(a.div(scale).square(), b.div(scale).square())), scale);
      },
      (ct, out, a, b) => {
        const part = div(ct, where(out.equal(0), 1, out));
        return [part.mul(a), part.mul(b)];
      },
    );
    return length(...realPair("hypot", x, y));
  });

/** tan(π/8) and its reciprocal: between them the arc tangent is taken around π/4. */
const EIGHTH = Math.SQRT2 - 1;

/** The arc tangent of t by its series, brought below tan(π/8) first. */
function arc(t: Tensor): Tensor {
  const a = abs(t);
  const [steep, middle] = [a.greater(1 / EIGHTH), a.greater(EIGHTH)];
  const r = where(steep, div(-1, a), where(middle, div(a.sub(1), a.add(1)), a));
  const base = where(steep, like(a, Math.PI / 2), where(middle, like(a, Math.PI / 4), 0));
  const z = r.square();
  const terms = t.dtype === "float64" ? 22 : 10;
  let sum = like(a, 1 / (2 * terms + 1));
  for (let k = terms - 1; k >= 0; k--) sum = sub(1 / (2 * k + 1), z.mul(sum));
  const y = base.add(r.mul(sum));
  return where(t.less(0), neg(y), y);
}

const like = (t: Tensor, value: number): Tensor => scalar(value, t.dtype);

/**
 * The angle whose tangent is x, in -π/2..π/2.
 *
 * @example atan([0, 1]).array(); // → [0, 0.7854]
 */
export const atan = (x: TensorLike): Tensor =>
  fused(() => customVjp(arc, (ct, _out, t) => [ct.div(t.square().add(1))])(real(x, "atan")));

/**
 * The angle of the point (x, y) from the x-axis, in -π..π: atan2(y, x). 0 for the origin.
 *
 * @example atan2([1, -1], [0, 0]).array(); // → [1.5708, -1.5708]
 */
export const atan2 = (y: TensorLike, x: TensorLike): Tensor =>
  fused(() => {
    const angle = customVjp(
      (b: Tensor, a: Tensor) => {
        const [p, q] = [abs(a), abs(b)];
        const [less, most] = [minimum(p, q), maximum(p, q)];
        const ratio = where(most.equal(0), 0, where(less.equal(Infinity), 1, less.div(most)));
        const first = arc(ratio);
        const upper = where(q.greater(p), sub(Math.PI / 2, first), first);
        const half = where(a.less(0), sub(Math.PI, upper), upper);
        return where(b.less(0), neg(half), half);
      },
      (ct, _out, b, a) => {
        const part = ct.div(a.square().add(b.square()));
        return [part.mul(a), part.mul(neg(b))];
      },
    );
    return angle(...realPair("atan2", y, x));
  });

/**
 * The angle whose sine is x, in -π/2..π/2; NaN outside -1..1.
 *
 * @example asin([0, 1]).array(); // → [0, 1.5708]
 */
export const asin = (x: TensorLike): Tensor =>
  fused(() => {
    const t = real(x, "asin");
    return atan2(t, sqrt(sub(1, t).mul(t.add(1))));
  });

/**
 * The angle whose cosine is x, in 0..π; NaN outside -1..1.
 *
 * @example acos([1, 0]).array(); // → [0, 1.5708]
 */
export const acos = (x: TensorLike): Tensor =>
  fused(() => {
    const t = real(x, "acos");
    return atan2(sqrt(sub(1, t).mul(t.add(1))), t);
  });

/**
 * ln(eˣ + eʸ), without overflow (numpy.logaddexp).
 *
 * @example logAddExp(1000, 1000).item(); // → 1000.7
 */
export const logAddExp = (x: TensorLike, y: TensorLike): Tensor =>
  fused(() => {
    const [a, b] = realPair("logAddExp", x, y);
    const most = maximum(a, b);
    // Equal infinities have no distance.
    const gap = where(a.equal(b), 0, abs(sub(a, b)));
    return add(most, log1p(exp(neg(gap))));
  });
