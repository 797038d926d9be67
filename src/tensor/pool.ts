/** Pooling over the spatial axes of x [B, ...S, C]. */
import { isFloat, ShapeError, showShape } from "../base/index.ts";
import { build, type Node, type WindowAttrs } from "../ir/index.ts";
import { apply } from "./apply.ts";
import { type ConvPadding, padsFor, perAxis, type PerAxis, spatialRank } from "./conv.ts";
import { asTensor, type TensorLike } from "./convert.ts";
import { div } from "./nodes.ts";
import type { Tensor } from "./tensor.ts";

/** Options of `maxPool` and `avgPool`. */
export interface PoolOptions {
  /** Default: the window, so that windows do not overlap. */
  readonly strides?: PerAxis;
  /** As in `conv`; what lies outside counts for nothing. Default: "valid". */
  readonly padding?: ConvPadding;
}

function pool(
  op: string,
  x: TensorLike,
  window: PerAxis,
  options: PoolOptions,
  f: (a: Node, at: WindowAttrs) => Node,
): Tensor {
  const t = asTensor(x, op);
  const nd = spatialRank(t, op);
  const size = perAxis(window, nd, 2, op, "the window");
  const strides = options.strides === undefined ? size : perAxis(options.strides, nd, 1, op, "strides");
  const dilation = size.map(() => 1);
  const padding = padsFor(options.padding, t.shape.slice(1, nd + 1), size, strides, dilation, op);
  size.forEach((k, i) => {
    if (t.shape[i + 1] + padding[i][0] + padding[i][1] < k) {
      throw new ShapeError(
        `[${op}] window ${showShape(size)} does not fit input ${showShape(t.shape)} on spatial axis ${i}: use a smaller window, or padding "same".`,
      );
    }
  });
  return apply([t], (a) =>
    f(isFloat(a.dtype) ? a : build.cast(a, "float32"), { window: size, strides, padding, dilation }),
  );
}

/**
 * The largest element of each window: [B, ...S, C] → [B, ...S', C]. The gradient goes to the first largest one.
 *
 * @example
 * maxPool(x, 2);                                       // halves height and width
 * maxPool(x, 3, { strides: 2, padding: "same" });      // overlapping windows
 */
export const maxPool = (x: TensorLike, window: PerAxis, options: PoolOptions = {}): Tensor =>
  pool("maxPool", x, window, options, (a, at) => build.windowReduce("windowMax", a, at));

/**
 * The mean of each window; padding does not count, as in Keras.
 *
 * @example avgPool(ones([1, 4, 4, 1]), [2, 2]).shape; // → [1, 2, 2, 1]
 */
export const avgPool = (x: TensorLike, window: PerAxis, options: PoolOptions = {}): Tensor =>
  pool("avgPool", x, window, options, (a, at) => {
    const total = build.windowReduce("windowSum", a, at);
    const padded = at.padding.some(([lo, hi]) => lo > 0 || hi > 0);
    if (!padded)
      return div(
        total,
        build.full(
          total.shape,
          at.window.reduce((n, d) => n * d, 1),
          a.dtype,
        ),
      );
    const ones = build.full([1, ...a.shape.slice(1, -1), 1], 1, a.dtype);
    return div(total, build.windowReduce("windowSum", ones, at));
  });
