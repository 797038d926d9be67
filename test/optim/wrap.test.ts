/** Optimizers around optimizers, constraints, the look-ahead form, and what the rules are compiled to. */
import { describe, expect, test } from "vitest";
import { grad, valueAndGrad } from "../../src/autodiff/index.ts";
import * as optim from "../../src/optim/index.ts";
import {
  compiled,
  explain,
  matmul,
  maximum,
  mean,
  mul,
  random,
  square,
  sum,
  type Tensor,
  tensor,
  variable,
  type Variable,
  zeros,
} from "../../src/tensor/index.ts";
import { numbers } from "../nn/harness.ts";
import "../../src/engine.ts";

const f64 = (x: number[], shape = [x.length]): Tensor => tensor(x, { shape, dtype: "float64" });
const list = (t: Tensor): number[] => [...t.dataSync()];
const gap = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((v, i) => Math.abs(v - b[i])));
const named = (name: string, x: number[]): Variable => variable(f64(x), { name });

describe("forms of one rule", () => {
  const path = (optimizer: optim.Optimizer, steps = 50): number[][] => {
    const w = named("w", [1, 1]);
    return Array.from({ length: steps }, () => {
      optimizer.update(
        [w],
        grad([w], () => mul(sum(mul(square(w), f64([1, 10]))), 0.5)),
      );
      return list(w);
    });
  };

  test("S-113, S-114 both momentum forms: the averaged one at α is the classical one at α(1 − β)", () => {
    const averaged = path(optim.sgd({ learningRate: 0.02, momentum: 0.9, form: "averaged" }));
    const classical = path(optim.momentum(0.02 * 0.1));
    averaged.forEach((w, i) => expect(gap(w, classical[i])).toBeLessThan(1e-14));
    const ahead = path(optim.nesterov({ learningRate: 0.02, form: "averaged" }));
    path(optim.nesterov(0.002)).forEach((w, i) => expect(gap(w, ahead[i])).toBeLessThan(1e-14));
    // They differ where the rate changes: the classical one remembers steps, the averaged one gradients.
    const falling: optim.Schedule = (step) => step.add(1).reciprocal().mul(0.02);
    const a = path(optim.sgd({ learningRate: falling, momentum: 0.9, form: "averaged" }), 3);
    const b = path(optim.sgd({ learningRate: (s) => mul(falling(s), 0.1), momentum: 0.9 }), 3);
    expect(gap(a[0], b[0])).toBeLessThan(1e-8);
    expect(gap(a[1], b[1])).toBeGreaterThan(1e-4);
  });

  test("S-123 Nesterov's look-ahead form: its look-ahead point is the transformed form's weights", () => {
    const transformed = path(optim.nesterov(0.01));
    const w = named("w", [1, 1]);
    const optimizer = optim.sgd({ learningRate: 0.01, momentum: 0.9 });
    const loss = (): Tensor => mul(sum(mul(square(w), f64([1, 10]))), 0.5);
    const step = compiled(() => {
      const [value, gradients] = optim.atLookAhead(optimizer, [w], 0.9, () => valueAndGrad([w], loss));
      optimizer.update([w], gradients);
      return value;
    });
    for (const want of transformed) {
      step();
      const v = list(optimizer.slot(w, "momentum") as Variable);
      expect(
        gap(
          list(w).map((x, i) => x + 0.9 * v[i]),
          want,
        ),
      ).toBeLessThan(1e-15);
    }
    expect(() => optim.atLookAhead(optim.adam(), [w], 0.9, loss)).toThrow('"adam" has no momentum');
  });

  test("S-130, S-132 Adam's plain order is the efficient one to 1e-12", () => {
    const plain = path(optim.adam({ learningRate: 0.05, form: "plain" }));
    path(optim.adam(0.05)).forEach((w, i) => expect(gap(w, plain[i])).toBeLessThan(1e-12));
    const keras = path(optim.adam({ learningRate: 0.05, form: "keras", epsilon: 0.1 }), 1)[0];
    const other = path(optim.adam({ learningRate: 0.05, epsilon: 0.1 }), 1)[0];
    expect(gap(keras, other)).toBeGreaterThan(1e-2);
  });

  test("momentum and decay may follow schedules", () => {
    const switched: optim.Schedule = (step) => step.greater(0).cast("float32").mul(0.9);
    const w = named("w", [0]);
    const optimizer = optim.sgd({ learningRate: 1, momentum: switched });
    const at: number[] = [];
    for (let i = 0; i < 3; i++) {
      optimizer.update([w], [f64([1])]);
      at.push(w.item());
    }
    // v: −1, −1.9, −2.71 from the second step on.
    expect(gap(at, [-1, -2.9, -5.61])).toBeLessThan(1e-6);
    const decayed = optim.adamw({ learningRate: 0.5, weightDecay: (step) => step.add(1).mul(0.1) });
    const v = named("v", [1]);
    for (const want of [0.95, 0.95 * 0.9]) {
      decayed.update([v], [f64([0])]);
      expect(v.item()).toBeCloseTo(want, 7);
    }
  });
});

describe("wrappers", () => {
  const pair = (): Variable[] => [named("dense/kernel", [1, 2]), named("dense/bias", [3]), named("head/kernel", [4])];
  const unit = (vs: readonly Variable[]): Tensor[] => vs.map((v) => f64(Array.from({ length: v.size }, () => 1)));

  test("withWeightDecay leaves out what it is told to; coupled, it is the gradient of an L2 penalty", () => {
    const vs = pair();
    const zero = vs.map((v) => zeros(v.shape, { dtype: "float64" }));
    optim.withWeightDecay(optim.sgd(0.5), 0.1, { exclude: /bias/ }).update(vs, zero);
    expect(vs.map(list)).toEqual([[0.95, 1.9], [3], [3.8]]);
    const make = (o: optim.Optimizer, penalty: boolean): number[] => {
      const w = named("w", [1, -2]);
      const target = (): Tensor => sum(mul(w, f64([0.3, 0.1])));
      for (let i = 0; i < 10; i++)
        o.update(
          [w],
          grad([w], () => (penalty ? target().add(mul(sum(square(w)), 0.05)) : target())),
        );
      return list(w);
    };
    const coupled = make(optim.withWeightDecay(optim.adam(0.1), 0.1, { coupled: true }), false);
    expect(gap(coupled, make(optim.adam(0.1), true))).toBeLessThan(1e-12);
    expect(() => optim.withWeightDecay(optim.sgd(1), -1)).toThrow("[withWeightDecay] decay must be ≥ 0, got -1.");
  });

  test("withLearningRates: by layer, by variable, by function; names that fit nothing are refused", () => {
    const vs = pair();
    optim.withLearningRates(optim.sgd(1), { dense: 0.5, "dense/bias": 0.25 }).update(vs, unit(vs));
    expect(vs.map(list)).toEqual([[0.5, 1.5], [2.75], [3]]);
    // Adam's own scalars follow the rate of each variable.
    const [a, b] = [pair(), pair()];
    const slow = optim.withLearningRates(optim.adam(0.1), (v) => (v.name.startsWith("head") ? 0.1 : 1));
    const [fast, plain] = [optim.adam(0.1), optim.adam(0.01)];
    for (let i = 0; i < 3; i++) {
      slow.update(a, unit(a));
      fast.update(b.slice(0, 2), unit(b.slice(0, 2)));
      plain.update([b[2]], unit([b[2]]));
    }
    expect(gap(a.flatMap(list), b.flatMap(list))).toBeLessThan(1e-8);
    expect(() => optim.withLearningRates(optim.sgd(1), { tail: 2 }).update(pair(), unit(vs))).toThrow(
      '[withLearningRates] no variable belongs to "tail": there are dense/kernel, dense/bias, head/kernel.',
    );
  });

  test("withAccumulation: three batches of a third are one update of the whole, also with Nadam's product and a schedule", () => {
    for (const make of [
      (): optim.Optimizer => optim.nadam(0.1),
      (): optim.Optimizer => optim.adam({ learningRate: optim.inverseTimeDecay(0.1, 1, 1), globalClipNorm: 0.5 }),
    ]) {
      const [a, b] = [named("w", [1, -1]), named("w", [1, -1])];
      const [whole, thirds] = [make(), optim.withAccumulation(make(), 3)];
      for (let i = 0; i < 4; i++) {
        whole.update([a], [f64([i + 1, 2 - i])]);
        const before = list(b);
        for (const k of [0, 1, 2]) {
          expect(list(b)).toEqual(before);
          thirds.update([b], [f64([i + 1 + (k - 1), 2 - i - (k - 1)])]);
        }
        expect(gap(list(a), list(b))).toBeLessThan(1e-12);
      }
      expect([whole.iterations, thirds.iterations]).toEqual([4, 12]);
    }
    expect(() => optim.withAccumulation(optim.sgd(1), 0)).toThrow("steps must be a whole number ≥ 1");
  });

  test("S-152 withProximalL1 makes exact zeros of 20 features, 3 of which matter; weight decay makes none", () => {
    const x = numbers(5, [200, 20], "float64");
    const truth = tensor([...[3, -2, 4], ...Array<number>(17).fill(0)], { shape: [20, 1], dtype: "float64" });
    const y = matmul(x, truth).add(numbers(6, [200, 1], "float64").mul(0.1));
    const fit = (optimizer: optim.Optimizer): number[] => {
      const w = variable(zeros([20, 1], { dtype: "float64" }), { name: "w" });
      const step = compiled(() =>
        optimizer.update(
          [w],
          grad([w], () => mean(square(matmul(x, w).sub(y)))),
        ),
      );
      for (let i = 0; i < 300; i++) step();
      return list(w);
    };
    const sparse = fit(optim.withProximalL1(optim.sgd(0.05), 0.3));
    expect(sparse.filter((v) => v === 0).length).toBeGreaterThanOrEqual(12);
    expect(sparse.slice(0, 3).every((v) => Math.abs(v) > 1)).toBe(true);
    expect(fit(optim.withWeightDecay(optim.sgd(0.05), 0.6)).filter((v) => v === 0)).toHaveLength(0);
  });

  test("withAverages: the mean of the weights is nearer to the truth than the last of noisy steps", () => {
    const w = named("w", [3]);
    const optimizer = optim.withAverages(optim.sgd(0.3), 0.98);
    const noise = list(random.normal([400], { dtype: "float64", key: [1, 2] }));
    let off = 0;
    for (const n of noise) {
      optimizer.update([w], [w.add(n)]);
      off += w.item() ** 2;
    }
    const swap = (): void => optim.swapAverages(optimizer, [w]);
    const last = w.item();
    swap();
    expect(Math.abs(w.item())).toBeLessThan(Math.sqrt(off / noise.length) / 2);
    swap();
    expect(w.item()).toBe(last);
    expect(() => optim.swapAverages(optim.adam(), [w])).toThrow('"adam" has no averages of these variables');
  });

  test("they nest, and their state is saved under the names of all", () => {
    const vs = pair();
    const make = (): optim.Optimizer =>
      optim.withAverages(
        optim.withAccumulation(optim.withWeightDecay(optim.nadam(1e-2), 0.1, { exclude: /bias/ }), 2),
        0.9,
      );
    const first = make();
    for (let i = 0; i < 5; i++) first.update(vs, unit(vs));
    expect(first.optimizer).toBe("nadam+weightDecay+accumulation+averages");
    expect(Object.keys(first.state())).toEqual([
      "iterations",
      "learning_rate",
      "product",
      ...vs.flatMap((v) => ["m", "v", "accumulated", "average"].map((slot) => `${v.name}/${slot}`)),
    ]);
    const again = pair();
    again.forEach((v, i) => v.assign(vs[i]));
    const second = make();
    second.build(again);
    second.load(first.state());
    for (let i = 0; i < 3; i++) {
      first.update(vs, unit(vs));
      second.update(again, unit(again));
    }
    expect(again.map(list)).toEqual(vs.map(list));
  });
});

test("constraints of variables hold after every update", () => {
  const w = named("w", [0.5, -0.5]);
  w.constraint = (x) => maximum(x, 0);
  const optimizer = optim.adam(0.1);
  optimizer.update([w], [f64([1, -1])]);
  expect(list(w)).toEqual([expect.closeTo(0.4, 6), 0]);
});

describe("one kernel a variable", () => {
  /** The kernels that work on a whole [300, 200] variable. */
  const kernels = (optimizer: optim.Optimizer): string[] => {
    const w = variable(zeros([300, 200]), { name: "w" });
    const text = explain((g: Tensor) => optimizer.update([w], [g]))(zeros([300, 200]));
    return text.split("\n").filter((l) => /^ *\d+ +(loop|contract)/.test(l) && !/ \d+flop/.test(l));
  };
  const makers: Record<string, () => optim.Optimizer> = {
    sgd: () => optim.sgd(0.1),
    nesterov: () => optim.nesterov(0.1),
    averaged: () => optim.sgd({ learningRate: 0.1, momentum: 0.9, form: "averaged" }),
    adagrad: optim.adagrad,
    rmsprop: () => optim.rmsprop({ momentum: 0.9, centered: true }),
    adadelta: optim.adadelta,
    adam: optim.adam,
    "adam, plain": () => optim.adam({ form: "plain" }),
    adamw: optim.adamw,
    amsgrad: optim.amsgrad,
    adamax: optim.adamax,
    nadam: optim.nadam,
    lion: optim.lion,
    ftrl: optim.ftrl,
    "adam with everything": () =>
      optim.withAverages(
        optim.withAccumulation(
          optim.withLearningRates(optim.withProximalL1(optim.withWeightDecay(optim.adam(), 0.1), 0.1), { w: 0.5 }),
          4,
        ),
      ),
  };
  test.each(Object.entries(makers))("%s", (_, make) => {
    expect(kernels(make())).toHaveLength(1);
  });

  test("LAMB and Adafactor need the norms of whole variables, Muon products of matrices", () => {
    expect(kernels(optim.lamb())).toHaveLength(4);
    expect(kernels(optim.adafactor())).toHaveLength(6);
    expect(kernels(optim.muon()).filter((k) => k.includes("contract"))).toHaveLength(15);
  });
});
