// The import-rule checker: each rule of docs/design.md §2 catches its breach, names the place and gives the reason.
import { describe, expect, test } from "vitest";
import { checkImports } from "../../scripts/check/imports.mjs";

const manifest = { peerDependencies: { "fast-png": "^8" }, browser: {} };

/** The findings for one file among stubs of the files that it imports. */
function check(file: string, text: string, others: string[] = [], browser: Record<string, string> = {}): string[] {
  const sources = new Map(others.map((name) => [name, "export {};"]));
  return checkImports(sources.set(file, text), { ...manifest, browser });
}

describe("between rooms", () => {
  test.each([
    ["base/a.ts", "ir/index.ts", "imports nothing of ours"],
    ["ir/a.ts", "tensor/index.ts", "downward only"],
    ["tensor/a.ts", "schedule/index.ts", "injected by engine.ts"],
    ["tensor/a.ts", "runtime/index.ts", "injected by engine.ts"],
    ["schedule/a.ts", "runtime/index.ts", "plain data that any device"],
    ["codegen/a.ts", "runtime/index.ts", "plain data that any device"],
    ["schedule/a.ts", "tensor/index.ts", "see ir and base only"],
    ["runtime/a.ts", "ir/index.ts", "knows no graph"],
    ["autodiff/a.ts", "schedule/index.ts", "another graph"],
    ["io/a.ts", "nn/index.ts", "bytes to plain trees"],
    ["viz/a.ts", "tensor/index.ts", "data in"],
    ["nn/a.ts", "ir/index.ts", "public operations only"],
    ["nn/a.ts", "tensor/math.ts", "public operations only"],
    ["train/a.ts", "runtime/index.ts", "public operations only"],
    ["nn/a.ts", "optim/index.ts", "downward only"],
    ["engine.ts", "index.ts", "downward only"],
  ])("%s may not import %s", (from, to, reason) => {
    const up = from.includes("/") ? ".." : ".";
    const found = check(from, `\nimport { x } from "${up}/${to}";`, [to]);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`src/${from}:2: `);
    expect(found[0]).toContain(reason);
  });

  test.each([
    ["tensor/a.ts", "ir/index.ts"],
    ["autodiff/a.ts", "tensor/index.ts"],
    ["engine.ts", "runtime/index.ts"],
    ["nn/a.ts", "tensor/index.ts"],
    ["nn/a.ts", "base/errors.ts"],
    ["train/a.ts", "engine.ts"],
    ["train/a.ts", "io/index.ts"],
    ["cli/a.ts", "viz/index.ts"],
  ])("%s may import %s", (from, to) => {
    expect(check(from, `import { x } from "${from.includes("/") ? ".." : "."}/${to}";`, [to])).toEqual([]);
  });

  test("runtime sees the plan by type only, in every form of import", () => {
    const others = ["schedule/plan.ts"];
    expect(check("runtime/a.ts", `import type { Plan } from "../schedule/plan.ts";`, others)).toEqual([]);
    expect(check("runtime/a.ts", `type P = import("../schedule/plan.ts").Plan;`, others)).toEqual([]);
    expect(check("runtime/a.ts", `export * from "../schedule/plan.ts";`, others)).toHaveLength(1);
    expect(check("runtime/a.ts", `await import("../schedule/plan.ts");`, others)).toHaveLength(1);
    expect(check("ir/a.ts", `type P = import("../schedule/plan.ts").Plan;`, others)).toHaveLength(1);
  });

  test("an unknown room, a missing file and a comment that looks like an import", () => {
    expect(check("attic/a.ts", "")[0]).toContain("not a room");
    expect(check("nn/a.ts", `import "./b";`)[0]).toContain(`write the ".ts" ending`);
    expect(check("base/a.ts", `// import "../ir/index.ts";\nconst s = 'import "../ir/index.ts"';`)).toEqual([]);
  });
});

describe("other people's modules", () => {
  test("Node's modules only in *.node.ts, which has a twin that bundlers know", () => {
    const text = `import { readFileSync } from "node:fs";`;
    expect(check("io/file.ts", text)[0]).toContain("*.node.ts");
    expect(check("io/file.node.ts", text)[0]).toContain("no twin src/io/file.browser.ts");
    expect(check("io/file.node.ts", text, ["io/file.browser.ts"])[0]).toContain(`package.json "browser"`);
    const browser = { "./dist/io/file.node.js": "./dist/io/file.browser.js" };
    expect(check("io/file.node.ts", text, ["io/file.browser.ts"], browser)).toEqual([]);
    expect(check("cli/main.ts", text)).toEqual([]);
  });

  test("a Node-only file is reached by dynamic import", () => {
    const sources = new Map([
      ["io/file.browser.ts", ""],
      ["cli/x.node.ts", ""],
      ["io/file.node.ts", `import { open } from "node:fs";`],
    ]);
    const browser = { "./dist/io/file.node.js": "./dist/io/file.browser.js" };
    const found = (text: string): string[] =>
      checkImports(new Map(sources).set("io/a.ts", text), { ...manifest, browser });
    expect(found(`import { f } from "./file.node.ts";`)[0]).toContain("dynamic import");
    expect(found(`const { f } = await import("./file.node.ts");`)).toEqual([]);
    expect(found(`import type { F } from "./file.node.ts";`)).toEqual([]);
    sources.set("io/file.node.ts", `export const os = process.getBuiltinModule("node:os");`);
    expect(found(`import { os } from "./file.node.ts";`)).toEqual([]);
  });

  test("packages: optional peers only, by dynamic import", () => {
    expect(check("io/a.ts", `import { z } from "zod";`)[0]).toContain("no dependency");
    expect(check("io/a.ts", `import { decode } from "fast-png";`)[0]).toContain("dynamic import");
    expect(check("io/a.ts", `await import("fast-png");`)).toEqual([]);
  });
});

describe("module state", () => {
  test.each([
    "let n = 0;",
    "export let n = 0;",
    "const seen = new Map<string, number>();",
    "const cache: Record<string, number> = {};",
    "export const list: number[] = [];",
    "export class A { static n = 0; }",
  ])("%s is mutable", (text) => {
    expect(check("nn/a.ts", text)).toHaveLength(1);
    expect(check("base/context.ts", text)).toEqual([]);
  });

  test.each([
    "const table = new Map([[1, 2]]);",
    "const none: readonly number[] = [];",
    "const none: ReadonlySet<number> = new Set();",
    "export class A { static readonly n = 0; }",
    "const f = () => { let n = 0; return n; };",
    "declare let n: number;",
  ])("%s is not", (text) => {
    expect(check("nn/a.ts", text)).toEqual([]);
  });
});
