// Unused files, exports and dependencies (knip; what counts as an entry is in knip.json).
import { capture, tool } from "../lib/run.mjs";

/** @type {import("../check.mjs").Gate} */
export async function exportsUsed() {
  const { code, text } = await capture(process.execPath, [
    tool("knip/bin/knip.js"),
    "--no-progress",
    "--no-config-hints",
  ]);
  return { findings: code === 0 ? [] : [text.trim()], note: "knip: unused files, exports, dependencies" };
}
