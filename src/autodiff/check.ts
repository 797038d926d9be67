import {
  ChainruleError,
  DTypeError,
  flattenTree,
  isFloat,
  showShape,
  type Tree,
  type TypedArray,
  unravelIndex,
  ValueError,
} from "../base/index.ts";
import { context, withContext } from "../base/context.ts";
import { build, type Node } from "../ir/index.ts";
import {
  asTensor,
  close,
  executor,
  fromNode,
  type HasVariables,
  isTensorLeaf,
  record,
  runRecorded,
  Tensor,
  type TensorLike,
  type Value,
  type Variable,
} from "../tensor/index.ts";
import { differentiating, variablesOf } from "./loss.ts";
import { reverse } from "./reverse.ts";

/** Options of `checkGradients`. */
export interface CheckOptions {
  /** Distance of the two points of a difference. Default: 1e-5. */
  readonly eps?: number;
  /** Largest relative error that passes. Default: 1e-6. */
  readonly tolerance?: number;
  /** Components tried per tensor, evenly spread; Infinity for all. Default: 64. */
  readonly samples?: number;
  /** Whether a failure throws. Default: true. */
  readonly throws?: boolean;
}

/** One partial derivative, both ways. */
export interface CheckedComponent {
  /** The variable's name, or the place of the tensor in the arguments. */
  readonly name: string;
  /** Indices along each axis. */
  readonly index: readonly number[];
  readonly analytic: number;
  readonly numeric: number;
  /** |analytic - numeric|, less what rounding explains, over |analytic| + |numeric|; parts tiny beside the largest count little. */
  readonly error: number;
}

/** What `checkGradients` found. */
export interface CheckReport {
  readonly passed: boolean;
  readonly checked: number;
  readonly worst: CheckedComponent;
  /** All that were tried, in the order of the targets. */
  readonly components: readonly CheckedComponent[];
  /** A sentence that names the worst component. */
  readonly message: string;
}

interface Target {
  readonly name: string;
  readonly tensor: Tensor;
}

/**
 * Compares gradients with centred differences (f(x + ε) - f(x - ε)) / 2ε, all in float64: of a function by its arguments, or of a
 * loss by a model's variables. Random numbers inside are the same in every evaluation.
 *
 * Throws ChainruleError with the worst component's name and index when it fails (`throws: false` reports only).
 *
 * @example
 * checkGradients((x: Tensor) => x.tanh().sum(), [tensor([0.5, -1])]).passed; // → true
 * const mlp = sequential([dense(4), tanh, dense(2)], { inputShape: [3] });
 * checkGradients(mlp, () => mlp(ones([5, 3])).square().mean(), { tolerance: 1e-5 }).passed; // → true
 */
export function checkGradients<A extends readonly unknown[]>(
  f: (...args: A) => Tensor,
  args: A,
  options?: CheckOptions,
): CheckReport;
export function checkGradients(
  model: HasVariables | readonly Variable[],
  f: () => Tensor,
  options?: CheckOptions,
): CheckReport;
export function checkGradients(first: unknown, second: unknown, options: CheckOptions = {}): CheckReport {
  if (typeof second === "function") {
    const variables = variablesOf(first as HasVariables, "checkGradients");
    const targets = variables.map((v, i) => ({ name: v.name === "" ? `variable ${i}` : v.name, tensor: v as Tensor }));
    return compare(
      targets,
      (nodes, trace) => {
        variables.forEach((v, i) => trace.assigned.set(v, nodes[i]));
        const loss = (second as () => Tensor)();
        trace.assigned.clear();
        return loss;
      },
      options,
    );
  }
  if (typeof first !== "function" || !Array.isArray(second)) {
    throw new ValueError("[checkGradients] takes (f, [arguments]) or (model, f).");
  }
  const trees = second.map((arg) => flattenTree(arg as Tree<TensorLike>, isTensorLeaf));
  const targets = trees.flatMap(({ leaves, def }, a) =>
    leaves.map((x, i) => ({
      name: def.paths[i] === "" ? `argument ${a}` : `argument ${a}.${def.paths[i]}`,
      tensor: asTensor(x, "checkGradients"),
    })),
  );
  return compare(
    targets,
    (nodes) => {
      let at = 0;
      const args = trees.map(({ leaves, def }) => def.unflatten(nodes.slice(at, (at += leaves.length)).map(fromNode)));
      return (first as (...a: unknown[]) => Tensor)(...args);
    },
    options,
  );
}

type Body = (nodes: readonly Node[], trace: Parameters<Parameters<typeof record>[0]>[0]) => Tensor;

function compare(targets: readonly Target[], f: Body, options: CheckOptions): CheckReport {
  const { eps = 1e-5, tolerance = 1e-6, samples = 64, throws = true } = options;
  for (const { name, tensor } of targets) {
    if (!isFloat(tensor.dtype))
      throw new DTypeError(
        `[checkGradients] ${name} is ${tensor.dtype} ${showShape(tensor.shape)}: derivatives need floats.`,
      );
  }
  const params = targets.map(({ tensor }, i) => build.leaf(tensor.shape, "float64", `target ${i}`));
  const { trace, result } = record(
    (t) =>
      differentiating(t, () => {
        const loss = f(params, t);
        if (!(loss instanceof Tensor) || loss.size !== 1) {
          throw new ValueError(
            `[checkGradients] the function must return a scalar tensor, got ${loss instanceof Tensor ? showShape(loss.shape) : typeof loss}.`,
          );
        }
        const node = loss.node;
        const grads = reverse([node], [build.full(node.shape, 1, node.dtype)], params);
        return { loss: node, grads: grads.map((g, i) => g ?? build.full(params[i].shape, 0, "float64")) };
      }),
    true,
  );
  if (result.loss.dtype !== "float64") {
    throw new DTypeError(
      "[checkGradients] the loss came out as float32: something inside casts to float32, which hides errors below 1e-3.",
    );
  }
  const both = close(trace, [result.loss, ...result.grads], params);
  const lossOnly = close(trace, [result.loss], params);
  const host = targets.map(({ tensor }) => Float64Array.from(tensor.value.read()));
  const values = (): Value[] => host.map((h, i) => executor().fromHost(h, targets[i].tensor.shape, "float64"));
  const same = { key: context.key, draws: context.draws };
  const run = (r: typeof both): TypedArray[] => withContext(same, () => runRecorded(r, values()).map((v) => v.read()));
  const [value, ...analytic] = run(both);
  const found: Omit<CheckedComponent, "error">[] = [];
  targets.forEach(({ name, tensor }, t) => {
    const stride = Math.max(1, Math.ceil(tensor.size / samples));
    for (let i = 0; i < tensor.size; i += stride) {
      const x = host[t][i];
      host[t][i] = x + eps;
      const above = run(lossOnly)[0][0];
      host[t][i] = x - eps;
      const below = run(lossOnly)[0][0];
      host[t][i] = x;
      found.push({
        name,
        index: unravelIndex(i, tensor.shape),
        analytic: analytic[t][i],
        numeric: (above - below) / (2 * eps),
      });
    }
  });
  // What rounding (of f, or of parts of size 1 inside it) makes of a difference: an error below it says nothing.
  const noise = (2 ** -51 * Math.max(1, Math.abs(value[0]))) / eps;
  return report(found, noise, tolerance, throws);
}

function report(
  found: readonly Omit<CheckedComponent, "error">[],
  noise: number,
  tolerance: number,
  throws: boolean,
): CheckReport {
  if (found.length === 0)
    throw new ValueError(
      "[checkGradients] there is nothing to check: no tensor has an element (layers make their variables at the first call).",
    );
  // Differences carry rounding errors of the size of the largest part: below that, nothing can be told.
  const floor =
    1e-12 + 1e-4 * found.reduce((m, c) => Math.max(m, Math.abs(c.numeric) || 0, Math.abs(c.analytic) || 0), 0);
  const all = found.map((c): CheckedComponent => {
    const off = Math.max(0, Math.abs(c.analytic - c.numeric) - noise);
    const error = off / (Math.abs(c.analytic) + Math.abs(c.numeric) + floor);
    return { ...c, error: Number.isNaN(error) ? Infinity : error };
  });
  const worst = all.reduce((a, b) => (b.error > a.error ? b : a));
  const passed = worst.error <= tolerance;
  const message =
    `[checkGradients] ${passed ? "passed" : "FAILED"}: ${all.length} components, the worst is ${worst.name}[${worst.index.join(", ")}]: ` +
    `analytic ${worst.analytic}, numeric ${worst.numeric}, relative error ${worst.error.toExponential(2)} (tolerance ${tolerance}).`;
  if (!passed && throws) throw new ChainruleError(message);
  return { passed, checked: all.length, worst, components: all, message };
}
