/** SYS-29: a planted bug found by its component, three real runs judged, saturation and gradient norms beside each other. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { customVjp, random, type Tensor, tensor } from "chainrule";
import { type Dataset, mnist } from "chainrule/data";
import { checkModel, diagnoseErrors, gradientNorms, overfitBatch, unitMonitor } from "chainrule/diagnose";
import { crossEntropy, dense, dropout, flatten, lambda, type Model, relu, sequential, tanh } from "chainrule/nn";
import { adam } from "chainrule/optim";
import { drawLines, learningCurves, renderSvg } from "chainrule/viz";
import { outputFolder, showGoals } from "../lib/goals.ts";

const { values: options } = parseArgs({ options: { help: { type: "boolean", default: false } } });
if (options.help) {
  console.log("npm run example -- diagnosis");
  process.exit(0);
}
const folder = outputFolder("diagnosis");
random.seed(1);

console.log("1. A planted bug: the derivative of 3x is 2.9 for the third unit\n");
const wrong = customVjp(
  (x: Tensor) => x.mul(3),
  (ct: Tensor) => [ct.mul(tensor([3, 3, 2.9, 3, 3]))],
);
const buggy = sequential([dense(5, { name: "first" }), lambda(wrong), tanh, dense(3, { name: "last" })], {
  inputShape: [4],
});
const [x, y] = [random.normal([6, 4]), tensor([0, 1, 2, 0, 1, 2], { dtype: "int32" })];
const found = checkModel(buggy, x, y, crossEntropy, { samples: Infinity });
console.log(String(found));
const located = found.variables.slice(0, 2).every((v) => v.name.startsWith("first/") && v.worst.index.at(-1) === 2);
const sound = checkModel(sequential([dense(5), tanh, dense(3)], { inputShape: [4] }), x, y, crossEntropy);
console.log(`\nthe same network without it: ${sound.message}\n`);

console.log("2. Three runs on MNIST, judged by their errors\n");
const { train, test } = await mnist();

async function errors(
  name: string,
  net: Model,
  data: Dataset,
  epochs: number,
): Promise<ReturnType<typeof diagnoseErrors>> {
  net.compile({ optimizer: adam(1e-3), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const { history } = await net.fit(data, { epochs, batchSize: 64, validationData: test.take(2000), verbose: 0 });
  const [onTrain, onTest] = [await net.evaluate(data.take(2000)), await net.evaluate(test)];
  const report = diagnoseErrors({ train: 1 - onTrain["accuracy"], dev: 1 - onTest["accuracy"] });
  console.log(`${name}: ${report.message}\n   ${report.advice.join("; ")}`);
  console.log(
    drawLines({ train: history["accuracy"], validation: history["val_accuracy"] }, { width: 48, height: 6 }).join("\n"),
    "\n",
  );
  await writeFile(path.join(folder, `${name.replaceAll(" ", "-")}.svg`), await renderSvg(learningCurves(history)));
  return report;
}

const tiny = await errors(
  "two hidden units",
  sequential([flatten(), dense(2), relu, dense(10)]),
  train.take(10_000),
  10,
);
const small = await errors("300 images", sequential([flatten(), dense(256), relu, dense(10)]), train.take(300), 30);
const good = await errors(
  "60000 images",
  sequential([flatten(), dense(256), relu, dropout(0.2), dense(128), relu, dense(10)]),
  train,
  6,
);

console.log("3. Saturation and gradient norms: ten sigmoid layers beside ten ReLU layers\n");
const [batch] = train.batches(256);
const images = tensor(batch.x.data, { shape: batch.x.shape });
const labels = tensor(batch.y!.data, { dtype: "int32" });
const deep = (activation: "sigmoid" | "relu", initializer: "normal" | "heNormal"): Model =>
  sequential(
    [
      flatten(),
      ...Array.from({ length: 10 }, () =>
        dense(64, {
          activation,
          kernelInitializer: initializer === "normal" ? { name: "normal", stddev: 1 } : "heNormal",
        }),
      ),
      dense(10),
    ],
    { inputShape: [28, 28, 1] },
  );
const [sigmoids, relus] = [deep("sigmoid", "normal"), deep("relu", "heNormal")];
const norms = [sigmoids, relus].map((net) => gradientNorms(net, () => crossEntropy(net(images), labels)));
const units = [sigmoids, relus].map((net) => unitMonitor(net, images));
for (const i of [0, 1])
  console.log(
    `${i === 0 ? "sigmoid, weights N(0, 1)" : "ReLU, He weights"}\n${String(units[i])}\n${String(norms[i])}\n`,
  );
const saturated = Math.max(...units[0].rows.map((r) => r.saturated ?? 0));

console.log("4. One batch by heart\n");
const heart = overfitBatch(
  sequential([flatten(), dense(64), relu, dense(10)]),
  images.slice([0, 16]),
  labels.slice([0, 16]),
  crossEntropy,
);
console.log(heart.message);

showGoals("SYS-29 diagnosis", [
  { what: "gradient check names the planted component (1: yes)", value: Number(located), is: "≥", goal: 1, digits: 0 },
  { what: "distance of the sound network", value: sound.distance, is: "≤", goal: 1e-7, digits: 12 },
  {
    what: "verdicts right of three runs (bias, variance, fine)",
    value: [tiny.verdict.startsWith("bias"), small.verdict === "variance", good.verdict === "fine"].filter(Boolean)
      .length,
    is: "≥",
    goal: 3,
    digits: 0,
  },
  { what: "saturated share found in the sigmoid network", value: saturated, is: "≥", goal: 0.3 },
  { what: "first over last gradient norm, sigmoid", value: norms[0].firstToLast, is: "≤", goal: 0.1, digits: 6 },
  { what: "first over last gradient norm, ReLU", value: norms[1].firstToLast, is: "≥", goal: 0.1 },
]);
