/** SYS-05: linear regression on house prices, by the normal equations and by descent. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import {
  baselineRegressor,
  linearRegression,
  type LinearRegressionOptions,
  rootMeanSquaredError,
} from "chainrule/classic";
import { bostonHousing, californiaHousing, standardScaler, trainTestSplit } from "chainrule/data";
import { inverseTimeDecay, sgd } from "chainrule/optim";
import { barChart, drawLines, formatTable, lineChart, renderSvg, scatterChart } from "chainrule/viz";
import { outputFolder, showGoals } from "../lib/goals.ts";

const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: "boston" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log("npm run example -- housing [--data boston|california]   (California is downloaded once)");
  process.exit(0);
}
const folder = outputFolder("housing");
const { data, featureNames } = options.data === "california" ? await californiaHousing() : await bostonHousing();
const split = trainTestSplit(data, { testSize: 0.2, seed: 1 });
// Mean and deviation of the training set scale both.
const scaler = standardScaler().fit(split.train);
const [train, test] = [scaler.transform(split.train).cache(), scaler.transform(split.test).cache()];
const prices = test.labels() ?? [];

const epochs = options.data === "california" ? 10 : 40;
const decayed = (rate: number, size: number, passes: number) => () =>
  sgd(inverseTimeDecay(rate, Math.ceil(passes / 10) * train.steps(size), 1));
const solvers: Record<string, LinearRegressionOptions> = {
  "normal equations": {},
  "gradient descent": { solver: "gradientDescent", epochs: 4000, optimizer: () => sgd(0.2) },
  "stochastic, 1 sample": { solver: "sgd", epochs, optimizer: decayed(0.005, 1, epochs) },
  "mini-batches of 100": {
    solver: "miniBatch",
    epochs: 10 * epochs,
    batchSize: 100,
    optimizer: decayed(0.1, 100, 10 * epochs),
  },
};
const rows: (string | number)[][] = [["", "RMSE train", "RMSE test", "R² test", "seconds"]];
const rmse: Record<string, readonly [train: number, test: number]> = {};
const losses: Record<string, readonly number[]> = {};
const coefficients: Record<string, ArrayLike<number>> = {};
for (const [name, solver] of Object.entries(solvers)) {
  const started = performance.now();
  const model = linearRegression(solver).fit(train);
  const seconds = (performance.now() - started) / 1000;
  rmse[name] = [
    rootMeanSquaredError(train.labels() ?? [], model.predict(train)),
    rootMeanSquaredError(prices, model.predict(test)),
  ];
  coefficients[name] = model.coefficients.dataSync().slice();
  if (model.losses.length > 0) losses[name] = model.losses.slice(0, 60).map((l) => Math.sqrt(2 * l));
  rows.push([name, ...rmse[name].map((v) => v.toFixed(4)), model.score(test).toFixed(4), seconds.toFixed(2)]);
  console.log(`${name} … done`);
  if (name === "normal equations") {
    const points = Array.from(model.predict(test).dataSync(), (y, i) => ({ x: prices[i], y }));
    await writeFile(
      path.join(folder, "predicted.svg"),
      await renderSvg(scatterChart(points, { x: "price", y: "predicted" })),
    );
    const bars = Object.fromEntries(featureNames.map((f, i) => [f, coefficients[name][i]]));
    await writeFile(
      path.join(folder, "coefficients.svg"),
      await renderSvg(barChart(bars, { y: "effect of one deviation" })),
    );
  }
}
rows.push([
  "the mean, whatever x",
  "",
  rootMeanSquaredError(prices, baselineRegressor().fit(train).predict(test)).toFixed(4),
  "",
  "",
]);
console.log(`\n${train.length} districts to learn from, ${test.length} to test on, ${featureNames.length} features`);
console.log(formatTable(rows, { header: true }));
console.log(`\nRMSE of the first 60 epochs\n${drawLines(losses, { height: 8 }).join("\n")}`);
await writeFile(
  path.join(folder, "loss.svg"),
  await renderSvg(lineChart(losses, { x: "epoch", y: "RMSE", points: false })),
);

console.log(`\n${folder}: predicted.svg, coefficients.svg, loss.svg`);
const [closed, ...descents] = Object.keys(solvers);
showGoals("SYS-05 linear regression and normal equations", [
  ...descents.flatMap((name) =>
    ["training", "test"].map((part, i) => ({
      what: `${name}: ${part} RMSE, distance from the closed form`,
      value: Math.abs(rmse[name][i] / rmse[closed][i] - 1),
      is: "≤" as const,
      goal: 0.01,
      digits: 5,
    })),
  ),
]);
