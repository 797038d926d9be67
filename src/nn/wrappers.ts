/** Layers around layers, and layers that are known by what they add to the loss. */
import { ShapeError, showShape, ValueError } from "../base/index.ts";
import {
  add,
  any,
  div,
  matmul,
  max,
  maximum,
  mul,
  reshape,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  type Variable,
  where,
} from "../tensor/index.ts";
import { type DenseOptions, needWhole } from "./core.ts";
import { truncatedNormal } from "./initializers.ts";
import { type AddVariable, type Layer, type LayerOptions, makeLayer } from "./layer.ts";
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

/** Options of `spectralNorm`. */
export interface SpectralNormOptions extends LayerOptions {
  /** Steps of the power iteration at each training call; default 1. */
  readonly powerIterations?: number;
}

/** x of length 1, or as it is where it has none. */
const unit = (x: Tensor): Tensor => div(x, maximum(sqrt(sum(square(x))), 1e-7));

/**
 * A layer whose kernel is held to the largest singular value 1, which bounds how fast its output can change (Keras:
 * SpectralNormalization; Miyato et al. 2018). At each training call the kernel, as a matrix [..., out], is divided by vWuᵀ, and that
 * becomes its value; u [1, out], not trained, comes nearer to the singular vector from call to call: v = uWᵀ/‖uWᵀ‖, u = vW/‖vW‖. The
 * gradient is that of the new kernel. Evaluation takes the kernel as it is; one of zeros stays.
 *
 * @throws ValueError for a layer that has not exactly one kernel or table of embeddings.
 * @example spectralNorm(dense(4), { powerIterations: 2 })(zeros([2, 8])).shape; // → [2, 4]
 */
export function spectralNorm(layer: Layer, options: SpectralNormOptions = {}): Layer {
  const { powerIterations = 1 } = options;
  needWhole("spectralNorm", "powerIterations", powerIterations);
  let variable: AddVariable | null = null;
  let state: { readonly kernel: Variable; readonly u: Variable } | null = null;
  const begin = (x: Tensor, tag: string): NonNullable<typeof state> => {
    layer.core.build([x.shape], x.dtype);
    const found = layer.core.own.filter((o) => /kernel$|^embeddings$/.test(o.short));
    if (found.length !== 1)
      throw new ValueError(
        `${tag} needs a layer with one kernel or table of embeddings, got ${layer.class} "${layer.name}" with ${found.length}.`,
      );
    const kernel = found[0].variable;
    const start = truncatedNormal({ stddev: 0.02 });
    return {
      kernel,
      u: (variable as AddVariable)("vector_u", [1, ...kernel.shape.slice(-1)], start, { trainable: false }),
    };
  };
  return makeLayer({
    class: "spectralNorm",
    options,
    config: () => ({ layer: layerJson(layer), powerIterations }),
    layers: [layer],
    // The shape of the kernel is known when the layer inside is built, at the first call.
    build: (_, add) => void (variable = add),
    call([x], { training, tag }): Tensor {
      const { kernel, u } = (state ??= begin(x, tag));
      if (training) {
        const w = stopGradient(reshape(kernel, [-1, u.shape[1]]));
        let [right, left] = [stopGradient(u), w];
        for (let i = 0; i < powerIterations; i++) {
          left = unit(matmul(right, w.transpose()));
          right = unit(matmul(left, w));
        }
        const some = any(w.notEqual(0));
        const sigma = sum(mul(matmul(left, w), right));
        u.assign(where(some, right, u));
        // Another value with the same derivative.
        const value = where(some, div(stopGradient(kernel), sigma), stopGradient(kernel));
        kernel.assign(add(value, sub(kernel, stopGradient(kernel))));
      }
      return layer(x, { training });
    },
  });
}

/** Options of `maxout`. */
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
