// The sidebar: pages of docs/ in the order of reading, areas and examples as their indexes list them.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { content, pageOf, pages, titleOf } from "./content.mjs";

/** @typedef {{ text: string, link?: string, collapsed?: boolean, items?: Item[] }} Item */

/** @type {Array<[string, Array<[string, string]>]>} */
const parts = [
  [
    "Start",
    [
      ["getting-started", "Getting started"],
      ["one-page", "All on one page"],
      ["keras", "Names of Keras"],
      ["pytorch", "Names of PyTorch"],
      ["mistakes", "Mistakes and messages"],
    ],
  ],
  [
    "Around training",
    [
      ["training", "Optimizers, schedules, callbacks"],
      ["data", "Data, classic models"],
      ["tuning", "Hyperparameter search"],
      ["diagnosis", "Diagnosis"],
      ["explain", "Explanation"],
      ["profiling", "Profiling"],
    ],
  ],
  [
    "Inside",
    [
      ["performance", "Performance"],
      ["design", "Design"],
      ["catalogue", "Catalogue"],
    ],
  ],
];

/** @returns {Item[]} */
export function guide() {
  const known = new Set(pages().values());
  const groups = parts.map(([text, items]) => ({
    text,
    items: items
      .filter(([name]) => known.has(`${name}.md`))
      .map(([name, label]) => ({ text: label, link: `/${name}` })),
  }));
  const named = new Set(parts.flatMap(([, items]) => items.map(([name]) => `docs/${name}.md`)));
  const others = [...pages().keys()].filter((file) => /^docs\/[^/]+\.md$/.test(file) && !named.has(file));
  groups[1].items.push(...others.map((file) => ({ text: titleOf(file), link: `/${file.slice("docs/".length, -3)}` })));
  return [...groups.slice(0, 2), ...folder("Areas", "docs/areas"), ...folder("Examples", "examples"), groups[2]];
}

/**
 * A folder of pages: those that its index names, in that order, then the others.
 * @param {string} text @param {string} name
 * @returns {Item[]}
 */
function folder(text, name) {
  const known = pages();
  const index = name === "examples" ? "examples/README.md" : `${name}/index.md`;
  const to = known.get(index);
  if (to === undefined) return [];
  const linked = [...pageOf(index, known).matchAll(/\]\(\.\/([\w-]+)\.md/g)].map(([, n]) => n);
  const own = [...known].filter(([file]) => file.startsWith(`${name}/`) && file !== index);
  const place = (/** @type {string} */ page) => linked.indexOf(path.posix.basename(page, ".md")) + 1 || 1000;
  const items = own
    .toSorted(([, a], [, b]) => place(a) - place(b))
    .map(([file, page]) => ({ text: titleOf(file).replace(/ \(SYS.*\)$/, ""), link: `/${page.slice(0, -3)}` }));
  return [{ text, collapsed: true, items: [{ text: "Overview", link: `/${to.replace("index.md", "")}` }, ...items] }];
}

/**
 * The API's: entries and their namespaces. Each has a table of its names; a thousand of them in the sidebar of each page would be
 * half a gigabyte. Empty before typedoc's first run.
 * @returns {Item[]}
 */
export function reference() {
  const file = path.join(content, "api/typedoc-sidebar.json");
  if (!existsSync(file)) return [];
  /** @type {(items: Item[]) => string[]} */
  const rooms = (items) =>
    items.flatMap(({ link, items: inner = [] }) => [...(link?.endsWith("/") ? [link] : []), ...rooms(inner)]);
  const entries = rooms(JSON.parse(readFileSync(file, "utf8"))).map((link) => ({
    text: link.slice("/api/".length, -1).replace("/namespaces/", " · "),
    link,
  }));
  return [{ text: "API", items: entries }];
}
