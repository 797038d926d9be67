// Linear scan: a register, or a place on the stack, for every virtual register, for the whole of its life. What lives into a
// loop lives through it; what is used least for its length goes to the stack first.
import { DEF, GENERAL, KIND, type Machine, MASK, MODIFY, STRIDE, VECTOR } from "./machine.ts";

/** Which registers there are, by kind, and what calls leave alone. */
export interface Convention {
  /** Sets as bits, by kind: general, vector, mask. Scratch registers of emission are not among the general ones. */
  readonly registers: readonly [number, number, number];
  /** General registers that calls keep. */
  readonly kept: number;
  /** Vector registers that this function's caller wants back. */
  readonly keptVectors: number;
  /** Where integers and floats arrive. */
  readonly arguments: readonly number[];
  readonly windows: boolean;
  /** The system has Linux's futex; elsewhere waiting is a turn of a watching loop. */
  readonly futex: boolean;
}

/** Registers of emission for what is on the stack: taken out of the set when something is. */
export interface Scratch {
  readonly vectors: readonly [number, number];
  readonly masks: readonly [number, number];
}

/** Not placed yet. */
const NOWHERE = -1;
/** Place `n` on the stack is -2 - n. */
export const slotOf = (place: number): number => -2 - place;

/** Places of the registers of one function; arrays are shared by the functions of a module. */
export class Allocation {
  /** Register, or place on the stack (`slotOf`), of each virtual register. */
  places: Int32Array = new Int32Array(0);
  /** Registers in use, as bits, by kind. */
  used: [number, number, number] = [0, 0, 0];
  /** Places on the stack: vectors, and words of eight bytes. */
  vectorSlots = 0;
  wordSlots = 0;
  /** Kind of each place on the stack: index into vector or word places. */
  slots: number[] = [];

  private start: Int32Array = new Int32Array(0);
  private end: Int32Array = new Int32Array(0);
  private hint: Int32Array = new Int32Array(0);
  private hold: Int32Array = new Int32Array(0);
  private weight: Float64Array = new Float64Array(0);
  private head: Int32Array = new Int32Array(0);
  private next: Int32Array = new Int32Array(0);
  private callsBefore: Int32Array = new Int32Array(0);
  private loopStart: number[] = [];
  private loopEnd: number[] = [];
  private readonly owner: Int32Array = new Int32Array(96);
  private readonly free: [number, number, number] = [0, 0, 0];
  private m!: Machine;
  private convention!: Convention;

  /** `params`: the registers of the parameters, in order. */
  run(m: Machine, params: readonly number[], convention: Convention, scratch: Scratch): void {
    this.m = m;
    this.convention = convention;
    const n = m.length / STRIDE;
    this.room(m.registers, n);
    this.intervals(n, params);
    let sets = convention.registers;
    for (let round = 0; round < 3; round++) {
      this.scan(n, params, sets);
      const vectors = this.spilled(VECTOR) ? bits(scratch.vectors) : 0;
      const masks = this.spilled(MASK) ? bits(scratch.masks) : 0;
      const next = [
        convention.registers[0],
        convention.registers[1] & ~vectors,
        convention.registers[2] & ~masks,
      ] as const;
      if ((next[1] & sets[1]) === sets[1] && (next[2] & sets[2]) === sets[2]) {
        this.used[VECTOR] |= vectors;
        return;
      }
      sets = [next[0], next[1] & sets[1], next[2] & sets[2]];
    }
  }

  private spilled(kind: number): boolean {
    for (let v = 0; v < this.m.registers; v++) if (this.m.kinds[v] === kind && this.places[v] < NOWHERE) return true;
    return false;
  }

  private room(registers: number, n: number): void {
    if (this.places.length < registers) {
      const size = 2 * registers;
      for (const k of ["places", "start", "end", "hint", "hold", "next"] as const) this[k] = new Int32Array(size);
      this.weight = new Float64Array(size);
    }
    if (this.head.length < n + 2) {
      this.head = new Int32Array(2 * n + 2);
      this.callsBefore = new Int32Array(2 * n + 2);
    }
  }

  /** First definition, last use, weight and hint of every register. */
  private intervals(n: number, params: readonly number[]): void {
    const { m, start, end, hint, hold, weight, callsBefore } = this;
    const w = m.words;
    start.fill(-2, 0, m.registers);
    end.fill(-2, 0, m.registers);
    hint.fill(-1, 0, m.registers);
    hold.fill(-1, 0, m.registers);
    weight.fill(0, 0, m.registers);
    for (const p of params) start[p] = end[p] = -1;
    for (let i = 0; i < m.entryMasks.length; i += 2) start[m.entryMasks[i]] = end[m.entryMasks[i]] = -1;
    const open: number[] = [];
    let scale = 1;
    let calls = 0;
    const touch = (v: number, p: number): void => {
      if (start[v] === -2) start[v] = p;
      end[v] = p;
      weight[v] += scale;
      const depth = open.length;
      if (depth > 0 && start[v] < this.loopStart[open[depth - 1]]) {
        let d = depth - 1;
        while (d > 0 && start[v] < this.loopStart[open[d - 1]]) d--;
        hold[v] = open[d];
      }
    };
    for (let p = 0, at = 0; p < n; p++, at += STRIDE) {
      callsBefore[p] = calls;
      const head = w[at];
      const kind = head & 15;
      if (kind === KIND.loop) {
        open.push(w[at + 7]);
        this.loopStart[w[at + 7]] = p;
        scale *= 8;
        continue;
      }
      if (kind === KIND.endLoop) {
        this.loopEnd[w[at + 7]] = p;
        open.pop();
        scale /= 8;
        continue;
      }
      if (kind >= KIND.label && kind <= KIND.jcc) continue;
      const dst = w[at + 2];
      if (w[at + 3] >= 0) touch(w[at + 3], p);
      if (w[at + 4] >= 0) touch(w[at + 4], p);
      if (w[at + 5] >= 0) touch(w[at + 5] >> 2, p);
      if (kind <= KIND.move && w[at + 8] >= 0) touch(w[at + 8], p);
      if (kind === KIND.call) {
        for (let i = 0; i < w[at + 8]; i++) touch(m.lists[w[at + 6] + i], p);
        calls++;
      }
      if (dst < 0) continue;
      const fresh = start[dst] === -2;
      touch(dst, p);
      if (!fresh) continue;
      // Where a source ends here, its register is as good as any
      if (kind === KIND.two || (kind === KIND.op && (head & MODIFY) === 0))
        hint[dst] = w[at + 3] >= 0 ? w[at + 3] : w[at + 4];
      else if (kind === KIND.move) hint[dst] = w[at + 4];
      else if (kind === KIND.fma) hint[dst] = (head & (1 << 12)) !== 0 ? w[at + 3] : w[at + 8];
    }
    callsBefore[n] = calls;
    for (let v = 0; v < m.registers; v++) {
      if (hold[v] >= 0 && this.loopEnd[hold[v]] > end[v]) end[v] = this.loopEnd[hold[v]];
      if (end[v] === start[v]) end[v]++;
    }
  }

  private scan(n: number, params: readonly number[], sets: readonly [number, number, number]): void {
    const { m, places, head, next } = this;
    const w = m.words;
    places.fill(NOWHERE, 0, m.registers);
    head.fill(-1, 0, n + 2);
    this.used = [0, 0, 0];
    this.vectorSlots = 0;
    this.wordSlots = 0;
    this.slots.length = 0;
    for (let k = 0; k < 3; k++) this.free[k] = sets[k];
    this.owner.fill(-1);
    const { arguments: arrive } = this.convention;
    let integers = 0;
    for (const p of params) {
      const wish =
        m.kinds[p] === GENERAL ? (arrive[this.convention.windows ? params.indexOf(p) : integers++] ?? -1) : -1;
      if (this.end[p] >= 0) this.place(p, wish);
    }
    for (let i = 0; i < m.entryMasks.length; i += 2) this.place(m.entryMasks[i], -1);
    for (let p = 0, at = 0; p < n; p++, at += STRIDE) {
      for (let v = head[p]; v >= 0; v = next[v]) this.release(v);
      const dst = w[at + 2];
      if (dst >= 0 && places[dst] === NOWHERE && (w[at] & DEF) !== 0) {
        const h = this.hint[dst];
        this.place(dst, h >= 0 && m.kinds[h] === m.kinds[dst] && places[h] >= 0 ? places[h] : -1);
      }
    }
  }

  private release(v: number): void {
    const r = this.places[v];
    if (r < 0) return;
    const kind = this.m.kinds[v];
    this.free[kind] |= 1 << r;
    this.owner[32 * kind + r] = -1;
  }

  /** Finds a place for `v`, if it can `wish`. */
  private place(v: number, wish: number): void {
    const kind = this.m.kinds[v];
    const crosses = this.callsBefore[this.end[v]] - this.callsBefore[Math.min(this.start[v] + 1, this.end[v])] > 0;
    if (crosses && kind !== GENERAL) return this.spill(v);
    let free = this.free[kind];
    if (kind === GENERAL && crosses) free &= this.convention.kept;
    if (wish >= 0 && (free & (1 << wish)) !== 0) return this.take(v, wish);
    if (free !== 0) {
      const cheap = kind === GENERAL && !crosses ? free & ~this.convention.kept : free;
      return this.take(v, lowest(cheap !== 0 ? cheap : free));
    }
    // The one that is used least for its length goes to the stack
    let worst = -1;
    let least = this.density(v);
    for (let r = 0; r < 32; r++) {
      const o = this.owner[32 * kind + r];
      if (o < 0 || (crosses && (this.convention.kept & (1 << r)) === 0)) continue;
      const d = this.density(o);
      if (d < least) {
        least = d;
        worst = r;
      }
    }
    if (worst < 0) return this.spill(v);
    this.spill(this.owner[32 * kind + worst]);
    this.take(v, worst);
  }

  private density(v: number): number {
    return this.weight[v] / (this.end[v] - this.start[v] + 4);
  }

  private take(v: number, r: number): void {
    const kind = this.m.kinds[v];
    this.places[v] = r;
    this.owner[32 * kind + r] = v;
    this.free[kind] &= ~(1 << r);
    this.used[kind] |= 1 << r;
    this.next[v] = this.head[this.end[v]];
    this.head[this.end[v]] = v;
  }

  private spill(v: number): void {
    this.places[v] = -2 - this.slots.length;
    this.slots.push(this.m.kinds[v] === VECTOR ? this.vectorSlots++ : this.wordSlots++);
  }
}

const lowest = (set: number): number => 31 - Math.clz32(set & -set);
const bits = (list: readonly number[]): number => list.reduce((s, r) => s | (1 << r), 0);
