/**
 * The losses that a program rarely has. They are passed as functions, `compile({ loss: poisson })`; the names that `compile` knows
 * without an import are those of losses.ts, which every program carries.
 */
import { ShapeError, showShape, ValueError } from "../base/index.ts";
import * as t from "../tensor/index.ts";
import type { Tensor } from "../tensor/index.ts";
import {
  CLIP,
  type CrossentropyOptions,
  define,
  inside,
  likePrediction,
  type Loss,
  pointwise,
  reduceLoss,
  smooth,
  source,
} from "./losses.ts";

/** The sum over the last axis. */
const rowwise = (name: string, f: (p: Tensor, y: Tensor) => Tensor): Loss =>
  define(name, (p, y) => t.sum(f(p, likePrediction(name, p, y)), -1));

const clipped = (x: Tensor): Tensor => t.clip(x, CLIP, 1);

/** mean ln cosh(p − y), as e + softplus(−2e) − ln 2, without overflow (Keras: LogCosh). */
export const logCosh: Loss = pointwise("logCosh", (p, y) => {
  const e = t.sub(p, y);
  return t.sub(t.add(e, t.softplus(t.mul(e, -2))), Math.LN2);
});
/** mean p − y ln p, for counts y (Keras: Poisson). */
export const poisson: Loss = pointwise("poisson", (p, y) => t.sub(p, t.mul(y, t.log(t.add(p, CLIP)))));
/** Σ y ln(y/p), both clipped to 1e-7..1 (Keras: KLDivergence). */
export const klDivergence: Loss = rowwise("klDivergence", (p, y) =>
  t.mul(clipped(y), t.log(t.div(clipped(y), clipped(p)))),
);

/** Rows of length 1; rows of zeros stay zero. */
const unit = (x: Tensor): Tensor => t.div(x, t.sqrt(t.maximum(t.sum(t.square(x), -1, { keepdims: true }), 1e-24)));
/** −cosine of the angle between p and y: −1 for one direction (Keras: CosineSimilarity). */
export const cosineSimilarity: Loss = rowwise("cosineSimilarity", (p, y) => t.neg(t.mul(unit(p), unit(y))));

/** mean max(0, 1 − y·p)² for y = ±1 (Keras: SquaredHinge). */
export const squaredHinge: Loss = pointwise("squaredHinge", (p, y) => t.square(t.relu(t.sub(1, t.mul(p, y)))));
/** max(0, 1 + max of (1 − y)·p − Σ y·p) for rows of 0 and 1 (Keras: CategoricalHinge). */
export const categoricalHinge: Loss = define("categoricalHinge", (p, target) => {
  const y = likePrediction("categoricalHinge", p, target);
  return t.relu(t.add(t.sub(t.max(t.mul(t.sub(1, y), p), -1), t.sum(t.mul(y, p), -1)), 1));
});

/** Options of `binaryFocalCrossentropy` and `categoricalFocalCrossentropy`. */
export interface FocalOptions extends CrossentropyOptions {
  /** How much less easy samples count; default 2. */
  readonly gamma?: number;
  /** Weight of class 1 (two classes), or of all; default 0.25. */
  readonly alpha?: number;
}

const mean = (x: Tensor): Tensor => (x.rank <= 1 ? x : t.mean(x, -1));

/**
 * (1 − p_t)^γ · cross-entropy, p_t the probability of what is true; with `applyClassBalancing` times α for class 1 and 1 − α for
 * class 0 (Keras: BinaryFocalCrossentropy; Lin et al. 2017).
 *
 * @example model.compile({ optimizer: adam(), loss: binaryFocalCrossentropy({ gamma: 2 }) });
 */
export function binaryFocalCrossentropy(options: FocalOptions & { readonly applyClassBalancing?: boolean } = {}): Loss {
  const { gamma = 2, alpha = 0.25, labelSmoothing = 0, applyClassBalancing = false } = options;
  const name = "binaryFocalCrossentropy";
  return define(name, (p, target, plain) => {
    const { x, logits } = source(name, p, options.fromLogits, "sigmoid", plain);
    const y = smooth(likePrediction(name, p, target), labelSmoothing, 2);
    const q = logits ? t.sigmoid(x) : inside(x, false);
    const entropy = logits
      ? t.sub(t.softplus(x), t.mul(x, y))
      : t.neg(t.add(t.mul(y, t.log(q)), t.mul(t.sub(1, y), t.log(t.sub(1, q)))));
    // 1 − p_t = q + y − 2qy
    const wrong = t.sub(t.add(q, y), t.mul(t.mul(q, y), 2));
    const focal = t.mul(t.pow(wrong, gamma), entropy);
    if (!applyClassBalancing) return mean(focal);
    return mean(t.mul(focal, t.add(t.mul(y, alpha), t.mul(t.sub(1, y), 1 - alpha))));
  });
}

/**
 * Σ −α (1 − p_c)^γ y_c ln p_c over classes (Keras: CategoricalFocalCrossentropy).
 *
 * @example model.compile({ optimizer: adam(), loss: categoricalFocalCrossentropy() });
 */
export function categoricalFocalCrossentropy(options: FocalOptions = {}): Loss {
  const { gamma = 2, alpha = 0.25, labelSmoothing = 0 } = options;
  const name = "categoricalFocalCrossentropy";
  return define(name, (p, target, plain) => {
    const { x, logits } = source(name, p, options.fromLogits, "softmax", plain);
    const y = smooth(likePrediction(name, p, target), labelSmoothing, p.shape[p.rank - 1]);
    const logs = logits ? t.logSoftmax(x, -1) : t.log(inside(x, true));
    const factor = t.mul(t.pow(t.sub(1, t.exp(logs)), gamma), alpha);
    return t.neg(t.sum(t.mul(factor, t.mul(y, logs)), -1));
  });
}

/**
 * (1 − p^q)/q at the class number, between mean absolute error and cross-entropy; q 0.5 (Keras: CategoricalGeneralizedCrossEntropy).
 *
 * @example model.compile({ optimizer: adam(), loss: generalizedCrossentropy() });
 */
export function generalizedCrossentropy(options: { readonly q?: number } = {}): Loss {
  const { q = 0.5 } = options;
  if (!(q > 0 && q < 1)) throw new ValueError(`[generalizedCrossentropy] q must be between 0 and 1, got ${q}.`);
  return define(
    "generalizedCrossentropy",
    (p, target) => {
      const labels = t.reshape(target.cast("int32"), p.shape.slice(0, -1));
      const own = t.sum(t.where(t.oneHot(labels, p.shape[p.rank - 1], { dtype: "bool" }), p, 0), -1);
      return t.div(t.sub(1, t.pow(own, q)), q);
    },
    true,
  );
}

/** Sums over all axes but the batch. */
const perSampleSum = (x: Tensor): Tensor => t.sum(t.reshape(x, [x.shape[0], -1]), -1);

/**
 * 1 − Σ y·p/(Σ y·p + αΣ y·(1 − p) + βΣ(1 − y)·p + ε) for each sample, α and β 0.5 (Keras: Tversky with all axes but the batch; Salehi
 * et al. 2017). α weighs what is missed, as Keras computes it; in the paper it weighs what is too much.
 *
 * @example model.compile({ optimizer: adam(), loss: tversky() });
 */
export function tversky(options: { readonly alpha?: number; readonly beta?: number } = {}): Loss {
  const { alpha = 0.5, beta = 0.5 } = options;
  return define("tversky", (p, target) => {
    const y = likePrediction("tversky", p, target);
    const both = perSampleSum(t.mul(y, p));
    const missed = t.mul(t.sub(perSampleSum(y), both), alpha);
    const extra = t.mul(t.sub(perSampleSum(p), both), beta);
    return t.sub(1, t.div(both, t.add(t.add(both, CLIP), t.add(missed, extra))));
  });
}

/** 1 − 2Σ y·p/(Σ y + Σ p + ε) for each sample, for masks (Keras: Dice with all axes but the batch; Milletari et al. 2016). */
export const dice: Loss = define("dice", (p, target) => {
  const y = likePrediction("dice", p, target);
  const both = t.mul(perSampleSum(t.mul(y, p)), 2);
  return t.sub(1, t.div(both, t.add(t.add(perSampleSum(y), perSampleSum(p)), CLIP)));
});

/**
 * Circle loss of embeddings p [batch, features] of length 1 and class numbers (Keras: Circle; Sun et al. 2020): with d = 1 − cosine of
 * two samples, softplus(ln Σ exp(−γ(m + d)(m − d)) over the same class + ln Σ exp(γ(1 + m − d)(1 − m − d)) over the others); γ is 80, m
 * 0.4. A sample without another of its class, or without one of another class, has loss 0.
 *
 * @example
 * const net = sequential([flatten(), dense(8), unitNormalization()]);
 * net.compile({ optimizer: adam(), loss: circle() });
 */
export function circle(options: { readonly gamma?: number; readonly margin?: number } = {}): Loss {
  const { gamma = 80, margin = 0.4 } = options;
  return define(
    "circle",
    (p, target) => {
      const n = p.shape[0];
      if (p.rank !== 2 || target.size !== n) {
        throw new ShapeError(
          `[circle] needs embeddings [batch, features] and as many class numbers, got ${showShape(p.shape)} and ${showShape(target.shape)}.`,
        );
      }
      const y = t.reshape(target, [n]);
      const same = t.equal(t.expandDims(y, 1), y);
      const other = t.logicalNot(t.eye(n, n, 0, { dtype: "bool" }));
      const d = t.maximum(t.sub(1, t.matmul(p, p.T)), 0);
      const pull = t.mul(t.mul(t.add(d, margin), t.sub(d, margin)), gamma);
      const push = t.mul(t.mul(t.maximum(t.sub(1 + margin, d), 0), t.sub(1 - margin, d)), gamma);
      const total = (x: Tensor, which: Tensor): Tensor => t.logSumExp(t.where(which, x, -Infinity), 1);
      return t.softplus(t.add(total(pull, t.logicalAnd(same, other)), total(push, t.logicalNot(same))));
    },
    true,
  );
}

/**
 * How the losses of samples become one: their mean, as all losses do by themselves; their sum; the weighted mean, Σ w·l/Σ w; or not at
 * all.
 */
export type Reduction = "sumOverBatchSize" | "sum" | "meanWithSampleWeight" | "none";

/**
 * A loss that is reduced in another way (Keras: the option reduction of losses).
 *
 * @example
 * reduced(meanSquaredError, "sum")(tensor([[1], [2]]), tensor([[0], [0]])).item(); // → 5
 */
export function reduced(loss: Loss, reduction: Reduction): Loss {
  const call = (p: Tensor, y: Tensor, w?: Tensor | null): Tensor => {
    const each = loss.perSample(p, y);
    if (reduction === "sumOverBatchSize") return reduceLoss(each, w);
    const spread =
      w === null || w === undefined
        ? t.onesLike(each)
        : t.broadcastTo(
            t.reshape(w.cast(each.dtype), [...w.shape, ...new Array<number>(each.rank - w.rank).fill(1)]),
            each.shape,
          );
    const weighted = t.mul(each, spread);
    if (reduction === "none") return weighted;
    const total = t.sum(weighted);
    if (reduction === "sum") return total;
    if (reduction === "meanWithSampleWeight") return t.div(total, t.sum(spread));
    throw new ValueError(
      `[reduced] reduction must be "sumOverBatchSize", "sum", "meanWithSampleWeight" or "none", got ${JSON.stringify(reduction)}.`,
    );
  };
  return Object.assign(call, loss);
}
