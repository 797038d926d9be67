/** SYS-26: random search on the scales of the notes, in parallel, coarse to fine; the test images are read once, at the end. */
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { random } from "chainrule";
import { mnist } from "chainrule/data";
import { saveModel } from "chainrule/train";
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
import { type Choices, network, trained } from "./objective.ts";

const { values: options } = parseArgs({
  options: {
    trials: { type: "string", default: "30" },
    images: { type: "string", default: "8000" },
    store: { type: "string" },
    fresh: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(
    "npm run example -- hyperparameters [--trials 30] [--images 8000] [--store trials.db | postgres://…] [--fresh]\n" +
      "A search that was stopped goes on; --fresh begins anew.",
  );
  process.exit(0);
}
const folder = outputFolder("hyperparameters");
const [trials, images] = [Number(options.trials), Number(options.images)];
process.env["HYPERPARAMETERS_IMAGES"] = options.images;
/** Names of the two studies: they differ by what a trial is. */
const study = (name: string): string => `${name} ${trials} of ${images} images`;
if (options.fresh && options.store !== undefined)
  throw new Error("--fresh empties runs/hyperparameters/trials.db, not another store");
const file = path.join(folder, "trials.db");
if (options.fresh) for (const end of ["", "-wal", "-shm"]) await rm(file + end, { force: true });
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
  store: options.store ?? file,
  seed: 1,
} as const;

console.log(`coarse: ${trials} trials\n`);
const coarse = await search({
  ...common,
  space,
  trials,
  study: study("coarse"),
  pruner: medianPruner({ startupTrials: 8, warmupSteps: 1 }),
});
const fineSpace = zoomSpace(
  space,
  coarse.top(5).map((t) => t.params),
);
console.log(`\nfine, around the five best: ${trials / 2} trials\n`);
const fine = await search({ ...common, space: fineSpace, trials: Math.ceil(trials / 2), study: study("fine") });
for (const [name, result] of Object.entries({ coarse, fine }))
  await writeFile(path.join(folder, `${name}.svg`), await renderSvg(searchChart(result)));

const best = [coarse, fine].map((r) => r.best!).sort((a, b) => a.value - b.value)[0];
const usual: Choices = {
  learningRate: 1e-3,
  beta1: 0.9,
  units: 64,
  layers: 1,
  dropout: 0,
  activation: "relu",
  batchSize: 64,
};
// One run of each from a seed of its own: the best of 45 was chosen for its value, which flatters it.
const [plain, again] = [await trained(usual, 99, 3), await trained(best.params, 99, 3)];
console.log(`\n${String(fine)}\n`);
console.log(`dev error with another seed: the default ${plain.toFixed(4)}, the chosen ${again.toFixed(4)}`);
const { train, test } = await mnist();
random.seed(1);
const chosen = network(best.params);
const whole = train.take(Math.round(7.5 * images));
console.log(`\nthe chosen one on ${whole.length} images; then the test images, once\n`);
await chosen.fit(whole, { epochs: 6, batchSize: best.params.batchSize, seed: 1, verbose: 2 });
const error = 1 - (await chosen.evaluate(test))["accuracy"];
await saveModel(chosen, path.join(folder, "chosen.safetensors"), {
  notes: { trial: best.number, devError: best.value },
});
console.log(`\n${folder}: coarse.svg, fine.svg, chosen.safetensors`);

showGoals("SYS-26 hyperparameter search", [
  { what: "trials of the coarse search", value: coarse.trials.length, is: "≥", goal: trials, digits: 0 },
  {
    what: "dev error of the best of all below that of the default: difference",
    value: plain - best.value,
    is: "≥",
    goal: 0,
    digits: 4,
  },
  { what: "the same, the chosen one trained anew", value: plain - again, is: "≥", goal: 0, digits: 4 },
  {
    what: "fine no worse than coarse: difference",
    value: coarse.best!.value - fine.best!.value,
    is: "≥",
    goal: 0,
    digits: 4,
  },
  { what: "test error of the chosen network", value: error, is: "≤", goal: images < 8000 ? 0.1 : 0.04, digits: 4 },
]);
