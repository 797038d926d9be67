// Machine arithmetic that JavaScript lacks: fused multiply-add rounded once, saturating conversions.

const f64 = new Float64Array(1);
const u64 = new BigInt64Array(f64.buffer);

/** Sum and its exact error. */
function twoSum(a: number, b: number): [number, number] {
  const s = a + b;
  const bb = s - a;
  return [s, a - (s - bb) + (b - bb)];
}

/** a + b rounded to odd: a later rounding to fewer digits is then as if there had been one. */
function addOdd(a: number, b: number): number {
  const [s, e] = twoSum(a, b);
  if (!Number.isFinite(s) || e === 0) return s;
  f64[0] = s;
  if ((u64[0] & 1n) !== 0n) return s;
  u64[0] += e > 0 === s > 0 ? 1n : -1n;
  return f64[0];
}

/** a*b + c of float32 numbers, rounded once. */
export const fmaF32 = (a: number, b: number, c: number): number => Math.fround(addOdd(a * b, c));

const SPLIT = 2 ** 27 + 1;
const split = (a: number): [number, number] => {
  const t = SPLIT * a;
  const high = t - (t - a);
  return [high, a - high];
};

/** a*b + c of doubles, rounded once (but where parts of it overflow or underflow). */
export function fmaF64(a: number, b: number, c: number): number {
  const p = a * b;
  const [ah, al] = split(a);
  const [bh, bl] = split(b);
  const low = ah * bh - p + ah * bl + al * bh + al * bl;
  if (!Number.isFinite(p + c) || !Number.isFinite(low) || low === 0) return p + c;
  const [th, tl] = twoSum(c, low);
  const [vh, vl] = twoSum(p, th);
  return vh + addOdd(tl, vl);
}

/** Truncation to int32 or uint32 (as int32 bits), NaN to 0, ends held. */
export function saturate(x: number, unsigned: boolean): number {
  if (Number.isNaN(x)) return 0;
  const [lo, hi] = unsigned ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
  return Math.trunc(Math.min(Math.max(x, lo), hi)) | 0;
}
