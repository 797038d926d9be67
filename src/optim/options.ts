/** How optimizers read their options. */
import { type DType, ValueError } from "../base/index.ts";
import type { Tensor } from "../tensor/index.ts";
import * as t from "../tensor/index.ts";
import type { ClipOptions, LearningRate, Schedule } from "./optimizer.ts";

/** Options by name, or only the learning rate: `sgd(0.1)`, `sgd({ learningRate: 0.1, momentum: 0.9 })`. */
type Rated<O> = number | (O & ClipOptions & { readonly learningRate?: LearningRate }) | ((...args: never) => unknown);

/** The learning rate, given or the default `rate`, and the other options. */
export function split<O>(options: Rated<O> | undefined, rate: number): { rate: LearningRate; rest: O & ClipOptions } {
  if (options === undefined) return { rate, rest: {} as O & ClipOptions };
  if (typeof options === "number" || typeof options === "function")
    return { rate: options as LearningRate, rest: {} as O & ClipOptions };
  return { rate: options.learningRate ?? rate, rest: options };
}

export function needShare(name: string, option: string, value: number): void {
  if (!(value >= 0 && value < 1))
    throw new ValueError(`[${name}] ${option} must be in 0 ≤ ${option} < 1, got ${value}.`);
}

export function needPositive(name: string, option: string, value: number, zero = true): void {
  if (!(zero ? value >= 0 : value > 0))
    throw new ValueError(`[${name}] ${option} must be ${zero ? "≥" : ">"} 0, got ${value}.`);
}

/** A number as it is, a schedule at the number of updates made before this one. */
export function now(value: number | Schedule, count: Tensor, dtype: DType): Tensor | number {
  if (typeof value === "number") return value;
  const at = value(t.sub(count, 1).cast("float32"));
  return typeof at === "number" ? at : at.cast(dtype);
}

/** 1 − βᵗ as −expm1(t·ln β): exact where 1 − βᵗ itself would have cancelled. */
export const correction = (beta: number, count: Tensor): Tensor =>
  beta === 0 ? t.onesLike(count) : t.neg(t.expm1(t.mul(count, Math.log(beta))));

/** β·x + (1 − β)·y. */
export const blend = (x: Tensor, y: Tensor, beta: number): Tensor => t.add(t.mul(x, beta), t.mul(y, 1 - beta));
