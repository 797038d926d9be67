// What the processor is and has, asked by machine code of our own: instruction sets that the system lets us use, caches, name.
import { Code } from "./encode.ts";
import { cpuid, GPR, mov, movStore, Q } from "./forms.ts";

export interface Cpu {
  readonly vendor: string;
  readonly brand: string;
  /** AVX2, FMA, BMI1, BMI2, LZCNT, POPCNT, and a system that saves the registers. */
  readonly avx2: boolean;
  /** AVX-512 F, VL, DQ and BW in addition. */
  readonly avx512: boolean;
  /** Bytes of the data caches that one core reaches; 0 when there is none. */
  readonly l1: number;
  readonly l2: number;
  readonly l3: number;
  /** Ticks of rdtsc a second, 0 when the processor does not say. */
  readonly tscHz: number;
}

/** What this needs of the bridge (src/runtime/native.browser.ts). */
export interface CpuidRunner {
  readonly windows: boolean;
  loadCode(code: Uint8Array): number;
  dropCode(address: number): void;
  allocate(bytes: number): number;
  free(address: number, bytes: number): void;
  view(address: number, bytes: number): ArrayBuffer;
  fn(address: number, params: readonly ("ptr" | "i32")[], result: "void"): (...args: number[]) => unknown;
}

/** Functions `cpuid(out, leaf, subleaf)` and, from `xgetbvAt` on, `xgetbv(out)`. */
function code(windows: boolean): { bytes: Uint8Array; xgetbvAt: number } {
  const { rax, rcx, rdx, rbx, rsi, rdi, r8, r9 } = GPR;
  const [out, leaf, sub] = windows ? [rcx, rdx, r8] : [rdi, rsi, rdx];
  const c = new Code();
  c.push(rbx);
  c.reg(mov | Q, r9, -1, out);
  c.reg(mov, rax, -1, leaf);
  c.reg(mov, rcx, -1, sub);
  c.fixed(cpuid);
  [rax, rbx, rcx, rdx].forEach((r, i) => c.mem(movStore, r, -1, r9, -1, 1, 4 * i));
  c.pop(rbx);
  c.ret();
  c.align(16);
  const xgetbvAt = c.length;
  c.reg(mov | Q, r9, -1, out);
  c.const32(rcx, 0);
  c.xgetbv();
  c.mem(movStore, rax, -1, r9);
  c.ret();
  return { bytes: c.finish(), xgetbvAt };
}

const bit = (word: number, n: number): boolean => ((word >>> n) & 1) === 1;
const all = (word: number, bits: readonly number[]): boolean => bits.every((n) => bit(word, n));

/** Asks this processor. */
export function readCpu(native: CpuidRunner): Cpu {
  const { bytes, xgetbvAt } = code(native.windows);
  const at = native.loadCode(bytes);
  const page = native.allocate(4096);
  try {
    const words = new Uint32Array(native.view(page, 16));
    const ask = native.fn(at, ["ptr", "i32", "i32"], "void");
    const leaf = (number: number, sub = 0): Uint32Array => {
      ask(page, number | 0, sub);
      return words.slice();
    };
    const saved = (): number => {
      native.fn(at + xgetbvAt, ["ptr"], "void")(page);
      return words[0];
    };
    return describe(leaf, saved);
  } finally {
    native.free(page, 4096);
    native.dropCode(at);
  }
}

/** Reads the answers ([eax, ebx, ecx, edx]); `saved` is the mask of registers that the system saves (xgetbv 0). */
export function describe(leaf: (number: number, sub?: number) => Uint32Array, saved: () => number): Cpu {
  const [most, b, c, d] = leaf(0);
  const vendor = text([b, d, c]);
  const highest = leaf(0x80000000)[0];
  const one = leaf(1)[2];
  const seven = most >= 7 ? leaf(7)[1] : 0;
  const extended = highest >= 0x80000001 ? leaf(0x80000001)[2] : 0;
  // FMA, POPCNT, OSXSAVE, AVX
  const xcr0 = all(one, [12, 23, 27, 28]) ? saved() : 0;
  // xmm and ymm are saved; BMI1, AVX2, BMI2; LZCNT
  const avx2 = all(xcr0, [1, 2]) && all(seven, [3, 5, 8]) && bit(extended, 5);
  // Masks and zmm are saved; F, DQ, BW, VL
  const avx512 = avx2 && all(xcr0, [5, 6, 7]) && all(seven, [16, 17, 30, 31]);
  const amd = vendor === "AuthenticAMD" || vendor === "HygonGenuine";
  const cacheLeaf = amd ? 0x8000001d : 4;
  const caches = [0, 0, 0, 0];
  // AMD tells in this form when it has the topology extensions
  if (amd ? highest >= cacheLeaf && bit(extended, 22) : most >= 4) {
    for (let sub = 0; sub < 16; sub++) {
      const [a, size, sets] = leaf(cacheLeaf, sub);
      const [type, level] = [a & 31, (a >>> 5) & 7];
      if (type === 0) break;
      // Data or unified: ways * partitions * bytes of a line * sets
      if (type !== 2 && level < 4)
        caches[level] = ((size >>> 22) + 1) * (((size >>> 12) & 1023) + 1) * ((size & 4095) + 1) * (sets + 1);
    }
  }
  const brand = highest >= 0x80000004 ? text([2, 3, 4].flatMap((n) => [...leaf(0x80000000 + n)])) : vendor;
  // Ticks of the crystal * ebx / eax
  const [under, over, crystal] = most >= 0x15 ? leaf(0x15) : [0, 0, 0];
  const tscHz = under > 0 ? (crystal * over) / under : 0;
  return { vendor, brand, avx2, avx512, l1: caches[1], l2: caches[2], l3: caches[3], tscHz };
}

/** Characters in words, without the padding. */
function text(words: readonly number[]): string {
  const chars = words.flatMap((w) => [w & 255, (w >>> 8) & 255, (w >>> 16) & 255, w >>> 24]);
  return String.fromCharCode(...chars.filter((ch) => ch > 0))
    .replaceAll(/\s+/g, " ")
    .trim();
}
