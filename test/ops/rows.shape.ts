import type { DType } from "../../src/base/index.ts";
import { argsortRows } from "../../src/arrays/argsort.ts";
import { scanRule } from "../../src/autodiff/scan.ts";
import { build as b, type Node, type ReduceName } from "../../src/ir/index.ts";
import { between } from "../support/random.ts";
import type { Tolerance } from "../support/compare.ts";
import { ALL, FLOATS, LARGE, NUMBERS, type OpCase, type OpRow } from "./row.ts";

const at = (shape: readonly number[], make: (x: Node) => Node): OpCase => ({ shapes: [shape], make });
// Terms of about 1, as many as 4099: the error is that of the partial sums, not of the result.
const SUM: Tolerance = { relative: 4, ofLargest: 16, absolute: 512 };

const reduce = (name: ReduceName, o: Partial<OpRow> = {}): OpRow => {
  const over = (shape: readonly number[], ...axes: number[]): OpCase => at(shape, (x) => b.reduce(name, x, axes));
  const empty = name === "sum" || name === "prod" ? [over([0], 0), over([3, 0, 2], 1)] : [];
  return {
    name,
    dtypes: NUMBERS,
    cases: [
      over([1], 0),
      over([5], 0),
      over([16], 0),
      over([1000], 0),
      over([4099], 0),
      over([3, 5], 0),
      over([3, 5], 1),
      over([3, 5], 0, 1),
      over([0, 4], 1),
      over([2, 3, 4], 1),
      over([2, 3, 4], 0, 2),
      over([6, 1, 9], 1),
      over([33, 130], 0),
      over([130, 33], 1),
      over([2, 3, 4, 5], 1, 3),
      over([2, 3, 4, 5], 0, 1, 2),
      over([7, 257], 1),
      ...empty,
    ],
    large: over(LARGE, 1),
    tolerance: SUM,
    grad: [0],
    ...o,
  };
};

const argReduce = (name: "argmax" | "argmin"): OpRow => {
  const over = (shape: readonly number[], axis: number): OpCase => at(shape, (x) => b.argReduce(name, x, axis));
  return {
    name,
    dtypes: NUMBERS,
    cases: [
      over([1], 0),
      over([9], 0),
      over([3, 5], 0),
      over([3, 5], 1),
      over([0, 4], 1),
      over([4, 7, 3], 1),
      over([40, 10], 1),
      over([1, 300], 1),
    ],
    large: over(LARGE, 1),
    // Few distinct values: the first of equals must win.
    draw: between(0, 4),
  };
};

const scatterCase = (base: readonly number[], index: readonly number[], axis: number): OpCase => ({
  shapes: [base, index, [...base.slice(0, axis), ...index, ...base.slice(axis + 1)]],
  make: (x, i, u) => b.scatterAdd(x, i, u, axis),
});
const gatherCase = (x: readonly number[], index: readonly number[], axis: number): OpCase => ({
  shapes: [x, index],
  make: (s, i) => b.gather(s, i, axis),
});
const GATHERS = [
  [[5], [3], 0],
  [[5], [], 0],
  [[5, 3], [4], 0],
  [[5, 3], [4], 1],
  [[2, 7, 3], [2, 2], 1],
  [[5, 0], [2], 0],
  [[5, 3], [0], 0],
  [[100, 16], [7, 9], 0],
  [[3, 1], [6], 1],
] as const;

const scanCase = (length: number, reverse: boolean, [batch, width]: readonly [number, number]): OpCase => ({
  shapes: [
    [batch, width],
    [length, batch, width],
    [width, width],
  ],
  // h' = tanh(h·w + x), y = h'·h
  make: (h0, xs, w) => {
    const params = [b.leaf(h0.shape, h0.dtype), b.leaf(h0.shape, h0.dtype), b.leaf(w.shape, w.dtype)];
    const [h, x, m] = params;
    const dot = { lhsBatch: [], rhsBatch: [], lhsContract: [1], rhsContract: [0] };
    const next = b.unary("tanh", b.binary("add", b.dot(h, m, dot), x));
    const body = { uid: params[0].id, params, outs: [next, b.binary("mul", next, h)], carries: 1, xs: 1 };
    const tuple = b.scan({ body, length, reverse }, [h0, xs, w], scanRule);
    return b.concat([b.reshape(b.get(tuple, 0), [1, batch, width]), b.get(tuple, 1)], 0);
  },
});

const same = (name: "alias" | "stopGradient" | "barrier", make: (x: Node) => Node): OpRow => ({
  name,
  dtypes: ALL,
  cases: [at([], make), at([3, 5], make), at([0], make)],
  large: at(LARGE, make),
  ...(name === "stopGradient" ? {} : { grad: [0] }),
});

const move = (name: OpRow["name"], cases: readonly OpCase[], large: OpCase, dtypes: readonly DType[] = ALL): OpRow => ({
  name,
  dtypes,
  cases,
  large,
  grad: [0],
});

export const SHAPED: readonly OpRow[] = [
  reduce("sum"),
  reduce("prod", { draw: between(0.8, 1.2), tolerance: { relative: 64 } }),
  // Zeros: the derivative must not divide by the element.
  reduce("prod", { draw: (rng) => rng.int(-1, 2) / 2, dtypes: FLOATS }),
  reduce("max"),
  reduce("min"),
  argReduce("argmax"),
  argReduce("argmin"),
  {
    name: "cumsum",
    dtypes: NUMBERS,
    cases: [false, true].flatMap((reverse) => [
      at([1], (x) => b.cumsum(x, 0, reverse)),
      at([37], (x) => b.cumsum(x, 0, reverse)),
      at([4, 5], (x) => b.cumsum(x, 0, reverse)),
      at([4, 5], (x) => b.cumsum(x, 1, reverse)),
      at([2, 9, 3], (x) => b.cumsum(x, 1, reverse)),
      at([0, 3], (x) => b.cumsum(x, 0, reverse)),
    ]),
    large: at(LARGE, (x) => b.cumsum(x, 1)),
    tolerance: { relative: 4, ofLargest: 8, absolute: 8 },
    grad: [0],
  },
  move(
    "reshape",
    [
      at([6], (x) => b.reshape(x, [2, 3])),
      at([], (x) => b.reshape(x, [1, 1])),
      at([0, 4], (x) => b.reshape(x, [2, 0])),
      at([3, 4, 5], (x) => b.reshape(x, [12, 5])),
      at([12, 5], (x) => b.reshape(x, [3, 2, 10])),
    ],
    at(LARGE, (x) => b.reshape(x, [1024 * 1024])),
  ),
  move(
    "permute",
    [
      at([2, 3], (x) => b.permute(x, [1, 0])),
      at([2, 0, 3], (x) => b.permute(x, [2, 0, 1])),
      at([2, 3, 4, 5], (x) => b.permute(x, [3, 1, 0, 2])),
      at([65, 130], (x) => b.permute(x, [1, 0])),
      at([1, 7, 1, 3], (x) => b.permute(x, [2, 3, 0, 1])),
    ],
    at(LARGE, (x) => b.permute(x, [1, 0])),
  ),
  move(
    "expand",
    [
      at([1], (x) => b.expand(x, [5])),
      at([1], (x) => b.expand(x, [0])),
      at([3, 1], (x) => b.expand(x, [3, 7])),
      at([1, 3], (x) => b.expand(x, [7, 3])),
      at([1, 4, 1], (x) => b.expand(x, [2, 4, 33])),
      at([1, 1], (x) => b.expand(x, [70, 50])),
    ],
    at([1024, 1], (x) => b.expand(x, LARGE)),
  ),
  move(
    "pad",
    [
      at([3], (x) => b.pad(x, [[1, 2]])),
      at([2, 3], (x) =>
        b.pad(
          x,
          [
            [0, 1],
            [2, 0],
          ],
          1,
        ),
      ),
      at([0, 3], (x) =>
        b.pad(
          x,
          [
            [1, 1],
            [0, 0],
          ],
          1,
        ),
      ),
      at([4, 6, 5], (x) =>
        b.pad(x, [
          [1, 1],
          [0, 0],
          [3, 2],
        ]),
      ),
      at([33], (x) => b.pad(x, [[40, 1]])),
    ],
    at(LARGE, (x) =>
      b.pad(x, [
        [1, 1],
        [1, 1],
      ]),
    ),
  ),
  move(
    "slice",
    [
      at([7], (x) => b.slice(x, [2], [6])),
      at([9], (x) => b.slice(x, [1], [9], [3])),
      at([4, 5], (x) => b.slice(x, [1, 0], [3, 5], [1, 2])),
      at([4, 5], (x) => b.slice(x, [2, 1], [2, 4])),
      at([3, 70, 2], (x) => b.slice(x, [0, 3, 1], [3, 68, 2], [2, 4, 1])),
    ],
    at([1024, 2048], (x) => b.slice(x, [0, 0], [1024, 2048], [1, 2])),
  ),
  move(
    "flip",
    [
      at([5], (x) => b.flip(x, [0])),
      at([3, 4], (x) => b.flip(x, [1])),
      at([3, 4], (x) => b.flip(x, [0, 1])),
      at([2, 17, 3], (x) => b.flip(x, [1])),
      at([0, 3], (x) => b.flip(x, [1])),
    ],
    at(LARGE, (x) => b.flip(x, [1])),
  ),
  {
    name: "concat",
    dtypes: ALL,
    cases: [
      { shapes: [[3], [4]], make: (x, y) => b.concat([x, y], 0) },
      {
        shapes: [
          [2, 3],
          [2, 5],
        ],
        make: (x, y) => b.concat([x, y], 1),
      },
      {
        shapes: [
          [2, 3],
          [1, 3],
          [4, 3],
        ],
        make: (x, y, z) => b.concat([x, y, z], 0),
      },
      {
        shapes: [
          [2, 0, 3],
          [2, 4, 3],
          [2, 1, 3],
        ],
        make: (x, y, z) => b.concat([x, y, z], 1),
      },
      { shapes: [[2, 3]], make: (x) => b.concat([x, x, x], 1) },
      {
        shapes: [
          [0, 2],
          [0, 3],
        ],
        make: (x, y) => b.concat([x, y], 1),
      },
    ],
    large: { shapes: [LARGE, LARGE], make: (x, y) => b.concat([x, y], 1) },
    grad: [0, 1],
  },
  {
    name: "gather",
    dtypes: ALL,
    operands: (d) => [d, "int32"],
    cases: GATHERS.map(([x, i, axis]) => gatherCase(x, i, axis)),
    large: gatherCase([10000, 128], [8192], 0),
    // Beyond both ends too: indices are clamped.
    draw: [between(-3, 3), (rng) => rng.int(-2, 9)],
    grad: [0],
  },
  {
    name: "scatterAdd",
    dtypes: NUMBERS,
    operands: (d) => [d, "int32", d],
    cases: GATHERS.map(([x, i, axis]) => scatterCase(x, i, axis)),
    large: scatterCase([10000, 128], [8192], 0),
    draw: [between(-3, 3), (rng) => rng.int(-2, 9), between(-3, 3)],
    tolerance: { relative: 4, ofLargest: 64 },
    grad: [0, 2],
  },
  {
    name: "scan",
    dtypes: FLOATS,
    cases: [
      scanCase(4, false, [2, 3]),
      scanCase(5, true, [1, 1]),
      scanCase(1, false, [3, 17]),
      scanCase(0, false, [2, 2]),
      scanCase(33, true, [4, 8]),
    ],
    // Narrow: a wide recurrence of such weights is chaotic, and any rounding grows.
    large: scanCase(64, false, [512, 8]),
    draw: between(-0.5, 0.5),
    tolerance: { relative: 64, ofLargest: 64 },
    grad: [0, 1, 2],
  },
  {
    name: "routine",
    dtypes: ["float32", "float64", "int32", "uint32"],
    cases: [[5], [3, 1], [0], [2, 0], [0, 3], [24], [25], [3, 100], [2, 257], [2, 2, 33], [4097]].flatMap((s) =>
      [false, true].map((descending) => ({ shapes: [s], make: (x: Node) => argsortRows(x, descending) })),
    ),
    large: { shapes: [[4, 20000]], make: (x) => argsortRows(x, false) },
  },
  same("alias", b.alias),
  same("stopGradient", b.stopGradient),
  same("barrier", (x) => b.barrier(x)),
];
