// The table of figures in README.md, which the bench has written: no number is typed here.
import { readFileSync } from "node:fs";

const readme = new URL("../../../README.md", import.meta.url);

/** "89.4 (jax-js, 2 threads)" is { ms: 89.4, by: "jax-js, 2 threads" }. */
const cell = (text) => {
  const [, ms, by = ""] = /^([\d.]+)(?: \((.*)\))?$/.exec(text) ?? [];
  return ms === undefined ? undefined : { ms: Number(ms), by };
};

/** The sentence from one word to another, without its line breaks. */
function between(text, from, to) {
  const start = text.indexOf(from);
  const end = text.indexOf(to, start);
  if (start < 0 || end < 0) throw new Error(`the text above the figures has no sentence from "${from}" to "${to}"`);
  return text.slice(start, end).replaceAll("\n", " ");
}

export default {
  watch: ["../../../README.md"],
  load() {
    const [, part] =
      /<!-- figures: begin -->\n([\s\S]*?)<!-- figures: end -->/.exec(readFileSync(readme, "utf8")) ?? [];
    if (part === undefined) throw new Error("README.md has no figures between its marks");
    const rows = part
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .map((line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((text) => text.trim()),
      );
    const [head, , ...body] = rows;
    const at = (name) => {
      if (!head.includes(name)) throw new Error(`the table of figures has no column "${name}"`);
      return head.indexOf(name);
    };
    const columns = { ours: at("Chainrule"), torch: at("PyTorch"), js: at("best JS peer") };
    return {
      run: `${between(part, "Run of", ": milliseconds")}. ${between(part, "Ours is", ";")}.`,
      rows: body.map((cells) => ({
        name: cells[0],
        ours: Number(cells[columns.ours]),
        torch: cell(cells[columns.torch]),
        js: cell(cells[columns.js]),
      })),
    };
  },
};
