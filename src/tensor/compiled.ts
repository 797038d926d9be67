import { type DType, flattenTree, sameShape, type Tree, type TreeDef, ValueError } from "../base/index.ts";
import { context, nextId } from "../base/context.ts";
import { build, type Node } from "../ir/index.ts";
import { fromValue } from "./apply.ts";
import { isTensorLeaf, type LooseAll, tensor, type TensorLike } from "./convert.ts";
import type { Value } from "./executor.ts";
import { Tensor } from "./tensor.ts";
import { close, currentTrace, record, type Recorded, runRecorded } from "./trace.ts";
import { Variable } from "./variable.ts";

/** A function that runs as one program. */
export interface Compiled<A extends readonly unknown[], R> {
  (...args: LooseAll<A>): R;
  /** The kernel list of the program for these arguments: shapes, flops, bytes, arena. Does not run it. */
  explain(...args: LooseAll<A>): string;
}

/** One program: for one structure of arguments, their shapes and dtypes, and one mode. */
interface Entry {
  readonly recorded: Recorded;
  readonly def: TreeDef;
  readonly dtypes: readonly DType[];
  readonly training: boolean;
  /** Its arguments, where all are tensors. */
  readonly params: readonly Node[] | null;
}

/** Programs one function keeps, for as many shapes; the oldest goes first. */
const KEPT = 256;

/** True for values that are inputs whatever they hold. */
const isPlainTensor = (x: unknown): x is Tensor => x instanceof Tensor && !(x instanceof Variable);

/** True when the arguments have the key of a program, without making it. */
const fits = ({ params, training }: Entry, args: readonly unknown[]): boolean =>
  training === context.training &&
  params?.length === args.length &&
  params.every((p, i) => {
    const x = args[i];
    return isPlainTensor(x) && x.dtype === p.dtype && sameShape(x.shape, p.shape);
  });

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

/**
 * Makes one program of a function: it is called once per structure of arguments to record what it does, and from then on the
 * program runs instead.
 *
 * Arguments and results are trees (arrays and plain objects). Tensors, typed arrays, numbers and nested arrays of numbers in the
 * arguments are inputs of the program; strings, booleans, null and other objects are part of the structure.
 * Recorded anew for new shapes, dtypes, structure or training mode. Variables that the function reads are inputs, those it
 * assigns are updated in place; other tensors and plain values from outside keep what they were at the first call (pass them as
 * arguments when they change). Random numbers are drawn anew by each call. Inside another compiled function it is part of that one.
 *
 * Throws TraceError when the function asks for a tensor's value.
 *
 * @example
 * const optimizer = adam();
 * const step = compiled((a: Tensor, b: Tensor) => {
 *   const [loss, grads] = valueAndGrad(model, () => crossEntropy(model(a), b));
 *   optimizer.update(model, grads);
 *   return loss;
 * });
 * console.log(step(x, y).item(), step(x, y).item());
 */
export function compiled<R>(fn: (...args: Tensor[]) => R): Compiled<Tensor[], R>;
export function compiled<A extends readonly unknown[], R>(fn: (...args: A) => R): Compiled<A, R>;
export function compiled<R>(fn: (...args: never[]) => R): Compiled<never[], R> {
  const run = fn as unknown as (...args: unknown[]) => R;
  const cache = new Map<string, Entry>();
  const identities = new WeakMap<object, number>();
  const prepare = (args: readonly unknown[], leaves: Tensor[]): Entry => {
    const key = keyOf(args, leaves, identities) + (context.training ? "|training" : "");
    let entry = cache.get(key);
    if (entry === undefined) {
      entry = recordEntry(run, args, leaves);
      if (cache.size >= KEPT) cache.delete(cache.keys().next().value as string);
      cache.set(key, entry);
    }
    return entry;
  };
  let last: Entry | undefined;
  const call = (...args: unknown[]): R => {
    if (currentTrace() !== null) return run(...args.map((a) => mapLeaves(a, (t) => t)));
    let leaves = args as Tensor[];
    // Most calls are like the one before.
    if (last === undefined || !fits(last, args)) last = prepare(args, (leaves = []));
    const entry = last;
    const inputs = new Array<Value>(leaves.length);
    for (let i = 0; i < inputs.length; i++) inputs[i] = leaves[i].value;
    const values = runRecorded(entry.recorded, inputs);
    return entry.def.unflatten(values.map((v, i) => fromValue(v, entry.dtypes[i]))) as R;
  };
  const explain = (...args: unknown[]): string => prepare(args, []).recorded.program.explain();
  return Object.assign(call, { explain });
}

/**
 * The kernel list of a function as `compiled` would run it: `explain(fn)(...args)`.
 *
 * @example console.log(explain((a: Tensor) => softmax(a.mul(0.5)))(zeros([64, 1000])));
 */
export function explain(fn: (...args: Tensor[]) => unknown): (...args: TensorLike[]) => string;
export function explain<A extends readonly unknown[]>(fn: (...args: A) => unknown): (...args: LooseAll<A>) => string;
export function explain(fn: (...args: never[]) => unknown): (...args: never[]) => string {
  const f = compiled(fn);
  return (...args) => f.explain(...args);
}

/** Everything but the values: structure, shapes, dtypes, constants. Collects the leaves on the way. */
function keyOf(args: readonly unknown[], leaves: Tensor[], identities: WeakMap<object, number>): string {
  let key = "";
  const walk = (x: unknown): void => {
    if (x instanceof Variable) key += `v${x.leaf.id};`;
    else if (x instanceof Tensor) {
      leaves.push(x);
      key += `${x.dtype}[${x.shape.join()}];`;
    } else if (isTensorLeaf(x)) {
      const t = tensor(x);
      leaves.push(t);
      key += `${t.dtype}[${t.shape.join()}];`;
    } else if (Array.isArray(x)) {
      key += "(";
      for (const y of x) walk(y);
      key += ")";
    } else if (isPlain(x)) {
      key += "{";
      for (const k of Object.keys(x)) {
        key += `${JSON.stringify(k)}:`;
        walk(x[k]);
      }
      key += "}";
    } else if ((typeof x === "object" && x !== null) || typeof x === "function") {
      let id = identities.get(x);
      if (id === undefined) identities.set(x, (id = nextId()));
      key += `o${id};`;
    } else key += `${JSON.stringify(x) ?? typeof x};`;
  };
  for (const x of args) walk(x);
  return key;
}

const isPlain = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" && x !== null && Object.getPrototypeOf(x) === Object.prototype;

/** Arguments with each leaf that `keyOf` collects replaced, in the same order. */
export function mapLeaves(x: unknown, f: (t: Tensor) => Tensor): unknown {
  if (x instanceof Variable) return x;
  if (isTensorLeaf(x)) return f(tensor(x));
  if (Array.isArray(x)) return x.map((y) => mapLeaves(y, f));
  if (isPlain(x)) return Object.fromEntries(Object.entries(x).map(([k, y]) => [k, mapLeaves(y, f)]));
  return x;
}

function recordEntry(run: (...args: unknown[]) => unknown, args: readonly unknown[], leaves: readonly Tensor[]): Entry {
  const params: Node[] = leaves.map((t, i) => build.leaf(t.shape, t.dtype, `argument ${i}`));
  const { trace, result } = record((tr) => {
    for (const p of params) tr.abstract.add(p);
    let i = 0;
    const out = run(...args.map((a) => mapLeaves(a, () => new Tensor(params[i++]))));
    if (out instanceof Promise) {
      throw new ValueError("[compiled] the function is async: record plain tensor code and await outside of it.");
    }
    const flat = flattenTree(out as Tree<Tensor>, isTensor);
    return { def: flat.def, nodes: flat.leaves.map((t) => t.node) };
  }, true);
  return {
    recorded: close(trace, result.nodes, params),
    def: result.def,
    dtypes: result.nodes.map((n) => n.dtype),
    training: context.training,
    params: args.every(isPlainTensor) ? params : null,
  };
}
