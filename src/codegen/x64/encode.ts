// Bytes of x86-64 instructions: a growing buffer with labels, calls and a constant pool. Registers are final, plain integers:
// general 0..15, vector 0..31, mask 0..7. Knows encodings only: no types, no operations of the assembler.
import { type Form, jump as jumpThrough, call as callThrough, lea } from "./forms.ts";

/** Form fields, see forms.ts. */
const EVEX = 2 << 12;
const BOTH = 3 << 12;
const ORDER = 7 << 18;
const RVM = 1 << 18;
const MR = 2 << 18;
const VM = 3 << 18;
const M = 4 << 18;
const RMV = 5 << 18;
const RVMK = 6 << 18;
const IMMEDIATE = 3 << 24;
const IB = 1 << 24;
const IZ = 2 << 24;
const BYTE = 1 << 30;

/** An instruction has 15 bytes at most. */
const ROOM = 16;
/** rsp in the index place means none. */
const NO_INDEX = 4;

/** A place whose 32-bit distance is written when its target is known. */
interface Fixup {
  readonly at: number;
  /** Where the instruction ends. */
  readonly end: number;
  readonly target: number;
}

interface Pooled {
  readonly bytes: Uint8Array;
  at: number;
}

/** Code under construction. Everything is position-independent: jumps, calls and the pool are relative. */
export class Code {
  /** Bytes written so far. */
  length = 0;
  private buf: Uint8Array<ArrayBuffer> = new Uint8Array(4096);
  /** Places of labels, -1 while not bound. */
  private readonly labels: number[] = [];
  private readonly jumps: Fixup[] = [];
  private readonly pool: Pooled[] = [];
  private readonly pooled: Map<string, number> = new Map();
  private readonly loads: Fixup[] = [];

  /**
   * An instruction on registers; -1 where the form has no such operand. `dst, -1, src2` for two operands, whichever of them is
   * r/m; `k` is the write mask (with `z`: zero the other lanes) or the fourth register of vblendv*.
   */
  reg(form: Form, dst: number, src1 = -1, src2 = -1, k = 0, z = false, imm = 0): void {
    if (this.length + ROOM > this.buf.length) this.grow(ROOM);
    const order = form & ORDER;
    // [reg field, vvvv, r/m]
    let r = dst;
    let v = 0;
    let m = src2;
    if (order === RVM || order === RVMK) v = src1;
    else if (order === MR) {
      r = src2;
      m = dst;
    } else if (order === VM) {
      r = (form >> 21) & 7;
      v = dst;
    } else if (order === M) {
      r = (form >> 21) & 7;
      m = dst;
    } else if (order === RMV) {
      v = src2;
      m = src1;
    }
    const byte = (form & BYTE) !== 0 && (order === MR ? r : m) > 3;
    const high = (r | v | m) > 15;
    this.prefix(form, r, v, m, m > 15 ? 8 : 0, high, order === RVMK ? 0 : k, z, false, byte);
    this.opcode(form, imm);
    this.buf[this.length++] = 0xc0 | ((r & 7) << 3) | (m & 7);
    this.immediate(form, imm, k);
  }

  /**
   * An instruction whose r/m is memory at base + index*scale + disp: its last source, or the destination of store forms (`dst`
   * is then the register stored; -1 where there is none). -1 for no base, no index. `bcast`: one element for all lanes (EVEX).
   */
  mem(
    form: Form,
    dst: number,
    src1: number,
    base: number,
    index = -1,
    scale = 1,
    disp = 0,
    k = 0,
    z = false,
    imm = 0,
    bcast = false,
  ): void {
    if (this.length + ROOM > this.buf.length) this.grow(ROOM);
    const order = form & ORDER;
    const digit = order === M || order === VM;
    const r = digit ? (form >> 21) & 7 : dst;
    const v = order === VM ? dst : order === RVM || order === RMV || order === RVMK ? src1 : 0;
    const b = base < 0 ? 0 : base;
    const x = index < 0 ? 0 : index;
    const byte = (form & BYTE) !== 0 && order === MR && r > 3;
    const evex = this.prefix(form, r, v, b, x, (r | v | x) > 15, order === RVMK ? 0 : k, z, bcast, byte);
    this.opcode(form, imm);
    const { buf } = this;
    const reg = (r & 7) << 3;
    if (base < 0) {
      // An absolute address (or index) takes a SIB byte without base
      buf[this.length++] = reg | 4;
      buf[this.length++] = ((31 - Math.clz32(scale)) << 6) | ((index < 0 ? NO_INDEX : index & 7) << 3) | 5;
      this.put32(disp);
    } else {
      let mod = 0;
      let short = disp;
      if (disp !== 0 || (base & 7) === 5) {
        const unit = evex ? unitShift(form, bcast) : 0;
        short = disp >> unit;
        mod = short >= -128 && short < 128 && short << unit === disp ? 1 : 2;
      }
      if (index >= 0 || (base & 7) === 4) {
        buf[this.length++] = (mod << 6) | reg | 4;
        buf[this.length++] = ((31 - Math.clz32(scale)) << 6) | ((index < 0 ? NO_INDEX : index & 7) << 3) | (base & 7);
      } else buf[this.length++] = (mod << 6) | reg | (base & 7);
      if (mod === 1) buf[this.length++] = short;
      else if (mod === 2) this.put32(disp);
    }
    this.immediate(form, imm, k);
  }

  /** As `mem`, on a constant of the pool (`offset` bytes into it). */
  poolMem(
    form: Form,
    dst: number,
    src1: number,
    constant: number,
    offset = 0,
    k = 0,
    z = false,
    imm = 0,
    bcast = false,
  ): void {
    this.relative(form, dst, src1, offset, k, z, imm, bcast, this.loads, constant);
  }

  // ---- labels ----

  label(): number {
    return this.labels.push(-1) - 1;
  }
  bind(label: number): void {
    this.labels[label] = this.length;
  }
  /** Where a label is, or -1. */
  offset(label: number): number {
    return this.labels[label];
  }
  jmp(label: number): void {
    this.branch(0xeb, 0xe9, -1, label);
  }
  jcc(cond: number, label: number): void {
    this.branch(0x70 | cond, 0x80 | cond, 0x0f, label);
  }
  callLabel(label: number): void {
    this.branch(-1, 0xe8, -1, label);
  }
  /** Address of a label. */
  leaLabel(gpr: number, label: number): void {
    this.relative(lea | (1 << 16), gpr, -1, 0, 0, false, 0, false, this.jumps, label);
  }
  callReg(gpr: number): void {
    this.reg(callThrough, gpr);
  }
  jmpReg(gpr: number): void {
    this.reg(jumpThrough, gpr);
  }

  // ---- what is no row ----

  /** An instruction without operands. */
  fixed(form: Form): void {
    if (this.length + ROOM > this.buf.length) this.grow(ROOM);
    this.prefix(form, 0, 0, 0, 0, false, 0, false, false, false);
    this.opcode(form, 0);
  }
  ret(): void {
    this.raw(0xc3);
  }
  /** Makes the next instruction on memory atomic. */
  lock(): void {
    this.raw(0xf0);
  }
  push(gpr: number): void {
    if (gpr > 7) this.raw(0x41);
    this.raw(0x50 | (gpr & 7));
  }
  pop(gpr: number): void {
    if (gpr > 7) this.raw(0x41);
    this.raw(0x58 | (gpr & 7));
  }
  /** Store fence of everything before. */
  mfence(): void {
    this.raw(0x0f, 0xae, 0xf0);
  }
  xgetbv(): void {
    this.raw(0x0f, 0x01, 0xd0);
  }
  /** The place of control flow that may be jumped to, where the system checks. */
  endbr(): void {
    this.raw(0xf3, 0x0f, 0x1e, 0xfa);
  }
  /** 32 bits, zero-extended to 64; zero as a constant, flags stay. */
  const32(gpr: number, value: number): void {
    if (gpr > 7) this.raw(0x41);
    this.raw(0xb8 | (gpr & 7));
    this.put32(value);
  }
  /** An integer below 2^53 in absolute value, in its shortest form. */
  const64(gpr: number, value: number): void {
    if (value >= 0 && value < 0x100000000) return this.const32(gpr, value);
    this.raw(gpr > 7 ? 0x49 : 0x48);
    if (value < 0 && value >= -0x80000000) {
      this.raw(0xc7, 0xc0 | (gpr & 7));
      return this.put32(value);
    }
    this.raw(0xb8 | (gpr & 7));
    const high = Math.floor(value / 0x100000000);
    this.put32(value - high * 0x100000000);
    this.put32(high);
  }
  /** Fills with no-operations up to a multiple of `bytes` (a power of two). */
  align(bytes: number): void {
    for (let n = -this.length & (bytes - 1); n > 0;) {
      const take = Math.min(n, 9);
      this.raw(...NOPS[take - 1]);
      n -= take;
    }
  }
  raw(...bytes: number[]): void {
    if (this.length + ROOM > this.buf.length) this.grow(ROOM);
    for (const b of bytes) this.buf[this.length++] = b;
  }

  // ---- constants ----

  /** A constant of the pool: aligned to its size, equal ones once. Sizes are powers of two up to 64. */
  constant(bytes: Uint8Array): number {
    const key = String.fromCharCode(...bytes);
    let id = this.pooled.get(key);
    if (id === undefined) {
      id = this.pool.push({ bytes, at: 0 }) - 1;
      this.pooled.set(key, id);
    }
    return id;
  }

  /** The code, then the pool at a multiple of 64; labels and constants resolved. */
  finish(): Uint8Array<ArrayBuffer> {
    for (const { at, end, target } of this.jumps) {
      const to = this.labels[target];
      if (to < 0) throw new Error(`[x64] label ${target} is used and was never bound`);
      this.write32(at, to - end);
    }
    if (this.pool.length > 0) {
      this.align(64);
      for (let size = 64; size > 0; size >>= 1) {
        for (const entry of this.pool) {
          if (entry.bytes.length !== size) continue;
          if (this.length + size > this.buf.length) this.grow(size);
          entry.at = this.length;
          this.buf.set(entry.bytes, this.length);
          this.length += size;
        }
      }
      for (const { at, end, target } of this.loads) {
        this.write32(at, this.read32(at) + this.pool[target].at - end);
      }
    }
    return this.buf.slice(0, this.length);
  }

  // ---- inside ----

  private grow(bytes: number): void {
    const next = new Uint8Array(Math.max(this.buf.length * 2, this.length + bytes));
    next.set(this.buf);
    this.buf = next;
  }
  private put32(x: number): void {
    this.write32(this.length, x);
    this.length += 4;
  }
  private write32(at: number, x: number): void {
    const { buf } = this;
    buf[at] = x;
    buf[at + 1] = x >> 8;
    buf[at + 2] = x >> 16;
    buf[at + 3] = x >> 24;
  }
  private read32(at: number): number {
    const { buf } = this;
    return buf[at] | (buf[at + 1] << 8) | (buf[at + 2] << 16) | (buf[at + 3] << 24);
  }

  /**
   * Everything before the opcode. `r`, `v`: reg and vvvv; `b`: base or r/m; `x`: index (or 8 when r/m is above 15); `high`: one
   * of them needs EVEX. True when it was EVEX.
   */
  private prefix(
    form: Form,
    r: number,
    v: number,
    b: number,
    x: number,
    high: boolean,
    k: number,
    z: boolean,
    bcast: boolean,
    byte: boolean,
  ): boolean {
    const { buf } = this;
    let at = this.length;
    const encoding = form & BOTH;
    const map = (form >> 8) & 3;
    const pp = (form >> 10) & 3;
    const length = (form >> 16) & 3;
    const evex = encoding === EVEX || (encoding === BOTH && (length === 2 || k !== 0 || bcast || high));
    if (encoding === 0) {
      if (pp !== 0) buf[at++] = pp === 1 ? 0x66 : pp === 2 ? 0xf3 : 0xf2;
      const rex = (length << 3) | ((r & 8) >> 1) | ((x & 8) >> 2) | ((b & 8) >> 3);
      if (rex !== 0 || byte) buf[at++] = 0x40 | rex;
      if (map !== 0) buf[at++] = 0x0f;
      if (map > 1) buf[at++] = map === 2 ? 0x38 : 0x3a;
    } else if (evex) {
      // Register bits are stored inverted
      const flip = ((r & 8) << 4) | ((x & 8) << 3) | ((b & 8) << 2) | (r & 16);
      buf[at++] = 0x62;
      buf[at++] = (flip ^ 0xf0) | map;
      buf[at++] = (((form >> 15) & 1) << 7) | ((~v & 15) << 3) | 4 | pp;
      buf[at++] = (z ? 0x80 : 0) | (length << 5) | (bcast ? 0x10 : 0) | (((v | x) & 16) === 0 ? 8 : 0) | k;
    } else {
      const w = (form >> 14) & 1;
      const tail = ((~v & 15) << 3) | (length << 2) | pp;
      if (((x | b) & 8) === 0 && w === 0 && map === 1) {
        buf[at++] = 0xc5;
        buf[at++] = ((r & 8) === 0 ? 0x80 : 0) | tail;
      } else {
        buf[at++] = 0xc4;
        buf[at++] = ((((r & 8) << 4) | ((x & 8) << 3) | ((b & 8) << 2)) ^ 0xe0) | map;
        buf[at++] = (w << 7) | tail;
      }
    }
    this.length = at;
    return evex;
  }
  private opcode(form: Form, imm: number): void {
    const short = (form & IMMEDIATE) === IZ && imm >= -128 && imm < 128;
    this.buf[this.length++] = (form & 0xff) | (short ? 2 : 0);
  }
  /** Bytes of the immediate. */
  private immediate(form: Form, imm: number, k: number): void {
    const kind = form & IMMEDIATE;
    if (kind === 0) {
      if ((form & ORDER) === RVMK) this.buf[this.length++] = k << 4;
    } else if (kind === IB || (kind === IZ && imm >= -128 && imm < 128)) this.buf[this.length++] = imm;
    else this.put32(imm);
  }
  /** An instruction with r/m relative to its own end; the distance is known later. */
  private relative(
    form: Form,
    dst: number,
    src1: number,
    offset: number,
    k: number,
    z: boolean,
    imm: number,
    bcast: boolean,
    fixups: Fixup[],
    target: number,
  ): void {
    if (this.length + ROOM > this.buf.length) this.grow(ROOM);
    const order = form & ORDER;
    const r = order === M || order === VM ? (form >> 21) & 7 : dst;
    const v = order === VM ? dst : order === RVM || order === RMV || order === RVMK ? src1 : 0;
    this.prefix(form, r, v, 0, 0, (r | v) > 15, order === RVMK ? 0 : k, z, bcast, false);
    this.opcode(form, imm);
    this.buf[this.length++] = ((r & 7) << 3) | 5;
    const at = this.length;
    this.put32(offset);
    this.immediate(form, imm, k);
    fixups.push({ at, end: this.length, target });
  }
  /** Jumps back are short where they can be; jumps forward have 32 bits. */
  private branch(short: number, near: number, escape: number, label: number): void {
    if (this.length + ROOM > this.buf.length) this.grow(ROOM);
    const { buf } = this;
    const to = this.labels[label];
    if (to >= 0 && short >= 0 && to - (this.length + 2) >= -128) {
      buf[this.length++] = short;
      buf[this.length] = to - this.length - 1;
      this.length++;
      return;
    }
    if (escape >= 0) buf[this.length++] = escape;
    buf[this.length++] = near;
    const at = this.length;
    this.put32(0);
    this.jumps.push({ at, end: this.length, target: label });
  }
}

/** log2 of what a step of disp8 counts: the element, or what the tuple says of the length. */
function unitShift(form: Form, bcast: boolean): number {
  if (bcast) return 2 + ((form >> 15) & 1);
  const tuple = (form >> 26) & 15;
  return tuple > 7 ? tuple - 8 + ((form >> 16) & 3) : tuple;
}

/** No-operations of 1..9 bytes. */
const NOPS: readonly (readonly number[])[] = [
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0],
  [0x0f, 0x1f, 0x40, 0],
  [0x0f, 0x1f, 0x44, 0, 0],
  [0x66, 0x0f, 0x1f, 0x44, 0, 0],
  [0x0f, 0x1f, 0x80, 0, 0, 0, 0],
  [0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
  [0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
];
