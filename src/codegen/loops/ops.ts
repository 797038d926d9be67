import type { DType } from "../../base/index.ts";
import type { PrimName } from "../../ir/index.ts";
import type { Asm, Type, Val, VecType } from "../asm/index.ts";
import { isVec } from "../asm/index.ts";
import { emitMath } from "../math/index.ts";

/** How a value of a dtype lives in registers; bool is a mask in vectors and 0|1 in scalars, uint8 is an int. */
export const regType = (dtype: DType, vec: boolean): Type => {
  if (dtype === "float64") return "f64";
  if (dtype === "float32") return vec ? "vf32" : "f32";
  return vec ? "vi32" : "i32";
};

const MATH: ReadonlySet<string> = new Set(["exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "erf"]);

/** The bool value `c` (scalar 0|1 or mask) in vector form. */
const vectorBool = (asm: Asm, c: Val): Val => (isVec(c.type) ? c : asm.splat("vi32", asm.sub(0, c)));

/** `c` turned over: masks bit by bit, scalars 0|1. */
const notBool = (asm: Asm, c: Val): Val => (isVec(c.type) ? asm.un("not", c) : asm.cmp("eq", c, 0));

/** One primitive on registers; `from` is the dtype of the (first value) source, `to` of the result. */
export function emitOp(asm: Asm, op: PrimName, from: DType, to: DType, xs: readonly Val[]): Val {
  const [a, b, c] = xs;
  if (op === "cast") return emitCast(asm, from, to, a);
  if (op === "where") return asm.select(a, b, c);
  const wrap = (v: Val): Val => (to === "uint8" ? asm.bin("and", v, 255) : v);
  if (from === "bool") return emitBool(asm, op, a, b);
  const isFloat = from === "float32" || from === "float64";
  const unsigned = from === "uint32" || from === "uint8";
  switch (op) {
    case "neg":
    case "abs":
      return op === "abs" && unsigned ? a : wrap(asm.un(op, a));
    case "floor":
    case "ceil":
    case "sqrt":
      return asm.un(op, a);
    case "round":
      return asm.un("nearest", a);
    case "sign": {
      if (unsigned) return asm.select(asm.cmp("ne", a, 0), asm.konst(a.type, 1), asm.konst(a.type, 0));
      const low = asm.select(asm.cmp("lt", a, 0), asm.konst(a.type, -1), a);
      return asm.select(asm.cmp("gt", a, 0), asm.konst(a.type, 1), low);
    }
    case "not":
      return wrap(asm.un("not", a));
    case "add":
    case "sub":
    case "mul":
      return wrap(asm.bin(op, a, b));
    case "div":
      return isFloat ? asm.div(a, b) : wrap(wholeDiv(asm, a, b, unsigned));
    case "mod":
      return isFloat ? floatMod(asm, a, b) : wholeMod(asm, a, b, unsigned);
    case "pow":
      return isFloat ? emitMath(asm, "pow", [a, b]) : wrap(wholePow(asm, a, b));
    case "maximum":
    case "minimum":
      return extreme(asm, op === "maximum", from, a, b);
    case "and":
    case "or":
    case "xor":
      return asm.bin(op, a, b);
    case "shl":
    case "shr": {
      const kind = op === "shl" ? "shl" : unsigned ? "shrU" : "shrS";
      if (!isVec(a.type)) return wrap(asm.bin(kind, a, b));
      return wrap(
        b.op === "const" ? asm.bin(kind, a, b.imm) : asm.perLane("vi32", [a, b], (x, y) => asm.bin(kind, x, y)),
      );
    }
    case "lt":
    case "le":
      return unsigned ? unsignedLess(asm, op, a, b) : asm.cmp(op, a, b);
    case "eq":
    case "ne":
      return asm.cmp(op, a, b);
    default:
      if (MATH.has(op)) return emitMath(asm, op as "exp", [a]);
      throw new Error(`codegen: no code for ${op} of ${from}`);
  }
}

/** maximum/minimum with NaN going through; against a number that is not NaN one instruction does. */
export function extreme(asm: Asm, max: boolean, dtype: DType, a: Val, b: Val): Val {
  if (dtype === "float32" || dtype === "float64") {
    const op = max ? "pmax" : "pmin";
    if (b.op === "const" && !Number.isNaN(b.imm)) return asm.bin(op, a, b);
    if (a.op === "const" && !Number.isNaN(a.imm)) return asm.bin(op, b, a);
    return asm.bin(max ? "max" : "min", a, b);
  }
  if (dtype === "int32") return asm.bin(max ? "max" : "min", a, b);
  const less = unsignedLess(asm, "lt", a, b);
  return max ? asm.select(less, b, a) : asm.select(less, a, b);
}

/** Vectors compare signed: the top bits are turned over first. */
export function unsignedLess(asm: Asm, op: "lt" | "le", a: Val, b: Val): Val {
  if (!isVec(a.type)) return asm.cmp(op === "lt" ? "ltU" : "leU", a, b);
  const flip = asm.konst("vi32", -(2 ** 31));
  return asm.cmp(op, asm.bin("xor", a, flip), asm.bin("xor", b, flip));
}

function emitBool(asm: Asm, op: PrimName, a: Val, b: Val): Val {
  switch (op) {
    case "not":
      return notBool(asm, a);
    case "and":
    case "or":
    case "xor":
      return asm.bin(op, a, b);
    case "ne":
      return asm.bin("xor", a, b);
    case "eq":
      return notBool(asm, asm.bin("xor", a, b));
    case "maximum":
    case "le":
      return op === "le" ? asm.bin("or", notBool(asm, a), b) : asm.bin("or", a, b);
    case "minimum":
      return asm.bin("and", a, b);
    case "lt":
      return asm.bin("and", notBool(asm, a), b);
    default:
      throw new Error(`codegen: no code for ${op} of bool`);
  }
}

/** f(x, y) on scalars, lane by lane for vectors. */
const lanes = (asm: Asm, a: Val, b: Val, f: (x: Val, y: Val) => Val): Val =>
  isVec(a.type) ? asm.perLane("vi32", [a, b], f) : f(a, b);

/** Truncating; by zero gives 0, and the one overflow wraps. */
const wholeDiv = (asm: Asm, a: Val, b: Val, unsigned: boolean): Val =>
  lanes(asm, a, b, (x, y) => {
    const zero = asm.cmp("eq", y, 0);
    if (unsigned) return asm.select(zero, 0, asm.bin("divU", x, asm.select(zero, 1, y)));
    const minus = asm.cmp("eq", y, -1);
    const safe = asm.select(asm.bin("or", zero, minus), 1, y);
    return asm.select(zero, 0, asm.select(minus, asm.sub(0, x), asm.bin("divS", x, safe)));
  });

/** Sign of the divisor; by zero gives 0. */
const wholeMod = (asm: Asm, a: Val, b: Val, unsigned: boolean): Val =>
  lanes(asm, a, b, (x, y) => {
    const bad = unsigned ? asm.cmp("eq", y, 0) : asm.bin("or", asm.cmp("eq", y, 0), asm.cmp("eq", y, -1));
    const safe = asm.select(bad, 1, y);
    if (unsigned) return asm.bin("remU", x, safe);
    const r = asm.bin("remS", x, safe);
    const other = asm.bin("and", asm.cmp("ne", r, 0), asm.cmp("lt", asm.bin("xor", r, safe), 0));
    return asm.add(r, asm.select(other, safe, 0));
  });

const wholePow = (asm: Asm, a: Val, b: Val): Val =>
  lanes(asm, a, b, (x, y) => asm.convert("i32", emitMath(asm, "pow", [asm.convert("f64", x), asm.convert("f64", y)])));

/** Exact, by the host: a quotient rounded in float32 would miss whole periods. */
function floatMod(asm: Asm, a: Val, b: Val): Val {
  const mod = asm.extern("floorMod", ["f64", "f64"], "f64");
  const one = (x: Val, y: Val): Val => asm.convert(x.type, asm.call(mod, asm.convert("f64", x), asm.convert("f64", y)));
  return isVec(a.type) ? asm.perLane(a.type, [a, b], one) : one(a, b);
}

/** Functions of the host that kernels may call. */
export const hostOps: Readonly<Record<string, (...args: number[]) => number>> = {
  /** Remainder with the sign of the divisor, as in Python. */
  floorMod(x, y) {
    const r = x % y;
    return r !== 0 && r < 0 !== y < 0 ? r + y : r === 0 ? (y < 0 ? -0 : 0) : r;
  },
};

function emitCast(asm: Asm, from: DType, to: DType, a: Val): Val {
  if (from === to) return a;
  const vec = isVec(a.type);
  const unsignedFrom = from === "uint32";
  if (from === "bool") {
    const ints = vec ? asm.bin("and", a, asm.konst("vi32", 1)) : a;
    return to === "float32" || to === "float64" ? asm.convert(regType(to, vec), ints) : ints;
  }
  const floating = from === "float32" || from === "float64";
  if (to === "bool") return asm.cmp("ne", a, asm.konst(a.type, 0));
  if (to === "float32" || to === "float64") return asm.convert(regType(to, vec), a, unsignedFrom);
  let whole = floating ? asm.convert(vec ? "vi32" : "i32", a) : a;
  // Numbers below zero wrap, as the bits of the int32.
  if (floating && to === "uint32")
    whole = asm.select(asm.cmp("lt", a, asm.konst(a.type, 0)), whole, asm.convert(vec ? "vi32" : "i32", a, true));
  return to === "uint8" ? asm.bin("and", whole, 255) : whole;
}

/** The scalar `x` in all lanes; bool becomes a mask. */
export const spread = (asm: Asm, dtype: DType, x: Val): Val =>
  isVec(x.type) ? x : dtype === "bool" ? vectorBool(asm, x) : asm.splat(regType(dtype, true) as VecType, x);
