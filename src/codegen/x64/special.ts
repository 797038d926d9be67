// Instructions with fixed registers, written in rax, rcx and rdx, which allocation leaves alone.
import type { Emitter } from "./emit.ts";
import * as F from "./forms.ts";
import { SPECIAL } from "./machine.ts";

const { rax, rcx, rdx, rsi, rdi, r10, r11, rsp } = F.GPR;
const Q = F.Q;

/** Numbers of the system's call for waiting, and its operations on words of this process. */
const FUTEX = 202;
const WAIT = 128;
const WAKE = 129;

export function emitSpecial(e: Emitter, at: number, head: number): void {
  SPECIALS[e.m.words[at + 7]](e, at, head);
}

/** The register for the result, and its way to the stack. */
function result(e: Emitter, v: number, work: number, write: (r: number) => void): void {
  const p = e.places[v];
  write(p < 0 ? work : p);
  if (p < 0) e.store(v, work);
}
/** `register` = value of v. */
function fetch(e: Emitter, v: number, register: number): void {
  const r = e.use(v, register);
  if (r !== register) e.code.reg(F.mov | Q, register, -1, r);
}

type Special = (e: Emitter, at: number, head: number) => void;

const divide: Special = (e, at, head) => {
  const { code } = e;
  const w = e.m.words;
  const how = w[at + 1];
  fetch(e, w[at + 3], rax);
  if ((how & 1) !== 0) code.fixed(F.cdq);
  else code.const32(rdx, 0);
  e.operand(at, head, false);
  e.put((how & 1) !== 0 ? F.idiv : F.div, -1, -1);
  const from = (how & 2) !== 0 ? rdx : rax;
  result(e, w[at + 2], from, (r) => r !== from && code.reg(F.mov, r, -1, from));
};

const mulHigh: Special = (e, at, head) => {
  const w = e.m.words;
  fetch(e, w[at + 3], rax);
  e.operand(at, head, false);
  e.put(F.mul | Q, -1, -1);
  result(e, w[at + 2], rdx, (r) => r !== rdx && e.code.reg(F.mov, r, -1, rdx));
};

/** Regions may overlap: then the end goes first. */
const copy: Special = (e, at) => {
  const { code } = e;
  operands(e, at);
  const forward = code.label();
  const done = code.label();
  code.push(rsi);
  code.push(rdi);
  code.reg(F.mov | Q, rdi, -1, rax);
  code.reg(F.mov | Q, rsi, -1, rdx);
  code.reg(F.sub | Q, rax, -1, rdx);
  code.reg(F.cmp | Q, rax, -1, rcx);
  code.jcc(F.CC.ae, forward);
  code.mem(F.lea | Q, rdi, -1, rdi, rcx, 1, -1);
  code.mem(F.lea | Q, rsi, -1, rsi, rcx, 1, -1);
  code.fixed(F.std);
  code.fixed(F.repMovsb);
  code.fixed(F.cld);
  code.jmp(done);
  code.bind(forward);
  code.fixed(F.repMovsb);
  code.bind(done);
  code.pop(rdi);
  code.pop(rsi);
};

const fill: Special = (e, at) => {
  const { code } = e;
  operands(e, at);
  code.push(rdi);
  code.reg(F.mov | Q, rdi, -1, rax);
  code.reg(F.mov, rax, -1, rdx);
  code.fixed(F.repStosb);
  code.pop(rdi);
};

/** rax, rdx, rcx = the three operands of copy and fill. */
function operands(e: Emitter, at: number): void {
  const w = e.m.words;
  fetch(e, w[at + 2], rax);
  fetch(e, w[at + 3], rdx);
  fetch(e, w[at + 4], rcx);
}

/** Sleeps by the system's futex; elsewhere a turn of a watching loop. */
const wait: Special = (e, at, head) => {
  const { code } = e;
  const w = e.m.words;
  if (!e.convention.futex) return code.fixed(F.pause);
  const ms = w[at + 8];
  e.operand(at, head, false);
  e.address(rax);
  fetch(e, w[at + 2], rdx);
  for (const r of [rdi, rsi, r10, r11]) code.push(r);
  code.const64(rcx, (ms % 1000) * 1e6);
  code.push(rcx);
  code.const64(rcx, Math.floor(ms / 1000));
  code.push(rcx);
  code.reg(F.mov | Q, r10, -1, rsp);
  code.reg(F.mov | Q, rdi, -1, rax);
  code.const32(rsi, WAIT);
  code.const32(rax, FUTEX);
  code.fixed(F.syscall);
  code.reg(F.addImm | Q, rsp, -1, -1, 0, false, 16);
  for (const r of [r11, r10, rsi, rdi]) code.pop(r);
};

const notify: Special = (e, at, head) => {
  const { code } = e;
  if (!e.convention.futex) return;
  e.operand(at, head, false);
  e.address(rax);
  for (const r of [rdi, rsi, r11]) code.push(r);
  code.reg(F.mov | Q, rdi, -1, rax);
  code.const32(rsi, WAKE);
  code.const32(rdx, 0x7fffffff);
  code.const32(rax, FUTEX);
  code.fixed(F.syscall);
  for (const r of [r11, rsi, rdi]) code.pop(r);
};

const clock: Special = (e, at) => {
  const { code } = e;
  code.fixed(F.rdtsc);
  code.reg(F.shlImm | Q, rdx, -1, -1, 0, false, 32);
  code.reg(F.or | Q, rax, -1, rdx);
  result(e, e.m.words[at + 2], e.scratch.vectors[0], (r) => {
    code.reg(F.vpxor, r, r, r);
    code.reg(F.vcvtsi2sdQ, r, r, rax);
  });
};

const pause: Special = (e) => e.code.fixed(F.pause);

const constant: Special = (e, at) => {
  const w = e.m.words;
  const value = w[at + 8];
  result(e, w[at + 2], rax, (r) => (w[at + 1] === 1 ? e.code.const64(r, value) : e.code.const32(r, value)));
};

const zero: Special = (e, at) => {
  result(e, e.m.words[at + 2], e.scratch.vectors[0], (r) => e.code.reg(F.vpxor, r, r, r));
};

const maskConstant: Special = (e, at) => {
  const { code } = e;
  const w = e.m.words;
  const value = w[at + 8];
  result(e, w[at + 2], e.scratch.masks[0], (r) => {
    if (value === 0) code.reg(F.kxorw, r, r, r);
    else if (value === -1) code.reg(F.kxnorw, r, r, r);
    else {
      code.const32(rax, value);
      code.reg(F.kmovwFrom, r, -1, rax);
    }
  });
};

/** Odd numbers of bytes by two loads that overlap. */
const loadBytes: Special = (e, at, head) => {
  const { code } = e;
  const w = e.m.words;
  const n = w[at + 1];
  e.operand(at, head, false);
  e.address(rcx);
  const part = n > 4 ? 4 : n > 2 ? 2 : 1;
  const form = n >= 4 ? F.mov : n >= 2 ? F.movzx16 : F.movzx8;
  code.mem(form, rax, -1, rcx);
  if (n === 3 || n > 4) {
    code.mem(form, rdx, -1, rcx, -1, 1, n - part);
    code.reg(F.shlImm | Q, rdx, -1, -1, 0, false, 8 * (n - part));
    code.reg(F.or | Q, rax, -1, rdx);
  }
  result(e, w[at + 2], rax, (r) => r !== rax && code.reg(F.mov | Q, r, -1, rax));
};

const storeBytes: Special = (e, at, head) => {
  const { code } = e;
  const w = e.m.words;
  let n = w[at + 1];
  e.operand(at, head, false);
  e.address(rcx);
  fetch(e, w[at + 2], rax);
  for (let to = 0; n > 0;) {
    const part = n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
    const form = part === 8 ? F.movStore | Q : part === 4 ? F.movStore : part === 2 ? F.mov16Store : F.mov8Store;
    code.mem(form, rax, -1, rcx, -1, 1, to);
    n -= part;
    to += part;
    if (n > 0) code.reg(F.shrImm | Q, rax, -1, -1, 0, false, 8 * part);
  }
};

const SPECIALS: Readonly<Record<number, Special>> = {
  [SPECIAL.divide]: divide,
  [SPECIAL.mulHigh]: mulHigh,
  [SPECIAL.copy]: copy,
  [SPECIAL.fill]: fill,
  [SPECIAL.wait]: wait,
  [SPECIAL.notify]: notify,
  [SPECIAL.clock]: clock,
  [SPECIAL.pause]: pause,
  [SPECIAL.constant]: constant,
  [SPECIAL.loadBytes]: loadBytes,
  [SPECIAL.storeBytes]: storeBytes,
  [SPECIAL.zero]: zero,
  [SPECIAL.maskConstant]: maskConstant,
};
