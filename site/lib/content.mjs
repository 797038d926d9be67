// What the site holds: README's figures, docs/, the READMEs of examples/. They stay where they are; a copy whose links lead to
// pages of the site is written to .cache/content. No dependency, so that tests may ask which pages there are.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const site = path.resolve(import.meta.dirname, "..");
const root = path.resolve(site, "..");
const picture = /\.(svg|png)$/;
export const content = path.join(site, ".cache/content");

/** Files of the repository, by path, and the page that each becomes. @returns {Map<string, string>} */
export function pages() {
  const found = new Map([
    ["site/home.md", "index.md"],
    ["README.md", "index.md"],
    ["examples/README.md", "examples/index.md"],
  ]);
  for (const entry of readdirSync(path.join(root, "docs"), { recursive: true, encoding: "utf8" }).toSorted()) {
    const file = entry.replaceAll(path.sep, "/");
    if (file.endsWith(".md")) found.set(`docs/${file}`, file);
  }
  for (const name of readdirSync(path.join(root, "examples")).toSorted()) {
    const file = `examples/${name}/README.md`;
    if (existsSync(path.join(root, file))) found.set(file, `examples/${name}.md`);
  }
  return found;
}

/** The first heading of a file of the repository. @param {string} file */
export const titleOf = (file) => /^# (.*)$/m.exec(readFileSync(path.join(root, file), "utf8"))?.[1] ?? file;

/**
 * The text of a page with every link to a file of the repository led to the page that it has here.
 * @param {string} file @param {Map<string, string>} known
 */
export function pageOf(file, known) {
  const to = known.get(file) ?? "";
  let text = readFileSync(path.join(root, file), "utf8");
  if (file === "docs/catalogue.md") text = literal(text);
  if (file === "examples/README.md") text += listOf(known);
  if (file === "site/home.md") text = text.replace("<!-- program -->", firstProgram());
  return outsideCode(text, (prose) =>
    prose.replaceAll(/\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)/g, (whole, link, anchor = "") => {
      if (picture.test(link)) return whole;
      const target = path.posix.join(path.posix.dirname(file), link);
      const page = known.get(target);
      if (page === undefined) throw new Error(`${file} links to ${link}, which is no page of the site`);
      const way = path.posix.relative(path.posix.dirname(to), page);
      return `](${way.startsWith(".") ? way : `./${way}`}${anchor})`;
    }),
  );
}

/** A list of the examples, for their index. @param {Map<string, string>} known */
function listOf(known) {
  const own = [...known.keys()].filter((file) => /^examples\/[^/]+\/README\.md$/.test(file));
  const line = (/** @type {string} */ file) => `- [${titleOf(file)}](${path.posix.relative("examples", file)})`;
  return `\n## The programs\n\n${own.map(line).join("\n")}\n`;
}

/** Formulas of the catalogue that look like links or tags. @param {string} text */
const literal = (text) =>
  text
    .replaceAll("](", "]\\(")
    .replaceAll(/<(?=[a-z/!])/gi, "&lt;")
    .replaceAll("{{", "&#123;{");

/** Applies a change to what is not code. @param {string} text @param {(prose: string) => string} change */
function outsideCode(text, change) {
  const parts = text.split(/(^```[\s\S]*?^```$|`[^`\n]*`)/m);
  return parts.map((part, i) => (i % 2 === 0 ? change(part) : part)).join("");
}

/** The program that README.md begins with. */
function firstProgram() {
  const [program] = /^```ts\n[\s\S]*?^```$/m.exec(readFileSync(path.join(root, "README.md"), "utf8")) ?? [];
  if (program === undefined) throw new Error("README.md has no program");
  return program;
}

/**
 * Writes the pages, without the API reference, which stays as typedoc has written it. Files that are as they were are not touched:
 * a server that watches them reloads what has changed.
 */
export function stage() {
  const known = pages();
  /** @type {Map<string, string | Buffer>} */
  const wanted = new Map(
    [...known].filter(([file]) => file !== "README.md").map(([file, to]) => [to, pageOf(file, known)]),
  );
  for (const [folder, to] of [
    ["docs", ""],
    ["site/public", "public/"],
  ])
    for (const file of readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" }))
      if (picture.test(file))
        wanted.set(to + file.replaceAll(path.sep, "/"), readFileSync(path.join(root, folder, file)));
  mkdirSync(content, { recursive: true });
  for (const entry of readdirSync(content, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    const name = path.relative(content, file).replaceAll(path.sep, "/");
    if (entry.isFile() && !name.startsWith("api/") && !wanted.has(name)) rmSync(file);
  }
  for (const [name, data] of wanted) {
    const file = path.join(content, name);
    if (existsSync(file) && readFileSync(file).equals(Buffer.from(data))) continue;
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, data);
  }
}
