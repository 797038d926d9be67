/**
 * compat/tf1: the graph and session of TensorFlow 1, small: enough that scripts of that time run line by line. Building a graph
 * computes nothing; a Session runs parts of it, each set of fetches as one compiled program, and keeps the variables.
 *
 * It is not: TensorFlow (no name scopes, queues, summaries, savers, control flow or other optimizers), and nothing for new
 * programs: `compiled`, `valueAndGrad` and `chainrule/nn` say the same in less.
 *
 * @example
 * import * as tf from "chainrule/compat/tf1";
 * const w = new tf.Variable([0], { dtype: tf.float32 });
 * const x = tf.placeholder(tf.float32, [3, 1]);
 * const cost = x.at(0, 0).mul(w.pow(2)).add(x.at(1, 0).mul(w)).add(x.at(2, 0));
 * const step = new tf.train.GradientDescentOptimizer(0.01).minimize(cost);
 * const session = new tf.Session();
 * session.run(tf.global_variables_initializer());
 * for (let i = 0; i < 1000; i++) session.run(step, { feed_dict: [[x, [[1], [-20], [25]]]] });
 * console.log(session.run(w)); // close to 10
 *
 * @module chainrule/compat/tf1
 */
import "../../engine.ts";
import type { DType } from "../../base/index.ts";
import type { Tensor } from "../../tensor/index.ts";
import * as t from "../../tensor/index.ts";
import { type GraphTensor, Initializer, type Input, op, Operation, Placeholder, type Variable } from "./graph.ts";

export { constant, GraphTensor, Operation, Placeholder, Variable, type Input, type VariableOptions } from "./graph.ts";
export { Session, withSession, type RunOptions } from "./session.ts";
export * as train from "./train.ts";
export * as nn from "./nn.ts";

/**
 * A value that every run is given through feed_dict. null in the shape fits any size; no shape fits all.
 *
 * @example
 * const x = tf.placeholder(tf.float32, [2]);
 * new tf.Session().run(x.mul(2), { feed_dict: [[x, [1, 2]]] }); // → [2, 4]
 */
export const placeholder = (
  dtype: DType,
  shape: readonly (number | null)[] | null = null,
  name = "Placeholder",
): Placeholder => new Placeholder(dtype, shape, name);

/**
 * An operation that gives every variable made so far its initial value, in the session that runs it.
 *
 * @example
 * const w = new tf.Variable([1, 2], { dtype: tf.float32 });
 * const session = new tf.Session();
 * session.run(tf.global_variables_initializer());
 * session.run(w); // → [1, 2]
 */
export const global_variables_initializer = (): Operation => new Initializer();

/**
 * An operation that replaces the value of a variable.
 *
 * @example
 * const w = new tf.Variable([1], { dtype: tf.float32 });
 * const session = new tf.Session();
 * session.run(tf.global_variables_initializer());
 * session.run(tf.assign(w, [5]));
 * session.run(w); // → [5]
 */
export function assign(variable: Variable, value: Input): Operation {
  const next = op("assign", [value], ([v]) => v);
  return new Operation("assign", [variable, next], (scope) => {
    const s = scope();
    const old = variable.evaluate(s);
    return [[variable, next.evaluate(s).cast(old.dtype).broadcastTo(old.shape)]];
  });
}

type Unary = (x: Input) => GraphTensor;
type Binary = (x: Input, y: Input) => GraphTensor;
const unary =
  (name: string, f: (x: Tensor) => Tensor): Unary =>
  (x) =>
    op(name, [x], ([a]) => f(a));
const binary =
  (name: string, f: (x: Tensor, y: Tensor) => Tensor): Binary =>
  (x, y) =>
    op(name, [x, y], ([a, b]) => f(a, b));

/** x + y, broadcast. */
export const add: Binary = binary("add", t.add);
/** x − y, broadcast. */
export const subtract: Binary = binary("subtract", t.sub);
/** x · y element by element (Hadamard product), broadcast. */
export const multiply: Binary = binary("multiply", t.mul);
/** x / y, broadcast, as float64 for whole numbers. */
export const divide: Binary = binary("divide", t.div);
/** x to the power y, broadcast. */
export const pow: Binary = binary("pow", t.pow);
/** The larger of x and y, broadcast. */
export const maximum: Binary = binary("maximum", t.maximum);
/** The smaller of x and y, broadcast. */
export const minimum: Binary = binary("minimum", t.minimum);
/** Matrix product of the last two axes: [..., n, k] · [..., k, m] → [..., n, m]; the axes before broadcast. */
export const matmul: Binary = binary("matmul", t.matmul);
/** x = y as bool, broadcast. */
export const equal: Binary = binary("equal", t.equal);
/** x > y as bool, broadcast. */
export const greater: Binary = binary("greater", t.greater);
/** x < y as bool, broadcast. */
export const less: Binary = binary("less", t.less);
/** −x. */
export const negative: Unary = unary("negative", t.neg);
/** X². */
export const square: Unary = unary("square", t.square);
/** √x. */
export const sqrt: Unary = unary("sqrt", t.sqrt);
/** |x|. */
export const abs: Unary = unary("abs", t.abs);
/** Eˣ. */
export const exp: Unary = unary("exp", t.exp);
/** The natural logarithm. */
export const log: Unary = unary("log", t.log);
/** 1/(1 + e⁻ˣ). */
export const sigmoid: Unary = unary("sigmoid", t.sigmoid);
/** The hyperbolic tangent. */
export const tanh: Unary = unary("tanh", t.tanh);
/** To the nearest whole number, halves to even. */
export const round: Unary = unary("round", t.round);

/**
 * The same values in another dtype.
 *
 * @example new tf.Session().run(tf.cast([1.7], "int32")); // → [1]
 */
export const cast = (x: Input, dtype: DType): GraphTensor => op("cast", [x], ([a]) => a.cast(dtype));
/**
 * The same elements in another shape; one size may be −1.
 *
 * @example new tf.Session().run(tf.reshape([1, 2], [2, 1])); // → [[1], [2]]
 */
export const reshape = (x: Input, shape: readonly number[]): GraphTensor =>
  op("reshape", [x], ([a]) => a.reshape(shape));
/**
 * Axes in another order; reversed without one.
 *
 * @example new tf.Session().run(tf.transpose([[1, 2]])); // → [[1], [2]]
 */
export const transpose = (x: Input, perm?: readonly number[]): GraphTensor =>
  op("transpose", [x], ([a]) => a.transpose(perm));
/**
 * The place of the largest along an axis. Default: 0.
 *
 * @example new tf.Session().run(tf.argmax([1, 5, 2])); // → 1
 */
export const argmax = (x: Input, axis = 0): GraphTensor => op("argmax", [x], ([a]) => a.argmax(axis));

/** Over an axis, or all. */
type Reduction = (x: Input, axis?: t.Axis, options?: t.ReduceOptions) => GraphTensor;
const reduction =
  (name: string, f: (x: Tensor, axis?: t.Axis, options?: t.ReduceOptions) => Tensor): Reduction =>
  (x, axis, options) =>
    op(name, [x], ([a]) => f(a, axis, options));
/** Σ x over an axis, several, or all. */
export const reduce_sum: Reduction = reduction("reduce_sum", t.sum);
/** The mean over an axis, several, or all. */
export const reduce_mean: Reduction = reduction("reduce_mean", t.mean);
/** The largest over an axis, several, or all. */
export const reduce_max: Reduction = reduction("reduce_max", t.max);
/** The smallest over an axis, several, or all. */
export const reduce_min: Reduction = reduction("reduce_min", t.min);

/**
 * Zeros of a shape.
 *
 * @example new tf.Session().run(tf.zeros([2])); // → [0, 0]
 */
export const zeros = (shape: readonly number[], dtype: DType = "float32"): GraphTensor =>
  op("zeros", [], () => t.zeros(shape, { dtype }));
/**
 * Ones of a shape.
 *
 * @example new tf.Session().run(tf.ones([2])); // → [1, 1]
 */
export const ones = (shape: readonly number[], dtype: DType = "float32"): GraphTensor =>
  op("ones", [], () => t.ones(shape, { dtype }));
/**
 * Drawn anew by each run; as an initial value, by each initialization.
 *
 * @example const w = new tf.Variable(tf.random_normal([2, 3], { stddev: 0.1 }));
 */
export const random_normal = (
  shape: readonly number[],
  { mean = 0, stddev = 1, dtype = "float32" }: { mean?: number; stddev?: number; dtype?: "float32" | "float64" } = {},
): GraphTensor => op("random_normal", [], () => t.random.normal(shape, { mean, std: stddev, dtype }));

/** The dtype. */
export const float32 = "float32";
/** The dtype. */
export const float64 = "float64";
/** The dtype. */
export const int32 = "int32";
/** The dtype; kept as bytes 0 and 1. */
export const bool = "bool";
