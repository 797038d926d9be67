/** Random compositions, differentiated twice, against centred differences. */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as c from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";

type Step = (x: Tensor, w: Tensor) => Tensor;

/** Smooth steps that keep x of rank 2 and of moderate size; w is [columns of x, 3]. */
const STEPS: Record<string, Step> = {
  tanh: (x) => x.tanh(),
  sigmoid: (x) => x.sigmoid(),
  sin: (x) => x.sin(),
  softplus: (x) => x.softplus(),
  gelu: (x) => c.gelu(x),
  square: (x) => x.square().mul(0.3),
  softmax: (x) => x.softmax(1),
  logSoftmax: (x) => c.logSoftmax(x, 0),
  norm: (x) => x.sub(x.mean(1, { keepdims: true })).div(x.variance(1, { keepdims: true }).add(0.5).sqrt()),
  residual: (x) => x.add(x.sin()),
  matmul: (x, w) => x.matmul(w.slice([0, x.shape[1]])).mul(0.5),
  gram: (x) => x.matmul(x.T).matmul(x).mul(0.1),
  transpose: (x) => x.T,
  flip: (x) => x.flip(1).mul(x),
  columns: (x) => x.slice(null, [null, null, -1]),
  rows: (x) => c.concat([x, x.slice([0, 1]).cos()], 0),
  pad: (x) =>
    x.pad(
      [
        [1, 0],
        [0, 1],
      ],
      { value: 0.3 },
    ),
  gather: (x) => x.gather([0, -1, 0]),
  cumsum: (x) => x.cumsum(1).mul(0.5),
  row: (x) => x.mul(x.sum(0).sin()),
  column: (x) => x.add(x.at(0, 0)),
  logSumExp: (x) => x.sub(x.logSumExp(1, { keepdims: true })),
  where: (x) => c.where(x.greater(0.05), x.mul(x), x.mul(0.5)),
  conv: (x, w) => c.conv(x.expandDims([0, 3]), w.at(0).reshape([1, 3, 1, 1]), { padding: "same" }).reshape(x.shape),
  pool: (x) => c.avgPool(x.expandDims([0, 3]), 2, { strides: 1, padding: "same" }).reshape(x.shape),
  loop: (x) => c.scan((h: Tensor, r: Tensor) => [h.mul(0.5).add(r).tanh(), h] as const, x.at(0), x)[1],
  checkpoint: (x) => c.checkpoint((v: Tensor) => v.tanh().mul(v))(x),
};

const steps = fc.array(fc.constantFrom(...Object.keys(STEPS)), { minLength: 1, maxLength: 6 });

test("gradients and second gradients of random compositions", () => {
  c.random.seed(20);
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), (names, rows, columns) => {
      const x = c.random.uniform([rows, columns], { low: -1, high: 1, dtype: "float64" });
      const w = c.random.uniform([24, 3], { low: -1, high: 1, dtype: "float64" });
      const f = (a: Tensor, b: Tensor): Tensor => {
        let y = a;
        for (const name of names) if (y.size <= 64) y = STEPS[name](y, b);
        return y.mul(c.arange(y.size).reshape(y.shape).sin()).sum();
      };
      const loose = { tolerance: 1e-4, throws: false, samples: 8 };
      const first = c.checkGradients(f, [x, w], loose);
      expect(first.passed, first.message).toBe(true);
      const second = c.checkGradients((a: Tensor, b: Tensor) => c.grad(f)(a, b).square().sum(), [x, w], loose);
      expect(second.passed, second.message).toBe(true);
    }),
    { numRuns: 40, seed: 1 },
  );
});
