import { ShapeError, showShape, ValueError } from "../base/index.ts";
import { add, convTranspose, type Tensor } from "../tensor/index.ts";
import { activationJson, type ActivationLike, activationOf } from "./activations.ts";
import { needImages, type Sizes, sizesOf } from "./conv.ts";
import { needWhole } from "./core.ts";
import { type InitializerLike, initializerOf } from "./initializers.ts";
import { type Layer, type LayerOptions, makeLayer } from "./layer.ts";
import { type RegularizerLike, regularizerOf, regularizersJson } from "./regularizers.ts";

export interface ConvTransposeOptions extends LayerOptions {
  /** A penalty on the kernel; default none. */
  readonly kernelRegularizer?: RegularizerLike;
  /** A penalty on the bias; default none. */
  readonly biasRegularizer?: RegularizerLike;
  /** How many times larger the result is; default 1. */
  readonly strides?: Sizes;
  /** "valid": size n·s + max(k − s, 0); "same": n·s. Default "valid". */
  readonly padding?: "valid" | "same";
  /** Distance between taps; default 1. */
  readonly dilationRate?: Sizes;
  readonly activation?: ActivationLike;
  /** Default true. */
  readonly useBias?: boolean;
  /** Default "glorotUniform". */
  readonly kernelInitializer?: InitializerLike;
  /** Default "zeros". */
  readonly biasInitializer?: InitializerLike;
}

/** x [batch, ...spatial, in], kernel [...window, filters, in] → [batch, ...larger, filters]. */
function transposed(rank: number, filters: number, kernelSize: Sizes, options: ConvTransposeOptions): Layer {
  const kind = `conv${rank}dTranspose`;
  const { padding = "valid", useBias = true } = options;
  const kernelInitializer = initializerOf(options.kernelInitializer ?? "glorotUniform");
  const biasInitializer = initializerOf(options.biasInitializer ?? "zeros");
  const kernelRegularizer = regularizerOf(options.kernelRegularizer);
  const biasRegularizer = regularizerOf(options.biasRegularizer);
  needWhole(kind, "filters", filters);
  if (padding !== "valid" && padding !== "same")
    throw new ValueError(`[${kind}] padding must be "valid" or "same", got ${JSON.stringify(padding)}.`);
  const size = sizesOf(kind, "kernelSize", kernelSize, rank);
  const strides = sizesOf(kind, "strides", options.strides ?? 1, rank);
  const dilation = sizesOf(kind, "dilationRate", options.dilationRate ?? 1, rank);
  const act = activationOf(options.activation ?? "linear");
  let kernel: Tensor | null = null;
  let bias: Tensor | null = null;
  return makeLayer({
    class: kind,
    options,
    config: () => ({
      filters,
      kernelSize: size,
      strides,
      padding,
      dilationRate: dilation,
      activation: activationJson(act),
      useBias,
      kernelInitializer: kernelInitializer.config,
      biasInitializer: biasInitializer.config,
      ...regularizersJson({ kernelRegularizer, biasRegularizer }),
    }),
    build([shape], variable, tag) {
      needImages(tag, shape, rank);
      kernel = variable("kernel", [...size, filters, shape[rank + 1]], kernelInitializer, {
        regularizer: kernelRegularizer,
      });
      if (useBias) bias = variable("bias", [filters], biasInitializer, { regularizer: biasRegularizer });
    },
    check([shape], tag) {
      const w = kernel as Tensor;
      needImages(tag, shape, rank);
      if (shape[rank + 1] === w.shape[rank + 1]) return;
      throw new ShapeError(
        `${tag} expects ${w.shape[rank + 1]} channels, got input ${showShape(shape)}; kernel ${showShape(w.shape)} is [...window, out, in].`,
      );
    },
    call([x]) {
      const y = convTranspose(x, kernel as Tensor, { strides, padding, dilation });
      return act(bias === null ? y : add(y, bias));
    },
  });
}

/** Sequences made longer (Keras: Conv1DTranspose). */
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
/** Volumes made larger (Keras: Conv3DTranspose). */
export const conv3dTranspose = (filters: number, kernelSize: Sizes, options: ConvTransposeOptions = {}): Layer =>
  transposed(3, filters, kernelSize, options);
