// Between lanes: splats, extraction, shuffles, and the conversions that change the number of lanes.
import type { Op } from "../asm/index.ts";
import * as F from "./forms.ts";
import { DEF, KIND, MASK, REGISTER, SPECIAL, ZERO } from "./machine.ts";
import { doubleBits } from "./select-scalar.ts";
import type { Rule, Rules } from "./kinds.ts";
import type { Selector } from "./select.ts";

const splat: Rule = (s, v, dst) => {
  const { m } = s;
  const x = v.a!;
  if (v.type === "vi32") {
    if (s.isMemory(x) || (x.id >= 0 && s.an.mode[x.id] === 1 && x.op === "load")) {
      s.at(x.a!, x.imm);
      m.put(DEF, F.vpbroadcastd | s.wide, dst);
    } else if (s.masks) m.inRegister(s.reg(x)).put(DEF | REGISTER, F.vpbroadcastdGpr | s.wide, dst);
    else {
      const t = s.vector();
      m.inRegister(s.reg(x)).put(DEF, F.vmovd, t);
      m.inRegister(t).put(DEF, F.vpbroadcastd | s.wide, dst);
    }
    return;
  }
  s.rm(x);
  m.put(DEF, (v.type === "vf64" ? F.vbroadcastsd : F.vbroadcastss) | s.wide, dst);
};

/** The block of 128 bits with lane `i` in a register's low part, and the lane within it. */
function blockOf(s: Selector, x: number, i: number, perBlock: number): [number, number] {
  const block = Math.floor(i / perBlock);
  if (block === 0) return [x, i];
  const { m } = s;
  const t = s.vector();
  m.inRegister(x).put(DEF | REGISTER, F.vextractf128Store | (block > 1 ? F.Z : F.Y), t, -1, block);
  return [t, i % perBlock];
}

const extract: Rule = (s, v, dst) => {
  const { m } = s;
  const d = v.type === "f64";
  const [x, lane] = blockOf(s, s.vec(v.a!), v.imm, d ? 2 : 4);
  if (v.type === "i32") {
    if (lane === 0) m.inRegister(x).put(DEF | REGISTER, F.vmovdStore, dst);
    else m.inRegister(x).put(DEF | REGISTER, F.vpextrdStore, dst, -1, lane);
  } else if (lane === 0) m.move(dst, x);
  else if (d) m.op(F.vunpckhpd, dst, x, x);
  else m.inRegister(x).put(DEF | REGISTER, F.vpermilps, dst, -1, lane * 0x55);
};

/** The new element in all lanes, then one of them taken. */
const insert: Rule = (s, v, dst) => {
  const { m } = s;
  const d = v.type === "vf64";
  const t = s.vector();
  const x = v.b!;
  if (v.type === "vi32") {
    const r = s.reg(x);
    if (s.masks) m.inRegister(r).put(DEF | REGISTER, F.vpbroadcastdGpr | s.wide, t);
    else {
      const u = s.vector();
      m.inRegister(r).put(DEF, F.vmovd, u);
      m.inRegister(u).put(DEF, F.vpbroadcastd | s.wide, t);
    }
  } else m.inRegister(s.reg(x)).put(DEF, (d ? F.vbroadcastsd : F.vbroadcastss) | s.wide, t);
  const a = s.vec(v.a!);
  if (s.lanes === 16) {
    const k = m.fresh(MASK);
    m.put(KIND.special | DEF, 0, k, -1, SPECIAL.maskConstant, 1 << v.imm);
    m.op((d ? F.vblendmpd : F.vblendmps) | s.wide, dst, a, t, 0, k);
  } else m.op((d ? F.vblendpd : F.vblendps) | s.wide, dst, a, t, 1 << v.imm);
};

const SHUFFLE: Partial<Record<Op, number>> = {
  interleaveLow: F.vunpcklps,
  interleaveHigh: F.vunpckhps,
  interleaveLow2: F.vunpcklpd,
  interleaveHigh2: F.vunpckhpd,
};
const interleave: Rule = (s, v, dst) => {
  const a = s.vec(v.a!);
  const b = s.vec(v.b!);
  s.m.op(SHUFFLE[v.op]! | s.wide, dst, a, b);
};

const within =
  (imm: number): Rule =>
  (s, v, dst) => {
    const a = s.vec(v.a!);
    s.m.inRegister(a).put(DEF, F.vpermilps | s.wide, dst, -1, imm);
  };

const blocks =
  (wide: number, narrow: number): Rule =>
  (s, v, dst) => {
    const a = s.vec(v.a!);
    const b = v.b ? s.vec(v.b) : a;
    if (s.lanes === 16) s.m.op(F.vshuff32x4 | F.Z, dst, a, b, wide);
    else s.m.op(F.vperm2f128, dst, a, b, narrow);
  };

/** The upper half of a vector. */
function upper(s: Selector, x: number): number {
  const t = s.vector();
  if (s.lanes === 16) s.m.inRegister(x).put(DEF | REGISTER, F.vextractf64x4Store | F.Z, t, -1, 1);
  else s.m.inRegister(x).put(DEF | REGISTER, F.vextractf128Store | F.Y, t, -1, 1);
  return t;
}
/** Two halves to one vector. */
function join(s: Selector, dst: number, low: number, high: number): void {
  if (s.lanes === 16) s.m.op(F.vinsertf64x4 | F.Z, dst, low, high, 1);
  else s.m.op(F.vinsertf128 | F.Y, dst, low, high, 1);
}

const widen =
  (form: number, high: boolean): Rule =>
  (s, v, dst) => {
    const a = s.vec(v.a!);
    s.m.inRegister(high ? upper(s, a) : a).put(DEF, form | s.wide, dst);
  };

const demote: Rule = (s, v, dst) => {
  const lo = s.vec(v.a!);
  const hi = s.vec(v.b!);
  const x = s.vector();
  const y = s.vector();
  s.m.inRegister(lo).put(DEF | REGISTER, F.vcvtpd2ps | s.wide, x);
  s.m.inRegister(hi).put(DEF | REGISTER, F.vcvtpd2ps | s.wide, y);
  join(s, dst, x, y);
};

const truncate: Rule = (s, v, dst) => {
  const { m } = s;
  const half = (x: number): number => {
    const y = s.vector();
    const z = s.vector();
    const out = s.vector();
    if (s.masks) {
      const k = m.fresh(MASK);
      m.op(F.vcmppdK | s.wide, k, x, x, F.CMP.ord);
      m.inRegister(x).put(DEF | ZERO, F.vmovupd | s.wide, y, -1, 0, k);
      m.inPool(doubleBits(s, 2147483647), true).put(DEF, F.vminpd | s.wide, z, y);
    } else {
      const known = s.vector();
      m.op(F.vcmppd | s.wide, known, x, x, F.CMP.ord);
      m.op(F.vpand | s.wide, y, x, known);
      const top = s.vector();
      m.inPool(doubleBits(s, 2147483647), false).put(DEF, F.vbroadcastsd | s.wide, top);
      m.op(F.vminpd | s.wide, z, y, top);
    }
    m.inRegister(z).put(DEF | REGISTER, F.vcvttpd2dq | s.wide, out);
    return out;
  };
  const lo = s.vec(v.a!);
  const hi = s.vec(v.b!);
  const x = half(lo);
  join(s, dst, x, half(hi));
};

const maskHalf =
  (high: boolean): Rule =>
  (s, v, dst) => {
    const { m } = s;
    if (s.isMask(v)) {
      const k = s.mask(v.a!);
      if (high) m.inRegister(k).put(DEF | REGISTER, F.kshiftrw, dst, -1, s.lanes / 2);
      else m.move(dst, k);
      return;
    }
    const a = s.vec(v.a!);
    m.inRegister(high ? upper(s, a) : a).put(DEF, F.vpmovsxdq | s.wide, dst);
  };

export const selectLanes: Rules = {
  splat,
  extract,
  insert,
  interleaveLow: interleave,
  interleaveHigh: interleave,
  interleaveLow2: interleave,
  interleaveHigh2: interleave,
  swapHalves: within(0x4e),
  swapPairs: within(0xb1),
  swap128: blocks(0xb1, 0x01),
  swap256: blocks(0x4e, 0x01),
  evenBlocks: blocks(0x88, 0x20),
  oddBlocks: blocks(0xdd, 0x31),
  promoteLow: widen(F.vcvtps2pd, false),
  promoteHigh: widen(F.vcvtps2pd, true),
  demote,
  i32FromF64Pair: truncate,
  maskLow: maskHalf(false),
  maskHigh: maskHalf(true),
};
