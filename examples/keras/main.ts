/** SYS-31: the snippets of the course notes in Keras, on a real table; one-hot classes; a functional network with two heads. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { random, type Tensor, tensor } from "chainrule";
import {
  breastCancer,
  type Dataset,
  type HostArray,
  mnist,
  oneHotLabels,
  standardScaler,
  type TableDataset,
  trainTestSplit,
  wine,
} from "chainrule/data";
import { plotModel } from "chainrule/explain";
import { add, conv2d, countParameters, dense, flatten, input, maxPool2d, model, relu, sequential } from "chainrule/nn";
import { adam, cosineDecay } from "chainrule/optim";
import { earlyStopping } from "chainrule/train";
import { drawLines, learningCurves, renderSvg } from "chainrule/viz";
import { outputFolder, showGoals } from "../lib/goals.ts";

const { values: options } = parseArgs({
  options: {
    epochs: { type: "string", default: "3" },
    train: { type: "string", default: "60000" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log("npm run example -- keras [--epochs 3] [--train 60000]");
  process.exit(0);
}
const folder = outputFolder("keras");
const save = async (name: string, svg: string): Promise<void> => writeFile(path.join(folder, name), svg);
const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

/** The table in two parts, scaled by the mean and deviation of the training part, of the first so many columns. */
function parts({ data }: TableDataset, columns = data.xShape[0]): { train: Dataset; test: Dataset } {
  const some = data.map(({ x, ...rest }) => ({
    ...rest,
    x: { ...x, data: x.data.slice(0, columns), shape: [columns] },
  }));
  const split = trainTestSplit(some.cache(), { testSize: 0.25, stratify: true, seed: 1 });
  const scaler = standardScaler().fit(split.train);
  return { train: scaler.transform(split.train).cache(), test: scaler.transform(split.test).cache() };
}

console.log("1. The notes' Sequential model, on eight measures of 569 tumours: benign or not\n");
random.seed(1);
const tumours = await breastCancer();
const table = parts(tumours, 8);
// first   model.add(Dense(units=4, input_shape=x_train.shape[1:], activation='relu'))
//         model.add(Dense(units=4, activation='relu'))
//         model.add(Dense(units=1, activation='sigmoid'))
const notes = sequential();
notes.add(dense(4, { activation: "relu" }));
notes.add(dense(4, { activation: "relu" }));
notes.add(dense(1, { activation: "sigmoid" }));
notes.build([null, ...table.train.xShape]);
console.log(notes.summary());
notes.compile({ optimizer: adam(0.01), loss: "binaryCrossentropy", metrics: ["accuracy"] });
const run = await notes.fit(table.train, {
  epochs: 200,
  batchSize: 32,
  verbose: 0,
  validationSplit: 0.2,
  seed: 1,
  callbacks: [earlyStopping({ patience: 20, restoreBestWeights: true })],
});
await save("table.svg", await renderSvg(learningCurves(run.history)));
console.log(
  drawLines({ train: run.history["loss"], validation: run.history["val_loss"] }, { width: 48, height: 6 }).join("\n"),
);
const labels = table.test.labels() ?? [];
const ofClass = [0, 1].map((c) => Array.from(labels).filter((y) => y === c).length);
const majority = Math.max(...ofClass) / table.test.length;
const onTable = (await notes.evaluate(table.test))["accuracy"];
console.log(
  `\n${run.epoch.length} epochs; ${table.test.length} held out: ${percent(onTable)} right; the larger class alone ${percent(majority)}\n`,
);

console.log("2. Several classes: one-hot labels, softmax, categorical cross-entropy, on 178 wines of three growers\n");
random.seed(2);
const wines = parts(await wine());
const growers = sequential([dense(8, { activation: "relu" }), dense(3, { activation: "softmax" })]);
growers.compile({ optimizer: adam(0.01), loss: "categoricalCrossentropy", metrics: ["accuracy"] });
await growers.fit(oneHot(wines.train), { epochs: 60, batchSize: 16, verbose: 0, seed: 1 });
const onWines = (await growers.evaluate(oneHot(wines.test)))["accuracy"];
const sums = (await growers.predict(all(wines.test.take(5)).x)).sum(-1);
console.log(
  `${wines.test.length} held out: ${percent(onWines)} right; sums of the probabilities of five: ${String(sums)}\n`,
);

console.log(
  "3. The functional API: a residual block, and two heads that say which digit it is, and whether it is odd\n",
);
random.seed(3);
const digits = await mnist();
const [train, test] = [digits.train.take(Number(options.train)), digits.test];
const image = input([28, 28, 1], { name: "image" });
const stem = maxPool2d(2)(conv2d(8, 5, { padding: "same", activation: "relu" })(image));
const branch = conv2d(8, 3, { padding: "same" })(conv2d(8, 3, { padding: "same", activation: "relu" })(stem));
const trunk = dense(64, { activation: "relu" })(flatten()(maxPool2d(2)(relu(add()([stem, branch])))));
const heads = model(image, [
  dense(10, { activation: "softmax", name: "digit" })(trunk),
  dense(1, { activation: "sigmoid", name: "odd" })(trunk),
]);
const parameters = countParameters(heads.variables);
console.log(heads.summary());
await save("two-heads.svg", await plotModel(heads));
const epochs = Number(options.epochs);
heads.compile({
  optimizer: adam(cosineDecay(3e-3, epochs * train.steps(128))),
  loss: { digit: "sparseCategoricalCrossentropy", odd: "binaryCrossentropy" },
  metrics: { digit: ["accuracy"], odd: ["accuracy"] },
});
const both = (data: Dataset): { x: Tensor; y: Record<string, Tensor> } => {
  const { x, y } = all(data);
  return { x, y: { digit: y, odd: y.mod(2).cast("float32").reshape([-1, 1]) } };
};
const { history } = await heads.fit(both(train), { epochs, batchSize: 128, validationData: both(test), seed: 1 });
await save("digits.svg", await renderSvg(learningCurves(history)));
const onDigits = await heads.evaluate(both(test), { batchSize: 500 });
console.log(`\n${folder}: table.svg, digits.svg (curves), two-heads.svg (the network)`);

const fewer = train.length < 60_000;
showGoals("SYS-31 Keras: Sequential and functional", [
  {
    what: "parameters of the notes' model: its distance from 61",
    value: Math.abs(countParameters(notes.variables) - 61),
    is: "≤",
    goal: 0,
    digits: 0,
  },
  { what: "tumours, points above the larger class", value: 100 * (onTable - majority), is: "≥", goal: 10, digits: 1 },
  { what: "wines by one-hot labels", value: onWines, is: "≥", goal: 0.9 },
  {
    what: "two heads: parameters, their distance from 208 + 2·584 + 25,152 + 650 + 65",
    value: Math.abs(parameters - 27_243),
    is: "≤",
    goal: 0,
    digits: 0,
  },
  { what: "which digit", value: onDigits["digit_accuracy"], is: "≥", goal: fewer ? 0.95 : 0.97 },
  { what: "odd or even", value: onDigits["odd_accuracy"], is: "≥", goal: fewer ? 0.96 : 0.98 },
]);

/** All samples as one batch. */
function all(data: Dataset): { x: Tensor; y: Tensor } {
  const [{ x, y }] = data.batches(data.length);
  return { x: tensor(x.data, { shape: x.shape }), y: tensor(Int32Array.from(y!.data)) };
}

/** The same with labels [n, 3] of 0 and 1 (to_categorical). */
function oneHot(data: Dataset): { x: Tensor; y: HostArray } {
  const { x, y } = all(data);
  return { x, y: oneHotLabels({ data: y.dataSync(), shape: y.shape, dtype: "int32" }, 3) };
}
