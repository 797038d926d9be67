// float64 functions: the host's, called lane by lane. float64 is for checking, float32 is for speed.
import type { Asm, Val } from "../asm/index.ts";
import { elemOf, isVec } from "../asm/index.ts";

/** erf of a double: a series of positive terms, beyond 3 a continued fraction of erfc (Abramowitz & Stegun 7.1.6, 7.1.14). */
export function erf64(x: number): number {
  const a = Math.abs(x);
  if (!(a > 0) || a > 6) return a > 6 ? Math.sign(x) : x;
  const g = Math.exp(-a * a) / Math.sqrt(Math.PI);
  let v: number;
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let k = 1; term > sum * 1e-17; k++) sum += term *= (2 * a * a) / (2 * k + 1);
    v = 2 * g * sum;
  } else {
    let f = a;
    for (let k = 60; k > 0; k--) f = a + k / 2 / f;
    v = 1 - g / f;
  }
  return x < 0 ? -v : v;
}

/** The functions that kernels import by these names. */
export const hostMath: Readonly<Record<string, (...args: number[]) => number>> = {
  exp: Math.exp,
  expBelow: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  sin: Math.sin,
  cos: Math.cos,
  pow: (x, y) => (x === 1 || (Math.abs(x) === 1 && Math.abs(y) === Infinity) ? 1 : x ** y), // C and NumPy, not ECMAScript
  erf: erf64,
  sigmoid: (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))),
};

/** Calls the host function `name` on a double or on each lane of a vector of doubles. */
export function callHost(asm: Asm, name: string, args: readonly Val[]): Val {
  const fn = asm.extern(
    name,
    args.map(() => "f64"),
    "f64",
  );
  const [x] = args;
  if (!isVec(x.type)) return asm.call(fn, ...args);
  if (elemOf(x.type) !== "f64") throw new Error(`[math] ${name} of ${x.type}`);
  return asm.perLane("vf64", args, (...lanes) => asm.call(fn, ...lanes));
}
