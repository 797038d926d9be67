import { ShapeError, showShape, ValueError } from "../base/index.ts";
import { convTranspose } from "../tensor/index.ts";
import { needImages, type Sizes, sizesOf } from "./conv.ts";
import { needWhole } from "./core.ts";
import type { InitializerLike } from "./initializers.ts";
import { type Layer, makeLayer } from "./layer.ts";
import { type WeightOptions, weightsOf } from "./weights.ts";

/** Options of `conv1dTranspose`, `conv2dTranspose` and `conv3dTranspose`. */
export interface ConvTransposeOptions extends WeightOptions {
  /** How many times larger the result is; default 1. */
  readonly strides?: Sizes;
  /** "valid": size n·s + max(k − s, 0); "same": n·s. Default "valid". */
  readonly padding?: "valid" | "same";
  /** Distance between taps; default 1. */
  readonly dilationRate?: Sizes;
  /** Channels are split into this many groups that do not see each other; default 1. */
  readonly groups?: number;
  /** Default "glorotUniform". */
  readonly kernelInitializer?: InitializerLike;
}

/** x [batch, ...spatial, in], kernel [...window, filters / groups, in] → [batch, ...larger, filters]. */
function transposed(rank: number, filters: number, kernelSize: Sizes, options: ConvTransposeOptions): Layer {
  const kind = `conv${rank}dTranspose`;
  const { padding = "valid", groups = 1 } = options;
  needWhole(kind, "filters", filters);
  needWhole(kind, "groups", groups);
  if (filters % groups !== 0) throw new ValueError(`[${kind}] ${filters} filters do not split into ${groups} groups.`);
  if (padding !== "valid" && padding !== "same")
    throw new ValueError(`[${kind}] padding must be "valid" or "same", got ${JSON.stringify(padding)}.`);
  const size = sizesOf(kind, "kernelSize", kernelSize, rank);
  const strides = sizesOf(kind, "strides", options.strides ?? 1, rank);
  const dilation = sizesOf(kind, "dilationRate", options.dilationRate ?? 1, rank);
  const weights = weightsOf(options, options.kernelInitializer);
  return makeLayer({
    class: kind,
    options,
    activity: weights.activity,
    config: () => ({
      filters,
      kernelSize: size,
      strides,
      padding,
      dilationRate: dilation,
      groups,
      ...weights.config(),
    }),
    build([shape], variable, tag) {
      needImages(tag, shape, rank);
      const channels = shape[rank + 1];
      if (channels % groups !== 0)
        throw new ShapeError(
          `${tag} ${channels} channels of input ${showShape(shape)} do not split into ${groups} groups.`,
        );
      weights.build(variable, [...size, filters / groups, channels], [filters]);
    },
    check([shape], tag) {
      const w = weights.kernel.shape;
      needImages(tag, shape, rank);
      if (shape[rank + 1] === w[rank + 1]) return;
      throw new ShapeError(
        `${tag} expects ${w[rank + 1]} channels, got input ${showShape(shape)}; kernel ${showShape(w)} is [...window, out, in].`,
      );
    },
    call: ([x]) => weights.finish(convTranspose(x, weights.kernel, { strides, padding, dilation, groups })),
  });
}

/**
 * Sequences made longer (Keras: Conv1DTranspose).
 *
 * @example conv1dTranspose(8, 3, { strides: 2 })(zeros([1, 6, 3])).shape; // → [1, 13, 8]
 */
export const conv1dTranspose = (filters: number, kernelSize: Sizes, options: ConvTransposeOptions = {}): Layer =>
  transposed(1, filters, kernelSize, options);
/**
 * Images made larger: the transpose of a convolution from `filters` channels (Keras: Conv2DTranspose, whose kernel layout
 * [...window, filters, in] this keeps).
 *
 * @example
 * const y = conv2dTranspose(8, 3, { strides: 2, padding: "same" })(zeros([1, 7, 7, 16])); // [1, 14, 14, 8]
 */
export const conv2dTranspose = (filters: number, kernelSize: Sizes, options: ConvTransposeOptions = {}): Layer =>
  transposed(2, filters, kernelSize, options);
/**
 * Volumes made larger (Keras: Conv3DTranspose).
 *
 * @example conv3dTranspose(8, 2, { strides: 2 })(zeros([1, 4, 4, 4, 2])).shape; // → [1, 8, 8, 8, 8]
 */
export const conv3dTranspose = (filters: number, kernelSize: Sizes, options: ConvTransposeOptions = {}): Layer =>
  transposed(3, filters, kernelSize, options);
