/** The derivative of dot, which is closed under differentiation: both gradients are dots again. */
import { build, type DotAttrs, type Node, type Row } from "../ir/index.ts";

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
export const dotRow: Row<"dot"> = (n, ct, needs) => {
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
