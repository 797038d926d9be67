import { ChainruleError, ValueError } from "../base/index.ts";
import type { ChartSpec } from "./charts.ts";

/** Loads the optional packages that draw. */
async function packages<T>(what: string, names: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new ChainruleError(`[${what}] needs ${names}, which are not installed: npm install ${names}.`, {
      cause: error,
    });
  }
}

/**
 * A chart as an SVG document. Needs the optional packages vega and vega-lite.
 *
 * @throws ChainruleError when they are missing.
 * @example await renderSvg(lineChart({ loss: [1, 0.5, 0.2] }));
 */
export async function renderSvg(spec: ChartSpec): Promise<string> {
  const [vega, lite] = await packages("renderSvg", "vega vega-lite", () =>
    Promise.all([import("vega"), import("vega-lite")]),
  );
  const { spec: compiled } = lite.compile(spec as unknown as Parameters<typeof lite.compile>[0]);
  const view = new vega.View(vega.parse(compiled), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** A box of a drawn graph: its lines of text. */
export interface GraphNode {
  readonly id: string;
  readonly lines: readonly string[];
}

/** Pixels of a character and of a line of text, and the space around them. */
const CHARACTER = 7.3;
const LINE = 17;
const PAD = 8;

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] as string);

/**
 * A directed graph as an SVG document, from top to bottom. Needs the optional package @dagrejs/dagre.
 *
 * @param edges pairs of ids, [from, to]
 * @throws ValueError for an edge to an unknown id; ChainruleError when the package is missing.
 * @example await graphSvg([{ id: "a", lines: ["input"] }, { id: "b", lines: ["dense"] }], [["a", "b"]]);
 */
export async function graphSvg(
  nodes: readonly GraphNode[],
  edges: readonly (readonly [string, string])[],
): Promise<string> {
  const known = new Set(nodes.map((n) => n.id));
  const lost = edges.flat().find((id) => !known.has(id));
  if (lost !== undefined) throw new ValueError(`[graphSvg] an edge names "${lost}", which is not among the nodes.`);
  const dagre = await packages("graphSvg", "@dagrejs/dagre", () => import("@dagrejs/dagre"));
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 32, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, lines } of nodes)
    graph.setNode(id, {
      width: Math.max(40, ...lines.map((l) => l.length * CHARACTER)) + 2 * PAD,
      height: lines.length * LINE + 2 * PAD,
    });
  edges.forEach(([from, to], i) => graph.setEdge(from, to, {}, String(i)));
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const arrows = graph.edges().map((e: { v: string; w: string }) => {
    const { points } = graph.edge(e) as { points: { x: number; y: number }[] };
    const path = points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join(" ");
    return `<path d="${path}" fill="none" stroke="#667" marker-end="url(#arrow)"/>`;
  });
  const boxes = nodes.map(({ id, lines }) => {
    const at = graph.node(id) as { x: number; y: number; width: number; height: number };
    const [left, top] = [at.x - at.width / 2, at.y - at.height / 2];
    const text = lines.map(
      (line, i) =>
        `<text x="${at.x.toFixed(1)}" y="${(top + PAD + LINE * i + 12).toFixed(1)}"${i === 0 ? ' font-weight="bold"' : ""}>${escape(line)}</text>`,
    );
    const box = `x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${at.width.toFixed(1)}" height="${at.height.toFixed(1)}"`;
    return `<rect ${box} rx="4" fill="#eef4fb" stroke="#557"/>${text.join("")}`;
  });
  const size = `width="${Math.ceil(width)}" height="${Math.ceil(height)}" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12" text-anchor="middle">`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#667"/></marker></defs>',
    '<rect width="100%" height="100%" fill="white"/>',
    ...arrows,
    ...boxes,
    "</svg>",
    "",
  ].join("\n");
}
