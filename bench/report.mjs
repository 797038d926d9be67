// node bench/report.mjs [bench/results/<date>.json]: writes docs/performance.md from a run's JSON, the newest
// one unless told. Every number of the page comes from that file; nothing is left out of it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { summarise } from "./lib/summary.mjs";
import { compileTable, failures, legend, lossTable, mainTable, markdown, short } from "./lib/table.mjs";
import { workloads } from "./lib/workloads.mjs";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const newest = () =>
  readdirSync(here("results"))
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .map((name) => `results/${name}`)
    .at(-1);
const [given] = process.argv.slice(2);
const relative = given === undefined ? newest() : undefined;
if (given === undefined && relative === undefined) {
  console.error("no run yet: npm run bench");
  process.exit(1);
}
const summary = summarise(JSON.parse(readFileSync(given ?? here(relative), "utf8")));
const { run, peak, figures } = summary;

/** "W2 step 1.52×", sorted by workload. */
const listed = (chosen) => chosen.map((f) => `${f.workload} ${f.metric} ${short(f.ratio)}×`).join(", ");
const compared = figures.filter((f) => f.ratio !== undefined);
const slower = compared.filter((f) => f.ratio < 1);
const unmatched = figures.filter((f) => f.cells.chainrule?.ms !== undefined && f.ratio === undefined);
const flags = figures.flatMap((f) => f.flags.map((text) => `- ${f.workload} ${f.metric}: ${text}`));
const broken = failures(summary).map((text) => `- ${text}`);
const ruler = `independent ${run.peak[0]?.fused ? "fused multiply-adds" : "multiplies and adds"} in registers`;
const versionOf = ({ name, title }) => `${title} ${run.versions[name]}`;

const section = (title, ...paragraphs) => [`## ${title}`, ...paragraphs.filter((text) => text !== "")];
const table = (rows) => (rows.length > 0 ? markdown(rows) : "");
const page = [
  "# Performance",
  "<!-- Written by bench/report.mjs from the JSON of a run; do not edit. -->",
  "One thread each, WebAssembly with 128-bit SIMD, the same initial weights and data, all programs in one interleaved run " +
    "(`npm run bench`; the peers are installed on demand into `bench/`). Ratios compare medians of the same run.",
  [
    `- Run of ${run.date.slice(0, 10)}: ${run.machine.processor}, ${run.machine.system}, Node ${run.node}, rounds: ${run.options.rounds}.`,
    `- ${summary.peers.map(versionOf).join(", ")}.`,
    ...(run.options.clock === "processor"
      ? [
          "- Other programs shared the machine: times are the processor times of each process (all its threads), not wall times.",
        ]
      : []),
    ...(peak === undefined
      ? []
      : [`- Measured 128-bit peak of one core in the same run: ${short(peak)} GFLOP/s (${ruler}).`]),
  ].join("\n"),
  ...section(
    "Times",
    "Milliseconds, less is better. “vs best peer” is the time of the fastest other JavaScript framework over ours: " +
      "above 1 we are faster, below 1 slower. “of peak” is our rate over the measured peak.",
    table(mainTable(summary)),
    legend,
    compared.length === 0
      ? ""
      : slower.length === 0
        ? "Nothing measured here is slower than the best peer."
        : `**Slower than the best peer:** ${listed(slower)}.`,
    unmatched.length === 0
      ? ""
      : `Without a counterpart in the peers: ${unmatched.map((f) => `${f.workload} ${f.metric}`).join(", ")}` +
          " (“not freed”: results are dropped without dispose, as they may be here; the peers free theirs by hand).",
  ),
  ...section(
    "Compile time",
    "W11: the first call minus the median, milliseconds; tracing, compiling and first-touch costs are in it. W10 above is the whole " +
      "way from the start of the process to the first finished step of W2.",
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
    Object.entries(workloads)
      .map(([id, { title }]) => `- **${id}** ${title}`)
      .join("\n"),
  ),
].filter((text) => text !== "");

writeFileSync(here("../docs/performance.md"), `${page.join("\n\n")}\n`);
console.log("written: docs/performance.md");
