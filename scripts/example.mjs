// `npm run example -- NAME [options]`: set up, then one of the programs in examples/. Without a name: the list of them. `all`
// runs one after the other as they come, and says how long each took.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { root, run } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

const folder = path.join(root, "examples");
const names = readdirSync(folder, { withFileTypes: true })
  .filter((e) => e.isDirectory() && existsSync(path.join(folder, e.name, "main.ts")))
  .map((e) => e.name);
const [name, ...rest] = process.argv.slice(2);
if (name === undefined || !(name === "all" || names.includes(name))) {
  if (name !== undefined) console.error(`no example "${name}"\n`);
  const width = Math.max(0, ...names.map((n) => n.length));
  for (const n of names) {
    const readme = path.join(folder, n, "README.md");
    const [title = ""] = existsSync(readme) ? readFileSync(readme, "utf8").split("\n") : [];
    console.log(`  ${n.padEnd(width)}  ${title.replace(/^#\s*/, "")}`);
  }
  console.log(`  ${"all".padEnd(width)}  One after the other, with their times`);
  process.exit(name === undefined ? 0 : 2);
}
await setup();
const { rolldown } = await import("rolldown");

/**
 * Node 20 runs no TypeScript: each file of the folder becomes a module beside the others, then main runs.
 * @param {string} example
 * @param {string[]} options
 */
async function start(example, options) {
  const files = readdirSync(path.join(folder, example)).filter((f) => f.endsWith(".ts"));
  const input = Object.fromEntries(files.map((f) => [f.replace(/\.ts$/, ""), path.join(folder, example, f)]));
  const bundle = await rolldown({ input, platform: "node", external: /^[^./]/, cwd: root });
  const dir = path.join(root, ".cache/examples", example);
  const { output } = await bundle.generate({ format: "esm", entryFileNames: "[name].mjs", sourcemap: true });
  await bundle.close();
  mkdirSync(dir, { recursive: true });
  for (const part of output) {
    const file = path.join(dir, part.fileName);
    const text = part.type === "chunk" ? part.code : part.source;
    // Another run of the example may be reading the same files.
    if (!existsSync(file) || !Buffer.from(text).equals(readFileSync(file))) writeFileSync(file, text);
  }
  return run(process.execPath, ["--enable-source-maps", path.join(dir, "main.mjs"), ...options]);
}

if (name !== "all") process.exit(await start(name, rest));
if (rest.length > 0) {
  console.error("all takes no options: they differ between the examples");
  process.exit(2);
}
const lines = [];
const begin = performance.now();
for (const example of names) {
  console.log(`\n${example}\n${"=".repeat(example.length)}`);
  const since = performance.now();
  const status = await start(example, []);
  const seconds = ((performance.now() - since) / 1e3).toFixed(0);
  lines.push(`  ${example.padEnd(20)} ${seconds.padStart(5)} s${status === 0 ? "" : `  ended with ${status}`}`);
  if (status !== 0) process.exitCode = 1;
}
console.log(
  `\n${lines.join("\n")}\n  ${"all".padEnd(20)} ${((performance.now() - begin) / 1e3).toFixed(0).padStart(5)} s`,
);
