// Statements: variables, loops, branches, calls, threads. Stores are among them, see select-memory.ts.
import type { Extern, Fn, Val, Var } from "../asm/index.ts";
import { HERE } from "./analyse.ts";
import * as F from "./forms.ts";
import { CALLEE, DEF, KIND, LOCK, MODIFY, SPECIAL } from "./machine.ts";
import { selectMemory } from "./select-memory.ts";
import { isInteger, type Rule, type Rules } from "./kinds.ts";
import type { Selector } from "./select.ts";

/** Puts the value of `x` into register `dst`. */
function assign(s: Selector, dst: number, x: Val, mask: boolean): void {
  const { m } = s;
  if (x.op === "const" && mask) m.put(KIND.special | DEF, 0, dst, -1, SPECIAL.maskConstant, x.imm ? -1 : 0);
  else if (x.op === "const" && isInteger(x.type))
    m.put(KIND.special | DEF, x.type === "ptr" ? 1 : 0, dst, -1, SPECIAL.constant, x.imm);
  else if (x.op === "const") s.loadConstant(dst, x);
  else m.move(dst, mask ? s.mask(x) : s.vec(x));
}

const set: Rule = (s, v) => {
  const { id } = v.ref as Var;
  const x = v.a!;
  if (x.id >= 0 && s.an.mode[x.id] === HERE && s.an.target[x.id] === id) return;
  assign(s, s.variable(id, v), x, s.an.maskVar[id] === 1);
};

const get: Rule = (s, v) => {
  const from = s.variable((v.ref as Var).id, v);
  s.m.move(s.define(v), from);
};

const loop: Rule = (s, v) => {
  const { m } = s;
  const i = s.define(v);
  const from = v.a!;
  const to = v.b!;
  const top = m.newLabel();
  const out = m.newLabel();
  s.open.push(top, out, m.loops++);
  assign(s, i, from, false);
  if (from.op !== "const" || to.op !== "const") {
    compare(s, i, to);
    m.jcc(F.CC.ge, out);
  }
  m.put(KIND.loop, 0, -1, -1, s.open[s.open.length - 1]);
  m.label(top);
};
function compare(s: Selector, i: number, to: Val): void {
  if (to.op === "const") s.m.put(0, F.cmpImm, i, -1, to.imm);
  else {
    const r = s.reg(to);
    s.m.inRegister(r).put(0, F.cmp, i);
  }
}
const endloop: Rule = (s, v) => {
  const { m } = s;
  const head = v.ref as Val;
  const number = s.open.pop()!;
  const out = s.open.pop()!;
  const top = s.open.pop()!;
  const i = s.reg(head);
  m.put(KIND.two | DEF, F.addImm, i, i, head.imm);
  compare(s, i, head.b!);
  m.jcc(F.CC.l, top);
  m.put(KIND.endLoop, 0, -1, -1, number);
  m.label(out);
};

const repeat: Rule = (s) => {
  const { m } = s;
  const top = m.newLabel();
  s.open.push(top, m.loops++);
  m.put(KIND.loop, 0, -1, -1, s.open[s.open.length - 1]);
  m.label(top);
};
const again: Rule = (s, v) => {
  const number = s.open.pop()!;
  const top = s.open.pop()!;
  s.m.jcc(s.flags(v.a!), top);
  s.m.put(KIND.endLoop, 0, -1, -1, number);
};

const begin: Rule = (s, v) => {
  const cc = s.flags(v.a!);
  const no = s.m.newLabel();
  s.open.push(no);
  s.m.jcc(cc ^ 1, no);
};
const orElse: Rule = (s) => {
  const no = s.open.pop()!;
  const end = s.m.newLabel();
  s.open.push(end);
  s.m.jmp(end);
  s.m.label(no);
};
const end: Rule = (s) => {
  s.m.label(s.open.pop()!);
};

/** Registers of arguments: `lists` from where on. */
function list(s: Selector, args: readonly Val[]): number {
  const regs = args.map((x) => s.reg(x));
  return s.m.lists.push(...regs) - regs.length;
}

const call: Rule = (s, v) => {
  const { m } = s;
  const callee = v.ref as Fn | Extern;
  const args = v.args!;
  const at = list(s, args);
  const dst = callee.result === undefined ? -1 : s.define(v);
  m.calls++;
  const fn = callee.kind === "fn";
  const where = fn ? callee.index : s.external(callee);
  m.putCall(fn ? CALLEE.fn : CALLEE.address, dst, where, at, args.length, -1, callee.result === "ptr");
};
const callPtr: Rule = (s, v) => {
  const at = list(s, v.args!);
  s.m.calls++;
  s.m.putCall(CALLEE.register, -1, 0, at, v.args!.length, s.reg(v.a!));
};

const atomicLoad: Rule = (s, v) => {
  const dst = s.define(v);
  s.at(v.a!, v.imm);
  s.m.put(DEF, F.mov, dst);
};
const atomicStore: Rule = (s, v) => {
  const t = s.general();
  assign(s, t, v.b!, false);
  s.at(v.a!, v.imm);
  s.m.put(DEF | MODIFY, F.xchgStore, t);
};
const atomicAdd: Rule = (s, v) => {
  const t = s.general();
  assign(s, t, v.b!, false);
  s.at(v.a!, v.imm);
  s.m.put(DEF | MODIFY | LOCK, F.xaddStore, t);
  s.m.move(s.define(v), t);
};

/** dst, src1 and r/m are all read. */
const copy: Rule = (s, v) => {
  const a = s.reg(v.a!);
  const b = s.reg(v.b!);
  const n = s.reg(v.c!);
  s.m.inRegister(n).put(KIND.special, 0, a, b, v.op === "copy" ? SPECIAL.copy : SPECIAL.fill);
};

const wait: Rule = (s, v) => {
  const expected = s.reg(v.b!);
  s.at(v.a!, v.imm);
  s.m.put(KIND.special, 0, expected, -1, SPECIAL.wait, v.count);
};
const notify: Rule = (s, v) => {
  s.at(v.a!, v.imm);
  s.m.put(KIND.special, 0, -1, -1, SPECIAL.notify);
};
const pause: Rule = (s) => s.m.put(KIND.special, 0, -1, -1, SPECIAL.pause);
const clock: Rule = (s, v) => s.m.put(KIND.special | DEF, 0, s.define(v), -1, SPECIAL.clock);
const nothing: Rule = () => undefined;

export const selectControl: Rules = {
  set,
  decl: set,
  get,
  loop,
  endloop,
  repeat,
  again,
  if: begin,
  else: orElse,
  endif: end,
  call,
  callPtr,
  atomicLoad,
  atomicStore,
  atomicAdd,
  copy,
  fill: copy,
  wait,
  notify,
  pause,
  clock,
  pin: nothing,
  store: selectMemory.store,
  storePartial: selectMemory.storePartial,
  storeU8: selectMemory.storeU8,
};
