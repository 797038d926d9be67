import { type Key, TraceError } from "../base/index.ts";
import { context, nextKey } from "../base/context.ts";
import { build, type Node, topoOrder } from "../ir/index.ts";
import { executor, type Graph, type Program, type Value } from "./executor.ts";
import type { Variable } from "./variable.ts";

/**
 * A graph being recorded. Values from outside (tensors, variables, the random key) become its inputs the first time they
 * are used. A `deferred` trace (that of `compiled`) is run later and again: nothing has a value while it is recorded. Any
 * other runs once, as soon as it is complete; what it needs is at hand.
 */
export class Trace {
  readonly deferred: boolean;
  /** Leaves without a value while recording: arguments of `compiled`, parameters of a scan's body. */
  readonly abstract: Set<Node> = new Set();
  /** Where the value of each input leaf comes from at run time. */
  readonly captured: Map<Node, Value | Variable> = new Map();
  /** What each assigned variable holds by now. */
  readonly assigned: Map<Variable, Node> = new Map();
  key: Node | null = null;
  /** Streams of `key` that were handed out. */
  streams = 0;
  /** How many functions around here are being differentiated: loops then keep what their gradients need. */
  gradients = 0;
  /** Inside the body of a scan, where nothing can be assigned. */
  inBody = false;

  constructor(deferred = false) {
    this.deferred = deferred;
  }
}

export const currentTrace = (): Trace | null => context.trace as Trace | null;

/** `count` fresh streams of a trace's random key, from `stream` on: each run of the graph draws anew. */
export function nextStream(trace: Trace, count = 1): { key: Node; stream: number } {
  if (trace.key === null) {
    trace.key = build.leaf([2], "uint32", "random key");
    // One draw for all readings of a trace that runs once: item() and the result agree.
    if (!trace.deferred && !trace.inBody) trace.captured.set(trace.key, keyValue(nextKey()));
  }
  const stream = trace.streams;
  trace.streams += count;
  return { key: trace.key, stream };
}

/** Records `f`: operations inside build one graph instead of running. */
export function record<T>(f: (trace: Trace) => T, deferred = false): { trace: Trace; result: T } {
  const trace = new Trace(deferred);
  // `withContext` by hand: every operation that runs at once comes through here.
  const before = { trace: context.trace, nodes: context.nodes };
  context.trace = trace;
  context.nodes = new Map();
  try {
    return { trace, result: f(trace) };
  } finally {
    context.trace = before.trace;
    context.nodes = before.nodes;
  }
}

/** Where an input of a program comes from: a value, a variable, the random key, or the argument of that number. */
export type Source = Value | Variable | "key" | number;

/** A recorded graph with the sources of its inputs. */
export interface Recorded {
  readonly graph: Graph;
  readonly program: Program;
  readonly sources: readonly Source[];
}

/** `close` for what runs at once: all inputs are values at hand, nothing is assigned. */
function closeValues(trace: Trace, outputs: readonly Node[]): Recorded | null {
  const inputs: Node[] = [];
  const sources: Source[] = [];
  for (const n of topoOrder(outputs)) {
    if (n.op !== "leaf") continue;
    const source = trace.captured.get(n);
    if (source === undefined) return null;
    inputs.push(n);
    sources.push(source);
  }
  const graph: Graph = { inputs, outputs, updates: [] };
  return { graph, program: executor().compile(graph), sources };
}

/** Closes a trace over `outputs`; abstract inputs are numbered in the order of `args`. */
export function close(trace: Trace, outputs: readonly Node[], args: readonly Node[] = []): Recorded {
  const simple = trace.assigned.size === 0 && args.length === 0 ? closeValues(trace, outputs) : null;
  if (simple !== null) return simple;
  const targets = [...trace.assigned].map(([variable, node]) => ({ variable, node }));
  const order = topoOrder([...outputs, ...targets.map((t) => t.node)]);
  const seen = new Set(order.filter((n) => n.op === "leaf"));
  for (const t of targets) seen.add(t.variable.leaf);
  const inputs = [...seen];
  const numbers = new Map(args.map((a, i) => [a, i]));
  const own = new Map(targets.map((t) => [t.variable.leaf, t.variable]));
  const sources = inputs.map((leaf): Source => {
    const source = numbers.get(leaf) ?? trace.captured.get(leaf) ?? (leaf === trace.key ? "key" : own.get(leaf));
    if (source === undefined) {
      throw new TraceError(
        "A tensor that was made inside another compiled function or gradient is used here, where it has no value: " +
          "return it from that function instead (hasAux in valueAndGrad).",
      );
    }
    return source;
  });
  const at = new Map(inputs.map((leaf, i) => [leaf, i]));
  const updates = targets.map((t) => ({ input: at.get(t.variable.leaf) as number, value: t.node }));
  const graph: Graph = { inputs, outputs, updates };
  return { graph, program: executor().compile(graph), sources };
}

/** Runs a recorded graph with these arguments. */
export function runRecorded(r: Recorded, args: readonly Value[] = []): Value[] {
  const { sources } = r;
  const inputs = new Array<Value>(sources.length);
  for (let i = 0; i < sources.length; i++) {
    const s = sources[i];
    if (typeof s === "number") inputs[i] = args[s];
    else if (s === "key") inputs[i] = keyValue(nextKey());
    else inputs[i] = "leaf" in s ? s.value : s;
  }
  return r.program.run(inputs);
}

const keyValue = (key: Key): Value => executor().fromHost(new Uint32Array(key), [2], "uint32");
