// node bench/memory.mjs [eager compiled predict] [--short] [--json]: resident memory over three long loops in which
// nothing is ever disposed. Each runs in its own process without a pause, so that finalizers never get a turn. The short
// version, for the tests, looks at live memory instead.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { linkProduct } from "./lib/install.mjs";
import { growthOf, liveGrowthOf, loops, series } from "./lib/memory.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { short: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});
const unknown = positionals.filter((name) => !(name in loops));
if (unknown.length > 0) {
  console.error(`no loop named ${unknown.join(", ")}; there are ${Object.keys(loops).join(", ")}`);
  process.exit(2);
}
linkProduct();

/** Samples of one loop: [{ done, bytes }], from a process of its own. */
const run = (name) =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("lib/memory.mjs", import.meta.url)), [name, String(values.short)], {
      execArgv: values.short ? ["--expose-gc"] : [],
    });
    let samples;
    child.on("message", (message) => (samples = message));
    child.on("exit", (code) =>
      samples ? resolve(samples) : reject(new Error(`the loop "${name}" ended with code ${code}`)),
    );
  });

let flat = true;
const report = {};
for (const name of positionals.length > 0 ? positionals : Object.keys(loops)) {
  const start = performance.now();
  const samples = await run(name);
  const growth = (values.short ? liveGrowthOf : growthOf)(samples);
  flat &&= growth <= 0.05;
  report[name] = { samples, growth };
  if (values.json) continue;
  const { title, unit } = loops[name];
  const count = samples.at(-1).done.toLocaleString("en");
  console.log(
    `${count} ${title}: ${values.short ? "live" : "resident"} memory (${((performance.now() - start) / 1e3).toFixed(1)} s)`,
  );
  console.log(series(samples, unit));
  console.log(
    `  growth after warm-up ${(100 * growth).toFixed(1)} % (at most 5 %): ${growth <= 0.05 ? "flat" : "GROWS"}\n`,
  );
}
if (values.json) console.log(JSON.stringify(report));
process.exitCode = flat ? 0 : 1;
