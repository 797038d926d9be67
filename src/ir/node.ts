import { context, nextId } from "../base/context.ts";
import type { DType } from "../base/index.ts";
import type { Attrs, PrimName } from "./primitives.ts";

/** A value in the graph: immutable, and one object per distinct computation within a trace. */
export interface Node<P extends PrimName = PrimName> {
  readonly id: number;
  readonly op: P;
  readonly srcs: readonly Node[];
  readonly attrs: Attrs[P];
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Shapes and dtypes of the results of a scan. */
  readonly outs?: readonly { readonly shape: readonly number[]; readonly dtype: DType }[];
}

/** Attributes as text: functions and bodies are known by their uid. */
function attrsKey(attrs: object): string {
  let key = "";
  for (const k in attrs) {
    if (k === "rule") continue;
    const v = (attrs as Record<string, unknown>)[k];
    key += k === "body" ? `body:${(v as { uid: number }).uid};` : `${k}:${Object.is(v, -0) ? "-0" : String(v)};`;
  }
  return key;
}

function keyOf(op: PrimName, srcs: readonly Node[], attrs: object, shape: readonly number[], dtype: DType): string {
  let key = `${op}|`;
  for (const s of srcs) key += `${s.id},`;
  return `${key}|${attrsKey(attrs)}|${shape.join(",")}|${dtype}`;
}

/** Makes nodes of another trace known to this one, so that equal computations are these. */
export function adopt(nodes: readonly Node[]): void {
  const table = context.nodes as Map<string, Node> | null;
  for (const n of nodes) table?.set(keyOf(n.op, n.srcs, n.attrs, n.shape, n.dtype), n);
}

/** The node of a computation whose shape is known to be right: an equal one of this trace, or a new one. */
export function intern<P extends PrimName>(
  op: P,
  srcs: readonly Node[],
  attrs: Attrs[P],
  shape: readonly number[],
  dtype: DType,
  outs?: Node["outs"],
): Node<P> {
  const table = context.nodes as Map<string, Node> | null;
  if (table === null) return { id: nextId(), op, srcs, attrs, shape, dtype, ...(outs ? { outs } : {}) };
  const key = keyOf(op, srcs, attrs, shape, dtype);
  const known = table.get(key);
  if (known !== undefined) return known as Node<P>;
  const node: Node<P> = { id: nextId(), op, srcs, attrs, shape, dtype, ...(outs ? { outs } : {}) };
  table.set(key, node);
  context.born?.(node);
  return node;
}

/** True for a node of the primitive `op`, with its attributes typed. */
export const isOp = <P extends PrimName>(n: Node, op: P): n is Node<P> => n.op === op;
