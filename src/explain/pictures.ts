import { ShapeError, showShape, ValueError } from "../base/index.ts";
import { type Layer, layerOutputs } from "../nn/index.ts";
import { type Tensor, tensor, type TensorLike } from "../tensor/index.ts";
import { type Picture, stretch } from "../viz/index.ts";
import type { Explained } from "./scores.ts";

/** The channels of [height, width, channels], one picture each, all on one scale from 0 to 1. */
function channelsOf(
  data: ArrayLike<number>,
  height: number,
  width: number,
  channels: number,
  signed: boolean,
): Picture[] {
  const values = stretch(data, signed);
  return Array.from({ length: channels }, (_, c) => ({
    width,
    height,
    data: Float64Array.from({ length: height * width }, (_v, i) => values[i * channels + c]),
  }));
}

/**
 * The filters of a convolution as pictures, one for each filter, averaged over the input channels; 0.5 stands for a weight of 0
 * (S-426). Draw them with `pictureSheet(pictures, { palette: "signed" })` of chainrule/viz.
 *
 * @throws ValueError for a layer without a kernel [height, width, in, out].
 * @example const sheet = pictureSheet(filterPictures(net.layer("conv2d")), { palette: "signed" });
 */
export function filterPictures(layer: Layer): Picture[] {
  const kernel = layer.variables.find((v) => v.rank === 4);
  if (kernel === undefined)
    throw new ValueError(
      `[filterPictures] ${layer.class} "${layer.name}" has no kernel [height, width, in, out]: ${layer.built ? "take a conv2d layer" : "it is not built yet"}.`,
    );
  const [height, width, , out] = kernel.shape;
  return channelsOf(kernel.mean(2).dataSync(), height, width, out, true);
}

/**
 * What a layer sees in one picture: its feature maps, one picture a channel (S-426).
 *
 * @param x [height, width, channels] or [1, height, width, channels]
 * @param layer path of a layer that gives [1, h, w, k]: "conv2d"
 * @throws ValueError for an unknown layer; ShapeError when it gives no maps, or for several pictures.
 * @example const sheet = pictureSheet(featureMaps(net, x.slice([0, 1]), "conv2d"));
 */
export function featureMaps(net: Explained, x: TensorLike, layer: string): Picture[] {
  const given = tensor(x);
  if (given.rank < 3 || given.rank > 4 || (given.rank === 4 && given.shape[0] !== 1))
    throw new ShapeError(`[featureMaps] takes one picture [height, width, channels], got ${showShape(given.shape)}.`);
  const all = layerOutputs(net, given.rank === 3 ? given.reshape([1, ...given.shape]) : given);
  const maps = all[layer] as Tensor | undefined;
  if (maps === undefined)
    throw new ValueError(`[featureMaps] there is no layer "${layer}": there are ${Object.keys(all).join(", ")}.`);
  if (maps.rank !== 4)
    throw new ShapeError(
      `[featureMaps] layer "${layer}" gives ${showShape(maps.shape)}, not maps [1, height, width, k].`,
    );
  const [, height, width, channels] = maps.shape;
  return channelsOf(maps.dataSync(), height, width, channels, false);
}
