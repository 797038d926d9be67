import { flattenTree, type Tree, ValueError } from "../base/index.ts";
import { context } from "../base/context.ts";
import { build, type CustomRule, type Node } from "../ir/index.ts";
import { asTensor, currentTrace, fromNode, outerNodes, substitute, Tensor, type TensorLike } from "../tensor/index.ts";
import { reverse } from "./reverse.ts";

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

/**
 * f with a derivative of your own: `backward(ct, out, ...inputs)` returns one cotangent an input (null: none). Tensors that f
 * uses beside its arguments get no gradient. Written in tensor operations, `backward` has derivatives itself.
 *
 * @example
 * // Straight-through rounding: the gradient passes as if it were the identity.
 * const roundThrough = customVjp((x: Tensor) => x.round(), (ct) => [ct]);
 */
export function customVjp<A extends readonly TensorLike[]>(
  f: (...inputs: { [K in keyof A]: Tensor }) => Tensor,
  backward: (ct: Tensor, out: Tensor, ...inputs: { [K in keyof A]: Tensor }) => readonly (Tensor | null)[],
): (...inputs: A) => Tensor {
  type Inputs = { [K in keyof A]: Tensor };
  return (...inputs) => {
    const ts = inputs.map((x) => asTensor(x, "customVjp"));
    if (currentTrace() === null) return f(...(ts as unknown as Inputs));
    const out = f(...(ts as unknown as Inputs));
    if (!isTensor(out)) throw new ValueError("[customVjp] the function must return one tensor.");
    const rule: CustomRule = (ct, result, nodes) => {
      const back = backward(fromNode(ct), fromNode(result), ...(nodes.map(fromNode) as unknown as Inputs));
      if (!Array.isArray(back) || back.length !== nodes.length) {
        throw new ValueError(
          `[customVjp] backward must return an array of ${nodes.length} cotangents (or null), one an input.`,
        );
      }
      return back.map((t: Tensor | null) => (t === null ? null : t.node));
    };
    return fromNode(
      build.custom(
        out.node,
        ts.map((t) => t.node),
        rule,
      ),
    );
  };
}

/**
 * f, computed a second time when its gradient is taken, instead of keeping what it made in between: memory for time (Chen et
 * al. 2016). Any function of trees of tensors; variables it uses get their gradients too.
 *
 * @example
 * const block = checkpoint((a: Tensor) => a.tanh().exp());
 * grad((a: Tensor) => block(a).sum())(tensor([0])).array(); // → [1]
 */
export function checkpoint<A extends readonly unknown[], R>(f: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    const trace = currentTrace();
    if (trace === null || trace.gradients === 0) return f(...args);
    const start = context.nextId;
    const { leaves, def } = flattenTree(f(...args) as Tree<Tensor>, isTensor);
    const outs = leaves.map((t) => t.node);
    const inputs = outerNodes(outs, new Set(), start);
    const again = recomputed(outs, inputs);
    const marked = outs.map((out, i) => {
      const rule: CustomRule = (ct) => {
        const second = again(ct);
        return reverse([second.outs[i]], [ct], second.inputs);
      };
      return inputs.length === 0 ? out : build.custom(out, inputs, rule);
    });
    return def.unflatten(marked.map(fromNode)) as R;
  };
}

/** The graph between `inputs` and `outs` once more, behind barriers, so that it is not merged with the first. */
function recomputed(outs: readonly Node[], inputs: readonly Node[]): (after: Node) => { outs: Node[]; inputs: Node[] } {
  let second: { outs: Node[]; inputs: Node[] } | null = null;
  return (after) => {
    if (second === null) {
      // Not before the cotangent is there.
      const held = inputs.map((n) => build.barrier(n, [after]));
      second = { outs: substitute(outs, new Map(inputs.map((n, i) => [n, held[i]]))), inputs: held };
    }
    return second;
  };
}
