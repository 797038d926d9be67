/** The optimizer rows of the catalogue, with their own numbers, in float64. */
import { describe, expect, test } from "vitest";
import { grad } from "../../src/autodiff/index.ts";
import { sampleNormal } from "../../src/nn/sampling.ts";
import { keyOfSeed } from "../../src/base/index.ts";
import * as optim from "../../src/optim/index.ts";
import {
  compiled,
  mul,
  square,
  stack,
  sum,
  type Tensor,
  tensor,
  variable,
  type Variable,
  zeros,
} from "../../src/tensor/index.ts";
import "../../src/engine.ts";

const { adam, adamw, momentum, nesterov, rmsprop, sgd } = optim;
const f64 = (x: number | number[]): Tensor => tensor(x, { dtype: "float64" });
const list = (t: Tensor): number[] => [...t.dataSync()];
const gap = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((v, i) => Math.abs(v - b[i])));

/** The values of w after each step on the given gradients. */
function onGradients(
  optimizer: optim.Optimizer,
  gradients: readonly (readonly number[])[],
  start: readonly number[],
): number[][] {
  const w = variable(f64([...start]), { name: "w" });
  return gradients.map((g) => {
    optimizer.update([w], [f64([...g])]);
    return list(w);
  });
}

/** The path of w down a loss. */
function descend(
  optimizer: optim.Optimizer,
  loss: (w: Tensor) => Tensor,
  start: readonly number[],
  steps: number,
): number[][] {
  const w = variable(f64([...start]), { name: "w" });
  optimizer.build([w]);
  const step = compiled(() => {
    const [g] = grad([w], () => loss(w));
    optimizer.update([w], [g]);
  });
  return Array.from({ length: steps }, () => {
    step();
    return list(w);
  });
}

const diagonal =
  (...d: number[]) =>
  (w: Tensor): Tensor =>
    mul(sum(mul(square(w), f64(d))), 0.5);
const ones = (n: number, g = 1): number[][] => Array.from({ length: n }, () => [g]);

describe("gradient descent", () => {
  test("S-108 (w−5)², α = 0.1: 1.0 after one step, then to 5, the cost falling", () => {
    const path = descend(sgd(0.1), (w) => sum(square(w.sub(5))), [0], 80).flat();
    expect(path[0]).toBeCloseTo(1, 12);
    expect(path[79]).toBeCloseTo(5, 6);
    path.slice(1).forEach((w, i) => expect((w - 5) ** 2).toBeLessThan((path[i] - 5) ** 2));
  });

  test("S-109 w² − 20w + 100 by gradient descent: 0.2, then 9.99999998; −w² diverges", () => {
    const run = (a: number): number[] =>
      descend(sgd(0.01), (w) => sum(w.mul(w).mul(a).sub(w.mul(20)).add(100)), [0], 1000).flat();
    expect(run(1)[0]).toBeCloseTo(0.2, 12);
    expect(run(1)[999]).toBeCloseTo(9.99999998, 8);
    expect(run(-1)[999]).toBeCloseTo(3.98e9, -8);
  });

  test("S-110, S-112 a line through (1,1), (2,2), (3,2): the first step (0.5, 1.1), then (0.6667, 0.5)", () => {
    const [x, y] = [f64([1, 2, 3]), f64([1, 2, 2])];
    const loss = (w: Tensor): Tensor => mul(sum(square(w.slice(0).add(w.slice(1).mul(x)).sub(y))), 0.5);
    const path = descend(sgd(0.1), loss, [0, 0], 3000);
    expect(gap(path[0], [0.5, 1.1])).toBeLessThan(1e-12);
    expect(gap(path[2999], [2 / 3, 0.5])).toBeLessThan(1e-6);
  });

  test("S-115 stops when the change is below a tolerance", () => {
    const path = descend(sgd(0.3), diagonal(1, 2), [1, -1], 200);
    const at = path.findIndex((w, i) => i > 0 && gap(w, path[i - 1]) < 1e-8);
    expect(at).toBeGreaterThan(5);
    expect(at).toBeLessThan(100);
  });
});

describe("momentum", () => {
  test("S-113, S-114 the averaged form v = βv + (1 − β)g is the classical one at ε = α(1 − β)", () => {
    const values: number[] = [];
    let v = 0;
    for (let i = 0; i < 3; i++) values.push((v = 0.9 * v + 0.1));
    expect(gap(values, [0.1, 0.19, 0.271])).toBeLessThan(1e-12);
    const alpha = 0.02;
    const w = [1, 1];
    const m = [0, 0];
    const path = descend(momentum(alpha * 0.1), diagonal(1, 10), [1, 1], 50);
    for (let t = 0; t < 50; t++) {
      [1, 10].forEach((d, i) => {
        m[i] = 0.9 * m[i] + 0.1 * d * w[i];
        w[i] -= alpha * m[i];
      });
      expect(gap(path[t], w)).toBeLessThan(1e-14);
    }
  });

  test("S-116 v₃ = −ε Σ αᵗ⁻ⁱ gᵢ = −0.561 for g = 1, 2, 3", () => {
    const optimizer = sgd({ learningRate: 0.1, momentum: 0.9 });
    const path = onGradients(optimizer, [[1], [2], [3]], [0]).flat();
    expect(path[2] - path[1]).toBeCloseTo(-0.561, 12);
    expect(optimizer.state()["w/momentum"].data[0]).toBeCloseTo(-0.561, 12);
  });

  test("S-123, S-124 Nesterov: the transformed form is the look-ahead point of the other", () => {
    const path = descend(nesterov(0.01), diagonal(1, 10), [1, 1], 50);
    // Look-ahead form: V ← βV + α∇J(W − βV), W ← W − V. The other form starts at W₀ = W₀ − βV₀.
    const w = [1, 1];
    const v = [0, 0];
    for (let t = 0; t < 50; t++) {
      [1, 10].forEach((d, i) => {
        v[i] = 0.9 * v[i] + 0.01 * d * (w[i] - 0.9 * v[i]);
        w[i] -= v[i];
      });
      expect(
        gap(
          path[t],
          w.map((x, i) => x - 0.9 * v[i]),
        ),
      ).toBeLessThan(1e-15);
    }
  });

  test("S-136 ½(x² + 25y²): momentum flips the sign of y 8 times in 60 steps, gradient descent 60 times", () => {
    const flips = (optimizer: optim.Optimizer): number => {
      const y = [1, ...descend(optimizer, diagonal(1, 25), [10, 1], 60).map((w) => w[1])];
      return y.slice(1).filter((v, i) => Math.sign(v) !== Math.sign(y[i])).length;
    };
    expect(flips(sgd(0.07))).toBe(60);
    // The averaged form at 0.07 is the classical one at 0.007.
    expect(flips(momentum(0.007))).toBe(8);
  });
});

describe("adaptive rates", () => {
  test("S-125, S-126 AdaGrad: a constant gradient steps α/√t; ε inside or outside the root", () => {
    const path = onGradients(optim.adagrad({ learningRate: 1, epsilon: 0 }), ones(100, 0.3), [0]).flat();
    for (const t of [4, 100]) expect(path[t - 2] - path[t - 1]).toBeCloseTo(1 / Math.sqrt(t), 10);
    const at = (epsilonAt: "inside" | "outside"): number =>
      -onGradients(optim.adagrad({ learningRate: 1, epsilon: 1e-8, epsilonAt }), [[1e-4]], [0])[0][0];
    expect(at("inside")).toBeCloseTo(0.70711, 5);
    expect(at("outside")).toBeCloseTo(0.9999, 5);
    const [x, y] = descend(optim.adagrad(0.5), diagonal(1, 10), [1, 1], 2000)[1999];
    expect(0.5 * (x * x + 10 * y * y)).toBeLessThan(1e-12);
  });

  test("S-127 RMSProp's first step is α/√(1 − β): 3.162α and 5.774α", () => {
    const first = (rho: number): number =>
      -onGradients(rmsprop({ learningRate: 1, rho, epsilon: 0 }), [[0.3]], [0])[0][0];
    expect(first(0.9)).toBeCloseTo(Math.sqrt(10), 10);
    expect(first(0.97)).toBeCloseTo(5.773503, 5);
  });

  test("S-128 RMSProp with bias correction: the first step is α; ε inside and outside the root differ", () => {
    expect(-onGradients(rmsprop({ learningRate: 1, epsilon: 0, corrected: true }), [[0.3]], [0])[0][0]).toBeCloseTo(
      1,
      12,
    );
    const at = (epsilonAt: "inside" | "outside"): number =>
      -onGradients(rmsprop({ learningRate: 1, rho: 0, epsilon: 1e-8, epsilonAt }), [[1e-4]], [0])[0][0];
    expect(at("inside")).toBeCloseTo(0.70711, 5);
    expect(at("outside")).toBeCloseTo(0.9999, 5);
  });

  test("S-130 Adam's first step is α·sign(g) for g = 0.1, 1, 10", () => {
    for (const g of [0.1, 1, 10, -2])
      expect(onGradients(adam(1e-3), [[g]], [0])[0][0]).toBeCloseTo(-1e-3 * Math.sign(g), 9);
  });

  test("S-131 (A-03) ε is a parameter: a constant gradient of 1e-8 steps 0.5α at 1e-8, 0.909α at 1e-9", () => {
    const first = (epsilon?: number): number => -onGradients(adam({ learningRate: 1, epsilon }), [[1e-8]], [0])[0][0];
    expect(first()).toBeCloseTo(0.5, 6);
    expect(first(1e-9)).toBeCloseTo(1 / 1.1, 6);
  });

  test("S-132 the efficient order is the plain one to 1e-12", () => {
    const gradients = Array.from(sampleNormal(keyOfSeed(1), [200], "float64", 0, 1), (g) => [g]);
    const path = onGradients(adam(0.01), gradients, [1]).flat();
    let [w, m, v] = [1, 0, 0];
    gradients.flat().forEach((g, i) => {
      const t = i + 1;
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      w -= (0.01 * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
      expect(Math.abs(path[i] - w)).toBeLessThan(1e-12);
    });
  });

  test("S-133, S-122 without bias correction the first step is 31.6α (RMSProp β = .999); corrected it is 1α", () => {
    expect(-onGradients(rmsprop({ learningRate: 1, rho: 0.999, epsilon: 0 }), [[0.2]], [0])[0][0]).toBeCloseTo(
      31.6228,
      3,
    );
    expect(-onGradients(adam({ learningRate: 1, epsilon: 0 }), [[0.2]], [0])[0][0]).toBeCloseTo(1, 10);
  });

  test("S-134 Adam with β1 = 0 is bias-corrected RMSProp", () => {
    const gradients = Array.from(sampleNormal(keyOfSeed(2), [50], "float64", 0, 1), (g) => [g]);
    const a = onGradients(adam({ learningRate: 0.01, beta1: 0, beta2: 0.99, epsilon: 1e-9 }), gradients, [0]);
    const b = onGradients(
      rmsprop({ learningRate: 0.01, rho: 0.99, epsilon: 1e-9, epsilonAt: "outside", corrected: true }),
      gradients,
      [0],
    );
    expect(gap(a.flat(), b.flat())).toBeLessThan(1e-12);
  });

  test("S-140 one interface, one benchmark: all reach ½(x² + 10y²) < 1e-12 in 2000 steps but RMSProp at a constant rate", () => {
    const final = (optimizer: optim.Optimizer): number => {
      const [x, y] = descend(optimizer, diagonal(1, 10), [1, 1], 2000)[1999];
      return 0.5 * (x * x + 10 * y * y);
    };
    for (const o of [sgd(0.1), momentum(0.02), nesterov(0.02), adam(0.05)]) expect(final(o)).toBeLessThan(1e-12);
    const stalled = final(rmsprop(0.003));
    expect(stalled).toBeGreaterThan(1e-7);
    expect(stalled).toBeLessThan(1e-4);
  });

  test("S-147 the plateau of ½(σ(w) − 1)² from −10: Adam at 0.1 needs 72 steps, gradient descent thousands", () => {
    const loss = (w: Tensor): Tensor => mul(sum(square(w.sigmoid().sub(1))), 0.5);
    const steps = (optimizer: optim.Optimizer, most: number): number =>
      descend(optimizer, loss, [-10], most).findIndex(([w]) => w >= 0) + 1;
    expect(steps(adam(0.1), 200)).toBe(72);
    expect(steps(sgd(1), 5000)).toBe(0);
  });

  test("S-149 decoupled decay differs from an L2 gradient under Adam and is the same under SGD", () => {
    const decay = 0.1;
    const withL2 = (o: optim.Optimizer): number[] =>
      descend(
        o,
        (w) =>
          sum(w.mul(0.3)).add(
            square(w)
              .sum()
              .mul(decay / 2),
          ),
        [1],
        5,
      ).flat();
    const plain = (o: optim.Optimizer): number[] => descend(o, (w) => sum(w.mul(0.3)), [1], 5).flat();
    const l2 = withL2(sgd(0.1));
    let w = 1;
    l2.forEach((v) => {
      w = (1 - 0.1 * decay) * w - 0.1 * 0.3;
      expect(Math.abs(v - w)).toBeLessThan(1e-15);
    });
    expect(gap(withL2(adam(0.1)), plain(adamw({ learningRate: 0.1, weightDecay: decay })))).toBeGreaterThan(1e-3);
  });
});

describe("clipping and schedules", () => {
  test("S-139 global norm: (3,4) at 1 → (.6,.8); (.3,.4) stays; by value and by norm", () => {
    const clip = (g: number[], o: optim.ClipOptions): number[] => list(optim.clipGradients([f64(g)], o)[0]);
    expect(gap(clip([3, 4], { globalClipNorm: 1 }), [0.6, 0.8])).toBeLessThan(1e-12);
    expect(clip([0.3, 0.4], { globalClipNorm: 1 })).toEqual([0.3, 0.4]);
    expect(clip([0, 0], { globalClipNorm: 1 })).toEqual([0, 0]);
    expect(clip([3, -4], { clipValue: 1 })).toEqual([1, -1]);
    expect(gap(clip([3, 4], { clipNorm: 2 }), [1.2, 1.6])).toBeLessThan(1e-12);
    const both = optim.clipGradients([f64([3]), f64([4])], { globalClipNorm: 1 });
    expect(gap(both.flatMap(list), [0.6, 0.8])).toBeLessThan(1e-12);
    expect(optim.globalNorm([f64([3]), f64([4])]).item()).toBeCloseTo(5, 12);
    expect(onGradients(sgd({ learningRate: 1, globalClipNorm: 1 }), [[3, 4]], [0, 0])[0].map((v) => -v)).toEqual(
      clip([3, 4], { globalClipNorm: 1 }),
    );
  });

  /** The rate at each step of a schedule. */
  const rates = (schedule: optim.Schedule, steps: readonly number[]): number[] =>
    steps.map((s) => (schedule(tensor(s)) as Tensor).item());

  test("S-141, S-142, S-143, S-144 decays", () => {
    expect(gap(rates(optim.inverseTimeDecay(0.2, 1, 1), [1, 2, 3, 4]), [0.1, 0.0667, 0.05, 0.04])).toBeLessThan(1e-4);
    expect(rates(optim.exponentialDecay(1, 1, 0.95), [10])[0]).toBeCloseTo(0.598737, 5);
    expect(rates(optim.exponentialDecay(1, 10, 0.5, { staircase: true }), [9, 10, 25])).toEqual([1, 0.5, 0.25]);
    expect(gap(rates(optim.squareRootDecay(1), [0, 1, 2, 3]), [1, 0.7071, 0.5774, 0.5])).toBeLessThan(1e-4);
    expect(
      gap(
        rates(optim.piecewiseConstant([10, 20], [0.1, 0.01, 0.001]), [0, 10, 11, 20, 21]),
        [0.1, 0.1, 0.01, 0.01, 0.001],
      ),
    ).toBeLessThan(1e-8);
    expect(
      gap(
        rates(optim.cosineDecay(1, 110, { warmup: 10, final: 0.1 }), [0, 4, 9, 10, 60, 110, 500]),
        [0.1, 0.5, 1, 1, 0.55, 0.1, 0.1],
      ),
    ).toBeLessThan(1e-6);
    expect(() => optim.piecewiseConstant([1, 2], [1, 2])).toThrow("2 boundaries need 3 values");
  });

  test("S-145 a rate set during the run takes effect without compiling anew: the next Δ is ten times smaller", () => {
    const w = variable(f64([0]), { name: "w" });
    const optimizer = sgd(0.1);
    let recorded = 0;
    const step = compiled(() => {
      recorded++;
      optimizer.update([w], [f64([1])]);
    });
    step();
    const before = w.item();
    optimizer.learningRate = 0.01;
    step();
    expect((w.item() - before) / before).toBeCloseTo(0.1, 6);
    expect(recorded).toBe(1);
    expect(() => {
      optimizer.learningRate = -1;
    }).toThrow("learningRate must be a number ≥ 0");
  });

  test("a schedule counts updates inside compiled steps and in saved states", () => {
    const path = descend(
      sgd((step) => step.add(1).mul(0.5)),
      (w) => sum(w),
      [0],
      4,
    ).flat();
    expect(gap(path, [-0.5, -1.5, -3, -5])).toBeLessThan(1e-12);
    const optimizer = adam(optim.cosineDecay(1e-3, 10));
    onGradients(optimizer, ones(3), [0]);
    expect(optimizer.learningRate).toBeCloseTo(1e-3 * 0.5 * (1 + Math.cos(0.3 * Math.PI)), 9);
    expect(Object.keys(optimizer.state())).toEqual(["iterations", "w/m", "w/v"]);
    expect(() => {
      optimizer.learningRate = 1;
    }).toThrow("follows a schedule");
  });
});

describe("the state of an optimizer", () => {
  const pair = (): Variable[] => [variable(zeros([2]), { name: "a" }), variable(zeros([3]), { name: "b" })];

  test("goes on as before after it is saved and loaded", () => {
    const step = (o: optim.Optimizer, vs: Variable[], k: number): void =>
      o.update(
        vs,
        vs.map((v) => stack(Array.from({ length: v.size }, (_, i) => tensor(Math.sin(k + i))))),
      );
    const [first, vs] = [adam(0.1), pair()];
    for (let k = 0; k < 4; k++) step(first, vs, k);
    const [second, ws] = [adam(0.5), pair()];
    ws.forEach((w, i) => w.assign(vs[i]));
    second.build(ws);
    second.load(first.state());
    step(first, vs, 9);
    step(second, ws, 9);
    expect(ws.map(list)).toEqual(vs.map(list));
    expect(second.learningRate).toBe(Math.fround(first.learningRate));
    expect(Object.keys(first.state())).toEqual(["iterations", "learning_rate", "a/m", "a/v", "b/m", "b/v"]);
  });

  test("is refused when it is of other variables or another optimizer", () => {
    const [a, b] = [adam(0.1), sgd({ learningRate: 0.1, momentum: 0.9 })];
    a.build(pair());
    b.build(pair());
    expect(() => a.load(b.state())).toThrow(
      /missing or of another shape: a\/m, a\/v, b\/m, b\/v; not known here: a\/momentum, b\/momentum/,
    );
  });

  test("gradients must be those of the variables", () => {
    expect(() => sgd(0.1).update(pair(), [zeros([2])])).toThrow("2 trainable variables and 1 gradients");
    expect(() => sgd(0.1).update(pair(), [zeros([3]), zeros([2])])).toThrow('the gradient of "a" [2] has shape [3]');
    expect(() => sgd(-1)).toThrow("learningRate must be a number ≥ 0");
    expect(() => adam({ beta1: 1 })).toThrow("0 ≤ beta1 < 1");
    expect(() => sgd({ nesterov: true })).toThrow("nesterov needs a momentum");
  });
});
