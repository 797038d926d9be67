/** Where pixels come from: reading images at other places. Shapes: images [n, h, w, c], coordinates [n, h', w']. */
import { isFloat, ShapeError, showShape } from "../../base/index.ts";
import {
  abs,
  arange,
  cast,
  clip,
  floor,
  greaterEqual,
  lessEqual,
  logicalAnd,
  mod,
  type Tensor,
  where,
} from "../../tensor/index.ts";

/** What lies outside an image: a number, its mirror without the border twice, or its border. */
export type Outside = number | "reflect" | "nearest";

/** Images in floats, or an error. */
export function imagesOf(op: string, x: Tensor): Tensor {
  if (x.rank !== 4) {
    throw new ShapeError(
      `[${op}] needs images [n, height, width, channels], got ${showShape(x.shape)}.` +
        (x.rank === 3 ? " For one image use expandDims(x, 0)." : ""),
    );
  }
  return isFloat(x.dtype) ? x : x.cast("float32");
}

/** Whole-number places 0..size-1 in place of any. */
function inside(at: Tensor, size: number, outside: Outside): Tensor {
  if (outside !== "reflect" || size === 1) return clip(at, 0, size - 1);
  const period = 2 * (size - 1);
  // mod has the sign of the divisor.
  return abs(mod(at, period).sub(size - 1))
    .mul(-1)
    .add(size - 1);
}

/** x[i, rows[i], columns[i]]: whole-number coordinates int32 [n, h', w']. */
export function pick(x: Tensor, rows: Tensor, columns: Tensor, outside: Outside): Tensor {
  const [n, h, w, c] = x.shape;
  const first = arange(0, n, 1, { dtype: "int32" }).mul(h).reshape([n, 1, 1]);
  const flat = first
    .add(inside(rows, h, outside))
    .mul(w)
    .add(inside(columns, w, outside));
  const [, height, width] = flat.shape;
  const pixels = x
    .reshape([n * h * w, c])
    .gather(flat.reshape([-1]))
    .reshape([n, height, width, c]);
  if (typeof outside !== "number") return pixels;
  const there = logicalAnd(within(rows, h), within(columns, w)).reshape([n, height, width, 1]);
  return where(there, pixels, outside);
}

const within = (at: Tensor, size: number): Tensor => logicalAnd(greaterEqual(at, 0), lessEqual(at, size - 1));

/** x at fractional coordinates [n, h', w'], bilinear. */
export function sample(x: Tensor, rows: Tensor, columns: Tensor, outside: Outside): Tensor {
  const [top, left] = [floor(rows), floor(columns)];
  const [down, right] = [rows.sub(top), columns.sub(left)].map((t) => t.expandDims(-1).cast(x.dtype));
  const [r, c] = [cast(top, "int32"), cast(left, "int32")];
  const corner = (dr: number, dc: number): Tensor => pick(x, r.add(dr), c.add(dc), outside);
  const upper = corner(0, 0).mul(right.mul(-1).add(1)).add(corner(0, 1).mul(right));
  const lower = corner(1, 0).mul(right.mul(-1).add(1)).add(corner(1, 1).mul(right));
  return upper.mul(down.mul(-1).add(1)).add(lower.mul(down));
}

/** 0..size-1 along an axis of [1, h, w]. */
export const places = (size: number, axis: 1 | 2): Tensor =>
  arange(0, size).reshape(axis === 1 ? [1, size, 1] : [1, 1, size]);
