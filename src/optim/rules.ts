import { ValueError } from "../base/index.ts";
import * as t from "../tensor/index.ts";
import { type ClipOptions, type LearningRate, makeOptimizer, type Optimizer } from "./optimizer.ts";

/** Options by name, or only the learning rate: `sgd(0.1)`, `sgd({ learningRate: 0.1, momentum: 0.9 })`. */
type Rated<O> = number | (O & ClipOptions & { readonly learningRate?: LearningRate }) | ((...args: never) => unknown);

function split<O>(options: Rated<O> | undefined, rate: number): { rate: LearningRate; rest: O & ClipOptions } {
  if (options === undefined) return { rate, rest: {} as O & ClipOptions };
  if (typeof options === "number" || typeof options === "function")
    return { rate: options as LearningRate, rest: {} as O & ClipOptions };
  return { rate: options.learningRate ?? rate, rest: options };
}

function needShare(name: string, option: string, value: number): void {
  if (!(value >= 0 && value < 1))
    throw new ValueError(`[${name}] ${option} must be in 0 ≤ ${option} < 1, got ${value}.`);
}

export interface SgdOptions extends ClipOptions {
  /** Default 0.01, as Keras. */
  readonly learningRate?: LearningRate;
  /** Share of the last step that is kept; default 0. */
  readonly momentum?: number;
  /** Take the gradient as if the momentum step were already made; default false. */
  readonly nesterov?: boolean;
}

/**
 * Stochastic gradient descent (Keras: SGD). Plain: w ← w − ε·g (S-108 to S-112). Momentum α: v ← α·v − ε·g, w ← w + v
 * (S-114). Nesterov: w ← w + α·v − ε·g with the new v (S-124, the same path as the look-ahead form S-123).
 *
 * @example
 * const optimizer = sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true });
 */
export function sgd(options?: LearningRate | SgdOptions): Optimizer {
  const { rate, rest } = split<SgdOptions>(options, 0.01);
  const { momentum: alpha = 0, nesterov = false } = rest;
  needShare("sgd", "momentum", alpha);
  if (nesterov && alpha === 0) throw new ValueError("[sgd] nesterov needs a momentum above 0, for example 0.9.");
  if (alpha === 0) {
    return makeOptimizer(
      { name: "sgd", slots: [], apply: ({ w, g, rate: e }) => ({ w: t.sub(w, t.mul(g, e)), slots: [] }) },
      rate,
      rest,
    );
  }
  return makeOptimizer(
    {
      name: "sgd",
      slots: ["momentum"],
      apply({ w, g, rate: e, slots: [v] }) {
        const step = t.mul(g, e);
        const next = t.sub(t.mul(v, alpha), step);
        return { w: t.add(w, nesterov ? t.sub(t.mul(next, alpha), step) : next), slots: [next] };
      },
    },
    rate,
    rest,
  );
}

/** `sgd` with momentum 0.9 (S-114, classical form; the averaged form v = βv + (1 − β)g, S-113, is this one at rate ε/(1 − β)). */
export const momentum = (options?: LearningRate | Omit<SgdOptions, "nesterov">): Optimizer =>
  sgd({ momentum: 0.9, ...asOptions(options) });
/** `sgd` with Nesterov momentum 0.9 (S-124). */
export const nesterov = (options?: LearningRate | Omit<SgdOptions, "nesterov">): Optimizer =>
  sgd({ momentum: 0.9, ...asOptions(options), nesterov: true });

const asOptions = (options: LearningRate | SgdOptions | undefined): SgdOptions =>
  typeof options === "object" ? options : options === undefined ? {} : { learningRate: options };

export interface AdamOptions extends ClipOptions {
  /** Default 1e-3. */
  readonly learningRate?: LearningRate;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8, as in the paper and PyTorch; Keras has 1e-7, one of the notes 1e-9 (S-131, A-03). */
  readonly epsilon?: number;
}

function adamOf(name: string, options: AdamOptions, rate: LearningRate, decay: number): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  needShare(name, "beta1", beta1);
  needShare(name, "beta2", beta2);
  return makeOptimizer(
    {
      name,
      slots: ["m", "v"],
      prepare({ rate: e, count }) {
        // 1 − βᵗ as −expm1(t·ln β): exact where 1 − βᵗ itself would have cancelled.
        const correction = (beta: number): t.Tensor =>
          beta === 0 ? t.onesLike(e) : t.neg(t.expm1(t.mul(count, Math.log(beta))));
        const root = t.sqrt(correction(beta2));
        return { step: t.div(t.mul(e, root), correction(beta1)), epsilon: t.mul(root, epsilon) };
      },
      apply({ w, g, rate: e, shared, slots: [m, v] }) {
        const m1 = t.add(t.mul(m, beta1), t.mul(g, 1 - beta1));
        const v1 = t.add(t.mul(v, beta2), t.mul(t.mul(g, g), 1 - beta2));
        const step = t.div(t.mul(m1, shared["step"]), t.add(t.sqrt(v1), shared["epsilon"]));
        // Decoupled: the decay does not pass through the moments.
        const kept = decay === 0 ? w : t.sub(w, t.mul(w, t.mul(e, decay)));
        return { w: t.sub(kept, step), slots: [m1, v1] };
      },
    },
    rate,
    options,
  );
}

/**
 * Adam (Kingma & Ba, 2015; Keras: Adam; S-130): m ← β1·m + (1 − β1)·g, v ← β2·v + (1 − β2)·g²,
 * w ← w − α·m̂/(√v̂ + ε), in the efficient order of S-132, which is the same path: α_t = α√(1 − β2ᵗ)/(1 − β1ᵗ) and
 * ε_t = ε√(1 − β2ᵗ) once a step, then w ← w − α_t·m/(√v + ε_t).
 *
 * @example
 * model.compile({ optimizer: adam(1e-3), loss: "mse" });
 */
export function adam(options?: LearningRate | AdamOptions): Optimizer {
  const { rate, rest } = split<AdamOptions>(options, 1e-3);
  return adamOf("adam", rest, rate, 0);
}

export interface AdamWOptions extends AdamOptions {
  /** λ: each step also takes w·α·λ away; default 0.004, as Keras. */
  readonly weightDecay?: number;
}

/** Adam with decoupled weight decay (Loshchilov & Hutter, 2019; Keras: AdamW; S-149). */
export function adamw(options?: LearningRate | AdamWOptions): Optimizer {
  const { rate, rest } = split<AdamWOptions>(options, 1e-3);
  const { weightDecay = 0.004 } = rest;
  if (!(weightDecay >= 0)) throw new ValueError(`[adamw] weightDecay must be ≥ 0, got ${weightDecay}.`);
  return adamOf("adamw", rest, rate, weightDecay);
}

export interface AdagradOptions extends ClipOptions {
  /** Default 1e-3. */
  readonly learningRate?: LearningRate;
  /** Default 1e-7, as Keras. */
  readonly epsilon?: number;
  /** Where ε stands: αg/√(a + ε) "inside" (S-125, Keras) or αg/(√a + ε) "outside" (S-126). Default "inside". */
  readonly epsilonAt?: "inside" | "outside";
}

/** AdaGrad: a ← a + g², then a step of α·g over the root of a, which starts at 0 (Keras: Adagrad starts at 0.1; S-125, S-126, A-05). */
export function adagrad(options?: LearningRate | AdagradOptions): Optimizer {
  const { rate, rest } = split<AdagradOptions>(options, 1e-3);
  const { epsilon = 1e-7, epsilonAt = "inside" } = rest;
  return makeOptimizer(
    {
      name: "adagrad",
      slots: ["a"],
      apply({ w, g, rate: e, slots: [a] }) {
        const a1 = t.add(a, t.mul(g, g));
        return { w: t.sub(w, t.div(t.mul(g, e), rootOf(a1, epsilon, epsilonAt))), slots: [a1] };
      },
    },
    rate,
    rest,
  );
}

/** √(x + ε) or √x + ε. */
const rootOf = (x: t.Tensor, epsilon: number, at: "inside" | "outside"): t.Tensor =>
  at === "inside" ? t.sqrt(t.add(x, epsilon)) : t.add(t.sqrt(x), epsilon);

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
}

/** RMSProp: s ← ρ·s + (1 − ρ)·g², then a step of α·g over the root of s (Keras: RMSprop; S-127 to S-129, A-04). */
export function rmsprop(options?: LearningRate | RmspropOptions): Optimizer {
  const { rate, rest } = split<RmspropOptions>(options, 1e-3);
  const {
    rho = 0.9,
    epsilon = 1e-7,
    epsilonAt = "inside",
    corrected = false,
    momentum: alpha = 0,
    nesterov: ahead = false,
  } = rest;
  needShare("rmsprop", "rho", rho);
  needShare("rmsprop", "momentum", alpha);
  if (ahead && alpha === 0) throw new ValueError("[rmsprop] nesterov needs a momentum above 0, for example 0.9.");
  return makeOptimizer(
    {
      name: "rmsprop",
      slots: alpha === 0 ? ["s"] : ["s", "momentum"],
      prepare: ({ count }): Record<string, t.Tensor> =>
        corrected ? { correction: t.neg(t.expm1(t.mul(count, Math.log(rho)))) } : {},
      apply({ w, g, rate: e, shared, slots: [s, v] }) {
        const s1 = t.add(t.mul(s, rho), t.mul(t.mul(g, g), 1 - rho));
        const mean = corrected ? t.div(s1, shared["correction"]) : s1;
        const step = t.div(t.mul(g, e), rootOf(mean, epsilon, epsilonAt));
        if (alpha === 0) return { w: t.sub(w, step), slots: [s1] };
        const next = t.sub(t.mul(v, alpha), step);
        return { w: t.add(w, ahead ? t.sub(t.mul(next, alpha), step) : next), slots: [s1, next] };
      },
    },
    rate,
    rest,
  );
}
