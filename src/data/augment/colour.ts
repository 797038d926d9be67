/** Augmentations that change values, not places (S-166, S-167, S-169). Images [n, h, w, c] in 0..1 unless `range` says otherwise. */
import { ShapeError, showShape, ValueError } from "../../base/index.ts";
import { eigh } from "../../linalg/index.ts";
import { clip, mean, random, stack, sum, type Tensor, tensor, where } from "../../tensor/index.ts";
import type { Dataset } from "../dataset.ts";
import type { Augmentation, AugmentOptions } from "./augment.ts";
import { blur } from "./geometry.ts";
import { imagesOf } from "./warp.ts";

/** The least and the greatest value of a pixel. */
export type Range = readonly [low: number, high: number];

/** The range of pixels. */
export interface RangeOptions {
  /** Results are clipped to it; default [0, 1]. */
  readonly range?: Range;
}

const UNIT: Range = [0, 1];

const clipped = (x: Tensor, [low, high]: Range): Tensor => clip(x, low, high);

/** Uniform in [low, high), one number an image: [n, 1, 1, 1]. */
const each = (x: Tensor, low: number, high: number, options: AugmentOptions | undefined): Tensor =>
  random.uniform([x.shape[0], 1, 1, 1], { ...options, low, high });

function rgb(op: string, images: Tensor): Tensor {
  const x = imagesOf(op, images);
  if (x.shape[3] !== 3) throw new ShapeError(`[${op}] needs three colours, got images ${showShape(x.shape)}.`);
  return x;
}

/** Luma of ITU-R BT.601: [n, h, w, 1]. */
const LUMA = [0.299, 0.587, 0.114];
const luma = (x: Tensor): Tensor => sum(x.mul(LUMA), -1, { keepdims: true });

/**
 * Images of three colours as grey ones, with as many channels unless `channels` is 1.
 *
 * @example grayscale(tensor([[[[1, 0, 0]]]]), { channels: 1 }).array(); // → [[[[0.299]]]]
 */
export function grayscale(images: Tensor, options: { readonly channels?: 1 | 3 } = {}): Tensor {
  const x = rgb("grayscale", images);
  return options.channels === 1 ? luma(x) : luma(x).broadcastTo(x.shape);
}

/**
 * high + low - x.
 *
 * @example invertImages(tensor([[[[0.25]]]])).array(); // → [[[[0.75]]]]
 */
export const invertImages = (images: Tensor, { range = UNIT }: RangeOptions = {}): Tensor =>
  imagesOf("invertImages", images)
    .mul(-1)
    .add(range[0] + range[1]);

/**
 * x + amount, clipped; a number, or one an image [n, 1, 1, 1].
 *
 * @example adjustBrightness(tensor([[[[0.2], [0.9]]]]), 0.3).array(); // → [[[[0.5], [1]]]]
 */
export const adjustBrightness = (
  images: Tensor,
  amount: number | Tensor,
  { range = UNIT }: RangeOptions = {},
): Tensor => clipped(imagesOf("adjustBrightness", images).add(amount), range);

/**
 * mean + factor · (x - mean), with the mean of each image and channel, clipped.
 *
 * @example adjustContrast(tensor([[[[0.4], [0.6]]]]), 2).array(); // → [[[[0.3], [0.7]]]]
 */
export function adjustContrast(images: Tensor, factor: number | Tensor, { range = UNIT }: RangeOptions = {}): Tensor {
  const x = imagesOf("adjustContrast", images);
  const middle = mean(x, [1, 2], { keepdims: true });
  return clipped(x.sub(middle).mul(factor).add(middle), range);
}

/**
 * grey + factor · (x - grey), clipped: 0 takes all colour.
 *
 * @example adjustSaturation(tensor([[[[1, 0, 0]]]]), 0).array(); // → [[[[0.299, 0.299, 0.299]]]]
 */
export function adjustSaturation(images: Tensor, factor: number | Tensor, { range = UNIT }: RangeOptions = {}): Tensor {
  const x = rgb("adjustSaturation", images);
  const grey = luma(x);
  return clipped(x.sub(grey).mul(factor).add(grey), range);
}

/** From red, green, blue to luma and two axes of colour (NTSC's YIQ). */
const YIQ = [
  [0.299, 0.587, 0.114],
  [0.595716, -0.274453, -0.321263],
  [0.211456, -0.522591, 0.311135],
];
/** Its inverse. */
const RGB = [
  [1, 0.956296, 0.621024],
  [1, -0.272122, -0.647381],
  [1, -1.106989, 1.704615],
];

/**
 * Colours turned by so many degrees around grey (in YIQ), clipped; grey stays.
 *
 * @example adjustHue(ones([1, 2, 2, 3]).mul(0.5), 90).shape; // → [1, 2, 2, 3]
 */
export function adjustHue(images: Tensor, degrees: number | Tensor, { range = UNIT }: RangeOptions = {}): Tensor {
  const x = rgb("adjustHue", images);
  const angle = (typeof degrees === "number" ? tensor(degrees) : degrees).mul(Math.PI / 180);
  const spread = angle.size === 1 ? angle.reshape([1, 1, 1]) : angle.reshape([-1, 1, 1]);
  const axes = x.matmul(tensor(YIQ).T.cast(x.dtype));
  const part = (i: number): Tensor => axes.slice("...", i);
  const [cosine, sine] = [spread.cos(), spread.sin()];
  const turned = stack(
    [part(0), part(1).mul(cosine).sub(part(2).mul(sine)), part(1).mul(sine).add(part(2).mul(cosine))],
    -1,
  );
  return clipped(turned.matmul(tensor(RGB).T.cast(x.dtype)), range);
}

/**
 * Each image brighter or darker by up to `amount` (of the same unit as the pixels).
 *
 * @example randomBrightness(0.2)(x).shape; // → [32, 28, 28, 1]
 */
export const randomBrightness =
  (amount: number, options: RangeOptions = {}): Augmentation =>
  (images, keyed) =>
    adjustBrightness(images, each(imagesOf("randomBrightness", images), -amount, amount, keyed), options);

/**
 * Each image with its contrast times a factor in [1 - amount, 1 + amount].
 *
 * @example randomContrast(0.2)(x).shape; // → [32, 28, 28, 1]
 */
export const randomContrast =
  (amount: number, options: RangeOptions = {}): Augmentation =>
  (images, keyed) =>
    adjustContrast(images, each(imagesOf("randomContrast", images), 1 - amount, 1 + amount, keyed), options);

/**
 * Each image with its saturation times a factor in [1 - amount, 1 + amount].
 *
 * @example randomSaturation(0.3)(random.uniform([4, 8, 8, 3])).shape; // → [4, 8, 8, 3]
 */
export const randomSaturation =
  (amount: number, options: RangeOptions = {}): Augmentation =>
  (images, keyed) =>
    adjustSaturation(images, each(imagesOf("randomSaturation", images), 1 - amount, 1 + amount, keyed), options);

/**
 * Each image with its colours turned by up to so many degrees either way.
 *
 * @example randomHue(20)(random.uniform([4, 8, 8, 3])).shape; // → [4, 8, 8, 3]
 */
export const randomHue =
  (degrees: number, options: RangeOptions = {}): Augmentation =>
  (images, keyed) =>
    adjustHue(images, each(imagesOf("randomHue", images), -degrees, degrees, keyed), options);

/**
 * Each image grey with this probability.
 *
 * @example randomGrayscale(0.2)(random.uniform([4, 8, 8, 3])).shape; // → [4, 8, 8, 3]
 */
export const randomGrayscale =
  (probability = 0.1): Augmentation =>
  (images, keyed) => {
    const x = rgb("randomGrayscale", images);
    return where(each(x, 0, 1, keyed).less(probability), grayscale(x), x);
  };

/** Options of `colorJitter`. */
export interface JitterOptions extends RangeOptions {
  /** As `randomBrightness`; default 0. */
  readonly brightness?: number;
  /** As `randomContrast`; default 0. */
  readonly contrast?: number;
  /** As `randomSaturation`; default 0. */
  readonly saturation?: number;
  /** As `randomHue`, in degrees; default 0. */
  readonly hue?: number;
}

/**
 * Brightness, contrast, saturation and hue of each image at random, in this order.
 *
 * @example colorJitter({ brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 10 })(zeros([8, 32, 32, 3])).shape; // → [8, 32, 32, 3]
 */
export function colorJitter(options: JitterOptions = {}): Augmentation {
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options;
  return (images, keyed) => {
    const x = imagesOf("colorJitter", images);
    const u = random.uniform([x.shape[0], 4], { ...keyed, low: -1, high: 1 });
    const one = (i: number): Tensor => u.slice(null, [i, i + 1]).reshape([-1, 1, 1, 1]);
    let out = x;
    if (brightness > 0) out = adjustBrightness(out, one(0).mul(brightness), options);
    if (contrast > 0) out = adjustContrast(out, one(1).mul(contrast).add(1), options);
    if (saturation > 0) out = adjustSaturation(out, one(2).mul(saturation).add(1), options);
    return hue > 0 ? adjustHue(out, one(3).mul(hue), options) : out;
  };
}

/**
 * Every channel blurred by a Gaussian of `sigma` pixels; the sum of the kernel is 1, beyond the border the image is mirrored.
 *
 * @throws ValueError when sigma is not above 0.
 * @example gaussianBlur(x, 1.5);
 */
export function gaussianBlur(images: Tensor, sigma: number): Tensor {
  if (!(sigma > 0)) throw new ValueError(`[gaussianBlur] sigma must be above 0, got ${sigma}.`);
  return blur(imagesOf("gaussianBlur", images), sigma);
}

/**
 * Each image blurred by a Gaussian of `sigma` pixels with this probability.
 *
 * @example randomBlur(1)(x).shape; // → [32, 28, 28, 1]
 */
export const randomBlur =
  (sigma: number, probability = 0.5): Augmentation =>
  (images, keyed) => {
    const x = imagesOf("randomBlur", images);
    return where(each(x, 0, 1, keyed).less(probability), gaussianBlur(x, sigma), x);
  };

/**
 * Normal noise of deviation `std` on every value, unclipped unless `range` is given: for images, and inputs of any other shape.
 *
 * @example gaussianNoise(0.05)(x);
 */
export const gaussianNoise =
  (std: number, options: RangeOptions = {}): Augmentation =>
  (inputs, keyed) => {
    const noisy = inputs.add(random.normal(inputs.shape, { ...keyed, std }));
    return options.range === undefined ? noisy : clipped(noisy, options.range);
  };

/** Options of `cutout`. */
export interface CutoutOptions {
  /** Side of the square in pixels. */
  readonly size: number;
  /** What it is filled with; default 0. */
  readonly fill?: number;
}

/**
 * A square of each image covered, its centre anywhere (T. DeVries, G. Taylor, 2017).
 *
 * @example cutout({ size: 8 })(x);
 */
export function cutout({ size, fill = 0 }: CutoutOptions): Augmentation {
  if (!(Number.isInteger(size) && size >= 1))
    throw new ValueError(`[cutout] size must be a whole number of pixels ≥ 1, got ${size}.`);
  return (images, keyed) => {
    const x = imagesOf("cutout", images);
    const side = tensor(size).reshape([1, 1, 1, 1]);
    return where(rectangle(x, side, side, random.uniform([x.shape[0], 2], keyed ?? {})), fill, x);
  };
}

/** Where a rectangle [n, 1, 1, 1] high and wide lies in each image, its centre where u [n, 2] says: bool [n, h, w, 1]. */
export function rectangle(x: Tensor, height: Tensor, width: Tensor, u: Tensor): Tensor {
  const [n, h, w] = x.shape;
  const along = (i: number, size: number, length: Tensor): Tensor => {
    const centre = u
      .slice(null, [i, i + 1])
      .reshape([n, 1, 1, 1])
      .mul(size)
      .floor();
    const at = tensor(Float32Array.from({ length: size }, (_, k) => k)).reshape(
      i === 0 ? [1, size, 1, 1] : [1, 1, size, 1],
    );
    const first = centre.sub(length.div(2).floor());
    return at.greaterEqual(first).logicalAnd(at.less(first.add(length)));
  };
  return along(0, h, height).logicalAnd(along(1, w, width));
}

/** Directions and deviations of colour in a set of images; see `colorComponents`. */
export interface ColorComponents {
  /** Eigenvectors of the covariance of the colours, as rows [3][3], the largest first. */
  readonly vectors: readonly (readonly number[])[];
  /** Their eigenvalues. */
  readonly values: readonly number[];
}

/**
 * The principal components of the colours of all pixels, for `pcaColor`.
 *
 * @param data images [n, h, w, 3], or a dataset of them
 * @example colorComponents(random.uniform([16, 8, 8, 3])).values.length; // → 3
 */
export function colorComponents(data: Tensor | Dataset): ColorComponents {
  const x = "dataSync" in data ? { data: data.dataSync(), shape: data.shape } : data.all().x;
  if (x.shape.at(-1) !== 3)
    throw new ShapeError(`[colorComponents] needs images of three colours, got ${showShape(x.shape)}.`);
  const n = x.data.length / 3;
  const means = [0, 0, 0];
  for (let i = 0; i < x.data.length; i++) means[i % 3] += x.data[i] / n;
  const covariance = new Float64Array(9);
  for (let i = 0; i < x.data.length; i += 3) {
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++)
        covariance[3 * a + b] += ((x.data[i + a] - means[a]) * (x.data[i + b] - means[b])) / n;
  }
  const { w, v } = eigh(tensor(covariance).reshape([3, 3]));
  const [values, columns] = [w.dataSync(), v.dataSync()];
  const largestFirst = [2, 1, 0];
  return {
    values: largestFirst.map((i) => Math.max(0, values[i])),
    vectors: largestFirst.map((i) => [0, 1, 2].map((j) => columns[3 * j + i])),
  };
}

/**
 * Every pixel of an image moved by one and the same [p₁ p₂ p₃][α₁λ₁ α₂λ₂ α₃λ₃]ᵀ, α ~ N(0, std) (S-169; A. Krizhevsky, I. Sutskever,
 * G. Hinton, 2012). λ are the eigenvalues of the covariance.
 *
 * @example
 * const photos = random.uniform([16, 8, 8, 3]);
 * pcaColor(colorComponents(photos), { std: 0.1 })(photos).shape; // → [16, 8, 8, 3]
 */
export function pcaColor(
  { values, vectors }: ColorComponents,
  options: { readonly std?: number } & RangeOptions = {},
): Augmentation {
  const { std = 0.1, range } = options;
  const steps = tensor(vectors.map((row, i) => row.map((v) => v * values[i])));
  return (images, keyed) => {
    const x = rgb("pcaColor", images);
    const alpha = random.normal([x.shape[0], 3], { ...keyed, std });
    const moved = x.add(alpha.matmul(steps).reshape([-1, 1, 1, 3]));
    return range === undefined ? moved : clipped(moved, range);
  };
}
