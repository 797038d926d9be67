// `npm run docs`: the site into site/dist. -- --serve shows it on loopback, -- --edit shows the pages and follows their changes.
import { existsSync, rmSync, watch, writeFileSync } from "node:fs";
import path from "node:path";
import { content, stage } from "../site/lib/content.mjs";
import { root, run } from "./lib/run.mjs";
import { fingerprint, isStale, setup, setupFolder } from "./setup.mjs";

const args = process.argv.slice(2);
const known = ["--serve", "--edit"];
const unknown = args.filter((arg) => !known.includes(arg));
if (unknown.length > 0) {
  console.error(`npm run docs: no option ${unknown.join(", ")}; there are ${known.join(" and ")}`);
  process.exit(2);
}

await setup({ only: "install" });
await setupFolder("site", "the tools of the documentation site");
const site = path.join(root, "site");
const step = async (/** @type {string} */ file, /** @type {string[]} */ options) => {
  const code = await run(process.execPath, [path.join(site, "node_modules", file), ...options], { cwd: site });
  if (code !== 0) process.exit(code);
};

// The reference takes longest and depends on the sources alone.
const stamp = path.join(site, ".cache/api.stamp");
const key = fingerprint(root, ["src", "package.json", "site/typedoc.config.mjs", "site/package-lock.json"]);
if (!args.includes("--edit") && (isStale(stamp, key) || !existsSync(path.join(content, "api")))) {
  rmSync(path.join(content, "api"), { recursive: true, force: true });
  await step("typedoc/bin/typedoc", []);
  writeFileSync(stamp, key);
}
stage();
const address = ["--host", "127.0.0.1"];
if (args.includes("--edit")) {
  for (const folder of ["docs", "examples", "README.md"])
    watch(path.join(root, folder), { recursive: true }, () => stage());
  await step("vitepress/bin/vitepress.js", ["dev", ".", ...address]);
} else {
  await step("vitepress/bin/vitepress.js", ["build", "."]);
  if (args.includes("--serve")) await step("vitepress/bin/vitepress.js", ["preview", ".", ...address]);
}
