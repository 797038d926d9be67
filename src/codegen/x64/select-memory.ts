// Loads and stores, whole, partial and of bytes.
import type { Type } from "../asm/index.ts";
import { bytesOf, isVec } from "../asm/index.ts";
import * as F from "./forms.ts";
import { DEF, KIND, REGISTER, SPECIAL, ZERO } from "./machine.ts";
import { type Rule, type Rules, sizeOf } from "./kinds.ts";
import type { Selector } from "./select.ts";

const LOAD: Readonly<Record<Type, number>> = {
  ptr: F.mov | F.Q,
  i32: F.mov,
  f32: F.vmovss,
  f64: F.vmovsd,
  vf32: F.vmovups,
  vi32: F.vmovdqu,
  vf64: F.vmovupd,
  vi64: F.vmovdqu,
};
const STORE: Readonly<Record<Type, number>> = {
  ptr: F.movStore | F.Q,
  i32: F.movStore,
  f32: F.vmovssStore,
  f64: F.vmovsdStore,
  vf32: F.vmovupsStore,
  vi32: F.vmovdquStore,
  vf64: F.vmovupdStore,
  vi64: F.vmovdquStore,
};

const load: Rule = (s, v, dst) => {
  s.at(v.a!, v.imm);
  s.m.put(DEF, LOAD[v.type] | (isVec(v.type) ? s.wide : 0), dst);
};

const loadSplat: Rule = (s, v, dst) => {
  s.at(v.a!, v.imm);
  s.m.put(DEF, (bytesOf(v.type) === 8 ? F.vbroadcastsd : F.vbroadcastss) | s.wide, dst);
};

/** A plain move of that many bytes, or -1. */
const moveOf = (s: Selector, bytes: number, store: boolean): number => {
  if (bytes === 4) return store ? F.vmovssStore : F.vmovss;
  if (bytes === 8) return store ? F.vmovsdStore : F.vmovsd;
  const length = bytes === 16 ? 0 : bytes === 32 && s.lanes === 16 ? F.Y : -1;
  return length < 0 ? -1 : (store ? F.vmovupsStore : F.vmovups) | length;
};

/** Lanes of ones for the first `count` elements (machines without mask registers). */
function maskVector(s: Selector, count: number, bytes: number): number {
  const data = new Int32Array(s.lanes).fill(-1, 0, (count * bytes) / 4);
  const t = s.vector();
  s.m.inPool(s.code.constant(new Uint8Array(data.buffer)), false).put(DEF, F.vmovups | s.wide, t);
  return t;
}

const loadPartial: Rule = (s, v, dst) => {
  const bytes = bytesOf(v.type);
  const move = moveOf(s, v.count * bytes, false);
  if (move >= 0) {
    s.at(v.a!, v.imm);
    s.m.put(DEF, move, dst);
  } else if (s.masks) {
    const k = s.firstLanes(v.count);
    s.at(v.a!, v.imm);
    s.m.put(DEF | ZERO, (bytes === 8 ? F.vmovupd : F.vmovups) | s.wide, dst, -1, 0, k);
  } else {
    const t = maskVector(s, v.count, bytes);
    s.at(v.a!, v.imm);
    s.m.put(DEF, F.vmaskmovps | s.wide, dst, t);
  }
};

const store: Rule = (s, v) => {
  const { m } = s;
  const x = v.b!;
  if (x.op === "const" && (v.type === "i32" || v.type === "ptr")) {
    s.at(v.a!, v.imm);
    m.put(0, F.movImm | sizeOf(v.type), -1, -1, x.imm);
    return;
  }
  const r = isVec(v.type) ? s.vec(x) : s.reg(x);
  s.at(v.a!, v.imm);
  m.put(0, (v.count === 1 ? F.vmovntpsStore : STORE[v.type]) | (isVec(v.type) ? s.wide : 0), r);
};

const storePartial: Rule = (s, v) => {
  const bytes = bytesOf(v.type);
  const x = s.vec(v.b!);
  const move = moveOf(s, v.count * bytes, true);
  if (move >= 0) {
    s.at(v.a!, v.imm);
    s.m.put(0, move, x);
  } else if (s.masks) {
    const k = s.firstLanes(v.count);
    s.at(v.a!, v.imm);
    s.m.put(0, (bytes === 8 ? F.vmovupdStore : F.vmovupsStore) | s.wide, x, -1, 0, k);
  } else {
    const t = maskVector(s, v.count, bytes);
    s.at(v.a!, v.imm);
    s.m.put(0, F.vmaskmovpsStore | s.wide, x, t);
  }
};

const loadU8: Rule = (s, v, dst) => {
  const { m } = s;
  if (!isVec(v.type)) {
    s.at(v.a!, v.imm);
    m.put(DEF, F.movzx8, dst);
  } else if (v.count === s.lanes) {
    s.at(v.a!, v.imm);
    m.put(DEF, F.vpmovzxbd | s.wide, dst);
  } else if (s.masks) {
    const k = s.firstLanes(v.count);
    s.at(v.a!, v.imm);
    m.put(DEF | ZERO, F.vpmovzxbd | s.wide, dst, -1, 0, k);
  } else {
    const r = s.general();
    const t = s.vector();
    s.at(v.a!, v.imm);
    m.put(KIND.special | DEF, v.count, r, -1, SPECIAL.loadBytes);
    m.inRegister(r).put(DEF, F.vmovq, t);
    m.inRegister(t).put(DEF, F.vpmovzxbd | s.wide, dst);
  }
};

const storeU8: Rule = (s, v) => {
  const { m } = s;
  if (!isVec(v.type)) {
    const r = s.reg(v.b!);
    s.at(v.a!, v.imm);
    m.put(0, F.mov8Store, r);
    return;
  }
  const x = s.vec(v.b!);
  if (s.masks) {
    const k = v.count === s.lanes ? -1 : s.firstLanes(v.count);
    s.at(v.a!, v.imm);
    m.put(0, F.vpmovdbStore | s.wide, x, -1, 0, k);
    return;
  }
  const low = s.vector();
  const high = s.vector();
  const words = s.vector();
  const bytes = s.vector();
  const r = s.general();
  s.rmBits(255);
  m.put(DEF, F.vpand | s.wide, low, x);
  m.inRegister(low).put(DEF | REGISTER, F.vextractf128Store | F.Y, high, -1, 1);
  m.op(F.vpackssdw, words, low, high);
  m.op(F.vpackuswb, bytes, words, words);
  m.inRegister(bytes).put(DEF | REGISTER, F.vmovqStore, r);
  s.at(v.a!, v.imm);
  m.put(KIND.special, v.count, r, -1, SPECIAL.storeBytes);
};

const prefetch: Rule = (s, v) => {
  s.at(v.a!, v.imm);
  s.m.put(0, v.count === 1 ? F.prefetcht0 : F.prefetcht1, -1);
};

export const selectMemory: Rules = { load, loadSplat, loadPartial, loadU8, store, storePartial, storeU8, prefetch };
