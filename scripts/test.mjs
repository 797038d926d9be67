// `npm test`: set up, the suite on this Node, then once more on Node 24; the last lines say what failed and how many passed.
//   npm test -- test/ir        only some files (vitest's own filters and options pass through)
//   npm test -- --once         not again on Node 24
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { capture, root, run, tool } from "./lib/run.mjs";
import { count, failedOf, lostRows, readReport, rowsOf, skippedOf } from "./lib/report.mjs";
import { node24, setup } from "./setup.mjs";

await setup();
const args = process.argv.slice(2).filter((arg) => arg !== "--once");
const once = args.length !== process.argv.length - 2;
const total = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} */
const failures = [];
let clean = true;

/**
 * @param {string} node path of the Node to run on
 * @param {string} label
 * @param {string} reporter
 */
async function suite(node, label, reporter) {
  const file = path.join(root, `.cache/test/${label}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  rmSync(file, { force: true });
  console.log(`\n${label} (${(await capture(node, ["--version"])).stdout.trim()})`);
  const reporters = [`--reporter=${reporter}`, "--reporter=json", `--outputFile.json=${file}`];
  const code = await run(node, [tool("vitest/vitest.mjs"), "run", ...reporters, ...args]);
  if (code === 130) process.exit(130);
  const report = readReport(file);
  const sum = report ? count(report) : { passed: 0, failed: 0, skipped: 0 };
  if (report) for (const line of failedOf(report)) failures.push(`${label}: ${line}`);
  // An exit code without a failed test (an unhandled error, a crash, no test at all) is a failure too.
  if (code !== 0 && sum.failed === 0) {
    sum.failed = 1;
    failures.push(`${label}: the run ended with ${code}, though no test failed: see its errors above`);
  }
  clean &&= code === 0;
  total.passed += sum.passed;
  total.failed += sum.failed;
  total.skipped += sum.skipped;
  return report;
}

const report = await suite(process.execPath, "node", "default");
if (report && args.length === 0) {
  for (const name of skippedOf(report)) console.log(`left out: ${name}`);
  const lost = lostRows(rowsOf(report));
  for (const id of lost) failures.push(`catalogue row ${id} passed once (test/spec/passed.json) and does not pass now`);
  total.failed += lost.length;
  clean &&= lost.length === 0;
}

const second = once ? undefined : await node24();
if (second) await suite(second, "node24", "dot");
else
  console.log(`\nNode 24: left out ${once ? "(--once)" : `(no npm package for ${process.platform}-${process.arch})`}`);

// Last, where the tail of a log shows it.
for (const line of failures) console.log(line);
console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ""}`);
process.exit(clean ? 0 : 1);
