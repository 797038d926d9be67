/** Gradient descent with momentum, and Adam. */
import { ValueError } from "../base/index.ts";
import * as t from "../tensor/index.ts";
import { decayed } from "./decay.ts";
import {
  type ClipOptions,
  each,
  type LearningRate,
  makeOptimizer,
  type Optimizer,
  type Rule,
  type Schedule,
} from "./optimizer.ts";
import { blend, correction, needPositive, needShare, now, split } from "./options.ts";

/** Options of `sgd`, `momentum` and `nesterov`. */
export interface SgdOptions extends ClipOptions {
  /** Default 0.01, as Keras. */
  readonly learningRate?: LearningRate;
  /** Share of the last step that is kept, a number or a schedule; default 0. */
  readonly momentum?: number | Schedule;
  /** Take the gradient as if the momentum step were already made; default false. */
  readonly nesterov?: boolean;
  /**
   * "classical": v ← α·v − ε·g, w ← w + v (S-114, Keras); "averaged": v ← β·v + (1 − β)·g, w ← w − ε·v (S-113), the same path at
   * a constant rate of ε/(1 − β). Default "classical".
   */
  readonly form?: "classical" | "averaged";
}

/**
 * Stochastic gradient descent (Keras: SGD). Plain: w ← w − ε·g (S-108 to S-112). Momentum in either form, see `form`. Nesterov:
 * w ← w + α·v − ε·g with the new v (S-124): the variables hold the look-ahead point of the other form, for which there is
 * `atLookAhead` (S-123).
 *
 * @example
 * const optimizer = sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true });
 */
export function sgd(options?: LearningRate | SgdOptions): Optimizer {
  const { rate, rest } = split<SgdOptions>(options, 0.01);
  const { momentum: alpha = 0, nesterov = false, form = "classical" } = rest;
  if (typeof alpha === "number") needShare("sgd", "momentum", alpha);
  if (nesterov && alpha === 0) throw new ValueError("[sgd] nesterov needs a momentum above 0, for example 0.9.");
  if (alpha === 0) {
    return makeOptimizer(
      { name: "sgd", slots: [], apply: each(({ w, g, rate: e }) => ({ w: t.sub(w, t.mul(g, e)), slots: [] })) },
      rate,
      rest,
    );
  }
  return makeOptimizer(
    {
      name: "sgd",
      slots: ["momentum"],
      apply: each(({ w, g, rate: e, count, slots: [v] }) => {
        const a = now(alpha, count, g.dtype);
        if (form === "averaged") {
          const own = t.mul(g, typeof a === "number" ? 1 - a : t.sub(1, a));
          const mean = t.add(t.mul(v, a), own);
          return { w: t.sub(w, t.mul(nesterov ? t.add(t.mul(mean, a), own) : mean, e)), slots: [mean] };
        }
        const step = t.mul(g, e);
        const next = t.sub(t.mul(v, a), step);
        return { w: t.add(w, nesterov ? t.sub(t.mul(next, a), step) : next), slots: [next] };
      }),
    },
    rate,
    rest,
  );
}

/**
 * `sgd` with momentum 0.9 (S-114; `form: "averaged"` for S-113).
 *
 * @example model.compile({ optimizer: momentum({ learningRate: 0.1, momentum: 0.9 }), loss: "mse" });
 */
export const momentum = (options?: LearningRate | Omit<SgdOptions, "nesterov">): Optimizer =>
  sgd({ momentum: 0.9, ...asOptions(options) });
/**
 * `sgd` with Nesterov momentum 0.9 (S-124).
 *
 * @example model.compile({ optimizer: nesterov({ learningRate: 0.1, momentum: 0.9 }), loss: "mse" });
 */
export const nesterov = (options?: LearningRate | Omit<SgdOptions, "nesterov">): Optimizer =>
  sgd({ momentum: 0.9, ...asOptions(options), nesterov: true });

const asOptions = (options: LearningRate | SgdOptions | undefined): SgdOptions =>
  typeof options === "object" ? options : options === undefined ? {} : { learningRate: options };

/** Options of `adam` and `amsgrad`. */
export interface AdamOptions extends ClipOptions {
  /** Default 1e-3. */
  readonly learningRate?: LearningRate;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8, as in the paper and PyTorch; Keras has 1e-7, one of the notes 1e-9 (S-131, A-03). */
  readonly epsilon?: number;
  /**
   * "plain": w ← w − α·m̂/(√v̂ + ε) as it stands (S-130); "efficient": the same path with both corrections in two scalars a step,
   * α_t = α√(1 − β2ᵗ)/(1 − β1ᵗ) and ε_t = ε√(1 − β2ᵗ) (S-132); "keras": α_t, but ε uncorrected beside √v. Default "efficient".
   */
  readonly form?: "plain" | "efficient" | "keras";
}

/** Adam's rule. */
function adamRule(name: string, options: AdamOptions): Rule {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, form } = options;
  needShare(name, "beta1", beta1);
  needShare(name, "beta2", beta2);
  return {
    name,
    slots: ["m", "v"],
    prepare({ rate: e, count }): Record<string, t.Tensor> {
      const square = correction(beta2, count);
      const first = correction(beta1, count);
      const root = t.sqrt(square);
      return form === "plain"
        ? { step: t.div(e, first), square }
        : { step: t.div(t.mul(e, root), first), root: form === "keras" ? t.onesLike(root) : root };
    },
    apply: each(({ w, g, shared: { step, square, root }, slots: [m, v] }) => {
      const m1 = blend(m, g, beta1);
      const v1 = blend(v, t.mul(g, g), beta2);
      const below =
        form === "plain" ? t.add(t.sqrt(t.div(v1, square)), epsilon) : t.add(t.sqrt(v1), t.mul(root, epsilon));
      return { w: t.sub(w, t.div(t.mul(m1, step), below)), slots: [m1, v1] };
    }),
  };
}

/**
 * Adam (Kingma & Ba, 2015; Keras: Adam; S-130): m ← β1·m + (1 − β1)·g, v ← β2·v + (1 − β2)·g²,
 * w ← w − α·m̂/(√v̂ + ε), by default in the efficient order of S-132.
 *
 * @example
 * model.compile({ optimizer: adam(1e-3), loss: "mse" });
 */
export function adam(options?: LearningRate | AdamOptions): Optimizer {
  const { rate, rest } = split<AdamOptions>(options, 1e-3);
  return makeOptimizer(adamRule("adam", rest), rate, rest);
}

/** Options of `adamw`. */
export interface AdamWOptions extends AdamOptions {
  /** λ, a number or a schedule: each step also takes w·α·λ away; default 0.004, as Keras. `withWeightDecay` can leave variables out. */
  readonly weightDecay?: number | Schedule;
}

/**
 * Adam with decoupled weight decay (Loshchilov & Hutter, 2019; Keras: AdamW; S-149).
 *
 * @example model.compile({ optimizer: adamw({ learningRate: 1e-3, weightDecay: 0.01 }), loss: "mse" });
 */
export function adamw(options?: LearningRate | AdamWOptions): Optimizer {
  const { rate, rest } = split<AdamWOptions>(options, 1e-3);
  const { weightDecay = 0.004 } = rest;
  if (typeof weightDecay === "number") needPositive("adamw", "weightDecay", weightDecay);
  return makeOptimizer({ ...decayed(adamRule("adamw", rest), weightDecay), name: "adamw" }, rate, rest);
}
