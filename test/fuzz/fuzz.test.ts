/**
 * Random graphs, the engine against the float64 oracle. FUZZ_RUNS (200) graphs from FUZZ_SEED (1); a failure is shrunk
 * and printed as a graph and as builder calls. FUZZ_WITHOUT=cumsum,scan passes over graphs with these primitives, to look
 * behind a known fault.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import "../../src/engine.ts";
import { type Node, printGraph, topoOrder } from "../../src/ir/index.ts";
import { executor } from "../../src/tensor/executor.ts";
import { graphCode } from "../support/code.ts";
import { difference } from "../support/compare.ts";
import { LARGE, SMALL } from "./pool.ts";
import { growGraph, growStep, onlyOutputs, type RandomGraph } from "./graphs.ts";

const runs = Number(process.env.FUZZ_RUNS ?? 200);
const seed = Number(process.env.FUZZ_SEED ?? 1);
const without = new Set(process.env.FUZZ_WITHOUT?.split(","));

/** What is wrong with the engine on this graph, or null. */
function fault(g: RandomGraph): string | null {
  const inputs = topoOrder(g.outputs).filter((n) => n.op === "leaf");
  for (const u of g.updates) if (!inputs.includes(u.leaf)) inputs.push(u.leaf);
  const data = (n: Node) => g.leaves.get(n) as NonNullable<ReturnType<typeof g.leaves.get>>;
  const updates = g.updates.map((u) => ({ input: inputs.indexOf(u.leaf), value: g.outputs[u.output] }));
  const program = executor().compile({ inputs, outputs: g.outputs, updates });
  const values = inputs.map((n) => executor().fromHost(data(n), n.shape, n.dtype));
  const first = program.run(values).map((v) => v.read());
  const compare = (got: (typeof first)[number], i: number, what: string): string | null => {
    const why = difference(got, g.want[i], g.outputs[i].dtype, { relative: 0, absolute: g.slack[i] });
    return why === null ? null : `${what} ${i} (${g.outputs[i].op}): ${why}`;
  };
  for (const [i, got] of first.entries()) {
    const why = compare(got, i, "output");
    if (why !== null) return why;
  }
  for (const [i, n] of inputs.entries()) {
    const after = values[i].read();
    const update = g.updates.find((u) => u.leaf === n);
    const why =
      update === undefined
        ? difference(after, data(n), n.dtype, { relative: 0 })
        : compare(after, update.output, "update");
    if (why !== null) return `input ${i} after the run: ${why}`;
    values[i].write(data(n));
  }
  // Nothing may be left over from the first run, and the same inputs give the same bits.
  for (const [i, v] of program.run(values).entries()) {
    const why = difference(v.read(), first[i], g.outputs[i].dtype, { relative: 0 });
    if (why !== null) return `output ${i} (${g.outputs[i].op}) in a second run: ${why}`;
  }
  return null;
}

/** `fault`, an exception being one. */
function faultOf(g: RandomGraph): string | null {
  try {
    return fault(g);
  } catch (e) {
    return e instanceof Error ? `threw ${e.stack ?? e.message}` : String(e);
  }
}

/** A failing graph without the outputs and updates that do not matter. */
function reduced(g: RandomGraph): RandomGraph {
  let small = g;
  for (let i = g.outputs.length - 1; i >= 0; i--) {
    const fewer = onlyOutputs(
      small,
      small.outputs.map((_, j) => j).filter((j) => j !== i),
    );
    if (fewer.outputs.length > 0 && faultOf(fewer) !== null) small = fewer;
  }
  const still = { ...small, updates: [] };
  return faultOf(still) === null ? small : still;
}

/** What is printed of a failure: the graph, the builder calls, and [leaf, output] of each update. */
function report(g: RandomGraph, why: string): string {
  const small = reduced(g);
  const order = topoOrder(small.outputs);
  const updates = JSON.stringify(small.updates.map((u) => [order.indexOf(u.leaf), u.output]));
  return `${why}\nreduced: ${faultOf(small) ?? "gone when run again"}\n${printGraph(small.outputs)}\n\n${graphCode(small.outputs)}\nupdates ${updates}`;
}

const step = fc.array(fc.nat(255), { minLength: 6, maxLength: 6 });

const kinds = [
  ["graphs", growGraph, SMALL, runs],
  ["training steps", growStep, SMALL, Math.ceil(runs / 2)],
  ["large graphs", growGraph, LARGE, Math.ceil(runs / 20)],
  ["large training steps", growStep, LARGE, Math.ceil(runs / 20)],
] as const;

test.each(kinds)("random %s agree with the oracle", { timeout: 3_600_000 }, (_, grow, scale, numRuns) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 4, maxLength: 40 }), (choices) => {
      const g = grow(choices, scale);
      const skip = g.outputs.length === 0 || topoOrder(g.outputs).some((n) => without.has(n.op));
      const why = skip ? null : faultOf(g);
      if (why !== null) expect.fail(report(g, why));
    }),
    { numRuns, seed },
  );
});
