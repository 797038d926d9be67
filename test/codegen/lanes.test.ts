/**
 * Loops at 4, 8 and 16 lanes, on the evaluator of the assembler and as AVX2 and AVX-512: random graphs, block by block, against
 * the float64 oracle; and kernels that are cut into parts. LANES_RUNS (25) graphs.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { build as b, type Node, topoOrder } from "../../src/ir/index.ts";
import { type DType, sizeOf } from "../../src/base/index.ts";
import { difference } from "../support/compare.ts";
import { graphCode } from "../support/code.ts";
import { oracle, traced } from "../support/execute.ts";
import { evaluatorTarget } from "../support/evaluate-asm.ts";
import { x64Targets } from "../support/native.ts";
import { runPlan } from "../support/plan-executor.ts";
import { growGraph, growStep } from "../fuzz/graphs.ts";
import { SMALL } from "../fuzz/pool.ts";

const runs = Number(process.env.LANES_RUNS ?? 25);
const step = fc.array(fc.nat(255), { minLength: 6, maxLength: 6 });

describe.each([...[4, 8, 16].map((n) => evaluatorTarget(n)), ...x64Targets])("$name", (target) => {
  test.each([
    ["graphs", growGraph],
    ["training steps", growStep],
  ] as const)("random %s agree with the oracle", { timeout: 600_000 }, (_, grow) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 4, maxLength: 24 }), (choices) => {
        const g = grow(choices, SMALL);
        if (g.outputs.length === 0) return;
        const inputs = topoOrder(g.outputs).filter((n) => n.op === "leaf");
        for (const u of g.updates) if (!inputs.includes(u.leaf)) inputs.push(u.leaf);
        const updates = g.updates.map((u) => ({ input: inputs.indexOf(u.leaf), value: g.outputs[u.output] }));
        const data = inputs.map((n) => g.leaves.get(n) as NonNullable<ReturnType<typeof g.leaves.get>>);
        const got = runPlan({ inputs, outputs: g.outputs, updates }, data, target);
        if (got === null) return;
        for (const [i, out] of got.outputs.entries()) {
          const why = difference(out, g.want[i], g.outputs[i].dtype, { relative: 0, absolute: g.slack[i] });
          if (why !== null) expect.fail(`output ${i} (${g.outputs[i].op}): ${why}\n${graphCode(g.outputs)}`);
        }
        for (const u of updates) {
          const i = g.outputs.indexOf(u.value);
          const why = difference(got.inputs[u.input], g.want[i], g.outputs[i].dtype, {
            relative: 0,
            absolute: g.slack[i],
          });
          if (why !== null) expect.fail(`update of input ${u.input}: ${why}\n${graphCode(g.outputs)}`);
        }
      }),
      { numRuns: runs, seed: 5 },
    );
  });

  /** One graph over one leaf of data between -1 and 1. */
  const check = (shape: readonly number[], f: (x: Node) => Node[], dtype: DType = "float32"): void => {
    const { leaf, outputs } = traced(() => {
      const x = b.leaf(shape, dtype, "x");
      return { leaf: x, outputs: f(x) };
    });
    const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 12.9898));
    const got = runPlan({ inputs: [leaf], outputs, updates: [] }, [data], target);
    oracle(outputs, new Map([[leaf, data]])).forEach((want, i) => {
      expect(difference(got?.outputs[i] ?? data, want, outputs[i].dtype, { relative: 2e-5, absolute: 2e-5 })).toBe(
        null,
      );
    });
  };
  const spread = (row: Node, x: Node): Node => b.broadcast(row, x.shape);

  test("column statistics in parts: two sums, one after the other, and a maximum", () => {
    check([32, 33, 9, 16], (x) => {
      const mean = b.binary("mul", b.reduce("sum", x, [0, 1, 2]), b.full([16], 1 / (32 * 33 * 9), "float32"));
      const centred = b.binary("sub", x, spread(mean, x));
      return [mean, b.reduce("sum", b.binary("mul", centred, centred), [0, 1, 2]), b.reduce("max", x, [0, 1, 2])];
    });
  });

  test("a sum of everything, with a map that uses it", () => {
    check([1, 400, 400], (x) => {
      const sum = b.reduce("sum", b.unary("abs", x), [1, 2]);
      return [sum, b.binary("div", x, spread(b.reshape(sum, [1, 1, 1]), x))];
    });
  });

  test("few long rows: a softmax in parts", () => {
    check([3, 65536], (x) => {
      const keep = (n: Node): Node => spread(b.reshape(n, [3, 1]), x);
      const e = b.unary("exp", b.binary("sub", x, keep(b.reduce("max", x, [1]))));
      return [b.binary("div", e, keep(b.reduce("sum", e, [1])))];
    });
  });

  test.each([130, 300, 1024])("rows of %i numbers in several passes: several at once", (n) => {
    const keep = (y: Node, x: Node): Node => spread(b.reshape(y, [23, 1]), x);
    check([23, n], (x) => {
      const e = b.unary("exp", b.binary("sub", x, keep(b.reduce("max", x, [1]), x)));
      return [b.binary("div", e, keep(b.reduce("sum", e, [1]), x))];
    });
    check([23, n], (x) => {
      const mean = (y: Node): Node => b.binary("mul", b.reduce("sum", y, [1]), b.full([23], 1 / n, "float32"));
      const centred = b.binary("sub", x, keep(mean(x), x));
      const variance = mean(b.binary("mul", centred, centred));
      return [b.binary("div", centred, keep(b.unary("sqrt", variance), x)), variance];
    });
  });

  test.each([false, true])("GELU in its tanh form; its sigmoid wanted too: %s", (both) => {
    check([7, 333], (unit) => {
      const full = (c: number): Node => b.full([7, 333], c, "float32");
      const x = b.binary("mul", unit, full(12));
      const cubic = b.binary("add", b.binary("mul", b.binary("mul", x, x), full(0.0713548)), full(1.5957691));
      const power = b.unary("exp", b.unary("neg", b.binary("mul", x, cubic)));
      const gate = b.binary("div", full(1), b.binary("add", full(1), power));
      return both ? [b.binary("mul", gate, x), gate] : [b.binary("mul", x, gate)];
    });
  });

  test("rows of few batches are blocks together", () => {
    check([3, 11, 130], (x) => {
      const keep = (n: Node): Node => spread(b.reshape(n, [3, 11, 1]), x);
      return [b.binary("sub", x, keep(b.reduce("max", x, [2])))];
    });
  });

  test("added rows of a table: columns are blocks, and equal indices add up in order", () => {
    check([50, 37], (x) => {
      const at = b.binary("mod", b.cast(b.iota([50], 0, "int32"), "int32"), b.full([50], 7, "int32"));
      return [b.scatterAdd(b.full([9, 37], 0.5, "float32"), at, x, 0)];
    });
  });
});
