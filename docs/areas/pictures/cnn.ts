/** Kernels on a digit, the notes' worked convolution, receptive fields by gradients, and LeNet-5 as a graph. */
import { avgPool, conv, grad, ones, random, tensor, type Tensor } from "chainrule";
import { mnist } from "chainrule/data";
import { featureMaps, filterPictures, plotModel } from "chainrule/explain";
import { conv2d, dense, flatten, maxPool2d, relu, sequential } from "chainrule/nn";
import { adam } from "chainrule/optim";
import { heatmapChart, type Picture, pictureSheet, stretch } from "chainrule/viz";
import { grid, type Pictures, pixels, svg } from "./lib.ts";

type Kernel = readonly (readonly number[])[];
const picture = (x: Tensor, signed = false): Picture => {
  const [, height, width] = x.shape;
  return { width, height, data: stretch(x.dataSync(), signed) };
};
const convolved = (image: Tensor, kernel: Kernel, padding: "same" | "valid" = "same"): Tensor =>
  conv(image, tensor(kernel.map((row) => row.map((v) => [[v]]))), { padding });

/** A matrix as a small heat map with its numbers. */
function matrix(rows: Kernel, title: string) {
  const chart = heatmapChart(rows, { title, width: 30 * rows[0].length, height: 30 * rows.length });
  const blank = { axis: null };
  const { x, y } = chart.encoding as { x: object; y: object };
  const layer = (chart.layer as { encoding: object }[]).map((l, i) => ({
    ...l,
    encoding:
      i === 0
        ? { color: { field: "value", type: "quantitative", legend: null, scale: { scheme: "redblue", domain: [8, -8] } } }
        : { ...l.encoding, color: { value: "black" } },
  }));
  return { ...chart, encoding: { x: { ...x, ...blank }, y: { ...y, ...blank } }, layer };
}

/** Which pixels the middle output of a stack of layers sees, by its gradient. */
function field(f: (x: Tensor) => Tensor): Picture {
  const x = ones([1, 23, 23, 1]);
  const middle = (x: Tensor): Tensor => {
    const y = f(x);
    return y.at(0, Math.floor(y.shape[1] / 2), Math.floor(y.shape[2] / 2), 0);
  };
  const seen = grad(middle)(x);
  return { width: 23, height: 23, data: stretch(seen.abs().sqrt().dataSync()) };
}

export async function draw(): Promise<Pictures> {
  const { train, test } = await mnist();
  const digit = tensor(test.at(0).x.data, { shape: [1, 28, 28, 1] }).astype("float32");
  const kernels: Readonly<Record<string, Kernel>> = {
    "vertical edge": [[1, 0, -1], [1, 0, -1], [1, 0, -1]],
    "horizontal": [[1, 1, 1], [0, 0, 0], [-1, -1, -1]],
    "Sobel": [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
    "outline": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
  };
  const blur = Array.from({ length: 5 }, () => new Array<number>(5).fill(1 / 25));
  const sharpen: Kernel = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]];
  const soft = convolved(digit, blur);
  const grey = [digit, soft, convolved(soft, sharpen).clip(0, digit.max().item())].map((x) => picture(x));
  const signed = Object.values(kernels).map((k) => picture(convolved(digit, k), true));

  const input: Kernel = [[1, 2, 0, 3, 1], [1, 0, 0, 2, 2], [2, 1, 2, 1, 1], [0, 0, 1, 0, 0], [1, 2, 1, 1, 1]];
  const kernel: Kernel = [[-1, 1, 2], [1, 1, 0], [-1, -2, 0]];
  const image = tensor(input.map((row) => row.map((v) => [v]))).reshape([1, 5, 5, 1]);
  const rowsOf = (y: Tensor): number[][] => y.reshape([y.shape[1], y.shape[2]]).array() as number[][];

  const w = ones([3, 3, 1, 1]);
  const c = (x: Tensor, dilation = 1): Tensor => conv(x, w, { padding: "same", dilation });
  const fields: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    "3×3": (x) => c(x),
    "two of 3×3": (x) => c(c(x)),
    "three of 3×3": (x) => c(c(c(x))),
    "3×3, dilation 3": (x) => c(x, 3),
    "5×5": (x) => conv(x, ones([5, 5, 1, 1]), { padding: "same" }),
    "3×3, pool, 3×3": (x) => c(avgPool(c(x), 2)),
  };

  random.seed(1);
  const net = sequential(
    [conv2d(6, 5, { padding: "same", name: "c1" }), relu, maxPool2d(2), conv2d(16, 5, { name: "c3" }), relu, maxPool2d(2), flatten(), dense(120), relu, dense(84), relu, dense(10)],
    { inputShape: [28, 28, 1], name: "lenet5" },
  );
  net.compile({ optimizer: adam(2e-3), loss: "sparseCategoricalCrossentropy" });
  await net.fit(train.take(12_800), { epochs: 2, batchSize: 64, verbose: 0 });
    const [batch] = test.batches(1);
  const maps = featureMaps(net, tensor(batch.x.data, { shape: batch.x.shape }), "relu");
  return {
    cnn: await pixels(pictureSheet(signed, { columns: 5, zoom: 4, palette: "signed" }), { columns: Object.keys(kernels) }),
    "cnn-blur": await pixels(pictureSheet(grey, { columns: 3, zoom: 4 }), { columns: ["the digit", "blurred by 5×5", "sharpened again"] }),
    "cnn-example": await svg(
      grid([matrix(input, "input 5×5"), matrix(kernel, "kernel 3×3"), matrix(rowsOf(convolved(image, kernel, "valid")), "valid: 3×3"), matrix(rowsOf(convolved(image, kernel, "same")), "same: 5×5")], 4),
    ),
    "cnn-fields": await pixels(pictureSheet(Object.values(fields).map(field), { columns: 6, zoom: 4, palette: "heat" }), { columns: Object.keys(fields) }),
    "cnn-lenet": await plotModel(net),
    "cnn-filters": await pixels(pictureSheet(filterPictures(net.layer("c1")), { columns: 6, zoom: 19, palette: "signed" }), { columns: maps.map((_, i) => `filter ${i + 1}`) }),
    "cnn-maps": await pixels(pictureSheet(maps, { columns: 6, zoom: 3 }), { columns: maps.map((_, i) => `map ${i + 1}`) }),
  };
}
