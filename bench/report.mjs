// node bench/report.mjs [bench/results/<date>.json]: writes docs/performance.md and the README's table from a run's JSON, the
// newest one unless told. Every number of the page comes from that file; nothing is left out of it. Why a figure is slower than a
// peer's stands in bench/causes.json, by figure and group of peers; one without a cause is shown as such. A run on a busy
// machine is refused without --noisy.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { peers, titleOf } from "./lib/peers.mjs";
import { withFigures } from "./lib/readme.mjs";
import { rivalries, summarise } from "./lib/summary.mjs";
import {
  ceilingTable,
  compileTable,
  failures,
  kindTable,
  legend,
  lossTable,
  mainTable,
  markdown,
  short,
  sizeTables,
} from "./lib/table.mjs";
import { compileTitle, workloads } from "./lib/workloads.mjs";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const newest = () =>
  readdirSync(here("results"))
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .map((name) => `results/${name}`)
    .at(-1);
const noisyToo = process.argv.includes("--noisy");
const given = process.argv.slice(2).find((arg) => !arg.startsWith("--"));
const relative = given === undefined ? newest() : undefined;
if (given === undefined && relative === undefined) {
  console.error("no run yet: npm run bench");
  process.exit(1);
}
const summary = summarise(JSON.parse(readFileSync(given ?? here(relative), "utf8")));
const causes = JSON.parse(readFileSync(here("causes.json"), "utf8"));
const { run, figures, standard } = summary;

const measured = figures.flatMap(({ cells }) => Object.values(cells).filter((cell) => cell.ms !== undefined));
const disturbed = measured.filter((cell) => cell.noisy).length;
if (disturbed > measured.length / 10 && !noisyToo) {
  console.error(
    `${disturbed} of ${measured.length} figures were taken while other processes were busy: threads that wait for each other are ` +
      "then slower by any factor, and the ratios say nothing. Run it on a calm machine, or write it all the same with --noisy.",
  );
  process.exit(1);
}

/** The cause of one ratio: by figure and group, by workload and group, by figure, by workload. */
function causeOf({ workload, metric }, group) {
  const figure = `${workload} ${metric}`;
  const found = [`${figure}, ${group}`, `${workload}, ${group}`, figure, workload].find((key) => key in causes);
  return found === undefined ? "not yet found" : causes[found];
}
const compared = figures.flatMap((figure) =>
  Object.entries(figure.rivals)
    .filter(([, { ratio }]) => ratio !== undefined)
    .map(([group, rival]) => ({ figure, group, rival })),
);
const slower = compared.filter(({ rival }) => rival.ratio < 1);
const slowerTable = [
  ["slower here", "its time / ours", "than", "cause"],
  ...slower.map(({ figure, group, rival }) => [
    `${figure.workload} ${figure.metric}`,
    `${short(rival.ratio)}×`,
    titleOf(rival),
    causeOf(figure, group),
  ]),
];

/** Geometric mean of the ratios over the training steps. */
function meanRatio(group) {
  const ratios = compared
    .filter((c) => c.group === group && c.figure.metric === "step")
    .map(({ rival }) => rival.ratio);
  if (ratios.length === 0) return [];
  const mean = Math.exp(ratios.reduce((sum, x) => sum + Math.log(x), 0) / ratios.length);
  return [`${rivalries[group].title} ${short(mean)}× (${ratios.length} workloads)`];
}
const means = Object.keys(rivalries).flatMap(meanRatio);
const flags = figures.flatMap((f) => f.flags.map((text) => `- ${f.workload} ${f.metric}: ${text}`));
const broken = failures(summary).map((text) => `- ${text}`);

const section = (title, ...paragraphs) => [`## ${title}`, ...paragraphs.filter((text) => text !== "")];
const table = (rows) => (rows.length > 1 ? markdown(rows) : "");
const page = [
  "# Performance",
  "<!-- Written by bench/report.mjs from the JSON of a run; do not edit. -->",
  "The same shapes, maths, initial weights and data in every program, all programs in one interleaved run (`npm run bench`; the " +
    "peers of JavaScript are installed on demand into `bench/`, those of Python by `node bench/python.mjs`). Ratios compare " +
    "medians of the same run. Native peers run with the settings under which they are at their best on this processor " +
    "(`bench/lib/peers.mjs`), and each group of peers is represented by its fastest member and number of threads.",
  [
    `- Run of ${run.date.slice(0, 10)}: ${run.machine.processor}, ${run.machine.cores} cores, ${run.machine.system}, Node ${run.node}, rounds: ${run.options.rounds}.`,
    `- ${Object.entries(run.versions)
      .map(([name, version]) => `${peers[name].title} ${version}`)
      .join(", ")}.`,
    ...(run.again ?? []).map(
      ({ workloads: names, peers: whose, rounds }) =>
        `- ${names.join(", ")} of ${whose.map((name) => peers[name].title).join(", ")}: ${rounds} further rounds after the others (\`--more\`); medians are over all rounds.`,
    ),
    ...run.missing.map((text) => `- Not measured: ${text}.`),
    ...(run.options.clock === "processor"
      ? [
          "- Other programs shared the machine: times are the processor times of each process (all its threads), not wall times.",
        ]
      : []),
  ].join("\n"),
  ...section(
    "Against the peers",
    `Milliseconds, less is better. Ours is what a user gets${standard === undefined ? "" : ` here (${titleOf(standard)})`}.`,
    table(mainTable(summary)),
    legend,
    means.length === 0 ? "" : `Geometric mean of the training steps (W2–W8): ${means.join("; ")}.`,
  ),
  ...section(
    "Where we are slower, and why",
    compared.length === 0
      ? "No peer was measured."
      : slower.length === 0
        ? "Nothing measured here is slower than a peer."
        : table(slowerTable),
  ),
  ...section("Ours by device and threads", table(kindTable(summary, "ours"))),
  ...section("Frameworks of JavaScript", table(kindTable(summary, "js"))),
  ...section("Native peers", table(kindTable(summary, "native"))),
  ...section(
    "What the machine can do",
    "Kernels that our assembler makes for the measurement alone: multiply-adds in registers, and arrays of 10⁷ elements read, " +
      "copied and added. Where the last-level cache holds such arrays, these are the rates of that cache.",
    table(ceilingTable(summary)),
  ),
  ...section(
    "Size",
    ...sizeTables(summary).map(table),
    "A bundle is the training of the same MLP, by the same bundler, with the WebAssembly files that it loads.",
  ),
  ...section(
    "Compile time",
    "W11: the first call minus the median, milliseconds; tracing, compiling and first-touch costs are in it. W10 above is the whole " +
      "way from the start of the process to the first finished step: `start` with nothing kept from earlier processes (but for " +
      "the bytecode that is built with our scripts), `later start` with the programs that an earlier one has compiled.",
    table(compileTable(summary)),
  ),
  ...section(
    "Do they compute the same?",
    "Losses at the first and the fourth step, from the same weights; they must agree to 1e-3. Operations without a loss are compared " +
      "by the mean of the absolute values of their result.",
    table(lossTable(summary)),
    flags.length === 0 ? "All peers agree on every figure." : `They do not agree here:\n\n${flags.join("\n")}`,
  ),
  ...(broken.length > 0 ? section("What fails, and why", broken.join("\n")) : []),
  ...section(
    "The workloads",
    Object.entries({ ...workloads, W11: { title: compileTitle } })
      .map(([id, { title }]) => `- **${id}** ${title}`)
      .join("\n"),
  ),
].filter((text) => text !== "");

writeFileSync(here("../docs/performance.md"), `${page.join("\n\n")}\n`);
if (standard !== undefined) {
  const readme = here("../README.md");
  writeFileSync(readme, withFigures(readFileSync(readme, "utf8"), summary));
}
console.log("written: docs/performance.md, README.md");
