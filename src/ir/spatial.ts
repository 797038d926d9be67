/** Spatial axes written with movement alone: what convolutions and windows become on their way to a plan. */
import * as b from "./build.ts";
import { isOp, type Node } from "./node.ts";
import type { Pads } from "./primitives.ts";

/** d-1 zeros between the elements of axes `from`…: written with movement alone. */
export function dilate(x: Node, from: number, dilation: readonly number[]): Node {
  let out = x;
  dilation.forEach((d, i) => {
    const axis = from + i;
    const n = out.shape[axis];
    if (d === 1 || n === 0) return;
    const split = [...out.shape.slice(0, axis), n, 1, ...out.shape.slice(axis + 1)];
    const zeros = b.pad(
      b.reshape(out, split),
      split.map((_, a): Pads => [0, a === axis + 1 ? d - 1 : 0]),
    );
    const flat = b.reshape(
      zeros,
      out.shape.map((s, a) => (a === axis ? n * d : s)),
    );
    const stop = flat.shape.map((s, a) => (a === axis ? s - (d - 1) : s));
    out = b.slice(
      flat,
      flat.shape.map(() => 0),
      stop,
    );
  });
  return out;
}

/** Padding in the order of memory: a permutation stays a way of looking at it, and both users of an image share it. */
function padUnder(x: Node, padding: readonly Pads[], value: number): Node {
  if (!isOp(x, "permute")) return b.pad(x, padding, value);
  const { perm } = x.attrs;
  const under = perm.map((_, i): Pads => padding[perm.indexOf(i)]);
  return b.permute(padUnder(x.srcs[0], under, value), perm);
}

/** Padding of the spatial axes 1…; negative sizes cut. */
export function padSpatial(x: Node, padding: readonly Pads[], value: number): Node {
  const at = (i: number): Pads => padding[i - 1] ?? [0, 0];
  // A cut beyond the image leaves padding only.
  if (x.shape.some((d, i) => Math.max(0, -at(i)[0]) + Math.max(0, -at(i)[1]) > d)) {
    return b.full(
      x.shape.map((d, i) => Math.max(0, d + at(i)[0] + at(i)[1])),
      value,
      x.dtype,
    );
  }
  const cut = b.slice(
    x,
    x.shape.map((_, i) => Math.max(0, -at(i)[0])),
    x.shape.map((d, i) => d - Math.max(0, -at(i)[1])),
  );
  return padUnder(
    cut,
    x.shape.map((_, i): Pads => [Math.max(0, at(i)[0]), Math.max(0, at(i)[1])]),
    value,
  );
}

/** 1 for each of `n` axes. */
export const ones = (n: number): number[] => new Array<number>(n).fill(1);
export const noPads = (n: number): Pads[] => Array.from({ length: n }, (): Pads => [0, 0]);

/** Output size of a window of `k` taps `dilation` apart over `n` padded elements. */
export const windowSize = (n: number, k: number, stride: number, [lo, hi]: Pads, dilation: number): number =>
  Math.floor((n + lo + hi - (dilation * (k - 1) + 1)) / stride) + 1;
