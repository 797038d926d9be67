// node bench/profile.mjs <workload> [figure] [--peer chainrule] [--js] [--top 25] [--budget 2000] [--trace file]: where a step's
// time goes. Ours by kernel against this machine's ceilings, from the product's profile(); peers, and ours with --js, by
// function from V8's profiler.
import { Session } from "node:inspector/promises";
import { parseArgs } from "node:util";
import { linkProduct } from "./lib/install.mjs";
import { toolkitOf } from "./lib/peers.mjs";
import { programs } from "./lib/workloads.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: "string", default: "chainrule" },
    js: { type: "boolean", default: false },
    top: { type: "string", default: "25" },
    budget: { type: "string", default: "2000" },
    trace: { type: "string" },
  },
});
const [workload = "W2", wanted = ""] = positionals;
linkProduct();

/** Ours by kernel: the product's own report. */
async function byKernel({ step, metric }) {
  const { profile } = await import("chainrule");
  for (let i = 0; i < 3; i++) await step();
  const start = performance.now();
  await step();
  const steps = Math.max(3, Math.min(200, Math.floor(Number(values.budget) / (performance.now() - start))));
  const report = await profile(step, { steps });
  console.log(`${workload} ${metric}\n${report.toString({ top: Number(values.top) })}\n`);
  if (values.trace !== undefined) await report.writeTrace(values.trace);
}

/** Milliseconds by function: samples of the stack's top. */
async function byFunction({ step, metric, calls = 1 }) {
  for (let i = 0; i < 3; i++) await step();
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 100 });
  await session.post("Profiler.start");
  const start = performance.now();
  let steps = 0;
  while (steps === 0 || performance.now() - start < Number(values.budget)) {
    await step();
    steps += calls;
  }
  const total = performance.now() - start;
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  const name = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map();
  profile.samples.forEach((id, i) => {
    const key = name.get(id);
    times.set(key, (times.get(key) ?? 0) + profile.timeDeltas[i] / 1e3);
  });
  console.log(`${workload} ${metric}, ${values.peer}: ${(total / steps).toFixed(3)} ms, ${times.size} functions`);
  for (const [text, ms] of [...times].toSorted((a, b) => b[1] - a[1]).slice(0, Number(values.top))) {
    const share = ((100 * ms) / total).toFixed(1);
    console.log(`${(ms / steps).toFixed(3).padStart(9)} ms ${share.padStart(5)} %  ${text}`);
  }
  console.log("");
}

function nameOf({ functionName, url, lineNumber }) {
  if (url.startsWith("wasm:")) return `wasm ${functionName}`;
  const file = url.split("/").slice(-2).join("/");
  return `${functionName || "(anonymous)"}${file === "" ? "" : ` ${file}:${lineNumber + 1}`}`;
}

const show = values.peer === "chainrule" && !values.js ? byKernel : byFunction;
for await (const figure of await programs(workload, toolkitOf(values.peer), values.peer)) {
  if (figure.metric.includes(wanted)) await show(figure);
}
process.exit();
