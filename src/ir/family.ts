/**
 * What a primitive carries by itself. Primitives that the methods of Tensor reach have their rows in tables, which every program
 * holds; convolutions, windows and loops bring their own, so that they are in no program that does not use them.
 */
import type { Node } from "./node.ts";
import type { Attrs, PrimName } from "./primitives.ts";

/** A vector-Jacobian product: from the cotangent of a result to those of the sources (null: none). `needs`: which need one. */
export type Row<P extends PrimName> = (n: Node<P>, ct: Node, needs: readonly boolean[]) => readonly (Node | null)[];

/** The row of a primitive with several results: one cotangent (or null) for each. */
export type TupleRow = (
  n: Node<"scan">,
  cts: readonly (Node | null)[],
  needs: readonly boolean[],
) => readonly (Node | null)[];

/** Where a source is read: each of its axes at Σ factor · index, the indices being those of the result, then the inner ones. */
export type Access = readonly (readonly (readonly [factor: number, index: number])[])[];

/** A primitive as loops: over its result, and within them over `inner`, which are reduced. */
export interface Reading {
  readonly inner: readonly number[];
  /** product: sums both sources' products; pick: the second source where the first is largest. */
  readonly how: "product" | "sum" | "max" | "pick";
  /** One for each source, or one that all share. */
  readonly at: readonly Access[];
}

/** What a primitive says about itself. */
export interface Family<P extends PrimName> {
  readonly vjp: P extends "scan" ? TupleRow : Row<P>;
  /** The same value in simpler primitives; null when it is as simple as it gets. */
  readonly lower?: (n: Node<P>) => Node | null;
  /** A node that reads this one in simpler primitives, or null. */
  readonly under?: (user: Node) => Node | null;
  /** A rewrite of the whole lowered graph, once, where there is such a node. */
  readonly pass?: (roots: readonly Node[]) => Node[];
  readonly reads?: (n: Node<P>) => Reading;
  /** Where the windows lie that the last source is written back into; the loops are over that source. */
  readonly writes?: (n: Node<P>) => Reading;
  /** A kernel of its own, for what no loops over the result express (a LoopKernel of schedule, with a Routine). */
  readonly routine?: (n: Node<P>) => object;
}

/** Primitives that carry their rows. */
export type Carried = { readonly [P in PrimName]: Attrs[P] extends { readonly rule: unknown } ? P : never }[PrimName];

/** What a node carries; null for those of the tables. */
export const familyOf = (n: Node): Family<PrimName> | null =>
  (n.attrs as { readonly rule?: Family<PrimName> }).rule ?? null;
