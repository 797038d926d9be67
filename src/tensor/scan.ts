import { flattenTree, ShapeError, showShape, type Tree, ValueError } from "../base/index.ts";
import type { Node } from "../ir/index.ts";
import { fromNode, traced } from "./apply.ts";
import { asTensor, isTensorLeaf, type Loose, type TensorLike } from "./convert.ts";
import { recordLoop } from "./loop.ts";
import type { Tensor } from "./tensor.ts";

export interface ScanOptions {
  /** From the last slice to the first; the results still stand at their slices' places. Default: false. */
  readonly reverse?: boolean;
  /** Number of iterations; needed when xs is null. Default: the first axis of xs. */
  readonly length?: number;
}

/** A tree with tensors for its leaves. */
type Leaves<T> = T extends TensorLike ? Tensor : T extends null | undefined ? T : { [K in keyof T]: Leaves<T[K]> };

/**
 * A loop over the first axis of `xs`: fn(carry, x) → [carry, y]; returns [the last carry, all y stacked]. Recorded once and run
 * as one loop, also backwards for gradients. `init`, `xs` and y are trees of tensors (null for none); a carry keeps its shape
 * and dtype; whatever else fn uses is constant over the loop. Random numbers differ from iteration to iteration.
 *
 * Throws ShapeError when a carry changes or the slices differ in number.
 *
 * @example
 * const [last, sums] = scan((total: Tensor, x: Tensor) => [total.add(x), total.add(x)], 0, tensor([1, 2, 3]));   // 6, [1, 3, 6]
 */
export function scan<C, X, Y>(
  fn: (carry: C, x: X) => readonly [unknown, Y],
  init: Loose<C>,
  xs: Loose<X>,
  options: ScanOptions = {},
): [C, Leaves<Y>] {
  const start = flattenTree(init as Tree<TensorLike>, isTensorLeaf);
  const over = flattenTree(xs as Tree<TensorLike>, isTensorLeaf);
  const carries = start.leaves.map((x) => asTensor(x, "scan"));
  const slices = over.leaves.map((x) => asTensor(x, "scan"));
  const length = options.length ?? slices[0]?.shape[0];
  if (length === undefined || !Number.isInteger(length) || length < 0) {
    throw new ValueError("[scan] needs xs with a first axis to loop over, or { length } when xs is null.");
  }
  slices.forEach((x, i) => {
    if (x.shape[0] !== length) {
      throw new ShapeError(
        `[scan] xs${over.def.paths[i] === "" ? "" : `.${over.def.paths[i]}`} ${showShape(x.shape)} has ${x.shape[0] ?? "no"} slices, expected ${length}.`,
      );
    }
  });
  let finish: (ys: readonly Tensor[]) => unknown = () => undefined;
  const out = traced((trace) => {
    const nodes = (ts: readonly Tensor[]): Node[] => ts.map((t) => t.node);
    const spec = { carries: nodes(carries), xs: nodes(slices), length, reverse: options.reverse ?? false };
    const loop = recordLoop(trace, spec, (cs, ss) => {
      const result = fn(start.def.unflatten(cs.map(fromNode)) as C, over.def.unflatten(ss.map(fromNode)) as X);
      if (!Array.isArray(result) || result.length !== 2) {
        throw new ValueError("[scan] the body must return [carry, y] (y may be null).");
      }
      const next = flattenTree(result[0] as Tree<TensorLike>, isTensorLeaf);
      if (next.def.key !== start.def.key) {
        throw new ValueError(
          `[scan] the carry starts as ${start.def.key} and comes out of the body as ${next.def.key}: its structure must stay.`,
        );
      }
      const ys = flattenTree(result[1] as Tree<TensorLike>, isTensorLeaf);
      finish = (ts) => ys.def.unflatten(ts);
      // A bare number in the carry follows what it started as.
      const after = next.leaves.map((x, i) => asTensor(x, "scan", carries[i].dtype));
      return { carries: nodes(after), ys: nodes(ys.leaves.map((x) => asTensor(x, "scan"))) };
    });
    return [...loop.carries, ...loop.ys];
  });
  return [start.def.unflatten(out.slice(0, carries.length)) as C, finish(out.slice(carries.length)) as Leaves<Y>];
}
