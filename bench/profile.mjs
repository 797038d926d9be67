// node bench/profile.mjs <workload> [figure] [--peer chainrule] [--js] [--top 25] [--budget 2000]: where a step's time
// goes. Ours by kernel, from the runtime's own clocks; peers, and ours with --js, by function from V8's profiler.
import { Session } from "node:inspector/promises";
import { parseArgs } from "node:util";
import { linkProduct } from "./lib/install.mjs";
import { programs } from "./lib/workloads.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: "string", default: "chainrule" },
    js: { type: "boolean", default: false },
    top: { type: "string", default: "25" },
    budget: { type: "string", default: "2000" },
  },
});
const [workload = "W2", wanted = ""] = positionals;
linkProduct();

/** Steps until the budget is spent: { steps, total } in milliseconds. */
async function repeat(step, budget) {
  const start = performance.now();
  let steps = 0;
  while (steps === 0 || performance.now() - start < budget) {
    await step();
    steps++;
  }
  return { steps, total: performance.now() - start };
}

/** Milliseconds by function: samples of the stack's top. */
async function byFunction(step, budget) {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 100 });
  await session.post("Profiler.start");
  const spent = await repeat(step, budget);
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  const name = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map();
  profile.samples.forEach((id, i) => {
    const key = name.get(id);
    times.set(key, (times.get(key) ?? 0) + profile.timeDeltas[i] / 1e3);
  });
  return { ...spent, rows: [...times].map(([text, ms]) => ({ text, ms })) };
}

function nameOf({ functionName, url, lineNumber }) {
  if (url.startsWith("wasm:")) return `wasm ${functionName}`;
  const file = url.split("/").slice(-2).join("/");
  return `${functionName || "(anonymous)"}${file === "" ? "" : ` ${file}:${lineNumber + 1}`}`;
}

/** Milliseconds by kernel of every program that runs; what is left is JavaScript. */
async function byKernel(step, budget) {
  const { engine } = await import(new URL("engine.js", import.meta.resolve("chainrule")));
  const found = [...engine.programs.values()];
  for (const { runner, plan } of found) runner.times = new Float64Array(plan.steps.length);
  const spent = await repeat(step, budget);
  const rows = found.flatMap(({ runner, plan }) =>
    plan.steps.map((s, i) => ({ text: describe(s, i), ms: runner.times[i] * 1e3, flops: s.flops, bytes: s.bytes })),
  );
  for (const { runner } of found) runner.times = null;
  const inKernels = rows.reduce((sum, row) => sum + row.ms, 0);
  rows.push({ text: "(outside of kernels)", ms: spent.total - inKernels });
  return { ...spent, rows: rows.filter((row) => row.ms > 0) };
}

/** Number, name and loops of a kernel. */
function describe({ name, kernel }, i) {
  const sizes = (axes) => (axes ?? []).map((a) => a.size).join(",");
  if (kernel.kind === "contract") {
    const { batch, m, n, k } = kernel;
    return `#${i} ${name}  contract b[${sizes(batch)}] m[${sizes(m)}] n[${sizes(n)}] k[${sizes(k)}]`;
  }
  if (kernel.kind === "scan") return `#${i} ${name}  scan ×${kernel.length}`;
  return `#${i} ${name}  loops [${kernel.loops.join(",")}] outer [${kernel.outer.join(",")}]`;
}

/** Rates of a kernel that ran once a step. */
function rates({ flops, bytes }, ms) {
  if (flops === undefined) return "";
  return `${(flops / ms / 1e6).toFixed(1).padStart(6)} GFLOP/s ${(bytes / ms / 1e6).toFixed(1).padStart(6)} GB/s`;
}

const measured = values.peer === "chainrule" && !values.js ? byKernel : byFunction;
for await (const figure of await programs(workload, values.peer)) {
  if (!figure.metric.includes(wanted)) continue;
  for (let i = 0; i < 3; i++) await figure.step();
  const { total, steps, rows } = await measured(figure.step, Number(values.budget));
  const calls = steps * (figure.calls ?? 1);
  console.log(`${workload} ${figure.metric}, ${values.peer}: ${(total / calls).toFixed(3)} ms, ${rows.length} rows`);
  for (const row of rows.toSorted((a, b) => b.ms - a.ms).slice(0, Number(values.top))) {
    const ms = row.ms / calls;
    console.log(
      `${ms.toFixed(3).padStart(9)} ms ${((100 * row.ms) / total).toFixed(1).padStart(5)} %  ${rates(row, ms).padEnd(28)} ${row.text}`,
    );
  }
  console.log("");
}
process.exit();
