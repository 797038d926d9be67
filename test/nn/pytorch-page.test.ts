/** docs/pytorch.md against PyTorch's own names (test/fixtures/pytorch_names.json, by pytorch_names.py) and against what is exported. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as classic from "../../src/classic/index.ts";
import * as chainrule from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as train from "../../src/train/index.ts";

const ROOMS: Readonly<Record<string, object>> = {
  chainrule,
  "chainrule (linalg)": chainrule.linalg,
  "chainrule (random)": chainrule.random,
  "chainrule/classic": classic,
  "chainrule/nn": nn,
  "chainrule/optim": optim,
  "chainrule/train": train,
};
const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
const names = JSON.parse(read("test/fixtures/pytorch_names.json")) as Record<string, string[]>;
/** Of these every name has a row; of the others, some. */
const WHOLE = ["Layers", "Activations", "Losses", "Initializers", "Optimizers", "Schedules"];
const SOME: Readonly<Record<string, string>> = {
  "Functions of torch": "torch",
  "torch.linalg": "torch.linalg",
  "torch.func": "torch.func",
};

interface Row {
  readonly name: string;
  readonly here: string;
  readonly room: string;
  readonly note: string;
}

/** The rows below each heading. */
const page = new Map<string, Row[]>();
for (const part of read("docs/pytorch.md").split("\n## ").slice(1)) {
  const [title, ...lines] = part.split("\n");
  const rows = lines.filter((l) => l.startsWith("| ")).slice(2);
  page.set(
    title,
    rows.map((l) => {
      const [, name, here, room, note] = l.split("|").map((cell) => cell.trim());
      return { name, here: here.replaceAll("`", ""), room: room.replaceAll("`", ""), note };
    }),
  );
}

test.each(WHOLE)("%s: every name of PyTorch has one row", (kind) => {
  expect(page.get(kind)?.map((r) => r.name)).toEqual(names[kind]);
});

test.each(Object.keys(SOME))("%s: the rows are names of PyTorch, each once", (title) => {
  const rows = page.get(title)?.map((r) => r.name) ?? [];
  expect(rows.length).toBeGreaterThan(5);
  expect(new Set(rows).size).toBe(rows.length);
  expect(rows.filter((name) => !names[SOME[title]].includes(name))).toEqual([]);
});

describe.each([...WHOLE, ...Object.keys(SOME)])("%s", (title) => {
  const rows = page.get(title) ?? [];
  test("what is named is exported by its package; what is not has a reason", () => {
    for (const { name, here, room, note } of rows) {
      if (here === "") expect(note, `${name} has neither a name nor a reason`).not.toBe("");
      else expect(Object.keys(ROOMS[room] ?? {}), `${name}: ${room} has no ${here}`).toContain(here);
    }
  });
  test("what is said not to be there yet is not", () => {
    const everything = new Set(Object.values(ROOMS).flatMap((r) => Object.keys(r)));
    for (const { name, note } of rows.filter((r) => r.note.startsWith("not yet: `"))) {
      const [, wanted] = /`(\w+)`/.exec(note) ?? [];
      expect(everything.has(wanted), `${name}: ${wanted} is exported now; name it in docs/pytorch.md`).toBe(false);
    }
  });
});
