/** What classifiers make of the plane, how many neighbours to ask, the irises in the plane of their principal components, distances by dimension. */
import { random, std } from "chainrule";
import { type Classifier, crossValidate, kMeans, kNearestNeighbors, linearSvm, pairwiseDistances, pca, softmaxRegression } from "chainrule/classic";
import { iris, standardScaler, wine } from "chainrule/data";
import { lineChart, type RgbImage, scatterChart } from "chainrule/viz";
import { grid, type Pictures, pixels, svg } from "./lib.ts";

const [WIDTH, HEIGHT, GAP] = [165, 130, 6];
const REGIONS = [[198, 219, 239], [253, 208, 162], [199, 233, 192]];
const POINTS = [[33, 113, 181], [217, 95, 14], [35, 139, 69]];

/** The regions of several classifiers beside each other, with the points that they learned from. */
function regions(models: readonly Classifier[], xs: Float32Array, labels: ArrayLike<number>): RgbImage {
  const width = models.length * (WIDTH + GAP) - GAP;
  const data = new Uint8Array(3 * width * HEIGHT).fill(255);
  const [low, high] = [-2.6, 2.6];
  const places = Array.from({ length: WIDTH * HEIGHT }, (_, i) => [
    low + ((high - low) * ((i % WIDTH) + 0.5)) / WIDTH,
    high - ((high - low) * (Math.floor(i / WIDTH) + 0.5)) / HEIGHT,
  ]);
  models.forEach((model, m) => {
    const paint = (x: number, y: number, colour: readonly number[]): void => {
      if (x >= 0 && y >= 0 && x < WIDTH && y < HEIGHT) data.set(colour, 3 * (y * width + m * (WIDTH + GAP) + x));
    };
    model.predict(places).dataSync().forEach((c, i) => paint(i % WIDTH, Math.floor(i / WIDTH), REGIONS[c]));
    for (let i = 0; i < labels.length; i++) {
      const x = Math.floor(((xs[2 * i] - low) / (high - low)) * WIDTH);
      const y = Math.floor(((high - xs[2 * i + 1]) / (high - low)) * HEIGHT);
      for (const [dx, dy] of [[0, 0], [1, 0], [0, 1], [1, 1]]) paint(x + dx, y + dy, POINTS[labels[i]]);
    }
  });
  return { width, height: HEIGHT, channels: 3, data };
}

export async function draw(): Promise<Pictures> {
  const { data } = await iris();
  const labels = data.labels()!;
  // The two measures of the sepal alone: the classes overlap.
  const sepal = data.map(({ x, y }) => ({ x: { data: x.data.slice(0, 2), shape: [2], dtype: x.dtype }, y })).cache();
  const flat = standardScaler().fitTransform(sepal);
  const [batch] = flat.batches(150);
  const xs = batch.x.data as Float32Array;
  const models = [kNearestNeighbors({ k: 1 }), kNearestNeighbors({ k: 25 }), softmaxRegression({ epochs: 300 }), linearSvm()];
  models.forEach((model) => model.fit(flat));

  const ks = [1, 3, 5, 7, 9, 13, 17, 21, 27, 35, 45, 61, 81];
  const scores = [];
  for (const k of ks) scores.push(await crossValidate(() => kNearestNeighbors({ k }), flat, undefined, { splits: 5 }));

  const wines = await wine();
  const scaled = standardScaler().fitTransform(wines.data);
  const plane = pca({ components: 2 }).fitTransform(scaled).dataSync();
  const clusters = kMeans({ clusters: 3, seed: 1 }).fit(scaled).predict(scaled).dataSync();
  const points = (group: (i: number) => string) =>
    Array.from({ length: wines.data.length }, (_, i) => ({ x: plane[2 * i], y: plane[2 * i + 1], group: group(i) }));
  const truth = wines.data.labels()!;

  random.seed(0);
  const dims = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000];
  const spread = dims.map((n) => {
    const d = pairwiseDistances(random.uniform([60, n]), random.uniform([60, n]));
    return std(d).item() / d.mean().item();
  });
  const size = { width: 280, height: 200 };
  return {
    "classic-ml": await pixels(regions(models, xs, labels), { columns: ["1 nearest neighbour", "25 nearest", "softmax regression", "linear SVM"] }),
    "classic-ml-k": await svg(
      grid([
        lineChart({ "on folds learned from": scores.map((s) => s.trainScores.reduce((a, b) => a + b) / 5), "on folds held out": scores.map((s) => s.mean) }, { ...size, xs: ks, x: "k", y: "share right", title: "how many neighbours" }),
        lineChart({ "deviation / mean": spread }, { ...size, xs: dims, logX: true, x: "dimensions", y: "of distances in [0, 1]ⁿ", title: "distances concentrate" }),
      ]),
    ),
    "classic-ml-pca": await svg(
      grid([
        scatterChart(points((i) => wines.classNames[truth[i]]), { ...size, title: "wines by grower", x: "1st component", y: "2nd component" }),
        scatterChart(points((i) => `cluster ${clusters[i] + 1}`), { ...size, title: "the clusters of k-means", x: "1st component", y: "2nd component" }),
      ]),
    ),
  };
}
