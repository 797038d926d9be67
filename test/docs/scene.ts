/**
 * What examples in docstrings take for granted: `train`, `dev` and `test` are datasets of digits (MNIST cut short), `data` is the first of
 * them, `x` and `y` are a batch of it, and `model` (or `net`) is a small network, compiled for them. Each example gets its own.
 */
import { type Dataset, mnist as whole, type Mnist } from "../../src/data/index.ts";
import { conv2d, dense, flatten, maxPool2d, type Model, relu, sequential } from "../../src/nn/index.ts";
import { adam } from "../../src/optim/index.ts";
import { type Tensor, tensor } from "../../src/index.ts";

/** The digits, cut short: in examples `mnist()` means this one. */
const { train, test } = await whole();
export const mnist = (): Promise<Mnist> => Promise.resolve({ train: train.take(192), test: test.take(64) });

export interface Scene {
  readonly train: Dataset;
  readonly dev: Dataset;
  readonly test: Dataset;
  readonly data: Dataset;
  /** [32, 28, 28, 1]. */
  readonly x: Tensor;
  /** Labels [32]. */
  readonly y: Tensor;
  readonly model: Model;
  readonly net: Model;
}

export async function scene(): Promise<Scene> {
  const digits = await mnist();
  const [learn, dev] = [digits.train.take(128), digits.train.skip(128)];
  const batch = learn.take(32).all();
  const model = sequential([conv2d(4, 5, { strides: 2 }), relu, maxPool2d(2), flatten(), dense(10)], {
    inputShape: [28, 28, 1],
  });
  model.compile({ optimizer: adam(), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const x = tensor(batch.x.data, { shape: batch.x.shape });
  const y = tensor(batch.y!.data, { shape: batch.y!.shape });
  return { train: learn, dev, test: digits.test, data: learn, x, y, model, net: model };
}
