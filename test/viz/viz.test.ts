import { describe, expect, test } from "vitest";
import {
  arrangeBlocks,
  confusionCounts,
  drawImage,
  formatBar,
  formatConfusion,
  formatCount,
  formatDuration,
  formatProgress,
  formatTable,
  visibleWidth,
} from "../../src/viz/index.ts";

describe("text", () => {
  test("numbers, durations, widths", () => {
    expect([formatCount(7), formatCount(61706), formatCount(1234567.8)]).toEqual(["7", "61,706", "1,234,568"]);
    expect([0.4, 59.6, 754, 3723, Infinity].map(formatDuration)).toEqual(["0:00", "1:00", "12:34", "1:02:03", "–:––"]);
    expect(visibleWidth("\x1b[38;5;240m▀▀\x1b[0m")).toBe(2);
  });

  test("a table aligns numbers right and text left", () => {
    expect(
      formatTable(
        [
          ["layer", "weights"],
          ["dense", 1290],
          ["conv", 60],
        ],
        { header: true },
      ),
    ).toBe("layer  weights\n─────  ───────\ndense     1290\nconv        60");
    expect(formatTable([])).toBe("");
  });
});

describe("progress", () => {
  test("bars", () => {
    expect([formatBar(0, 4), formatBar(0.5, 4), formatBar(0.53125, 4), formatBar(1, 4)]).toEqual([
      "░░░░",
      "██░░",
      "██▏░",
      "████",
    ]);
    expect(formatBar(0.5, 4, true)).toBe("##--");
    expect(formatBar(NaN, 2)).toBe("░░");
  });

  test("a line never exceeds the screen; the bar gives way first, then the rate", () => {
    const state = {
      label: "epoch 1/8",
      done: 1,
      total: 4,
      rate: 5432.1,
      unit: "images",
      values: { loss: 0.25, accuracy: 0.9 },
      left: 61,
    };
    const line = formatProgress(state, 120);
    expect(line).toContain(" 25%  5,432 images/s  loss 0.2500  accuracy 0.9000  1:01 left");
    for (let columns = 10; columns < 130; columns++)
      expect(visibleWidth(formatProgress(state, columns))).toBeLessThanOrEqual(columns);
    expect(formatProgress(state, 70)).not.toContain("images/s");
    expect(formatProgress(state, 70)).toContain("█");
    expect(formatProgress({ label: "x", done: 0, total: 0 }, 60)).toContain("100%");
  });
});

describe("confusion matrix", () => {
  test("counts, recall and precision", () => {
    const counts = confusionCounts([0, 0, 0, 1, 1], Int32Array.of(0, 0, 1, 1, 1), 2);
    expect(counts).toEqual([
      [2, 1],
      [0, 2],
    ]);
    expect(formatConfusion(counts, ["cat", "dog"])).toBe(
      [
        "true \\ predicted     cat    dog  recall",
        "────────────────  ──────  ─────  ──────",
        "             cat       2      1   66.7%",
        "             dog       ·      2  100.0%",
        "       precision  100.0%  66.7%",
      ].join("\n"),
    );
    expect(formatConfusion([[0]])).toContain("–");
  });
});

describe("images", () => {
  const picture = { width: 2, height: 3, data: [0, 1, 0, 1, 0.5, 0] };

  test("ASCII shades, two rows a line", () => {
    expect(drawImage(picture)).toEqual([" @", "+ "]);
  });

  test("half blocks in greys; the state is reset at the end of each line", () => {
    expect(drawImage(picture, { colour: true })).toEqual([
      "\x1b[38;5;232;48;5;232m▀\x1b[38;5;255;48;5;255m▀\x1b[0m",
      "\x1b[38;5;244;48;5;232m▀\x1b[38;5;232;48;5;232m▀\x1b[0m",
    ]);
  });

  test("blocks stand side by side as far as they fit", () => {
    const blocks = [["aa", "bb"], ["c"], ["dd"]];
    expect(arrangeBlocks(blocks, 6)).toBe("aa  c\nbb\n\ndd");
    expect(arrangeBlocks(blocks, 80)).toBe("aa  c   dd\nbb");
  });
});
