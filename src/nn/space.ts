/** Layers that change the spatial axes and hold no variables: padding, cropping, enlarging, permuting. */
import { ShapeError, showShape, ValueError } from "../base/index.ts";
import {
  add,
  broadcastTo,
  expandDims,
  mul,
  pad,
  repeat,
  reshape,
  slice,
  stack,
  type Tensor,
  transpose,
} from "../tensor/index.ts";
import { needImages, type Sizes, sizesOf } from "./conv.ts";
import { needWhole } from "./core.ts";
import { type Layer, type LayerOptions, makeLayer } from "./layer.ts";

/**
 * A number for all sides; for one spatial axis a pair [before, after]; for more one entry an axis, a number for both sides or a
 * pair.
 */
export type SidesOption = number | readonly (number | readonly [number, number])[];

/** [before, after] of each spatial axis. */
function sidesOf(layer: string, option: string, value: SidesOption, rank: number): [number, number][] {
  const given = typeof value === "number" ? new Array<number>(rank).fill(value) : value;
  const list = rank === 1 && given.length === 2 ? [given as readonly [number, number]] : given;
  const sides = list.map((s): [number, number] => (typeof s === "number" ? [s, s] : [s[0], s[1]]));
  if (sides.length !== rank || !sides.flat().every((n) => Number.isInteger(n) && n >= 0)) {
    throw new ValueError(
      `[${layer}] ${option} must be a whole number ≥ 0${rank === 1 ? " or a pair [before, after]" : `, or ${rank} of them or pairs`}, got ${JSON.stringify(value)}.`,
    );
  }
  return sides;
}

function zeroPadding(rank: number, padding: SidesOption, options: LayerOptions): Layer {
  const name = `zeroPadding${rank}d`;
  const sides = sidesOf(name, "padding", padding, rank);
  return makeLayer({
    class: name,
    options,
    config: { padding: sides },
    check: ([shape], tag) => needImages(tag, shape, rank),
    call: ([x]) => pad(x, [[0, 0], ...sides, [0, 0]]),
  });
}

/**
 * Zeros around [batch, length, channels]; padding 1 by default, or [before, after] (Keras: ZeroPadding1D).
 *
 * @example zeroPadding1d(1)(zeros([1, 6, 3])).shape; // → [1, 8, 3]
 */
export const zeroPadding1d = (padding: SidesOption = 1, options: LayerOptions = {}): Layer =>
  zeroPadding(1, padding, options);
/**
 * Zeros around [batch, height, width, channels] (Keras: ZeroPadding2D).
 *
 * @example
 * const y = zeroPadding2d([[1, 0], 2])(zeros([1, 4, 4, 3])); // [1, 5, 8, 3]
 */
export const zeroPadding2d = (padding: SidesOption = 1, options: LayerOptions = {}): Layer =>
  zeroPadding(2, padding, options);
/**
 * Zeros around [batch, depth, height, width, channels] (Keras: ZeroPadding3D).
 *
 * @example zeroPadding3d(1)(zeros([1, 4, 4, 4, 2])).shape; // → [1, 6, 6, 6, 2]
 */
export const zeroPadding3d = (padding: SidesOption = 1, options: LayerOptions = {}): Layer =>
  zeroPadding(3, padding, options);

function cropping(rank: number, crop: SidesOption, options: LayerOptions): Layer {
  const name = `cropping${rank}d`;
  const sides = sidesOf(name, "cropping", crop, rank);
  return makeLayer({
    class: name,
    options,
    config: { cropping: sides },
    check([shape], tag) {
      needImages(tag, shape, rank);
      const axis = sides.findIndex(([lo, hi], i) => lo + hi >= shape[i + 1]);
      if (axis < 0) return;
      throw new ShapeError(
        `${tag} cuts ${sides[axis][0]} + ${sides[axis][1]} off ${shape[axis + 1]} on spatial axis ${axis} of input ${showShape(shape)}: nothing is left.`,
      );
    },
    call: ([x]) => slice(x, null, ...sides.map(([lo, hi], i): [number, number] => [lo, x.shape[i + 1] - hi])),
  });
}

/**
 * Cuts the ends off [batch, length, channels]; 1 by default, or [before, after] (Keras: Cropping1D).
 *
 * @example cropping1d(1)(zeros([1, 6, 3])).shape; // → [1, 4, 3]
 */
export const cropping1d = (crop: SidesOption = 1, options: LayerOptions = {}): Layer => cropping(1, crop, options);
/**
 * Cuts the border off [batch, height, width, channels]; nothing by default (Keras: Cropping2D).
 *
 * @example cropping2d(1)(zeros([1, 4, 4, 3])).shape; // → [1, 2, 2, 3]
 */
export const cropping2d = (crop: SidesOption = 0, options: LayerOptions = {}): Layer => cropping(2, crop, options);
/**
 * Cuts the border off [batch, depth, height, width, channels]; 1 by default (Keras: Cropping3D).
 *
 * @example cropping3d(1)(zeros([1, 4, 4, 4, 2])).shape; // → [1, 2, 2, 2, 2]
 */
export const cropping3d = (crop: SidesOption = 1, options: LayerOptions = {}): Layer => cropping(3, crop, options);

/** Options of `upSampling1d`, `upSampling2d` and `upSampling3d`. */
export interface UpSamplingOptions extends LayerOptions {
  /** "nearest" repeats, "bilinear" draws straight lines between centres (of pixels, not corners). Default "nearest". */
  readonly interpolation?: "nearest" | "bilinear";
}

/** Axis `axis` of x made `count` times as long by straight lines between the centres; the ends stay level. */
function linear(x: Tensor, axis: number, count: number): Tensor {
  if (count === 1) return x;
  const size = x.shape[axis];
  const padded = pad(
    x,
    x.shape.map((_, i): [number, number] => (i === axis ? [1, 1] : [0, 0])),
    { mode: "edge" },
  );
  const from = (start: number): Tensor =>
    slice(padded, ...x.shape.map((_, i): [number, number] | null => (i === axis ? [start, start + size] : null)));
  // Place k of `count` lies (k + ½)/count − ½ beyond its centre.
  const places = Array.from({ length: count }, (_, k) => {
    const beyond = (k + 0.5) / count - 0.5;
    const left = beyond < 0 ? 0 : 1;
    const share = beyond < 0 ? 1 + beyond : beyond;
    return share === 0 ? from(left) : add(mul(from(left), 1 - share), mul(from(left + 1), share));
  });
  return reshape(
    stack(places, axis + 1),
    x.shape.map((d, i) => (i === axis ? d * count : d)),
  );
}

function upSampling(rank: number, sizes: Sizes, options: UpSamplingOptions): Layer {
  const name = `upSampling${rank}d`;
  const size = sizesOf(name, "size", sizes, rank);
  const { interpolation = "nearest" } = options;
  if (interpolation !== "nearest" && interpolation !== "bilinear")
    throw new ValueError(
      `[${name}] interpolation must be "nearest" or "bilinear", got ${JSON.stringify(interpolation)}.`,
    );
  const enlarge =
    interpolation === "nearest" ? (x: Tensor, axis: number, n: number): Tensor => repeat(x, n, axis) : linear;
  return makeLayer({
    class: name,
    options,
    config: { size, interpolation },
    check: ([shape], tag) => needImages(tag, shape, rank),
    call: ([x]) => size.reduce((y, n, i) => enlarge(y, i + 1, n), x),
  });
}

/**
 * [batch, length, channels] made `size` times as long, 2 by default (Keras: UpSampling1D).
 *
 * @example upSampling1d(2)(zeros([1, 6, 3])).shape; // → [1, 12, 3]
 */
export const upSampling1d = (size: Sizes = 2, options: UpSamplingOptions = {}): Layer => upSampling(1, size, options);
/**
 * Images made `size` times as large, 2 by default (Keras: UpSampling2D).
 *
 * @example
 * const y = upSampling2d(2, { interpolation: "bilinear" })(zeros([1, 7, 7, 16])); // [1, 14, 14, 16]
 */
export const upSampling2d = (size: Sizes = 2, options: UpSamplingOptions = {}): Layer => upSampling(2, size, options);
/**
 * Volumes made `size` times as large, 2 by default (Keras: UpSampling3D).
 *
 * @example upSampling3d(2)(zeros([1, 4, 4, 4, 2])).shape; // → [1, 8, 8, 8, 2]
 */
export const upSampling3d = (size: Sizes = 2, options: UpSamplingOptions = {}): Layer => upSampling(3, size, options);

/**
 * The axes of a sample in another order, counted from 1, the batch stays in front (Keras: Permute).
 *
 * @throws ValueError unless `dims` holds each of 1..n once; ShapeError for inputs of another rank.
 * @example
 * const y = permute([2, 1])(zeros([8, 3, 5])); // [8, 5, 3]
 */
export function permute(dims: readonly number[], options: LayerOptions = {}): Layer {
  if (dims.toSorted((a, b) => a - b).some((d, i) => d !== i + 1))
    throw new ValueError(
      `[permute] dims must hold each of 1..${dims.length} once (0 is the batch), got ${showShape(dims)}.`,
    );
  return makeLayer({
    class: "permute",
    options,
    config: { dims },
    check([shape], tag) {
      if (shape.length === dims.length + 1) return;
      throw new ShapeError(`${tag} expects samples of ${dims.length} axes, got input ${showShape(shape)}.`);
    },
    call: ([x]) => transpose(x, [0, ...dims]),
  });
}

/**
 * [batch, features] → [batch, count, features], the same row `count` times (Keras: RepeatVector).
 *
 * @example repeatVector(3)(zeros([2, 4])).shape; // → [2, 3, 4]
 */
export function repeatVector(count: number, options: LayerOptions = {}): Layer {
  needWhole("repeatVector", "count", count);
  return makeLayer({
    class: "repeatVector",
    options,
    config: { count },
    check([shape], tag) {
      if (shape.length !== 2) throw new ShapeError(`${tag} expects [batch, features], got input ${showShape(shape)}.`);
    },
    call: ([x]) => broadcastTo(expandDims(x, 1), [x.shape[0], count, x.shape[1]]),
  });
}
