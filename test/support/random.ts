import { type DType, hostArray, isFloat, sizeOf, type TypedArray } from "../../src/base/index.ts";

/** Repeatable numbers for tests: the same seed gives the same sequence. */
export interface Rng {
  /** Uniform in [0, 1). */
  next(): number;
  /** A whole number in [lo, hi]. */
  int(lo: number, hi: number): number;
  normal(): number;
  pick<T>(items: readonly T[]): T;
}

export function rngOf(seed: number): Rng {
  // Mulberry32: fast enough for millions of elements a test.
  let state = Math.imul(seed, 0x9e3779b1);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    int: (lo, hi) => lo + Math.floor(next() * (hi - lo + 1)),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    pick: (items) => items[Math.floor(next() * items.length)],
  };
}

/** What the elements of an operand look like; by default normal floats, integers of -9..9, any bool. */
export type Draw = (rng: Rng, dtype: DType) => number;

export const anyValue: Draw = (rng, dtype) =>
  isFloat(dtype) ? rng.normal() : dtype === "bool" ? rng.int(0, 1) : dtype === "int32" ? rng.int(-9, 9) : rng.int(0, 9);

/** Uniform in [lo, hi), whole numbers for integers. */
export const between =
  (lo: number, hi: number): Draw =>
  (rng, dtype) =>
    isFloat(dtype) ? lo + (hi - lo) * rng.next() : rng.int(lo, hi);

export function randomArray(rng: Rng, shape: readonly number[], dtype: DType, draw: Draw = anyValue): TypedArray {
  const out = hostArray(dtype, sizeOf(shape));
  for (let i = 0; i < out.length; i++) {
    const v = draw(rng, dtype);
    out[i] = dtype === "bool" ? Number(v !== 0) : v;
  }
  return out;
}
