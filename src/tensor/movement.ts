/** Movement: the same elements in another order or shape. Views cost nothing; nothing here computes. */
import {
  axesOf,
  axisOf,
  checkShape,
  promote,
  resolveReshape,
  ShapeError,
  showShape,
  sizeOf,
  ValueError,
} from "../base/index.ts";
import { build, type Node, type Pads } from "../ir/index.ts";
import { apply, applyMany } from "./apply.ts";
import { asTensor, type TensorLike } from "./convert.ts";
import type { Axis } from "./reduce.ts";
import type { Tensor } from "./tensor.ts";

/**
 * The same elements, row-major, in another shape; one size may be -1.
 *
 * @example reshape([1, 2, 3, 4], [2, -1]).array(); // → [[1, 2], [3, 4]]
 */
export function reshape(x: TensorLike, shape: readonly number[]): Tensor {
  const t = asTensor(x, "reshape");
  const to = resolveReshape(shape, t.shape, "reshape");
  return apply([t], (a) => build.reshape(a, to));
}

/**
 * Axes from `startAxis` on become one. Default 0: a vector; 1 keeps the batch.
 *
 * @example flatten([[1, 2], [3, 4]]).array(); // → [1, 2, 3, 4]
 */
export function flatten(x: TensorLike, startAxis = 0): Tensor {
  const t = asTensor(x, "flatten");
  if (t.rank === 0) return reshape(t, [1]);
  const a = axisOf(startAxis, t.rank, "flatten");
  return reshape(t, [...t.shape.slice(0, a), sizeOf(t.shape.slice(a))]);
}

/**
 * Drops axes of size 1: those named, or all. Throws ShapeError when a named axis has another size.
 *
 * @example squeeze(zeros([1, 3, 1])).shape; // → [3]
 */
export function squeeze(x: TensorLike, axis?: Axis): Tensor {
  const t = asTensor(x, "squeeze");
  const named = axis !== undefined && axis !== null;
  const axes = named ? axesOf(axis, t.rank, "squeeze") : [...t.shape.keys()].filter((i) => t.shape[i] === 1);
  const wrong = axes.find((a) => t.shape[a] !== 1);
  if (wrong !== undefined)
    throw new ShapeError(
      `[squeeze] axis ${wrong} of ${showShape(t.shape)} has size ${t.shape[wrong]}: only axes of size 1 can go.`,
    );
  return reshape(
    t,
    t.shape.filter((_, i) => !axes.includes(i)),
  );
}

/**
 * Adds axes of size 1 at these places of the result.
 *
 * @example expandDims([1, 2], 0).shape; // → [1, 2]
 */
export function expandDims(x: TensorLike, axis: number | readonly number[]): Tensor {
  const t = asTensor(x, "expandDims");
  const list = typeof axis === "number" ? [axis] : axis;
  const axes = axesOf(list, t.rank + list.length, "expandDims");
  const shape: number[] = [];
  for (let i = 0, k = 0; i < t.rank + axes.length; i++) shape.push(axes.includes(i) ? 1 : t.shape[k++]);
  return reshape(t, shape);
}

/**
 * Axes in another order; without `perm`, reversed.
 *
 * @example transpose([[1, 2], [3, 4]]).array(); // → [[1, 3], [2, 4]]
 */
export function transpose(x: TensorLike, perm?: readonly number[]): Tensor {
  const t = asTensor(x, "transpose");
  if (perm !== undefined && perm.length !== t.rank) {
    throw new ValueError(
      `[transpose] ${showShape(perm)} names ${perm.length} axes, ${showShape(t.shape)} has ${t.rank}: name each axis once.`,
    );
  }
  const p = perm?.map((a) => axisOf(a, t.rank, "transpose")) ?? [...t.shape.keys()].reverse();
  return apply([t], (a) => build.permute(a, p));
}
/**
 * The same as `transpose`.
 *
 * @example permute(zeros([2, 3, 4]), [2, 0, 1]).shape; // → [4, 2, 3]
 */
export const permute = (x: TensorLike, perm: readonly number[]): Tensor => transpose(x, perm);

/**
 * Two axes exchanged.
 *
 * @example swapaxes(zeros([2, 3, 4]), 0, 2).shape; // → [4, 3, 2]
 */
export function swapaxes(x: TensorLike, a: number, b: number): Tensor {
  const t = asTensor(x, "swapaxes");
  const [p, q] = [axisOf(a, t.rank, "swapaxes"), axisOf(b, t.rank, "swapaxes")];
  return transpose(
    t,
    [...t.shape.keys()].map((i) => (i === p ? q : i === q ? p : i)),
  );
}

/**
 * Axis `from` goes to place `to`; the others keep their order.
 *
 * @example moveaxis(zeros([2, 3, 4]), 0, -1).shape; // → [3, 4, 2]
 */
export function moveaxis(x: TensorLike, from: number, to: number): Tensor {
  const t = asTensor(x, "moveaxis");
  const [p, q] = [axisOf(from, t.rank, "moveaxis"), axisOf(to, t.rank, "moveaxis")];
  const perm = [...t.shape.keys()].filter((i) => i !== p);
  perm.splice(q, 0, p);
  return transpose(t, perm);
}

/**
 * x repeated to `shape` by NumPy's broadcasting.
 *
 * @example broadcastTo([1, 2], [2, 2]).array(); // → [[1, 2], [1, 2]]
 */
export function broadcastTo(x: TensorLike, shape: readonly number[]): Tensor {
  checkShape(shape, "broadcastTo");
  return apply([asTensor(x, "broadcastTo")], (a) => build.broadcast(a, shape));
}

/**
 * Elements along these axes in reverse; without them, along all.
 *
 * @example flip([1, 2, 3]).array(); // → [3, 2, 1]
 */
export function flip(x: TensorLike, axis?: Axis): Tensor {
  const t = asTensor(x, "flip");
  const axes = axesOf(axis, t.rank, "flip");
  return apply([t], (a) => build.flip(a, axes));
}

/** One number for all sides, one pair for all axes, or a number or pair for each axis. */
export type Padding = number | readonly (number | readonly [number, number])[];

/** Options of `pad`. */
export interface PadOptions {
  /** constant: `value`; edge: the last element repeated; reflect: mirrored without the edge. Default: constant. */
  readonly mode?: "constant" | "edge" | "reflect";
  /** Default: 0. */
  readonly value?: number;
}

function padsOf(padding: Padding, rank: number): Pads[] {
  if (typeof padding === "number") return Array.from({ length: rank }, () => [padding, padding] as const);
  if (padding.length !== rank) {
    throw new ValueError(
      `[pad] needs one entry an axis (${rank}), got ${JSON.stringify(padding)}: for example ${JSON.stringify(Array.from({ length: rank }, () => [1, 1]))}.`,
    );
  }
  return padding.map((p) => (typeof p === "number" ? [p, p] : p));
}

/** `count` elements before (or after) axis `axis`, taken from x itself. */
function border(a: Node, axis: number, count: number, side: "lo" | "hi", mode: "edge" | "reflect"): Node {
  const size = a.shape[axis];
  const start = a.shape.map(() => 0);
  const stop = [...a.shape];
  if (mode === "edge") {
    start[axis] = side === "lo" ? 0 : size - 1;
    stop[axis] = start[axis] + 1;
    return build.expand(
      build.slice(a, start, stop),
      a.shape.map((d, i) => (i === axis ? count : d)),
    );
  }
  start[axis] = side === "lo" ? 1 : size - 1 - count;
  stop[axis] = start[axis] + count;
  return build.flip(build.slice(a, start, stop), [axis]);
}

/**
 * x with elements added at the ends of its axes. Throws ValueError for negative sizes, or a reflection wider than the axis.
 *
 * @example
 * pad([[1], [2]], [[0, 0], [1, 1]]).array(); // → [[0, 1, 0], [0, 2, 0]]
 */
export function pad(x: TensorLike, padding: Padding, options: PadOptions = {}): Tensor {
  const t = asTensor(x, "pad");
  const pads = padsOf(padding, t.rank);
  const mode = options.mode ?? "constant";
  if (mode === "constant") return apply([t], (a) => build.pad(a, pads, options.value ?? 0));
  pads.forEach(([lo, hi], i) => {
    const room = mode === "edge" ? (t.shape[i] > 0 ? Infinity : 0) : t.shape[i] - 1;
    if (lo < 0 || hi < 0 || (lo > 0 && lo > room) || (hi > 0 && hi > room)) {
      throw new ValueError(`[pad] mode "${mode}" cannot add [${lo}, ${hi}] to axis ${i} of ${showShape(t.shape)}.`);
    }
  });
  return apply([t], (a) =>
    pads.reduce((at, [lo, hi], axis) => {
      const parts = [at];
      if (lo > 0) parts.unshift(border(at, axis, lo, "lo", mode));
      if (hi > 0) parts.push(border(at, axis, hi, "hi", mode));
      return build.concat(parts, axis);
    }, a),
  );
}

function joined(name: string, xs: readonly TensorLike[]): Tensor[] {
  if (!Array.isArray(xs) || xs.length === 0) throw new ValueError(`[${name}] needs an array of at least one tensor.`);
  const ts = xs.map((x) => asTensor(x, name));
  const dtype = ts.map((t) => t.dtype).reduce(promote);
  return ts.map((t) => t.cast(dtype));
}

/**
 * Tensors one after another along an existing axis; all others agree. Default axis: 0.
 *
 * @example concat([[1, 2], [3]]).array(); // → [1, 2, 3]
 */
export function concat(xs: readonly TensorLike[], axis = 0): Tensor {
  const ts = joined("concat", xs);
  const a = axisOf(axis, ts[0].rank, "concat");
  const odd = ts.find((t) => t.rank !== ts[0].rank || t.shape.some((d, i) => i !== a && d !== ts[0].shape[i]));
  if (odd !== undefined) {
    const hint = odd.rank !== ts[0].rank ? " Did you mean stack(), or forget expandDims()?" : "";
    throw new ShapeError(
      `[concat] along axis ${a} all other axes must agree: tensor 0 is ${showShape(ts[0].shape)}, tensor ${ts.indexOf(odd)} is ${showShape(odd.shape)}.${hint}`,
    );
  }
  return apply(ts, (...nodes) => build.concat(nodes, a));
}

/**
 * Tensors of one shape along a new axis. Default axis: 0.
 *
 * @example stack([[1, 2], [3, 4]]).array(); // → [[1, 2], [3, 4]]
 */
export function stack(xs: readonly TensorLike[], axis = 0): Tensor {
  const ts = joined("stack", xs);
  const odd = ts.find((t) => t.rank !== ts[0].rank || t.shape.some((d, i) => d !== ts[0].shape[i]));
  if (odd !== undefined) {
    throw new ShapeError(
      `[stack] all shapes must be equal: tensor 0 is ${showShape(ts[0].shape)}, tensor ${ts.indexOf(odd)} is ${showShape(odd.shape)}.`,
    );
  }
  const a = axisOf(axis, ts[0].rank + 1, "stack");
  const one = [...ts[0].shape.slice(0, a), 1, ...ts[0].shape.slice(a)];
  return apply(ts, (...nodes) =>
    build.concat(
      nodes.map((p) => build.reshape(p, one)),
      a,
    ),
  );
}

/**
 * Parts of x along an axis: that many equal ones, or of these sizes (one may be -1). Default axis: 0.
 *
 * @example split([1, 2, 3, 4], 2).map((t) => t.array()); // → [[1, 2], [3, 4]]
 */
export function split(x: TensorLike, parts: number | readonly number[], axis = 0): Tensor[] {
  const t = asTensor(x, "split");
  const a = axisOf(axis, t.rank, "split");
  const size = t.shape[a];
  if (typeof parts === "number" && (!Number.isInteger(parts) || parts < 1 || size % parts !== 0)) {
    throw new ValueError(
      `[split] axis ${a} of ${showShape(t.shape)} has size ${size}, which ${parts} equal parts do not divide: give the sizes instead.`,
    );
  }
  const asked = typeof parts === "number" ? Array<number>(parts).fill(size / parts) : [...parts];
  const hole = asked.indexOf(-1);
  if (hole >= 0) asked[hole] = size - asked.reduce((s, d, i) => (i === hole ? s : s + d), 0);
  if (asked.some((d) => !Number.isInteger(d) || d < 0) || asked.reduce((s, d) => s + d, 0) !== size) {
    throw new ValueError(
      `[split] sizes ${showShape(asked)} do not add up to ${size}, axis ${a} of ${showShape(t.shape)}.`,
    );
  }
  return applyMany([t], (p) => {
    let at = 0;
    return asked.map((d) => {
      const start = p.shape.map(() => 0);
      const stop = [...p.shape];
      start[a] = at;
      stop[a] = at += d;
      return build.slice(p, start, stop);
    });
  });
}

/**
 * The whole tensor repeated along its axes, as numpy.tile.
 *
 * @example tile([1, 2], 2).array(); // → [1, 2, 1, 2]
 */
export function tile(x: TensorLike, reps: number | readonly number[]): Tensor {
  const t = asTensor(x, "tile");
  const list = typeof reps === "number" ? [reps] : reps;
  if (list.some((c) => !Number.isInteger(c) || c < 0))
    throw new ValueError(`[tile] repetitions must be whole numbers ≥ 0, got ${showShape(list)}.`);
  const rank = Math.max(t.rank, list.length);
  const shape = [...Array<number>(rank - t.rank).fill(1), ...t.shape];
  const counts = [...Array<number>(rank - list.length).fill(1), ...list];
  return apply([t], (a) => {
    const spread = build.expand(
      build.reshape(
        a,
        shape.flatMap((d) => [1, d]),
      ),
      shape.flatMap((d, i) => [counts[i], d]),
    );
    return build.reshape(
      spread,
      shape.map((d, i) => d * counts[i]),
    );
  });
}

/**
 * Each element `count` times in a row along an axis; without an axis, of the flattened tensor.
 *
 * @example repeat([1, 2], 2).array(); // → [1, 1, 2, 2]
 */
export function repeat(x: TensorLike, count: number, axis?: number): Tensor {
  if (!Number.isInteger(count) || count < 0)
    throw new ValueError(`[repeat] the count must be a whole number ≥ 0, got ${count}.`);
  const t = axis === undefined ? flatten(x) : asTensor(x, "repeat");
  const a = axisOf(axis ?? 0, t.rank, "repeat");
  const [before, after] = [t.shape.slice(0, a + 1), t.shape.slice(a + 1)];
  return apply([t], (p) => {
    const spread = build.expand(build.reshape(p, [...before, 1, ...after]), [...before, count, ...after]);
    return build.reshape(
      spread,
      t.shape.map((d, i) => (i === a ? d * count : d)),
    );
  });
}

/**
 * Elements moved along an axis by `shift` places; those that fall off come in at the other end (numpy.roll).
 *
 * @example roll([1, 2, 3], 1).array(); // → [3, 1, 2]
 */
export function roll(x: TensorLike, shift: number, axis = 0): Tensor {
  if (!Number.isInteger(shift)) throw new ValueError(`[roll] the shift must be a whole number, got ${shift}.`);
  const t = asTensor(x, "roll");
  const a = axisOf(axis, t.rank, "roll");
  const size = t.shape[a];
  const cut = size === 0 ? 0 : size - (((shift % size) + size) % size);
  return apply([t], (p) => {
    const part = (from: number, to: number): Node =>
      build.slice(
        p,
        p.shape.map((_, i) => (i === a ? from : 0)),
        p.shape.map((d, i) => (i === a ? to : d)),
      );
    return cut === size ? p : build.concat([part(cut, size), part(0, cut)], a);
  });
}
