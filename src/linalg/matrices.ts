import { broadcastShapes, type DType, isFloat, ShapeError, showShape, ValueError } from "../base/index.ts";
import { asTensor, broadcastTo, currentTrace, slice, swapaxes, type Tensor, type TensorLike } from "../tensor/index.ts";

/** An operand in float64, and the dtype that results come back in. */
export interface Operand {
  readonly t: Tensor;
  readonly dtype: DType;
}

/** Matrices in the last two axes; whole numbers count as float32. Everything inside is float64. */
export function matrices(x: TensorLike, op: string, square = false): Operand {
  const t = asTensor(x, op);
  if (t.rank < 2) {
    throw new ShapeError(`[${op}] takes matrices, got a tensor of rank ${t.rank}: ${showShape(t.shape)}.`);
  }
  const [m, n] = t.shape.slice(-2);
  if (square && m !== n) {
    throw new ShapeError(`[${op}] takes square matrices, got ${showShape(t.shape)}: the last two axes must be equal.`);
  }
  return { t: t.cast("float64"), dtype: isFloat(t.dtype) ? t.dtype : "float32" };
}

/** The transpose of each matrix. */
export const transposed = (x: Tensor): Tensor => swapaxes(x, -1, -2);

/** (A + Aᵀ) / 2. */
export const symmetric = (x: Tensor): Tensor => x.add(transposed(x)).mul(0.5);

/** Rows from..to and columns left..right of each matrix. */
export const block = (x: Tensor, rows: readonly [number, number], columns: readonly [number, number]): Tensor =>
  slice(x, "...", rows, columns);

/** Operands with one batch. */
export function together(op: string, a: Tensor, b: Tensor): [Tensor, Tensor] {
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), op);
  const wide = (t: Tensor): Tensor => broadcastTo(t, [...batch, ...t.shape.slice(-2)]);
  return [wide(a), wide(b)];
}

/**
 * Throws when a value that came out at once is not finite although its operands are: inside `compiled` and gradients, where
 * nothing can be looked at, it stays Infinity or NaN.
 */
export function checked(out: Tensor, operands: readonly Tensor[], message: string): Tensor {
  if (currentTrace() !== null) return out;
  const finite = (t: Tensor): boolean => t.dataSync().every((v) => Number.isFinite(v));
  if (!finite(out) && operands.every(finite)) throw new ValueError(message);
  return out;
}
