import { expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { mnist } from "../../src/data/index.ts";
import {
  add,
  batchNorm,
  conv2d,
  dense,
  globalAvgPool,
  input,
  maxPool2d,
  model,
  relu,
  type Symbolic,
} from "../../src/nn/index.ts";
import { momentum } from "../../src/optim/index.ts";

/** A network of 6n + 2 layers as in He et al. 2015, thin, on digits of half the size: with shortcuts or plain. */
async function trainingLoss(depth: number, residual: boolean): Promise<number> {
  const { train } = await mnist();
  setSeed(1);
  const x = input([28, 28, 1]);
  let at: Symbolic = relu(batchNorm()(conv2d(4, 3, { padding: "same", useBias: false })(maxPool2d(4)(x))));
  const blocks = (depth - 2) / 6;
  for (const filters of [4, 8, 16])
    for (let b = 0; b < blocks; b++) {
      const strides = b === 0 && filters > 4 ? 2 : 1;
      const layer = (y: Symbolic, s: number, gamma: "ones" | "zeros"): Symbolic =>
        batchNorm({ gammaInitializer: gamma })(conv2d(filters, 3, { padding: "same", strides: s, useBias: false })(y));
      // A residual block begins as the identity (Goyal et al. 2017).
      const out = layer(relu(layer(at, strides, "ones")), 1, residual ? "zeros" : "ones");
      const short = strides === 1 ? at : conv2d(filters, 1, { strides, useBias: false })(at);
      at = relu(residual ? add()([out, short]) : out);
    }
  const net = model(x, dense(10)(globalAvgPool()(at)));
  net.compile({ optimizer: momentum(0.05), loss: "sparseCategoricalCrossentropy" });
  const { history } = await net.fit(train.take(6400), { epochs: 8, batchSize: 64, verbose: 0 });
  return history["loss"].at(-1)!;
}

test("S-421, S-267 a plain network of 44 layers trains worse than one of 20; a residual one does not", async () => {
  const plain20 = await trainingLoss(20, false);
  const plain44 = await trainingLoss(44, false);
  const residual20 = await trainingLoss(20, true);
  const residual44 = await trainingLoss(44, true);
  expect(plain44).toBeGreaterThan(plain20);
  expect(residual44).toBeLessThanOrEqual(residual20);
  expect(residual44).toBeLessThan(plain44);
}, 240_000);
