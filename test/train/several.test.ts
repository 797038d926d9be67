import { expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { valueAndGrad } from "../../src/autodiff/index.ts";
import {
  add,
  concatenate,
  dense,
  input,
  type Model,
  meanSquaredError,
  model,
  sparseCategoricalCrossentropy,
} from "../../src/nn/index.ts";
import { sgd } from "../../src/optim/index.ts";
import { type Tensor, tensor } from "../../src/tensor/index.ts";
import { list, numbers } from "../nn/harness.ts";

const quiet = { verbose: 0 } as const;
const [A, B] = [numbers(1, [60, 3]), numbers(2, [60, 2])];
const KIND = tensor(Int32Array.from(list(A.sum(-1)), (v) => (v > 0.5 ? 2 : v > -0.5 ? 1 : 0)));
const SIZE = B.sum(-1, { keepdims: true }).add(A.slice(null, [0, 1]));

/** Two inputs, a trunk, two heads. */
function twoHeads(): Model<Tensor[]> {
  setSeed(1);
  const [a, b] = [input([3], { name: "a" }), input([2], { name: "b" })];
  const trunk = dense(16, { activation: "tanh" })(concatenate()([a, b]));
  return model([a, b], [dense(3, { name: "kind" })(trunk), dense(1, { name: "size" })(trunk)]);
}

test("two inputs and two outputs train as the same losses written out, with weights, metrics and logs by output", async () => {
  const net = twoHeads();
  net.compile({
    optimizer: sgd(0.1),
    loss: { kind: "sparseCategoricalCrossentropy", size: "mse" },
    // What is not named counts 1.
    lossWeights: { size: 0.5 },
    metrics: { kind: ["accuracy"], size: ["mae"] },
  });
  const { history } = await net.fit(
    { x: { a: A, b: B }, y: { kind: KIND, size: SIZE } },
    { epochs: 30, batchSize: 60, validationData: { x: [A, B], y: [KIND, SIZE] }, ...quiet },
  );
  const keys = ["loss", "kind_loss", "kind_accuracy", "size_loss", "size_mae"];
  expect(Object.keys(history)).toEqual([...keys, ...keys.map((k) => `val_${k}`)]);
  expect(history.loss[0]).toBeCloseTo(history["kind_loss"][0] + 0.5 * history["size_loss"][0], 5);
  const open = twoHeads();
  const optimizer = sgd(0.1);
  const cross = sparseCategoricalCrossentropy({ fromLogits: true });
  for (let i = 0; i < 30; i++) {
    const [loss, grads] = valueAndGrad(open, () => {
      const [k, s] = open([A, B]);
      return cross(k, KIND).add(meanSquaredError(s, SIZE).mul(0.5));
    });
    optimizer.update(open, grads);
    expect(loss.item()).toBeCloseTo(history.loss[i], 4);
  }
  expect(history.loss[29]).toBeLessThan(history.loss[0] / 2);
  const logs = await net.evaluate({ x: [A, B], y: [KIND, SIZE] });
  for (const k of keys) expect(logs[k]).toBeCloseTo(history[`val_${k}`][29], 5);
  // Batches of shuffled rows keep the columns together.
  await net.fit({ x: [A, B], y: [KIND, SIZE] }, { epochs: 60, batchSize: 7, seed: 3, ...quiet });
  expect((await net.evaluate({ x: [A, B], y: [KIND, SIZE] }))["kind_accuracy"]).toBeGreaterThan(0.9);
  const seen: number[] = [];
  const [kinds, sizes] = await net.predict({ b: B, a: A }, { batchSize: 25, onEvent: (e) => void seen.push(e.seen) });
  expect(seen).toEqual([25, 50, 60]);
  const [k, s] = net([A, B]);
  expect([kinds.shape, sizes.shape]).toEqual([k.shape, s.shape]);
  list(kinds).forEach((v, i) => expect(v).toBeCloseTo(list(k)[i], 5));
});

test("several inputs, one output; sample weights; what is missing is named", async () => {
  setSeed(1);
  const [a, b] = [input([3], { name: "a" }), input([2], { name: "b" })];
  const net = model([a, b], add()([dense(1)(a), dense(1)(b)]));
  net.compile({ optimizer: sgd(0.2), loss: "mse", metrics: ["mae"] });
  const { history } = await net.fit([[A, B], SIZE], { epochs: 40, ...quiet });
  expect(history.loss[39]).toBeLessThan(1e-3);
  expect((await net.predict([A, B])).shape).toEqual([60, 1]);
  const weights = Array.from({ length: 60 }, (_, i) => Number(i < 30));
  const half = await net.evaluate({ x: { a: A, b: B }, y: SIZE }, { sampleWeight: weights });
  expect(half.loss).toBeLessThan(1e-3);
  await expect(net.fit({ x: { a: A }, y: SIZE }, quiet)).rejects.toThrow(
    "[fit] x must be one for each of a, b, in this order or by name, got a.",
  );
  await expect(net.fit({ x: [A, B.slice([0, 50])], y: SIZE }, quiet)).rejects.toThrow("they have 60, 50, 60");
  const wrong = twoHeads();
  wrong.compile({ optimizer: sgd(), loss: ["sparseCategoricalCrossentropy", "mse"] });
  await expect(wrong.fit({ x: [A, B], y: [KIND.add(1), SIZE] }, quiet)).rejects.toThrow("Do the labels begin at 1?");
  const classes = model([a, b], dense(3)(concatenate()([a, b])));
  classes.compile({ optimizer: sgd(0.5), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const learnt = await classes.fit([[A, B], KIND], { epochs: 60, ...quiet });
  expect(learnt.history.accuracy[59]).toBeGreaterThan(0.85);
  expect(() => twoHeads().compile({ optimizer: sgd(), loss: { kind: "mse" } })).toThrow(
    "[compile] loss must be one for each of kind, size",
  );
});

test("losses that end in softmax and sigmoid: the parts and losses as metrics are those of the probabilities, in training as in evaluation", async () => {
  setSeed(1);
  const x = input([3]);
  const net = model(x, [
    dense(3, { activation: "softmax", name: "kind" })(x),
    dense(1, { activation: "sigmoid", name: "odd" })(x),
  ]);
  const odd = KIND.mod(2).cast("float32");
  net.compile({
    optimizer: sgd(0),
    loss: { kind: sparseCategoricalCrossentropy({ labelSmoothing: 0.1 }), odd: "binaryCrossentropy" },
    metrics: { kind: [sparseCategoricalCrossentropy()] },
  });
  const data = { x: A, y: { kind: KIND, odd } };
  const { history } = await net.fit(data, { batchSize: 60, validationData: data, ...quiet });
  expect(history["loss"][0]).toBeCloseTo(history["kind_loss"][0] + history["odd_loss"][0], 5);
  for (const key of ["loss", "kind_loss", "odd_loss", "kind_sparseCategoricalCrossentropy"])
    expect(history[key][0]).toBeCloseTo(history[`val_${key}`][0], 5);
});
