import type { TypedArray } from "../../src/base/index.ts";
import { reverse } from "../../src/autodiff/reverse.ts";
import { build as b, type Node, printGraph, topoOrder } from "../../src/ir/index.ts";
import { graphCode } from "../support/code.ts";
import { largest } from "../support/compare.ts";
import { traced } from "../support/execute.ts";
import { type Choice, type Entry, Pool, type Scale } from "./pool.ts";
import { STEPS } from "./steps.ts";

/** A random graph with its data and what each result should be, within `slack`. */
export interface RandomGraph {
  readonly outputs: readonly Node[];
  readonly want: readonly TypedArray[];
  readonly slack: readonly number[];
  readonly leaves: Map<Node, TypedArray>;
  /** Leaves that take a new value after the run, by the place of that value in `outputs`. */
  readonly updates: readonly { readonly leaf: Node; readonly output: number }[];
}

/** Rounding may move a result by this much of its largest element, or by this often what it moves the interpreter. */
const OF_LARGEST = 2e-4;
const OF_ERROR = 30;

/** True when nothing that leads to the node was rounded to float32. */
const allWide = (n: Node): boolean => topoOrder([n]).every((s) => s.dtype !== "float32" || s.op === "leaf");

/** Rounding of a result: relative to it, to what moves the interpreter, and to what it was made from (a sum that cancels). */
function slackOf(e: Entry, largestOf: ReadonlyMap<Node, number>): number {
  const wide = allWide(e.node);
  const sources = topoOrder([e.node]).map((n) => largestOf.get(n) ?? 0);
  const own = (wide ? 1e-9 : OF_LARGEST) * largest(e.wide) + OF_ERROR * e.error;
  return own + (wide ? 1e-12 : 1e-6) * Math.max(...sources) + 1e-30;
}

/** Grows a graph by these choices; a choice that leads nowhere is passed over. */
export function growGraph(choices: readonly Choice[], scale?: Scale): RandomGraph {
  return traced(() => {
    const pool = grown(choices, scale);
    const made = pool.entries.filter((e) => e.node.op !== "leaf");
    const used = new Set(made.flatMap((e) => e.node.srcs));
    // What nothing else uses, and now and then what is in the middle.
    const results = made.filter((e, i) => !used.has(e.node) || i % 5 === 2);
    const free = [...pool.leaves.keys()].filter((_, i) => i % 2 === 1);
    const updates = results.flatMap((e, output) => {
      const i = free.findIndex((l) => l.dtype === e.node.dtype && l.shape.join() === e.node.shape.join());
      return i < 0 ? [] : [{ leaf: free.splice(i, 1)[0], output }];
    });
    return graphOf(pool, results, updates);
  });
}

/** A training step: the loss Σ y²/2 over a grown graph's results, its gradients by every float leaf, and w ← w − g/10. */
export function growStep(choices: readonly Choice[], scale?: Scale): RandomGraph {
  return traced(() => {
    const pool = grown(choices, scale);
    const used = new Set(pool.entries.flatMap((e) => e.node.srcs));
    const ends = pool.entries.filter((e) => e.node.op !== "leaf" && e.node.dtype === "float32" && !used.has(e.node));
    const losses = ends.map(({ node: y }) =>
      b.reduce("sum", b.binary("mul", b.binary("mul", y, y), b.full(y.shape, 0.5, y.dtype)), [...y.shape.keys()]),
    );
    if (losses.length === 0) return graphOf(pool, [], []);
    const loss = losses.reduce((p, q) => b.binary("add", p, q));
    const first = pool.entries.length;
    pool.add(() => loss);
    const leaves = [...pool.leaves.keys()].filter((n) => n.dtype === "float32");
    const grads = gradients(loss, leaves);
    const updates: { leaf: Node; output: number }[] = [];
    leaves.forEach((leaf, i) => {
      const g = grads[i];
      if (g === null) return;
      const count = pool.entries.length;
      pool.add(() => (i % 3 === 0 ? g : b.binary("sub", leaf, b.binary("mul", g, b.full(g.shape, 0.1)))));
      if (pool.entries.length > count && i % 3 !== 0) updates.push({ leaf, output: count - first });
    });
    return graphOf(pool, pool.entries.slice(first), updates);
  });
}

/** Gradients, or an error that shows the graph. */
function gradients(loss: Node, leaves: readonly Node[]): (Node | null)[] {
  try {
    return reverse([loss], [b.scalar(1)], leaves);
  } catch (e) {
    throw new Error(`no gradient of\n${printGraph([loss])}\n\n${graphCode([loss])}`, { cause: e });
  }
}

function grown(choices: readonly Choice[], scale?: Scale): Pool {
  const pool = new Pool(scale);
  pool.leaf(pool.shape(choices[0] ?? []), "float32");
  for (const [step, ...k] of choices) pool.add(() => STEPS[step % STEPS.length](pool, k));
  return pool;
}

function graphOf(pool: Pool, results: readonly Entry[], updates: RandomGraph["updates"]): RandomGraph {
  const sizes = new Map(pool.entries.map((e) => [e.node, largest(e.wide)]));
  return {
    outputs: results.map((e) => e.node),
    want: results.map((e) => e.wide),
    slack: results.map((e) => slackOf(e, sizes)),
    leaves: pool.leaves,
    updates,
  };
}

/** The same graph with only some of its outputs, and the updates that they carry. */
export function onlyOutputs(g: RandomGraph, kept: readonly number[]): RandomGraph {
  return {
    outputs: kept.map((i) => g.outputs[i]),
    want: kept.map((i) => g.want[i]),
    slack: kept.map((i) => g.slack[i]),
    leaves: g.leaves,
    updates: g.updates.flatMap((u) =>
      kept.includes(u.output) ? [{ leaf: u.leaf, output: kept.indexOf(u.output) }] : [],
    ),
  };
}
