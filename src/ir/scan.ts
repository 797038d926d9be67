/** Loops over time in the form that kernels are made from: what is the same in every turn is made before the first. */
import { isFloat, sizeOf } from "../base/index.ts";
import { nextId } from "../base/context.ts";
import * as b from "./build.ts";
import { isOp, type Node } from "./node.ts";
import { PRIMITIVES } from "./primitives.ts";
import { dropMarks, rebuild, topoOrder } from "./rewrite.ts";

/** Additions an element from which on a value is not computed again in every turn. */
const DEAR = 6;
/** What values before the loop may be made of: kinds that need no lowering. */
const PLAIN: ReadonlySet<string> = new Set(["leaf", "unary", "binary", "compare", "where", "move", "mark"]);
/** Columns of a panel of weights: they lie side by side, as the tiles of a product read them. */
const PANEL = 32;
/** Smaller weights are read in place as fast. */
const LEAST_WEIGHTS = 8192;
/** Fewer rows wait for memory and read long rows of weights best; what is larger than a cache wants blocks of its own. */
const LEAST_ROWS = 6;
const MOST_INPUT = 1 << 16;

/** The same loop with its constants computed before it, those that its products multiply by as panels; null: it is so. */
export function hoistConstants(n: Node<"scan">): Node | null {
  const { body, length, reverse } = n.attrs;
  if (length < 2) return null;
  const own = body.carries + body.xs;
  /** Values outside of the loop, by what stands for them inside. */
  const outside = new Map(body.params.slice(own).map((p, i) => [p, n.srcs[own + i]]));
  const hoisted: Node[] = [];
  const hoist = (inside: Node, layout: (value: Node) => Node): Node => {
    const value = layout(rebuild([inside], [dropMarks], new Map(outside))[0]);
    const param = b.leaf(value.shape, value.dtype, "constant");
    outside.set(param, value);
    hoisted.push(param);
    return param;
  };
  const isPlain = (m: Node): boolean =>
    isOp(m, "dot") ? sizeOf(m.attrs.lhsContract.map((i) => m.srcs[0].shape[i])) > 1 : PLAIN.has(PRIMITIVES[m.op].kind);
  const isConstant = (m: Node): boolean => topoOrder([m]).every((x) => (x.op === "leaf" ? outside.has(x) : isPlain(x)));
  const made = new Map<Node, Node>();
  for (const m of topoOrder(body.outs)) {
    const dear = PRIMITIVES[m.op].cost > DEAR || m.op === "dot";
    if (dear && isConstant(m))
      made.set(
        m,
        hoist(m, (value) => value),
      );
  }
  const panels = new Map<string, Node>();
  const outs = rebuild(
    body.outs,
    [
      (m) => {
        if (!isOp(m, "dot") || !wantsPanels(m) || !isConstant(m.srcs[1])) return null;
        const key = `${m.srcs[1].id}|${m.attrs.rhsContract.join()}`;
        const w = panels.get(key) ?? hoist(m.srcs[1], (value) => panelsOf(value, m.attrs.rhsContract));
        panels.set(key, w);
        return productOf(m, w);
      },
    ],
    made,
  );
  if (hoisted.length === 0) return null;
  const left = new Set(topoOrder(outs));
  const constants = [...outside.keys()].filter((p) => left.has(p));
  const params = [...body.params.slice(0, own), ...constants];
  const srcs = [...n.srcs.slice(0, own), ...constants.map((p) => outside.get(p) as Node)];
  return b.scan({ body: { ...body, uid: nextId(), params, outs }, length, reverse }, srcs, n.attrs.rule);
}

const others = (n: Node, axes: readonly number[]): number[] => [...n.shape.keys()].filter((i) => !axes.includes(i));

function wantsPanels(m: Node<"dot">): boolean {
  const [x, w] = m.srcs;
  const { lhsBatch, lhsContract, rhsContract } = m.attrs;
  const steps = sizeOf(lhsContract.map((i) => x.shape[i]));
  const are = w.op === "leaf" && w.shape.at(-1) === PANEL && rhsContract.every((axis, i) => axis === i + 1);
  return (
    isFloat(m.dtype) &&
    lhsBatch.length === 0 &&
    !are &&
    steps > 1 &&
    sizeOf(w.shape) >= Math.max(LEAST_WEIGHTS, steps * PANEL) &&
    sizeOf(x.shape) >= LEAST_ROWS * steps &&
    sizeOf(x.shape) <= MOST_INPUT
  );
}

/** w with its contracted axes and all others → [panels, ...contracted, PANEL], filled up with zeros. */
function panelsOf(w: Node, contract: readonly number[]): Node {
  const free = others(w, contract);
  const steps = contract.map((i) => w.shape[i]);
  const columns = sizeOf(free.map((i) => w.shape[i]));
  const count = Math.ceil(columns / PANEL);
  const flat = b.reshape(b.permute(w, [...contract, ...free]), [...steps, columns]);
  const whole = b.pad(flat, [...steps.map(() => [0, 0] as const), [0, count * PANEL - columns]], 0);
  const last = steps.length;
  return b.permute(b.reshape(whole, [...steps, count, PANEL]), [last, ...steps.keys(), last + 1]);
}

/** The product `m` with the panels of its second operand. */
function productOf(m: Node<"dot">, w: Node): Node {
  const { lhsContract } = m.attrs;
  const rhsContract = lhsContract.map((_, i) => i + 1);
  const out = b.dot(m.srcs[0], w, { lhsBatch: [], rhsBatch: [], lhsContract, rhsContract });
  const rows = out.shape.slice(0, -2);
  const columns = sizeOf(m.shape) / sizeOf(rows);
  const flat = b.reshape(out, [...rows, out.shape.at(-2)! * PANEL]);
  return b.reshape(b.slice(flat, [...rows.map(() => 0), 0], [...rows, columns]), m.shape);
}
