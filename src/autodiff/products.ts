import { flattenTree, isFloat, showShape, ShapeError, sizeOf, type Tree, ValueError } from "../base/index.ts";
import { build, type Node } from "../ir/index.ts";
import {
  asTensor,
  close,
  currentTrace,
  fromNode,
  fromValue,
  record,
  runRecorded,
  Tensor,
  type TensorLike,
  type Trace,
} from "../tensor/index.ts";
import { grad, openArguments } from "./grad.ts";
import { differentiating, traced } from "./loss.ts";
import { reverse } from "./reverse.ts";

const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

/** Cotangents for outputs, checked against their shapes. */
function cotangents(ct: unknown, outs: readonly Node[], key: string): Tensor[] {
  const flat = flattenTree(ct as Tree<Tensor>, isTensor);
  if (flat.leaves.length !== outs.length)
    throw new ValueError(
      `[vjp] the cotangent must have the structure of the result, ${key}: ${outs.length} tensors, got ${flat.leaves.length}.`,
    );
  flat.leaves.forEach((t, i) => {
    if (t.dtype !== outs[i].dtype || showShape(t.shape) !== showShape(outs[i].shape)) {
      throw new ShapeError(
        `[vjp] cotangent ${i} is ${t.dtype} ${showShape(t.shape)}, the result ${outs[i].dtype} ${showShape(outs[i].shape)}.`,
      );
    }
  });
  return flat.leaves;
}

/**
 * The value of f at these arguments and its pullback: from a cotangent of the result (a tensor or the same tree of tensors) to
 * the cotangents of all arguments.
 *
 * @example
 * const [y, pullback] = vjp((x: Tensor) => x.square(), tensor([1, 2]));
 * pullback(tensor([1, 10]));   // [[2, 40]]
 */
export function vjp<A extends readonly unknown[], R>(f: (...args: A) => R, ...args: A): [R, (ct: R) => A] {
  const outer = currentTrace();
  const all = [...args.keys()];
  const run = (
    trace: Trace,
  ): { open: ReturnType<typeof openArguments>; flat: ReturnType<typeof flattenTree<Tensor>> } =>
    differentiating(trace, () => {
      const open = openArguments(args, all, "vjp");
      return { open, flat: flattenTree(f(...(open.opened as unknown as A)) as Tree<Tensor>, isTensor) };
    });
  const pull = (cts: readonly Tensor[], open: { nodes: readonly Node[] }, outs: readonly Node[]): Node[] =>
    reverse(
      outs,
      cts.map((t) => t.node),
      open.nodes,
    ).map((g, i) => g ?? build.full(open.nodes[i].shape, 0, open.nodes[i].dtype));
  if (outer !== null) {
    const { open, flat } = run(outer);
    const outs = flat.leaves.map((t) => t.node);
    return [
      flat.def.unflatten(flat.leaves) as R,
      (ct) => open.rebuild(pull(cotangents(ct, outs, flat.def.key), open, outs).map(fromNode)) as unknown as A,
    ];
  }
  const { trace, result } = record(run);
  const outs = result.flat.leaves.map((t) => t.node);
  const values = runRecorded(close(trace, outs)).map((v, i) => fromValue(v, outs[i].dtype));
  const pullback = (ct: R): A => {
    const cts = cotangents(ct, outs, result.flat.def.key);
    // The recorded graph goes on: what the forward pass made is computed anew with the gradient.
    const { trace: more, result: grads } = record((t) => {
      for (const [leaf, source] of trace.captured) t.captured.set(leaf, source);
      return pull(cts, result.open, outs);
    });
    return result.open.rebuild(
      runRecorded(close(more, grads)).map((v, i) => fromValue(v, grads[i].dtype)),
    ) as unknown as A;
  };
  return [result.flat.def.unflatten(values) as R, pullback];
}

/**
 * All first derivatives of f at x: a function from x to the Jacobian, result shape + argument shape. One reverse pass for each
 * element of the result, in one program: for small results.
 *
 * @example jacobian((x: Tensor) => x.square())(tensor([1, 2])).array(); // → [[2, 0], [0, 4]]
 */
export function jacobian(f: (x: Tensor) => Tensor): (x: TensorLike) => Tensor {
  return (x) =>
    traced(() => {
      const { nodes, opened } = openArguments([asTensor(x, "jacobian")], [0], "jacobian");
      const y = f(opened[0] as Tensor);
      if (!(y instanceof Tensor) || !isFloat(y.dtype))
        throw new ValueError("[jacobian] the function must return one float tensor.");
      const [out, at] = [y.node, nodes[0]];
      const count = sizeOf(out.shape);
      const rows = Array.from({ length: count }, (_, i) => {
        const unit = build.compare("eq", build.iota([count], 0), build.full([count], i, "int32"));
        const ct = build.reshape(build.cast(unit, out.dtype), out.shape);
        const g = reverse([out], [ct], [at])[0] ?? build.full(at.shape, 0, at.dtype);
        return build.reshape(g, [1, sizeOf(at.shape)]);
      });
      if (count === 0) return [build.full([...out.shape, ...at.shape], 0, at.dtype)];
      return [build.reshape(build.concat(rows, 0), [...out.shape, ...at.shape])];
    })[0];
}

/**
 * All second derivatives of a scalar function at x: argument shape twice.
 *
 * @example hessian((x: Tensor) => x.pow(3).sum())(tensor([1, 2])).array(); // → [[6, 0], [0, 12]]
 */
export const hessian = (f: (x: Tensor) => Tensor): ((x: TensorLike) => Tensor) => jacobian((x) => grad(f)(x));
