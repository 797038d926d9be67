import type { DType } from "../../src/base/index.ts";
import { build as b, type ConvAttrs, type DotAttrs, type Pads, type WindowAttrs } from "../../src/ir/index.ts";
import { windowSize } from "../../src/ir/spatial.ts";
import { between } from "../support/random.ts";
import type { Tolerance } from "../support/compare.ts";
import { FLOATS, type OpCase, type OpRow } from "./row.ts";

type Dims = readonly number[];

// Error grows with the length of the sum; what is left over from cancellation is measured against the largest element.
const SUM: Tolerance = { relative: 8, ofLargest: 32 };
const CONTRACTED: readonly DType[] = ["float32", "float64", "int32", "uint32"];

const matmul: DotAttrs = { lhsBatch: [], rhsBatch: [], lhsContract: [1], rhsContract: [0] };
const dotCase = (a: Dims, w: Dims, o: Partial<DotAttrs> = {}): OpCase => ({
  shapes: [a, w],
  make: (x, y) => b.dot(x, y, { ...matmul, ...o }),
});

/** Sizes m, k, n around every edge of a tiled kernel. */
const MATMULS: readonly Dims[] = [
  [1, 1, 1],
  [0, 3, 2],
  [2, 0, 3],
  [3, 4, 0],
  [1, 7, 1],
  [2, 3, 4],
  [5, 5, 5],
  [4, 4, 4],
  [8, 16, 8],
  [1, 100, 10],
  [7, 1, 9],
  [17, 33, 19],
  [64, 64, 64],
  [3, 300, 5],
  [65, 31, 66],
  [128, 10, 3],
  [40, 520, 24],
];

const dot: OpRow = {
  name: "dot",
  dtypes: CONTRACTED,
  cases: [
    ...MATMULS.map(([m, k, n]) => dotCase([m, k], [k, n])),
    dotCase([5, 3], [5, 4], { lhsContract: [0], rhsContract: [0] }),
    dotCase([5, 3], [4, 3], { lhsContract: [1], rhsContract: [1] }),
    dotCase([33, 18], [33, 20], { lhsContract: [0], rhsContract: [0] }),
    dotCase([18, 33], [20, 33], { lhsContract: [1], rhsContract: [1] }),
    dotCase([6], [6], { lhsContract: [0], rhsContract: [0] }),
    dotCase([3], [4], { lhsContract: [], rhsContract: [] }),
    dotCase([], [4], { lhsContract: [], rhsContract: [] }),
    dotCase([2, 3, 4], [2, 4, 5], { lhsBatch: [0], rhsBatch: [0], lhsContract: [2], rhsContract: [1] }),
    dotCase([2, 3, 4, 6], [2, 3, 6, 5], { lhsBatch: [0, 1], rhsBatch: [0, 1], lhsContract: [3], rhsContract: [2] }),
    dotCase([3, 4, 2], [5, 3, 2], { lhsBatch: [2], rhsBatch: [2], lhsContract: [0], rhsContract: [1] }),
    dotCase([4, 2, 5, 3], [3, 5, 2, 4], { lhsBatch: [1], rhsBatch: [2], lhsContract: [3, 0], rhsContract: [0, 3] }),
    dotCase([2, 3, 4], [4, 5], { lhsContract: [2], rhsContract: [0] }),
    dotCase([7, 3], [7, 3], { lhsBatch: [0, 1], rhsBatch: [0, 1], lhsContract: [], rhsContract: [] }),
    dotCase([6, 8], [6, 8], { lhsBatch: [0], rhsBatch: [0], lhsContract: [1], rhsContract: [1] }),
    dotCase([2, 9, 16], [2, 11, 16], { lhsBatch: [0], rhsBatch: [0], lhsContract: [2], rhsContract: [2] }),
  ],
  large: dotCase([512, 512], [512, 512]),
  tolerance: SUM,
  grad: [0, 1],
};

interface ConvSpec {
  readonly x: Dims;
  readonly w: Dims;
  readonly s?: number | Dims;
  readonly p?: readonly Pads[];
  readonly ld?: number;
  readonly rd?: number;
}

const convCase = ({ x, w, s = 1, p, ld = 1, rd = 1 }: ConvSpec): OpCase => {
  const nd = x.length - 3;
  const each = (v: number | Dims): Dims => (typeof v === "number" ? new Array<number>(nd).fill(v) : v);
  const attrs: ConvAttrs = {
    strides: each(s),
    padding: p ?? Array.from({ length: nd }, (): Pads => [0, 0]),
    lhsDilation: each(ld),
    rhsDilation: each(rd),
  };
  return { shapes: [x, w], make: (a, k) => b.conv(a, k, attrs) };
};

const ONE: Pads = [1, 1];

const conv: OpRow = {
  name: "conv",
  dtypes: CONTRACTED,
  cases: [
    convCase({ x: [2, 7, 1, 3], w: [3, 1, 3, 4] }),
    convCase({ x: [1, 9, 1, 1], w: [2, 1, 1, 1], s: 2, p: [[0, 1]] }),
    convCase({ x: [2, 8, 1, 2], w: [3, 1, 2, 5], ld: 2, p: [[2, 3]] }),
    convCase({ x: [2, 10, 2, 3], w: [3, 2, 3, 2], rd: 3, p: [[2, 0]] }),
    convCase({ x: [2, 6, 6, 1, 3], w: [3, 3, 1, 3, 4], p: [ONE, ONE] }),
    convCase({
      x: [1, 5, 7, 1, 1],
      w: [3, 2, 1, 1, 6],
      s: [2, 1],
      p: [
        [1, 0],
        [0, 2],
      ],
    }),
    convCase({ x: [3, 6, 5, 2, 2], w: [3, 3, 2, 2, 3], s: 2, p: [ONE, ONE] }),
    convCase({ x: [2, 6, 6, 5, 1], w: [3, 3, 5, 1, 1], p: [ONE, ONE] }),
    convCase({ x: [2, 7, 7, 8, 1], w: [3, 3, 8, 1, 2], s: 2, p: [ONE, ONE] }),
    convCase({ x: [2, 5, 5, 1, 6], w: [1, 1, 1, 6, 9] }),
    convCase({ x: [2, 5, 5, 1, 6], w: [1, 1, 1, 6, 9], s: 2 }),
    convCase({
      x: [2, 4, 4, 1, 2],
      w: [4, 4, 1, 2, 3],
      ld: 2,
      p: [
        [2, 2],
        [2, 2],
      ],
    }),
    convCase({
      x: [2, 9, 9, 1, 2],
      w: [3, 3, 1, 2, 3],
      rd: 2,
      p: [
        [2, 1],
        [1, 2],
      ],
    }),
    convCase({
      x: [1, 4, 4, 1, 2],
      w: [3, 3, 1, 2, 3],
      ld: 3,
      rd: 2,
      s: 2,
      p: [
        [3, 1],
        [0, 4],
      ],
    }),
    convCase({
      x: [1, 2, 2, 1, 1],
      w: [3, 3, 1, 1, 1],
      p: [
        [4, 4],
        [3, 5],
      ],
    }),
    convCase({ x: [2, 3, 4, 5, 1, 2], w: [2, 2, 3, 1, 2, 3], p: [ONE, [0, 1], [1, 0]] }),
    convCase({ x: [1, 4, 4, 4, 2, 1], w: [3, 3, 3, 2, 1, 2], s: 2, rd: 1, p: [ONE, ONE, ONE] }),
    convCase({ x: [0, 5, 5, 1, 2], w: [3, 3, 1, 2, 3] }),
    convCase({ x: [2, 5, 5, 1, 0], w: [3, 3, 1, 0, 3] }),
    convCase({ x: [2, 2, 2, 1, 1], w: [3, 3, 1, 1, 2] }),
    convCase({ x: [2, 14, 14, 1, 16], w: [3, 3, 1, 16, 17], p: [ONE, ONE] }),
    convCase({
      x: [3, 28, 28, 1, 1],
      w: [5, 5, 1, 1, 6],
      p: [
        [2, 2],
        [2, 2],
      ],
    }),
    // The gradient of a kernel: batch and channels change places, the kernel is as large as the image.
    convCase({ x: [3, 8, 8, 1, 4], w: [6, 6, 1, 4, 5] }),
  ],
  large: convCase({ x: [16, 28, 28, 1, 32], w: [3, 3, 1, 32, 64], p: [ONE, ONE] }),
  tolerance: SUM,
  grad: [0, 1],
};

interface PoolSpec {
  readonly x: Dims;
  readonly k: Dims;
  readonly s?: Dims;
  readonly p?: readonly Pads[];
  readonly d?: Dims;
}

const POOLS: readonly PoolSpec[] = [
  { x: [2, 8, 3], k: [2], s: [2] },
  { x: [1, 7, 1], k: [3], s: [2], p: [[1, 1]] },
  { x: [2, 6, 6, 3], k: [2, 2], s: [2, 2] },
  { x: [2, 7, 8, 5], k: [3, 3], s: [2, 2] },
  {
    x: [1, 7, 6, 2],
    k: [3, 2],
    s: [1, 1],
    p: [
      [1, 1],
      [0, 1],
    ],
  },
  {
    x: [2, 9, 9, 4],
    k: [3, 3],
    s: [2, 1],
    p: [
      [2, 0],
      [1, 1],
    ],
    d: [2, 1],
  },
  { x: [1, 4, 5, 6, 2], k: [2, 2, 3], s: [2, 1, 2] },
  { x: [0, 4, 4, 2], k: [2, 2] },
  { x: [3, 5, 5, 17], k: [5, 5] },
  { x: [1, 10, 10, 1], k: [1, 1], s: [3, 3] },
  { x: [2, 28, 28, 6], k: [2, 2], s: [2, 2] },
];
const LARGE_POOL: PoolSpec = { x: [32, 28, 28, 16], k: [3, 3], s: [2, 2], p: [ONE, ONE] };

const attrsOf = ({ k, s, p, d }: PoolSpec): WindowAttrs => ({
  window: k,
  strides: s ?? k.map(() => 1),
  padding: p ?? k.map((): Pads => [0, 0]),
  dilation: d ?? k.map(() => 1),
});

const outOf = (pool: PoolSpec): Dims => {
  const a = attrsOf(pool);
  const space = a.window.map((k, i) => windowSize(pool.x[i + 1], k, a.strides[i], a.padding[i], a.dilation[i]));
  return [pool.x[0], ...space, pool.x[pool.x.length - 1]];
};

const pools = (
  name: OpRow["name"],
  of: (pool: PoolSpec, attrs: WindowAttrs) => OpCase,
  o: Partial<OpRow> = {},
): OpRow => ({
  name,
  dtypes: FLOATS,
  cases: POOLS.map((p) => of(p, attrsOf(p))),
  large: of(LARGE_POOL, attrsOf(LARGE_POOL)),
  tolerance: SUM,
  ...o,
});

export const CONTRACTIONS: readonly OpRow[] = [
  dot,
  conv,
  pools("windowSum", (p, at) => ({ shapes: [p.x], make: (x) => b.windowReduce("windowSum", x, at) }), { grad: [0] }),
  pools(
    "windowSumGrad",
    (p, at) => ({ shapes: [outOf(p)], make: (dy) => b.windowSumGrad(dy, { ...at, spatial: p.x.slice(1, -1) }) }),
    { grad: [0] },
  ),
  pools("windowMax", (p, at) => ({ shapes: [p.x], make: (x) => b.windowReduce("windowMax", x, at) }), { grad: [0] }),
  // Few distinct values: the first of equal maxima must win.
  pools("windowPick", (p, at) => ({ shapes: [p.x, p.x], make: (x, g) => b.windowPick(x, g, at) }), {
    draw: [(rng) => rng.int(0, 5), between(-1, 1)],
    grad: [1],
  }),
  pools("windowPickGrad", (p, at) => ({ shapes: [p.x, outOf(p)], make: (x, dy) => b.windowPickGrad(x, dy, at) }), {
    draw: [(rng) => rng.int(0, 5), between(-1, 1)],
    grad: [1],
  }),
];
