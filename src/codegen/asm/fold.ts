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

/** Integer operations on constants; undefined where the processor would trap. Equal ones are shared. */
const INT: Readonly<Record<string, (a: number, b: number) => number | undefined>> = {
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: Math.imul,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  shrS: (a, b) => a >> b,
  shrU: (a, b) => (a >>> b) | 0,
  divS: (a, b) => (b === 0 ? undefined : (a / b) | 0),
  divU: (a, b) => (b === 0 ? undefined : ((a >>> 0) / (b >>> 0)) | 0),
  remS: (a, b) => (b === 0 ? undefined : (a % b) | 0),
  remU: (a, b) => (b === 0 ? undefined : ((a >>> 0) % (b >>> 0)) | 0),
};
/** Their names, in the order of their keys. */
export const INT_OPS: readonly string[] = Object.keys(INT);

export const evalInt = (op: BinOp, a: number, b: number): number | undefined => INT[op]?.(a, b);

/** The signs of a - b for which a comparison holds. */
const HOLDS: Readonly<Record<string, readonly number[]>> = {
  eq: [0],
  ne: [-1, 1],
  lt: [-1],
  le: [-1, 0],
  gt: [1],
  ge: [0, 1],
};

export function compareInts(op: CmpOp, a: number, b: number): boolean {
  const difference = op.endsWith("U") ? (a >>> 0) - (b >>> 0) : a - b;
  return HOLDS[op.slice(0, 2)].includes(Math.sign(difference));
}
