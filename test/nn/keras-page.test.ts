/** docs/keras.md against Keras' own names (test/fixtures/keras_names.json, by keras_names.py) and against what is exported. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as data from "../../src/data/index.ts";
import * as metrics from "../../src/metrics/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as train from "../../src/train/index.ts";

const ROOMS: Readonly<Record<string, object>> = { data, metrics, nn, optim, train };
const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
const names = JSON.parse(read("test/fixtures/keras_names.json")) as Record<string, string[]>;

interface Row {
  readonly keras: string;
  readonly here: string;
  readonly room: string;
  readonly note: string;
}

/** The rows below each heading. */
const page = new Map<string, Row[]>();
for (const part of read("docs/keras.md").split("\n## ").slice(1)) {
  const [title, ...lines] = part.split("\n");
  const rows = lines
    .filter((l) => l.startsWith("| ") && !l.startsWith("| Keras") && !l.startsWith("| ---"))
    .map((l) => {
      const [, keras, here, room, note] = l.split("|").map((cell) => cell.trim());
      return { keras, here: here.replaceAll("`", ""), room: room.replaceAll("`", "").replace("chainrule/", ""), note };
    });
  page.set(title, rows);
}

describe.each(Object.keys(names))("%s", (kind) => {
  const rows = page.get(kind) ?? [];
  test("every name of Keras has one row", () => {
    expect(rows.map((r) => r.keras)).toEqual(names[kind]);
  });
  test("what is named is exported by its package; what is not has a reason", () => {
    for (const { keras, here, room, note } of rows) {
      if (here === "") expect(note, `${keras} has neither a name nor a reason`).not.toBe("");
      else expect(Object.keys(ROOMS[room] ?? {}), `${keras}: chainrule/${room} has no ${here}`).toContain(here);
    }
  });
  test("what is said not to be there yet is not", () => {
    const everything = new Set(Object.values(ROOMS).flatMap((r) => Object.keys(r)));
    for (const { keras, note } of rows.filter((r) => r.note.startsWith("not yet")))
      for (const [, name] of note.matchAll(/: `(\w+)`/g))
        expect(everything.has(name), `${keras}: ${name} is exported now; name it in docs/keras.md`).toBe(false);
  });
});
