/** Rules about operands that several builders share. */
import { DTypeError, sameShape, ShapeError, showShape } from "../base/index.ts";
import type { Node } from "./node.ts";

/** Throws unless both have one shape and dtype. */
export function agree(op: string, a: Node, b: Node): void {
  if (!sameShape(a.shape, b.shape)) {
    throw new ShapeError(`[${op}] both operands need one shape, got ${showShape(a.shape)} and ${showShape(b.shape)}.`);
  }
  if (a.dtype !== b.dtype) {
    throw new DTypeError(`[${op}] both operands need one dtype, got ${a.dtype} and ${b.dtype}: cast one of them.`);
  }
}

/** Throws unless both have one dtype, and one that products are taken in. */
export const floatPair = (op: string, a: Node, b: Node): void => {
  if (a.dtype !== b.dtype) throw new DTypeError(`[${op}] both operands need one dtype, got ${a.dtype} and ${b.dtype}.`);
  if (a.dtype === "bool" || a.dtype === "uint8") throw new DTypeError(`[${op}] does not take ${a.dtype}: cast first.`);
};
