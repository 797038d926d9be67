/** Pooling to a given size. */
import { ShapeError, showShape } from "../base/index.ts";
import { concat, gather, max, mean, reshape, type Tensor } from "../tensor/index.ts";
import { needImages, type Sizes, sizesOf } from "./conv.ts";
import { type Layer, type LayerOptions, makeLayer } from "./layer.ts";

type Reduce = typeof mean;

/** Axis `axis` of x in `bins` parts: part i takes places floor(i·size/bins) to ceil((i + 1)·size/bins). */
function pooled(x: Tensor, axis: number, bins: number, reduce: Reduce): Tensor {
  const size = x.shape[axis];
  const around = (n: readonly number[]): number[] => [...x.shape.slice(0, axis), ...n, ...x.shape.slice(axis + 1)];
  if (size % bins === 0) return reduce(reshape(x, around([bins, size / bins])), axis + 1);
  const parts = Array.from({ length: bins }, (_, i) => {
    const [from, to] = [Math.floor((i * size) / bins), Math.ceil(((i + 1) * size) / bins)];
    return Array.from({ length: to - from }, (__, k) => from + k);
  });
  // Parts differ in length by one: of each length those that have it, then all in their order.
  const lengths = [...new Set(parts.map((p) => p.length))];
  const groups = lengths.map((length) => parts.flatMap((p, i) => (p.length === length ? [i] : [])));
  const reduced = groups.map((group, g) => {
    const places = Int32Array.from(group.flatMap((i) => parts[i]));
    return reduce(reshape(gather(x, places, axis), around([group.length, lengths[g]])), axis + 1);
  });
  if (reduced.length === 1) return reduced[0];
  const order = groups.flat();
  return gather(
    concat(reduced, axis),
    Int32Array.from(order.keys(), (i) => order.indexOf(i)),
    axis,
  );
}

function adaptive(name: string, reduce: Reduce, rank: number, outputSize: Sizes, options: LayerOptions): Layer {
  const size = sizesOf(name, "outputSize", outputSize, rank);
  return makeLayer({
    class: name,
    options,
    config: { outputSize: size },
    check([shape], tag) {
      needImages(tag, shape, rank);
      const axis = size.findIndex((n, i) => n > shape[i + 1]);
      if (axis < 0) return;
      throw new ShapeError(
        `${tag} cannot pool ${shape[axis + 1]} places to ${size[axis]} on spatial axis ${axis} of input ${showShape(shape)}: upSampling${rank}d() makes more.`,
      );
    },
    call: ([x]) => size.reduce((y, bins, i) => pooled(y, i + 1, bins, reduce), x),
  });
}

/**
 * Mean of `outputSize` parts of the length of [batch, length, channels], which may overlap by one (Keras: AdaptiveAveragePooling1D).
 *
 * @example adaptiveAvgPool1d(2)(tensor([[[1], [2], [3]]])).array(); // → [[[1.5], [2.5]]]
 */
export const adaptiveAvgPool1d = (outputSize: Sizes, options: LayerOptions = {}): Layer =>
  adaptive("adaptiveAvgPool1d", mean, 1, outputSize, options);
/**
 * Means over [batch, height, width, channels] so that [batch, ...outputSize, channels] results: part i of n along an axis of s places
 * takes those from floor(i·s/n) to ceil((i + 1)·s/n) (Keras: AdaptiveAveragePooling2D; PyTorch: AdaptiveAvgPool2d).
 *
 * @example
 * const y = adaptiveAvgPool2d([7, 7])(zeros([1, 10, 13, 8])); // [1, 7, 7, 8]
 */
export const adaptiveAvgPool2d = (outputSize: Sizes, options: LayerOptions = {}): Layer =>
  adaptive("adaptiveAvgPool2d", mean, 2, outputSize, options);
/**
 * The same over [batch, depth, height, width, channels] (Keras: AdaptiveAveragePooling3D).
 *
 * @example adaptiveAvgPool3d([2, 1, 1])(zeros([1, 4, 3, 3, 2])).shape; // → [1, 2, 1, 1, 2]
 */
export const adaptiveAvgPool3d = (outputSize: Sizes, options: LayerOptions = {}): Layer =>
  adaptive("adaptiveAvgPool3d", mean, 3, outputSize, options);
/**
 * Largest of `outputSize` parts of the length (Keras: AdaptiveMaxPooling1D).
 *
 * @example adaptiveMaxPool1d(2)(tensor([[[1], [2], [3]]])).array(); // → [[[2], [3]]]
 */
export const adaptiveMaxPool1d = (outputSize: Sizes, options: LayerOptions = {}): Layer =>
  adaptive("adaptiveMaxPool1d", max, 1, outputSize, options);
/**
 * Largest of the parts that `adaptiveAvgPool2d` has (Keras: AdaptiveMaxPooling2D; PyTorch: AdaptiveMaxPool2d).
 *
 * @example adaptiveMaxPool2d(2)(zeros([1, 7, 5, 3])).shape; // → [1, 2, 2, 3]
 */
export const adaptiveMaxPool2d = (outputSize: Sizes, options: LayerOptions = {}): Layer =>
  adaptive("adaptiveMaxPool2d", max, 2, outputSize, options);
/**
 * Largest of the parts over [batch, depth, height, width, channels] (Keras: AdaptiveMaxPooling3D).
 *
 * @example adaptiveMaxPool3d(2)(zeros([1, 4, 3, 5, 2])).shape; // → [1, 2, 2, 2, 2]
 */
export const adaptiveMaxPool3d = (outputSize: Sizes, options: LayerOptions = {}): Layer =>
  adaptive("adaptiveMaxPool3d", max, 3, outputSize, options);
