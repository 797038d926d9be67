// Whole vectors: arithmetic, bits, comparisons and masks, conversions.
import type { Op, Type, Val } from "../asm/index.ts";
import * as F from "./forms.ts";
import { DEF, KIND, MASK, REGISTER, SPECIAL, ZERO } from "./machine.ts";
import { fuse, mergeExtremes, roundingOf } from "./select-scalar.ts";
import { PREDICATE, type Rule, type Rules } from "./kinds.ts";
import type { Selector } from "./select.ts";

const isDouble = (t: Type): boolean => t === "vf64" || t === "vi64";

type Forms = Partial<Record<Op, readonly [vf32: number, vf64: number, vi32: number]>>;
const BINARY: Forms = {
  add: [F.vaddps, F.vaddpd, F.vpaddd],
  sub: [F.vsubps, F.vsubpd, F.vpsubd],
  mul: [F.vmulps, F.vmulpd, F.vpmulld],
  div: [F.vdivps, F.vdivpd, 0],
  scale: [F.vscalefps, 0, 0],
};
const formOf = (forms: Forms, op: Op, type: Type): number => forms[op]![type === "vf32" ? 0 : type === "vf64" ? 1 : 2];

const arithmetic: Rule = (s, v, dst) =>
  s.two(formOf(BINARY, v.op, v.type) | s.wide, v, dst, v.op === "add" || v.op === "mul");

/** The machine gives its second operand when lanes are equal or unordered: b comes first. */
const pick: Rule = (s, v, dst) => {
  const d = v.type === "vf64";
  const form = v.op === "pmax" ? (d ? F.vmaxpd : F.vmaxps) : d ? F.vminpd : F.vminps;
  const y = s.vec(v.b!);
  s.rm(v.a!);
  s.m.put(DEF, form | s.wide, dst, y);
};

const extreme: Rule = (s, v, dst) => {
  const { m } = s;
  const max = v.op === "max";
  if (v.type === "vi32") return s.two((max ? F.vpmaxsd : F.vpminsd) | s.wide, v, dst, true);
  const d = v.type === "vf64";
  const form = (max ? (d ? F.vmaxpd : F.vmaxps) : d ? F.vminpd : F.vminps) | s.wide;
  const a = s.vec(v.a!);
  const b = s.vec(v.b!);
  const t = s.vector();
  const u = s.vector();
  m.op(form, t, a, b);
  m.op(form, u, b, a);
  mergeExtremes(s, dst, t, u, max, s.wide, (d ? F.vsubpd : F.vsubps) | s.wide);
};

// ---- bits and masks ----

/** Lanes of 32 and of 64 bits (they matter to broadcasts), masks of words and of bytes. */
const BITS: Partial<Record<Op, readonly [narrow: number, wide: number, words: number, bytes: number]>> = {
  and: [F.vpand, F.vpandq, F.kandw, F.kandb],
  or: [F.vpor, F.vporq, F.korw, F.korb],
  xor: [F.vpxor, F.vpxorq, F.kxorw, F.kxorb],
};

/** A mask under its other name: what `x` is the vector of, or undefined. */
const maskUnder = (s: Selector, x: Val): Val | undefined => {
  if (s.isMask(x)) return x;
  return x.op === "bitcast" && x.id >= 0 && s.an.mode[x.id] === 1 && s.isMask(x.a!) ? x.a : undefined;
};

/** dst = lanes of x where the mask has (`not`: has not) ones, zero elsewhere. */
function keep(s: Selector, dst: number, mask: Val, x: Val, not: boolean): void {
  const { m } = s;
  const long = mask.type === "vi64";
  let k = s.mask(mask);
  if (not) {
    const n = m.fresh(MASK);
    m.inRegister(k).put(DEF | REGISTER, long ? F.knotb : F.knotw, n);
    k = n;
  }
  s.rm(x);
  const form = m.unbroadcast() ? (long ? F.vbroadcastsd : F.vbroadcastss) : long ? F.vmovupd : F.vmovups;
  m.put(DEF | ZERO, form | s.wide, dst, -1, 0, k);
}

const bits: Rule = (s, v, dst) => {
  const { m } = s;
  const a = v.a!;
  const b = v.b!;
  if (s.isMask(v)) {
    const [, , words, bytes] = BITS[v.op]!;
    const x = s.mask(a);
    m.inRegister(s.mask(b)).put(DEF | REGISTER, v.type === "vi64" ? bytes : words, dst, x);
    return;
  }
  if (s.masks && v.op === "and") {
    const p = maskUnder(s, a);
    const q = maskUnder(s, b);
    if (p) return keep(s, dst, p, b, false);
    if (q) return keep(s, dst, q, a, false);
  }
  s.two(BITS[v.op]![isDouble(v.type) ? 1 : 0] | s.wide, v, dst, true);
};

const andnot: Rule = (s, v, dst) => {
  const { m } = s;
  const a = v.a!;
  const b = v.b!;
  if (s.isMask(v)) {
    const x = s.mask(b);
    m.inRegister(s.mask(a)).put(DEF | REGISTER, v.type === "vi64" ? F.kandnb : F.kandnw, dst, x);
    return;
  }
  const under = s.masks ? maskUnder(s, b) : undefined;
  if (under) return keep(s, dst, under, a, s.an.inverse[under.id] === 0);
  const y = s.vec(b);
  s.rm(a);
  m.put(DEF, (isDouble(v.type) ? F.vpandnq : F.vpandn) | s.wide, dst, y);
};

const not: Rule = (s, v, dst) => {
  const { m } = s;
  if (s.isMask(v)) {
    m.inRegister(s.mask(v.a!)).put(DEF | REGISTER, v.type === "vi64" ? F.knotb : F.knotw, dst);
    return;
  }
  const a = s.vec(v.a!);
  s.rmBits(-1);
  m.put(DEF, F.vpxor | s.wide, dst, a);
};

const neg: Rule = (s, v, dst) => {
  const { m } = s;
  const a = s.vec(v.a!);
  if (v.type === "vi32") {
    const zero = s.vector();
    m.put(KIND.special | DEF, 0, zero, -1, SPECIAL.zero);
    return m.op(F.vpsubd | s.wide, dst, zero, a);
  }
  const d = isDouble(v.type);
  s.rmBits(d ? 0 : -0x80000000, d, -0x80000000);
  m.put(DEF, (d ? F.vpxorq : F.vpxor) | s.wide, dst, a);
};

const abs: Rule = (s, v, dst) => {
  if (v.type === "vi32") return s.one(F.vpabsd | s.wide, v.a!, dst);
  const d = isDouble(v.type);
  const a = s.vec(v.a!);
  s.rmBits(d ? -1 : 0x7fffffff, d, 0x7fffffff);
  s.m.put(DEF, (d ? F.vpandq : F.vpand) | s.wide, dst, a);
};

const INT_PREDICATE: Partial<Record<Op, number>> = {
  eq: 0,
  lt: 1,
  le: 2,
  ne: 4,
  ge: 5,
  gt: 6,
  ltU: 1,
  leU: 2,
  geU: 5,
  gtU: 6,
};

const compare: Rule = (s, v, dst) => {
  const { m } = s;
  const t = v.a!.type;
  if (t !== "vi32") {
    const d = t === "vf64";
    const a = s.vec(v.a!);
    s.rm(v.b!);
    const form = s.masks ? (d ? F.vcmppdK : F.vcmppsK) : d ? F.vcmppd : F.vcmpps;
    // Bit 2 of a predicate turns it over, unordered lanes included.
    m.put(DEF, form | s.wide, dst, a, PREDICATE[v.op]! ^ (s.an.inverse[v.id] === 1 ? 4 : 0));
    return;
  }
  if (s.masks) {
    const a = s.vec(v.a!);
    s.rm(v.b!);
    m.put(DEF, (v.op.endsWith("U") ? F.vpcmpudK : F.vpcmpdK) | s.wide, dst, a, INT_PREDICATE[v.op]);
    return;
  }
  compareInts(s, v, dst);
};

/** AVX2 knows eq and gt of signed lanes only. */
function compareInts(s: Selector, v: Val, dst: number): void {
  const { m } = s;
  let a = s.vec(v.a!);
  let b = s.vec(v.b!);
  if (v.op.endsWith("U")) {
    const flip = s.regBits(-0x80000000);
    const x = s.vector();
    const y = s.vector();
    m.op(F.vpxor | s.wide, x, a, flip);
    m.op(F.vpxor | s.wide, y, b, flip);
    a = x;
    b = y;
  }
  const op = v.op.replace("U", "");
  const form = (op === "eq" || op === "ne" ? F.vpcmpeqd : F.vpcmpgtd) | s.wide;
  const invert = op === "ne" || op === "le" || op === "ge";
  const swap = op === "lt" || op === "ge";
  const t = invert ? s.vector() : dst;
  m.op(form, t, swap ? b : a, swap ? a : b);
  if (!invert) return;
  s.rmBits(-1);
  m.put(DEF, F.vpxor | s.wide, dst, t);
}

const select: Rule = (s, v, dst) => {
  const { m } = s;
  const c = v.a!;
  const a = v.b!;
  const b = v.c!;
  const d = isDouble(v.type);
  if (s.isMask(v)) {
    const k = s.mask(c);
    const x = m.fresh(MASK);
    const y = m.fresh(MASK);
    m.inRegister(s.mask(a)).put(DEF | REGISTER, d ? F.kandb : F.kandw, x, k);
    m.inRegister(s.mask(b)).put(DEF | REGISTER, d ? F.kandnb : F.kandnw, y, k);
    m.inRegister(y).put(DEF | REGISTER, d ? F.korb : F.korw, dst, x);
    return;
  }
  if (!s.masks) {
    const k = s.vec(c);
    const x = s.vec(a);
    const y = s.vec(b);
    m.op((d ? F.vblendvpd : F.vblendvps) | s.wide, dst, y, x, 0, k);
    return;
  }
  if (b.op === "const" && Object.is(b.imm, 0)) return keep(s, dst, c, a, false);
  const k = s.mask(c);
  const y = s.vec(b);
  s.rm(a);
  m.put(DEF, (d ? F.vblendmpd : F.vblendmps) | s.wide, dst, y, 0, k);
};

const bitmask: Rule = (s, v, dst) => {
  const long = v.a!.type === "vi64";
  if (s.masks) s.m.inRegister(s.mask(v.a!)).put(DEF | REGISTER, long ? F.kmovbTo : F.kmovwTo, dst);
  else s.m.inRegister(s.vec(v.a!)).put(DEF | REGISTER, (long ? F.vmovmskpd : F.vmovmskps) | s.wide, dst);
};

/** A mask as a vector: only masks in mask registers come here. */
const bitcast: Rule = (s, v, dst) => {
  if (s.isMask(v.a!)) {
    const form = v.a!.type === "vi64" ? F.vpmovm2q : F.vpmovm2d;
    s.m.inRegister(s.reg(v.a!)).put(DEF | REGISTER, form | s.wide, dst);
  } else s.m.move(dst, s.vec(v.a!));
};

// ---- the rest ----

const SHIFT: Partial<Record<Op, readonly [immediate: number, byRegister: number]>> = {
  shl: [F.vpslldImm, F.vpslld],
  shrS: [F.vpsradImm, F.vpsrad],
  shrU: [F.vpsrldImm, F.vpsrld],
};
const shift: Rule = (s, v, dst) => {
  const { m } = s;
  const [immediate, byRegister] = SHIFT[v.op]!;
  const a = s.vec(v.a!);
  if (v.b!.op === "const") {
    m.inRegister(a).put(DEF, immediate | s.wide, dst, -1, v.b!.imm & 31);
    return;
  }
  const n = s.general();
  m.put(KIND.two | DEF, F.andImm, n, s.reg(v.b!), 31);
  const x = s.vector();
  m.inRegister(n).put(DEF, F.vmovd, x);
  m.op(byRegister | s.wide, dst, a, x);
};

const round: Rule = (s, v, dst) => {
  const d = v.type === "vf64";
  const form = s.masks ? (d ? F.vrndscalepd : F.vrndscaleps) : d ? F.vroundpd : F.vroundps;
  s.one(form | s.wide, v.a!, dst, roundingOf(v.op));
};
const fraction: Rule = (s, v, dst) => s.one(F.vreduceps | s.wide, v.a!, dst, roundingOf("floor"));
const sqrt: Rule = (s, v, dst) => s.one((v.type === "vf64" ? F.vsqrtpd : F.vsqrtps) | s.wide, v.a!, dst);

const fused: Rule = (s, v, dst) => fuse(s, v, dst, (v.type === "vf64" ? F.vfmadd132pd : F.vfmadd132ps) | s.wide);

/** The bits of 2^31. */
const TWO31 = 0x4f000000;

const toInts: Rule = (s, v, dst) => {
  const { m } = s;
  const w = s.wide;
  const x = s.vec(v.a!);
  if (s.masks) {
    const known = m.fresh(MASK);
    m.op(F.vcmppsK | w, known, x, x, F.CMP.ord);
    const high = m.fresh(MASK);
    s.rmBits(TWO31);
    m.put(DEF, F.vcmppsK | w, high, x, F.CMP.ge);
    const t = s.vector();
    m.inRegister(x).put(DEF | ZERO, F.vcvttps2dq | w, t, -1, 0, known);
    const top = s.regBits(0x7fffffff);
    m.op(F.vpblendmd | w, dst, t, top, 0, high);
    return;
  }
  const known = s.vector();
  const y = s.vector();
  const high = s.vector();
  const t = s.vector();
  m.op(F.vcmpps | w, known, x, x, F.CMP.ord);
  m.op(F.vpand | w, y, x, known);
  s.rmBits(TWO31);
  m.put(DEF, F.vcmpps | w, high, y, F.CMP.ge);
  m.inRegister(y).put(DEF, F.vcvttps2dq | w, t);
  m.op(F.vpxor | w, dst, t, high);
};

const toUnsigned: Rule = (s, v, dst) => {
  const { m } = s;
  const w = s.wide;
  const x = s.vec(v.a!);
  const zero = s.vector();
  m.put(KIND.special | DEF, 0, zero, -1, SPECIAL.zero);
  const y = s.vector();
  m.op(F.vmaxps | w, y, x, zero);
  if (s.masks) {
    m.inRegister(y).put(DEF, F.vcvttps2udq | w, dst);
    return;
  }
  // Above 2^31 in two parts: what the conversion gives for too much is just that bit
  const big = s.regBits(TWO31);
  const t = s.vector();
  const high = s.vector();
  const u = s.vector();
  const held = s.vector();
  const part = s.vector();
  const low = s.vector();
  m.op(F.vsubps | w, t, y, big);
  m.op(F.vcmpps | w, high, t, big, F.CMP.ge);
  m.inRegister(t).put(DEF, F.vcvttps2dq | w, u);
  m.op(F.vpxor | w, held, u, high);
  m.op(F.vpmaxsd | w, part, held, zero);
  m.inRegister(y).put(DEF, F.vcvttps2dq | w, low);
  m.op(F.vpaddd | w, dst, low, part);
};

const fromUnsigned: Rule = (s, v, dst) => {
  const { m } = s;
  const w = s.wide;
  if (s.masks) return s.one(F.vcvtudq2ps | w, v.a!, dst);
  const x = s.vec(v.a!);
  const low = s.vector();
  const high = s.vector();
  const a = s.vector();
  const b = s.vector();
  const half = s.vector();
  const twice = s.vector();
  s.rmBits(0xffff);
  m.put(DEF, F.vpand | w, low, x);
  m.op(F.vpsubd | w, high, x, low);
  m.inRegister(high).put(DEF, F.vpsrldImm | w, half, -1, 1);
  m.inRegister(low).put(DEF, F.vcvtdq2ps | w, a);
  m.inRegister(half).put(DEF, F.vcvtdq2ps | w, b);
  m.op(F.vaddps | w, twice, b, b);
  m.op(F.vaddps | w, dst, a, twice);
};

const fromInts: Rule = (s, v, dst) => s.one(F.vcvtdq2ps | s.wide, v.a!, dst);

export const selectVector: Rules = {
  add: arithmetic,
  sub: arithmetic,
  mul: arithmetic,
  div: arithmetic,
  scale: arithmetic,
  min: extreme,
  max: extreme,
  pmin: pick,
  pmax: pick,
  and: bits,
  or: bits,
  xor: bits,
  andnot,
  not,
  neg,
  abs,
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
  select,
  bitmask,
  bitcast,
  shl: shift,
  shrS: shift,
  shrU: shift,
  floor: round,
  ceil: round,
  trunc: round,
  nearest: round,
  sqrt,
  fraction,
  fma: fused,
  fnma: fused,
  i32FromF32: toInts,
  u32FromF32: toUnsigned,
  f32FromI32: fromInts,
  f32FromU32: fromUnsigned,
};
