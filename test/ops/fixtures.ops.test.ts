/** Tensor functions and their gradients against PyTorch and NumPy. */
import { describe, expect, test } from "vitest";
import * as cr from "../../src/index.ts";
import type { DType, Tensor } from "../../src/index.ts";
import { expectNumbers, load, type Numbers, readFixture } from "../support/fixtures.ts";

type Pair = readonly [number, number];
const FLOATS: readonly DType[] = ["float32", "float64"];

/** Σ y·dy: its gradients are the vector-Jacobian products that the fixtures hold. */
const weighted = (y: Tensor, dy: Tensor): Tensor => cr.sum(cr.mul(y, dy));

interface ConvCase {
  readonly name: string;
  readonly strides: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly padding: readonly Pair[];
  readonly pad: readonly number[];
  readonly outputPadding: readonly number[];
  readonly x: Numbers;
  readonly w: Numbers;
  readonly b: Numbers;
  readonly y: Numbers;
  readonly dy: Numbers;
  readonly dx: Numbers;
  readonly dw: Numbers;
  readonly db: Numbers;
}

describe.each(FLOATS)("convolution %s", (dtype) => {
  test.each(readFixture<ConvCase>("conv"))("$name", (c) => {
    const f = (x: Tensor, w: Tensor, b: Tensor): Tensor =>
      cr.add(cr.conv(x, w, { strides: c.strides, dilation: c.dilation, groups: c.groups, padding: c.padding }), b);
    const [x, w, b, dy] = [c.x, c.w, c.b, c.dy].map((a) => load(a, dtype));
    expectNumbers(f(x, w, b), c.y, "y");
    const [dx, dw, db] = cr.grad((...args: [Tensor, Tensor, Tensor]) => weighted(f(...args), dy), {
      argnums: [0, 1, 2],
    })(x, w, b);
    expectNumbers(dx, c.dx, "dx");
    expectNumbers(dw, c.dw, "dw");
    expectNumbers(db, c.db, "db");
  });

  test.each(readFixture<ConvCase>("conv_transposed").filter((c) => c.groups === 1))("transposed $name", (c) => {
    const options = { strides: c.strides, dilation: c.dilation, padding: c.pad, outputPadding: c.outputPadding };
    // A padding of 0 everywhere and no output padding is "valid" without Keras' rounding up.
    const padding = c.pad.every((p) => p === 0) ? 0 : c.pad;
    const f = (x: Tensor, w: Tensor): Tensor => cr.convTranspose(x, w, { ...options, padding });
    const [x, w, dy] = [c.x, c.w, c.dy].map((a) => load(a, dtype));
    expectNumbers(f(x, w), c.y, "y");
    const [dx, dw] = cr.grad((p: Tensor, q: Tensor) => weighted(f(p, q), dy), { argnums: [0, 1] })(x, w);
    expectNumbers(dx, c.dx, "dx");
    expectNumbers(dw, c.dw, "dw");
  });
});

interface PoolCase {
  readonly name: string;
  readonly kind: "max" | "avg";
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly padding: readonly Pair[];
  readonly countsPadding: boolean;
  readonly x: Numbers;
  readonly y: Numbers;
  readonly dy: Numbers;
  readonly dx: Numbers;
}

test.each(readFixture<PoolCase>("pool"))("pooling $name", (c) => {
  const f = (x: Tensor): Tensor => {
    if (c.kind === "max") return cr.maxPool(x, c.window, { strides: c.strides, padding: c.padding });
    // Ours never counts padding; zeros put there beforehand do count.
    const counted = c.countsPadding ? cr.pad(x, [[0, 0], ...c.padding, [0, 0]]) : x;
    return cr.avgPool(counted, c.window, { strides: c.strides, padding: c.countsPadding ? "valid" : c.padding });
  };
  expectNumbers(f(load(c.x)), c.y, "y");
  expectNumbers(cr.grad((x: Tensor) => weighted(f(x), load(c.dy)))(load(c.x)), c.dx, "dx");
});

interface EinsumCase {
  readonly equation: string;
  readonly operands: readonly Numbers[];
  readonly y: Numbers;
  readonly dy: Numbers;
  readonly grads: readonly Numbers[];
}

test.each(readFixture<EinsumCase>("einsum"))("einsum $equation", (c) => {
  const xs = c.operands.map((x) => load(x));
  expectNumbers(cr.einsum(c.equation, ...xs), c.y, "y");
  const loss = (...operands: Tensor[]): Tensor => weighted(cr.einsum(c.equation, ...operands), load(c.dy));
  const grads = cr.grad(loss, { argnums: xs.map((_, i) => i) })(...xs);
  grads.forEach((g, i) => expectNumbers(g, c.grads[i], `gradient ${i}`));
});

interface IndexCase {
  readonly shape: readonly number[];
  readonly index: string;
  readonly y: Numbers;
}

/** NumPy's x[index]: ranges, whole numbers, None and one ellipsis. */
function indexed(x: Tensor, index: string): Tensor {
  const parts = index.split(",").map((p) => p.trim());
  const real = parts.filter((p) => p !== "None" && p !== "...").length;
  const filled = parts.flatMap((p) => (p === "..." ? Array<string>(x.rank - real).fill(":") : [p]));
  const ranges = filled
    .filter((p) => p !== "None")
    .map((p) => {
      if (!p.includes(":")) return Number(p);
      return p.split(":").map((v) => (v === "" ? null : Number(v))) as [number | null, number | null, number | null];
    });
  const y = cr.slice(x, ...ranges);
  // Where an axis is added: counted over the axes that stay.
  const added: number[] = [];
  let axis = 0;
  for (const p of filled) {
    if (p === "None") added.push(axis++);
    else if (p.includes(":")) axis++;
  }
  return added.reduce((t, a) => cr.expandDims(t, a), y);
}

test.each(readFixture<IndexCase>("indexing"))("indexing $shape [$index]", (c) => {
  const size = c.shape.reduce((n, d) => n * d, 1);
  const x = cr.reshape(cr.tensor(Int32Array.from({ length: size }, (_, i) => i)), c.shape);
  expectNumbers(indexed(x, c.index), c.y, "y");
});

interface ValueCase {
  readonly name: string;
  readonly x: Numbers;
  readonly y: Numbers;
  readonly dy?: Numbers;
  readonly dx: Numbers;
  readonly d2x?: Numbers;
}

const ACTIVATIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  relu: cr.relu,
  sigmoid: cr.sigmoid,
  tanh: cr.tanh,
  softplus: cr.softplus,
  gelu: (x) => cr.gelu(x),
  "gelu approximate": (x) => cr.gelu(x, { approximate: true }),
  erf: cr.erf,
  expm1: cr.expm1,
};

test.each(readFixture<ValueCase>("activations").filter((c) => c.name in ACTIVATIONS))(
  "$name, twice differentiated",
  (c) => {
    const f = ACTIVATIONS[c.name];
    const x = load(c.x, "float64");
    expectNumbers(f(x), c.y, "y");
    expectNumbers(f(load(c.x)), c.y, "y float32");
    const first = cr.grad((v: Tensor) => cr.sum(f(v)));
    expectNumbers(first(x), c.dx, "dx");
    expectNumbers(cr.grad((v: Tensor) => cr.sum(first(v)))(x), c.d2x as Numbers, "d2x");
  },
);

const SOFT: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  softmax: (x) => cr.softmax(x),
  "logSoftmax axis 0": (x) => cr.logSoftmax(x, 0),
  logSumExp: (x) => cr.logSumExp(x, -1),
  "logSumExp extreme": (x) => cr.logSumExp(x, -1),
};

test.each(readFixture<ValueCase>("losses").filter((c) => c.name in SOFT))("$name", (c) => {
  const f = SOFT[c.name];
  expectNumbers(f(load(c.x)), c.y, "y");
  const loss = (x: Tensor): Tensor => (c.dy === undefined ? cr.sum(f(x)) : weighted(f(x), load(c.dy)));
  expectNumbers(cr.grad(loss)(load(c.x)), c.dx, "dx");
});

interface NumpyCase {
  readonly f: string;
  readonly operands: readonly Numbers[];
  readonly arguments: Readonly<Record<string, never>>;
  readonly y: Numbers;
}

const NUMPY: Readonly<Record<string, (xs: readonly Tensor[], a: Readonly<Record<string, never>>) => Tensor>> = {
  add: ([x, y]) => cr.add(x, y),
  subtract: ([x, y]) => cr.sub(x, y),
  multiply: ([x, y]) => cr.mul(x, y),
  divide: ([x, y]) => cr.div(x, y),
  maximum: ([x, y]) => cr.maximum(x, y),
  minimum: ([x, y]) => cr.minimum(x, y),
  mod: ([x, y]) => cr.mod(x, y),
  power: ([x, y]) => cr.pow(x, y),
  round: ([x]) => cr.round(x),
  matmul: ([x, y]) => cr.matmul(x, y),
  sum: ([x], a) => cr.sum(x, a.axis, a),
  mean: ([x], a) => cr.mean(x, a.axis, a),
  prod: ([x], a) => cr.prod(x, a.axis, a),
  max: ([x], a) => cr.max(x, a.axis, a),
  min: ([x], a) => cr.min(x, a.axis, a),
  var: ([x], a) => cr.variance(x, a.axis, a),
  std: ([x], a) => cr.std(x, a.axis, a),
  argmax: ([x], a) => cr.argmax(x, a.axis),
  argmin: ([x], a) => cr.argmin(x, a.axis),
  cumsum: ([x], a) => cr.cumsum(x, a.axis),
  transpose: ([x], a) => cr.transpose(x, a.axes),
  tile: ([x], a) => cr.tile(x, a.reps),
  stack: (xs, a) => cr.stack(xs, a.axis),
  concat: (xs, a) => cr.concat(xs, a.axis),
  flip: ([x], a) => cr.flip(x, a.axis),
  pad: ([x], a) => cr.pad(x, a.padding, { value: a.value }),
  take: ([x], a) => cr.take(x, a.indices, a.axis),
};

test("every NumPy function of the fixtures has its counterpart", () => {
  const missing = readFixture<NumpyCase>("numpy").filter((c) => !(c.f in NUMPY));
  expect(missing).toEqual([]);
});

test.each(readFixture<NumpyCase>("numpy"))("NumPy's $f $arguments", (c) => {
  expectNumbers(
    NUMPY[c.f](
      c.operands.map((x) => load(x)),
      c.arguments,
    ),
    c.y,
    "y",
  );
});
