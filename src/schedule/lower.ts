import { isFloat, sizeOf } from "../base/index.ts";
import { withContext } from "../base/context.ts";
import { adopt, build as b, familyOf, intern, isOp, type Node, PRIMITIVES, rebuild, topoOrder } from "../ir/index.ts";
import { algebra, constantOf, dropMarks, type Rule } from "../ir/rewrite.ts";

/** Graphs in the form that kernels are made from: no marks, no padding or dilation inside contractions and windows. */
export function lower(roots: readonly Node[]): Node[] {
  // Interned, so that the convolutions of one image and of its gradient share the image with its padding.
  return withContext({ nodes: new Map() }, () => {
    adopt(topoOrder(roots));
    return readInside(rebuild(roots, [dropMarks, algebra, contraction, carried, masked, reversed, joined]));
  });
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

/** What a window picked is masked by the picked value itself (relu before a pool): the mask goes onto the windows. */
const masked: Rule = (n) => {
  if (n.op !== "where") return null;
  const [mask, grad, zero] = n.srcs;
  if (!isOp(grad, "windowPickGrad") || constantOf(zero) !== 0 || PRIMITIVES[mask.op].kind !== "compare") return null;
  const [y, dy] = grad.srcs;
  if (!mask.srcs.every((s) => s === y || constantOf(s) !== null)) return null;
  const picked = b.windowReduce("windowMax", y, grad.attrs);
  const sides = mask.srcs.map((s) => (s === y ? picked : b.full(picked.shape, constantOf(s) as number, s.dtype)));
  const kept = b.where(b.compare(mask.op as "lt", sides[0], sides[1]), dy, b.full(dy.shape, 0, dy.dtype));
  return b.windowPickGrad(y, kept, grad.attrs);
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

/** Values below this size are not worth a thought. */
const WORTH_SHARING = 4096;

/** A value that a contraction wants padded is kept so only: what reads it plain reads the inside. */
function readInside(roots: readonly Node[]): Node[] {
  const order = topoOrder(roots);
  const padOf = new Map<Node, Node<"pad">>();
  /** What stands between a value and its padding. */
  const between = new Set<Node>();
  const taken = new Set(roots);
  for (const n of order) {
    if (PRIMITIVES[n.op].kind !== "contract") continue;
    for (const operand of n.srcs) {
      let pad = operand;
      while (PRIMITIVES[pad.op].kind === "move" && pad.op !== "pad") pad = pad.srcs[0];
      if (!isOp(pad, "pad") || between.has(pad)) continue;
      const path: Node[] = [pad];
      while (path[path.length - 1].srcs[0].op === "reshape") path.push(path[path.length - 1].srcs[0]);
      const [x] = path[path.length - 1].srcs;
      const { kind } = PRIMITIVES[x.op];
      const pointwise = kind === "unary" || kind === "binary" || kind === "where";
      if (!pointwise || padOf.has(x) || sizeOf(x.shape) < WORTH_SHARING) continue;
      if ([x, ...path].some((p) => taken.has(p))) continue;
      for (const p of path) between.add(p);
      for (const p of [x, ...path.slice(1)]) padOf.set(p, pad);
    }
  }
  if (padOf.size === 0) return [...roots];
  const padFor = (user: Node, src: Node): Node<"pad"> | undefined => (between.has(user) ? undefined : padOf.get(src));
  // In an order in which paddings stand before what reads their inside.
  const made = new Map<Node, Node>();
  const stack = [...roots];
  while (stack.length > 0) {
    const n = stack[stack.length - 1];
    const missing = made.has(n) ? [] : n.srcs.map((s) => padFor(n, s) ?? s).filter((s) => !made.has(s));
    if (missing.length > 0) {
      stack.push(...missing);
      continue;
    }
    stack.pop();
    if (made.has(n)) continue;
    const srcs = n.srcs.map((s) => {
      const pad = padFor(n, s);
      return pad === undefined ? (made.get(s) as Node) : insideOf(pad, made.get(pad) as Node, s.shape);
    });
    made.set(n, srcs.every((s, i) => s === n.srcs[i]) ? n : intern(n.op, srcs, n.attrs, n.shape, n.dtype, n.outs));
  }
  return roots.map((r) => made.get(r) as Node);
}

/** What `pad` was made around, read from `image`. */
function insideOf(pad: Node<"pad">, image: Node, shape: readonly number[]): Node {
  const { padding } = pad.attrs;
  const stop = image.shape.map((d, a) => d - padding[a][1]);
  return b.reshape(
    b.slice(
      image,
      padding.map(([lo]) => lo),
      stop,
    ),
    shape,
  );
}
