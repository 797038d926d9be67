/** Layers that disturb their input in training and leave it alone in evaluation. */
import { ShapeError, showShape, ValueError } from "../base/index.ts";
import { add, mul, random, where } from "../tensor/index.ts";
import { dropout } from "./core.ts";
import { type Layer, type LayerOptions, makeLayer } from "./layer.ts";

function needRate(layer: string, rate: number): void {
  if (rate >= 0 && rate < 1) return;
  throw new ValueError(`[${layer}] rate is the share that is dropped, 0 ≤ rate < 1, got ${rate}.`);
}

/** Dropout with one mask for all places of a channel. */
function spatialDropout(rank: number, rate: number, options: LayerOptions): Layer {
  const name = `spatialDropout${rank}d`;
  needRate(name, rate);
  const noiseShape = [null, ...new Array<number>(rank).fill(1), null];
  const { spec } = dropout(rate, { noiseShape }).core;
  return makeLayer({
    ...spec,
    class: name,
    options,
    config: { rate },
    check([shape], tag) {
      if (shape.length === rank + 2) return;
      throw new ShapeError(`${tag} expects [batch, ${rank} spatial axes, channels], got input ${showShape(shape)}.`);
    },
  });
}

/**
 * Whole channels of [batch, length, channels] are dropped, since neighbours in a feature map say much the same (Keras:
 * SpatialDropout1D; Tompson et al. 2015).
 *
 * @throws ValueError unless 0 ≤ rate < 1.
 * @example spatialDropout1d(0.5)(zeros([1, 6, 3])).shape; // → [1, 6, 3]
 */
export const spatialDropout1d = (rate: number, options: LayerOptions = {}): Layer => spatialDropout(1, rate, options);
/**
 * Whole channels of [batch, height, width, channels] are dropped (Keras: SpatialDropout2D).
 *
 * @example
 * sequential([conv2d(8, 3, { activation: "relu" }), spatialDropout2d(0.2)]);
 */
export const spatialDropout2d = (rate: number, options: LayerOptions = {}): Layer => spatialDropout(2, rate, options);
/**
 * Whole channels of [batch, depth, height, width, channels] are dropped (Keras: SpatialDropout3D).
 *
 * @example spatialDropout3d(0.5)(zeros([1, 4, 4, 4, 2])).shape; // → [1, 4, 4, 4, 2]
 */
export const spatialDropout3d = (rate: number, options: LayerOptions = {}): Layer => spatialDropout(3, rate, options);

/** −scale·alpha of selu: what its dropped units are set to. */
const ALPHA = -1.7580993408473766;

/**
 * Dropout that keeps mean and variance of what comes out of selu: dropped units become −1.758, then a·x + b (Keras: AlphaDropout;
 * Klambauer et al. 2017).
 *
 * @throws ValueError unless 0 ≤ rate < 1.
 * @example alphaDropout(0.1)(zeros([2, 3])).shape; // → [2, 3]
 */
export function alphaDropout(rate: number, options: LayerOptions = {}): Layer {
  needRate("alphaDropout", rate);
  const a = ((1 - rate) * (1 + rate * ALPHA ** 2)) ** -0.5;
  return makeLayer({
    class: "alphaDropout",
    options,
    config: { rate },
    call: ([x], { training }) =>
      training && rate > 0 ? add(mul(where(random.bernoulli(rate, x.shape), ALPHA, x), a), -a * ALPHA * rate) : x,
  });
}

/**
 * x + N(0, stddev²) in training (Keras: GaussianNoise).
 *
 * @throws ValueError unless stddev ≥ 0.
 * @example gaussianNoise(0.1)(zeros([2, 3]), { training: true }).shape; // → [2, 3]
 */
export function gaussianNoise(stddev: number, options: LayerOptions = {}): Layer {
  if (!(stddev >= 0)) throw new ValueError(`[gaussianNoise] stddev must be ≥ 0, got ${stddev}.`);
  return makeLayer({
    class: "gaussianNoise",
    options,
    config: { stddev },
    call: ([x], { training }) => (training ? add(x, random.normal(x.shape, { std: stddev, dtype: x.dtype })) : x),
  });
}

/**
 * x · N(1, rate/(1 − rate)) in training: the noise of dropout without its zeros (Keras: GaussianDropout; Srivastava et al. 2014).
 *
 * @throws ValueError unless 0 ≤ rate < 1.
 * @example gaussianDropout(0.2)(zeros([2, 3]), { training: true }).shape; // → [2, 3]
 */
export function gaussianDropout(rate: number, options: LayerOptions = {}): Layer {
  needRate("gaussianDropout", rate);
  const std = Math.sqrt(rate / (1 - rate));
  return makeLayer({
    class: "gaussianDropout",
    options,
    config: { rate },
    call: ([x], { training }) => (training ? mul(x, random.normal(x.shape, { mean: 1, std, dtype: x.dtype })) : x),
  });
}
