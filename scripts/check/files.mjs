// Files: no file over 600 lines (a warning over 400), and every room says what it is.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { capture, root } from "../lib/run.mjs";

const soft = 400;
const hard = 600;

/** @type {import("../check.mjs").Gate} */
export async function files() {
  const findings = [];
  const warnings = [];
  // Tracked and new files alike, so that the gate speaks before the commit.
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "--", "*.ts", "*.tsx", "*.mts", "*.mjs"];
  const names = (await capture("git", args)).stdout.split("\n").filter((name) => name && !name.includes("/fixtures/"));
  for (const name of new Set(names)) {
    if (!existsSync(path.join(root, name))) continue;
    const lines = readFileSync(path.join(root, name), "utf8").trimEnd().split("\n").length;
    if (lines > hard)
      findings.push(`${name}: ${lines} lines; ${hard} at most: a file that long holds two subjects, split it`);
    else if (lines > soft) warnings.push(`${name}: ${lines} lines (a file is 100 to ${soft})`);
  }
  const rooms = readdirSync(path.join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of rooms) {
    // The command line is a program, not a module that others import: its main file speaks for it.
    const file = `src/${name}/${name === "cli" ? "main.ts" : "index.ts"}`;
    const text = existsSync(path.join(root, file)) ? readFileSync(path.join(root, file), "utf8") : "";
    if (!/^(#!.*\n)?\/\*\*/.test(text)) {
      findings.push(`${file} must begin with a doc comment: what this room is and is not (design §2)`);
    }
  }
  return { findings, warnings, note: `${new Set(names).size} files, ${rooms.length} rooms` };
}
