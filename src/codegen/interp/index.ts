/**
 * interp: runs any graph slowly and obviously: the oracle that every backend is compared with, in float64, and an
 * engine of last resort in the graph's own dtypes.
 *
 * It is not: fast, fused, planned or clever. One array a node, one loop nest a primitive, every primitive as
 * ir/primitives.ts documents it.
 */
export { interpret } from "./interpret.ts";
