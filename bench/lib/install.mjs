// The peers are installed here when they are first needed, and again when the lock file changes: never with the product.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const bench = fileURLToPath(new URL("..", import.meta.url));
const modules = path.join(bench, "node_modules");
const stamp = path.join(modules, ".stamp");

export function install() {
  const lock = readFileSync(path.join(bench, "package-lock.json"), "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  console.log("installing the peers into bench/node_modules (once, until bench/package-lock.json changes)");
  const npm = process.env.npm_execpath ?? "";
  const script = npm.endsWith("npm-cli.js"); // the npm that started us needs no shell on any system
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  const { status } = spawnSync(script ? process.execPath : "npm", script ? [npm, ...args] : args, {
    cwd: bench,
    stdio: "inherit",
  });
  if (status !== 0)
    throw new Error("npm could not install the peers; its message is above. Without network: --peers chainrule");
  writeFileSync(stamp, lock);
}

/** Our programs import "chainrule" as anybody's do: a link to this repository in bench/node_modules. */
export function linkProduct() {
  const link = path.join(modules, "chainrule");
  if (existsSync(link)) return;
  mkdirSync(modules, { recursive: true });
  rmSync(link, { force: true }); // one that points nowhere
  const windows = process.platform === "win32";
  symlinkSync(windows ? path.join(bench, "..") : "../..", link, windows ? "junction" : "dir");
}

/** The version of a package that is installed here (undefined: it is not), or of this repository for undefined. */
export function versionOf(name) {
  const file = path.join(name === undefined ? path.join(bench, "..") : path.join(modules, name), "package.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : undefined;
}
