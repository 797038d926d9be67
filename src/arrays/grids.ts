/** Grids, spaced numbers and diagonals. */
import { axisOf, ShapeError, showShape, ValueError } from "../base/index.ts";
import { build } from "../ir/index.ts";
import {
  apply,
  asTensor,
  type DTypeOption,
  fromHost,
  linspace,
  type Tensor,
  type TensorLike,
} from "../tensor/index.ts";

/** Options of `meshgrid`. */
export interface MeshgridOptions {
  /** "xy": the first vector runs along axis 1, the second along axis 0, as plots have it; "ij": in order. Default: "xy". */
  readonly indexing?: "xy" | "ij";
}

/**
 * The coordinates of all points of a grid: one tensor a vector, all of one shape (numpy.meshgrid).
 *
 * @example
 * const [x, y] = meshgrid([[0, 1, 2], [0, 1]]); // both [2, 3]
 */
export function meshgrid(vectors: readonly TensorLike[], options: MeshgridOptions = {}): Tensor[] {
  const ts = vectors.map((v) => asTensor(v, "meshgrid"));
  const bad = ts.find((t) => t.rank !== 1);
  if (bad !== undefined)
    throw new ShapeError(`[meshgrid] takes vectors, got ${showShape(bad.shape)}: flatten() it first.`);
  const swap = options.indexing !== "ij" && ts.length > 1;
  const axes = ts.map((_, i) => (swap && i < 2 ? 1 - i : i));
  const shape = axes.map((_, a) => ts[axes.indexOf(a)].shape[0]);
  return ts.map((t, i) =>
    apply([t], (v) =>
      build.expand(
        build.reshape(
          v,
          shape.map((d, a) => (a === axes[i] ? d : 1)),
        ),
        shape,
      ),
    ),
  );
}

/** Options of `logspace`. */
export interface LogspaceOptions extends DTypeOption {
  /** Default: 10. */
  readonly base?: number;
}

/**
 * `count` numbers from base^start to base^stop, evenly spaced in the exponent. Default count: 50; float32.
 *
 * @example
 * logspace(-3, 0, 4); // [0.001, 0.01, 0.1, 1]
 */
export function logspace(start: number, stop: number, count = 50, options: LogspaceOptions = {}): Tensor {
  if (!Number.isInteger(count) || count < 0)
    throw new ValueError(`[logspace] count must be a whole number ≥ 0, got ${count}.`);
  const { base = 10, dtype = "float32" } = options;
  const exponents = linspace(start, stop, count, { dtype: "float64" }).dataSync();
  return fromHost(
    Float64Array.from(exponents, (e) => base ** e),
    [count],
    "float64",
  ).cast(dtype);
}

/**
 * The k-th diagonals of the matrices in two axes (above the main one for k > 0), as a last axis (numpy.diagonal). Default axes:
 * the last two.
 *
 * @example diagonal([[1, 2], [3, 4]]).array(); // → [1, 4]
 */
export function diagonal(x: TensorLike, k = 0, axes: readonly [number, number] = [-2, -1]): Tensor {
  const t = asTensor(x, "diagonal");
  if (t.rank < 2) throw new ShapeError(`[diagonal] takes matrices, got ${showShape(t.shape)}.`);
  const [r, c] = axes.map((a) => axisOf(a, t.rank, "diagonal"));
  if (r === c) throw new ValueError(`[diagonal] needs two different axes, got [${axes.join(", ")}].`);
  const front = [...t.shape.keys()].filter((a) => a !== r && a !== c);
  const [top, left] = [Math.max(0, -k), Math.max(0, k)];
  const size = Math.max(0, Math.min(t.shape[r] - top, t.shape[c] - left));
  return apply([t], (p) => {
    const lead = front.map((a) => p.shape[a]);
    const zeros = lead.map(() => 0);
    const matrices = build.permute(p, [...front, r, c]);
    const square = build.slice(
      matrices,
      [...zeros, top, left].map((s) => (size === 0 ? 0 : s)),
      [...lead, top + size, left + size].map((s, i) => (size === 0 && i >= lead.length ? 0 : s)),
    );
    const flat = build.reshape(square, [...lead, size * size]);
    if (size === 0) return flat;
    return build.slice(flat, [...zeros, 0], [...lead, size * size], [...lead.map(() => 1), size + 1]);
  });
}
