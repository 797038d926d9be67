import { isFloat, sizeOf } from "../base/index.ts";
import { build as b, familyOf, isOp, type Node, rebuild } from "../ir/index.ts";
import { algebra, dropMarks, type Rule } from "../ir/rewrite.ts";

/** Graphs in the form that kernels are made from: no marks, no padding or dilation inside contractions and windows. */
export function lower(roots: readonly Node[]): Node[] {
  return rebuild(roots, [dropMarks, algebra, contraction, carried, reversed, joined]);
}

/** Empty contractions are zero; those of nothing are products. */
const contraction: Rule = (n) => {
  if (!isOp(n, "dot")) return null;
  if (n.attrs.lhsContract.some((a) => n.srcs[0].shape[a] === 0)) return b.full(n.shape, 0, n.dtype);
  return n.attrs.lhsContract.length === 0 ? outer(n) : null;
};

/** What primitives say themselves. */
const carried: Rule = (n) => familyOf(n)?.lower?.(n) ?? null;

const ones = (n: number): number[] => new Array<number>(n).fill(1);

/** A product of everything with everything: nothing is summed. */
function outer(n: Node<"dot">): Node {
  const [x, w] = n.srcs;
  const { lhsBatch, rhsBatch } = n.attrs;
  const first = (t: Node, batch: readonly number[]): number[] => [
    ...batch,
    ...t.shape.map((_, i) => i).filter((i) => !batch.includes(i)),
  ];
  const a = b.permute(x, first(x, lhsBatch));
  const c = b.permute(w, first(w, rhsBatch));
  const batch = a.shape.slice(0, lhsBatch.length);
  const aFree = a.shape.slice(batch.length);
  const cFree = c.shape.slice(batch.length);
  const wide = (t: Node, shape: readonly number[]): Node => b.expand(b.reshape(t, shape), n.shape);
  return b.binary(
    "mul",
    wide(a, [...batch, ...aFree, ...ones(cFree.length)]),
    wide(c, [...batch, ...ones(aFree.length), ...cFree]),
  );
}

/** Parts that are padded with zeros and added up to the whole (the gradient of a split) are put side by side. */
const joined: Rule = (n) => {
  if (n.op !== "add") return null;
  const parts: { x: Node; axis: number; from: number; to: number }[] = [];
  const collect = (m: Node): boolean => {
    if (m.op === "add" && parts.length < 64) return m.srcs.every(collect);
    if (!isOp(m, "pad") || m.attrs.value !== 0) return false;
    const axes = m.attrs.padding.flatMap(([lo, hi], a) => (lo > 0 || hi > 0 ? [a] : []));
    if (axes.length !== 1) return false;
    const [lo] = m.attrs.padding[axes[0]];
    return parts.push({ x: m.srcs[0], axis: axes[0], from: lo, to: lo + m.srcs[0].shape[axes[0]] }) > 0;
  };
  if (!collect(n)) return null;
  parts.sort((a, b2) => a.from - b2.from);
  const { axis } = parts[0];
  const tiles = parts.every((p, i) => p.axis === axis && p.from === (i === 0 ? 0 : parts[i - 1].to));
  return tiles && parts[parts.length - 1].to === n.shape[axis]
    ? b.concat(
        parts.map((p) => p.x),
        axis,
      )
    : null;
};

/** Running sums go forward, argmin is the argmax of the opposite. */
const reversed: Rule = (n) => {
  if (isOp(n, "cumsum") && n.attrs.reverse) {
    const { axis } = n.attrs;
    return b.flip(b.cumsum(b.flip(n.srcs[0], [axis]), axis), [axis]);
  }
  // Nothing can be added to nothing.
  if (isOp(n, "scatterAdd") && sizeOf(n.shape) === 0) return n.srcs[0];
  if (isOp(n, "argmin")) {
    const [x] = n.srcs;
    // Bits turned over reverse the order of whole numbers, the least one included.
    return b.argReduce("argmax", b.unary(isFloat(x.dtype) ? "neg" : "not", x), n.attrs.axis);
  }
  return null;
};
