import { ShapeError, showShape, ValueError } from "../base/index.ts";
import { avgPool, max, maxPool, mean, type Tensor } from "../tensor/index.ts";
import { needImages, type Sizes, sizesOf } from "./conv.ts";
import { type Layer, type LayerOptions, makeLayer } from "./layer.ts";

/** Options of `maxPool1d` to `avgPool3d`. */
export interface PoolOptions extends LayerOptions {
  /** Step of the window; default: its size, so that windows do not overlap. */
  readonly strides?: Sizes;
  /** "valid" drops what does not fill a window; "same" pads with what does not count. Default "valid". */
  readonly padding?: "valid" | "same";
}

function pooling(kind: "max" | "avg", rank: number, poolSize: Sizes, options: PoolOptions): Layer {
  const name = `${kind}Pool${rank}d`;
  const size = sizesOf(name, "poolSize", poolSize, rank);
  const strides = sizesOf(name, "strides", options.strides ?? size, rank);
  const { padding = "valid" } = options;
  if (padding !== "valid" && padding !== "same")
    throw new ValueError(`[${name}] padding must be "valid" or "same", got ${JSON.stringify(padding)}.`);
  const pool = kind === "max" ? maxPool : avgPool;
  return makeLayer({
    class: name,
    options,
    config: { poolSize: size, strides, padding },
    check([shape], tag) {
      needImages(tag, shape, rank);
      if (padding === "same") return;
      const axis = size.findIndex((k, i) => k > shape[i + 1]);
      if (axis < 0) return;
      throw new ShapeError(
        `${tag} a window of ${size[axis]} does not fit ${shape[axis + 1]} on spatial axis ${axis} of input ${showShape(shape)}: pool less, or use padding "same".`,
      );
    },
    call: ([x]) => pool(x, size, { strides, padding }),
  });
}

/**
 * Largest of each window over [batch, length, channels] (Keras: MaxPooling1D).
 *
 * @example maxPool1d(2)(zeros([1, 6, 3])).shape; // → [1, 3, 3]
 */
export const maxPool1d = (poolSize: Sizes = 2, options: PoolOptions = {}): Layer =>
  pooling("max", 1, poolSize, options);
/**
 * Largest of each window over [batch, height, width, channels], channel by channel; the gradient goes to the first largest
 * (Keras: MaxPooling2D; S-235, S-237 to S-240).
 *
 * @example
 * const y = maxPool2d(2)(zeros([1, 28, 28, 6])); // [1, 14, 14, 6]
 */
export const maxPool2d = (poolSize: Sizes = 2, options: PoolOptions = {}): Layer =>
  pooling("max", 2, poolSize, options);
/**
 * Largest of each window over [batch, depth, height, width, channels] (Keras: MaxPooling3D).
 *
 * @example maxPool3d(2)(zeros([1, 4, 4, 4, 2])).shape; // → [1, 2, 2, 2, 2]
 */
export const maxPool3d = (poolSize: Sizes = 2, options: PoolOptions = {}): Layer =>
  pooling("max", 3, poolSize, options);

/**
 * Mean of each window over [batch, length, channels]; padding does not count (Keras: AveragePooling1D).
 *
 * @example avgPool1d(2)(zeros([1, 6, 3])).shape; // → [1, 3, 3]
 */
export const avgPool1d = (poolSize: Sizes = 2, options: PoolOptions = {}): Layer =>
  pooling("avg", 1, poolSize, options);
/**
 * Mean of each window over [batch, height, width, channels]; padding does not count (Keras: AveragePooling2D; S-236).
 *
 * @example avgPool2d(2)(zeros([1, 4, 4, 3])).shape; // → [1, 2, 2, 3]
 */
export const avgPool2d = (poolSize: Sizes = 2, options: PoolOptions = {}): Layer =>
  pooling("avg", 2, poolSize, options);
/**
 * Mean of each window over [batch, depth, height, width, channels] (Keras: AveragePooling3D).
 *
 * @example avgPool3d(2)(zeros([1, 4, 4, 4, 2])).shape; // → [1, 2, 2, 2, 2]
 */
export const avgPool3d = (poolSize: Sizes = 2, options: PoolOptions = {}): Layer =>
  pooling("avg", 3, poolSize, options);

/** Options of pooling over all places. */
export interface GlobalPoolOptions extends LayerOptions {
  /** Leave the spatial axes with size 1; default false. */
  readonly keepdims?: boolean;
}

function globalPooling(name: string, reduce: typeof mean, options: GlobalPoolOptions, rank?: number): Layer {
  const { keepdims = false } = options;
  return makeLayer({
    class: name,
    options,
    config: { keepdims },
    check([shape], tag) {
      if (rank !== undefined) needImages(tag, shape, rank);
      if (shape.length >= 3) return;
      throw new ShapeError(
        `${tag} expects [batch, ...spatial, channels], got input ${showShape(shape)}: there is nothing to pool.`,
      );
    },
    call([x]): Tensor {
      const spatial = x.shape.slice(1, -1).map((_, i) => i + 1);
      return reduce(x, spatial, { keepdims });
    },
  });
}

/**
 * Mean over all spatial axes, for any number of them: [batch, ..., channels] → [batch, channels] (Keras: GlobalAveragePooling).
 *
 * @example globalAvgPool()(zeros([1, 4, 4, 3])).shape; // → [1, 3]
 */
export const globalAvgPool = (options: GlobalPoolOptions = {}): Layer => globalPooling("globalAvgPool", mean, options);
/**
 * Mean over the length of [batch, length, channels] (Keras: GlobalAveragePooling1D).
 *
 * @example globalAvgPool1d()(zeros([1, 6, 3])).shape; // → [1, 3]
 */
export const globalAvgPool1d = (options: GlobalPoolOptions = {}): Layer =>
  globalPooling("globalAvgPool1d", mean, options, 1);
/**
 * Mean over the places of [batch, height, width, channels] (Keras: GlobalAveragePooling2D).
 *
 * @example globalAvgPool2d()(zeros([1, 4, 4, 3])).shape; // → [1, 3]
 */
export const globalAvgPool2d = (options: GlobalPoolOptions = {}): Layer =>
  globalPooling("globalAvgPool2d", mean, options, 2);
/**
 * Mean over the places of [batch, depth, height, width, channels] (Keras: GlobalAveragePooling3D).
 *
 * @example globalAvgPool3d()(zeros([1, 4, 4, 4, 2])).shape; // → [1, 2]
 */
export const globalAvgPool3d = (options: GlobalPoolOptions = {}): Layer =>
  globalPooling("globalAvgPool3d", mean, options, 3);
/**
 * Largest over all spatial axes, for any number of them (Keras: GlobalMaxPooling).
 *
 * @example globalMaxPool()(zeros([1, 4, 4, 3])).shape; // → [1, 3]
 */
export const globalMaxPool = (options: GlobalPoolOptions = {}): Layer => globalPooling("globalMaxPool", max, options);
/**
 * Largest over the length of [batch, length, channels] (Keras: GlobalMaxPooling1D).
 *
 * @example globalMaxPool1d()(zeros([1, 6, 3])).shape; // → [1, 3]
 */
export const globalMaxPool1d = (options: GlobalPoolOptions = {}): Layer =>
  globalPooling("globalMaxPool1d", max, options, 1);
/**
 * Largest over the places of [batch, height, width, channels] (Keras: GlobalMaxPooling2D).
 *
 * @example globalMaxPool2d()(zeros([1, 4, 4, 3])).shape; // → [1, 3]
 */
export const globalMaxPool2d = (options: GlobalPoolOptions = {}): Layer =>
  globalPooling("globalMaxPool2d", max, options, 2);
/**
 * Largest over the places of [batch, depth, height, width, channels] (Keras: GlobalMaxPooling3D).
 *
 * @example globalMaxPool3d()(zeros([1, 4, 4, 4, 2])).shape; // → [1, 2]
 */
export const globalMaxPool3d = (options: GlobalPoolOptions = {}): Layer =>
  globalPooling("globalMaxPool3d", max, options, 3);
