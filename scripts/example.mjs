// `npm run example -- NAME [options]`: set up, then one of the programs in examples/. Without a name: the list of them.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { root, run } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

const folder = path.join(root, "examples");
const names = readdirSync(folder, { withFileTypes: true })
  .filter((e) => e.isDirectory() && existsSync(path.join(folder, e.name, "main.ts")))
  .map((e) => e.name);
const [name, ...rest] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  if (name !== undefined) console.error(`no example "${name}"\n`);
  const width = Math.max(0, ...names.map((n) => n.length));
  for (const n of names) {
    const readme = path.join(folder, n, "README.md");
    const [title = ""] = existsSync(readme) ? readFileSync(readme, "utf8").split("\n") : [];
    console.log(`  ${n.padEnd(width)}  ${title.replace(/^#\s*/, "")}`);
  }
  process.exit(name === undefined ? 0 : 2);
}
await setup();
// Node 20 runs no TypeScript: each file of the folder becomes a module beside the others.
const { rolldown } = await import("rolldown");
const files = readdirSync(path.join(folder, name)).filter((f) => f.endsWith(".ts"));
const input = Object.fromEntries(files.map((f) => [f.replace(/\.ts$/, ""), path.join(folder, name, f)]));
const bundle = await rolldown({ input, platform: "node", external: /^[^./]/, cwd: root });
const dir = path.join(root, ".cache/examples", name);
await bundle.write({ dir, format: "esm", entryFileNames: "[name].mjs", sourcemap: true, cleanDir: true });
await bundle.close();
process.exit(await run(process.execPath, ["--enable-source-maps", path.join(dir, "main.mjs"), ...rest]));
