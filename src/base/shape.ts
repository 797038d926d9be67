import { ShapeError, showShape, ValueError } from "./errors.ts";

/** The size of each axis; empty for a scalar. */
export type Shape = readonly number[];

/** Number of elements; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const out = new Array<number>(shape.length);
  let n = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    out[i] = n;
    n *= shape[i];
  }
  return out;
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** An axis in 0..rank-1 from one that may be negative. */
export function axisOf(axis: number, rank: number, op: string): number {
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || a < 0 || a >= rank) {
    throw new ValueError(
      `[${op}] axis ${axis} is out of range for a tensor of rank ${rank}: use ${-rank}..${rank - 1}.`,
    );
  }
  return a;
}

/** Sorted, distinct axes in 0..rank-1; `undefined` means all of them. */
export function axesOf(axis: number | readonly number[] | undefined | null, rank: number, op: string): number[] {
  if (axis === undefined || axis === null) return Array.from({ length: rank }, (_, i) => i);
  const axes = (typeof axis === "number" ? [axis] : axis).map((a) => axisOf(a, rank, op)).sort((a, b) => a - b);
  for (let i = 1; i < axes.length; i++) {
    if (axes[i] === axes[i - 1]) throw new ValueError(`[${op}] axis ${axes[i]} is named twice in [${String(axis)}].`);
  }
  return axes;
}

/** The shape that NumPy broadcasting gives two shapes: trailing axes aligned, each pair equal or one of them 1. */
export function broadcastShapes(a: Shape, b: Shape, op: string): number[] {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const p = a[a.length - rank + i] ?? 1;
    const q = b[b.length - rank + i] ?? 1;
    if (p !== q && p !== 1 && q !== 1) {
      throw new ShapeError(
        `[${op}] cannot broadcast ${showShape(a)} with ${showShape(b)}: axis ${i - rank} is ${p} against ${q}; ` +
          `aligned from the right, each pair must be equal or one of them 1.${broadcastHint(a, b)}`,
      );
    }
    out[i] = p === 1 ? q : p;
  }
  return out;
}

/** The repair for the usual slip: a vector that was meant as a column. */
function broadcastHint(a: Shape, b: Shape): string {
  const [v, other] = a.length === 1 ? [a, b] : [b, a];
  if (v.length === 1 && other.length > 1 && other.at(-2) === v[0]) return ` Did you mean .reshape([${v[0]}, 1])?`;
  return "";
}

/** Throws unless every size is a whole number ≥ 0. */
export function checkShape(shape: Shape, op: string): void {
  if (!Array.isArray(shape)) throw new ShapeError(`[${op}] a shape is a list such as [2, 3], got ${String(shape)}.`);
  for (const d of shape) {
    if (!Number.isInteger(d) || d < 0) {
      throw new ShapeError(`[${op}] ${showShape(shape)} is not a shape: every size must be a whole number ≥ 0.`);
    }
  }
}

/** The target shape with a single -1 resolved from `size`. */
export function resolveReshape(shape: Shape, from: Shape, op: string): number[] {
  const size = sizeOf(from);
  const hole = shape.indexOf(-1);
  const out = [...shape];
  if (hole >= 0) {
    const rest = shape.reduce((n, d, i) => (i === hole ? n : n * d), 1);
    if (shape.indexOf(-1, hole + 1) >= 0) throw new ShapeError(`[${op}] ${showShape(shape)}: only one size may be -1.`);
    out[hole] = rest === 0 ? 0 : size / rest;
  }
  if (!out.every((d) => Number.isInteger(d) && d >= 0) || sizeOf(out) !== size) {
    throw new ShapeError(
      `[${op}] cannot reshape ${showShape(from)} (${size} elements) to ${showShape(shape)}: the element counts differ.`,
    );
  }
  return out;
}

/** Indices along each axis of element number `flat` (NumPy: unravel_index). */
export function unravelIndex(flat: number, shape: readonly number[]): number[] {
  const out = shape.map(() => 0);
  for (let i = shape.length - 1, rest = flat; i >= 0; i--) {
    out[i] = rest % shape[i];
    rest = Math.floor(rest / shape[i]);
  }
  return out;
}
