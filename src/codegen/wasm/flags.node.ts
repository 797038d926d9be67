// WebAssembly where the host is Node: V8's flags, and the forms of x64, so that both devices make the same bits.
import { pairs } from "../contract/pairs.ts";
import { gelu } from "../loops/gelu.ts";
import { rounded } from "../math/rounded.ts";
import type { Target } from "../asm/index.ts";
import { setV8Flags, withV8Flags } from "../../base/v8flags.ts";

/** Relaxed SIMD: Node 20 has it behind a flag. */
export function allowRelaxed(): void {
  setV8Flags("--experimental-wasm-relaxed-simd");
}

// TurboFan at once: Liftoff code would run 5-10 times slower until it tiers up in the middle of a step. V8's own unrolling
// doubles small bodies and spoils their schedule; kernels unroll by themselves where it pays.
const OPTIMISE: readonly string[] = ["--no-liftoff", "--no-wasm-lazy-compilation", "--no-wasm-loop-unrolling"];
const RESTORE: readonly string[] = ["--liftoff", "--wasm-lazy-compilation", "--wasm-loop-unrolling"];

/** Compiles with optimised code at once. */
export const optimised = <T>(compile: () => T): T => withV8Flags(OPTIMISE, RESTORE, compile);

export const forms: Partial<Target> = { pairs, rounded, gelu };
