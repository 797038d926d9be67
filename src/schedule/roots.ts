import { sizeOf } from "../base/index.ts";
import { isOp, type Node, PRIMITIVES, topoOrder } from "../ir/index.ts";
import { baseOf } from "./builder.ts";

/** Above this many additions an element, a value used twice is computed once and kept. */
const RECOMPUTE_COST = 6;
/** Above this, a chain is cut, so that kernels stay small. */
const CHAIN_COST = 400;

const isMove = (n: Node): boolean => PRIMITIVES[n.op].kind === "move";
const isPointwise = (n: Node): boolean => {
  const { kind } = PRIMITIVES[n.op];
  return (
    kind === "unary" ||
    kind === "binary" ||
    kind === "compare" ||
    kind === "where" ||
    n.op === "gather" ||
    n.op === "iota" ||
    n.op === "barrier"
  );
};

/**
 * True for matrix-like contractions. Whole numbers, thin grouped convolutions and products of vectors, a batch of them, are
 * better off as plain loops: these read each element of a matrix once, so that it need not be in memory.
 */
export function isPacked(n: Node): n is Node<"dot"> | Node<"conv"> {
  if (n.dtype !== "float32" && n.dtype !== "float64") return false;
  if (isOp(n, "dot")) {
    const sizes = (axes: readonly number[]): number => sizeOf(axes.map((a) => n.srcs[0].shape[a]));
    const batch = sizes(n.attrs.lhsBatch);
    const turns = batch * sizes(n.attrs.lhsContract);
    return batch === 1 || n.srcs.every((s) => sizeOf(s.shape) > turns);
  }
  if (!isOp(n, "conv")) return false;
  const [, w] = n.srcs;
  const [groups, , outs] = w.shape.slice(-3);
  return !(groups > 1 && outs <= 2);
}

/** Nodes that are computed into memory: what kernels are made for. Sources of movement under an operand included. */
export function findRoots(results: readonly Node[]): Set<Node> {
  const order = topoOrder(results);
  const roots = new Set<Node>();
  const mark = (n: Node): void => {
    const base = baseOf(n);
    if (base.op !== "leaf") roots.add(base);
  };
  /** What has to be in memory for `n` to be read at affine indices. */
  const markOperand = (n: Node): void => {
    let at = n;
    while (isMove(at) && at.op !== "pad") at = at.srcs[0];
    mark(at.op === "const" ? n : at);
  };
  results.forEach(mark);
  for (const n of order) {
    switch (PRIMITIVES[n.op].kind) {
      case "contract":
        mark(n);
        if (isPacked(n)) n.srcs.forEach(markOperand);
        break;
      case "reduce":
      case "window":
        mark(n);
        break;
      case "control":
        mark(n);
        if (n.op !== "get") n.srcs.forEach(mark);
        break;
      case "index":
        if (n.op === "gather") mark(n.srcs[0]);
        else mark(n);
        break;
      default:
        if (n.op === "randomBits") mark(n.srcs[0]);
        if (n.op === "barrier") mark(n);
    }
  }
  keepShared(order, roots);
  return roots;
}

/** Adds pointwise values that are dear to compute again where they are used. */
function keepShared(order: readonly Node[], roots: Set<Node>): void {
  const users = new Map<Node, Set<Node>>(order.map((n) => [n, new Set()]));
  for (const n of order) for (const s of n.srcs) users.get(s)?.add(n);
  /** Uses by computations, seen through movement. */
  const uses = new Map<Node, number>();
  for (let i = order.length - 1; i >= 0; i--) {
    let count = 0;
    for (const u of users.get(order[i]) ?? []) count += isMove(u) && !roots.has(u) ? (uses.get(u) ?? 0) : 1;
    uses.set(order[i], count);
  }
  const cost = new Map<Node, number>();
  const loads = new Map<Node, Set<Node>>();
  for (const n of order) {
    if (roots.has(n) || n.op === "leaf" || n.op === "const") {
      cost.set(n, 0);
      loads.set(n, n.op === "const" ? new Set() : new Set([n]));
      continue;
    }
    let sum = PRIMITIVES[n.op].cost;
    const from = new Set<Node>();
    for (const s of n.srcs) {
      sum += cost.get(s) ?? 0;
      for (const l of loads.get(s) ?? []) if (sizeOf(l.shape) * 2 >= sizeOf(n.shape)) from.add(l);
    }
    const spread = [...(users.get(n) ?? [])].some((u) => u.op === "expand" && sizeOf(u.shape) > sizeOf(n.shape));
    const shared = (uses.get(n) ?? 0) >= 2 && (sum > RECOMPUTE_COST || (from.size >= 2 && sum > 1));
    const worthKeeping = isPointwise(n) && sizeOf(n.shape) > 1 && (shared || (spread && sum >= 4));
    if (worthKeeping || (sum > CHAIN_COST && isPointwise(n)) || (n.op === "expand" && sum > CHAIN_COST)) {
      roots.add(n);
      sum = 0;
      from.clear();
      from.add(n);
    }
    cost.set(n, sum);
    loads.set(n, from);
  }
}
