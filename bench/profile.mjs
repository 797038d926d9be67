// node bench/profile.mjs <workload> [figure] [--peer chainrule] [--js] [--top 25] [--budget 2000]: where a step's time
// goes. Ours by kernel, from the runtime's own clocks; peers, and ours with --js, by function from V8's profiler.
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

/**
 * The least milliseconds of each kernel of every program that runs, equal kernels together, and of what is outside of
 * them. (The least, not the mean: other processes only ever add.)
 */
async function byKernel(step, budget) {
  const { engine } = await import(new URL("engine.js", import.meta.resolve("chainrule")));
  const found = [...engine.programs.values()].map(({ runner, plan }) => ({
    runner,
    plan,
    least: plan.steps.map(() => Infinity),
  }));
  for (const { runner, plan } of found) runner.times = new Float64Array(plan.steps.length);
  let [fastest, outside] = [Infinity, Infinity];
  await repeat(async () => {
    for (const { runner } of found) runner.times.fill(0);
    const start = performance.now();
    await step();
    const took = performance.now() - start;
    const inside = found.reduce((sum, { runner }) => sum + runner.times.reduce((a, b) => a + b, 0), 0) * 1e3;
    [fastest, outside] = [Math.min(fastest, took), Math.min(outside, took - inside)];
    for (const { runner, least } of found)
      runner.times.forEach((t, i) => t > 0 && (least[i] = Math.min(least[i], t * 1e3)));
  }, budget);
  const rows = new Map();
  for (const { plan, runner, least } of found) {
    runner.times = null;
    plan.steps.forEach((s, i) => {
      if (least[i] === Infinity) return;
      const text = describe(s);
      const row = rows.get(text) ?? { text, count: 0, ms: 0, flops: 0, bytes: 0 };
      rows.set(text, {
        text,
        count: row.count + 1,
        ms: row.ms + least[i],
        flops: row.flops + s.flops,
        bytes: row.bytes + s.bytes,
      });
    });
  }
  const list = [...rows.values()].map((row) => ({ ...row, text: `${row.count}× ${row.text}` }));
  list.push({ text: "outside of kernels", ms: outside });
  return { steps: 1, total: fastest, rows: list };
}

/** Name and loops of a kernel. */
function describe({ name, kernel }) {
  const sizes = (axes) => (axes ?? []).map((a) => a.size).join(",");
  if (kernel.kind === "contract") {
    const { batch, m, n, k } = kernel;
    return `${name}  contract b[${sizes(batch)}] m[${sizes(m)}] n[${sizes(n)}] k[${sizes(k)}]`;
  }
  if (kernel.kind === "scan") return `${name}  scan ×${kernel.length}`;
  return `${name}  loops [${kernel.loops.join(",")}] outer [${kernel.outer.join(",")}]`;
}

/** Rates of kernels that ran once a step. */
function rates({ flops, bytes }, ms) {
  if (flops === undefined) return "";
  return `${(flops / ms / 1e6).toFixed(1).padStart(6)} GFLOP/s ${(bytes / ms / 1e6).toFixed(1).padStart(6)} GB/s`;
}

const measured = values.peer === "chainrule" && !values.js ? byKernel : byFunction;
for await (const figure of await programs(workload, toolkitOf(values.peer), values.peer)) {
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
