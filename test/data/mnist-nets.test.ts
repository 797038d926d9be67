import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { main } from "../../src/cli/commands.ts";
import { mnist } from "../../src/data/index.ts";
import { conv2d, countParameters, dense, flatten, maxPool2d, relu, sequential } from "../../src/nn/index.ts";
import { adam } from "../../src/optim/index.ts";
import type { TrainEvent } from "../../src/train/index.ts";

test("S-256 LeNet-5 has 61,706 parameters and reaches 98.5 % on MNIST", { timeout: 400_000 }, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "chainrule-"));
  let out = "";
  const write = (text: string): void => void (out += text);
  const terminal = {
    write,
    error: write,
    live: false,
    colour: false,
    columns: 100,
    interrupted: new AbortController().signal,
  };
  const code = await main(["start", "--epochs", "2", "--out", folder], terminal);
  await rm(folder, { recursive: true });
  expect(code).toBe(0);
  expect(out).toContain("LeNet-5, 61,706 weights");
  expect(Number(/test accuracy ([\d.]+)%/.exec(out)?.[1])).toBeGreaterThanOrEqual(98.5);
});

test(
  "S-249 CNN training: after 200 steps on MNIST the loss is less than half of the first",
  { timeout: 120_000 },
  async () => {
    const { train } = await mnist();
    setSeed(0);
    const model = sequential([conv2d(8, 3), relu, maxPool2d(2), flatten(), dense(10)]);
    model.compile({ optimizer: adam(1e-3), loss: "sparseCategoricalCrossentropy" });
    const losses: number[] = [];
    const onEvent = (e: TrainEvent): void => void (e.type === "batchEnd" && losses.push(e.loss));
    await model.fit(train.take(200 * 32), { epochs: 1, batchSize: 32, verbose: 0, onEvent });
    expect(losses.length).toBe(200);
    const last = losses.slice(-10).reduce((a, b) => a + b, 0) / 10;
    expect(last).toBeLessThan(0.5 * losses[0]);
  },
);

test(
  "S-255 deep feed-forward networks: 72 parameters of 3-5-5-3-1; 784-128-64-10 reaches 97 % on MNIST",
  { timeout: 200_000 },
  async () => {
    const small = sequential([dense(5), dense(5), dense(3), dense(1)], { inputShape: [3] });
    expect(countParameters(small.variables)).toBe(72);
    const { train, test: held } = await mnist();
    setSeed(0);
    const model = sequential([flatten(), dense(128), relu, dense(64), relu, dense(10)]);
    model.compile({ optimizer: adam(2e-3), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
    await model.fit(train, { epochs: 3, batchSize: 128, verbose: 0 });
    const { accuracy } = await model.evaluate(held, { batchSize: 1000 });
    expect(accuracy).toBeGreaterThanOrEqual(0.97);
  },
);
