// Size: a minimal program that trains an MLP, bundled for browsers by vite, against the budget in package.json, and which rooms
// its weight comes from.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { SourceMap } from "node:module";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build as bundle } from "vite";
import { capture, root, tool } from "../lib/run.mjs";
import { build } from "../setup.mjs";

const entry = "test/browser/mlp.ts";

/**
 * What the bundle would lose without each room, in kB gzip, most first. Less than the whole in sum: rooms repeat each other.
 * @param {string} file a bundled script with its source map beside it
 */
function byRoom(file) {
  const code = readFileSync(file, "utf8");
  const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")));
  /** @type {{ room: string, text: string }[]} */
  const runs = [];
  code.split("\n").forEach((line, at) => {
    for (let column = 0; column < line.length; column++) {
      const entry = map.findEntry(at, column);
      const source = "originalSource" in entry ? entry.originalSource : "";
      const room = /(?:src|dist)\/(\w+)/.exec(source)?.[1] ?? "the program";
      const last = runs.at(-1);
      if (last?.room === room) last.text += line[column];
      else runs.push({ room, text: line[column] });
    }
  });
  const without = (/** @type {string | null} */ room) =>
    gzipSync(runs.map((run) => (run.room === room ? "" : run.text)).join("")).length;
  const whole = without(null);
  return [...new Set(runs.map((run) => run.room))]
    .map((room) => ({ room, bytes: whole - without(room) }))
    .sort((a, b) => b.bytes - a.bytes)
    .map(({ room, bytes }) => `${room} ${(bytes / 1000).toFixed(1)}`)
    .join(", ");
}

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
    build: {
      outDir,
      target: "es2023",
      modulePreload: false,
      sourcemap: "hidden",
      rolldownOptions: { input: path.join(root, entry) },
    },
  });
  const { stdout, text } = await capture(process.execPath, [tool("size-limit/bin.js"), "--json"]);
  const [result] = stdout.trim().startsWith("[") ? JSON.parse(stdout) : [];
  if (!result) return { findings: [text.trim()], note: "size-limit gave no figure" };
  const weight = `${(result.size / 1000).toFixed(1)} kB gzip of ${(result.sizeLimit / 1000).toFixed(0)} kB: ${entry}`;
  const scripts = readdirSync(path.join(outDir, "assets")).filter((name) => name.endsWith(".js"));
  const note = `${weight} (${scripts.map((name) => byRoom(path.join(outDir, "assets", name))).join("; ")})`;
  return { findings: result.passed ? [] : [`over the budget: ${note}`], note };
}
