/** Tables, pictures, sound and text as arrays; scaling; the tables that come with the package. */
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import * as jpeg from "jpeg-js";
import { describe, expect, test } from "vitest";
import { compiled, type Tensor, tensor } from "../../src/index.ts";
import {
  bostonHousing,
  breastCancer,
  datasetOf,
  datasetOfTable,
  type HostArray,
  imageFolder,
  imputer,
  iris,
  labelEncoder,
  minMaxScaler,
  readImage,
  resizeImage,
  robustScaler,
  scalerFromConfig,
  standardScaler,
  trainTestSplit,
  vocabulary,
  wine,
} from "../../src/data/index.ts";
import {
  decodeWav,
  encodeCsv,
  encodePng,
  encodeWav,
  parseCsv,
  readFileBytes,
  writeFileSafely,
} from "../../src/io/index.ts";

interface Fixture {
  scaling: Record<"x" | "minMax" | "standard" | "robust", number[][]>;
  resize: Record<"picture" | "smaller" | "larger", number[][][]>;
  sums: Record<string, { x: number; columns: number[]; y: number[] }>;
}
const fixture = JSON.parse(readFileSync(new URL("../fixtures/classic.json", import.meta.url), "utf8")) as Fixture;

const inFolder = async (f: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(path.join(tmpdir(), "chainrule-"));
  try {
    await f(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
};

test("S-001 data kinds: CSV 150×4, PNG 64×64, a second of WAV at 16 kHz, text", async () => {
  await inFolder(async (folder) => {
    const at = (name: string): string => path.join(folder, name);
    const { data, featureNames, classNames } = await iris();
    const columns = featureNames.map((name, c) => [name, Array.from({ length: 150 }, (_, i) => data.at(i).x.data[c])]);
    const species = Array.from(data.labels() ?? [], (l) => classNames[l]);
    await writeFile(at("iris.csv"), encodeCsv({ ...Object.fromEntries(columns), species }));
    const table = parseCsv(new TextDecoder().decode(await readFileBytes(at("iris.csv"))));
    const flowers = datasetOfTable(table, { target: "species" });
    expect(flowers.data.all().x.shape).toEqual([150, 4]);
    expect(flowers.data.all().x.data).toEqual(data.all().x.data);
    expect(flowers.data.labels()).toEqual(data.labels());
    expect(flowers.classNames).toEqual(classNames);

    const pixels = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7) % 256);
    await writeFileSafely(at("a.png"), await encodePng({ width: 64, height: 64, channels: 3, data: pixels }));
    const picture = await readImage(at("a.png"));
    expect(picture).toEqual({ data: pixels, shape: [64, 64, 3], dtype: "uint8" });

    const tone = Float32Array.from({ length: 16000 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 16000));
    await writeFileSafely(at("a.wav"), encodeWav({ data: tone, shape: [16000], dtype: "float32" }, 16000));
    const sound = decodeWav(await readFileBytes(at("a.wav")));
    expect([sound.sampleRate, sound.audio.shape]).toEqual([16000, [16000]]);
    sound.audio.data.forEach((v, i) => expect(Math.abs(v - tone[i])).toBeLessThanOrEqual(0.5 / 32768 + 1e-7));

    const text = "the cat sat on the mat.";
    const ids = vocabulary([text]).encode(text);
    expect([ids.shape, ids.dtype]).toEqual([[7], "int32"]);
  });
});

describe("csv", () => {
  test("types, quotes, missing values", () => {
    const t = parseCsv('a,"b, c",d,e\r\n1,"x ""y""\nz",true,\r\nNA,?,FALSE,2e3\r\n\r\n-.5, w ,true,-Inf\r\n');
    expect([t.names, t.length]).toEqual([["a", "b, c", "d", "e"], 3]);
    expect(t.columns["a"]).toEqual({ type: "number", data: Float64Array.of(1, NaN, -0.5), missing: 1 });
    expect(t.columns["b, c"]).toEqual({ type: "string", data: ['x "y"\nz', null, "w"], missing: 1 });
    expect(t.columns["d"]).toEqual({ type: "boolean", data: [true, false, true], missing: 0 });
    expect(t.columns["e"]).toEqual({ type: "number", data: Float64Array.of(NaN, 2000, -Infinity), missing: 1 });
  });

  test("delimiters, headers, comments, named types", () => {
    expect(parseCsv("a;b\n1,5;2\n").columns["a"]).toEqual({ type: "string", data: ["1,5"], missing: 0 });
    expect(parseCsv("1\t2\n3\t4", { header: false }).columns["1"].data).toEqual(Float64Array.of(2, 4));
    const zip = parseCsv("# plans\nzip\n01234\n", { comment: "#", types: { zip: "string" } });
    expect(zip.columns["zip"].data).toEqual(["01234"]);
    expect(parseCsv("1,2\n", { header: ["x", "y"] }).names).toEqual(["x", "y"]);
  });

  test("errors name file and line", () => {
    const of =
      (text: string, options = {}) =>
      () =>
        parseCsv(text, { name: "f.csv", ...options });
    expect(of("a,b\n1,2\n1,2,3\n")).toThrow('"f.csv" line 3 has 3 fields, the header has 2');
    expect(of('a\n"open\n')).toThrow("line 2: a quote is never closed");
    expect(of('a\n"x"y\n')).toThrow('line 2: "y" follows a closing quote');
    expect(of('a\nx"y\n')).toThrow("line 2: a quote inside the unquoted field");
    expect(of("a\n1\nfew\n", { types: { a: "number" } })).toThrow('line 3: "few" in column "a" is not a number');
    expect(of("a,a\n1,2\n")).toThrow('two columns are called "a"');
    expect(of("")).toThrow("is empty");
    expect(of("a\n1\n", { types: { b: "number" } })).toThrow('types names the column "b"');
  });

  test("what is written is read again", () => {
    const columns = { "a b": [1, NaN, -2.5], s: ['q"', " padded ", "x,y"], t: [true, null, false] };
    const t = parseCsv(encodeCsv(columns));
    expect(t.columns["a b"].data).toEqual(Float64Array.of(1, NaN, -2.5));
    expect(t.columns["s"].data).toEqual(columns.s);
    expect(t.columns["t"].data).toEqual(columns.t);
  });

  test("a table as samples: names become features, gaps are an error, dropped or kept", () => {
    const t = parseCsv("city,rooms,garden,price\nRome,2,true,10\nOslo,,false,20\nRome,4,true,30\n");
    expect(() => datasetOfTable(t, { target: "price" })).toThrow('record 1 has no "rooms": pass { missing: "drop" }');
    const dropped = datasetOfTable(t, { target: "price", missing: "drop" });
    expect([dropped.featureNames, dropped.data.length]).toEqual([["city=Rome", "rooms", "garden"], 2]);
    const kept = datasetOfTable(t, { target: "price", missing: "keep" });
    expect(kept.featureNames).toEqual(["city=Oslo", "city=Rome", "rooms", "garden"]);
    expect(Array.from(imputer().fitTransform(kept.data).at(1).x.data)).toEqual([1, 0, 3, 0]);
    expect(Array.from(kept.data.labels() ?? [])).toEqual([10, 20, 30]);
    const named = datasetOfTable(t, { target: "city", features: ["price"] });
    expect([named.classNames, Array.from(named.data.labels() ?? [])]).toEqual([
      ["Oslo", "Rome"],
      [1, 0, 1],
    ]);
    expect(() => datasetOfTable(t, { target: "prise" })).toThrow('no column "prise": the table has city, rooms');
  });

  test("labels and names", () => {
    const encoder = labelEncoder().fit(["dog", "cat", "dog"]);
    expect(encoder.transform(["cat", "dog"]).data).toEqual(Int32Array.of(0, 1));
    expect(encoder.inverseTransform([1, 0])).toEqual(["dog", "cat"]);
    expect(() => encoder.transform(["cow"])).toThrow(
      '"cow" at index 0 is not one of the classes that fit saw: cat, dog',
    );
    expect(() => encoder.inverseTransform([2])).toThrow("0..1");
  });
});

describe("scaling", () => {
  const flat = (x: Tensor): number[] => Array.from(x.dataSync());
  const close = (got: ArrayLike<number>, want: number[], off = 1e-12): void => {
    expect(got.length).toBe(want.length);
    want.forEach((w, i) => expect(Math.abs(got[i] - w)).toBeLessThanOrEqual(off * Math.max(1, Math.abs(w))));
  };

  test("S-178 min-max to [0, 1] and [-1, 1]; a constant column is guarded", () => {
    close(flat(minMaxScaler().fitTransform([2, 4, 6, 8])), [0, 1 / 3, 2 / 3, 1], 1e-6);
    close(flat(minMaxScaler({ range: [-1, 1] }).fitTransform([2, 4, 6, 8])), [-1, -1 / 3, 1 / 3, 1], 1e-6);
    close(
      flat(
        minMaxScaler().fitTransform([
          [5, 1],
          [5, 3],
        ]),
      ),
      [0, 0, 0, 1],
    );
    close(flat(standardScaler().fitTransform([[0.1], [0.1], [0.1]])), [0, 0, 0], 1e-6);
    close(flat(robustScaler().fitTransform([[7], [7]])), [0, 0]);
  });

  test("S-180 the training set's mean and deviation scale the test set, too", async () => {
    const { train, test: held } = trainTestSplit((await iris()).data, { stratify: true, seed: 1 });
    const scaler = standardScaler().fit(train);
    const means = (x: HostArray): number[] =>
      [0, 1, 2, 3].map((c) => Float64Array.from(x.data).reduce((a, v, i) => a + (i % 4 === c ? v : 0), 0) / x.shape[0]);
    means(scaler.transform(train).all().x).forEach((m) => expect(Math.abs(m)).toBeLessThan(1e-6));
    expect(Math.max(...means(scaler.transform(held).all().x).map(Math.abs))).toBeGreaterThan(1e-3);
    const { center, spread } = scaler.config();
    const [raw, scaled] = [held.all().x, scaler.transform(held).all().x];
    scaled.data.forEach((v, i) => expect(v).toBeCloseTo((raw.data[i] - center[i % 4]) / spread[i % 4], 5));
    expect(held.labels()).toEqual(scaler.transform(held).labels());
  });

  test("as scikit-learn, and back", () => {
    const x = tensor(fixture.scaling.x, { dtype: "float64" });
    for (const [scaler, want] of [
      [minMaxScaler({ range: [-1, 1] }), fixture.scaling.minMax],
      [standardScaler(), fixture.scaling.standard],
      [robustScaler({ quantiles: [10, 80] }), fixture.scaling.robust],
    ] as const) {
      const scaled = scaler.fitTransform(x);
      expect(scaled.dtype).toBe("float64");
      close(flat(scaled), want.flat());
      close(flat(scaler.inverseTransform(scaled)), fixture.scaling.x.flat());
      const again = scalerFromConfig(JSON.parse(JSON.stringify(scaler.config())));
      close(flat(again.transform(x)), want.flat());
      const host: HostArray = { data: Float64Array.from(fixture.scaling.x.flat()), shape: [20, 3], dtype: "float64" };
      close(scaler.transform(host).data, want.flat());
      const inside = compiled((t: Tensor) => scaler.transform(t));
      close(flat(inside(x)), want.flat());
    }
  });

  test("mistakes", () => {
    expect(() => standardScaler().transform([[1]])).toThrow("[standardScaler] transform before fit");
    expect(() =>
      standardScaler()
        .fit([[1, 2]])
        .transform([[1]]),
    ).toThrow("got 1 columns [1, 1], fit saw 2");
    expect(() => minMaxScaler().fit([[1], [NaN]])).toThrow(
      "row 1 of column 0 is NaN: fill missing values with imputer()",
    );
    expect(() => imputer().fit([[NaN]])).toThrow("column 0 has no value");
    expect(() => minMaxScaler({ range: [1, 1] })).toThrow("low < high");
    close(flat(imputer({ strategy: "median" }).fitTransform([[1], [NaN], [9], [2]])), [1, 2, 9, 2]);
  });
});

describe("pictures", () => {
  test("resized as Pillow does, to the last bit but one", () => {
    const { picture, smaller, larger } = fixture.resize;
    const image: HostArray = { data: Uint8Array.from(picture.flat(2)), shape: [13, 17, 3], dtype: "uint8" };
    for (const [size, want] of [
      [[5, 7], smaller],
      [[20, 30], larger],
    ] as const) {
      const got = resizeImage(image, size);
      expect(got.shape).toEqual([...size, 3]);
      want.flat(2).forEach((v, i) => expect(Math.abs(got.data[i] - v)).toBeLessThanOrEqual(1));
    }
    expect(() => resizeImage(image, [0, 3])).toThrow("whole numbers ≥ 1");
  });

  test("a folder of PNG and JPEG files, one sub-folder a class", async () => {
    await inFolder(async (folder) => {
      const paint = (width: number, height: number, colour: number[]): Uint8Array =>
        Uint8Array.from({ length: width * height * colour.length }, (_, i) => colour[i % colour.length]);
      const png = async (name: string, w: number, h: number, colour: number[]): Promise<void> =>
        writeFileSafely(
          path.join(folder, name),
          await encodePng({ width: w, height: h, channels: colour.length, data: paint(w, h, colour) }),
        );
      await png("red/b.png", 8, 6, [255, 0, 0]);
      await png("red/a.png", 8, 6, [255, 0, 0, 0]);
      await png("grey/g.png", 8, 6, [100]);
      const photo = jpeg.encode({ width: 16, height: 12, data: paint(16, 12, [30, 200, 60, 255]) }, 95).data;
      await mkdir(path.join(folder, "green"));
      await writeFile(path.join(folder, "green/p.JPG"), photo);
      await writeFile(path.join(folder, "green/notes.txt"), "not a picture");
      await expect(imageFolder(folder)).rejects.toThrow('"grey/g.png" is [6, 8, 3], "green/p.JPG" is [12, 16, 3]');
      const { data, classNames, files } = await imageFolder(folder, { size: [6, 8] });
      expect([classNames, files]).toEqual([
        ["green", "grey", "red"],
        ["green/p.JPG", "grey/g.png", "red/a.png", "red/b.png"],
      ]);
      expect([data.xShape, Array.from(data.labels() ?? [])]).toEqual([
        [6, 8, 3],
        [0, 1, 2, 2],
      ]);
      const first = (i: number): number[] => Array.from(data.at(i).x.data.subarray(0, 3), (v) => Math.round(v * 255));
      first(0).forEach((v, c) => expect(Math.abs(v - [30, 200, 60][c])).toBeLessThanOrEqual(3));
      // Grey is repeated, what is transparent shows white.
      expect([first(1), first(2), first(3)]).toEqual([
        [100, 100, 100],
        [255, 255, 255],
        [255, 0, 0],
      ]);
      const grey = await readImage(path.join(folder, "red/b.png"), { channels: 1 });
      expect([grey.shape, grey.data[0]]).toEqual([[6, 8, 1], 76]);
      await writeFile(path.join(folder, "green/q.jpg"), photo.subarray(0, 300));
      await expect(imageFolder(folder, { size: [6, 8] })).rejects.toThrow(/\[jpeg\] ".*q.jpg" cannot be read/);
      await expect(imageFolder(path.join(folder, "red"))).rejects.toThrow("has no sub-folders");
    });
  });
});

describe("wav", () => {
  test("8, 16, 24, 32 bits and floats, two channels, odd chunks before the sound", () => {
    const file = (code: number, bits: number, channels: number, body: Uint8Array): Uint8Array => {
      const head = Buffer.alloc(12 + 24 + 8 + 4 + 8);
      head.write("RIFF", 0);
      head.writeUInt32LE(head.length + body.length - 8, 4);
      head.write("WAVEfmt ", 8);
      head.writeUInt32LE(16, 16);
      head.writeUInt16LE(code, 20);
      head.writeUInt16LE(channels, 22);
      head.writeUInt32LE(8000, 24);
      head.writeUInt16LE(bits, 34);
      head.write("LIST", 36);
      head.writeUInt32LE(3, 40);
      head.write("data", 48);
      head.writeUInt32LE(body.length, 52);
      return Buffer.concat([head, body]);
    };
    const read = (code: number, bits: number, body: Uint8Array, channels = 1): number[] =>
      Array.from(decodeWav(file(code, bits, channels, body)).audio.data);
    const of = (n: number, write: (b: Buffer) => void): Uint8Array => {
      const b = Buffer.alloc(n);
      write(b);
      return b;
    };
    expect(read(1, 8, Uint8Array.of(0, 128, 192))).toEqual([-1, 0, 0.5]);
    expect(
      read(
        1,
        16,
        of(4, (b) => void (b.writeInt16LE(-32768), b.writeInt16LE(16384, 2))),
      ),
    ).toEqual([-1, 0.5]);
    expect(
      read(
        1,
        24,
        of(6, (b) => void (b.writeIntLE(-(2 ** 23), 0, 3), b.writeIntLE(2 ** 21, 3, 3))),
      ),
    ).toEqual([-1, 0.25]);
    expect(
      read(
        1,
        32,
        of(4, (b) => void b.writeInt32LE(2 ** 30)),
      ),
    ).toEqual([0.5]);
    expect(
      read(
        3,
        32,
        of(4, (b) => void b.writeFloatLE(0.75)),
      ),
    ).toEqual([0.75]);
    expect(
      read(
        3,
        64,
        of(8, (b) => void b.writeDoubleLE(-0.125)),
      ),
    ).toEqual([-0.125]);
    expect(decodeWav(file(1, 8, 2, new Uint8Array(10))).audio.shape).toEqual([5, 2]);
    expect(() => decodeWav(file(17, 4, 1, new Uint8Array(10)), "f")).toThrow('"f" holds sound of kind 17 with 4 bits');
    expect(() => decodeWav(file(1, 16, 1, new Uint8Array(10)).subarray(0, 60))).toThrow("needs 10 bytes, 4 are there");
    expect(() => decodeWav(new Uint8Array(20))).toThrow("is not a WAV file");
    const loud = { data: Float32Array.of(2, -2, 0.1), shape: [3], dtype: "float32" as const };
    expect(Array.from(decodeWav(encodeWav(loud, 8000)).audio.data.subarray(0, 2))).toEqual([32767 / 32768, -1]);
    expect(decodeWav(encodeWav(loud, 8000, { format: "float32" })).audio).toEqual(loud);
  });
});

describe("text", () => {
  test("the most frequent units, unknown ones, fixed lengths", () => {
    const v = vocabulary(["b a b, a b!"]);
    expect(v.units).toEqual(["<pad>", "<unk>", "b", "a", "!", ","]);
    expect(Array.from(v.encode("A b c").data)).toEqual([3, 2, 1]);
    expect(Array.from(v.encode("a b", 4).data)).toEqual([3, 2, 0, 0]);
    expect(v.decode([3, 2, 0, 0])).toBe("a b");
    const c = vocabulary(["hello"], { unit: "character", size: 4 });
    expect([c.units, c.decode(c.encode("llxe").data)]).toEqual([["<pad>", "<unk>", "l", "e"], "ll<unk>e"]);
    expect(() => vocabulary(["a"], { size: 2 })).toThrow("3 or more");
  });
});

test("the tables that come along are those of scikit-learn and StatLib", async () => {
  for (const [name, make] of [
    ["iris", iris],
    ["wine", wine],
    ["cancer", breastCancer],
  ] as const) {
    const { data, featureNames, classNames } = await make();
    const { x } = data.all();
    const want = fixture.sums[name];
    expect(featureNames.length).toBe(want.columns.length);
    want.columns.forEach((mean, c) => {
      const got =
        Float64Array.from(x.data).reduce((a, v, i) => a + (i % featureNames.length === c ? v : 0), 0) / data.length;
      expect(Math.abs(got / mean - 1)).toBeLessThan(1e-6);
    });
    const labels = Array.from(data.labels() ?? []);
    const counts = classNames.map((_, c) => labels.filter((l) => l === c).length);
    expect(counts).toEqual(want.y);
  }
  const boston = await bostonHousing();
  expect([boston.data.length, boston.featureNames.length, boston.classNames]).toEqual([506, 13, []]);
  const prices = Array.from(boston.data.labels() ?? []);
  expect(prices.reduce((a, v) => a + v, 0) / 506).toBeCloseTo(22.5328, 4);
  expect(datasetOf({ x: boston.data.all().x }).xShape).toEqual([13]);
});
