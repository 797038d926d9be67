import { ChainruleError, sameShape, sizeOf } from "../base/index.ts";
import type { Node } from "./node.ts";
import { PRIMITIVES } from "./primitives.ts";
import { typeText } from "./print.ts";
import { topoOrder } from "./rewrite.ts";

const SAME_DTYPE: ReadonlySet<string> = new Set(["unary", "binary", "move"]);

/** What is wrong with one node, or null. The builder checks a user's calls; this catches a faulty rewrite of ours. */
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

/** Throws at the first malformed node that `roots` reach. */
export function verify(roots: readonly Node[], stage: string): void {
  for (const n of topoOrder(roots)) {
    const why = fault(n);
    if (why === null) continue;
    const srcs = n.srcs.map(typeText).join(", ");
    throw new ChainruleError(
      `[verify ${stage}] ${n.op}(${srcs}) -> ${typeText(n)}: ${why}. This is a fault of Chainrule; please report it.`,
    );
  }
}
