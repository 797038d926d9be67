import { DTypeError, flattenTree, isFloat, ShapeError, showShape, type Tree, ValueError } from "../base/index.ts";
import { build, type Node } from "../ir/index.ts";
import {
  asTensor,
  fromNode,
  type HasVariables,
  isTensorLeaf,
  type LooseAll,
  Tensor,
  type TensorLike,
  type Trace,
  traced as inTrace,
  Variable,
} from "../tensor/index.ts";
import { reverse } from "./reverse.ts";

export interface GradOptions {
  /** Which arguments to differentiate by. Default: 0. With a list, the gradients are a list too. */
  readonly argnums?: number | readonly number[];
  /** The function returns [loss, aux]; aux (any tree) is passed on. Default: false. */
  readonly hasAux?: boolean;
}

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

type Loss<X> = X extends readonly [Tensor, infer Aux] ? [Tensor, Aux] : Tensor;
type WithAux<X, G> = X extends readonly [Tensor, infer Aux] ? [G, Aux] : G;
interface Several {
  readonly argnums: readonly number[];
}
type Chosen<A extends readonly unknown[], N extends readonly number[]> = { -readonly [K in keyof N]: A[N[K]] };

/**
 * The function's value and its gradients, in one run. Three forms:
 *
 * - `valueAndGrad(f)`: a function of f's arguments → [value, gradients of the first argument] (`argnums` for others). An argument
 *   is a tensor or a tree of tensors, and so is its gradient.
 * - `valueAndGrad(model, f)`: runs f() now → [value, gradients], aligned with model.trainableVariables.
 * - `valueAndGrad(variables, f)`: the same for a list of variables.
 *
 * f returns a scalar tensor, or [scalar, aux] with `hasAux`; then the value is [loss, aux]. Works at once and inside `compiled`,
 * and nests: gradients have gradients. Throws ShapeError for a loss that is no scalar, DTypeError for arguments that are no
 * floats.
 *
 * @example
 * const [y, dx] = valueAndGrad((x: Tensor) => x.square().sum())(tensor([1, 2]));   // 5, [2, 4]
 * const [loss, grads] = valueAndGrad(model, () => crossEntropy(model(x), labels));
 */
export function valueAndGrad<X>(
  model: HasVariables | readonly Variable[],
  f: () => X,
  options?: GradOptions,
): [Loss<X>, Tensor[]];
export function valueAndGrad<X>(
  f: (...args: Tensor[]) => X,
  options: GradOptions & Several,
): (...args: TensorLike[]) => [Loss<X>, Tensor[]];
export function valueAndGrad<X>(
  f: (...args: Tensor[]) => X,
  options?: GradOptions,
): (...args: TensorLike[]) => [Loss<X>, Tensor];
export function valueAndGrad<A extends readonly unknown[], X, const N extends readonly number[]>(
  f: (...args: A) => X,
  options: GradOptions & { readonly argnums: N },
): (...args: LooseAll<A>) => [Loss<X>, Chosen<A, N>];
export function valueAndGrad<A extends readonly unknown[], X, N extends number = 0>(
  f: (...args: A) => X,
  options?: GradOptions & { readonly argnums?: N },
): (...args: LooseAll<A>) => [Loss<X>, A[N]];
export function valueAndGrad(first: unknown, second?: unknown, third?: GradOptions): unknown {
  if (typeof second === "function") {
    return overVariables(
      first as HasVariables | readonly Variable[],
      second as () => unknown,
      third ?? {},
      "valueAndGrad",
    );
  }
  if (typeof first !== "function")
    throw new ValueError(
      "[valueAndGrad] takes a function, or a model and a function: valueAndGrad(model, () => loss).",
    );
  return (...args: unknown[]) =>
    overArguments(first as (...a: unknown[]) => unknown, args, second ?? {}, "valueAndGrad");
}

/**
 * The gradient alone, in the same three forms as `valueAndGrad`; with `hasAux`, [gradients, aux].
 *
 * @example
 * grad((x: Tensor) => x.pow(3).sum())(tensor(2));   // 12
 */
export function grad<X>(
  model: HasVariables | readonly Variable[],
  f: () => X,
  options?: GradOptions,
): WithAux<X, Tensor[]>;
export function grad<X>(
  f: (...args: Tensor[]) => X,
  options: GradOptions & Several,
): (...args: TensorLike[]) => WithAux<X, Tensor[]>;
export function grad<X>(
  f: (...args: Tensor[]) => X,
  options?: GradOptions,
): (...args: TensorLike[]) => WithAux<X, Tensor>;
export function grad<A extends readonly unknown[], X, const N extends readonly number[]>(
  f: (...args: A) => X,
  options: GradOptions & { readonly argnums: N },
): (...args: LooseAll<A>) => WithAux<X, Chosen<A, N>>;
export function grad<A extends readonly unknown[], X, N extends number = 0>(
  f: (...args: A) => X,
  options?: GradOptions & { readonly argnums?: N },
): (...args: LooseAll<A>) => WithAux<X, A[N]>;
export function grad(first: unknown, second?: unknown, third?: GradOptions): unknown {
  const only = ([value, grads]: [unknown, unknown], options: GradOptions): unknown =>
    options.hasAux === true ? [grads, (value as unknown[])[1]] : grads;
  if (typeof second === "function") {
    return only(overVariables(first as HasVariables, second as () => unknown, third ?? {}, "grad"), third ?? {});
  }
  if (typeof first !== "function")
    throw new ValueError("[grad] takes a function, or a model and a function: grad(model, () => loss).");
  const options = (second ?? {}) as GradOptions;
  return (...args: unknown[]) =>
    only(overArguments(first as (...a: unknown[]) => unknown, args, options, "grad"), options);
}

/** The leaves of the arguments to differentiate by, as fresh nodes, and the arguments with them put in. */
export function openArguments(
  args: readonly unknown[],
  argnums: readonly number[],
  op: string,
): { nodes: Node[]; opened: unknown[]; rebuild: (grads: readonly Tensor[]) => unknown[] } {
  const nodes: Node[] = [];
  const opened = [...args];
  const parts: { count: number; make: (g: readonly Tensor[]) => unknown }[] = [];
  for (const i of argnums) {
    if (!Number.isInteger(i) || i < 0 || i >= args.length) {
      throw new ValueError(`[${op}] argnums names argument ${i}, but the function was called with ${args.length}.`);
    }
    const { leaves, def } = flattenTree(args[i] as Tree<TensorLike>, isTensorLeaf);
    if (leaves.length === 0) throw new ValueError(`[${op}] argument ${i} holds no tensor to differentiate by.`);
    const own = leaves.map((leaf, k) => {
      const t = asTensor(leaf, op);
      if (!isFloat(t.dtype)) {
        const at = def.paths[k] === "" ? "" : ` at "${def.paths[k]}"`;
        throw new DTypeError(
          `[${op}] argument ${i}${at} is ${t.dtype} ${showShape(t.shape)}: derivatives need float32 or float64. Cast it, or name other arguments with argnums.`,
        );
      }
      // A fresh name: an equal value elsewhere is another variable.
      return build.alias(t.node);
    });
    nodes.push(...own);
    opened[i] = def.unflatten(own.map(fromNode));
    parts.push({ count: own.length, make: (g) => def.unflatten(g) });
  }
  const rebuild = (grads: readonly Tensor[]): unknown[] => {
    let at = 0;
    return parts.map(({ count, make }) => make(grads.slice(at, (at += count))));
  };
  return { nodes, opened, rebuild };
}

function overArguments(
  f: (...args: unknown[]) => unknown,
  args: readonly unknown[],
  options: GradOptions,
  op: string,
): [unknown, unknown] {
  const { argnums = 0, hasAux = false } = options;
  const list = typeof argnums === "number" ? [argnums] : argnums;
  let rebuild: (g: readonly Tensor[]) => unknown[] = () => [];
  let auxOf: (t: readonly Tensor[]) => unknown = () => undefined;
  let auxCount = 0;
  const out = traced(() => {
    const open = openArguments(args, list, op);
    rebuild = open.rebuild;
    const { loss, aux } = parts(f(...open.opened), hasAux, op);
    const flat = flattenTree(aux as Tree<Tensor>, isTensor);
    auxOf = (t) => flat.def.unflatten(t);
    auxCount = flat.leaves.length;
    return [loss.node, ...flat.leaves.map((t) => t.node), ...gradients(loss.node, open.nodes)];
  });
  const grads = rebuild(out.slice(1 + auxCount));
  const value = hasAux ? [out[0], auxOf(out.slice(1, 1 + auxCount))] : out[0];
  return [value, typeof argnums === "number" ? grads[0] : grads];
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

function overVariables(
  target: HasVariables | readonly Variable[],
  f: () => unknown,
  options: GradOptions,
  op: string,
): [unknown, Tensor[]] {
  const hasAux = options.hasAux ?? false;
  let auxOf: (t: readonly Tensor[]) => unknown = () => undefined;
  let auxCount = 0;
  const out = traced((trace) => {
    const variables = variablesOf(target, op);
    return withOpenVariables(trace, variables, (nodes) => {
      const { loss, aux } = parts(f(), hasAux, op);
      // Layers may make their variables at the first call: those were read under their own leaves.
      const opened = new Map(variables.map((v, i) => [v, nodes[i]]));
      const targets = variablesOf(target, op).map((v) => opened.get(v) ?? v.leaf);
      const flat = flattenTree(aux as Tree<Tensor>, isTensor);
      auxOf = (t) => flat.def.unflatten(t);
      auxCount = flat.leaves.length;
      return [loss.node, ...flat.leaves.map((t) => t.node), ...gradients(loss.node, targets)];
    });
  });
  return [hasAux ? [out[0], auxOf(out.slice(1, 1 + auxCount))] : out[0], out.slice(1 + auxCount)];
}
