import type { Affine } from "./kernel.ts";

/** Loop counters that a kernel is being built on; splitting one starts the build again. */
export class SplitLoop extends Error {
  readonly loop: number;
  readonly inner: number;
  constructor(loop: number, inner: number) {
    super("split");
    this.loop = loop;
    this.inner = inner;
  }
}

const ZERO: Affine = { c: 0, t: [] };
export const constant = (c: number): Affine => (c === 0 ? ZERO : { c, t: [] });
export const ofLoop = (loop: number): Affine => {
  const t = new Array<number>(loop + 1).fill(0);
  t[loop] = 1;
  return { c: 0, t };
};

export function addAffine(a: Affine, b: Affine): Affine {
  const n = Math.max(a.t.length, b.t.length);
  const t = new Array<number>(n);
  for (let i = 0; i < n; i++) t[i] = (a.t[i] ?? 0) + (b.t[i] ?? 0);
  return trim(a.c + b.c, t);
}

export const scaleAffine = (a: Affine, f: number): Affine =>
  f === 0 ? ZERO : f === 1 ? a : { c: a.c * f, t: a.t.map((x) => x * f) };

function trim(c: number, t: number[]): Affine {
  while (t.length > 0 && t[t.length - 1] === 0) t.pop();
  return { c, t };
}

export const factor = (a: Affine, loop: number): number => a.t[loop] ?? 0;

export const sameAffine = (a: Affine, b: Affine): boolean => {
  if (a.c !== b.c) return false;
  const n = Math.max(a.t.length, b.t.length);
  for (let i = 0; i < n; i++) if ((a.t[i] ?? 0) !== (b.t[i] ?? 0)) return false;
  return true;
};

export const isConstant = (a: Affine): boolean => a.t.every((x) => x === 0);

/** Σ idx · stride of a row-major shape. */
export function flatten(idx: readonly Affine[], shape: readonly number[]): Affine {
  let c = 0;
  const t: number[] = [];
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && stride !== 0) {
      const a = idx[i];
      c += a.c * stride;
      while (t.length < a.t.length) t.push(0);
      for (let l = 0; l < a.t.length; l++) t[l] += a.t[l] * stride;
    }
    stride *= shape[i];
  }
  return trim(c, t);
}

/**
 * The index into `to` (row-major) of the element that `idx` names in `from`, for equal element counts. Axes are matched in
 * the smallest groups of equal products; within a group each loop must fall into one axis of `to`. A loop that straddles
 * two axes is split (SplitLoop); null when the index is not affine.
 */
export function reshapeIndex(
  idx: readonly Affine[],
  from: readonly number[],
  to: readonly number[],
  sizes: readonly number[],
): Affine[] | null {
  const out: Affine[] = [];
  let i = 0;
  let j = 0;
  while (i < from.length || j < to.length) {
    if (i < from.length && from[i] === to[j]) {
      out.push(flatten([idx[i++]], [to[j++]]));
      continue;
    }
    const i0 = i;
    const j0 = j;
    let p = i < from.length ? from[i++] : 1;
    let q = j < to.length ? to[j++] : 1;
    while (p !== q) {
      if (p < q) {
        if (i >= from.length) return null;
        p *= from[i++];
      } else {
        if (j >= to.length) return null;
        q *= to[j++];
      }
    }
    const digits = splitGroup(flatten(idx.slice(i0, i), from.slice(i0, i)), to.slice(j0, j), sizes);
    if (digits === null) return null;
    out.push(...digits);
  }
  return out;
}

/** A flat index as one index an axis of `shape`. */
function splitGroup(flat: Affine, shape: readonly number[], sizes: readonly number[]): Affine[] | null {
  const real = shape.filter((d) => d !== 1).length;
  if (real === 0) return shape.map(() => constant(0));
  if (real === 1) return shape.map((d) => (d === 1 ? constant(0) : flat));
  const digits: Affine[] = [];
  let stride = shape.reduce((a, d) => a * d, 1);
  let rest = flat.c;
  if (rest < 0) return null;
  for (const d of shape) {
    stride /= d;
    const t: number[] = [];
    let most = 0;
    for (let loop = 0; loop < flat.t.length; loop++) {
      const f = flat.t[loop];
      if (f === 0 || sizes[loop] === 1) continue;
      if (f < 0) return null;
      if (f >= stride * d || f * (sizes[loop] - 1) < stride) continue;
      if (f < stride) {
        // Part of this loop counts here, part in a later axis.
        const inner = stride / f;
        if (Number.isInteger(inner) && sizes[loop] % inner === 0) throw new SplitLoop(loop, inner);
        return null;
      }
      if (f % stride !== 0) return null;
      if (f * sizes[loop] > stride * d && f * (sizes[loop] - 1) >= stride * d) {
        // It runs on into the axis before this one.
        const inner = (stride * d) / f;
        if (Number.isInteger(inner) && sizes[loop] % inner === 0) throw new SplitLoop(loop, inner);
        return null;
      }
      t[loop] = f / stride;
      most += (f / stride) * (sizes[loop] - 1);
    }
    const c = Math.floor(rest / stride);
    rest -= c * stride;
    if (c + most >= d) return null;
    digits.push({ c, t: Array.from(t, (x) => x ?? 0) });
  }
  return digits;
}
