/**
 * One vector-Jacobian product a primitive: from the cotangent of a node's result to those of its sources. The type demands
 * every row. Rows return null where no gradient flows (and where none is needed), and build lean graphs: what they emit is
 * what a training step computes.
 *
 * Conventions at points without a derivative (catalogue S-057, S-059): |x|' = 0 at 0; maximum and minimum of two equal
 * values split the gradient in half, but against a constant it is 0, so that ReLU'(0) = 0; max and min over an axis share it
 * equally among ties; rounding functions have derivative 0.
 */
import { build, type Carried, familyOf, type Node, type PrimName, type Row, type TupleRow } from "../ir/index.ts";
import { constantOf } from "../ir/rewrite.ts";
import { dotRow } from "./contractions.ts";
import { indexRules } from "./indexing.ts";
import { add, div, isConst, like, mul, neg, spread, sub } from "./nodes.ts";

/** A primitive whose derivative is zero wherever it has one, or whose values are not real numbers. */
export const ZERO = "zero";

type Rules = { readonly [P in Exclude<PrimName, Carried>]: Row<P> | typeof ZERO };

/**
 * All of ct where a side wins, half of it in a tie; against a constant nothing in a tie. There the mask is read off the
 * result, so that the operand (the sum before a ReLU) need not be kept.
 */
function winner(n: Node, ct: Node, needs: readonly boolean[]): readonly (Node | null)[] {
  const [a, b] = n.srcs;
  const beats = (x: Node, y: Node): Node =>
    n.op === "maximum" ? build.compare("lt", y, x) : build.compare("lt", x, y);
  const zero = like(ct, 0);
  const side = (x: Node, y: Node): Node => {
    if (isConst(y)) return build.where(beats(n, y), ct, zero);
    const strictly = build.where(beats(x, y), ct, zero);
    if (isConst(x)) return strictly;
    return build.where(build.compare("eq", x, y), mul(ct, like(ct, 0.5)), strictly);
  };
  return [needs[0] ? side(a, b) : null, needs[1] ? side(b, a) : null];
}

/** max or min over axes: the gradient shared equally among the places that reach it. */
function extreme(n: Node<"max"> | Node<"min">, ct: Node): readonly Node[] {
  const [x] = n.srcs;
  const { axes } = n.attrs;
  const hit = build.compare("eq", x, spread(n, x.shape, axes));
  const ones = build.cast(hit, x.dtype);
  const count = build.reduce("sum", ones, axes);
  return [mul(ones, spread(div(ct, count), x.shape, axes))];
}

/** Π x: the product of all others, by running products from both ends, so that zeros are no exception. */
function product(n: Node<"prod">, ct: Node): readonly Node[] {
  const [x] = n.srcs;
  const { axes } = n.attrs;
  const front = [...x.shape.keys()].filter((i) => !axes.includes(i));
  const perm = [...front, ...axes];
  const rows = front.map((i) => x.shape[i]);
  const count = axes.reduce((s, i) => s * x.shape[i], 1);
  const flat = build.reshape(build.permute(x, perm), [...rows, count]);
  const last = rows.length;
  const before = exclusiveProducts(flat, last, false);
  const after = exclusiveProducts(flat, last, true);
  const others = mul(before, after);
  const back = perm.map((_, i) => perm.indexOf(i));
  const unflat = build.permute(
    build.reshape(
      others,
      perm.map((i) => x.shape[i]),
    ),
    back,
  );
  return [mul(spread(ct, x.shape, axes), unflat)];
}

/** The product of all elements before (or after) each place of an axis, by doubling steps. */
function exclusiveProducts(x: Node, axis: number, reverse: boolean): Node {
  const size = x.shape[axis];
  const shift = (a: Node, by: number): Node => {
    const start = a.shape.map(() => 0);
    const stop = [...a.shape];
    const pads = a.shape.map(() => [0, 0] as [number, number]);
    if (reverse) start[axis] = Math.min(by, size);
    else stop[axis] = Math.max(0, size - by);
    pads[axis] = reverse ? [0, Math.min(by, size)] : [Math.min(by, size), 0];
    return build.pad(build.slice(a, start, stop), pads, 1);
  };
  let at = shift(x, 1);
  for (let by = 1; by < size; by *= 2) at = mul(at, shift(at, by));
  return at;
}

/** x^y: the exponent's gradient is 0 where x ≤ 0 would give no real number. */
function power(n: Node<"pow">, ct: Node, needs: readonly boolean[]): readonly (Node | null)[] {
  const [x, y] = n.srcs;
  const c = constantOf(y);
  const base = (): Node => {
    if (c === 0) return like(ct, 0);
    if (c === 1) return ct;
    if (c === 2) return mul(ct, mul(like(x, 2), x));
    const slope = mul(y, build.binary("pow", x, sub(y, like(y, 1))));
    if (c !== null) return mul(ct, slope);
    // d/dx x^0 is 0 at 0 too, where x^-1 is not finite.
    return mul(ct, build.where(build.compare("eq", y, like(y, 0)), like(y, 0), slope));
  };
  const exponent = (): Node => {
    const positive = build.compare("lt", like(x, 0), x);
    const ln = build.unary("log", build.where(positive, x, like(x, 1)));
    return mul(ct, mul(n, ln));
  };
  return [needs[0] ? base() : null, needs[1] ? exponent() : null];
}

const inverse = (perm: readonly number[]): number[] => perm.map((_, i) => perm.indexOf(i));

/** ct of an expanded node: summed over what was repeated. */
function unexpand(n: Node<"expand">, ct: Node): readonly Node[] {
  const [x] = n.srcs;
  const axes = [...x.shape.keys()].filter((i) => x.shape[i] === 1 && n.shape[i] !== 1);
  return [build.reshape(build.reduce("sum", ct, axes), x.shape)];
}

/** ct of a slice, put back among zeros. */
function unslice(n: Node<"slice">, ct: Node): readonly Node[] {
  const [x] = n.srcs;
  const { start, step } = n.attrs;
  let at = ct;
  if (step.some((s) => s > 1)) {
    // Zeros between the elements: [n] → [n, 1] padded to [n, step] → [n · step].
    const pads = at.shape.flatMap((_, i) => [[0, 0] as const, [0, step[i] - 1] as const]);
    at = build.pad(
      build.reshape(
        at,
        at.shape.flatMap((d) => [d, 1]),
      ),
      pads,
    );
    at = build.reshape(
      at,
      ct.shape.map((d, i) => d * step[i]),
    );
  }
  // What stands beyond the axis now are padded zeros: cut them.
  const size = at.shape.map((d, i) => Math.min(d, x.shape[i] - start[i]));
  at = build.slice(
    at,
    at.shape.map(() => 0),
    size,
  );
  return [
    build.pad(
      at,
      x.shape.map((d, i) => [start[i], d - start[i] - size[i]]),
    ),
  ];
}

function unpad(n: Node<"pad">, ct: Node): readonly Node[] {
  const { padding } = n.attrs;
  return [
    build.slice(
      ct,
      padding.map((p) => p[0]),
      ct.shape.map((d, i) => d - padding[i][1]),
    ),
  ];
}

function unconcat(n: Node<"concat">, ct: Node, needs: readonly boolean[]): readonly (Node | null)[] {
  const { axis } = n.attrs;
  let at = 0;
  return n.srcs.map((s, i) => {
    const start = ct.shape.map(() => 0);
    const stop = [...ct.shape];
    start[axis] = at;
    stop[axis] = at += s.shape[axis];
    return needs[i] ? build.slice(ct, start, stop) : null;
  });
}

/** A row of one source: ct times a factor. */
const times =
  <P extends PrimName>(factor: (n: Node<P>, x: Node) => Node): Row<P> =>
  (n, ct) => [mul(ct, factor(n, n.srcs[0]))];

/** ct passed through to the first source. */
const pass = (_n: Node, ct: Node): readonly Node[] => [ct];

export const RULES: Rules = {
  const: ZERO,
  leaf: ZERO,
  iota: ZERO,
  randomBits: ZERO,
  neg: (_n, ct) => [neg(ct)],
  abs: times((_n, x) => build.unary("sign", x)),
  sign: ZERO,
  floor: ZERO,
  ceil: ZERO,
  round: ZERO,
  sqrt: (n, ct) => [div(mul(ct, like(ct, 0.5)), n)],
  exp: times((n) => n),
  expm1: times((n) => add(n, like(n, 1))),
  log: (n, ct) => [div(ct, n.srcs[0])],
  log1p: (n, ct) => [div(ct, add(n.srcs[0], like(ct, 1)))],
  sin: times((_n, x) => build.unary("cos", x)),
  cos: (n, ct) => [neg(mul(ct, build.unary("sin", n.srcs[0])))],
  tanh: times((n) => sub(like(n, 1), mul(n, n))),
  erf: times((_n, x) => mul(like(x, 2 / Math.sqrt(Math.PI)), build.unary("exp", neg(mul(x, x))))),
  not: ZERO,
  cast: (n, ct) => [build.cast(ct, n.srcs[0].dtype)],
  add: (_n, ct) => [ct, ct],
  sub: (_n, ct, needs) => [ct, needs[1] ? neg(ct) : null],
  mul: (n, ct, needs) => [needs[0] ? mul(ct, n.srcs[1]) : null, needs[1] ? mul(ct, n.srcs[0]) : null],
  div: (n, ct, needs) => [needs[0] ? div(ct, n.srcs[1]) : null, needs[1] ? neg(div(mul(ct, n), n.srcs[1])) : null],
  /** x - y ⌊x / y⌋ with the floor taken as constant. */
  mod: (n, ct, needs) => [ct, needs[1] ? neg(mul(ct, build.unary("floor", div(n.srcs[0], n.srcs[1])))) : null],
  pow: power,
  maximum: winner,
  minimum: winner,
  and: ZERO,
  or: ZERO,
  xor: ZERO,
  shl: ZERO,
  shr: ZERO,
  lt: ZERO,
  le: ZERO,
  eq: ZERO,
  ne: ZERO,
  where: (n, ct, needs) => [
    null,
    needs[1] ? build.where(n.srcs[0], ct, like(ct, 0)) : null,
    needs[2] ? build.where(n.srcs[0], like(ct, 0), ct) : null,
  ],
  sum: (n, ct) => [spread(ct, n.srcs[0].shape, n.attrs.axes)],
  prod: product,
  max: extreme,
  min: extreme,
  argmax: ZERO,
  argmin: ZERO,
  cumsum: (n, ct) => [build.cumsum(ct, n.attrs.axis, !n.attrs.reverse)],
  reshape: (n, ct) => [build.reshape(ct, n.srcs[0].shape)],
  permute: (n, ct) => [build.permute(ct, inverse(n.attrs.perm))],
  expand: unexpand,
  pad: unpad,
  slice: unslice,
  flip: (n, ct) => [build.flip(ct, n.attrs.axes)],
  concat: unconcat,
  dot: dotRow,
  ...indexRules,
  /** Read by the reverse walk itself, which hands the scan one cotangent a result. */
  get: ZERO,
  alias: pass,
  stopGradient: ZERO,
  barrier: (n, ct) => [ct, ...n.srcs.slice(1).map(() => null)],
};

/** The row of a node: of the table, or its own. */
export const rowOf = (n: Node): Row<PrimName> | TupleRow | typeof ZERO =>
  (familyOf(n)?.vjp ?? RULES[n.op as keyof Rules]) as Row<PrimName>;
