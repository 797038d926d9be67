/** Layers around layers, and layers that are known by what they add to the loss. */
import { ShapeError, showShape } from "../base/index.ts";
import { matmul, max, reshape, type Tensor } from "../tensor/index.ts";
import { type DenseOptions, needWhole } from "./core.ts";
import { type Layer, type LayerOptions, makeLayer } from "./layer.ts";
import { layerJson } from "./model.ts";
import { l1l2 } from "./regularizers.ts";
import { weightsOf } from "./weights.ts";

/**
 * The same layer at every step of time: [batch, time, ...] → [batch, time, ...], with one set of variables (Keras:
 * TimeDistributed). Normalisation inside sees batch and time as one batch.
 *
 * @example
 * const frames = timeDistributed(conv2d(8, 3))(zeros([2, 10, 28, 28, 1])); // [2, 10, 26, 26, 8]
 */
export function timeDistributed(layer: Layer, options: LayerOptions = {}): Layer {
  return makeLayer({
    class: "timeDistributed",
    options,
    config: () => ({ layer: layerJson(layer) }),
    layers: [layer],
    check([shape], tag) {
      if (shape.length < 3)
        throw new ShapeError(`${tag} expects [batch, time, ...features], got input ${showShape(shape)}.`);
    },
    call([x], { training }): Tensor {
      const [batch, time, ...rest] = x.shape;
      const y = layer(reshape(x, [batch * time, ...rest]), { training });
      return reshape(y, [batch, time, ...y.shape.slice(1)]);
    },
  });
}

/**
 * x itself; λ₁Σ|x| + λ₂Σx² joins the loss at each call (Keras: ActivityRegularization). Layers with weights have the option
 * `activityRegularizer` for the same.
 *
 * @example activityRegularization({ l2: 1e-3 })(zeros([2, 3])).shape; // → [2, 3]
 */
export function activityRegularization(
  options: LayerOptions & { readonly l1?: number; readonly l2?: number } = {},
): Layer {
  const activity = l1l2(options);
  const { l1 = 0, l2 = 0 } = options;
  return makeLayer({ class: "activityRegularization", options, config: { l1, l2 }, activity, call: ([x]) => x });
}

export interface MaxoutOptions extends Omit<DenseOptions, "activation"> {
  /** Linear pieces of which the largest is taken; default 2. */
  readonly pieces?: number;
}

/**
 * The largest of `pieces` linear functions for each unit: x [..., in], kernel [in, pieces · units] → [..., units] (Goodfellow et
 * al. 2013; S-073).
 *
 * @example maxout(4)(zeros([2, 8])).shape; // → [2, 4]
 */
export function maxout(units: number, options: MaxoutOptions = {}): Layer {
  const { pieces = 2 } = options;
  needWhole("maxout", "units", units);
  needWhole("maxout", "pieces", pieces, 2);
  const weights = weightsOf(options, options.kernelInitializer);
  return makeLayer({
    class: "maxout",
    options,
    activity: weights.activity,
    config: () => {
      const { activation: _, ...rest } = weights.config();
      return { units, pieces, ...rest };
    },
    build([shape], variable, tag) {
      if (shape.length < 2)
        throw new ShapeError(`${tag} expects [batch, ..., features], got input ${showShape(shape)}.`);
      weights.build(variable, [shape[shape.length - 1], pieces * units], [pieces * units]);
    },
    check([shape], tag) {
      const [want] = weights.kernel.shape;
      if (shape[shape.length - 1] !== want)
        throw new ShapeError(`${tag} expects last axis ${want}, got input ${showShape(shape)}.`);
    },
    call([x]) {
      const y = weights.finish(matmul(x, weights.kernel));
      return max(reshape(y, [...y.shape.slice(0, -1), pieces, units]), -2);
    },
  });
}
