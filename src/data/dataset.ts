import {
  bytesOf,
  checkShape,
  type DType,
  foldKey,
  hostArray,
  isInt,
  type Key,
  keyOfSeed,
  permutationOf,
  sameShape,
  ShapeError,
  showShape,
  sizeOf,
  type TypedArray,
  ValueError,
} from "../base/index.ts";
import type { HostArray } from "../io/index.ts";
import { checkLabels } from "./labels.ts";

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
  /** Fill the same buffers again and again: a batch is then valid until the next one. Default false. */
  readonly reuse?: boolean;
}

/** One sample, as `map` sees it; `y` is null without labels. */
export interface Sample {
  readonly x: HostArray;
  readonly y: HostArray | null;
}

export interface DatasetInit {
  /** [n, ...]. */
  readonly x: HostArray;
  /** [n, ...], for example int32 class numbers [n]. */
  readonly y?: HostArray | null;
  /** [n]. */
  readonly sampleWeight?: HostArray | null;
  /** Number of classes; when given, integer labels are checked to lie in 0..classes-1. */
  readonly classes?: number | null;
  /** Multiply x by this while batching and give float32: keeps images as bytes in memory. */
  readonly scale?: number;
}

/** Samples of one kind, all of the same shape. `table` maps stored bytes to what a batch holds. */
interface Column {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly table: Float32Array | null;
}

type MapFunction = (sample: Sample, key: Key) => Sample;

/** What a dataset is made of; views share columns and differ in `order`. */
interface Parts {
  readonly x: Column;
  readonly y: Column | null;
  readonly sampleWeight: Column | null;
  readonly classes: number | null;
  /** Rows of the columns, in order; null: all of them as they stand. */
  readonly order: Int32Array | null;
  readonly maps: readonly MapFunction[];
  /** Shapes and dtypes after the maps. */
  readonly out: { readonly x: Spec; readonly y: Spec | null };
}

interface Spec {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/**
 * Samples in memory that become batches in a reproducible order. Immutable: `take`, `skip`, `split`, `shuffled` and `map`
 * return views of the same arrays.
 *
 * @example
 * const data = datasetOf({ x: { data: new Float32Array(8), shape: [4, 2], dtype: "float32" } });
 * for (const batch of data.batches(3, { shuffle: true, seed: 1 })) console.log(batch.x.shape); // [3, 2], then [1, 2]
 */
export class Dataset {
  private readonly parts: Parts;

  /** Use `datasetOf`. */
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
    for (let index = options.start ?? 0; index < steps; index++) {
      const from = index * batchSize;
      const size = Math.min(batchSize, this.length - from);
      for (let i = 0; i < size; i++) {
        const at = shuffle === null ? from + i : shuffle[from + i];
        rows[i] = this.parts.order === null ? at : this.parts.order[at];
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
    const { y, maps } = this.parts;
    if (y === null || maps.length > 0) return this.all().y?.data ?? null;
    const out = hostArray(y.dtype, this.length * sizeOf(y.shape));
    gather(
      y,
      Int32Array.from({ length: this.length }, (_, i) => this.row(i)),
      out,
    );
    return out;
  }

  /** The first `n` samples (all when there are fewer). */
  take(n: number): Dataset {
    return this.slice(0, n);
  }

  /** All but the first `n` samples. */
  skip(n: number): Dataset {
    return this.slice(n, this.length);
  }

  /** Samples `from` (included) to `to` (excluded). */
  slice(from: number, to: number): Dataset {
    if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from) {
      throw new ValueError(
        `[dataset] cannot take samples ${from} to ${to}: both must be whole numbers with 0 ≤ from ≤ to.`,
      );
    }
    const end = Math.min(to, this.length);
    return this.view(Int32Array.from({ length: Math.max(0, end - from) }, (_, i) => this.row(from + i)));
  }

  /**
   * Two parts: the first holds `fraction` of the samples (rounded), the second the rest. Not shuffled: call `shuffled`
   * first when the data is sorted by class.
   */
  split(fraction: number): [Dataset, Dataset] {
    if (!(fraction >= 0 && fraction <= 1)) {
      const hint = fraction > 1 && fraction <= 100 ? ` Did you mean ${fraction / 100}?` : "";
      throw new ValueError(`[dataset] split needs the fraction of the first part, in 0..1, got ${fraction}.${hint}`);
    }
    const n = Math.round(this.length * fraction);
    return [this.take(n), this.skip(n)];
  }

  /** The same samples in another fixed order. */
  shuffled(seed = 0): Dataset {
    return this.view(permutationOf(keyOfSeed(seed), this.length).map((i) => this.row(i)));
  }

  /**
   * A dataset whose samples go through `f` each time they are batched. `key` differs by epoch and sample: draw from it to
   * augment reproducibly. `f` must return one shape and dtype for all samples.
   */
  map(f: MapFunction): Dataset {
    const maps = [...this.parts.maps, f];
    if (this.length === 0) return new Dataset({ ...this.parts, maps });
    const first = this.sample(this.row(0), maps, keyOfSeed(0));
    const out = { x: specOf(first.x), y: first.y === null ? null : specOf(first.y) };
    return new Dataset({ ...this.parts, maps, out });
  }

  private row(i: number): number {
    return this.parts.order === null ? i : this.parts.order[i];
  }

  private view(order: Int32Array): Dataset {
    return new Dataset({ ...this.parts, order });
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
    const { x, y, sampleWeight, out, maps } = this.parts;
    const size = rows.length;
    const cut = (data: TypedArray, spec: Spec): HostArray => ({
      data: data.subarray(0, size * sizeOf(spec.shape)),
      shape: [size, ...spec.shape],
      dtype: spec.dtype,
    });
    const bx = cut(into.x, out.x);
    const by = into.y === null || out.y === null ? null : cut(into.y, out.y);
    const bw = into.sampleWeight === null ? null : cut(into.sampleWeight, { shape: [], dtype: "float32" });
    if (sampleWeight !== null && bw !== null) gather(sampleWeight, rows, bw.data);
    if (maps.length === 0) {
      gather(x, rows, bx.data);
      if (y !== null && by !== null) gather(y, rows, by.data);
    } else {
      for (let i = 0; i < size; i++) {
        const sample = this.sample(rows[i], maps, foldKey(epochKey, rows[i]));
        place(sample.x, out.x, bx.data, i, "x");
        if (sample.y !== null && by !== null && out.y !== null) place(sample.y, out.y, by.data, i, "y");
      }
    }
    return { x: bx, y: by, sampleWeight: bw, size, index };
  }

  private sample(row: number, maps: readonly MapFunction[], key: Key): Sample {
    const rows = Int32Array.of(row);
    const one = (c: Column): HostArray => {
      const data = hostArray(c.dtype, sizeOf(c.shape));
      gather(c, rows, data);
      return { data, shape: c.shape, dtype: c.dtype };
    };
    let s: Sample = { x: one(this.parts.x), y: this.parts.y === null ? null : one(this.parts.y) };
    for (const f of maps) s = f(s, key);
    return s;
  }
}

interface Buffers {
  readonly x: TypedArray;
  readonly y: TypedArray | null;
  readonly sampleWeight: TypedArray | null;
}

const rowsOf = (c: Column): number => (sizeOf(c.shape) === 0 ? 0 : c.data.length / sizeOf(c.shape));
const specOf = (a: HostArray): Spec => ({ shape: [...a.shape], dtype: a.dtype });

/** out [rows, ...] = the rows of the column, through its table. */
function gather(column: Column, rows: Int32Array, out: TypedArray): void {
  const n = sizeOf(column.shape);
  const { data, table } = column;
  for (let r = 0; r < rows.length; r++) {
    const from = rows[r] * n;
    if (table === null) out.set(data.subarray(from, from + n), r * n);
    else for (let i = 0, to = r * n; i < n; i++) out[to + i] = table[data[from + i]];
  }
}

function place(a: HostArray, spec: Spec, out: TypedArray, at: number, what: string): void {
  if (!sameShape(a.shape, spec.shape) || a.dtype !== spec.dtype) {
    throw new ShapeError(
      `[dataset] map gave ${what} ${a.dtype} ${showShape(a.shape)} for one sample and ${spec.dtype} ` +
        `${showShape(spec.shape)} for the first: all samples of a dataset must have one shape and dtype.`,
    );
  }
  out.set(a.data, at * sizeOf(spec.shape));
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

/**
 * A dataset over host arrays: x [n, ...], y [n, ...], sampleWeight [n]. The arrays are not copied.
 *
 * @throws ShapeError when first axes differ or an array does not fill its shape; ValueError for labels out of range.
 * @example
 * datasetOf({
 *   x: { data: new Float32Array([0, 0, 1, 1]), shape: [2, 2], dtype: "float32" },
 *   y: { data: new Int32Array([0, 1]), shape: [2], dtype: "int32" },
 *   classes: 2,
 * });
 */
export function datasetOf(init: DatasetInit): Dataset {
  const { x, y = null, sampleWeight = null, classes = null, scale } = init;
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
  if (y !== null && classes !== null && isInt(y.dtype)) checkLabels(y.data, classes, "dataset");
  const column = (a: HostArray): Column => ({ data: a.data, shape: a.shape.slice(1), dtype: a.dtype, table: null });
  const cx = scale === undefined ? column(x) : scaled(x, scale);
  const cy = y === null ? null : column(y);
  const cw = sampleWeight === null ? null : { ...column(sampleWeight), dtype: "float32" as const };
  return new Dataset({ x: cx, y: cy, sampleWeight: cw, classes, order: null, maps: [], out: { x: cx, y: cy } });
}

/** Bytes that batches show as float32 byte · scale, through a table of 256. */
function scaled(x: HostArray, scale: number): Column {
  if (x.dtype !== "uint8")
    throw new ValueError(`[dataset] scale is for uint8 images, got ${x.dtype}: scale the array instead.`);
  return {
    data: x.data,
    shape: x.shape.slice(1),
    dtype: "float32",
    table: Float32Array.from({ length: 256 }, (_, i) => i * scale),
  };
}
