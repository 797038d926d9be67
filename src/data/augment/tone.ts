/** Augmentations that bend the scale of brightness, or the sharpness. Images [n, h, w, c] in 0..1 unless `range` says otherwise. */
import { ValueError } from "../../base/index.ts";
import {
  broadcastTo,
  clip,
  concat,
  cumsum,
  max,
  min,
  random,
  scatterAdd,
  type Tensor,
  tensor,
  where,
  zeros,
} from "../../tensor/index.ts";
import type { Augmentation, AugmentOptions } from "./augment.ts";
import { invertImages, type RangeOptions } from "./colour.ts";
import { imagesOf } from "./warp.ts";

/** Values of a byte, in which histograms and bits are counted. */
const LEVELS = 256;

/** Number of the level 0..255 of each pixel, rounded down after rounding away what float32 loses. */
function levels(x: Tensor, low: number, high: number): Tensor {
  const scaled = x.sub(low).mul((LEVELS - 1) / (high - low));
  return clip(scaled.add(1e-3).floor(), 0, LEVELS - 1);
}

/**
 * Each channel of each image stretched so that its least value becomes the least of the range and its greatest the greatest; a flat
 * channel stays (PIL: autocontrast; Keras: AutoContrast).
 *
 * @example autoContrast(x);
 */
export function autoContrast(images: Tensor, { range: [low, high] = [0, 1] }: RangeOptions = {}): Tensor {
  const x = imagesOf("autoContrast", images);
  const [least, greatest] = [min(x, [1, 2], { keepdims: true }), max(x, [1, 2], { keepdims: true })];
  const spread = greatest.sub(least);
  const flat = spread.equal(0);
  const stretched = x
    .sub(least)
    .div(where(flat, 1, spread))
    .mul(high - low)
    .add(low);
  return where(flat, x, stretched);
}

/**
 * Each channel of each image with its brightness spread evenly: value v becomes round(255 (cdf(v) - cdf₀) / (pixels - cdf₀)), by the
 * histogram of 256 levels, cdf₀ the count of the least level; a flat channel stays (OpenCV: equalizeHist; Keras: Equalization).
 *
 * @example equalize(x);
 */
export function equalize(images: Tensor, { range: [low, high] = [0, 1] }: RangeOptions = {}): Tensor {
  const x = imagesOf("equalize", images);
  const [n, h, w, c] = x.shape;
  // A histogram for each image and channel, side by side: [n · c · 256].
  const channel = tensor(Int32Array.from({ length: n * c }, (_, i) => i * LEVELS)).reshape([n, 1, 1, c]);
  const index = levels(x, low, high).cast("int32").add(channel);
  const counts = scatterAdd(zeros([n * c * LEVELS]), index.reshape([-1]), broadcastTo(tensor(1), [n * h * w * c]));
  const cdf = cumsum(counts.reshape([n * c, LEVELS]), 1);
  const least = min(where(cdf.greater(0), cdf, h * w), 1, { keepdims: true });
  const rest = least.mul(-1).add(h * w);
  const table = cdf
    .sub(least)
    .mul(LEVELS - 1)
    .div(where(rest.equal(0), 1, rest))
    .round();
  const out = table
    .reshape([-1])
    .gather(index.reshape([-1]))
    .reshape(x.shape);
  const flat = rest.reshape([n, 1, 1, c]).equal(0);
  const value = out.mul((high - low) / (LEVELS - 1)).add(low);
  return where(flat, x, value.cast(x.dtype));
}

/**
 * Only the first `bits` bits of each value kept, of 8 for the whole range (PIL: posterize).
 *
 * @throws ValueError when bits is not a whole number in 1..8.
 * @example posterize(x, 3); // 8 levels
 */
export function posterize(images: Tensor, bits: number, { range: [low, high] = [0, 1] }: RangeOptions = {}): Tensor {
  if (!(Number.isInteger(bits) && bits >= 1 && bits <= 8))
    throw new ValueError(`[posterize] bits must be a whole number in 1..8, got ${bits}.`);
  const step = 2 ** (8 - bits);
  return levels(imagesOf("posterize", images), low, high)
    .div(step)
    .floor()
    .mul((step * (high - low)) / (LEVELS - 1))
    .add(low);
}

/**
 * Values of at least `threshold` inverted: low + high - x (PIL: solarize).
 *
 * @param threshold a value of the range; default its middle
 * @example solarize(tensor([[[[0.25], [0.75]]]])).array(); // → [[[[0.25], [0.25]]]]
 */
export function solarize(
  images: Tensor,
  threshold?: number | Tensor,
  { range: [low, high] = [0, 1] }: RangeOptions = {},
): Tensor {
  const x = imagesOf("solarize", images);
  return where(x.less(threshold ?? (low + high) / 2), x, invertImages(x, { range: [low, high] }));
}

/** Weights of the 3 × 3 that smooths, all but the middle 1, their sum 13 (PIL: ImageFilter.SMOOTH). */
const SMOOTH = { middle: 5, sum: 13 };

/**
 * smooth + factor · (x - smooth), clipped: factor 0 smooths, 1 leaves, above 1 sharpens; the border stays (PIL:
 * ImageEnhance.Sharpness).
 *
 * @example adjustSharpness(x, 2);
 */
export function adjustSharpness(
  images: Tensor,
  factor: number | Tensor,
  { range: [low, high] = [0, 1] }: RangeOptions = {},
): Tensor {
  const x = imagesOf("adjustSharpness", images);
  const [, h, w] = x.shape;
  if (h < 3 || w < 3) return x;
  const rows = x
    .slice(null, [0, h - 2])
    .add(x.slice(null, [1, h - 1]))
    .add(x.slice(null, [2, h]));
  const box = rows
    .slice(null, null, [0, w - 2])
    .add(rows.slice(null, null, [1, w - 1]))
    .add(rows.slice(null, null, [2, w]));
  const inner = x.slice(null, [1, h - 1], [1, w - 1]);
  const smooth = box.add(inner.mul(SMOOTH.middle - 1)).div(SMOOTH.sum);
  const middle = clip(inner.sub(smooth).mul(factor).add(smooth), low, high);
  const [left, right] = [x.slice(null, [1, h - 1], [0, 1]), x.slice(null, [1, h - 1], [w - 1, w])];
  return concat([x.slice(null, [0, 1]), concat([left, middle, right], 2), x.slice(null, [h - 1, h])], 1);
}

/** Uniform in [low, high), one number an image: [n, 1, 1, 1]. */
const each = (x: Tensor, low: number, high: number, options: AugmentOptions | undefined): Tensor =>
  random.uniform([x.shape[0], 1, 1, 1], { ...options, low, high });

/** What changes all images, for some of them. */
const sometimes =
  (op: string, change: (x: Tensor) => Tensor, probability: number): Augmentation =>
  (images, keyed) => {
    const x = imagesOf(op, images);
    return where(each(x, 0, 1, keyed).less(probability), change(x), x);
  };

/**
 * Each image stretched by `autoContrast` with this probability.
 *
 * @example randomAutoContrast(0.3)(x).shape; // → [32, 28, 28, 1]
 */
export const randomAutoContrast = (probability = 0.5, options: RangeOptions = {}): Augmentation =>
  sometimes("randomAutoContrast", (x) => autoContrast(x, options), probability);

/**
 * Each image spread by `equalize` with this probability.
 *
 * @example randomEqualize(0.3)(x).shape; // → [32, 28, 28, 1]
 */
export const randomEqualize = (probability = 0.5, options: RangeOptions = {}): Augmentation =>
  sometimes("randomEqualize", (x) => equalize(x, options), probability);

/**
 * Each image inverted with this probability (Keras: RandomInvert).
 *
 * @example randomInvert(0.1)(x).shape; // → [32, 28, 28, 1]
 */
export const randomInvert = (probability = 0.5, options: RangeOptions = {}): Augmentation =>
  sometimes("randomInvert", (x) => invertImages(x, options), probability);

/**
 * Each image of so many bits with this probability (Keras: RandomPosterization).
 *
 * @example randomPosterize(4)(x).shape; // → [32, 28, 28, 1]
 */
export const randomPosterize = (bits: number, probability = 0.5, options: RangeOptions = {}): Augmentation =>
  sometimes("randomPosterize", (x) => posterize(x, bits, options), probability);

/**
 * Each image with a threshold of its own, anywhere in the range (Keras: Solarization).
 *
 * @example randomSolarize()(x).shape; // → [32, 28, 28, 1]
 */
export const randomSolarize =
  (options: RangeOptions = {}): Augmentation =>
  (images, keyed) => {
    const x = imagesOf("randomSolarize", images);
    const [low, high] = options.range ?? [0, 1];
    return solarize(x, each(x, low, high, keyed), options);
  };

/**
 * Each image with its sharpness times a factor in [1 - amount, 1 + amount] (Keras: RandomSharpness).
 *
 * @example randomSharpness(0.5)(x).shape; // → [32, 28, 28, 1]
 */
export const randomSharpness =
  (amount: number, options: RangeOptions = {}): Augmentation =>
  (images, keyed) => {
    const x = imagesOf("randomSharpness", images);
    return adjustSharpness(x, each(x, 1 - amount, 1 + amount, keyed), options);
  };
