// Machine instructions on virtual registers, in one flat array: what selection writes, allocation numbers and emission reads.

/** Kinds of virtual registers. */
export const GENERAL = 0;
export const VECTOR = 1;
export const MASK = 2;

/** What an instruction is; the low four bits of its first word. */
export const KIND = {
  /** A form of forms.ts: dst, src1, r/m, k. */
  op: 0,
  /** dst = src1 + r/m, or whatever the form computes in place: a two-operand instruction given three. */
  two: 1,
  /** dst = a*b + c: src1, r/m and k; the form is the 132 row. With ADDEND the r/m is c. */
  fma: 2,
  /** Copy between registers of one kind. */
  move: 3,
  label: 4,
  jmp: 5,
  /** Jump by condition `imm`. */
  jcc: 6,
  /** Begin of a loop body; `imm` is the number of the loop. */
  loop: 7,
  endLoop: 8,
  /** What takes fixed registers: `imm` says which of SPECIAL, `form` carries what it needs. */
  special: 9,
  /** Call: `form` is of CALLEE, `imm` the function or the pooled address; `k` arguments in `lists` from `disp` on. */
  call: 10,
  /** End of the function; the r/m register is its result. */
  ret: 11,
} as const;

/** Instructions that emission writes by hand, in rax, rcx and rdx. */
export const SPECIAL = {
  /** dst = src1 / r/m: `form` bit 0 signed, bit 1 remainder. */
  divide: 0,
  /** dst = high 64 bits of src1 * r/m. */
  mulHigh: 1,
  copy: 2,
  fill: 3,
  wait: 4,
  notify: 5,
  clock: 6,
  pause: 7,
  /** The integer `disp` to a general register; sign-extended when `form` is 1. */
  constant: 8,
  /** Loads `form` bytes (1..7) into a general register: dst, at memory. */
  loadBytes: 9,
  storeBytes: 10,
  /** Zero to a vector register. */
  zero: 11,
  /** Low bits `disp` to a mask register. */
  maskConstant: 12,
} as const;

/** Where a call goes: a function of the module, an address of the pool, the r/m register. */
export const CALLEE = { fn: 0, address: 1, register: 2 } as const;

/** dst is written. */
export const DEF: number = 1 << 4;
/** dst is read too. */
export const MODIFY: number = 1 << 5;
/** r/m is memory: base, index, disp. */
export const MEM: number = 1 << 6;
/** r/m is the pool's constant `disp`. */
export const POOL: number = 1 << 7;
/** One element of memory for all lanes. */
export const BCAST: number = 1 << 8;
/** Lanes outside of the mask become zero. */
export const ZERO: number = 1 << 9;
/** r/m cannot be memory: a spilled one is loaded first. */
export const REGISTER: number = 1 << 10;
export const LOCK: number = 1 << 11;
/** fma: r/m is what is added. */
export const ADDEND: number = 1 << 12;
/** two: src1 and r/m may change places. */
export const COMMUTES: number = 1 << 13;
/** fma: c - a*b. */
export const NEGATE: number = 1 << 14;
/** call: the result has 64 bits. */
export const WIDE: number = 1 << 15;

/** Words of an instruction: head, form, dst, src1, r/m or base, index*4 + log2 scale, disp or constant, immediate, k. */
export const STRIDE = 9;

/** The list of instructions and registers of one function. */
export class Machine {
  words: Int32Array = new Int32Array(STRIDE * 1024);
  /** Words in use. */
  length = 0;
  /** Kind of each virtual register. */
  kinds: Uint8Array = new Uint8Array(1024);
  registers = 0;
  labels = 0;
  loops = 0;
  /** Operands of calls. */
  lists: number[] = [];
  /** Mask registers that are set at entry: register, lanes. */
  entryMasks: number[] = [];
  calls = 0;
  /** Bytes of the widest vector touched. */
  width = 0;

  // The r/m operand of the next instruction
  private rmFlags = 0;
  private rm = -1;
  private index = -1;
  private disp = 0;

  reset(): void {
    this.length = 0;
    this.registers = 0;
    this.labels = 0;
    this.loops = 0;
    this.lists.length = 0;
    this.entryMasks.length = 0;
    this.calls = 0;
    this.width = 0;
  }

  /** A new virtual register. */
  fresh(kind: number): number {
    if (this.registers === this.kinds.length) {
      const more = new Uint8Array(2 * this.registers);
      more.set(this.kinds);
      this.kinds = more;
    }
    this.kinds[this.registers] = kind;
    return this.registers++;
  }

  /** Sets the r/m operand of the next `put`. */
  inRegister(v: number): this {
    this.rmFlags = 0;
    this.rm = v;
    this.index = -1;
    this.disp = 0;
    return this;
  }
  inMemory(base: number, index: number, scale: number, disp: number, bcast = false): this {
    this.rmFlags = bcast ? MEM | BCAST : MEM;
    this.rm = base;
    this.index = index < 0 ? -1 : (index << 2) | scale;
    this.disp = disp;
    return this;
  }
  inPool(constant: number, bcast: boolean): this {
    this.rmFlags = bcast ? POOL | BCAST : POOL;
    this.rm = -1;
    this.index = -1;
    this.disp = constant;
    return this;
  }

  /** Turns a broadcasting r/m into one element of memory; false when it is none. */
  unbroadcast(): boolean {
    const was = (this.rmFlags & BCAST) !== 0;
    this.rmFlags &= ~BCAST;
    return was;
  }

  /** Adds an instruction with the r/m operand set before (none: -1). */
  put(head: number, form: number, dst: number, src1 = -1, imm = 0, k = -1): void {
    const at = this.length;
    if (at + STRIDE > this.words.length) {
      const more = new Int32Array(2 * this.words.length);
      more.set(this.words);
      this.words = more;
    }
    const w = this.words;
    w[at] = head | this.rmFlags;
    w[at + 1] = form;
    w[at + 2] = dst;
    w[at + 3] = src1;
    w[at + 4] = this.rm;
    w[at + 5] = this.index;
    w[at + 6] = this.disp;
    w[at + 7] = imm;
    w[at + 8] = k;
    this.length = at + STRIDE;
    this.rmFlags = 0;
    this.rm = -1;
    this.index = -1;
    this.disp = 0;
  }

  /** dst = form(src1, rm), all registers. */
  op(form: number, dst: number, src1: number, rm: number, imm = 0, k = -1): void {
    this.inRegister(rm).put(DEF, form, dst, src1, imm, k);
  }
  /** A call of `where` with `count` arguments in `lists` from `list` on. */
  putCall(callee: number, dst: number, where: number, list: number, count: number, rm: number, wide = false): void {
    this.rm = rm;
    this.disp = list;
    this.put(KIND.call | (dst < 0 ? 0 : DEF) | (wide ? WIDE : 0), callee, dst, -1, where, count);
  }
  move(dst: number, src: number): void {
    if (dst !== src) this.inRegister(src).put(KIND.move | DEF, 0, dst);
  }
  label(id: number): void {
    this.put(KIND.label, 0, -1, -1, id);
  }
  jmp(id: number): void {
    this.put(KIND.jmp, 0, -1, -1, id);
  }
  jcc(condition: number, id: number): void {
    this.put(KIND.jcc, condition, -1, -1, id);
  }
  newLabel(): number {
    return this.labels++;
  }
}
