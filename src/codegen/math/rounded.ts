// Functions of arguments that are sums, products or quotients, that is: already half an ulp off, which an exponential makes
// |x| · 2^-24 of its result. They are allowed as much again, and reduce their argument in one instruction (AVX-512).
import type { Asm, Val } from "../asm/index.ts";
import type { MathName } from "./index.ts";

/** The function in place of `name` where its argument is the result of `op`; undefined: there is none. */
export type Rounded = (name: MathName, op: string) => ((asm: Asm, x: Val) => Val) | undefined;

const ROUNDING = /^(add|sub|mul|div)$/;
export const LOG2E = 1.4426950408889634;
/** 2^r = 1 + r C(r) for r in [0, 1): 1.4e-8, relative. */
const EXP2 = [
  0.6931470444433223, 0.2402293055522451, 0.05548528061859694, 0.00967545156699731, 0.0012467846445516312,
  0.00021612914956246782,
];

/** 1 + 2^t */
export function oneAndPower(asm: Asm, t: Val): Val {
  const r = asm.un("fraction", t);
  const r2 = asm.mul(r, r);
  const low = asm.fma(r, EXP2[0], 1);
  const middle = asm.fma(r, EXP2[2], EXP2[1]);
  const high = asm.fma(r2, EXP2[5], asm.fma(r, EXP2[4], EXP2[3]));
  const p = asm.fma(r2, asm.fma(r2, high, middle), low);
  return asm.add(asm.bin("scale", p, t), 1);
}

/** 1 / (1 + e^-x); 0 where e^-x is past the largest number. */
const sigmoid = (asm: Asm, x: Val): Val => asm.div(1, oneAndPower(asm, asm.mul(x, -LOG2E)));

export const rounded: Rounded = (name, op) => (name === "sigmoid" && ROUNDING.test(op) ? sigmoid : undefined);
