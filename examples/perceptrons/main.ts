/** SYS-02: multi-layer perceptrons: a planar data set, digits, and cats or not. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { checkGradients, random, tensor } from "chainrule";
import { logisticRegression } from "chainrule/classic";
import { datasetOf, type Dataset, mnist } from "chainrule/data";
import { encodePng } from "chainrule/io";
import { crossEntropy, dense, flatten, type Model, relu, sequential, tanh } from "chainrule/nn";
import { adam, cosineDecay } from "chainrule/optim";
import { learningCurves, renderSvg } from "chainrule/viz";
import { outputFolder, showGoals } from "../lib/goals.ts";
import { learnCats } from "./cats.ts";

const { values: options } = parseArgs({
  options: {
    epochs: { type: "string", default: "6" },
    train: { type: "string", default: "60000" },
    cats: { type: "string" },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log("npm run example -- perceptrons [--epochs 6] [--train 60000] [--cats FOLDER [--seed 1]]");
  process.exit(0);
}
const folder = outputFolder("perceptrons");
const goals: Parameters<typeof showGoals>[1][number][] = [];

/** A flower of two colours, 200 points each (the planar set of the notes): petals r = 4 sin 4θ, with noise. */
function flower(seed: number): Dataset {
  random.seed(seed);
  const n = 400;
  const noise = random.normal([n, 2]).dataSync();
  const x = new Float32Array(2 * n);
  const y = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const colour = i < n / 2 ? 0 : 1;
    const theta = 3.12 * (colour + (i % (n / 2)) / (n / 2 - 1)) + 0.2 * noise[2 * i];
    const r = 4 * Math.sin(4 * theta) + 0.2 * noise[2 * i + 1];
    x.set([r * Math.sin(theta), r * Math.cos(theta)], 2 * i);
    y[i] = colour;
  }
  return datasetOf({
    x: { data: x, shape: [n, 2], dtype: "float32" },
    y: { data: y, shape: [n], dtype: "int32" },
    classes: 2,
  });
}

const planar = flower(1);
const hidden = sequential([dense(4), tanh, dense(2)], { inputShape: [2] });
hidden.compile({ optimizer: adam(0.03), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
console.log("A flower of 400 points, 4 hidden tanh units");
await hidden.fit(planar, { epochs: 400, batchSize: 100, seed: 1, verbose: 0 });
const planarAccuracy = (await hidden.evaluate(planar))["accuracy"];
const linear = logisticRegression().fit(planar).score(planar);
console.log(`right: ${(100 * planarAccuracy).toFixed(1)} %; without a hidden layer ${(100 * linear).toFixed(1)} %`);
await drawBoundary(hidden, planar, path.join(folder, "planar.png"));
goals.push({ what: "flower, 4 hidden tanh units", value: planarAccuracy, is: "≥", goal: 0.88 });

/** What the network says at every place of the plane, with the points on it. */
async function drawBoundary(model: Model, points: Dataset, file: string): Promise<void> {
  const [side, reach] = [240, 5];
  const place = (v: number): number => (v / (side - 1)) * 2 * reach - reach;
  const grid = new Float32Array(2 * side * side);
  for (let i = 0; i < side * side; i++) grid.set([place(i % side), -place(Math.floor(i / side))], 2 * i);
  const scores = (await model.predict(tensor(grid).reshape([side * side, 2]), { batchSize: side * side })).dataSync();
  const data = new Uint8Array(3 * side * side);
  for (let i = 0; i < side * side; i++)
    data.set(scores[2 * i] > scores[2 * i + 1] ? [250, 205, 205] : [205, 215, 250], 3 * i);
  for (const { x, y } of Array.from({ length: points.length }, (_, i) => points.at(i))) {
    const [column, row] = [x.data[0], -x.data[1]].map((v) => Math.round(((v + reach) / (2 * reach)) * (side - 1)));
    for (const [dy, dx] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]) {
      const at = 3 * ((row + dy) * side + column + dx);
      if (at >= 0 && at + 3 <= data.length) data.set(y?.data[0] === 0 ? [200, 0, 0] : [0, 0, 200], at);
    }
  }
  await writeFile(file, await encodePng({ width: side, height: side, channels: 3, data }));
}

// Gradients of a deep net against differences, every number of it, in float64.
random.seed(2);
const small = sequential([dense(5), tanh, dense(4), tanh, dense(3)], { inputShape: [4] });
const [xs, ys] = [random.normal([7, 4]), tensor(Int32Array.of(0, 1, 2, 0, 1, 2, 0))];
const report = checkGradients(small, () => crossEntropy(small(xs), ys), {
  samples: Infinity,
  tolerance: 1e-7,
});
console.log(
  `\nGradient check: ${report.checked} numbers, greatest relative error ${report.worst.error.toExponential(1)}`,
);
goals.push({
  what: "gradient check, greatest relative error",
  value: report.worst.error,
  is: "≤",
  goal: 1e-7,
  digits: 12,
});

const whole = await mnist();
const train = whole.train.take(Number(options.train));
const epochs = Number(options.epochs);
random.seed(3);
const deep = sequential([flatten(), dense(128), relu, dense(64), relu, dense(10)], {
  inputShape: [28, 28, 1],
  name: "784-128-64-10",
});
deep.compile({
  optimizer: adam(cosineDecay(2e-3, epochs * train.steps(128))),
  loss: "sparseCategoricalCrossentropy",
  metrics: ["accuracy"],
});
console.log(`\nMNIST\n${deep.summary()}`);
const { history } = await deep.fit(train, { epochs, batchSize: 128, validationData: whole.test });
const { accuracy } = await deep.evaluate(whole.test, { batchSize: 1000 });
await writeFile(path.join(folder, "mnist.svg"), await renderSvg(learningCurves(history)));
goals.push({
  what: `784-128-64-10 on MNIST, ${train.length} samples`,
  value: accuracy,
  is: "≥",
  goal: train.length < 60_000 ? 0.88 : 0.97,
  digits: 4,
});

if (options.cats === undefined) {
  console.log("\nCats or not: the pictures of the notes do not come along; pass --cats FOLDER.");
} else {
  goals.push(await learnCats(options.cats, Number(options.seed)));
}

console.log(`\n${folder}: planar.png (the plane as the network divides it), mnist.svg`);
showGoals("SYS-02 multi-layer perceptrons", goals);
