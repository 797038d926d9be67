/** Rates that follow the size of past gradients: AdaGrad, RMSProp, AdaDelta, and the family of Adam. */
import { ValueError } from "../base/index.ts";
import * as t from "../tensor/index.ts";
import { type ClipOptions, each, type LearningRate, makeOptimizer, type Optimizer } from "./optimizer.ts";
import { blend, correction, needPositive, needShare, split } from "./options.ts";
import type { AdamOptions } from "./rules.ts";

/** Options of `adagrad`. */
export interface AdagradOptions extends ClipOptions {
  /** Default 1e-3. */
  readonly learningRate?: LearningRate;
  /** Default 1e-7, as Keras. */
  readonly epsilon?: number;
  /** Where ε stands: αg/√(a + ε) "inside" (S-125, Keras) or αg/(√a + ε) "outside" (S-126). Default "inside". */
  readonly epsilonAt?: "inside" | "outside";
  /** What a starts at; default 0 (Keras: 0.1). */
  readonly initialAccumulator?: number;
}

/**
 * AdaGrad (Duchi et al., 2011; Keras: Adagrad; S-125, S-126, A-05): a ← a + g², then a step of α·g over the root of a.
 *
 * @example model.compile({ optimizer: adagrad(0.01), loss: "mse" });
 */
export function adagrad(options?: LearningRate | AdagradOptions): Optimizer {
  const { rate, rest } = split<AdagradOptions>(options, 1e-3);
  const { epsilon = 1e-7, epsilonAt = "inside", initialAccumulator = 0 } = rest;
  needPositive("adagrad", "initialAccumulator", initialAccumulator);
  return makeOptimizer(
    {
      name: "adagrad",
      slots: (v) => ({ a: t.full(v.shape, initialAccumulator, { dtype: v.dtype }) }),
      apply: each(({ w, g, rate: e, slots: [a] }) => {
        const a1 = t.add(a, t.mul(g, g));
        return { w: t.sub(w, t.div(t.mul(g, e), rootOf(a1, epsilon, epsilonAt))), slots: [a1] };
      }),
    },
    rate,
    rest,
  );
}

/** √(x + ε) or √x + ε. */
const rootOf = (x: t.Tensor, epsilon: number, at: "inside" | "outside"): t.Tensor =>
  at === "inside" ? t.sqrt(t.add(x, epsilon)) : t.add(t.sqrt(x), epsilon);

/** Options of `rmsprop`. */
export interface RmspropOptions extends ClipOptions {
  /** Default 1e-3. */
  readonly learningRate?: LearningRate;
  /** Default 0.9 (one of the notes has 0.97). */
  readonly rho?: number;
  /** Default 1e-7, as Keras. */
  readonly epsilon?: number;
  /** Where ε stands: w −= αg/(√s + ε) "outside" (S-127), or αg/√(s + ε) "inside" (S-128, Keras). Default "inside". */
  readonly epsilonAt?: "inside" | "outside";
  /** Divide s by 1 − ρᵗ (S-128); default false. */
  readonly corrected?: boolean;
  /** Momentum on the rescaled gradient (S-129); default 0. */
  readonly momentum?: number;
  /** Nesterov's form of that momentum; default false. */
  readonly nesterov?: boolean;
  /** Take the square of the mean gradient off s, which makes it a variance; default false. */
  readonly centered?: boolean;
}

/**
 * RMSProp: s ← ρ·s + (1 − ρ)·g², then a step of α·g over the root of s (Keras: RMSprop; S-127 to S-129, A-04).
 *
 * @example model.compile({ optimizer: rmsprop({ learningRate: 1e-3, momentum: 0.9 }), loss: "mse" });
 */
export function rmsprop(options?: LearningRate | RmspropOptions): Optimizer {
  const { rate, rest } = split<RmspropOptions>(options, 1e-3);
  const {
    rho = 0.9,
    epsilon = 1e-7,
    epsilonAt = "inside",
    corrected = false,
    momentum: alpha = 0,
    nesterov: ahead = false,
    centered = false,
  } = rest;
  needShare("rmsprop", "rho", rho);
  needShare("rmsprop", "momentum", alpha);
  if (ahead && alpha === 0) throw new ValueError("[rmsprop] nesterov needs a momentum above 0, for example 0.9.");
  return makeOptimizer(
    {
      name: "rmsprop",
      slots: ["s", ...(alpha === 0 ? [] : ["momentum"]), ...(centered ? ["mean"] : [])],
      prepare: ({ count }): Record<string, t.Tensor> => (corrected ? { correction: correction(rho, count) } : {}),
      apply: each(({ w, g, rate: e, shared, slots }) => {
        const s = blend(slots[0], t.mul(g, g), rho);
        const mean = centered ? blend(slots[slots.length - 1], g, rho) : null;
        const spread = mean === null ? s : t.sub(s, t.square(mean));
        const step = t.div(
          t.mul(g, e),
          rootOf(corrected ? t.div(spread, shared["correction"]) : spread, epsilon, epsilonAt),
        );
        const next = alpha === 0 ? t.neg(step) : t.sub(t.mul(slots[1], alpha), step);
        return {
          w: t.add(w, ahead ? t.sub(t.mul(next, alpha), step) : next),
          slots: [s, ...(alpha === 0 ? [] : [next]), ...(mean === null ? [] : [mean])],
        };
      }),
    },
    rate,
    rest,
  );
}

/** Options of `adadelta`. */
export interface AdadeltaOptions extends ClipOptions {
  /** Default 1, the paper's (Keras: 1e-3). */
  readonly learningRate?: LearningRate;
  /** Default 0.95. */
  readonly rho?: number;
  /** Default 1e-7, as Keras. */
  readonly epsilon?: number;
}

/**
 * AdaDelta (Zeiler, 2012; Keras: Adadelta): s ← ρ·s + (1 − ρ)·g², δ = g·√(d + ε)/√(s + ε), w ← w − α·δ,
 * d ← ρ·d + (1 − ρ)·δ².
 *
 * @example model.compile({ optimizer: adadelta({ rho: 0.95 }), loss: "mse" });
 */
export function adadelta(options?: LearningRate | AdadeltaOptions): Optimizer {
  const { rate, rest } = split<AdadeltaOptions>(options, 1);
  const { rho = 0.95, epsilon = 1e-7 } = rest;
  needShare("adadelta", "rho", rho);
  needPositive("adadelta", "epsilon", epsilon, false);
  return makeOptimizer(
    {
      name: "adadelta",
      slots: ["s", "d"],
      apply: each(({ w, g, rate: e, slots: [s, d] }) => {
        const s1 = blend(s, t.mul(g, g), rho);
        const delta = t.div(t.mul(g, rootOf(d, epsilon, "inside")), rootOf(s1, epsilon, "inside"));
        return { w: t.sub(w, t.mul(delta, e)), slots: [s1, blend(d, t.mul(delta, delta), rho)] };
      }),
    },
    rate,
    rest,
  );
}

type MomentOptions = Omit<AdamOptions, "form">;

/** β1, β2 and ε of the family of Adam. */
function moments(name: string, options: MomentOptions): { beta1: number; beta2: number; epsilon: number } {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  needShare(name, "beta1", beta1);
  needShare(name, "beta2", beta2);
  return { beta1, beta2, epsilon };
}

/**
 * AMSGrad (Reddi et al., 2018; Keras: Adam(amsgrad=True)): Adam in its efficient order, over the largest v so far, so that no
 * step grows again.
 *
 * @example model.compile({ optimizer: amsgrad(1e-3), loss: "mse" });
 */
export function amsgrad(options?: LearningRate | AdamOptions): Optimizer {
  const { rate, rest } = split<AdamOptions>(options, 1e-3);
  const { beta1, beta2, epsilon } = moments("amsgrad", rest);
  return makeOptimizer(
    {
      name: "amsgrad",
      slots: ["m", "v", "largest"],
      prepare({ rate: e, count }) {
        const root = t.sqrt(correction(beta2, count));
        return {
          step: t.div(t.mul(e, root), correction(beta1, count)),
          epsilon: rest.form === "keras" ? t.scalar(epsilon, e.dtype) : t.mul(root, epsilon),
        };
      },
      apply: each(({ w, g, shared, slots: [m, v, largest] }) => {
        const m1 = blend(m, g, beta1);
        const v1 = blend(v, t.mul(g, g), beta2);
        const most = t.maximum(largest, v1);
        const step = t.div(t.mul(m1, shared["step"]), t.add(t.sqrt(most), shared["epsilon"]));
        return { w: t.sub(w, step), slots: [m1, v1, most] };
      }),
    },
    rate,
    rest,
  );
}

/**
 * AdaMax (Kingma & Ba, 2015, §7.1; Keras: Adamax): u ← max(β2·u, |g|), w ← w − α/(1 − β1ᵗ)·m/(u + ε).
 *
 * @example model.compile({ optimizer: adamax(2e-3), loss: "mse" });
 */
export function adamax(options?: LearningRate | MomentOptions): Optimizer {
  const { rate, rest } = split<MomentOptions>(options, 1e-3);
  const { beta1, beta2, epsilon } = moments("adamax", rest);
  return makeOptimizer(
    {
      name: "adamax",
      slots: ["m", "u"],
      prepare: ({ rate: e, count }) => ({ step: t.div(e, correction(beta1, count)) }),
      apply: each(({ w, g, shared, slots: [m, u] }) => {
        const m1 = blend(m, g, beta1);
        const u1 = t.maximum(t.mul(u, beta2), t.abs(g));
        return { w: t.sub(w, t.div(t.mul(m1, shared["step"]), t.add(u1, epsilon))), slots: [m1, u1] };
      }),
    },
    rate,
    rest,
  );
}

/** Options of `nadam`. */
export interface NadamOptions extends MomentOptions {
  /** ψ of μ_t = β1(1 − ½·0.96^(ψt)); default 0.004, as in the paper and PyTorch; Keras has 1. */
  readonly momentumDecay?: number;
}

/**
 * Nadam: Adam with Nesterov momentum (Dozat, 2016; Keras: Nadam): m̂ = μ_{t+1}·m/(1 − Πμ to t + 1) + (1 − μ_t)·g/(1 − Πμ to t),
 * w ← w − α·m̂/(√v̂ + ε).
 *
 * @example model.compile({ optimizer: nadam(1e-3), loss: "mse" });
 */
export function nadam(options?: LearningRate | NadamOptions): Optimizer {
  const { rate, rest } = split<NadamOptions>(options, 1e-3);
  const { beta1, beta2, epsilon } = moments("nadam", rest);
  const { momentumDecay = 0.004 } = rest;
  const mu = (count: t.Tensor): t.Tensor =>
    t.mul(t.sub(1, t.mul(t.exp(t.mul(count, momentumDecay * Math.log(0.96))), 0.5)), beta1);
  return makeOptimizer(
    {
      name: "nadam",
      slots: ["m", "v"],
      scalars: { product: 1 },
      prepare({ rate: e, count, scalars }) {
        const [here, next] = [mu(count), mu(t.add(count, 1))];
        const product = t.mul(scalars["product"], here);
        return {
          product,
          ofMean: t.div(t.mul(e, next), t.sub(1, t.mul(product, next))),
          ofGradient: t.div(t.mul(e, t.sub(1, here)), t.sub(1, product)),
          square: correction(beta2, count),
        };
      },
      apply: each(({ w, g, shared, slots: [m, v] }) => {
        const m1 = blend(m, g, beta1);
        const v1 = blend(v, t.mul(g, g), beta2);
        const step = t.add(t.mul(m1, shared["ofMean"]), t.mul(g, shared["ofGradient"]));
        return { w: t.sub(w, t.div(step, t.add(t.sqrt(t.div(v1, shared["square"])), epsilon))), slots: [m1, v1] };
      }),
    },
    rate,
    rest,
  );
}

/** Options of `lion`. */
export interface LionOptions extends ClipOptions {
  /** Default 1e-4, as the paper (Keras: 1e-3). */
  readonly learningRate?: LearningRate;
  /** Of the step; default 0.9. */
  readonly beta1?: number;
  /** Of the memory; default 0.99. */
  readonly beta2?: number;
}

/**
 * Lion (Chen et al., 2023; Keras: Lion): w ← w − α·sign(β1·m + (1 − β1)·g), m ← β2·m + (1 − β2)·g.
 *
 * @example model.compile({ optimizer: lion(1e-4), loss: "mse" });
 */
export function lion(options?: LearningRate | LionOptions): Optimizer {
  const { rate, rest } = split<LionOptions>(options, 1e-4);
  const { beta1 = 0.9, beta2 = 0.99 } = rest;
  needShare("lion", "beta1", beta1);
  needShare("lion", "beta2", beta2);
  return makeOptimizer(
    {
      name: "lion",
      slots: ["m"],
      apply: each(({ w, g, rate: e, slots: [m] }) => ({
        w: t.sub(w, t.mul(t.sign(blend(m, g, beta1)), e)),
        slots: [blend(m, g, beta2)],
      })),
    },
    rate,
    rest,
  );
}

/** Options of `ftrl`. */
export interface FtrlOptions extends ClipOptions {
  /** Default 1e-3. */
  readonly learningRate?: LearningRate;
  /** Power of the accumulated squares, ≤ 0; default −0.5. */
  readonly learningRatePower?: number;
  /** Default 0.1. */
  readonly initialAccumulator?: number;
  /** Default 0. */
  readonly l1?: number;
  /** Default 0. */
  readonly l2?: number;
}

/**
 * FTRL-Proximal (McMahan et al., 2013; Keras: Ftrl): L1 gives exact zeros.
 *
 * @example model.compile({ optimizer: ftrl({ learningRate: 0.05, l1: 1e-3 }), loss: "mse" });
 */
export function ftrl(options?: LearningRate | FtrlOptions): Optimizer {
  const { rate, rest } = split<FtrlOptions>(options, 1e-3);
  const { learningRatePower = -0.5, initialAccumulator = 0.1, l1 = 0, l2 = 0 } = rest;
  if (!(learningRatePower <= 0))
    throw new ValueError(`[ftrl] learningRatePower must be ≤ 0, got ${learningRatePower}.`);
  needPositive("ftrl", "l1", l1);
  needPositive("ftrl", "l2", l2);
  const power = (x: t.Tensor): t.Tensor => (learningRatePower === -0.5 ? t.sqrt(x) : t.pow(x, -learningRatePower));
  return makeOptimizer(
    {
      name: "ftrl",
      slots: (v) => ({
        a: t.full(v.shape, initialAccumulator, { dtype: v.dtype }),
        linear: t.zeros(v.shape, { dtype: v.dtype }),
      }),
      apply: each(({ w, g, rate: e, slots: [a, linear] }) => {
        const a1 = t.add(a, t.mul(g, g));
        const slope = t.div(t.sub(power(a1), power(a)), e);
        const z = t.sub(t.add(linear, g), t.mul(slope, w));
        const curve = t.add(t.div(power(a1), e), 2 * l2);
        return { w: t.div(t.sub(t.clip(z, -l1, l1), z), curve), slots: [a1, z] };
      }),
    },
    rate,
    rest,
  );
}
