import { sizeOf } from "../base/index.ts";
import { routineKernel } from "../arrays/routine.ts";
import type { Asm, Val } from "../codegen/index.ts";
import { build, type Family, type Node } from "../ir/index.ts";
import { apply, type Tensor } from "../tensor/index.ts";
import { Pen } from "./pen.ts";

/** One factorisation or solution, over the matrices in the last two axes of float64 sources. */
export interface MatrixRoutine {
  readonly name: string;
  /** Shape of the result of one part, from those of the parts of the sources. */
  readonly result: (shapes: readonly (readonly number[])[], params: readonly number[]) => readonly number[];
  readonly flops: (shapes: readonly (readonly number[])[]) => number;
  /** Doubles of working memory. */
  readonly scratch: (shapes: readonly (readonly number[])[]) => number;
  readonly write: (
    pen: Pen,
    srcs: readonly Val[],
    into: Val,
    room: Val,
    shapes: readonly (readonly number[])[],
    params: readonly number[],
  ) => void;
}

/** On tensors [...batch, r, c] of float64 with equal batches: [...batch, ...result]. */
export type MatrixOp = (xs: readonly Tensor[], params?: readonly number[]) => Tensor;

/** The operation of a routine. */
export function matrixRoutine(r: MatrixRoutine): MatrixOp {
  const parts = (n: Node): (readonly number[])[] => n.srcs.map((s) => s.shape.slice(-2));
  const rule: Family<"routine"> = {
    // Derivatives stand around routines: see derivative rules of each function.
    vjp: (n) => n.srcs.map(() => null),
    routine(n) {
      const shapes = parts(n);
      const { params } = n.attrs;
      return routineKernel(n, {
        key: `${r.name} ${params.join()}`,
        parts: sizeOf(n.srcs[0].shape.slice(0, -2)),
        flops: r.flops(shapes),
        scratch: 8 * r.scratch(shapes),
        emit: (asm: Asm, srcs, into, room) => r.write(new Pen(asm), srcs, into, room, shapes, params),
      });
    },
  };
  return (xs, params = []) =>
    apply(xs, (...nodes) => {
      const shapes = nodes.map((n) => n.shape.slice(-2));
      const shape = [...nodes[0].shape.slice(0, -2), ...r.result(shapes, params)];
      return build.routine(nodes, { name: r.name, params }, shape, "float64", rule);
    });
}
