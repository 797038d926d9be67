/**
 * The portable vector assembler: kernels are written once against it, encoders (`../wasm`, `../x64`) turn it into code.
 *
 * What it is: typed immutable values, explicit mutable variables, structured loops, loads and stores with immediate
 * offsets, FMA, masks, tails. What it is not: an optimiser (only i32 index arithmetic folds) or an IR for graphs.
 *
 * ```ts
 * const asm = new Asm(target);                      // target: wasmTarget(features) of ../wasm
 * asm.fn("axpy", ["ptr", "i32", "i32"], undefined, (args, lo, hi) => {
 *   const x = asm.load("ptr", args, 0), y = asm.load("ptr", args, asm.ptrBytes);
 *   const a = asm.splat("vf32", 2);
 *   asm.loop(lo, hi, asm.lanes, (i) => {            // i32 bounds, constant step; not entered when lo >= hi
 *     const off = asm.mul(i, 4);
 *     const q = asm.ptrAdd(y, off);
 *     asm.store(q, 0, asm.fma(a, asm.load("vf32", asm.ptrAdd(x, off)), asm.load("vf32", q)));
 *   });
 * });
 * ```
 *
 * - Types: `ptr i32 f32 f64` and vectors `vf32 vi32` (`asm.lanes` lanes), `vf64 vi64` (half; vi64 only as a mask).
 *   `asm.lanesOf(type)`. Masks are `vi32`/`vi64` of all-ones lanes; scalar conditions are i32 0|1. ptr and i32 mix freely.
 * - Constants: `i32(c) f32(c) f64(c) konst(type, c) splat(vtype, valOrNumber)`; a number is accepted wherever the type is
 *   clear from the other operand. Kept once per function: write them where they are used.
 * - Arithmetic: `bin(op, a, b)` (short forms add sub mul div), `un(op, a)`, `cmp(op, a, b)`, `select(mask, a, b)`,
 *   `fma(a, b, c)` = a*b+c, `fnma(a, b, c)` = c-a*b. `min`/`max` propagate NaN (several machine instructions);
 *   `pmax(a, b)` = a < b ? b : a and `pmin` are one instruction and keep `a` when unordered: relu(x) = `pmax(x, 0)`.
 *   `not` inverts bits: of a vector mask; for a scalar condition use `cmp("eq", c, 0)`.
 * - Conversion: `convert(to, v, unsigned?)`, `bitcast`, and for doubles `promote(v, high)`, `demote(lo, hi)`,
 *   `i32FromF64(lo, hi)`, `widenMask(m, high)`.
 * - Lanes: `extract insert reduce(op, v) transpose perLane bitmask`, and `lanewise(op, a, b?)` for what else moves lanes.
 * - Addresses: offsets and constants added to an address become immediates where the rest is known not to be negative
 *   (pointers read from memory or variables, parameters, loop counters, sums and products of such); else they are added.
 * - Memory: `load(type, p, off) store(p, off, v) loadSplat loadPartial(vtype, n, p, off) storePartial(n, p, off, v)`,
 *   bytes `loadU8("i32" | "vi32", p, off, n?) storeU8(p, off, v, n?)`, `copy fill`, `prefetch(p, off)`. Offsets are bytes, constant, best >= 0.
 * - Variables: `v = asm.var(type, init)`, `asm.get(v)`, `asm.set(v, x)`. A var made in a loop body is set anew each time.
 * - Control: `asm.loop(start, end, step, (i) => …)`, `asm.repeat(() => again)`, `asm.if(cond, then, orElse?)`,
 *   `asm.call(fnOrExtern, …args)`, `asm.callPtr(kernel, args, lo, hi)`.
 * - Threads: `atomicAdd atomicLoad atomicStore wait notify pause clock`.
 * - Speed: `asm.pin(values)` between a loop with several accumulators and what reads them (see there); `asm.cost(body)` counts
 *   instructions without recording. Equal integer operations are recorded once per block; nothing else is shared.
 * - Module: `asm.fn(name, params, result?, body)` exports a function; `asm.extern(name, params, result?)` imports one of the
 *   host (known: see `../math` for the float64 functions).
 *
 * Kernel ABI of the whole project: `kernel(args: ptr, lo: i32, hi: i32)`. `args` points at a table of addresses (`asm.ptrBytes` each), one
 * per buffer operand, loaded at entry; lo..hi is the range of outermost parallel blocks, so that threads can split it.
 */
export { Asm } from "./asm.ts";
export type { Arg } from "./asm.ts";
export { READING, WRITING } from "./effects.ts";
export { bytesOf, elemOf, isVec } from "./types.ts";
export type { Extern, Fn, Op, Target, Type, Val, Var, VecType } from "./types.ts";
