import { expect, test } from "vitest";
import { valueAndGrad } from "../../src/autodiff/index.ts";
import { crossEntropy, type Model } from "../../src/nn/index.ts";
import { adam, type Optimizer, sgd } from "../../src/optim/index.ts";
import { compiled, type Tensor, tensor } from "../../src/tensor/index.ts";
import { lenet, mlp, resnet, stripes } from "./nets.ts";

const DATA = stripes(90);
const HOW = { batchSize: 32, seed: 4, epochs: 4 };

async function byFit(net: Model, optimizer: Optimizer, metrics: readonly "accuracy"[]): Promise<number[]> {
  const losses: number[] = [];
  net.compile({ optimizer, loss: "sparseCategoricalCrossentropy", metrics });
  await net.fit(DATA, { ...HOW, verbose: 0, onEvent: (e) => e.type === "batchEnd" && losses.push(e.loss) });
  return losses;
}

function byHand(net: Model, optimizer: Optimizer): number[] {
  const step = compiled((x: Tensor, y: Tensor) => {
    const [loss, grads] = valueAndGrad(net, () => crossEntropy(net(x, { training: true }), y));
    optimizer.update(net, grads);
    return loss;
  });
  const losses: number[] = [];
  for (let epoch = 0; epoch < HOW.epochs; epoch++) {
    for (const { x, y } of DATA.batches(HOW.batchSize, { shuffle: true, seed: HOW.seed, epoch })) {
      losses.push(step(tensor(x.data, { shape: x.shape }), tensor((y as typeof x).data)).item());
    }
  }
  return losses;
}

test.each([
  { name: "MLP, sgd", net: mlp, optimizer: () => sgd({ learningRate: 0.05, momentum: 0.9 }) },
  { name: "LeNet, adam", net: lenet, optimizer: () => adam(3e-3) },
  { name: "LeNet with dropout, adam", net: () => lenet(0.3), optimizer: () => adam(3e-3) },
  { name: "residual block with batch norm, adam", net: resnet, optimizer: () => adam(3e-3) },
])("fit and the open form have the same losses to the bit: $name (S-408)", async ({ net, optimizer }) => {
  const open = byHand(net(), optimizer());
  expect(open).toHaveLength(3 * HOW.epochs);
  expect(await byFit(net(), optimizer(), ["accuracy"])).toEqual(open);
  expect(await byFit(net(), optimizer(), [])).toEqual(open);
  expect(byHand(net(), optimizer())).toEqual(open);
});
