/**
 * Ten-step loss curves of three architectures, as stored numbers: what any change to the engine, the layers or the optimizers
 * that alters training shows first. The interpreter in float64 gives the same five figures.
 */
import { expect, test } from "vitest";
import type { Model } from "../../src/nn/index.ts";
import { adam, sgd, type Optimizer } from "../../src/optim/index.ts";
import { onOracle } from "./oracle.ts";
import { lenet, mlp, resnet, stripes } from "./nets.ts";

const DATA = stripes(320);

async function curve(net: Model, optimizer: Optimizer): Promise<number[]> {
  const losses: number[] = [];
  net.compile({ optimizer, loss: "sparseCategoricalCrossentropy" });
  await net.fit(DATA, {
    batchSize: 32,
    seed: 1,
    verbose: 0,
    onEvent: (e) => e.type === "batchEnd" && losses.push(e.loss),
  });
  return losses.map((v) => Number(v.toPrecision(5)));
}

test.each<[string, () => Model, () => Optimizer, number[]]>([
  [
    "MLP, momentum",
    mlp,
    () => sgd({ learningRate: 0.05, momentum: 0.9 }),
    [1.2807, 0.90864, 0.77139, 0.50286, 0.31964, 0.12578, 0.035613, 0.015513, 0.0058504, 0.0024465],
  ],
  [
    "LeNet-like, Adam",
    lenet,
    () => adam(5e-3),
    [1.2578, 1.1386, 1.0604, 1.0487, 1.0971, 1.0426, 0.91908, 0.83314, 0.83645, 0.87596],
  ],
  [
    "residual block with batch norm, Adam",
    resnet,
    () => adam(5e-3),
    [1.3505, 1.2147, 1.0253, 0.94534, 0.78685, 0.79034, 0.75296, 0.7259, 0.6734, 0.58719],
  ],
])("the loss curve of ten steps: %s", async (_, net, optimizer, want) => {
  for (const losses of [await curve(net(), optimizer()), await onOracle(() => curve(net(), optimizer()))]) {
    expect(losses).toHaveLength(10);
    losses.forEach((v, i) =>
      expect(Math.abs(v - want[i]), `step ${i + 1}: ${losses.join(", ")}`).toBeLessThan(2e-4 * want[i]),
    );
  }
});
