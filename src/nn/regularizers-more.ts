/** The penalty that looks at rows together. */
import { ShapeError, showShape, ValueError } from "../base/index.ts";
import { abs, add, div, eye, matmul, mul, sqrt, square, sub, sum, type Tensor, transpose } from "../tensor/index.ts";
import type { Regularizer } from "./regularizers.ts";

/**
 * factor · Σ over pairs of different rows of |cosine between them| / number of pairs; `mode: "columns"` for columns (Keras:
 * OrthogonalRegularizer, factor 0.01).
 *
 * @throws ShapeError for anything but a matrix.
 * @example dense(8, { kernelRegularizer: orthogonalRegularizer() });
 */
export function orthogonalRegularizer(
  options: { readonly factor?: number; readonly mode?: "rows" | "columns" } = {},
): Regularizer {
  const { factor = 0.01, mode = "rows" } = options;
  if (!(factor >= 0)) throw new ValueError(`[orthogonalRegularizer] factor must be ≥ 0, got ${factor}.`);
  const penalty = (w: Tensor): Tensor => {
    if (w.rank !== 2) throw new ShapeError(`[orthogonalRegularizer] looks at matrices, got ${showShape(w.shape)}.`);
    const rows = mode === "rows" ? w : transpose(w);
    const unit = div(rows, sqrt(add(sum(square(rows), 1, { keepdims: true }), 1e-24)));
    const n = rows.shape[0];
    const others = sub(1, eye(n, n, 0, { dtype: w.dtype }));
    const cosines = abs(mul(matmul(unit, transpose(unit)), others));
    return mul(sum(cosines), factor / Math.max(1, n * (n - 1)));
  };
  return Object.assign(penalty, { config: { name: "orthogonal", factor, mode } });
}
