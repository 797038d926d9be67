// The package as users get it: publint on the manifest, attw on the packed types, and what it would install.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { capture, root, tool } from "../lib/run.mjs";
import { build } from "../setup.mjs";

/** @type {import("../check.mjs").Gate} */
export async function packaging() {
  if (!(await build())) return { findings: ["dist/ could not be built (see types)"], note: "no build to look at" };
  const findings = [];
  const publint = await capture(process.execPath, [tool("publint/src/cli.js"), "--strict"]);
  if (publint.code !== 0) findings.push(publint.text.trim());

  const options = "--pack . --profile esm-only --format ascii --no-color --no-emoji".split(" ");
  const attw = await capture(process.execPath, [tool("@arethetypeswrong/cli/dist/index.js"), ...options]);
  if (attw.code !== 0) findings.push(attw.text.trim());

  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  findings.push(...(await strictly(Object.keys(manifest.exports))));
  if (Object.keys(manifest.dependencies ?? {}).length > 0) {
    findings.push("package.json has dependencies: the core has none; use an optional peer, reached by dynamic import");
  }
  findings.push(...lockFindings(JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8"))));
  return {
    findings,
    note: "publint, attw (esm-only), types as a strict program sees them, no dependencies, no install scripts, no addresses in the lock",
  };
}

/**
 * What TypeScript finds in our types where a program looks into those of its libraries (no skipLibCheck) and asks for no more of
 * the language than ES2022.
 * @param {string[]} entries keys of the manifest's exports
 */
async function strictly(entries) {
  const folder = path.join(root, ".cache/types");
  mkdirSync(folder, { recursive: true });
  const names = entries.filter((key) => !key.endsWith(".json")).map((key) => `chainrule${key.slice(1)}`);
  writeFileSync(
    path.join(folder, "program.ts"),
    names.map((name, i) => `export * as m${i} from ${JSON.stringify(name)};\n`).join(""),
  );
  const compilerOptions = {
    target: "ES2022",
    module: "NodeNext",
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    types: [],
  };
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  const { code, text } = await capture(process.execPath, [
    tool("typescript/bin/tsc"),
    "-p",
    folder,
    "--pretty",
    "false",
  ]);
  return code === 0 ? [] : [text.trim()];
}

/** They work without their install script: the binary is a package of its own. (We install with --ignore-scripts.) */
const scriptless = ["node_modules/koffi"];

/**
 * What makes a lock file unusable elsewhere. npm blocks install scripts by default, so nothing may need one; a download
 * address pins one registry; and `npm ci` refuses a lock that leaves out the other platforms' optional binaries, which
 * npm does silently when the registry does not have them (then an older release of the tool is the way out).
 * @param {{ packages: Record<string, LockEntry> }} lock
 * @typedef {{ version?: string, link?: boolean, hasInstallScript?: boolean, optional?: boolean, resolved?: string,
 *   optionalDependencies?: Record<string, string> }} LockEntry
 */
function lockFindings({ packages }) {
  const findings = [];
  for (const [name, entry] of Object.entries(packages)) {
    if (entry.hasInstallScript && !entry.optional && !scriptless.includes(name))
      findings.push(`${name} has an install script: npm will not run it`);
    if (entry.resolved?.includes("://")) findings.push(`${name}: the lock file records a download address`);
    for (const other of Object.keys(entry.optionalDependencies ?? {})) {
      const there = [`${name}/node_modules/${other}`, `node_modules/${other}`].some((key) => packages[key]?.version);
      if (!there) findings.push(`package-lock.json leaves out ${other}, which ${name} may need: npm ci will refuse it`);
    }
  }
  return findings;
}
