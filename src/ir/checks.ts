/** Rules about operands that several builders share. */
import { ChainruleError, DTypeError, sameShape } from "../base/index.ts";
import type { Node } from "./node.ts";

/** Throws at a malformed node, which a rewrite or derivative of ours has made: users get their answer from Tensor's functions. */
export function sound(op: string, holds: boolean): void {
  if (!holds) throw new ChainruleError(`[${op}] sources do not fit. This is a fault of Chainrule; please report it.`);
}

/** Throws unless both have one shape and dtype. */
export const agree = (op: string, a: Node, b: Node): void =>
  sound(op, sameShape(a.shape, b.shape) && a.dtype === b.dtype);

/** Throws unless both have one dtype, and one that products are taken in. */
export const floatPair = (op: string, a: Node, b: Node): void => {
  sound(op, a.dtype === b.dtype);
  if (a.dtype === "bool" || a.dtype === "uint8") throw new DTypeError(`[${op}] does not take ${a.dtype}: cast first.`);
};
