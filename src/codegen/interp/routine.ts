import { ChainruleError, sizeOf, type TypedArray } from "../../base/index.ts";
import type { Node } from "../../ir/index.ts";

type Reference = (n: Node<"routine">, srcs: readonly TypedArray[], out: TypedArray) => void;

/** NaN last. */
const compare = (a: number, b: number): number =>
  Number.isNaN(a) || Number.isNaN(b) ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) : a < b ? -1 : a > b ? 1 : 0;

const ROUTINES: Readonly<Record<string, Reference>> = {
  argsort(n, [x], out) {
    const [descending] = n.attrs.params;
    const size = n.shape[n.shape.length - 1];
    for (let row = 0; row < sizeOf(n.shape.slice(0, -1)); row++) {
      const value = (i: number): number => x[row * size + i];
      const order = Array.from({ length: size }, (_, i) => i).sort((i, k) =>
        descending === 1 ? compare(value(k), value(i)) : compare(value(i), value(k)),
      );
      out.set(order, row * size);
    }
  },
};

/** What routines compute, as plainly as can be. Factorisations are not unique: their tests put them together again instead. */
export const routine: Reference = (n, srcs, out) => {
  const reference = ROUTINES[n.attrs.name];
  if (reference === undefined)
    throw new ChainruleError(`[interpret] has no reference for the routine ${n.attrs.name}.`);
  reference(n, srcs, out);
};
