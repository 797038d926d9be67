// What the assembler knows about integers: constant folding, signs, and the making of instructions.
import type { BinOp, CmpOp, Op, Type, Val } from "./types.ts";

export const isInt = (t: Type): boolean => t === "i32" || t === "ptr";
export const same = (a: Type, b: Type): boolean => a === b || (isInt(a) && isInt(b));

export function make(
  serial: number,
  id: number,
  op: Op,
  type: Type,
  a?: Val,
  b?: Val,
  c?: Val,
  imm = 0,
  count = 0,
  ref?: Val["ref"],
  args?: readonly Val[],
): Val {
  return {
    serial,
    id,
    op,
    type,
    a,
    b,
    c,
    imm,
    count,
    positive: isInt(type) && isPositive(op, type, imm, a, b),
    ref,
    args,
  };
}

/** What is known of the sign of an integer; effective addresses do not wrap, so immediates need it. */
function isPositive(op: Op, type: Type, imm: number, a: Val | undefined, b: Val | undefined): boolean {
  switch (op) {
    case "const":
      return imm >= 0;
    case "param":
      return true;
    case "get":
    case "load":
      return type === "ptr";
    case "loop":
    case "shl":
    case "shrU":
    case "divU":
      return a!.positive;
    case "add":
    case "mul":
    case "remU":
      return a!.positive && b!.positive;
    case "and":
      return a!.positive || b!.positive;
    default:
      return false;
  }
}

export const CONVERT: Record<string, Op> = {
  "f32<i32": "f32FromI32",
  "f32<i32u": "f32FromU32",
  "i32<f32": "i32FromF32",
  "i32<f32u": "u32FromF32",
  "f64<f32": "f64FromF32",
  "f32<f64": "f32FromF64",
  "f64<i32": "f64FromI32",
  "f64<i32u": "f64FromU32",
  "i32<f64": "i32FromF64",
  "i32<f64u": "u32FromF64",
  "vf32<vi32": "f32FromI32",
  "vf32<vi32u": "f32FromU32",
  "vi32<vf32": "i32FromF32",
  "vi32<vf32u": "u32FromF32",
};

export function evalInt(op: BinOp, a: number, b: number): number | undefined {
  switch (op) {
    case "add":
      return (a + b) | 0;
    case "sub":
      return (a - b) | 0;
    case "mul":
      return Math.imul(a, b);
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    case "shl":
      return a << b;
    case "shrS":
      return a >> b;
    case "shrU":
      return (a >>> b) | 0;
    case "divU":
      return b === 0 ? undefined : ((a >>> 0) / (b >>> 0)) | 0;
    case "remU":
      return b === 0 ? undefined : ((a >>> 0) % (b >>> 0)) | 0;
    case "divS":
      return b === 0 ? undefined : (a / b) | 0;
    case "remS":
      return b === 0 ? undefined : (a % b) | 0;
    default:
      return undefined;
  }
}

export function compareInts(op: CmpOp, a: number, b: number): boolean {
  switch (op) {
    case "eq":
      return a === b;
    case "ne":
      return a !== b;
    case "lt":
      return a < b;
    case "le":
      return a <= b;
    case "gt":
      return a > b;
    case "ge":
      return a >= b;
    case "ltU":
      return a >>> 0 < b >>> 0;
    case "leU":
      return a >>> 0 <= b >>> 0;
    case "gtU":
      return a >>> 0 > b >>> 0;
    default:
      return a >>> 0 >= b >>> 0;
  }
}

/** Integer operations that are shared, in the order of their keys. */
export const INT_OPS: readonly string[] = [
  "add",
  "sub",
  "mul",
  "and",
  "or",
  "xor",
  "shl",
  "shrS",
  "shrU",
  "divS",
  "divU",
  "remS",
  "remU",
];
