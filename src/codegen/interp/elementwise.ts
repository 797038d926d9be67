import { type DType, isFloat, sizeOf, stridesOf, threefry2x32, type TypedArray } from "../../base/index.ts";
import type { BinaryName, CompareName, Node, UnaryName } from "../../ir/index.ts";
import { erf } from "./erf.ts";

// Results are stored as they come: a typed array rounds (float32) or wraps (integers) them itself.

/** To the nearest whole number, halves to even. */
function round(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return rest < 0.5 ? low : Math.ceil(x);
  return low % 2 === 0 ? low : low + 1;
}

const UNARY: Record<UnaryName, (x: number) => number> = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round,
  sqrt: Math.sqrt,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  erf,
  not: (x) => ~x,
};

export function unary(n: Node<UnaryName>, [x]: readonly TypedArray[], out: TypedArray): void {
  const f = n.op === "not" && n.dtype === "bool" ? (v: number): number => 1 - v : UNARY[n.op];
  for (let i = 0; i < out.length; i++) out[i] = f(x[i]);
}

/** The sign of the divisor, as in Python. */
function mod(a: number, b: number): number {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
}

/** Wrapped to 32 bits at each product; a negative power is the truncated reciprocal. */
function intPow(a: number, b: number): number {
  if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 === 0 ? 1 : -1) : 0;
  let result = 1;
  let base = a;
  for (let e = b; e > 0; e = Math.floor(e / 2)) {
    if (e % 2 === 1) result = Math.imul(result, base);
    base = Math.imul(base, base);
  }
  return result;
}

/** IEEE 754: 1 to any power is 1, and so is -1 to an infinite one, where JavaScript says NaN. */
const pow = (a: number, b: number): number => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);

type Fn2 = (a: number, b: number) => number;

const FLOAT: Record<Exclude<BinaryName, "and" | "or" | "xor" | "shl" | "shr">, Fn2> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mod,
  pow,
  maximum: Math.max,
  minimum: Math.min,
};

const INT: Record<BinaryName, Fn2> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: Math.imul,
  div: (a, b) => (b === 0 ? 0 : Math.trunc(a / b)),
  mod: (a, b) => (b === 0 ? 0 : mod(a, b)),
  pow: intPow,
  maximum: Math.max,
  minimum: Math.min,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  shr: (a, b) => a >> b,
};

const intFn = (op: BinaryName, dtype: DType): Fn2 =>
  op === "shr" && dtype === "uint32" ? (a, b): number => a >>> b : INT[op];

export function binary(n: Node<BinaryName>, [a, b]: readonly TypedArray[], out: TypedArray): void {
  const f = isFloat(n.dtype) ? FLOAT[n.op as keyof typeof FLOAT] : intFn(n.op, n.dtype);
  for (let i = 0; i < out.length; i++) out[i] = f(a[i], b[i]);
}

const COMPARE: Record<CompareName, (a: number, b: number) => boolean> = {
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
};

export function compare(n: Node<CompareName>, [a, b]: readonly TypedArray[], out: TypedArray): void {
  const f = COMPARE[n.op];
  for (let i = 0; i < out.length; i++) out[i] = f(a[i], b[i]) ? 1 : 0;
}

export function where(_: Node<"where">, [mask, a, b]: readonly TypedArray[], out: TypedArray): void {
  for (let i = 0; i < out.length; i++) out[i] = mask[i] !== 0 ? a[i] : b[i];
}

/** To bool: anything but zero (NaN included) is true. To integers: towards zero, then wrapped; NaN gives 0. */
export function cast(n: Node<"cast">, [x]: readonly TypedArray[], out: TypedArray): void {
  if (n.dtype === "bool") for (let i = 0; i < out.length; i++) out[i] = x[i] !== 0 ? 1 : 0;
  else out.set(x);
}

export function iota(n: Node<"iota">, _: readonly TypedArray[], out: TypedArray): void {
  const { axis } = n.attrs;
  const stride = stridesOf(n.shape)[axis];
  for (let i = 0; i < out.length; i++) {
    const at = Math.floor(i / stride) % n.shape[axis];
    out[i] = n.dtype === "bool" ? Number(at !== 0) : at;
  }
}

/** Word 0 of Threefry-2x32 at the counter (flat index, stream). */
export function randomBits(n: Node<"randomBits">, [key]: readonly TypedArray[], out: TypedArray): void {
  const size = sizeOf(n.shape);
  for (let i = 0; i < size; i++) out[i] = threefry2x32(key[0], key[1], i, n.attrs.stream)[0];
}
