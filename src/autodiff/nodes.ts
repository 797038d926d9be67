/** Node arithmetic for derivative rules: sources agree in shape; factors of 0 and 1 vanish as the graph is built. */
import { build, type Node } from "../ir/index.ts";
import { constantOf } from "../ir/rewrite.ts";

/** `value` in every place of x. */
export const like = (x: Node, value: number): Node => build.full(x.shape, value, x.dtype);

/** Whether a node is one constant in every place. */
export const isConst = (n: Node): boolean => constantOf(n) !== null;

export function add(a: Node, b: Node): Node {
  if (constantOf(a) === 0) return b;
  return constantOf(b) === 0 ? a : build.binary("add", a, b);
}

export const sub = (a: Node, b: Node): Node => (constantOf(b) === 0 ? a : build.binary("sub", a, b));

export function mul(a: Node, b: Node): Node {
  const [p, q] = [constantOf(a), constantOf(b)];
  if (p === 1) return b;
  if (q === 1) return a;
  if (p === -1) return neg(b);
  if (q === -1) return neg(a);
  if (p !== null && q !== null) return like(a, p * q);
  return build.binary("mul", a, b);
}

export function div(a: Node, b: Node): Node {
  const [p, q] = [constantOf(a), constantOf(b)];
  if (q === 1) return a;
  if (p !== null && q !== null && q !== 0) return like(a, p / q);
  return build.binary("div", a, b);
}

export function neg(a: Node): Node {
  const c = constantOf(a);
  if (c !== null) return like(a, -c);
  return a.op === "neg" ? a.srcs[0] : build.unary("neg", a);
}

/** A reduced value back in every place it came from: axes of size 1 put in, then repeated. */
export const spread = (x: Node, shape: readonly number[], axes: readonly number[]): Node =>
  build.expand(
    build.reshape(
      x,
      shape.map((d, i) => (axes.includes(i) ? 1 : d)),
    ),
    shape,
  );
