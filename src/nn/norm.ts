import { ShapeError, showShape, ValueError } from "../base/index.ts";
import {
  add,
  div,
  mean,
  mul,
  neg,
  reshape,
  sqrt,
  square,
  stopGradient,
  sub,
  type Tensor,
  type Variable,
} from "../tensor/index.ts";
import { type InitializerLike, initializerOf } from "./initializers.ts";
import { type Layer, type LayerOptions, makeLayer } from "./layer.ts";

/** Options of `groupNorm` and `instanceNorm`. */
export interface NormOptions extends LayerOptions {
  /** Added to the variance; default 1e-3, as Keras. */
  readonly epsilon?: number;
  /** Learn β; default true. */
  readonly center?: boolean;
  /** Learn γ; default true. */
  readonly scale?: boolean;
  /** Default "zeros". */
  readonly betaInitializer?: InitializerLike;
  /** Default "ones". */
  readonly gammaInitializer?: InitializerLike;
}

/** Options of `batchNorm`. */
export interface BatchNormOptions extends NormOptions {
  /** Share of the old moving statistics that stays each step; default 0.99, as Keras. */
  readonly momentum?: number;
}

export function needEpsilon(layer: string, epsilon: number): void {
  if (!(epsilon >= 0)) throw new ValueError(`[${layer}] epsilon must be ≥ 0, got ${epsilon}.`);
}

/**
 * Batch normalisation over the last axis (Keras: BatchNormalization; S-181 to S-189).
 *
 * Training: μ, σ² of the batch over all axes but the last, y = γ(x − μ)/√(σ² + ε) + β, and the moving statistics become
 * momentum·old + (1 − momentum)·batch. The variance is the biased one in both places. Evaluation: the moving
 * statistics, so that rows do not see each other. With `trainable = false` it evaluates always, as Keras does.
 *
 * @example
 * const y = batchNorm()(zeros([4, 8, 8, 3]), { training: true });
 */
export function batchNorm(options: BatchNormOptions = {}): Layer {
  const { momentum = 0.99, epsilon = 1e-3, center = true, scale = true } = options;
  const betaInitializer = initializerOf(options.betaInitializer ?? "zeros");
  const gammaInitializer = initializerOf(options.gammaInitializer ?? "ones");
  needEpsilon("batchNorm", epsilon);
  if (!(momentum >= 0 && momentum <= 1)) throw new ValueError(`[batchNorm] momentum must be in 0..1, got ${momentum}.`);
  let gamma: Variable | null = null;
  let beta: Variable | null = null;
  let moving: { mean: Variable; variance: Variable } | null = null;
  const layer = makeLayer({
    class: "batchNorm",
    options,
    config: () => ({
      momentum,
      epsilon,
      center,
      scale,
      betaInitializer: betaInitializer.config,
      gammaInitializer: gammaInitializer.config,
    }),
    build([shape], variable, tag) {
      if (shape.length < 2)
        throw new ShapeError(`${tag} expects [batch, ..., features], got input ${showShape(shape)}.`);
      const size = shape.slice(-1);
      if (scale) gamma = variable("gamma", size, gammaInitializer);
      if (center) beta = variable("beta", size, betaInitializer);
      moving = {
        mean: variable("moving_mean", size, "zeros", { trainable: false }),
        variance: variable("moving_variance", size, "ones", { trainable: false }),
      };
    },
    check: ([shape], tag) => checkLast(shape, (moving as NonNullable<typeof moving>).mean, tag),
    call([x], { training }) {
      const stats = moving as NonNullable<typeof moving>;
      if (!training || !layer.trainable) {
        // One multiply and one add an element: γ/√(σ² + ε) and β − μ·that are as small as a row.
        const factor = scaleOf(stats.variance, epsilon, gamma);
        const shift = mul(stats.mean, factor);
        return add(mul(x, factor), beta === null ? neg(shift) : sub(beta, shift));
      }
      const axes = x.shape.slice(0, -1).map((_, i) => i);
      const { mu, centred, offset, variance } = moments(x, axes, false);
      stats.mean.assign(add(mul(stats.mean, momentum), mul(mu, 1 - momentum)));
      stats.variance.assign(add(mul(stats.variance, momentum), mul(variance, 1 - momentum)));
      const factor = scaleOf(variance, epsilon, gamma);
      const shift = mul(offset, factor);
      return add(mul(centred, factor), beta === null ? neg(shift) : sub(beta, shift));
    },
  });
  return layer;
}

/**
 * Mean and variance over axes, by c, the mean held constant: centred = x − c, offset = μ − c and σ² = E[(x − c)²] − (μ − c)². The
 * offset is 0, but its derivative is not. So gradients are exact to any order, and the first one needs no sum over x − μ: the
 * backward pass reads its operands twice instead of three times.
 */
export function moments(
  x: Tensor,
  axes: number | readonly number[],
  keepdims: boolean,
): { mu: Tensor; centred: Tensor; offset: Tensor; variance: Tensor } {
  const mu = mean(x, axes, { keepdims });
  const c = stopGradient(mu);
  const centred = sub(x, c);
  const offset = sub(mu, c);
  return { mu, centred, offset, variance: sub(mean(square(centred), axes, { keepdims }), square(offset)) };
}

/** γ/√(variance + ε). */
function scaleOf(variance: Tensor, epsilon: number, gamma: Tensor | null): Tensor {
  return div(gamma ?? 1, sqrt(add(variance, epsilon)));
}

function checkLast(shape: readonly number[], v: Variable, tag: string): void {
  if (shape.length >= 2 && shape[shape.length - 1] === v.shape[v.rank - 1]) return;
  throw new ShapeError(
    `${tag} expects last axis ${v.shape[v.rank - 1]}, got input ${showShape(shape)}: it was built for another number of features.`,
  );
}

/** Options of `layerNorm`. */
export interface LayerNormOptions extends NormOptions {
  /** Number of trailing axes that are normalised together; default 1 (Keras: axis=-1). */
  readonly axes?: number;
}

/**
 * Layer normalisation: each sample's last axis (or `axes` of them) gets mean 0 and variance 1, then γ and β (Keras:
 * LayerNormalization). The same in training and evaluation.
 *
 * @example
 * const y = layerNorm()(zeros([2, 5, 16]));
 */
export function layerNorm(options: LayerNormOptions = {}): Layer {
  const { axes: count = 1, epsilon = 1e-3, center = true, scale = true } = options;
  const betaInitializer = initializerOf(options.betaInitializer ?? "zeros");
  const gammaInitializer = initializerOf(options.gammaInitializer ?? "ones");
  needEpsilon("layerNorm", epsilon);
  let gamma: Variable | null = null;
  let beta: Variable | null = null;
  let size: readonly number[] = [];
  return makeLayer({
    class: "layerNorm",
    options,
    config: () => ({
      axes: count,
      epsilon,
      center,
      scale,
      betaInitializer: betaInitializer.config,
      gammaInitializer: gammaInitializer.config,
    }),
    build([shape], variable, tag) {
      if (shape.length <= count)
        throw new ShapeError(`${tag} expects more than ${count} axes, got input ${showShape(shape)}.`);
      size = shape.slice(-count);
      if (scale) gamma = variable("gamma", size, gammaInitializer);
      if (center) beta = variable("beta", size, betaInitializer);
    },
    check([shape], tag) {
      if (showShape(shape.slice(-count)) === showShape(size)) return;
      throw new ShapeError(`${tag} expects last axes ${showShape(size)}, got input ${showShape(shape)}.`);
    },
    call([x]) {
      // The normalised axes as one, so that a row of the kernel is a row of the data.
      const lead = x.shape.slice(0, -count);
      const rows = count === 1 ? x : reshape(x, [...lead, -1]);
      const { centred, offset, variance } = moments(rows, -1, true);
      const flat = div(sub(centred, offset), sqrt(add(variance, epsilon)));
      let y = count === 1 ? flat : reshape(flat, x.shape);
      if (gamma !== null) y = mul(y, gamma);
      return beta === null ? y : add(y, beta);
    },
  });
}
