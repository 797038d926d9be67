/** What every gradient goes through: a scalar loss in a trace, and the reverse walk from it. */
import { DTypeError, flattenTree, isFloat, ShapeError, showShape, type Tree, ValueError } from "../base/index.ts";
import { build, type Node } from "../ir/index.ts";
import { asTensor, type HasVariables, Tensor, type Trace, traced as inTrace, Variable } from "../tensor/index.ts";
import { reverse } from "./reverse.ts";

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

/** Runs `f`, a function that is differentiated, in the trace in progress or at once. */
export const traced = (f: (trace: Trace) => Node[]): Tensor[] =>
  inTrace((trace) => differentiating(trace, () => f(trace)));

/** Marks the trace, so that loops keep what their gradients need. */
export function differentiating<T>(trace: Trace, f: () => T): T {
  trace.gradients++;
  try {
    return f();
  } finally {
    trace.gradients--;
  }
}

/** The scalar loss a function returned, or an error that says what it must be. */
function lossOf(x: unknown, op: string): Tensor {
  if (x instanceof Promise)
    throw new ValueError(`[${op}] the function is async: differentiate plain tensor code and await outside of it.`);
  if (typeof x === "number") return asTensor(x, op);
  if (!isTensor(x)) {
    const got = Array.isArray(x)
      ? `an array of ${x.length} (with hasAux: true, [loss, aux] is allowed)`
      : x === undefined
        ? "nothing: is a return missing?"
        : typeof x;
    throw new ValueError(`[${op}] the function must return one scalar tensor, got ${got}.`);
  }
  if (!isFloat(x.dtype))
    throw new DTypeError(
      `[${op}] the loss must be a float, got ${x.dtype} ${showShape(x.shape)}: it has no derivative.`,
    );
  if (x.size !== 1) {
    throw new ShapeError(
      `[${op}] the loss must be a scalar, got ${x.dtype} ${showShape(x.shape)}: reduce it with .mean() or .sum(), or use jacobian().`,
    );
  }
  return x;
}

/** Gradients of one scalar, zeros where it does not depend on a target. */
function gradients(loss: Node, targets: readonly Node[]): Node[] {
  const found = reverse([loss], [build.full(loss.shape, 1, loss.dtype)], targets);
  return found.map((g, i) => g ?? build.full(targets[i].shape, 0, targets[i].dtype));
}

/** Splits what the function returned into the loss and a tree of results. */
function parts(result: unknown, hasAux: boolean, op: string): { loss: Tensor; aux: unknown } {
  if (!hasAux) return { loss: lossOf(result, op), aux: undefined };
  if (!Array.isArray(result) || result.length !== 2)
    throw new ValueError(`[${op}] with hasAux the function must return [loss, aux].`);
  return { loss: lossOf(result[0], op), aux: result[1] };
}

/**
 * The value of a function and the gradients of its loss, in one program. `run` gives what the function returned and the nodes to
 * differentiate by to `finish`, while the trace is as the function left it.
 */
export function withGradients(
  op: string,
  hasAux: boolean,
  run: (trace: Trace, finish: (result: unknown, targets: readonly Node[]) => Node[]) => Node[],
): [unknown, Tensor[]] {
  let auxOf: (t: readonly Tensor[]) => unknown = () => undefined;
  let auxCount = 0;
  const out = traced((trace) =>
    run(trace, (result, targets) => {
      const { loss, aux } = parts(result, hasAux, op);
      const { leaves, def } = flattenTree(aux as Tree<Tensor>, isTensor);
      auxOf = (t) => def.unflatten(t);
      auxCount = leaves.length;
      return [loss.node, ...leaves.map((t) => t.node), ...gradients(loss.node, targets)];
    }),
  );
  return [hasAux ? [out[0], auxOf(out.slice(1, 1 + auxCount))] : out[0], out.slice(1 + auxCount)];
}

/** Runs f with fresh names for the variables' values, so that only what f itself does is differentiated. */
function withOpenVariables<T>(trace: Trace, variables: readonly Variable[], f: (nodes: readonly Node[]) => T): T {
  const before = variables.map((v) => trace.assigned.get(v));
  const opened = variables.map((v) => build.alias(v.node));
  variables.forEach((v, i) => trace.assigned.set(v, opened[i]));
  try {
    return f(opened);
  } finally {
    variables.forEach((v, i) => {
      if (trace.assigned.get(v) !== opened[i]) return;
      const old = before[i];
      if (old === undefined) trace.assigned.delete(v);
      else trace.assigned.set(v, old);
    });
  }
}

/** The variables of a model or of a list. */
export function variablesOf(target: HasVariables | readonly Variable[], op: string): readonly Variable[] {
  const list = Array.isArray(target)
    ? (target as readonly Variable[])
    : (target as HasVariables | null)?.trainableVariables;
  if (list === undefined || !list.every((v) => v instanceof Variable)) {
    throw new ValueError(
      `[${op}] needs a model (something with trainableVariables) or a list of variables before the function.`,
    );
  }
  return list;
}

/** The value of `f` and its gradients by the variables of a model or of a list. */
export function overVariables(
  target: HasVariables | readonly Variable[],
  f: () => unknown,
  hasAux: boolean | undefined,
  op: string,
): [unknown, Tensor[]] {
  return withGradients(op, hasAux ?? false, (trace, finish) => {
    const variables = variablesOf(target, op);
    return withOpenVariables(trace, variables, (nodes) => {
      const result = f();
      // Layers may make their variables at the first call: those were read under their own leaves.
      const opened = new Map(variables.map((v, i) => [v, nodes[i]]));
      return finish(
        result,
        variablesOf(target, op).map((v) => opened.get(v) ?? v.leaf),
      );
    });
  });
}
