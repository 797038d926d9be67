// Machine forms of the assembler's operations: type, then operation, to opcode. Values from 0x10000 carry the 0xFD (SIMD) prefix,
// from 0x20000 the 0xFC prefix.

const SIMD = 0x10000;
const MISC = 0x20000;

/** Type, first opcode, and the operations in the order of their opcodes; "_" is an instruction without a use here. */
const RUNS: readonly (readonly [type: string, first: number, ops: string])[] = [
  ["i32", 0x46, "eq ne lt ltU gt gtU le leU ge geU"],
  ["i32", 0x6a, "add sub mul divS divU remS remU and or xor shl shrS shrU"],
  ["i32", 0xb2, "f32FromI32 f32FromU32"],
  ["i32", 0xb7, "f64FromI32 f64FromU32"],
  ["i32", 0xbe, "bitcast"],
  ["f32", 0x5b, "eq ne lt gt le ge"],
  ["f32", 0x8b, "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign"],
  ["f32", 0xbb, "f64FromF32 bitcast"],
  ["f32", MISC + 0x00, "i32FromF32 u32FromF32"],
  ["f64", 0x61, "eq ne lt gt le ge"],
  ["f64", 0x99, "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign"],
  ["f64", 0xb6, "f32FromF64"],
  ["f64", MISC + 0x02, "i32FromF64 u32FromF64"],
  ["vi32", SIMD + 0x37, "eq ne lt ltU gt gtU le leU ge geU"],
  ["vi32", SIMD + 0x4d, "not and andnot or xor"],
  ["vi32", SIMD + 0xa0, "abs neg _ _ bitmask"],
  ["vi32", SIMD + 0xab, "shl shrS shrU add _ _ sub"],
  ["vi32", SIMD + 0xb5, "mul min _ max"],
  ["vi32", SIMD + 0xc7, "maskLow maskHigh"],
  ["vi32", SIMD + 0xfa, "f32FromI32 f32FromU32"],
  ["vf32", SIMD + 0x41, "eq ne lt gt le ge"],
  ["vf32", SIMD + 0x4d, "not and andnot or xor"],
  ["vf32", SIMD + 0x5f, "promoteLow"],
  ["vf32", SIMD + 0x67, "ceil floor trunc nearest"],
  ["vf32", SIMD + 0xe0, "abs neg _ sqrt add sub mul div min max pmin pmax"],
  ["vf32", SIMD + 0xf8, "i32FromF32 u32FromF32"],
  ["vf64", SIMD + 0x47, "eq ne lt gt le ge not and andnot or xor"],
  ["vf64", SIMD + 0x74, "ceil floor"],
  ["vf64", SIMD + 0x7a, "trunc"],
  ["vf64", SIMD + 0x94, "nearest"],
  ["vf64", SIMD + 0xec, "abs neg _ sqrt add sub mul div min max pmin pmax"],
  ["vi64", SIMD + 0x4d, "not and andnot or xor"],
  ["vi64", SIMD + 0xc4, "bitmask"],
];

/** Opcodes by type of the first operand, then by operation. */
export const OPCODE: ReadonlyMap<string, ReadonlyMap<string, number>> = table();

function table(): Map<string, Map<string, number>> {
  const out = new Map<string, Map<string, number>>();
  for (const [type, first, ops] of RUNS) {
    const of = out.get(type) ?? new Map<string, number>();
    out.set(type, of);
    ops.split(" ").forEach((op, i) => {
      if (op !== "_") of.set(op, first + i);
    });
  }
  return out;
}

/** Byte selections of `i8x16.shuffle`; 16.. picks from the second operand. */
const lanes = (width: number, picks: readonly number[]): number[] =>
  picks.flatMap((p) => Array.from({ length: width }, (_, i) => p * width + i));
export const SHUFFLE: Readonly<
  Record<
    "interleaveLow" | "interleaveHigh" | "interleaveLow2" | "interleaveHigh2" | "swapHalves" | "swapPairs" | "lowBytes",
    readonly number[]
  >
> = {
  interleaveLow: lanes(4, [0, 4, 1, 5]),
  interleaveHigh: lanes(4, [2, 6, 3, 7]),
  interleaveLow2: lanes(8, [0, 2]),
  interleaveHigh2: lanes(8, [1, 3]),
  swapHalves: lanes(8, [1, 0]),
  swapPairs: lanes(4, [1, 0, 3, 2]),
  lowBytes: [0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12],
};
