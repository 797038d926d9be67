import { describe, expect, test } from "vitest";
import { closest, describeOptions, readArgs } from "../../src/cli/args.ts";
import { argmax, prepareDigit, toGrey, toProbabilities } from "../../src/cli/digits.ts";
import { StatusLine, type Terminal } from "../../src/cli/terminal.ts";
import { visibleWidth } from "../../src/viz/index.ts";

const OPTIONS = {
  epochs: { default: 3, value: "n", help: "passes", min: 1, whole: true },
  lr: { default: 0.1, value: "rate", help: "step size", min: 0 },
  limit: { default: null, value: "n", help: "fewer" },
  out: { default: "runs", value: "folder", help: "where" },
  fresh: { default: false, help: "anew" },
} as const;

describe("command line", () => {
  test("values of every kind, words, defaults", () => {
    const { values, words } = readArgs("c", ["a", "--epochs", "5", "--fresh", "--out=x", "b"], OPTIONS);
    expect(values).toEqual({ epochs: 5, lr: 0.1, limit: null, out: "x", fresh: true });
    expect(words).toEqual(["a", "b"]);
  });

  test.each([
    [["--epoch", "3"], "c: there is no option --epoch; did you mean --epochs?"],
    [["--zzzzzz"], "c: there is no option --zzzzzz"],
    [["--epochs", "0"], 'c: --epochs needs a whole number ≥ 1, got "0"'],
    [["--epochs", "1.5"], 'c: --epochs needs a whole number ≥ 1, got "1.5"'],
    [["--lr", "fast"], 'c: --lr needs a number ≥ 0, got "fast"'],
    [["--limit="], 'c: --limit needs a number, got ""'],
    [["--fresh=1"], "does not take an argument"],
    [["--out"], "argument missing"],
  ])("%s is refused", (argv, message) => {
    expect(() => readArgs("c", argv, OPTIONS)).toThrow(message);
  });

  test("the help lists options with defaults", () => {
    expect(describeOptions(OPTIONS).split("\n")[0]).toBe("  --epochs <n>    passes (default 3)");
    expect(describeOptions(OPTIONS).split("\n").at(-1)).toBe("  --fresh         anew");
    expect([closest("strat", ["start", "predict"]), closest("xyz", ["start"])]).toEqual(["start", null]);
  });
});

describe("digits from images", () => {
  /** Black on white, a vertical bar. */
  const bar = (
    width: number,
    height: number,
    ink = 0,
    paper = 255,
  ): { width: number; height: number; channels: number; data: Uint8Array } => {
    const data = new Uint8Array(width * height).fill(paper);
    for (let y = Math.floor(height * 0.1); y < height * 0.6; y++) {
      for (let x = Math.floor(width * 0.1); x < width * 0.2; x++) data[y * width + x] = ink;
    }
    return { width, height, channels: 1, data };
  };

  test("a large dark digit on paper is inverted, scaled to 20 pixels and centred by mass", () => {
    const { picture, inverted, resized } = prepareDigit(bar(200, 200));
    expect([inverted, resized, picture.width, picture.height]).toEqual([true, true, 28, 28]);
    let [sum, sx, sy, top, bottom] = [0, 0, 0, 99, -1];
    Array.from(picture.data).forEach((v, i) => {
      const [x, y] = [i % 28, Math.floor(i / 28)];
      sum += v;
      sx += v * (x + 0.5);
      sy += v * (y + 0.5);
      if (v > 0.5) [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    });
    expect([Math.abs(sx / sum - 14) <= 0.5, Math.abs(sy / sum - 14) <= 0.5, bottom - top + 1]).toEqual([
      true,
      true,
      20,
    ]);
    expect(Math.max(...Array.from(picture.data))).toBe(1);
  });

  test("bright ink on black gives the same picture, low contrast too", () => {
    const dark = prepareDigit(bar(90, 60)).picture.data;
    const light = prepareDigit(bar(90, 60, 255, 0)).picture.data;
    const faint = prepareDigit(bar(90, 60, 100, 200)).picture.data;
    Array.from(dark).forEach((v, i) => {
      expect(light[i]).toBeCloseTo(v, 5);
      expect(faint[i]).toBeCloseTo(v, 5);
    });
  });

  test("28 × 28 stays where it is", () => {
    const { picture, resized, inverted } = prepareDigit(bar(28, 28, 255, 0));
    expect([resized, inverted]).toEqual([false, false]);
    expect(Array.from(picture.data, (v) => v * 255)).toEqual(Array.from(bar(28, 28, 255, 0).data));
  });

  test("an empty image is refused; colours and transparency become grey", () => {
    expect(() => prepareDigit(bar(40, 40, 255, 255))).toThrow("the image is empty");
    const rgba = { width: 2, height: 1, channels: 4, data: Uint8Array.of(255, 0, 0, 255, 0, 0, 0, 0) };
    expect(Array.from(toGrey(rgba).data)).toEqual([Math.fround(0.299), 1]);
    expect(Array.from(toGrey({ width: 1, height: 1, channels: 2, data: Uint8Array.of(0, 128) }).data)[0]).toBeCloseTo(
      0.498,
    );
  });

  test("probabilities stay, logits go through softmax", () => {
    expect(toProbabilities([0.25, 0.75])).toEqual([0.25, 0.75]);
    const p = toProbabilities([1000, 1001]);
    expect(p[1]).toBeCloseTo(1 / (1 + Math.exp(-1)), 12);
    expect(argmax(p)).toBe(1);
  });
});

describe("status line", () => {
  const record = (live: boolean): [Terminal, string[]] => {
    const out: string[] = [];
    const write = (text: string): void => void out.push(text);
    return [{ write, error: write, live, colour: false, columns: 80, interrupted: new AbortController().signal }, out];
  };

  test("is overwritten on a terminal, rare lines elsewhere", () => {
    const [terminal, out] = record(true);
    const line = new StatusLine(terminal, 0);
    line.update(() => "half");
    line.finish("done");
    expect(out).toEqual(["\rhalf\x1b[K", "\r\x1b[K", "done\n"]);
    const [plain, lines] = record(false);
    const slow = new StatusLine(plain, 0, 1e9);
    slow.update(() => "half");
    slow.finish("done");
    expect(lines).toEqual(["done\n"]);
    expect(visibleWidth(out[0])).toBeGreaterThan(0);
  });
});
