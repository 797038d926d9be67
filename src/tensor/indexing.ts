import { axisOf, sameShape, ShapeError, showShape, ValueError } from "../base/index.ts";
import { build, type Node } from "../ir/index.ts";
import { apply } from "./apply.ts";
import { asIndices, asTensor, constant, type TensorLike } from "./convert.ts";
import * as n from "./nodes.ts";
import { Tensor } from "./tensor.ts";

/** Throws for indices given as plain numbers that lie outside 0..size-1 (negative ones count from the end). */
function checkKnown(indices: TensorLike, size: number, op: string): void {
  if (indices instanceof Tensor) return;
  const flat =
    typeof indices === "number" ? [indices] : Array.isArray(indices) ? (indices as unknown[]).flat(Infinity) : indices;
  for (const i of flat as Iterable<number>) {
    if (i < -size || i >= size)
      throw new ValueError(`[${op}] index ${i} is outside an axis of size ${size}: use ${-size}..${size - 1}.`);
  }
}

/** Negative indices as counted from the end. */
const wrap = (i: Node, size: number): Node =>
  build.where(build.compare("lt", i, n.like(i, 0)), n.add(i, n.like(i, size)), i);

/**
 * The sub-tensors of x at `indices` along an axis: x.shape[:axis] + indices.shape + x.shape[axis+1:] (numpy.take).
 * Default axis: 0. Negative indices count from the end. Indices given as numbers are checked; those in a tensor are clamped
 * to the axis.
 *
 * @example
 * gather([[0, 1], [2, 3], [4, 5]], [2, 0, 2]).array(); // → [[4, 5], [0, 1], [4, 5]]
 */
export function gather(x: TensorLike, indices: TensorLike, axis = 0): Tensor {
  const t = asTensor(x, "gather");
  const a = axisOf(axis, t.rank, "gather");
  checkKnown(indices, t.shape[a], "gather");
  const i = asIndices(indices, "gather");
  return apply([t, i], (p, q) => build.gather(p, wrap(q, t.shape[a]), a));
}
/**
 * NumPy's name for `gather`.
 *
 * @example take([5, 6, 7], [2, 0]).array(); // → [7, 5]
 */
export const take = (x: TensorLike, indices: TensorLike, axis = 0): Tensor => gather(x, indices, axis);

/**
 * One element per place of `indices`, which has x's rank and agrees with it (or is 1) on all axes but `axis`, as
 * numpy.take_along_axis. Default axis: the last.
 *
 * @example takeAlongAxis([[3, 1], [5, 9]], [[0], [1]], 1).array(); // → [[3], [9]]
 */
export function takeAlongAxis(x: TensorLike, indices: TensorLike, axis = -1): Tensor {
  const t = asTensor(x, "takeAlongAxis");
  const a = axisOf(axis, t.rank, "takeAlongAxis");
  checkKnown(indices, t.shape[a], "takeAlongAxis");
  const i = asIndices(indices, "takeAlongAxis");
  if (i.rank !== t.rank || i.shape.some((d, k) => k !== a && d !== t.shape[k] && d !== 1)) {
    throw new ShapeError(
      `[takeAlongAxis] indices ${showShape(i.shape)} must have the rank of x ${showShape(t.shape)} and agree with it on every axis but ${a}.`,
    );
  }
  return apply([t, i], (p, q) => {
    // Rows of x flattened: element (row, index) is at row * size + index.
    const size = p.shape[a];
    const front = [...p.shape.keys()].filter((k) => k !== a);
    const rows = front.map((k) => p.shape[k]);
    const count = rows.reduce((s, d) => s * d, 1);
    const m = q.shape[a];
    const table = build.reshape(build.permute(p, [...front, a]), [count * size]);
    const full = build.expand(
      q,
      p.shape.map((d, k) => (k === a ? m : d)),
    );
    const idx = build.reshape(build.permute(wrap(full, size), [...front, a]), [count, m]);
    const flat = n.add(n.mul(build.iota([count, m], 0), n.like(idx, size)), idx);
    const back = [...p.shape.keys()].map((k) => (k === a ? front.length : front.indexOf(k)));
    return build.permute(build.reshape(build.gather(table, flat, 0), [...rows, m]), back);
  });
}

/**
 * x[i, j, …] for index tuples in the last axis of `indices` [...S, k] → [...S, ...x.shape[k:]] (gather_nd).
 *
 * @example gatherND([[1, 2], [3, 4]], [[0, 1], [1, 0]]).array(); // → [2, 3]
 */
export function gatherND(x: TensorLike, indices: TensorLike): Tensor {
  const t = asTensor(x, "gatherND");
  const i = asIndices(indices, "gatherND");
  const k = i.shape.at(-1) ?? 0;
  if (i.rank < 1 || k < 1 || k > t.rank) {
    throw new ShapeError(
      `[gatherND] the last axis of indices ${showShape(i.shape)} must hold 1..${t.rank} indices into x ${showShape(t.shape)}.`,
    );
  }
  return apply([t, i], (p, q) => {
    const lead = q.shape.slice(0, -1);
    let flat: Node | null = null;
    for (let axis = 0; axis < k; axis++) {
      const start = q.shape.map(() => 0);
      const stop = [...q.shape];
      start[q.shape.length - 1] = axis;
      stop[q.shape.length - 1] = axis + 1;
      const part = wrap(build.reshape(build.slice(q, start, stop), lead), p.shape[axis]);
      flat = flat === null ? part : n.add(n.mul(flat, n.like(flat, p.shape[axis])), part);
    }
    const rest = p.shape.slice(k);
    const table = build.reshape(p, [p.shape.slice(0, k).reduce((s, d) => s * d, 1), ...rest]);
    return build.gather(table, flat as Node, 0);
  });
}

/**
 * x with `updates` added at `indices` along an axis: the transpose of `gather`. `updates` has the shape that
 * gather(x, indices, axis) has; repeated indices add up. Default axis: 0.
 *
 * @example scatterAdd([0, 0, 0], [0, 2, 2], [1, 2, 3]).array(); // → [1, 0, 5]
 */
export function scatterAdd(x: TensorLike, indices: TensorLike, updates: TensorLike, axis = 0): Tensor {
  const t = asTensor(x, "scatterAdd");
  const a = axisOf(axis, t.rank, "scatterAdd");
  checkKnown(indices, t.shape[a], "scatterAdd");
  const i = asIndices(indices, "scatterAdd");
  const u = typeof updates === "number" ? constant(updates, t.dtype) : asTensor(updates, "scatterAdd", t.dtype);
  const want = [...t.shape.slice(0, a), ...i.shape, ...t.shape.slice(a + 1)];
  if (!sameShape(u.shape, want) && u.size !== 1) {
    throw new ShapeError(
      `[scatterAdd] updates ${showShape(u.shape)} must be ${showShape(want)}: x ${showShape(t.shape)} with axis ${a} replaced by indices ${showShape(i.shape)}.`,
    );
  }
  return apply([t, i, u], (p, q, r) =>
    build.scatterAdd(
      p,
      wrap(q, t.shape[a]),
      build.broadcast(build.cast(sameShape(r.shape, want) ? r : build.reshape(r, []), p.dtype), want),
      a,
    ),
  );
}
