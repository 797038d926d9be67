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
  [Symbol.dispose](): void {
    this.dispose();
  }

  // Element-wise
  add(y: TensorLike): Tensor {
    return e.add(this, y);
  }
  sub(y: TensorLike): Tensor {
    return e.sub(this, y);
  }
  mul(y: TensorLike): Tensor {
    return e.mul(this, y);
  }
  div(y: TensorLike): Tensor {
    return e.div(this, y);
  }
  floorDiv(y: TensorLike): Tensor {
    return e.floorDiv(this, y);
  }
  mod(y: TensorLike): Tensor {
    return e.mod(this, y);
  }
  pow(y: TensorLike): Tensor {
    return e.pow(this, y);
  }
  maximum(y: TensorLike): Tensor {
    return e.maximum(this, y);
  }
  minimum(y: TensorLike): Tensor {
    return e.minimum(this, y);
  }
  neg(): Tensor {
    return e.neg(this);
  }
  abs(): Tensor {
    return e.abs(this);
  }
  sign(): Tensor {
    return e.sign(this);
  }
  floor(): Tensor {
    return e.floor(this);
  }
  ceil(): Tensor {
    return e.ceil(this);
  }
  round(): Tensor {
    return e.round(this);
  }
  sqrt(): Tensor {
    return e.sqrt(this);
  }
  rsqrt(): Tensor {
    return e.rsqrt(this);
  }
  square(): Tensor {
    return e.square(this);
  }
  reciprocal(): Tensor {
    return e.reciprocal(this);
  }
  exp(): Tensor {
    return e.exp(this);
  }
  expm1(): Tensor {
    return e.expm1(this);
  }
  log(): Tensor {
    return e.log(this);
  }
  log1p(): Tensor {
    return e.log1p(this);
  }
  sin(): Tensor {
    return e.sin(this);
  }
  cos(): Tensor {
    return e.cos(this);
  }
  tan(): Tensor {
    return e.tan(this);
  }
  tanh(): Tensor {
    return e.tanh(this);
  }
  erf(): Tensor {
    return e.erf(this);
  }
  sigmoid(): Tensor {
    return e.sigmoid(this);
  }
  relu(): Tensor {
    return e.relu(this);
  }
  softplus(): Tensor {
    return e.softplus(this);
  }
  clip(lo: TensorLike, hi: TensorLike): Tensor {
    return e.clip(this, lo, hi);
  }
  cast(dtype: DType): Tensor {
    return e.cast(this, dtype);
  }
  /** NumPy's name for `cast`. */
  astype(dtype: DType): Tensor {
    return e.cast(this, dtype);
  }
  equal(y: TensorLike): Tensor {
    return e.equal(this, y);
  }
  notEqual(y: TensorLike): Tensor {
    return e.notEqual(this, y);
  }
  less(y: TensorLike): Tensor {
    return e.less(this, y);
  }
  lessEqual(y: TensorLike): Tensor {
    return e.lessEqual(this, y);
  }
  greater(y: TensorLike): Tensor {
    return e.greater(this, y);
  }
  greaterEqual(y: TensorLike): Tensor {
    return e.greaterEqual(this, y);
  }
  logicalAnd(y: TensorLike): Tensor {
    return e.logicalAnd(this, y);
  }
  logicalOr(y: TensorLike): Tensor {
    return e.logicalOr(this, y);
  }
  logicalNot(): Tensor {
    return e.logicalNot(this);
  }
  isNaN(): Tensor {
    return e.isNaN(this);
  }
  isFinite(): Tensor {
    return e.isFinite(this);
  }

  // Reductions
  sum(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.sum(this, axis, options);
  }
  prod(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.prod(this, axis, options);
  }
  mean(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.mean(this, axis, options);
  }
  variance(axis?: Axis, options?: r.VarianceOptions): Tensor {
    return r.variance(this, axis, options);
  }
  std(axis?: Axis, options?: r.VarianceOptions): Tensor {
    return r.std(this, axis, options);
  }
  min(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.min(this, axis, options);
  }
  max(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.max(this, axis, options);
  }
  any(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.any(this, axis, options);
  }
  all(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.all(this, axis, options);
  }
  argmax(axis?: number, options?: ReduceOptions): Tensor {
    return r.argmax(this, axis, options);
  }
  argmin(axis?: number, options?: ReduceOptions): Tensor {
    return r.argmin(this, axis, options);
  }
  norm(axis?: Axis, options?: r.NormOptions): Tensor {
    return r.norm(this, axis, options);
  }
  logSumExp(axis?: Axis, options?: ReduceOptions): Tensor {
    return r.logSumExp(this, axis, options);
  }
  softmax(axis?: number): Tensor {
    return r.softmax(this, axis);
  }
  logSoftmax(axis?: number): Tensor {
    return r.logSoftmax(this, axis);
  }
  cumsum(axis?: number, options?: r.CumsumOptions): Tensor {
    return r.cumsum(this, axis, options);
  }

  // Linear
  matmul(y: TensorLike): Tensor {
    return l.matmul(this, y);
  }
  dot(y: TensorLike): Tensor {
    return l.dot(this, y);
  }
  outer(y: TensorLike): Tensor {
    return l.outer(this, y);
  }

  // Movement
  reshape(shape: readonly number[]): Tensor {
    return m.reshape(this, shape);
  }
  flatten(startAxis?: number): Tensor {
    return m.flatten(this, startAxis);
  }
  squeeze(axis?: Axis): Tensor {
    return m.squeeze(this, axis);
  }
  expandDims(axis: Axis & {}): Tensor {
    return m.expandDims(this, axis);
  }
  transpose(perm?: readonly number[]): Tensor {
    return m.transpose(this, perm);
  }
  permute(perm: readonly number[]): Tensor {
    return m.transpose(this, perm);
  }
  swapaxes(a: number, b: number): Tensor {
    return m.swapaxes(this, a, b);
  }
  moveaxis(from: number, to: number): Tensor {
    return m.moveaxis(this, from, to);
  }
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
  flip(axis?: Axis): Tensor {
    return m.flip(this, axis);
  }
  pad(padding: m.Padding, options?: m.PadOptions): Tensor {
    return m.pad(this, padding, options);
  }
  split(parts: number | readonly number[], axis?: number): Tensor[] {
    return m.split(this, parts, axis);
  }
  tile(reps: number | readonly number[]): Tensor {
    return m.tile(this, reps);
  }
  repeat(count: number, axis?: number): Tensor {
    return m.repeat(this, count, axis);
  }
  gather(indices: TensorLike, axis?: number): Tensor {
    return x.gather(this, indices, axis);
  }
  take(indices: TensorLike, axis?: number): Tensor {
    return x.gather(this, indices, axis);
  }
  takeAlongAxis(indices: TensorLike, axis?: number): Tensor {
    return x.takeAlongAxis(this, indices, axis);
  }
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
