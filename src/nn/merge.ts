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

/** a + b + …: the skip of a residual block (Keras: Add). `add()([x, y])`. */
export const add: (options?: LayerOptions) => Layer = merging("add", t.add);
/** a − b (Keras: Subtract). */
export const subtract: (options?: LayerOptions) => Layer = merging("subtract", t.sub);
/** a · b · … (Keras: Multiply). */
export const multiply: (options?: LayerOptions) => Layer = merging("multiply", t.mul);
/** Mean of the tensors (Keras: Average). */
export const average: (options?: LayerOptions) => Layer = merging("average", t.add, (x, n) => t.mul(x, 1 / n));
/** Largest of the tensors, element by element (Keras: Maximum; with dense pieces: maxout, S-073). */
export const maximum: (options?: LayerOptions) => Layer = merging("maximum", t.maximum);
/** Smallest of the tensors (Keras: Minimum). */
export const minimum: (options?: LayerOptions) => Layer = merging("minimum", t.minimum);

/** Joins tensors along `axis`, the last by default (Keras: Concatenate). */
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
