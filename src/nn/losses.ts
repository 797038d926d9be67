import { isFloat, ShapeError, showShape, ValueError } from "../base/index.ts";
import * as t from "../tensor/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { logitsBehind } from "./activations.ts";
import { didYouMean } from "./names.ts";

/**
 * A loss: of a prediction and its target, in this order. Called, it gives the mean over the batch (with weights, the weighted
 * sum over the number of samples: Keras' "sum_over_batch_size").
 */
export interface Loss {
  (prediction: Tensor, target: Tensor, sampleWeight?: Tensor | null): Tensor;
  /**
   * One loss a sample: the last axis is summed or averaged away. `logits` says what a cross-entropy takes a plain prediction for;
   * default true.
   */
  perSample(prediction: Tensor, target: Tensor, logits?: boolean): Tensor;
  readonly loss: string;
  /** The target holds class numbers, one axis less than the prediction. */
  readonly sparse: boolean;
}

/** Losses that `compile` knows by name. */
export type LossName =
  | "meanSquaredError"
  | "meanAbsoluteError"
  | "meanAbsolutePercentageError"
  | "meanSquaredLogarithmicError"
  | "huber"
  | "hinge"
  | "binaryCrossentropy"
  | "categoricalCrossentropy"
  | "sparseCategoricalCrossentropy";

/** What `compile` takes: a name (also "mse", "mae" …), a loss, or any function of prediction and target to a scalar or [batch]. */
export type LossLike =
  | Loss
  | LossName
  | "mse"
  | "mae"
  | "mape"
  | "msle"
  | ((prediction: Tensor, target: Tensor) => Tensor);

/** Keras' distance from 0 and 1 to which probabilities are clipped. */
export const CLIP = 1e-7;

/** Weighted mean of per-sample losses: Σ w·l / number of samples. */
export function reduceLoss(perSample: Tensor, sampleWeight: Tensor | null | undefined): Tensor {
  if (sampleWeight === null || sampleWeight === undefined) return t.mean(perSample);
  // [batch] weights stand for all positions of their sample.
  const lead = [...sampleWeight.shape, ...new Array<number>(Math.max(0, perSample.rank - sampleWeight.rank)).fill(1)];
  return t.mean(t.mul(perSample, t.reshape(sampleWeight.cast(perSample.dtype), lead)));
}

/** A loss from what it gives for each sample. */
export function define(loss: string, perSample: Loss["perSample"], sparse = false): Loss {
  const call = (p: Tensor, y: Tensor, w?: Tensor | null): Tensor => reduceLoss(perSample(p, y), w);
  return Object.assign(call, { perSample, loss, sparse });
}

/**
 * The target in the prediction's shape and dtype. A missing or extra last axis of size 1 is mended; anything else throws,
 * since broadcasting [batch] against [batch, 1] would silently compare every sample with every other.
 */
export function likePrediction(op: string, p: Tensor, y: Tensor): Tensor {
  const target = y.dtype === p.dtype ? y : y.cast(p.dtype);
  if (showShape(p.shape) === showShape(y.shape)) return target;
  const squeezed = (s: readonly number[]): string => showShape(s.at(-1) === 1 ? s.slice(0, -1) : s);
  if (squeezed(p.shape) === squeezed(y.shape)) return t.reshape(target, p.shape);
  const sparse = op === "categoricalCrossentropy" && y.rank === p.rank - 1;
  throw new ShapeError(
    `[${op}] prediction ${showShape(p.shape)} and target ${showShape(y.shape)} need one shape.` +
      (sparse ? ' For class numbers use "sparseCategoricalCrossentropy", or oneHot(labels, classes).' : ""),
  );
}

/** Mean over the last axis; scalars a sample stay as they are. */
const lastMean = (x: Tensor): Tensor => (x.rank <= 1 ? x : t.mean(x, -1));

/** The mean over the last axis of f(prediction, target), both of one shape. */
export const pointwise = (name: string, f: (p: Tensor, y: Tensor) => Tensor): Loss =>
  define(name, (p, y) => lastMean(f(p, likePrediction(name, p, y))));

/** mean (p − y)² (Keras: MeanSquaredError; S-095). */
export const meanSquaredError: Loss = pointwise("meanSquaredError", (p, y) => t.square(t.sub(p, y)));
/** mean |p − y| (Keras: MeanAbsoluteError). */
export const meanAbsoluteError: Loss = pointwise("meanAbsoluteError", (p, y) => t.abs(t.sub(p, y)));
/** 100 · mean |p − y|/|y|, |y| at least 1e-7 (Keras: MeanAbsolutePercentageError). */
export const meanAbsolutePercentageError: Loss = pointwise("meanAbsolutePercentageError", (p, y) =>
  t.mul(t.abs(t.div(t.sub(p, y), t.maximum(t.abs(y), CLIP))), 100),
);
/** mean (ln(1 + p) − ln(1 + y))², both at least 1e-7 (Keras: MeanSquaredLogarithmicError). */
export const meanSquaredLogarithmicError: Loss = pointwise("meanSquaredLogarithmicError", (p, y) =>
  t.square(t.sub(t.log1p(t.maximum(p, CLIP)), t.log1p(t.maximum(y, CLIP)))),
);
/**
 * ½e² for |e| ≤ delta, else delta·(|e| − ½delta); delta 1 (Keras: Huber).
 *
 * @example model.compile({ optimizer: adam(), loss: huber({ delta: 0.5 }) });
 */
export const huber = ({ delta = 1 }: { readonly delta?: number } = {}): Loss =>
  pointwise("huber", (p, y) => {
    const e = t.abs(t.sub(p, y));
    // min(e, d)·(e − ½min(e, d)) is both branches at once.
    const inner = t.minimum(e, delta);
    return t.mul(inner, t.sub(e, t.mul(inner, 0.5)));
  });
/** mean max(0, 1 − y·p) for y = ±1 (Keras: Hinge; S-102). */
export const hinge: Loss = pointwise("hinge", (p, y) => t.relu(t.sub(1, t.mul(p, y))));

/** Options of `binaryCrossentropy`, `categoricalCrossentropy`, `sparseCategoricalCrossentropy` and `lossOf`. */
export interface CrossentropyOptions {
  /** The prediction is logits (true) or probabilities (false). Default: what the prediction's last activation was, else logits. */
  readonly fromLogits?: boolean;
  /** ε: targets become (1 − ε)·y + ε/classes; default 0 (S-168). */
  readonly labelSmoothing?: number;
}

/** Which numbers to compute from: logits where there are any. */
export function source(
  op: string,
  p: Tensor,
  fromLogits: boolean | undefined,
  want: "softmax" | "sigmoid",
  logits = true,
): { x: Tensor; logits: boolean } {
  if (fromLogits !== undefined) return { x: p, logits: fromLogits };
  const before = logitsBehind(p);
  if (before === null) return { x: p, logits };
  if (before.activation === want) return { x: before.logits, logits: true };
  const other = want === "softmax" ? "binaryCrossentropy" : "categoricalCrossentropy";
  throw new ValueError(
    `[${op}] the model ends in ${before.activation}, this loss goes with ${want}: use "${other}", or end in ${want} (S-076).`,
  );
}

/** Probabilities pulled inside (0, 1), as Keras does; rows of several classes are first made to sum to 1. */
export function inside(p: Tensor, rows: boolean): Tensor {
  const q = rows ? t.div(p, t.sum(p, -1, { keepdims: true })) : p;
  return t.clip(q, CLIP, 1 - CLIP);
}

/** ln of the class probabilities, from logits or from probabilities. */
const logProbabilities = (at: { x: Tensor; logits: boolean }): Tensor =>
  at.logits ? t.logSoftmax(at.x, -1) : t.log(inside(at.x, true));

export const smooth = (y: Tensor, epsilon: number, classes: number): Tensor =>
  epsilon === 0 ? y : t.add(t.mul(y, 1 - epsilon), epsilon / classes);

/**
 * −[y ln p + (1 − y) ln(1 − p)], from logits as softplus(z) − y·z (Keras: BinaryCrossentropy; S-096).
 *
 * @example
 * model.compile({ optimizer: adam(), loss: binaryCrossentropy({ fromLogits: true }) });
 */
export function binaryCrossentropy(options: CrossentropyOptions = {}): Loss {
  const { labelSmoothing = 0 } = options;
  return define("binaryCrossentropy", (p, target, plain) => {
    const { x, logits } = source("binaryCrossentropy", p, options.fromLogits, "sigmoid", plain);
    const y = smooth(likePrediction("binaryCrossentropy", p, target), labelSmoothing, 2);
    if (logits) return lastMean(t.sub(t.softplus(x), t.mul(x, y)));
    const q = inside(x, false);
    return lastMean(t.neg(t.add(t.mul(y, t.log(q)), t.mul(t.sub(1, y), t.log(t.sub(1, q))))));
  });
}

/**
 * −Σ y_c ln p_c over the last axis, for one-hot or soft targets (Keras: CategoricalCrossentropy; S-100, S-435).
 *
 * @example model.compile({ optimizer: adam(), loss: categoricalCrossentropy({ labelSmoothing: 0.1 }) });
 */
export function categoricalCrossentropy(options: CrossentropyOptions = {}): Loss {
  const { labelSmoothing = 0 } = options;
  return define("categoricalCrossentropy", (p, target, plain) => {
    const y = smooth(likePrediction("categoricalCrossentropy", p, target), labelSmoothing, p.shape[p.rank - 1]);
    return t.neg(
      t.sum(t.mul(y, logProbabilities(source("categoricalCrossentropy", p, options.fromLogits, "softmax", plain))), -1),
    );
  });
}

/**
 * −ln p at the class number (Keras: SparseCategoricalCrossentropy). A class number out of range has loss 0: `fit` checks labels.
 *
 * @example model.compile({ optimizer: adam(), loss: sparseCategoricalCrossentropy({ fromLogits: false }) });
 */
export function sparseCategoricalCrossentropy(options: CrossentropyOptions = {}): Loss {
  const { labelSmoothing = 0 } = options;
  const op = "sparseCategoricalCrossentropy";
  const perSample = (p: Tensor, target: Tensor, plain?: boolean): Tensor => {
    const classes = p.shape[p.rank - 1];
    const lead = showShape(p.shape.slice(0, -1));
    if (showShape(target.shape) !== lead && showShape(target.shape) !== showShape([...p.shape.slice(0, -1), 1])) {
      const hot = showShape(target.shape) === showShape(p.shape);
      throw new ShapeError(
        `[${op}] prediction ${showShape(p.shape)} needs class numbers ${lead}, got target ${showShape(target.shape)}.` +
          (hot ? ' For one-hot targets use "categoricalCrossentropy".' : ""),
      );
    }
    const logs = logProbabilities(source(op, p, options.fromLogits, "softmax", plain));
    // A compare with 0..classes-1 and a row sum: part of the softmax's own row kernel, no gather.
    const labels = t.reshape(target.cast("int32"), p.shape.slice(0, -1));
    const picked = t.sum(t.where(t.oneHot(labels, classes, { dtype: "bool" }), logs, 0), -1);
    if (labelSmoothing === 0) return t.neg(picked);
    return t.neg(t.add(t.mul(picked, 1 - labelSmoothing), t.mul(t.mean(logs, -1), labelSmoothing)));
  };
  return define(op, perSample, true);
}

/**
 * Mean cross-entropy of logits [..., classes] and labels: class numbers [...] of a whole-number dtype, or one-hot rows
 * [..., classes]. What `fit` computes for `"sparseCategoricalCrossentropy"` on a model that ends in logits.
 *
 * @example
 * const loss = crossEntropy(model(x), y);
 */
export function crossEntropy(logits: Tensor, labels: Tensor, sampleWeight: Tensor | null = null): Tensor {
  const sparse = labels.rank === logits.rank - 1 || (!isFloat(labels.dtype) && labels.shape.at(-1) === 1);
  const loss = sparse ? sparseCategoricalCrossentropy : categoricalCrossentropy;
  return loss({ fromLogits: true })(logits, labels, sampleWeight);
}

/**
 * The loss of an option. Cross-entropies by name look at the prediction's last activation: after softmax (or sigmoid) they
 * compute from the logits behind it, exactly; otherwise the prediction itself counts as logits. `options` are for these.
 *
 * @example lossOf("mse")(tensor([[1], [3]]), tensor([[0], [0]])).item(); // → 5
 */
export function lossOf(like: LossLike, options: CrossentropyOptions = {}): Loss {
  if (typeof like === "function") return "perSample" in like ? like : define("meanSquaredError", like);
  const all = [
    meanSquaredError,
    meanAbsoluteError,
    meanAbsolutePercentageError,
    meanSquaredLogarithmicError,
    huber(),
    hinge,
    binaryCrossentropy(options),
    categoricalCrossentropy(options),
    sparseCategoricalCrossentropy(options),
  ];
  // "mse" is the initials of meanSquaredError.
  const found = all.find(({ loss }) => loss === like || `m${loss.replace(/[a-z]/g, "")}`.toLowerCase() === like);
  if (found !== undefined) return found;
  throw new ValueError(
    `unknown loss "${like}": ${didYouMean(
      like,
      all.map((l) => l.loss),
    )} Others, such as poisson, are functions to import.`,
  );
}
