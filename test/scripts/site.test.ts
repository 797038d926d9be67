// The site without building it: every link of the documents leads to a file and a heading, and every document has a place.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { pageOf, pages } from "../../site/lib/content.mjs";
import { guide, type Item } from "../../site/lib/navigation.mjs";

const ROOT = path.resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(path.join(ROOT, file), "utf8");
const known = pages();
const documents = [...known.keys(), "bench/README.md"];

/** Without programs and `code`. The catalogue's formulas look like links. */
const prose = (file: string): string =>
  file === "docs/catalogue.md" ? "" : read(file).replaceAll(/^```[\s\S]*?^```$|`[^`\n]*`/gm, "");

/** The anchors of a document, as GitHub and the site make them of its headings. */
function anchors(file: string): Set<string> {
  const headings = [...read(file).matchAll(/^#{1,6} (.*)$/gm)].map(([, title]) => title);
  return new Set(
    headings.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(/\s/g, "-"),
    ),
  );
}

test("every document is there", () => {
  expect(documents).toContain("docs/design.md");
  expect(documents).toContain("examples/housing/README.md");
  expect(documents.length).toBeGreaterThan(20);
});

test("links lead to files, and to headings in them", () => {
  const broken = documents.flatMap((file) =>
    [...prose(file).matchAll(/\]\((?![a-z]+:)([^)\s#]*)(?:#([^)\s]+))?\)/g)]
      .filter(([, to, anchor]) => {
        const target = to === "" ? file : path.posix.join(path.posix.dirname(file), to);
        return !existsSync(path.join(ROOT, target)) || (anchor !== undefined && !anchors(target).has(anchor));
      })
      .map(([link]) => `${file}: ${link}`),
  );
  expect(broken).toEqual([]);
});

test("what the site's pages link to is on the site", () => {
  for (const file of known.keys()) if (file !== "README.md") expect(pageOf(file, known).length).toBeGreaterThan(0);
});

test("every page but the first is in the navigation, once", () => {
  const links = (items: readonly Item[]): string[] =>
    items.flatMap((item) => [...(item.link === undefined ? [] : [item.link]), ...links(item.items ?? [])]);
  const expected = [...new Set(known.values())].filter((page) => page !== "index.md");
  expect(links(guide()).toSorted()).toEqual(expected.map((page) => `/${page.replace(/(index)?\.md$/, "")}`).toSorted());
});
