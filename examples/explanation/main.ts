/** SYS-30: train a network on digits, then ask it what it looks at. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { random, type Tensor, tensor } from "chainrule";
import { mnist } from "chainrule/data";
import {
  classActivationMap,
  featureMaps,
  filterPictures,
  gradCam,
  integratedGradients,
  occlusion,
  plotModel,
  saliency,
  smoothGrad,
} from "chainrule/explain";
import { encodePng } from "chainrule/io";
import { batchNorm, conv2d, dense, globalAvgPool, maxPool2d, relu, sequential } from "chainrule/nn";
import { adam, cosineDecay } from "chainrule/optim";
import { overlay, type Picture, pictureSheet, type RgbImage, stretch } from "chainrule/viz";
import { outputFolder, showGoals } from "../lib/goals.ts";

const { values: options } = parseArgs({
  options: {
    epochs: { type: "string", default: "3" },
    train: { type: "string", default: "60000" },
    test: { type: "string", default: "2000" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log("npm run example -- explanation [--epochs 3] [--train 60000] [--test 2000]");
  process.exit(0);
}
/** A digit is put at a random place of a larger picture, so that there is something to look away from. */
const [SIDE, DIGIT] = [48, 28];
const folder = outputFolder("explanation");
random.seed(1);
const { train, test } = await mnist();

interface Placed {
  readonly x: Float32Array;
  readonly y: Int32Array;
  /** Left and top of each digit's frame. */
  readonly at: readonly (readonly [number, number])[];
}

function place(data: typeof train, count: number, seed: number): Placed {
  const x = new Float32Array(count * SIDE * SIDE);
  const y = new Int32Array(count);
  const at: [number, number][] = [];
  const free = SIDE - DIGIT + 1;
  random.seed(seed);
  const places = random.randint([count, 2], 0, free).dataSync();
  for (const batch of data.take(count).batches(512)) {
    for (let i = 0; i < batch.size; i++) {
      const n = at.length;
      const [left, top] = [places[2 * n], places[2 * n + 1]];
      at.push([left, top]);
      y[n] = batch.y!.data[i];
      for (let row = 0; row < DIGIT; row++)
        x.set(
          (batch.x.data as Float32Array).subarray((i * DIGIT + row) * DIGIT, (i * DIGIT + row + 1) * DIGIT),
          (n * SIDE + top + row) * SIDE + left,
        );
    }
  }
  return { x, y, at };
}

const learned = place(train, Number(options.train), 1);
const held = place(test, Number(options.test), 2);
const net = sequential(
  [
    conv2d(16, 5, { padding: "same", useBias: false, name: "c1" }),
    batchNorm({ momentum: 0.9 }),
    relu,
    maxPool2d(2),
    conv2d(32, 3, { padding: "same", useBias: false }),
    batchNorm({ momentum: 0.9 }),
    relu,
    maxPool2d(2),
    conv2d(64, 3, { padding: "same", useBias: false }),
    batchNorm({ momentum: 0.9 }),
    relu,
    globalAvgPool(),
    dense(10),
  ],
  { inputShape: [SIDE, SIDE, 1] },
);
const steps = Math.ceil(learned.y.length / 128) * Number(options.epochs);
net.compile({
  optimizer: adam(cosineDecay(5e-3, steps)),
  loss: "sparseCategoricalCrossentropy",
  metrics: ["accuracy"],
});
const pictures = (placed: Placed): Tensor => tensor(placed.x, { shape: [placed.y.length, SIDE, SIDE, 1] });
await net.fit({ x: pictures(learned), y: learned.y }, { epochs: Number(options.epochs), batchSize: 128 });
const x = pictures(held);
const { accuracy } = await net.evaluate({ x, y: held.y });

// Where is the peak of each class activation map? A cell of the map is 4 × 4 pixels of the picture.
let inside = 0;
const cell = 4;
for (let first = 0; first < held.y.length; first += 250) {
  const part = x.slice([first, first + 250]);
  const maps = classActivationMap(net, part);
  const [count, h, w] = maps.shape;
  const data = maps.dataSync();
  for (let i = 0; i < count; i++) {
    let best = 0;
    for (let p = 1; p < h * w; p++) if (data[i * h * w + p] > data[i * h * w + best]) best = p;
    const [row, column] = [(Math.floor(best / w) + 0.5) * cell, ((best % w) + 0.5) * cell];
    const [left, top] = held.at[first + i];
    if (column >= left && column <= left + DIGIT && row >= top && row <= top + DIGIT) inside++;
  }
}

const save = async (name: string, image: RgbImage): Promise<void> =>
  writeFile(path.join(folder, name), await encodePng(image));
const shown = 8;
const some = x.slice([0, shown]);
const pictureOf = (t: Tensor, i: number, side: number): Picture => {
  const data = t.dataSync().subarray(i * side * side, (i + 1) * side * side);
  return { width: side, height: side, data };
};
/** Each map over its picture, one row of a sheet a method. */
const rows: RgbImage[] = [];
const maps = {
  saliency: saliency(net, some),
  smoothGrad: smoothGrad(net, some),
  integrated: integratedGradients(net, some).abs().sum(-1),
  cam: classActivationMap(net, some),
  gradCam: gradCam(net, some, { layer: "conv2d" }),
};
for (const map of Object.values(maps))
  for (let i = 0; i < shown; i++) rows.push(overlay(pictureOf(some, i, SIDE), pictureOf(map, i, map.shape[1])));
for (let i = 0; i < shown; i++) {
  const hidden = occlusion(net, x.slice([i, i + 1]), { size: 12, stride: 4, classes: held.y[i] });
  rows.push(overlay(pictureOf(some, i, SIDE), pictureOf(hidden, 0, hidden.shape[0])));
}
await save("maps.png", joined(rows, shown));
await save("filters.png", pictureSheet(filterPictures(net.layer("c1")), { palette: "signed", columns: 8 }));
const seen = featureMaps(net, x.slice([0, 1]), "relu");
await save(
  "feature-maps.png",
  pictureSheet(
    seen.map((p) => ({ ...p, data: stretch(p.data) })),
    { columns: 8 },
  ),
);
await writeFile(path.join(folder, "model.svg"), await plotModel(net));

/** Colour pictures of one size on a sheet, twice as large. */
function joined(images: readonly RgbImage[], columns: number): RgbImage {
  const [zoom, gap] = [2, 4];
  const [w, h] = [images[0].width * zoom + gap, images[0].height * zoom + gap];
  const [width, height] = [columns * w + gap, Math.ceil(images.length / columns) * h + gap];
  const data = new Uint8Array(width * height * 3).fill(255);
  images.forEach((image, n) => {
    for (let row = 0; row < image.height * zoom; row++)
      for (let column = 0; column < image.width * zoom; column++) {
        const from = 3 * (Math.floor(row / zoom) * image.width + Math.floor(column / zoom));
        const to = 3 * ((gap + Math.floor(n / columns) * h + row) * width + gap + (n % columns) * w + column);
        data.set(image.data.subarray(from, from + 3), to);
      }
  });
  return { width, height, channels: 3, data };
}

console.log(
  `\n${folder}/maps.png: a row each of ${Object.keys(maps).join(", ")}, occlusion; filters.png, feature-maps.png, model.svg`,
);
showGoals("SYS-30 explanation", [
  {
    what: "peak of the class activation map on the digit's frame, held out",
    value: inside / held.y.length,
    is: "≥",
    goal: 0.7,
  },
  { what: "accuracy, held out", value: accuracy, is: "≥", goal: Number(options.train) < 60_000 ? 0.85 : 0.95 },
]);
