/** The area pages of docs/areas: each area of the catalogue's first sixteen has one, with formulas, pictures, programs and all its rows. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");
const FOLDER = path.join(ROOT, "docs/areas");
const read = (file: string): string => readFileSync(path.join(ROOT, file), "utf8");
const pages = readdirSync(FOLDER).filter((f) => f.endsWith(".md") && f !== "index.md");

/** Ids of the catalogue's rows by area. */
function rowsByArea(): Map<string, string[]> {
  const rows = new Map<string, string[]>();
  let area: string[] = [];
  for (const line of read("docs/catalogue.md").split("\n")) {
    const [, name] = /^## (\S+) \(\d+\)/.exec(line) ?? [];
    if (name !== undefined) rows.set(name, (area = []));
    const [, id] = /^\| (S-\d{3}) \|/.exec(line) ?? [];
    if (id !== undefined) area.push(id);
  }
  return rows;
}
const rows = rowsByArea();
const picturesOf = (text: string): string[] =>
  [...text.matchAll(/!\[[^\]]{10,}\]\((pictures\/[\w-]+\.svg)\)/g)].map(([, file]) => file);

describe.each(pages)("docs/areas/%s", (page) => {
  const text = read(`docs/areas/${page}`);
  test("is of an area of the catalogue and names every row of it", () => {
    const own = rows.get(page.replace(/\.md$/, "")) ?? [];
    expect(own.length).toBeGreaterThan(0);
    const named = [...text.matchAll(/^\| (S-\d{3}) \|/gm)].map(([, id]) => id);
    expect(named).toEqual(own);
  });
  test("names for each row a test that has it", () => {
    const proofs = [...text.matchAll(/^\| (S-\d{3}) \|.*\| `([\w/-]+)` \|$/gm)];
    expect(proofs.length).toBeGreaterThan(0);
    const wrong = proofs.filter(([, id, file]) => {
      const name = `test/${file}.test.ts`;
      return !existsSync(path.join(ROOT, name)) || !read(name).includes(id);
    });
    expect(wrong.map(([line]) => line)).toEqual([]);
  });
  test("has formulas, a program, and pictures that exist and are light", () => {
    expect(text.match(/\$\$[^$]+\$\$/g) ?? []).not.toHaveLength(0);
    expect(text.match(/\$\$/g)?.length ?? 0, "unpaired $$").toSatisfy((n: number) => n % 2 === 0);
    expect(text).toMatch(/^```ts$/m);
    const pictures = picturesOf(text);
    expect(pictures).not.toHaveLength(0);
    for (const file of pictures) {
      const svg = read(`docs/areas/${file}`);
      expect(svg).toMatch(/^<svg /);
      expect(svg.length, file).toBeLessThan(60 * 1024);
    }
  });
});

test("docs/areas/index.md leads to every page, and every picture is on one", () => {
  const index = read("docs/areas/index.md");
  expect(pages.filter((page) => !index.includes(`](${page})`))).toEqual([]);
  const shown = new Set(pages.flatMap((page) => picturesOf(read(`docs/areas/${page}`))));
  const drawn = readdirSync(path.join(FOLDER, "pictures")).filter((f) => f.endsWith(".svg"));
  expect(drawn.filter((f) => !shown.has(`pictures/${f}`))).toEqual([]);
  // AREA.svg and AREA-….svg are what AREA.ts draws.
  const by = (f: string): boolean =>
    pages.some((page) => {
      const area = page.replace(/\.md$/, "");
      return (f === `${area}.svg` || f.startsWith(`${area}-`)) && existsSync(path.join(FOLDER, `pictures/${area}.ts`));
    });
  expect(drawn.filter((f) => !by(f))).toEqual([]);
  expect(pages.length).toBe(16);
});
