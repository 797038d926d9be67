// Bytes of one function: machine instructions with their registers known, what lies on the stack read and written there.
import type { Fn } from "../asm/index.ts";
import { type Allocation, type Convention, type Scratch, slotOf } from "./allocate.ts";
import type { Code } from "./encode.ts";
import * as F from "./forms.ts";
import { Frame } from "./frame.ts";
import {
  ADDEND,
  BCAST,
  COMMUTES,
  DEF,
  GENERAL,
  KIND,
  LOCK,
  type Machine,
  MASK,
  MEM,
  MODIFY,
  NEGATE,
  POOL,
  REGISTER,
  STRIDE,
  ZERO,
} from "./machine.ts";
import { emitCall, emitEntry, emitResult } from "./calls.ts";
import { emitSpecial } from "./special.ts";

const { rax, rcx, rdx, rsp } = F.GPR;
/** Operand orders of forms whose r/m cannot be memory here. */
const ORDER = 7 << 18;
const MR = 2 << 18;
const VM = 3 << 18;
const M = 4 << 18;
const RMV = 5 << 18;
const LENGTH = 3 << 16;
/** Encodings of forms, and the one that has no upper registers. */
const ENCODING = 3 << 12;
const VEX = 1 << 12;
/** From the 132 row to the others. */
const TO_213 = 0x10;
const TO_231 = 0x20;

/** Where the r/m operand of the instruction at work is. */
const IN_REGISTER = 0;
const IN_MEMORY = 1;
const IN_POOL = 2;

export class Emitter {
  readonly code: Code;
  readonly convention: Convention;
  readonly scratch: Scratch;
  /** Labels of the module's functions. */
  readonly functions: readonly number[];
  m!: Machine;
  places!: Int32Array;
  frame!: Frame;
  private labels: number[] = [];
  // The r/m operand
  private where = 0;
  private a = 0;
  private b = -1;
  private scale = 0;
  private disp = 0;
  private bcast = false;

  constructor(code: Code, convention: Convention, scratch: Scratch, functions: readonly number[]) {
    this.code = code;
    this.convention = convention;
    this.scratch = scratch;
    this.functions = functions;
  }

  run(fn: Fn, m: Machine, allocation: Allocation, params: readonly number[]): void {
    const { code } = this;
    this.m = m;
    this.places = allocation.places;
    this.frame = new Frame(m, allocation, this.convention);
    this.labels = Array.from({ length: m.labels }, () => code.label());
    code.align(16);
    code.bind(this.functions[fn.index]);
    this.frame.enter(code);
    emitEntry(this, fn, params);
    const w = m.words;
    for (let at = 0; at < m.length; at += STRIDE) {
      const head = w[at];
      switch (head & 15) {
        case KIND.op:
          this.operation(at, head);
          break;
        case KIND.two:
          this.inPlace(at, head);
          break;
        case KIND.fma:
          this.fused(at, head);
          break;
        case KIND.move:
          this.move(w[at + 2], w[at + 4]);
          break;
        case KIND.label:
          code.bind(this.labels[w[at + 7]]);
          break;
        case KIND.jmp:
          code.jmp(this.labels[w[at + 7]]);
          break;
        case KIND.jcc:
          code.jcc(w[at + 1], this.labels[w[at + 7]]);
          break;
        case KIND.loop:
          code.align(16);
          break;
        case KIND.special:
          emitSpecial(this, at, head);
          break;
        case KIND.call:
          emitCall(this, at, head);
          break;
        case KIND.ret:
          if (w[at + 4] >= 0) emitResult(this, w[at + 4]);
          this.frame.leave(code);
          break;
      }
    }
  }

  // ---- places ----

  /** Distance of a place on the stack from rsp. */
  slot(v: number): number {
    return this.frame.offset(slotOf(this.places[v]), this.m.kinds[v]);
  }

  /** A register with the value of `v`: its own, or `scratch` loaded. */
  use(v: number, scratch: number): number {
    const p = this.places[v];
    if (p >= 0) return p;
    this.load(v, scratch);
    return scratch;
  }
  /** Reads `v` from its place on the stack. */
  load(v: number, register: number): void {
    this.code.mem(this.loadForm(v), register, -1, rsp, -1, 1, this.slot(v));
  }
  /** Writes a register to the place of `v` on the stack. */
  store(v: number, register: number): void {
    const kind = this.m.kinds[v];
    const form = kind === GENERAL ? F.movStore | F.Q : kind === MASK ? F.kmovwStore : F.vmovupsStore | this.length();
    this.code.mem(form, register, -1, rsp, -1, 1, this.slot(v));
  }
  private loadForm(v: number): number {
    const kind = this.m.kinds[v];
    return kind === GENERAL ? F.mov | F.Q : kind === MASK ? F.kmovw : F.vmovups | this.length();
  }
  private length(): number {
    return this.m.width === 64 ? F.Z : F.Y;
  }
  private work(v: number): number {
    const kind = this.m.kinds[v];
    return kind === GENERAL ? rax : kind === MASK ? this.scratch.masks[0] : this.scratch.vectors[0];
  }
  /** The second scratch register of the kind of `v`. */
  private spare(v: number): number {
    const kind = this.m.kinds[v];
    return kind === GENERAL ? rcx : kind === MASK ? this.scratch.masks[1] : this.scratch.vectors[1];
  }

  /** Copies between registers of one kind. */
  copy(kind: number, dst: number, src: number): void {
    if (dst === src) return;
    const form = kind === GENERAL ? F.mov | F.Q : kind === MASK ? F.kmovw : F.vmovaps | this.length();
    this.code.reg(form, dst, -1, src);
  }
  private move(dst: number, src: number): void {
    const d = this.places[dst];
    const s = this.places[src];
    if (d === s) return;
    if (d >= 0 && s >= 0) this.copy(this.m.kinds[dst], d, s);
    else if (d >= 0) this.load(src, d);
    else this.store(dst, this.use(src, this.work(dst)));
  }

  // ---- r/m ----

  /** Reads the r/m operand of an instruction; `register`: it must not be memory unless it was recorded so. */
  operand(at: number, head: number, register: boolean): void {
    const w = this.m.words;
    this.bcast = (head & BCAST) !== 0;
    if ((head & POOL) !== 0) {
      this.where = IN_POOL;
      this.disp = w[at + 6];
      return;
    }
    if ((head & MEM) !== 0) {
      const index = w[at + 5];
      this.where = IN_MEMORY;
      this.a = w[at + 4] < 0 ? -1 : this.use(w[at + 4], rcx);
      this.b = index < 0 ? -1 : this.use(index >> 2, rdx);
      this.scale = index < 0 ? 1 : 1 << (index & 3);
      this.disp = w[at + 6];
      return;
    }
    const v = w[at + 4];
    if (v < 0) {
      this.where = IN_REGISTER;
      this.a = -1;
      return;
    }
    if (this.places[v] < 0 && !register) {
      this.where = IN_MEMORY;
      this.a = rsp;
      this.b = -1;
      this.scale = 1;
      this.disp = this.slot(v);
      return;
    }
    this.where = IN_REGISTER;
    this.a = this.use(v, this.spare(v));
  }
  /** Writes an instruction with the operand read before. */
  put(form: number, dst: number, src1: number, k = 0, z = false, imm = 0): void {
    const { code } = this;
    if ((form & ENCODING) === VEX && (dst > 15 || src1 > 15 || (this.where === IN_REGISTER && this.a > 15)))
      throw new Error(`[x64] form ${form} reaches 16 registers, not ${dst}, ${src1}, ${this.a}`);
    if (this.where === IN_REGISTER)
      code.reg(form, this.a >= 0 && (form & ORDER) === M ? this.a : dst, src1, this.a, k, z, imm);
    else if (this.where === IN_POOL) code.poolMem(form, dst, src1, this.disp, 0, k, z, imm, this.bcast);
    else code.mem(form, dst, src1, this.a, this.b, this.scale, this.disp, k, z, imm, this.bcast);
  }
  /** Address of the memory operand to a register. */
  address(dst: number): void {
    this.put(F.lea | F.Q, dst, -1);
  }
  /** The operand is memory whose address reads `r`, or is register `r`. */
  private reads(r: number): boolean {
    return this.where === IN_REGISTER ? this.a === r : this.where === IN_MEMORY && (this.a === r || this.b === r);
  }

  // ---- shapes ----

  private operation(at: number, head: number): void {
    const w = this.m.words;
    const form = w[at + 1];
    if ((form & ~F.Q) === F.lea) return this.lea(at, head, form);
    const order = form & ORDER;
    const dst = w[at + 2];
    const src1 = w[at + 3];
    const kv = w[at + 8];
    this.operand(at, head, (head & REGISTER) !== 0 || order === MR || order === VM || order === RMV);
    const defines = (head & DEF) !== 0;
    const inPlace = !defines || (head & MODIFY) !== 0;
    let d = -1;
    if (dst >= 0) {
      d = this.places[dst];
      if (d < 0) {
        d = this.work(dst);
        if (inPlace) this.load(dst, d);
      }
    }
    let s = -1;
    if (src1 >= 0) {
      const gpr = this.m.kinds[src1] === GENERAL;
      s = this.use(src1, gpr ? rdx : inPlace ? this.spare(src1) : this.work(src1));
    }
    let k = 0;
    if (kv >= 0) k = this.use(kv, this.m.kinds[kv] === MASK ? this.scratch.masks[1] : this.scratch.vectors[1]);
    if ((head & LOCK) !== 0) this.code.lock();
    this.put(form, d, s, k, (head & ZERO) !== 0, w[at + 7]);
    if (defines && this.places[dst] < 0) this.store(dst, d);
  }

  /** Sums of addresses, in place where they can be. */
  private lea(at: number, head: number, form: number): void {
    const { code } = this;
    const dst = this.m.words[at + 2];
    const size = form & F.Q;
    const base = this.m.words[at + 4];
    if (this.places[dst] < 0 && base >= 0 && this.places[base] === this.places[dst] && this.m.words[at + 5] < 0) {
      code.mem(F.addImm | F.Q, -1, -1, rsp, -1, 1, this.slot(dst), 0, false, this.m.words[at + 6]);
      return;
    }
    this.operand(at, head, false);
    const d = this.places[dst] < 0 ? rax : this.places[dst];
    const { a, b, disp } = this;
    if (b < 0 && a >= 0) {
      if (disp === 0) code.reg(F.mov | size, d, -1, a);
      else if (a === d) code.reg(F.addImm | size, d, -1, -1, 0, false, disp);
      else this.put(form, d, -1);
    } else if (a >= 0 && this.scale === 1 && disp === 0 && (a === d || b === d))
      code.reg(F.add | size, d, -1, a === d ? b : a);
    else this.put(form, d, -1);
    if (this.places[dst] < 0) this.store(dst, d);
  }

  private inPlace(at: number, head: number): void {
    const w = this.m.words;
    const { code } = this;
    const form = w[at + 1];
    const dst = w[at + 2];
    const src1 = w[at + 3];
    const imm = w[at + 7];
    const size = form & F.Q;
    const place = this.places[dst];
    const single = w[at + 4] < 0 && (head & (MEM | POOL)) === 0;
    if (single && place < 0 && this.places[src1] === place && size) {
      code.mem(form, -1, -1, rsp, -1, 1, this.slot(dst), 0, false, imm);
      return;
    }
    this.operand(at, head, false);
    const d = place < 0 ? rax : place;
    if (this.places[src1] !== d && !single && this.reads(d)) {
      if ((head & COMMUTES) !== 0 && this.where === IN_REGISTER) code.reg(form, d, -1, this.use(src1, rax));
      else {
        this.fetch(src1, rax, size);
        this.put(form, rax, -1);
        code.reg(F.mov | size, d, -1, rax);
      }
    } else {
      this.fetch(src1, d, size);
      if (single) code.reg(form, d, -1, -1, 0, false, imm);
      else this.put(form, d, -1);
    }
    if (place < 0) this.store(dst, d);
  }
  private fetch(v: number, register: number, size: number): void {
    const p = this.places[v];
    if (p < 0) this.load(v, register);
    else if (p !== register) this.code.reg(F.mov | size, register, -1, p);
  }

  /** x*m + y, or x*y + m: the row is chosen by which register the result takes. */
  private fused(at: number, head: number): void {
    const w = this.m.words;
    const form = w[at + 1] + ((head & NEGATE) !== 0 ? 4 : 0);
    const length = form & LENGTH;
    const dst = w[at + 2];
    const x = w[at + 3];
    const y = w[at + 8];
    this.operand(at, head, false);
    const v0 = this.scratch.vectors[0];
    const v1 = this.scratch.vectors[1];
    const d = this.places[dst] < 0 ? v0 : this.places[dst];
    const inMemory = this.where !== IN_REGISTER;
    const px = this.places[x];
    const py = this.places[y];
    if ((head & ADDEND) !== 0) {
      if (px === d && px >= 0) this.put(form + TO_213, d, this.use(y, v1));
      else if (py === d && py >= 0) this.put(form + TO_213, d, this.use(x, v1));
      else {
        const s = this.use(y, v1);
        this.vector(x, d, length);
        this.put(form + TO_213, d, s);
      }
    } else if (py === d && py >= 0) this.put(form + TO_231, d, this.use(x, v1));
    else if (px === d && px >= 0) this.put(form, d, this.use(y, v1));
    else if (!inMemory && this.a === d) this.code.reg(form, d, this.use(y, v1), this.use(x, v0));
    else {
      const s = this.use(x, v1);
      this.vector(y, d, length);
      this.put(form + TO_231, d, s);
    }
    if (this.places[dst] < 0) this.store(dst, d);
  }
  private vector(v: number, register: number, length: number): void {
    const p = this.places[v];
    if (p < 0) this.load(v, register);
    else if (p !== register) this.code.reg(F.vmovaps | length, register, -1, p);
  }
}
