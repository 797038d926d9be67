/** HDF5 files as h5py writes them (test/fixtures/hdf5.json, made by make_hdf5.py). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeHdf5 } from "../../src/io/index.ts";

const { base64 } = JSON.parse(readFileSync(new URL("../fixtures/hdf5.json", import.meta.url), "utf8")) as {
  base64: string;
};
const BYTES = new Uint8Array(Buffer.from(base64, "base64"));

describe("HDF5", () => {
  test("numbers of every kind: in either byte order, packed in chunks, without a shape", async () => {
    const { arrays } = await decodeHdf5(BYTES);
    const found = Object.fromEntries(
      Object.entries(arrays).map(([path, { dtype, shape, data }]) => [path, [dtype, shape, Array.from(data)]]),
    );
    expect(found["kinds/packed"]).toEqual(["float32", [100, 10], Array.from({ length: 1000 }, (_, i) => i)]);
    delete found["kinds/packed"];
    expect(found).toEqual({
      "kinds/i1": ["int32", [2], [-1, 2]],
      "kinds/i2": ["int32", [2], [-300, 2]],
      "kinds/i4": ["int32", [2], [-1, 2]],
      "kinds/i8": ["int32", [2], [-5, 2 ** 31 - 1]],
      "kinds/u1": ["uint8", [2], [1, 255]],
      "kinds/u2": ["int32", [2], [1, 65535]],
      "kinds/u4": ["uint32", [2], [1, 2 ** 32 - 1]],
      "kinds/u8": ["int32", [2], [5, 7]],
      "kinds/bool": ["bool", [2], [1, 0]],
      "kinds/bigF4": ["float32", [2], [1.5, 2.5]],
      "kinds/bigI4": ["int32", [2], [1, 258]],
      "kinds/scalar": ["float32", [], [3.5]],
      "kinds/zero": ["float32", [0, 3], []],
      "links/soft": ["uint8", [2], [1, 255]],
      "model_weights/dense/seq/kernel": ["float32", [2, 3], [0, 0.25, 0.5, 0.75, 1, 1.25]],
      "model_weights/dense/seq/bias": ["float64", [3], [1, -2, 3]],
    });
  });

  test("text and attributes", async () => {
    const { texts, attributes } = await decodeHdf5(BYTES);
    expect(texts).toEqual({ "kinds/text": ["hello"], "kinds/texts": ["ab", "c"], "kinds/words": ["ab", "cé"] });
    const soft = { unit: "byte" };
    expect(attributes).toEqual({
      "": { whole: 3, floats: [1.5, 2.5], flag: true, big: "1152921504606846977", none: null },
      model_weights: { layer_names: ["dense", "norm"], model_config: '{"class_name": "Sequential", "name": "é"}' },
      "kinds/u1": soft,
      "links/soft": soft,
    });
  });

  test("what it cannot read is named, with the reason", async () => {
    expect((await decodeHdf5(BYTES)).skipped).toEqual({
      "@half": "float of 16 bits",
      "kinds/complex": "a compound",
      "kinds/half": "float of 16 bits",
      "kinds/nothing": "empty: it has no shape",
      "kinds/wide": "int64 with values beyond int32",
      "links/around": "a link to a group",
      "links/broken": "a link to nothing",
      "links/outside": "a link to another file",
    });
  });

  test("a header before the file, and several files at a time", async () => {
    const led = new Uint8Array(512 + BYTES.length);
    led.set(BYTES, 512);
    const [a, b] = await Promise.all([decodeHdf5(led), decodeHdf5(BYTES)]);
    expect(a).toEqual(b);
  });

  test("what is no HDF5 file, or only the beginning of one", async () => {
    await expect(decodeHdf5(new TextEncoder().encode("hello"), "a.h5")).rejects.toThrow(
      '[hdf5] "a.h5" is not an HDF5 file',
    );
    await expect(decodeHdf5(new Uint8Array(0))).rejects.toThrow("is not an HDF5 file");
    await expect(decodeHdf5(BYTES.subarray(0, 3000), "a.h5")).rejects.toThrow(
      /"a.h5" cannot be read: truncated file: eof = 3000.*Is it truncated/,
    );
    const broken = BYTES.slice();
    broken.fill(0xff, 600, 6000);
    await expect(decodeHdf5(broken)).rejects.toThrow(/\[hdf5\] "hdf5" cannot be read: /);
    expect(Object.keys((await decodeHdf5(BYTES)).arrays)).toHaveLength(17);
  });
});
