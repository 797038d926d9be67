/** Random convolutions and windows, differentiated twice, against centred differences. */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as c from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";

const small = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const axis = fc.record({
  size: small(7),
  kernel: small(4),
  stride: small(3),
  dilation: small(3),
  lo: fc.integer({ min: 0, max: 4 }),
  hi: fc.integer({ min: 0, max: 4 }),
});

const uniform = (...shape: number[]): Tensor => c.random.uniform(shape, { low: -1, high: 1, dtype: "float64" });
const loose = { tolerance: 1e-4, throws: false, samples: 6 };

/** Both orders of derivative of Σ w f(…)², which is not linear. */
function check(f: (...xs: Tensor[]) => Tensor, xs: Tensor[]): void {
  const loss = (...args: Tensor[]): Tensor => {
    const y = f(...args);
    return y.square().mul(c.arange(y.size).reshape(y.shape).cos()).sum();
  };
  const first = c.checkGradients(loss, xs, loose);
  expect(first.passed, first.message).toBe(true);
  const all = { argnums: xs.map((_, i) => i) };
  const second = c.checkGradients(
    (...args: Tensor[]) =>
      c
        .stack(
          c
            .grad(
              loss,
              all,
            )(...args)
            .map((g) => g.sin().sum()),
        )
        .sum(),
    xs,
    loose,
  );
  expect(second.passed, second.message).toBe(true);
}

test("convolutions", () => {
  c.random.seed(30);
  fc.assert(
    fc.property(
      fc.array(axis, { minLength: 1, maxLength: 2 }),
      small(3),
      small(2),
      small(2),
      small(2),
      (axes, batch, groups, cin, cout) => {
        fc.pre(axes.every((a) => a.size + a.lo + a.hi >= (a.kernel - 1) * a.dilation + 1));
        const x = uniform(batch, ...axes.map((a) => a.size), groups * cin);
        const w = uniform(...axes.map((a) => a.kernel), cin, groups * cout);
        const options = {
          strides: axes.map((a) => a.stride),
          dilation: axes.map((a) => a.dilation),
          padding: axes.map((a): [number, number] => [a.lo, a.hi]),
          groups,
        };
        check((p, q) => c.conv(p, q, options), [x, w]);
      },
    ),
    { numRuns: 25, seed: 2 },
  );
});

test("transposed convolutions and pools", () => {
  c.random.seed(31);
  fc.assert(
    fc.property(
      fc.array(axis, { minLength: 1, maxLength: 2 }),
      small(2),
      small(3),
      fc.constantFrom("same", "valid"),
      (axes, batch, channels, padding) => {
        const strides = axes.map((a) => a.stride);
        const x = uniform(batch, ...axes.map((a) => a.size), channels);
        const w = uniform(...axes.map((a) => a.kernel), 2, channels);
        check((p, q) => c.convTranspose(p, q, { strides, padding: padding as "same" }), [x, w]);
        const window = axes.map((a) => (padding === "same" ? a.kernel : Math.min(a.kernel, a.size)));
        check((p) => c.avgPool(p, window, { strides, padding: padding as "same" }), [x]);
        check((p) => c.maxPool(p, window, { strides, padding: padding as "same" }), [x]);
      },
    ),
    { numRuns: 15, seed: 3 },
  );
});
