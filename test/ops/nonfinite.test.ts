/** NaN and infinities through reductions, masks, windows and contractions: where a fast kernel forgets them most easily. */
import { describe, expect, test } from "vitest";
import "../../src/engine.ts";
import type { DType, TypedArray } from "../../src/base/index.ts";
import { build as b, type Node, printGraph } from "../../src/ir/index.ts";
import { difference } from "../support/compare.ts";
import { execute, oracle, traced } from "../support/execute.ts";
import { rngOf } from "../support/random.ts";

const back = (r: Node, x: Node): Node => b.expand(b.reshape(r, [...x.shape.slice(0, -1), 1]), x.shape);
const window = { window: [3], strides: [1], padding: [[1, 1]] as const, dilation: [1] };
const matmul = { lhsBatch: [], rhsBatch: [], lhsContract: [1], rhsContract: [0] };

const softmax = (x: Node): Node => {
  const last = x.shape.length - 1;
  const e = b.unary("exp", b.binary("sub", x, back(b.reduce("max", x, [last]), x)));
  return b.binary("div", e, back(b.reduce("sum", e, [last]), x));
};

/** Functions of x [6, n]. */
const CASES: Readonly<Record<string, (x: Node) => Node[]>> = {
  sum: (x) => [b.reduce("sum", x, [1]), b.reduce("sum", x, [0]), b.reduce("sum", x, [0, 1])],
  prod: (x) => [b.reduce("prod", x, [1]), b.reduce("prod", x, [0])],
  max: (x) => [b.reduce("max", x, [1]), b.reduce("max", x, [0]), b.reduce("max", x, [0, 1])],
  min: (x) => [b.reduce("min", x, [1]), b.reduce("min", x, [0]), b.reduce("min", x, [0, 1])],
  argmax: (x) => [b.argReduce("argmax", x, 1), b.argReduce("argmax", x, 0)],
  argmin: (x) => [b.argReduce("argmin", x, 1), b.argReduce("argmin", x, 0)],
  cumsum: (x) => [b.cumsum(x, 1), b.cumsum(x, 0, true)],
  "maximum and minimum": (x) => [
    b.binary("maximum", x, b.full(x.shape, 0, x.dtype)),
    b.binary("minimum", b.full(x.shape, 0, x.dtype), x),
    b.binary("maximum", x, b.flip(x, [1])),
  ],
  comparisons: (x) => (["lt", "le", "eq", "ne"] as const).map((op) => b.compare(op, x, b.flip(x, [1]))),
  "where hides what it does not take": (x) => {
    const good = b.compare("lt", b.unary("abs", x), b.full(x.shape, 1e30, x.dtype));
    const kept = b.where(good, x, b.full(x.shape, 0, x.dtype));
    return [kept, b.reduce("sum", kept, [1])];
  },
  "softmax of a row masked by -Infinity": (x) => {
    const first = b.compare("lt", b.iota(x.shape, 1, "float32"), b.full(x.shape, 3));
    return [softmax(b.where(first, b.cast(b.iota(x.shape, 1), x.dtype), b.full(x.shape, -Infinity, x.dtype)))];
  },
  "softmax of anything": (x) => [softmax(x)],
  "padding with infinity": (x) => [
    b.reduce(
      "max",
      b.pad(
        x,
        [
          [0, 0],
          [1, 2],
        ],
        -Infinity,
      ),
      [1],
    ),
    b.pad(
      x,
      [
        [1, 0],
        [0, 1],
      ],
      NaN,
    ),
  ],
  windows: (x) => {
    const image = b.reshape(x, [1, x.shape[0] * x.shape[1], 1]);
    return [
      b.windowReduce("windowMax", image, window),
      b.windowReduce("windowSum", image, window),
      b.windowPickGrad(image, b.cast(b.iota(image.shape, 1), x.dtype), window),
    ];
  },
  "products with zero": (x) => [
    b.binary("mul", x, b.full(x.shape, 0, x.dtype)),
    b.dot(x, b.full([x.shape[1], 3], 0, x.dtype), matmul),
    b.dot(x, b.cast(b.iota([x.shape[1], 5], 0), x.dtype), matmul),
  ],
  "sign, rounding and integers": (x) => [
    b.unary("sign", x),
    b.unary("floor", x),
    b.unary("round", x),
    b.cast(x, "bool"),
  ],
};

describe.each(["float32", "float64"] as const)("%s", (dtype: DType) => {
  describe.each([1, 5, 16, 37])("rows of %i", (n) => {
    test.each(Object.entries(CASES))("%s", (_, f) => {
      traced(() => {
        const x = b.leaf([6, n], dtype);
        const rng = rngOf(n);
        const some = [NaN, Infinity, -Infinity, 0, -0, 1, -2, 1e38, 1e-40];
        // Row 0 is plain, row 1 all NaN, row 2 all -Infinity, the others have one to three odd elements.
        const data: TypedArray = dtype === "float64" ? new Float64Array(6 * n) : new Float32Array(6 * n);
        for (let i = 0; i < data.length; i++)
          data[i] = i < n ? rng.normal() : i < 2 * n ? NaN : i < 3 * n ? -Infinity : rng.normal();
        for (let row = 3; row < 6; row++)
          for (let k = 2; k < row; k++) data[row * n + rng.int(0, n - 1)] = rng.pick(some);
        const outputs = f(x);
        const leaves = new Map([[x, data]]);
        const want = oracle(outputs, leaves);
        execute(outputs, leaves).forEach((got, i) => {
          const exact = outputs[i].dtype === "float32" ? Float32Array.from(want[i]) : want[i];
          const why = difference(got, exact, outputs[i].dtype, { relative: 1e-5, absolute: 1e-5 });
          if (why !== null) expect.fail(`output ${i}: ${why}\nx = ${data.join(" ")}\n${printGraph([outputs[i]])}`);
        });
      });
    });
  });
});
