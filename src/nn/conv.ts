import { ShapeError, showShape, ValueError } from "../base/index.ts";
import { conv, type ConvOptions as TensorConvOptions, depthwiseConv, type Tensor } from "../tensor/index.ts";
import type { Constraint } from "./constraints.ts";
import { needWhole } from "./core.ts";
import { type InitializerLike, initializerOf } from "./initializers.ts";
import { type Config, type Layer, makeLayer } from "./layer.ts";
import { partsJson, type RegularizerLike, regularizerOf } from "./regularizers.ts";
import { type WeightOptions, weightsOf } from "./weights.ts";

/** One whole number for all spatial axes, or one for each. */
export type Sizes = number | readonly number[];

export type PaddingOption = "valid" | "same" | "causal";

/** `sizes` for `rank` spatial axes, each a whole number of at least 1. */
export function sizesOf(layer: string, option: string, sizes: Sizes, rank: number): number[] {
  const list = Array.isArray(sizes) ? [...sizes] : new Array<number>(rank).fill(sizes as number);
  if (list.length !== rank) throw new ValueError(`[${layer}] ${option} needs ${rank} sizes, got ${showShape(list)}.`);
  for (const n of list) needWhole(layer, option, n);
  return list;
}

const AXES = ["", "length", "height, width", "depth, height, width"];

/** Throws unless the input is [batch, ...spatial, channels]. */
export function needImages(tag: string, shape: readonly number[], rank: number): void {
  if (shape.length === rank + 2) return;
  let hint = "";
  if (shape.length === rank + 1)
    hint = ` Is the channel axis missing? reshape to ${showShape([...shape, 1])}; or the batch axis: ${showShape([1, ...shape])}.`;
  else if (shape.length === 2) hint = " It seems to be flattened already: put flatten() after the convolutions.";
  throw new ShapeError(`${tag} expects [batch, ${AXES[rank]}, channels], got input ${showShape(shape)}.${hint}`);
}

export interface ConvBase extends WeightOptions {
  /** Step of the window; default 1. */
  readonly strides?: Sizes;
  /** "valid": none; "same": size ceil(n/stride), the odd zero behind (S-252). Default "valid". */
  readonly padding?: PaddingOption;
  /** Distance between taps; default 1 (Keras: dilation_rate). */
  readonly dilationRate?: Sizes;
}

/** Options of `conv1d`, `conv2d` and `conv3d`. */
export interface ConvOptions extends ConvBase {
  /** Channels are split into this many groups that do not see each other; default 1. */
  readonly groups?: number;
  /** Default "glorotUniform". */
  readonly kernelInitializer?: InitializerLike;
}

interface Geometry {
  readonly kernel: number[];
  readonly strides: number[];
  readonly dilation: number[];
  readonly padding: PaddingOption;
}

/** What `conv` takes: causal padding puts all zeros in front. */
const argumentsOf = (g: Geometry): TensorConvOptions => ({
  strides: g.strides,
  padding: g.padding === "causal" ? g.kernel.map((k, i): [number, number] => [(k - 1) * g.dilation[i], 0]) : g.padding,
  dilation: g.dilation,
});

const geometryJson = (g: Geometry): Config => ({
  kernelSize: g.kernel,
  strides: g.strides,
  padding: g.padding,
  dilationRate: g.dilation,
});

function geometryOf(layer: string, kernelSize: Sizes, options: ConvBase, rank: number): Geometry {
  const { padding = "valid" } = options;
  if (!["valid", "same", ...(rank === 1 ? ["causal"] : [])].includes(padding)) {
    throw new ValueError(
      `[${layer}] padding must be "valid" or "same"${rank === 1 ? ' or "causal"' : ""}, got ${JSON.stringify(padding)}.`,
    );
  }
  return {
    kernel: sizesOf(layer, "kernelSize", kernelSize, rank),
    strides: sizesOf(layer, "strides", options.strides ?? 1, rank),
    dilation: sizesOf(layer, "dilationRate", options.dilationRate ?? 1, rank),
    padding,
  };
}

/** Throws when the window is larger than the image. */
function needRoom(tag: string, shape: readonly number[], g: Geometry): void {
  if (g.padding !== "valid") return;
  g.kernel.forEach((k, i) => {
    const span = (k - 1) * g.dilation[i] + 1;
    if (span <= shape[i + 1]) return;
    throw new ShapeError(
      `${tag} a window of ${span} does not fit ${shape[i + 1]} on spatial axis ${i} of input ${showShape(shape)}: use padding "same", a smaller kernel, or less pooling before.`,
    );
  });
}

function checkChannels(tag: string, shape: readonly number[], want: number, kernel: readonly number[]): void {
  const got = shape[shape.length - 1];
  if (got === want) return;
  const first = shape[1] === want ? " The channels must be the last axis: transpose([0, 2, 3, 1])." : "";
  throw new ShapeError(
    `${tag} expects ${want} channels, got input ${showShape(shape)}; kernel ${showShape(kernel)} needs [..., ${want}].${first}`,
  );
}

/** x [batch, ...spatial, in], kernel [...window, in/groups, filters] → [batch, ...spatial', filters]. */
function convolution(rank: number, filters: number, kernelSize: Sizes, options: ConvOptions): Layer {
  const kind = `conv${rank}d`;
  const { groups = 1 } = options;
  needWhole(kind, "filters", filters);
  needWhole(kind, "groups", groups);
  if (filters % groups !== 0) throw new ValueError(`[${kind}] ${filters} filters do not split into ${groups} groups.`);
  const g = geometryOf(kind, kernelSize, options, rank);
  const weights = weightsOf(options, options.kernelInitializer);
  return makeLayer({
    class: kind,
    options,
    activity: weights.activity,
    config: () => ({ filters, ...geometryJson(g), groups, ...weights.config() }),
    build([shape], variable, tag) {
      needImages(tag, shape, rank);
      const channels = shape[rank + 1];
      if (channels % groups !== 0)
        throw new ShapeError(
          `${tag} ${channels} channels of input ${showShape(shape)} do not split into ${groups} groups.`,
        );
      weights.build(variable, [...g.kernel, channels / groups, filters], [filters]);
    },
    check([shape], tag) {
      const w = weights.kernel.shape;
      needImages(tag, shape, rank);
      checkChannels(tag, shape, w[rank] * groups, w);
      needRoom(tag, shape, g);
    },
    call: ([x]) => weights.finish(conv(x, weights.kernel, { ...argumentsOf(g), groups })),
  });
}

/**
 * Sequences [batch, length, channels]; also padding "causal" (Keras: Conv1D).
 *
 * @example conv1d(8, 3)(zeros([1, 6, 3])).shape; // → [1, 4, 8]
 */
export const conv1d = (filters: number, kernelSize: Sizes, options: ConvOptions = {}): Layer =>
  convolution(1, filters, kernelSize, options);

/**
 * Images [batch, height, width, channels] through `filters` sliding windows (cross-correlation: kernels are not flipped) →
 * [batch, height', width', filters], height' = ⌊(n + 2p − f)/s⌋ + 1 (Keras: Conv2D; S-211 to S-232, S-436).
 *
 * @example
 * const y = conv2d(6, 5, { padding: "same", activation: "relu" })(zeros([1, 28, 28, 1])); // [1, 28, 28, 6]
 */
export const conv2d = (filters: number, kernelSize: Sizes, options: ConvOptions = {}): Layer =>
  convolution(2, filters, kernelSize, options);

/**
 * Volumes [batch, depth, height, width, channels] (Keras: Conv3D).
 *
 * @example conv3d(8, 3)(zeros([1, 4, 4, 4, 2])).shape; // → [1, 2, 2, 2, 8]
 */
export const conv3d = (filters: number, kernelSize: Sizes, options: ConvOptions = {}): Layer =>
  convolution(3, filters, kernelSize, options);

/** Options of `depthwiseConv1d` and `depthwiseConv2d`. */
export interface DepthwiseOptions extends ConvBase {
  /** Outputs for each input channel; default 1. */
  readonly depthMultiplier?: number;
  /** Default "glorotUniform". */
  readonly depthwiseInitializer?: InitializerLike;
}

/** x [batch, ...spatial, in], kernel [...window, in, multiplier] → [batch, ...spatial', in·multiplier]. */
function depthwise(rank: number, kernelSize: Sizes, options: DepthwiseOptions): Layer {
  const { depthMultiplier = 1 } = options;
  const kind = `depthwiseConv${rank}d`;
  needWhole(kind, "depthMultiplier", depthMultiplier);
  const g = geometryOf(kind, kernelSize, options, rank);
  const weights = weightsOf(options, options.depthwiseInitializer, "depthwiseInitializer", "depthwise_kernel");
  return makeLayer({
    class: kind,
    options,
    activity: weights.activity,
    config: (): Config => ({ ...geometryJson(g), depthMultiplier, ...weights.config() }),
    build([shape], variable, tag) {
      needImages(tag, shape, rank);
      const channels = shape[rank + 1];
      weights.build(variable, [...g.kernel, channels, depthMultiplier], [channels * depthMultiplier]);
    },
    check([shape], tag) {
      const w = weights.kernel.shape;
      needImages(tag, shape, rank);
      checkChannels(tag, shape, w[rank], w);
      needRoom(tag, shape, g);
    },
    call: ([x]) => weights.finish(depthwiseConv(x, weights.kernel, argumentsOf(g))),
  });
}

/**
 * Every channel of [batch, length, channels] through windows of its own; also padding "causal" (Keras: DepthwiseConv1D).
 *
 * @example depthwiseConv1d(3)(zeros([1, 6, 3])).shape; // → [1, 4, 3]
 */
export const depthwiseConv1d = (kernelSize: Sizes, options: DepthwiseOptions = {}): Layer =>
  depthwise(1, kernelSize, options);
/**
 * Every channel through `depthMultiplier` windows of its own: x [batch, h, w, in], kernel [kh, kw, in, multiplier] →
 * [batch, h', w', in·multiplier] (Keras: DepthwiseConv2D).
 *
 * @example depthwiseConv2d(3)(zeros([1, 4, 4, 3])).shape; // → [1, 2, 2, 3]
 */
export const depthwiseConv2d = (kernelSize: Sizes, options: DepthwiseOptions = {}): Layer =>
  depthwise(2, kernelSize, options);

/** Options of `separableConv1d` and `separableConv2d`. */
export interface SeparableOptions extends ConvBase {
  /** Channels between the two steps for each input channel; default 1. */
  readonly depthMultiplier?: number;
  /** Default "glorotUniform". */
  readonly depthwiseInitializer?: InitializerLike;
  /** Default "glorotUniform". `kernelRegularizer` and `kernelConstraint` are those of this kernel. */
  readonly pointwiseInitializer?: InitializerLike;
  /** A penalty on the depthwise kernel; default none. */
  readonly depthwiseRegularizer?: RegularizerLike;
  /** What the depthwise kernel is held to; default none. */
  readonly depthwiseConstraint?: Constraint;
}

/** First each channel by itself, then all channels at each place. */
function separable(rank: number, filters: number, kernelSize: Sizes, options: SeparableOptions): Layer {
  const { depthMultiplier = 1, depthwiseConstraint = null } = options;
  const kind = `separableConv${rank}d`;
  needWhole(kind, "filters", filters);
  needWhole(kind, "depthMultiplier", depthMultiplier);
  const g = geometryOf(kind, kernelSize, options, rank);
  const depthwiseInitializer = initializerOf(options.depthwiseInitializer ?? "glorotUniform");
  const depthwiseRegularizer = regularizerOf(options.depthwiseRegularizer);
  const weights = weightsOf(options, options.pointwiseInitializer, "pointwiseInitializer", "pointwise_kernel");
  let depthwiseKernel: Tensor | null = null;
  return makeLayer({
    class: kind,
    options,
    activity: weights.activity,
    config: (): Config => ({
      filters,
      ...geometryJson(g),
      depthMultiplier,
      depthwiseInitializer: depthwiseInitializer.config,
      ...partsJson({ depthwiseRegularizer, depthwiseConstraint }),
      ...weights.config(),
    }),
    build([shape], variable, tag) {
      needImages(tag, shape, rank);
      const channels = shape[rank + 1];
      depthwiseKernel = variable("depthwise_kernel", [...g.kernel, channels, depthMultiplier], depthwiseInitializer, {
        regularizer: depthwiseRegularizer,
        constraint: depthwiseConstraint,
      });
      weights.build(variable, [...g.kernel.map(() => 1), channels * depthMultiplier, filters], [filters]);
    },
    check([shape], tag) {
      const w = (depthwiseKernel as Tensor).shape;
      needImages(tag, shape, rank);
      checkChannels(tag, shape, w[rank], w);
      needRoom(tag, shape, g);
    },
    call: ([x]) => weights.finish(conv(depthwiseConv(x, depthwiseKernel as Tensor, argumentsOf(g)), weights.kernel)),
  });
}

/**
 * The separable convolution of [batch, length, channels]; also padding "causal" (Keras: SeparableConv1D).
 *
 * @example separableConv1d(8, 3)(zeros([1, 6, 3])).shape; // → [1, 4, 8]
 */
export const separableConv1d = (filters: number, kernelSize: Sizes, options: SeparableOptions = {}): Layer =>
  separable(1, filters, kernelSize, options);
/**
 * A depthwise convolution, then a 1×1 one across channels: nearly f² times fewer multiplications than `conv2d` (Keras:
 * SeparableConv2D; Chollet 2017).
 *
 * @example
 * const y = separableConv2d(32, 3, { padding: "same" })(zeros([1, 28, 28, 16])); // [1, 28, 28, 32]
 */
export const separableConv2d = (filters: number, kernelSize: Sizes, options: SeparableOptions = {}): Layer =>
  separable(2, filters, kernelSize, options);
