/** SYS-27: one network for MNIST with every optimizer, schedule, initialiser, regulariser and normaliser, one at a time. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { mnist } from "chainrule/data";
import { barChart, formatTable, lineChart, renderSvg } from "chainrule/viz";
import { outputFolder, showGoals } from "../lib/goals.ts";
import { initializers } from "./initializers.ts";
import { type Check, distance, type Ingredient, runOne, type Setting } from "./net.ts";
import { inputs, normalizers } from "./normalizers.ts";
import { adams, adaptives, descents } from "./optimizers.ts";
import { augmentations, disturbances, penalties } from "./regularizers.ts";
import { schedules } from "./schedules.ts";

const { values: options } = parseArgs({
  options: {
    train: { type: "string", default: "6000" },
    test: { type: "string", default: "10000" },
    only: { type: "string", default: "" },
    help: { type: "boolean", default: false },
  },
});
const groups = {
  descents: { of: descents, title: "gradient descent" },
  adaptives: { of: adaptives, title: "rates by past gradients" },
  adams: { of: adams, title: "Adam and its kin" },
  schedules: { of: schedules, title: "schedules of momentum's rate" },
  initializers: { of: initializers, title: "initialisers" },
  penalties: { of: penalties, title: "penalties and constraints on weights", overfit: true },
  disturbances: { of: disturbances, title: "dropout, noise, early stopping", overfit: true },
  augmentations: { of: augmentations, title: "augmented images", overfit: true },
  normalizers: { of: normalizers, title: "normalisers" },
  inputs: { of: inputs, title: "scalings of the input" },
} as const satisfies Record<string, { of: readonly Ingredient[]; title: string; overfit?: true }>;
if (options.help) {
  console.log(
    `npm run example -- ingredients [--train 6000] [--test 10000] [--only GROUP,…]\nGroups: ${Object.keys(groups).join(", ")}.`,
  );
  process.exit(0);
}
const folder = outputFolder("ingredients");
const { train, test: held } = await mnist();
const test = held.take(Number(options.test));
const count = Number(options.train);
/** Three passes over some thousand images, more over fewer; a sixth of them is learned by heart where regularisers are to help. */
const usual: Setting = { train: train.take(count), test, batchSize: 64, epochs: count < 6000 ? 8 : 3 };
const few: Setting = { train: train.take(Math.round(count / 6)), test, batchSize: 50, epochs: 15 };

const percent = (x: number): string => (100 * x).toFixed(2);
const checks: { readonly check: Check; readonly of: string }[] = [];
const failed: string[] = [];
let runs = 0;

/** Runs a group, prints it as a table while it goes on, and draws curves and accuracies. */
async function bench(group: keyof typeof groups): Promise<void> {
  const { title } = groups[group];
  const of: readonly Ingredient[] = groups[group].of;
  const setting = "overfit" in groups[group] ? few : usual;
  console.log(`\n${title}\n`);
  const curves: Record<string, readonly number[]> = {};
  const accuracies: Record<string, number> = {};
  const rows: string[][] = [["", "train %", "test %", "first loss", "last loss", "seconds"]];
  for (const option of of) {
    const outcome = await runOne(option, setting);
    const { losses, accuracy } = outcome;
    runs++;
    curves[option.name] = losses;
    accuracies[option.name] = 100 * accuracy.test;
    rows.push([
      option.name,
      percent(accuracy.train),
      percent(accuracy.test),
      losses[0].toFixed(3),
      losses[losses.length - 1].toFixed(3),
      outcome.seconds.toFixed(1),
    ]);
    process.stderr.write(`${option.name} … ${percent(accuracy.test)} %\n`);
    const learned = accuracy.test >= LEARNED;
    if (learned === (option.fails === true)) failed.push(`${group}: ${option.name}`);
    for (const check of option.checks()) checks.push({ check, of: option.name });
  }
  console.log(formatTable(rows, { header: true, align: ["left", "right", "right", "right", "right", "right"] }));
  const shown = Object.fromEntries(Object.entries(curves).map(([n, ys]) => [n, ys.map((y) => Math.min(y, 3))]));
  const draw = lineChart(shown, { title, x: "tenth of the run", y: "training loss (3 and more as 3)" });
  await writeFile(path.join(folder, `${group}.svg`), await renderSvg(draw));
  const bars = barChart(accuracies, { title, y: "test accuracy, %" });
  await writeFile(path.join(folder, `${group}-accuracy.svg`), await renderSvg(bars));
}

/** What counts as having learned: less for fewer images. */
const LEARNED = count < 6000 ? 0.5 : 0.85;
/** What is right enough where rates are compared: far from chance, which is all that is left of a network beyond its largest rate. */
const ENOUGH = 0.6;
/** Dense layers more than usual, where rates are compared: normalisation is for deep networks. */
const DEEPER = 3;
const RATES = [0.01, 0.03, 0.1, 0.3, 1, 3];

/** The largest rate of momentum at which enough are right: the same deeper network without and with normalisation. */
async function largestRates(): Promise<Record<string, number>> {
  const curves: Record<string, number[]> = {};
  const largest: Record<string, number> = {};
  console.log(`\nnormalisers, ${DEEPER} dense layers more, test % by the rate of momentum\n`);
  for (const option of normalizers.slice(0, 4)) {
    curves[option.name] = [];
    for (const rate of RATES) {
      const { accuracy } = await runOne({ ...option, parts: { ...option.parts, deeper: DEEPER } }, usual, rate);
      runs++;
      curves[option.name].push(100 * accuracy.test);
      if (accuracy.test >= ENOUGH) largest[option.name] = rate;
    }
    process.stderr.write(`${option.name} … learns up to ${largest[option.name]}\n`);
  }
  const rows = Object.entries(curves).map(([name, ys]) => [
    name,
    ...ys.map((y) => y.toFixed(2)),
    String(largest[name]),
  ]);
  console.log(formatTable([["", ...RATES.map(String), `largest for ${100 * ENOUGH} %`], ...rows], { header: true }));
  const chart = lineChart(curves, { x: "learning rate", y: "test accuracy, %", xs: RATES, logX: true });
  await writeFile(path.join(folder, "rates.svg"), await renderSvg(chart));
  return largest;
}

let largest: Record<string, number> | null = null;
const wanted = options.only === "" ? Object.keys(groups) : options.only.split(",");
for (const group of wanted) {
  if (!(group in groups)) throw new Error(`no group "${group}": there are ${Object.keys(groups).join(", ")}`);
  await bench(group as keyof typeof groups);
  if (group === "normalizers") largest = await largestRates();
}

console.log("\nthe formulas, by the numbers of their rows\n");
const show = (values: readonly number[]): string => {
  const text = values.slice(0, 4).map((v) => String(Number(v.toPrecision(5))));
  return values.length > 4 ? `${text.join(", ")}, … (${values.length})` : text.join(", ");
};
const broken = checks.filter(({ check }) => !(distance(check) <= check.within));
const table = checks.map(({ check, of }) => [
  check.row,
  of,
  check.what,
  show(check.found),
  show(check.wanted),
  distance(check).toExponential(0),
  distance(check) <= check.within ? "" : "WRONG",
]);
console.log(
  formatTable([["row", "", "", "found", "wanted", "apart", ""], ...table], {
    header: true,
    align: ["left", "left", "left", "right", "right", "right", "left"],
  }),
);
const ids = new Set(checks.map(({ check }) => check.row).filter((row) => row !== ""));
console.log(`\n${folder}: a chart of curves and one of accuracies for each group`);
if (failed.length > 0) console.log(`not as expected: ${failed.join("; ")}`);

showGoals("SYS-27 ingredients", [
  { what: "runs", value: runs, is: "≥", goal: wanted.length, digits: 0 },
  {
    what: `formulas off their numbers, of ${checks.length} (${ids.size} rows)`,
    value: broken.length,
    is: "≤",
    goal: 0,
    digits: 0,
  },
  {
    what: `options that learn (${100 * LEARNED} %) though they should not, or the other way round`,
    value: failed.length,
    is: "≤",
    goal: 0,
    digits: 0,
  },
  ...(largest === null
    ? []
    : [
        {
          what: `largest rate for ${100 * ENOUGH} %, batch norm over none`,
          value: largest["batch norm"] / largest["none"],
          is: "≥" as const,
          goal: 10,
          digits: 1,
        },
      ]),
]);
