/**
 * Transcendental functions in the vector assembler.
 *
 * What it is: `emitMath(asm, name, args)` for `vf32`, scalar `f32` (the same bits: lane 0 of the vector form), and doubles.
 * float32: polynomials, at most 2 ulp from float64 (pow 1, over the whole range), special values as in C (signed zero,
 * inf, NaN, gradual underflow, overflow), no table, bit-identical wherever FMA is. float64: the host's Math functions lane by
 * lane (float64 is for checking); kernels that use them, or sin and cos of |x| > 20000, import them: pass `hostMath` as
 * `host` to the compiler. What it is not: a place for softmax or gelu; these are graphs.
 */
import type { Asm, Val } from "../asm/index.ts";
import { callHost } from "./float64.ts";
import { cos, erf, exp, expBelow, expm1, log, log1p, pow, sigmoid, sin, tanh } from "./float32.ts";

export { erf64, hostMath } from "./float64.ts";

/** Functions by name; `pow` has two arguments. */
export type MathName =
  | "exp"
  | "expm1"
  | "log"
  | "log1p"
  | "tanh"
  | "erf"
  | "sin"
  | "cos"
  | "pow"
  | "sigmoid"
  | "expBelow";

const UNARY: Readonly<Record<Exclude<MathName, "pow">, (asm: Asm, x: Val) => Val>> = {
  exp,
  expm1,
  log,
  log1p,
  tanh,
  erf,
  sin,
  cos,
  sigmoid,
  expBelow,
};

/** Emits `name(args)`; the result has the type of the arguments: vf32, f32, vf64 or f64. `form`: what a vf32 takes. */
export function emitMath(asm: Asm, name: MathName, args: readonly Val[], form?: (asm: Asm, x: Val) => Val): Val {
  const [x, y] = args;
  if (x.type === "f64" || x.type === "vf64") return callHost(asm, name, args);
  if (x.type === "f32") {
    return asm.extract(
      emitMath(
        asm,
        name,
        args.map((v) => asm.splat("vf32", v)),
        form,
      ),
      0,
    );
  }
  if (x.type !== "vf32") throw new Error(`[math] ${name} of ${x.type}`);
  return name === "pow" ? pow(asm, x, y) : (form ?? UNARY[name])(asm, x);
}
