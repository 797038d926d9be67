// What setup notices: contents and names, not times; and what it sweeps away after a build.
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildKey, fingerprint, installKey, isStale, sweep } from "../../scripts/setup.mjs";

let base = "";
const put = (file: string, text: string): void => {
  mkdirSync(path.dirname(path.join(base, file)), { recursive: true });
  writeFileSync(path.join(base, file), text);
};

beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), "chainrule-setup-"));
  put("package-lock.json", "{}");
  put("src/index.ts", "export {};");
});
afterEach(() => rmSync(base, { recursive: true }));

test("a changed lock file means an install and a build; a changed source means a build only", () => {
  const [install, build] = [installKey(base), buildKey(base)];
  put("src/nn/dense.ts", "export {};");
  expect(installKey(base)).toBe(install);
  expect(buildKey(base)).not.toBe(build);
  put("package-lock.json", `{ "lockfileVersion": 3 }`);
  expect(installKey(base)).not.toBe(install);
});

test("a build key follows contents, names and settings, not times", () => {
  const key = buildKey(base);
  utimesSync(path.join(base, "src/index.ts"), 1, 1);
  put("README.md", "no source");
  expect(buildKey(base)).toBe(key);
  put("src/index.ts", "export const a = 1;");
  const second = buildKey(base);
  expect(second).not.toBe(key);
  put("tsconfig.json", "{}");
  expect(buildKey(base)).not.toBe(second);
});

test("moving text between files changes the fingerprint", () => {
  put("d/a", "xy");
  put("d/b", "");
  const before = fingerprint(base, ["d"]);
  put("d/a", "x");
  put("d/b", "y");
  expect(fingerprint(base, ["d"])).not.toBe(before);
});

test("a stamp is stale until it holds the key", () => {
  const stamp = path.join(base, "stamp");
  expect(isStale(stamp, "k")).toBe(true);
  writeFileSync(stamp, "k");
  expect(isStale(stamp, "k")).toBe(false);
  expect(isStale(stamp, "k2")).toBe(true);
});

test("compiled files without a source are swept, others stay", () => {
  for (const file of ["index.js", "index.js.map", "index.d.ts", "gone.js", "gone.d.ts.map", ".stamp"])
    put(`dist/${file}`, "");
  sweep(base);
  const left = (file: string): boolean => existsSync(path.join(base, "dist", file));
  expect(["index.js", "index.js.map", "index.d.ts", ".stamp"].every(left)).toBe(true);
  expect(["gone.js", "gone.d.ts.map"].some(left)).toBe(false);
});
