import { ValueError } from "../base/index.ts";
import * as t from "../tensor/index.ts";
import type { Tensor } from "../tensor/index.ts";
import type { Schedule } from "./optimizer.ts";

function need(name: string, option: string, value: number, ok: boolean, rule: string): void {
  if (!ok) throw new ValueError(`[${name}] ${option} must be ${rule}, got ${String(value)}.`);
}

export interface WarmupOptions {
  /** Updates over which the rate first rises in a line from 0; default 0. */
  readonly warmup?: number;
}

/** The line up from 0 over `warmup` updates, then `after` of the updates beyond it. */
function warmed(initial: number, warmup: number, after: (step: Tensor) => Tensor): Schedule {
  if (warmup === 0) return after;
  return (step) =>
    t.where(t.less(step, warmup), t.mul(t.add(step, 1), initial / warmup), after(t.maximum(t.sub(step, warmup), 0)));
}

/**
 * From `initial` down half a cosine to `final` over `steps` updates (the warm-up among them), then `final` (Keras: CosineDecay).
 *
 * @example
 * const optimizer = adam(cosineDecay(1e-3, 3 * 469, { warmup: 100 }));
 */
export function cosineDecay(
  initial: number,
  steps: number,
  options: WarmupOptions & { readonly final?: number } = {},
): Schedule {
  const { warmup = 0, final = 0 } = options;
  need("cosineDecay", "steps", steps, steps > warmup, `above the ${warmup} warm-up updates`);
  return warmed(initial, warmup, (step) => {
    const share = t.minimum(t.div(step, steps - warmup), 1);
    return t.add(t.mul(t.add(t.cos(t.mul(share, Math.PI)), 1), (initial - final) / 2), final);
  });
}

/** initial · rate^(step/steps): every `steps` updates the rate is multiplied by `rate` (Keras: ExponentialDecay; S-142). */
export function exponentialDecay(
  initial: number,
  steps: number,
  rate: number,
  options: { readonly staircase?: boolean } = {},
): Schedule {
  need("exponentialDecay", "steps", steps, steps > 0, "above 0");
  need("exponentialDecay", "rate", rate, rate > 0, "above 0");
  return (step) => {
    const share = t.div(step, steps);
    return t.mul(t.exp(t.mul(options.staircase === true ? t.floor(share) : share, Math.log(rate))), initial);
  };
}

/** initial / (1 + rate·step/steps) (Keras: InverseTimeDecay; S-141). */
export function inverseTimeDecay(initial: number, steps: number, rate: number): Schedule {
  need("inverseTimeDecay", "steps", steps, steps > 0, "above 0");
  return (step) => t.div(initial, t.add(t.mul(step, rate / steps), 1));
}

/** initial / √(1 + step/steps): the root decay k/√epoch with epochs counted from 1 (S-143). */
export function squareRootDecay(initial: number, steps = 1): Schedule {
  need("squareRootDecay", "steps", steps, steps > 0, "above 0");
  return (step) => t.div(initial, t.sqrt(t.add(t.div(step, steps), 1)));
}

/**
 * values[0] up to and with update boundaries[0], then values[1], and so on (Keras: PiecewiseConstantDecay; S-144).
 *
 * @throws ValueError unless there is one value more than boundaries, which must rise.
 */
export function piecewiseConstant(boundaries: readonly number[], values: readonly number[]): Schedule {
  if (values.length !== boundaries.length + 1 || boundaries.some((b, i) => i > 0 && b <= boundaries[i - 1])) {
    throw new ValueError(
      `[piecewiseConstant] ${boundaries.length} boundaries need ${boundaries.length + 1} values and must rise, got [${boundaries.join(", ")}] and ${values.length} values.`,
    );
  }
  return (step) =>
    boundaries.reduceRight<Tensor>(
      (rest, b, i) => t.where(t.lessEqual(step, b), values[i], rest),
      t.full([], values[values.length - 1]),
    );
}
