import { FormatError, ShapeError, showShape, sizeOf, ValueError } from "../base/index.ts";
import { type Dataset, datasetOf } from "../data/index.ts";
import { decodeCheckpoint, encodeCheckpoint, fileExists, readFileBytes, writeFileSafely } from "../io/index.ts";
import type { HostArray } from "../nn/model.ts";
import type { Tensor } from "../tensor/index.ts";
import { sourceOf, type TrainingData } from "./inputs.ts";
import type { Model } from "./model.ts";

/** Options of `precompute`. */
export interface PrecomputeOptions {
  /** Samples a pass; default 32. */
  readonly batchSize?: number;
  /** A file that keeps the result: it is read when it is there and of the same weights and samples, and written otherwise. */
  readonly cache?: string;
  /** Told after each batch. */
  readonly onBatch?: (at: { readonly seen: number; readonly samples: number }) => void;
}

/** A short number for all that the result depends on: FNV-1a over the bytes of weights and samples. */
function fingerprint(arrays: readonly HostArray[]): number {
  let h = 0x811c9dc5;
  for (const { data } of arrays)
    for (const b of new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) h = Math.imul(h ^ b, 0x01000193);
  return h >>> 0;
}

/**
 * The outputs of a frozen network for all samples, once, as a data set with the same labels: a head trains on them for many epochs
 * without a pass through the network (S-403). Only for layers that do nothing at random in evaluation mode, and data that is the same
 * every epoch.
 *
 * @throws ValueError when part of the network is trainable.
 * @example
 * const backbone = sequential([conv2d(4, 3), relu, globalAvgPool()], { inputShape: [28, 28, 1] });
 * const head = sequential([dense(10)]);
 * head.compile({ optimizer: adam(), loss: "sparseCategoricalCrossentropy" });
 * backbone.trainable = false;
 * const features = await precompute(backbone, train, { cache: "runs/features.safetensors" });
 * await head.fit(features, { epochs: 3 });
 */
export async function precompute(
  backbone: Model,
  data: TrainingData,
  options: PrecomputeOptions = {},
): Promise<Dataset> {
  const { batchSize = 32, cache, onBatch } = options;
  const source = sourceOf(data);
  if (!backbone.built) backbone.build([null, ...source.xShape], source.xDtype);
  if (backbone.trainableVariables.length > 0)
    throw new ValueError(
      `[precompute] "${backbone.name}" has trainable variables, so its outputs would not stay: set trainable = false first.`,
    );
  const [x, y, weights]: HostArray[][] = [[], [], []];
  for await (const b of source.batches(Math.max(1, source.length), {})) {
    x.push(b.x);
    if (b.y !== null) y.push(b.y);
    if (b.sampleWeight !== null) weights.push(b.sampleWeight);
  }
  if (x.length !== 1)
    throw new ShapeError(`[precompute] the data came in ${x.length} parts; give arrays or a dataset.`);
  const mark = fingerprint([...Object.values(backbone.weights()), ...x]);
  const made = (features: HostArray): Dataset =>
    datasetOf({ x: features, y: y[0] ?? null, sampleWeight: weights[0] ?? null });
  if (cache !== undefined && (await fileExists(cache))) {
    const { arrays, meta } = decodeCheckpoint(await readFileBytes(cache), cache);
    if ((arrays["features"] as HostArray | undefined) === undefined)
      throw new FormatError(`[precompute] "${cache}" holds no features: name another file.`);
    if (meta === mark) return made(arrays["features"]);
  }
  const samples = source.length;
  let features: { data: Float32Array; shape: number[] } | null = null;
  for (let from = 0; from < samples; from += batchSize) {
    const size = Math.min(batchSize, samples - from);
    const row = sizeOf(source.xShape);
    const part = { ...x[0], data: x[0].data.slice(from * row, (from + size) * row), shape: [size, ...source.xShape] };
    const out: Tensor = await backbone.predict(part, { batchSize });
    if (out.dtype !== "float32")
      throw new ValueError(`[precompute] "${backbone.name}" gives ${out.dtype} ${showShape(out.shape)}, not float32.`);
    const width = out.size / size;
    features ??= { data: new Float32Array(samples * width), shape: [samples, ...out.shape.slice(1)] };
    features.data.set(out.dataSync(), from * width);
    out.dispose();
    onBatch?.({ seen: from + size, samples });
  }
  const result: HostArray = { ...(features ?? { data: new Float32Array(0), shape: [0] }), dtype: "float32" };
  if (cache !== undefined)
    await writeFileSafely(cache, encodeCheckpoint({ arrays: { features: result }, position: null, meta: mark }));
  return made(result);
}
