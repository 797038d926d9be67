/** Single steps of a compiled model, with the same programs as `fit` and `evaluate`. */
import { ValueError } from "../base/index.ts";
import type { Tensor } from "../tensor/index.ts";
import type { Logs } from "./events.ts";
import { type Compilation, prepare, runBatch, Sums } from "./fit.ts";
import { type ArrayLikeInput, sourceOf } from "./inputs.ts";
import type { Model } from "./model.ts";

/** Options of `trainOnBatch` and `testOnBatch`. */
export interface OnBatchOptions {
  readonly sampleWeight?: ArrayLikeInput;
}

async function onBatch(
  name: string,
  kind: "train" | "test",
  model: Model,
  x: ArrayLikeInput,
  y: ArrayLikeInput,
  options: OnBatchOptions,
): Promise<Logs> {
  const at: Compilation | null = model.compilation;
  if (at === null)
    throw new ValueError(`[${name}] model "${model.name}" is not compiled: call compile({ optimizer, loss }) first.`);
  const source = sourceOf({ x, y }, options.sampleWeight);
  prepare(at, source);
  if (kind === "train") at.optimizer.build(model);
  const sums = new Sums();
  for await (const batch of source.batches(Math.max(1, source.length), {})) runBatch(at.steps()[kind], batch, sums);
  return sums.logs(at.metrics);
}

/**
 * One update on one batch; its loss, before the update, and metrics (Keras: train_on_batch).
 *
 * @example for (let step = 0; step < 3; step++) console.log(await trainOnBatch(model, x, y));
 */
export const trainOnBatch = (
  model: Model,
  x: ArrayLikeInput,
  y: ArrayLikeInput,
  options: OnBatchOptions = {},
): Promise<Logs> => onBatch("trainOnBatch", "train", model, x, y, options);

/**
 * Loss and metrics of one batch in evaluation mode (Keras: test_on_batch).
 *
 * @example const { loss, accuracy } = await testOnBatch(model, x, y);
 */
export const testOnBatch = (
  model: Model,
  x: ArrayLikeInput,
  y: ArrayLikeInput,
  options: OnBatchOptions = {},
): Promise<Logs> => onBatch("testOnBatch", "test", model, x, y, options);

/**
 * The outputs for one batch in evaluation mode, in one pass (Keras: predict_on_batch).
 *
 * @example (await predictOnBatch(model, x)).shape; // → [32, 10]
 */
export const predictOnBatch = (model: Model, x: Tensor): Promise<Tensor> =>
  model.predict(x, { batchSize: Math.max(1, x.shape[0] ?? 1) });

/**
 * The batch sizes to try for that many samples: all of them up to 2,000, else the powers of two from 64 to 1,024 (S-392).
 *
 * @example batchSizes(60_000); // [64, 128, 256, 512, 1024]
 */
export function batchSizes(samples: number): number[] {
  if (!Number.isInteger(samples) || samples < 1)
    throw new ValueError(`[batchSizes] samples must be a whole number ≥ 1, got ${samples}.`);
  return samples <= 2000 ? [samples] : [64, 128, 256, 512, 1024];
}
