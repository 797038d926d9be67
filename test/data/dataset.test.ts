import { describe, expect, test } from "vitest";
import { foldKey, keyOfSeed, permutationOf } from "../../src/base/index.ts";
import { checkLabels, type Dataset, datasetOf, oneHotLabels } from "../../src/data/index.ts";

/** n samples of 2 numbers, label = row number modulo 3. */
function sample(n: number): Dataset {
  return datasetOf({
    x: { data: Float32Array.from({ length: 2 * n }, (_, i) => i), shape: [n, 2], dtype: "float32" },
    y: { data: Int32Array.from({ length: n }, (_, i) => i % 3), shape: [n], dtype: "int32" },
    sampleWeight: { data: Float32Array.from({ length: n }, (_, i) => i / 10), shape: [n], dtype: "float32" },
    classes: 3,
  });
}

const rows = (d: Dataset, batchSize: number, options = {}): number[][] =>
  [...d.batches(batchSize, options)].map((b) => Array.from({ length: b.size }, (_, i) => b.x.data[2 * i] / 2));

describe("dataset", () => {
  test("batches in order, with the short last one or without it", () => {
    const d = sample(5);
    expect(rows(d, 2)).toEqual([[0, 1], [2, 3], [4]]);
    expect(rows(d, 2, { dropRemainder: true })).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect([d.steps(2), d.steps(2, true), d.length]).toEqual([3, 2, 5]);
    const [first, , last] = [...d.batches(2)];
    expect(first.x.shape).toEqual([2, 2]);
    expect(last).toMatchObject({ size: 1, index: 2, y: { shape: [1], dtype: "int32" } });
    expect(Array.from(last.sampleWeight?.data ?? [])).toEqual([Math.fround(0.4)]);
  });

  test("the shuffled order is the documented permutation of seed and epoch", () => {
    const d = sample(10);
    for (const epoch of [0, 1]) {
      const expected = Array.from(permutationOf(foldKey(keyOfSeed(7), epoch), 10));
      expect(rows(d, 10, { shuffle: true, seed: 7, epoch })[0]).toEqual(expected);
    }
    expect(rows(d, 4, { shuffle: true, epoch: 0 })).not.toEqual(rows(d, 4, { shuffle: true, epoch: 1 }));
  });

  test("start resumes in the middle of an epoch with the same batches", () => {
    const d = sample(11);
    const all = rows(d, 3, { shuffle: true, seed: 1, epoch: 2 });
    expect(rows(d, 3, { shuffle: true, seed: 1, epoch: 2, start: 2 })).toEqual(all.slice(2));
  });

  test("reuse fills one buffer", () => {
    const seen = new Set([...sample(6).batches(2, { reuse: true })].map((b) => b.x.data.buffer));
    expect(seen.size).toBe(1);
    expect(new Set([...sample(6).batches(2)].map((b) => b.x.data.buffer)).size).toBe(3);
  });

  test("take, skip, slice, split, shuffled are views that keep x and y together", () => {
    const d = sample(10);
    expect(rows(d.take(3), 9)).toEqual([[0, 1, 2]]);
    expect(rows(d.skip(8), 9)).toEqual([[8, 9]]);
    expect(rows(d.skip(2).slice(1, 3), 9)).toEqual([[3, 4]]);
    const [a, b] = d.shuffled(3).split(0.7);
    expect([a.length, b.length]).toEqual([7, 3]);
    expect([...rows(a, 9)[0], ...rows(b, 9)[0]].toSorted((p, q) => p - q)).toEqual(rows(d, 10)[0]);
    expect(Array.from(a.labels() ?? [])).toEqual(rows(a, 9)[0].map((i) => i % 3));
    expect(d.take(99).length).toBe(10);
    expect([...d.skip(10).batches(4)]).toEqual([]);
  });

  test("map changes shape and dtype, and draws reproducibly from its key", () => {
    const d = sample(4).map((s, key) => ({
      x: { data: Int32Array.of(s.x.data[0], key[0]), shape: [2], dtype: "int32" },
      y: s.y,
    }));
    expect([d.xShape, d.xDtype]).toEqual([[2], "int32"]);
    const of = (epoch: number): number[] => Array.from([...d.batches(4, { epoch })][0].x.data);
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    expect(of(1).filter((_, i) => i % 2 === 0)).toEqual([0, 2, 4, 6]);
  });

  test("bytes become float32 in 0..1", () => {
    const d = datasetOf({ x: { data: Uint8Array.of(0, 128, 255), shape: [3, 1], dtype: "uint8" }, scale: 1 / 255 });
    expect(Array.from(d.all().x.data)).toEqual([0, Math.fround(128 / 255), 1]);
    expect(d.xDtype).toBe("float32");
  });

  test("an empty dataset has no batches", () => {
    const d = datasetOf({ x: { data: new Float32Array(0), shape: [0, 2], dtype: "float32" } });
    expect(d.length).toBe(0);
    expect([...d.batches(4)]).toEqual([]);
    expect(d.all().x.shape).toEqual([0, 2]);
  });
});

describe("labels", () => {
  test("the first label out of range is named, with the likely repair", () => {
    expect(() => checkLabels(Int32Array.of(1, 2, 3), 3)).toThrow(
      /label 3 at index 2 .* 0\.\.2\. Do they count from 1\? Subtract 1\./,
    );
    expect(() => checkLabels(Int32Array.of(0, -1), 3)).toThrow(/label -1 at index 1/);
    expect(() => checkLabels(Float32Array.of(0.5), 3)).toThrow(/regression/);
    expect(() => checkLabels(Int32Array.of(0, 7), 3)).toThrow(/need 8 units/);
    expect(() => checkLabels(Int32Array.of(0, 2), 3)).not.toThrow();
  });

  test("one-hot", () => {
    const out = oneHotLabels({ data: Int32Array.of(2, 0), shape: [2], dtype: "int32" }, 3);
    expect(out).toEqual({ data: Float32Array.of(0, 0, 1, 1, 0, 0), shape: [2, 3], dtype: "float32" });
  });
});
