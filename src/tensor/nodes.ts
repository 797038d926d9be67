/**
 * Node-level building blocks: NumPy's broadcasting over the builder, for the functions of this room. Sources have one
 * dtype here; promotion is done before.
 */
import { broadcastShapes, isFloat } from "../base/index.ts";
import type { DType } from "../base/index.ts";
import { type BinaryName, build, type CompareName, type CustomRule, type Node } from "../ir/index.ts";

export function binary(op: BinaryName, a: Node, b: Node, name: string = op): Node {
  const shape = broadcastShapes(a.shape, b.shape, name);
  return build.binary(op, build.broadcast(a, shape), build.broadcast(b, shape));
}

export function compare(op: CompareName, a: Node, b: Node, name: string = op): Node {
  const shape = broadcastShapes(a.shape, b.shape, name);
  return build.compare(op, build.broadcast(a, shape), build.broadcast(b, shape));
}

export const add = (a: Node, b: Node): Node => binary("add", a, b);
export const sub = (a: Node, b: Node): Node => binary("sub", a, b);
export const mul = (a: Node, b: Node): Node => binary("mul", a, b);
export const div = (a: Node, b: Node): Node => binary("div", a, b);

/** A constant of x's dtype in every place of x. */
export const like = (x: Node, value: number): Node => build.full(x.shape, value, x.dtype);

/** x as a float: whole numbers and bool become float32. */
export const floats = (x: Node): Node => (isFloat(x.dtype) ? x : build.cast(x, "float32"));

/** The dtype in which arithmetic on this dtype runs: bool counts as int32. */
export const arithmetic = (dtype: DType): DType => (dtype === "bool" ? "int32" : dtype);

/** The shape with size 1 at the reduced axes. */
export const keptShape = (shape: readonly number[], axes: readonly number[]): number[] =>
  shape.map((d, i) => (axes.includes(i) ? 1 : d));

/** A reduction that keeps its axes with size 1. */
export const reduceKeep = (op: "sum" | "max" | "min" | "prod", x: Node, axes: readonly number[]): Node =>
  build.reshape(build.reduce(op, x, axes), keptShape(x.shape, axes));

/** 1 / (1 + e^-x), whose derivative s(1 - s) never meets e^x. */
export function sigmoid(x: Node): Node {
  const one = like(x, 1);
  const s = build.binary("div", one, build.binary("add", one, build.unary("exp", build.unary("neg", x))));
  const rule: CustomRule = (ct, out) => [mul(ct, mul(out, sub(like(out, 1), out)))];
  return build.custom(s, [x], rule);
}

/** ln(1 + e^x) as max(x, 0) + log1p(e^-|x|); its derivative is the sigmoid. */
export function softplus(x: Node): Node {
  const tail = build.unary("log1p", build.unary("exp", build.unary("neg", build.unary("abs", x))));
  const rule: CustomRule = (ct, _out, [y]) => [mul(ct, sigmoid(y))];
  return build.custom(add(build.binary("maximum", x, like(x, 0)), tail), [x], rule);
}
