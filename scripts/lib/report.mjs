// Reads vitest's JSON report: the counts, and the catalogue rows that its tests name.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "./run.mjs";

/** @typedef {{ fullName: string, status: string, failureMessages?: string[] }} TestResult */
/** @typedef {{ name: string, status: string, message: string, assertionResults: TestResult[] }} FileResult */
/** @typedef {{ testResults: FileResult[] }} Report */

/**
 * @param {string} file path of a report; undefined when the run died before writing one
 * @returns {Report | undefined}
 */
export const readReport = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined);

/**
 * Counts of one run. A file that failed without a failed test (it could not be loaded) counts as one failure.
 * @param {Report} report
 */
export function count(report) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report.testResults) {
    let failed = 0;
    for (const test of file.assertionResults) {
      if (test.status === "passed") total.passed++;
      else if (test.status === "failed") failed++;
      else total.skipped++;
    }
    total.failed += failed === 0 && file.status === "failed" ? 1 : failed;
  }
  return total;
}

/**
 * The tests that were skipped, by full name: it says why.
 * @param {Report} report
 */
export const skippedOf = (report) =>
  report.testResults.flatMap((file) =>
    file.assertionResults.filter((t) => t.status === "skipped" || t.status === "pending").map((t) => t.fullName),
  );

/**
 * What failed, a line each: the file, the test, and how its error begins.
 * @param {Report} report
 */
export const failedOf = (report) =>
  report.testResults.flatMap((file) => {
    const place = path.relative(root, file.name);
    const tests = file.assertionResults.filter((t) => t.status === "failed");
    if (tests.length === 0) return file.status === "failed" ? [`${place}: ${firstLine(file.message)}`] : [];
    return tests.map((t) => `${place} > ${t.fullName}: ${firstLine(t.failureMessages?.[0] ?? "")}`);
  });

/** @param {string} text */
const firstLine = (text) => text.split("\n", 1)[0].slice(0, 300);

/** What a catalogue row or system looks like in a test's name. */
export const rowId = /\bS(?:YS-\d{2}|-\d{3})\b/g;

/**
 * The rows that the tests name: true when every test naming the row passed, false when one failed.
 * A skipped test neither proves nor disproves its row.
 * @param {Report} report
 * @returns {Map<string, boolean>}
 */
export function rowsOf(report) {
  /** @type {Map<string, boolean>} */
  const rows = new Map();
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status !== "passed" && test.status !== "failed") continue;
      for (const [id] of test.fullName.matchAll(rowId)) {
        rows.set(id, (rows.get(id) ?? true) && test.status === "passed");
      }
    }
  }
  return rows;
}

/** Where the rows that have passed once are kept. */
export const ledger = path.join(root, "test/spec/passed.json");

/** The rows that have passed once: they must keep passing. */
export const passedOnce = () =>
  /** @type {string[]} */ (existsSync(ledger) ? JSON.parse(readFileSync(ledger, "utf8")) : []);

/**
 * Rows of the ledger that no longer pass.
 * @param {Map<string, boolean>} rows
 */
export const lostRows = (rows) => passedOnce().filter((id) => rows.get(id) !== true);
