import { permutationOf, keyOfSeed } from "../../src/base/index.ts";
import { setSeed } from "../../src/base/context.ts";
import { type Dataset, datasetOf } from "../../src/data/index.ts";
import {
  add,
  batchNorm,
  conv2d,
  dense,
  dropout,
  flatten,
  globalAvgPool,
  input,
  maxPool2d,
  model,
  type Model,
  relu,
  sequential,
} from "../../src/nn/index.ts";
import { sampleNormal } from "../../src/nn/sampling.ts";

/** Small images of three kinds of stripes with noise, and their class numbers. */
export function stripes(n: number, size = 12): Dataset {
  const noise = sampleNormal(keyOfSeed(5), [n, size, size], "float32", 0, 0.6);
  const kinds = permutationOf(keyOfSeed(6), n);
  const y = Int32Array.from(kinds, (k) => k % 3);
  const x = noise.map((v, i) => {
    const [row, column] = [Math.floor(i / size) % size, i % size];
    const along = [row, column, row + column][y[Math.floor(i / size ** 2)]];
    return v + Math.cos((along * Math.PI) / 2);
  });
  return datasetOf({
    x: { data: x, shape: [n, size, size, 1], dtype: "float32" },
    y: { data: y, shape: [n], dtype: "int32" },
    classes: 3,
  });
}

/** LeNet-like, seeded, with dropout when asked. */
export function lenet(drop = 0): Model {
  setSeed(7);
  return sequential(
    [
      conv2d(4, 3, { padding: "same" }),
      relu,
      maxPool2d(2),
      conv2d(8, 3),
      relu,
      maxPool2d(2),
      flatten(),
      dense(16),
      relu,
      ...(drop > 0 ? [dropout(drop)] : []),
      dense(3),
    ],
    { inputShape: [12, 12, 1] },
  );
}

export function mlp(): Model {
  setSeed(7);
  return sequential([flatten(), dense(32), relu, dense(16), relu, dense(3)], { inputShape: [12, 12, 1] });
}

/** One residual block with batch normalisation. */
export function resnet(): Model {
  setSeed(7);
  const x = input([12, 12, 1]);
  const stem = relu(batchNorm()(conv2d(4, 3, { padding: "same", useBias: false })(x)));
  const inner = relu(batchNorm()(conv2d(4, 3, { padding: "same", useBias: false })(stem)));
  const out = batchNorm()(conv2d(4, 3, { padding: "same", useBias: false })(inner));
  return model(x, dense(3)(globalAvgPool()(relu(add()([stem, out])))));
}
