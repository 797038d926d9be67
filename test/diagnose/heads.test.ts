import { expect, test } from "vitest";
import { tensor } from "../../src/index.ts";
import { setSeed } from "../../src/base/context.ts";
import { mnist } from "../../src/data/index.ts";
import { valueAndGrad } from "../../src/index.ts";
import {
  concatenate,
  conv2d,
  crossEntropy,
  dense,
  globalAvgPool,
  input,
  maxPool2d,
  model,
  relu,
  type Symbolic,
} from "../../src/nn/index.ts";
import { adam } from "../../src/optim/index.ts";

/** A thin inception network with softmax heads after its modules 4a and 4d (GoogLeNet). */
function googlenet(): ReturnType<typeof model> {
  setSeed(1);
  const module = (x: Symbolic, filters: number): Symbolic => {
    const branch = (size: number): Symbolic => relu(conv2d(filters, size, { padding: "same" })(x));
    return concatenate()([branch(1), branch(3), branch(5)]);
  };
  const head = (x: Symbolic, name: string): Symbolic => dense(10, { name })(globalAvgPool()(x));
  const x = input([28, 28, 1]);
  const stem = maxPool2d(2)(relu(conv2d(8, 5, { padding: "same" })(x)));
  const a = module(maxPool2d(2)(stem), 8);
  const d = module(a, 8);
  return model(x, [head(a, "aux4a"), head(d, "aux4d"), head(module(d, 8), "main")]);
}

test("S-420 two auxiliary heads, after 4a and 4d, log their accuracy: hidden layers predict already", async () => {
  const net = googlenet();
  const { train, test: held } = await mnist();
  net.compile({
    optimizer: adam(5e-3),
    loss: "sparseCategoricalCrossentropy",
    lossWeights: { aux4a: 0.3, aux4d: 0.3, main: 1 },
    metrics: { aux4a: ["accuracy"], aux4d: ["accuracy"], main: ["accuracy"] },
  });
  const arrays = (data: typeof train) => {
    const { x, y } = data.all();
    return { x: tensor(x.data, { shape: x.shape }), y: [y!.data, y!.data, y!.data] };
  };
  const { history } = await net.fit(arrays(train.take(6000)), {
    epochs: 3,
    batchSize: 64,
    validationData: arrays(held.take(1000)),
    verbose: 0,
  });
  for (const name of ["aux4a", "aux4d", "main"]) {
    expect(history[`${name}_accuracy`]).toHaveLength(3);
    expect(history[`val_${name}_accuracy`].at(-1)).toBeGreaterThan(0.5);
  }
  // Loss = main + .3 · aux, and what each head is worth on held-out digits can be told apart.
  const [last] = history["loss"].slice(-1);
  const sum = history["main_loss"].at(-1)! + 0.3 * (history["aux4a_loss"].at(-1)! + history["aux4d_loss"].at(-1)!);
  expect(last).toBeCloseTo(sum, 4);
});

test("S-265 the gradient of an auxiliary head reaches the first layer, not what comes after the head", async () => {
  const net = googlenet();
  const { train } = await mnist();
  const [batch] = train.batches(16);
  const x = tensor(batch.x.data, { shape: batch.x.shape });
  const y = tensor(batch.y!.data, { dtype: "int32" });
  const sizes = (output: number): Record<string, number> => {
    const [, grads] = valueAndGrad(net, () => crossEntropy(net(x)[output], y).mul(0.3));
    return Object.fromEntries(net.trainableVariables.map((v, i) => [v.name, grads[i].square().sum().item()]));
  };
  const [first, main] = [sizes(0), sizes(2)];
  expect(first["conv2d/kernel"]).toBeGreaterThan(0);
  expect(first["aux4a/kernel"]).toBeGreaterThan(0);
  expect(first["main/kernel"]).toBe(0);
  expect(main["conv2d/kernel"]).toBeGreaterThan(0);
});
