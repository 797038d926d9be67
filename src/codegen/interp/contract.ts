import { isFloat, sizeOf, stridesOf, type TypedArray } from "../../base/index.ts";
import type { Node, Pads, WindowAttrs } from "../../ir/index.ts";
import { offsets } from "./move.ts";

/** acc + a·b, wrapped to 32 bits for integers. */
const mulAdd = (dtype: Node["dtype"]): ((acc: number, a: number, b: number) => number) =>
  isFloat(dtype) ? (acc, a, b): number => acc + a * b : (acc, a, b): number => (acc + Math.imul(a, b)) | 0;

/** a [batch, free, contract] and b [batch, free, contract] in any order of axes → [batch, free of a, free of b] */
export function dot(n: Node<"dot">, [a, b]: readonly TypedArray[], out: TypedArray): void {
  const { lhsBatch, rhsBatch, lhsContract, rhsContract } = n.attrs;
  const along = (shape: readonly number[], axes: readonly number[]): Int32Array => {
    const strides = stridesOf(shape);
    return offsets(
      axes.map((i) => shape[i]),
      axes.map((i) => strides[i]),
    );
  };
  const [p, q] = n.srcs.map((s) => s.shape);
  const freeOf = (shape: readonly number[], used: readonly number[]): number[] =>
    shape.map((_, i) => i).filter((i) => !used.includes(i));
  const batchA = along(p, lhsBatch);
  const batchB = along(q, rhsBatch);
  const freeA = along(p, freeOf(p, [...lhsBatch, ...lhsContract]));
  const freeB = along(q, freeOf(q, [...rhsBatch, ...rhsContract]));
  const sumA = along(p, lhsContract);
  const sumB = along(q, rhsContract);
  const fma = mulAdd(n.dtype);
  let at = 0;
  for (let s = 0; s < batchA.length; s++) {
    for (let i = 0; i < freeA.length; i++) {
      const rowA = batchA[s] + freeA[i];
      for (let j = 0; j < freeB.length; j++) {
        const rowB = batchB[s] + freeB[j];
        let acc = 0;
        for (let k = 0; k < sumA.length; k++) acc = fma(acc, a[rowA + sumA[k]], b[rowB + sumB[k]]);
        out[at++] = acc;
      }
    }
  }
}

/** Where each tap of a sliding window falls on one axis: [out, taps], -1 in the padding or between dilated elements. */
interface AxisWindow {
  readonly size: number;
  readonly window: number;
  readonly stride: number;
  readonly pads: Pads;
  readonly dilation: number;
  readonly lhsDilation: number;
}

function axisTaps(a: AxisWindow, out: number): Int32Array {
  const at = new Int32Array(out * a.window);
  for (let o = 0; o < out; o++) {
    for (let k = 0; k < a.window; k++) {
      const place = o * a.stride + k * a.dilation - a.pads[0];
      const i = place / a.lhsDilation;
      at[o * a.window + k] = place >= 0 && Number.isInteger(i) && i < a.size ? i : -1;
    }
  }
  return at;
}

/** For every output place and every tap, both row-major: the flat spatial index that the tap reads, or -1. */
function taps(axes: readonly AxisWindow[], outs: readonly number[]): Int32Array {
  let table: Int32Array = Int32Array.of(0);
  let places = 1;
  let count = 1;
  axes.forEach((axis, d) => {
    const on = axisTaps(axis, outs[d]);
    const next = new Int32Array(places * outs[d] * count * axis.window);
    let at = 0;
    for (let p = 0; p < places; p++) {
      for (let o = 0; o < outs[d]; o++) {
        for (let t = 0; t < count; t++) {
          for (let k = 0; k < axis.window; k++) {
            const before = table[p * count + t];
            const here = on[o * axis.window + k];
            next[at++] = before < 0 || here < 0 ? -1 : before * axis.size + here;
          }
        }
      }
    }
    table = next;
    places *= outs[d];
    count *= axis.window;
  });
  return table;
}

/** x [B, ...S, G, I], w [...K, G, I, O] → [B, ...S', G, O] */
export function conv(n: Node<"conv">, [x, w]: readonly TypedArray[], out: TypedArray): void {
  const { strides, padding, lhsDilation, rhsDilation } = n.attrs;
  const [xs, ws] = n.srcs.map((s) => s.shape);
  const nd = xs.length - 3;
  const [G, I, O] = [xs[nd + 1], xs[nd + 2], ws[nd + 2]];
  const axes = strides.map((stride, d): AxisWindow => ({
    size: xs[d + 1],
    window: ws[d],
    stride,
    pads: padding[d],
    dilation: rhsDilation[d],
    lhsDilation: lhsDilation[d],
  }));
  const outSpace = n.shape.slice(1, nd + 1);
  const table = taps(axes, outSpace);
  const places = sizeOf(outSpace);
  const count = sizeOf(ws.slice(0, nd));
  const pixels = sizeOf(xs.slice(1, nd + 1));
  const fma = mulAdd(n.dtype);
  const acc = new Float64Array(G * O);
  for (let b = 0; b < xs[0]; b++) {
    for (let p = 0; p < places; p++) {
      acc.fill(0);
      for (let t = 0; t < count; t++) {
        const pixel = table[p * count + t];
        if (pixel < 0) continue;
        for (let g = 0; g < G; g++) {
          for (let i = 0; i < I; i++) {
            const xi = x[((b * pixels + pixel) * G + g) * I + i];
            const row = ((t * G + g) * I + i) * O;
            for (let o = 0; o < O; o++) acc[g * O + o] = fma(acc[g * O + o], xi, w[row + o]);
          }
        }
      }
      out.set(acc, (b * places + p) * G * O);
    }
  }
}

/** Calls visit(flat in [B, ...S', C], flat in x [B, ...S, C] of each tap inside x, in row-major order of the taps). */
function eachWindow(
  at: WindowAttrs,
  x: readonly number[],
  y: readonly number[],
  visit: (out: number, source: Int32Array, count: number) => void,
): void {
  const nd = x.length - 2;
  const axes = at.window.map((window, d): AxisWindow => ({
    size: x[d + 1],
    window,
    stride: at.strides[d],
    pads: at.padding[d],
    dilation: at.dilation[d],
    lhsDilation: 1,
  }));
  const outSpace = y.slice(1, nd + 1);
  const table = taps(axes, outSpace);
  const places = sizeOf(outSpace);
  const pixels = sizeOf(x.slice(1, nd + 1));
  const all = sizeOf(at.window);
  const C = x[nd + 1];
  const source = new Int32Array(all);
  for (let b = 0; b < x[0]; b++) {
    for (let p = 0; p < places; p++) {
      for (let c = 0; c < C; c++) {
        let count = 0;
        for (let t = 0; t < all; t++) {
          const pixel = table[p * all + t];
          if (pixel >= 0) source[count++] = (b * pixels + pixel) * C + c;
        }
        visit((b * places + p) * C + c, source, count);
      }
    }
  }
}

/** x [B, ...S, C] → [B, ...S', C]; padding counts as 0. */
export function windowSum(n: Node<"windowSum">, [x]: readonly TypedArray[], out: TypedArray): void {
  eachWindow(n.attrs, n.srcs[0].shape, n.shape, (to, source, count) => {
    let acc = 0;
    for (let k = 0; k < count; k++) acc += x[source[k]];
    out[to] = acc;
  });
}

/** dy [B, ...S', C] → dx [B, ...S, C] */
export function windowSumGrad(n: Node<"windowSumGrad">, [dy]: readonly TypedArray[], out: TypedArray): void {
  const acc = new Float64Array(out.length);
  eachWindow(n.attrs, n.shape, n.srcs[0].shape, (from, source, count) => {
    for (let k = 0; k < count; k++) acc[source[k]] += dy[from];
  });
  out.set(acc);
}

/** x [B, ...S, C] → [B, ...S', C]; padding counts as -Infinity. */
export function windowMax(n: Node<"windowMax">, [x]: readonly TypedArray[], out: TypedArray): void {
  eachWindow(n.attrs, n.srcs[0].shape, n.shape, (to, source, count) => {
    let best = -Infinity;
    for (let k = 0; k < count; k++) best = Math.max(best, x[source[k]]);
    out[to] = best;
  });
}

/** The flat place of the first maximum of a window (a NaN is the maximum), or -1 when it lies wholly in the padding. */
function firstMax(x: TypedArray, source: Int32Array, count: number): number {
  let best = count === 0 ? -1 : source[0];
  for (let k = 1; k < count && !Number.isNaN(x[best]); k++) {
    if (!(x[source[k]] <= x[best])) best = source[k];
  }
  return best;
}

/** x, g [B, ...S, C] → [B, ...S', C] */
export function windowPick(n: Node<"windowPick">, [x, g]: readonly TypedArray[], out: TypedArray): void {
  eachWindow(n.attrs, n.srcs[0].shape, n.shape, (to, source, count) => {
    const at = firstMax(x, source, count);
    out[to] = at < 0 ? 0 : g[at];
  });
}

/** x [B, ...S, C], dy [B, ...S', C] → dx [B, ...S, C] */
export function windowPickGrad(n: Node<"windowPickGrad">, [x, dy]: readonly TypedArray[], out: TypedArray): void {
  const acc = new Float64Array(out.length);
  eachWindow(n.attrs, n.shape, n.srcs[1].shape, (from, source, count) => {
    const at = firstMax(x, source, count);
    if (at >= 0) acc[at] += dy[from];
  });
  out.set(acc);
}
