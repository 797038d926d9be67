import type { DType } from "../base/index.ts";
import type { Family } from "./family.ts";
import type { Node } from "./node.ts";

/** Low and high padding of one axis; negative never. */
export type Pads = readonly [lo: number, hi: number];

/** Geometry of a sliding window over the spatial axes of x [batch, ...spatial, channels]. */
export interface WindowAttrs {
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly padding: readonly Pads[];
  readonly dilation: readonly number[];
}

export interface ConvAttrs {
  readonly strides: readonly number[];
  readonly padding: readonly Pads[];
  /** Zeros between the elements of x (d-1 of them): the gradient of a stride. */
  readonly lhsDilation: readonly number[];
  /** Zeros between the taps of the kernel. */
  readonly rhsDilation: readonly number[];
}

export interface DotAttrs {
  readonly lhsBatch: readonly number[];
  readonly rhsBatch: readonly number[];
  readonly lhsContract: readonly number[];
  readonly rhsContract: readonly number[];
}

export interface ScanAttrs {
  readonly body: ScanBody;
  readonly length: number;
  readonly reverse: boolean;
}

/** The body of a scan: a graph from (carries, one slice of each xs, constants) to (carries, one slice of each ys). */
export interface ScanBody {
  readonly uid: number;
  /** Leaves, in the order carries, xs slices, constants. */
  readonly params: readonly Node[];
  /** Results, in the order carries, ys slices. */
  readonly outs: readonly Node[];
  readonly carries: number;
  readonly xs: number;
}

/** A primitive that carries its rows. */
interface Ruled<P extends PrimName> {
  readonly rule: Family<P>;
}

/** What each primitive carries beside its sources. The order of the table is the order of the documentation. */
export interface Attrs {
  // Leaves
  /** A scalar constant; larger constants are expanded from it. */
  const: { readonly value: number };
  /** A value from outside the graph: a buffer, a variable or an argument. `uid` tells them apart. */
  leaf: { readonly uid: number; readonly name: string };
  /** 0, 1, 2 … along `axis`. */
  iota: { readonly axis: number };
  /** Random words: word 0 of Threefry-2x32 under the source key [2], counter (flat index, stream). */
  randomBits: { readonly stream: number };

  // Element-wise, one source
  neg: Empty;
  abs: Empty;
  sign: Empty;
  floor: Empty;
  ceil: Empty;
  /** To the nearest whole number, halves to even. */
  round: Empty;
  sqrt: Empty;
  exp: Empty;
  expm1: Empty;
  log: Empty;
  log1p: Empty;
  sin: Empty;
  cos: Empty;
  tanh: Empty;
  erf: Empty;
  /** Logical for bool, bitwise for integers. */
  not: Empty;
  cast: { readonly dtype: DType };

  // Element-wise, two or three sources of one shape and dtype
  add: Empty;
  sub: Empty;
  mul: Empty;
  /** True division for floats; truncating for integers (by zero gives 0). */
  div: Empty;
  /** Sign of the divisor, as in Python. */
  mod: Empty;
  pow: Empty;
  maximum: Empty;
  minimum: Empty;
  and: Empty;
  or: Empty;
  xor: Empty;
  shl: Empty;
  /** Arithmetic for int32, logical for uint32. */
  shr: Empty;
  lt: Empty;
  le: Empty;
  eq: Empty;
  ne: Empty;
  /** where(mask, a, b). */
  where: Empty;

  // Reductions: the named axes go
  sum: { readonly axes: readonly number[] };
  prod: { readonly axes: readonly number[] };
  max: { readonly axes: readonly number[] };
  min: { readonly axes: readonly number[] };
  /** The first index of the extreme along one axis, int32; NaN counts as the extreme. */
  argmax: { readonly axis: number };
  argmin: { readonly axis: number };
  /** Running sum along one axis, from the end when `reverse`. */
  cumsum: { readonly axis: number; readonly reverse: boolean };

  // Movement
  reshape: { readonly shape: readonly number[] };
  permute: { readonly perm: readonly number[] };
  /** Repeats axes of size 1. */
  expand: { readonly shape: readonly number[] };
  pad: { readonly padding: readonly Pads[]; readonly value: number };
  /** start ≤ i < stop by step ≥ 1, each axis. */
  slice: { readonly start: readonly number[]; readonly stop: readonly number[]; readonly step: readonly number[] };
  flip: { readonly axes: readonly number[] };
  concat: { readonly axis: number };

  // Contractions
  /** Result axes: batch, free axes of lhs, free axes of rhs. */
  dot: DotAttrs;
  /** x [B, ...S, G, I] and w [...K, G, I, O] → [B, ...S', G, O]: closed under differentiation. */
  conv: ConvAttrs & Ruled<"conv">;

  // Windows over x [B, ...S, C]
  windowSum: WindowAttrs & Ruled<"windowSum">;
  /** The transpose of windowSum: dy → dx of spatial sizes `spatial`. */
  windowSumGrad: WindowAttrs & { readonly spatial: readonly number[] } & Ruled<"windowSumGrad">;
  windowMax: WindowAttrs & Ruled<"windowMax">;
  /** (x, g) → g at the first maximum of x in each window. */
  windowPick: WindowAttrs & Ruled<"windowPick">;
  /** (x, dy) → dy added where each window of x has its first maximum: the transpose of windowPick in g. */
  windowPickGrad: WindowAttrs & Ruled<"windowPickGrad">;

  // Indexing. Indices are int32; out of range they are clamped, so that memory is safe: callers check where it matters.
  /** (x, indices) → x.shape[:axis] + indices.shape + x.shape[axis+1:]. */
  gather: { readonly axis: number };
  /** (base, indices, updates) → base with updates added at the places gather would read. */
  scatterAdd: { readonly axis: number };

  /** What is computed by code of its own, from sources that lie in memory. */
  routine: { readonly name: string; readonly params: readonly number[] } & Ruled<"routine">;

  // Control
  /** (carries…, xs…, constants…) → a tuple, read by `get`: final carries, then stacked ys. */
  scan: ScanAttrs & Ruled<"scan">;
  get: { readonly index: number };

  // Marks: the first source itself
  /** A fresh name for a value, so that derivatives can be taken with respect to it. */
  alias: { readonly uid: number };
  stopGradient: Empty;
  /** Keeps what is computed from it apart from an equal computation elsewhere (recomputation in checkpoint). */
  barrier: { readonly uid: number };
  /** (result, …inputs) → result, with a vector-Jacobian product of its own. */
  custom: { readonly uid: number } & Ruled<"custom">;
}

export type Empty = { readonly [key: string]: never };

export type PrimName = keyof Attrs;

export type UnaryName =
  | "neg"
  | "abs"
  | "sign"
  | "floor"
  | "ceil"
  | "round"
  | "sqrt"
  | "exp"
  | "expm1"
  | "log"
  | "log1p"
  | "sin"
  | "cos"
  | "tanh"
  | "erf"
  | "not";
export type BinaryName =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "mod"
  | "pow"
  | "maximum"
  | "minimum"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "shr";
export type CompareName = "lt" | "le" | "eq" | "ne";
export type ReduceName = "sum" | "prod" | "max" | "min";

/** What schedulers and printers ask about a primitive. */
export interface PrimInfo {
  readonly kind:
    | "leaf"
    | "unary"
    | "binary"
    | "compare"
    | "where"
    | "reduce"
    | "move"
    | "contract"
    | "window"
    | "index"
    | "control"
    | "mark";
  /** Number of sources; -1 when it varies. */
  readonly arity: number;
  /** Cost of one element in additions, for fusion decisions. */
  readonly cost: number;
}

const info = (kind: PrimInfo["kind"], arity: number, cost = 1): PrimInfo => ({ kind, arity, cost });

export const PRIMITIVES: Record<PrimName, PrimInfo> = {
  const: info("leaf", 0, 0),
  leaf: info("leaf", 0, 0),
  iota: info("leaf", 0, 1),
  randomBits: info("unary", 1, 80),
  neg: info("unary", 1),
  abs: info("unary", 1),
  sign: info("unary", 1, 3),
  floor: info("unary", 1),
  ceil: info("unary", 1),
  round: info("unary", 1),
  sqrt: info("unary", 1, 6),
  exp: info("unary", 1, 14),
  expm1: info("unary", 1, 20),
  log: info("unary", 1, 18),
  log1p: info("unary", 1, 22),
  sin: info("unary", 1, 20),
  cos: info("unary", 1, 20),
  tanh: info("unary", 1, 20),
  erf: info("unary", 1, 25),
  not: info("unary", 1),
  cast: info("unary", 1),
  add: info("binary", 2),
  sub: info("binary", 2),
  mul: info("binary", 2),
  div: info("binary", 2, 6),
  mod: info("binary", 2, 10),
  pow: info("binary", 2, 40),
  maximum: info("binary", 2),
  minimum: info("binary", 2),
  and: info("binary", 2),
  or: info("binary", 2),
  xor: info("binary", 2),
  shl: info("binary", 2),
  shr: info("binary", 2),
  lt: info("compare", 2),
  le: info("compare", 2),
  eq: info("compare", 2),
  ne: info("compare", 2),
  where: info("where", 3),
  sum: info("reduce", 1),
  prod: info("reduce", 1),
  max: info("reduce", 1),
  min: info("reduce", 1),
  argmax: info("reduce", 1, 3),
  argmin: info("reduce", 1, 3),
  cumsum: info("index", 1),
  reshape: info("move", 1, 0),
  permute: info("move", 1, 0),
  expand: info("move", 1, 0),
  pad: info("move", 1, 0),
  slice: info("move", 1, 0),
  flip: info("move", 1, 0),
  concat: info("index", -1),
  dot: info("contract", 2),
  conv: info("contract", 2),
  windowSum: info("window", 1),
  windowSumGrad: info("window", 1),
  windowMax: info("window", 1),
  windowPick: info("window", 2),
  windowPickGrad: info("window", 2),
  gather: info("index", 2, 2),
  scatterAdd: info("index", 3, 2),
  routine: info("control", -1),
  scan: info("control", -1),
  get: info("control", 1, 0),
  alias: info("mark", 1, 0),
  stopGradient: info("mark", 1, 0),
  barrier: info("mark", -1, 0),
  custom: info("mark", -1, 0),
};
