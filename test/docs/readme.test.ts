/**
 * Every TypeScript block of README.md and docs/ is a whole program: it is type-checked and run as it stands, with the package's
 * names resolved to the sources, MNIST cut to some hundred digits, and a folder of its own for the files it writes. A comment that
 * begins with an arrow, `// → 3.4`, is what the program prints: it is held against what it does print.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { format, promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** The design shows programs of the future too. */
const LEFT_OUT = new Set(["docs/design.md"]);
const { exports: ENTRIES } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
  exports: Record<string, string | { default: string }>;
};

/** Stands for chainrule/data: MNIST cut short. */
const DATA = `import { mnist as whole, type Mnist } from ${JSON.stringify(path.join(ROOT, "src/data/index.ts"))};
export * from ${JSON.stringify(path.join(ROOT, "src/data/index.ts"))};
export async function mnist(): Promise<Mnist> {
  const { train, test } = await whole();
  return { train: train.take(256), test: test.take(128) };
}
`;

interface Block {
  readonly page: string;
  readonly line: number;
  readonly text: string;
}

function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let at: { line: number; lines: string[] } | null = null;
  readFileSync(path.join(ROOT, page), "utf8")
    .split("\n")
    .forEach((line, i) => {
      if (at === null && /^```(ts|typescript)\b/.test(line)) at = { line: i + 1, lines: [] };
      else if (at !== null && line.startsWith("```")) {
        blocks.push({ page, line: at.line, text: at.lines.join("\n") });
        at = null;
      } else at?.lines.push(line);
    });
  return blocks;
}

/** The source file behind an entry of package.json: "chainrule/nn" is src/nn/index.ts. */
function sourceOf(name: string): string {
  if (name === "chainrule/data") return "./data.ts";
  const entry = ENTRIES[name.replace(/^chainrule/, ".")];
  if (entry === undefined || typeof entry === "string") throw new Error(`package.json has no entry for "${name}"`);
  return path.join(ROOT, entry.default.replace("./dist/", "src/").replace(/\.js$/, ".ts"));
}

/** The block with names of the package resolved; a module even without imports. */
const program = (text: string): string =>
  `${text.replaceAll(/from "(chainrule[^"]*)"/g, (_, name: string) => `from ${JSON.stringify(sourceOf(name))}`)}\nexport {};\n`;

const PAGES = [
  "README.md",
  ...["docs", "docs/areas"].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder))
      .filter((f) => f.endsWith(".md"))
      .map((f) => `${folder}/${f}`),
  ),
];
const BLOCKS = PAGES.filter((page) => !LEFT_OUT.has(page)).flatMap(blocksOf);

let folder = "";
const fileOf = (i: number): string => path.join(folder, `block${i}.ts`);

beforeAll(() => {
  // Below the project, so that types and tools are found.
  mkdirSync(path.join(ROOT, ".cache"), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, ".cache/readme-"));
  writeFileSync(path.join(folder, "data.ts"), DATA);
  BLOCKS.forEach((b, i) => writeFileSync(fileOf(i), program(b.text)));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("README.md has the programs it promises", () => {
  const own = BLOCKS.filter((b) => b.page === "README.md");
  expect(own.length).toBeGreaterThanOrEqual(5);
  const first = own[0].text.split("\n").filter((line) => line.trim() !== "");
  expect(first.length, "the 15-line program").toBeLessThanOrEqual(15);
});

test("README.md names only commands that there are", () => {
  const { scripts, bin } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as Record<
    string,
    Record<string, string>
  >;
  const text = readFileSync(path.join(ROOT, "README.md"), "utf8");
  const named = [...text.matchAll(/`npm (?:run )?([a-z]+)/g)].map(([, name]) => name);
  expect(new Set(named)).toEqual(new Set(["start", "test", "example", "bench", "check", "spec", "docs"]));
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  expect(Object.keys(bin)).toContain("chainrule");
});

test("the programs have no type error", { timeout: 120_000 }, async () => {
  const options = {
    compilerOptions: { allowImportingTsExtensions: true, rewriteRelativeImportExtensions: false },
    extends: path.join(ROOT, "tsconfig.json"),
    include: ["*.ts"],
  };
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(options));
  const tsc = path.join(ROOT, "node_modules/typescript/bin/tsc");
  const run = promisify(execFile)(process.execPath, [tsc, "-p", folder, "--pretty", "false"]);
  const found = await run.then(
    () => "",
    (error: Error & { stdout?: string }) => error.stdout ?? error.message,
  );
  const named = found.replaceAll(/\S*block(\d+)\.ts\((\d+),/g, (_, i: string, line: string) => {
    const b = BLOCKS[Number(i)];
    return `${b.page}:${b.line + Number(line)} (`;
  });
  expect(named.split("\n").filter((line) => line.includes("README") || line.startsWith("docs/"))).toEqual([]);
});

describe("the programs run", () => {
  const home = process.cwd();
  test.each(BLOCKS.map((b, i) => ({ ...b, i })))("$page:$line", { timeout: 120_000 }, async ({ i, text }) => {
    const printed: string[] = [];
    vi.spyOn(console, "log").mockImplementation((...args) => void printed.push(...format(...args).split("\n")));
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    process.chdir(folder);
    try {
      await import(fileOf(i));
    } finally {
      process.chdir(home);
      vi.restoreAllMocks();
    }
    const promised = [...text.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line.trim());
    let at = 0;
    const missing = promised.filter((line) => {
      const found = printed.findIndex((p, k) => k >= at && p.trim() === line);
      if (found >= 0) at = found + 1;
      return found < 0;
    });
    expect(missing, `printed:\n${printed.join("\n")}`).toEqual([]);
  });
});
