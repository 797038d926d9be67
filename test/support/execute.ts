import type { TypedArray } from "../../src/base/index.ts";
import { interpret } from "../../src/codegen/interp/index.ts";
import { type Node, printGraph, topoOrder } from "../../src/ir/index.ts";
import { type Executor, executor } from "../../src/tensor/executor.ts";
import { record } from "../../src/tensor/trace.ts";

export type Leaves = ReadonlyMap<Node, TypedArray>;

/** Runs `f` in a trace of its own, so that equal computations are one node, as they are for users. */
export const traced = <T>(f: () => T): T => record(() => f()).result;

/** The values of `outputs` by the engine under test. */
export function execute(outputs: readonly Node[], leaves: Leaves, engine: Executor = executor()): TypedArray[] {
  const inputs = topoOrder(outputs).filter((n) => n.op === "leaf");
  const values = inputs.map((leaf) => {
    const data = leaves.get(leaf);
    if (data === undefined) throw new Error(`no data for a leaf of ${printGraph(outputs)}`);
    return engine.fromHost(data, leaf.shape, leaf.dtype);
  });
  return engine
    .compile({ inputs, outputs, updates: [] })
    .run(values)
    .map((v) => v.read());
}

/** The values of `outputs` in float64 by the interpreter. */
export const oracle = (outputs: readonly Node[], leaves: Leaves): TypedArray[] =>
  interpret(outputs, leaves, { precision: "float64" });
