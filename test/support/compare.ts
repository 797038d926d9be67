import { type DType, isFloat, type TypedArray } from "../../src/base/index.ts";

export interface Tolerance {
  /** Relative to the element itself. */
  readonly relative: number;
  /** Relative to the largest element of the result: for sums, whose error does not shrink with their value. */
  readonly ofLargest?: number;
  readonly absolute?: number;
}

export const EPS: Record<"float32" | "float64", number> = { float32: 2 ** -23, float64: 2 ** -52 };

export function largest(values: TypedArray): number {
  let most = 0;
  for (const v of values) if (Number.isFinite(v)) most = Math.max(most, Math.abs(v));
  return most;
}

/** Null when `got` agrees with `want`, else where it differs most: "element 3 of 12: got …, want …". Integers are exact. */
export function difference(got: TypedArray, want: TypedArray, dtype: DType, tol: Tolerance): string | null {
  if (got.length !== want.length) return `got ${got.length} elements, want ${want.length}`;
  const slack = (tol.ofLargest ?? 0) * largest(want) + (tol.absolute ?? 0);
  let worst = 1;
  let at = -1;
  let wrong = 0;
  for (let i = 0; i < want.length; i++) {
    const w = want[i];
    const g = got[i];
    if (g === w || (Number.isNaN(g) && Number.isNaN(w))) continue;
    const allowed = isFloat(dtype) ? tol.relative * Math.abs(w) + slack : 0;
    const off = Math.abs(g - w);
    if (off <= allowed) continue;
    wrong++;
    const ratio = Number.isFinite(off) && allowed > 0 ? off / allowed : Infinity;
    if (at < 0 || ratio > worst) {
      worst = ratio;
      at = i;
    }
  }
  if (at < 0) return null;
  return `${wrong} of ${want.length} elements differ, most at ${at}: got ${got[at]}, want ${want[at]} (${worst.toPrecision(3)}x the tolerance)`;
}
