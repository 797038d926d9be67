// Images of convolutions: what is wanted padded is kept so only.
import { sizeOf } from "../base/index.ts";
import * as b from "./build.ts";
import { intern, isOp, type Node } from "./node.ts";
import { PRIMITIVES } from "./primitives.ts";
import { topoOrder } from "./rewrite.ts";

/** Values below this size are not worth a thought. */
const WORTH_SHARING = 4096;

/** A value that a contraction wants padded is kept so only: what reads it plain reads the inside. */
export function readInside(roots: readonly Node[]): Node[] {
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
