// The short version of bench/memory.mjs: live memory over the three loops of the design's memory section.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("../../bench/memory.mjs", import.meta.url));

interface Report {
  readonly growth: number;
  readonly samples: readonly { readonly done: number; readonly bytes: number }[];
}

test.each(["eager", "compiled", "predict"])(
  "live memory stays flat in the %s loop",
  { timeout: 120_000 },
  async (name) => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, name, "--short", "--json"]);
    const report = (JSON.parse(stdout) as Record<string, Report>)[name];
    expect(report.samples.length).toBeGreaterThan(30);
    expect(report.growth).toBeLessThanOrEqual(0.05);
  },
);
