import { isFloat, sizeOf } from "../base/index.ts";
import { withContext } from "../base/context.ts";
import { adopt, build as b, familyOf, isOp, type Node, rebuild, topoOrder } from "../ir/index.ts";
import { algebra, constantOf, dropMarks, type Rule } from "../ir/rewrite.ts";
import { baseOf } from "./builder.ts";
import { lookups } from "./lookups.ts";

/** Graphs in the form that kernels are made from: no marks, no padding or dilation inside contractions and windows. */
export function lower(roots: readonly Node[]): Node[] {
  // Interned, so that the convolutions of one image and of its gradient share the image with its padding.
  return withContext({ nodes: new Map() }, () => {
    adopt(topoOrder(roots));
    const lowered = rebuild(roots, [dropMarks, algebra, contraction, carried, reversed, joined, lookups, intoTable]);
    const passes = new Set(topoOrder(lowered).flatMap((n) => familyOf(n)?.pass ?? []));
    return [...passes].reduce((all, pass) => pass(all), lowered);
  });
}

/** Empty contractions are zero; those of one turn are products. */
const contraction: Rule = (n) => {
  if (!isOp(n, "dot")) return null;
  const turns = n.attrs.lhsContract.reduce((k, a) => k * n.srcs[0].shape[a], 1);
  return turns === 0 ? b.full(n.shape, 0, n.dtype) : turns === 1 ? outer(n) : null;
};

/** What primitives say themselves, of them and of what reads them. */
const carried: Rule = (n) =>
  n.srcs.reduce<Node | null>((m, s) => m ?? familyOf(s)?.under?.(n) ?? null, familyOf(n)?.lower?.(n) ?? null);

const ones = (n: number): number[] => new Array<number>(n).fill(1);

/** A product of everything with everything: nothing is summed. */
function outer(n: Node<"dot">): Node {
  const [x, w] = n.srcs;
  const { lhsBatch, rhsBatch, lhsContract, rhsContract } = n.attrs;
  const free = (t: Node, others: readonly number[]): number[] => [...t.shape.keys()].filter((i) => !others.includes(i));
  const [xFree, wFree] = [free(x, [...lhsBatch, ...lhsContract]), free(w, [...rhsBatch, ...rhsContract])];
  /** Axes in the result's order; others, all of size 1, go. */
  const wide = (t: Node, batch: readonly number[], before: number, own: readonly number[], after: number): Node => {
    const axes = [...batch, ...own];
    const shape = [...batch.map((i) => t.shape[i]), ...ones(before), ...own.map((i) => t.shape[i]), ...ones(after)];
    return b.expand(b.reshape(b.permute(t, [...axes, ...free(t, axes)]), shape), n.shape);
  };
  return b.binary("mul", wide(x, lhsBatch, 0, xFree, wFree.length), wide(w, rhsBatch, xFree.length, wFree, 0));
}

/** A table that a few rows, scattered into zeros and scaled, are added to (an update): they are scattered into it. */
const intoTable: Rule = (n) => {
  if (n.op !== "add" && n.op !== "sub") return null;
  const [x, y] = n.srcs;
  const keep = (u: Node): Node => u;
  const into = scatterInto(x, y, n.op === "sub" ? (u) => b.unary("neg", u) : keep);
  return into ?? (n.op === "add" ? scatterInto(y, x, keep) : null);
};

function scatterInto(x: Node, y: Node, scale: (u: Node) => Node): Node | null {
  const table = baseOf(x).op;
  if (table !== "leaf" && table !== "scatterAdd") return null;
  if (isOp(y, "scatterAdd")) {
    const [base, indices, u] = y.srcs;
    const into = constantOf(base) === 0 ? x : scatterInto(x, base, scale);
    if (into === null || sizeOf(u.shape) > sizeOf(x.shape)) return null;
    return b.scatterAdd(into, indices, scale(u), y.attrs.axis);
  }
  if (y.op !== "mul") return null;
  for (const i of [0, 1]) {
    let by = y.srcs[i];
    while ((by.op === "expand" || by.op === "reshape") && sizeOf(by.shape) > 1) by = by.srcs[0];
    if (sizeOf(by.shape) > 1) continue;
    const one = by;
    const scaled = (u: Node): Node =>
      b.binary("mul", scale(u), b.expand(b.reshape(one, ones(u.shape.length)), u.shape));
    return scatterInto(x, y.srcs[1 - i], scaled);
  }
  return null;
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
