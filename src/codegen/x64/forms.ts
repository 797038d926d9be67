// Instruction forms of x86-64: each is one integer that says all that the encoder must know. Adding an instruction is one row.

/**
 * Opcode, prefixes, operand order and tuple of one instruction. The vector length (`Y`, `Z`; none is 128 bits or scalar) and,
 * for general registers, the 64-bit size (`Q`) are added by the caller: `F.vaddps | Z`, `F.add | Q`. A row gives the length
 * itself where the instruction has only one. Rows named ...Store take memory or the destination in r/m.
 */
export type Form = number;

// Layout: opcode 0..7, map 8..9, prefix 10..11, encoding 12..13, VEX.W 14, EVEX.W 15, length 16..17, order 18..20,
// digit 21..23, immediate 24..25, tuple 26..29 (log2 of disp8's unit; +8: plus the length), byte operand 30.

// Map of opcodes: 0F, 0F 38, 0F 3A
const M1 = 1 << 8;
const M2 = 2 << 8;
const M3 = 3 << 8;
const P66 = 1 << 10;
const PF3 = 2 << 10;
const PF2 = 3 << 10;
// None of the three: the legacy encoding
const VEX = 1 << 12;
const EVEX = 2 << 12;
const BOTH = 3 << 12;
const VW = 1 << 14;
const EW = 1 << 15;
const W = VW | EW;
/** 256-bit vectors. */
export const Y: number = 1 << 16;
/** 512-bit vectors. */
export const Z: number = 2 << 16;
/** 64-bit general registers, in legacy rows. */
export const Q: number = 1 << 16;

// Order: destination in reg and source in r/m unless said otherwise
/** reg, vvvv, r/m */
const RVM = 1 << 18;
/** r/m, reg */
const MR = 2 << 18;
/** vvvv, r/m, with a digit in reg */
const VM = 3 << 18;
/** r/m alone, with a digit in reg */
const M = 4 << 18;
/** reg, r/m, vvvv */
const RMV = 5 << 18;
/** reg, vvvv, r/m, and the vector `k` in the immediate */
const RVMK = 6 << 18;
/** No operands. */
const FIXED = 7 << 18;
const D1 = 1 << 21;
const D2 = 2 << 21;
const D3 = 3 << 21;
const D4 = 4 << 21;
const D5 = 5 << 21;
const D6 = 6 << 21;
const D7 = 7 << 21;
/** 8-bit immediate. */
const IB = 1 << 24;
/** 32-bit immediate; opcode + 2 takes 8 bits. */
const IZ = 2 << 24;
/** 32-bit immediate only. */
const ID = 3 << 24;
// Bytes that one step of an EVEX disp8 counts
const N1 = 0;
const N2 = 1 << 26;
const N4 = 2 << 26;
const N8 = 3 << 26;
const N16 = 4 << 26;
const N32 = 5 << 26;
const QUARTER = (2 + 8) << 26;
const HALF = (3 + 8) << 26;
const FULL = (4 + 8) << 26;
/** The r/m register (in stores the stored one) is a byte. */
const BYTE = 1 << 30;

const PS = BOTH | RVM | M1 | FULL;
const PD = PS | P66 | EW;
const SS = BOTH | RVM | M1 | PF3 | N4;
const SD = BOTH | RVM | M1 | PF2 | EW | N8;
/** Packed 32-bit integers of the map 0F and of 0F 38; with EW for 64-bit ones. */
const I1 = BOTH | RVM | M1 | P66 | FULL;
const I2 = BOTH | RVM | M2 | P66 | FULL;
const E3 = EVEX | RVM | M3 | P66 | FULL;

// ---- floats ----
export const vaddps: Form = PS | 0x58;
export const vaddpd: Form = PD | 0x58;
export const vaddss: Form = SS | 0x58;
export const vaddsd: Form = SD | 0x58;
export const vsubps: Form = PS | 0x5c;
export const vsubpd: Form = PD | 0x5c;
export const vsubss: Form = SS | 0x5c;
export const vsubsd: Form = SD | 0x5c;
export const vmulps: Form = PS | 0x59;
export const vmulpd: Form = PD | 0x59;
export const vmulss: Form = SS | 0x59;
export const vmulsd: Form = SD | 0x59;
export const vdivps: Form = PS | 0x5e;
export const vdivpd: Form = PD | 0x5e;
export const vdivss: Form = SS | 0x5e;
export const vdivsd: Form = SD | 0x5e;
export const vminps: Form = PS | 0x5d;
export const vminpd: Form = PD | 0x5d;
export const vminss: Form = SS | 0x5d;
export const vminsd: Form = SD | 0x5d;
export const vmaxps: Form = PS | 0x5f;
export const vmaxpd: Form = PD | 0x5f;
export const vmaxss: Form = SS | 0x5f;
export const vmaxsd: Form = SD | 0x5f;
export const vsqrtps: Form = BOTH | M1 | FULL | 0x51;
export const vsqrtpd: Form = BOTH | M1 | P66 | EW | FULL | 0x51;
export const vsqrtss: Form = SS | 0x51;
export const vsqrtsd: Form = SD | 0x51;
// Bits of floats
export const vandps: Form = PS | 0x54;
export const vandpd: Form = PD | 0x54;
export const vandnps: Form = PS | 0x55;
export const vandnpd: Form = PD | 0x55;
export const vorps: Form = PS | 0x56;
export const vorpd: Form = PD | 0x56;
export const vxorps: Form = PS | 0x57;
export const vxorpd: Form = PD | 0x57;
// Immediate: 0 nearest even, 1 floor, 2 ceil, 3 trunc, +8 without the inexact exception
export const vroundps: Form = VEX | M3 | P66 | IB | 0x08;
export const vroundpd: Form = VEX | M3 | P66 | IB | 0x09;
export const vroundss: Form = VEX | RVM | M3 | P66 | IB | 0x0a;
export const vroundsd: Form = VEX | RVM | M3 | P66 | IB | 0x0b;
/** x · 2^⌊y⌋ */
export const vscalefps: Form = RVM | EVEX | M2 | P66 | FULL | 0x2c;
/** x less its rounding. */
export const vreduceps: Form = EVEX | M3 | P66 | IB | FULL | 0x56;
export const vrndscaleps: Form = EVEX | M3 | P66 | IB | FULL | 0x08;
export const vrndscalepd: Form = EVEX | M3 | P66 | EW | IB | FULL | 0x09;
export const vrndscaless: Form = EVEX | RVM | M3 | P66 | IB | N4 | 0x0a;
export const vrndscalesd: Form = EVEX | RVM | M3 | P66 | EW | IB | N8 | 0x0b;

// ---- fused multiply-add: 132 is dst*rm + src1, 213 is src1*dst + rm, 231 is src1*rm + dst ----
export const vfmadd132ps: Form = I2 | 0x98;
export const vfmadd132pd: Form = I2 | W | 0x98;
export const vfmadd132ss: Form = BOTH | RVM | M2 | P66 | N4 | 0x99;
export const vfmadd132sd: Form = BOTH | RVM | M2 | P66 | W | N8 | 0x99;
export const vfmadd213ps: Form = I2 | 0xa8;
export const vfmadd213pd: Form = I2 | W | 0xa8;
export const vfmadd213ss: Form = BOTH | RVM | M2 | P66 | N4 | 0xa9;
export const vfmadd213sd: Form = BOTH | RVM | M2 | P66 | W | N8 | 0xa9;
export const vfmadd231ps: Form = I2 | 0xb8;
export const vfmadd231pd: Form = I2 | W | 0xb8;
export const vfmadd231ss: Form = BOTH | RVM | M2 | P66 | N4 | 0xb9;
export const vfmadd231sd: Form = BOTH | RVM | M2 | P66 | W | N8 | 0xb9;
export const vfnmadd132ps: Form = I2 | 0x9c;
export const vfnmadd132pd: Form = I2 | W | 0x9c;
export const vfnmadd132ss: Form = BOTH | RVM | M2 | P66 | N4 | 0x9d;
export const vfnmadd132sd: Form = BOTH | RVM | M2 | P66 | W | N8 | 0x9d;
export const vfnmadd213ps: Form = I2 | 0xac;
export const vfnmadd213pd: Form = I2 | W | 0xac;
export const vfnmadd213ss: Form = BOTH | RVM | M2 | P66 | N4 | 0xad;
export const vfnmadd213sd: Form = BOTH | RVM | M2 | P66 | W | N8 | 0xad;
export const vfnmadd231ps: Form = I2 | 0xbc;
export const vfnmadd231pd: Form = I2 | W | 0xbc;
export const vfnmadd231ss: Form = BOTH | RVM | M2 | P66 | N4 | 0xbd;
export const vfnmadd231sd: Form = BOTH | RVM | M2 | P66 | W | N8 | 0xbd;

// ---- comparisons; immediate of floats: CMP, of integers: 0 eq, 1 lt, 2 le, 4 ne, 5 ge, 6 gt ----
export const vcmpps: Form = VEX | RVM | M1 | IB | 0xc2;
export const vcmppd: Form = VEX | RVM | M1 | P66 | IB | 0xc2;
export const vcmpss: Form = VEX | RVM | M1 | PF3 | IB | 0xc2;
export const vcmpsd: Form = VEX | RVM | M1 | PF2 | IB | 0xc2;
export const vpcmpeqd: Form = VEX | RVM | M1 | P66 | 0x76;
export const vpcmpeqq: Form = VEX | RVM | M2 | P66 | 0x29;
export const vpcmpgtd: Form = VEX | RVM | M1 | P66 | 0x66;
export const vpcmpgtq: Form = VEX | RVM | M2 | P66 | 0x37;
/** To a mask register (dst), as all rows ...K. */
export const vcmppsK: Form = EVEX | RVM | M1 | IB | FULL | 0xc2;
export const vcmppdK: Form = EVEX | RVM | M1 | P66 | EW | IB | FULL | 0xc2;
export const vcmpssK: Form = EVEX | RVM | M1 | PF3 | IB | N4 | 0xc2;
export const vcmpsdK: Form = EVEX | RVM | M1 | PF2 | EW | IB | N8 | 0xc2;
export const vpcmpdK: Form = E3 | IB | 0x1f;
export const vpcmpudK: Form = E3 | IB | 0x1e;
export const vpcmpqK: Form = E3 | EW | IB | 0x1f;
export const vpcmpuqK: Form = E3 | EW | IB | 0x1e;
export const vptestmdK: Form = EVEX | RVM | M2 | P66 | FULL | 0x27;
export const vptestmqK: Form = EVEX | RVM | M2 | P66 | EW | FULL | 0x27;
export const vptestnmdK: Form = EVEX | RVM | M2 | PF3 | FULL | 0x27;
/** Top bits of lanes to a mask register, and back to lanes of all ones or zeros. */
export const vpmovd2mK: Form = EVEX | M2 | PF3 | 0x39;
export const vpmovq2mK: Form = EVEX | M2 | PF3 | EW | 0x39;
export const vpmovm2d: Form = EVEX | M2 | PF3 | 0x38;
export const vpmovm2q: Form = EVEX | M2 | PF3 | EW | 0x38;
/** To the flags. */
export const vucomiss: Form = BOTH | M1 | N4 | 0x2e;
export const vucomisd: Form = BOTH | M1 | P66 | EW | N8 | 0x2e;
export const vptest: Form = VEX | M2 | P66 | 0x17;
/** Top bits of lanes to a general register. */
export const vmovmskps: Form = VEX | M1 | 0x50;
export const vmovmskpd: Form = VEX | M1 | P66 | 0x50;

// ---- mask registers: w has 16 bits, b 8 ----
export const kmovw: Form = VEX | M1 | 0x90;
export const kmovb: Form = VEX | M1 | P66 | 0x90;
export const kmovwStore: Form = VEX | MR | M1 | 0x91;
export const kmovbStore: Form = VEX | MR | M1 | P66 | 0x91;
/** From a general register, and to one (zero-extended). */
export const kmovwFrom: Form = VEX | M1 | 0x92;
export const kmovbFrom: Form = VEX | M1 | P66 | 0x92;
export const kmovwTo: Form = VEX | M1 | 0x93;
export const kmovbTo: Form = VEX | M1 | P66 | 0x93;
export const kandw: Form = VEX | RVM | M1 | Y | 0x41;
export const kandb: Form = VEX | RVM | M1 | P66 | Y | 0x41;
/** ~src1 & src2 */
export const kandnw: Form = VEX | RVM | M1 | Y | 0x42;
export const kandnb: Form = VEX | RVM | M1 | P66 | Y | 0x42;
export const knotw: Form = VEX | M1 | 0x44;
export const knotb: Form = VEX | M1 | P66 | 0x44;
export const korw: Form = VEX | RVM | M1 | Y | 0x45;
export const korb: Form = VEX | RVM | M1 | P66 | Y | 0x45;
export const kxnorw: Form = VEX | RVM | M1 | Y | 0x46;
export const kxnorb: Form = VEX | RVM | M1 | P66 | Y | 0x46;
export const kxorw: Form = VEX | RVM | M1 | Y | 0x47;
export const kxorb: Form = VEX | RVM | M1 | P66 | Y | 0x47;
export const kortestw: Form = VEX | M1 | 0x98;
export const kortestb: Form = VEX | M1 | P66 | 0x98;
export const kshiftlw: Form = VEX | M3 | P66 | VW | IB | 0x32;
export const kshiftrw: Form = VEX | M3 | P66 | VW | IB | 0x30;
export const kshiftlb: Form = VEX | M3 | P66 | IB | 0x32;
export const kshiftrb: Form = VEX | M3 | P66 | IB | 0x30;
/** src1 << 8 | src2 */
export const kunpckbw: Form = VEX | RVM | M1 | P66 | Y | 0x4b;

// ---- selection: ...v by the top bits of vector k, ...m by mask k (set: src2) ----
export const vblendvps: Form = VEX | RVMK | M3 | P66 | 0x4a;
export const vblendvpd: Form = VEX | RVMK | M3 | P66 | 0x4b;
export const vpblendvb: Form = VEX | RVMK | M3 | P66 | 0x4c;
export const vblendmps: Form = EVEX | RVM | M2 | P66 | FULL | 0x65;
export const vblendmpd: Form = EVEX | RVM | M2 | P66 | EW | FULL | 0x65;
export const vpblendmd: Form = EVEX | RVM | M2 | P66 | FULL | 0x64;
export const vpblendmq: Form = EVEX | RVM | M2 | P66 | EW | FULL | 0x64;
export const vblendps: Form = VEX | RVM | M3 | P66 | IB | 0x0c;
export const vblendpd: Form = VEX | RVM | M3 | P66 | IB | 0x0d;
export const vpblendd: Form = VEX | RVM | M3 | P66 | IB | 0x02;

// ---- integers ----
export const vpaddd: Form = I1 | 0xfe;
export const vpaddq: Form = I1 | EW | 0xd4;
export const vpsubd: Form = I1 | 0xfa;
export const vpsubq: Form = I1 | EW | 0xfb;
export const vpmulld: Form = I2 | 0x40;
export const vpmuludq: Form = I1 | EW | 0xf4;
export const vpminsd: Form = I2 | 0x39;
export const vpmaxsd: Form = I2 | 0x3d;
export const vpminud: Form = I2 | 0x3b;
export const vpmaxud: Form = I2 | 0x3f;
export const vpabsd: Form = BOTH | M2 | P66 | FULL | 0x1e;
/** The EVEX encodings of these four are vpandd, vpandnd, vpord, vpxord. vpandn is ~src1 & src2. */
export const vpand: Form = I1 | 0xdb;
export const vpandn: Form = I1 | 0xdf;
export const vpor: Form = I1 | 0xeb;
export const vpxor: Form = I1 | 0xef;
/** The same with 64-bit lanes for mask and broadcast. */
export const vpandq: Form = I1 | EW | 0xdb;
export const vpandnq: Form = I1 | EW | 0xdf;
export const vporq: Form = I1 | EW | 0xeb;
export const vpxorq: Form = I1 | EW | 0xef;
/** Any function of three bits: immediate bit 4*dst + 2*src1 + src2. */
export const vpternlogd: Form = E3 | IB | 0x25;
export const vpternlogq: Form = E3 | EW | IB | 0x25;
export const vpslldImm: Form = BOTH | VM | M1 | P66 | IB | FULL | D6 | 0x72;
export const vpsrldImm: Form = BOTH | VM | M1 | P66 | IB | FULL | D2 | 0x72;
export const vpsradImm: Form = BOTH | VM | M1 | P66 | IB | FULL | D4 | 0x72;
export const vpsllqImm: Form = BOTH | VM | M1 | P66 | EW | IB | FULL | D6 | 0x73;
export const vpsrlqImm: Form = BOTH | VM | M1 | P66 | EW | IB | FULL | D2 | 0x73;
/** By the low 64 bits of an xmm register. */
export const vpslld: Form = BOTH | RVM | M1 | P66 | N16 | 0xf2;
export const vpsrld: Form = BOTH | RVM | M1 | P66 | N16 | 0xd2;
export const vpsrad: Form = BOTH | RVM | M1 | P66 | N16 | 0xe2;
/** By a count for each lane. */
export const vpsllvd: Form = I2 | 0x47;
export const vpsrlvd: Form = I2 | 0x45;
export const vpsravd: Form = I2 | 0x46;

// ---- conversions; the length is that of the wider side ----
export const vcvtdq2ps: Form = BOTH | M1 | FULL | 0x5b;
export const vcvtudq2ps: Form = EVEX | M1 | PF2 | FULL | 0x7a;
export const vcvttps2dq: Form = BOTH | M1 | PF3 | FULL | 0x5b;
export const vcvttps2udq: Form = EVEX | M1 | FULL | 0x78;
export const vcvtdq2pd: Form = BOTH | M1 | PF3 | HALF | 0xe6;
export const vcvtudq2pd: Form = EVEX | M1 | PF3 | HALF | 0x7a;
export const vcvttpd2dq: Form = BOTH | M1 | P66 | EW | FULL | 0xe6;
export const vcvttpd2udq: Form = EVEX | M1 | EW | FULL | 0x78;
export const vcvtps2pd: Form = BOTH | M1 | HALF | 0x5a;
export const vcvtpd2ps: Form = BOTH | M1 | P66 | EW | FULL | 0x5a;
export const vcvtss2sd: Form = BOTH | RVM | M1 | PF3 | N4 | 0x5a;
export const vcvtsd2ss: Form = BOTH | RVM | M1 | PF2 | EW | N8 | 0x5a;
/** From and to general registers; ...Q: 64-bit ones. */
export const vcvtsi2ss: Form = BOTH | RVM | M1 | PF3 | N4 | 0x2a;
export const vcvtsi2ssQ: Form = BOTH | RVM | M1 | PF3 | W | N8 | 0x2a;
export const vcvtsi2sd: Form = BOTH | RVM | M1 | PF2 | N4 | 0x2a;
export const vcvtsi2sdQ: Form = BOTH | RVM | M1 | PF2 | W | N8 | 0x2a;
export const vcvttss2si: Form = BOTH | M1 | PF3 | N4 | 0x2c;
export const vcvttss2siQ: Form = BOTH | M1 | PF3 | W | N4 | 0x2c;
export const vcvttsd2si: Form = BOTH | M1 | PF2 | N8 | 0x2c;
export const vcvttsd2siQ: Form = BOTH | M1 | PF2 | W | N8 | 0x2c;
export const vcvtusi2ss: Form = EVEX | RVM | M1 | PF3 | N4 | 0x7b;
export const vcvtusi2sd: Form = EVEX | RVM | M1 | PF2 | N4 | 0x7b;
export const vcvttss2usi: Form = EVEX | M1 | PF3 | N4 | 0x78;
export const vcvttsd2usi: Form = EVEX | M1 | PF2 | N8 | 0x78;
/** Zero and sign extension of the low lanes, or of memory. */
export const vpmovzxbd: Form = BOTH | M2 | P66 | QUARTER | 0x31;
export const vpmovsxbd: Form = BOTH | M2 | P66 | QUARTER | 0x21;
export const vpmovzxdq: Form = BOTH | M2 | P66 | HALF | 0x35;
export const vpmovsxdq: Form = BOTH | M2 | P66 | HALF | 0x25;
/** Low parts of lanes to r/m: half, a quarter of the length. */
export const vpmovqdStore: Form = EVEX | MR | M2 | PF3 | HALF | 0x35;
export const vpmovdbStore: Form = EVEX | MR | M2 | PF3 | QUARTER | 0x31;
export const vpackssdw: Form = BOTH | RVM | M1 | P66 | FULL | 0x6b;
export const vpacksswb: Form = BOTH | RVM | M1 | P66 | FULL | 0x63;
export const vpackuswb: Form = BOTH | RVM | M1 | P66 | FULL | 0x67;
export const vpshufb: Form = BOTH | RVM | M2 | P66 | FULL | 0x00;

// ---- broadcasts: r/m is an xmm register or memory; ...Gpr: a general register ----
export const vbroadcastss: Form = BOTH | M2 | P66 | N4 | 0x18;
export const vbroadcastsd: Form = BOTH | M2 | P66 | EW | N8 | 0x19;
export const vpbroadcastd: Form = BOTH | M2 | P66 | N4 | 0x58;
export const vpbroadcastq: Form = BOTH | M2 | P66 | EW | N8 | 0x59;
export const vpbroadcastb: Form = BOTH | M2 | P66 | N1 | 0x78;
export const vpbroadcastdGpr: Form = EVEX | M2 | P66 | 0x7c;
export const vpbroadcastqGpr: Form = EVEX | M2 | P66 | EW | 0x7c;
/** 16 and 32 bytes of memory. */
export const vbroadcastf128: Form = BOTH | M2 | P66 | N16 | 0x1a;
export const vbroadcastf64x4: Form = EVEX | M2 | P66 | EW | N32 | 0x1b;

// ---- lanes ----
export const vshufps: Form = PS | IB | 0xc6;
export const vshufpd: Form = PD | IB | 0xc6;
export const vpshufd: Form = BOTH | M1 | P66 | IB | FULL | 0x70;
export const vpermilps: Form = BOTH | M3 | P66 | IB | FULL | 0x04;
export const vpermilpd: Form = BOTH | M3 | P66 | EW | IB | FULL | 0x05;
export const vmovshdup: Form = BOTH | M1 | PF3 | FULL | 0x16;
export const vmovsldup: Form = BOTH | M1 | PF3 | FULL | 0x12;
export const vunpcklps: Form = PS | 0x14;
export const vunpckhps: Form = PS | 0x15;
export const vunpcklpd: Form = PD | 0x14;
export const vunpckhpd: Form = PD | 0x15;
export const vpunpckldq: Form = I1 | 0x62;
export const vpunpckhdq: Form = I1 | 0x6a;
export const vpunpcklqdq: Form = I1 | EW | 0x6c;
export const vpunpckhqdq: Form = I1 | EW | 0x6d;
/** src1 holds the lane numbers. */
export const vpermps: Form = I2 | 0x16;
export const vpermd: Form = I2 | 0x36;
export const vpermpd: Form = EVEX | RVM | M2 | P66 | EW | FULL | 0x16;
export const vpermpdImm: Form = BOTH | M3 | P66 | W | IB | FULL | 0x01;
export const vpermqImm: Form = BOTH | M3 | P66 | W | IB | FULL | 0x00;
/** Lanes of two vectors: i2 has the numbers in dst, t2 in src1. */
export const vpermi2ps: Form = EVEX | RVM | M2 | P66 | FULL | 0x77;
export const vpermi2pd: Form = EVEX | RVM | M2 | P66 | EW | FULL | 0x77;
export const vpermt2ps: Form = EVEX | RVM | M2 | P66 | FULL | 0x7f;
export const vpermt2pd: Form = EVEX | RVM | M2 | P66 | EW | FULL | 0x7f;
/** Blocks of 128 bits. */
export const vperm2f128: Form = VEX | RVM | M3 | P66 | Y | IB | 0x06;
export const vperm2i128: Form = VEX | RVM | M3 | P66 | Y | IB | 0x46;
export const vshuff32x4: Form = E3 | IB | 0x23;
export const vshuff64x2: Form = E3 | EW | IB | 0x23;
export const vinsertf128: Form = BOTH | RVM | M3 | P66 | IB | N16 | 0x18;
export const vinserti128: Form = BOTH | RVM | M3 | P66 | IB | N16 | 0x38;
export const vinsertf64x4: Form = EVEX | RVM | M3 | P66 | EW | IB | N32 | 0x1a;
export const vextractf128Store: Form = BOTH | MR | M3 | P66 | IB | N16 | 0x19;
export const vextracti128Store: Form = BOTH | MR | M3 | P66 | IB | N16 | 0x39;
export const vextractf64x4Store: Form = EVEX | MR | M3 | P66 | EW | IB | N32 | 0x1b;
/** One lane of an xmm register. */
export const vinsertps: Form = BOTH | RVM | M3 | P66 | IB | N4 | 0x21;
export const vextractpsStore: Form = BOTH | MR | M3 | P66 | IB | N4 | 0x17;
export const vpinsrb: Form = BOTH | RVM | M3 | P66 | IB | N1 | 0x20;
export const vpinsrw: Form = BOTH | RVM | M1 | P66 | IB | N2 | 0xc4;
export const vpinsrd: Form = BOTH | RVM | M3 | P66 | IB | N4 | 0x22;
export const vpinsrq: Form = BOTH | RVM | M3 | P66 | W | IB | N8 | 0x22;
export const vpextrbStore: Form = BOTH | MR | M3 | P66 | IB | N1 | 0x14;
export const vpextrwStore: Form = BOTH | MR | M3 | P66 | IB | N2 | 0x15;
export const vpextrdStore: Form = BOTH | MR | M3 | P66 | IB | N4 | 0x16;
export const vpextrqStore: Form = BOTH | MR | M3 | P66 | W | IB | N8 | 0x16;
/** dst = low of src1, low of src2; dst = high of src2, high of src1. */
export const vmovlhps: Form = BOTH | RVM | M1 | 0x16;
export const vmovhlps: Form = BOTH | RVM | M1 | 0x12;
/** The two upper lanes from and to memory. */
export const vmovhps: Form = BOTH | RVM | M1 | N8 | 0x16;
export const vmovhpsStore: Form = BOTH | MR | M1 | N8 | 0x17;
export const vpalignr: Form = BOTH | RVM | M3 | P66 | IB | FULL | 0x0f;
export const valignd: Form = E3 | IB | 0x03;

// ---- moves ----
export const vmovups: Form = BOTH | M1 | FULL | 0x10;
export const vmovupsStore: Form = BOTH | MR | M1 | FULL | 0x11;
export const vmovupd: Form = BOTH | M1 | P66 | EW | FULL | 0x10;
export const vmovupdStore: Form = BOTH | MR | M1 | P66 | EW | FULL | 0x11;
export const vmovaps: Form = BOTH | M1 | FULL | 0x28;
export const vmovapsStore: Form = BOTH | MR | M1 | FULL | 0x29;
export const vmovapd: Form = BOTH | M1 | P66 | EW | FULL | 0x28;
/** Past the caches, aligned. */
export const vmovntpsStore: Form = BOTH | MR | M1 | FULL | 0x2b;
/** The EVEX encodings are vmovdqu32 and, with W, vmovdqu64. */
export const vmovdqu: Form = BOTH | M1 | PF3 | FULL | 0x6f;
export const vmovdquStore: Form = BOTH | MR | M1 | PF3 | FULL | 0x7f;
export const vmovdqu64: Form = BOTH | M1 | PF3 | EW | FULL | 0x6f;
export const vmovdqu64Store: Form = BOTH | MR | M1 | PF3 | EW | FULL | 0x7f;
export const vmovdqa: Form = BOTH | M1 | P66 | FULL | 0x6f;
/** Memory only: one element, zeros above. */
export const vmovss: Form = BOTH | M1 | PF3 | N4 | 0x10;
export const vmovssStore: Form = BOTH | MR | M1 | PF3 | N4 | 0x11;
export const vmovsd: Form = BOTH | M1 | PF2 | EW | N8 | 0x10;
export const vmovsdStore: Form = BOTH | MR | M1 | PF2 | EW | N8 | 0x11;
/** Registers only: low element of src2, the others of src1. */
export const vmovssMerge: Form = BOTH | RVM | M1 | PF3 | 0x10;
export const vmovsdMerge: Form = BOTH | RVM | M1 | PF2 | EW | 0x10;
/** xmm from and to a general register or memory. */
export const vmovd: Form = BOTH | M1 | P66 | N4 | 0x6e;
export const vmovdStore: Form = BOTH | MR | M1 | P66 | N4 | 0x7e;
export const vmovq: Form = BOTH | M1 | P66 | W | N8 | 0x6e;
export const vmovqStore: Form = BOTH | MR | M1 | P66 | W | N8 | 0x7e;
/** Lanes whose mask (src1, a vector) has the top bit; src1 also in the store. */
export const vmaskmovps: Form = VEX | RVM | M2 | P66 | 0x2c;
export const vmaskmovpd: Form = VEX | RVM | M2 | P66 | 0x2d;
export const vmaskmovpsStore: Form = VEX | RVM | M2 | P66 | 0x2e;
export const vmaskmovpdStore: Form = VEX | RVM | M2 | P66 | 0x2f;
/** Memory with a vector as index. AVX2: src1 is the mask, which is cleared; AVX-512: k, cleared too. */
export const vgatherdps: Form = VEX | RVM | M2 | P66 | 0x92;
export const vgatherdpsK: Form = EVEX | M2 | P66 | N4 | 0x92;
export const vzeroupper: Form = VEX | FIXED | M1 | 0x77;

// ---- general registers ----
export const mov: Form = 0x8b;
export const movStore: Form = MR | 0x89;
/** Sign-extended with Q. See also Code.const32 and const64. */
export const movImm: Form = M | ID | 0xc7;
export const mov8Store: Form = MR | BYTE | 0x88;
export const mov16Store: Form = MR | P66 | 0x89;
export const movzx8: Form = M1 | BYTE | 0xb6;
export const movzx16: Form = M1 | 0xb7;
export const movsx8: Form = M1 | BYTE | 0xbe;
export const movsx16: Form = M1 | 0xbf;
/** i32 to i64. */
export const movsxd: Form = Q | 0x63;
export const lea: Form = 0x8d;
export const add: Form = 0x03;
export const addStore: Form = MR | 0x01;
export const addImm: Form = M | IZ | 0x81;
export const or: Form = 0x0b;
export const orStore: Form = MR | 0x09;
export const orImm: Form = M | D1 | IZ | 0x81;
export const and: Form = 0x23;
export const andStore: Form = MR | 0x21;
export const andImm: Form = M | D4 | IZ | 0x81;
export const sub: Form = 0x2b;
export const subStore: Form = MR | 0x29;
export const subImm: Form = M | D5 | IZ | 0x81;
export const xor: Form = 0x33;
export const xorStore: Form = MR | 0x31;
export const xorImm: Form = M | D6 | IZ | 0x81;
export const cmp: Form = 0x3b;
/** Compares r/m (left) with reg. */
export const cmpStore: Form = MR | 0x39;
export const cmpImm: Form = M | D7 | IZ | 0x81;
export const testStore: Form = MR | 0x85;
export const testImm: Form = M | ID | 0xf7;
export const imul: Form = M1 | 0xaf;
/** reg = r/m * immediate. */
export const imulImm: Form = IZ | 0x69;
export const not: Form = M | D2 | 0xf7;
export const neg: Form = M | D3 | 0xf7;
/** rdx:rax by r/m; quotient in rax, remainder in rdx. */
export const mul: Form = M | D4 | 0xf7;
export const div: Form = M | D6 | 0xf7;
export const idiv: Form = M | D7 | 0xf7;
/** Sign of eax (rax with Q) to edx: as cdq, cqo. */
export const cdq: Form = FIXED | 0x99;
export const inc: Form = M | 0xff;
export const dec: Form = M | D1 | 0xff;
/** By cl. */
export const shl: Form = M | D4 | 0xd3;
export const shr: Form = M | D5 | 0xd3;
export const sar: Form = M | D7 | 0xd3;
export const shlImm: Form = M | D4 | IB | 0xc1;
export const shrImm: Form = M | D5 | IB | 0xc1;
export const sarImm: Form = M | D7 | IB | 0xc1;
/** dst = r/m shifted by a register: reg(form, dst, value, count), mem(form, dst, count, ...). ...Q: 64-bit. */
export const shlx: Form = VEX | RMV | M2 | P66 | 0xf7;
export const shlxQ: Form = VEX | RMV | M2 | P66 | VW | 0xf7;
export const shrx: Form = VEX | RMV | M2 | PF2 | 0xf7;
export const shrxQ: Form = VEX | RMV | M2 | PF2 | VW | 0xf7;
export const sarx: Form = VEX | RMV | M2 | PF3 | 0xf7;
export const sarxQ: Form = VEX | RMV | M2 | PF3 | VW | 0xf7;
/** dst = ~src1 & src2. */
export const andn: Form = VEX | RVM | M2 | 0xf2;
export const andnQ: Form = VEX | RVM | M2 | VW | 0xf2;
export const lzcnt: Form = M1 | PF3 | 0xbd;
export const tzcnt: Form = M1 | PF3 | 0xbc;
export const popcnt: Form = M1 | PF3 | 0xb8;
/** A condition of CC is added: `F.setcc | CC.l`. setcc writes a byte. */
export const setcc: Form = M | M1 | BYTE | 0x90;
export const cmovcc: Form = M1 | 0x40;
/** Memory; atomic after Code.lock(). xadd gives the old value in the register. xchg is always atomic. */
export const xaddStore: Form = MR | M1 | 0xc1;
export const xchgStore: Form = MR | 0x87;
export const cmpxchgStore: Form = MR | M1 | 0xb1;
export const prefetchnta: Form = M | M1 | 0x18;
export const prefetcht0: Form = M | D1 | M1 | 0x18;
export const prefetcht1: Form = M | D2 | M1 | 0x18;
export const prefetchw: Form = M | D1 | M1 | 0x0d;
/** Through a register or memory, always 64-bit. */
export const call: Form = M | D2 | 0xff;
export const jump: Form = M | D4 | 0xff;

// ---- without operands ----
export const ret: Form = FIXED | 0xc3;
export const pause: Form = FIXED | PF3 | 0x90;
export const rdtsc: Form = FIXED | M1 | 0x31;
export const cpuid: Form = FIXED | M1 | 0xa2;
export const syscall: Form = FIXED | M1 | 0x05;
/** rdi from rsi, rcx times; rdi from al, rcx times. */
export const repMovsb: Form = FIXED | PF3 | 0xa4;
export const repStosb: Form = FIXED | PF3 | 0xaa;
/** Copies backward after std; cld before anyone else runs. */
export const std: Form = FIXED | 0xfd;
export const cld: Form = FIXED | 0xfc;
export const ud2: Form = FIXED | M1 | 0x0b;

/** Conditions of jumps, `setcc` and `cmovcc`: b, ae, be, a unsigned (and floats after vucomis, p: unordered). */
export const CC = {
  o: 0,
  no: 1,
  b: 2,
  ae: 3,
  e: 4,
  ne: 5,
  be: 6,
  a: 7,
  s: 8,
  ns: 9,
  p: 10,
  np: 11,
  l: 12,
  ge: 13,
  le: 14,
  g: 15,
} as const;

/** Predicates of float comparisons; unordered is false but for `ne`, `nlt`, `nle` and `unord`. */
export const CMP = { eq: 0, lt: 17, le: 18, unord: 3, ne: 4, nlt: 21, nle: 22, ord: 7, ge: 29, gt: 30 } as const;

/** General registers by their number. */
export const GPR = {
  rax: 0,
  rcx: 1,
  rdx: 2,
  rbx: 3,
  rsp: 4,
  rbp: 5,
  rsi: 6,
  rdi: 7,
  r8: 8,
  r9: 9,
  r10: 10,
  r11: 11,
  r12: 12,
  r13: 13,
  r14: 14,
  r15: 15,
} as const;
