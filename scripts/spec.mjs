// `npm run spec`: which rows of docs/catalogue.md are proved. A test whose name holds S-nnn (or SYS-nn) proves its row.
//   npm run spec              the table by area; fails when a row that once passed (test/spec/passed.json) is gone
//   npm run spec -- --rows    every row on its own line
//   npm run spec -- --update  also writes the rows that pass now into test/spec/passed.json
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ledger, lostRows, passedOnce, readReport, rowId, rowsOf } from "./lib/report.mjs";
import { capture, root, tool } from "./lib/run.mjs";
import { filesUnder, setup } from "./setup.mjs";

/**
 * The rows of the catalogue: the tables under "## area (n)".
 * @param {string} text
 * @returns {Array<{ id: string, area: string, name: string }>}
 */
function readCatalogue(text) {
  const rows = [];
  let area = "";
  for (const line of text.split("\n")) {
    area = /^## (\S+) \(\d+\)/.exec(line)?.[1].toLowerCase() ?? area;
    const [, id, name] = /^\| (S-\d{3}|SYS-\d{2}) \| ([^|]*?) \|/.exec(line) ?? [];
    if (id) rows.push({ id, area, name });
  }
  return rows;
}

/** Runs the tests that name a row and says how each row fared. */
async function runRows() {
  const named = filesUnder(root, ["test"]).filter(
    (file) => file.endsWith(".test.ts") && readFileSync(path.join(root, file), "utf8").match(rowId),
  );
  if (named.length === 0) return new Map();
  const file = path.join(root, ".cache/test/spec.json");
  rmSync(file, { force: true });
  const args = ["run", "--reporter=json", `--outputFile=${file}`, "--testNamePattern", rowId.source, ...named];
  const { text } = await capture(process.execPath, [tool("vitest/vitest.mjs"), ...args]);
  const report = readReport(file);
  if (!report) throw new Error(`vitest wrote no report:\n${text}`);
  for (const { name, status, assertionResults, message } of report.testResults) {
    if (status === "failed" && assertionResults.length === 0) console.log(`${path.relative(root, name)}: ${message}`);
  }
  return rowsOf(report);
}

await setup();
const catalogue = readCatalogue(readFileSync(path.join(root, "docs/catalogue.md"), "utf8"));
const rows = await runRows();
const verdict = (/** @type {string} */ id) => (rows.has(id) ? (rows.get(id) ? "passing" : "failing") : "missing");

if (process.argv.includes("--rows"))
  for (const { id, name } of catalogue) console.log(`${id.padEnd(6)}  ${verdict(id)}  ${name}`);

const areas = [...new Set(catalogue.map((row) => row.area))];
const width = Math.max(...areas.map((area) => area.length));
const line = (/** @type {string} */ area, /** @type {typeof catalogue} */ of) => {
  const counts = ["passing", "failing", "missing"].map((kind) => of.filter(({ id }) => verdict(id) === kind).length);
  return `${area.padEnd(width)}  ${counts.map((n) => String(n).padStart(7)).join("  ")}`;
};
console.log(`\n${"area".padEnd(width)}  passing  failing  missing`);
for (const area of areas)
  console.log(
    line(
      area,
      catalogue.filter((row) => row.area === area),
    ),
  );
console.log(line("all", catalogue));

const failing = catalogue.filter(({ id }) => verdict(id) === "failing").map(({ id }) => id);
const known = new Set(catalogue.map(({ id }) => id));
const strange = [...rows.keys()].filter((id) => !known.has(id));
const lost = lostRows(rows);
if (failing.length > 0) console.log(`\nfailing: ${failing.join(" ")}`);
if (strange.length > 0) console.log(`\nnamed by a test but not in the catalogue: ${strange.join(" ")}`);
if (lost.length > 0) console.log(`\npassed once and do not pass now: ${lost.join(" ")}`);

if (process.argv.includes("--update")) {
  const now = new Set([...passedOnce(), ...catalogue.map(({ id }) => id).filter((id) => verdict(id) === "passing")]);
  mkdirSync(path.dirname(ledger), { recursive: true });
  writeFileSync(ledger, `${JSON.stringify([...now].toSorted(), null, 2)}\n`);
  console.log(`\n${path.relative(root, ledger)}: ${now.size} rows`);
}
process.exit(failing.length + strange.length + lost.length > 0 ? 1 : 0);
