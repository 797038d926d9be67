import { hostArray, sizeOf } from "../../src/base/index.ts";
import { interpret } from "../../src/codegen/interp/index.ts";
import { engine } from "../../src/engine.ts";
import { build as b, type Node } from "../../src/ir/index.ts";
import { verifyLowered } from "../support/verify.ts";

export const leaf = (...shape: number[]): Node => b.leaf(shape, "float32");
export const indices = (...shape: number[]): Node => b.leaf(shape, "int32");

/** Data of a leaf that repeats from run to run: floats in -0.9..1.1, whole numbers 0..2. */
function dataOf(n: Node, k: number): ReturnType<typeof hostArray> {
  const a = hostArray(n.dtype, sizeOf(n.shape));
  for (let i = 0; i < a.length; i++) a[i] = n.dtype === "float32" ? Math.sin(i * 1.7 + k * 3.1) + 0.1 : (i * 7) % 3;
  return a;
}

/** Runs a graph twice on the engine, results and updated inputs against the interpreter. */
export function agrees(inputs: Node[], outputs: Node[], updates: [input: number, value: Node][] = []): void {
  const data = inputs.map(dataOf);
  const all = [...outputs, ...updates.map((u) => u[1])];
  const want = interpret(all, new Map(inputs.map((n, i) => [n, data[i]])), { precision: "native" });
  const graph = { inputs, outputs, updates: updates.map(([input, value]) => ({ input, value })) };
  verifyLowered(graph);
  const program = engine.compile(graph);
  for (let run = 0; run < 2; run++) {
    const values = data.map((d, i) => engine.fromHost(d, inputs[i].shape, inputs[i].dtype));
    const results = [...program.run(values), ...updates.map(([i]) => values[i])];
    for (const [i, result] of results.entries()) {
      result.read().forEach((got, j) => {
        const exact = want[i][j];
        if (Math.abs(got - exact) <= 1e-4 * (1 + Math.abs(exact))) return;
        throw new Error(`run ${run}, result ${i}, element ${j}: ${got}, want ${exact}\n${program.explain()}`);
      });
    }
  }
}
