/// <reference lib="esnext.disposable" preserve="true" />
import { type DType, showShape, sizeOf, TraceError, type TypedArray, ValueError } from "../base/index.ts";
import { build, type Node } from "../ir/index.ts";
import type { NestedArray, TensorLike } from "./convert.ts";
import * as e from "./elementwise.ts";
import type { Value } from "./executor.ts";
import * as x from "./indexing.ts";
import * as l from "./matmul.ts";
import * as m from "./movement.ts";
import { formatTensor, nest } from "./print.ts";
import { canRealise, realise } from "./realise.ts";
import * as r from "./reduce.ts";
import type { Axis, ReduceOptions } from "./reduce.ts";
import { type Range, slice } from "./slicing.ts";
import { currentTrace, type Trace } from "./trace.ts";

/**
 * An n-dimensional array: a handle to a node of the graph. Outside of `compiled` and `grad` it has its value at once;
 * inside it is symbolic. Never needs `dispose`. Every method is also a free function of the same name.
 */
export class Tensor {
  /** The node this handle stands for. */
  protected self: Node;
  protected held: Value | null;
  /** The trace a symbolic tensor was made in. */
  private readonly home: Trace | null;
  private gone = false;

  constructor(node: Node, value: Value | null = null) {
    this.self = node;
    this.held = value;
    this.home = value === null ? currentTrace() : null;
  }

  get shape(): readonly number[] {
    return this.self.shape;
  }
  get dtype(): DType {
    return this.self.dtype;
  }
  get rank(): number {
    return this.self.shape.length;
  }
  get size(): number {
    return sizeOf(this.self.shape);
  }
  /** Axes reversed. */
  get T(): Tensor {
    return m.transpose(this);
  }

  /** The graph node, registered as an input of the trace in progress when it has a value. */
  get node(): Node {
    if (this.gone) this.refuse();
    const trace = currentTrace();
    if (trace === null || this.held === null) return this.self;
    if (this.self.op !== "leaf") {
      if (this.home === trace) return this.self;
      // Read while it was symbolic, used in another trace: from here on a plain value.
      this.self = build.leaf(this.self.shape, this.self.dtype);
    }
    trace.captured.set(this.self, this.held);
    return this.self;
  }

  /** The realised value; throws inside `compiled`, where there is none. */
  get value(): Value {
    if (this.gone) this.refuse();
    return (this.held ??= realise(this.self));
  }

  private refuse(): never {
    throw new TraceError(
      `A ${this.dtype} tensor ${showShape(this.shape)} is used after dispose(): drop the dispose (it is never needed) or use a copy.`,
    );
  }

  /** A copy of the elements, row-major (bool as 0/1). Throws TraceError inside `compiled`. */
  dataSync(): TypedArray {
    return this.value.read();
  }

  /** A copy of the elements, row-major; works on every device. */
  async data(): Promise<TypedArray> {
    return this.value.read();
  }

  /** The only element of a tensor of size 1, as a number. */
  item(): number {
    if (this.size !== 1) {
      throw new ValueError(
        `[item] needs a tensor of one element, got ${showShape(this.shape)}: index with at() or reduce it first.`,
      );
    }
    return this.value.read()[0];
  }

  /** Nested arrays of numbers (booleans for bool); a number for a scalar. */
  array(): NestedArray | number | boolean {
    return nest(this.value.read(), this.shape, this.dtype);
  }
  /** The same as `array()`. */
  toArray(): NestedArray | number | boolean {
    return this.array();
  }

  /** NumPy's layout, with dtype and shape; long axes are abbreviated. */
  toString(): string {
    return formatTensor(this.dtype, this.shape, this.gone ? "disposed" : this.peek());
  }
  private peek(): TypedArray | null {
    if (this.held === null && !canRealise()) return null;
    return this.dataSync();
  }

  /** Gives the memory back at once. Optional: the runtime reclaims it anyway. Later use throws TraceError. */
  dispose(): void {
    if (this.gone) return;
    this.gone = true;
    this.held?.dispose();
    this.held = null;
  }
  /** `using x = …` calls `dispose` at the end of the block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  // Element-wise
  /** x + y, broadcast. */
  add(y: TensorLike): Tensor {
    return e.add(this, y);
  }
  /** x − y, broadcast. */
  sub(y: TensorLike): Tensor {
    return e.sub(this, y);
  }
  /** x · y element by element (Hadamard product), broadcast. */
  mul(y: TensorLike): Tensor {
    return e.mul(this, y);
  }
  /** x / y, broadcast; whole numbers give float32. */
  div(y: TensorLike): Tensor {
    return e.div(this, y);
  }
  /** ⌊x / y⌋, broadcast. */
  floorDiv(y: TensorLike): Tensor {
    return e.floorDiv(this, y);
  }
  /** The remainder x − y⌊x / y⌋ with the sign of y, broadcast. */
  mod(y: TensorLike): Tensor {
    return e.mod(this, y);
  }
  /** x to the power y, broadcast. */
  pow(y: TensorLike): Tensor {
    return e.pow(this, y);
  }
  /** The larger of x and y, broadcast. */
  maximum(y: TensorLike): Tensor {
    return e.maximum(this, y);
  }
  /** The smaller of x and y, broadcast. */
  minimum(y: TensorLike): Tensor {
    return e.minimum(this, y);
  }
  /** −x. */
  neg(): Tensor {
    return e.neg(this);
  }
  /** |x|. */
  abs(): Tensor {
    return e.abs(this);
  }
  /** −1, 0 or 1. */
  sign(): Tensor {
    return e.sign(this);
  }
  /** The next whole number downward. */
  floor(): Tensor {
    return e.floor(this);
  }
  /** The next whole number upward. */
  ceil(): Tensor {
    return e.ceil(this);
  }
  /** To the nearest whole number, halves to even. */
  round(): Tensor {
    return e.round(this);
  }
  /** √x. */
  sqrt(): Tensor {
    return e.sqrt(this);
  }
  /** 1/√x. */
  rsqrt(): Tensor {
    return e.rsqrt(this);
  }
  /** X². */
  square(): Tensor {
    return e.square(this);
  }
  /** 1/x. */
  reciprocal(): Tensor {
    return e.reciprocal(this);
  }
  /** Eˣ. */
  exp(): Tensor {
    return e.exp(this);
  }
  /** Eˣ − 1, exact near 0. */
  expm1(): Tensor {
    return e.expm1(this);
  }
  /** The natural logarithm. */
  log(): Tensor {
    return e.log(this);
  }
  /** Ln(1 + x), exact near 0. */
  log1p(): Tensor {
    return e.log1p(this);
  }
  /** The sine of x in radians. */
  sin(): Tensor {
    return e.sin(this);
  }
  /** The cosine of x in radians. */
  cos(): Tensor {
    return e.cos(this);
  }
  /** The tangent of x in radians. */
  tan(): Tensor {
    return e.tan(this);
  }
  /** The hyperbolic tangent. */
  tanh(): Tensor {
    return e.tanh(this);
  }
  /** The error function, 2/√π ∫₀ˣ e^(−t²) dt. */
  erf(): Tensor {
    return e.erf(this);
  }
  /** 1/(1 + e⁻ˣ). */
  sigmoid(): Tensor {
    return e.sigmoid(this);
  }
  /** Max(x, 0). */
  relu(): Tensor {
    return e.relu(this);
  }
  /** Ln(1 + eˣ). */
  softplus(): Tensor {
    return e.softplus(this);
  }
  /** Limited to [lo, hi]. */
  clip(lo: TensorLike, hi: TensorLike): Tensor {
    return e.clip(this, lo, hi);
  }
  /** The same values in another dtype. */
  cast(dtype: DType): Tensor {
    return e.cast(this, dtype);
  }
  /** NumPy's name for `cast`. */
  astype(dtype: DType): Tensor {
    return e.cast(this, dtype);
  }
  /** x = y as bool, broadcast. */
  equal(y: TensorLike): Tensor {
    return e.equal(this, y);
  }
  /** x ≠ y as bool, broadcast. */
  notEqual(y: TensorLike): Tensor {
    return e.notEqual(this, y);
  }
  /** x < y as bool, broadcast. */
  less(y: TensorLike): Tensor {
    return e.less(this, y);
  }
  /** x ≤ y as bool, broadcast. */
  lessEqual(y: TensorLike): Tensor {
    return e.lessEqual(this, y);
  }
  /** x > y as bool, broadcast. */
  greater(y: TensorLike): Tensor {
    return e.greater(this, y);
  }
  /** x ≥ y as bool, broadcast. */
  greaterEqual(y: TensorLike): Tensor {
    return e.greaterEqual(this, y);
  }
  /** x and y as bool, broadcast; not 0 is true. */
  logicalAnd(y: TensorLike): Tensor {
    return e.logicalAnd(this, y);
  }
  /** x or y as bool, broadcast; not 0 is true. */
  logicalOr(y: TensorLike): Tensor {
    return e.logicalOr(this, y);
  }
  /** Not x, as bool. */
  logicalNot(): Tensor {
    return e.logicalNot(this);
  }
  /** Where there is a NaN, as bool. */
  isNaN(): Tensor {
    return e.isNaN(this);
  }
  /** Where there is neither NaN nor ±∞, as bool. */
  isFinite(): Tensor {
    return e.isFinite(this);
  }

  // Reductions
  /** Σ x over an axis, several, or all. */
  sum(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.sum(this, axis, options);
  }
  /** Π x over an axis, several, or all. */
  prod(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.prod(this, axis, options);
  }
  /** The mean over an axis, several, or all. */
  mean(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.mean(this, axis, options);
  }
  /** The variance over an axis, several, or all; divides by n unless `ddof` says otherwise. */
  variance(axis?: Axis, options?: r.VarianceOptions): Tensor {
    return r.variance(this, axis, options);
  }
  /** The standard deviation: the root of `variance`. */
  std(axis?: Axis, options?: r.VarianceOptions): Tensor {
    return r.std(this, axis, options);
  }
  /** The smallest over an axis, several, or all. */
  min(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.min(this, axis, options);
  }
  /** The largest over an axis, several, or all. */
  max(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.max(this, axis, options);
  }
  /** Whether one is true, over an axis, several, or all. */
  any(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.any(this, axis, options);
  }
  /** Whether all are true, over an axis, several, or all. */
  all(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.all(this, axis, options);
  }
  /** The place of the largest along an axis (default: of all, flattened), int32; the first of equals. */
  argmax(axis?: number, options?: ReduceOptions): Tensor {
    return r.argmax(this, axis, options);
  }
  /** The place of the smallest along an axis (default: of all, flattened), int32; the first of equals. */
  argmin(axis?: number, options?: ReduceOptions): Tensor {
    return r.argmin(this, axis, options);
  }
  /** The norm over an axis, several, or all: √Σx² unless `ord` says otherwise. */
  norm(axis?: Axis, options?: r.NormOptions): Tensor {
    return r.norm(this, axis, options);
  }
  /** ln Σ eˣ over an axis, several, or all, shifted by the largest. */
  logSumExp(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.logSumExp(this, axis, options);
  }
  /** eˣ / Σ eˣ along an axis. Default: the last. */
  softmax(axis?: number): Tensor {
    return r.softmax(this, axis);
  }
  /** ln softmax along an axis. Default: the last. */
  logSoftmax(axis?: number): Tensor {
    return r.logSoftmax(this, axis);
  }
  /** Running sums along an axis. */
  cumsum(axis?: number, options?: r.CumsumOptions): Tensor {
    return r.cumsum(this, axis, options);
  }

  // Linear
  /** Matrix product of the last two axes: [..., n, k] · [..., k, m] → [..., n, m]; the axes before broadcast. */
  matmul(y: TensorLike): Tensor {
    return l.matmul(this, y);
  }
  /** NumPy's dot: of vectors their product, of matrices the matrix product. */
  dot(y: TensorLike): Tensor {
    return l.dot(this, y);
  }
  /** x yᵀ of two vectors: [n], [m] → [n, m]. */
  outer(y: TensorLike): Tensor {
    return l.outer(this, y);
  }

  // Movement
  /** The same elements in another shape; one size may be −1. */
  reshape(shape: readonly number[]): Tensor {
    return m.reshape(this, shape);
  }
  /** One axis of all from `startAxis` on (default: 0). */
  flatten(startAxis?: number): Tensor {
    return m.flatten(this, startAxis);
  }
  /** Without axes of size 1: those named, or all. */
  squeeze(axis?: Axis): Tensor {
    return m.squeeze(this, axis);
  }
  /** With new axes of size 1 at these places. */
  expandDims(axis: Axis & {}): Tensor {
    return m.expandDims(this, axis);
  }
  /** Axes in another order; reversed without one. */
  transpose(perm?: readonly number[]): Tensor {
    return m.transpose(this, perm);
  }
  /** Axes in the order `perm`. */
  permute(perm: readonly number[]): Tensor {
    return m.transpose(this, perm);
  }
  /** Two axes exchanged. */
  swapaxes(a: number, b: number): Tensor {
    return m.swapaxes(this, a, b);
  }
  /** One axis at another place. */
  moveaxis(from: number, to: number): Tensor {
    return m.moveaxis(this, from, to);
  }
  /** Repeated along axes of size 1 and new ones in front, without a copy. */
  broadcastTo(shape: readonly number[]): Tensor {
    return m.broadcastTo(this, shape);
  }
  /** One range an axis, from the first: `[start, stop, step]`, an index, or null for all. */
  slice(...ranges: readonly Range[]): Tensor {
    return slice(this, ...ranges);
  }
  /** The sub-tensor at these leading indices; negative ones count from the end. */
  at(...indices: readonly number[]): Tensor {
    return slice(this, ...indices);
  }
  /** Reversed along an axis, several, or all. */
  flip(axis?: Axis): Tensor {
    return m.flip(this, axis);
  }
  /** With zeros (or `value`) around: [before, after] an axis. */
  pad(padding: m.Padding, options?: m.PadOptions): Tensor {
    return m.pad(this, padding, options);
  }
  /** Parts along an axis: a number of equal ones, or their sizes. */
  split(parts: number | readonly number[], axis?: number): Tensor[] {
    return m.split(this, parts, axis);
  }
  /** Repeated as a whole, so often along each axis. */
  tile(reps: number | readonly number[]): Tensor {
    return m.tile(this, reps);
  }
  /** Each element repeated, along an axis. */
  repeat(count: number, axis?: number): Tensor {
    return m.repeat(this, count, axis);
  }
  /** The slices at these indices along an axis. Default: 0. */
  gather(indices: TensorLike, axis?: number): Tensor {
    return x.gather(this, indices, axis);
  }
  /** The same as `gather`. */
  take(indices: TensorLike, axis?: number): Tensor {
    return x.gather(this, indices, axis);
  }
  /** One element an index, along an axis; indices have the shape of the result. */
  takeAlongAxis(indices: TensorLike, axis?: number): Tensor {
    return x.takeAlongAxis(this, indices, axis);
  }
  /** A copy with `updates` added to the slices at these indices. */
  scatterAdd(indices: TensorLike, updates: TensorLike, axis?: number): Tensor {
    return x.scatterAdd(this, indices, updates, axis);
  }
}

// What console.log shows in Node.
Object.defineProperty(Tensor.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: Tensor): string {
    return this.toString();
  },
});
