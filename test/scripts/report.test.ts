// What `npm test` reads out of vitest's report.
import path from "node:path";
import { expect, test } from "vitest";
import { count, failedOf } from "../../scripts/lib/report.mjs";
import { root } from "../../scripts/lib/run.mjs";

const report = {
  testResults: [
    {
      name: path.join(root, "test/a.test.ts"),
      status: "failed",
      message: "",
      assertionResults: [
        { fullName: "adds", status: "passed" },
        { fullName: "divides", status: "failed", failureMessages: ["Error: expected 2\n    at line 3"] },
        { fullName: "needs data", status: "skipped" },
      ],
    },
    {
      name: path.join(root, "test/b.test.ts"),
      status: "failed",
      message: "Cannot find module\nstack",
      assertionResults: [],
    },
  ],
};

test("failures are named by file, test and the first line of their error; a file that did not load counts as one", () => {
  expect(count(report)).toEqual({ passed: 1, failed: 2, skipped: 1 });
  expect(failedOf(report)).toEqual([
    "test/a.test.ts > divides: Error: expected 2",
    "test/b.test.ts: Cannot find module",
  ]);
});
