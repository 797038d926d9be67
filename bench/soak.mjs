// node bench/soak.mjs [W2 W3 …] [--minutes 30] [--device x64]: one process trains one network after the other with all threads,
// again and again from the same weights. Every round must give the losses of the first bit for bit, resident memory must stay
// flat in the second half of the rounds (growth of at most 5 %), and a step that takes a minute is a stuck barrier. Ends with 1
// otherwise.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { linkProduct } from "./lib/install.mjs";
import { growthOf, series } from "./lib/memory.mjs";
import { cores, settingsOf } from "./lib/peers.mjs";
import { node } from "./lib/start.mjs";
import { programs, workloads } from "./lib/workloads.mjs";

const trained = Object.keys(workloads).filter((name) => workloads[name].losses !== undefined);
/** Steps of each network in a round. */
const STEPS = 20;
/**
 * Share of the rounds that is warm-up. Networks of earlier rounds are collected when V8 collects, which knows little of memory
 * outside of its heap: the first 25 rounds add 20 MB each.
 */
const WARM = 0.5;
/** Seconds without a step that mean a stuck barrier. */
const STUCK = 60;

async function soak([minutes, ...names]) {
  const first = new Map();
  const end = performance.now() + 60e3 * Number(minutes);
  for (let round = 0; performance.now() < end; round++) {
    for (const name of names) {
      const losses = [];
      for await (const { step } of await programs(name, "chainrule")) {
        for (let i = 0; i < STEPS; i++) {
          losses.push(await step());
          process.send({ step: name });
        }
        break;
      }
      const before = first.get(name);
      if (before === undefined) first.set(name, losses);
      else if (losses.some((loss, i) => !Object.is(loss, before[i])))
        process.send({ parted: `${name} in round ${round}: ${losses.join(" ")} instead of ${before.join(" ")}` });
    }
    process.send({ round, bytes: process.memoryUsage.rss() });
  }
  process.disconnect();
}

if (process.send !== undefined) await soak(process.argv.slice(2));
else {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { minutes: { type: "string", default: "30" }, device: { type: "string", default: "x64" } },
  });
  const unknown = positionals.filter((name) => !trained.includes(name));
  if (unknown.length > 0) {
    console.error(`${unknown.join(", ")}: no training step; there are ${trained.join(", ")}`);
    process.exit(2);
  }
  linkProduct();
  const names = positionals.length > 0 ? positionals : trained;
  const env = settingsOf({ peer: "chainrule", device: values.device, threads: Math.max(2, cores) });
  const child = node(fileURLToPath(import.meta.url), [values.minutes, ...names], { env });
  child.stderr.pipe(process.stderr);
  const samples = [];
  const problems = [];
  // Ticks, not the clock: a machine that pauses both processes is not stuck.
  let [steps, waited] = [0, 0];
  const watch = setInterval(() => {
    if (++waited < STUCK) return;
    problems.push(`no step for ${STUCK} s: a stuck barrier`);
    child.kill("SIGKILL");
  }, 1e3);
  child.on("message", (message) => {
    waited = 0;
    if (message.step !== undefined) steps++;
    if (message.parted !== undefined) problems.push(message.parted);
    if (message.bytes !== undefined) samples.push({ done: message.round, bytes: message.bytes });
  });
  const code = await new Promise((resolve) => child.on("close", (status, signal) => resolve(status ?? signal)));
  clearInterval(watch);
  if (code !== 0 && problems.length === 0) problems.push(`the process ended with ${code}`);
  console.log(
    `${values.device}, ${names.join(" ")}: ${samples.length} rounds, ${steps.toLocaleString("en")} steps in ${values.minutes} minutes`,
  );
  const warm = Math.floor(WARM * samples.length);
  for (const sample of samples) sample.done -= warm;
  if (samples.length - warm > 2) {
    console.log(series(samples, "rounds"));
    const growth = growthOf(samples);
    console.log(`  growth after warm-up ${(100 * growth).toFixed(1)} % (at most 5 %)`);
    if (growth > 0.05) problems.push("resident memory grows");
  }
  for (const problem of problems) console.log(problem);
  console.log(problems.length === 0 ? "no round parted from the first, no step was stuck" : "FAILED");
  process.exitCode = problems.length === 0 ? 0 : 1;
}
