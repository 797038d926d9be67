import { describe, expect, test } from "vitest";
import type { Carried, PrimName } from "../../src/ir/index.ts";
import { build } from "../../src/ir/index.ts";
import { RULES, ZERO } from "../../src/autodiff/rules.ts";
import * as c from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";
import { apply } from "../../src/tensor/index.ts";

/** Fixed, irregular numbers: away from kinks and from each other. */
const numbers = (shape: readonly number[], seed: number, lo = -1.5, hi = 1.5): Tensor => {
  const n = shape.reduce((a, b) => a * b, 1);
  const data = Float64Array.from(
    { length: n },
    (_, i) => lo + (hi - lo) * ((((i + 1) * 0.6180339887 + seed * 0.3141) % 1) * 0.98 + 0.01),
  );
  return c.tensor(data, { shape });
};

interface Case {
  readonly f: (...xs: Tensor[]) => Tensor;
  readonly shapes: readonly (readonly number[])[];
  readonly lo?: number;
  readonly hi?: number;
  /** False where the function is piecewise linear: no second derivative to look at. */
  readonly second?: boolean;
}

const one = (f: (x: Tensor) => Tensor, lo?: number, hi?: number): Case => ({
  f: f,
  shapes: [[2, 3]],
  ...(lo === undefined ? {} : { lo, hi }),
});
const two = (f: (x: Tensor, y: Tensor) => Tensor, lo?: number, hi?: number): Case => ({
  f: f,
  shapes: [
    [2, 3],
    [2, 3],
  ],
  ...(lo === undefined ? {} : { lo, hi }),
});
const none = "no derivative";
const idx = c.tensor(new Int32Array([2, 0, 2, 1]), { shape: [2, 2] });
const window = {
  window: [3, 2],
  strides: [2, 1],
  padding: [
    [1, 0],
    [0, 1],
  ],
  dilation: [1, 2],
} as const;
const at =
  (f: (...n: ReturnType<typeof build.alias>[]) => ReturnType<typeof build.alias>) =>
  (...xs: Tensor[]): Tensor =>
    apply(xs, f);

/** Gradient cases of every primitive; `none` where the row says zero. */
const CASES: Record<PrimName, Case | Case[] | typeof none> = {
  const: none,
  leaf: none,
  iota: none,
  randomBits: none,
  neg: one((x) => x.neg().mul(x)),
  abs: one((x) => x.abs().mul(x)),
  sign: none,
  floor: none,
  ceil: none,
  round: none,
  sqrt: one((x) => x.sqrt(), 0.3, 2),
  exp: one((x) => x.exp()),
  expm1: one((x) => x.expm1()),
  log: one((x) => x.log(), 0.3, 2),
  log1p: one((x) => x.log1p(), -0.6, 2),
  sin: one((x) => x.sin()),
  cos: one((x) => x.cos()),
  tanh: one((x) => x.tanh()),
  erf: one((x) => x.erf()),
  not: none,
  cast: one((x) => x.cast("float64").mul(x)),
  add: two((x, y) => x.add(y).mul(x)),
  sub: two((x, y) => x.sub(y).mul(y)),
  mul: two((x, y) => x.mul(y)),
  div: two((x, y) => x.div(y), 0.4, 2),
  mod: two((x, y) => x.mul(3).mod(y).mul(x), 0.4, 1.6),
  pow: [
    two((x, y) => x.pow(y), 0.4, 2),
    one((x) => x.pow(3)),
    one((x) => x.pow(2)),
    one((x) => x.pow(-1.5), 0.4, 2),
    one((x) => c.pow(2, x)),
  ],
  maximum: [two((x, y) => x.maximum(y).mul(x)), one((x) => x.maximum(0.2).square())],
  minimum: [two((x, y) => x.minimum(y).mul(x)), one((x) => x.minimum(0.2).square())],
  and: none,
  or: none,
  xor: none,
  shl: none,
  shr: none,
  lt: none,
  le: none,
  eq: none,
  ne: none,
  where: two((x, y) => c.where(x.greater(y), x.mul(y), y.square())),
  sum: [one((x) => x.sum(0).square()), one((x) => x.square().sum(1))],
  prod: [one((x) => x.prod(1)), one((x) => x.prod()), { f: (x) => x.prod([0, 2]), shapes: [[2, 3, 2]] }],
  max: one((x) => x.max(1).square()),
  min: one((x) => x.min().square()),
  argmax: none,
  argmin: none,
  cumsum: [one((x) => x.cumsum(1).square()), one((x) => x.cumsum(0, { reverse: true }).square())],
  reshape: one((x) => x.reshape([3, 2]).square()),
  permute: { f: (x) => x.transpose([2, 0, 1]).square(), shapes: [[2, 3, 2]] },
  expand: { f: (x) => x.broadcastTo([4, 2, 3]).cumsum(0).square(), shapes: [[2, 1]] },
  pad: one((x) =>
    x
      .pad(
        [
          [1, 2],
          [0, 1],
        ],
        { value: 2 },
      )
      .square(),
  ),
  slice: [
    one((x) => x.slice([0, 2], [0, null, 2]).square()),
    { f: (x) => x.slice([1, 10, 3]).square(), shapes: [[11]] },
    { f: (x) => x.slice([-2, 2, -3]).square(), shapes: [[11]] },
  ],
  flip: one((x) => x.flip(1).cumsum(1).square()),
  concat: two((x, y) => c.concat([x, y.square(), x], 1).square()),
  dot: [
    {
      f: (x, y) => x.matmul(y).square(),
      shapes: [
        [2, 3],
        [3, 4],
      ],
    },
    {
      f: (x, y) => x.T.matmul(y.T).square(),
      shapes: [
        [3, 2],
        [4, 3],
      ],
    },
    {
      f: (x, y) => x.matmul(y).square(),
      shapes: [
        [2, 1, 2, 3],
        [3, 3, 2],
      ],
    },
    {
      f: (x, y) => c.einsum("abcd,dbea->ecb", x, y).square(),
      shapes: [
        [2, 3, 2, 2],
        [2, 3, 2, 2],
      ],
    },
    {
      f: (x, y) =>
        c
          .tensordot(x, y, [
            [0, 2],
            [2, 1],
          ])
          .square(),
      shapes: [
        [2, 2, 3],
        [2, 3, 2],
      ],
    },
    { f: (x, y) => x.dot(y).square(), shapes: [[3], [3]] },
  ],
  conv: [
    {
      f: (x, y) => c.conv(x, y, { padding: "same" }).square(),
      shapes: [
        [2, 5, 4, 2],
        [3, 3, 2, 3],
      ],
    },
    {
      f: (x, y) => c.conv(x, y, { strides: 2, padding: "same" }).square(),
      shapes: [
        [2, 6, 5, 2],
        [3, 2, 2, 3],
      ],
    },
    {
      f: (x, y) => c.conv(x, y, { strides: [2, 3] }).square(),
      shapes: [
        [2, 6, 8, 2],
        [2, 3, 2, 2],
      ],
    },
    {
      f: (x, y) =>
        c
          .conv(x, y, {
            dilation: [2, 1],
            strides: [1, 2],
            padding: [
              [3, 0],
              [1, 2],
            ],
          })
          .square(),
      shapes: [
        [1, 6, 6, 2],
        [2, 3, 2, 2],
      ],
    },
    {
      f: (x, y) => c.conv(x, y, { groups: 2, strides: 2, padding: 1 }).square(),
      shapes: [
        [2, 5, 5, 4],
        [3, 3, 2, 4],
      ],
    },
    {
      f: (x, y) => c.conv(x, y, { strides: 3, padding: 2, dilation: 2 }).square(),
      shapes: [
        [2, 9, 3],
        [2, 3, 2],
      ],
    },
    {
      f: (x, y) => c.conv(x, y, { strides: 5 }).square(),
      shapes: [
        [1, 13, 1],
        [2, 1, 1],
      ],
    },
    {
      f: (x, y) => c.conv(x, y, { padding: 3 }).square(),
      shapes: [
        [1, 3, 1],
        [2, 1, 1],
      ],
    },
    {
      f: (x, y) => c.conv(x, y, { strides: [1, 2, 1], padding: "same" }).square(),
      shapes: [
        [1, 3, 4, 3, 1],
        [2, 2, 2, 1, 2],
      ],
    },
    {
      f: (x, y) => c.depthwiseConv(x, y, { strides: 2, padding: "same" }).square(),
      shapes: [
        [2, 5, 5, 3],
        [3, 3, 3, 2],
      ],
    },
    {
      f: (x, y) => c.convTranspose(x, y, { strides: 2, padding: "same" }).square(),
      shapes: [
        [2, 3, 3, 2],
        [3, 3, 3, 2],
      ],
    },
    {
      f: (x, y) => c.convTranspose(x, y, { strides: 3 }).square(),
      shapes: [
        [1, 3, 2],
        [2, 3, 2],
      ],
    },
    {
      f: (x, y) => c.convTranspose(x, y, { strides: 2, padding: 2, outputPadding: 1 }).square(),
      shapes: [
        [1, 4, 2],
        [3, 1, 2],
      ],
    },
  ],
  windowSum: [
    { f: at((n) => build.windowReduce("windowSum", n, window)), shapes: [[2, 6, 5, 2]], second: false },
    { f: (x) => c.avgPool(x, 3, { strides: 2, padding: "same" }).square(), shapes: [[1, 5, 4, 2]] },
  ],
  windowSumGrad: {
    f: at((n) => build.windowSumGrad(n, { ...window, spatial: [6, 5] })),
    shapes: [[2, 3, 4, 2]],
    second: false,
  },
  windowMax: [
    { f: at((n) => build.windowReduce("windowMax", n, window)), shapes: [[1, 6, 5, 1]], second: false },
    { f: (x) => c.maxPool(x, 3, { strides: 2, padding: "same" }).square(), shapes: [[2, 5, 5, 2]] },
  ],
  windowPick: {
    f: (x, g) => at((n, m) => build.windowPick(n, m, window))(c.stopGradient(x), g).square(),
    shapes: [
      [1, 6, 5, 1],
      [1, 6, 5, 1],
    ],
  },
  windowPickGrad: {
    f: (x, g) => at((n, m) => build.windowPickGrad(n, m, window))(c.stopGradient(x), g).square(),
    shapes: [
      [1, 6, 5, 1],
      [1, 3, 4, 1],
    ],
  },
  gather: [
    { f: (x) => x.gather(idx, 1).square(), shapes: [[2, 3]] },
    {
      f: (x) =>
        c
          .takeAlongAxis(
            x,
            [
              [0, 2],
              [1, 1],
            ],
            1,
          )
          .square(),
      shapes: [[2, 3]],
    },
    {
      f: (x) =>
        c
          .gatherND(x, [
            [0, 2],
            [1, 1],
          ])
          .square(),
      shapes: [[2, 3]],
    },
  ],
  scatterAdd: {
    f: (x, u) => x.scatterAdd(idx, u, 1).square(),
    shapes: [
      [2, 3],
      [2, 2, 2],
    ],
  },
  routine: none,
  scan: [
    {
      f: (w, xs) =>
        c.scan(
          (h: Tensor, x: Tensor) => [h.matmul(w).add(x).tanh(), h.square()] as const,
          c.zeros([1, 2], { dtype: "float64" }),
          xs,
        )[1],
      shapes: [
        [2, 2],
        [3, 1, 2],
      ],
    },
    {
      f: (h0, xs) => {
        const [{ h, n }, ys] = c.scan(
          ({ h, n }: { h: Tensor; n: Tensor }, x: Tensor) =>
            [{ h: h.mul(x).add(n.cast("float64")), n: n.add(1) }, h.sin()] as const,
          { h: h0, n: c.tensor(0, { dtype: "int32" }) },
          xs,
          { reverse: true },
        );
        return c.concat([h, n.cast("float64").expandDims(0), ys.flatten()]);
      },
      shapes: [[2], [4, 2]],
    },
  ],
  get: none,
  alias: one((x) => c.grad((y: Tensor) => y.pow(3).sum())(x)),
  stopGradient: none,
  barrier: one((x) => apply([x], (n) => build.barrier(n)).square()),
  custom: [one((x) => x.sigmoid()), one((x) => x.softplus()), one((x) => c.logSigmoid(x))],
};

/** These bring their own rows (ir/family.ts): the type demands one where a node is made. */
const CARRIED: ReadonlySet<PrimName> = new Set<Carried>([
  "conv",
  "windowSum",
  "windowSumGrad",
  "windowMax",
  "windowPick",
  "windowPickGrad",
  "routine",
  "scan",
  "custom",
]);

const list = (v: Case | Case[] | typeof none): Case[] => (v === none ? [] : Array.isArray(v) ? v : [v]);

describe.each(Object.keys(CASES) as PrimName[])("%s", (name) => {
  test("has a row", () => {
    if (CARRIED.has(name)) expect(RULES).not.toHaveProperty(name);
    else if (CASES[name] === none) expect(RULES).toHaveProperty(name, ZERO);
    else expect(RULES).toHaveProperty(name, expect.any(Function));
  });
  test.each(list(CASES[name]).map((k, i) => [i, k] as const))(
    "case %i agrees with centred differences, and so does its gradient",
    (_, { f, shapes, lo, hi, second }) => {
      const xs = shapes.map((s, i) => numbers(s, i + 1, lo, hi));
      const weighted = (...args: Tensor[]): Tensor => {
        const y = f(...args);
        return y.mul(numbers(y.shape, 7)).sum();
      };
      expect(c.checkGradients(weighted, xs).passed).toBe(true);
      if (second === false) return;
      const twice = (...args: Tensor[]): Tensor => {
        const grads = c.grad(weighted, { argnums: args.map((_a, i) => i) })(...args);
        return c.stack(grads.map((g, i) => g.mul(numbers(g.shape, 11 + i)).sum())).sum();
      };
      expect(c.checkGradients(twice, xs).passed).toBe(true);
    },
  );
});
