/** Normalisation by groups, instances, lengths and neighbours: the same in training and evaluation. */
import { ShapeError, showShape, ValueError } from "../base/index.ts";
import {
  add,
  div,
  maximum,
  mean,
  mul,
  pad,
  pow,
  reshape,
  slice,
  sqrt,
  square,
  sub,
  sum,
  type Variable,
} from "../tensor/index.ts";
import { needWhole } from "./core.ts";
import { type InitializerLike, initializerOf } from "./initializers.ts";
import { type Layer, type LayerOptions, makeLayer } from "./layer.ts";
import { moments, needEpsilon, type NormOptions } from "./norm.ts";

/** Channels in groups: each sample's group of channels gets mean 0 and variance 1 over all places, then γ and β a channel. */
function grouped(name: "groupNorm" | "instanceNorm", groups: number | null, options: NormOptions): Layer {
  const { epsilon = 1e-3, center = true, scale = true } = options;
  const betaInitializer = initializerOf(options.betaInitializer ?? "zeros");
  const gammaInitializer = initializerOf(options.gammaInitializer ?? "ones");
  needEpsilon(name, epsilon);
  let gamma: Variable | null = null;
  let beta: Variable | null = null;
  let channels = 0;
  return makeLayer({
    class: name,
    options,
    config: () => ({
      ...(groups === null ? {} : { groups }),
      epsilon,
      center,
      scale,
      betaInitializer: betaInitializer.config,
      gammaInitializer: gammaInitializer.config,
    }),
    build([shape], variable, tag) {
      if (shape.length < (groups === null ? 3 : 2))
        throw new ShapeError(`${tag} expects [batch, ...spatial, channels], got input ${showShape(shape)}.`);
      channels = shape[shape.length - 1];
      if (groups !== null && channels % groups !== 0)
        throw new ShapeError(
          `${tag} ${channels} channels of input ${showShape(shape)} do not split into ${groups} groups.`,
        );
      if (scale) gamma = variable("gamma", [channels], gammaInitializer);
      if (center) beta = variable("beta", [channels], betaInitializer);
    },
    check([shape], tag) {
      if (shape.length >= 2 && shape[shape.length - 1] === channels) return;
      throw new ShapeError(`${tag} expects ${channels} channels, got input ${showShape(shape)}.`);
    },
    call([x]) {
      // [batch, places, groups, channels a group]
      const split = reshape(x, [x.shape[0], -1, groups ?? channels, channels / (groups ?? channels)]);
      const { centred, offset, variance } = moments(split, [1, 3], true);
      let y = reshape(div(sub(centred, offset), sqrt(add(variance, epsilon))), x.shape);
      if (gamma !== null) y = mul(y, gamma);
      return beta === null ? y : add(y, beta);
    },
  });
}

/**
 * Group normalisation of [batch, ...spatial, channels] (Keras: GroupNormalization, groups 32; Wu & He 2018).
 *
 * @throws ShapeError when the channels do not split into the groups.
 * @example
 * const y = groupNorm(4)(zeros([2, 8, 8, 16]));
 */
export function groupNorm(groups = 32, options: NormOptions = {}): Layer {
  needWhole("groupNorm", "groups", groups);
  return grouped("groupNorm", groups, options);
}

/**
 * Each channel of each sample gets mean 0 and variance 1 over its places (Keras: GroupNormalization with groups -1; Ulyanov et al. 2016).
 *
 * @example instanceNorm()(zeros([1, 4, 4, 3])).shape; // → [1, 4, 4, 3]
 */
export const instanceNorm = (options: NormOptions = {}): Layer => grouped("instanceNorm", null, options);

/** Options of `rmsNorm`. */
export interface RmsNormOptions extends LayerOptions {
  /** Added to the mean square; default 1e-6, as Keras. */
  readonly epsilon?: number;
  /** Default "ones". */
  readonly scaleInitializer?: InitializerLike;
}

/**
 * γ·x/√(mean x² + ε) over the last axis (Keras: RMSNormalization; Zhang & Sennrich 2019).
 *
 * @example rmsNorm()(zeros([2, 8])).shape; // → [2, 8]
 */
export function rmsNorm(options: RmsNormOptions = {}): Layer {
  const { epsilon = 1e-6 } = options;
  const scaleInitializer = initializerOf(options.scaleInitializer ?? "ones");
  needEpsilon("rmsNorm", epsilon);
  let scale: Variable | null = null;
  return makeLayer({
    class: "rmsNorm",
    options,
    config: () => ({ epsilon, scaleInitializer: scaleInitializer.config }),
    build([shape], variable) {
      scale = variable("scale", shape.slice(-1), scaleInitializer);
    },
    check([shape], tag) {
      const want = (scale as Variable).shape[0];
      if (shape[shape.length - 1] !== want)
        throw new ShapeError(`${tag} expects last axis ${want}, got input ${showShape(shape)}.`);
    },
    call: ([x]) => mul(div(x, sqrt(add(mean(square(x), -1, { keepdims: true }), epsilon))), scale as Variable),
  });
}

/**
 * x divided by its length along the last axis, or along `axis`; rows of zeros stay zero (Keras: UnitNormalization).
 *
 * @example unitNormalization()(tensor([[3, 4]])).array(); // → [[0.6, 0.8]]
 */
export function unitNormalization(options: LayerOptions & { readonly axis?: number | readonly number[] } = {}): Layer {
  const { axis = -1 } = options;
  return makeLayer({
    class: "unitNormalization",
    options,
    config: { axis },
    // Below 1e-12 the length counts as that.
    call: ([x]) => div(x, sqrt(maximum(sum(square(x), axis, { keepdims: true }), 1e-24))),
  });
}

/** Options of `localResponseNorm`. */
export interface LocalResponseOptions extends LayerOptions {
  /** Number of neighbouring channels, itself among them; default 5. */
  readonly size?: number;
  /** Default 2. */
  readonly k?: number;
  /** Default 1e-4; not divided by `size`. */
  readonly alpha?: number;
  /** Default 0.75. */
  readonly beta?: number;
}

/**
 * b = a/(k + α Σ a²)^β, the sum over `size` channels around each (AlexNet, Krizhevsky et al. 2012; S-190). Keras has none; PyTorch's
 * LocalResponseNorm divides α by the size.
 *
 * @example localResponseNorm()(zeros([1, 4, 4, 3])).shape; // → [1, 4, 4, 3]
 */
export function localResponseNorm(options: LocalResponseOptions = {}): Layer {
  const { size = 5, k = 2, alpha = 1e-4, beta = 0.75 } = options;
  needWhole("localResponseNorm", "size", size);
  if (!(k > 0)) throw new ValueError(`[localResponseNorm] k must be > 0, got ${k}.`);
  const before = Math.floor(size / 2);
  return makeLayer({
    class: "localResponseNorm",
    options,
    config: { size, k, alpha, beta },
    call([x]) {
      const channels = x.shape[x.rank - 1];
      const squares = pad(square(x), [...x.shape.slice(1).map(() => 0), [before, size - 1 - before]]);
      const shifted = Array.from({ length: size }, (_, i) => slice(squares, "...", [i, i + channels]));
      const total = shifted.reduce((a, b) => add(a, b));
      return div(x, pow(add(mul(total, alpha), k), beta));
    },
  });
}
