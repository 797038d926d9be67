import type { DType } from "../../src/base/index.ts";
import { build as b, type Node, type PrimName } from "../../src/ir/index.ts";
import type { Tolerance } from "../support/compare.ts";
import { type Draw, type Rng } from "../support/random.ts";

/** Shapes of the operands, and the operation on them. */
export interface OpCase {
  readonly shapes: readonly (readonly number[])[];
  readonly make: (...operands: Node[]) => Node;
}

/** One primitive: what to try it with. A new primitive is one row in rows.*.ts, and every mode knows it. */
export interface OpRow {
  readonly name: PrimName;
  /** Of the first data operand; the others follow `operands`. */
  readonly dtypes: readonly DType[];
  readonly operands?: (dtype: DType) => readonly DType[];
  readonly cases: readonly OpCase[];
  /** A case large enough to time. */
  readonly large: OpCase;
  /** Values of the operands: one for all, or one each. */
  readonly draw?: Draw | readonly Draw[];
  /** In units of the dtype's epsilon; 2 of the element itself by default. */
  readonly tolerance?: Tolerance;
  /** Values worth trying beside random ones (element-wise rows only); all pairs for two operands. */
  readonly special?: readonly number[];
  /** Operands that have a derivative; none for integers and step functions. */
  readonly grad?: readonly number[];
}

export const FLOATS: readonly DType[] = ["float32", "float64"];
export const INTS: readonly DType[] = ["int32", "uint32", "uint8"];
export const NUMBERS: readonly DType[] = [...FLOATS, ...INTS];
export const ALL: readonly DType[] = [...NUMBERS, "bool"];

/** Scalar, empty, one, odd, around the vector widths, several axes, more than one block. */
export const SHAPES: readonly (readonly number[])[] = [
  [],
  [0],
  [1],
  [3],
  [4],
  [17],
  [64],
  [5, 0, 2],
  [3, 5],
  [2, 3, 7],
  [1, 4, 1, 6],
  [129, 33],
  [5001],
];
export const LARGE: readonly number[] = [1024, 1024];

export const drawOf = (row: OpRow, operand: number): Draw | undefined =>
  typeof row.draw === "function" ? row.draw : row.draw?.[operand];

export const dtypesOf = (row: OpRow, dtype: DType, count: number): readonly DType[] =>
  row.operands?.(dtype) ?? new Array<DType>(count).fill(dtype);

/** A way to make an operand of `shape` that is not a plain leaf; null where it does not apply. */
export type View = (
  shape: readonly number[],
  dtype: DType,
  rng: Rng,
) => { readonly leaf: readonly number[]; readonly make: (x: Node) => Node } | null;

export const VIEWS: Readonly<Record<string, View>> = {
  plain: (shape) => ({ leaf: shape, make: (x) => x }),
  permuted: (shape) =>
    shape.length < 2
      ? null
      : {
          leaf: [...shape].reverse(),
          make: (x) =>
            b.permute(
              x,
              shape.map((_, i) => shape.length - 1 - i),
            ),
        },
  sliced: (shape) => ({
    leaf: shape.map((d) => 2 * d + 1),
    make: (x) =>
      b.slice(
        x,
        shape.map(() => 1),
        x.shape,
        shape.map(() => 2),
      ),
  }),
  flipped: (shape) =>
    shape.length === 0
      ? null
      : {
          leaf: shape,
          make: (x) =>
            b.flip(
              x,
              shape.map((_, i) => i),
            ),
        },
  expanded: (shape, _, rng) => {
    if (shape.length === 0) return null;
    const axis = rng.int(0, shape.length - 1);
    return { leaf: shape.map((d, i) => (i === axis ? 1 : d)), make: (x) => b.expand(x, shape) };
  },
  padded: (shape, dtype) =>
    shape.length === 0 || shape.some((d) => d < 2) || dtype === "bool"
      ? null
      : {
          leaf: shape.map((d) => d - 1),
          make: (x) =>
            b.pad(
              x,
              shape.map((_, i): [number, number] => (i % 2 === 0 ? [1, 0] : [0, 1])),
              1,
            ),
        },
  reshaped: (shape) => ({ leaf: [shape.reduce((n, d) => n * d, 1)], make: (x) => b.reshape(x, shape) }),
  joined: (shape) =>
    shape.length === 0 || shape[0] < 2
      ? null
      : {
          leaf: shape,
          make: (x) => {
            const part = (from: number, to: number): Node =>
              b.slice(
                x,
                shape.map((_, i) => (i === 0 ? from : 0)),
                shape.map((d, i) => (i === 0 ? to : d)),
              );
            return b.concat([part(1, shape[0]), part(0, 1)], 0);
          },
        },
  computed: (shape, dtype) =>
    dtype === "bool"
      ? { leaf: shape, make: (x) => b.binary("or", x, b.full(shape, 0, "bool")) }
      : { leaf: shape, make: (x) => b.binary("maximum", x, b.full(shape, dtype.startsWith("u") ? 0 : -1000, dtype)) },
};
