import type { Node } from "./node.ts";
import { topoOrder } from "./rewrite.ts";

/** What a computation is, apart from which trace it came from. */
interface Closed {
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
  readonly updates: readonly { readonly input: number; readonly value: Node }[];
}

function attrText(n: Node): string {
  let out = "";
  for (const [k, v] of Object.entries(n.attrs)) {
    if (k === "uid" || k === "rule") continue;
    if (k === "body") {
      const body = v as { params: readonly Node[]; outs: readonly Node[]; carries: number; xs: number };
      out += `body(${graphKey({ inputs: body.params, outputs: body.outs, updates: [] })};${body.carries};${body.xs})`;
    } else out += `${k}=${Object.is(v, -0) ? "-0" : typeof v === "object" ? JSON.stringify(v) : String(v)};`;
  }
  return out;
}

/** A text that two computations share exactly when they are the same up to the identity of their nodes. */
export function graphKey(c: Closed): string {
  const number = new Map<Node, number>();
  c.inputs.forEach((n, i) => number.set(n, -1 - i));
  let key = c.inputs.map((n) => `${n.dtype}[${n.shape.join()}]`).join("|");
  let next = 0;
  for (const n of topoOrder([...c.outputs, ...c.updates.map((u) => u.value)])) {
    if (number.has(n)) continue;
    number.set(n, next++);
    key += `\n${n.op}(${n.srcs.map((s) => number.get(s)).join()})${attrText(n)}${n.dtype}[${n.shape.join()}]`;
  }
  return `${key}\n>${c.outputs.map((o) => number.get(o)).join()}!${c.updates.map((u) => `${u.input}=${number.get(u.value)}`).join()}`;
}
