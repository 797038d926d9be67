/** SYS-04: k nearest neighbours on MNIST, K chosen by cross-validation. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { accuracyScore, gridSearch, kNearestNeighbors } from "chainrule/classic";
import { mnist } from "chainrule/data";
import { encodePng } from "chainrule/io";
import { drawLines, formatTable, lineChart, pictureSheet, renderSvg } from "chainrule/viz";
import { outputFolder, showGoals } from "../lib/goals.ts";

const { values: options } = parseArgs({
  options: {
    train: { type: "string", default: "10000" },
    test: { type: "string", default: "1000" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log("npm run example -- neighbours [--train 10000] [--test 1000]");
  process.exit(0);
}
const folder = outputFolder("neighbours");
const whole = await mnist();
// Drawn at random: the writers of MNIST's first digits differ from those of the last.
const train = whole.train.shuffled(1).take(Number(options.train));
const test = whole.test.shuffled(1).take(Number(options.test));
const goal = train.length < 10_000 ? 0.85 : 0.93;

const ks = [1, 3, 5, 9, 15, 25];
const { best, candidates } = await gridSearch(({ k }) => kNearestNeighbors({ k }), { k: ks }, train, undefined, {
  splits: 5,
  trainScores: false,
  onCandidate: ({ params, mean, std, seconds }) =>
    console.log(
      `K = ${String(params["k"]).padStart(2)}: ${(100 * mean).toFixed(2)} % ± ${(100 * std).toFixed(2)} (${seconds.toFixed(1)} s)`,
    ),
});
const curves = { validation: candidates.map((c) => c.mean) };
const known = train.take(1000);
const atOne = kNearestNeighbors({ k: 1 }).fit(train).score(known);
console.log(`\n${drawLines(curves, { height: 10 }).join("\n")}\n`);
await writeFile(
  path.join(folder, "accuracy.svg"),
  await renderSvg(lineChart(curves, { xs: ks, x: "K", y: "accuracy", title: "5-fold cross-validation" })),
);

const model = kNearestNeighbors(best.params).fit(train);
model.predict(test.take(10));
const started = performance.now();
const predicted = model.predict(test).dataSync();
const seconds = (performance.now() - started) / 1000;
const labels = test.labels() ?? [];
const accuracy = accuracyScore(Int32Array.from(labels), predicted);
const onAll = model.score(whole.test);

// The digits that were misread, each with its nearest neighbours.
const wrong = Array.from(predicted.keys())
  .filter((i) => predicted[i] !== labels[i])
  .slice(0, 8);
const near = model.neighbors(test.select(wrong), 5).indices;
const pictures = wrong.flatMap((i, r) => [test.at(i), ...Array.from(near[r], (j) => train.at(j))]);
if (wrong.length > 0) {
  const sheet = pictureSheet(
    pictures.map(({ x }) => ({ width: 28, height: 28, data: x.data })),
    { columns: 6, zoom: 2 },
  );
  await writeFile(path.join(folder, "misread.png"), await encodePng(sheet));
}
console.log(
  formatTable([
    ["K chosen", best.params.k],
    ["samples kept", `${(model.bytes / 1e6).toFixed(1)} MB`],
    [`${test.length} digits read in`, `${seconds.toFixed(2)} s`],
    ["a digit", `${((1e3 * seconds) / test.length).toFixed(2)} ms`],
    [`right of all ${whole.test.length} test digits`, `${(100 * onAll).toFixed(2)} %`],
    ["most memory of the process", `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`],
    ["the whole run", `${process.uptime().toFixed(0)} s`],
  ]),
);
console.log(`\n${folder}: accuracy.svg (by K), misread.png (misread digits, each before its five neighbours)`);
showGoals("SYS-04 k-NN with cross-validated K", [
  { what: `accuracy on ${test.length} digits, ${train.length} kept`, value: accuracy, is: "≥", goal },
  { what: `accuracy at K = 1 on ${known.length} digits that it kept`, value: atOne, is: "≥", goal: 1 },
]);
