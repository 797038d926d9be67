import { bytesOf, type DType, THREEFRY_PARITY, THREEFRY_ROTATIONS } from "../../base/index.ts";
import type { Affine, Dynamic, Ex, Store } from "../../schedule/index.ts";
import type { Asm, Val, VecType } from "../asm/index.ts";
import { isVec } from "../asm/index.ts";
import { emitMath } from "../math/index.ts";
import { type MathEx, type Stored, withForms } from "./forms.ts";
import { emitOp, regType, spread } from "./ops.ts";

/** A loop that is open where code is being written: its counter, and where the counter starts in this segment. */
export interface Open {
  readonly loop: number;
  readonly counter: Val | number;
  /** The turns this code is for, when known: guards on this loop alone are decided by it. */
  readonly from: number;
  readonly to: number;
}

/** Lanes at work: turns counter+offset … of the vector loop; fewer than all at the end of a row. */
export interface Lanes {
  readonly offset: number;
  readonly count: number;
}

/** The expressions that one is made from. */
const sourcesOf = (ex: Ex | MathEx): readonly number[] =>
  ex.k === "op"
    ? ex.srcs
    : ex.k === "math"
      ? [ex.src]
      : ex.k === "guard"
        ? [ex.then]
        : ex.k === "load"
          ? ex.dyn.map((d) => d.ex)
          : ex.k === "random"
            ? ex.key
            : [];

interface Scope {
  readonly opened: number;
  readonly memo: Map<string, Val>;
}

/**
 * Writes the expressions of one kernel where they are needed, each once per scope. Values that do not depend on the vector
 * loop stay scalar until a vector wants them.
 */
export class Evaluator {
  readonly asm: Asm;
  readonly exs: readonly (Ex | MathEx)[];
  /** Pointers of the kernel's buffers. */
  readonly args: readonly Val[];
  readonly open: Open[] = [];
  /** The loop whose turns are lanes, or -1. */
  vec = -1;
  /** Buffers that are stored to past the caches; their pointers are aligned. */
  past: readonly number[] = [];
  /** Answers for accumulators and contraction tiles. */
  special: (ex: Ex, number: number, lanes: Lanes) => Val;
  private readonly scopes: Scope[] = [{ opened: 0, memo: new Map() }];
  /** Of each expression: every loop that it reads, and the accumulators and tiles; accumulators' own loops aside. */
  private readonly loopsOf: readonly number[][];
  private readonly sumsOf: readonly number[][];

  constructor(
    asm: Asm,
    exs: readonly Ex[],
    args: readonly Val[],
    special: (ex: Ex, number: number, lanes: Lanes) => Val,
    phases: readonly Stored[] = [],
  ) {
    this.asm = asm;
    this.exs = withForms(exs, phases, asm.target);
    this.loopsOf = gathered(this.exs, loopsIn);
    this.sumsOf = gathered(this.exs, (e, i) => (e.k === "acc" || e.k === "tile" ? [i] : []));
    this.args = args;
    this.special = special;
  }

  /** Another one within further loops, that knows what this one knows. */
  within(loops: readonly Open[]): Evaluator {
    const own = { open: [...this.open, ...loops], scopes: [...this.scopes] };
    own.scopes.push({ opened: own.open.length, memo: new Map() });
    return Object.assign(Object.create(Evaluator.prototype), this, own) as Evaluator;
  }

  /** Writes `body` with a scope of its own (inside a loop or branch). */
  scoped(body: () => void): void {
    this.scopes.push({ opened: this.open.length, memo: new Map() });
    body();
    this.scopes.pop();
  }

  /** Writes `body` as the inside of a loop. */
  inLoop(loop: Open, body: () => void): void {
    this.open.push(loop);
    this.scoped(body);
    this.open.pop();
  }

  private known(key: string): Val | undefined {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const v = this.scopes[i].memo.get(key);
      if (v !== undefined) return v;
    }
    return undefined;
  }

  private keep(key: string, make: () => Val): Val {
    const known = this.known(key);
    if (known !== undefined) return known;
    const v = make();
    this.scopes[this.scopes.length - 1].memo.set(key, v);
    return v;
  }

  private isOpen(loop: number): boolean {
    return this.open.some((o) => o.loop === loop);
  }

  /** Writes ahead what the expressions `wanted` need and what is fixed from here on inwards. */
  hoist(wanted: readonly number[], ready: (ex: Ex | MathEx) => boolean, lanes: readonly Lanes[]): void {
    const seen = new Set<number>();
    const walk = (i: number): boolean => {
      // True when the value of i is known by now.
      const e = this.exs[i];
      if (seen.has(i)) return this.settled(i, ready);
      seen.add(i);
      const srcs = e.k === "guard" ? [] : sourcesOf(e);
      const all = srcs.map(walk).every(Boolean);
      if (e.k === "load" && e.dyn.length === 0) this.pointer(e.arg, e.index, bytesOf(e.dtype));
      if (e.k === "load") this.hoistPlaces(e.dyn, e.dtype, ready);
      if (!all || e.k === "guard" || !this.settled(i, ready)) return false;
      if (e.k === "const") return true;
      if (this.vec >= 0 && this.varies(i)) for (const l of lanes) this.value(i, l);
      else this.scalar(i);
      return true;
    };
    wanted.forEach(walk);
  }

  /** All loops of an expression are open and what it is made from is there. */
  private settled(i: number, ready: (ex: Ex | MathEx) => boolean): boolean {
    return this.loopsOf[i].every((l) => this.isOpen(l)) && this.sumsOf[i].every((n) => ready(this.exs[n]));
  }

  /** The value for some lanes: a vector when the vector loop is open, else a scalar. */
  value(i: number, lanes: Lanes): Val {
    const e = this.exs[i];
    if (this.vec < 0) return this.scalar(i);
    if (!this.varies(i)) {
      const s = this.scalar(i);
      return isVec(s.type) ? s : this.keep(`splat:${i}`, () => spread(this.asm, e.dtype, s));
    }
    return this.keep(`v${i}:${lanes.offset}`, () => this.write(i, lanes));
  }

  /** True when the value differs from lane to lane. */
  private varies(i: number): boolean {
    if (this.loopsOf[i].includes(this.vec)) return true;
    return this.sumsOf[i].some((n) => isVec(this.special(this.exs[n] as Ex, n, FIRST).type));
  }

  /** The value where it is the same for all lanes. */
  scalar(i: number): Val {
    return this.keep(`s${i}`, () => this.write(i, null));
  }

  private write(i: number, lanes: Lanes | null): Val {
    const { asm } = this;
    const e = this.exs[i];
    const get = (n: number): Val => (lanes === null ? this.scalar(n) : this.value(n, lanes));
    switch (e.k) {
      case "const":
        return asm.konst(regType(e.dtype, lanes !== null), e.dtype === "bool" && lanes !== null ? -e.value : e.value);
      case "acc":
      case "tile":
        return this.special(e, i, lanes ?? FIRST);
      case "load":
        return this.load(e.arg, e.index, e.dyn, e.dtype, lanes);
      case "iota": {
        const at = this.counter(e.index, lanes);
        return e.dtype === "int32" || e.dtype === "uint32" ? at : emitOp(asm, "cast", "int32", e.dtype, [at]);
      }
      case "random":
        return this.threefry(get(e.key[0]), get(e.key[1]), this.counter(e.index, lanes), e.stream);
      case "op": {
        const from = this.exs[e.srcs[0]].dtype;
        const xs = e.srcs.map(get);
        return emitOp(asm, e.op, from, e.dtype, xs);
      }
      case "math": {
        const from = this.exs[e.src];
        const form = e.form ?? asm.target.rounded?.(e.name, from.k === "op" ? from.op : "");
        return emitMath(asm, e.name, [get(e.src)], form);
      }
      default:
        return this.guard(e, lanes);
    }
  }

  private guard(e: Ex & { k: "guard" }, lanes: Lanes | null): Val {
    const { asm } = this;
    const vec = lanes !== null;
    const outside = asm.konst(regType(e.dtype, vec), e.dtype === "bool" && vec ? -e.value : e.value);
    let test: Val | null = null;
    const both = (c: Val): void => void (test = test === null ? c : asm.bin("and", test, c));
    for (const c of e.conds) {
      const verdict = this.decided(c.index, c.lo, c.hi);
      if (verdict === false) return outside;
      if (verdict === true) continue;
      const at = this.counter(c.index, null);
      // One unsigned comparison for both ends.
      both(asm.cmp("ltU", asm.sub(at, c.lo), c.hi - c.lo));
    }
    const inside = (): Val => (vec ? this.value(e.then, lanes) : this.scalar(e.then));
    if (test === null) return inside();
    const out = asm.var(regType(e.dtype, vec), outside);
    asm.if(test, () => this.scoped(() => asm.set(out, inside())));
    return asm.get(out);
  }

  /** What a condition on one open loop comes to in the segment being written; null when it takes a test. */
  private decided(index: Affine, lo: number, hi: number): boolean | null {
    const used = this.open.filter((o) => (index.t[o.loop] ?? 0) !== 0);
    if (used.length !== 1 || used[0].from < 0) return null;
    const f = index.t[used[0].loop];
    const a = index.c + f * used[0].from;
    const b = index.c + f * (used[0].to - 1);
    const [least, most] = a < b ? [a, b] : [b, a];
    if (least >= lo && most < hi) return true;
    return most < lo || least >= hi ? false : null;
  }

  /** An affine index as a number: int32, in lanes when it follows the vector loop. */
  private counter(index: Affine, lanes: Lanes | null): Val {
    const { asm } = this;
    let at: Val = asm.i32(index.c);
    for (const o of this.open) {
      const f = index.t[o.loop] ?? 0;
      if (f === 0) continue;
      at = asm.add(at, typeof o.counter === "number" ? o.counter * f : asm.mul(o.counter, f));
    }
    const f = this.vec < 0 ? 0 : (index.t[this.vec] ?? 0);
    if (lanes === null) return at;
    if (lanes.offset !== 0 && f !== 0) at = asm.add(at, lanes.offset * f);
    const all = asm.splat("vi32", at);
    return f === 0 ? all : asm.add(all, this.ramp(f));
  }

  /** 0, f, 2f … in lanes. */
  private ramp(f: number): Val {
    const { asm } = this;
    return this.keep(`ramp${f}`, () => {
      let v = asm.konst("vi32", 0);
      for (let i = 1; i < asm.lanes; i++) v = asm.insert(v, i, i * f);
      return v;
    });
  }

  /** Address of an element by the loops that are open, each part written where its loop is. */
  private pointer(arg: number, index: Affine, width: number): Val {
    const { asm } = this;
    const start = backward(index) ? index.c : 0;
    const steps: { o: Open; f: number; key: string }[] = [];
    let key = `p${arg}:${start}:${width}`;
    const first = key;
    for (const o of this.open) {
      const f = (index.t[o.loop] ?? 0) * width;
      if (f !== 0) steps.push({ o, f, key: (key += `,${o.loop}*${f}`) });
    }
    let done = steps.length;
    let at: Val | undefined;
    while (done > 0 && (at = this.known(steps[done - 1].key)) === undefined) done--;
    at ??= start === 0 ? this.args[arg] : this.keep(first, () => asm.ptrAdd(this.args[arg], start * width));
    for (const { o, f, key: name } of steps.slice(done)) {
      const { counter, loop } = o;
      const by = typeof counter === "number" ? counter * f : this.keep(`by${loop}:${f}`, () => asm.mul(counter, f));
      const outer: Val = at;
      at = this.keep(name, () => asm.ptrAdd(outer, by));
    }
    return at;
  }

  /** Writes ahead the address of an access as far as its loops are open. */
  hoistPointer(arg: number, index: Affine, dtype: DType): void {
    this.pointer(arg, index, bytesOf(dtype));
  }

  /** The part of an address that comes from memory: Σ clamp(index) · stride. */
  private indirect(p: Val, dyn: readonly Dynamic[], width: number, lane: { lanes: Lanes; i: number } | null): Val {
    const { asm } = this;
    let at = p;
    for (const d of dyn) {
      const here = lane !== null && this.varies(d.ex);
      const by = here
        ? this.clamped(asm.extract(this.value(d.ex, lane.lanes), lane.i), d, width)
        : this.place(d, width);
      at = asm.ptrAdd(at, by);
    }
    return at;
  }

  private clamped(index: Val, d: Dynamic, width: number): Val {
    const { asm } = this;
    const inside = asm.bin("min", asm.bin("max", index, 0), d.size - 1);
    return asm.mul(inside, d.stride * width);
  }

  /** Bytes that an index from memory, the same for all lanes, adds to an address. */
  private place(d: Dynamic, width: number): Val {
    return this.keep(`d${d.ex}:${d.stride * width}:${d.size}`, () => this.clamped(this.scalar(d.ex), d, width));
  }

  /** Writes ahead the places of an access that are known by now. */
  hoistPlaces(dyn: readonly Dynamic[], dtype: DType, ready: (ex: Ex | MathEx) => boolean): void {
    for (const d of dyn) if (this.settled(d.ex, ready) && !this.varies(d.ex)) this.place(d, bytesOf(dtype));
  }

  private load(arg: number, index: Affine, dyn: readonly Dynamic[], dtype: DType, lanes: Lanes | null): Val {
    const { asm } = this;
    const width = bytesOf(dtype);
    const base = this.pointer(arg, index, width);
    const c = backward(index) ? 0 : index.c * width;
    const f = lanes === null ? 0 : (index.t[this.vec] ?? 0);
    const scattered = lanes !== null && dyn.some((d) => this.varies(d.ex));
    if (lanes === null || (f === 0 && !scattered)) {
      const v = this.loadScalar(dtype, this.indirect(base, dyn, width, null), c);
      return lanes === null ? v : spread(asm, dtype, v);
    }
    const off = c + lanes.offset * f * width;
    if (f === 1 && !scattered) return this.loadVector(dtype, this.indirect(base, dyn, width, null), off, lanes.count);
    const type = regType(dtype, true) as VecType;
    let v = asm.konst(type, 0);
    for (let i = 0; i < lanes.count; i++) {
      const p = scattered
        ? this.indirect(base, dyn, width, { lanes, i })
        : i === 0
          ? this.indirect(base, dyn, width, null)
          : base;
      const from = scattered ? p : this.indirect(base, dyn, width, null);
      const [q, o] = this.offset(from, off + i * f * width);
      v = asm.insert(v, i, this.loadScalar(dtype === "bool" ? "uint8" : dtype, q, o));
    }
    return dtype === "bool" ? asm.cmp("ne", v, asm.konst("vi32", 0)) : v;
  }

  /** Offsets in an access are not negative: they go into the pointer. */
  private offset(p: Val, bytes: number): [Val, number] {
    return bytes < 0 ? [this.asm.ptrAdd(p, bytes), 0] : [p, bytes];
  }

  private loadScalar(dtype: DType, p: Val, off: number): Val {
    const { asm } = this;
    const [q, o] = this.offset(p, off);
    return dtype === "bool" || dtype === "uint8" ? asm.loadU8("i32", q, o) : asm.load(regType(dtype, false), q, o);
  }

  private loadVector(dtype: DType, p: Val, off: number, count: number): Val {
    const { asm } = this;
    const [q, o] = this.offset(p, off);
    if (dtype === "uint8") return asm.loadU8("vi32", q, o, count);
    if (dtype === "bool") return asm.cmp("ne", asm.loadU8("vi32", q, o, count), asm.konst("vi32", 0));
    return asm.loadPartial(regType(dtype, true) as VecType, count, q, o);
  }

  /** Asks for the memory of an access before it is wanted, in the cache of that level. */
  ahead(arg: number, index: Affine, dtype: DType, level: 1 | 2 = 2): void {
    const width = bytesOf(dtype);
    const base = this.pointer(arg, index, width);
    const [p, offset] = this.offset(base, backward(index) ? 0 : index.c * width);
    this.asm.prefetch(p, offset, level);
  }

  /** Stores a value at an affine place; `lanes` null for a scalar. */
  store(s: Store, value: Val, lanes: Lanes | null): void {
    const { asm } = this;
    const width = bytesOf(s.dtype);
    const base = this.indirect(this.pointer(s.arg, s.index, width), s.dyn, width, null);
    const c = backward(s.index) ? 0 : s.index.c * width;
    if (lanes === null) return this.storeScalar(s, base, c, value);
    const f = s.index.t[this.vec] ?? 0;
    const off = c + lanes.offset * f * width;
    if (f === 1) {
      const [q, o] = this.offset(base, off);
      let v = value;
      if (s.dtype === "bool") v = asm.bin("and", v, asm.konst("vi32", 1));
      if (s.add) v = asm.add(this.loadVector(s.dtype, q, o, lanes.count), v);
      if (width === 1) asm.storeU8(q, o, v, lanes.count);
      else if (this.past.includes(s.arg) && lanes.count === asm.lanes) asm.store(q, o, v, true);
      else asm.storePartial(lanes.count, q, o, v);
      return;
    }
    for (let i = 0; i < lanes.count; i++) {
      const x = asm.extract(value, i);
      this.storeScalar(s, base, off + i * f * width, s.dtype === "bool" ? asm.bin("and", x, 1) : x);
    }
  }

  private storeScalar(s: Store, p: Val, off: number, value: Val): void {
    const { asm } = this;
    const [q, o] = this.offset(p, off);
    const v = s.add ? asm.add(this.loadScalar(s.dtype, q, o), value) : value;
    if (s.dtype === "bool" || s.dtype === "uint8") asm.storeU8(q, o, v);
    else asm.store(q, o, v);
  }

  /** Word 0 of Threefry-2x32-20 under (k0, k1), counter (c0, stream): the steps of base/random. */
  private threefry(k0: Val, k1: Val, c0: Val, stream: number): Val {
    const { asm } = this;
    const type = c0.type;
    const num = (x: number): Val => asm.konst(type, x | 0);
    const ks = [k0, k1, asm.bin("xor", asm.bin("xor", k0, k1), num(THREEFRY_PARITY))];
    let x0 = asm.add(c0, ks[0]);
    let x1 = asm.add(num(stream), ks[1]);
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 4; i++) {
        const r = THREEFRY_ROTATIONS[(round % 2) * 4 + i];
        x0 = asm.add(x0, x1);
        x1 = asm.bin("xor", asm.bin("or", asm.bin("shl", x1, r), asm.bin("shrU", x1, 32 - r)), x0);
      }
      x0 = asm.add(x0, ks[(round + 1) % 3]);
      x1 = asm.add(asm.add(x1, ks[(round + 2) % 3]), num(round + 1));
    }
    return x0;
  }
}

/** What each expression and all that it is made from say, each item once. */
function gathered(exs: readonly (Ex | MathEx)[], own: (e: Ex | MathEx, i: number) => number[]): number[][] {
  const out: number[][] = [];
  exs.forEach((e, i) => {
    const list = own(e, i);
    for (const s of sourcesOf(e)) for (const x of out[s]) if (!list.includes(x)) list.push(x);
    out.push(list);
  });
  return out;
}

/** The loops that an expression itself reads. */
function loopsIn(e: Ex | MathEx): number[] {
  const list: number[] = [];
  const add = (a: Affine): void => a.t.forEach((f, l) => f !== 0 && !list.includes(l) && list.push(l));
  if (e.k === "load" || e.k === "iota" || e.k === "random") add(e.index);
  if (e.k === "guard") for (const c of e.conds) add(c.index);
  return list;
}

/** Whether whole vectors of loop `vec` are stored at multiples of their size from an aligned start. */
export const canPass = (s: Store, vec: number): boolean =>
  !s.add &&
  s.dyn.length === 0 &&
  bytesOf(s.dtype) === 4 &&
  s.index.t[vec] === 1 &&
  s.index.t.every((f, l) => l === vec || f % 16 === 0) &&
  s.index.c >= 0 &&
  s.index.c % 16 === 0;

/** Accesses that step back start from their constant: an address below 0 on the way would be out of bounds. */
const backward = (a: Affine): boolean => a.c < 0 || a.t.some((f) => f < 0);

const FIRST: Lanes = { offset: 0, count: 4 };
