// The stack frame of a function: registers to give back, places of what found no register.
import type { Allocation, Convention } from "./allocate.ts";
import type { Code } from "./encode.ts";
import * as F from "./forms.ts";
import { type Machine, VECTOR } from "./machine.ts";

const { rax, rsp } = F.GPR;
const PAGE = 4096;

export class Frame {
  private readonly slots: readonly number[];
  private readonly width: number;
  /** Bytes below the places: what a called function may use. */
  private readonly below: number;
  private readonly words: number;
  private readonly saved: readonly number[];
  private readonly savedVectors: readonly number[];
  private readonly vectorsAt: number;
  private readonly size: number;
  /** The stack is aligned to vectors, and its old end kept. */
  private readonly aligned: boolean;
  private readonly clears: boolean;
  private readonly probes: boolean;

  constructor(m: Machine, a: Allocation, convention: Convention) {
    this.slots = a.slots;
    this.probes = convention.windows;
    this.width = m.width;
    this.below = m.calls > 0 && convention.windows ? 64 : 0;
    this.words = this.below + a.vectorSlots * m.width;
    this.saved = list(a.used[0] & convention.kept);
    this.savedVectors = list(a.used[1] & convention.keptVectors);
    this.vectorsAt = this.words + 8 * a.wordSlots;
    this.aligned = a.vectorSlots > 0;
    const size = this.vectorsAt + 16 * this.savedVectors.length + (this.aligned ? 8 : 0);
    const pushed = 8 + 8 * this.saved.length;
    this.size = this.aligned
      ? (size + 63) & -64
      : size === 0 && m.calls === 0
        ? 0
        : ((size + pushed + 15) & -16) - pushed;
    this.clears = a.used[1] !== 0;
  }

  /** Distance of place `n` from rsp. */
  offset(n: number, kind: number): number {
    return kind === VECTOR ? this.below + this.slots[n] * this.width : this.words + this.slots[n] * 8;
  }

  enter(code: Code): void {
    for (const r of this.saved) code.push(r);
    if (this.aligned) {
      code.reg(F.mov | F.Q, rax, -1, rsp);
      this.lower(code);
      code.reg(F.andImm | F.Q, rsp, -1, -1, 0, false, -64);
      code.mem(F.movStore | F.Q, rax, -1, rsp, -1, 1, this.size - 8);
    } else if (this.size > 0) this.lower(code);
    this.savedVectors.forEach((r, i) => code.mem(F.vmovupsStore, r, -1, rsp, -1, 1, this.vectorsAt + 16 * i));
  }
  private lower(code: Code): void {
    // Windows grows a stack page by page, each touched in order
    for (let at = PAGE; this.probes && at <= this.size; at += PAGE) code.mem(F.testStore, rax, -1, rsp, -1, 1, -at);
    code.reg(F.subImm | F.Q, rsp, -1, -1, 0, false, this.size);
  }

  leave(code: Code): void {
    this.savedVectors.forEach((r, i) => code.mem(F.vmovups, r, -1, rsp, -1, 1, this.vectorsAt + 16 * i));
    if (this.aligned) code.mem(F.mov | F.Q, rsp, -1, rsp, -1, 1, this.size - 8);
    else if (this.size > 0) code.reg(F.addImm | F.Q, rsp, -1, -1, 0, false, this.size);
    for (let i = this.saved.length - 1; i >= 0; i--) code.pop(this.saved[i]);
    if (this.clears) code.fixed(F.vzeroupper);
    code.ret();
  }
}

function list(set: number): number[] {
  const out: number[] = [];
  for (let r = 0; r < 32; r++) if ((set & (1 << r)) !== 0) out.push(r);
  return out;
}
