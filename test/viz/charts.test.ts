import { describe, expect, test } from "vitest";
import {
  barChart,
  drawLines,
  graphSvg,
  heatmapChart,
  learningCurves,
  lineChart,
  overlay,
  pictureSheet,
  renderSvg,
  scatterChart,
  stretch,
} from "../../src/viz/index.ts";

/** What the SVG of a chart shows as text. */
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, t]) => t);

describe("charts", () => {
  test("S-413 learning curves: both curves, a value an epoch, a panel for each metric", async () => {
    const history = {
      loss: [1, 0.5, 0.3],
      accuracy: [0.6, 0.8, 0.9],
      val_loss: [1.1, 0.7, 0.6],
      val_accuracy: [0.5, 0.7, 0.7],
    };
    const spec = learningCurves(history);
    const panels = spec["hconcat"] as { data: { values: { x: number; y: number; curve: string }[] } }[];
    expect(panels.map((p) => p.data.values.map(({ x, y, curve }) => [x, y, curve]))).toEqual([
      [
        [1, 1, "train"],
        [2, 0.5, "train"],
        [3, 0.3, "train"],
        [1, 1.1, "validation"],
        [2, 0.7, "validation"],
        [3, 0.6, "validation"],
      ],
      [
        [1, 0.6, "train"],
        [2, 0.8, "train"],
        [3, 0.9, "train"],
        [1, 0.5, "validation"],
        [2, 0.7, "validation"],
        [3, 0.7, "validation"],
      ],
    ]);
    const svg = await renderSvg(spec);
    expect(svg).toMatch(/^<svg .*<\/svg>$/s);
    expect(texts(svg)).toEqual(expect.arrayContaining(["loss", "accuracy", "train", "validation", "epoch"]));
    // A line and three points for each of four curves.
    expect(svg.match(/aria-roledescription="line mark"/g)).toHaveLength(4);
    expect(svg.match(/aria-roledescription="point"/g)).toHaveLength(12);
  });

  test("lines: gaps for what is not finite, logarithms, errors", async () => {
    const spec = lineChart(
      { a: [1, NaN, 100] },
      { logY: true, xs: [1, 10, 100], logX: true, y: "ratio", title: "a title" },
    );
    expect((spec["data"] as { values: unknown[] }).values).toHaveLength(2);
    expect(texts(await renderSvg(spec))).toEqual(expect.arrayContaining(["ratio", "a title"]));
    // Whole numbers have whole marks, powers of ten one each.
    const epochs = texts(await renderSvg(lineChart({ loss: [0.9, 0.8, 0.75, 0.7] }, { width: 560 })));
    expect(epochs.filter((t) => /^[\d.]+$/.test(t) && Number(t) >= 1)).toEqual(["1", "2", "3", "4"]);
    const decades = texts(await renderSvg(lineChart({ loss: [1, 10, 100, 1000] }, { logY: true })));
    expect(decades.filter((t) => /^[\d,]+$/.test(t) && Number(t.replace(",", "")) >= 10)).toEqual([
      "10",
      "100",
      "1,000",
    ]);
    expect(() => lineChart({ loss: [1, 0] }, { logY: true })).toThrow(
      '[lineChart] curve "loss" has the point (2, 0): a logarithmic axis shows numbers above 0 only.',
    );
    expect(() => lineChart({ loss: [1, 0] }, { xs: [1] })).toThrow(
      "[lineChart] xs has 1 places, the longest curve 2 values.",
    );
    expect(() => learningCurves({})).toThrow("train an epoch first");
  });

  test("bars keep their order, points their groups, matrices their names", async () => {
    const bars = texts(await renderSvg(barChart({ z: 1, a: 2 }, { y: "accuracy" })));
    expect(bars.indexOf("z")).toBeLessThan(bars.indexOf("a"));
    const points = await renderSvg(
      scatterChart([
        { x: 1, y: 2, group: "p" },
        { x: 2, y: 1, group: "q" },
      ]),
    );
    expect(texts(points)).toEqual(expect.arrayContaining(["p", "q"]));
    const heat = texts(
      await renderSvg(
        heatmapChart(
          [
            [50, 2],
            [1, 47],
          ],
          { rowNames: ["cat", "dog"], columnNames: ["tac", "god"] },
        ),
      ),
    );
    expect(heat).toEqual(expect.arrayContaining(["cat", "dog", "tac", "god", "50", "2", "1", "47"]));
  });

  test("graphs: a box a node, an arrow an edge, text escaped", async () => {
    const svg = await graphSvg(
      [
        { id: "a", lines: ["x <1>"] },
        { id: "b", lines: ["dense", "[10]"] },
        { id: "c", lines: ["add"] },
      ],
      [
        ["a", "b"],
        ["b", "c"],
        ["a", "c"],
      ],
    );
    expect(svg.match(/<rect [^>]*rx=/g)).toHaveLength(3);
    expect(svg.match(/<path [^>]*marker-end/g)).toHaveLength(3);
    expect(svg).toContain("x &lt;1&gt;");
    await expect(graphSvg([{ id: "a", lines: [] }], [["a", "z"]])).rejects.toThrow('an edge names "z"');
  });
});

describe("curves in characters", () => {
  test("the scale, the letters and the legend", () => {
    expect(drawLines({ up: [0, 1, 2, 3], down: [3, 2, 1, NaN] }, { width: 4, height: 4 })).toEqual([
      "3 ┤b  a",
      "  ┤ ba",
      "  ┤ ab",
      "0 ┤a",
      "  └──── 4",
      "a up   b down",
    ]);
    expect(drawLines({ none: [NaN] })).toEqual(["(nothing to draw: no finite value)"]);
    expect(drawLines({ flat: [2, 2] }, { width: 2, height: 2 })[1]).toBe("2 ┤aa");
    expect(drawLines({ a: [1] }, { colour: true }).at(-1)).toBe("\x1b[36m•\x1b[0m a");
    expect(() => drawLines({ a: [1] }, { width: 1 })).toThrow("at least 2 characters");
  });
});

describe("pictures", () => {
  test("a sheet: pictures in rows, zoomed, with a gap", () => {
    const sheet = pictureSheet(
      [
        { width: 1, height: 1, data: [0] },
        { width: 1, height: 1, data: [1] },
        { width: 1, height: 1, data: [0.5] },
      ],
      {
        zoom: 2,
        gap: 1,
        columns: 2,
      },
    );
    expect([sheet.width, sheet.height]).toEqual([7, 7]);
    const at = (x: number, y: number): number[] => [...sheet.data.subarray(3 * (y * 7 + x), 3 * (y * 7 + x) + 3)];
    expect([at(0, 0), at(1, 1), at(2, 2), at(4, 1), at(1, 4), at(4, 4)]).toEqual([
      [255, 255, 255],
      [0, 0, 0],
      [0, 0, 0],
      [255, 255, 255],
      [128, 128, 128],
      [255, 255, 255],
    ]);
    expect(() =>
      pictureSheet([
        { width: 1, height: 1, data: [0] },
        { width: 2, height: 1, data: [0, 0] },
      ]),
    ).toThrow("[pictureSheet] picture 1 is 2 × 1, the first 1 × 1");
    expect(() => pictureSheet([])).toThrow("at least one picture");
    expect(() => pictureSheet([{ width: 2, height: 1, data: [0, 0, 0] }])).toThrow(
      "picture 0 is 2 × 1 but has 3 values",
    );
    expect(() => pictureSheet([{ width: 1, height: 1, channels: 3, data: [0] }])).toThrow("1 × 1 × 3 but has 1 values");
  });

  test("a photograph keeps its colours on a sheet", () => {
    const photo = { width: 2, height: 1, channels: 3 as const, data: [1, 0.2, 0, 0, 0, 1] };
    const { data, width } = pictureSheet([photo], { zoom: 1, gap: 0 });
    expect(width).toBe(2);
    expect([...data]).toEqual([255, 51, 0, 0, 0, 255]);
  });

  test("stretching keeps 0 in the middle when asked; an overlay is hot where the map is high", () => {
    expect([...stretch([2, 4, 3])]).toEqual([0, 1, 0.5]);
    expect([...stretch([-1, 0, 4], true)]).toEqual([0.375, 0.5, 1]);
    const over = overlay(
      { width: 2, height: 1, data: [0.5, 0.5] },
      { width: 2, height: 1, data: [0, 1] },
      { strength: 1 },
    );
    expect([...over.data]).toEqual([128, 128, 128, 255, 255, 255]);
  });
});
