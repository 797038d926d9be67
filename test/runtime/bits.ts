/** Results do not depend on the number of threads, not in one bit: every primitive, random graphs, training. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { TypedArray } from "../../src/base/index.ts";
import { engine } from "../../src/engine.ts";
import { compiled, scan, setThreads, type Tensor, tensor, valueAndGrad, variable } from "../../src/index.ts";
import { type Node, printGraph, topoOrder } from "../../src/ir/index.ts";
import { adam } from "../../src/optim/index.ts";
import { growGraph, growStep } from "../fuzz/graphs.ts";
import { prepare } from "../ops/prepare.ts";
import { TABLE } from "../ops/table.ts";
import { traced } from "../support/execute.ts";
import { rngOf } from "../support/random.ts";
import { lenet, mlp, resnet, stripes } from "../train/nets.ts";
import { divideAll, gather } from "./crew.ts";

const COUNTS = [1, 2, 3, 4];

beforeAll(async () => {
  divideAll();
  await gather(4);
});

const bytesOf = (a: TypedArray): Buffer => Buffer.from(a.buffer, a.byteOffset, a.byteLength);

/** Runs a graph with every number of threads, twice; new values of inputs are results, too. */
function sameBits(
  outputs: readonly Node[],
  leaves: ReadonlyMap<Node, TypedArray>,
  updates: [Node, number][] = [],
): void {
  const inputs = topoOrder(outputs).filter((n) => n.op === "leaf");
  for (const [leaf] of updates) if (!inputs.includes(leaf)) inputs.push(leaf);
  const program = engine.compile({
    inputs,
    outputs,
    updates: updates.map(([leaf, i]) => ({ input: inputs.indexOf(leaf), value: outputs[i] })),
  });
  let want: Buffer[] | null = null;
  for (const threads of [...COUNTS, ...COUNTS]) {
    setThreads(threads);
    const values = inputs.map((n) => engine.fromHost(leaves.get(n) as TypedArray, n.shape, n.dtype));
    const got = [...program.run(values), ...values].map((v) => bytesOf(v.read()));
    want ??= got;
    for (const [i, w] of want.entries())
      if (!w.equals(got[i])) expect.fail(`result ${i} differs with ${threads} threads\n${printGraph(outputs)}`);
  }
}

describe("primitives", () => {
  test.each(TABLE.map((row, i) => [`${row.name} (row ${i})`, row] as const))("%s", (_, row) => {
    const dtype = row.dtypes.includes("float32") ? "float32" : row.dtypes[0];
    for (const [k, c] of [...row.cases, row.large].entries()) {
      traced(() => {
        const p = prepare(row, c, dtype, "plain", rngOf(k + 1));
        if (p !== null) sameBits([p.out], p.leaves);
      });
    }
  });
});

const step = fc.array(fc.nat(255), { minLength: 6, maxLength: 6 });
const choices = fc.array(step, { minLength: 4, maxLength: 40 });

test.each([
  ["graphs", growGraph],
  ["training steps", growStep],
] as const)("random %s", { timeout: 120_000 }, (_, grow) => {
  for (const list of fc.sample(choices, { numRuns: 40, seed: 11 })) {
    const g = grow(list);
    if (g.outputs.length > 0)
      sameBits(
        g.outputs,
        g.leaves,
        g.updates.map((u) => [u.leaf, u.output]),
      );
  }
});

test.each([
  ["MLP", mlp],
  ["LeNet-like", lenet],
  ["residual block with batch norm", resnet],
])("ten training steps of the network: %s", { timeout: 60_000 }, async (_, net) => {
  const weights: Buffer[][] = [];
  for (const threads of COUNTS) {
    setThreads(threads);
    const model = net();
    model.compile({ optimizer: adam(5e-3), loss: "sparseCategoricalCrossentropy" });
    await model.fit(stripes(320), { batchSize: 32, seed: 1, verbose: 0 });
    weights.push(model.variables.map((v) => bytesOf(v.dataSync())));
  }
  for (const w of weights.slice(1)) expect(w).toEqual(weights[0]);
});

test("a training step through time, with a loop inside of a loop", () => {
  const filled = (n: number, f: number): number[] => Array.from({ length: n }, (_, i) => Math.sin(f * i));
  const runs: Buffer[][] = [];
  for (const threads of COUNTS) {
    setThreads(threads);
    const w = variable(tensor(filled(24 * 24, 1.3), { shape: [24, 24] }).mul(0.2));
    const xs = tensor(filled(7 * 3 * 5 * 24, 0.7), { shape: [7, 3, 5, 24] });
    const cell = (c: Tensor, row: Tensor): [Tensor, Tensor] => {
      const next = c.matmul(w).add(row).tanh();
      return [next, next.mul(0.5)];
    };
    const row = (h: Tensor, x: Tensor): [Tensor, Tensor] => {
      const [last, all] = scan(cell, h, x);
      return [last, all.sum(0)];
    };
    const train = compiled((xs: Tensor) => {
      const [loss, [g]] = valueAndGrad([w], () => {
        const [end, ys] = scan(row, tensor(filled(5 * 24, 0.3), { shape: [5, 24] }), xs, { reverse: true });
        return end.mul(end).sum().add(ys.sum());
      });
      w.assign(w.sub(g.mul(0.01)));
      return loss;
    });
    const losses = Array.from({ length: 5 }, () => train(xs).dataSync());
    runs.push([...losses, w.dataSync()].map(bytesOf));
  }
  for (const r of runs.slice(1)) expect(r).toEqual(runs[0]);
});
