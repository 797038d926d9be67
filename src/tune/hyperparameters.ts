import { ValueError } from "../base/index.ts";
import { didYouMean } from "../nn/names.ts";

/** The hyperparameters that the course notes list, with their usual values (S-393). */
export interface Hyperparameters {
  /** α. */
  readonly learningRate: number;
  /** β of momentum. */
  readonly momentum: number;
  /** β₁ and β₂ of Adam. */
  readonly beta1: number;
  readonly beta2: number;
  /** ε of Adam and RMSProp. */
  readonly epsilon: number;
  /** Hidden layers, and units of each. */
  readonly layers: number;
  readonly units: number;
  /** Decay of the learning rate an epoch: α / (1 + decay · epoch). */
  readonly decay: number;
  readonly batchSize: number;
  /** Steps at most; null: epochs decide. */
  readonly iterations: number | null;
  readonly activation: string;
  readonly loss: string;
  readonly optimizer: string;
  readonly epochs: number;
}

const DEFAULTS: Hyperparameters = {
  learningRate: 1e-3,
  momentum: 0.9,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  layers: 2,
  units: 64,
  decay: 0,
  batchSize: 64,
  iterations: null,
  activation: "relu",
  loss: "sparseCategoricalCrossentropy",
  optimizer: "adam",
  epochs: 5,
};

/** What each number must be. */
const RULES: Readonly<Record<string, readonly [rule: string, holds: (v: number) => boolean]>> = {
  learningRate: ["above 0", (v) => v > 0],
  momentum: ["in [0, 1)", (v) => v >= 0 && v < 1],
  beta1: ["in [0, 1)", (v) => v >= 0 && v < 1],
  beta2: ["in [0, 1)", (v) => v >= 0 && v < 1],
  epsilon: ["above 0", (v) => v > 0],
  layers: ["a whole number ≥ 0", (v) => Number.isInteger(v) && v >= 0],
  units: ["a whole number ≥ 1", (v) => Number.isInteger(v) && v >= 1],
  decay: ["at least 0", (v) => v >= 0],
  batchSize: ["a whole number ≥ 1", (v) => Number.isInteger(v) && v >= 1],
  iterations: ["a whole number ≥ 1", (v) => Number.isInteger(v) && v >= 1],
  epochs: ["a whole number ≥ 1", (v) => Number.isInteger(v) && v >= 1],
};

/**
 * A whole configuration from some hyperparameters: the others have their usual values.
 *
 * @throws ValueError for an unknown name (with the nearest known one), another type, or a number outside of its range.
 * @example hyperparameters({ learningRate: 0.01, units: 128 }).epochs; // 5
 */
export function hyperparameters(given: Partial<Hyperparameters> = {}): Hyperparameters {
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (!(name in DEFAULTS))
      throw new ValueError(
        `[hyperparameters] unknown hyperparameter "${name}": ${didYouMean(name, Object.keys(DEFAULTS))}`,
      );
    if (name === "iterations" && value === null) continue;
    const want = name === "iterations" ? "number" : typeof DEFAULTS[name as keyof Hyperparameters];
    if (typeof value !== want)
      throw new ValueError(`[hyperparameters] ${name} is a ${want}, got ${value === null ? "null" : typeof value}.`);
    const rule = RULES[name] as (typeof RULES)[string] | undefined;
    if (rule !== undefined && !rule[1](value as number))
      throw new ValueError(`[hyperparameters] ${name} must be ${rule[0]}, got ${String(value)}.`);
  }
  return { ...DEFAULTS, ...given };
}
