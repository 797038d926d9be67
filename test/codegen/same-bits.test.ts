/**
 * Every device that multiplies and adds with one rounding makes the same bits, whatever its lanes, registers and caches: kernels
 * with the same data on WebAssembly, AVX2 and AVX-512.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planContract } from "../../src/codegen/contract/index.ts";
import { type ContractKernel, makePlan } from "../../src/schedule/index.ts";
import { topoOrder } from "../../src/ir/index.ts";
import { growGraph, growStep } from "../fuzz/graphs.ts";
import { LARGE, SMALL } from "../fuzz/pool.ts";
import { type Backend, machines } from "../support/backends.ts";
import { bitsApart, kernelsOf } from "../support/same-bits.ts";

const cached = (m: Backend, l1: number, l2: number): Backend => ({
  ...m,
  target: {
    ...m.target,
    name: `${m.target.name} with caches of ${l1} and ${l2} KB`,
    l1Bytes: l1 << 10,
    l2Bytes: l2 << 10,
  },
});
const fused = machines.filter((m) => m.target.fma);
const all = fused.flatMap((m) => (m.target.lanes === 4 ? [m] : [cached(m, 48, 2048), cached(m, 32, 256)]));

const x = (size: number, a: number, b: number, c: number): { size: number; a: number; b: number; c: number } => ({
  size,
  a,
  b,
  c,
});
/** A product of matrices, either of them turned, with a plain store. */
function product(M: number, N: number, K: number, turnA = false, turnB = false): ContractKernel {
  return {
    kind: "contract",
    dtype: "float32",
    batch: [],
    m: [x(M, turnA ? 1 : K, 0, N)],
    n: [x(N, 0, turnB ? K : 1, 1)],
    k: [x(K, turnA ? M : 1, turnB ? 1 : N, 0)],
    aOffset: 0,
    bOffset: 0,
    args: ["float32", "float32", "float32"],
    exs: [{ k: "tile", dtype: "float32" }],
    stores: [{ arg: 2, index: { c: 0, t: [N, 1] }, dyn: [], value: 0, dtype: "float32", add: false }],
  };
}

const LIBRARY: ReadonlySet<string> = new Set(["exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "erf", "pow"]);

describe.skipIf(all.length < 2)("one order of sums on all machines", () => {
  const sizes = [
    [128, 256, 784],
    [33, 70, 1500],
    [64, 1100, 700],
    [700, 130, 1200],
    [300, 6, 400],
    [300, 8, 1300],
    [300, 3, 258],
    [3, 2048, 900],
    [1, 37, 1000],
    [1, 3, 1000],
    [1, 1, 777],
    [37, 1, 500],
  ];
  test.each(sizes)("products %i x %i x %i", (M, N, K) => {
    for (const turnA of [false, true])
      for (const turnB of [false, true])
        expect(bitsApart(product(M, N, K, turnA, turnB), all), `A turned ${turnA}, B ${turnB}`).toBe(null);
  });

  test("these products have blocks of k that differ, pairs of steps, and lanes along k", () => {
    const plans = sizes.map(([M, N, K]) => all.map((m) => planContract(product(M, N, K, false, true), m.target)));
    expect(plans.some((list) => new Set(list.map((p) => p.kSteps)).size > 1)).toBe(true);
    expect(plans.some((list) => list.every((p) => p.pairs > 0))).toBe(true);
    expect(plans.some((list) => list.every((p) => p.dot))).toBe(true);
  });

  const step = fc.array(fc.nat(255), { minLength: 6, maxLength: 6 });
  test.each([
    ["graphs", growGraph, SMALL, 60],
    ["training steps", growStep, SMALL, 40],
    ["large graphs", growGraph, LARGE, 15],
  ] as const)("random %s", { timeout: 600_000 }, (_, grow, scale, numRuns) => {
    for (const choices of fc.sample(fc.array(step, { minLength: 4, maxLength: 40 }), { numRuns, seed: 3 })) {
      const g = grow(choices, scale);
      if (g.outputs.length === 0) continue;
      const inputs = topoOrder(g.outputs).filter((n) => n.op === "leaf");
      for (const { name, kernel } of kernelsOf(makePlan({ inputs, outputs: g.outputs, updates: [] }))) {
        // float64 has C's functions on x64 and the host's on WebAssembly; they differ in last bits.
        if (kernel.exs.some((e) => e.k === "op" && e.dtype === "float64" && LIBRARY.has(e.op))) continue;
        expect(bitsApart(kernel, all), `${name}: ${JSON.stringify(kernel)}`).toBe(null);
      }
    }
  });
});
