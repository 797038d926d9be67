// A verifier of graphs: the builder checks a user's calls, this catches a faulty rewrite of ours.
import { sameShape, sizeOf } from "../../src/base/index.ts";
import { type Node, PRIMITIVES, topoOrder } from "../../src/ir/index.ts";
import { typeText } from "../../src/ir/print.ts";
import { lower } from "../../src/schedule/lower.ts";
import type { Graph } from "../../src/tensor/executor.ts";

const SAME_DTYPE: ReadonlySet<string> = new Set(["unary", "binary", "move"]);

/** What is wrong with one node, or null. */
function fault(n: Node): string | null {
  const info = PRIMITIVES[n.op];
  if (info === undefined) return "unknown primitive";
  if (info.arity >= 0 && n.srcs.length !== info.arity) return `needs ${info.arity} sources, has ${n.srcs.length}`;
  const [x] = n.srcs;
  if (
    SAME_DTYPE.has(info.kind) &&
    n.op !== "cast" &&
    n.op !== "randomBits" &&
    n.srcs.some((s) => s.dtype !== n.dtype)
  ) {
    return "dtype differs from its sources";
  }
  if (["unary", "binary", "compare", "where"].includes(info.kind) && n.op !== "randomBits") {
    if (n.srcs.some((s) => !sameShape(s.shape, n.shape))) return "element-wise sources of another shape";
  }
  if (info.kind === "compare" && n.dtype !== "bool") return "a comparison is bool";
  if (n.op === "reshape" && sizeOf(x.shape) !== sizeOf(n.shape)) return "reshape changes the element count";
  if (info.kind === "mark" && !sameShape(x.shape, n.shape)) return "a mark keeps the shape";
  return null;
}

/** Throws at the first malformed node of the lowered graph. */
export function verifyLowered({ outputs, updates }: Pick<Graph, "outputs" | "updates">): void {
  for (const n of topoOrder(lower([...outputs, ...updates.map((u) => u.value)]))) {
    const why = fault(n);
    if (why === null) continue;
    throw new Error(`[lowered] ${n.op}(${n.srcs.map(typeText).join(", ")}) -> ${typeText(n)}: ${why}`);
  }
}
