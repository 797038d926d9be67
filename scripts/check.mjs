// `npm run check`: every gate but the tests, then one table. One gate alone: npm run check -- imports
import { setup } from "./setup.mjs";

/**
 * What a gate answers: findings fail it, warnings do not; `note` says in a few words what was looked at.
 * @typedef {{ findings: string[], warnings?: string[], note: string, skipped?: boolean }} Answer
 * @typedef {(options: { fix: boolean }) => Promise<Answer>} Gate
 */

// Without a build: the gates that need one make it, so that sources which do not compile still get every other answer.
await setup({ only: "install" });
const { gates } = await import("./check/gates.mjs");

const args = process.argv.slice(2);
const fix = args.includes("--fix");
const asked = args.filter((arg) => !arg.startsWith("--"));
const unknown = asked.filter((name) => !(name in gates));
if (unknown.length > 0) {
  console.error(`no gate named ${unknown.join(", ")}; the gates are: ${Object.keys(gates).join(", ")}`);
  process.exit(2);
}

/** @type {Array<[string, string, string, string]>} */
const table = [];
let failed = false;
for (const name of asked.length > 0 ? asked : Object.keys(gates)) {
  const start = performance.now();
  const { findings, warnings = [], note, skipped = false } = await gates[name]({ fix });
  const seconds = `${((performance.now() - start) / 1000).toFixed(1)} s`;
  const verdict = findings.length > 0 ? "FAIL" : skipped ? "skipped" : "ok";
  failed ||= findings.length > 0;
  table.push([name, verdict, seconds, note]);
  if (findings.length + warnings.length > 0) console.log(`\n── ${name}`);
  for (const line of warnings) console.log(`warning: ${line}`);
  for (const line of findings) console.log(line);
}

const width = (/** @type {0 | 1 | 2} */ i) => Math.max(...table.map((row) => row[i].length));
console.log("");
for (const [name, verdict, seconds, note] of table) {
  console.log(`${name.padEnd(width(0))}  ${verdict.padEnd(width(1))}  ${seconds.padStart(width(2))}  ${note}`);
}
process.exit(failed ? 1 : 0);
