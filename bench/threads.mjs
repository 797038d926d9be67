// node bench/threads.mjs [W3 W4 …] [--devices wasm,x64] [--rounds 5] [--budget 1500]: what more threads gain. Processes with one
// thread and with all take turns; a gain is the quotient of the least times, so that a disturbed round does not count. Ends
// with 1 where a gain is below its goal.
import { parseArgs } from "node:util";
import { linkProduct } from "./lib/install.mjs";
import { cores } from "./lib/peers.mjs";
import { measureOnce, quiet } from "./lib/start.mjs";
import { does, workloads } from "./lib/workloads.mjs";

/** Goals with two threads; everything else must not be slower than with one. */
const goals = {
  x64: { W4: 1.8, W5: 1.8, W6: 1.5, W7: 1.8 },
  wasm: { W3: 1.7, W4: 1.7, W5: 1.7 },
};
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    devices: { type: "string", default: "wasm,x64" },
    rounds: { type: "string", default: "5" },
    budget: { type: "string", default: "1500" },
    quiet: { type: "string", default: "5" },
    threads: { type: "string", default: String(Math.max(2, cores)) },
  },
});
const able = Object.keys(workloads).filter((name) => does("chainrule", name) && workloads[name].cold === undefined);
const chosen = positionals.length > 0 ? positionals : able;
const unknown = chosen.filter((name) => !able.includes(name));
if (unknown.length > 0) {
  console.error(`no workload ${unknown.join(", ")}; there are ${able.join(", ")}`);
  process.exit(2);
}
linkProduct();
const many = Number(values.threads);
const options = { budget: Number(values.budget), limit: 200 };

/** Least milliseconds by metric of one process. */
async function once(workload, device, threads) {
  await quiet(Number(values.quiet));
  const rows = await measureOnce(workload, { peer: "chainrule", device, threads }, options);
  const failed = rows.find((row) => row.error !== undefined);
  if (failed) throw new Error(`${workload} ${failed.metric} on ${device} with ${threads} threads: ${failed.error}`);
  return rows.map(({ metric, wall, foreign }) => ({ metric, ms: wall.min, foreign: foreign ?? 0 }));
}

let reached = true;
for (const device of values.devices.split(",")) {
  for (const workload of chosen) {
    const figures = new Map();
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const threads of round % 2 === 0 ? [1, many] : [many, 1]) {
        for (const { metric, ms, foreign } of await once(workload, device, threads)) {
          const figure = figures.get(metric) ?? { one: Infinity, all: Infinity, busy: 0 };
          const key = threads === 1 ? "one" : "all";
          figures.set(metric, { ...figure, [key]: Math.min(figure[key], ms), busy: Math.max(figure.busy, foreign) });
        }
      }
    }
    for (const [metric, { one, all, busy }] of figures) {
      const gain = one / all;
      const goal = goals[device]?.[workload] ?? 1;
      reached &&= gain >= goal;
      const times = `${one.toFixed(3).padStart(9)} ms → ${all.toFixed(3).padStart(9)} ms`;
      const verdict = gain >= goal ? "reached" : "BELOW";
      const noise = busy > 0.35 ? `; others used up to ${busy.toFixed(1)} cores` : "";
      console.log(
        `${device.padEnd(4)} ${`${workload} ${metric}`.padEnd(24)} ${times}  ${gain.toFixed(2)}×  goal ${goal}× ${verdict}${noise}`,
      );
    }
  }
}
process.exitCode = reached ? 0 : 1;
