import { sizeOf, stridesOf, type TypedArray } from "../../base/index.ts";
import type { Node } from "../../ir/index.ts";

/** start + Σ index·stride for every index of `shape` in row-major order. */
export function offsets(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  const out = new Int32Array(sizeOf(shape));
  const index = new Int32Array(shape.length);
  let at = start;
  for (let i = 0; i < out.length; i++) {
    out[i] = at;
    for (let d = shape.length - 1; d >= 0; d--) {
      at += strides[d];
      if (++index[d] < shape[d]) break;
      at -= shape[d] * strides[d];
      index[d] = 0;
    }
  }
  return out;
}

/** out[i] = x[from[i]] */
function copyFrom(x: TypedArray, from: Int32Array, out: TypedArray): void {
  for (let i = 0; i < out.length; i++) out[i] = x[from[i]];
}

export function permute(n: Node<"permute">, [x]: readonly TypedArray[], out: TypedArray): void {
  const strides = stridesOf(n.srcs[0].shape);
  copyFrom(
    x,
    offsets(
      n.shape,
      n.attrs.perm.map((p) => strides[p]),
    ),
    out,
  );
}

export function expand(n: Node<"expand">, [x]: readonly TypedArray[], out: TypedArray): void {
  const from = n.srcs[0].shape;
  copyFrom(
    x,
    offsets(
      n.shape,
      stridesOf(from).map((s, i) => (from[i] === 1 ? 0 : s)),
    ),
    out,
  );
}

export function slice(n: Node<"slice">, [x]: readonly TypedArray[], out: TypedArray): void {
  const { start, step } = n.attrs;
  const strides = stridesOf(n.srcs[0].shape);
  const first = start.reduce((at, s, i) => at + s * strides[i], 0);
  copyFrom(
    x,
    offsets(
      n.shape,
      strides.map((s, i) => s * step[i]),
      first,
    ),
    out,
  );
}

export function flip(n: Node<"flip">, [x]: readonly TypedArray[], out: TypedArray): void {
  const { axes } = n.attrs;
  const strides = stridesOf(n.shape);
  const last = axes.reduce((at, a) => at + (n.shape[a] - 1) * strides[a], 0);
  copyFrom(
    x,
    offsets(
      n.shape,
      strides.map((s, i) => (axes.includes(i) ? -s : s)),
      last,
    ),
    out,
  );
}

export function pad(n: Node<"pad">, [x]: readonly TypedArray[], out: TypedArray): void {
  const { padding, value } = n.attrs;
  const strides = stridesOf(n.shape);
  out.fill(n.dtype === "bool" ? Number(value !== 0) : value);
  const to = offsets(
    n.srcs[0].shape,
    strides,
    padding.reduce((at, [lo], i) => at + lo * strides[i], 0),
  );
  for (let i = 0; i < x.length; i++) out[to[i]] = x[i];
}

export function concat(n: Node<"concat">, srcs: readonly TypedArray[], out: TypedArray): void {
  const strides = stridesOf(n.shape);
  let first = 0;
  srcs.forEach((x, k) => {
    const { shape } = n.srcs[k];
    const to = offsets(shape, strides, first * strides[n.attrs.axis]);
    for (let i = 0; i < x.length; i++) out[to[i]] = x[i];
    first += shape[n.attrs.axis];
  });
}

/** For x [outer, size, inner] and clamped indices [m]: calls visit(flat in x, flat in [outer, m, inner]). */
function eachIndexed(
  x: readonly number[],
  axis: number,
  indices: TypedArray,
  visit: (source: number, indexed: number) => void,
): void {
  const outer = sizeOf(x.slice(0, axis));
  const size = x[axis];
  const inner = sizeOf(x.slice(axis + 1));
  const m = indices.length;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < m; k++) {
      const at = Math.min(Math.max(indices[k], 0), size - 1);
      for (let i = 0; i < inner; i++) visit((o * size + at) * inner + i, (o * m + k) * inner + i);
    }
  }
}

/** x [...a, n, ...b], indices [...m] → [...a, ...m, ...b] */
export function gather(n: Node<"gather">, [x, indices]: readonly TypedArray[], out: TypedArray): void {
  eachIndexed(n.srcs[0].shape, n.attrs.axis, indices, (source, indexed) => {
    out[indexed] = x[source];
  });
}

/** base [...a, n, ...b], indices [...m], updates [...a, ...m, ...b] → [...a, n, ...b] */
export function scatterAdd(
  n: Node<"scatterAdd">,
  [base, indices, updates]: readonly TypedArray[],
  out: TypedArray,
): void {
  const sums = out instanceof Float32Array ? new Float64Array(out.length) : out;
  sums.set(base);
  if (n.shape[n.attrs.axis] > 0) {
    eachIndexed(n.shape, n.attrs.axis, indices, (source, indexed) => {
      if (n.dtype === "bool") sums[source] |= updates[indexed];
      else sums[source] += updates[indexed];
    });
  }
  if (sums !== out) out.set(sums);
}
