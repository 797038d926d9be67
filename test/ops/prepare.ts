import type { DType, TypedArray } from "../../src/base/index.ts";
import { build as b, type Node } from "../../src/ir/index.ts";
import { anyValue, randomArray, type Rng } from "../support/random.ts";
import { drawOf, dtypesOf, type OpCase, type OpRow, VIEWS } from "./row.ts";

export interface Prepared {
  readonly out: Node;
  readonly operands: readonly Node[];
  readonly leaves: Map<Node, TypedArray>;
}

/** The case with leaves of random data, every operand made through the view; null where the view does not apply. */
export function prepare(row: OpRow, c: OpCase, dtype: DType, view: string, rng: Rng): Prepared | null {
  const leaves = new Map<Node, TypedArray>();
  const dtypes = dtypesOf(row, dtype, c.shapes.length);
  const operands: Node[] = [];
  for (const [i, shape] of c.shapes.entries()) {
    const way = VIEWS[view](shape, dtypes[i], rng);
    if (way === null) return null;
    const leaf = b.leaf(way.leaf, dtypes[i]);
    leaves.set(leaf, randomArray(rng, way.leaf, dtypes[i], drawOf(row, i) ?? anyValue));
    operands.push(way.make(leaf));
  }
  return { out: c.make(...operands), operands, leaves };
}
