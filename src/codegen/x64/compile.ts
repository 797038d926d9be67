// From recorded functions to machine code: selection, allocation, emission, function by function.
import type { Asm, Target } from "../asm/index.ts";
import { pairs } from "../contract/pairs.ts";
import { squares } from "../contract/squares.ts";
import { turned } from "../contract/turned.ts";
import { emitUnrolled } from "../contract/unrolled.ts";
import { ahead } from "../loops/ahead.ts";
import { rounded } from "../math/rounded.ts";
import { gelu } from "../loops/gelu.ts";
import { rows } from "../loops/rows.ts";
import { Allocation, type Convention, type Scratch } from "./allocate.ts";
import { transposeBlocks } from "./blocks.ts";
import { Emitter } from "./emit.ts";
import { Code } from "./encode.ts";
import { GPR } from "./forms.ts";
import { interleave } from "./interleave.ts";
import { Selector } from "./select.ts";

export interface X64Options {
  /** Addresses of host functions, by the names given to `asm.extern`. */
  readonly host?: (name: string) => number;
  /** The convention of Windows; default System V. */
  readonly windows?: boolean;
  /** Waiting threads sleep by Linux's futex; default: they watch. */
  readonly linux?: boolean;
}

/** Machine code: it works at any address. */
export interface X64Module {
  readonly bytes: Uint8Array;
  /** Where each function begins, in order. */
  readonly offsets: readonly number[];
}

/** The assembler's target for AVX-512 (16 lanes) or AVX2 (8). */
export const x64Target = (avx512: boolean, caches?: { readonly l1: number; readonly l2: number }): Target => ({
  name: avx512 ? "x64-avx512" : "x64-avx2",
  lanes: avx512 ? 16 : 8,
  ptrBytes: 8,
  fma: true,
  registers: avx512 ? 32 : 16,
  ...(caches?.l1 && { l1Bytes: caches.l1 }),
  ...(caches?.l2 && { l2Bytes: caches.l2 }),
  transposeBlocks,
  ahead,
  squares,
  tile: emitUnrolled,
  turned,
  pairs,
  rounded,
  gelu,
  ...(avx512 && { interleave, rows, scales: true }),
});

const set = (...registers: number[]): number => registers.reduce((s, r) => s | (1 << r), 0);
const { rbx, rbp, rsi, rdi, rcx, rdx, r8, r9, r10, r11, r12, r13, r14, r15 } = GPR;
/** All but rsp and emission's scratch registers rax, rcx and rdx. */
const GENERALS = set(rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15);
/** k0 is no write mask. */
const MASKS = 0xfe;

/** Who keeps what, and where arguments are. */
function conventionOf({ windows = false, linux = false }: X64Options, avx512: boolean): Convention {
  return {
    registers: [GENERALS, avx512 ? -1 : 0xffff, MASKS],
    kept: windows ? set(rbx, rbp, rsi, rdi, r12, r13, r14, r15) : set(rbx, rbp, r12, r13, r14, r15),
    keptVectors: windows ? 0xffc0 : 0,
    arguments: windows ? [rcx, rdx, r8, r9] : [rdi, rsi, rdx, rcx, r8, r9],
    windows,
    futex: linux,
  };
}

/** Machine code for all functions of `asm`, made for `x64Target`. */
export function compileX64(asm: Asm, options: X64Options = {}): X64Module {
  const avx512 = asm.lanes === 16;
  const convention = conventionOf(options, avx512);
  const scratch: Scratch = { vectors: avx512 ? [31, 30] : [15, 14], masks: [7, 6] };
  const code = new Code();
  const labels = asm.fns.map(() => code.label());
  const selector = new Selector(asm, code, avx512, options.host);
  const allocation = new Allocation();
  const emitter = new Emitter(code, convention, scratch, labels);
  for (const fn of asm.fns) {
    const m = selector.select(fn);
    allocation.run(m, selector.params, convention, scratch);
    emitter.run(fn, m, allocation, selector.params);
  }
  return { bytes: code.finish(), offsets: labels.map((l) => code.offset(l)) };
}
