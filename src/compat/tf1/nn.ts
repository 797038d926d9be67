/** tf.nn: activations and the two cross-entropies of logits. */
import * as t from "../../tensor/index.ts";
import { type GraphTensor, type Input, op } from "./graph.ts";

/**
 * 1/(1 + e⁻ˣ).
 *
 * @example new tf.Session().run(tf.nn.sigmoid([0])); // → [0.5]
 */
export const sigmoid = (x: Input): GraphTensor => op("sigmoid", [x], ([a]) => a.sigmoid());
/**
 * The hyperbolic tangent.
 *
 * @example new tf.Session().run(tf.nn.tanh([0])); // → [0]
 */
export const tanh = (x: Input): GraphTensor => op("tanh", [x], ([a]) => a.tanh());
/**
 * Max(x, 0).
 *
 * @example new tf.Session().run(tf.nn.relu([-1, 2])); // → [0, 2]
 */
export const relu = (x: Input): GraphTensor => op("relu", [x], ([a]) => a.relu());
/**
 * eˣ / Σ eˣ along the last axis.
 *
 * @example new tf.Session().run(tf.nn.softmax([0, 0])); // → [0.5, 0.5]
 */
export const softmax = (x: Input): GraphTensor => op("softmax", [x], ([a]) => a.softmax(-1));

/** Arguments of the cross-entropies. */
export interface CrossEntropyInputs {
  readonly labels: Input;
  readonly logits: Input;
}

/**
 * -y ln σ(z) - (1 - y) ln(1 - σ(z)), element by element.
 *
 * @example new tf.Session().run(tf.nn.sigmoid_cross_entropy_with_logits({ labels: [1], logits: [0] })); // → [0.69315]
 */
export const sigmoid_cross_entropy_with_logits = ({ labels, logits }: CrossEntropyInputs): GraphTensor =>
  op("logistic_loss", [labels, logits], ([y, z]) => t.softplus(z).sub(z.mul(y)));

/**
 * -Σ y ln softmax(z) over the last axis.
 *
 * @example
 * new tf.Session().run(tf.nn.softmax_cross_entropy_with_logits({ labels: [[1, 0]], logits: [[0, 0]] })); // → [0.69315]
 */
export const softmax_cross_entropy_with_logits = ({ labels, logits }: CrossEntropyInputs): GraphTensor =>
  op("softmax_cross_entropy", [labels, logits], ([y, z]) => z.logSoftmax(-1).mul(y).sum(-1).neg());
