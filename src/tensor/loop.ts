/** Recording the body of a loop as a closed graph: what scan() and its derivative stand on. */
import { ShapeError, sameShape, showShape, sizeOf } from "../base/index.ts";
import { context, nextId, withContext } from "../base/context.ts";
import { build, type Family, intern, isOp, type Node, PRIMITIVES, topoOrder } from "../ir/index.ts";
import { constantOf } from "../ir/rewrite.ts";
import { nextStream, type Trace } from "./trace.ts";

/** The graphs of `roots` with some nodes replaced; what they were made of is not looked at. Fills `replaced`. */
export function substitute(roots: readonly Node[], replaced: Map<Node, Node>): Node[] {
  const stack = [...roots];
  while (stack.length > 0) {
    const n = stack[stack.length - 1];
    if (replaced.has(n)) {
      stack.pop();
      continue;
    }
    const open = n.srcs.filter((s) => !replaced.has(s));
    if (open.length > 0) {
      stack.push(...open);
      continue;
    }
    stack.pop();
    const srcs = n.srcs.map((s) => replaced.get(s) as Node);
    replaced.set(n, srcs.every((s, i) => s === n.srcs[i]) ? n : intern(n.op, srcs, n.attrs, n.shape, n.dtype, n.outs));
  }
  return roots.map((r) => replaced.get(r) as Node);
}

/**
 * The nodes from outside that `roots` use: older than `start`, or leaves that are not `own`. Constants are no such nodes:
 * they belong to any graph.
 */
export function outerNodes(roots: readonly Node[], own: ReadonlySet<Node>, start: number): Node[] {
  const seen = new Set<Node>();
  const found: Node[] = [];
  const stack = [...roots];
  while (stack.length > 0) {
    const n = stack.pop() as Node;
    if (seen.has(n) || own.has(n)) continue;
    seen.add(n);
    if (n.op === "iota" || constantOf(n) !== null) continue;
    if (n.op === "leaf" || n.id < start) found.push(n);
    else stack.push(...n.srcs);
  }
  return found.reverse();
}

export interface LoopSpec {
  /** Initial values. */
  readonly carries: readonly Node[];
  /** Cut along their first axis, one slice an iteration. */
  readonly xs: readonly Node[];
  readonly length: number;
  readonly reverse: boolean;
  /** Its derivative. */
  readonly rule: Family<"scan">;
}

export interface LoopResult {
  readonly carries: Node[];
  /** Stacked along a new first axis. */
  readonly ys: Node[];
}

type Body = (carries: readonly Node[], xs: readonly Node[]) => { carries: readonly Node[]; ys: readonly Node[] };

/** Runs `f` as the body of a loop; the key it drew from, if it drew, is a parameter of the body. */
function recordBody<T>(trace: Trace, params: readonly Node[], f: () => T): { result: T; key: Node | null } {
  const before = { key: trace.key, streams: trace.streams, inBody: trace.inBody };
  Object.assign(trace, { key: null, streams: 0, inBody: true });
  for (const p of params) trace.abstract.add(p);
  try {
    const result = withContext({ nodes: new Map() }, f);
    return { result, key: trace.key };
  } finally {
    Object.assign(trace, before);
    for (const p of params) trace.abstract.delete(p);
  }
}

/** What is dear to compute twice: kept for the derivative, where that reads it. */
const DEAR: ReadonlySet<string> = new Set(["dot", "conv", "custom", "exp", "tanh"]);

/** Elements of all products of slices that are made at once at most. */
const MOST_PRODUCTS = 1 << 24;

/** Takes products of a slice with constants of the loop out of it: one product for all slices, whose slices are read instead. */
function productsOfSlices(outs: readonly Node[], slices: Node[], xs: Node[], outside: ReadonlyMap<Node, Node>): Node[] {
  const replaced = new Map<Node, Node>();
  for (const n of topoOrder(outs)) {
    if (!isOp(n, "dot") || n.attrs.lhsBatch.length > 0) continue;
    const at = slices.indexOf(n.srcs[0]);
    const fixed = topoOrder([n.srcs[1]]).every((m) => outside.has(m) || PRIMITIVES[m.op].kind === "move");
    if (at < 0 || !fixed || xs[at].shape[0] < 2 || xs[at].shape[0] * sizeOf(n.shape) > MOST_PRODUCTS) continue;
    const [w] = substitute([n.srcs[1]], new Map(outside));
    xs.push(build.dot(xs[at], w, { ...n.attrs, lhsContract: n.attrs.lhsContract.map((axis) => axis + 1) }));
    replaced.set(n, slices[slices.push(build.leaf(n.shape, n.dtype, "slice")) - 1]);
  }
  return replaced.size === 0 ? [...outs] : substitute(outs, replaced);
}

/** Records `f` as the body of a scan and returns the scan's results. Unused slices do not travel. */
export function recordLoop(trace: Trace, spec: LoopSpec, f: Body): LoopResult {
  const start = context.nextId;
  const carries = spec.carries.map((c) => build.leaf(c.shape, c.dtype, "carry"));
  const xs = [...spec.xs];
  const slices = xs.map((x) => build.leaf(x.shape.slice(1), x.dtype, "slice"));
  const { result: recorded, key } = recordBody(trace, [...carries, ...slices], () => {
    const out = f(carries, slices);
    const outs = [...out.carries, ...out.ys];
    const own = new Set<Node>([...carries, ...slices, ...(trace.key === null ? [] : [trace.key])]);
    const outer = outerNodes(outs, own, start);
    const consts = outer.map((n) => build.leaf(n.shape, n.dtype, "constant"));
    const closed = substitute(
      outs,
      new Map<Node, Node>([...[...own].map((n) => [n, n] as const), ...outer.map((n, i) => [n, consts[i]] as const)]),
    );
    return { closed, outer, consts };
  });
  const outside = new Map(recorded.consts.map((p, i) => [p, recorded.outer[i]]));
  const result = { ...recorded, closed: productsOfSlices(recorded.closed, slices, xs, outside) };
  result.closed.slice(0, carries.length).forEach((n, i) => {
    const c = spec.carries[i];
    if (!sameShape(n.shape, c.shape) || n.dtype !== c.dtype) {
      throw new ShapeError(
        `[scan] carry ${i} starts as ${c.dtype} ${showShape(c.shape)} and comes out of the body as ${n.dtype} ${showShape(n.shape)}: ` +
          "shape and dtype must stay; cast or reshape one of them.",
      );
    }
  });
  // A carry that comes out as it went in is a constant of the loop.
  const still = carries.map((c, i) => result.closed[i] === c);
  const moved = carries.filter((_, i) => !still[i]);
  // What repeats is stored once; a slice that only passes through is there already.
  const own: Node[] = [];
  const ys = result.closed.slice(carries.length).map((y) => {
    const slice = slices.findIndex((s) => s === y);
    if (slice >= 0) return { stacked: xs[slice], at: -1 };
    const at = own.indexOf(y);
    return { stacked: null, at: at >= 0 ? at : own.push(y) - 1 };
  });
  const outs = [...result.closed.slice(0, carries.length).filter((_, i) => !still[i]), ...own];
  const order = topoOrder(outs);
  const used = new Set(order);
  const kept: { param: Node; node: Node }[] = slices.flatMap((p, i) =>
    used.has(p) ? [{ param: p, node: xs[i] }] : [],
  );
  if (key !== null && used.has(key)) {
    // One key an iteration, from one draw outside.
    const from = nextStream(trace);
    kept.push({ param: key, node: build.randomBits(from.key, [spec.length, 2], from.stream) });
  }
  const fixed = [
    ...result.outer.map((node, i) => ({ param: result.consts[i], node })).filter((x) => used.has(x.param)),
    ...carries.flatMap((param, i) => (still[i] && used.has(param) ? [{ param, node: spec.carries[i] }] : [])),
  ];
  if (trace.gradients > 0) keepForGradient(outs, order, moved, [...moved, ...kept.map((x) => x.param)]);
  const params = [...moved, ...kept.map((x) => x.param), ...fixed.map((x) => x.param)];
  const body = { uid: nextId(), params, outs, carries: moved.length, xs: kept.length };
  const starts = spec.carries.filter((_, i) => !still[i]);
  const srcs = [...starts, ...kept.map((x) => x.node), ...fixed.map((x) => x.node)];
  const tuple = build.scan({ body, length: spec.length, reverse: spec.reverse }, srcs, spec.rule);
  return {
    carries: carries.map((c, i) => (still[i] ? spec.carries[i] : build.get(tuple, moved.indexOf(c)))),
    ys: ys.map((y) => y.stacked ?? build.get(tuple, moved.length + y.at)),
  };
}

/** Adds to a body's results what its derivative reads: the carries and the dear values of each iteration. */
function keepForGradient(
  outs: Node[],
  order: readonly Node[],
  carries: readonly Node[],
  inputs: readonly Node[],
): void {
  const moving = new Set<Node>(inputs);
  for (const n of order) {
    if (n.srcs.some((s) => moving.has(s))) moving.add(n);
    if (moving.has(n) && DEAR.has(n.op) && !outs.includes(n, carries.length)) outs.push(n);
  }
  outs.push(...carries.filter((c) => !outs.includes(c, carries.length)));
}
