import { showShape, ValueError } from "../base/index.ts";
import { build } from "../ir/index.ts";
import { apply } from "./apply.ts";
import { asTensor, type TensorLike } from "./convert.ts";
import type { Tensor } from "./tensor.ts";

type Bounds = readonly [start?: number | null, stop?: number | null, step?: number | null];

/**
 * What is taken of one axis: `[start, stop, step]` as Python's start:stop:step (null for the default, negative numbers count
 * from the end, a negative step walks backwards), a whole number (that index; the axis goes), or null (all of it). Also as
 * text: "1:3", "::-1", "..." for all axes that are not named, "newaxis" for one of size 1.
 */
export type Range = number | null | string | Bounds;

/** The range that a text stands for. */
function fromText(text: string): number | null | Bounds {
  const parts = text.split(":").map((p) => (p.trim() === "" ? null : Number(p)));
  if (
    parts.length > 3 ||
    parts.some((p) => p !== null && !Number.isInteger(p)) ||
    (parts.length === 1 && parts[0] === null)
  ) {
    throw new ValueError(`[slice] "${text}" is no range: write "start:stop:step", an index, "..." or "newaxis".`);
  }
  return parts.length === 1 ? parts[0] : (parts as unknown as Bounds);
}

/** Python's slice.indices: bounds of a walk over `size` elements. */
function bounds([a, b, c]: Bounds, size: number, axis: number): { start: number; count: number; step: number } {
  const step = c ?? 1;
  for (const v of [a, b, c]) {
    if (v !== undefined && v !== null && !Number.isInteger(v))
      throw new ValueError(`[slice] axis ${axis}: ${v} is not a whole number.`);
  }
  if (step === 0) throw new ValueError(`[slice] axis ${axis}: the step must not be 0.`);
  const clamp = (v: number, lo: number, hi: number): number => Math.min(hi, Math.max(lo, v < 0 ? v + size : v));
  const [lo, hi] = step > 0 ? [0, size] : [-1, size - 1];
  const start = a === undefined || a === null ? (step > 0 ? 0 : size - 1) : clamp(a, lo, hi);
  const stop = b === undefined || b === null ? (step > 0 ? size : -1) : clamp(b, lo, hi);
  return { start, count: Math.max(0, Math.ceil((stop - start) / step)), step };
}

/**
 * Part of a tensor, one range an axis from the first on; axes without one are taken whole. Bounds are clipped as in
 * Python; an index outside its axis throws ValueError.
 *
 * @example
 * slice(x, [1, 3], null, -1);          // x[1:3, :, -1]
 * slice(x, [null, null, -1]);          // x[::-1]
 * slice(x, "...", "::2");              // x[..., ::2]
 */
export function slice(x: TensorLike, ...ranges: readonly Range[]): Tensor {
  const t = asTensor(x, "slice");
  const named = ranges.filter((r) => r !== "..." && r !== "newaxis").length;
  if (named > t.rank || ranges.indexOf("...") !== ranges.lastIndexOf("...")) {
    throw new ValueError(
      `[slice] ${named} ranges for ${showShape(t.shape)}, which has ${t.rank} axes (and at most one "...").`,
    );
  }
  const spread = ranges.flatMap((r) => (r === "..." ? Array<null>(t.rank - named).fill(null) : [r]));
  const taken = spread.filter((r) => r !== "newaxis").map((r) => (typeof r === "string" ? fromText(r) : r));
  const start = t.shape.map(() => 0);
  const stop = [...t.shape];
  const step = t.shape.map(() => 1);
  const flips: number[] = [];
  const gone = new Set<number>();
  taken.forEach((range, axis) => {
    if (range === null || range === undefined) return;
    const size = t.shape[axis];
    if (typeof range === "number") {
      if (!Number.isInteger(range) || range < -size || range >= size) {
        throw new ValueError(
          `[slice] index ${range} is outside axis ${axis} of ${showShape(t.shape)}: use ${-size}..${size - 1}.`,
        );
      }
      start[axis] = range < 0 ? range + size : range;
      stop[axis] = start[axis] + 1;
      gone.add(axis);
      return;
    }
    const b = bounds(range, size, axis);
    if (b.count === 0) {
      start[axis] = stop[axis] = 0;
    } else if (b.step > 0) {
      start[axis] = b.start;
      stop[axis] = b.start + (b.count - 1) * b.step + 1;
      step[axis] = b.step;
    } else {
      // The same elements forwards, then reversed.
      flips.push(axis);
      start[axis] = b.start + (b.count - 1) * b.step;
      stop[axis] = b.start + 1;
      step[axis] = -b.step;
    }
  });
  return apply([t], (a) => {
    const part = build.flip(build.slice(a, start, stop, step), flips);
    // The result's axes in the order of the ranges, new ones among them.
    const shape: number[] = [];
    let axis = 0;
    for (const range of spread) {
      if (range === "newaxis") shape.push(1);
      else if (!gone.has(axis++)) shape.push(part.shape[axis - 1]);
    }
    return build.reshape(part, [...shape, ...part.shape.slice(axis)]);
  });
}
