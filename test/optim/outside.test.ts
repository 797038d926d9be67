/** Twenty steps of each optimizer against PyTorch (test/fixtures/optimizers.json, nine digits), in both floats, at once and compiled. */
import { describe, expect, test } from "vitest";
import { adam, type AdamOptions, adamw, momentum, nesterov, type Optimizer, sgd } from "../../src/optim/index.ts";
import { compiled, type Tensor, tensor, variable } from "../../src/tensor/index.ts";
import { load, type Numbers, readFixture } from "../support/fixtures.ts";
import "../../src/engine.ts";

interface Case {
  readonly name: string;
  readonly options: AdamOptions;
  readonly start: Numbers;
  readonly gradients: readonly (readonly number[])[];
  readonly path: readonly (readonly number[])[];
}

const MAKE: Record<string, (o: never) => Optimizer> = {
  sgd,
  momentum,
  nesterov,
  adam,
  "adam other betas": adam,
  adamw,
};

describe.each(["float64", "float32"] as const)("%s", (dtype) => {
  test.each(readFixture<Case>("optimizers"))("$name", ({ name, options, start, gradients, path }) => {
    for (const record of [false, true]) {
      const w = variable(load(start, dtype), { name: "w" });
      const optimizer = MAKE[name](options as never);
      optimizer.build([w]);
      const update = (g: Tensor): void => optimizer.update([w], [g]);
      const step = record ? compiled(update) : update;
      gradients.forEach((g, i) => {
        step(tensor(Float64Array.from(g), { shape: start.shape, dtype }));
        const off = Math.max(...w.dataSync().map((v, k) => Math.abs(v - path[i][k])));
        expect(off, `step ${i + 1}`).toBeLessThan(dtype === "float64" ? 2e-8 : 3e-6);
      });
      expect(optimizer.iterations).toBe(20);
    }
  });
});
