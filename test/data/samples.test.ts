/** What tf.data users look for: filter, repeat, shard, cache, zip, interleave, mapBatches, prefetch; and folds, splits, balance. */
import { describe, expect, test } from "vitest";
import { foldKey, keyOfSeed } from "../../src/base/index.ts";
import {
  type Batch,
  concatDatasets,
  type Dataset,
  datasetOf,
  holdOut,
  interleave,
  iris,
  kFold,
  overSample,
  prefetch,
  stratifiedKFold,
  trainTestSplit,
  underSample,
  zip,
} from "../../src/data/index.ts";
import { dense, sequential } from "../../src/nn/index.ts";
import { sgd } from "../../src/optim/index.ts";
import prefetched from "./prefetched.mjs";

/** Samples 0..n-1 as x [n, 1], their class by `of`. */
const numbered = (n: number, of: (i: number) => number = (i) => i % 2): Dataset =>
  datasetOf({
    x: { data: Float32Array.from({ length: n }, (_, i) => i), shape: [n, 1], dtype: "float32" },
    y: { data: Int32Array.from({ length: n }, (_, i) => of(i)), shape: [n], dtype: "int32" },
    classes: 4,
  });
const xs = (d: Dataset): number[] => Array.from(d.all().x.data);
const ys = (d: Dataset): number[] => Array.from(d.labels() ?? []);
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe("views", () => {
  test("filter, repeat, shard, select", () => {
    const d = numbered(7);
    expect(xs(d.filter(({ x, y }) => x.data[0] > 2 && y?.data[0] === 0))).toEqual([4, 6]);
    expect(xs(d.take(3).repeat(2))).toEqual([0, 1, 2, 0, 1, 2]);
    expect(d.repeat(0).length).toBe(0);
    expect([xs(d.shard(3, 0)), xs(d.shard(3, 1)), xs(d.shard(3, 2))]).toEqual([
      [0, 3, 6],
      [1, 4],
      [2, 5],
    ]);
    expect(xs(d.skip(2).select([4, 0, 0]))).toEqual([6, 2, 2]);
    expect(() => d.take(3).select([3])).toThrow("[dataset] position 3 is not one of the 3 samples 0..2");
    expect(() => d.shard(2, 2)).toThrow("0 ≤ index < count");
    expect(() => d.repeat(1.5)).toThrow("whole number of times");
  });

  test("zip, concatDatasets, interleave", () => {
    const [a, b] = [numbered(3), numbered(5).skip(3)];
    expect(xs(concatDatasets([a, b]))).toEqual([0, 1, 2, 3, 4]);
    expect(xs(interleave([a, b]))).toEqual([0, 3, 1, 4, 2]);
    expect(xs(interleave([numbered(5), numbered(12).skip(10)], { blockLength: 2 }))).toEqual([0, 1, 10, 11, 2, 3, 4]);
    const pairs = zip(
      a,
      numbered(3).map(({ x, y }) => ({ x: { ...x, data: x.data.map((v) => v * 10) }, y })),
    );
    expect([xs(pairs), ys(pairs), pairs.yShape]).toEqual([[0, 1, 2], [0, 10, 20], [1]]);
    expect(() => zip(a, b)).toThrow("3 and 2 samples");
    expect(() => concatDatasets([a, datasetOf({ x: a.all().x })])).toThrow("y of dataset 1 is none");
  });

  test("mapBatches sees whole batches, mixes samples, and draws by epoch and batch", () => {
    const d = numbered(6).mapBatches(({ x }, key) => ({
      x: { data: Int32Array.from(x.data, (v) => v + key[0]), shape: x.shape, dtype: "int32" },
      y: { data: Float32Array.from(x.data, () => x.shape[0]), shape: [x.shape[0]], dtype: "float32" },
    }));
    expect([d.xDtype, d.yDtype]).toEqual(["int32", "float32"]);
    const key = (epoch: number, index: number): number => foldKey(foldKey(keyOfSeed(0), epoch), index)[0];
    const batches = [...d.batches(4, { epoch: 3 })];
    expect(batches.map((b) => Array.from(b.x.data))).toEqual([
      [0, 1, 2, 3].map((v) => (v + key(3, 0)) | 0),
      [4, 5].map((v) => (v + key(3, 1)) | 0),
    ]);
    expect(batches.map((b) => Array.from(b.y?.data ?? []))).toEqual([
      [4, 4, 4, 4],
      [2, 2],
    ]);
    // Resumed or shared among readers, batches are the same.
    const second = [...d.batches(4, { epoch: 3, start: 1 })];
    expect(second).toEqual([batches[1]]);
    const two = numbered(6).mapBatches(({ x, y }) => ({ x: { ...x, shape: [x.shape[0] * 2, 1] }, y }));
    expect(() => two.all()).toThrow("mapBatches gave 12 samples of x for a batch of 6");
  });

  test("stages have keys of their own, and cache keeps what they gave", () => {
    const keys: number[] = [];
    const note = (d: Dataset): Dataset =>
      d.map((s, key) => {
        keys.push(key[0]);
        return s;
      });
    const d = note(note(numbered(3)));
    keys.length = 0;
    expect(xs(d)).toEqual([0, 1, 2]);
    expect(new Set(keys).size).toBe(6);
    const cached = d.cache();
    keys.length = 0;
    expect([xs(cached), ys(cached), cached.classes]).toEqual([[0, 1, 2], [0, 1, 0], 4]);
    expect(keys).toEqual([]);
  });
});

describe("folds and splits", () => {
  test("S-400 k-fold: with K = 5 every sample is validated exactly once and learnt from four times", () => {
    for (const n of [5, 23, 100]) {
      const folds = kFold(n, { splits: 5, seed: 3 });
      expect(folds.length).toBe(5);
      expect(folds.flatMap((f) => [...f.validation]).sort((a, b) => a - b)).toEqual(range(n));
      const learnt = new Array<number>(n).fill(0);
      for (const { train, validation } of folds) {
        train.forEach((i) => learnt[i]++);
        expect([...train, ...validation].sort((a, b) => a - b)).toEqual(range(n));
      }
      expect(learnt).toEqual(new Array<number>(n).fill(4));
      const sizes = folds.map((f) => f.validation.length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
    expect([...kFold(6, { splits: 3, shuffle: false })[0].validation]).toEqual([0, 1]);
    expect(() => kFold(3, { splits: 4 })).toThrow("[kFold] splits must be a whole number in 2..3 (the samples), got 4");
  });

  test("stratified folds share out every class", async () => {
    const { data } = await iris();
    const labels = data.labels() ?? [];
    const folds = stratifiedKFold(labels, { splits: 5 });
    expect(folds.flatMap((f) => [...f.validation]).sort((a, b) => a - b)).toEqual(range(150));
    for (const { validation } of folds) {
      const counts = [0, 0, 0];
      validation.forEach((i) => counts[labels[i]]++);
      expect(counts).toEqual([10, 10, 10]);
    }
    expect(() => stratifiedKFold(["a", "b", "a", "a"], { splits: 3 })).toThrow("class b has 1 samples, fewer than 3");
  });

  test("S-399 train, dev and test are disjoint, and the test set is given out once", () => {
    const data = numbered(100, (i) => (i < 80 ? 0 : 1));
    const split = holdOut(data, { dev: 0.2, test: 0.2, stratify: true, seed: 5 });
    const held = split.test();
    const parts = [split.train, split.dev, held].map(xs);
    expect(parts.map((p) => p.length)).toEqual([60, 20, 20]);
    expect(parts.flat().sort((a, b) => a - b)).toEqual(range(100));
    expect([split.train, split.dev, held].map((d) => ys(d).filter((y) => y === 1).length)).toEqual([12, 4, 4]);
    expect(() => split.test()).toThrow("given out already: scored twice, it is a dev set");
    expect(xs(split.test({ again: true }))).toEqual(xs(held));
    expect(() => holdOut(data, { dev: 60, test: 40 })).toThrow("nothing is left to train on");
  });

  test("trainTestSplit: by share or number, mixed by seed, in order without shuffling", () => {
    const data = numbered(20);
    const { train, test: held } = trainTestSplit(data, { testSize: 6, seed: 1 });
    expect([train.length, held.length]).toEqual([14, 6]);
    expect([...xs(train), ...xs(held)].sort((a, b) => a - b)).toEqual(range(20));
    expect(xs(trainTestSplit(data, { testSize: 6, seed: 1 }).test)).toEqual(xs(held));
    expect(xs(trainTestSplit(data, { testSize: 6, seed: 2 }).test)).not.toEqual(xs(held));
    expect(xs(trainTestSplit(data, { testSize: 0.25, shuffle: false }).test)).toEqual(range(5));
    expect(() => trainTestSplit(data, { testSize: 20 })).toThrow("a part would be empty");
    expect(() => trainTestSplit(datasetOf({ x: data.all().x }), { stratify: true })).toThrow("got no labels");
  });

  test("over- and under-sampling make all classes equally frequent", () => {
    const data = numbered(30, (i) => (i < 20 ? 0 : i < 28 ? 1 : 3));
    const count = (d: Dataset): number[] => range(4).map((c) => ys(d).filter((y) => y === c).length);
    const over = overSample(data, { seed: 2 });
    expect(count(over)).toEqual([20, 20, 0, 20]);
    expect(xs(over.take(30))).toEqual(range(30));
    // Every extra sample carries its own label.
    xs(over).forEach((x, i) => expect(ys(over)[i]).toBe(x < 20 ? 0 : x < 28 ? 1 : 3));
    const under = underSample(data, { seed: 2 });
    expect(count(under)).toEqual([2, 2, 0, 2]);
    expect(new Set(xs(under)).size).toBe(6);
    expect(xs(underSample(data, { seed: 3 }))).not.toEqual(xs(under));
  });
});

describe("prefetch", () => {
  const module = new URL("./prefetched.mjs", import.meta.url);
  const collect = async (source: AsyncIterable<Batch> | Iterable<Batch>): Promise<Batch[]> => {
    const out: Batch[] = [];
    for await (const batch of source) out.push(batch);
    return out;
  };

  test("workers give the dataset's own batches, in order", { timeout: 60_000 }, async () => {
    const data = prefetched(50);
    for (const workers of [1, 3]) {
      const source = await prefetch(module, { workers, ahead: 4, argument: 50 });
      expect([source.length, source.xShape, source.yDtype, source.steps(8)]).toEqual([50, [2], "int32", 7]);
      for (const options of [{ shuffle: true, seed: 4, epoch: 2 }, { start: 3 }, { dropRemainder: true }]) {
        expect(await collect(source.batches(8, options))).toEqual(await collect(data.batches(8, options)));
      }
      source.close();
    }
  });

  test("fit trains from it to the same weights, and a loop may end early", { timeout: 60_000 }, async () => {
    const source = await prefetch(module, { workers: 2, argument: 40 });
    const weights = async (data: typeof source | Dataset): Promise<number[]> => {
      const model = sequential([dense(2, { kernelInitializer: "zeros" })], { inputShape: [2] });
      model.compile({ optimizer: sgd(0.01), loss: "sparseCategoricalCrossentropy" });
      await model.fit(data, { epochs: 2, batchSize: 16, seed: 9, verbose: 0 });
      return Array.from(model.variables[0].dataSync());
    };
    expect(await weights(source)).toEqual(await weights(prefetched(40)));
    for await (const batch of source.batches(4)) if (batch.index === 1) break;
    expect((await collect(source.batches(40))).length).toBe(1);
    source.close();
  });

  test("what fails in a worker is said here", { timeout: 60_000 }, async () => {
    await expect(prefetch(module, { argument: -1 })).rejects.toThrow(/\[prefetch\] a worker failed: .*below zero/);
    await expect(prefetch("file:///nowhere.mjs")).rejects.toThrow(/a worker failed: .*nowhere/);
    await expect(prefetch(module, { workers: 0 })).rejects.toThrow("workers must be a whole number ≥ 1");
  });
});
