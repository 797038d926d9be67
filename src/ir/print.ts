import { topoOrder } from "./rewrite.ts";
import type { Node } from "./node.ts";

const short: Record<string, string> = {
  float32: "f32",
  float64: "f64",
  int32: "i32",
  uint32: "u32",
  uint8: "u8",
  bool: "bool",
};

/** `f32[2,3]` */
export const typeText = (n: { shape: readonly number[]; dtype: string }): string =>
  `${short[n.dtype]}[${n.shape.join(",")}]`;

function attrText(n: Node): string {
  return Object.entries(n.attrs)
    .filter(([k]) => k !== "rule" && k !== "uid" && k !== "shape" && k !== "dtype")
    .map(([k, v]) => (k === "body" ? "" : ` ${k}=${JSON.stringify(v)}`))
    .join("");
}

/** One line a node, sources before users: `%3: f32[2,4] = dot %1 %2 lhsContract=[1] …`. Stable from run to run. */
export function printGraph(roots: readonly Node[]): string {
  const names = new Map<Node, string>();
  const lines = topoOrder(roots).map((n, i) => {
    names.set(n, `%${i}`);
    const srcs = n.srcs.map((s) => ` ${names.get(s)}`).join("");
    return `%${i}: ${n.outs ? `(${n.outs.map(typeText).join(", ")})` : typeText(n)} = ${n.op}${srcs}${attrText(n)}`;
  });
  return [...lines, `return ${roots.map((r) => names.get(r)).join(", ")}`].join("\n");
}
