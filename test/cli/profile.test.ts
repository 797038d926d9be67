// `chainrule profile`: the built command on scripts of its own, which see the package as any user's script does.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = path.join(import.meta.dirname, "../..");
const program = path.join(root, "dist/node/cli.js");

let folder = "";
beforeAll(async () => {
  if (!existsSync(program)) throw new Error("dist/ is not built: run this test through npm test.");
  // Below the project, where the name "chainrule" leads to it.
  await mkdir(path.join(root, ".cache"), { recursive: true });
  folder = await mkdtemp(path.join(root, ".cache/profile-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command on a script of this text. */
async function launch(text: string, ...argv: string[]): Promise<{ code: number; out: string; error: string }> {
  await writeFile(path.join(folder, "script.mjs"), text);
  const run = promisify(execFile)(process.execPath, [program, "profile", ...argv], { cwd: folder });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, error: stderr }),
    (e: Error & { code: number; stdout: string; stderr: string }) => ({ code: e.code, out: e.stdout, error: e.stderr }),
  );
}

const STEP = `
import { compiled, exp, matmul, ones, sum } from "chainrule";
const step = compiled((x) => sum(exp(matmul(x, x))));
const x = ones([64, 64]);
`;

test("a script to its end: table, time line, its own arguments", { timeout: 60_000 }, async () => {
  const text = `${STEP}
console.log("arguments", process.argv.slice(2).join());
for (let i = 0; i < 7; i++) step(x).item();
setTimeout(() => console.log("later"), 20);`;
  const { code, out, error } = await launch(text, "script.mjs", "--trace", "trace.json", "--", "--fast", "3");
  expect([code, error]).toEqual([0, ""]);
  expect(out).toContain("arguments --fast,3");
  expect(out).toMatch(/later\n\n[\d.]+ ms in all · /);
  expect(out).toMatch(/ 7 .*dot.* m\[64\] n\[64\] k\[64\]/);
  expect(out).toContain("Ceilings measured here");
  expect(out).toContain("Time line written to trace.json");
  const { traceEvents } = JSON.parse(await readFile(path.join(folder, "trace.json"), "utf8")) as {
    traceEvents: { cat?: string; name: string }[];
  };
  expect(traceEvents.filter((e) => e.cat === "contract")).toHaveLength(7);
});

test("--steps ends an endless script and shows one step", { timeout: 60_000 }, async () => {
  const { code, out } = await launch(`${STEP} for (;;) step(x);`, "script.mjs", "--steps", "5", "--warmup", "2");
  expect(code).toBe(0);
  expect(out).toMatch(/ms a step \(mean of the faster half of 5;/);
});

test("process.exit in the script does not hide the table; its code stays", { timeout: 60_000 }, async () => {
  const { code, out } = await launch(`${STEP} step(x); process.exit(7);`, "script.mjs");
  expect(code).toBe(7);
  expect(out).toMatch(/ms in all/);
});

test("a script that fails: what ran, then the error", { timeout: 60_000 }, async () => {
  const { code, out, error } = await launch(`${STEP} step(x); throw new Error("broken script");`, "script.mjs");
  expect(code).toBe(1);
  expect(out).toContain("ms in all");
  expect(error).toContain("broken script");
});

test("wrong usage", { timeout: 60_000 }, async () => {
  expect(await launch("")).toMatchObject({ code: 2, error: expect.stringContaining("needs a script") });
  const { code, error } = await launch("", "script.mjs", "--step", "3");
  expect([code, error]).toEqual([2, expect.stringContaining("did you mean --steps?")]);
  expect((await launch("", "missing.mjs")).error).toContain("missing.mjs");
});
