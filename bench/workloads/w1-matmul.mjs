// W1: C = A·B, float32 N×N. Small products are repeated so that a step takes a measurable time.
import { meanAbs } from "../lib/measure.mjs";
import { uniform } from "../lib/random.mjs";

const figure = (n, rest) => ({
  metric: `matmul ${n}`,
  work: (2 * n ** 3) / 1e9,
  unit: "GFLOP/s",
  calls: Math.max(1, Math.floor(2e7 / n ** 3)),
  warm: n >= 1024 ? 1 : 3,
  ...rest,
});
const operands = (n) => [uniform("a", [n, n]), uniform("b", [n, n])];
const sizes = [64, 128, 256, 512, 1024, 2048];

export async function* chainrule({ array }) {
  const { compiled, matmul } = await import("chainrule");
  const product = compiled((a, b) => matmul(a, b));
  for (const n of sizes) {
    const [a, b] = operands(n).map(array);
    const { calls } = figure(n);
    yield figure(n, {
      step() {
        for (let i = 0; i < calls; i++) product(a, b).dispose();
      },
      check: () => meanAbs(product(a, b).dataSync()),
    });
  }
}

export function* jax({ array, jit, np }) {
  const product = jit((a, b) => np.matmul(a, b));
  for (const n of sizes) {
    const [a, b] = operands(n).map(array);
    const { calls } = figure(n);
    yield figure(n, {
      async step() {
        for (let i = 0; i < calls; i++) {
          const c = product(a.ref, b.ref);
          await c.blockUntilReady();
          c.dispose();
        }
      },
      check: async () => meanAbs(await product(a.ref, b.ref).data()),
    });
  }
}

// Its kernels run when called: nothing to wait for.
export function* tfjs({ array, backend, tf }) {
  for (const n of backend === "cpu" ? sizes.filter((size) => size <= 1024) : sizes) {
    const [a, b] = operands(n).map(array);
    const { calls } = figure(n);
    yield figure(n, {
      step() {
        for (let i = 0; i < calls; i++) tf.matMul(a, b).dispose();
      },
      check: async () => meanAbs(await tf.matMul(a, b).data()),
    });
  }
}

export async function* ort({ graph, input, session }) {
  for (const n of sizes) {
    const pair = operands(n).map(input);
    const g = graph(pair);
    const run = await session(g.model(g.node("MatMul", ["x0", "x1"])), pair);
    const { calls } = figure(n);
    yield figure(n, {
      async step() {
        for (let i = 0; i < calls; i++) await run();
      },
      check: async () => meanAbs((await run()).data),
    });
  }
}
