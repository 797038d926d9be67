/** What the search minimises: the dev error of an MLP after some epochs on a part of MNIST. Runs in worker processes. */
import { random } from "chainrule";
import { mnist } from "chainrule/data";
import { type ActivationName, dense, dropout, flatten, type Model, sequential } from "chainrule/nn";
import { adam } from "chainrule/optim";
import type { Trial } from "chainrule/tune";

export interface Choices {
  readonly learningRate: number;
  readonly beta1: number;
  readonly units: number;
  readonly layers: number;
  readonly dropout: number;
  readonly activation: string;
  readonly batchSize: number;
}

/** Images to learn from in a trial (worker processes read it, too), and those that choose: the test images stay unread. */
const images = (): number => Number(process.env["HYPERPARAMETERS_IMAGES"] ?? 8000);
const DEV = 4000;

/** The network of these choices, compiled. */
export function network(p: Choices): Model {
  const hidden = Array.from({ length: p.layers }, () => [
    dense(p.units, { activation: p.activation as ActivationName }),
    dropout(p.dropout),
  ]).flat();
  const net = sequential([flatten(), ...hidden, dense(10)]);
  net.compile({
    optimizer: adam({ learningRate: p.learningRate, beta1: p.beta1 }),
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
  });
  return net;
}

/** Trains it on some images; `report` is told the dev error after each epoch. */
export async function trained(
  p: Choices,
  seed: number,
  epochs: number,
  report: Trial["report"] = async () => {},
): Promise<number> {
  const { train } = await mnist();
  random.seed(seed);
  const net = network(p);
  const [learn, dev] = [train.take(images()), train.skip(images()).take(DEV)];
  let error = 1;
  for (let epoch = 0; epoch < epochs; epoch++) {
    await net.fit(learn, { epochs: 1, batchSize: p.batchSize, verbose: 0, seed: seed + epoch });
    error = 1 - (await net.evaluate(dev))["accuracy"];
    await report(epoch, error);
  }
  return error;
}

export default (p: Choices, { seed, report }: Trial): Promise<number> => trained(p, seed, 3, report);
