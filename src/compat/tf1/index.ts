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

/** A value that every run is given through feed_dict. null in the shape fits any size; no shape fits all. */
export const placeholder = (
  dtype: DType,
  shape: readonly (number | null)[] | null = null,
  name = "Placeholder",
): Placeholder => new Placeholder(dtype, shape, name);

/** An operation that gives every variable made so far its initial value, in the session that runs it. */
export const global_variables_initializer = (): Operation => new Initializer();

/** An operation that replaces the value of a variable. */
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

export const add: Binary = binary("add", t.add);
export const subtract: Binary = binary("subtract", t.sub);
export const multiply: Binary = binary("multiply", t.mul);
export const divide: Binary = binary("divide", t.div);
export const pow: Binary = binary("pow", t.pow);
export const maximum: Binary = binary("maximum", t.maximum);
export const minimum: Binary = binary("minimum", t.minimum);
export const matmul: Binary = binary("matmul", t.matmul);
export const equal: Binary = binary("equal", t.equal);
export const greater: Binary = binary("greater", t.greater);
export const less: Binary = binary("less", t.less);
export const negative: Unary = unary("negative", t.neg);
export const square: Unary = unary("square", t.square);
export const sqrt: Unary = unary("sqrt", t.sqrt);
export const abs: Unary = unary("abs", t.abs);
export const exp: Unary = unary("exp", t.exp);
export const log: Unary = unary("log", t.log);
export const sigmoid: Unary = unary("sigmoid", t.sigmoid);
export const tanh: Unary = unary("tanh", t.tanh);
export const round: Unary = unary("round", t.round);

export const cast = (x: Input, dtype: DType): GraphTensor => op("cast", [x], ([a]) => a.cast(dtype));
export const reshape = (x: Input, shape: readonly number[]): GraphTensor =>
  op("reshape", [x], ([a]) => a.reshape(shape));
export const transpose = (x: Input, perm?: readonly number[]): GraphTensor =>
  op("transpose", [x], ([a]) => a.transpose(perm));
export const argmax = (x: Input, axis = 0): GraphTensor => op("argmax", [x], ([a]) => a.argmax(axis));

/** Over an axis, or all. */
type Reduction = (x: Input, axis?: t.Axis, options?: t.ReduceOptions) => GraphTensor;
const reduction =
  (name: string, f: (x: Tensor, axis?: t.Axis, options?: t.ReduceOptions) => Tensor): Reduction =>
  (x, axis, options) =>
    op(name, [x], ([a]) => f(a, axis, options));
export const reduce_sum: Reduction = reduction("reduce_sum", t.sum);
export const reduce_mean: Reduction = reduction("reduce_mean", t.mean);
export const reduce_max: Reduction = reduction("reduce_max", t.max);
export const reduce_min: Reduction = reduction("reduce_min", t.min);

export const zeros = (shape: readonly number[], dtype: DType = "float32"): GraphTensor =>
  op("zeros", [], () => t.zeros(shape, { dtype }));
export const ones = (shape: readonly number[], dtype: DType = "float32"): GraphTensor =>
  op("ones", [], () => t.ones(shape, { dtype }));
/** Drawn anew by each run; as an initial value, by each initialization. */
export const random_normal = (
  shape: readonly number[],
  { mean = 0, stddev = 1, dtype = "float32" }: { mean?: number; stddev?: number; dtype?: "float32" | "float64" } = {},
): GraphTensor => op("random_normal", [], () => t.random.normal(shape, { mean, std: stddev, dtype }));

export const float32 = "float32";
export const float64 = "float64";
export const int32 = "int32";
export const bool = "bool";
