/**
 * The builder: one function per primitive. Every shape and dtype rule is checked here, when the node is made, so that an
 * error carries the user's own call in its stack. No broadcasting and no promotion: sources agree, or it throws. Where the
 * functions of Tensor have asked already, only a fault of ours can be met (`sound`).
 */
import {
  axisOf,
  checkShape,
  type DType,
  DTypeError,
  isFloat,
  resolveReshape,
  sameShape,
  ShapeError,
  showShape,
  sizeOf,
  ValueError,
} from "../base/index.ts";
import { nextId } from "../base/context.ts";
import { agree, floatPair, sound } from "./checks.ts";
import type { Family } from "./family.ts";
import { intern, isOp, type Node } from "./node.ts";
import type {
  BinaryName,
  CompareName,
  DotAttrs,
  Empty,
  Pads,
  PrimName,
  ReduceName,
  ScanAttrs,
  UnaryName,
} from "./primitives.ts";

const none: Empty = {};

export const scalar = (value: number, dtype: DType = "float32"): Node<"const"> => {
  const v = dtype === "float32" ? Math.fround(value) : dtype === "bool" ? Number(value !== 0) : value;
  return intern("const", [], { value: v }, [], dtype);
};

/** `value` in every place of `shape`. */
export const full = (shape: readonly number[], value: number, dtype: DType = "float32"): Node =>
  broadcast(scalar(value, dtype), shape);

/** A value from outside: a buffer, a variable or an argument. */
export const leaf = (shape: readonly number[], dtype: DType, name = ""): Node<"leaf"> =>
  intern("leaf", [], { uid: nextId(), name }, shape, dtype);

export function iota(shape: readonly number[], axis: number, dtype: DType = "int32"): Node {
  checkShape(shape, "iota");
  return intern("iota", [], { axis: axisOf(axis, shape.length, "iota") }, shape, dtype);
}

/** uint32 words of `shape` under a key (uint32 [2]); streams of one key are independent. */
export function randomBits(key: Node, shape: readonly number[], stream = 0): Node {
  checkShape(shape, "randomBits");
  if (key.dtype !== "uint32" || !sameShape(key.shape, [2])) {
    throw new DTypeError(`[randomBits] a key is uint32 [2], got ${key.dtype} ${showShape(key.shape)}.`);
  }
  return intern("randomBits", [key], { stream }, shape, "uint32");
}

const FLOAT_ONLY: ReadonlySet<PrimName> = new Set<PrimName>([
  "floor",
  "ceil",
  "round",
  "sqrt",
  "exp",
  "expm1",
  "log",
  "log1p",
  "sin",
  "cos",
  "tanh",
  "erf",
]);

export function unary(op: UnaryName, x: Node): Node {
  if (FLOAT_ONLY.has(op) && !isFloat(x.dtype)) {
    throw new DTypeError(`[${op}] takes float32 or float64, got ${x.dtype} ${showShape(x.shape)}: cast it first.`);
  }
  if (op === "not" && isFloat(x.dtype)) throw new DTypeError(`[not] takes bool or integers, got ${x.dtype}.`);
  if ((op === "neg" || op === "abs" || op === "sign") && x.dtype === "bool") {
    throw new DTypeError(`[${op}] does not take bool: cast to int32 or use not().`);
  }
  return intern(op, [x], none, x.shape, x.dtype);
}

export const cast = (x: Node, dtype: DType): Node =>
  x.dtype === dtype
    ? x
    : isOp(x, "const")
      ? scalar(castValue(x.attrs.value, dtype), dtype)
      : intern("cast", [x], { dtype }, x.shape, dtype);

const castValue = (v: number, dtype: DType): number =>
  isFloat(dtype)
    ? v
    : dtype === "bool"
      ? Number(v !== 0)
      : dtype === "uint32"
        ? Math.trunc(v) >>> 0
        : dtype === "uint8"
          ? Math.trunc(v) & 255
          : Math.trunc(v) | 0;

const BITS: ReadonlySet<PrimName> = new Set<PrimName>(["and", "or", "xor", "shl", "shr"]);

export function binary(op: BinaryName, a: Node, b: Node): Node {
  agree(op, a, b);
  if (BITS.has(op) ? isFloat(a.dtype) : a.dtype === "bool") {
    throw new DTypeError(`[${op}] does not take ${a.dtype}: cast first (bool sums and products count as int32).`);
  }
  return intern(op, [a, b], none, a.shape, a.dtype);
}

export function compare(op: CompareName, a: Node, b: Node): Node {
  agree(op, a, b);
  return intern(op, [a, b], none, a.shape, "bool");
}

export function where(mask: Node, a: Node, b: Node): Node {
  agree("where", a, b);
  sound("where", mask.dtype === "bool" && sameShape(mask.shape, a.shape));
  return intern("where", [mask, a, b], none, a.shape, a.dtype);
}

export function reduce(op: ReduceName, x: Node, axes: readonly number[]): Node {
  if (x.dtype === "bool")
    throw new DTypeError(`[${op}] does not take bool: cast to int32 to count, or use any()/all().`);
  if ((op === "max" || op === "min") && axes.some((a) => x.shape[a] === 0)) {
    throw new ValueError(`[${op}] of an empty axis of ${showShape(x.shape)} has no value.`);
  }
  const shape = x.shape.filter((_, i) => !axes.includes(i));
  return axes.length === 0 ? x : intern(op, [x], { axes }, shape, x.dtype);
}

export function argReduce(op: "argmax" | "argmin", x: Node, axis: number): Node {
  const a = axisOf(axis, x.shape.length, op);
  if (x.shape[a] === 0) throw new ValueError(`[${op}] of an empty axis of ${showShape(x.shape)} has no value.`);
  return intern(
    op,
    [x],
    { axis: a },
    x.shape.filter((_, i) => i !== a),
    "int32",
  );
}

export function cumsum(x: Node, axis: number, reverse = false): Node {
  if (x.dtype === "bool") throw new DTypeError("[cumsum] does not take bool: cast to int32 first.");
  return intern("cumsum", [x], { axis: axisOf(axis, x.shape.length, "cumsum"), reverse }, x.shape, x.dtype);
}

export function reshape(x: Node, shape: readonly number[]): Node {
  const to = resolveReshape(shape, x.shape, "reshape");
  if (sameShape(to, x.shape)) return x;
  if (isOp(x, "reshape")) return reshape(x.srcs[0], to);
  return intern("reshape", [x], { shape: to }, to, x.dtype);
}

export function permute(x: Node, perm: readonly number[]): Node {
  sound("transpose", perm.length === x.shape.length && x.shape.every((_, i) => perm.includes(i)));
  if (perm.every((p, i) => p === i)) return x;
  if (isOp(x, "permute"))
    return permute(
      x.srcs[0],
      perm.map((p) => x.attrs.perm[p]),
    );
  return intern(
    "permute",
    [x],
    { perm },
    perm.map((p) => x.shape[p]),
    x.dtype,
  );
}

/** Repeats axes of size 1 to the sizes of `shape`, same rank. */
export function expand(x: Node, shape: readonly number[]): Node {
  checkShape(shape, "expand");
  if (shape.length !== x.shape.length || x.shape.some((d, i) => d !== shape[i] && d !== 1)) {
    throw new ShapeError(
      `[broadcastTo] ${showShape(x.shape)} does not expand to ${showShape(shape)}: only axes of size 1 repeat.`,
    );
  }
  if (sameShape(shape, x.shape)) return x;
  if (isOp(x, "expand")) return expand(x.srcs[0], shape);
  return intern("expand", [x], { shape }, shape, x.dtype);
}

/** NumPy's broadcast_to: leading axes of size 1 are added, then repeated. */
export function broadcast(x: Node, shape: readonly number[]): Node {
  if (shape.length < x.shape.length) {
    throw new ShapeError(`[broadcastTo] ${showShape(x.shape)} has more axes than ${showShape(shape)}.`);
  }
  const lead = new Array<number>(shape.length - x.shape.length).fill(1);
  return expand(reshape(x, [...lead, ...x.shape]), shape);
}

export function pad(x: Node, padding: readonly Pads[], value = 0): Node {
  if (padding.length !== x.shape.length || padding.some(([l, h]) => !(l >= 0 && h >= 0))) {
    throw new ValueError(
      `[pad] ${showShape(x.shape)} needs ${x.shape.length} pairs of sizes ≥ 0, got ${JSON.stringify(padding)}.`,
    );
  }
  if (padding.every(([l, h]) => l === 0 && h === 0)) return x;
  return intern(
    "pad",
    [x],
    { padding, value },
    x.shape.map((d, i) => d + padding[i][0] + padding[i][1]),
    x.dtype,
  );
}

export function slice(x: Node, start: readonly number[], stop: readonly number[], step?: readonly number[]): Node {
  const st = step ?? x.shape.map(() => 1);
  sound(
    "slice",
    x.shape.every((d, i) => start[i] >= 0 && stop[i] <= d && start[i] <= stop[i] && st[i] >= 1),
  );
  const shape = x.shape.map((_, i) => Math.ceil((stop[i] - start[i]) / st[i]));
  if (sameShape(shape, x.shape)) return x;
  return intern("slice", [x], { start, stop, step: st }, shape, x.dtype);
}

export function flip(x: Node, axes: readonly number[]): Node {
  const real = axes.map((a) => axisOf(a, x.shape.length, "flip")).filter((a) => x.shape[a] > 1);
  if (real.length === 0) return x;
  return intern("flip", [x], { axes: real }, x.shape, x.dtype);
}

export function concat(xs: readonly Node[], axis: number): Node {
  const [first] = xs;
  const a = axisOf(axis, first.shape.length, "concat");
  const fits = ({ shape }: Node): boolean =>
    shape.length === first.shape.length && shape.every((d, i) => i === a || d === first.shape[i]);
  sound(
    "concat",
    xs.every((x) => x.dtype === first.dtype && fits(x)),
  );
  const kept = xs.filter((x) => x.shape[a] > 0);
  if (kept.length <= 1) return kept[0] ?? first;
  const shape = first.shape.map((d, i) => (i === a ? xs.reduce((n, x) => n + x.shape[a], 0) : d));
  return intern("concat", kept, { axis: a }, shape, first.dtype);
}

/** Any two-operand contraction; the result's axes are batch, free axes of `a`, free axes of `b`. */
export function dot(a: Node, b: Node, attrs: DotAttrs): Node {
  floatPair("dot", a, b);
  const { lhsBatch, rhsBatch, lhsContract, rhsContract } = attrs;
  const pair = (l: readonly number[], r: readonly number[]): boolean =>
    l.length === r.length && l.every((p, i) => a.shape[p] === b.shape[r[i]]);
  sound("dot", pair(lhsBatch, rhsBatch) && pair(lhsContract, rhsContract));
  const free = (x: Node, used: readonly number[][]): number[] =>
    x.shape.filter((_, i) => !used.some((u) => u.includes(i)));
  const shape = [
    ...lhsBatch.map((p) => a.shape[p]),
    ...free(a, [[...lhsBatch], [...lhsContract]]),
    ...free(b, [[...rhsBatch], [...rhsContract]]),
  ];
  return intern("dot", [a, b], { lhsBatch, rhsBatch, lhsContract, rhsContract }, shape, a.dtype);
}

/** The axis that int32 `indices` count along; an empty one has no place for them. */
function checkIndices(op: string, x: Node, indices: Node, axis: number): number {
  if (indices.dtype !== "int32")
    throw new DTypeError(`[${op}] indices must be int32, got ${indices.dtype}: cast them.`);
  const a = axisOf(axis, x.shape.length, op);
  if (x.shape[a] === 0 && sizeOf(indices.shape) > 0)
    throw new ValueError(`[${op}] axis ${a} of ${showShape(x.shape)} is empty.`);
  return a;
}

export function gather(x: Node, indices: Node, axis: number): Node {
  const a = checkIndices("gather", x, indices, axis);
  return intern(
    "gather",
    [x, indices],
    { axis: a },
    [...x.shape.slice(0, a), ...indices.shape, ...x.shape.slice(a + 1)],
    x.dtype,
  );
}

export function scatterAdd(base: Node, indices: Node, updates: Node, axis: number): Node {
  const a = checkIndices("scatterAdd", base, indices, axis);
  const want = [...base.shape.slice(0, a), ...indices.shape, ...base.shape.slice(a + 1)];
  sound("scatterAdd", sameShape(want, updates.shape) && updates.dtype === base.dtype);
  return intern("scatterAdd", [base, indices, updates], { axis: a }, base.shape, base.dtype);
}

/** A result of this shape and dtype by code that `rule` carries. */
export const routine = (
  srcs: readonly Node[],
  attrs: { readonly name: string; readonly params: readonly number[] },
  shape: readonly number[],
  dtype: DType,
  rule: Family<"routine">,
): Node => intern("routine", srcs, { ...attrs, rule }, shape, dtype);

/** Runs a body `length` times: results are read with `get`: final carries, then stacked ys. */
export function scan(attrs: ScanAttrs, srcs: readonly Node[], rule: Family<"scan">): Node<"scan"> {
  const { body, length } = attrs;
  const outs = body.outs.map((o, i) => ({ shape: i < body.carries ? o.shape : [length, ...o.shape], dtype: o.dtype }));
  return intern("scan", srcs, { ...attrs, rule }, [], "float32", outs);
}

export function get(tuple: Node, index: number): Node {
  const out = tuple.outs?.[index];
  if (out === undefined) throw new ValueError(`[get] there is no result ${index}.`);
  return intern("get", [tuple], { index }, out.shape, out.dtype);
}

export const alias = (x: Node): Node => intern("alias", [x], { uid: nextId() }, x.shape, x.dtype);
export const stopGradient = (x: Node): Node => intern("stopGradient", [x], none, x.shape, x.dtype);
/** x, computed after `after`. */
export const barrier = (x: Node, after: readonly Node[] = []): Node =>
  intern("barrier", [x, ...after], { uid: nextId() }, x.shape, x.dtype);

/**
 * How the derivative of a `custom` node is written: from the cotangent of its result, the result and its inputs to the
 * cotangents of the inputs (null: none).
 */
export type CustomRule = (ct: Node, out: Node, inputs: readonly Node[]) => readonly (Node | null)[];

export function custom(result: Node, inputs: readonly Node[], rule: CustomRule): Node {
  const vjp: Family<"custom">["vjp"] = (n, ct) => [null, ...rule(ct, n, n.srcs.slice(1))];
  return intern("custom", [result, ...inputs], { uid: nextId(), rule: { vjp } }, result.shape, result.dtype);
}
