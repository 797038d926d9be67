/** Augmentations that move pixels (S-165, S-170). */
import { ShapeError, showShape, ValueError } from "../../base/index.ts";
import { broadcastTo, cast, cos, conv, floor, random, sin, type Tensor, tensor, where } from "../../tensor/index.ts";
import type { Augmentation } from "./augment.ts";
import { imagesOf, type Outside, pick, places, sample } from "./warp.ts";

/**
 * Images mirrored left to right, or top to bottom.
 *
 * @example flipImages(tensor([[[[1], [2]]]])).array(); // → [[[[2], [1]]]]
 */
export const flipImages = (images: Tensor, direction: "horizontal" | "vertical" = "horizontal"): Tensor =>
  imagesOf("flipImages", images).flip(direction === "horizontal" ? 2 : 1);

/**
 * Images turned by quarter turns, counter-clockwise, exactly.
 *
 * @example rotate90(tensor([[[[1], [2]]]])).shape; // → [1, 2, 1, 1]
 */
export function rotate90(images: Tensor, turns = 1): Tensor {
  const x = imagesOf("rotate90", images);
  const t = ((turns % 4) + 4) % 4;
  if (t === 2) return x.flip([1, 2]);
  const turned = x.swapaxes(1, 2);
  return t === 0 ? x : turned.flip(t === 1 ? 1 : 2);
}

/**
 * The middle [height, width] of each image.
 *
 * @example centerCrop(x, [20, 20]).shape; // → [32, 20, 20, 1]
 */
export function centerCrop(images: Tensor, size: readonly [height: number, width: number]): Tensor {
  const x = imagesOf("centerCrop", images);
  const [top, left] = [0, 1].map((a) => Math.floor((x.shape[a + 1] - size[a]) / 2));
  checkCrop("centerCrop", x.shape, size, 0);
  return x.slice(null, [top, top + size[0]], [left, left + size[1]]);
}

function checkCrop(op: string, shape: readonly number[], size: readonly [number, number], padding: number): void {
  for (const a of [0, 1]) {
    if (Number.isInteger(size[a]) && size[a] >= 1 && size[a] <= shape[a + 1] + 2 * padding) continue;
    throw new ShapeError(
      `[${op}] cannot cut [${size.join(", ")}] out of ${showShape(shape)}` +
        (padding > 0 ? ` with ${padding} pixels added on each side.` : ": the cut must be whole and no larger."),
    );
  }
}

/** Uniform numbers in [0, 1), [n, count], one column a parameter. */
const draws = (x: Tensor, count: number, options: Parameters<Augmentation>[1]): Tensor[] => {
  const u = random.uniform([x.shape[0], count], options ?? {});
  return Array.from({ length: count }, (_, i) => u.slice(null, [i, i + 1]).reshape([x.shape[0], 1, 1]));
};

/** From [0, 1) to [low, high). */
const between = (u: Tensor, low: number, high: number): Tensor => u.mul(high - low).add(low);

function checkChance(op: string, chances: Record<string, number>): void {
  for (const [name, p] of Object.entries(chances))
    if (!(p >= 0 && p <= 1)) throw new ValueError(`[${op}] ${name} must be a probability in 0..1, got ${p}.`);
}

/**
 * Mirrors each image with some probability: left to right 0.5, top to bottom 0 unless told otherwise.
 *
 * @example randomFlip({ horizontal: 0.5 })(x, { key: random.key(3) });
 */
export function randomFlip(options: { readonly horizontal?: number; readonly vertical?: number } = {}): Augmentation {
  const { horizontal = 0.5, vertical = 0 } = options;
  checkChance("randomFlip", { horizontal, vertical });
  return (images, keyed) => {
    const x = imagesOf("randomFlip", images);
    const [u, v] = draws(x, 2, keyed).map((t) => t.expandDims(-1));
    const sideways = horizontal === 0 ? x : where(u.less(horizontal), x.flip(2), x);
    return vertical === 0 ? sideways : where(v.less(vertical), sideways.flip(1), sideways);
  };
}

/** Options of `randomCrop`. */
export interface CropOptions {
  /** Pixels added on each side first; default 0. */
  readonly padding?: number;
  /** What is added: the image's mirror (default), its border, or a number. */
  readonly outside?: Outside;
}

/**
 * A random [height, width] of each image (S-170: patches and reflections), of the image enlarged by `padding` on each side.
 *
 * @throws ShapeError when the cut does not fit.
 * @example randomCrop([32, 32], { padding: 4 })(x);
 */
export function randomCrop(size: readonly [height: number, width: number], options: CropOptions = {}): Augmentation {
  const { padding = 0, outside = "reflect" } = options;
  return (images, keyed) => {
    const x = imagesOf("randomCrop", images);
    checkCrop("randomCrop", x.shape, size, padding);
    const corner = draws(x, 2, keyed).map((u, a) => {
      const room = x.shape[a + 1] + 2 * padding - size[a] + 1;
      return cast(floor(u.mul(room)), "int32").sub(padding);
    });
    const [rows, columns] = [places(size[0], 1), places(size[1], 2)].map((t) => cast(t, "int32"));
    return pick(x, corner[0].add(rows), corner[1].add(columns), outside);
  };
}

/** One number for all images, or one each. */
type Each = number | Tensor;

/** Options of `affineImages`. */
export interface AffineOptions {
  /** Degrees, counter-clockwise. */
  readonly rotate?: Each;
  /** Above 1 the image grows. */
  readonly scale?: Each;
  /** Degrees by which upright lines lean to the right. */
  readonly shear?: Each;
  /** Share of the height by which the image moves down. */
  readonly down?: Each;
  /** Share of the width by which the image moves right. */
  readonly right?: Each;
  /** Default 0. */
  readonly outside?: Outside;
}

/**
 * Images turned, scaled, sheared and moved about their middle, read bilinearly; numbers, or tensors [n].
 *
 * @example affineImages(x, { rotate: 15, scale: 1.1 });
 */
export function affineImages(images: Tensor, options: AffineOptions): Tensor {
  const x = imagesOf("affineImages", images);
  const [n, h, w] = x.shape;
  const { outside = 0 } = options;
  const each = (v: Each | undefined, none: number): Tensor => {
    const t = typeof v === "object" ? v : tensor(v ?? none);
    return t.size === 1 ? t.reshape([1, 1, 1]) : t.reshape([n, 1, 1]);
  };
  const radians = (v: Each | undefined): Tensor => each(v, 0).mul(Math.PI / 180);
  const angle = radians(options.rotate);
  const lean = radians(options.shear);
  const [cosine, sine] = [cos(angle), sin(angle)];
  // From a pixel of the result back to the image: move, then turn, then undo the lean, then scale.
  const y = places(h, 1)
    .sub((h - 1) / 2)
    .sub(each(options.down, 0).mul(h));
  const z = places(w, 2)
    .sub((w - 1) / 2)
    .sub(each(options.right, 0).mul(w));
  const turnedY = y.mul(cosine).add(z.mul(sine));
  const turnedX = z.mul(cosine).sub(y.mul(sine));
  const upright = turnedX.add(turnedY.mul(sin(lean).div(cos(lean))));
  const scale = each(options.scale, 1);
  const rows = broadcastTo(turnedY.div(scale).add((h - 1) / 2), [n, h, w]);
  const columns = broadcastTo(upright.div(scale).add((w - 1) / 2), [n, h, w]);
  return sample(x, rows, columns, outside);
}

/** Options of `randomAffine`. */
export interface RandomAffineOptions {
  /** Up to so many degrees either way; default 0. */
  readonly rotate?: number;
  /** [low, high]; default [1, 1]. */
  readonly scale?: readonly [low: number, high: number];
  /** Up to so many degrees either way; default 0. */
  readonly shear?: number;
  /** Up to so large a share of height and width either way; default 0. */
  readonly translate?: number;
  /** Default 0. */
  readonly outside?: Outside;
}

/**
 * Each image turned, scaled, sheared and moved at random.
 *
 * @example randomAffine({ rotate: 10, scale: [0.9, 1.1], shear: 5, translate: 0.1 })(x);
 */
export function randomAffine(options: RandomAffineOptions = {}): Augmentation {
  const { rotate = 0, scale = [1, 1], shear = 0, translate = 0, outside = 0 } = options;
  if (!(scale[0] > 0 && scale[0] <= scale[1]))
    throw new ValueError(`[randomAffine] scale must be [low, high] with 0 < low ≤ high, got [${scale.join(", ")}].`);
  return (images, keyed) => {
    const x = imagesOf("randomAffine", images);
    const [a, b, c, d, e] = draws(x, 5, keyed);
    return affineImages(x, {
      rotate: between(a, -rotate, rotate),
      scale: between(b, scale[0], scale[1]),
      shear: between(c, -shear, shear),
      down: between(d, -translate, translate),
      right: between(e, -translate, translate),
      outside,
    });
  };
}

/**
 * Each image turned by up to so many degrees either way.
 *
 * @example randomRotation(15)(x).shape; // → [32, 28, 28, 1]
 */
export const randomRotation = (degrees: number, options: { readonly outside?: Outside } = {}): Augmentation =>
  randomAffine({ ...options, rotate: degrees });

/**
 * Each image scaled by a factor in [low, high] about its middle.
 *
 * @example randomZoom([0.9, 1.1])(x).shape; // → [32, 28, 28, 1]
 */
export const randomZoom = (
  scale: readonly [low: number, high: number],
  options: { readonly outside?: Outside } = {},
): Augmentation => randomAffine({ ...options, scale });

/**
 * Each image sheared by up to so many degrees either way.
 *
 * @example randomShear(10)(x).shape; // → [32, 28, 28, 1]
 */
export const randomShear = (degrees: number, options: { readonly outside?: Outside } = {}): Augmentation =>
  randomAffine({ ...options, shear: degrees });

/**
 * Each image moved by up to so large a share of its height and width either way.
 *
 * @example randomTranslation(0.1)(x).shape; // → [32, 28, 28, 1]
 */
export const randomTranslation = (share: number, options: { readonly outside?: Outside } = {}): Augmentation =>
  randomAffine({ ...options, translate: share });

/** Weights of a Gaussian of this deviation in pixels, three deviations to each side; their sum is 1. */
function gaussianWeights(sigma: number): Float32Array {
  const reach = Math.max(1, Math.ceil(3 * sigma));
  const raw = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)));
  const total = raw.reduce((a, v) => a + v, 0);
  return Float32Array.from(raw, (v) => v / total);
}

/** [n, h, w, c] with `reach` pixels more on each side of an axis. */
function padImages(x: Tensor, axis: 1 | 2, reach: number, mode: "reflect" | "nearest"): Tensor {
  const size = x.shape[axis];
  const at = Int32Array.from({ length: size + 2 * reach }, (_, i) => {
    const place = i - reach;
    if (mode === "nearest" || size === 1) return Math.min(size - 1, Math.max(0, place));
    const period = 2 * (size - 1);
    const m = ((place % period) + period) % period;
    return size - 1 - Math.abs(m - (size - 1));
  });
  return x.gather(at, axis);
}

/** Each channel blurred along both axes by a Gaussian, mirrored at the border. */
export function blur(x: Tensor, sigma: number): Tensor {
  const weights = gaussianWeights(sigma);
  const reach = (weights.length - 1) / 2;
  const [n, h, w, c] = x.shape;
  const kernel = tensor(weights).cast(x.dtype);
  // Channels become images of one channel.
  const each = x.transpose([0, 3, 1, 2]).reshape([n * c, h, w, 1]);
  const down = conv(padImages(each, 1, reach, "reflect"), kernel.reshape([-1, 1, 1, 1]));
  const both = conv(padImages(down, 2, reach, "reflect"), kernel.reshape([1, -1, 1, 1]));
  return both.reshape([n, c, h, w]).transpose([0, 2, 3, 1]);
}

/**
 * Elastic distortion (P. Simard, D. Steinkraus, J. Platt, 2003): every pixel is read from where a smooth random field points.
 *
 * @param options alpha: how far in pixels (default 8 times a field of about 1), sigma: smoothness in pixels (default 4)
 * @example elastic({ alpha: 8, sigma: 4 })(x).shape; // → [32, 28, 28, 1]
 */
export function elastic(
  options: { readonly alpha?: number; readonly sigma?: number; readonly outside?: Outside } = {},
): Augmentation {
  const { alpha = 8, sigma = 4, outside = 0 } = options;
  if (!(sigma > 0)) throw new ValueError(`[elastic] sigma must be above 0, got ${sigma}.`);
  return (images, keyed) => {
    const x = imagesOf("elastic", images);
    const [n, h, w] = x.shape;
    const field = blur(random.uniform([n, h, w, 2], { ...keyed, low: -1, high: 1 }), sigma).mul(alpha);
    const along = (i: number): Tensor => field.slice(null, null, null, [i, i + 1]).reshape([n, h, w]);
    return sample(x, places(h, 1).add(along(0)), places(w, 2).add(along(1)), outside);
  };
}

/**
 * Every `stride`-th pixel of both axes (S-167: subsampling).
 *
 * @example subsample(x, 2).shape; // [n, 14, 14, 1] of [n, 28, 28, 1]
 */
export const subsample = (images: Tensor, stride: number): Tensor =>
  imagesOf("subsample", images).slice(null, [null, null, stride], [null, null, stride]);
