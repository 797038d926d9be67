/** Broadcasting as three matrices, log-sum-exp as a soft maximum, and a matrix rebuilt from its largest singular values. */
import { add, linalg, logSumExp, tensor, type Tensor } from "chainrule";
import { mnist } from "chainrule/data";
import { heatmapChart, pictureSheet, stretch } from "chainrule/viz";
import { functions, grid, type Pictures, pixels, svg } from "./lib.ts";

export async function draw(): Promise<Pictures> {
  const column = tensor([[0], [10], [20], [30]]);
  const row = tensor([[0, 1, 2]]);
  const rowsOf = (x: Tensor): number[][] => x.array() as number[][];
  const heat = (x: Tensor, title: string) => {
    const chart = heatmapChart(rowsOf(x), { title, width: 45 * x.shape[1], height: 34 * x.shape[0] });
    const layer = (chart.layer as { encoding: Record<string, unknown> }[]).map((l, i) =>
      i === 0
        ? { ...l, encoding: { color: { field: "value", type: "quantitative", legend: null, scale: { scheme: "blues", domain: [-10, 60] } } } }
        : { ...l, encoding: { ...l.encoding, color: { value: "black" } } },
    );
    return { ...chart, layer };
  };
  const lse = (t: number) => (x: number) => logSumExp(tensor([t * x, 0])).item() / t;

  const { test } = await mnist();
  const digit = tensor(test.at(0).x.data).reshape([28, 28]).astype("float32");
  const { u, s, vt } = linalg.svd(digit);
  const rank = (k: number): Tensor =>
    u.slice(null, [0, k]).mul(s.slice([0, k])).matmul(vt.slice([0, k]));
  const ranks = [1, 2, 4, 8, 28];
  const pictures = ranks.map((k) => ({ width: 28, height: 28, data: stretch(rank(k).clip(0, 255).dataSync()) }));
  return {
    "tensor-broadcast": await svg(grid([heat(column, "[4, 1]"), heat(row, "+ [1, 3]"), heat(add(column, row), "= [4, 3]")], 3)),
    "tensor-lse": await svg(
      functions(
        { "max(x, 0)": (x) => Math.max(x, 0), "LSE(x, 0)": lse(1), "LSE(3x, 0)/3": lse(3), "LSE(10x, 0)/10": lse(10) },
        [-2, 2],
        { x: "x", y: "", width: 420, height: 200 },
      ),
    ),
    "tensor-svd": await pixels(pictureSheet(pictures, { columns: ranks.length, zoom: 4 }), {
      columns: ranks.map((k) => (k === 28 ? "all 28" : `rank ${k}`)),
    }),
  };
}
