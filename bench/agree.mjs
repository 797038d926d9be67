// node bench/agree.mjs [W2 W3 …] [--steps 100] [--devices wasm,x64] [--threads 1,2]: do all devices and numbers of threads
// train alike? From the same seed, a device's loss curves must be the same bit for bit with any number of threads, and those
// of two devices agree to 1e-5; or, where the training itself makes more of rounding than that, part no faster than two runs
// on one device whose initial weights differ in their last bits. Ends with 1 where they do not.
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
/** Other roundings at every step are more than one at the start. */
const margin = 10;
linkProduct();

async function curve(workload, device, count, nudge = "0") {
  const env = { ...settingsOf({ peer: "chainrule", device, threads: count }), BENCH_NUDGE: nudge };
  const { messages, code, noise } = await collect(node("curve.mjs", [workload, values.steps], { env }), 600);
  if (messages.length === 1) return messages[0];
  throw new Error(`${workload} on ${device} with ${count} threads ended with ${code}: ${noise.trim()}`);
}

/** Differences of two curves up to each step, the largest so far. */
function gaps(a, b) {
  let most = 0;
  return a.map((x, i) => (most = Math.max(most, Math.abs(x - b[i]))));
}
const small = (x) => (x === 0 ? "0" : x.toExponential(1));

let agreed = true;
for (const workload of chosen) {
  const curves = {};
  for (const device of devices) {
    curves[device] = [];
    for (const count of threads) curves[device].push(await curve(workload, device, count));
    const parted = Math.max(0, ...curves[device].slice(1).map((c) => gaps(curves[device][0], c).at(-1)));
    agreed &&= parted === 0;
    const verdict = parted === 0 ? "the same bits" : `PART by up to ${small(parted)}`;
    const last = curves[device][0].at(-1).toFixed(6);
    if (threads.length > 1)
      console.log(
        `${workload} ${device}: ${values.steps} steps, ${threads.join(" and ")} threads: ${verdict}; last loss ${last}`,
      );
  }
  const [first, ...others] = devices;
  if (others.length === 0) continue;
  const natural = gaps(curves[first][0], await curve(workload, first, threads[0], "1"));
  for (const other of others) {
    const found = gaps(curves[first][0], curves[other][0]);
    const beyond = found.findIndex((gap, i) => gap > Math.max(tolerance, margin * natural[i]));
    const above = found.findIndex((gap) => gap > tolerance);
    agreed &&= beyond < 0;
    const until = above < 0 ? `agree to ${tolerance}` : `agree to ${tolerance} until step ${above}`;
    const verdict = beyond < 0 ? "" : `; DIFFER from step ${beyond + 1} on by more than rounding does`;
    const figures = `largest difference ${small(found.at(-1))}; by last bits of the weights ${small(natural.at(-1))}`;
    console.log(`${workload} ${first} and ${other}: ${until} (${figures})${verdict}`);
  }
}
process.exitCode = agreed ? 0 : 1;
