import * as b from "./build.ts";
import { intern, isOp, type Node } from "./node.ts";

/** Every node that `roots` need, sources before users; iterative, so that deep graphs do not overflow the stack. */
export function topoOrder(roots: readonly Node[]): Node[] {
  const out: Node[] = [];
  const seen = new Set<Node>();
  // Open nodes, and which of its sources is next in each.
  const stack: Node[] = [];
  const next: number[] = [];
  const open = (n: Node): void => {
    if (seen.has(n)) return;
    seen.add(n);
    stack.push(n);
    next.push(0);
  };
  for (const root of roots) {
    open(root);
    for (let top = stack.length - 1; top >= 0; top = stack.length - 1) {
      const { srcs } = stack[top];
      if (next[top] < srcs.length) open(srcs[next[top]++]);
      else {
        out.push(stack[top]);
        stack.length = next.length = top;
      }
    }
  }
  return out;
}

/** A rule gives the replacement of a node whose sources are already rewritten, or null to keep it. */
export type Rule = (n: Node) => Node | null;

/** The graphs of `roots` with every node passed through the rules, sources first, until none applies to a node. */
export function rebuild(roots: readonly Node[], rules: readonly Rule[], replaced: Map<Node, Node> = new Map()): Node[] {
  for (const n of topoOrder(roots)) {
    if (replaced.has(n)) continue;
    const srcs = n.srcs.map((s) => replaced.get(s) ?? s);
    let m: Node = srcs.every((s, i) => s === n.srcs[i]) ? n : intern(n.op, srcs, n.attrs, n.shape, n.dtype, n.outs);
    for (let again = true, rounds = 0; again && rounds < 32; rounds++) {
      again = false;
      for (const rule of rules) {
        const next = rule(m);
        if (next !== null && next !== m) {
          m = next;
          again = true;
        }
      }
    }
    replaced.set(n, m);
  }
  return roots.map((r) => replaced.get(r) ?? r);
}

/** Marks mean nothing to a schedule: alias, stopGradient and custom are their first source. */
export const dropMarks: Rule = (n) =>
  n.op === "alias" || n.op === "stopGradient" || n.op === "custom" ? n.srcs[0] : null;

/** The value of a node that is one constant in every place, else null. */
export function constantOf(n: Node): number | null {
  let at = n;
  while (at.op === "expand" || at.op === "reshape" || at.op === "permute" || at.op === "flip" || at.op === "slice")
    at = at.srcs[0];
  return isOp(at, "const") ? at.attrs.value : null;
}

const MOVES: ReadonlySet<string> = new Set(["expand", "reshape", "permute"]);

/** Algebra that holds for every float, NaN and infinity included. */
export const algebra: Rule = (n) => {
  const [x, y] = n.srcs;
  const cy = y === undefined ? null : constantOf(y);
  switch (n.op) {
    case "add": {
      if (cy === 0) return x;
      if (constantOf(x) === 0) return y;
      return null;
    }
    case "sub":
      return cy === 0 ? x : null;
    case "mul":
      if (cy === 1) return x;
      return constantOf(x) === 1 ? y : null;
    case "div":
      // Division by a power of two is exact as a product.
      if (cy === 1) return x;
      if (cy !== null && n.dtype.startsWith("float") && cy !== 0 && Number.isInteger(Math.log2(Math.abs(cy)))) {
        return b.binary("mul", x, b.full(n.shape, 1 / cy, n.dtype));
      }
      return null;
    case "neg":
      return x.op === "neg" ? x.srcs[0] : null;
    case "pow":
      if (cy === 2) return b.binary("mul", x, x);
      return cy === 1 ? x : null;
    case "reshape":
      return isOp(x, "const") || (x.op === "expand" && constantOf(x) !== null)
        ? b.full(n.shape, constantOf(x) as number, n.dtype)
        : null;
    case "permute":
    case "slice":
    case "flip":
      return MOVES.has(x.op) && constantOf(x) !== null ? b.full(n.shape, constantOf(x) as number, n.dtype) : null;
    default:
      return null;
  }
};
