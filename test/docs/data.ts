/** chainrule/data for the programs in the documents: MNIST cut short. */
import { mnist as whole, type Mnist, type MnistOptions } from "../../src/data/index.ts";

export * from "../../src/data/index.ts";

export async function mnist(options: MnistOptions = {}): Promise<Mnist> {
  const { train, test } = await whole(options);
  return { train: train.take(256), test: test.take(128) };
}
