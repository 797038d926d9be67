// dist/node/: the compiled files joined into a few, for Node. Loading 170 small modules takes 60 ms, these take 20.
import { readFileSync } from "node:fs";
import path from "node:path";
import { root } from "./run.mjs";

/**
 * Bundles every public entry and the command line; what they share lands in chunks. Other packages stay imports.
 * @param {string} key of the build: tells what was compiled by this code from what other versions compiled
 */
export async function bundleForNode(key) {
  const { rolldown } = await import("rolldown");
  const { exports } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  /** @type {Record<string, string>} */
  const input = {};
  for (const entry of Object.values(exports)) {
    if (!entry.node) continue;
    const name = entry.node.replace("./dist/node/", "").replace(/\.js$/, "");
    input[name] = path.join(root, entry.default);
  }
  input["cli"] = path.join(root, "dist/cli/main.js");
  const bundle = await rolldown({
    input,
    platform: "node",
    treeshake: false,
    external: /^[^./]/,
    cwd: root,
    transform: { define: { CHAINRULE_BUILD: JSON.stringify(key) } },
  });
  await bundle.write({
    dir: path.join(root, "dist/node"),
    format: "esm",
    sourcemap: true,
    chunkFileNames: "chunks/[name].js",
    cleanDir: true,
  });
  await bundle.close();
}
