/** SYS-26: random search on the scales of the notes, in parallel, coarse to fine; the test images are read once, at the end. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { mnist } from "chainrule/data";
import {
  choice,
  intUniform,
  logUniform,
  medianPruner,
  oneMinusLog,
  search,
  searchChart,
  uniform,
  zoomSpace,
} from "chainrule/tune";
import { renderSvg } from "chainrule/viz";
import { outputFolder, showGoals } from "../lib/goals.ts";
import { type Choices, trained } from "./objective.ts";

const { values: options } = parseArgs({
  options: {
    trials: { type: "string", default: "30" },
    store: { type: "string" },
    fresh: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(
    "npm run example -- hyperparameters [--trials 30] [--store trials.db | postgres://…]\nA search that was stopped goes on.",
  );
  process.exit(0);
}
const folder = outputFolder("hyperparameters");
const trials = Number(options.trials);
const space = {
  learningRate: logUniform(1e-4, 1e-1),
  beta1: oneMinusLog(0.8, 0.99),
  units: intUniform(16, 256, { log: true }),
  layers: intUniform(1, 3),
  dropout: uniform(0, 0.5),
  activation: choice(["relu", "tanh"]),
  batchSize: choice([32, 64, 128, 256]),
};
const common = {
  objective: new URL("./objective.mjs", import.meta.url),
  store: options.store ?? path.join(folder, "trials.db"),
  seed: 1,
} as const;

console.log(`coarse: ${trials} trials\n`);
const coarse = await search({
  ...common,
  space,
  trials,
  study: `coarse ${trials}`,
  pruner: medianPruner({ startupTrials: 8, warmupSteps: 1 }),
});
const fineSpace = zoomSpace(
  space,
  coarse.top(5).map((t) => t.params),
);
console.log(`\nfine, around the five best: ${trials / 2} trials\n`);
const fine = await search({ ...common, space: fineSpace, trials: Math.ceil(trials / 2), study: `fine ${trials}` });
for (const [name, result] of Object.entries({ coarse, fine }))
  await writeFile(path.join(folder, `${name}.svg`), await renderSvg(searchChart(result)));

const best = [coarse, fine].map((r) => r.best!).sort((a, b) => a.value - b.value)[0];
console.log("\nthe best of both, and the default, trained anew; then the test images, once\n");
const usual: Choices = {
  learningRate: 1e-3,
  beta1: 0.9,
  units: 64,
  layers: 1,
  dropout: 0,
  activation: "relu",
  batchSize: 64,
};
const plain = await trained(usual, 1, 3);
const chosen = await trained(best.params, 1, 3);
const { test } = await mnist();
const error = 1 - (await chosen.net.evaluate(test))["accuracy"];
console.log(String(fine));

showGoals("SYS-26 hyperparameter search", [
  { what: "trials of the coarse search", value: coarse.trials.length, is: "≥", goal: trials, digits: 0 },
  {
    what: "dev error of the best below that of the default: difference",
    value: plain.error - best.value,
    is: "≥",
    goal: 0,
    digits: 4,
  },
  {
    what: "fine no worse than coarse: difference",
    value: coarse.best!.value - fine.best!.value,
    is: "≥",
    goal: 0,
    digits: 4,
  },
  { what: "test error of the chosen network", value: error, is: "≤", goal: 0.06, digits: 4 },
]);
