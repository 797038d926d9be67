/**
 * Convolutions over channels-last tensors, all on the one `conv` primitive: 1-D, 2-D and 3-D, grouped, depthwise and
 * transposed. As in every deep-learning framework the kernel is not flipped (cross-correlation).
 */
import { isFloat, promote, ShapeError, showShape, ValueError } from "../base/index.ts";
import { build, type Node, type Pads } from "../ir/index.ts";
import { apply } from "./apply.ts";
import { asTensor, type TensorLike } from "./convert.ts";
import type { Tensor } from "./tensor.ts";

/** One number for all spatial axes, or one for each. */
export type PerAxis = number | readonly number[];

/**
 * same: zeros so that the output has ceil(input / stride) places, the odd one at the end (Keras, TensorFlow); valid: none;
 * a number for all sides; or a number or [before, after] for each spatial axis.
 */
export type ConvPadding = "same" | "valid" | number | readonly (number | Pads)[];

/** Options of `conv` and `depthwiseConv`. */
export interface ConvOptions {
  /** Default: 1. */
  readonly strides?: PerAxis;
  /** Default: "valid". */
  readonly padding?: ConvPadding;
  /** Distance between the taps of the kernel. Default: 1. */
  readonly dilation?: PerAxis;
  /** Channels are split into so many groups that do not see each other. Default: 1. */
  readonly groups?: number;
}

/** A number or list as one whole number ≥ 1 per spatial axis. */
export function perAxis(value: PerAxis | undefined, nd: number, fallback: number, op: string, what: string): number[] {
  const list =
    typeof value === "number" ? Array<number>(nd).fill(value) : [...(value ?? Array<number>(nd).fill(fallback))];
  if (list.length !== nd || list.some((v) => !Number.isInteger(v) || v < 1)) {
    throw new ValueError(
      `[${op}] ${what} must be a whole number ≥ 1, or ${nd} of them (one a spatial axis), got ${JSON.stringify(value)}.`,
    );
  }
  return list;
}

/** Padding of each spatial axis for input sizes `sizes` and kernel sizes `kernel`. */
export function padsFor(
  padding: ConvPadding | undefined,
  sizes: readonly number[],
  kernel: readonly number[],
  strides: readonly number[],
  dilation: readonly number[],
  op: string,
): Pads[] {
  const nd = sizes.length;
  if (padding === undefined || padding === "valid") return sizes.map(() => [0, 0]);
  if (padding === "same") {
    return sizes.map((n, i) => {
      const total = Math.max(0, (Math.ceil(n / strides[i]) - 1) * strides[i] + (kernel[i] - 1) * dilation[i] + 1 - n);
      return [Math.floor(total / 2), Math.ceil(total / 2)];
    });
  }
  const list = typeof padding === "number" ? Array<number>(nd).fill(padding) : padding;
  const pairs = Array.isArray(list) ? list.map((p): Pads => (typeof p === "number" ? [p, p] : p)) : [];
  if (pairs.length !== nd || pairs.some((p) => p.length !== 2 || !p.every((v) => Number.isInteger(v) && v >= 0))) {
    throw new ValueError(
      `[${op}] padding must be "same", "valid", a whole number ≥ 0 or ${nd} of them or pairs, got ${JSON.stringify(padding)}.`,
    );
  }
  return pairs;
}

/** Spatial rank of x [B, ...S, C], checked against 1..3. */
export function spatialRank(x: Tensor, op: string, wanted?: number): number {
  const nd = x.rank - 2;
  if (nd < 1 || nd > 3 || (wanted !== undefined && nd !== wanted)) {
    const want =
      wanted === undefined
        ? "[batch, ...1 to 3 spatial axes, channels]"
        : `[batch, ${["length", "height, width", "depth, height, width"][wanted - 1]}, channels]`;
    const hint = nd === (wanted ?? 2) - 1 ? " Is the batch or the channel axis missing? Use expandDims()." : "";
    throw new ShapeError(`[${op}] expects ${want}, got ${showShape(x.shape)}.${hint}`);
  }
  return nd;
}

/** x and w as floats of one dtype. */
function operands(op: string, x: TensorLike, w: TensorLike): [Tensor, Tensor] {
  const [a, b] = [asTensor(x, op), asTensor(w, op)];
  const common = promote(a.dtype, b.dtype);
  const dtype = isFloat(common) ? common : "float32";
  return [a.cast(dtype), b.cast(dtype)];
}

/**
 * x [B, ...S, C] and w [...K, C / groups, O] → [B, ...S', O], with 1 to 3 spatial axes.
 *
 * Throws ShapeError when the channels do not meet or the kernel is larger than the padded input.
 *
 * @example
 * conv(ones([1, 5, 5, 3]), ones([3, 3, 3, 8])).shape; // → [1, 3, 3, 8]
 * conv(ones([1, 5, 5, 3]), ones([3, 3, 3, 8]), { strides: 2, padding: "same" }).shape; // → [1, 3, 3, 8]
 */
export function conv(x: TensorLike, w: TensorLike, options: ConvOptions = {}): Tensor {
  const [a, b] = operands("conv", x, w);
  const nd = spatialRank(a, "conv");
  const groups = options.groups ?? 1;
  if (b.rank !== nd + 2) {
    throw new ShapeError(
      `[conv] x ${showShape(a.shape)} has ${nd} spatial axes, so w must be [${"k, ".repeat(nd)}in, out], got ${showShape(b.shape)}.`,
    );
  }
  const [channels, inputs, outputs] = [a.shape[nd + 1], b.shape[nd], b.shape[nd + 1]];
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0 || outputs % groups !== 0) {
    throw new ValueError(
      `[conv] groups ${groups} must divide both the ${channels} channels of x ${showShape(a.shape)} and the ${outputs} of w ${showShape(b.shape)}.`,
    );
  }
  if (inputs * groups !== channels) {
    const hint =
      a.shape[1] === inputs && groups === 1
        ? " Is x channels-first? Use transpose to [batch, ...spatial, channels]."
        : "";
    throw new ShapeError(
      `[conv] x ${showShape(a.shape)} has ${channels} channels, w ${showShape(b.shape)} expects ${inputs * groups}` +
        `${groups > 1 ? ` (${groups} groups of ${inputs})` : ""}.${hint}`,
    );
  }
  return apply([a, b], (p, q) => convGroups(p, splitGroups(q, groups), groups, options, "conv"));
}

/** [...K, I, G · O] → [...K, G, I, O]. */
function splitGroups(w: Node, groups: number): Node {
  const kernel = w.shape.slice(0, -2);
  const [inputs, outputs] = w.shape.slice(-2);
  if (groups === 1) return build.reshape(w, [...kernel, 1, inputs, outputs]);
  const nd = kernel.length;
  const split = build.reshape(w, [...kernel, inputs, groups, outputs / groups]);
  return build.permute(split, [...kernel.keys(), nd + 1, nd, nd + 2]);
}

/** x [B, ...S, C] with w [...K, G, I, O] → [B, ...S', G · O]. */
function convGroups(x: Node, w: Node, groups: number, options: ConvOptions, op: string): Node {
  const nd = x.shape.length - 2;
  const sizes = x.shape.slice(1, nd + 1);
  const kernel = w.shape.slice(0, nd);
  const strides = perAxis(options.strides, nd, 1, op, "strides");
  const dilation = perAxis(options.dilation, nd, 1, op, "dilation");
  const padding = padsFor(options.padding, sizes, kernel, strides, dilation, op);
  sizes.forEach((n, i) => {
    if ((kernel[i] - 1) * dilation[i] + 1 <= n + padding[i][0] + padding[i][1]) return;
    throw new ShapeError(
      `[${op}] kernel ${showShape(kernel)} does not fit input ${showShape(sizes)} on spatial axis ${i}: pad the input ("same") or use a smaller kernel.`,
    );
  });
  const split = build.reshape(x, [...x.shape.slice(0, nd + 1), groups, x.shape[nd + 1] / groups]);
  const out = build.conv(split, w, { strides, padding, lhsDilation: Array<number>(nd).fill(1), rhsDilation: dilation });
  return build.reshape(out, [...out.shape.slice(0, nd + 1), groups * out.shape[nd + 2]]);
}

/**
 * Every channel with its own kernels: x [B, ...S, C] and w [...K, C, M] → [B, ...S', C · M], channel c giving outputs
 * c·M … c·M + M - 1 (Keras' depth multiplier M).
 *
 * @example depthwiseConv(ones([1, 5, 5, 3]), ones([3, 3, 3, 2])).shape; // → [1, 3, 3, 6]
 */
export function depthwiseConv(x: TensorLike, w: TensorLike, options: Omit<ConvOptions, "groups"> = {}): Tensor {
  const [a, b] = operands("depthwiseConv", x, w);
  const nd = spatialRank(a, "depthwiseConv");
  if (b.rank !== nd + 2 || b.shape[nd] !== a.shape[nd + 1]) {
    throw new ShapeError(
      `[depthwiseConv] x ${showShape(a.shape)} has ${a.shape[nd + 1]} channels, so w must be [${"k, ".repeat(nd)}${a.shape[nd + 1]}, multiplier], got ${showShape(b.shape)}.`,
    );
  }
  return apply([a, b], (p, q) => {
    const [channels, multiplier] = b.shape.slice(nd);
    return convGroups(
      p,
      build.reshape(q, [...b.shape.slice(0, nd), channels, 1, multiplier]),
      channels,
      options,
      "depthwiseConv",
    );
  });
}

/** Options of `convTranspose`. */
export interface ConvTransposeOptions {
  /** Default: 1. */
  readonly strides?: PerAxis;
  /**
   * same: output = input · stride; valid: output = input · stride + max(kernel - stride, 0), both as in Keras. A number p (or one
   * a spatial axis): output = (input - 1) · stride - 2 p + kernel, as in PyTorch. Default: "valid".
   */
  readonly padding?: "same" | "valid" | PerAxis;
  /** Distance between the taps of the kernel. Default: 1. */
  readonly dilation?: PerAxis;
  /** Places added to the end of each spatial axis, with a numeric padding. Default: 0. */
  readonly outputPadding?: PerAxis;
  /** Channels are split into so many groups that do not see each other. Default: 1. */
  readonly groups?: number;
}

/**
 * The transpose of a convolution, for upsampling: x [B, ...S, C] and w [...K, O / groups, C] (Keras' layout: that of the
 * convolution O → C it is the gradient of) → [B, ...S', O].
 *
 * @example convTranspose(ones([1, 4, 4, 3]), ones([2, 2, 8, 3]), { strides: 2 }).shape; // → [1, 8, 8, 8]
 */
export function convTranspose(x: TensorLike, w: TensorLike, options: ConvTransposeOptions = {}): Tensor {
  const op = "convTranspose";
  const [a, b] = operands(op, x, w);
  const nd = spatialRank(a, op);
  if (b.rank !== nd + 2 || b.shape[nd + 1] !== a.shape[nd + 1]) {
    throw new ShapeError(
      `[${op}] x ${showShape(a.shape)} has ${a.shape[nd + 1]} channels, so w must be [${"k, ".repeat(nd)}out, ${a.shape[nd + 1]}], got ${showShape(b.shape)}.`,
    );
  }
  const [outputs, channels] = b.shape.slice(nd);
  const { padding = "valid", outputPadding = 0, groups = 1 } = options;
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw new ValueError(`[${op}] groups ${groups} must divide the ${channels} channels of x ${showShape(a.shape)}.`);
  }
  const kernel = b.shape.slice(0, nd);
  const strides = perAxis(options.strides, nd, 1, op, "strides");
  const dilation = perAxis(options.dilation, nd, 1, op, "dilation");
  const extra = typeof outputPadding === "number" ? Array<number>(nd).fill(outputPadding) : outputPadding;
  const pads = kernel.map((k, i): Pads => {
    const taps = (k - 1) * dilation[i] + 1;
    const spread = (a.shape[i + 1] - 1) * strides[i] + 1;
    const p = typeof padding === "number" ? padding : Array.isArray(padding) ? (padding as number[])[i] : 0;
    const size =
      padding === "same"
        ? a.shape[i + 1] * strides[i]
        : padding === "valid"
          ? a.shape[i + 1] * strides[i] + Math.max(taps - strides[i], 0)
          : spread - 1 - 2 * p + taps + extra[i];
    const before = padding === "same" ? Math.floor(Math.max(taps - strides[i], 0) / 2) : p;
    const lo = taps - 1 - before;
    return [lo, size - spread - lo + taps - 1];
  });
  return apply([a, b], (p, q) => {
    // [...K, O, G · C] → flipped [...K, G, C, O]
    const axes = [...kernel.keys()];
    const turned = splitGroups(build.flip(q, axes), groups);
    const grouped = build.permute(turned, [...axes, nd, nd + 2, nd + 1]);
    const split = build.reshape(p, [...a.shape.slice(0, nd + 1), groups, channels / groups]);
    const positive = pads.map(([lo, hi]): Pads => [Math.max(lo, 0), Math.max(hi, 0)]);
    const out = build.conv(split, grouped, {
      strides: axes.map(() => 1),
      padding: positive,
      lhsDilation: strides,
      rhsDilation: dilation,
    });
    const flat = build.reshape(out, [...out.shape.slice(0, nd + 1), groups * outputs]);
    // Negative padding crops.
    const start = flat.shape.map((_, i) => (i >= 1 && i <= nd ? Math.max(0, -pads[i - 1][0]) : 0));
    const stop = flat.shape.map((d, i) => (i >= 1 && i <= nd ? d - Math.max(0, -pads[i - 1][1]) : d));
    return build.slice(flat, start, stop);
  });
}
