import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import protobuf from "protobufjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { crc32c } from "../../src/io/index.ts";
import { adam, sgd } from "../../src/optim/index.ts";
import * as train from "../../src/train/index.ts";
import { lenet, mlp, stripes } from "./nets.ts";

const DATA = stripes(90);
const COMPILE = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;
const quiet = { verbose: 0 } as const;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "callbacks-"));
});
afterAll(() => rm(folder, { recursive: true }));
const file = (name: string): string => path.join(folder, name);

function ready(net = mlp(), optimizer = adam(3e-3)): typeof net {
  net.compile({ optimizer, ...COMPILE });
  return net;
}

/** Tells a callback a trace of values, one an epoch; gives the rate after each and where it stopped. */
function trace(
  callback: train.Callback,
  values: readonly number[],
  rate = 1,
): { rates: number[]; stopped: number; restored: unknown } {
  const rates: number[] = [];
  let stopped = -1;
  let restored: unknown = null;
  const optimizer = { learningRate: rate };
  let epoch = 0;
  const run = {
    optimizer,
    callbacks: [callback],
    model: {
      weights: () => ({ epoch: { data: Float32Array.of(epoch), shape: [1], dtype: "float32" } }),
      setWeights: (w: unknown) => (restored = w),
    },
    stop: () => (stopped = epoch),
  } as unknown as train.RunControl;
  void callback.onTrainBegin?.({} as train.TrainBegin, run);
  for (const value of values) {
    const event = { type: "epochEnd", epoch, epochs: 99, logs: { val_loss: value }, seconds: 0, samplesPerSecond: 0 };
    void callback.onEpochBegin?.(event as never, run);
    void callback.onEpochEnd?.(event as train.EpochEnd, run);
    rates.push(optimizer.learningRate);
    if (stopped >= 0) break;
    epoch++;
  }
  void callback.onTrainEnd?.({ reason: stopped < 0 ? "done" : "stopped" } as train.TrainEnd, run);
  return { rates, stopped, restored };
}

describe("early stopping", () => {
  const at = (looks: readonly number[], every: number): number[] =>
    looks.flatMap((v) => Array.from({ length: every }, () => v));

  test("S-162 looks every 10 epochs: .9 .7 .6 .65 stops at epoch 40 and restores the model of epoch 30", () => {
    const callback = train.earlyStopping({ every: 10, restoreBestWeights: true });
    const { stopped, restored } = trace(callback, at([0.9, 0.7, 0.6, 0.65, 0.1], 10));
    expect(stopped).toBe(39);
    expect(restored).toEqual({ epoch: { data: Float32Array.of(29), shape: [1], dtype: "float32" } });
  });

  test("S-163 the weights of the best epoch, also when the run ends by itself", () => {
    const callback = train.earlyStopping({ patience: 9, restoreBestWeights: true });
    const { stopped, restored } = trace(callback, [0.9, 0.7, 0.6, 0.65]);
    expect(stopped).toBe(-1);
    expect(restored).toMatchObject({ epoch: { data: Float32Array.of(2) } });
    expect(callback.bestEpoch).toBe(2);
  });

  test("a baseline, a first epoch, a least difference; a value that is not there", () => {
    expect(trace(train.earlyStopping({ baseline: 0.5, patience: 2 }), [0.9, 0.8, 0.7]).stopped).toBe(1);
    expect(trace(train.earlyStopping({ startFromEpoch: 3 }), [1, 2, 3, 1, 2]).stopped).toBe(4);
    expect(trace(train.earlyStopping({ minDelta: 0.1, patience: 2 }), [1, 0.95, 0.91, 0.5]).stopped).toBe(2);
    expect(() => trace(train.earlyStopping({ monitor: "val_auc" }), [1])).toThrow(
      '[earlyStopping] there is no "val_auc" in the logs: they have val_loss.',
    );
  });
});

describe("learning rates", () => {
  test("reduceLROnPlateau as Keras does it, with cooldown and a least rate", () => {
    // Keras 3.15, factor .5, patience 2, cooldown 1, min_lr .2, min_delta 1e-4 on this trace.
    const values = [1, 0.9, 0.95, 0.9, 0.92, 0.91, 0.93, 0.94, 0.95, 0.96, 0.97, 0.5];
    const { rates } = trace(train.reduceLROnPlateau({ factor: 0.5, patience: 2, cooldown: 1, minLR: 0.2 }), values);
    expect(rates).toEqual([1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2]);
  });

  test("learningRateScheduler sets the rate of each epoch; S-145 by hand within a run", async () => {
    const { rates } = trace(
      train.learningRateScheduler((epoch, now) => (epoch < 2 ? now : now * 0.5)),
      [1, 1, 1, 1],
      8,
    );
    expect(rates).toEqual([8, 8, 4, 2]);
    const seen: number[] = [];
    const net = ready(mlp(), sgd(0.1));
    await net.fit(DATA, {
      epochs: 3,
      callbacks: [
        train.learningRateScheduler((epoch) => 0.1 / (epoch + 1)),
        train.lambdaCallback({ onEpochEnd: (_, run) => void seen.push(run.optimizer.learningRate) }),
      ],
      ...quiet,
    });
    expect(seen).toEqual([0.1, 0.05, 0.1 / 3]);
  });
});

describe("files", () => {
  test("modelCheckpoint: a file an epoch by pattern, the best only, every so many steps", async () => {
    const net = ready();
    await net.fit(DATA, {
      epochs: 3,
      validationData: stripes(30),
      callbacks: [
        train.modelCheckpoint(file("all/m-{epoch:02d}-{val_loss:.2f}.safetensors")),
        train.modelCheckpoint(file("best.safetensors"), { saveBestOnly: true }),
        train.modelCheckpoint(file("steps/s-{epoch}-{batch}.safetensors"), { saveFreq: 4 }),
      ],
      ...quiet,
    });
    const all = await readdir(file("all"));
    expect(all.map((n) => n.slice(0, 4)).sort()).toEqual(["m-01", "m-02", "m-03"]);
    expect(all.every((n) => /^m-\d\d-\d\.\d\d\.safetensors$/.test(n))).toBe(true);
    expect((await readdir(file("steps"))).sort()).toEqual(["s-2-1.safetensors", "s-3-2.safetensors"].slice(0, 2));
    const last = await train.loadModel(file(`all/${all.sort()[2]}`));
    expect(last.weights()).toEqual(net.weights());
    const never = train.modelCheckpoint(file("never.safetensors"), { saveBestOnly: true, initialValueThreshold: 1e-9 });
    await ready().fit(DATA, { validationData: stripes(30), callbacks: [never], ...quiet });
    expect(await readdir(folder)).not.toContain("never.safetensors");
    await expect(
      ready().fit(DATA, { callbacks: [train.modelCheckpoint(file("{dice:.2f}.safetensors"))], ...quiet }),
    ).rejects.toThrow("names {dice}; there are loss, accuracy, epoch.");
  });

  test("csvLogger: a line an epoch; a run that goes on keeps the lines before it", async () => {
    const target = file("log.csv");
    const net = ready();
    const first = await net.fit(DATA, { epochs: 2, callbacks: [train.csvLogger(target)], ...quiet });
    const lines = (await readFile(target, "utf8")).trimEnd().split("\n");
    expect(lines[0]).toBe("epoch,loss,accuracy");
    expect(lines.slice(1)).toEqual([0, 1].map((e) => [e, first.history.loss[e], first.history.accuracy[e]].join(",")));
    const callbacks = [train.csvLogger(target, { append: true })];
    await net.fit(DATA, { epochs: 3, initialEpoch: 1, callbacks, ...quiet });
    const more = (await readFile(target, "utf8")).trimEnd().split("\n");
    expect(more.slice(0, 2)).toEqual(lines.slice(0, 2));
    expect(more.map((l) => l.split(",")[0])).toEqual(["epoch", "0", "1", "2"]);
  });

  test("backupAndRestore: a run that fails goes on bit for bit, with its callbacks, whatever their order", async () => {
    const parts = (): train.Callback[] => [
      train.learningRateScheduler((epoch, now) => (epoch === 0 ? now : now * 0.7)),
      train.reduceLROnPlateau({ monitor: "loss", patience: 1, minDelta: 10, factor: 0.8 }),
      train.earlyStopping({ monitor: "loss", patience: 20, restoreBestWeights: true }),
    ];
    const options = { epochs: 4, batchSize: 20, ...quiet };
    const whole = ready(lenet(0.3));
    const history = await whole.fit(DATA, { ...options, callbacks: parts() });
    for (const [fail, saveFreq, front] of [
      [7, 1, true],
      [11, 3, false],
      [13, "epoch", true],
      [18, "epoch", false],
    ] as const) {
      const target = file("backup.safetensors");
      const backup = (): train.Callback => train.backupAndRestore(target, { saveFreq });
      const all = (more: train.Callback[] = []): train.Callback[] =>
        front ? [backup(), ...parts(), ...more] : [...parts(), ...more, backup()];
      const bomb = train.lambdaCallback({
        onBatchEnd({ step }) {
          if (step === fail) throw new Error("the power failed");
        },
      });
      await expect(ready(lenet(0.3)).fit(DATA, { ...options, callbacks: all([bomb]) })).rejects.toThrow("power");
      const again = ready(lenet(0.3));
      const rest = await again.fit(DATA, { ...options, callbacks: all() });
      expect(rest).toEqual(history);
      expect(again.weights()).toEqual(whole.weights());
      expect(again.optimizer?.learningRate).toBe(whole.optimizer?.learningRate);
      expect(await readdir(folder)).not.toContain("backup.safetensors");
    }
    await writeFile(file("bad.safetensors"), "no backup");
    await expect(
      ready().fit(DATA, { callbacks: [train.backupAndRestore(file("bad.safetensors"))], ...quiet }),
    ).rejects.toThrow("bad.safetensors");
  });
});

/** What TensorBoard's own reader knows of the messages (tensorflow/core/util/event.proto, framework/summary.proto). */
const SCHEMA = `
syntax = "proto3";
message Event { double wall_time = 1; int64 step = 2; oneof what { string file_version = 3; Summary summary = 5; } }
message HistogramProto {
  double min = 1; double max = 2; double num = 3; double sum = 4; double sum_squares = 5;
  repeated double bucket_limit = 6 [packed = true]; repeated double bucket = 7 [packed = true];
}
message Summary {
  message Value { string tag = 1; oneof value { float simple_value = 2; HistogramProto histo = 5; } }
  repeated Value value = 1;
}`;

interface ReadEvent {
  readonly step?: number;
  readonly fileVersion?: string;
  readonly summary?: {
    readonly value: readonly { tag: string; simpleValue?: number; histo?: Record<string, number | number[]> }[];
  };
}

/** The events of a file, each record's checksums checked. */
function eventsOf(bytes: Uint8Array): ReadEvent[] {
  const type = protobuf.parse(SCHEMA).root.lookupType("Event");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const unmasked = (at: number): number => {
    const rot = (view.getUint32(at, true) - 0xa282ead8) >>> 0;
    return ((rot >>> 17) | (rot << 15)) >>> 0;
  };
  const out: ReadEvent[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(view.getBigUint64(at, true));
    expect(unmasked(at + 8)).toBe(crc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(unmasked(at + 12 + length)).toBe(crc32c(data));
    out.push(type.toObject(type.decode(data), { longs: Number }));
    at += length + 16;
  }
  return out;
}

test("tensorBoard writes event files in Keras' layout: scalars by epoch and batch, histograms of weights", async () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  const net = ready();
  const { history } = await net.fit(DATA, {
    epochs: 2,
    batchSize: 30,
    validationData: stripes(30),
    callbacks: [train.tensorBoard(file("logs"), { updateFreq: 2, histogramFreq: 1 })],
    ...quiet,
  });
  const read = async (part: string): Promise<ReadEvent[]> => {
    const names = await readdir(file(`logs/${part}`));
    expect(names).toHaveLength(1);
    expect(names[0]).toMatch(/^events\.out\.tfevents\.\d+\.\d+\.chainrule\.v2$/);
    return eventsOf(await readFile(file(`logs/${part}/${names[0]}`)));
  };
  const [version, ...events] = await read("train");
  expect(version.fileVersion).toBe("brain.Event:2");
  const scalars = (of: readonly ReadEvent[], tag: string): [number, number | undefined][] =>
    of.flatMap((e) =>
      (e.summary?.value ?? [])
        .filter((v) => v.tag === tag)
        .map((v) => [e.step ?? 0, v.simpleValue] as [number, number]),
    );
  expect(scalars(events, "epoch_loss")).toEqual([0, 1].map((e) => [e, Math.fround(history.loss[e])]));
  expect(scalars(events, "epoch_learning_rate").map(([, v]) => v)).toEqual([Math.fround(3e-3), Math.fround(3e-3)]);
  expect(scalars(events, "batch_loss").map(([s]) => s)).toEqual([2, 4, 6]);
  const valid = await read("validation");
  expect(scalars(valid, "epoch_accuracy")).toEqual([0, 1].map((e) => [e, Math.fround(history.val_accuracy[e])]));
  const last = events.findLast((e) => (e.summary?.value.length ?? 0) > 3);
  for (const [name, w] of Object.entries(net.weights())) {
    const h = last?.summary?.value.find((v) => v.tag === name)?.histo as Record<string, number> | undefined;
    const data = [...w.data];
    expect([h?.["num"], h?.["min"], h?.["max"]]).toEqual([data.length, Math.min(...data), Math.max(...data)]);
    expect(h?.["sum"]).toBeCloseTo(
      data.reduce((a, b) => a + b, 0),
      9,
    );
    const counts = h?.["bucket"] as unknown as number[];
    const limits = h?.["bucketLimit"] as unknown as number[];
    expect(counts.reduce((a, b) => a + b, 0)).toBe(data.length);
    counts.forEach((n, i) => {
      const [lo, hi] = [i === 0 ? Number.NEGATIVE_INFINITY : limits[i - 1], limits[i]];
      expect(data.filter((v) => v >= lo && v < hi).length).toBe(n);
    });
  }
});

describe("streams and generators", () => {
  test("trainEvents gives each event, holds the run meanwhile, ends it when left, and passes errors on", async () => {
    const types: string[] = [];
    const net = ready();
    const want = await ready().fit(DATA, { epochs: 2, ...quiet });
    const stream = train.trainEvents(net, DATA, { epochs: 2 });
    for (;;) {
      const { done, value } = await stream.next();
      if (done === true) {
        expect(value).toEqual(want);
        break;
      }
      if (value.type === "batchEnd") expect(net.optimizer?.iterations).toBe(value.step);
      types.push(value.type);
    }
    const epoch = ["epochBegin", "batchEnd", "batchEnd", "batchEnd", "epochEnd"];
    expect(types).toEqual(["trainBegin", ...epoch, ...epoch, "trainEnd"]);
    for await (const event of train.trainEvents(net, DATA, { epochs: 50 }))
      if (event.type === "batchEnd" && event.step === 8) break;
    expect(net.optimizer?.iterations).toBe(8);
    const wrong = async (): Promise<void> => {
      for await (const _ of train.trainEvents(net, { x: DATA.all().x }, {})) continue;
    };
    await expect(wrong()).rejects.toThrow("but no labels");
  });

  test("fromGenerator: sync and async generators train as the arrays they make", async () => {
    const want = await ready().fit(DATA, { epochs: 2, shuffle: false, batchSize: 30, ...quiet });
    function* batches(): Generator<train.GeneratedBatch> {
      for (const b of DATA.batches(30)) yield { x: b.x, y: b.y as typeof b.x };
    }
    const sync = await train.fromGenerator(batches);
    expect(await ready().fit(sync, { epochs: 2, ...quiet })).toEqual(want);
    const seen: number[] = [];
    const endless = await train.fromGenerator(
      async function* (epoch) {
        seen.push(epoch);
        for (;;) {
          await Promise.resolve();
          yield* batches();
        }
      },
      { stepsPerEpoch: 3 },
    );
    expect(await ready().fit(endless, { epochs: 2, ...quiet })).toEqual(want);
    expect(seen).toEqual([0, 0, 1]);
    expect((await ready().evaluate(sync)).loss).toBeCloseTo((await ready().evaluate(DATA)).loss, 6);
    await expect(train.fromGenerator(() => [])).rejects.toThrow("ended before its first batch");
  });
});
