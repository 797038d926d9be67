// The package as users get it: publint on the manifest, attw on the packed types, and what it would install.
import { readFileSync } from "node:fs";
import path from "node:path";
import { capture, root, tool } from "../lib/run.mjs";

/** @type {import("../check.mjs").Gate} */
export async function packaging() {
  const findings = [];
  const publint = await capture(process.execPath, [tool("publint/src/cli.js"), "--strict"]);
  if (publint.code !== 0) findings.push(publint.text.trim());

  const options = "--pack . --profile esm-only --format ascii --no-color --no-emoji".split(" ");
  const attw = await capture(process.execPath, [tool("@arethetypeswrong/cli/dist/index.js"), ...options]);
  if (attw.code !== 0) findings.push(attw.text.trim());

  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  if (Object.keys(manifest.dependencies ?? {}).length > 0) {
    findings.push("package.json has dependencies: the core has none; use an optional peer, reached by dynamic import");
  }
  findings.push(...lockFindings(JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8"))));
  return { findings, note: "publint, attw (esm-only), no dependencies, no install scripts, no addresses in the lock" };
}

/**
 * npm blocks install scripts by default, so nothing may need one; and a lock with download addresses pins one registry.
 * @param {{ packages: Record<string, { hasInstallScript?: boolean, optional?: boolean, resolved?: string }> }} lock
 */
function lockFindings(lock) {
  const findings = [];
  for (const [name, entry] of Object.entries(lock.packages)) {
    if (entry.hasInstallScript && !entry.optional) findings.push(`${name} has an install script: npm will not run it`);
    if (entry.resolved?.includes("://"))
      findings.push(`${name}: the lock file records a download address; .npmrc forbids it`);
  }
  return findings;
}
