import {
  ChainruleError,
  type DType,
  hostArray,
  isFloat,
  showShape,
  sizeOf,
  type TypedArray,
} from "../../base/index.ts";
import { isOp, type Node, type PrimName, topoOrder } from "../../ir/index.ts";
import { conv, dot, windowMax, windowPick, windowPickGrad, windowSum, windowSumGrad } from "./contract.ts";
import { binary, cast, compare, iota, randomBits, unary, where } from "./elementwise.ts";
import { concat, expand, flip, gather, pad, permute, scatterAdd, slice } from "./move.ts";
import { argReduce, cumsum, reduce } from "./reduce.ts";
import { routine } from "./routine.ts";

/** "float64": every float is kept in float64, the oracle. "native": results are rounded to the dtype of their node. */
export type Precision = "float64" | "native";

/** Fills `out` (zeros) with the value of `n`, given the values of its sources. */
export type Kernel<P extends PrimName> = (n: Node<P>, srcs: readonly TypedArray[], out: TypedArray) => void;

/** Primitives that are their first source as it is, and those that the driver runs itself. */
type Same = "reshape" | "alias" | "stopGradient" | "barrier" | "custom";
type Driven = "leaf" | "scan" | "get";

const KERNELS: { [P in Exclude<PrimName, Same | Driven>]: Kernel<P> } = {
  const: (n, _, out) => out.fill(n.attrs.value),
  iota,
  randomBits,
  neg: unary,
  abs: unary,
  sign: unary,
  floor: unary,
  ceil: unary,
  round: unary,
  sqrt: unary,
  exp: unary,
  expm1: unary,
  log: unary,
  log1p: unary,
  sin: unary,
  cos: unary,
  tanh: unary,
  erf: unary,
  not: unary,
  cast,
  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  mod: binary,
  pow: binary,
  maximum: binary,
  minimum: binary,
  and: binary,
  or: binary,
  xor: binary,
  shl: binary,
  shr: binary,
  lt: compare,
  le: compare,
  eq: compare,
  ne: compare,
  where,
  sum: reduce,
  prod: reduce,
  max: reduce,
  min: reduce,
  argmax: argReduce,
  argmin: argReduce,
  cumsum,
  permute,
  expand,
  pad,
  slice,
  flip,
  concat,
  dot,
  conv,
  windowSum,
  windowSumGrad,
  windowMax,
  windowPick,
  windowPickGrad,
  gather,
  scatterAdd,
  routine,
};

const SAME: ReadonlySet<string> = new Set<Same>(["reshape", "alias", "stopGradient", "barrier", "custom"]);

/** Arrays of the nodes so far; a scan has one array a result. */
type Values = Map<Node, TypedArray | TypedArray[]>;

const make = (dtype: DType, n: number, precision: Precision): TypedArray =>
  hostArray(precision === "float64" && isFloat(dtype) ? "float64" : dtype, n);

/**
 * The values of `outputs`, row-major, given those of the leaves they need. Bools are 0/1 in a Uint8Array. With precision
 * "float64" float32 results come as Float64Array. A result may be the very array of a leaf: copy before writing to it.
 */
export function interpret(
  outputs: readonly Node[],
  leaves: ReadonlyMap<Node, TypedArray>,
  options: { readonly precision: Precision },
): TypedArray[] {
  const values: Values = new Map();
  for (const [leaf, data] of leaves) {
    const wide = options.precision === "float64" && data instanceof Float32Array;
    values.set(leaf, wide ? Float64Array.from(data) : data);
  }
  return evaluate(topoOrder(outputs), outputs, values, options.precision);
}

/** Computes the nodes of `order` that have no value yet. */
function evaluate(
  order: readonly Node[],
  outputs: readonly Node[],
  values: Values,
  precision: Precision,
): TypedArray[] {
  for (const n of order) {
    if (values.has(n)) continue;
    const srcs = n.srcs.map((s) => values.get(s) as TypedArray);
    if (isOp(n, "leaf")) {
      throw new ChainruleError(
        `[interpret] leaf "${n.attrs.name}" ${n.dtype} ${showShape(n.shape)} was given no value.`,
      );
    } else if (SAME.has(n.op)) {
      values.set(n, srcs[0]);
    } else if (isOp(n, "scan")) {
      values.set(n, scan(n, srcs, precision));
    } else if (isOp(n, "get")) {
      values.set(n, (values.get(n.srcs[0]) as TypedArray[])[n.attrs.index]);
    } else {
      const out = make(n.dtype, sizeOf(n.shape), precision);
      const kernel = KERNELS[n.op as keyof typeof KERNELS] as Kernel<PrimName>;
      kernel(n, srcs, out);
      values.set(n, out);
    }
  }
  return outputs.map((o) => values.get(o) as TypedArray);
}

/** Runs the body step by step; when reversed from the last slice to the first, ys[t] still beside xs[t]. */
function scan(n: Node<"scan">, srcs: readonly TypedArray[], precision: Precision): TypedArray[] {
  const { body, length, reverse } = n.attrs;
  const { carries, xs, params } = body;
  const order = topoOrder(body.outs);
  const rows = params.map((p) => sizeOf(p.shape));
  let state = srcs.slice(0, carries);
  const ys = body.outs.slice(carries).map((o) => make(o.dtype, length * sizeOf(o.shape), precision));
  for (let i = 0; i < length; i++) {
    const t = reverse ? length - 1 - i : i;
    const values: Values = new Map();
    params.forEach((p, k) => {
      if (k < carries) values.set(p, state[k]);
      else if (k < carries + xs) values.set(p, srcs[k].subarray(t * rows[k], (t + 1) * rows[k]));
      else values.set(p, srcs[k]);
    });
    const outs = evaluate(order, body.outs, values, precision);
    state = outs.slice(0, carries);
    ys.forEach((y, k) => y.set(outs[carries + k], t * outs[carries + k].length));
  }
  return [...state, ...ys];
}
