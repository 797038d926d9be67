import { isFloat, sizeOf, stridesOf, type TypedArray } from "../../base/index.ts";
import type { Node, ReduceName } from "../../ir/index.ts";
import { offsets } from "./move.ts";

const FIRST: Record<ReduceName, number> = { sum: 0, prod: 1, max: -Infinity, min: Infinity };

const STEP: Record<ReduceName, (acc: number, x: number) => number> = {
  sum: (acc, x) => acc + x,
  prod: (acc, x) => acc * x,
  max: Math.max,
  min: Math.min,
};

/** As STEP, wrapped to 32 bits; what is stored is wrapped further. */
const INT_STEP: Record<ReduceName, (acc: number, x: number) => number> = {
  ...STEP,
  sum: (acc, x) => (acc + x) | 0,
  prod: Math.imul,
};

/** The offsets in x of each kept index, and of each reduced one. */
function split(x: readonly number[], axes: readonly number[]): { kept: Int32Array; gone: Int32Array } {
  const strides = stridesOf(x);
  const pick = (inside: boolean): Int32Array => {
    const chosen = x.map((_, i) => i).filter((i) => axes.includes(i) === inside);
    return offsets(
      chosen.map((i) => x[i]),
      chosen.map((i) => strides[i]),
    );
  };
  return { kept: pick(false), gone: pick(true) };
}

export function reduce(n: Node<ReduceName>, [x]: readonly TypedArray[], out: TypedArray): void {
  const { kept, gone } = split(n.srcs[0].shape, n.attrs.axes);
  const step = isFloat(n.dtype) ? STEP[n.op] : INT_STEP[n.op];
  for (let i = 0; i < kept.length; i++) {
    let acc = FIRST[n.op];
    for (let k = 0; k < gone.length; k++) acc = step(acc, x[kept[i] + gone[k]]);
    out[i] = acc;
  }
}

/** The first extreme; a NaN is more extreme than any number. */
export function argReduce(n: Node<"argmax" | "argmin">, [x]: readonly TypedArray[], out: TypedArray): void {
  const { kept, gone } = split(n.srcs[0].shape, [n.attrs.axis]);
  const sign = n.op === "argmax" ? 1 : -1;
  for (let i = 0; i < kept.length; i++) {
    let best = 0;
    for (let k = 1; k < gone.length; k++) {
      const now = x[kept[i] + gone[best]];
      const next = x[kept[i] + gone[k]];
      if (Number.isNaN(now)) break;
      if (Number.isNaN(next) || sign * next > sign * now) best = k;
    }
    out[i] = best;
  }
}

export function cumsum(n: Node<"cumsum">, [x]: readonly TypedArray[], out: TypedArray): void {
  const { axis, reverse } = n.attrs;
  const { kept } = split(n.shape, [axis]);
  const stride = sizeOf(n.shape.slice(axis + 1));
  const length = n.shape[axis];
  for (const start of kept) {
    let acc = 0;
    for (let k = 0; k < length; k++) {
      const at = start + (reverse ? length - 1 - k : k) * stride;
      acc = isFloat(n.dtype) ? acc + x[at] : (acc + x[at]) | 0;
      out[at] = acc;
    }
  }
}
