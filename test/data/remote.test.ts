/** Data sets as files: from a folder, a package, the cache or a server of the test's own, which breaks off when told to. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { CIFAR10_CLASSES, cifar10, fashionMnist, mnist } from "../../src/data/index.ts";
import { californiaFromTar } from "../../src/data/bundled.ts";
import { cifar10FromTar } from "../../src/data/cifar.ts";
import { encodePng } from "../../src/io/index.ts";
import { type DownloadProgress, findFiles, type RemoteSet } from "../../src/data/remote.ts";
import { makeTar } from "../support/tar.ts";

const CONTENT = Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * i) % 251));
const PACKED = gzipSync(CONTENT, { level: 0 });
const sha256 = (b: Uint8Array): string => createHash("sha256").update(b).digest("hex");

let server: Server;
let baseUrl = "";
let folder = "";
/** What the server was asked for, and after how many bytes it breaks off. */
let ranges: (string | undefined)[] = [];
let breakAt = Infinity;
let ignoreRange = false;

beforeAll(async () => {
  server = createServer((request, response) => {
    ranges.push(request.headers.range);
    const from = ignoreRange ? 0 : Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const body = PACKED.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { "content-length": body.length });
    if (breakAt === Infinity) response.end(body);
    else response.write(body.subarray(0, breakAt), () => setTimeout(() => response.destroy(), 20));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => void server.close());

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "chainrule-"));
  ranges = [];
  breakAt = Infinity;
  ignoreRange = false;
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await rm(folder, { recursive: true });
});

const setOf = (sum = sha256(CONTENT)): RemoteSet => ({
  set: "toy",
  baseUrl,
  files: [{ name: "numbers", path: "numbers.gz", sha256: sum }],
  without: "pass { folder }.",
});

describe("download", () => {
  test("unpacked, checked, kept; with progress, and once", async () => {
    const seen: DownloadProgress[] = [];
    const options = { cache: folder, onProgress: (p: DownloadProgress) => void seen.push(p) };
    const { bytes } = await findFiles(setOf(), options);
    expect(Buffer.from(bytes[0]).equals(CONTENT)).toBe(true);
    expect(seen.at(-1)).toEqual({ file: "numbers", loaded: PACKED.length, total: PACKED.length });
    await findFiles(setOf(), options);
    expect(ranges).toEqual([undefined]);
    expect(await readdir(folder)).toEqual(["numbers"]);
  });

  test("one that broke off goes on where it was", async () => {
    breakAt = 20_000;
    await expect(findFiles(setOf(), { cache: folder })).rejects.toThrow(/broke off after \d+ bytes: try again/);
    expect(await readdir(folder)).toEqual(["numbers.part"]);
    const { length } = await readFile(path.join(folder, "numbers.part"));
    expect(length).toBeGreaterThan(0);
    breakAt = Infinity;
    const { bytes } = await findFiles(setOf(), { cache: folder });
    expect(Buffer.from(bytes[0]).equals(CONTENT)).toBe(true);
    expect(ranges).toEqual([undefined, `bytes=${length}-`]);
    expect(await readdir(folder)).toEqual(["numbers"]);
  });

  test("a server that cannot resume is read from the beginning", async () => {
    await writeFile(path.join(folder, "numbers.part"), PACKED.subarray(0, 7000));
    ignoreRange = true;
    const { bytes } = await findFiles(setOf(), { cache: folder });
    expect(Buffer.from(bytes[0]).equals(CONTENT)).toBe(true);
    expect(ranges).toEqual(["bytes=7000-"]);
  });

  test("the part of a process that was killed is taken over, that of one at work is not", async () => {
    const part = path.join(folder, "numbers.0f8fad5b-d9cb-469f-a165-70867728950e.part");
    await writeFile(part, PACKED.subarray(0, 9000));
    await findFiles(setOf(), { cache: folder });
    expect(ranges).toEqual([undefined]);
    expect((await readdir(folder)).length).toBe(2);
    await rm(path.join(folder, "numbers"));
    const before = Date.now() / 1000 - 3600;
    await utimes(part, before, before);
    await findFiles(setOf(), { cache: folder });
    expect(ranges).toEqual([undefined, "bytes=9000-"]);
    expect(await readdir(folder)).toEqual(["numbers"]);
  });

  test("what is not the original is refused and not kept", async () => {
    await expect(findFiles(setOf("0".repeat(64)), { cache: folder })).rejects.toThrow(
      /\[toy\] "numbers" in http.* is damaged: its SHA-256 is .*, that of the original is 0000/,
    );
    expect(await readdir(folder)).toEqual([]);
    await writeFile(path.join(folder, "numbers"), CONTENT.subarray(1));
    await expect(findFiles(setOf(), { cache: folder })).rejects.toThrow("Delete the file, and it is fetched again");
  });

  test("no network and an error of the server: each says what to do", async () => {
    const closed = { ...setOf(), baseUrl: "http://127.0.0.1:9/" };
    await expect(findFiles(closed, { cache: folder })).rejects.toThrow(/could not download .*Without network, pass/);
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(null, { status: 404, statusText: "Not Found" })));
    await expect(findFiles(setOf(), { cache: folder })).rejects.toThrow("answered 404 Not Found");
  });

  test("in a browser it comes from the network each time", async () => {
    const browser = await import("../../src/data/remote.browser.ts");
    const { bytes } = await browser.findFiles(setOf(), {});
    expect(Buffer.from(bytes[0]).equals(CONTENT)).toBe(true);
    await expect(browser.findFiles(setOf("1".repeat(64)), {})).rejects.toThrow("is damaged");
  });
});

describe("folders", () => {
  test("files as they are or packed", async () => {
    await writeFile(path.join(folder, "numbers.gz"), PACKED);
    expect((await findFiles(setOf(), { folder })).bytes[0].length).toBe(CONTENT.length);
    await writeFile(path.join(folder, "numbers"), CONTENT);
    expect((await findFiles(setOf(), { folder })).bytes[0].length).toBe(CONTENT.length);
    expect(ranges).toEqual([]);
  });

  test("a folder without the files says which it needs", async () => {
    await expect(mnist({ folder })).rejects.toThrow(/\[mnist\] cannot read .*ENOENT.*t10k-labels-idx1-ubyte/);
    await expect(fashionMnist({ folder })).rejects.toThrow(/\[fashion-mnist\] cannot read .*ENOENT/);
    await expect(cifar10({ folder })).rejects.toThrow(/\[cifar-10\] cannot read .*cifar-10-binary.tar.gz: ENOENT/);
  });
});

describe("archives", () => {
  test("CIFAR-10: planes become pixels, labels class numbers", () => {
    const record = (label: number, first: number): Uint8Array => {
      const out = new Uint8Array(3073);
      out[0] = label;
      for (let c = 0; c < 3; c++) out.fill(first + 10 * c, 1 + 1024 * c, 1 + 1024 * (c + 1));
      out[1 + 1024 + 33] = 255;
      return out;
    };
    const files = [1, 2, 3, 4, 5].map((i) => [`cifar-10-batches-bin/data_batch_${i}.bin`, record(i, i)] as const);
    const both = new Uint8Array([...record(9, 100), ...record(0, 0)]);
    const { train, test: held } = cifar10FromTar(makeTar([...files, ["cifar-10-batches-bin/test_batch.bin", both]]));
    expect([train.length, held.length, train.xShape, train.classes]).toEqual([5, 2, [32, 32, 3], 10]);
    expect(Array.from(train.labels() ?? [])).toEqual([1, 2, 3, 4, 5]);
    const { x } = held.at(0);
    expect(Array.from(x.data.subarray(0, 3), (v) => Math.round(v * 255))).toEqual([100, 110, 120]);
    // Green of row 1, column 1.
    expect(Array.from(x.data.subarray(3 * 33, 3 * 34), (v) => Math.round(v * 255))).toEqual([100, 255, 120]);
    expect(() => cifar10FromTar(makeTar(files))).toThrow("has no test_batch.bin");
    expect(() => cifar10FromTar(makeTar([...files, ["test_batch.bin", new Uint8Array(3000)]]))).toThrow(
      "test_batch.bin has 3000 bytes, not a multiple of 3073",
    );
  });

  test("CIFAR-10 as pictures in folders by class", async () => {
    const picture = (side: number, red: number): Promise<Uint8Array> => {
      const data = Uint8Array.from({ length: 3 * side * side }, (_, i) => (i % 3 === 0 ? red : 7));
      return encodePng({ width: side, height: side, channels: 3, data });
    };
    const put = async (part: string, name: string, red: number, side = 32): Promise<void> => {
      await mkdir(path.join(folder, part, name), { recursive: true });
      await writeFile(path.join(folder, part, name, `${red}.png`), await picture(side, red));
    };
    // Two of each class to learn from, one to test on; red is the class, in tens.
    for (const [label, name] of CIFAR10_CLASSES.entries()) {
      for (const i of [0, 1]) await put("train", name, 10 * label + i);
      await put("test", name, 10 * label);
    }
    const seen: string[] = [];
    const onProgress = ({ file, loaded, total }: DownloadProgress): void =>
      void seen.push(`${file} ${loaded}/${total}`);
    const { train, test: held } = await cifar10({ folder, onProgress });
    expect([train.length, held.length, train.xShape, train.classes]).toEqual([20, 10, [32, 32, 3], 10]);
    const labels = Array.from(train.labels() ?? []);
    expect(labels.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i >> 1));
    // Mixed, so that the first few are not of one class, and the same every time.
    expect(new Set(labels.slice(0, 10)).size).toBeGreaterThan(5);
    expect(Array.from((await cifar10({ folder })).train.labels() ?? [])).toEqual(labels);
    labels.forEach((label, i) => expect(Math.floor((train.at(i).x.data[0] * 255 + 0.5) / 10)).toBe(label));
    expect([seen[0], seen.at(-1)]).toEqual(["train 1/20", "test 10/10"]);

    await put("test", "truck", 91, 40);
    await expect(cifar10({ folder })).rejects.toThrow("[40, 40, 3]");
    await rm(path.join(folder, "test", "truck"), { recursive: true });
    await expect(cifar10({ folder })).rejects.toThrow(/cannot read the folder .*truck/);
    for (const name of CIFAR10_CLASSES) {
      await rm(path.join(folder, "train", name), { recursive: true });
      await put("train", name, 0, 16);
    }
    await expect(cifar10({ folder })).rejects.toThrow(/\[cifar-10\] the pictures in .*train" are 16 × 16/);
    // The archive comes first, where there is one.
    await writeFile(path.join(folder, "cifar-10-binary.tar.gz"), "no archive");
    await expect(cifar10({ folder })).rejects.toThrow("is damaged");
  });

  test("California housing: features a household", () => {
    const line = "-122.230000,37.880000,41.0,880.0,129.0,322.0,126.0,8.325200,452600.0\n";
    const { data, featureNames } = californiaFromTar(
      makeTar([["CaliforniaHousing/cal_housing.data", new TextEncoder().encode(line)]]),
    );
    expect(featureNames.length).toBe(8);
    // As scikit-learn's first row.
    const want = [8.3252, 41, 6.98412698, 1.02380952, 322, 2.55555556, 37.88, -122.23];
    Array.from(data.at(0).x.data).forEach((v, i) => expect(v).toBeCloseTo(want[i], 4));
    expect(data.labels()?.[0]).toBeCloseTo(4.526, 5);
  });

  test("a truncated or damaged tar is refused", () => {
    const tar = makeTar([["a", new Uint8Array(1000)]]);
    expect(() => cifar10FromTar(tar.subarray(0, 900))).toThrow("is truncated");
    expect(() => cifar10FromTar(tar.map((b, i) => (i === 3 ? 7 : b)))).toThrow("does not add up");
  });
});
