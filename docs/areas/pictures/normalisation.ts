/** What scaling does to the surface of a cost, which numbers share a mean, and training with batch normalisation at ten times the rate. */
import { compiled, mean, random, tensor, valueAndGrad, variable } from "chainrule";
import { mnist } from "chainrule/data";
import { batchNorm, dense, flatten, type LayerLike, relu, sequential } from "chainrule/nn";
import { sgd } from "chainrule/optim";
import { heatmapChart, lineChart } from "chainrule/viz";
import { grid, paths, type Pictures, type Point, range, svg } from "./lib.ts";

/** Gradient descent on the squared error of two features of these deviations; the best weights are (1, 1) / deviation. */
function descent(deviations: Point, rate: number): { path: Point[]; contours: Point[][]; best: Point } {
  random.seed(2);
  const x = random.normal([400, 2]).mul(tensor([...deviations]));
  const best: Point = [1, 1 / deviations[1]];
  const y = x.matmul(tensor([...best]));
  const w = variable([-0.6, -0.6 / deviations[1] + best[1] * 0.2]);
  const optimizer = sgd(rate);
  const step = compiled(() => {
    const [loss, grads] = valueAndGrad([w], () => mean(x.matmul(w).sub(y).square()));
    optimizer.update([w], grads);
    return loss;
  });
  const path = range(0, 24, 25).map((): Point => {
    const [a, b] = w.dataSync();
    step();
    return [a, b];
  });
  const ellipse = (level: number): Point[] =>
    range(0, 2 * Math.PI, 41).map((t) => [
      best[0] + (Math.sqrt(level) / deviations[0]) * Math.cos(t),
      best[1] + (Math.sqrt(level) / deviations[1]) * Math.sin(t),
    ]);
  return { path, contours: [0.1, 0.5, 1.2, 2.2, 3.5].map(ellipse), best };
}

async function training(layers: () => LayerLike[], rate: number): Promise<number[]> {
  random.seed(5);
  const { train } = await mnist();
  const net = sequential([flatten(), ...layers(), dense(10)], { inputShape: [28, 28, 1] });
  net.compile({ optimizer: sgd(rate), loss: "sparseCategoricalCrossentropy" });
  const losses: number[] = [];
  await net.fit(train.take(6400), { epochs: 2, batchSize: 64, verbose: 0, onEvent: (e) => void (e.type === "batchEnd" && losses.push(e.loss)) });
  return losses.map((_, i) => losses.slice(Math.max(0, i - 9), i + 1).reduce((a, b) => a + b) / Math.min(10, i + 1)).map((l) => Math.min(l, 4));
}

export async function draw(): Promise<Pictures> {
  const [raw, scaled] = [descent([1, 5], 0.037), descent([1, 1], 0.4)];
  const options = { width: 280, height: 200, x: "w₁", y: "w₂" };
  const [samples, channels] = [4, 6];
  const cells = (f: (n: number, c: number) => number, title: string) => {
    const rows = range(0, samples - 1, samples).map((n) => range(0, channels - 1, channels).map((c) => f(n, c)));
    const chart = heatmapChart(rows, { title, x: "channel", y: "sample", numbers: false, width: 132, height: 88 });
    const encoding = { color: { field: "value", type: "nominal", legend: null, scale: { scheme: "tableau20" } } };
    return { ...chart, layer: (chart.layer as object[]).map((l) => ({ ...l, encoding })) };
  };
  const hidden = (norm: boolean) => (): LayerLike[] => [1, 2, 3, 4].flatMap(() => (norm ? [dense(64), batchNorm(), relu] : [dense(64), relu]));
  return {
    "normalisation-surface": await svg(
      grid([
        paths({ "widths 1 and 5": raw.path }, { ...options, contours: raw.contours, domain: [[-1.2, 3], [-0.65, 1.05]], title: "raw: rate 0.037" }),
        paths({ "widths 1 and 1": scaled.path }, { ...options, contours: scaled.contours, domain: [[-1.2, 3], [-1.2, 3]], title: "standardised: rate 0.4" }),
      ]),
    ),
    "normalisation-axes": await svg(
      grid(
        [cells((_, c) => c, "batchNorm"), cells((n) => n, "layerNorm"), cells((n, c) => 2 * n + Math.floor(c / 3), "groupNorm(2)"), cells((n, c) => channels * n + c, "instanceNorm")],
        4,
      ),
    ),
    normalisation: await svg(
      lineChart(
        {
          "plain, 0.05": await training(hidden(false), 0.05),
          "plain, 0.5": await training(hidden(false), 0.5),
          "batch norm, 0.05": await training(hidden(true), 0.05),
          "batch norm, 0.5": await training(hidden(true), 0.5),
        },
        { points: false, x: "update", y: "training loss (mean of ten)", width: 560, height: 220, title: "four hidden layers on digits, two learning rates" },
      ),
    ),
  };
}
