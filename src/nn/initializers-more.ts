/** Initializers of matrices as wholes. They are passed as functions: `dense(8, { kernelInitializer: orthogonal() })`. */
import { sizeOf, ShapeError, showShape, ValueError } from "../base/index.ts";
import { type Initializer, make, type Seeded } from "./initializers.ts";
import { sampleNormal } from "./sampling.ts";

/** [rows, columns] of a shape whose last axis are the columns. */
function matrixOf(name: string, shape: readonly number[]): [rows: number, columns: number] {
  if (shape.length < 2) throw new ShapeError(`[${name}] fills matrices and kernels, got ${showShape(shape)}.`);
  return [sizeOf(shape.slice(0, -1)), shape[shape.length - 1]];
}

/** The columns of q [n, k] made orthonormal in place by Gram and Schmidt, each twice: once is not enough for close columns. */
function orthonormalise(q: Float64Array, n: number, k: number): void {
  const project = (j: number, i: number): void => {
    let dot = 0;
    for (let r = 0; r < n; r++) dot += q[r * k + j] * q[r * k + i];
    for (let r = 0; r < n; r++) q[r * k + j] -= dot * q[r * k + i];
  };
  for (let j = 0; j < k; j++) {
    for (let pass = 0; pass < 2; pass++) for (let i = 0; i < j; i++) project(j, i);
    let square = 0;
    for (let r = 0; r < n; r++) square += q[r * k + j] ** 2;
    for (let r = 0; r < n; r++) q[r * k + j] /= Math.sqrt(square);
  }
}

/**
 * A random matrix with orthonormal columns, or rows where there are fewer, times `gain`; kernels count as [window · in, out] (Keras:
 * Orthogonal; Saxe et al. 2014). Uniform over such matrices, since a normal matrix is made orthonormal.
 *
 * @example dense(8, { kernelInitializer: orthogonal() });
 */
export const orthogonal = (options: Seeded & { readonly gain?: number } = {}): Initializer =>
  make("orthogonal", options, (shape, dtype, key) => {
    const [rows, columns] = matrixOf("orthogonal", shape);
    const [n, k] = [Math.max(rows, columns), Math.min(rows, columns)];
    const q = sampleNormal(key(), [n, k], "float64", 0, 1) as Float64Array;
    orthonormalise(q, n, k);
    const { gain = 1 } = options;
    const out = dtype === "float64" ? new Float64Array(rows * columns) : new Float32Array(rows * columns);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) out[r * columns + c] = gain * (rows >= columns ? q[r * k + c] : q[c * k + r]);
    return out;
  });

/**
 * `gain` on the diagonal of a matrix, 0 elsewhere (Keras: Identity). Throws ShapeError for anything but a matrix.
 *
 * @example dense(8, { kernelInitializer: identity() });
 */
export const identity = (options: { readonly gain?: number } = {}): Initializer =>
  make("identity", options, (shape, dtype) => {
    const [rows, columns] = matrixOf("identity", shape);
    if (shape.length !== 2) throw new ShapeError(`[identity] fills matrices, got ${showShape(shape)}.`);
    const { gain = 1 } = options;
    if (!Number.isFinite(gain)) throw new ValueError(`[identity] gain must be a number, got ${gain}.`);
    const out = dtype === "float64" ? new Float64Array(rows * columns) : new Float32Array(rows * columns);
    for (let i = 0; i < Math.min(rows, columns); i++) out[i * columns + i] = gain;
    return out;
  });
