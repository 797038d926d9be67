/**
 * What is printed on demand:
 *   OPS=perf npx vitest run test/ops/report.test.ts      ns/element and GB/s of each primitive's large case
 *   OPS=support npx vitest run test/ops/report.test.ts   which primitive runs with which dtype
 * OPS_ONLY=dot,conv restricts both to some rows.
 */
import { expect, test } from "vitest";
import "../../src/engine.ts";
import { bytesOf, type DType, DTYPES, sizeOf } from "../../src/base/index.ts";
import type { Node } from "../../src/ir/index.ts";
import { executor } from "../../src/tensor/executor.ts";
import { difference } from "../support/compare.ts";
import { execute, oracle, traced } from "../support/execute.ts";
import { rngOf } from "../support/random.ts";
import { prepare, type Prepared } from "./prepare.ts";
import type { OpCase, OpRow } from "./row.ts";
import { TABLE } from "./table.ts";

const mode = process.env.OPS ?? "";
const only = process.env.OPS_ONLY?.split(",");
const rows = TABLE.filter((r) => only === undefined || only.includes(r.name));

/** Multiply-adds of a contraction, else null. */
function macs(row: OpRow, out: Node): number | null {
  const [a, w] = out.srcs.map((s) => s.shape);
  if (row.name === "conv") return sizeOf(out.shape) * sizeOf(w.slice(0, -3)) * w[w.length - 2];
  return row.name === "dot" ? Math.sqrt(sizeOf(a) * sizeOf(w) * sizeOf(out.shape)) : null;
}

function time(row: OpRow, c: OpCase, dtype: DType): string {
  return traced(() => {
    const { out, leaves } = prepare(row, c, dtype, "plain", rngOf(1)) as Prepared;
    const inputs = [...leaves.keys()];
    const values = [...leaves].map(([n, data]) => executor().fromHost(data, n.shape, n.dtype));
    const program = executor().compile({ inputs, outputs: [out], updates: [] });
    const samples: number[] = [];
    const until = performance.now() + 300;
    while (samples.length < 3 || (performance.now() < until && samples.length < 200)) {
      const t = performance.now();
      const results = program.run(values);
      samples.push(performance.now() - t);
      for (const v of results) v.dispose();
    }
    const ms = samples.sort((p, q) => p - q)[samples.length >> 1];
    const n = sizeOf(out.shape);
    const bytes = [out, ...inputs].reduce((sum, x) => sum + sizeOf(x.shape) * bytesOf(x.dtype), 0);
    const products = macs(row, out);
    const rate = products === null ? "" : `${((2 * products) / ms / 1e6).toFixed(2).padStart(9)} GFLOP/s`;
    return `${row.name.padEnd(16)} ${dtype.padEnd(8)} ${ms.toFixed(3).padStart(9)} ms ${((ms * 1e6) / n).toFixed(2).padStart(9)} ns/element ${(bytes / ms / 1e6).toFixed(2).padStart(7)} GB/s${rate}`;
  });
}

function works(row: OpRow, dtype: DType): boolean {
  return traced(() => {
    const { out, leaves } = prepare(
      row,
      row.cases[Math.min(3, row.cases.length - 1)],
      dtype,
      "plain",
      rngOf(1),
    ) as Prepared;
    try {
      const [got] = execute([out], leaves);
      return difference(got, oracle([out], leaves)[0], out.dtype, { relative: 1e-4, ofLargest: 1e-5 }) === null;
    } catch {
      return false;
    }
  });
}

/** One line a primitive; rows of one name count together. */
function support(): string {
  const names = [...new Set(rows.map((r) => r.name))];
  let good = 0;
  let all = 0;
  const lines = names.map((name) => {
    const cells = DTYPES.map((dtype) => {
      const tried = rows.filter((r) => r.name === name && r.dtypes.includes(dtype));
      if (tried.length === 0) return "-";
      const ok = tried.every((r) => works(r, dtype));
      all++;
      if (ok) good++;
      return ok ? "yes" : "NO";
    });
    return `${name.padEnd(16)}${cells.map((c) => c.padStart(9)).join("")}`;
  });
  const head = `${"cpu".padEnd(16)}${DTYPES.map((d) => d.padStart(9)).join("")}`;
  return [head, ...lines, `${good} of ${all} (${((100 * good) / all).toFixed(1)} %)`].join("\n");
}

if (mode === "perf") {
  test("perf", { timeout: 600_000 }, () => {
    const lines: string[] = [];
    for (const row of rows) for (const dtype of row.dtypes.slice(0, 1)) lines.push(time(row, row.large, dtype));
    console.log(lines.join("\n"));
  });
}

test("every primitive runs with every dtype it is made for", () => {
  const matrix = support();
  if (mode === "support") console.log(matrix);
  expect(matrix).not.toMatch(/\bNO\b/);
});
