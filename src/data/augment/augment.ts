/** How augmentations are made, composed and hung into a dataset. */
import "../../engine.ts";
import { foldKey, type Key, keyOfSeed, ValueError } from "../../base/index.ts";
import type { HostArray } from "../../io/index.ts";
import { compiled, oneHot, random, Tensor, tensor } from "../../tensor/index.ts";
import type { MapBatchFunction, SampleBatch } from "../dataset.ts";

/** Options of a call of an augmentation. */
export interface AugmentOptions {
  /** What is drawn from; default: the next of the default stream, inside `compiled` anew in each run. */
  readonly key?: Key | Tensor;
}

/** Images [n, h, w, c] to images: in operations, at once or inside `compiled`. The same key gives the same result. */
export type Augmentation = (images: Tensor, options?: AugmentOptions) => Tensor;

/** Images with their labels [n, classes] to both, mixed: see `mixup`, `cutmix`. */
export interface Mixing {
  (images: Tensor, labels: Tensor, options?: AugmentOptions): [images: Tensor, labels: Tensor];
  readonly mixes: true;
}

const isMixing = (a: Augmentation | Mixing): a is Mixing => "mixes" in a;

/**
 * Augmentations one after the other as one; each draws from a key of its own.
 *
 * @example
 * const cifarStyle = compose([randomCrop([28, 28], { padding: 4 }), randomFlip()]);
 * const x2 = cifarStyle(x, { key: random.key(1) });
 */
export const compose =
  (stages: readonly Augmentation[]): Augmentation =>
  (images, options = {}) =>
    stages.reduce((x, stage, i) => stage(x, keyed(options.key, i)), images);

/** The options for draw `i` of several under one key: the same at once and inside `compiled`. */
export function keyed(key: Key | Tensor | undefined, i: number): AugmentOptions {
  if (key === undefined) return {};
  return { key: random.fold(key instanceof Tensor ? key : tensor(Uint32Array.from(key)), i) };
}

/** Options of `augment`. */
export interface PipelineOptions {
  /** Of all draws, with the epoch and the number of the batch; default 0. */
  readonly seed?: number;
  /** Number of classes, when the labels are class numbers and something mixes them. */
  readonly classes?: number;
}

/**
 * Augmentations for `dataset.mapBatches`: one compiled program a batch, the same for the same seed, epoch and batch.
 *
 * @throws ValueError when something mixes labels and `classes` is not given for class numbers.
 * @example
 * const seen = train.mapBatches(augment([randomCrop([28, 28], { padding: 4 }), randomFlip(), cutout({ size: 8 })]));
 * await model.fit(seen, { epochs: 10 });
 */
export function augment(stages: readonly (Augmentation | Mixing)[], options: PipelineOptions = {}): MapBatchFunction {
  const { seed = 0, classes } = options;
  const mixes = stages.some(isMixing);
  const run = compiled((x: Tensor, y: Tensor, keys: Tensor) => {
    let [images, labels] = [x, y];
    stages.forEach((stage, i) => {
      const key = keys.slice([i, i + 1]).reshape([2]);
      if (isMixing(stage)) [images, labels] = stage(images, labels, { key });
      else images = stage(images, { key });
    });
    return [images, labels] as const;
  });
  const seeded = keyOfSeed(seed);
  return (batch: SampleBatch, key: Key): SampleBatch => {
    const keys = new Uint32Array(2 * stages.length);
    stages.forEach((_, i) => keys.set(foldKey([key[0] ^ seeded[0], key[1] ^ seeded[1]], i), 2 * i));
    const labels = mixes ? dense(batch.y, classes) : tensor([0]);
    const x = tensor(batch.x.data, { shape: batch.x.shape, dtype: batch.x.dtype });
    const [images, mixed] = run(x, labels, tensor(keys).reshape([stages.length, 2]));
    return { x: hostOf(images), y: mixes ? hostOf(mixed) : batch.y };
  };
}

/** Labels [n, classes] in floats. */
function dense(y: HostArray | null, classes: number | undefined): Tensor {
  if (y === null) throw new ValueError("[augment] mixup and cutmix mix labels, but the dataset has none.");
  const labels = tensor(y.data, { shape: y.shape, dtype: y.dtype });
  if (y.shape.length > 1) return labels.cast("float32");
  if (classes === undefined)
    throw new ValueError("[augment] mixup and cutmix need labels [n, classes]: for class numbers pass { classes }.");
  return oneHot(labels, classes);
}

const hostOf = (t: Tensor): HostArray => ({ data: t.dataSync(), shape: t.shape, dtype: t.dtype });
