// W10's sizes: what an installation brings, and what a browser loads for the training of an MLP, bundled by the same bundler.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { peers } from "./peers.mjs";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const modules = here("../node_modules");
const root = here("../..");

function bytesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isSymbolicLink()) return sum;
    if (entry.isDirectory()) return entry.name === "node_modules" ? sum : sum + bytesUnder(file);
    return sum + statSync(file).size;
  }, 0);
}

/** A package and everything that it depends on, as folders, found as Node finds them. */
function closure(names, from = modules, found = new Set()) {
  for (const name of names) {
    let folder;
    for (let at = from; at.startsWith(modules) && folder === undefined; at = path.dirname(at)) {
      for (const candidate of [path.join(at, "node_modules", name), path.join(at, name)]) {
        if (existsSync(path.join(candidate, "package.json"))) folder ??= candidate;
      }
    }
    if (folder === undefined || found.has(folder)) continue;
    found.add(folder);
    const { dependencies = {} } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
    closure(Object.keys(dependencies), folder, found);
  }
  return found;
}

/** Ours: what npm would pack, unpacked; and koffi's, which is optional. */
function ownInstall() {
  const npm = process.env.npm_execpath ?? "";
  const script = npm.endsWith("npm-cli.js");
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout } = spawnSync(script ? process.execPath : "npm", script ? [npm, ...args] : args, {
    cwd: root,
    encoding: "utf8",
  });
  const bytes = JSON.parse(stdout.slice(stdout.indexOf("[")))[0].unpackedSize;
  const rows = [{ name: "chainrule", bytes, packages: 1 }];
  const koffi = path.join(root, "node_modules/koffi");
  if (existsSync(koffi)) {
    const extra = bytesUnder(koffi) + nativePart(root);
    rows.push({ name: "chainrule with koffi (optional)", bytes: bytes + extra, packages: 2 });
  }
  return rows;
}

/** koffi's binary for this system is a package of its own. */
function nativePart(folder) {
  const scope = path.join(folder, "node_modules/@koromix");
  return existsSync(scope) ? bytesUnder(scope) : 0;
}

const installs = {
  "tfjs-cpu": ["@tensorflow/tfjs"],
  "tfjs-wasm": ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm"],
  jax: ["@jax-js/jax"],
  ort: ["onnxruntime-node"],
};
/** Entries in bench/bundle: the same program for each. */
const bundles = { chainrule: "chainrule", "tfjs-cpu": "tfjs-cpu", "tfjs-wasm": "tfjs-wasm", jax: "jax" };
/** Files that a bundle loads at run time. */
const loaded = { "tfjs-wasm": ["@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm"] };

async function bundleOf(peer) {
  const { build } = await import("vite");
  const outDir = here(`../.cache/bundle/${peer}`);
  rmSync(outDir, { recursive: true, force: true });
  await build({
    root: here(".."),
    configFile: false,
    logLevel: "error",
    build: {
      outDir,
      target: "es2023",
      modulePreload: false,
      chunkSizeWarningLimit: 5000,
      rolldownOptions: { input: here(`../bundle/${bundles[peer]}.mjs`) },
    },
  });
  const files = readdirSync(outDir, { recursive: true })
    .map((name) => path.join(outDir, name))
    .filter((file) => /\.(js|wasm)$/.test(file));
  files.push(...(loaded[peer] ?? []).map((name) => path.join(modules, name)));
  const parts = files.map((file) => readFileSync(file));
  const total = (f) => parts.reduce((sum, part) => sum + f(part), 0);
  return {
    name: peers[peer].title,
    bytes: total((part) => part.length),
    gzip: total((part) => gzipSync(part, { level: 9 }).length),
  };
}

/** { install: [{ name, bytes, packages }], bundle: [{ name, bytes, gzip }] } of those of `names` that have one. */
export async function measureSizes(names) {
  const install = names.flatMap((name) => {
    if (name === "chainrule") return ownInstall();
    if (installs[name] === undefined) return [];
    const folders = [...closure(installs[name])];
    const bytes = folders.reduce((sum, folder) => sum + bytesUnder(folder), 0);
    return [{ name: peers[name].title, bytes, packages: folders.length }];
  });
  const bundle = [];
  for (const name of names) if (bundles[name] !== undefined) bundle.push(await bundleOf(name));
  return { install, bundle };
}
