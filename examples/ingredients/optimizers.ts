/** Optimizers, each with the numbers of its row, or the first step of its paper's formula. */
import { grad, linalg, variable } from "chainrule";
import * as optim from "chainrule/optim";
import type { Ingredient } from "./net.ts";
import { check, downhill, f64, firstSteps, list, onGradients, stepsOn } from "./paths.ts";

const { adagrad, adam, momentum, nesterov, rmsprop, sgd } = optim;
const constant = (n: number, g = 1): number[] => new Array<number>(n).fill(g);

/** Gradient descent, with and without momentum. */
export const descents: readonly Ingredient[] = [
  {
    name: "sgd",
    optimizer: () => sgd(0.1),
    checks: () => [check("S-108", "(w − 5)², α .1: w after a step", onGradients(sgd(0.1), [[-10]])[0], [1])],
  },
  {
    name: "sgd, the whole set a step",
    optimizer: () => sgd(0.2),
    batchSize: Infinity,
    epochs: 60,
    checks: () => {
      const [x, y, w] = [f64([1, 2, 3]), f64([1, 2, 2]), variable(f64([0, 0]))];
      const slopes = grad([w], () => w.slice(0).add(w.slice(1).mul(x)).sub(y).square().sum().mul(0.5));
      sgd(0.1).update([w], slopes);
      return [check("S-110", "a line through three points: first step", list(w), [0.5, 1.1])];
    },
  },
  {
    name: "sgd, one image a step",
    optimizer: () => sgd(0.01),
    batchSize: 1,
    epochs: 1,
    checks: () => {
      const [x, y, w] = [f64([1, 2, 3, 4]), f64([2, 1, 4, 3]), variable(f64([0.5]))];
      const slope = (from: number, to: number): number => {
        const part = [x, y].map((t) => t.slice([from, to]));
        return list(grad([w], () => w.mul(part[0]).sub(part[1]).square().mean())[0])[0];
      };
      const mean = [0, 1, 2, 3].reduce((sum, i) => sum + slope(i, i + 1) / 4, 0);
      return [check("S-111", "mean of single gradients is that of the batch", [mean], [slope(0, 4)], 1e-10)];
    },
  },
  {
    name: "momentum, averaged form",
    optimizer: () => momentum({ learningRate: 0.3, form: "averaged" }),
    checks: () => {
      const v = stepsOn(momentum({ learningRate: 1, form: "averaged" }), constant(3)).map((s) => -s);
      return [check("S-113", "β .9: v on g = 1", v, [0.1, 0.19, 0.271])];
    },
  },
  {
    name: "momentum, classical form",
    optimizer: () => momentum(0.03),
    checks: () => {
      const averaged = downhill(momentum({ learningRate: 0.02, form: "averaged" }), [1, 10], 50);
      const v = stepsOn(momentum(0.1), [1, 2, 3]);
      return [
        check("S-114", "the averaged path at ε/(1 − β)", downhill(momentum(0.002), [1, 10], 50), averaged, 2e-15),
        check("S-116", "v₃ on g = 1, 2, 3", [v[2]], [-0.561]),
      ];
    },
  },
  {
    name: "Nesterov, look-ahead form",
    optimizer: () => momentum(0.03),
    lookAhead: 0.9,
    checks: () => {
      const points = downhill(momentum(0.01), [1, 10], 50, 0.9);
      const rows = downhill(nesterov(0.01), [1, 10], 50);
      return [
        check("S-123", "look-ahead points are the other form's next θ", points.slice(2), rows.slice(0, -2), 1e-15),
      ];
    },
  },
  {
    name: "Nesterov, transformed form",
    optimizer: () => nesterov(0.03),
    checks: () => {
      // p ← αp − εg; θ ← θ + p + α(p − p_old), on ½θ².
      let [theta, p] = [1, 0];
      const wanted = Array.from({ length: 20 }, () => {
        const old = p;
        p = 0.9 * p - 0.01 * theta;
        return (theta += p + 0.9 * (p - old));
      });
      return [check("S-124", "θ + p + α(p − p_old), 20 steps", downhill(nesterov(0.01), [1], 20), wanted, 1e-15)];
    },
  },
  {
    name: "momentum, global norm clipped",
    optimizer: () => momentum({ learningRate: 0.03, globalClipNorm: 1 }),
    checks: () => {
      const clipped = (g: readonly number[]): number[] =>
        onGradients(sgd({ learningRate: 1, globalClipNorm: 1 }), [g], [0, 0])[0].map((w) => -w);
      return [
        check(
          "S-139",
          "(3, 4) and (.3, .4) at c = 1",
          [
            [3, 4],
            [0.3, 0.4],
          ].flatMap(clipped),
          [0.6, 0.8, 0.3, 0.4],
        ),
      ];
    },
  },
  {
    name: "L-BFGS, the whole set a step",
    optimizer: () => optim.lbfgs(0.5),
    batchSize: Infinity,
    epochs: 60,
    checks: () => [
      check("", "½(x² + 25y²): minimum in 12 steps", downhill(optim.lbfgs(), [1, 25], 12).slice(-2), [0, 0], 1e-6),
    ],
  },
  {
    name: "Muon",
    optimizer: () => optim.muon(0.02),
    checks: () => {
      const w = variable(f64([0, 0, 0, 0, 0, 0]).reshape([2, 3]));
      optim
        .muon({ learningRate: 1, rmsRate: null, weightDecay: 0 })
        .update([w], [f64([1, 2, 3, 4, 5, 7]).reshape([2, 3])]);
      return [check("", "a step's singular values are about 1", list(linalg.svd(w).s), [0.95, 0.95], 0.3)];
    },
  },
];

/** Rates by the size of past gradients. */
export const adaptives: readonly Ingredient[] = [
  {
    name: "AdaGrad, ε inside",
    optimizer: () => adagrad(0.02),
    checks: () => {
      const steps = stepsOn(adagrad({ learningRate: 1, epsilon: 0 }), constant(100));
      return [
        check(
          "S-125",
          "steps 1, 4, 100 on g = 1",
          [0, 3, 99].map((i) => -steps[i]),
          [1, 0.5, 0.1],
        ),
      ];
    },
  },
  {
    name: "AdaGrad, ε outside",
    optimizer: () => adagrad({ learningRate: 0.02, epsilonAt: "outside" }),
    checks: () => {
      const at = (epsilonAt: "inside" | "outside"): number =>
        firstSteps((learningRate) => adagrad({ learningRate, epsilon: 1e-8, epsilonAt }), 1e-4)[0];
      return [check("S-126", "g = 1e-4: inside, outside", [at("inside"), at("outside")], [0.70711, 0.9999], 1e-5)];
    },
  },
  {
    name: "RMSProp, ε outside",
    optimizer: () => rmsprop({ learningRate: 2e-3, epsilonAt: "outside" }),
    checks: () => {
      const at = (rho: number) => (learningRate: number) => rmsprop({ learningRate, rho, epsilonAt: "outside" });
      const first = [...firstSteps(at(0.9), 1), ...firstSteps(at(0.97), 1)];
      return [check("S-127", "first steps at .9 and .97", first, [3.162, 5.774], 1e-3)];
    },
  },
  {
    name: "RMSProp, β .97",
    optimizer: () => rmsprop({ learningRate: 2e-3, rho: 0.97 }),
    checks: () => {
      const first = firstSteps((learningRate) => rmsprop({ learningRate, rho: 0.97 }), 1);
      return [check("S-127", "first step 1/√.03", first, [1 / Math.sqrt(0.03)], 1e-5)];
    },
  },
  {
    name: "RMSProp, ε inside, corrected",
    optimizer: () => rmsprop({ learningRate: 2e-3, corrected: true }),
    checks: () => {
      const first = firstSteps((learningRate) => rmsprop({ learningRate, corrected: true, epsilon: 0 }), 0.1, 10);
      return [check("S-128", "first step α", first, [1, 1])];
    },
  },
  {
    name: "RMSProp, centred",
    optimizer: () => rmsprop({ learningRate: 1e-3, centered: true }),
    checks: () => {
      const first = firstSteps((learningRate) => rmsprop({ learningRate, centered: true }), 1);
      return [check("", "first step 1/√(.1 − .01)", first, [1 / 0.3], 1e-5)];
    },
  },
  {
    name: "RMSProp with momentum",
    optimizer: () => rmsprop({ learningRate: 5e-4, momentum: 0.9 }),
    checks: () => {
      const [plain, pushed] = [{}, { momentum: 0.9 }].map((o) => stepsOn(rmsprop({ learningRate: 0.1, ...o }), [1, 1]));
      return [
        check(
          "S-129",
          "first step alike, second by α·v₁",
          [pushed[0], pushed[1] - plain[1]],
          [plain[0], 0.9 * plain[0]],
        ),
      ];
    },
  },
  {
    name: "RMSProp with Nesterov momentum",
    optimizer: () => rmsprop({ learningRate: 5e-4, momentum: 0.9, nesterov: true }),
    checks: () => {
      const [plain, ahead] = [{}, { momentum: 0.9, nesterov: true }].map((o) =>
        stepsOn(rmsprop({ learningRate: 0.1, ...o }), [1]),
      );
      return [check("S-129", "first step 1 + α times RMSProp's", ahead, [1.9 * plain[0]])];
    },
  },
  {
    name: "RMSProp, β .999",
    optimizer: () => rmsprop({ learningRate: 1e-4, rho: 0.999 }),
    checks: () => {
      const first = firstSteps((learningRate) => rmsprop({ learningRate, rho: 0.999, epsilon: 0 }), 1);
      return [check("S-133", "uncorrected: first step 31.6α", first, [31.6], 0.03)];
    },
  },
  {
    name: "AdaDelta",
    optimizer: () => optim.adadelta(1),
    checks: () => {
      const first = stepsOn(optim.adadelta({ rho: 0.95, epsilon: 1e-6 }), [1]);
      return [check("", "first step √ε/√(.05 + ε)", first, [-Math.sqrt(1e-6 / 0.050001)])];
    },
  },
  {
    name: "FTRL",
    optimizer: () => optim.ftrl({ learningRate: 0.05, initialAccumulator: 1e-6 }),
    checks: () => {
      // σ = (√1.1 − √.1)/α, z = g − σw, w = (clip(z, ±l1) − z)/(√1.1/α), from w = 0.
      const [w] = stepsOn(optim.ftrl({ learningRate: 0.5, l1: 0.25 }), [1]);
      return [check("", "first step with l1 .25", [w], [(0.25 - 1) / (Math.sqrt(1.1) / 0.5)])];
    },
  },
];

/** Adam and what came of it. */
export const adams: readonly Ingredient[] = [
  {
    name: "Adam as it stands",
    optimizer: () => adam({ learningRate: 2e-3, form: "plain" }),
    checks: () => {
      const first = firstSteps((learningRate) => adam({ learningRate, form: "plain", epsilon: 0 }), 0.1, 1, 10);
      return [check("S-130", "first step α for g = .1, 1, 10", first, [1, 1, 1])];
    },
  },
  {
    name: "Adam, efficient order",
    optimizer: () => adam(2e-3),
    checks: () => {
      const [a, b] = (["efficient", "plain"] as const).map((form) =>
        downhill(adam({ learningRate: 0.1, form }), [1, 10], 50),
      );
      return [check("S-132", "the path of the plain order", a, b, 1e-12)];
    },
  },
  {
    name: "Adam, ε 1e-9",
    optimizer: () => adam({ learningRate: 2e-3, epsilon: 1e-9 }),
    checks: () => {
      const at = (epsilon: number) => (learningRate: number) => adam({ learningRate, epsilon });
      const found = [...firstSteps(at(1e-9), 1e-8), ...firstSteps(at(1e-8), 1e-8)];
      return [check("S-131", "g = 1e-8 at ε 1e-9 and 1e-8", found, [0.909, 0.5], 1e-3)];
    },
  },
  {
    name: "Adam, Keras' place of ε",
    optimizer: () => adam({ learningRate: 2e-3, epsilon: 1e-7, form: "keras" }),
    checks: () => {
      const first = firstSteps((learningRate) => adam({ learningRate, epsilon: 1e-7, form: "keras" }), 1e-6);
      const root = Math.sqrt(0.001);
      return [check("", "√(1 − β₂)·g/(√(1 − β₂)·g + ε)", first, [(root * 1e-6) / (root * 1e-6 + 1e-7)])];
    },
  },
  {
    name: "Adam, β₁ 0",
    optimizer: () => adam({ learningRate: 2e-3, beta1: 0 }),
    checks: () => {
      const a = downhill(adam({ learningRate: 0.1, beta1: 0, form: "plain" }), [1, 10], 50);
      const b = rmsprop({ learningRate: 0.1, rho: 0.999, corrected: true, epsilon: 1e-8, epsilonAt: "outside" });
      return [check("S-134", "is corrected RMSProp", a, downhill(b, [1, 10], 50), 1e-12)];
    },
  },
  {
    name: "AdamW",
    optimizer: () => optim.adamw({ learningRate: 2e-3, weightDecay: 0.05 }),
    checks: () => {
      const [w] = onGradients(optim.adamw({ learningRate: 0.1, weightDecay: 0.05 }), [[0]], [1]);
      return [check("S-149", "g = 0: w = 1 − αλ", w, [0.995])];
    },
  },
  {
    name: "AMSGrad",
    optimizer: () => optim.amsgrad(2e-3),
    checks: () => {
      // v̂ never falls: after a gradient of 1 and zeros √v stays √.001, the correction of the first order being 1 − .9ᵗ.
      const steps = stepsOn(optim.amsgrad({ learningRate: 1, epsilon: 0 }), [1, 0]);
      const second = (0.09 * Math.sqrt(1 - 0.999 ** 2)) / (1 - 0.81) / Math.sqrt(0.001);
      return [check("", "steps on g = 1, 0", steps, [-1, -second])];
    },
  },
  {
    name: "AdaMax",
    optimizer: () => optim.adamax(2e-3),
    checks: () => {
      const first = firstSteps((learningRate) => optim.adamax({ learningRate, epsilon: 0 }), 0.1, 10);
      return [check("", "first step α", first, [1, 1])];
    },
  },
  {
    name: "Nadam",
    optimizer: () => optim.nadam(2e-3),
    checks: () => {
      const mu = (t: number): number => 0.9 * (1 - 0.5 * 0.96 ** (0.004 * t));
      const wanted = (mu(2) * 0.1) / (1 - mu(1) * mu(2)) + (1 - mu(1)) / (1 - mu(1));
      const first = firstSteps((learningRate) => optim.nadam({ learningRate, epsilon: 0 }), 1);
      return [check("", "first step by its formula", first, [wanted])];
    },
  },
  {
    name: "Lion",
    optimizer: () => optim.lion(2e-4),
    checks: () => [check("", "α·sign", firstSteps(optim.lion, 0.1, -10), [1, -1])],
  },
  {
    name: "LAMB",
    optimizer: () => optim.lamb(0.01),
    checks: () => {
      const [w] = onGradients(optim.lamb({ learningRate: 0.1, epsilon: 0 }), [[1, 1]], [3, 4]);
      return [check("", "a step as long as α‖w‖", [Math.hypot(w[0] - 3, w[1] - 4)], [0.5])];
    },
  },
  {
    name: "Adafactor",
    optimizer: () => optim.adafactor(0.05),
    checks: () => {
      const w = variable(f64([1, 1, 1, 1]).reshape([2, 2]));
      optim.adafactor(0.01).update([w], [f64([2, 4, 3, 6]).reshape([2, 2])]);
      // g² of rank one is kept exactly, so that u = 1 and the step is rms(w)·ρ.
      return [
        check(
          "",
          "squares of rank one: steps α",
          list(w).map((v) => 1 - v),
          [0.01, 0.01, 0.01, 0.01],
          1e-9,
        ),
      ];
    },
  },
];
