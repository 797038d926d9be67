// Lint with types: oxlint and its type-aware half; the rules are in .oxlintrc.json.
import { capture, tool } from "../lib/run.mjs";

/** @type {import("../check.mjs").Gate} */
export async function lint({ fix }) {
  const args = [tool("oxlint/bin/oxlint"), "--type-aware", "--deny-warnings", ...(fix ? ["--fix"] : [])];
  const { code, text } = await capture(process.execPath, args);
  return { findings: code === 0 ? [] : [text.trim()], note: "oxlint, type-aware" };
}
