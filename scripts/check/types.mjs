// Types: the product, tests and examples strictly; the scripts through their JSDoc.
import { capture, tool } from "../lib/run.mjs";

/** @type {import("../check.mjs").Gate} */
export async function types() {
  const findings = [];
  for (const project of ["tsconfig.json", "tsconfig.scripts.json"]) {
    const { code, text } = await capture(process.execPath, [
      tool("typescript/bin/tsc"),
      "-p",
      project,
      "--pretty",
      "false",
    ]);
    if (code !== 0) findings.push(text.trim());
  }
  return { findings, note: "tsc: src, test, examples, scripts" };
}
