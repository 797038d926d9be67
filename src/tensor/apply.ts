import type { DType } from "../base/index.ts";
import { context, withContext } from "../base/context.ts";
import { build, type Node } from "../ir/index.ts";
import type { Value } from "./executor.ts";
import { Tensor } from "./tensor.ts";
import { close, currentTrace, record, runRecorded, type Trace } from "./trace.ts";

/** Applies a function of nodes to tensors: recorded inside a trace, run at once outside. */
export function apply(operands: readonly Tensor[], f: (...nodes: Node[]) => Node): Tensor {
  return applyMany(operands, (...nodes) => [f(...nodes)])[0];
}

/** `apply` for functions with several results. */
export function applyMany(operands: readonly Tensor[], f: (...nodes: Node[]) => Node[]): Tensor[] {
  if (context.trace !== null) return f(...operands.map((t) => t.node)).map((n) => new Tensor(n));
  const { trace, result } = record(() => f(...operands.map((t) => t.node)));
  const values = runRecorded(close(trace, result));
  return values.map((v, i) => fromValue(v, result[i].dtype));
}

/** Runs `f` in the trace in progress, or in one of its own that is run at once. */
export function traced(f: (trace: Trace) => Node[]): Tensor[] {
  const outer = currentTrace();
  if (outer !== null) return f(outer).map(fromNode);
  const { trace, result } = record(f);
  return runRecorded(close(trace, result)).map((v, i) => fromValue(v, result[i].dtype));
}

/** Runs `f` outside of the trace in progress: for making variables while a model is being recorded. */
export const eagerly = <T>(f: () => T): T => withContext({ trace: null, nodes: null }, f);

/** A concrete tensor around a realised value. */
export const fromValue = (value: Value, dtype: DType = value.dtype): Tensor =>
  new Tensor(build.leaf(value.shape, dtype), value);

/** A tensor for a node of the trace in progress. */
export const fromNode = (node: Node): Tensor => new Tensor(node);
