import {
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
import { type Column, columnOf, gather, type Parts, partsOf, Samples, type SamplesInit, type Spec } from "./samples.ts";

/** One sample, as `map` sees it; `y` is null without labels. */
export interface Sample {
  readonly x: HostArray;
  readonly y: HostArray | null;
}

/** Options of `datasetOf`. */
export interface DatasetInit extends SamplesInit {
  /** Number of classes; when given, integer labels are checked to lie in 0..classes-1. */
  readonly classes?: number | null;
  /** Multiply x by this while batching and give float32: keeps images as bytes in memory. */
  readonly scale?: number;
}

/** Samples of one batch, as `mapBatches` sees them: x [size, ...], y [size, ...]; `y` is null without labels. */
export type SampleBatch = Sample;

/** One sample to another; the key is for random numbers, its own for each sample and epoch. */
export type MapFunction = (sample: Sample, key: Key) => Sample;
/** A batch to another; the key is for random numbers, its own for each batch and epoch. */
export type MapBatchFunction = (batch: SampleBatch, key: Key) => SampleBatch;

/** What is done to samples on their way into a batch. */
type Stage = { readonly each: MapFunction; readonly out?: Out } | { readonly batch: MapBatchFunction };
/** What the first sample became. */
type Out = Parts["out"];

/**
 * Samples in memory that become batches in a reproducible order. Immutable: `take`, `skip`, `select`, `split`, `shuffled`, `filter`,
 * `repeat`, `map` and `mapBatches` return views of the same arrays.
 *
 * @example
 * const data = datasetOf({ x: { data: new Float32Array(8), shape: [4, 2], dtype: "float32" } });
 * for (const batch of data.batches(3, { shuffle: true, seed: 1 })) console.log(batch.x.shape); // [3, 2], then [1, 2]
 */
export class Dataset extends Samples {
  private readonly stages: readonly Stage[];

  /** Use `datasetOf`. */
  constructor(parts: Parts, stages: readonly Stage[] = []) {
    super(parts);
    this.stages = stages;
  }

  override labels(): TypedArray | null {
    return this.stages.length > 0 ? (this.all().y?.data ?? null) : super.labels();
  }

  /** The first `n` samples (all when there are fewer). */
  take(n: number): Dataset {
    return this.slice(0, n);
  }

  /** All but the first `n` samples. */
  skip(n: number): Dataset {
    return this.slice(n, this.length);
  }

  /**
   * The samples at these positions, in this order; one may come several times.
   *
   * @throws ValueError for a position that is not there.
   */
  select(positions: ArrayLike<number>): Dataset {
    return this.view(
      Int32Array.from(positions, (i) => {
        if (Number.isInteger(i) && i >= 0 && i < this.length) return this.row(i);
        throw new ValueError(`[dataset] position ${i} is not one of the ${this.length} samples 0..${this.length - 1}.`);
      }),
    );
  }

  /**
   * Two parts: the first holds `fraction` of the samples (rounded), the second the rest. Not shuffled: call `shuffled`
   * first when the data is sorted by class, or use `trainTestSplit`.
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

  /** The samples for which `test` is true, each asked once, now; it sees them as `map` and `mapBatches` make them in epoch 0. */
  filter(test: (sample: Sample, position: number) => boolean): Dataset {
    const kept: number[] = [];
    for (let i = 0; i < this.length; i++) if (test(this.at(i), i)) kept.push(i);
    return this.select(kept);
  }

  /** All samples `times` times over: an epoch of that length. */
  repeat(times: number): Dataset {
    if (!Number.isInteger(times) || times < 0)
      throw new ValueError(`[dataset] repeat needs a whole number of times ≥ 0, got ${times}.`);
    return this.view(Int32Array.from({ length: times * this.length }, (_, i) => this.row(i % this.length)));
  }

  /** Every `count`-th sample from `index` on: the part of one of `count` workers. */
  shard(count: number, index: number): Dataset {
    if (!Number.isInteger(count) || !Number.isInteger(index) || index < 0 || index >= count)
      throw new ValueError(`[dataset] shard ${index} of ${count}: both must be whole numbers with 0 ≤ index < count.`);
    const n = Math.max(0, Math.ceil((this.length - index) / count));
    return this.view(Int32Array.from({ length: n }, (_, i) => this.row(index + i * count)));
  }

  /**
   * A dataset whose samples go through `f` each time they are batched. `key` differs by epoch and sample: draw from it to
   * augment reproducibly. `f` must return one shape and dtype for all samples.
   */
  map(f: MapFunction): Dataset {
    return this.staged({ each: f });
  }

  /**
   * A dataset whose batches go through `f`: quicker than `map` for augmentation, and `f` may mix samples. `key` differs by epoch and
   * batch. `f` must keep the number of samples, and return one shape and dtype for all.
   */
  mapBatches(f: MapBatchFunction): Dataset {
    return this.staged({ batch: f });
  }

  /** The samples as `map` and `mapBatches` make them in epoch 0, computed now and held in memory. */
  cache(): Dataset {
    if (this.stages.length === 0) return this;
    return new Dataset(partsOf({ ...this.all(), classes: this.classes }));
  }

  /** Sample `i`, as `map` and `mapBatches` make it in epoch 0. */
  at(i: number): Sample {
    const { x, y } = this.select([i]).all();
    const one = (a: HostArray): HostArray => ({ ...a, shape: a.shape.slice(1) });
    return { x: one(x), y: y === null ? null : one(y) };
  }

  private staged(stage: Stage): Dataset {
    if (this.length === 0) return new Dataset(this.parts, [...this.stages, stage]);
    const first = run(this.stored(Int32Array.of(this.row(0))), [...this.stages, stage], keyOfSeed(0), 0, [0]);
    const out = { x: specOf(first.x), y: first.y === null ? null : specOf(first.y) };
    const known = "each" in stage ? { ...stage, out } : stage;
    return new Dataset({ ...this.parts, out }, [...this.stages, known]);
  }

  protected override read(rows: Int32Array, x: TypedArray, y: TypedArray | null, epochKey: Key, index: number): void {
    if (this.stages.length === 0) {
      super.read(rows, x, y, epochKey, index);
      return;
    }
    if (rows.length === 0) return;
    const { out } = this.parts;
    const batch = run(this.stored(rows), this.stages, epochKey, index, rows);
    place(batch.x, out.x, rows.length, x, "x");
    if (batch.y !== null && y !== null && out.y !== null) place(batch.y, out.y, rows.length, y, "y");
  }

  /** Rows as they are stored, before any stage. */
  private stored(rows: Int32Array): SampleBatch {
    const of = (c: Column): HostArray => {
      const data = hostArray(c.dtype, rows.length * sizeOf(c.shape));
      gather(c, rows, data);
      return { data, shape: [rows.length, ...c.shape], dtype: c.dtype };
    };
    return { x: of(this.parts.x), y: this.parts.y === null ? null : of(this.parts.y) };
  }
}

/** A batch through all stages. The key of a sample comes from its row, that of a batch from its number; each stage has its own. */
function run(
  stored: SampleBatch,
  stages: readonly Stage[],
  epochKey: Key,
  index: number,
  rows: ArrayLike<number>,
): SampleBatch {
  let batch = stored;
  stages.forEach((stage, at) => {
    const key = at === 0 ? epochKey : foldKey(epochKey, -at);
    batch = "batch" in stage ? stage.batch(batch, foldKey(key, index)) : mapEach(batch, stage, key, rows);
  });
  return batch;
}

function mapEach(
  { x, y }: SampleBatch,
  { each, out }: { readonly each: MapFunction; readonly out?: Out },
  key: Key,
  rows: ArrayLike<number>,
): SampleBatch {
  const cut = (a: HostArray, i: number): HostArray => {
    const shape = a.shape.slice(1);
    const n = sizeOf(shape);
    return { data: a.data.slice(i * n, (i + 1) * n), shape, dtype: a.dtype };
  };
  const samples = Array.from(rows, (row, i) =>
    each({ x: cut(x, i), y: y === null ? null : cut(y, i) }, foldKey(key, row)),
  );
  const join = (parts: readonly HostArray[], what: "x" | "y"): HostArray => {
    const spec: Spec = out?.[what] ?? { shape: parts[0].shape, dtype: parts[0].dtype };
    const n = sizeOf(spec.shape);
    const data = hostArray(spec.dtype, n * parts.length);
    parts.forEach((a, i) => {
      if (!sameShape(a.shape, spec.shape) || a.dtype !== spec.dtype) throw differs("map", a, a.shape, spec, what);
      data.set(a.data, i * n);
    });
    return { data, shape: [parts.length, ...spec.shape], dtype: spec.dtype };
  };
  const ys = samples.map((s) => s.y).filter((a) => a !== null);
  return {
    x: join(
      samples.map((s) => s.x),
      "x",
    ),
    y: ys.length === samples.length ? join(ys, "y") : null,
  };
}

const specOf = (a: HostArray): Spec => ({ shape: a.shape.slice(1), dtype: a.dtype });

const differs = (op: string, a: HostArray, shape: readonly number[], spec: Spec, what: string): ShapeError =>
  new ShapeError(
    `[dataset] ${op} gave ${what} ${a.dtype} ${showShape(shape)} for one sample and ${spec.dtype} ` +
      `${showShape(spec.shape)} for the first: all samples of a dataset must have one shape and dtype.`,
  );

function place(a: HostArray, spec: Spec, size: number, out: TypedArray, what: string): void {
  const shape = a.shape.slice(1);
  if (!sameShape(shape, spec.shape) || a.dtype !== spec.dtype) throw differs("map", a, shape, spec, what);
  if (a.shape[0] !== size)
    throw new ShapeError(`[dataset] mapBatches gave ${a.shape[0]} samples of ${what} for a batch of ${size}.`);
  out.set(a.data);
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
  const parts = partsOf(init);
  const { y, classes, scale } = init;
  if (y && typeof classes === "number" && isInt(y.dtype)) checkLabels(y.data, classes, "dataset");
  if (scale === undefined) return new Dataset(parts);
  const x = scaled(init.x, scale);
  return new Dataset({ ...parts, x, out: { ...parts.out, x } });
}

/** Bytes that batches show as float32 byte · scale, through a table of 256. */
function scaled(x: HostArray, scale: number): Column {
  if (x.dtype !== "uint8")
    throw new ValueError(`[dataset] scale is for uint8 images, got ${x.dtype}: scale the array instead.`);
  return { ...columnOf(x), dtype: "float32", table: Float32Array.from({ length: 256 }, (_, i) => i * scale) };
}
