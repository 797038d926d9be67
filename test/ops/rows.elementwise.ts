import { type DType } from "../../src/base/index.ts";
import { type BinaryName, build as b, type CompareName, type UnaryName } from "../../src/ir/index.ts";
import { between, type Draw } from "../support/random.ts";
import type { Tolerance } from "../support/compare.ts";
import { ALL, FLOATS, INTS, LARGE, NUMBERS, type OpRow, SHAPES } from "./row.ts";

const EDGES: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  -1.5,
  2.5,
  1e-3,
  -1e-3,
  1e-8,
  1e-20,
  -1e-20,
  1e-38,
  3,
  -7,
  10,
  80,
  -80,
  87.5,
  -87.5,
  89,
  -104,
  1e4,
  -1e4,
  8388609,
  1e10,
  -1e10,
  3e38,
  NaN,
  Infinity,
  -Infinity,
];
const TRIG: readonly number[] = [0, 1e-8, 1, -1, 1.5707963, 3.1415927, -3.1415927, 10, 100, -1000, 5000, NaN, Infinity];
const WHOLE: readonly number[] = [0, 1, 2, 3, 7, 31, 100, 255, 256, 65535, 65537, 2147483647, -1, -2, -7, -2147483648];

interface Options {
  readonly dtypes?: readonly DType[];
  readonly draw?: OpRow["draw"];
  readonly tolerance?: Tolerance;
  readonly special?: readonly number[];
  readonly grad?: readonly number[];
}

const unary = (name: UnaryName, o: Options = {}): OpRow => ({
  name,
  dtypes: FLOATS,
  cases: SHAPES.map((s) => ({ shapes: [s], make: (x) => b.unary(name, x) })),
  large: { shapes: [LARGE], make: (x) => b.unary(name, x) },
  special: EDGES,
  grad: [0],
  ...o,
});

const binary = (name: BinaryName, o: Options = {}): OpRow => ({
  name,
  dtypes: NUMBERS,
  cases: SHAPES.map((s) => ({ shapes: [s, s], make: (x, y) => b.binary(name, x, y) })),
  large: { shapes: [LARGE, LARGE], make: (x, y) => b.binary(name, x, y) },
  special: EDGES,
  grad: [0, 1],
  ...o,
});

const compare = (name: CompareName): OpRow => ({
  name,
  dtypes: ALL,
  cases: SHAPES.map((s) => ({ shapes: [s, s], make: (x, y) => b.compare(name, x, y) })),
  large: { shapes: [LARGE, LARGE], make: (x, y) => b.compare(name, x, y) },
  draw: between(-2, 3),
  special: EDGES,
});

const positive: Draw = (rng, dtype) => Math.abs(between(0.05, 9)(rng, dtype));
const wide = between(-9, 10);
const awayFromSteps: Draw = (rng, dtype) =>
  dtype.startsWith("float") ? rng.int(-9, 9) + 0.1 + 0.8 * rng.next() : wide(rng, dtype);
const shifts: Draw = (rng) => rng.int(0, 7);
/** As many units of the element as the vector library promises, and a little of the largest for zeros of the function. */
const MATH: Tolerance = { relative: 4, absolute: 1e-38 };

const bits = (name: BinaryName, dtypes: readonly DType[], second?: Draw): OpRow =>
  binary(name, {
    dtypes,
    grad: [],
    ...(second ? { draw: [between(0, 200), second], special: [] } : { special: WHOLE }),
  });

const castTo = (to: DType): OpRow => ({
  name: "cast",
  dtypes: ALL.filter((d) => d !== to),
  cases: SHAPES.map((s) => ({ shapes: [s], make: (x) => b.cast(x, to) })),
  large: { shapes: [LARGE], make: (x) => b.cast(x, to) },
  draw: to.startsWith("u") ? between(0, 200) : between(-100, 100),
  ...(to.startsWith("float") ? { grad: [0] } : {}),
});

export const ELEMENTWISE: readonly OpRow[] = [
  unary("neg", { dtypes: NUMBERS }),
  unary("abs", { dtypes: NUMBERS }),
  unary("sign", { dtypes: NUMBERS, grad: [] }),
  unary("floor", { draw: awayFromSteps, grad: [] }),
  unary("ceil", { draw: awayFromSteps, grad: [] }),
  unary("round", { draw: awayFromSteps, grad: [] }),
  unary("sqrt", { draw: positive }),
  unary("exp", { tolerance: MATH, draw: between(-20, 5) }),
  unary("expm1", { tolerance: MATH }),
  unary("log", { tolerance: MATH, draw: positive }),
  unary("log1p", { tolerance: MATH, draw: between(-0.9, 9) }),
  unary("sin", { tolerance: { ...MATH, absolute: 0.6 }, special: TRIG, draw: wide }),
  unary("cos", { tolerance: { ...MATH, absolute: 0.6 }, special: TRIG, draw: wide }),
  unary("tanh", { tolerance: MATH }),
  unary("erf", { tolerance: MATH }),
  unary("not", { dtypes: [...INTS, "bool"], special: WHOLE, grad: [] }),
  ...ALL.map(castTo),
  binary("add"),
  binary("sub"),
  binary("mul"),
  binary("div", { draw: [wide, positive] }),
  binary("mod", { draw: [wide, positive], tolerance: { relative: 4, ofLargest: 4 }, grad: [0] }),
  {
    ...binary("mod", {
      draw: [wide, between(-9, 0)],
      dtypes: ["float32", "float64", "int32"],
      tolerance: { relative: 4, ofLargest: 4 },
      grad: [],
    }),
    special: WHOLE,
  },
  binary("pow", {
    dtypes: FLOATS,
    draw: [positive, between(-3, 3)],
    tolerance: { relative: 16, absolute: 1e-38 },
    special: [0, 1, -1, 0.5, 2, 3, -2, 1e-3, 10, Infinity],
  }),
  binary("pow", { dtypes: ["int32", "uint32"], draw: between(0, 7), special: [] }),
  binary("maximum"),
  binary("minimum"),
  bits("and", [...INTS, "bool"]),
  bits("or", [...INTS, "bool"]),
  bits("xor", [...INTS, "bool"]),
  bits("shl", INTS, shifts),
  bits("shr", INTS, shifts),
  compare("lt"),
  compare("le"),
  compare("eq"),
  compare("ne"),
  {
    name: "where",
    dtypes: ALL,
    operands: (d) => ["bool", d, d],
    cases: SHAPES.map((s) => ({ shapes: [s, s, s], make: b.where })),
    large: { shapes: [LARGE, LARGE, LARGE], make: b.where },
    grad: [1, 2],
  },
  {
    name: "iota",
    dtypes: NUMBERS,
    cases: SHAPES.filter((s) => s.length > 0).map((s) => ({
      shapes: [[1]],
      make: (x) => b.iota(s, s.length - 1, x.dtype),
    })),
    large: { shapes: [[1]], make: (x) => b.iota(LARGE, 0, x.dtype) },
  },
  {
    name: "const",
    dtypes: ALL,
    cases: SHAPES.map((s) => ({ shapes: [[1]], make: (x) => b.full(s, 3, x.dtype) })),
    large: { shapes: [[1]], make: (x) => b.full(LARGE, 3, x.dtype) },
  },
  {
    name: "randomBits",
    dtypes: ["uint32"],
    cases: SHAPES.map((s, i) => ({ shapes: [[2]], make: (key) => b.randomBits(key, s, i) })),
    large: { shapes: [[2]], make: (key) => b.randomBits(key, LARGE) },
    draw: (rng) => rng.int(0, 2 ** 32 - 1),
  },
];
