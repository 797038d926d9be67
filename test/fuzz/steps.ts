import { type DType, isFloat, isInt, sizeOf } from "../../src/base/index.ts";
import { scanRule } from "../../src/autodiff/scan.ts";
import { build as b, type DotAttrs, type Node, type Pads, type UnaryName } from "../../src/ir/index.ts";
import type { Choice, Pool } from "./pool.ts";

/** One way to extend a graph, from a list of free choices. */
type Step = (pool: Pool, k: Choice) => Node | null;

const DTYPES: readonly DType[] = ["float32", "int32", "bool", "float32", "float64", "float32", "uint32", "uint8"];
const UNARY: readonly UnaryName[] = [
  "neg",
  "abs",
  "exp",
  "tanh",
  "sqrt",
  "log",
  "sin",
  "cos",
  "erf",
  "expm1",
  "log1p",
  "sign",
  "floor",
  "ceil",
  "round",
];
const at = <T>(list: readonly T[], i: number): T => list[i % list.length];
const full = (n: Node, v: number): Node => b.full(n.shape, v, n.dtype);
const ranked = (
  pool: Pool,
  k: number,
  rank: number,
  want: (n: Node) => boolean = (n): boolean => isFloat(n.dtype),
): Node => pool.pick(k, (n) => n.shape.length >= rank && want(n));
const bit = (k: number, i: number): boolean => ((k >> i) & 1) === 1;

/** Logarithms and roots of what is made positive first. */
function unary(pool: Pool, k: Choice): Node {
  const x = pool.float(k[0]);
  const op = at(UNARY, k[1]);
  const positive = op === "sqrt" || op === "log" || op === "log1p";
  return b.unary(op, positive ? b.binary("add", b.unary("abs", x), full(x, 0.25)) : x);
}

function binary(pool: Pool, k: Choice): Node | null {
  const x = pool.pick(k[0], (n) => n.dtype !== "bool");
  const y = pool.like(k[1], x.shape, x.dtype);
  const op = at(["add", "mul", "sub", "maximum", "minimum", "div", "mod", "pow"] as const, k[2]);
  if (op === "div" && isFloat(x.dtype)) return b.binary("div", x, b.binary("add", b.unary("abs", y), full(y, 0.5)));
  if (op === "pow")
    return isFloat(x.dtype)
      ? b.binary("pow", b.binary("add", b.unary("abs", x), full(x, 0.25)), b.unary("tanh", y))
      : null;
  return op === "mod" && isFloat(x.dtype) ? b.binary("mod", x, full(x, 1.5)) : b.binary(op, x, y);
}

/** x with its last axes read by a smaller operand. */
function broadcast(pool: Pool, k: Choice): Node {
  const x = ranked(pool, k[0], 1);
  const from = k[1] % x.shape.length;
  const y = b.broadcast(pool.like(k[2], x.shape.slice(from), x.dtype), x.shape);
  return b.binary(at(["add", "mul", "sub", "maximum"] as const, k[3]), x, y);
}

function choose(pool: Pool, k: Choice): Node {
  const x = pool.pick(k[0], (n) => n.dtype !== "bool");
  const y = pool.like(k[1], x.shape, x.dtype);
  const mask = b.compare(at(["lt", "le", "eq", "ne"] as const, k[2]), x, pool.like(k[3], x.shape, x.dtype));
  return bit(k[2], 3) ? mask : b.where(mask, x, y);
}

const integers: Step = (pool, k) => {
  const x = pool.pick(k[0], (n) => isInt(n.dtype) || n.dtype === "bool");
  const y = pool.like(k[1], x.shape, x.dtype);
  const op = at(["and", "or", "xor", "shl", "shr"] as const, k[2]);
  if (isFloat(x.dtype)) return null;
  if (bit(k[3], 1)) return b.unary("not", x);
  if (op !== "shl" && op !== "shr") return b.binary(op, x, y);
  return x.dtype === "bool" ? null : b.binary(op, x, b.binary("and", y, full(y, 7)));
};

const axesOf = (x: Node, k: number): number[] => {
  const axes = x.shape.map((_, i) => i).filter((i) => bit(k, i));
  return axes.length === 0 && x.shape.length > 0 ? [k % x.shape.length] : axes;
};

/** A reduction; half of the time brought back to the shape of its operand, as in a softmax. */
const reduce: Step = (pool, k) => {
  const x = ranked(pool, k[0], 1, (n) => n.dtype !== "bool");
  const axes = axesOf(x, k[1]);
  const op = at(["sum", "max", "sum", "min", "prod"] as const, k[2]);
  const r = b.reduce(op, op === "sum" ? x : op === "prod" && isFloat(x.dtype) ? b.unary("tanh", x) : x, axes);
  if (!bit(k[3], 0)) return r;
  const kept = b.expand(
    b.reshape(
      r,
      x.shape.map((d, i) => (axes.includes(i) ? 1 : d)),
    ),
    x.shape,
  );
  return bit(k[3], 1) ? b.binary("sub", x, kept) : kept;
};

const argReduce: Step = (pool, k) => {
  const x = ranked(pool, k[0], 1, (n) => n.dtype !== "bool");
  return b.argReduce(bit(k[2], 0) ? "argmax" : "argmin", x, k[1] % x.shape.length);
};

const cumsum: Step = (pool, k) => {
  const x = ranked(pool, k[0], 1, (n) => n.dtype !== "bool");
  return b.cumsum(x, k[1] % x.shape.length, bit(k[2], 0));
};

/** Merges two neighbouring axes, splits one, flattens, or adds an axis. */
const reshape: Step = (pool, k) => {
  const x = pool.pick(k[0]);
  const s = x.shape;
  const i = s.length === 0 ? 0 : k[1] % s.length;
  if (k[2] % 4 === 0 || s.length === 0) return b.reshape(x, [...s.slice(0, i), 1, ...s.slice(i)]);
  if (k[2] % 4 === 1) return b.reshape(x, [s.reduce((n, d) => n * d, 1)]);
  if (k[2] % 4 === 2 && i + 1 < s.length) return b.reshape(x, [...s.slice(0, i), s[i] * s[i + 1], ...s.slice(i + 2)]);
  const by = [2, 3, 4, 5].find((d) => s[i] > 0 && s[i] % d === 0);
  return by === undefined ? null : b.reshape(x, [...s.slice(0, i), by, s[i] / by, ...s.slice(i + 1)]);
};

const permute: Step = (pool, k) => {
  const x = ranked(pool, k[0], 2, () => true);
  const perm = x.shape.map((_, i) => i);
  for (let i = perm.length - 1; i > 0; i--) {
    const j = (k[1] + i * k[2]) % (i + 1);
    [perm[i], perm[j]] = [perm[j], perm[i]];
  }
  return b.permute(x, perm);
};

const expand: Step = (pool, k) => {
  const x = pool.pick(k[0], (n) => n.shape.length < 4);
  const i = k[1] % (x.shape.length + 1);
  const one = b.reshape(x, [...x.shape.slice(0, i), 1, ...x.shape.slice(i)]);
  return b.expand(
    one,
    one.shape.map((d, j) => (j === i ? 1 + (k[2] % 5) : d)),
  );
};

const pad: Step = (pool, k) => {
  const x = ranked(pool, k[0], 1, () => true);
  const pads = x.shape.map((_, i): Pads => [(k[1] >> i) % 3, (k[2] >> i) % 3]);
  return b.pad(x, pads, x.dtype === "bool" ? k[3] % 2 : at([0, 0, 1, 3], k[3]));
};

const slice: Step = (pool, k) => {
  const x = ranked(pool, k[0], 1, () => true);
  const start = x.shape.map((d, i) => Math.min((k[1] >> i) % 3, d));
  const stop = x.shape.map((d, i) => Math.max(start[i], d - ((k[2] >> i) % 3)));
  return b.slice(
    x,
    start,
    stop,
    x.shape.map((_, i) => 1 + ((k[3] >> i) % 3)),
  );
};

const flip: Step = (pool, k) => {
  const x = ranked(pool, k[0], 1, () => true);
  return b.flip(x, axesOf(x, k[1]));
};

const concat: Step = (pool, k) => {
  const x = ranked(pool, k[0], 1, () => true);
  const axis = k[1] % x.shape.length;
  const y = pool.like(k[2], bit(k[3], 0) ? x.shape : x.shape.map((d, i) => (i === axis ? 1 + (k[3] % 6) : d)), x.dtype);
  return b.concat(bit(k[3], 1) ? [x, y, x] : [y, x], axis);
};

/** Contracts one axis of x; the other operand has it in either place, with or without a batch axis. */
const dot: Step = (pool, k) => {
  const x = ranked(pool, k[0], 1, (n) => isFloat(n.dtype) || n.dtype === "int32");
  const rank = x.shape.length;
  const axis = bit(k[1], 0) ? rank - 1 : k[1] % rank;
  const batch = rank > 2 && axis !== 0 && bit(k[2], 2) ? [0] : [];
  const n = at(pool.scale.widths, k[2]);
  const lead = batch.map((i) => x.shape[i]);
  const swapped = bit(k[3], 0);
  const y = pool.like(k[3], swapped ? [...lead, n, x.shape[axis]] : [...lead, x.shape[axis], n], x.dtype);
  const attrs: DotAttrs = {
    lhsBatch: batch,
    rhsBatch: batch.map((_, i) => i),
    lhsContract: [axis],
    rhsContract: [lead.length + (swapped ? 1 : 0)],
  };
  if (!bit(k[3], 3)) return b.dot(x, y, attrs);
  return b.dot(y, x, {
    lhsBatch: attrs.rhsBatch,
    rhsBatch: attrs.lhsBatch,
    lhsContract: attrs.rhsContract,
    rhsContract: attrs.lhsContract,
  });
};

/** x as [batch, ...spatial, channels]: its own axes, with ones put in front. */
const image = (x: Node, nd: number): Node | null => {
  if (x.shape.length > nd + 2) return null;
  return b.reshape(x, [...new Array<number>(nd + 2 - x.shape.length).fill(1), ...x.shape]);
};

const conv: Step = (pool, k) => {
  const nd = 1 + (k[1] % 2);
  const x = image(
    ranked(pool, k[0], 2, (n) => isFloat(n.dtype) && n.shape.length <= nd + 2),
    nd,
  );
  if (x === null) return null;
  const channels = x.shape[nd + 1];
  const groups = [4, 3, 2].find((g) => bit(k[2], 4) && channels % g === 0) ?? (bit(k[2], 5) ? channels : 1);
  if (groups === 0) return null;
  const each = (shift: number, options: readonly number[]): number[] =>
    Array.from({ length: nd }, (_, i) => at(options, k[3] >> (shift + 2 * i)));
  const kernel = each(0, [1, 2, 3, 4]);
  const out = at([2, ...pool.scale.widths], k[4] ?? 0);
  const w = pool.like(k[4] ?? 0, [...kernel, groups, channels / groups, out], x.dtype);
  const grouped = b.reshape(x, [...x.shape.slice(0, nd + 1), groups, channels / groups]);
  const y = b.conv(grouped, w, {
    strides: each(1, [1, 1, 2, 3]),
    padding: Array.from({ length: nd }, (_, i): Pads => [(k[2] >> i) % 3, (k[2] >> (i + 1)) % 3]),
    lhsDilation: each(3, [1, 1, 1, 2]),
    rhsDilation: each(5, [1, 1, 2, 1]),
  });
  return sizeOf(y.shape) === 0 ? null : b.reshape(y, [...y.shape.slice(0, nd + 1), groups * out]);
};

const windows: Step = (pool, k) => {
  const nd = 1 + (k[1] % 2);
  const x = image(
    ranked(pool, k[0], 2, (n) => isFloat(n.dtype) && n.shape.length <= nd + 2),
    nd,
  );
  if (x === null) return null;
  const each = (shift: number, options: readonly number[]): number[] =>
    Array.from({ length: nd }, (_, i) => at(options, k[3] >> (shift + 2 * i)));
  const attrs = {
    window: each(0, [2, 3, 1, 2]),
    strides: each(2, [1, 2, 1, 3]),
    padding: Array.from({ length: nd }, (_, i): Pads => [(k[2] >> i) % 2, (k[2] >> (i + 1)) % 2]),
    dilation: each(4, [1, 1, 1, 2]),
  };
  const y = b.windowReduce(bit(k[1], 3) ? "windowSum" : "windowMax", x, attrs);
  switch ((k[4] ?? 0) % 5) {
    case 0:
      return b.windowPick(x, pool.like(k[0], x.shape, x.dtype), attrs);
    case 1:
      return b.windowPickGrad(x, pool.like(k[0], y.shape, y.dtype), attrs);
    case 2:
      return b.windowSumGrad(pool.like(k[0], y.shape, y.dtype), { ...attrs, spatial: x.shape.slice(1, -1) });
    default:
      return y;
  }
};

const indices = (pool: Pool, k: number, n: number): Node =>
  pool.leaf(at([[3], [2, 2], [], [7]], k), "int32", (rng) => rng.int(-1, n));

const gather: Step = (pool, k) => {
  const x = ranked(pool, k[0], 1, () => true);
  const axis = k[1] % x.shape.length;
  return b.gather(x, indices(pool, k[2], x.shape[axis]), axis);
};

const scatterAdd: Step = (pool, k) => {
  const x = ranked(pool, k[0], 1, (n) => n.dtype !== "bool");
  const axis = k[1] % x.shape.length;
  if (x.shape[axis] === 0) return null;
  const i = indices(pool, k[2], x.shape[axis]);
  return b.scatterAdd(
    x,
    i,
    pool.like(k[3], [...x.shape.slice(0, axis), ...i.shape, ...x.shape.slice(axis + 1)], x.dtype),
    axis,
  );
};

/** What a float beyond the integer's range becomes is not defined, so negative ones are not made unsigned. */
const cast: Step = (pool, k) => {
  const to = at(DTYPES, k[1]);
  const x = pool.pick(k[0]);
  const signed = isFloat(x.dtype) && (to === "uint32" || to === "uint8");
  return b.cast(signed ? b.binary("minimum", b.unary("abs", x), full(x, 200)) : x, to);
};

/** h' = tanh(h·w + x), y = h'·h over the first axis of xs. */
const scan: Step = (pool, k) => {
  const xs = pool.pick(k[0], (n) => n.shape.length === 3 && isFloat(n.dtype));
  if (xs.shape.length !== 3) return null;
  const [length, batch, width] = xs.shape;
  const h0 = pool.like(k[1], [batch, width], xs.dtype);
  const w = pool.like(k[2], [width, width], xs.dtype);
  const params = [h0, b.slice(b.reshape(xs, xs.shape), [0, 0, 0], xs.shape), w].map((n, i) =>
    b.leaf(i === 1 ? [batch, width] : n.shape, n.dtype),
  );
  const [h, x, m] = params;
  const inner = bit(k[3], 0)
    ? b.dot(h, m, { lhsBatch: [], rhsBatch: [], lhsContract: [1], rhsContract: [0] })
    : b.binary("mul", h, full(h, 0.5));
  const next = b.unary("tanh", b.binary("add", inner, x));
  const body = { uid: h.id, params, outs: [next, b.binary("mul", next, h)], carries: 1, xs: 1 };
  const tuple = b.scan({ body, length, reverse: bit(k[3], 1) }, [h0, xs, w], scanRule);
  return b.get(tuple, bit(k[3], 2) ? 0 : 1);
};

/** Softmax and layer norm along the last axis: what a scheduler has patterns for. */
const rows: Step = (pool, k) => {
  const x = ranked(pool, k[0], 1);
  const last = x.shape.length - 1;
  const back = (r: Node): Node => b.expand(b.reshape(r, [...x.shape.slice(0, -1), 1]), x.shape);
  if (bit(k[1], 0)) {
    const e = b.unary("exp", b.binary("sub", x, back(b.reduce("max", x, [last]))));
    return b.binary("div", e, back(b.reduce("sum", e, [last])));
  }
  const n = full(x, 1 / Math.max(1, x.shape[last]));
  const mean = back(b.reduce("sum", b.binary("mul", x, n), [last]));
  const centred = b.binary("sub", x, mean);
  const variance = back(b.reduce("sum", b.binary("mul", b.binary("mul", centred, centred), n), [last]));
  return b.binary("div", centred, b.unary("sqrt", b.binary("add", variance, full(x, 0.1))));
};

const mark: Step = (pool, k) => {
  const x = pool.pick(k[0]);
  return at([b.alias, b.stopGradient, (n: Node): Node => b.barrier(n, [pool.pick(k[2])])], k[1])(x);
};

/** Uniform floats from random bits, as random() makes them. */
const random: Step = (pool, k) => {
  const key = pool.leaf([2], "uint32", (rng) => rng.int(0, 2 ** 32 - 1));
  const bits = b.randomBits(key, pool.shape(k), k[1] % 3);
  const high = b.binary("shr", bits, full(bits, 8));
  return b.binary("mul", b.cast(high, "float32"), b.full(bits.shape, 2 ** -24));
};

const iota: Step = (pool, k) => {
  const shape = pool.shape(k);
  return shape.length === 0 ? null : b.iota(shape, k[1] % shape.length, at(["int32", "float32"] as const, k[2]));
};

const constant: Step = (pool, k) => b.full(pool.shape(k.slice(2)), at([1, 2, 0, 0.5], k[1]), at(DTYPES, k[0]));

const leaf: Step = (pool, k) => {
  pool.leaf(pool.shape(k.slice(1)), at(DTYPES, k[0]));
  return null;
};

/** Every way to extend a graph; the likelier ones stand more than once. */
export const STEPS: readonly Step[] = [
  leaf,
  unary,
  binary,
  broadcast,
  reduce,
  dot,
  conv,
  windows,
  choose,
  unary,
  binary,
  broadcast,
  permute,
  reshape,
  slice,
  pad,
  flip,
  expand,
  concat,
  rows,
  gather,
  scatterAdd,
  cumsum,
  argReduce,
  cast,
  integers,
  scan,
  random,
  iota,
  constant,
  mark,
  reduce,
  dot,
  conv,
];
