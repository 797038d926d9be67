// Every instruction form in many combinations of operands: the call of our encoder, and the text that a disassembler must give
// for its bytes, written from the same description. Used by x64-forms.test.ts and test/fixtures/make_x64.mjs.
import type { Code } from "../../src/codegen/x64/encode.ts";
import * as F from "../../src/codegen/x64/forms.ts";

export interface Case {
  /** Intel syntax as objdump writes it, blanks joined. */
  readonly text: string;
  readonly emit: (code: Code) => void;
}

/**
 * Operands in the order of the text. V: vector, H and Q: of half and a quarter of the length, X: xmm, K: mask, r: general
 * register (64-bit with Q), d: 32-bit, g: 64-bit, b: byte, w: 16-bit; "#": immediate. After "/": r/m may be memory of so many
 * bytes (V, H, Q, r: the size of such an operand); "m8": memory only. "*": an element may be broadcast. "^": no write mask.
 * Before ":" the lengths (xyz; "-": the form has one, "s": 32 and 64 bits).
 */
const SIGNATURES: readonly (readonly [operands: string, names: string])[] = [
  [
    "xyz:V,V,V/V*",
    "vaddps vaddpd vsubps vsubpd vmulps vmulpd vdivps vdivpd vminps vminpd vmaxps vmaxpd vandps vandpd vandnps vandnpd vorps vorpd " +
      "vxorps vxorpd vfmadd132ps vfmadd132pd vfmadd213ps vfmadd213pd vfmadd231ps vfmadd231pd vfnmadd132ps vfnmadd132pd " +
      "vfnmadd213ps vfnmadd213pd vfnmadd231ps vfnmadd231pd vblendmps vblendmpd vpblendmd vpblendmq vpaddd vpaddq vpsubd vpsubq " +
      "vpmulld vpmuludq vpminsd vpmaxsd vpminud vpmaxud vpand vpandn vpor vpxor vpandq vpandnq vporq vpxorq vpsllvd vpsrlvd " +
      "vpsravd vpackssdw vunpcklps vunpckhps vunpcklpd vunpckhpd vpunpckldq vpunpckhdq vpunpcklqdq vpunpckhqdq vpermi2ps " +
      "vpermi2pd vpermt2ps vpermt2pd vscalefps",
  ],
  ["yz:V,V,V/V*", "vpermps vpermd vpermpd"],
  ["xyz:V,V,V/V", "vpacksswb vpackuswb vpshufb"],
  ["xy:V,V,V/V", "vpcmpeqd vpcmpeqq vpcmpgtd vpcmpgtq"],
  ["xyz:V,V,V/V*,#", "vpternlogd vpternlogq vshufps vshufpd valignd"],
  ["yz:V,V,V/V*,#", "vshuff32x4 vshuff64x2"],
  ["xyz:V,V,V/V,#", "vpalignr"],
  ["xy:V,V,V/V,#", "vcmpps vcmppd vblendps vblendpd vpblendd"],
  ["-:Y,Y,Y/32,#", "vperm2f128 vperm2i128"],
  ["xyz:K,V,V/V*,#", "vcmppsK vcmppdK vpcmpdK vpcmpudK vpcmpqK vpcmpuqK"],
  ["xyz:K,V,V/V*", "vptestmdK vptestmqK vptestnmdK"],
  ["-:K,X,X/4,#", "vcmpssK"],
  ["-:K,X,X/8,#", "vcmpsdK"],
  ["-:X,X,X/4,#", "vcmpss vroundss vrndscaless"],
  ["-:X,X,X/8,#", "vcmpsd vroundsd vrndscalesd"],
  ["-:X,X,X/4,#^", "vinsertps"],
  [
    "-:X,X,X/4",
    "vaddss vsubss vmulss vdivss vminss vmaxss vsqrtss vfmadd132ss vfmadd213ss vfmadd231ss vfnmadd132ss vfnmadd213ss " +
      "vfnmadd231ss vcvtss2sd",
  ],
  [
    "-:X,X,X/8",
    "vaddsd vsubsd vmulsd vdivsd vminsd vmaxsd vsqrtsd vfmadd132sd vfmadd213sd vfmadd231sd vfnmadd132sd vfnmadd213sd " +
      "vfnmadd231sd vcvtsd2ss",
  ],
  ["xyz:V,V/V*", "vsqrtps vsqrtpd vcvtdq2ps vcvtudq2ps vcvttps2dq vcvttps2udq vpabsd"],
  ["xyz:V,V/V", "vmovups vmovupd vmovaps vmovapd vmovdqu vmovdqu64 vmovdqa vmovshdup vmovsldup"],
  ["xy:V,V/V", "vptest"],
  ["xyz:V,V/V*,#", "vreduceps vrndscaleps vrndscalepd vpshufd vpermilps vpermilpd"],
  ["yz:V,V/V*,#", "vpermpdImm vpermqImm"],
  ["xy:V,V/V,#", "vroundps vroundpd"],
  ["xyz:V/V,V", "vmovupsStore vmovupdStore vmovapsStore vmovdquStore vmovdqu64Store"],
  ["xyz:mV,V", "vmovntpsStore"],
  ["xyz:V,V,#", "vpslldImm vpsrldImm vpsradImm vpsllqImm vpsrlqImm"],
  ["xyz:V,V,X/16", "vpslld vpsrld vpsrad"],
  ["xyz:V,H/H*", "vcvtdq2pd vcvtudq2pd vcvtps2pd"],
  ["xyz:H,V/V*", "vcvttpd2dq vcvttpd2udq vcvtpd2ps"],
  ["xyz:V,H/H", "vpmovzxdq vpmovsxdq"],
  ["xyz:V,Q/Q", "vpmovzxbd vpmovsxbd"],
  ["xyz:H/H,V", "vpmovqdStore"],
  ["xyz:Q/Q,V", "vpmovdbStore"],
  ["xyz:V,X/4", "vbroadcastss vpbroadcastd"],
  ["yz:V,X/8", "vbroadcastsd"],
  ["xyz:V,X/8", "vpbroadcastq"],
  ["xyz:V,X/1", "vpbroadcastb"],
  ["xyz:V,d", "vpbroadcastdGpr"],
  ["xyz:V,g", "vpbroadcastqGpr"],
  ["yz:V,m16", "vbroadcastf128"],
  ["z:V,m32", "vbroadcastf64x4"],
  ["xyz:K,V", "vpmovd2mK vpmovq2mK"],
  ["xyz:V,K", "vpmovm2d vpmovm2q"],
  ["-:X,X/4", "vucomiss"],
  ["-:X,X/8", "vucomisd"],
  ["xy:d,V", "vmovmskps vmovmskpd"],
  ["-:K,K/2", "kmovw"],
  ["-:K,K/1", "kmovb"],
  ["-:m2,K", "kmovwStore"],
  ["-:m1,K", "kmovbStore"],
  ["-:K,d", "kmovwFrom kmovbFrom"],
  ["-:d,K", "kmovwTo kmovbTo"],
  ["-:K,K,K", "kandw kandb kandnw kandnb korw korb kxnorw kxnorb kxorw kxorb kunpckbw"],
  ["-:K,K", "knotw knotb kortestw kortestb"],
  ["-:K,K,#", "kshiftlw kshiftrw kshiftlb kshiftrb"],
  ["xy:V,V,V/V,V", "vblendvps vblendvpd vpblendvb"],
  ["-:X,X,d/4^", "vcvtsi2ss vcvtsi2sd vcvtusi2ss vcvtusi2sd"],
  ["-:X,X,g/8^", "vcvtsi2ssQ vcvtsi2sdQ"],
  ["-:d,X/4", "vcvttss2si vcvttss2usi"],
  ["-:d,X/8", "vcvttsd2si vcvttsd2usi"],
  ["-:g,X/4", "vcvttss2siQ"],
  ["-:g,X/8", "vcvttsd2siQ"],
  ["yz:V,V,X/16,#", "vinsertf128 vinserti128"],
  ["z:V,V,Y/32,#", "vinsertf64x4"],
  ["yz:X/16,V,#", "vextractf128Store vextracti128Store"],
  ["z:Y/32,V,#", "vextractf64x4Store"],
  ["-:d/4,X,#", "vextractpsStore vpextrdStore"],
  ["-:g/8,X,#", "vpextrqStore"],
  ["-:d/1,X,#", "vpextrbStore"],
  ["-:d/2,X,#", "vpextrwStore"],
  ["-:X,X,d/1,#", "vpinsrb"],
  ["-:X,X,d/2,#", "vpinsrw"],
  ["-:X,X,d/4,#", "vpinsrd"],
  ["-:X,X,g/8,#", "vpinsrq"],
  ["-:X,X,X^", "vmovlhps vmovhlps"],
  ["-:X,X,X", "vmovssMerge vmovsdMerge"],
  ["-:X,X,m8", "vmovhps"],
  ["-:m8,X", "vmovhpsStore vmovsdStore"],
  ["-:X,m4", "vmovss"],
  ["-:X,m8", "vmovsd"],
  ["-:m4,X", "vmovssStore"],
  ["-:X,d/4", "vmovd"],
  ["-:d/4,X", "vmovdStore"],
  ["-:X,g/8", "vmovq"],
  ["-:g/8,X", "vmovqStore"],
  ["xy:V,V,mV", "vmaskmovps vmaskmovpd"],
  ["xy:mV,V,V", "vmaskmovpsStore vmaskmovpdStore"],
  // general registers
  ["s:r,r/r", "mov add or and sub xor cmp imul lzcnt tzcnt popcnt"],
  ["s:r/r,r", "movStore addStore orStore andStore subStore xorStore cmpStore testStore"],
  ["s:r/r,#", "movImm addImm orImm andImm subImm xorImm cmpImm testImm shlImm shrImm sarImm"],
  ["s:r,r/r,#", "imulImm"],
  ["s:r/r", "not neg mul div idiv inc dec"],
  ["s:r/r,cl", "shl shr sar"],
  ["s:mr,r", "xaddStore xchgStore cmpxchgStore"],
  ["-:m1,b", "mov8Store"],
  ["-:m2,w", "mov16Store"],
  ["s:r,b/1", "movzx8 movsx8"],
  ["s:r,w/2", "movzx16 movsx16"],
  ["-:g,d/4", "movsxd"],
  ["s:r,m0", "lea"],
  ["-:b/1", "setcc"],
  ["s:r,r/r", "cmovcc"],
  ["-:d,d/4,d", "shlx shrx sarx"],
  ["-:g,g/8,g", "shlxQ shrxQ sarxQ"],
  ["-:d,d,d/4", "andn"],
  ["-:g,g,g/8", "andnQ"],
  ["-:m1", "prefetchnta prefetcht0 prefetcht1 prefetchw"],
  ["-:g/8", "call jump"],
];

/** Forms that no signature fits; see `special`. */
const SPECIAL = new Set(["vgatherdps", "vgatherdpsK"]);

/** Forms without operands and their text. */
const FIXED: Readonly<Record<string, string>> = {
  vzeroupper: "vzeroupper",
  ret: "ret",
  pause: "pause",
  rdtsc: "rdtsc",
  cpuid: "cpuid",
  syscall: "syscall",
  repMovsb: "rep movs BYTE PTR es:[rdi],BYTE PTR ds:[rsi]",
  repStosb: "rep stos BYTE PTR es:[rdi],al",
  std: "std",
  cld: "cld",
  ud2: "ud2",
  cdq: "cdq",
};

const ORDER = { RM: 0, RVM: 1, MR: 2, VM: 3, M: 4, RMV: 5, RVMK: 6 } as const;
const orderOf = (form: number): number => (form >> 18) & 7;
const encodingOf = (form: number): number => (form >> 12) & 3;
const EVEX = 2;
const BOTH = 3;

const CONDITIONS = Object.keys(F.CC);
const PREDICATES: Readonly<Record<number, string>> = {
  0: "eq",
  3: "unord",
  4: "neq",
  7: "ord",
  17: "lt_oq",
  18: "le_oq",
  21: "nlt_uq",
  22: "nle_uq",
  29: "ge_oq",
  30: "gt_oq",
};
const INT_PREDICATES: Readonly<Record<number, string>> = { 0: "eq", 1: "lt", 2: "le", 4: "neq", 5: "nlt", 6: "nle" };
/** Names that change with the encoding. */
const EVEX_NAMES: Readonly<Record<string, string>> = {
  vpand: "vpandd",
  vpandn: "vpandnd",
  vpor: "vpord",
  vpxor: "vpxord",
  vmovdqu: "vmovdqu32",
  vmovdqa: "vmovdqa32",
  vinsertf128: "vinsertf32x4",
  vinserti128: "vinserti32x4",
  vextractf128: "vextractf32x4",
  vextracti128: "vextracti32x4",
  vbroadcastf128: "vbroadcastf32x4",
};
const VEX_NAMES: Readonly<Record<string, string>> = {
  vpandq: "vpand",
  vpandnq: "vpandn",
  vporq: "vpor",
  vpxorq: "vpxor",
  vmovdqu64: "vmovdqu",
};

const VECTOR = ["xmm", "ymm", "zmm"];
const LOW = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const gpr = (n: number, bits: number): string => {
  if (n > 7) return `r${n}${{ 64: "", 32: "d", 16: "w", 8: "b" }[bits]}`;
  if (bits === 8) return n < 4 ? `${LOW[n][0]}l` : `${LOW[n]}l`;
  return `${{ 64: "r", 32: "e", 16: "" }[bits]}${LOW[n]}`;
};
const PTR: Readonly<Record<number, string>> = {
  1: "BYTE PTR ",
  2: "WORD PTR ",
  4: "DWORD PTR ",
  8: "QWORD PTR ",
  16: "XMMWORD PTR ",
  32: "YMMWORD PTR ",
  64: "ZMMWORD PTR ",
};
const hex = (n: number): string => (n < 0 ? `-0x${(-n).toString(16)}` : `0x${n.toString(16)}`);

/** Register numbers by operand; the first is a destination. */
const LOW_REGS = [1, 2, 3, 4];
const REGS = [LOW_REGS, [9, 2, 3, 4], [1, 10, 3, 4], [1, 2, 11, 4], [15, 14, 13, 12], [7, 6, 5, 0], [4, 5, 4, 9]];
const HIGH_REGS = [
  [17, 2, 3],
  [1, 18, 3],
  [1, 2, 19],
  [24, 25, 26],
  [31, 30, 29],
  [9, 20, 12],
];
/** [base, index, scale, disp] */
const PLACES = [
  [0, -1, 1, 0],
  [4, -1, 1, 0],
  [5, -1, 1, 0],
  [12, -1, 1, 0],
  [13, -1, 1, 0],
  [1, -1, 1, 64],
  [2, -1, 1, -128],
  [3, -1, 1, 127],
  [6, -1, 1, 4096],
  [7, 0, 4, 8],
  [9, 15, 8, 256],
  [4, 12, 2, -64],
  [13, 13, 1, 0],
  [5, 5, 1, 0],
  [11, 8, 4, -8192],
  [-1, 9, 8, 16],
  [-1, 1, 4, 320],
  [15, -1, 1, 1000000],
  [8, -1, 1, 2032],
  [10, -1, 1, 508],
];

const address = (place: readonly number[], index?: string): string => {
  const [base, x, scale, disp] = place;
  const parts = base < 0 ? [] : [gpr(base, 64)];
  if (x >= 0) parts.push(`${index ?? gpr(x, 64)}*${scale}`);
  const low = base < 0 || (base & 7) === 5;
  const offset = disp !== 0 || low ? (disp < 0 ? hex(disp) : `+${hex(disp)}`) : "";
  return `[${parts.join("+")}${offset}]`;
};

/** What one line of a form varies. */
interface Pick {
  readonly regs: readonly number[];
  /** Memory in the place of r/m: a place, or "pool". */
  readonly place?: readonly number[] | "pool";
  readonly k?: number;
  readonly z?: boolean;
  readonly bcast?: boolean;
  readonly imm?: number;
  readonly cc?: number;
}

interface Shape {
  readonly name: string;
  readonly form: number;
  /** Length: 0, 1, 2; -1: the form has it. */
  readonly length: number;
  readonly operands: readonly string[];
}

const lengthOf = (shape: Shape): number => (shape.length < 0 ? (shape.form >> 16) & 3 : shape.length);
const bytesOf = (kind: string, length: number, wide: boolean): number =>
  ({ V: 16 << length, H: 8 << length, Q: 4 << length, r: wide ? 8 : 4 })[kind] ?? Number(kind);

const register = (kind: string, n: number, length: number, wide: boolean): string => {
  const low = n & 15;
  if (kind === "K") return `k${n & 7}`;
  if (kind === "V") return `${VECTOR[length]}${n}`;
  if (kind === "H") return `${VECTOR[Math.max(length - 1, 0)]}${n}`;
  if (kind === "Q") return `${VECTOR[Math.max(length - 2, 0)]}${n}`;
  if (kind === "X" || kind === "Y") return `${kind.toLowerCase()}mm${n}`;
  return gpr(low, kind === "b" ? 8 : kind === "w" ? 16 : kind === "g" || (kind === "r" && wide) ? 64 : 32);
};
const number = (kind: string, n: number): number => (kind === "K" ? n & 7 : "VHQXY".includes(kind) ? n : n & 15);

/** The case of a form with these picks. */
function caseOf(shape: Shape, pick: Pick): Case {
  const length = lengthOf(shape);
  const form = shape.form | (shape.length > 0 ? shape.length << 16 : 0);
  const wide = shape.length === 1;
  const order = orderOf(form);
  const { place, k = 0, z = false, bcast = false, imm = 0 } = pick;
  const texts: string[] = [];
  const numbers: number[] = [];
  let high = false;
  for (const operand of shape.operands) {
    if (operand === "#") continue;
    if (operand === "cl") {
      texts.push("cl");
      continue;
    }
    const [kind, memory] = operand.startsWith("m") ? ["m", operand.slice(1)] : operand.split("/");
    const n = kind === "m" ? 0 : number(kind, pick.regs[numbers.length]);
    if (place !== undefined && memory !== undefined) {
      numbers.push(-1);
      const where = place === "pool" ? "[rip]" : address(place);
      const bytes = bytesOf(memory.replace("*", ""), length, wide);
      const ptr = bcast ? (((form >> 15) & 1) === 1 ? "QWORD BCST " : "DWORD BCST ") : (PTR[bytes] ?? "");
      // Where the result alone does not tell the length, the text does
      const lanes = bcast && shape.operands[0] === "H" && length < 2 ? `{1to${2 << length}}` : "";
      texts.push(ptr + (place !== "pool" && place[0] < 0 && place[1] < 0 ? `ds:${where}` : where) + lanes);
    } else {
      numbers.push(n);
      high ||= n > 15;
      texts.push(register(kind, n, length, wide));
    }
  }
  if (k > 0 && order !== ORDER.RVMK) texts[0] += `{k${k}}${z ? "{z}" : ""}`;
  const encoding = encodingOf(form);
  const evex = encoding === EVEX || (encoding === BOTH && (length === 2 || k > 0 || bcast || high));
  let name = shape.name.replace(/(Store|Imm|Merge|K|Gpr|From|To|Q)$/, "");
  if (/^(mov8|mov16)$/.test(name)) name = "mov";
  if (/^mov[sz]x(8|16)$/.test(name)) name = name.slice(0, 5);
  if (name === "jump") name = "jmp";
  name = (evex ? EVEX_NAMES[name] : VEX_NAMES[name]) ?? name;
  let hidden = false;
  if (/^v(p?)cmp(ps|pd|ss|sd|d|ud|q|uq)$/.test(name)) {
    const int = name[1] === "p";
    name = `${int ? "vpcmp" : "vcmp"}${(int ? INT_PREDICATES : PREDICATES)[imm]}${name.slice(int ? 5 : 4)}`;
    hidden = true;
  }
  if (pick.cc !== undefined) name = name.replace("cc", CONDITIONS[pick.cc]);
  if (shape.operands.includes("#") && !hidden) texts.push(immediate(form, imm, wide));
  const [a, b, c, d] = numbers;
  const full = form | (pick.cc ?? 0);
  return {
    text: `${name} ${texts.join(",")}`,
    emit(code) {
      if (place === undefined) {
        if (order === ORDER.M) code.reg(full, a, -1, -1, 0, false, imm);
        else if (order === ORDER.RVMK) code.reg(full, a, b, c, d);
        else if (order === ORDER.RVM || order === ORDER.RMV) code.reg(full, a, b, c, k, z, imm);
        else code.reg(full, a, -1, b, k, z, imm);
        return;
      }
      // Stores name the register stored; of the others the last register is src1
      const [dst, src1, mask] =
        order === ORDER.M
          ? [-1, -1, k]
          : a < 0
            ? numbers.length === 3
              ? [c, b, k]
              : [b, -1, k]
            : order === ORDER.RMV
              ? [a, c, k]
              : order === ORDER.RVMK
                ? [a, b, d]
                : [a, b, k];
      if (place === "pool") code.poolMem(full, dst, src1, code.constant(new Uint8Array(64)), 0, mask, z, imm, bcast);
      else code.mem(full, dst, src1, place[0], place[1], place[2], place[3], mask, z, imm, bcast);
    },
  };
}

/** Immediates of general registers are sign-extended; shifts and vectors have bytes. */
function immediate(form: number, imm: number, wide: boolean): string {
  const kind = (form >> 24) & 3;
  if (kind === 1) return hex(imm & 255);
  if (imm >= 0) return hex(imm);
  return wide ? `0x${BigInt.asUintN(64, BigInt(imm)).toString(16)}` : hex(imm >>> 0);
}

/** Picks of a form: all registers for the widest length, memory in turn so that all places occur with every kind of form. */
function* picksOf(shape: Shape, turn: number, widest: boolean): Generator<Pick> {
  const { form, operands } = shape;
  const all = operands.join(",");
  const memory = /\/|m/.test(all);
  const memoryOnly = /(^|,)m/.test(all);
  const encoding = encodingOf(form);
  const canEvex = encoding >= EVEX && !all.includes("^");
  const registers = /[VHQXY]/.test(all);
  const masks =
    canEvex &&
    registers &&
    !/^vucomi|^vcvtt.*si|^vpextr|^vextractps|^vpinsr|^vmov[dq](Store)?$|^vmov[lh]/.test(shape.name) &&
    !/^vpmov(d2m|q2m|m2)/.test(shape.name) &&
    !shape.name.startsWith("vmovnt");
  const zeroing = masks && operands[0] !== "K" && !operands[0].startsWith("m");
  const bcast = canEvex && all.includes("*");
  const imms = immediates(shape);
  const imm = (i: number): number => imms[i % imms.length];
  const conditions = shape.name.endsWith("cc") ? Object.values(F.CC) : [undefined];
  if (!memoryOnly) {
    for (const cc of conditions) yield { regs: LOW_REGS, imm: imm(turn), cc };
    for (let i = 1; i < REGS.length; i++) {
      if (i === 1 + (turn % (REGS.length - 1)) || (widest && (i + turn) % 2 === 0))
        yield { regs: REGS[i], imm: imm(turn + i), cc: conditions[i] };
    }
    if (encoding >= EVEX && registers) {
      for (let i = 0; i < HIGH_REGS.length; i++) {
        if (i === turn % HIGH_REGS.length || (widest && (i + turn) % 3 === 0))
          yield { regs: HIGH_REGS[i], imm: imm(turn + i) };
      }
    }
    if (masks) yield { regs: LOW_REGS, k: 1 + (turn % 7), imm: imm(turn) };
    if (zeroing) yield { regs: [21, 9, 30], k: 7 - (turn % 7), z: true, imm: imm(turn) };
  }
  for (const value of widest ? imms : [])
    yield { regs: LOW_REGS, imm: value, place: memoryOnly ? PLACES[0] : undefined, cc: conditions[0] };
  if (!memory) return;
  const places = widest ? 4 : 1;
  for (let i = 0; i < places; i++) {
    const place = PLACES[(turn * 3 + i) % PLACES.length];
    const regs =
      encoding >= EVEX && registers && (i + turn) % 3 === 0
        ? HIGH_REGS[turn % HIGH_REGS.length]
        : REGS[(turn + i) % REGS.length];
    yield { regs, place, imm: imm(turn + i), cc: conditions[(turn + i) % conditions.length] };
  }
  if (masks) {
    yield {
      regs: LOW_REGS,
      place: PLACES[5 + (turn % 4)],
      k: 2,
      z: zeroing && orderOf(form) !== ORDER.MR && !shape.name.endsWith("K"),
      imm: imm(turn),
    };
  }
  if (bcast) {
    yield { regs: LOW_REGS, place: PLACES[turn % PLACES.length], bcast, imm: imm(turn) };
    yield {
      regs: HIGH_REGS[turn % HIGH_REGS.length],
      place: PLACES[18 + (turn % 2)],
      bcast,
      imm: imm(turn),
      k: turn % 8,
    };
    if (widest) yield { regs: LOW_REGS, place: "pool", bcast, imm: imm(turn) };
  }
  if (widest) yield { regs: REGS[1], place: "pool", imm: imm(turn), cc: conditions[0] };
}

function immediates(shape: Shape): readonly number[] {
  if (!shape.operands.includes("#")) return [0];
  if (shape.name.startsWith("vcmp")) return Object.values(F.CMP);
  if (shape.name.startsWith("vpcmp")) return [0, 1, 2, 4, 5, 6];
  const kind = (shape.form >> 24) & 3;
  if (kind === 1) return shape.name.startsWith("v") ? [1, 0x1b, 255, 0] : [3, 31, 9];
  return [5, -1, 127, 128, -128, -129, 0x12345678, -0x80000000];
}

/** Gathers: the index is a vector. */
function special(): Case[] {
  const out: Case[] = [];
  const gathers = [
    [1, 2, 3],
    [9, 10, 11],
    [15, 4, 8],
  ];
  for (const place of [PLACES[0], PLACES[3], PLACES[6], PLACES[8], [5, -1, 4, 8]]) {
    const [base, , , disp] = place;
    for (const [dst, index, mask] of gathers) {
      for (const length of [0, 1]) {
        const v = VECTOR[length];
        out.push({
          text: `vgatherdps ${v}${dst},DWORD PTR ${address([base, index, 4, disp], `${v}${index}`)},${v}${mask}`,
          emit: (code) => code.mem(F.vgatherdps | (length << 16), dst, mask, base, index, 4, disp),
        });
      }
    }
    for (const [dst, index, k] of [...gathers, [17, 2, 1], [1, 18, 7], [31, 30, 2], [8, 28, 3]]) {
      for (const length of [0, 1, 2]) {
        const v = VECTOR[length];
        const mask = k & 7 || 1;
        out.push({
          text: `vgatherdps ${v}${dst}{k${mask}},DWORD PTR ${address([base, index, 8, disp], `${v}${index}`)}`,
          emit: (code) => code.mem(F.vgatherdpsK | (length << 16), dst, -1, base, index, 8, disp, mask),
        });
      }
    }
  }
  return out;
}

/** Instructions that are methods of Code. */
function methods(): Case[] {
  const out: Case[] = [];
  const one = (text: string, emit: (code: Code) => void): unknown => out.push({ text, emit });
  one("mfence", (code) => code.mfence());
  one("xgetbv", (code) => code.xgetbv());
  one("endbr64", (code) => code.endbr());
  one("ret", (code) => code.ret());
  one("cqo", (code) => code.fixed(F.cdq | F.Q));
  for (const n of [0, 5, 8, 15]) {
    const g = gpr(n, 64);
    one(`push ${g}`, (code) => code.push(n));
    one(`pop ${g}`, (code) => code.pop(n));
    one(`call ${g}`, (code) => code.callReg(n));
    one(`jmp ${g}`, (code) => code.jmpReg(n));
    one(`mov ${gpr(n, 32)},0x89abcdef`, (code) => code.const64(n, 0x89abcdef));
    one(`mov ${gpr(n, 32)},0xffffffff`, (code) => code.const32(n, -1));
    one(`mov ${g},0xffffffffffffffff`, (code) => code.const64(n, -1));
    one(`movabs ${g},0x123456789abcd`, (code) => code.const64(n, 0x123456789abcd));
    one(`movabs ${g},0xffffff0000000001`, (code) => code.const64(n, -0xffffffffff));
  }
  one("lock xadd DWORD PTR [rdi+0x8],ecx", (code) => {
    code.lock();
    code.mem(F.xaddStore, 1, -1, 7, -1, 1, 8);
  });
  return out;
}

/** All cases, each text once. */
export function cases(): Case[] {
  const out: Case[] = [];
  const forms = F as unknown as Readonly<Record<string, number>>;
  let turn = 0;
  for (const [signature, names] of SIGNATURES) {
    const [lengths, operands] = signature.split(":");
    for (const name of names.split(" ")) {
      const list = lengths === "-" ? [-1] : lengths === "s" ? [0, 1] : Array.from(lengths, (c) => "xyz".indexOf(c));
      for (const length of list) {
        const shape: Shape = { name, form: forms[name], length, operands: operands.split(",") };
        for (const pick of picksOf(shape, turn, length === list[list.length - 1])) out.push(caseOf(clean(shape), pick));
        turn++;
      }
    }
  }
  for (const [name, text] of Object.entries(FIXED)) out.push({ text, emit: (code) => code.fixed(forms[name]) });
  out.push(...special(), ...methods());
  const seen = new Set<string>();
  return out.filter((c) => !seen.has(c.text) && seen.add(c.text));
}

const clean = (shape: Shape): Shape => ({ ...shape, operands: shape.operands.map((o) => o.replace(/[*^]/g, "")) });

/** Names of all forms that the cases cover. */
export const covered = (): Set<string> =>
  new Set([...SIGNATURES.flatMap(([, names]) => names.split(" ")), ...Object.keys(FIXED), ...SPECIAL]);
