// Scalars: integers and addresses in general registers, floats in the low lane of vector registers.
import type { Op, Val } from "../asm/index.ts";
import * as F from "./forms.ts";
import { ADDEND, COMMUTES, DEF, KIND, MASK, MODIFY, NEGATE, REGISTER, SPECIAL, ZERO } from "./machine.ts";
import { isInteger, PREDICATE, type Rule, type Rules, sizeOf } from "./kinds.ts";
import type { Selector } from "./select.ts";

const FLOAT: Partial<Record<Op, readonly [single: number, double: number]>> = {
  add: [F.vaddss, F.vaddsd],
  sub: [F.vsubss, F.vsubsd],
  mul: [F.vmulss, F.vmulsd],
  div: [F.vdivss, F.vdivsd],
};
const WHOLE: Partial<Record<Op, readonly [form: number, immediate: number, commutes: number]>> = {
  sub: [F.sub, F.subImm, 0],
  and: [F.and, F.andImm, COMMUTES],
  or: [F.or, F.orImm, COMMUTES],
  xor: [F.xor, F.xorImm, COMMUTES],
  mul: [F.imul, F.imulImm, COMMUTES],
};
const SHIFT: Partial<Record<Op, readonly [byRegister: number, wide: number, immediate: number]>> = {
  shl: [F.shlx, F.shlxQ, F.shlImm],
  shrU: [F.shrx, F.shrxQ, F.shrImm],
  shrS: [F.sarx, F.sarxQ, F.sarImm],
};

const isDouble = (v: Val): boolean => v.type === "f64";

/** Register of an integer as part of an address: sign-extended unless it is known not to be negative. */
function extended(s: Selector, x: Val): number {
  if (x.type === "ptr" || x.positive) return s.reg(x);
  const r = s.general();
  s.rm(x);
  s.m.put(DEF, F.movsxd, r);
  return r;
}

/** A scaled index that becomes part of an address. */
const waits = (s: Selector, x: Val): boolean => x.op === "shl" && x.id >= 0 && s.an.mode[x.id] === 1;

const add: Rule = (s, v, dst) => {
  const { m } = s;
  const a = v.a!;
  const b = v.b!;
  if (!isInteger(v.type)) return s.two(FLOAT.add![isDouble(v) ? 1 : 0], v, dst, true);
  if (v.type === "i32") {
    const x = s.reg(a);
    if (b.op === "const") m.inMemory(x, -1, 0, b.imm);
    else m.inMemory(x, s.reg(b), 0, 0);
    m.put(DEF, F.lea, dst);
    return;
  }
  if (s.an.mode[v.id] === 1) s.at(v, 0);
  else {
    const scaled = waits(s, b) ? b : waits(s, a) ? a : undefined;
    if (scaled) {
      const base = extended(s, scaled === b ? a : b);
      m.inMemory(base, s.reg(scaled.a!), scaled.b!.imm, 0);
    } else if (b.op === "const") m.inMemory(extended(s, a), -1, 0, b.imm);
    else {
      const x = extended(s, a);
      m.inMemory(x, extended(s, b), 0, 0);
    }
  }
  m.put(DEF, F.lea | F.Q, dst);
};

const whole: Rule = (s, v, dst) => {
  const { m } = s;
  const size = sizeOf(v.type);
  const forms = WHOLE[v.op]!;
  const a = v.a!;
  const b = v.b!;
  if (b.op === "const") {
    if (v.op === "mul") {
      s.rm(a);
      m.put(DEF, F.imulImm | size, dst, -1, b.imm);
    } else m.put(KIND.two | DEF, forms[1] | size, dst, s.reg(a), b.imm);
    return;
  }
  const x = size ? extended(s, a) : s.reg(a);
  if (size && b.type !== "ptr") m.inRegister(extended(s, b));
  else s.rm(b);
  m.put(KIND.two | DEF | forms[2], forms[0] | size, dst, x);
};

const arithmetic: Rule = (s, v, dst) => {
  if (isInteger(v.type)) whole(s, v, dst);
  else s.two(FLOAT[v.op]![isDouble(v) ? 1 : 0], v, dst, v.op === "mul");
};

const shift: Rule = (s, v, dst) => {
  const forms = SHIFT[v.op]!;
  const long = v.type === "ptr";
  if (v.b!.op === "const") {
    s.m.put(KIND.two | DEF, forms[2] | sizeOf(v.type), dst, s.reg(v.a!), v.b!.imm & (long ? 63 : 31));
    return;
  }
  const x = s.reg(v.a!);
  s.m.inRegister(s.reg(v.b!)).put(DEF | REGISTER, forms[long ? 1 : 0], dst, x);
};

const divide: Rule = (s, v, dst) => {
  const { m } = s;
  const a = v.a!;
  const b = v.b!;
  const signed = v.op === "divS" || v.op === "remS";
  const rest = v.op === "remS" || v.op === "remU";
  const x = s.reg(a);
  const c = b.imm >>> 0;
  if (b.op === "const" && !signed && c > 1) {
    // One more than 2^64 / c, rounded down: exact for all 32-bit numbers
    const magic = (1n << 64n) / BigInt(c) + 1n;
    const constant = s.bits(Number(BigInt.asIntN(32, magic)), Number(BigInt.asIntN(32, magic >> 32n)), true, 2);
    const q = rest ? s.general() : dst;
    m.inPool(constant, false).put(KIND.special | DEF, 0, q, x, SPECIAL.mulHigh);
    if (rest) {
      const t = s.general();
      m.inRegister(q).put(DEF, F.imulImm, t, -1, b.imm);
      m.inRegister(t).put(KIND.two | DEF, F.sub, dst, x);
    }
    return;
  }
  const y = s.reg(b);
  m.inRegister(y).put(KIND.special | DEF, (signed ? 1 : 0) | (rest ? 2 : 0), dst, x, SPECIAL.divide);
};

/** NaN from either side, and -0 below 0. */
const extreme: Rule = (s, v, dst) => {
  const { m } = s;
  const d = isDouble(v);
  const max = v.op === "max";
  const form = max ? (d ? F.vmaxsd : F.vmaxss) : d ? F.vminsd : F.vminss;
  const a = s.reg(v.a!);
  const b = s.reg(v.b!);
  const t = s.vector();
  const u = s.vector();
  m.op(form, t, a, b);
  m.op(form, u, b, a);
  mergeExtremes(s, dst, t, u, max, 0, d ? F.vsubsd : F.vsubss);
};

/** What is left when both orders have been tried: signs of zeros, NaN. */
export function mergeExtremes(
  s: Selector,
  dst: number,
  t: number,
  u: number,
  max: boolean,
  length: number,
  sub: number,
): void {
  const { m } = s;
  if (!max) return m.op(F.vpor | length, dst, t, u);
  const x = s.vector();
  const o = s.vector();
  m.op(F.vpxor | length, x, t, u);
  m.op(F.vpor | length, o, t, x);
  m.op(sub, dst, o, x);
}

const FUSED = [F.vfmadd132ss, F.vfmadd132sd];
const fused: Rule = (s, v, dst) => fuse(s, v, dst, FUSED[isDouble(v) ? 1 : 0]);

/** a*b + c with one operand from memory where there is one. */
export function fuse(s: Selector, v: Val, dst: number, form: number): void {
  const { m } = s;
  let a = v.a!;
  let b = v.b!;
  const c = v.c!;
  const head = KIND.fma | DEF | (v.op === "fnma" ? NEGATE : 0);
  if (s.isMemory(a) && !s.isMemory(b)) {
    a = b;
    b = v.a!;
  }
  if (s.isMemory(c) && !(s.isMemory(b) && b.op !== "const")) {
    const x = s.reg(a);
    const y = s.reg(b);
    s.rm(c);
    m.put(head | ADDEND, form, dst, x, 0, y);
    return;
  }
  const x = s.reg(a);
  const z = s.reg(c);
  s.rm(b);
  m.put(head, form, dst, x, 0, z);
}

const ROUND: Partial<Record<Op, number>> = { nearest: 8, floor: 9, ceil: 10, trunc: 11 };
/** Immediates of rounding instructions. */
export const roundingOf = (op: Op): number => ROUND[op] as number;

const round: Rule = (s, v, dst) => {
  const d = isDouble(v);
  const form = s.masks ? (d ? F.vrndscalesd : F.vrndscaless) : d ? F.vroundsd : F.vroundss;
  const a = s.reg(v.a!);
  s.m.op(form, dst, a, a, roundingOf(v.op));
};

const sqrt: Rule = (s, v, dst) => {
  const a = s.reg(v.a!);
  s.m.op(isDouble(v) ? F.vsqrtsd : F.vsqrtss, dst, a, a);
};

const SIGN = -0x80000000;
/** `low`: the lower word of doubles; `high`: the word with the sign. */
const sign =
  (form: number, low: number, high: number): Rule =>
  (s, v, dst) => {
    const a = s.reg(v.a!);
    if (isDouble(v)) s.rmBits128(low, true, high);
    else s.rmBits128(high);
    s.m.put(DEF, form, dst, a);
  };

const copysign: Rule = (s, v, dst) => {
  const { m } = s;
  const d = isDouble(v);
  const a = s.reg(v.a!);
  const b = s.reg(v.b!);
  const x = s.vector();
  const y = s.vector();
  s.rmBits128(d ? -1 : 0x7fffffff, d, 0x7fffffff);
  m.put(DEF, F.vpand, x, a);
  s.rmBits128(d ? 0 : SIGN, d, SIGN);
  m.put(DEF, F.vpand, y, b);
  m.op(F.vpor, dst, x, y);
};

/** c ? a : b without a branch. */
const select: Rule = (s, v, dst) => {
  const { m } = s;
  const c = v.a!;
  const a = v.b!;
  const b = v.c!;
  if (isInteger(v.type)) {
    const x = s.reg(a);
    const y = s.reg(b);
    const cc = s.flags(c);
    const size = F.Q;
    if (dst === x) return m.inRegister(y).put(DEF | MODIFY, F.cmovcc | size | (cc ^ 1), dst);
    m.move(dst, y);
    m.inRegister(x).put(DEF | MODIFY, F.cmovcc | size | cc, dst);
    return;
  }
  const d = isDouble(v);
  if (isLess(c, a, b) && s.an.mode[c.id] === 1) {
    // a < b ? a : b is the instruction, for either order of b and a
    const x = s.reg(a);
    s.rm(b);
    const max = c.op === "gt" || (c.op === "lt" && c.a === b);
    m.put(DEF, max ? (d ? F.vmaxsd : F.vmaxss) : d ? F.vminsd : F.vminss, dst, x);
    return;
  }
  const x = s.reg(a);
  const y = s.reg(b);
  const lazy = s.an.mode[c.id] === 1 && !isInteger(c.a!.type) && PREDICATE[c.op] !== undefined && c.a!.type === v.type;
  if (s.masks) {
    const k = m.fresh(MASK);
    if (lazy) {
      const p = s.reg(c.a!);
      s.rm(c.b!);
      m.put(DEF, d ? F.vcmpsdK : F.vcmpssK, k, p, PREDICATE[c.op]);
    } else m.inRegister(condition(s, c)).put(DEF | REGISTER, F.kmovwFrom, k);
    m.op(d ? F.vblendmpd : F.vblendmps, dst, y, x, 0, k);
    return;
  }
  let lanes: number;
  if (lazy) lanes = s.compareLanes(c);
  else {
    const n = s.general();
    m.put(KIND.two | DEF, F.neg | F.Q, n, condition(s, c));
    lanes = s.vector();
    m.inRegister(n).put(DEF, F.vmovq, lanes);
  }
  m.op(d ? F.vblendvpd : F.vblendvps, dst, y, x, 0, lanes);
};

/** The condition as 0 or 1 in a register. */
function condition(s: Selector, c: Val): number {
  if (c.id >= 0 && s.an.mode[c.id] === 1) return s.reg(c);
  const r = s.reg(c);
  const t = s.general();
  s.m.inRegister(r).put(0, F.testStore | sizeOf(c.type), r);
  s.m.put(DEF, F.setcc | F.CC.ne, t);
  const out = s.general();
  s.m.inRegister(t).put(DEF, F.movzx8, out);
  return out;
}

/** Whether select(c, a, b) with c = a < b (or b < a, a > b) is minss or maxss of a and b. */
const isLess = (c: Val, a: Val, b: Val): boolean =>
  c.id >= 0 &&
  (c.op === "lt" || c.op === "gt") &&
  ((c.a === a && c.b === b) || (c.op === "lt" && c.a === b && c.b === a));

/** Truncation: NaN to 0, ends held; by way of doubles, where all of int32 and uint32 is exact. */
const toInt =
  (from: "f32" | "f64", unsigned: boolean): Rule =>
  (s, v, dst) => {
    const { m } = s;
    let x = s.reg(v.a!);
    if (from === "f32") {
      const wide = s.vector();
      m.op(F.vcvtss2sd, wide, x, x);
      x = wide;
    }
    // min and max give the second operand when one is NaN: zero comes by way of max against 0 or a comparison
    const lo = s.vector();
    if (unsigned) {
      const zero = s.vector();
      m.put(KIND.special | DEF, 0, zero, -1, SPECIAL.zero);
      m.op(F.vmaxsd, lo, x, zero);
    } else if (s.masks) {
      const known = m.fresh(MASK);
      m.op(F.vcmpsdK, known, x, x, F.CMP.ord);
      m.inRegister(x).put(DEF | ZERO, F.vmovapd, lo, -1, 0, known);
    } else {
      const known = s.vector();
      m.op(F.vcmpsd, known, x, x, F.CMP.ord);
      m.op(F.vpand, lo, x, known);
    }
    const hi = s.vector();
    m.inPool(doubleBits(s, unsigned ? 4294967295 : 2147483647), false).put(DEF, F.vminsd, hi, lo);
    if (unsigned) {
      const t = s.general();
      m.inRegister(hi).put(DEF, F.vcvttsd2siQ, t);
      m.inRegister(t).put(DEF, F.mov, dst);
      return;
    }
    const held = s.vector();
    m.inPool(doubleBits(s, -2147483648), false).put(DEF, F.vmaxsd, held, hi);
    m.inRegister(held).put(DEF, F.vcvttsd2si, dst);
  };

const scratch = new Float64Array(1);
const scratchWords = new Int32Array(scratch.buffer);
/** The pool's number of a double. */
export function doubleBits(s: Selector, x: number): number {
  scratch[0] = x;
  return s.bits(scratchWords[0], scratchWords[1], true, 2);
}

const fromInt =
  (form: number): Rule =>
  (s, v, dst) => {
    const { m } = s;
    const zero = s.vector();
    m.put(KIND.special | DEF, 0, zero, -1, SPECIAL.zero);
    m.inRegister(s.reg(v.a!)).put(DEF, form, dst, zero);
  };

const resize =
  (form: number): Rule =>
  (s, v, dst) => {
    const a = s.reg(v.a!);
    s.m.op(form, dst, a, a);
  };

const bitcast: Rule = (s, v, dst) => {
  const a = s.reg(v.a!);
  if (v.type === "f32") s.m.inRegister(a).put(DEF, F.vmovd, dst);
  else s.m.inRegister(a).put(DEF, F.vmovdStore, dst);
};

const compare: Rule = (s, v, dst) => s.compareTo01(v, dst);

export const selectScalar: Rules = {
  add,
  sub: arithmetic,
  mul: arithmetic,
  div: arithmetic,
  and: whole,
  or: whole,
  xor: whole,
  shl: shift,
  shrS: shift,
  shrU: shift,
  divS: divide,
  divU: divide,
  remS: divide,
  remU: divide,
  min: extreme,
  max: extreme,
  fma: fused,
  fnma: fused,
  sqrt,
  floor: round,
  ceil: round,
  trunc: round,
  nearest: round,
  neg: sign(F.vpxor, 0, SIGN),
  abs: sign(F.vpand, -1, 0x7fffffff),
  copysign,
  select,
  eq: compare,
  ne: compare,
  lt: compare,
  le: compare,
  gt: compare,
  ge: compare,
  ltU: compare,
  leU: compare,
  gtU: compare,
  geU: compare,
  bitcast,
  f32FromI32: fromInt(F.vcvtsi2ss),
  f32FromU32: fromInt(F.vcvtsi2ssQ),
  f64FromI32: fromInt(F.vcvtsi2sd),
  f64FromU32: fromInt(F.vcvtsi2sdQ),
  i32FromF32: toInt("f32", false),
  u32FromF32: toInt("f32", true),
  i32FromF64: toInt("f64", false),
  u32FromF64: toInt("f64", true),
  f64FromF32: resize(F.vcvtss2sd),
  f32FromF64: resize(F.vcvtsd2ss),
};
