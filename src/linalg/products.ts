/** Products of vectors and matrices, covariance. */
import { axisOf, isFloat, ShapeError, showShape, ValueError } from "../base/index.ts";
import { fused } from "../arrays/fused.ts";
import { diagonal } from "../arrays/index.ts";
import {
  asTensor,
  expandDims,
  matmul,
  moveaxis,
  reshape,
  slice,
  stack,
  type Tensor,
  type TensorLike,
} from "../tensor/index.ts";

/**
 * The Kronecker product: every element of a times the whole of b (numpy.kron).
 *
 * @example kron([[1, 2]], [[1], [1]]).array(); // → [[1, 2], [1, 2]]
 */
export function kron(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = [asTensor(a, "kron"), asTensor(b, "kron")];
  const rank = Math.max(x.rank, y.rank);
  const padded = (t: Tensor): number[] => [...new Array<number>(rank - t.rank).fill(1), ...t.shape];
  const [p, q] = [padded(x), padded(y)];
  return fused(() => {
    const left = reshape(
      x,
      p.flatMap((d) => [d, 1]),
    );
    const right = reshape(
      y,
      q.flatMap((d) => [1, d]),
    );
    return reshape(
      left.mul(right),
      p.map((d, i) => d * q[i]),
    );
  });
}

/**
 * The cross product of vectors of 3 along an axis; the other axes broadcast (numpy.cross). Default axis: the last.
 *
 * @example cross([1, 0, 0], [0, 1, 0]).array(); // → [0, 0, 1]
 */
export function cross(a: TensorLike, b: TensorLike, axis = -1): Tensor {
  const ts = [asTensor(a, "cross"), asTensor(b, "cross")];
  for (const t of ts) {
    if (t.rank === 0 || t.shape[axisOf(axis, t.rank, "cross")] !== 3)
      throw new ShapeError(`[cross] takes vectors of 3 along axis ${axis}, got ${showShape(t.shape)}.`);
  }
  return fused(() => {
    const [x, y] = ts.map((t) => moveaxis(t, axis, -1));
    const at = (t: Tensor, i: number): Tensor => slice(t, "...", i % 3);
    const parts = [0, 1, 2].map((i) =>
      at(x, i + 1)
        .mul(at(y, i + 2))
        .sub(at(x, i + 2).mul(at(y, i + 1))),
    );
    return stack(parts, axis);
  });
}

/** Options of `cov` and `corrcoef`. */
export interface CovOptions {
  /** Rows are variables, columns observations; false: the other way round. Default: true. */
  readonly rowvar?: boolean;
  /** The divisor is the number of observations less this. Default: 1. */
  readonly ddof?: number;
}

/**
 * The covariance matrix of the rows (numpy.cov); of a vector its variance.
 *
 * @example
 * linalg.cov([[1, 2], [2, 4], [3, 6]], { rowvar: false }).array(); // → [[1, 2], [2, 4]]
 */
export function cov(x: TensorLike, options: CovOptions = {}): Tensor {
  const t = asTensor(x, "cov");
  if (t.rank === 0 || t.rank > 2) throw new ShapeError(`[cov] takes a vector or a matrix, got ${showShape(t.shape)}.`);
  return fused(() => {
    const floats = isFloat(t.dtype) ? t : t.cast("float32");
    const rows = t.rank === 1 ? expandDims(floats, 0) : options.rowvar === false ? floats.T : floats;
    const centred = rows.sub(rows.mean(1, { keepdims: true }));
    const out = matmul(centred, centred.T).div(rows.shape[1] - (options.ddof ?? 1));
    return t.rank === 1 ? reshape(out, []) : out;
  });
}

/**
 * The correlation matrix of the rows: covariances over both standard deviations (numpy.corrcoef).
 *
 * @example corrcoef([[1, 2, 3], [3, 2, 1]]).array(); // → [[1, -1], [-1, 1]]
 */
export function corrcoef(x: TensorLike, options: Pick<CovOptions, "rowvar"> = {}): Tensor {
  const t = asTensor(x, "corrcoef");
  if (t.rank !== 2) throw new ShapeError(`[corrcoef] takes a matrix, got ${showShape(t.shape)}.`);
  return fused(() => {
    const c = cov(t, options);
    const d = diagonal(c).sqrt();
    return c.div(expandDims(d, 1)).div(expandDims(d, 0)).clip(-1, 1);
  });
}

/**
 * The product of several matrices in the order that needs the fewest multiplications (numpy.linalg.multi_dot).
 *
 * @example multiDot([[[1, 2]], [[1], [1]], [[5]]]).array(); // → [[15]]
 */
export function multiDot(xs: readonly TensorLike[]): Tensor {
  const ts = xs.map((x) => asTensor(x, "multiDot"));
  if (ts.length === 0) throw new ValueError("[multiDot] needs at least one matrix.");
  ts.forEach((t, i) => {
    if (t.rank !== 2 || (i > 0 && ts[i - 1].shape[1] !== t.shape[0]))
      throw new ShapeError(
        `[multiDot] cannot multiply matrices ${ts.map((u) => showShape(u.shape)).join(" ")} in a row.`,
      );
  });
  const sizes = [ts[0].shape[0], ...ts.map((t) => t.shape[1])];
  const memo = new Map<string, { cost: number; make: () => Tensor }>();
  const best = (i: number, k: number): { cost: number; make: () => Tensor } => {
    if (i === k) return { cost: 0, make: () => ts[i] };
    const key = `${i} ${k}`;
    let found = memo.get(key);
    if (found === undefined) {
      for (let cut = i; cut < k; cut++) {
        const [l, r] = [best(i, cut), best(cut + 1, k)];
        const cost = l.cost + r.cost + sizes[i] * sizes[cut + 1] * sizes[k + 1];
        if (found === undefined || cost < found.cost) found = { cost, make: () => matmul(l.make(), r.make()) };
      }
      memo.set(key, found as { cost: number; make: () => Tensor });
    }
    return found as { cost: number; make: () => Tensor };
  };
  return fused(best(0, ts.length - 1).make);
}
