import { ValueError } from "../base/index.ts";
import * as t from "../tensor/index.ts";
import type { Tensor } from "../tensor/index.ts";
import type { Schedule } from "./optimizer.ts";

function need(name: string, option: string, value: number, ok: boolean, rule: string): void {
  if (!ok) throw new ValueError(`[${name}] ${option} must be ${rule}, got ${String(value)}.`);
}

/** Options of `cosineDecay` and `cosineDecayRestarts`: the rate rises before it decays. */
export interface WarmupOptions {
  /** Updates over which the rate first rises in a line from 0; default 0. */
  readonly warmup?: number;
}

/** The line up to `initial` over `warmup` updates, then `after` of the updates beyond it. */
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

/**
 * initial · rate^(step/steps): every `steps` updates the rate is multiplied by `rate` (Keras: ExponentialDecay; S-142).
 *
 * @example const optimizer = sgd(exponentialDecay(0.1, 100, 0.5)); // halved every 100 updates
 */
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

/**
 * initial / (1 + rate·step/steps), or with the whole part of step/steps (Keras: InverseTimeDecay; S-141).
 *
 * @example const optimizer = sgd(inverseTimeDecay(0.1, 100, 1)); // half of it after 100 updates
 */
export function inverseTimeDecay(
  initial: number,
  steps: number,
  rate: number,
  options: { readonly staircase?: boolean } = {},
): Schedule {
  need("inverseTimeDecay", "steps", steps, steps > 0, "above 0");
  return (step) => {
    const share = t.div(step, steps);
    return t.div(initial, t.add(t.mul(options.staircase === true ? t.floor(share) : share, rate), 1));
  };
}

/**
 * initial / √(1 + step/steps): the root decay k/√epoch with epochs counted from 1 (S-143).
 *
 * @example const optimizer = sgd(squareRootDecay(0.1));
 */
export function squareRootDecay(initial: number, steps = 1): Schedule {
  need("squareRootDecay", "steps", steps, steps > 0, "above 0");
  return (step) => t.div(initial, t.sqrt(t.add(t.div(step, steps), 1)));
}

/**
 * values[0] up to and with update boundaries[0], then values[1], and so on (Keras: PiecewiseConstantDecay; S-144).
 *
 * @throws ValueError unless there is one value more than boundaries, which must rise.
 * @example const optimizer = sgd(piecewiseConstant([100], [0.1, 0.01]));
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

/**
 * From `initial` to `final` over `steps` updates as (1 − step/steps)^power, then `final`; with `cycle` the length grows to the next
 * multiple of `steps` instead (Keras: PolynomialDecay). Defaults: final 0, power 1.
 *
 * @example const optimizer = sgd(polynomialDecay(0.1, 100)); // a line down to 0
 */
export function polynomialDecay(
  initial: number,
  steps: number,
  options: { readonly final?: number; readonly power?: number; readonly cycle?: boolean } = {},
): Schedule {
  const { final = 0, power = 1, cycle = false } = options;
  need("polynomialDecay", "steps", steps, steps > 0, "above 0");
  need("polynomialDecay", "power", power, power > 0, "above 0");
  return (step) => {
    const length = cycle ? t.mul(t.maximum(t.ceil(t.div(step, steps)), 1), steps) : steps;
    const left = t.maximum(t.sub(1, t.div(step, length)), 0);
    const curve = power === 1 ? left : power === 2 ? t.mul(left, left) : t.pow(left, power);
    return t.add(t.mul(curve, initial - final), final);
  };
}

/**
 * Half cosines from `initial` down to `final`, each `tMul` times as long and `mMul` times as high as the one before; the first takes
 * `steps` updates, after the warm-up (Loshchilov & Hutter, 2017; Keras: CosineDecayRestarts). Defaults: tMul 2, mMul 1, final 0.
 *
 * @example const optimizer = sgd(cosineDecayRestarts(0.1, 100));
 */
export function cosineDecayRestarts(
  initial: number,
  steps: number,
  options: WarmupOptions & { readonly tMul?: number; readonly mMul?: number; readonly final?: number } = {},
): Schedule {
  const { warmup = 0, tMul = 2, mMul = 1, final = 0 } = options;
  need("cosineDecayRestarts", "steps", steps, steps > 0, "above 0");
  need("cosineDecayRestarts", "tMul", tMul, tMul >= 1, "≥ 1");
  need("cosineDecayRestarts", "mMul", mMul, mMul > 0, "above 0");
  return warmed(initial, warmup, (step) => {
    const turns = t.div(step, steps);
    // 1e-5: a restart that falls on a whole update is not missed by a rounding.
    const cycle =
      tMul === 1
        ? t.floor(turns)
        : t.floor(t.add(t.div(t.log(t.add(t.mul(turns, tMul - 1), 1)), Math.log(tMul)), 1e-5));
    const length = tMul === 1 ? t.onesLike(turns) : t.exp(t.mul(cycle, Math.log(tMul)));
    const begun = tMul === 1 ? cycle : t.div(t.sub(length, 1), tMul - 1);
    const share = t.clip(t.div(t.sub(turns, begun), length), 0, 1);
    const height = mMul === 1 ? t.onesLike(turns) : t.exp(t.mul(cycle, Math.log(mMul)));
    const wave = t.mul(t.mul(height, t.add(t.cos(t.mul(share, Math.PI)), 1)), 0.5);
    return t.add(t.mul(wave, initial - final), final);
  });
}

/** Options of `oneCycle`. */
export interface OneCycleOptions {
  /** Share of the updates on the way up; default 0.3. */
  readonly warmup?: number;
  /** The rate begins at most/divFactor; default 25. */
  readonly divFactor?: number;
  /** The rate ends at the first rate/finalDivFactor; default 1e4. */
  readonly finalDivFactor?: number;
  /** Both ways as half a cosine or a line; default "cos". */
  readonly anneal?: "cos" | "linear";
}

/**
 * One cycle of `steps` updates: up to `most`, then down far below the beginning (Smith & Topin, 2018; PyTorch: OneCycleLR).
 *
 * @example
 * const optimizer = sgd({ learningRate: oneCycle(0.4, 10 * 391), momentum: 0.9, nesterov: true });
 */
export function oneCycle(most: number, steps: number, options: OneCycleOptions = {}): Schedule {
  const { warmup = 0.3, divFactor = 25, finalDivFactor = 1e4, anneal = "cos" } = options;
  need("oneCycle", "steps", steps, steps > 1, "above 1");
  need("oneCycle", "warmup", warmup, warmup > 0 && warmup < 1, "in 0..1");
  const first = most / divFactor;
  const last = first / finalDivFactor;
  const top = warmup * steps - 1;
  const way = (from: number, to: number, share: Tensor): Tensor => {
    const at = t.clip(share, 0, 1);
    const gone = anneal === "linear" ? at : t.mul(t.sub(1, t.cos(t.mul(at, Math.PI))), 0.5);
    return t.add(t.mul(gone, to - from), from);
  };
  return (step) =>
    t.where(
      t.lessEqual(step, top),
      way(first, most, t.div(step, Math.max(top, 1e-9))),
      way(most, last, t.div(t.sub(step, top), steps - 1 - top)),
    );
}

/**
 * A line up from 0 over `steps` updates, then another schedule, or a constant rate, from its beginning.
 *
 * @example const optimizer = sgd(warmUp(10, 0.1));
 */
export function warmUp(steps: number, then: Schedule | number): Schedule {
  need("warmUp", "steps", steps, steps >= 1, "≥ 1");
  return (step) => {
    const share = t.minimum(t.div(t.add(step, 1), steps), 1);
    const after = typeof then === "number" ? then : then(t.maximum(t.sub(step, steps), 0));
    return t.mul(share, after);
  };
}
