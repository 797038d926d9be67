// `node scripts/pictures.mjs [area …]`: draws the pictures of docs/areas/ anew, each from docs/areas/pictures/AREA.ts.
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

const folder = path.join(root, "docs/areas/pictures");
const areas = readdirSync(folder)
  .filter((name) => name.endsWith(".ts") && name !== "lib.ts")
  .map((name) => name.replace(/\.ts$/, ""));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !areas.includes(name));
if (unknown.length > 0) {
  console.error(`no pictures for ${unknown.join(", ")}; there are: ${areas.join(", ")}`);
  process.exit(2);
}
await setup();
// Node 20 runs no TypeScript: each area becomes a module that imports the built package by its name.
const { rolldown } = await import("rolldown");
const dir = path.join(root, ".cache/pictures");
for (const area of asked.length > 0 ? asked : areas) {
  const bundle = await rolldown({
    input: path.join(folder, `${area}.ts`),
    platform: "node",
    external: /^[^./]/,
    cwd: root,
  });
  const file = path.join(dir, `${area}.mjs`);
  await bundle.write({ file, format: "esm" });
  await bundle.close();
  const { draw } = await import(pathToFileURL(file).href);
  for (const [name, svg] of Object.entries(await draw())) {
    writeFileSync(path.join(folder, `${name}.svg`), svg);
    console.log(`${name}.svg  ${(svg.length / 1024).toFixed(1)} kB`);
  }
}
