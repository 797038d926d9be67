/** SYS-28: five networks together: ensemble averaging and bagging on MNIST. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { oneHot, random, softmax, type Tensor, tensor } from "chainrule";
import { accuracyScore, averageEnsemble, bootstrap, ensembleError, expectedEnsembleError } from "chainrule/classic";
import { type Dataset, mnist } from "chainrule/data";
import { dense, flatten, relu, sequential } from "chainrule/nn";
import { adam } from "chainrule/optim";
import { formatTable, lineChart, renderSvg } from "chainrule/viz";
import { outputFolder, showGoals } from "../lib/goals.ts";

const { values: options } = parseArgs({
  options: {
    models: { type: "string", default: "5" },
    epochs: { type: "string", default: "4" },
    train: { type: "string", default: "20000" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log("npm run example -- ensemble [--models 5] [--epochs 4] [--train 20000]");
  process.exit(0);
}
const folder = outputFolder("ensemble");
const [count, epochs] = [Number(options.models), Number(options.epochs)];
const whole = await mnist();
const [train, test] = [whole.train.take(Number(options.train)), whole.test];
const labels = Int32Array.from(test.labels() ?? []);
const { x } = test.all();

/** Probabilities of a network with its own first weights and order of samples. */
async function learn(data: Dataset, seed: number): Promise<Tensor> {
  random.seed(seed);
  const net = sequential([flatten(), dense(32), relu, dense(10)]);
  net.compile({ optimizer: adam(2e-3), loss: "sparseCategoricalCrossentropy" });
  await net.fit(data, { epochs, batchSize: 64, seed, verbose: 0 });
  return softmax(await net.predict(x, { batchSize: 1000 }), -1);
}
const errorOf = (outputs: readonly Tensor[]): number =>
  1 - accuracyScore(labels, averageEnsemble(outputs).classes ?? []);
const percent = (v: number): string => `${(100 * v).toFixed(2)} %`;

const kinds: Record<string, (i: number) => Promise<Tensor>> = {
  "same samples, other weights": (i) => learn(train, i),
  "bagging: a bootstrap each": (i) => learn(train.select(bootstrap(train.length, i)), i),
};
const target = oneHot(tensor(labels), 10);
const rows: (string | number)[][] = [
  ["", "mean single", "ensemble", "E[e²]", "E[eᵢeⱼ]", "squared error", "by the formula"],
];
const goals: Parameters<typeof showGoals>[1][number][] = [];
const growth: Record<string, number[]> = {};
for (const [name, make] of Object.entries(kinds)) {
  const outputs: Tensor[] = [];
  for (let i = 0; i < count; i++) {
    outputs.push(await make(i));
    console.log(`${name}: network ${i + 1} of ${count} misreads ${percent(errorOf([outputs[i]]))}`);
  }
  const single = outputs.map((o) => errorOf([o]));
  const mean = single.reduce((a, e) => a + e, 0) / count;
  const ensemble = errorOf(outputs);
  growth[name] = outputs.map((_, i) => errorOf(outputs.slice(0, i + 1)));
  // Errors of the probabilities, over all classes and digits.
  const { single: own, cross, ensemble: measured, formula } = ensembleError(outputs, target);
  rows.push([name, percent(mean), percent(ensemble), ...[own, cross, measured, formula].map((v) => v.toFixed(6))]);
  goals.push(
    {
      what: `${name}: ensemble error against the mean single one`,
      value: ensemble,
      is: "≤",
      goal: Number(mean.toFixed(6)),
      digits: 6,
    },
    {
      what: `${name}: measured error against the formula`,
      value: Math.abs(measured - formula),
      is: "≤",
      goal: 1e-6,
      digits: 9,
    },
  );
}
console.log(`\nMisread of ${test.length} digits, and squared errors of the probabilities`);
console.log(formatTable(rows, { header: true }));
console.log(
  `With errors as great that had nothing in common: ${expectedEnsembleError(count, Number(rows[1][3]), 0).toFixed(6)}`,
);
await writeFile(
  path.join(folder, "growth.svg"),
  await renderSvg(lineChart(growth, { x: "networks averaged", y: "share misread" })),
);
console.log(`\n${folder}/growth.svg: the error as networks are added`);
showGoals("SYS-28 ensemble and bagging", goals);
