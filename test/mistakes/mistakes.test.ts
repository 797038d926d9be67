import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { chapters, renderPage } from "./page.ts";
import { scope } from "./scope.ts";

const home = process.cwd();
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "chainrule-"));
  process.chdir(folder);
  // A checksum in a message depends on the weights.
  setSeed(0);
});
afterEach(async () => {
  process.chdir(home);
  await rm(folder, { recursive: true });
});

type Body = (...values: unknown[]) => Promise<unknown>;
const AsyncFunction = (async (): Promise<void> => {}).constructor as new (...text: string[]) => Body;

/** Runs the code of a mistake; the message it ends with, or null when it passes unnoticed. */
async function messageOf(code: string): Promise<string | null> {
  try {
    await new AsyncFunction(...Object.keys(scope), `"use strict";\nreturn (async () => {\n${code}\n})();`)(
      ...Object.values(scope),
    );
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

describe.each(chapters)("mistakes: $title", ({ mistakes }) => {
  test.each(mistakes)("$mistake", async ({ code, message }) => {
    expect(await messageOf(code)).toBe(message);
  });
});

test("at least 40 mistakes, each once", () => {
  const all = chapters.flatMap((c) => c.mistakes);
  expect(all.length).toBeGreaterThanOrEqual(40);
  expect(new Set(all.map((m) => m.code)).size).toBe(all.length);
});

test("docs/mistakes.md shows this table", async () => {
  await expect(renderPage()).toMatchFileSnapshot(path.join(import.meta.dirname, "../../docs/mistakes.md"));
});
