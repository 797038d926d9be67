/**
 * Examples of the reference: every `@example` of src/ is a program. It is type-checked and run with the names of its package, and of
 * `scene.ts` those that it does not declare. A line that says what it gives, `add([1, 2], 3).array(); // → [4, 5]`, is held to it, numbers
 * to five digits. `// not run: why` in a first line leaves an example to the type checker.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Tensor } from "../../src/index.ts";
import type { Scene } from "./scene.ts";
import { examplesOf, publicNames } from "../../scripts/check/docstrings.mjs";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** Where names come from, beside an example's own room: the first module that has one. */
const ORDER = ["", "nn", "optim", "data", "train", "metrics", "classic", "io", "viz", "explain", "diagnose", "tune"];
/** Rooms below the layers: of two functions of one name, their examples mean the one of tensors. */
const BASE = new Set(["base", "tensor", "arrays", "autodiff", "linalg", "engine", "profile", "numpy", "compat"]);
/** Rooms whose names are written with a prefix. */
const PREFIXES: Readonly<Record<string, string>> = { numpy: "np", compat: "tf" };
const SCENE: readonly (keyof Scene)[] = ["train", "dev", "test", "data", "x", "y", "model", "net"];

interface Example {
  /** Below src/. */
  readonly file: string;
  readonly line: number;
  readonly code: string;
  /** What its lines say they give. */
  readonly results: string[];
}

const examples: Example[] = readdirSync(path.join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .toSorted()
  .flatMap((file) =>
    examplesOf(readFileSync(path.join(ROOT, "src", file), "utf8")).map((e) => ({
      ...e,
      file: file.replaceAll(path.sep, "/"),
      results: [...e.code.matchAll(/; *\/\/ → (.+)$/gm)].map(([, result]) => result),
    })),
  );

const sourceOf = (room: string): string => path.join(ROOT, "src", room === "compat" ? "compat/tf1" : room, "index.ts");
const values: Record<string, Set<string>> = {};
/** Public types and classes, by the file of an entry that exports them. */
const types = new Map<string, string>();

/** The parts of a program: its imports of types, and one function for each example of a room. */
function program(room: string): string {
  const own = examples.filter((e) => e.file.split(/[/.]/)[0] === room);
  const usedTypes = new Set<string>();
  const body = own.map((e) => {
    // Names in code, not in strings (but in templates) or comments, and not those behind a point or before a colon.
    const plain = e.code.replaceAll(/"[^"\n]*"|'[^'\n]*'|\/\/.*$/gm, '""');
    const words = new Set([...plain.matchAll(/(?<![.\w])[A-Za-z]\w*/g)].map(([word]) => word));
    const declares = (name: string): boolean =>
      new RegExp(`(?:const|let|function|import)\\s+(?:\\* as )?(?:\\[[^\\]]*|\\{[^}]*)?\\b${name}\\b`).test(plain);
    const lines = [];
    for (const word of words) {
      if (types.has(word)) usedTypes.add(word);
      if (declares(word)) continue;
      // Of an initializer and a function of the same name an example means the function; a model is one of digits, but where it is
      // made of inputs.
      const order = [
        ...(["base", "tensor", "engine"].includes(room) ? [] : [room]),
        ...(BASE.has(room) ? ORDER : ORDER.toSpliced(0, 2, "nn", "")),
      ];
      const from = order.find(
        (name) => values[name]?.has(word) && !(name === "nn" && ["zeros", "ones", "tensor"].includes(word)),
      );
      if (word === PREFIXES[room]) lines.push(`const ${word} = room;`);
      else if (word === "mnist") lines.push("const { mnist } = scenes;");
      else if ((SCENE as readonly string[]).includes(word) && !(word === "model" && words.has("input")))
        lines.push(`const { ${word} } = await scenes.scene();`);
      else if (from !== undefined && PREFIXES[from] === undefined)
        lines.push(`const { ${word} } = ${from === room ? "room" : from || "base"};`);
    }
    let k = 0;
    const imports = (_: string, names: string, from: string): string => {
      const at = from.startsWith("chainrule")
        ? sourceOf(from.replace(/^chainrule\/?/, "").replace("compat/tf1", "compat"))
        : from;
      return `const ${names.replace("* as ", "")} = await import(${JSON.stringify(at)});`;
    };
    const run = e.code.replaceAll(/^import (.+) from "([^"]+)";$/gm, imports);
    const code = run.replaceAll(/^(.*); *\/\/ → .+$/gm, (_, said: string) => `results[${k++}] = (${said});`);
    const at = examples.indexOf(e);
    return [
      `export async function example${at}(results: unknown[]): Promise<void> {`,
      ...new Set(lines),
      "{",
      code,
      "}",
      "}",
    ].join("\n");
  });
  const byFile = new Map<string, string[]>();
  for (const name of usedTypes) {
    const from = types.get(name)!;
    byFile.set(from, [...(byFile.get(from) ?? []), name]);
  }
  return [
    ...ORDER.map((name) => `import * as ${name || "base"} from ${JSON.stringify(sourceOf(name))};`),
    `import * as room from ${JSON.stringify(["base", "tensor", "engine"].includes(room) ? sourceOf("") : sourceOf(room))};`,
    `import * as scenes from ${JSON.stringify(path.join(ROOT, "test/docs/scene.ts"))};`,
    ...[...byFile].map(([from, names]) => `import type { ${names.join(", ")} } from ${JSON.stringify(from)};`),
    ...body,
    "",
  ].join("\n");
}

const rooms = [...new Set(examples.map((e) => e.file.split(/[/.]/)[0]))];
const fileOf = (room: string): string => path.join(folder, `${room}.ts`);
let folder = "";

beforeAll(async () => {
  mkdirSync(path.join(ROOT, ".cache"), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, ".cache/examples-"));
  for (const room of new Set([...ORDER, ...rooms]))
    if (existsSync(sourceOf(room))) values[room] = new Set(Object.keys((await import(sourceOf(room))) as object));
  for (const { name, entry, kind } of publicNames(ROOT)) {
    const file = sourceOf(entry.replace(/^chainrule\/?/, "").replace("compat/tf1", "compat"));
    if (["class", "interface", "type"].includes(kind) && !types.has(name)) types.set(name, file);
  }
  for (const room of rooms) writeFileSync(fileOf(room), program(room));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const placeOf = (i: number): string => `src/${examples[i].file}:${examples[i].line}`;
const round = (x: unknown): unknown =>
  Array.isArray(x) ? x.map(round) : typeof x === "number" && Number.isFinite(x) ? Number(x.toPrecision(5)) + 0 : x;
const show = (x: unknown): string =>
  Array.isArray(x) ? `[${x.map(show).join(", ")}]` : typeof x === "string" ? JSON.stringify(x) : String(x);
function text(value: unknown): string {
  const plain =
    value instanceof Tensor ? value.array() : ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value;
  if (typeof plain !== "object" || plain === null || Array.isArray(plain)) return show(round(plain));
  return `{ ${Object.entries(plain)
    .map(([key, x]) => `${key}: ${text(x)}`)
    .join(", ")} }`;
}

test("there are many, and many say what they give", () => {
  expect(examples.length).toBeGreaterThan(700);
  expect(examples.flatMap((e) => e.results).length).toBeGreaterThan(350);
});

test("they have no type error", { timeout: 120_000 }, async () => {
  const options = {
    compilerOptions: {
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: false,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
    },
    extends: path.join(ROOT, "tsconfig.json"),
    include: ["*.ts"],
  };
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(options));
  const tsc = path.join(ROOT, "node_modules/typescript/bin/tsc");
  const found = await promisify(execFile)(process.execPath, [tsc, "-p", folder, "--pretty", "false"], {
    maxBuffer: 1 << 26,
  }).then(
    () => "",
    (error: Error & { stdout?: string }) => error.stdout ?? error.message,
  );
  const wrong = found.split("\n").flatMap((line) => {
    const [, room, at, what] = /(\w+)\.ts\((\d+),\d+\): (.*)$/.exec(line) ?? [];
    if (room === undefined) return [];
    const before = readFileSync(fileOf(room), "utf8").split("\n").slice(0, Number(at)).join("\n");
    const i = [...before.matchAll(/function example(\d+)/g)].at(-1)?.[1];
    return [i === undefined ? line : `${placeOf(Number(i))}: ${what}`];
  });
  expect(wrong).toEqual([]);
});

test.each(rooms)("those of %s run and give what they say", { timeout: 120_000 }, async (room) => {
  const module = (await import(fileOf(room))) as Record<string, (results: unknown[]) => Promise<void>>;
  vi.spyOn(console, "log").mockReturnValue();
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const home = process.cwd();
  const wrong: string[] = [];
  process.chdir(folder);
  try {
    for (const [name, run] of Object.entries(module)) {
      const i = Number(name.replace("example", ""));
      const { code, results } = examples[i];
      if (/^\/\/ not run: ./.test(code)) continue;
      const got: unknown[] = [];
      try {
        await run(got);
      } catch (error) {
        wrong.push(
          `${placeOf(i)}: ${error instanceof Error ? error.stack?.split("\n").slice(0, 3).join(" ") : String(error)}`,
        );
        continue;
      }
      for (const [k, want] of results.entries())
        if (text(got[k]) !== want) wrong.push(`${placeOf(i)}: result ${k + 1} is ${text(got[k])}, not ${want}`);
    }
  } finally {
    process.chdir(home);
    vi.restoreAllMocks();
  }
  expect(wrong).toEqual([]);
});
