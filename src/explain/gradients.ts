import { ShapeError, showShape, ValueError } from "../base/index.ts";
import { grad } from "../autodiff/index.ts";
import { abs, compiled, max, random, type Tensor, tensor, type TensorLike } from "../tensor/index.ts";
import { chosenScore, classesOf, type Explained, type ExplainOptions } from "./scores.ts";

/** ∂(score of the class)/∂x as one program, for any x of this shape. */
const slopes = (net: Explained, what: string): ((x: Tensor, classes: Tensor) => Tensor) =>
  compiled((x: Tensor, classes: Tensor) => grad((at: Tensor) => chosenScore(net, at, classes, what))(x));

/** Importance of a pixel: the largest magnitude over its channels, [batch, height, width, channels] → [batch, height, width]. */
const overChannels = (slope: Tensor): Tensor => (slope.rank >= 4 ? max(abs(slope), -1) : abs(slope));

/**
 * Saliency: how much the score of a class, before softmax, changes with each input: |∂y_c/∂x|, the largest over the channels
 * (Simonyan et al., 2013; S-423).
 *
 * @param x [batch, height, width, channels], or [batch, features]
 * @returns [batch, height, width], or [batch, features]
 * @throws ShapeError when the network does not give [batch, classes]; ValueError for a class that it does not have.
 * @example const map = saliency(net, x, { classes: 3 });
 */
export function saliency(net: Explained, x: TensorLike, options: ExplainOptions = {}): Tensor {
  const at = tensor(x);
  return overChannels(slopes(net, "saliency")(at, classesOf(net, at, options, "saliency")));
}

/** Options of `smoothGrad`. */
export interface SmoothGradOptions extends ExplainOptions {
  /** Noisy copies of each sample. Default 25. */
  readonly samples?: number;
  /** Standard deviation of the noise as a share of max(x) − min(x). Default 0.15. */
  readonly noise?: number;
}

/**
 * SmoothGrad: the mean saliency of noisy copies of x (Smilkov et al., 2017). Noise comes from the default random stream
 * (`random.seed`).
 *
 * @param x [batch, height, width, channels], or [batch, features]
 * @returns [batch, height, width], or [batch, features]
 * @example const map = smoothGrad(net, x, { samples: 50 });
 */
export function smoothGrad(net: Explained, x: TensorLike, options: SmoothGradOptions = {}): Tensor {
  const { samples = 25, noise = 0.15 } = options;
  if (!Number.isInteger(samples) || samples < 1)
    throw new ValueError(`[smoothGrad] samples must be a whole number ≥ 1, got ${samples}.`);
  if (!(noise >= 0)) throw new ValueError(`[smoothGrad] noise must be a share ≥ 0 of the range of x, got ${noise}.`);
  const at = tensor(x);
  const classes = classesOf(net, at, options, "smoothGrad");
  const deviation = at.max().sub(at.min()).mul(noise);
  const run = slopes(net, "smoothGrad");
  let sum: Tensor | null = null;
  for (let i = 0; i < samples; i++) {
    const map = overChannels(run(at.add(random.normal(at.shape).mul(deviation)), classes));
    sum = sum === null ? map : sum.add(map);
  }
  return (sum as Tensor).div(samples);
}

/** Options of `integratedGradients`. */
export interface IntegratedOptions extends ExplainOptions {
  /** Where the path begins, one sample or a number for all of it. Default 0. */
  readonly baseline?: TensorLike;
  /** Points of the path. Default 50. */
  readonly steps?: number;
}

/**
 * Integrated gradients: (x − x₀) · ∫₀¹ ∂y_c/∂x (x₀ + α(x − x₀)) dα, by the midpoint rule. All parts of a sample sum to
 * y_c(x) − y_c(x₀) (Sundararajan et al., 2017).
 *
 * @param x any shape with the batch in front
 * @returns signed parts, in the shape of x
 * @example const parts = integratedGradients(net, x, { steps: 100 });
 */
export function integratedGradients(net: Explained, x: TensorLike, options: IntegratedOptions = {}): Tensor {
  const { baseline = 0, steps = 50 } = options;
  if (!Number.isInteger(steps) || steps < 1)
    throw new ValueError(`[integratedGradients] steps must be a whole number ≥ 1, got ${steps}.`);
  const at = tensor(x);
  const from = tensor(baseline);
  const own = from.shape;
  if (from.rank > at.rank || own.some((d, i) => d !== 1 && d !== at.shape[at.rank - own.length + i]))
    throw new ShapeError(
      `[integratedGradients] baseline ${showShape(own)} does not broadcast to x ${showShape(at.shape)}: give one sample, or a number.`,
    );
  const classes = classesOf(net, at, options, "integratedGradients");
  const way = at.sub(from);
  const run = slopes(net, "integratedGradients");
  let sum: Tensor | null = null;
  for (let i = 0; i < steps; i++) {
    const slope = run(from.add(way.mul((i + 0.5) / steps)), classes);
    sum = sum === null ? slope : sum.add(slope);
  }
  return (sum as Tensor).mul(way).div(steps);
}
