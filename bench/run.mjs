// npm run bench [-- --workloads W1,W2 --peers chainrule,torch --threads 1,2 --rounds 3 --quick]: us and the peers in one run.
// Rounds go over all workloads, in each every variant (peer, device, threads) once, in rotating order: one process a
// measurement.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { install, linkProduct } from "./lib/install.mjs";
import { cores, idOf, installedVersion, peers, settingsOf, titleOf, variantsOf } from "./lib/peers.mjs";
import { measureSizes } from "./lib/sizes.mjs";
import { collect, devicesHere, measureOnce, node, quiet } from "./lib/start.mjs";
import { summarise } from "./lib/summary.mjs";
import { renderText } from "./lib/table.mjs";
import { does, workloads } from "./lib/workloads.mjs";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const devices = ["wasm", "x64"];
const help = `npm run bench -- [options]
  --workloads ${Object.keys(workloads).join(",")}   (all)
  --peers ${Object.keys(peers).join(",")}   (all but jax-fma)
  --devices ${devices.join(",")}   (ours; all that this machine has)
  --threads 1,${cores}      how many threads; of peers that have only one, one
  --rounds 3      how often everything is measured
  --budget 2000   milliseconds of timed calls a figure
  --limit 200     seconds after which a process is stopped; its finished figures count
  --quiet 5       seconds to wait, at most, for other processes to calm down before each measurement
  --clock wall    or processor: which of the two times the tables show (the JSON has both); the latter with --threads 1 only
  --quick         one round, short budget and limit, no waiting: a look, not a result
  --out FILE      where the JSON goes (bench/results/<date>.json)
  --more FILE     further rounds of what is chosen, added to the run in FILE: medians are then over all of its rounds
Python peers are set up by: node bench/python.mjs`;

const { values } = parseArgs({
  options: {
    workloads: { type: "string" },
    peers: { type: "string" },
    devices: { type: "string" },
    threads: { type: "string" },
    rounds: { type: "string" },
    budget: { type: "string" },
    limit: { type: "string" },
    quiet: { type: "string" },
    clock: { type: "string", default: "wall" },
    quick: { type: "boolean", default: false },
    out: { type: "string" },
    more: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}
function refuse(message) {
  console.error(message);
  process.exit(2);
}

/** Names from a list option, or the default; a name we do not know ends the run. */
function pick(option, known, otherwise) {
  const names = values[option]?.split(",") ?? otherwise;
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) refuse(`--${option}: no ${unknown.join(", ")}; there are ${known.join(", ")}`);
  return names;
}
const number = (option, usual, quick) => Number(values[option] ?? (values.quick ? quick : usual));

const chosen = pick("workloads", Object.keys(workloads), Object.keys(workloads));
const asked = pick(
  "peers",
  Object.keys(peers),
  Object.keys(peers).filter((name) => !peers[name].optional),
);
const threads = (values.threads?.split(",") ?? [...new Set([1, cores])]).map(Number);
if (!threads.every((n) => Number.isInteger(n) && n > 0))
  refuse(`--threads: whole numbers above 0, not ${values.threads}`);
const options = {
  rounds: number("rounds", 3, 1),
  budget: number("budget", 2000, 400),
  limit: number("limit", 200, 30),
  quiet: number("quiet", 5, 0),
  clock: pick("clock", ["wall", "processor"], ["wall"])[0],
};
if (options.clock === "processor" && threads.some((n) => n > 1)) {
  refuse("--clock processor adds up the times of all threads: it compares runs with --threads 1 only");
}
/** A variant that took longer than this is not started again in later rounds. */
const slow = 60_000;
/** How often a cold start is repeated in a round: it is short, and the disk makes it vary. */
const coldStarts = 3;
/** Where ours keeps compiled programs between the later starts. */
const kept = here(".cache/kept");

linkProduct();
if (asked.some((name) => peers[name].package !== undefined && peers[name].python === undefined)) install();
linkProduct(); // npm ci empties the folder

const present = asked.filter((name) => installedVersion(name) !== undefined);
const ownDevices = await devicesHere(pick("devices", devices, devices));
/** "x64 AVX-512" is x64. */
const isThere = ({ asked, name }) => asked === name.split(" ")[0];
const missing = [
  ...asked
    .filter((name) => !present.includes(name))
    .map((name) => `${peers[name].title} is not installed here (node bench/python.mjs sets the Python peers up)`),
  ...ownDevices
    .filter((d) => !isThere(d))
    .map(({ asked, why }) => `chainrule ${asked}: ${why || "no such device here"}`),
];
const found = ownDevices.filter(isThere).map(({ asked }) => asked);
const variants = present.flatMap((name) => variantsOf(name, { devices: found, threads }));

const date = new Date().toISOString();
const out = values.more ?? values.out ?? here(`results/${date.slice(0, 10)}.json`);
const earlier = values.more === undefined ? undefined : JSON.parse(readFileSync(values.more, "utf8"));
const before = Math.max(0, ...(earlier?.rows ?? []).map(({ round }) => round));
const run = earlier ?? {
  date,
  machine: { processor: os.cpus()[0]?.model ?? "", cores, system: `${os.type()} ${os.arch()}` },
  node: process.version,
  versions: Object.fromEntries(present.map((name) => [name, installedVersion(name)])),
  missing,
  devices: Object.fromEntries(ownDevices.filter(isThere).map(({ asked, name }) => [asked, name])),
  options,
  variants,
  ceilings: [],
  sizes: {},
  rows: [],
};
/** Writes what there is: a run that is stopped early is of use too. */
function save() {
  mkdirSync(path.dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(run, (_, v) => (typeof v === "number" ? Number(v.toPrecision(6)) : v), 1)}\n`);
}
function progress(line) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
}

/** All rows of one variant on one workload in one round. */
async function measure(workload, variant) {
  const { absent, cold } = workloads[workload];
  if (absent?.[variant.peer] !== undefined) return [{ workload, ...variant, metric: "", error: absent[variant.peer] }];
  if (cold === undefined) return measureOnce(workload, variant, options);
  const rows = [];
  const start = async (part, name, env = {}) => {
    const [row] = await measureOnce(part, variant, { ...options, cold: true, env });
    if (name !== "") rows.push({ ...row, workload, metric: `${name} of ${part}` });
    return row;
  };
  for (const part of cold) {
    if (workloads[part].absent?.[variant.peer] !== undefined) continue;
    for (let i = 0; i < coldStarts; i++) {
      const row = await start(part, "start");
      if (row.error !== undefined || row.wall.ms > 10_000) break;
    }
    if (variant.device !== "x64") continue;
    // Once more with what an earlier process has compiled.
    const env = { CHAINRULE_CACHE: kept };
    await start(part, "", env);
    for (let i = 0; i < coldStarts; i++) await start(part, "later start", env);
  }
  return rows;
}

const skip = new Set();
for (let round = before + 1; round <= before + options.rounds; round++) {
  for (const variant of variants.filter(({ peer }) => peer === "chainrule")) {
    await quiet(options.quiet);
    const { messages } = await collect(node("ceilings.mjs", [], { env: settingsOf(variant) }), 30);
    run.ceilings.push(...messages.map((rates) => ({ round, ...rates })));
  }
  for (const workload of chosen) {
    const able = variants.filter(({ peer }) => does(peer, workload));
    for (let k = 0; k < able.length; k++) {
      const variant = able[(k + round - 1) % able.length];
      const key = `${workload} ${idOf(variant)}`;
      if (skip.has(key)) continue;
      progress(`round ${round} of ${before + options.rounds}: ${workload} in ${titleOf(variant)}`);
      await quiet(options.quiet);
      const start = performance.now();
      const measured = await measure(workload, variant);
      run.rows.push(...measured.map((row) => ({ round, ...row })));
      save();
      if (performance.now() - start > slow || measured.every((row) => row.error !== undefined)) skip.add(key);
    }
  }
}
if (earlier !== undefined)
  run.again = [...(run.again ?? []), { date, workloads: chosen, peers: present, rounds: options.rounds }];
if (chosen.includes("W10")) {
  progress("sizes");
  run.sizes = await measureSizes(present);
}
progress("");
save();
console.log(renderText(summarise(run)));
console.log(`\nwritten: ${out}\nthe page docs/performance.md follows from it: node bench/report.mjs ${out}`);
