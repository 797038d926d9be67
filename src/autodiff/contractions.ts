/**
 * Derivatives of contractions and windows. dot is closed under differentiation, and so is conv: both gradients of a
 * convolution are convolutions again, with strides and dilations in exchanged roles.
 */
import { type ConvAttrs, type DotAttrs, build, type Node, type Pads, type WindowAttrs } from "../ir/index.ts";
import type { Row } from "./rules.ts";

const without = (rank: number, ...used: readonly (readonly number[])[]): number[] =>
  Array.from({ length: rank }, (_, i) => i).filter((i) => !used.some((u) => u.includes(i)));

/** The axes of `x` from the order they came out in: place i of the result is axis order[i] of x. */
const restore = (x: Node, order: readonly number[]): Node =>
  build.permute(
    x,
    order.map((_, i) => order.indexOf(i)),
  );

/**
 * out[batch, freeA, freeB] = a · b. dA contracts ct with b over freeB, dB contracts ct with a over freeA; the operand order is
 * chosen so that the result needs a permute only when the source was laid out otherwise.
 */
const dotRow: Row<"dot"> = (n, ct, needs) => {
  const [a, b] = n.srcs;
  const at: DotAttrs = n.attrs;
  const freeA = without(a.shape.length, at.lhsBatch, at.lhsContract);
  const freeB = without(b.shape.length, at.rhsBatch, at.rhsContract);
  const nb = at.lhsBatch.length;
  const ctBatch = at.lhsBatch.map((_, i) => i);
  const ctA = freeA.map((_, i) => nb + i);
  const ctB = freeB.map((_, i) => nb + freeA.length + i);
  return [
    needs[0]
      ? side(
          ct,
          ctBatch,
          ctB,
          b,
          at.rhsBatch,
          freeB,
          [at.lhsBatch, freeA, at.lhsContract],
          pairOrder(at.rhsContract, at.lhsContract),
        )
      : null,
    needs[1]
      ? side(
          ct,
          ctBatch,
          ctA,
          a,
          at.lhsBatch,
          freeA,
          [at.rhsBatch, freeB, at.rhsContract],
          pairOrder(at.lhsContract, at.rhsContract),
        )
      : null,
  ];
};

/** The contracted axes of the source in the order in which the other operand's come out (ascending). */
const pairOrder = (other: readonly number[], own: readonly number[]): number[] =>
  other
    .map((axis, i) => ({ axis, own: own[i] }))
    .sort((p, q) => p.axis - q.axis)
    .map((p) => p.own);

/**
 * The gradient of one source of a dot. `layout` is that source's batch, free and contracted axes; `contracted` lists its
 * contracted axes as `other` yields them.
 */
function side(
  ct: Node,
  ctBatch: readonly number[],
  ctContract: readonly number[],
  other: Node,
  otherBatch: readonly number[],
  otherContract: readonly number[],
  layout: readonly [readonly number[], readonly number[], readonly number[]],
  contracted: readonly number[],
): Node {
  const [batch, free] = layout;
  const ctFirst = [...batch, ...free, ...contracted];
  const otherFirst = [...batch, ...contracted, ...free];
  const sorted = (order: readonly number[]): boolean => order.every((p, i) => p === i);
  if (!sorted(ctFirst) && sorted(otherFirst)) {
    return build.dot(other, ct, {
      lhsBatch: otherBatch,
      rhsBatch: ctBatch,
      lhsContract: otherContract,
      rhsContract: ctContract,
    });
  }
  const out = build.dot(ct, other, {
    lhsBatch: ctBatch,
    rhsBatch: otherBatch,
    lhsContract: ctContract,
    rhsContract: otherContract,
  });
  return restore(out, ctFirst);
}

/** A conv of result `shape` whose padding may be negative: the parts of x that it would skip are cut off first. */
function convAny(x: Node, w: Node, at: ConvAttrs, shape: readonly number[]): Node {
  if (at.padding.every(([lo, hi]) => lo >= 0 && hi >= 0)) return build.conv(x, w, at);
  const start = x.shape.map(() => 0);
  const stop = [...x.shape];
  const padding = at.padding.map(([lo, hi], i): Pads => {
    // One element of x is lhsDilation places wide; a cut of c places drops ceil(c / dilation) of them and pads back the rest.
    const d = at.lhsDilation[i];
    const cutLo = Math.ceil(Math.max(0, -lo) / d);
    const cutHi = Math.ceil(Math.max(0, -hi) / d);
    start[i + 1] = cutLo;
    stop[i + 1] -= cutHi;
    return [lo + cutLo * d, hi + cutHi * d];
  });
  // Nothing of x is seen: the window walks over zeros alone.
  if (start.some((from, i) => from >= stop[i])) return build.full(shape, 0, x.dtype);
  return build.conv(build.slice(x, start, stop), w, { ...at, padding });
}

/**
 * x [B, ...S, G, I], w [...K, G, I, O], ct [B, ...S', G, O].
 * dx: ct, dilated by the strides, meets the flipped kernel with in and out exchanged.
 * dw: x with channels for batch meets ct as a kernel of the output's size, dilated by the strides.
 */
const convRow: Row<"conv"> = (n, ct, needs) => {
  const [x, w] = n.srcs;
  const { strides, padding, lhsDilation, rhsDilation } = n.attrs;
  const nd = x.shape.length - 3;
  const spatial = Array.from({ length: nd }, (_, i) => i + 1);
  const dilated = (size: number, d: number): number => (size === 0 ? 0 : (size - 1) * d + 1);
  const dx = (): Node => {
    // [...K, G, I, O] → flipped [...K, G, O, I]
    const turned = build.permute(
      build.flip(
        w,
        spatial.map((i) => i - 1),
      ),
      [...spatial.map((i) => i - 1), nd, nd + 2, nd + 1],
    );
    const pads = spatial.map((s, i): Pads => {
      const taps = dilated(w.shape[i], rhsDilation[i]);
      const lo = taps - 1 - padding[i][0];
      // The result covers x's dilated extent exactly.
      return [lo, dilated(x.shape[s], lhsDilation[i]) + taps - 1 - lo - dilated(ct.shape[s], strides[i])];
    });
    return convAny(ct, turned, { strides: lhsDilation, padding: pads, lhsDilation: strides, rhsDilation }, x.shape);
  };
  const dw = (): Node => {
    // x [B, ...S, G, I] → [I, ...S, G, B]; ct [B, ...S', G, O] → [...S', G, B, O]; result [I, ...K, G, O] → [...K, G, I, O]
    const lhs = build.permute(x, [nd + 2, ...spatial, nd + 1, 0]);
    const rhs = build.permute(ct, [...spatial, nd + 1, 0, nd + 2]);
    const pads = spatial.map((s, i): Pads => {
      const lo = padding[i][0];
      const extent = dilated(w.shape[i], rhsDilation[i]) + dilated(ct.shape[s], strides[i]) - 1;
      return [lo, extent - lo - dilated(x.shape[s], lhsDilation[i])];
    });
    const shape = [w.shape[nd + 1], ...w.shape.slice(0, nd + 1), w.shape[nd + 2]];
    const out = convAny(lhs, rhs, { strides: rhsDilation, padding: pads, lhsDilation, rhsDilation: strides }, shape);
    return build.permute(out, [...spatial, nd + 1, 0, nd + 2]);
  };
  return [needs[0] ? dx() : null, needs[1] ? dw() : null];
};

const spatialOf = (x: Node): readonly number[] => x.shape.slice(1, -1);

const windowOf = ({ window, strides, padding, dilation }: WindowAttrs): WindowAttrs => ({
  window,
  strides,
  padding,
  dilation,
});

type Rows = {
  readonly [
    P in "dot" | "conv" | "windowSum" | "windowSumGrad" | "windowMax" | "windowPick" | "windowPickGrad"
  ]: Row<P>;
};

/** The rows of dot, conv and the window primitives. */
export const contractionRules: Rows = {
  dot: dotRow,
  conv: convRow,
  windowSum: (n, ct) => [build.windowSumGrad(ct, { ...windowOf(n.attrs), spatial: spatialOf(n.srcs[0]) })],
  windowSumGrad: (n, ct) => [build.windowReduce("windowSum", ct, windowOf(n.attrs))],
  /** To the first maximum of each window. */
  windowMax: (n, ct) => [build.windowPickGrad(n.srcs[0], ct, windowOf(n.attrs))],
  /** Linear in g, piecewise constant in x. */
  windowPick: (n, ct) => [null, build.windowPickGrad(n.srcs[0], ct, windowOf(n.attrs))],
  windowPickGrad: (n, ct) => [null, build.windowPick(n.srcs[0], ct, windowOf(n.attrs))],
};
