/** What weights are held to: each is applied by the optimizer after every update (Keras: constraints). */
import { ValueError } from "../base/index.ts";
import { add, clip, div, maximum, mul, sqrt, square, sum, type Tensor } from "../tensor/index.ts";
import type { Config } from "./layer.ts";

/** From a new value of a variable to its nearest allowed one. `config` is its JSON form. */
export interface Constraint {
  (w: Tensor): Tensor;
  readonly config: Config & { readonly name: string };
}

/** Options of `maxNorm` and `unitNorm`. */
export interface NormConstraintOptions {
  /**
   * The axes that one norm is taken over; default 0, the inputs of each unit of a dense kernel. For kernels [h, w, in, out]
   * take [0, 1, 2].
   */
  readonly axis?: number | readonly number[];
}

/** Keras' guard against a division by 0. */
const EPSILON = 1e-7;

const define = (name: string, options: Config, f: (w: Tensor) => Tensor): Constraint =>
  Object.assign((w: Tensor) => f(w), { config: { name, ...options } });

const normOf = (w: Tensor, axis: number | readonly number[]): Tensor => sqrt(sum(square(w), axis, { keepdims: true }));

/**
 * Norms above `maxValue` (default 2) are scaled down to it (Keras: MaxNorm; Srivastava et al. 2014).
 *
 * @throws ValueError unless maxValue > 0.
 * @example
 * dense(64, { kernelConstraint: maxNorm({ maxValue: 3 }) });
 */
export function maxNorm(options: NormConstraintOptions & { readonly maxValue?: number } = {}): Constraint {
  const { maxValue = 2, axis = 0 } = options;
  if (!(maxValue > 0)) throw new ValueError(`[maxNorm] maxValue must be > 0, got ${maxValue}.`);
  return define("maxNorm", { maxValue, axis }, (w) => {
    const norm = normOf(w, axis);
    return mul(w, div(clip(norm, 0, maxValue), add(norm, EPSILON)));
  });
}

/**
 * Every norm is 1 (Keras: UnitNorm).
 *
 * @example dense(8, { kernelConstraint: unitNorm() });
 */
export function unitNorm(options: NormConstraintOptions = {}): Constraint {
  const { axis = 0 } = options;
  return define("unitNorm", { axis }, (w) => div(w, add(normOf(w, axis), EPSILON)));
}

/** Options of `minMaxNorm`. */
export interface MinMaxNormOptions extends NormConstraintOptions {
  /** Default 0. */
  readonly minValue?: number;
  /** Default 1. */
  readonly maxValue?: number;
  /** How far norms move to the range at each update, 0 to 1; default 1, all the way. */
  readonly rate?: number;
}

/**
 * Norms are brought into minValue..maxValue (Keras: MinMaxNorm). Throws ValueError unless 0 ≤ minValue ≤ maxValue.
 *
 * @example dense(8, { kernelConstraint: minMaxNorm({ minValue: 0.5, maxValue: 1 }) });
 */
export function minMaxNorm(options: MinMaxNormOptions = {}): Constraint {
  const { minValue = 0, maxValue = 1, rate = 1, axis = 0 } = options;
  if (!(minValue >= 0 && maxValue >= minValue && rate >= 0 && rate <= 1)) {
    throw new ValueError(
      `[minMaxNorm] needs 0 ≤ minValue ≤ maxValue and a rate in 0..1, got ${minValue}, ${maxValue} and ${rate}.`,
    );
  }
  return define("minMaxNorm", { minValue, maxValue, rate, axis }, (w) => {
    const norm = normOf(w, axis);
    const wanted = add(mul(clip(norm, minValue, maxValue), rate), mul(norm, 1 - rate));
    return mul(w, div(wanted, add(norm, EPSILON)));
  });
}

/**
 * Values below 0 become 0 (Keras: NonNeg).
 *
 * @example dense(8, { kernelConstraint: nonNeg() });
 */
export const nonNeg = (): Constraint => define("nonNeg", {}, (w) => maximum(w, 0));
