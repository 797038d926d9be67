// From recorded functions to machine instructions on virtual registers: operands, addresses, constants, conditions. The
// operations themselves are in select-*.ts.
import type { Asm, Extern, Fn, Op, Type, Val, Var } from "../asm/index.ts";
import { isVec } from "../asm/index.ts";
import { ALIAS, Analysis, AT_USE, HERE } from "./analyse.ts";
import type { Code } from "./encode.ts";
import * as F from "./forms.ts";
import { DEF, GENERAL, KIND, MASK, Machine, REGISTER, SPECIAL, VECTOR } from "./machine.ts";
import { isInteger, kindOfType, PREDICATE, type Rules, sizeOf } from "./kinds.ts";
import { selectControl } from "./select-control.ts";
import { selectLanes } from "./select-lanes.ts";
import { selectMemory } from "./select-memory.ts";
import { selectScalar } from "./select-scalar.ts";
import { selectVector } from "./select-vector.ts";

const CC = F.CC;
const SIGNED: Partial<Record<Op, number>> = {
  eq: CC.e,
  ne: CC.ne,
  lt: CC.l,
  le: CC.le,
  gt: CC.g,
  ge: CC.ge,
  ltU: CC.b,
  leU: CC.be,
  gtU: CC.a,
  geU: CC.ae,
};

const floats = new Float32Array(2);
const doubles = new Float64Array(floats.buffer);
const words = new Int32Array(floats.buffer);

/** The state of selection for one module; `select` does one function. */
export class Selector {
  readonly m: Machine = new Machine();
  readonly code: Code;
  readonly lanes: number;
  readonly masks: boolean;
  /** Length bits of whole vectors, and of vectors half as long. */
  readonly wide: number;
  readonly half: number;
  readonly an: Analysis = new Analysis();
  fn!: Fn;
  private values: Int32Array = new Int32Array(0);
  params: number[] = [];
  private vars: Int32Array = new Int32Array(0);
  private readonly pool: Map<string, number> = new Map();
  /** Labels and numbers of open loops and branches. */
  readonly open: number[] = [];
  private readonly host: ((name: string) => number) | undefined;
  private readonly maskConstants: Map<number, number> = new Map();

  /** `host`: addresses of host functions by name. */
  constructor(asm: Asm, code: Code, masks: boolean, host: ((name: string) => number) | undefined) {
    this.host = host;
    this.code = code;
    this.lanes = asm.lanes;
    this.masks = masks;
    this.wide = asm.lanes === 16 ? F.Z : F.Y;
    this.half = asm.lanes === 16 ? F.Y : 0;
  }

  /** The instructions of `fn`, in `m`. */
  select(fn: Fn): Machine {
    this.fn = fn;
    const { m, an } = this;
    m.reset();
    m.width = 4 * this.lanes;
    this.maskConstants.clear();
    an.run(fn, this.masks);
    const n = fn.code.length;
    if (this.values.length < n) this.values = new Int32Array(2 * n);
    if (this.vars.length < fn.vars.length) this.vars = new Int32Array(2 * fn.vars.length);
    this.values.fill(-1, 0, n);
    this.vars.fill(-1, 0, fn.vars.length);
    this.params = fn.params.map((p) => m.fresh(this.kindOf(p)));
    for (let i = 0; i < n; i++) {
      if (an.mode[i] !== HERE) continue;
      const v = fn.code[i];
      const rule = STATEMENTS[v.op];
      if (rule !== undefined) rule(this, v, -1);
      else this.emit(v, this.define(v));
    }
    if (fn.ret) {
      const r = this.reg(fn.ret);
      m.inRegister(r).put(KIND.ret, 0, -1, -1, isInteger(fn.ret.type) ? 1 : 0);
    } else m.put(KIND.ret, 0, -1);
    return m;
  }

  /** The register of a value that is about to be computed. */
  define(v: Val): number {
    const { an } = this;
    const target = an.target[v.id];
    const r = target >= 0 ? this.variable(target, v) : this.m.fresh(this.kindOf(v));
    this.values[v.id] = r;
    return r;
  }

  /** The register of variable `id`, which holds values like `v`. */
  variable(id: number, v: Val): number {
    if (this.vars[id] < 0) this.vars[id] = this.m.fresh(this.an.maskVar[id] === 1 ? MASK : kindOfType(v.type));
    return this.vars[id];
  }

  kindOf(v: Val): number {
    return this.isMask(v) ? MASK : kindOfType(v.type);
  }
  /** Lives in a mask register. */
  isMask(v: Val): boolean {
    return v.id >= 0 && this.an.mask[v.id] === 1;
  }

  emit(v: Val, dst: number): void {
    const rules = isVec(v.type) || (v.a !== undefined && isVec(v.a.type)) ? VECTORS : SCALARS;
    const rule = rules[v.op];
    if (rule === undefined) throw new Error(`[x64] ${this.fn.name}: no form of ${v.op} for ${v.a?.type ?? v.type}`);
    rule(this, v, dst);
  }

  // ---- operands ----

  /** The register that holds `v`, made now when it waited for its use. */
  reg(v: Val): number {
    if (v.op === "const") return this.constant(v);
    if (v.op === "param") return this.params[v.imm];
    if (this.an.constant[v.id] === 1) return this.laneConstant(v);
    switch (this.an.mode[v.id]) {
      case ALIAS:
        return v.op === "get" ? this.variable((v.ref as Var).id, v) : this.reg(v.a!);
      case AT_USE: {
        const r = this.m.fresh(this.kindOf(v));
        this.emit(v, r);
        return r;
      }
      default: {
        const r = this.values[v.id];
        if (r < 0) throw new Error(`[x64] ${this.fn.name}: ${v.op} used before it was computed`);
        return r;
      }
    }
  }

  /** The vector register of `v`, masks as lanes of ones and zeros. */
  vec(v: Val): number {
    if (!this.isMask(v)) return this.reg(v);
    if (this.an.constant[v.id] === 0) return this.spread(this.reg(v), v.type);
    const r = this.m.fresh(VECTOR);
    this.m.inPool(this.lanePool(v), false).put(DEF, F.vmovups | this.wide, r);
    return r;
  }

  /** A constant with lanes of its own. */
  private laneConstant(v: Val): number {
    if (this.isMask(v)) return this.maskOf(lanesOf(v, this.lanes).reduce((s, x, i) => (x ? s | (1 << i) : s), 0));
    const r = this.m.fresh(VECTOR);
    this.m.inPool(this.lanePool(v), false).put(DEF, F.vmovups | this.wide, r);
    return r;
  }
  private lanePool(v: Val): number {
    return this.code.constant(new Uint8Array(lanesOf(v, this.lanes).buffer));
  }

  /** Mask `k` as a vector. */
  spread(k: number, type: Type): number {
    const r = this.m.fresh(VECTOR);
    this.m.inRegister(k).put(DEF | REGISTER, (type === "vi64" ? F.vpmovm2q : F.vpmovm2d) | this.wide, r);
    return r;
  }

  /** The mask register of `v` (machines with masks). */
  mask(v: Val): number {
    if (this.isMask(v)) return this.reg(v);
    const k = this.m.fresh(MASK);
    if (v.op === "const") {
      this.m.put(KIND.special | DEF, 0, k, -1, SPECIAL.maskConstant, v.imm ? -1 : 0);
      return k;
    }
    const form = v.type === "vi64" ? F.vpmovq2mK : F.vpmovd2mK;
    this.m.inRegister(this.vec(v)).put(DEF | REGISTER, form | this.wide, k);
    return k;
  }

  /** A mask of the first `n` lanes. */
  firstLanes(n: number): number {
    return this.maskOf(2 ** n - 1);
  }
  /** A mask of the lanes in `bits`, set once at entry. */
  private maskOf(bits: number): number {
    let k = this.maskConstants.get(bits);
    if (k === undefined) {
      k = this.m.fresh(MASK);
      this.m.entryMasks.push(k, bits);
      this.maskConstants.set(bits, k);
    }
    return k;
  }

  /** Sets the r/m operand of the next instruction to `v`: memory or a constant where it can be. */
  rm(v: Val): void {
    if (v.op === "const" && !isInteger(v.type)) {
      if (this.masks && isVec(v.type)) this.m.inPool(this.element(v), true);
      else this.m.inPool(isVec(v.type) ? this.whole(v) : this.element(v), false);
      return;
    }
    if (v.id >= 0 && this.an.mode[v.id] === AT_USE) {
      if (v.op === "insert") return void this.m.inPool(this.lanePool(v), false);
      if (v.op === "load") return this.at(v.a!, v.imm);
      if (v.op === "loadSplat" && this.masks) return this.at(v.a!, v.imm, true);
    }
    this.m.inRegister(isVec(v.type) ? this.vec(v) : this.reg(v));
  }
  /** True when `rm(v)` is not a register. */
  isMemory(v: Val): boolean {
    if (v.op === "const") return !isInteger(v.type);
    return (
      v.id >= 0 &&
      this.an.mode[v.id] === AT_USE &&
      (v.op === "load" || v.op === "insert" || (v.op === "loadSplat" && this.masks))
    );
  }

  /** Sets the r/m operand to memory at `p` + `disp`. */
  at(p: Val, disp: number, bcast = false): void {
    const { mode } = this.an;
    const waits = (x: Val): boolean => x.id >= 0 && mode[x.id] === AT_USE;
    let base: Val | undefined = p;
    let index: Val | undefined;
    let scale = 0;
    for (;;) {
      if (base.op === "const") {
        disp += base.imm;
        base = undefined;
        break;
      }
      if (base.op !== "add" || !waits(base)) break;
      const { a, b } = base as { a: Val; b: Val };
      if (b.op === "const") {
        disp += b.imm;
        base = a;
        continue;
      }
      if (index !== undefined) break;
      const shifted = b.op === "shl" && waits(b) ? b : a.op === "shl" && waits(a) ? a : undefined;
      index = shifted ? shifted.a! : b;
      scale = shifted ? shifted.b!.imm : 0;
      base = shifted === a ? b : a;
    }
    const x = index === undefined ? -1 : this.reg(index);
    const b = base === undefined ? -1 : this.reg(base);
    this.m.inMemory(b, x, scale, disp, bcast);
  }

  // ---- constants ----

  constant(v: Val): number {
    const { m } = this;
    if (isInteger(v.type)) {
      const r = m.fresh(GENERAL);
      m.put(KIND.special | DEF, v.type === "ptr" ? 1 : 0, r, -1, SPECIAL.constant, v.imm);
      return r;
    }
    const r = m.fresh(VECTOR);
    this.loadConstant(r, v);
    return r;
  }
  loadConstant(r: number, v: Val): void {
    const { m } = this;
    if (Object.is(v.imm, 0)) {
      m.put(KIND.special | DEF, 0, r, -1, SPECIAL.zero);
      return;
    }
    const wide = v.type === "vf64" || v.type === "vi64" || v.type === "f64";
    m.inPool(this.element(v), false);
    if (isVec(v.type)) m.put(DEF, (wide ? F.vbroadcastsd : F.vbroadcastss) | this.wide, r);
    else m.put(DEF, wide ? F.vmovsd : F.vmovss, r);
  }

  /** The pool's number of the address of a host function. */
  external(e: Extern): number {
    if (this.host === undefined)
      throw new Error(`[x64] ${this.fn.name}: no address is known of the host's "${e.name}"`);
    const address = this.host(e.name);
    return this.bits(address | 0, Math.floor(address / 2 ** 32) | 0, true, 2);
  }

  private element(v: Val): number {
    return this.pooled(v, 1);
  }
  private whole(v: Val): number {
    return this.pooled(v, this.lanes);
  }
  /** The pool's number of a constant: one element, or `count` 32-bit lanes of it. */
  private pooled(v: Val, count: number): number {
    const long = v.type === "f64" || v.type === "vf64" || v.type === "vi64";
    if (v.type === "f64" || v.type === "vf64") doubles[0] = v.imm;
    else if (v.type === "f32" || v.type === "vf32") floats[0] = v.imm;
    else words[0] = words[1] = v.imm;
    return this.bits(words[0], words[1], long, count);
  }
  bits(low: number, high: number, long: boolean, count: number): number {
    const key = `${low},${long ? high : ""},${count}`;
    let id = this.pool.get(key);
    if (id === undefined) {
      const n = Math.max(long ? 2 : 1, count);
      const data = new Int32Array(n);
      for (let i = 0; i < n; i++) data[i] = long && i % 2 === 1 ? high : low;
      this.pool.set(key, (id = this.code.constant(new Uint8Array(data.buffer))));
    }
    return id;
  }
  /** Sets the r/m operand to a constant of 32-bit (or, `long`, 64-bit) lanes given by its bits. */
  rmBits(low: number, long = false, high: number = low): void {
    if (this.masks) this.m.inPool(this.bits(low, high, long, 1), true);
    else this.m.inPool(this.bits(low, high, long, this.lanes), false);
  }
  /** The same, 128 bits, for scalars in vector registers. */
  rmBits128(low: number, long = false, high: number = low): void {
    this.m.inPool(this.bits(low, high, long, 4), false);
  }
  /** The register with a constant given by its bits. */
  regBits(low: number, long = false, high: number = low): number {
    const r = this.m.fresh(VECTOR);
    this.m.inPool(this.bits(low, high, long, 1), false);
    this.m.put(DEF, (long ? F.vbroadcastsd : F.vbroadcastss) | this.wide, r);
    return r;
  }

  // ---- conditions ----

  /** Sets the flags by a scalar condition; gives the condition code that holds when it is true. */
  flags(c: Val): number {
    const { m } = this;
    const lazy = c.id >= 0 && this.an.mode[c.id] === AT_USE && SIGNED[c.op] !== undefined;
    if (!lazy) {
      const r = this.reg(c);
      m.inRegister(r).put(0, F.testStore | sizeOf(c.type), r);
      return CC.ne;
    }
    return this.compare(c);
  }

  /** Emits the comparison `c` of scalars into the flags. */
  compare(c: Val): number {
    const { m } = this;
    const { op } = c;
    const a = c.a!;
    const b = c.b!;
    if (isInteger(a.type)) {
      const size = sizeOf(a.type) | sizeOf(b.type);
      if (b.op === "const") {
        const r = this.reg(a);
        if (b.imm === 0 && (op === "eq" || op === "ne" || op === "lt" || op === "ge")) {
          m.inRegister(r).put(0, F.testStore | size, r);
          return op === "lt" ? CC.s : op === "ge" ? CC.ns : (SIGNED[op] as number);
        }
        m.put(0, F.cmpImm | size, r, -1, b.imm);
      } else {
        const r = this.reg(a);
        this.rm(b);
        m.put(0, F.cmp | size, r);
      }
      return SIGNED[op] as number;
    }
    const form = a.type === "f64" ? F.vucomisd : F.vucomiss;
    if (op === "eq" || op === "ne") {
      const r = m.fresh(GENERAL);
      this.compareFloats(c, r);
      m.inRegister(r).put(0, F.testStore, r);
      return CC.ne;
    }
    const swap = op === "lt" || op === "le";
    const [x, y] = swap ? [b, a] : [a, b];
    const r = this.reg(x);
    if (swap) m.inRegister(this.reg(y));
    else this.rm(y);
    m.put(0, form, r);
    return op === "lt" || op === "gt" ? CC.a : CC.ae;
  }

  /** A comparison of float scalars as lanes of ones or zeros. */
  compareLanes(c: Val): number {
    const t = this.m.fresh(VECTOR);
    const a = this.reg(c.a!);
    this.rm(c.b!);
    this.m.put(DEF, c.a!.type === "f64" ? F.vcmpsd : F.vcmpss, t, a, PREDICATE[c.op]);
    return t;
  }
  private compareFloats(c: Val, dst: number): void {
    const { m } = this;
    if (this.masks) {
      const k = m.fresh(MASK);
      const a = this.reg(c.a!);
      this.rm(c.b!);
      m.put(DEF, c.a!.type === "f64" ? F.vcmpsdK : F.vcmpssK, k, a, PREDICATE[c.op]);
      m.inRegister(k).put(DEF | REGISTER, F.kmovbTo, dst);
      return;
    }
    const t = this.compareLanes(c);
    m.inRegister(t).put(DEF, F.vmovdStore, dst);
    m.put(KIND.two | DEF, F.andImm, dst, dst, 1);
  }

  /** A comparison of scalars as 0 or 1. */
  compareTo01(c: Val, dst: number): void {
    const { m } = this;
    if (!isInteger(c.a!.type)) return this.compareFloats(c, dst);
    const cc = this.compare(c);
    const t = m.fresh(GENERAL);
    m.put(DEF, F.setcc | cc, t);
    m.inRegister(t).put(DEF, F.movzx8, dst);
  }

  // ---- small helpers of the rules ----

  /** dst = form(src1, v): the usual shape. */
  two(form: number, v: Val, dst: number, commutes = false): void {
    let a = v.a!;
    let b = v.b!;
    if (commutes && this.isMemory(a) && !this.isMemory(b)) {
      a = b;
      b = v.a!;
    }
    const r = isVec(a.type) ? this.vec(a) : this.reg(a);
    this.rm(b);
    this.m.put(DEF, form, dst, r);
  }
  one(form: number, x: Val, dst: number, imm = 0): void {
    this.rm(x);
    this.m.put(DEF, form, dst, -1, imm);
  }
  vector(): number {
    return this.m.fresh(VECTOR);
  }
  general(): number {
    return this.m.fresh(GENERAL);
  }
}

/** The bits of a constant with lanes of its own (see Analysis.constant). */
function lanesOf(v: Val, lanes: number): Int32Array {
  const bits = new Int32Array(lanes);
  const all =
    v.type === "vf32" ? new Float32Array(bits.buffer) : v.type === "vf64" ? new Float64Array(bits.buffer) : bits;
  const put = (x: Val): void => {
    if (x.op === "const") all.fill(x.imm);
    else {
      put(x.a!);
      all[x.imm] = x.b!.imm;
    }
  };
  put(v);
  return bits;
}

const STATEMENTS: Rules = selectControl;
const SCALARS: Rules = { ...selectMemory, ...selectScalar };
const VECTORS: Rules = { ...selectMemory, ...selectLanes, ...selectVector };
