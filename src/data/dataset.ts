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

export interface DatasetInit extends SamplesInit {
  /** Number of classes; when given, integer labels are checked to lie in 0..classes-1. */
  readonly classes?: number | null;
  /** Multiply x by this while batching and give float32: keeps images as bytes in memory. */
  readonly scale?: number;
}

type MapFunction = (sample: Sample, key: Key) => Sample;

/**
 * Samples in memory that become batches in a reproducible order. Immutable: `take`, `skip`, `split`, `shuffled` and `map`
 * return views of the same arrays.
 *
 * @example
 * const data = datasetOf({ x: { data: new Float32Array(8), shape: [4, 2], dtype: "float32" } });
 * for (const batch of data.batches(3, { shuffle: true, seed: 1 })) console.log(batch.x.shape); // [3, 2], then [1, 2]
 */
export class Dataset extends Samples {
  private readonly maps: readonly MapFunction[];

  /** Use `datasetOf`. */
  constructor(parts: Parts, maps: readonly MapFunction[] = []) {
    super(parts);
    this.maps = maps;
  }

  override labels(): TypedArray | null {
    return this.maps.length > 0 ? (this.all().y?.data ?? null) : super.labels();
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
    const maps = [...this.maps, f];
    if (this.length === 0) return new Dataset(this.parts, maps);
    const first = this.sample(this.row(0), maps, keyOfSeed(0));
    const out = { x: specOf(first.x), y: first.y === null ? null : specOf(first.y) };
    return new Dataset({ ...this.parts, out }, maps);
  }

  protected override read(rows: Int32Array, x: TypedArray, y: TypedArray | null, epochKey: Key): void {
    if (this.maps.length === 0) {
      super.read(rows, x, y, epochKey);
      return;
    }
    const { out } = this.parts;
    rows.forEach((row, i) => {
      const sample = this.sample(row, this.maps, foldKey(epochKey, row));
      place(sample.x, out.x, x, i, "x");
      if (sample.y !== null && y !== null && out.y !== null) place(sample.y, out.y, y, i, "y");
    });
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

const specOf = (a: HostArray): Spec => ({ shape: [...a.shape], dtype: a.dtype });

function place(a: HostArray, spec: Spec, out: TypedArray, at: number, what: string): void {
  if (!sameShape(a.shape, spec.shape) || a.dtype !== spec.dtype) {
    throw new ShapeError(
      `[dataset] map gave ${what} ${a.dtype} ${showShape(a.shape)} for one sample and ${spec.dtype} ` +
        `${showShape(spec.shape)} for the first: all samples of a dataset must have one shape and dtype.`,
    );
  }
  out.set(a.data, at * sizeOf(spec.shape));
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
