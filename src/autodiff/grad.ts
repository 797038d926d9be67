import { DTypeError, flattenTree, isFloat, showShape, type Tree, ValueError } from "../base/index.ts";
import { build, type Node } from "../ir/index.ts";
import {
  asTensor,
  fromNode,
  type HasVariables,
  isTensorLeaf,
  type LooseAll,
  type Tensor,
  type TensorLike,
  type Variable,
} from "../tensor/index.ts";
import { overVariables, withGradients } from "./loss.ts";

/** Options of `valueAndGrad` and `grad`. */
export interface GradOptions {
  /** Which arguments to differentiate by. Default: 0. With a list, the gradients are a list too. */
  readonly argnums?: number | readonly number[];
  /** The function returns [loss, aux]; aux (any tree) is passed on. Default: false. */
  readonly hasAux?: boolean;
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
 * const [value, dx] = valueAndGrad((a: Tensor) => a.square().sum())(tensor([1, 2])); // 5, [2, 4]
 * const [loss, grads] = valueAndGrad(model, () => crossEntropy(model(x), y));
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
      third?.hasAux,
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
    return only(overVariables(first as HasVariables, second as () => unknown, third?.hasAux, "grad"), third ?? {});
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
  const [value, found] = withGradients(op, hasAux, (_, finish) => {
    const open = openArguments(args, list, op);
    rebuild = open.rebuild;
    return finish(f(...open.opened), open.nodes);
  });
  const grads = rebuild(found);
  return [value, typeof argnums === "number" ? grads[0] : grads];
}
