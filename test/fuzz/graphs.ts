import type { TypedArray } from "../../src/base/index.ts";
import { type Node, topoOrder } from "../../src/ir/index.ts";
import { largest } from "../support/compare.ts";
import { traced } from "../support/execute.ts";
import { type Choice, type Entry, Pool } from "./pool.ts";
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
export function growGraph(choices: readonly Choice[]): RandomGraph {
  return traced(() => {
    const pool = new Pool();
    pool.leaf(pool.shape(choices[0] ?? []), "float32");
    for (const [step, ...k] of choices) pool.add(() => STEPS[step % STEPS.length](pool, k));
    const made = pool.entries.filter((e) => e.node.op !== "leaf");
    const used = new Set(made.flatMap((e) => e.node.srcs));
    // What nothing else uses, and now and then what is in the middle.
    const results = made.filter((e, i) => !used.has(e.node) || i % 5 === 2);
    const outputs = results.map((e) => e.node);
    const sizes = new Map(pool.entries.map((e) => [e.node, largest(e.wide)]));
    const free = [...pool.leaves.keys()].filter((_, i) => i % 2 === 1);
    const updates = results.flatMap((e, output) => {
      const i = free.findIndex((l) => l.dtype === e.node.dtype && l.shape.join() === e.node.shape.join());
      return i < 0 ? [] : [{ leaf: free.splice(i, 1)[0], output }];
    });
    return {
      outputs,
      want: results.map((e) => e.wide),
      slack: results.map((e) => slackOf(e, sizes)),
      leaves: pool.leaves,
      updates,
    };
  });
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
