// Size: a minimal program that trains an MLP, bundled for browsers by vite, against the budget in package.json.
import { existsSync, rmSync } from "node:fs";
import path from "node:path";
import { build as bundle } from "vite";
import { capture, root, tool } from "../lib/run.mjs";
import { build } from "../setup.mjs";

const entry = "test/browser/mlp.ts";

/** @type {import("../check.mjs").Gate} */
export async function size() {
  if (!existsSync(path.join(root, entry))) return { findings: [], note: `${entry} is not there yet`, skipped: true };
  if (!(await build())) return { findings: ["dist/ could not be built (see types)"], note: "no build to bundle" };
  const outDir = path.join(root, ".cache/size");
  rmSync(outDir, { recursive: true, force: true });
  await bundle({
    root,
    configFile: false,
    logLevel: "warn",
    build: { outDir, target: "es2023", modulePreload: false, rolldownOptions: { input: path.join(root, entry) } },
  });
  const { stdout, text } = await capture(process.execPath, [tool("size-limit/bin.js"), "--json"]);
  const [result] = stdout.trim().startsWith("[") ? JSON.parse(stdout) : [];
  if (!result) return { findings: [text.trim()], note: "size-limit gave no figure" };
  const note = `${(result.size / 1000).toFixed(1)} kB gzip of ${(result.sizeLimit / 1000).toFixed(0)} kB: ${entry}`;
  return { findings: result.passed ? [] : [`over the budget: ${note}`], note };
}
