import { describe, expect, test, vi } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { dense, flatten, meanSquaredError, type Model, relu, sequential, sigmoid } from "../../src/nn/index.ts";
import { adam, sgd } from "../../src/optim/index.ts";
import { ones, tensor, type Tensor } from "../../src/tensor/index.ts";
import {
  type BatchSource,
  checkNumbers,
  classWeights,
  earlyStopping,
  saveCheckpoint,
  type History,
  type RunControl,
  type TrainEnd,
  terminateOnNaN,
  type TrainEvent,
  type TrainingState,
} from "../../src/train/index.ts";
import { numbers } from "../nn/harness.ts";
import { lenet, mlp, resnet, stripes } from "./nets.ts";

const DATA = stripes(90);
const COMPILE = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;
const quiet = { verbose: 0 } as const;

function ready(net = mlp()): typeof net {
  net.compile({ optimizer: adam(3e-3), ...COMPILE });
  return net;
}

describe("fit", () => {
  test("learns, and tells history, events and validation (S-389, S-390)", async () => {
    const net = ready(lenet());
    const events: TrainEvent[] = [];
    const history = await net.fit(DATA, {
      epochs: 12,
      batchSize: 32,
      validationData: stripes(40),
      onEvent: (e) => events.push(e),
      ...quiet,
    });
    expect(history.epoch).toEqual([...Array(12).keys()]);
    expect(Object.keys(history.history)).toEqual(["loss", "accuracy", "val_loss", "val_accuracy"]);
    expect(history.history.loss[11]).toBeLessThan(history.history.loss[0] / 2);
    expect(history.history.val_accuracy[11]).toBeGreaterThan(0.9);
    const types = events.map((e) => e.type);
    const epoch = ["epochBegin", "batchEnd", "batchEnd", "batchEnd", "epochEnd"];
    expect(types).toEqual(["trainBegin", ...Array.from({ length: 12 }, () => epoch).flat(), "trainEnd"]);
    const last = events.findLast((e) => e.type === "batchEnd");
    expect(last).toMatchObject({ epoch: 11, batch: 2, batches: 3, step: 36, size: 26, seen: 90, samples: 90 });
    // The running mean at the last batch is the epoch's own.
    expect(last?.metrics).toEqual({ loss: history.history.loss[11], accuracy: history.history.accuracy[11] });
    expect(JSON.parse(JSON.stringify(events))).toEqual(events);
  });

  test("the mean over an epoch counts samples: a short last batch weighs less (S-391)", async () => {
    const net = ready();
    net.compile({ optimizer: sgd(0), ...COMPILE });
    const whole = await net.evaluate(DATA, { batchSize: 90 });
    const { history } = await net.fit(DATA, { batchSize: 32, ...quiet });
    expect(history.loss[0]).toBeCloseTo(whole.loss, 5);
    expect(history.accuracy[0]).toBeCloseTo(whole.accuracy, 12);
    const parts = await net.evaluate(DATA, { batchSize: 7 });
    expect(parts.loss).toBeCloseTo(whole.loss, 5);
  });

  test("two runs are bit-identical; another seed is not (S-408)", async () => {
    const run = async (seed: number): Promise<History> => ready(lenet(0.2)).fit(DATA, { epochs: 2, seed, ...quiet });
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  test("initialEpoch goes on where a run of fewer epochs ended", async () => {
    const whole = ready(lenet(0.2));
    const history = await whole.fit(DATA, { epochs: 3, ...quiet });
    const parts = ready(lenet(0.2));
    await parts.fit(DATA, { epochs: 1, ...quiet });
    const rest = await parts.fit(DATA, { epochs: 3, initialEpoch: 1, ...quiet });
    expect(rest.epoch).toEqual([1, 2]);
    expect(rest.history.loss).toEqual(history.history.loss.slice(1));
    expect(parts.weights()).toEqual(whole.weights());
  });

  test("takes tensors, arrays, pairs, datasets and sources of one's own alike", async () => {
    const { x, y } = DATA.all();
    const host = { x, y: y as typeof x };
    const xt = tensor(x.data, { shape: x.shape });
    const want = await ready().fit(DATA, quiet);
    expect(await ready().fit({ x: xt, y: tensor(host.y.data) }, quiet)).toEqual(want);
    expect(await ready().fit([xt, host.y.data], quiet)).toEqual(want);
    expect(await ready().fit(host, quiet)).toEqual(want);
    const source: BatchSource = {
      length: DATA.length,
      xShape: DATA.xShape,
      xDtype: DATA.xDtype,
      steps: (n) => DATA.steps(n),
      async *batches(n, options) {
        for (const b of DATA.batches(n, options)) {
          await Promise.resolve();
          yield b;
        }
      },
    };
    expect(await ready().fit(source, quiet)).toEqual(want);
  });

  test("validationSplit takes the last share, before shuffling", async () => {
    const net = ready();
    const split = await net.fit(DATA, { validationSplit: 0.2, ...quiet });
    expect(await ready().fit(DATA.take(72), { validationData: DATA.skip(72), ...quiet })).toEqual(split);
  });

  test("sample weights: weight 0 is as if absent, Σwl/n over the batch as in Keras", async () => {
    setSeed(1);
    const net = sequential([dense(1)], { inputShape: [2] });
    net.compile({ optimizer: sgd(0), loss: "mse", metrics: ["mse"] });
    const x = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ]);
    const y = tensor([[1], [0], [1], [0]]);
    const e = (await net.predict(x)).sub(y).square().dataSync();
    const weighted = await net.evaluate({ x, y }, { sampleWeight: [2, 0, 1, 0] });
    expect(weighted.loss).toBeCloseTo((2 * e[0] + e[2]) / 4, 4);
    expect(weighted.mse).toBeCloseTo((2 * e[0] + e[2]) / 3, 4);
    const { history } = await net.fit({ x, y }, { sampleWeight: tensor([2, 0, 1, 0]), batchSize: 4, ...quiet });
    expect(history.loss[0]).toBeCloseTo(weighted.loss, 5);
  });

  test("S-105, S-407 class weights: 1000:100 → .55 and 5.5; they weigh the loss", async () => {
    const labels = Int32Array.from({ length: 1100 }, (_, i) => Number(i >= 1000));
    expect(classWeights(labels, 2)).toEqual([0.55, 5.5]);
    const make = (): Model => {
      setSeed(1);
      const net = sequential([dense(2)], { inputShape: [2] });
      net.compile({ optimizer: sgd(0.5), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
      return net;
    };
    // A rare class that overlaps with the common one: unweighted, it is given up.
    const x = numbers(1, [1100, 2]).add(
      tensor(
        Float32Array.from({ length: 2200 }, (_, i) => Number(i >= 2000)),
        { shape: [1100, 2] },
      ),
    );
    const rare = { x: x.slice([1000, 1100]), y: labels.slice(1000) };
    const found = async (classWeight?: number[]): Promise<number> => {
      const net = make();
      await net.fit([x, labels], { epochs: 10, classWeight, ...quiet });
      return (await net.evaluate(rare)).accuracy;
    };
    expect(await found()).toBeLessThan(0.4);
    expect(await found(classWeights(labels, 2))).toBeGreaterThan(0.6);
    await expect(make().fit([x, labels], { classWeight: [1], ...quiet })).rejects.toThrow(
      "classWeight has 1 weights, but sample 1000 is of class 1",
    );
  });

  test("callbacks may be async, stop the run, and early stopping restores the best weights (S-162, S-163)", async () => {
    const net = ready();
    const seen: string[] = [];
    const { epoch } = await net.fit(DATA, {
      epochs: 5,
      batchSize: 30,
      callbacks: [
        {
          onTrainBegin: () => void seen.push("begin"),
          onEpochBegin: (e) => void seen.push(`epoch ${e.epoch}`),
          async onEpochEnd(e, run) {
            await Promise.resolve();
            seen.push(`end ${e.epoch}`);
            if (e.epoch === 1) run.stop();
          },
          onTrainEnd: (e) => void seen.push(e.reason),
        },
      ],
      ...quiet,
    });
    expect(epoch).toEqual([0, 1]);
    expect(seen).toEqual(["begin", "epoch 0", "end 0", "epoch 1", "end 1", "stopped"]);
    expect(net.stopTraining).toBe(true);
    // val_loss by hand: .9 .7 .6 .65 .66 → best epoch 2, stopped after 4 with patience 2.
    const trace = [0.9, 0.7, 0.6, 0.65, 0.66, 0.1];
    const stopper = earlyStopping({ patience: 2, restoreBestWeights: true });
    const weights: string[] = [];
    const stop = (): void => void weights.push("stop");
    const control = { model: net, callbacks: [], stop } as unknown as RunControl;
    const snapshot = (): string => JSON.stringify(Object.values(net.weights()).map((w) => [...w.data]));
    const end = { type: "epochEnd", epochs: 9, seconds: 0, samplesPerSecond: 0 } as const;
    for (const [i, loss] of trace.entries()) {
      net.variables[0].assign(
        tensor(new Float32Array(net.variables[0].size).fill(i), { shape: net.variables[0].shape }),
      );
      if (i === 2) weights.push(snapshot());
      void stopper.onEpochEnd?.({ ...end, epoch: i, logs: { val_loss: loss } }, control);
      if (weights.includes("stop")) break;
    }
    void stopper.onTrainEnd?.({ reason: "stopped" } as TrainEnd, control);
    expect(weights).toHaveLength(2);
    expect(stopper.bestEpoch).toBe(2);
    expect(snapshot()).toBe(weights[0]);
  });

  test("lets timers run and stops at an aborted signal", async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 120);
    let reason = "";
    const begun = performance.now();
    await ready(lenet()).fit(DATA, {
      epochs: 1e6,
      signal: abort.signal,
      onEvent: (e) => e.type === "trainEnd" && (reason = e.reason),
      ...quiet,
    });
    expect(reason).toBe("aborted");
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  test("metrics, losses and predictions agree for two classes with sigmoid and with logits", async () => {
    const x = tensor(Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]));
    const y = Float32Array.from({ length: 40 }, (_, i) => Number(Math.sin(i) > 0.2));
    const run = async (last: boolean): Promise<History> => {
      setSeed(2);
      const net = sequential([dense(8), relu, dense(1), ...(last ? [sigmoid] : [])]);
      net.compile({
        optimizer: adam(0.02),
        loss: "binaryCrossentropy",
        metrics: ["accuracy", "precision", "recall", "f1"],
      });
      return net.fit([x, y], { epochs: 15, ...quiet });
    };
    const [a, b] = [await run(true), await run(false)];
    expect(a.history.accuracy.at(-1)).toBeGreaterThan(0.9);
    for (const key of Object.keys(a.history))
      a.history[key].forEach((v, i) => expect(v).toBeCloseTo(b.history[key][i], 5));
  });

  test("checkNumbers names the batch and what is not finite; terminateOnNaN ends the run", async () => {
    const [x, y] = [new Float32Array(40).fill(1), ones([20, 1])];
    const net = (rate: number): Model => {
      setSeed(1);
      const made = sequential([dense(1)], { inputShape: [2] });
      made.compile({ optimizer: sgd(rate), loss: "mse" });
      return made;
    };
    const how = { batchSize: 8, shuffle: false, callbacks: [checkNumbers()], ...quiet };
    const blown = net(1e30).fit([tensor(x, { shape: [20, 2] }), y], how);
    await expect(blown).rejects.toThrow(
      /epoch 1, batch [12]: the loss is .* after the step .*"dense\/kernel".*lower the learning rate/,
    );
    const ends: TrainEvent[] = [];
    const said = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const [xt, onEvent] = [tensor(x, { shape: [20, 2] }), (e: TrainEvent) => void ends.push(e)];
    await net(1e30).fit([xt, y], { epochs: 9, callbacks: [terminateOnNaN()], onEvent, ...quiet });
    expect(ends.at(-1)).toMatchObject({ type: "trainEnd", reason: "stopped" });
    expect(
      ends
        .filter((e) => e.type === "batchEnd")
        .map((e) => Number.isFinite(e.loss))
        .lastIndexOf(false),
    ).toBe(ends.filter((e) => e.type === "batchEnd").length - 1);
    expect(said).toHaveBeenCalledTimes(1);
    said.mockRestore();
    x[21] = Number.NaN;
    const nan = /epoch 1, batch 2: input x holds NaN in sample 2 of the batch/;
    await expect(net(0.1).fit([tensor(x, { shape: [20, 2] }), y], how)).rejects.toThrow(nan);
    await net(0.1).fit([tensor(x, { shape: [20, 2] }), y], quiet);
  });

  test("softmax at the end or not: a cross-entropy by name trains both alike", async () => {
    const run = async (activation: "softmax" | "linear"): Promise<readonly number[]> => {
      setSeed(4);
      const net = sequential([flatten(), dense(3, { activation })]);
      net.compile({ optimizer: adam(0.01), ...COMPILE });
      return (await net.fit(DATA, { epochs: 3, ...quiet })).history.loss;
    };
    const [a, b] = [await run("softmax"), await run("linear")];
    a.forEach((v, i) => expect(v).toBeCloseTo(b[i], 6));
  });

  test("a loss of one's own, to a scalar or one number a sample", async () => {
    const losses = [
      meanSquaredError,
      (p: Tensor, t: Tensor) => p.sub(t).square().mean(),
      (p: Tensor, t: Tensor) => p.sub(t).square().mean(-1),
    ];
    const data = { x: ones([8, 3]), y: ones([8, 2]) };
    const got: number[][] = [];
    for (const loss of losses) {
      setSeed(1);
      const net = sequential([dense(2)]);
      net.compile({ optimizer: sgd(0.1), loss });
      got.push([...(await net.fit(data, { epochs: 2, ...quiet })).history.loss]);
    }
    expect(got[1]).toEqual(got[0]);
    got[2].forEach((v, i) => expect(v).toBeCloseTo(got[0][i], 6));
  });
});

describe("resume", () => {
  const how = { epochs: 4, batchSize: 20, seed: 3, ...quiet };

  test.each([
    { name: "LeNet with dropout", make: () => ready(lenet(0.3)) },
    { name: "batch norm", make: () => ready(resnet()) },
  ])("in the middle of an epoch goes on bit for bit: $name", async ({ make }) => {
    const losses: number[] = [];
    let saved: TrainingState | null = null;
    const net = make();
    const history = await net.fit(DATA, {
      ...how,
      onEvent(e) {
        if (e.type !== "batchEnd") return;
        losses.push(e.loss);
        if (e.step === 7) saved = net.trainingState();
      },
    });
    const state = saved as unknown as TrainingState;
    expect(state.position).toEqual({ epoch: 1, batch: 2, step: 7 });
    expect(JSON.parse(JSON.stringify(state.meta))).toEqual(state.meta);
    setSeed(12345);
    const again = make();
    const rest: number[] = [];
    const resumed = await again.fit(DATA, {
      ...how,
      resume: state,
      onEvent: (e) => e.type === "batchEnd" && rest.push(e.loss),
    });
    expect(rest).toEqual(losses.slice(7));
    expect(resumed).toEqual(history);
    expect(again.weights()).toEqual(net.weights());
  });

  test("after an abort, from the state of the run", async () => {
    const whole = ready(lenet(0.3));
    const history = await whole.fit(DATA, how);
    const first = ready(lenet(0.3));
    const abort = new AbortController();
    await first.fit(DATA, {
      ...how,
      signal: abort.signal,
      onEvent: (e) => e.type === "batchEnd" && e.step === 5 && abort.abort(),
    });
    const second = ready(lenet(0.3));
    expect(await second.fit(DATA, { ...how, resume: first.trainingState() })).toEqual(history);
    expect(second.weights()).toEqual(whole.weights());
  });

  test("at the last batch of an epoch the validation still comes", async () => {
    const validated = { ...how, epochs: 1, validationData: stripes(20) };
    const net = ready();
    let saved: TrainingState | null = null;
    const history = await net.fit(DATA, {
      ...validated,
      onEvent: (e) => void (e.type === "batchEnd" && (saved = net.trainingState())),
    });
    expect(await ready().fit(DATA, { ...validated, resume: saved as unknown as TrainingState })).toEqual(history);
  });

  test("refuses a state of another run, and then changes nothing", async () => {
    const net = ready();
    await net.fit(DATA, how);
    const state = net.trainingState();
    const other = ready(lenet());
    const before = other.weights();
    await expect(other.fit(DATA, { ...how, resume: state })).rejects.toThrow(/do not fit model/);
    expect(other.weights()).toEqual(before);
    await expect(ready().fit(DATA, { ...how, batchSize: 10, resume: state })).rejects.toThrow(
      "the saved run has batchSize 20, this one 10",
    );
    const plain = mlp();
    plain.compile({ optimizer: sgd(0.1), ...COMPILE });
    await expect(plain.fit(DATA, { ...how, resume: state })).rejects.toThrow(
      'state is of optimizer "adam", the model is compiled with "sgd"',
    );
  });
});

describe("predict", () => {
  test("gives the same for any batch size and any number of samples", async () => {
    const net = lenet();
    const { x } = DATA.all();
    const whole = await net.predict(x, { batchSize: 90 });
    expect(whole.shape).toEqual([90, 3]);
    for (const batchSize of [1, 7, 32, 64]) {
      const parts = (await net.predict(x, { batchSize })).dataSync();
      parts.forEach((v, i) => expect(v).toBeCloseTo(whole.dataSync()[i], 5));
    }
    expect((await net.predict(tensor(new Float32Array(0), { shape: [0, 12, 12, 1] }))).shape).toEqual([0, 3]);
  });

  test("of class numbers and of unflattened output", async () => {
    const net = sequential([flatten()]);
    const out = await net.predict(tensor([[[1, 2]], [[3, 4]], [[5, 6]]]), { batchSize: 2 });
    expect([out.shape, [...out.dataSync()]]).toEqual([
      [3, 2],
      [1, 2, 3, 4, 5, 6],
    ]);
  });
});

test("saveCheckpoint says what it wants when it gets a model", async () => {
  await expect(saveCheckpoint(ready() as unknown as TrainingState, "never-written.safetensors")).rejects.toThrow(
    "[saveCheckpoint] expects the state of a training run: saveCheckpoint(model.trainingState(), path).",
  );
});
