/** Loops, and their derivative: a loop in the other direction over what the first one kept. */
import { flattenTree, isFloat, ShapeError, showShape, type Tree, ValueError } from "../base/index.ts";
import { nextId } from "../base/context.ts";
import { build, type Family, isOp, type Node, topoOrder } from "../ir/index.ts";
import { constantOf } from "../ir/rewrite.ts";
import { hoistConstants } from "../ir/scan.ts";
import {
  asTensor,
  currentTrace,
  fromNode,
  isTensorLeaf,
  type Loose,
  recordLoop,
  substitute,
  type Tensor,
  type TensorLike,
  type Trace,
  traced,
} from "../tensor/index.ts";
import { activeNodes, reverse } from "./reverse.ts";
import { add, like } from "./nodes.ts";

/** Options of `scan`. */
export interface ScanOptions {
  /** From the last slice to the first; the results still stand at their slices' places. Default: false. */
  readonly reverse?: boolean;
  /** Number of iterations; needed when xs is null. Default: the first axis of xs. */
  readonly length?: number;
}

/** A tree with tensors for its leaves. */
type Leaves<T> = T extends TensorLike ? Tensor : T extends null | undefined ? T : { [K in keyof T]: Leaves<T[K]> };

/**
 * A loop over the first axis of `xs`: fn(carry, x) → [carry, y]; returns [the last carry, all y stacked]. Recorded once and run
 * as one loop, also backwards for gradients. `init`, `xs` and y are trees of tensors (null for none); a carry keeps its shape
 * and dtype; whatever else fn uses is constant over the loop. Random numbers differ from iteration to iteration.
 *
 * Throws ShapeError when a carry changes or the slices differ in number.
 *
 * @example
 * const [last, sums] = scan((total: Tensor, x: Tensor) => [total.add(x), total.add(x)], 0, tensor([1, 2, 3]));   // 6, [1, 3, 6]
 */
export function scan<C, X, Y>(
  fn: (carry: C, x: X) => readonly [unknown, Y],
  init: Loose<C>,
  xs: Loose<X>,
  options: ScanOptions = {},
): [C, Leaves<Y>] {
  const start = flattenTree(init as Tree<TensorLike>, isTensorLeaf);
  const over = flattenTree(xs as Tree<TensorLike>, isTensorLeaf);
  const carries = start.leaves.map((x) => asTensor(x, "scan"));
  const slices = over.leaves.map((x) => asTensor(x, "scan"));
  const length = options.length ?? slices[0]?.shape[0];
  if (length === undefined || !Number.isInteger(length) || length < 0) {
    throw new ValueError("[scan] needs xs with a first axis to loop over, or { length } when xs is null.");
  }
  slices.forEach((x, i) => {
    if (x.shape[0] !== length) {
      throw new ShapeError(
        `[scan] xs${over.def.paths[i] === "" ? "" : `.${over.def.paths[i]}`} ${showShape(x.shape)} has ${x.shape[0] ?? "no"} slices, expected ${length}.`,
      );
    }
  });
  let finish: (ys: readonly Tensor[]) => unknown = () => undefined;
  const out = traced((trace) => {
    const nodes = (ts: readonly Tensor[]): Node[] => ts.map((t) => t.node);
    const spec = {
      carries: nodes(carries),
      xs: nodes(slices),
      length,
      reverse: options.reverse ?? false,
      rule: scanRule,
    };
    const loop = recordLoop(trace, spec, (cs, ss) => {
      const result = fn(start.def.unflatten(cs.map(fromNode)) as C, over.def.unflatten(ss.map(fromNode)) as X);
      if (!Array.isArray(result) || result.length !== 2) {
        throw new ValueError("[scan] the body must return [carry, y] (y may be null).");
      }
      const next = flattenTree(result[0] as Tree<TensorLike>, isTensorLeaf);
      if (next.def.key !== start.def.key) {
        throw new ValueError(
          `[scan] the carry starts as ${start.def.key} and comes out of the body as ${next.def.key}: its structure must stay.`,
        );
      }
      const ys = flattenTree(result[1] as Tree<TensorLike>, isTensorLeaf);
      finish = (ts) => ys.def.unflatten(ts);
      // A bare number in the carry follows what it started as.
      const after = next.leaves.map((x, i) => asTensor(x, "scan", carries[i].dtype));
      return { carries: nodes(after), ys: nodes(ys.leaves.map((x) => asTensor(x, "scan"))) };
    });
    return [...loop.carries, ...loop.ys];
  });
  return [start.def.unflatten(out.slice(0, carries.length)) as C, finish(out.slice(carries.length)) as Leaves<Y>];
}

/** Stacked values of body nodes, read from results of the scan; a second run of the loop where carries were not kept. */
function keptValues(n: Node<"scan">): Map<Node, Node> {
  const { body } = n.attrs;
  const kept = new Map<Node, Node>();
  const read = (tuple: Node, outs: readonly Node[]): void =>
    outs.forEach((o, i) => {
      if (i >= body.carries && !kept.has(o)) kept.set(o, build.get(tuple, i));
    });
  read(n, body.outs);
  const params = body.params.slice(0, body.carries);
  if (params.every((p) => kept.has(p))) return kept;
  const more = { ...body, uid: nextId(), outs: [...body.outs, ...params] };
  read(build.scan({ ...n.attrs, body: more }, n.srcs, scanRule), more.outs);
  return kept;
}

/** The carries that the wanted sources reach, directly or through other carries. */
function activeCarries(n: Node<"scan">, needs: readonly boolean[]): number[] {
  const { body } = n.attrs;
  const order = topoOrder(body.outs);
  const active = new Set(body.params.filter((p, i) => needs[i] && isFloat(p.dtype)));
  for (let before = -1; before !== active.size;) {
    before = active.size;
    const reached = activeNodes(order, active);
    for (let i = 0; i < body.carries; i++)
      if (reached.has(body.outs[i]) && isFloat(body.params[i].dtype)) active.add(body.params[i]);
  }
  return [...Array(body.carries).keys()].filter((i) => active.has(body.params[i]));
}

/** The cotangents of carries, slices and constants of a scan, from those of its results (null: none). */
function vjp(n: Node<"scan">, cts: readonly (Node | null)[], needs: readonly boolean[]): (Node | null)[] {
  const trace = currentTrace() as Trace;
  const { body, length } = n.attrs;
  const { carries: c, xs: x, params, outs } = body;
  const kept = keptValues(n);
  const carries = activeCarries(n, needs);
  const slices = [...Array(x).keys()].filter((i) => needs[c + i] && isFloat(params[c + i].dtype));
  const consts = [...Array(params.length).keys()].filter((i) => i >= c + x && needs[i] && isFloat(params[i].dtype));
  const ys = [...outs.keys()].filter((i) => i >= c && cts[i] !== null);
  const zeros = (p: Node): Node => build.full(p.shape, 0, p.dtype);
  const saved = [...kept];
  const joined: { k: number; from: number; term: Joined }[] = [];
  const loop = recordLoop(
    trace,
    {
      carries: [...carries.map((i) => cts[i] ?? zeros(params[i])), ...consts.map((i) => zeros(params[i]))],
      xs: [...ys.map((i) => cts[i] as Node), ...n.srcs.slice(c, c + x), ...saved.map(([, stacked]) => stacked)],
      length,
      reverse: !n.attrs.reverse,
      rule: scanRule,
    },
    (cs, xs) => {
      const savedAt = new Map(saved.map(([node], i) => [node, xs[ys.length + x + i]]));
      const constAt = n.srcs.slice(c + x).map((s) => build.alias(s));
      const at = new Map<Node, Node>();
      params.forEach((p, i) =>
        at.set(p, i < c ? (savedAt.get(p) as Node) : i < c + x ? xs[ys.length + i - c] : constAt[i - c - x]),
      );
      const own = params.map((p) => at.get(p) as Node);
      // The body once more, its gradient, and then every kept value read instead of computed.
      const primal = substitute(outs, at);
      const wrt = [...carries, ...slices.map((i) => c + i), ...consts].map((i) => own[i]);
      const back = reverse(
        [...carries.map((i) => primal[i]), ...ys.map((i) => primal[i])],
        [...carries.map((_, k) => cs[k]), ...ys.map((_, k) => xs[k])],
        wrt,
      );
      const known = new Map<Node, Node>();
      for (const [node, slice] of savedAt) known.set(at.get(node) as Node, slice);
      const grads = substitute(
        back.map((g, k) => g ?? like(wrt[k], 0)),
        known,
      );
      const inputs = new Set([...cs, ...xs]);
      const own0 = carries.length + slices.length;
      const extra: Node[] = [];
      const sums = consts.map((_, k) => {
        let acc = cs[carries.length + k];
        for (const g of addends(grads[own0 + k])) {
          const term = join(g, inputs);
          if (term === null) acc = add(acc, g);
          else {
            joined.push({ k, from: slices.length + extra.length, term });
            extra.push(...term.operands);
          }
        }
        return acc;
      });
      return {
        carries: [...grads.slice(0, carries.length), ...sums],
        ys: [...grads.slice(carries.length, own0), ...extra],
      };
    },
  );
  const result = Array<Node | null>(n.srcs.length).fill(null);
  carries.forEach((i, k) => (result[i] = loop.carries[k]));
  slices.forEach((i, k) => (result[c + i] = loop.ys[k]));
  consts.forEach((i, k) => (result[i] = loop.carries[carries.length + k]));
  for (const { k, from, term } of joined) {
    const i = consts[k];
    result[i] = add(result[i] as Node, term.finish(loop.ys.slice(from, from + term.operands.length)));
  }
  return result;
}

/** What loops carry. */
export const scanRule: Family<"scan"> = { vjp, lower: hoistConstants };

/** A term that is summed over the iterations at once after the loop, from its stacked operands. */
interface Joined {
  readonly operands: readonly Node[];
  readonly finish: (stacked: readonly Node[]) => Node;
}

/** The terms of a sum. */
const addends = (n: Node): Node[] => (n.op === "add" ? n.srcs.flatMap(addends) : [n]);

/** Whether a node of a body differs from iteration to iteration. */
const varies = (node: Node, inputs: ReadonlySet<Node>): boolean => topoOrder([node]).some((n) => inputs.has(n));

/** What can be taken after the loop: products (one that contracts the iterations too), and what gathers scatter back. */
function join(g: Node, inputs: ReadonlySet<Node>): Joined | null {
  const inner = isOp(g, "permute") ? g.srcs[0] : g;
  if (isOp(inner, "dot") && inner.attrs.lhsBatch.length === 0 && inner.srcs.every((s) => varies(s, inputs))) {
    const next = (axes: readonly number[]): number[] => [0, ...axes.map((i) => i + 1)];
    const lhsContract = next(inner.attrs.lhsContract);
    const rhsContract = next(inner.attrs.rhsContract);
    const finish = ([a, b]: readonly Node[]): Node => {
      const out = build.dot(a, b, { lhsBatch: [], rhsBatch: [], lhsContract, rhsContract });
      return isOp(g, "permute") ? build.permute(out, g.attrs.perm) : out;
    };
    return { operands: inner.srcs, finish };
  }
  if (isOp(g, "scatterAdd") && constantOf(g.srcs[0]) === 0 && varies(g.srcs[2], inputs)) {
    const { axis } = g.attrs;
    const finish = ([indices, updates]: readonly Node[]): Node => {
      const order = [...updates.shape.keys()].slice(1);
      order.splice(axis, 0, 0);
      return build.scatterAdd(like(g, 0), indices, build.permute(updates, order), axis);
    };
    return { operands: g.srcs.slice(1), finish };
  }
  return null;
}
