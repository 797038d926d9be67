// What a contraction is, as plain data, and its normal form.

/** One loop axis; strides in elements, 0 where the operand does not have the axis. */
export interface Axis {
  readonly size: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/**
 * c[batch, m, n] = sum over k of a[batch, m, k] * b[batch, k, n]; every access is affine and in bounds. Strides may be
 * negative or repeat (sliding windows). Axes are listed outermost first. `n` is vectorised along its axis with c = 1, else
 * along the last one.
 */
export interface ContractSpec {
  readonly dtype: "float32" | "float64";
  readonly batch: readonly Axis[];
  readonly m: readonly Axis[];
  readonly n: readonly Axis[];
  readonly k: readonly Axis[];
  /** Element offsets of the first element, default 0. */
  readonly aOffset?: number;
  readonly bOffset?: number;
  readonly cOffset?: number;
}

/** An original axis inside of a merged one. */
export interface Part {
  readonly group: "batch" | "m" | "n" | "k";
  readonly axis: number;
  readonly size: number;
}
export interface NAxis extends Axis {
  /** Outermost first; the product of their sizes is `size`. */
  readonly parts: readonly Part[];
}

/** Normal form: sizes of one dropped, neighbours merged, one n axis, one innermost m axis. */
export interface Norm {
  readonly empty: boolean;
  /** A and B have changed places (and m with n): there is one column only, and the lanes run along m. */
  readonly swapped: boolean;
  readonly batch: readonly NAxis[];
  readonly mOuter: readonly NAxis[];
  /** Its `c` is that of its last part; the other parts lie anywhere in the result when `scattered`. */
  readonly m: NAxis;
  readonly scattered: boolean;
  readonly n: NAxis;
  readonly k: readonly NAxis[];
}

const UNIT: NAxis = { size: 1, a: 0, b: 0, c: 0, parts: [] };

function merged(axes: readonly NAxis[], anywhere = false): NAxis[] {
  const out: NAxis[] = [];
  for (const x of axes) {
    const o = out[out.length - 1];
    if (o && o.a === x.a * x.size && o.b === x.b * x.size && (anywhere || o.c === x.c * x.size)) {
      out[out.length - 1] = { size: o.size * x.size, a: x.a, b: x.b, c: x.c, parts: [...o.parts, ...x.parts] };
    } else out.push(x);
  }
  return out;
}

/** Takes the axis at `i` out of a list. */
function without<T>(list: readonly T[], i: number): T[] {
  return list.filter((_, j) => j !== i);
}

/** The same sums with the operands exchanged. */
function exchanged(axes: readonly NAxis[]): NAxis[] {
  return axes.map((x) => ({ ...x, a: x.b, b: x.a }));
}

/** Steps of k from which on it costs nothing to look up where a row of the result is. */
const SCATTER_STEPS = 256;

/**
 * The normal form. `pick` says along which of several m axes the rows of a tile run; `joins`, whether so many rows in a line
 * of A are better joined with those of the next axis, though they are stored apart.
 */
export function normalise(
  spec: ContractSpec,
  pick: (axes: readonly Axis[], columns: number) => number,
  joins: (rows: number) => boolean,
): Norm {
  const group = (name: Part["group"], axes: readonly Axis[]): NAxis[] =>
    axes.map((x, axis): NAxis => ({ ...x, parts: [{ group: name, axis, size: x.size }] })).filter((x) => x.size !== 1);
  // Outermost what is farthest apart: in A for k (B can be packed), in the output for the others.
  let k = merged(group("k", spec.k).sort((x, y) => Math.abs(y.a) - Math.abs(x.a) || Math.abs(y.b) - Math.abs(x.b)));
  const sorted = (list: NAxis[]): NAxis[] => list.sort((x, y) => Math.abs(y.c) - Math.abs(x.c));
  let m0 = sorted(group("m", spec.m));
  let ns = group("n", spec.n);
  let batch0 = sorted(group("batch", spec.batch));
  // A matrix times a vector: better as a vector times a matrix, if its rows or columns lie in a line.
  const inner = m0.find((x) => x.c === 1);
  const swapped = ns.length === 0 && !!inner && (inner.a === 1 || (k.length === 1 && k[0].a === 1 && k[0].b === 1));
  if (swapped) [k, ns, m0, batch0] = [exchanged(k), exchanged(m0), [], exchanged(batch0)];
  const inPlace = merged(m0);
  const byA = [...m0].sort((x, y) => Math.abs(y.a) - Math.abs(x.a));
  const inA = merged(byA, true);
  const shorter = inA.length < inPlace.length && joins(byA[byA.length - 1].size);
  const scattered = shorter && product(k) >= SCATTER_STEPS;
  const ms = scattered ? inA : inPlace;
  const unit = ns.findIndex((x) => x.c === 1);
  const ni = unit >= 0 ? unit : ns.length - 1;
  const n = ns[ni] ?? UNIT;
  // Further n axes only repeat the work of a batch that shares A.
  const batch = merged(sorted([...batch0, ...without(ns, ni)]));
  const mi = pick(ms, n.size);
  const all = [...batch, ...ms, n];
  const empty = all.some((x) => x.size === 0);
  return { empty, swapped, batch, mOuter: without(ms, mi), m: ms[mi] ?? UNIT, scattered, n, k };
}

export const product = (axes: readonly Axis[]): number => axes.reduce((p, x) => p * x.size, 1);
