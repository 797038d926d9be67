// node bench/agree.mjs [W2 W3 …] [--steps 100] [--devices wasm,x64] [--threads 1,2]: do all devices and numbers of threads
// train alike? From the same seed, a device's loss curves must be the same bit for bit with any number of threads, and those
// of two devices agree to 1e-5. Ends with 1 where they do not.
import { parseArgs } from "node:util";
import { linkProduct } from "./lib/install.mjs";
import { cores, settingsOf } from "./lib/peers.mjs";
import { collect, node } from "./lib/start.mjs";
import { workloads } from "./lib/workloads.mjs";

const trained = Object.keys(workloads).filter((name) => workloads[name].losses !== undefined);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string", default: "100" },
    devices: { type: "string", default: "wasm,x64" },
    threads: { type: "string", default: `1,${Math.max(2, cores)}` },
  },
});
const chosen = positionals.length > 0 ? positionals : trained;
const unknown = chosen.filter((name) => !trained.includes(name));
if (unknown.length > 0) {
  console.error(`${unknown.join(", ")}: no training step; there are ${trained.join(", ")}`);
  process.exit(2);
}
const devices = values.devices.split(",");
const threads = values.threads.split(",").map(Number);
const tolerance = 1e-5;
linkProduct();

async function curve(workload, device, count) {
  const env = settingsOf({ peer: "chainrule", device, threads: count });
  const { messages, code, noise } = await collect(node("curve.mjs", [workload, values.steps], { env }), 600);
  if (messages.length === 1) return messages[0];
  throw new Error(`${workload} on ${device} with ${count} threads ended with ${code}: ${noise.trim()}`);
}

/** The largest difference of two curves and the step where they part. */
function compare(a, b) {
  const gaps = a.map((x, i) => Math.abs(x - b[i]));
  return { most: Math.max(...gaps), from: gaps.findIndex((gap) => gap > 0) };
}

let agreed = true;
for (const workload of chosen) {
  const curves = {};
  for (const device of devices) {
    curves[device] = [];
    for (const count of threads) curves[device].push(await curve(workload, device, count));
    const parts = curves[device].slice(1).map((c) => compare(curves[device][0], c));
    const parted = parts.find(({ from }) => from >= 0);
    agreed &&= parted === undefined;
    const verdict = parted === undefined ? "the same bits" : `PART at step ${parted.from + 1}, by up to ${parted.most}`;
    const last = curves[device][0].at(-1).toFixed(6);
    console.log(
      `${workload} ${device}: ${values.steps} steps, ${threads.join(" and ")} threads: ${verdict}; last loss ${last}`,
    );
  }
  for (const other of devices.slice(1)) {
    const { most, from } = compare(curves[devices[0]][0], curves[other][0]);
    agreed &&= most <= tolerance;
    const verdict = most <= tolerance ? "agree" : "DIFFER";
    const where =
      from < 0 ? "no difference" : `largest difference ${most.toExponential(1)}, the first at step ${from + 1}`;
    console.log(`${workload} ${devices[0]} and ${other}: ${verdict} to ${tolerance} (${where})`);
  }
}
process.exitCode = agreed ? 0 : 1;
