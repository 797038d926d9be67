/** Samples in memory and how they become batches: what `fit` makes of plain arrays, and what datasets stand on. */
import {
  bytesOf,
  checkShape,
  type DType,
  foldKey,
  hostArray,
  type Key,
  keyOfSeed,
  permutationOf,
  ShapeError,
  showShape,
  sizeOf,
  type TypedArray,
  ValueError,
} from "../base/index.ts";
import type { HostArray } from "../io/index.ts";

/** One batch: x [size, ...], y [size, ...] (null without labels), sampleWeight [size] float32 (null without). */
export interface Batch {
  readonly x: HostArray;
  readonly y: HostArray | null;
  readonly sampleWeight: HostArray | null;
  /** Samples in it; the last batch may have fewer. */
  readonly size: number;
  /** Its number in the epoch, from 0. */
  readonly index: number;
}

/** How samples become batches. */
export interface BatchOptions {
  /** Another order every epoch; default false: the order of the data. */
  readonly shuffle?: boolean;
  /** Of the order; default 0. The same seed and epoch give the same order everywhere. */
  readonly seed?: number;
  /** Default 0. */
  readonly epoch?: number;
  /** Leave out the last batch when it is short; default false. */
  readonly dropRemainder?: boolean;
  /** Number of the first batch to give: resumes in the middle of an epoch; default 0. */
  readonly start?: number;
  /** From one batch to the next that is given: several readers share an epoch; default 1. */
  readonly stride?: number;
  /** Fill the same buffers again and again: a batch is then valid until the next one. Default false. */
  readonly reuse?: boolean;
}

/** Samples as host arrays. */
export interface SamplesInit {
  /** [n, ...]. */
  readonly x: HostArray;
  /** [n, ...], for example int32 class numbers [n]. */
  readonly y?: HostArray | null;
  /** [n]. */
  readonly sampleWeight?: HostArray | null;
  /** Number of classes. */
  readonly classes?: number | null;
}

/** Samples of one kind, all of the same shape. `table` maps stored bytes to what a batch holds. */
export interface Column {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly table: Float32Array | null;
}

/** What samples are made of; views share columns and differ in `order`. */
export interface Parts {
  readonly x: Column;
  readonly y: Column | null;
  readonly sampleWeight: Column | null;
  readonly classes: number | null;
  /** Rows of the columns, in order; null: all of them as they stand. */
  readonly order: Int32Array | null;
  /** Shapes and dtypes in a batch. */
  readonly out: { readonly x: Spec; readonly y: Spec | null };
}

/** Shape and dtype of one sample. */
export interface Spec {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** Samples of one shape that become batches in a reproducible order. Immutable: views share the arrays. */
export class Samples {
  protected readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Number of samples. */
  get length(): number {
    return this.parts.order?.length ?? rowsOf(this.parts.x);
  }
  /** Shape of one sample: [28, 28, 1] for MNIST. */
  get xShape(): readonly number[] {
    return this.parts.out.x.shape;
  }
  get xDtype(): DType {
    return this.parts.out.x.dtype;
  }
  /** Shape of one label ([] for class numbers); null without labels. */
  get yShape(): readonly number[] | null {
    return this.parts.out.y?.shape ?? null;
  }
  get yDtype(): DType | null {
    return this.parts.out.y?.dtype ?? null;
  }
  get hasSampleWeight(): boolean {
    return this.parts.sampleWeight !== null;
  }
  /** Number of classes, when it was given. */
  get classes(): number | null {
    return this.parts.classes;
  }

  /** Batches an epoch: the short last one counts unless dropped. */
  steps(batchSize: number, dropRemainder = false): number {
    checkBatchSize(batchSize);
    return dropRemainder ? Math.floor(this.length / batchSize) : Math.ceil(this.length / batchSize);
  }

  /**
   * The batches of one epoch. Order with `shuffle`: `permutationOf(foldKey(keyOfSeed(seed), epoch), length)`.
   *
   * @throws ValueError when the batch size is not a whole number ≥ 1.
   */
  *batches(batchSize: number, options: BatchOptions = {}): Generator<Batch, void, undefined> {
    const steps = this.steps(batchSize, options.dropRemainder);
    const epochKey = foldKey(keyOfSeed(options.seed ?? 0), options.epoch ?? 0);
    const shuffle = options.shuffle === true ? permutationOf(epochKey, this.length) : null;
    const rows = new Int32Array(batchSize);
    let kept: Buffers | null = null;
    for (let index = options.start ?? 0; index < steps; index += options.stride ?? 1) {
      const from = index * batchSize;
      const size = Math.min(batchSize, this.length - from);
      for (let i = 0; i < size; i++) {
        const at = shuffle === null ? from + i : shuffle[from + i];
        rows[i] = this.row(at);
      }
      if (kept === null || options.reuse !== true) kept = this.buffers(size);
      yield this.fill(kept, rows.subarray(0, size), index, epochKey);
    }
  }

  /** Everything as one batch, in order. */
  all(): Batch {
    const [batch] = this.batches(Math.max(1, this.length));
    return batch ?? this.fill(this.buffers(0), new Int32Array(0), 0, keyOfSeed(0));
  }

  /** The labels in order, or null. */
  labels(): TypedArray | null {
    const { y } = this.parts;
    if (y === null) return null;
    const out = hostArray(y.dtype, this.length * sizeOf(y.shape));
    gather(
      y,
      Int32Array.from({ length: this.length }, (_, i) => this.row(i)),
      out,
    );
    return out;
  }

  /** Samples `from` (included) to `to` (excluded). */
  slice(from: number, to: number): this {
    if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from) {
      throw new ValueError(
        `[dataset] cannot take samples ${from} to ${to}: both must be whole numbers with 0 ≤ from ≤ to.`,
      );
    }
    const end = Math.min(to, this.length);
    return this.view(Int32Array.from({ length: Math.max(0, end - from) }, (_, i) => this.row(from + i)));
  }

  /** The row of the arrays that holds sample i of this view. */
  protected row(i: number): number {
    return this.parts.order?.[i] ?? i;
  }

  /** The same samples by other rows. */
  protected view(order: Int32Array): this {
    const copy = Object.create(Object.getPrototypeOf(this) as object) as this;
    return Object.assign(copy, this, { parts: { ...this.parts, order } });
  }

  private buffers(size: number): Buffers {
    const { out, sampleWeight } = this.parts;
    return {
      x: hostArray(out.x.dtype, size * sizeOf(out.x.shape)),
      y: out.y === null ? null : hostArray(out.y.dtype, size * sizeOf(out.y.shape)),
      sampleWeight: sampleWeight === null ? null : new Float32Array(size),
    };
  }

  private fill(into: Buffers, rows: Int32Array, index: number, epochKey: Key): Batch {
    const { sampleWeight, out } = this.parts;
    const size = rows.length;
    const cut = (data: TypedArray, spec: Spec): HostArray => ({
      data: data.subarray(0, size * sizeOf(spec.shape)),
      shape: [size, ...spec.shape],
      dtype: spec.dtype,
    });
    const x = cut(into.x, out.x);
    const y = into.y === null || out.y === null ? null : cut(into.y, out.y);
    const w = into.sampleWeight === null ? null : cut(into.sampleWeight, { shape: [], dtype: "float32" });
    if (sampleWeight !== null && w !== null) gather(sampleWeight, rows, w.data);
    this.read(rows, x.data, y?.data ?? null, epochKey, index);
    return { x, y, sampleWeight: w, size, index };
  }

  /** Writes these rows, one after the other. */
  protected read(rows: Int32Array, x: TypedArray, y: TypedArray | null, _epochKey: Key, _index: number): void {
    gather(this.parts.x, rows, x);
    if (this.parts.y !== null && y !== null) gather(this.parts.y, rows, y);
  }
}

interface Buffers {
  readonly x: TypedArray;
  readonly y: TypedArray | null;
  readonly sampleWeight: TypedArray | null;
}

const rowsOf = (c: Column): number => (sizeOf(c.shape) === 0 ? 0 : c.data.length / sizeOf(c.shape));

/** out [rows, ...] = the rows of the column, through its table. */
export function gather(column: Column, rows: Int32Array, out: TypedArray): void {
  const n = sizeOf(column.shape);
  const { data, table } = column;
  for (let r = 0; r < rows.length; r++) {
    const from = rows[r] * n;
    if (table === null) out.set(data.subarray(from, from + n), r * n);
    else for (let i = 0, to = r * n; i < n; i++) out[to + i] = table[data[from + i]];
  }
}

function checkBatchSize(batchSize: number): void {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new ValueError(`[dataset] batchSize must be a whole number ≥ 1, got ${batchSize}.`);
  }
}

function checkArray(a: HostArray, what: string): void {
  checkShape(a.shape, `dataset ${what}`);
  if (a.shape.length === 0) {
    throw new ShapeError(`[dataset] ${what} is a scalar []: it needs a first axis that counts the samples.`);
  }
  if (a.data.length !== sizeOf(a.shape)) {
    throw new ShapeError(
      `[dataset] ${what} of shape ${showShape(a.shape)} needs ${sizeOf(a.shape)} elements, its array has ${a.data.length}.`,
    );
  }
  if (a.data.BYTES_PER_ELEMENT !== bytesOf(a.dtype)) {
    throw new ValueError(`[dataset] ${what} says dtype ${a.dtype}, but its array is a ${a.data.constructor.name}.`);
  }
}

export const columnOf = (a: HostArray): Column => ({
  data: a.data,
  shape: a.shape.slice(1),
  dtype: a.dtype,
  table: null,
});

/** The columns of host arrays x [n, ...], y [n, ...], sampleWeight [n], which are not copied. */
export function partsOf({ x, y = null, sampleWeight = null, classes = null }: SamplesInit): Parts {
  checkArray(x, "x");
  for (const [what, a] of [
    ["y", y],
    ["sampleWeight", sampleWeight],
  ] as const) {
    if (a === null) continue;
    checkArray(a, what);
    if (a.shape[0] !== x.shape[0]) {
      throw new ShapeError(
        `[dataset] x ${showShape(x.shape)} has ${x.shape[0]} samples, ${what} ${showShape(a.shape)} has ${a.shape[0]}: ` +
          `the first axes must be equal.`,
      );
    }
  }
  if (sampleWeight !== null && sampleWeight.shape.length !== 1) {
    throw new ShapeError(
      `[dataset] sampleWeight must have one number a sample, got shape ${showShape(sampleWeight.shape)}.`,
    );
  }
  const cx = columnOf(x);
  const cy = y === null ? null : columnOf(y);
  const cw = sampleWeight === null ? null : { ...columnOf(sampleWeight), dtype: "float32" as const };
  return { x: cx, y: cy, sampleWeight: cw, classes, order: null, out: { x: cx, y: cy } };
}
