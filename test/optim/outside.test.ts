/**
 * Twenty steps of each optimizer against PyTorch and Keras (test/fixtures/optimizers.json, optimizers_more.json, nine digits), in
 * both floats, at once and compiled; learning rates against theirs.
 */
import { describe, expect, test } from "vitest";
import { valueAndGrad } from "../../src/autodiff/index.ts";
import * as optim from "../../src/optim/index.ts";
import { compiled, mul, square, sum, type Tensor, tensor, variable, type Variable } from "../../src/tensor/index.ts";
import { load, type Numbers, readFixture } from "../support/fixtures.ts";
import "../../src/engine.ts";

interface Case {
  readonly name: string;
  readonly options: optim.AdamOptions;
  readonly start: Numbers;
  readonly gradients: readonly (readonly number[])[];
  readonly path: readonly (readonly number[])[];
}

type Maker = (o: never) => optim.Optimizer;
const MAKE: Record<string, Maker> = {
  sgd: optim.sgd,
  momentum: optim.momentum,
  nesterov: optim.nesterov,
  adam: optim.adam,
  "adam other betas": optim.adam,
  adamw: optim.adamw,
};

const DTYPES = ["float64", "float32"] as const;
type Float = (typeof DTYPES)[number];
/** Nine digits of the fixture; a rounding of float32 a step. */
const within = (dtype: Float, size = 1): number => Math.max(1, size) * (dtype === "float64" ? 1e-8 : 1e-6);
const gap = (a: ArrayLike<number>, b: readonly number[]): number => Math.max(...b.map((v, i) => Math.abs(v - a[i])));
const largest = (x: readonly (readonly number[])[]): number => Math.max(...x.flat().map(Math.abs));

describe.each(DTYPES)("%s", (dtype) => {
  test.each(readFixture<Case>("optimizers"))("$name", ({ name, options, start, gradients, path }) => {
    for (const record of [false, true]) {
      const w = variable(load(start, dtype), { name: "w" });
      const optimizer = MAKE[name](options as never);
      optimizer.build([w]);
      const update = (g: Tensor): void => optimizer.update([w], [g]);
      const step = record ? compiled(update) : update;
      gradients.forEach((g, i) => {
        step(tensor(Float64Array.from(g), { shape: start.shape, dtype }));
        expect(gap(w.dataSync(), path[i]), `step ${i + 1}`).toBeLessThan(within(dtype, largest(path)));
      });
      expect(optimizer.iterations).toBe(20);
    }
  });
});

interface More {
  readonly name: string;
  readonly maker: string;
  readonly options: never;
  readonly path: readonly (readonly number[])[];
  readonly averages?: readonly number[];
}
interface Rates {
  readonly name: string;
  readonly arguments: readonly never[];
  readonly rates: readonly number[];
}

const [head, ...rest] = readFixture<unknown>("optimizers_more");
const { start, gradients } = head as { readonly start: number[]; readonly gradients: number[][] };
const CASES = rest.filter((c): c is More => "path" in (c as More));
const RATES = rest.filter((c): c is Rates => "rates" in (c as Rates));

const WRAPPED: Record<string, Maker> = {
  withWeightDecay: (o) => optim.withWeightDecay(optim.sgd(o), 0.1),
  withAccumulation: (o) => optim.withAccumulation(optim.adam(o), 3),
  withAverages: (o) => optim.withAverages(optim.adam(o), 0.8),
  coupled: (o) => optim.withWeightDecay(optim.adam(o), 0.1, { coupled: true }),
  torchAmsgrad: optim.amsgrad,
};

const parts = (flat: readonly number[], dtype: Float): [Tensor, Tensor] => [
  tensor(flat.slice(0, 6), { shape: [3, 2], dtype }),
  tensor(flat.slice(6), { shape: [2], dtype }),
];
const variables = (dtype: Float): Variable[] =>
  parts(start, dtype).map((x, i) => variable(x, { name: ["kernel", "bias"][i] }));
const flat = (vs: readonly Tensor[]): number[] => vs.flatMap((v) => [...v.dataSync()]);

describe.each(DTYPES)("%s", (dtype) => {
  test.each(CASES)("$name", ({ maker, options, path, averages }) => {
    const make = WRAPPED[maker] ?? (optim as unknown as Record<string, Maker>)[maker];
    for (const record of [false, true]) {
      const vs = variables(dtype);
      const optimizer = make(options);
      optimizer.build(vs);
      const scale = parts([1, 2, 3, 4, 5, 6, 7, 8], dtype);
      const down = (): void => {
        const half = (): Tensor => vs.map((v, i) => mul(sum(mul(square(v), scale[i])), 0.5)).reduce((a, b) => a.add(b));
        optimizer.update(vs, valueAndGrad(vs, half)[1]);
      };
      const given = (a: Tensor, b: Tensor): void => optimizer.update(vs, [a, b]);
      const steps: [() => void, (a: Tensor, b: Tensor) => void] = record
        ? [compiled(down), compiled(given)]
        : [down, given];
      path.forEach((want, i) => {
        if (maker === "lbfgs") steps[0]();
        else steps[1](...parts(gradients[i], dtype));
        expect(gap(flat(vs), want), `step ${i + 1}`).toBeLessThan(within(dtype, largest(path)));
      });
      if (averages !== undefined) {
        const kept = flat(vs);
        optim.swapAverages(optimizer, vs);
        expect(gap(flat(vs), averages)).toBeLessThan(within(dtype, largest(path)));
        optim.swapAverages(optimizer, vs);
        expect(flat(vs)).toEqual(kept);
      }
    }
  });
});

test.each(RATES)("the rates of $name", ({ name, arguments: given, rates }) => {
  const maker = (optim as unknown as Record<string, (...args: never[]) => optim.Schedule>)[name.split(",")[0]];
  const schedule = maker(...given);
  rates.forEach((want, step) => {
    const got = schedule(tensor(step));
    expect(Math.abs((typeof got === "number" ? got : got.item()) - want), `step ${step}`).toBeLessThan(1e-7);
  });
});
