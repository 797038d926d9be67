import { ShapeError, showShape } from "../base/index.ts";
import * as t from "../tensor/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { type Config, type Layer, type LayerOptions, makeLayer } from "./layer.ts";

/** A layer of several tensors of shapes that broadcast. */
const merging =
  (name: string, combine: (a: Tensor, b: Tensor) => Tensor, finish: (x: Tensor, count: number) => Tensor = (x) => x) =>
  (options: LayerOptions = {}): Layer =>
    makeLayer({
      class: name,
      options,
      config: {},
      many: true,
      check(shapes, tag) {
        if (shapes.length < 2)
          throw new ShapeError(
            `${tag} joins two tensors or more, got ${shapes.length}: call it on a list, ${name}()([a, b]).`,
          );
      },
      call: (xs) => finish(xs.slice(1).reduce(combine, xs[0]), xs.length),
    });

/**
 * a + b + …: the skip of a residual block (Keras: Add). `add()([x, y])`.
 *
 * @example add()([tensor([1, 2]), tensor([3, 4])]).array(); // → [4, 6]
 */
export const add: (options?: LayerOptions) => Layer = merging("add", t.add);
/**
 * a − b (Keras: Subtract).
 *
 * @example subtract()([tensor([1, 2]), tensor([3, 5])]).array(); // → [-2, -3]
 */
export const subtract: (options?: LayerOptions) => Layer = merging("subtract", t.sub);
/**
 * a · b · … (Keras: Multiply).
 *
 * @example multiply()([tensor([1, 2]), tensor([3, 4])]).array(); // → [3, 8]
 */
export const multiply: (options?: LayerOptions) => Layer = merging("multiply", t.mul);
/**
 * Mean of the tensors (Keras: Average).
 *
 * @example average()([tensor([1, 2]), tensor([3, 4])]).array(); // → [2, 3]
 */
export const average: (options?: LayerOptions) => Layer = merging("average", t.add, (x, n) => t.mul(x, 1 / n));
/**
 * Largest of the tensors, element by element (Keras: Maximum; with dense pieces: maxout, S-073).
 *
 * @example maximum()([tensor([1, 5]), tensor([3, 4])]).array(); // → [3, 5]
 */
export const maximum: (options?: LayerOptions) => Layer = merging("maximum", t.maximum);
/**
 * Smallest of the tensors (Keras: Minimum).
 *
 * @example minimum()([tensor([1, 5]), tensor([3, 4])]).array(); // → [1, 4]
 */
export const minimum: (options?: LayerOptions) => Layer = merging("minimum", t.minimum);

/**
 * Joins tensors along `axis`, the last by default (Keras: Concatenate).
 *
 * @example concatenate()([zeros([2, 3]), zeros([2, 1])]).shape; // → [2, 4]
 */
export function concatenate(options: LayerOptions & { readonly axis?: number } = {}): Layer {
  const { axis = -1 } = options;
  const config: Config = { axis };
  return makeLayer({
    class: "concatenate",
    options,
    config,
    many: true,
    check(shapes, tag) {
      const at = axis < 0 ? axis + shapes[0].length : axis;
      const odd = shapes.find((s) => s.length !== shapes[0].length || s.some((d, i) => i !== at && d !== shapes[0][i]));
      if (odd !== undefined) {
        throw new ShapeError(
          `${tag} needs equal sizes on all axes but ${axis}, got ${shapes.map(showShape).join(" and ")}.`,
        );
      }
    },
    call: (xs) => t.concat([...xs], axis),
  });
}

/** Options of `dot`. */
export interface DotOptions extends LayerOptions {
  /** The axis of each tensor that is summed over, or one number for both; the batch, 0, cannot be. */
  readonly axes: number | readonly [number, number];
  /** Divide by the lengths along the axis first, which makes it the cosine; default false. */
  readonly normalize?: boolean;
}

/**
 * Products of two tensors sample by sample: [batch, …a, k] and [batch, …b, k] → [batch, …a, …b]; two vectors a sample give
 * [batch, 1] (Keras: Dot).
 *
 * @throws ShapeError unless there are two tensors whose axes agree.
 * @example
 * const similarity = dot({ axes: -1, normalize: true })([ones([4, 8]), ones([4, 8])]); // [4, 1]
 */
export function dot(options: DotOptions): Layer {
  const { axes, normalize = false } = options;
  const pair: readonly [number, number] = typeof axes === "number" ? [axes, axes] : axes;
  const at = (shape: readonly number[], i: 0 | 1): number => (pair[i] < 0 ? pair[i] + shape.length : pair[i]);
  return makeLayer({
    class: "dot",
    options,
    config: { axes, normalize },
    many: true,
    check(shapes, tag) {
      const [a, b] = shapes;
      if (shapes.length === 2 && a[at(a, 0)] === b[at(b, 1)] && at(a, 0) > 0 && at(b, 1) > 0) return;
      throw new ShapeError(
        `${tag} sums axis ${pair[0]} of one tensor with axis ${pair[1]} of another of equal size, never the batch, got ${shapes.map(showShape).join(" and ")}.`,
      );
    },
    call(xs) {
      const length = (x: Tensor, axis: number): Tensor =>
        t.sqrt(t.maximum(t.sum(t.square(x), axis, { keepdims: true }), 1e-24));
      const [a, b] = xs.map((x, i) => {
        const axis = at(x.shape, i as 0 | 1);
        return t.moveaxis(normalize ? t.div(x, length(x, axis)) : x, axis, -1);
      });
      const rows = (x: Tensor): Tensor => t.reshape(x, [x.shape[0], -1, x.shape[x.rank - 1]]);
      const y = t.matmul(rows(a), t.transpose(rows(b), [0, 2, 1]));
      const rest = [...a.shape.slice(1, -1), ...b.shape.slice(1, -1)];
      return t.reshape(y, [y.shape[0], ...(rest.length === 0 ? [1] : rest)]);
    },
  });
}
