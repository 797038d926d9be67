// Functions of arguments that are sums, products or quotients, that is: already half an ulp off, which an exponential makes
// |x| · 2^-24 of its result. They are allowed as much again, and reduce their argument without a correction (AVX-512: in one instruction).
import type { Asm, Val } from "../asm/index.ts";
import type { MathName } from "./index.ts";

/** The function in place of `name` where its argument is the result of `op`; undefined: there is none. */
export type Rounded = (name: MathName, op: string) => ((asm: Asm, x: Val) => Val) | undefined;

const ROUNDING = /^(add|sub|mul|div)$/;
export const LOG2E = 1.4426950408889634;
const ROUND = 12582912; // adding it leaves a whole number in the low bits
const BIAS = 127; // of exponents
/** 2^r = 1 + r C(r) for r in [0, 1): 1.4e-8, relative. */
const EXP2 = [
  0.6931470444433223, 0.2402293055522451, 0.05548528061859694, 0.00967545156699731, 0.0012467846445516312,
  0.00021612914956246782,
];

/** t less its floor, and what multiplies by 2 to that floor; past the range of exponents by infinity, or by what vanishes beside 1. */
function parts(asm: Asm, t: Val): { r: Val; scaled: (p: Val) => Val } {
  if (asm.target.scales) return { r: asm.un("fraction", t), scaled: (p) => asm.bin("scale", p, t) };
  const within = asm.bin("pmax", asm.bin("pmin", t, 128), -126);
  const n = asm.un("floor", within);
  const power = asm.bitcast("vf32", asm.bin("shl", asm.bitcast("vi32", asm.add(n, ROUND + BIAS)), 23));
  const r = asm.sub(within, n);
  // AVX-512 rounds this difference down.
  const above = asm.bitcast("vf32", asm.cmp("gt", asm.add(r, n), within));
  return { r: asm.sub(r, asm.bin("and", above, asm.konst("vf32", 2 ** -24))), scaled: (p) => asm.mul(p, power) };
}

/** 1 + 2^t */
export function oneAndPower(asm: Asm, t: Val): Val {
  const { r, scaled } = parts(asm, t);
  const r2 = asm.mul(r, r);
  const low = asm.fma(r, EXP2[0], 1);
  const middle = asm.fma(r, EXP2[2], EXP2[1]);
  const high = asm.fma(r2, EXP2[5], asm.fma(r, EXP2[4], EXP2[3]));
  const p = asm.fma(r2, asm.fma(r2, high, middle), low);
  return asm.add(scaled(p), 1);
}

/** 1 / (1 + e^-x); 0 where e^-x is past the largest number. */
const sigmoid = (asm: Asm, x: Val): Val => asm.div(1, oneAndPower(asm, asm.mul(x, -LOG2E)));

export const rounded: Rounded = (name, op) => (name === "sigmoid" && ROUNDING.test(op) ? sigmoid : undefined);
