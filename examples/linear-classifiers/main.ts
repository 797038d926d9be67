/** SYS-03: softmax regression and a linear support vector machine on MNIST. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { sigmoid, tensor } from "chainrule";
import { type LinearClassifier, linearSvm, softmaxRegression } from "chainrule/classic";
import { type Dataset, mnist, wine, standardScaler } from "chainrule/data";
import { encodePng } from "chainrule/io";
import { adam, cosineDecay } from "chainrule/optim";
import {
  confusionCounts,
  formatConfusion,
  formatProgress,
  lineChart,
  pictureSheet,
  renderSvg,
  stretch,
} from "chainrule/viz";
import { outputFolder, showGoals } from "../lib/goals.ts";

const { values: options } = parseArgs({
  options: {
    epochs: { type: "string", default: "8" },
    train: { type: "string", default: "60000" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log("npm run example -- linear-classifiers [--epochs 8] [--train 60000]");
  process.exit(0);
}
const folder = outputFolder("linear-classifiers");
const epochs = Number(options.epochs);
const whole = await mnist();
const [train, test] = [whole.train.take(Number(options.train)), whole.test];
// Fewer samples teach less: the goals of the catalogue are for all 60,000.
const slack = train.length < 60_000 ? 0.06 : 0;

const steps = epochs * train.steps(128);
const optimizer = () => adam(cosineDecay(3e-3, steps));
const progress = (label: string) => (epoch: number, loss: number) =>
  console.log(formatProgress({ label, done: epoch + 1, total: epochs, values: { loss } }, 78, true));
const models: Record<string, LinearClassifier> = {
  softmax: softmaxRegression({ epochs, batchSize: 128, optimizer, l2: 0, onEpoch: progress("softmax") }),
  hinge: linearSvm({ epochs, batchSize: 128, optimizer, l2: 1e-5, onEpoch: progress("hinge  ") }),
};
const accuracy: Record<string, number> = {};
for (const [name, model] of Object.entries(models)) {
  model.fit(train);
  accuracy[name] = model.score(test);
  console.log(
    `${name}: ${(100 * accuracy[name]).toFixed(2)} % of ${test.length} right, ${model.parameters} parameters\n`,
  );
  // What each class looks for: red speaks for it, blue against.
  const [w, classes] = [model.weights.dataSync(), 10];
  const templates = Array.from({ length: classes }, (_, c) => ({
    width: 28,
    height: 28,
    data: stretch(
      Float32Array.from({ length: 784 }, (_, p) => w[p * classes + c]),
      true,
    ),
  }));
  const sheet = pictureSheet(templates, { palette: "signed", columns: 5 });
  await writeFile(path.join(folder, `${name}.png`), await encodePng(sheet));
}
const predicted = models["softmax"].predict(test).dataSync();
console.log(formatConfusion(confusionCounts(test.labels() ?? [], predicted, 10)));
await writeFile(
  path.join(folder, "loss.svg"),
  await renderSvg(
    lineChart({ softmax: models["softmax"].losses, hinge: models["hinge"].losses }, { x: "epoch", y: "loss" }),
  ),
);

/** Of two classes, softmax is the sigmoid of the difference of the scores; in float64. */
function twoClassDifference(data: Dataset): number {
  const two = data.filter(({ y }) => y !== null && y.data[0] < 2);
  const { x } = standardScaler().fitTransform(two).all();
  const wide = tensor(Float64Array.from(x.data), { shape: x.shape });
  const model = softmaxRegression({ epochs: 100, batchSize: null }).fit(wide, two.labels() ?? []);
  const scores = model.decisionFunction(wide);
  const logistic = sigmoid(scores.slice(null, 1).sub(scores.slice(null, 0)));
  return model.predictProba(wide).slice(null, 1).sub(logistic).abs().max().item();
}
const difference = twoClassDifference((await wine()).data);

console.log(`\n${folder}: softmax.png and hinge.png (what each class looks for), loss.svg`);
showGoals("SYS-03 softmax and SVM linear classifiers", [
  { what: "softmax regression, MNIST test", value: accuracy["softmax"], is: "≥", goal: 0.91 - slack, digits: 4 },
  { what: "multi-class hinge, MNIST test", value: accuracy["hinge"], is: "≥", goal: 0.9 - slack, digits: 4 },
  { what: "two classes: distance from logistic regression", value: difference, is: "≤", goal: 1e-12, digits: 15 },
]);
