/** Catalogue rows on the procedure of training: batches, when to regularise, frozen networks. */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { datasetOf, mnist } from "../../src/data/index.ts";
import { diagnoseErrors } from "../../src/diagnose/index.ts";
import * as nn from "../../src/nn/index.ts";
import { adam, sgd } from "../../src/optim/index.ts";
import { type Callback, batchSizes, earlyStopping, precompute, trainOnBatch } from "../../src/train/index.ts";
import { testOnBatch, predictOnBatch, trainEvents } from "../../src/train/index.ts";
import { list, numbers } from "../nn/harness.ts";
import { stripes } from "./nets.ts";

const { dense, relu, sequential } = nn;
const quiet = { verbose: 0 } as const;

/** Rows of (seconds, loss) after each epoch. */
function table(rows: [number, number][]): Callback {
  let seconds = 0;
  return {
    onEpochEnd(e) {
      seconds += e.seconds;
      rows.push([seconds, e.logs["loss"]]);
    },
  };
}

/** A line through 8 inputs. */
function lines(n: number): ReturnType<typeof datasetOf> {
  const x = list(numbers(1, [n, 8]));
  const y = Float32Array.from({ length: n }, (_, i) =>
    x.slice(8 * i, 8 * i + 8).reduce((a, v, k) => a + v * (k - 3), 0),
  );
  return datasetOf({
    x: { data: Float32Array.from(x), shape: [n, 8], dtype: "float32" },
    y: { data: y, shape: [n, 1], dtype: "float32" },
  });
}

describe("batches", () => {
  test("S-138 one epoch of 60,000 samples is 60,000, 938 or 1 updates; the loss against seconds", async () => {
    const whole = datasetOf({ x: { data: new Float32Array(60_000), shape: [60_000, 1], dtype: "float32" } });
    expect([1, 64, 60_000].map((k) => whole.steps(k))).toEqual([60_000, 938, 1]);
    const data = lines(2000);
    const run = async (batchSize: number): Promise<{ updates: number; rows: [number, number][] }> => {
      setSeed(1);
      const net = sequential([dense(1)], { inputShape: [8] });
      net.compile({ optimizer: sgd(0.01), loss: "mse" });
      const rows: [number, number][] = [];
      await net.fit(data, { epochs: 3, batchSize, callbacks: [table(rows)], ...quiet });
      return { updates: (net.optimizer?.iterations ?? 0) / 3, rows };
    };
    const [single, some, batch] = [await run(1), await run(64), await run(2000)];
    expect([single, some, batch].map((r) => r.updates)).toEqual([2000, 32, 1]);
    for (const { rows } of [single, some, batch]) {
      expect(rows).toHaveLength(3);
      rows.slice(1).forEach(([s], i) => expect(s).toBeGreaterThan(rows[i][0]));
    }
    // In equal epochs the more updates, the lower the loss: the full pass is dear.
    expect(single.rows[2][1]).toBeLessThan(some.rows[2][1]);
    expect(some.rows[2][1]).toBeLessThan(batch.rows[2][1]);
  });

  test("S-392 up to 2,000 samples the whole batch, else 64 … 1,024; the time of an epoch for each", async () => {
    expect(batchSizes(1500)).toEqual([1500]);
    expect(batchSizes(60_000)).toEqual([64, 128, 256, 512, 1024]);
    expect(batchSizes(60_000).map(Math.log2)).toEqual([6, 7, 8, 9, 10]);
    expect(() => batchSizes(0)).toThrow("samples must be a whole number ≥ 1");
    const times = new Map<number, number>();
    for (const batchSize of batchSizes(4096)) {
      const net = sequential([dense(1)], { inputShape: [8] });
      net.compile({ optimizer: sgd(0.01), loss: "mse" });
      for await (const e of trainEvents(net, lines(4096), { batchSize }))
        if (e.type === "epochEnd") times.set(batchSize, e.seconds);
      expect(net.optimizer?.iterations).toBe(4096 / batchSize);
    }
    expect([...times.keys()]).toEqual(batchSizes(4096));
    for (const seconds of times.values()) expect(seconds).toBeGreaterThan(0);
  });

  test("single steps: trainOnBatch is a step of fit, testOnBatch and predictOnBatch its other halves", async () => {
    const make = (): nn.Model => {
      setSeed(2);
      const net = sequential([dense(4), relu, dense(1)], { inputShape: [8] });
      net.compile({ optimizer: adam(0.01), loss: "mse", metrics: ["mae"] });
      return net;
    };
    const [a, b] = [make(), make()];
    const [x, y] = [numbers(1, [32, 8]), numbers(2, [32, 1])];
    const before = await testOnBatch(b, x, y);
    const logs = await trainOnBatch(b, x, y);
    const { history } = await a.fit([x, y], { batchSize: 32, shuffle: false, ...quiet });
    expect([logs["loss"], logs["mae"]]).toEqual([history["loss"][0], history["mae"][0]]);
    expect(before["loss"]).toBeCloseTo(logs["loss"], 5);
    expect(b.weights()).toEqual(a.weights());
    expect(list(await predictOnBatch(b, x))).toEqual(list(await a.predict(x)));
    await expect(trainOnBatch(sequential([dense(1)]), x, y)).rejects.toThrow("[trainOnBatch] model");
  });
});

describe("when to regularise", () => {
  test("S-155 only when it overfits: errors .10 and .11 → no, .01 and .11 → yes", () => {
    const advised = (train: number, dev: number): boolean =>
      diagnoseErrors({ train, dev }).advice.some((a) => /weight decay|dropout/.test(a));
    expect([advised(0.1, 0.11), advised(0.01, 0.11)]).toEqual([false, true]);
  });

  test("S-164 an L2 sweep changes the penalty alone; early stopping changes the fit as well", async () => {
    // 24 noisy samples of 20 inputs, two of which matter: a net without a penalty learns the noise.
    const [x, noise] = [numbers(1, [24, 20]), numbers(2, [24, 1])];
    const y = x
      .slice(null, [0, 1])
      .sub(x.slice(null, [1, 2]))
      .add(noise.mul(0.7));
    const clean = numbers(3, [400, 20]);
    const dev = { x: clean, y: clean.slice(null, [0, 1]).sub(clean.slice(null, [1, 2])) };
    const run = async (l2: number, callbacks: Callback[]): Promise<{ epochs: number; train: number; dev: number }> => {
      setSeed(5);
      const net = sequential([dense(1, { kernelRegularizer: nn.l2(l2) })], { inputShape: [20] });
      net.compile({ optimizer: sgd(0.05), loss: "mse", metrics: ["mse"] });
      const { epoch, history } = await net.fit([x, y], {
        epochs: 400,
        batchSize: 24,
        validationData: dev,
        callbacks,
        ...quiet,
      });
      const key = "mse";
      return { epochs: epoch.length, train: history[key].at(-1) ?? 0, dev: (await net.evaluate(dev))[key] };
    };
    const sweep: Awaited<ReturnType<typeof run>>[] = [];
    for (const l2 of [0, 0.03, 0.1, 0.3]) sweep.push(await run(l2, []));
    expect(sweep.map((r) => r.epochs)).toEqual([400, 400, 400, 400]);
    sweep.slice(1).forEach((r, i) => expect(r.train).toBeGreaterThan(sweep[i].train));
    const best = sweep.reduce((a, r) => (r.dev < a.dev ? r : a));
    expect(best.dev).toBeLessThan(sweep[0].dev);
    expect(best).not.toBe(sweep[0]);
    // One knob for two things: it regularises by not having fitted.
    const stopped = await run(0, [earlyStopping({ monitor: "val_mse", patience: 5, restoreBestWeights: true })]);
    expect(stopped.epochs).toBeLessThan(400);
    expect(stopped.dev).toBeLessThan(sweep[0].dev);
    expect(stopped.train).toBeGreaterThan(sweep[0].train);
  });
});

describe("frozen networks", () => {
  test("S-403 outputs of a frozen backbone once: 1,000 samples instead of 10,000 in ten epochs, the same losses", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "features-"));
    try {
      const data = stripes(1000, 8);
      setSeed(3);
      const backbone = sequential([nn.conv2d(4, 3), relu, nn.flatten()], { inputShape: [8, 8, 1] });
      backbone.trainable = false;
      const head = (): nn.Layer => dense(3, { kernelInitializer: nn.normal({ stddev: 0.05, seed: 1 }) });
      const how = { epochs: 10, batchSize: 50, ...quiet };
      const compile = { loss: "sparseCategoricalCrossentropy" } as const;
      const whole = sequential([backbone, head()], { inputShape: [8, 8, 1] });
      whole.compile({ optimizer: sgd(0.05), ...compile });
      const want = await whole.fit(data, how);
      let seen = 0;
      const cache = path.join(folder, "features.safetensors");
      const options = { cache, onBatch: (at: { seen: number }) => void (seen = at.seen) };
      const features = await precompute(backbone, data, options);
      expect(seen).toBe(1000);
      const top = sequential([head()], { inputShape: features.xShape });
      top.compile({ optimizer: sgd(0.05), ...compile });
      const got = await top.fit(features, how);
      got.history.loss.forEach((v, i) => expect(Math.abs(v - want.history.loss[i])).toBeLessThan(1e-6));
      // A second time nothing is computed; other weights are noticed.
      const { mtimeMs } = await stat(cache);
      seen = 0;
      const again = await precompute(backbone, data, options);
      expect([seen, (await stat(cache)).mtimeMs]).toEqual([0, mtimeMs]);
      expect(again.all().x.data).toEqual(features.all().x.data);
      backbone.variables[0].assign(backbone.variables[0].mul(2));
      await precompute(backbone, data, options);
      expect(seen).toBe(1000);
      backbone.trainable = true;
      await expect(precompute(backbone, data)).rejects.toThrow("has trainable variables");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("S-404 fine-tuning a network of digits on 1,000 images in new classes beats training from scratch", async () => {
    const { train, test: testing } = await mnist();
    /** The same images with the class of `label`. */
    const relabelled = (set: typeof train, classes: number, label: (digit: number) => number): typeof train => {
      const { x, y } = set.all();
      const data = Int32Array.from(y?.data ?? [], (v) => label(v));
      return datasetOf({ x, y: { data, shape: [data.length], dtype: "int32" }, classes });
    };
    const pairs = (digit: number): number => digit >> 1;
    const body = (): nn.Layer[] => [
      nn.conv2d(6, 5),
      nn.activation("relu"),
      nn.maxPool2d(4),
      nn.flatten(),
      dense(48, { activation: "relu" }),
    ];
    const make = (rate: number, classes: number): nn.Model => {
      setSeed(4);
      const net = sequential([...body(), dense(classes, { name: "top", kernelInitializer: "zeros" })], {
        inputShape: [28, 28, 1],
      });
      net.compile({ optimizer: adam(rate), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
      return net;
    };
    const base = make(2e-3, 10);
    await base.fit(train.take(8000), { epochs: 1, batchSize: 64, ...quiet });
    const small = relabelled(train.skip(8000).take(1000), 5, pairs);
    const unseen = relabelled(testing.take(2000), 5, pairs);
    const scratch = make(1e-3, 5);
    const tuned = make(1e-3, 5);
    // All but the last layer, whose classes are others; it begins at zero, so that it does not shake the rest.
    const own = tuned.weights();
    const learnt = Object.entries(base.weights()).filter(([name]) => !name.startsWith("top/"));
    tuned.setWeights({ ...own, ...Object.fromEntries(learnt) });
    for (const net of [scratch, tuned]) await net.fit(small, { epochs: 3, batchSize: 64, ...quiet });
    const right = async (net: nn.Model): Promise<number> => (await net.evaluate(unseen))["accuracy"];
    expect(await right(tuned)).toBeGreaterThan((await right(scratch)) + 0.1);
  });
});
