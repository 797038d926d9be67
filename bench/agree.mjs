// node bench/agree.mjs [W2 W3 …] [--steps 100] [--devices wasm,x64] [--threads 1,2]: do all devices and numbers of threads
// train alike? From the same seed, a device's loss curves must be the same bit for bit with any number of threads, and those
// of two devices agree to 1e-5. Ends with 1 where they do not: so it does where the host's WebAssembly has no fused
// multiply-add, since training makes last bits grow.
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

/** The largest difference of two curves. */
const gap = (a, b) => Math.max(...a.map((x, i) => Math.abs(x - b[i])));
const small = (x) => (x === 0 ? "0" : x.toExponential(1));

let agreed = true;
for (const workload of chosen) {
  const curves = {};
  for (const device of devices) {
    curves[device] = [];
    for (const count of threads) curves[device].push(await curve(workload, device, count));
    const parted = Math.max(0, ...curves[device].slice(1).map((c) => gap(curves[device][0], c)));
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
  for (const other of others) {
    const [x, y] = [curves[first][0], curves[other][0]];
    const above = x.findIndex((loss, i) => !(Math.abs(loss - y[i]) <= tolerance));
    agreed &&= above < 0;
    const verdict = above < 0 ? `agree to ${tolerance}` : `DIFFER by more than ${tolerance} from step ${above + 1} on`;
    console.log(`${workload} ${first} and ${other}: ${verdict} (largest difference ${small(gap(x, y))})`);
  }
}
process.exitCode = agreed ? 0 : 1;
