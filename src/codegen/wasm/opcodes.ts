// Machine forms of the assembler's operations: type, then operation, to opcode. Values from 0x10000 carry the 0xFD (SIMD) prefix,
// from 0x20000 the 0xFC prefix.

const SIMD = 0x10000;
const MISC = 0x20000;

type Rows = Record<string, Record<string, number>>;

function table(...tables: readonly [number, Rows][]): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const out = new Map<string, Map<string, number>>();
  for (const [prefix, rows] of tables) {
    for (const [type, ops] of Object.entries(rows)) {
      const of = out.get(type) ?? new Map<string, number>();
      out.set(type, of);
      for (const [op, code] of Object.entries(ops)) of.set(op, prefix + code);
    }
  }
  return out;
}

const BITS: Record<string, number> = { not: 0x4d, and: 0x4e, andnot: 0x4f, or: 0x50, xor: 0x51 };

/** Opcodes by type of the first operand, then by operation. */
export const OPCODE: ReadonlyMap<string, ReadonlyMap<string, number>> = table(
  [
    0,
    {
      i32: {
        eq: 0x46,
        ne: 0x47,
        lt: 0x48,
        ltU: 0x49,
        gt: 0x4a,
        gtU: 0x4b,
        le: 0x4c,
        leU: 0x4d,
        ge: 0x4e,
        geU: 0x4f,
        add: 0x6a,
        sub: 0x6b,
        mul: 0x6c,
        divS: 0x6d,
        divU: 0x6e,
        remS: 0x6f,
        remU: 0x70,
        and: 0x71,
        or: 0x72,
        xor: 0x73,
        shl: 0x74,
        shrS: 0x75,
        shrU: 0x76,
        f32FromI32: 0xb2,
        f32FromU32: 0xb3,
        f64FromI32: 0xb7,
        f64FromU32: 0xb8,
        bitcast: 0xbe,
      },
      f32: {
        eq: 0x5b,
        ne: 0x5c,
        lt: 0x5d,
        gt: 0x5e,
        le: 0x5f,
        ge: 0x60,
        abs: 0x8b,
        neg: 0x8c,
        ceil: 0x8d,
        floor: 0x8e,
        trunc: 0x8f,
        nearest: 0x90,
        sqrt: 0x91,
        add: 0x92,
        sub: 0x93,
        mul: 0x94,
        div: 0x95,
        min: 0x96,
        max: 0x97,
        copysign: 0x98,
        f64FromF32: 0xbb,
        bitcast: 0xbc,
      },
      f64: {
        eq: 0x61,
        ne: 0x62,
        lt: 0x63,
        gt: 0x64,
        le: 0x65,
        ge: 0x66,
        abs: 0x99,
        neg: 0x9a,
        ceil: 0x9b,
        floor: 0x9c,
        trunc: 0x9d,
        nearest: 0x9e,
        sqrt: 0x9f,
        add: 0xa0,
        sub: 0xa1,
        mul: 0xa2,
        div: 0xa3,
        min: 0xa4,
        max: 0xa5,
        copysign: 0xa6,
        f32FromF64: 0xb6,
      },
    },
  ],
  [MISC, { f32: { i32FromF32: 0, u32FromF32: 1 }, f64: { i32FromF64: 2, u32FromF64: 3 } }],
  [
    SIMD,
    {
      vi32: {
        eq: 0x37,
        ne: 0x38,
        lt: 0x39,
        ltU: 0x3a,
        gt: 0x3b,
        gtU: 0x3c,
        le: 0x3d,
        leU: 0x3e,
        ge: 0x3f,
        geU: 0x40,
        abs: 0xa0,
        neg: 0xa1,
        bitmask: 0xa4,
        shl: 0xab,
        shrS: 0xac,
        shrU: 0xad,
        add: 0xae,
        sub: 0xb1,
        mul: 0xb5,
        min: 0xb6,
        max: 0xb8,
        f32FromI32: 0xfa,
        f32FromU32: 0xfb,
        f64FromI32Low: 0xfe,
        maskLow: 0xc7,
        maskHigh: 0xc8,
      },
      vf32: {
        eq: 0x41,
        ne: 0x42,
        lt: 0x43,
        gt: 0x44,
        le: 0x45,
        ge: 0x46,
        ceil: 0x67,
        floor: 0x68,
        trunc: 0x69,
        nearest: 0x6a,
        abs: 0xe0,
        neg: 0xe1,
        sqrt: 0xe3,
        add: 0xe4,
        sub: 0xe5,
        mul: 0xe6,
        div: 0xe7,
        min: 0xe8,
        max: 0xe9,
        pmin: 0xea,
        pmax: 0xeb,
        i32FromF32: 0xf8,
        u32FromF32: 0xf9,
        promoteLow: 0x5f,
      },
      vf64: {
        eq: 0x47,
        ne: 0x48,
        lt: 0x49,
        gt: 0x4a,
        le: 0x4b,
        ge: 0x4c,
        ceil: 0x74,
        floor: 0x75,
        trunc: 0x7a,
        nearest: 0x94,
        abs: 0xec,
        neg: 0xed,
        sqrt: 0xef,
        add: 0xf0,
        sub: 0xf1,
        mul: 0xf2,
        div: 0xf3,
        min: 0xf4,
        max: 0xf5,
        pmin: 0xf6,
        pmax: 0xf7,
      },
      vi64: { bitmask: 0xc4 },
    },
  ],
  [SIMD, { vf32: BITS, vi32: BITS, vf64: BITS, vi64: BITS }],
);

/** SIMD opcodes (after the 0xFD prefix) that the encoder names directly. */
export const V = {
  load: 0x00,
  store: 0x0b,
  const: 0x0c,
  shuffle: 0x0d,
  loadSplat32: 0x09,
  loadSplat64: 0x0a,
  splatI32: 0x11,
  splatF32: 0x13,
  splatF64: 0x14,
  extractI32: 0x1b,
  insertI32: 0x1c,
  extractF32: 0x1f,
  insertF32: 0x20,
  extractF64: 0x21,
  insertF64: 0x22,
  bitselect: 0x52,
  load8Lane: 0x54,
  load16Lane: 0x55,
  load32Lane: 0x56,
  store8Lane: 0x58,
  store16Lane: 0x59,
  store32Lane: 0x5a,
  store64Lane: 0x5b,
  load32Zero: 0x5c,
  load64Zero: 0x5d,
  demote: 0x5e,
  promoteLow: 0x5f,
  widen8: 0x89,
  widen16: 0xa9,
  truncF64: 0xfc,
  f64FromI32Low: 0xfe,
  maddF32: 0x105,
  nmaddF32: 0x106,
  maddF64: 0x107,
  nmaddF64: 0x108,
  laneSelect32: 0x10b,
  laneSelect64: 0x10c,
  addF32: 0xe4,
  mulF32: 0xe6,
  subF32: 0xe5,
} as const;

/** Byte selections of `i8x16.shuffle`; 16.. picks from the second operand. */
const lanes = (width: number, picks: readonly number[]): number[] =>
  picks.flatMap((p) => Array.from({ length: width }, (_, i) => p * width + i));
export const SHUFFLE: Readonly<
  Record<
    | "interleaveLow"
    | "interleaveHigh"
    | "interleaveLow2"
    | "interleaveHigh2"
    | "swapHalves"
    | "swapPairs"
    | "even32"
    | "lowBytes",
    readonly number[]
  >
> = {
  interleaveLow: lanes(4, [0, 4, 1, 5]),
  interleaveHigh: lanes(4, [2, 6, 3, 7]),
  interleaveLow2: lanes(8, [0, 2]),
  interleaveHigh2: lanes(8, [1, 3]),
  swapHalves: lanes(8, [1, 0]),
  swapPairs: lanes(4, [1, 0, 3, 2]),
  even32: lanes(4, [0, 2, 4, 6]),
  lowBytes: [0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12],
};
