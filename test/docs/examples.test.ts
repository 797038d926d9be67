/**
 * Examples of the reference that say what they give: `@example add([1, 2], 3).array(); // → [4, 5]` in a docstring. Each is type-checked,
 * run with the names of its package, and its result compared, numbers to five digits.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** Where the names of an example come from, by the room that it stands in. */
const SCOPES: Readonly<Record<string, string>> = { linalg: "linalg", metrics: "metrics", nn: "nn", optim: "optim" };

interface Example {
  readonly file: string;
  readonly line: number;
  readonly code: string;
  readonly result: string;
}

const examples: Example[] = readdirSync(path.join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) =>
    readFileSync(path.join(ROOT, "src", file), "utf8")
      .split("\n")
      .flatMap((text, i) => {
        const [, code, result] = /^\s*\* (?:@example )?(.+); \/\/ → (.+)$/.exec(text) ?? [];
        return code === undefined ? [] : [{ file: file.replaceAll(path.sep, "/"), line: i + 1, code, result }];
      }),
  );

/** A module with one function for each example of a room. */
function program(room: string): string {
  const own = examples.filter((e) => (SCOPES[e.file.split("/")[0]] ?? "") === room);
  const words = (text: string): string[] => text.match(/(?<![.\w"])[a-zA-Z]\w*/g) ?? [];
  const used = new Set(own.flatMap((e) => words(e.code)));
  const from = (name: string): string => JSON.stringify(path.join(ROOT, `src/${name}index.ts`));
  const lines = [`import * as base from ${from("")};`, `import type { Tensor } from ${from("")};`];
  if (room !== "") lines.push(`import * as room from ${from(`${room}/`)};`);
  for (const name of used) {
    // Of an initializer and a function of the same name, a network's example means the function.
    if (name === "Tensor") continue;
    const inRoom = room !== "" && !["zeros", "ones", "tensor"].includes(name) && ROOMS[room].has(name);
    if (inRoom) lines.push(`const { ${name} } = room;`);
    else if (ROOMS[""].has(name)) lines.push(`const { ${name} } = base;`);
  }
  lines.push(`export const results: (readonly [number, () => unknown])[] = [`);
  for (const e of own) lines.push(`  [${examples.indexOf(e)}, () => ${e.code}],`);
  return `${[...lines, "];"].join("\n")}\n`;
}

const ROOMS: Record<string, Set<string>> = {};
let folder = "";

beforeAll(async () => {
  mkdirSync(path.join(ROOT, ".cache"), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, ".cache/examples-"));
  for (const room of ["", ...Object.values(SCOPES)]) {
    const module = (await import(path.join(ROOT, `src/${room === "" ? "" : `${room}/`}index.ts`))) as object;
    ROOMS[room] = new Set(Object.keys(module));
  }
  for (const room of Object.keys(ROOMS)) writeFileSync(path.join(folder, `${room || "base"}.ts`), program(room));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const round = (x: unknown): unknown =>
  Array.isArray(x) ? x.map(round) : typeof x === "number" && Number.isFinite(x) ? Number(x.toPrecision(5)) + 0 : x;
const show = (x: unknown): string =>
  Array.isArray(x) ? `[${x.map(show).join(", ")}]` : typeof x === "string" ? JSON.stringify(x) : String(x);
function text(value: unknown): string {
  const plain = ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value;
  if (typeof plain !== "object" || plain === null || Array.isArray(plain)) return show(round(plain));
  return `{ ${Object.entries(plain)
    .map(([key, x]) => `${key}: ${text(x)}`)
    .join(", ")} }`;
}

test("there are many", () => {
  expect(examples.length).toBeGreaterThan(150);
});

test("they have no type error", { timeout: 60_000 }, async () => {
  const options = {
    compilerOptions: {
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: false,
      isolatedDeclarations: false,
    },
    extends: path.join(ROOT, "tsconfig.json"),
    include: ["*.ts"],
  };
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(options));
  const tsc = path.join(ROOT, "node_modules/typescript/bin/tsc");
  const found = await promisify(execFile)(process.execPath, [tsc, "-p", folder, "--pretty", "false"]).then(
    () => "",
    (error: Error & { stdout?: string }) => error.stdout ?? error.message,
  );
  expect(found.split("\n").filter((line) => line.includes("examples-"))).toEqual([]);
});

test("they give what they say", { timeout: 60_000 }, async () => {
  const wrong: string[] = [];
  let ran = 0;
  for (const room of Object.keys(ROOMS)) {
    const { results } = (await import(path.join(folder, `${room || "base"}.ts`))) as {
      results: (readonly [number, () => unknown])[];
    };
    for (const [i, run] of results) {
      const { file, line, code, result } = examples[i];
      const got = text(run());
      ran++;
      if (got !== result) wrong.push(`src/${file}:${line}: ${code} gives ${got}, not ${result}`);
    }
  }
  expect(ran).toBe(examples.length);
  expect(wrong).toEqual([]);
});
