import { ChainruleError, isFloat, sameShape } from "../base/index.ts";
import { isOp, type Node, type Row, topoOrder, type TupleRow } from "../ir/index.ts";
import { add } from "./nodes.ts";
import { rowOf, ZERO } from "./rules.ts";

const differentiable = (n: Node): boolean =>
  n.outs === undefined ? isFloat(n.dtype) : n.outs.some((o) => isFloat(o.dtype));

/** The nodes through which `wrt` reach the outputs: only these get a cotangent. */
export function activeNodes(order: readonly Node[], wrt: ReadonlySet<Node>): Set<Node> {
  const active = new Set<Node>();
  for (const n of order) {
    if (wrt.has(n)) active.add(n);
    else if ((n.op === "get" || rowOf(n) !== ZERO) && differentiable(n) && n.srcs.some((s) => active.has(s)))
      active.add(n);
  }
  return active;
}

/**
 * The reverse walk: cotangents of `outputs` carried back to `wrt`; null where an output does not depend on it. Derivatives are
 * recorded as nodes like any others, so that they have derivatives themselves.
 */
export function reverse(
  outputs: readonly Node[],
  cts: readonly (Node | null)[],
  wrt: readonly Node[],
): (Node | null)[] {
  const order = topoOrder(outputs);
  const active = activeNodes(order, new Set(wrt));
  const found = new Map<Node, Node>();
  const tuples = new Map<Node, (Node | null)[]>();
  const give = (n: Node, ct: Node): void => {
    if (!active.has(n)) return;
    const before = found.get(n);
    found.set(n, before === undefined ? ct : add(before, ct));
  };
  outputs.forEach((n, i) => {
    const ct = cts[i];
    if (ct !== null) give(n, ct);
  });
  for (let i = order.length - 1; i >= 0; i--) {
    const n = order[i];
    if (!active.has(n)) continue;
    const needs = n.srcs.map((s) => active.has(s));
    if (!needs.includes(true)) continue;
    const ct = found.get(n);
    if (isOp(n, "get")) {
      if (ct === undefined) continue;
      const [tuple] = n.srcs;
      const list = tuples.get(tuple) ?? Array<Node | null>(tuple.outs?.length ?? 0).fill(null);
      const before = list[n.attrs.index];
      list[n.attrs.index] = before === null ? ct : add(before, ct);
      tuples.set(tuple, list);
      continue;
    }
    const row = rowOf(n);
    if (row === ZERO) continue;
    let back: readonly (Node | null)[];
    if (isOp(n, "scan")) {
      const list = tuples.get(n);
      if (list === undefined) continue;
      back = (row as unknown as TupleRow)(n, list, needs);
    } else {
      if (ct === undefined) continue;
      back = (row as unknown as Row<typeof n.op>)(n, ct, needs);
    }
    n.srcs.forEach((s, k) => {
      const g = back[k];
      if (g === null || g === undefined || !needs[k]) return;
      if (!sameShape(g.shape, s.shape) || g.dtype !== s.dtype) {
        throw new ChainruleError(
          `[gradient of ${n.op}] source ${k} is ${s.dtype} [${s.shape.join(", ")}], its cotangent ${g.dtype} [${g.shape.join(", ")}]` +
            (n.op === "custom"
              ? ": a customVjp must return one cotangent of each input's shape and dtype."
              : ". This is a fault of Chainrule; please report it."),
        );
      }
      give(s, g);
    });
  }
  return wrt.map((n) => found.get(n) ?? null);
}
