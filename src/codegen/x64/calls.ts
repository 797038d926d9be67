// Arguments and results: where they arrive, where they must be.
import type { Fn } from "../asm/index.ts";
import type { Emitter } from "./emit.ts";
import * as F from "./forms.ts";
import { CALLEE, DEF, GENERAL, MASK, WIDE } from "./machine.ts";

const { rax } = F.GPR;

/** A copy between registers that must happen at once with others. */
interface Move {
  readonly to: number;
  readonly from: number;
  /** Upper bits of an i32 are cleared. */
  readonly short: boolean;
}

/** Does all moves as if at once: a target that is still to be read waits, a ring is opened by way of `spare`. */
function moveAll(e: Emitter, kind: number, moves: Move[], spare: number): void {
  let list = moves.filter((x) => x.to !== x.from || x.short);
  const one = (to: number, from: number, short: boolean): void => {
    if (short) e.code.reg(F.mov, to, -1, from);
    else e.copy(kind, to, from);
  };
  while (list.length > 0) {
    const ready = list.findIndex((x) => !list.some((y) => y !== x && y.from === x.to));
    if (ready >= 0) {
      const [x] = list.splice(ready, 1);
      one(x.to, x.from, x.short);
      continue;
    }
    const [x] = list;
    e.copy(kind, spare, x.from);
    list = list.map((y) => (y.from === x.from ? { ...y, from: spare } : y));
  }
}

/** Where argument number `i` of its kind, number `position` of all, is passed. */
function arrival(e: Emitter, kind: number, i: number, position: number): number {
  const { windows, arguments: regs } = e.convention;
  const n = windows ? position : i;
  const limit = kind === GENERAL ? regs.length : windows ? 4 : 8;
  if (n >= limit) throw new Error("[x64] functions take no more arguments than fit in registers");
  return kind === GENERAL ? regs[n] : n;
}

/** Parameters to their places; masks that are set once. */
export function emitEntry(e: Emitter, fn: Fn, params: readonly number[]): void {
  const { code, m } = e;
  const counts = [0, 0];
  const moves: [Move[], Move[]] = [[], []];
  params.forEach((p, position) => {
    const kind = m.kinds[p];
    const from = arrival(e, kind, counts[kind]++, position);
    const short = fn.params[position].type === "i32";
    if (e.places[p] >= 0) moves[kind].push({ to: e.places[p], from, short });
    else if (e.places[p] < -1) {
      if (short) code.reg(F.mov, from, -1, from);
      e.store(p, from);
    }
  });
  moveAll(e, 0, moves[0], rax);
  moveAll(e, 1, moves[1], 15);
  for (let i = 0; i < m.entryMasks.length; i += 2) {
    const k = m.entryMasks[i];
    const bits = m.entryMasks[i + 1];
    const to = e.places[k] < 0 ? e.scratch.masks[0] : e.places[k];
    code.const32(rax, bits);
    code.reg(F.kmovwFrom, to, -1, rax);
    if (e.places[k] < 0) e.store(k, to);
  }
}

export function emitCall(e: Emitter, at: number, head: number): void {
  const { code, m } = e;
  const w = m.words;
  const callee = w[at + 1];
  const dst = w[at + 2];
  const where = w[at + 7];
  const list = w[at + 6];
  const count = w[at + 8];
  if (callee === CALLEE.register) {
    const r = e.use(w[at + 4], rax);
    if (r !== rax) code.reg(F.mov | F.Q, rax, -1, r);
  }
  const counts = [0, 0];
  const moves: [Move[], Move[]] = [[], []];
  const loads: [number, number][] = [];
  for (let i = 0; i < count; i++) {
    const v = m.lists[list + i];
    const kind = m.kinds[v];
    const to = arrival(e, kind, counts[kind]++, i);
    if (e.places[v] >= 0) moves[kind].push({ to, from: e.places[v], short: false });
    else loads.push([v, to]);
  }
  moveAll(e, 0, moves[0], F.GPR.r10);
  moveAll(e, 1, moves[1], spareVector(moves[1]));
  for (const [v, to] of loads) e.load(v, to);
  if (callee === CALLEE.fn) code.callLabel(e.functions[where]);
  else if (callee === CALLEE.register) code.callReg(rax);
  else {
    code.fixed(F.vzeroupper);
    code.poolMem(F.call, -1, -1, where);
  }
  if ((head & DEF) === 0) return;
  const kind = m.kinds[dst];
  const spilled = e.places[dst] < 0;
  if (kind === MASK) throw new Error("[x64] masks are not returned");
  if (kind === GENERAL) {
    const to = spilled ? rax : e.places[dst];
    if (to !== rax || (head & WIDE) === 0) code.reg((head & WIDE) !== 0 ? F.mov | F.Q : F.mov, to, -1, rax);
    if (spilled) e.store(dst, rax);
  } else if (spilled) e.store(dst, 0);
  else e.copy(1, e.places[dst], 0);
}

const spareVector = (moves: readonly Move[]): number => {
  let r = 15;
  while (moves.some((x) => x.from === r || x.to === r)) r--;
  return r;
};

/** The result where callers expect it. */
export function emitResult(e: Emitter, v: number): void {
  const kind = e.m.kinds[v];
  const r = e.use(v, 0);
  if (r !== 0) e.copy(kind, 0, r);
}
