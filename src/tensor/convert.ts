import {
  checkShape,
  type DType,
  dtypeOfArray,
  DTypeError,
  hostArray,
  isFloat,
  promote,
  resolveReshape,
  ShapeError,
  showShape,
  sizeOf,
  type TypedArray,
  ValueError,
} from "../base/index.ts";
import { build } from "../ir/index.ts";
import { fromValue } from "./apply.ts";
import { executor } from "./executor.ts";
import { Tensor } from "./tensor.ts";
import { currentTrace } from "./trace.ts";

/** Arrays of arrays of numbers (or booleans), all rows of one length. */
export type NestedArray = readonly (number | boolean | NestedArray)[];

/** Whatever an operation takes as a tensor. */
export type TensorLike =
  | Tensor
  | number
  | boolean
  | TypedArray
  | Uint8ClampedArray
  | Int8Array
  | Int16Array
  | Uint16Array
  | NestedArray;

/** What a caller may give where a function takes T: numbers and arrays for tensors. */
export type Loose<T> = T extends Tensor
  ? TensorLike
  : T extends ((...args: never[]) => unknown) | string | number | boolean | null | undefined
    ? T
    : { [K in keyof T]: Loose<T[K]> };
/** Arguments where numbers and nested arrays may stand for tensors. */
export type LooseAll<A extends readonly unknown[]> = { [K in keyof A]: Loose<A[K]> };

/** Options of `tensor`. */
export interface TensorOptions {
  /** Of the data's element count; one size may be -1. Default: that of the nested arrays. */
  readonly shape?: readonly number[];
  /** Default: a typed array's own, bool for booleans, float32 for numbers. */
  readonly dtype?: DType;
}

const isView = (x: unknown): x is TypedArray => ArrayBuffer.isView(x) && !(x instanceof DataView);

const isNumeric = (x: unknown): boolean =>
  typeof x === "number" || (Array.isArray(x) && x.length > 0 && x.every(isNumeric));

/** What counts as one tensor in a tree: tensors, numbers, typed arrays and nested arrays of numbers alone. */
export const isTensorLeaf = (x: unknown): x is TensorLike => x instanceof Tensor || isView(x) || isNumeric(x);

/** The shape of nested arrays; throws where rows differ in length. */
function nestedShape(data: NestedArray, op: string): number[] {
  const shape: number[] = [];
  for (let at: unknown = data; Array.isArray(at); at = (at as unknown[])[0]) shape.push((at as unknown[]).length);
  const check = (x: unknown, depth: number): void => {
    if (depth === shape.length) {
      if (typeof x !== "number" && typeof x !== "boolean") {
        throw new ValueError(
          x instanceof Tensor
            ? `[${op}] a tensor ${showShape(x.shape)} among the elements: stack() joins tensors.`
            : `[${op}] element ${String(x)} of type ${x === null ? "null" : typeof x}: nested arrays hold numbers or booleans only.`,
        );
      }
      return;
    }
    if (!Array.isArray(x) || x.length !== shape[depth]) {
      const got = Array.isArray(x) ? `a row of ${x.length}` : `the single value ${String(x)}`;
      throw new ShapeError(
        `[${op}] ragged nested arrays: depth ${depth} has rows of ${shape[depth]} and ${got}; all rows need one length.`,
      );
    }
    for (const y of x) check(y, depth + 1);
  };
  check(data, 0);
  return shape;
}

/** Writes numbers into a host array, each as the dtype holds it (bool: not zero). */
function fill(dtype: DType, values: ArrayLike<number | boolean>): TypedArray {
  const out = hostArray(dtype, values.length);
  if (dtype === "bool") for (let i = 0; i < values.length; i++) out[i] = values[i] ? 1 : 0;
  else for (let i = 0; i < values.length; i++) out[i] = Number(values[i]);
  return out;
}

/**
 * A tensor from a number, nested arrays or a typed array (copied).
 *
 * dtype: a typed array's own (small integers become int32), bool for booleans, float32 for numbers; `dtype` overrides it.
 * Throws ShapeError for ragged rows or a `shape` of another element count.
 *
 * @example
 * tensor([[1, 2], [3, 4]]);                                   // float32 [2, 2]
 * tensor(new Int32Array(6), { shape: [2, -1] });               // int32 [2, 3]
 */
export function tensor(data: TensorLike, options: TensorOptions = {}): Tensor {
  if (data instanceof Tensor) {
    let t = options.dtype === undefined || options.dtype === data.dtype ? data : data.cast(options.dtype);
    if (options.shape !== undefined) t = t.reshape(options.shape);
    return t;
  }
  if (typeof data === "number" || typeof data === "boolean") {
    const dtype = options.dtype ?? (typeof data === "boolean" ? "bool" : "float32");
    return fromHost(fill(dtype, [data]), resolveReshape(options.shape ?? [], [], "tensor"), dtype);
  }
  if (isView(data)) {
    const own = data instanceof Uint8ClampedArray ? "uint8" : isSmallInt(data) ? "int32" : dtypeOfArray(data);
    const dtype = options.dtype ?? own;
    const host = dtype === own && own !== "int32" ? data : fill(dtype, data);
    return fromHost(host, resolveReshape(options.shape ?? [data.length], [data.length], "tensor"), dtype);
  }
  if (!Array.isArray(data)) {
    throw new ValueError(`[tensor] takes numbers, nested arrays or typed arrays, got ${describe(data)}.`);
  }
  const shape = nestedShape(data, "tensor");
  const flat = (shape.length > 1 ? data.flat(Infinity) : data) as (number | boolean)[];
  const dtype = options.dtype ?? (flat.length > 0 && flat.every((v) => typeof v === "boolean") ? "bool" : "float32");
  return fromHost(
    fill(dtype, flat),
    options.shape === undefined ? shape : resolveReshape(options.shape, shape, "tensor"),
    dtype,
  );
}

const isSmallInt = (x: unknown): boolean =>
  x instanceof Int8Array || x instanceof Int16Array || x instanceof Uint16Array;

const describe = (x: unknown): string =>
  x === null
    ? "null"
    : typeof x === "object"
      ? (x.constructor?.name ?? "an object")
      : `${typeof x}${typeof x === "string" ? ` "${x}"` : ""}`;

/** A concrete tensor that holds a copy of `data`. */
export function fromHost(data: TypedArray, shape: readonly number[], dtype: DType): Tensor {
  checkShape(shape, "tensor");
  if (sizeOf(shape) !== data.length) {
    throw new ShapeError(
      `[tensor] ${data.length} elements do not fill ${showShape(shape)} (${sizeOf(shape)} elements).`,
    );
  }
  return fromValue(executor().fromHost(data, shape, dtype), dtype);
}

/** Any operand as a tensor, named by its operation in errors. */
export function asTensor(x: TensorLike, op: string, dtype?: DType): Tensor {
  if (x instanceof Tensor) return x;
  if (typeof x === "number" || typeof x === "boolean") {
    return numberOperand(Number(x), dtype ?? (typeof x === "boolean" ? "bool" : "float32"));
  }
  if (isView(x) || Array.isArray(x)) return tensor(x, dtype === undefined ? {} : { dtype });
  throw new ValueError(`[${op}] takes tensors, numbers, nested arrays or typed arrays, got ${describe(x)}.`);
}

/** Numbers that are worth a program of their own when operations run at once. */
const PLAIN: ReadonlySet<number> = new Set([0, 1, -1, 2, -2, 0.5]);

/**
 * A number as an operand. Recorded, it is a constant of the graph. At once, only common numbers are: any other is fed as a
 * value, so that a loop over changing numbers runs one cached program.
 */
function numberOperand(value: number, dtype: DType): Tensor {
  const trace = currentTrace();
  if ((trace !== null && trace.deferred) || PLAIN.has(value)) return constant(value, dtype);
  return fromValue(executor().fromHost(fill(dtype, [value]), [], dtype), dtype);
}

/** A scalar that is part of the graph itself. */
export const constant = (value: number, dtype: DType): Tensor => new Tensor(build.scalar(value, dtype));

/** The dtype of an operation between `dtype` and the bare number `value`. */
function meet(dtype: DType, value: number): DType {
  if (isFloat(dtype)) return dtype;
  if (!Number.isInteger(value)) return "float32";
  if (dtype === "bool" || (dtype === "uint8" && (value < 0 || value > 255))) return "int32";
  return dtype;
}

/**
 * Operands brought together: their tensors and the common dtype, which bare numbers follow. `fixed` makes numbers
 * constants of the graph, for operations whose derivative looks at them.
 */
export function together(op: string, xs: readonly TensorLike[], fixed = false): { operands: Tensor[]; dtype: DType } {
  let dtype: DType | null = null;
  for (const x of xs) {
    if (typeof x === "number") continue;
    const own: DType = x instanceof Tensor ? x.dtype : typeof x === "boolean" ? "bool" : asDType(x, op);
    dtype = dtype === null ? own : promote(dtype, own);
  }
  dtype ??= "float32";
  for (const x of xs) if (typeof x === "number") dtype = meet(dtype, x);
  const common = dtype;
  const operands = xs.map((x) =>
    typeof x === "number" ? (fixed ? constant(x, common) : numberOperand(x, common)) : asTensor(x, op),
  );
  return { operands, dtype: common };
}

/** The dtype that `tensor(x)` would have. */
function asDType(x: TensorLike, op: string): DType {
  if (x instanceof Uint8ClampedArray) return "uint8";
  if (isView(x)) return isSmallInt(x) ? "int32" : dtypeOfArray(x);
  if (Array.isArray(x)) {
    let at: unknown = x;
    while (Array.isArray(at)) at = (at as unknown[])[0];
    return typeof at === "boolean" ? "bool" : "float32";
  }
  throw new ValueError(`[${op}] takes tensors, numbers, nested arrays or typed arrays, got ${describe(x)}.`);
}

/** Indices as int32: arrays and numbers are converted, whole-number tensors cast, floats refused. */
export function asIndices(x: TensorLike, op: string): Tensor {
  if (!(x instanceof Tensor)) {
    if (ArrayBuffer.isView(x) || Array.isArray(x) || typeof x === "number") {
      const flat = (
        typeof x === "number" ? [x] : Array.isArray(x) ? (x as unknown[]).flat(Infinity) : x
      ) as ArrayLike<number>;
      for (let i = 0; i < flat.length; i++) {
        if (!Number.isInteger(flat[i])) throw new DTypeError(`[${op}] indices must be whole numbers, got ${flat[i]}.`);
      }
    }
    return tensor(x, { dtype: "int32" });
  }
  if (isFloat(x.dtype) || x.dtype === "bool") {
    throw new DTypeError(`[${op}] indices must be int32, got ${x.dtype} ${showShape(x.shape)}: use .cast("int32").`);
  }
  return x.cast("int32");
}
