// npm run bench [-- --workloads W1,W2 --peers chainrule,jax --rounds 3 --quick]: us and the peers in one run.
// Rounds go over all workloads, in each every peer once, in rotating order: one process a measurement, one thread each.
import { fork } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { install, linkProduct, versionOf } from "./lib/install.mjs";
import { summarise } from "./lib/summary.mjs";
import { renderText } from "./lib/table.mjs";
import { peers, workloads } from "./lib/workloads.mjs";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const help = `npm run bench -- [options]
  --workloads ${Object.keys(workloads).join(",")}   (all)
  --peers ${Object.keys(peers).join(",")}   (all but jax-fma)
  --rounds 3      how often everything is measured
  --budget 2000   milliseconds of timed calls a figure
  --limit 200     seconds after which a process is stopped; its finished figures count
  --quiet 5       seconds to wait, at most, for other processes to calm down before each measurement
  --clock wall    or processor: which of the two times the tables show (the JSON has both); on a shared machine processor
  --quick         one round, short budget and limit, no waiting: a look, not a result
  --out FILE      where the JSON goes (bench/results/<date>.json)`;

const { values } = parseArgs({
  options: {
    workloads: { type: "string" },
    peers: { type: "string" },
    rounds: { type: "string" },
    budget: { type: "string" },
    limit: { type: "string" },
    quiet: { type: "string" },
    clock: { type: "string", default: "wall" },
    quick: { type: "boolean", default: false },
    out: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}

/** Names from a list option, or the default; a name we do not know ends the run. */
function pick(option, table, otherwise) {
  const names = values[option]?.split(",") ?? otherwise;
  const unknown = names.filter((name) => !(name in table));
  if (unknown.length === 0) return names;
  console.error(`--${option}: no ${unknown.join(", ")}; there are ${Object.keys(table).join(", ")}`);
  return process.exit(2);
}
const number = (option, usual, quick) => Number(values[option] ?? (values.quick ? quick : usual));

const chosen = pick("workloads", workloads, Object.keys(workloads));
const rivals = pick(
  "peers",
  peers,
  Object.keys(peers).filter((name) => !peers[name].optional),
);
const options = {
  rounds: number("rounds", 3, 1),
  budget: number("budget", 2000, 400),
  limit: number("limit", 200, 30),
  quiet: number("quiet", 5, 0),
  clock: values.clock === "processor" ? "processor" : "wall",
};
/** A process that took longer than this is not started again in later rounds. */
const slow = 60_000;

/** Runs a file in its own process and collects its messages; ends it after `limit` seconds. */
function collect(file, args, { flags = [], limit }) {
  return new Promise((resolve) => {
    const messages = [];
    let timedOut = false;
    let noise = "";
    const child = fork(file, args.map(String), { execArgv: flags, stdio: ["ignore", "ignore", "pipe", "ipc"] });
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, limit * 1e3);
    child.stderr.on("data", (chunk) => (noise = (noise + chunk).slice(-600)));
    child.on("message", (message) => messages.push(message));
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      resolve({ messages, timedOut, code: code ?? signal, noise });
    });
  });
}

/** Waits until the machine is nearly idle for half a second, at most `seconds`. */
async function quiet(seconds) {
  const busy = () => {
    const ticks = readFileSync("/proc/stat", "utf8").split("\n", 1)[0].trim().split(/\s+/).slice(1, 9).map(Number);
    return ticks.reduce((a, b) => a + b, 0) - ticks[3] - ticks[4];
  };
  if (!existsSync("/proc/stat")) return;
  for (const end = Date.now() + seconds * 1e3; Date.now() < end;) {
    const before = busy();
    await sleep(500);
    if (busy() - before < 8) return;
  }
}

/** How often a cold start is repeated in a round: it is short, and the disk makes it vary. */
const coldStarts = 3;

/** One process of one peer on one workload: rows { workload, peer, metric, ms, … } or { …, error }. */
async function measureOnce(workload, peer) {
  const { cold, absent } = workloads[workload];
  if (absent?.[peer] !== undefined) return [{ workload, peer, metric: "", error: absent[peer] }];
  const start = performance.timeOrigin + performance.now();
  const args = [peer, workload, options.budget, ...(cold ? [start] : [])];
  const result = await collect(here("lib/child.mjs"), args, { flags: peers[peer].flags, limit: options.limit });
  const rows = result.messages.filter((m) => m.metric !== undefined);
  const open = result.messages.findLast((m) => m.starting !== undefined)?.starting;
  if (result.timedOut) rows.push({ metric: open ?? "", error: `not done in ${options.limit} s` });
  else if (rows.length === 0) rows.push({ metric: open ?? "", error: `exit ${result.code}: ${result.noise.trim()}` });
  return rows.map((row) => ({ workload, peer, ...row }));
}

function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

linkProduct();
if (rivals.some((name) => peers[name].package !== undefined)) install();
linkProduct(); // npm ci empties the folder

const date = new Date().toISOString();
const out = values.out ?? here(`results/${date.slice(0, 10)}.json`);
const rows = [];
const peak = [];
const run = {
  date,
  machine: { processor: os.cpus()[0]?.model ?? "", cores: os.cpus().length, system: `${os.type()} ${os.arch()}` },
  node: process.version,
  versions: Object.fromEntries(rivals.map((name) => [name, versionOf(peers[name].package)])),
  options,
  peak,
  rows,
};
/** Writes what there is: a run that is stopped early is of use too. */
function save() {
  mkdirSync(path.dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(run, (_, v) => (typeof v === "number" ? Number(v.toPrecision(6)) : v), 1)}\n`);
}

const skip = new Set();
for (let round = 1; round <= options.rounds; round++) {
  await quiet(options.quiet);
  peak.push(...(await collect(here("lib/peak.mjs"), [1000], { flags: ["--no-liftoff"], limit: 30 })).messages);
  for (const workload of chosen) {
    for (let k = 0; k < rivals.length; k++) {
      const peer = rivals[(k + round - 1) % rivals.length];
      const key = `${workload} ${peer}`;
      if (skip.has(key)) continue;
      progress(`round ${round} of ${options.rounds}: ${workload} in ${peers[peer].title}`);
      await quiet(options.quiet);
      const start = performance.now();
      const found = [];
      const times = workloads[workload].cold ? coldStarts : 1;
      for (let i = 0; i < times; i++) found.push(...(await measureOnce(workload, peer)));
      rows.push(...found.map((row) => ({ round, ...row })));
      save();
      if (performance.now() - start > slow || found.every((row) => row.error !== undefined)) skip.add(key);
    }
  }
}
progress("");
save();
console.log(renderText(summarise(run)));
console.log(`\nwritten: ${out}\nthe page docs/performance.md follows from it: node bench/report.mjs ${out}`);
