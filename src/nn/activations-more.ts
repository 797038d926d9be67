/**
 * The activations that a program rarely has. They are passed as functions, `dense(8, { activation: celu })`; the names that options
 * know without an import are those of activations.ts, which every program carries.
 */
import * as t from "../tensor/index.ts";
import { type Activation, type Adjustable, adjustable, define } from "./activations.ts";

/** max(0, x) + min(0, alpha·(e^(x/alpha) − 1)); alpha 1 (Keras: celu). */
export const celu: Adjustable<{ alpha?: number }> = adjustable("celu", ({ alpha = 1 }) => (x) => {
  return t.where(t.greater(x, 0), x, t.mul(t.expm1(t.div(t.minimum(x, 0), alpha)), alpha));
});
/** x·relu6(x + 3)/6 (Keras: hard_silu, hard_swish). */
export const hardSwish: Activation = define("hardSwish", (x) => t.mul(x, t.div(t.clip(t.add(x, 3), 0, 6), 6)));
/** clip(x, −1, 1) (Keras: hard_tanh). */
export const hardTanh: Activation = define("hardTanh", (x) => t.clip(x, -1, 1));
/** ln sigmoid(x), without overflow (Keras: log_sigmoid). */
export const logSigmoid: Activation = define("logSigmoid", (x) => t.logSigmoid(x));
/** x − tanh x (Keras: tanh_shrink). */
export const tanhShrink: Activation = define("tanhShrink", (x) => t.sub(x, t.tanh(x)));
/** x where |x| > threshold, else 0; threshold 0.5 (Keras: hard_shrink). */
export const hardShrink: Adjustable<{ threshold?: number }> = adjustable("hardShrink", ({ threshold = 0.5 }) => (x) => {
  return t.where(t.greater(t.abs(x), threshold), x, 0);
});
/** x drawn towards 0 by threshold, 0 within it; threshold 0.5 (Keras: soft_shrink). */
export const softShrink: Adjustable<{ threshold?: number }> = adjustable("softShrink", ({ threshold = 0.5 }) => (x) => {
  return t.sub(x, t.clip(x, -threshold, threshold));
});
/** x where x > threshold, else value; threshold 1, value 0 (Keras: threshold; ThresholdedReLU of Keras 2). */
export const thresholdedRelu: Adjustable<{ threshold?: number; value?: number }> = adjustable(
  "thresholdedRelu",
  ({ threshold = 1, value = 0 }) =>
    (x) =>
      t.where(t.greater(x, threshold), x, value),
);
/** (x + √(x² + b))/2; b 4 (Keras: squareplus). */
export const squareplus: Adjustable<{ b?: number }> = adjustable("squareplus", ({ b = 4 }) => (x) => {
  return t.mul(t.add(x, t.sqrt(t.add(t.square(x), b))), 0.5);
});
/** 0 below −1, ¼(x + 1)² up to 1, x above (Keras: sparse_plus). */
export const sparsePlus: Activation = define("sparsePlus", (x) => {
  const middle = t.mul(t.square(t.add(t.clip(x, -1, 1), 1)), 0.25);
  return t.where(t.greater(x, 1), x, middle);
});
/** clip((x + 1)/2, 0, 1) (Keras: sparse_sigmoid). */
export const sparseSigmoid: Activation = define("sparseSigmoid", (x) => t.clip(t.mul(t.add(x, 1), 0.5), 0, 1));
/** The first half of `axis` times the sigmoid of the second; default the last axis, which becomes half as long (Keras: glu). */
export const glu: Adjustable<{ axis?: number }> = adjustable("glu", ({ axis = -1 }) => (x) => {
  const [a, b] = t.split(x, 2, axis);
  return t.mul(a, t.sigmoid(b));
});

/**
 * The point of the probability simplex that is nearest to x, with true zeros, along `axis`, the last by default (Keras: sparsemax;
 * Martins & Astudillo 2016). All pairs are compared: O(n²) for rows of n.
 */
export const sparsemax: Adjustable<{ axis?: number }> = adjustable("sparsemax", ({ axis = -1 }) => (x) => {
  const z = t.moveaxis(x, axis, -1);
  // z_i stays above 0 when the larger ones are above it by less than 1 in all.
  const above = t.relu(t.sub(t.expandDims(z, -2), t.expandDims(z, -1)));
  const support = t.less(t.sum(t.stopGradient(above), -1), 1);
  const count = t.sum(support.cast(z.dtype), -1, { keepdims: true });
  const tau = t.div(t.sub(t.sum(t.where(support, z, 0), -1, { keepdims: true }), 1), count);
  return t.moveaxis(t.where(support, t.sub(z, tau), 0), -1, axis);
});

/** All of this file by the name that files hold. */
export const MORE_ACTIVATIONS: Readonly<Record<string, Activation>> = {
  celu,
  hardSwish,
  hardTanh,
  logSigmoid,
  tanhShrink,
  hardShrink,
  softShrink,
  thresholdedRelu,
  squareplus,
  sparsePlus,
  sparseSigmoid,
  glu,
  sparsemax,
};
