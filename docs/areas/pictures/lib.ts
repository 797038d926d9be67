/** What the pictures of the area pages share: several charts on one sheet, paths in the plane, pixels inside an SVG. */
import { encodePng } from "chainrule/io";
import { type ChartSpec, lineChart, type LineOptions, renderSvg, type RgbImage } from "chainrule/viz";

export type Pictures = Readonly<Record<string, string>>;
export type Point = readonly [x: number, y: number];

/** Numbers from `low` to `high`, both included. */
export const range = (low: number, high: number, count = 121): number[] =>
  Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));

/** Curves of functions over a common range. */
export function functions(
  curves: Readonly<Record<string, (x: number) => number>>,
  [low, high]: Point,
  options: LineOptions = {},
): ChartSpec {
  const xs = range(low, high);
  const series = Object.fromEntries(Object.entries(curves).map(([name, f]) => [name, xs.map(f)]));
  return lineChart(series, { xs, points: false, width: 270, height: 190, ...options });
}

/** Lines through points in the plane, one colour a name, over grey contours; a dot where each begins. */
export function paths(
  lines: Readonly<Record<string, readonly Point[]>>,
  options: LineOptions & { readonly contours?: readonly (readonly Point[])[]; readonly domain?: readonly [Point, Point] } = {},
): ChartSpec {
  const { contours = [], domain, points = true, ...rest } = options;
  const { $schema, background, title, width, height } = lineChart({}, { width: 300, height: 220, ...rest });
  const axis = (field: "x" | "y", side: 0 | 1): unknown => ({
    field,
    type: "quantitative",
    title: rest[field] ?? field,
    scale: domain === undefined ? { zero: false } : { domain: domain[side] },
  });
  const places = (all: Readonly<Record<string, readonly Point[]>>): unknown[] =>
    Object.entries(all).flatMap(([line, at]) => at.map(([x, y], order) => ({ x, y, order, line })));
  const xy = { x: axis("x", 0), y: axis("y", 1) };
  const color = { field: "line", type: "nominal", title: null, sort: Object.keys(lines) };
  return {
    $schema,
    background,
    ...(title === undefined ? {} : { title }),
    width,
    height,
    layer: [
      {
        data: { values: places(Object.fromEntries(contours.map((c, i) => [`contour ${i}`, c]))) },
        mark: { type: "line", color: "#bbb", strokeWidth: 1, clip: true },
        encoding: { ...xy, detail: { field: "line" }, order: { field: "order" } },
      },
      {
        data: { values: places(lines) },
        mark: { type: "line", clip: true, ...(points ? { point: { size: 14 } } : {}) },
        encoding: { ...xy, color, order: { field: "order" } },
      },
    ],
  };
}

/** Charts side by side, `columns` in a row, each with colours of its own. */
export function grid(charts: readonly ChartSpec[], columns = 2): ChartSpec {
  const concat = charts.map(({ $schema: _, background: __, ...panel }) => panel);
  const [{ $schema }] = charts;
  return { $schema, background: "white", columns, concat, spacing: 24, resolve: { scale: { color: "independent" } } };
}

/** The chart as an SVG, legends below, without what only a screen reader of each mark would need (the page has the words). */
export async function svg(spec: ChartSpec, columns = 4): Promise<string> {
  const config = { legend: { orient: "bottom", columns, labelLimit: 220 }, axis: { titleFontWeight: "normal" } };
  const short = (numbers: string): string => numbers.replaceAll(/-?\d+\.\d{2,}/g, (n) => String(Math.round(Number(n) * 10) / 10));
  const text = (await renderSvg({ ...spec, $schema: spec.$schema, config }))
    .replaceAll(/ (?:aria-[a-z]+|role|class|pointer-events|font-family)="[^"]*"| opacity="1"/g, "")
    .replaceAll(/<path d="(?:M0,0h0v0h0Z)?"[^>]*\/>/g, "")
    .replaceAll(/ (d|transform)="([^"]*)"/g, (_, name: string, value: string) => ` ${name}="${short(value)}"`)
    .replace("<svg ", '<svg font-family="sans-serif" ');
  let [before, after] = ["", text];
  while (before !== after) [before, after] = [after, after.replaceAll(/<g[^>]*><\/g>/g, "")];
  return `${after.trim()}\n`;
}

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** Pixels as an SVG; columns of equal width have a name above them, rows one on the left. */
export async function pixels(
  image: RgbImage,
  names: { readonly columns?: readonly string[]; readonly rows?: readonly string[]; readonly scale?: number } = {},
): Promise<string> {
  const { columns = [], rows = [], scale = 1 } = names;
  const [w, h] = [image.width * scale, image.height * scale];
  const [left, top] = [rows.length > 0 ? Math.max(...rows.map((r) => r.length)) * 6.6 + 8 : 0, columns.length > 0 ? 18 : 0];
  const png = Buffer.from(await encodePng(image)).toString("base64");
  const size = `width="${Math.ceil(w + left)}" height="${Math.ceil(h + top)}"`;
  const above = columns.map(
    (name, i) => `<text x="${(left + ((i + 0.5) * w) / columns.length).toFixed(1)}" y="12" text-anchor="middle">${escape(name)}</text>`,
  );
  const beside = rows.map(
    (name, i) => `<text x="${(left - 6).toFixed(1)}" y="${(top + ((i + 0.5) * h) / rows.length + 4).toFixed(1)}" text-anchor="end">${escape(name)}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${Math.ceil(w + left)} ${Math.ceil(h + top)}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<image x="${left}" y="${top}" width="${w}" height="${h}" image-rendering="pixelated" href="data:image/png;base64,${png}"/>`,
    ...above,
    ...beside,
    "</svg>",
    "",
  ].join("\n");
}
