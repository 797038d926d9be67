import * as t from "../tensor/index.ts";
import { decayed } from "./decay.ts";
import { type ClipOptions, each, type LearningRate, makeOptimizer, type Optimizer } from "./optimizer.ts";
import { blend, correction, needPositive, needShare, split } from "./options.ts";

/** Options of `scheduleFreeAdamW`. */
export interface ScheduleFreeOptions extends ClipOptions {
  /** Default 0.0025. */
  readonly learningRate?: LearningRate;
  /** Share of the average in the weights that the network has; default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Updates during which the rate grows from 0; default 0. */
  readonly warmup?: number;
  /** Decoupled weight decay; default 0. */
  readonly weightDecay?: number;
}

/**
 * AdamW without a schedule (Defazio et al., 2024; Keras: ScheduleFreeAdamW): z takes the steps, z ← z − α·g/(√(v/(1 − β2ᵗ)) + ε); x is the
 * mean of all z so far; the network trains, and is used, at w = (1 − β1)·z + β1·x.
 *
 * @example model.compile({ optimizer: scheduleFreeAdamW({ warmup: 100 }), loss: "mse" });
 */
export function scheduleFreeAdamW(options?: LearningRate | ScheduleFreeOptions): Optimizer {
  const { rate, rest } = split<ScheduleFreeOptions>(options, 0.0025);
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, warmup = 0, weightDecay = 0 } = rest;
  needPositive("scheduleFreeAdamW", "beta1", beta1, false);
  needShare("scheduleFreeAdamW", "beta1", beta1);
  needShare("scheduleFreeAdamW", "beta2", beta2);
  needPositive("scheduleFreeAdamW", "warmup", warmup);
  needPositive("scheduleFreeAdamW", "weightDecay", weightDecay);
  const rule: Parameters<typeof makeOptimizer>[0] = {
    name: "scheduleFreeAdamW",
    slots: (w) => ({ z: w.mul(1), v: t.zeros(w.shape, { dtype: w.dtype }) }),
    prepare: ({ rate: e, count }) => ({
      rate: warmup === 0 ? e : t.mul(e, t.minimum(t.div(count, warmup), 1)),
      correction: correction(beta2, count),
      fresh: t.reciprocal(count),
    }),
    apply: each(({ w, g, shared, slots: [z, v] }) => {
      const v1 = blend(v, t.mul(g, g), beta2);
      const spread = t.add(t.sqrt(t.div(v1, shared["correction"])), epsilon);
      const z1 = t.sub(z, t.div(t.mul(g, shared["rate"]), spread));
      const x = t.div(t.sub(w, t.mul(z, 1 - beta1)), beta1);
      const x1 = t.add(x, t.mul(t.sub(z1, x), shared["fresh"]));
      return { w: blend(x1, z1, beta1), slots: [z1, v1] };
    }),
  };
  return makeOptimizer(weightDecay === 0 ? rule : { ...decayed(rule, weightDecay), name: rule.name }, rate, rest);
}
