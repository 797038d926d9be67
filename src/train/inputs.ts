import { type DType, dtypeOfArray, showShape, type TypedArray, ValueError } from "../base/index.ts";
import { type Batch, partsOf, Samples } from "../data/samples.ts";
import type { HostArray } from "../nn/model.ts";
import { type NestedArray, Tensor, tensor } from "../tensor/index.ts";

/** One array of samples: a tensor, nested arrays, a typed array of class numbers or values [n], or a host array with its shape. */
export type ArrayLikeInput = Tensor | HostArray | TypedArray | NestedArray;

/** A source of batches of one's own: what `fit` needs of a `Dataset`. Batches may come asynchronously. */
export interface BatchSource {
  /** Samples an epoch. */
  readonly length: number;
  /** Shape and dtype of one sample. */
  readonly xShape: readonly number[];
  readonly xDtype: DType;
  /** Batches an epoch. */
  steps(batchSize: number): number;
  /** The batches of an epoch from `start` on; with `reuse` each may lie in the memory of the one before. */
  batches(
    batchSize: number,
    options: {
      readonly shuffle?: boolean;
      readonly seed?: number;
      readonly epoch?: number;
      readonly start?: number;
      readonly reuse?: boolean;
    },
  ): Iterable<Batch> | AsyncIterable<Batch>;
}

/** What `fit` and `evaluate` take. */
export type TrainingData =
  | BatchSource
  | { readonly x: ArrayLikeInput; readonly y?: ArrayLikeInput; readonly sampleWeight?: ArrayLikeInput }
  | readonly [x: SeveralData["x"], y: SeveralData["y"]]
  | SeveralData;

/** For networks of several inputs or outputs: arrays in their order, or by name. */
export interface SeveralData {
  readonly x: ArrayLikeInput | readonly ArrayLikeInput[] | Readonly<Record<string, ArrayLikeInput>>;
  readonly y?: ArrayLikeInput | readonly ArrayLikeInput[] | Readonly<Record<string, ArrayLikeInput>>;
  readonly sampleWeight?: ArrayLikeInput;
}

const isHostArray = (x: object): x is HostArray =>
  "data" in x && "shape" in x && "dtype" in x && ArrayBuffer.isView(x.data);

/** The array with its shape on the host. */
export function hostOf(x: ArrayLikeInput, what: string): HostArray {
  if (x instanceof Tensor) return { data: x.dataSync(), shape: x.shape, dtype: x.dtype };
  if (ArrayBuffer.isView(x)) return { data: x, shape: [x.length], dtype: dtypeOfArray(x) };
  if (Array.isArray(x)) return hostOf(tensor(x as NestedArray), what);
  if (typeof x === "object" && x !== null && isHostArray(x)) return x;
  throw new ValueError(
    `[fit] ${what} must be a tensor, arrays, or {data, shape, dtype}, got ${x === null ? "null" : typeof x}.`,
  );
}

const isSource = (data: object): data is BatchSource => typeof (data as Partial<BatchSource>).batches === "function";

/** Any training data as a source of batches. */
export function sourceOf(data: TrainingData, sampleWeight?: ArrayLikeInput): BatchSource {
  if (typeof data !== "object" || data === null) {
    throw new ValueError(
      `[fit] data must be a dataset, { x, y } or [x, y], got ${data === null ? "null" : typeof data}.`,
    );
  }
  if (isSource(data)) {
    if (sampleWeight !== undefined)
      throw new ValueError("[fit] sampleWeight goes with { x, y }: a dataset carries its own.");
    return data;
  }
  const pair = Array.isArray(data);
  if ("shape" in data || ArrayBuffer.isView(data) || (pair && (data.length !== 2 || typeof data[0] === "number"))) {
    throw new ValueError("[fit] data is one array: pass [x, y] or { x, y } as the first argument, or { x } alone.");
  }
  const parts = (
    pair ? { x: (data as readonly ArrayLikeInput[])[0], y: (data as readonly ArrayLikeInput[])[1] } : data
  ) as {
    readonly x: ArrayLikeInput;
    readonly y?: ArrayLikeInput;
    readonly sampleWeight?: ArrayLikeInput;
  };
  if (parts.x === undefined)
    throw new ValueError(`[fit] data has no x: it has ${Object.keys(parts).join(", ") || "nothing"}; pass { x, y }.`);
  const weight = sampleWeight ?? parts.sampleWeight;
  return new Samples(
    partsOf({
      x: hostOf(parts.x, "x"),
      y: parts.y === undefined ? null : hostOf(parts.y, "y"),
      sampleWeight: weight === undefined ? null : floatWeights(hostOf(weight, "sampleWeight")),
    }),
  );
}

export const floatWeights = (w: HostArray): HostArray =>
  w.dtype === "float32" ? w : { data: Float32Array.from(w.data), shape: w.shape, dtype: "float32" };

/** The last `share` of the samples, for validation, and the rest (Keras: validation_split). */
export function splitOff(source: BatchSource, share: number): [BatchSource, BatchSource] {
  if (!(share > 0 && share < 1)) throw new ValueError(`[fit] validationSplit must be in 0..1, got ${share}.`);
  if (!(source instanceof Samples))
    throw new ValueError(
      "[fit] validationSplit needs a dataset or arrays: give a source of your own as validationData.",
    );
  const cut = Math.floor(source.length * (1 - share));
  if (cut === 0 || cut === source.length) {
    throw new ValueError(`[fit] validationSplit ${share} of ${source.length} samples leaves one side empty.`);
  }
  return [source.slice(0, cut), source.slice(cut, source.length)];
}

/** Throws when class numbers do not fit a model's last axis: a loss over them cannot see it inside a compiled step. */
export function checkClasses(source: BatchSource, classes: number): void {
  if (!(source instanceof Samples) || source.classes === classes) return;
  const labels = source.labels();
  if (labels === null) return;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (label >= 0 && label < classes && Number.isInteger(label)) continue;
    throw new ValueError(
      `[fit] label ${label} of sample ${i} is not a class number: the model's output has ${classes} classes, so labels must be whole numbers in 0..${classes - 1}.` +
        (label === classes ? " Do the labels begin at 1?" : "") +
        (label < 0 ? " Take samples without a label out, or give them a class and sampleWeight 0." : ""),
    );
  }
}

/** A batch on the device. */
export function onDevice(batch: Batch): { x: Tensor; y: Tensor | null; w: Tensor | null } {
  // A list for a network of several inputs or outputs.
  const put = (a: HostArray): Tensor =>
    Array.isArray(a) ? (a.map(put) as unknown as Tensor) : tensor(a.data, { shape: a.shape, dtype: a.dtype });
  return {
    x: put(batch.x),
    y: batch.y === null ? null : put(batch.y),
    w: batch.sampleWeight === null ? null : put(batch.sampleWeight),
  };
}

/** Throws unless there are labels. */
export function needLabels(y: Tensor | null, x: Tensor): Tensor {
  if (y === null)
    throw new ValueError(`[fit] the data has samples ${showShape([x].flat()[0].shape)} but no labels: pass { x, y }.`);
  return y;
}

/**
 * Weights that give every class the same say: total/(classes·count) for each (S-105). For `fit({ classWeight })`.
 *
 * @throws ValueError for a class without a sample.
 *
 * @example
 * classWeights([0, 0, 0, 1], 2);
 */
export function classWeights(labels: ArrayLike<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (let i = 0; i < labels.length; i++) counts[labels[i]]++;
  return counts.map((n, c) => {
    if (!(n > 0))
      throw new ValueError(
        `[classWeights] class ${c} has no sample among ${labels.length} labels in 0..${classes - 1}.`,
      );
    return labels.length / (classes * n);
  });
}

/** The same samples with the weight of their class. */
export function weighByClass(source: BatchSource, weights: readonly number[]): BatchSource {
  if (!(source instanceof Samples))
    throw new ValueError(
      "[fit] classWeight needs a dataset or arrays: weigh the batches of a source of your own there.",
    );
  const { x, y, sampleWeight } = source.all();
  if (y === null || y.shape.length !== 1)
    throw new ValueError(
      `[fit] classWeight needs class numbers [n], got ${y === null ? "no labels" : `labels ${showShape(y.shape)}`}.`,
    );
  const data = Float32Array.from(y.data, (label, i) => {
    if (weights[label] === undefined)
      throw new ValueError(`[fit] classWeight has ${weights.length} weights, but sample ${i} is of class ${label}.`);
    return weights[label] * (sampleWeight === null ? 1 : sampleWeight.data[i]);
  });
  const w: HostArray = { data, shape: [data.length], dtype: "float32" };
  return new Samples(partsOf({ x, y, sampleWeight: w, classes: source.classes }));
}
