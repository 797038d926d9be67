// Format: oxfmt decides; `npm run format` writes.
import { capture, tool } from "../lib/run.mjs";

/** @type {import("../check.mjs").Gate} */
export async function format({ fix }) {
  const { code, text } = await capture(process.execPath, [tool("oxfmt/bin/oxfmt"), ...(fix ? [] : ["--check"]), "."]);
  const findings = code === 0 ? [] : [text.trim(), "`npm run format` rewrites these files"];
  return { findings, note: fix ? "oxfmt, written" : "oxfmt --check" };
}
