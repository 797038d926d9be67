import { foldKey, keyOfSeed, randomWords, ValueError } from "../base/index.ts";

/** What one hyperparameter can be. Every value is a function of a uniform number in [0, 1). */
export interface Parameter<T = unknown> {
  readonly kind: "uniform" | "logUniform" | "intUniform" | "oneMinusLog" | "choice";
  /** The value at u in [0, 1). */
  readonly at: (u: number) => T;
  /** The place in [0, 1] that gives this value; of a choice, the middle of its part. */
  readonly placeOf: (value: unknown) => number;
  /** The part of the range between two places: how a coarse search becomes a fine one. */
  readonly zoom: (low: number, high: number) => Parameter<T>;
  /** As JSON: what identifies a space in a store. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** The parameters of a search by name. */
export type Space = Readonly<Record<string, Parameter>>;

/** What a space gives for one trial. */
export type Params<S extends Space> = { readonly [K in keyof S]: S[K] extends Parameter<infer T> ? T : never };

function range(name: string, low: number, high: number, least = -Infinity, most = Infinity): void {
  if (!(low < high) || !(low > least) || !(high < most))
    throw new ValueError(
      `[${name}] needs low < high${least === -Infinity ? "" : ` above ${least}`}${most === Infinity ? "" : ` below ${most}`}, got ${low} and ${high}.`,
    );
}

/** A scale: uniform in f(value). */
function scaled(
  kind: Parameter["kind"],
  low: number,
  high: number,
  to: (v: number) => number,
  from: (s: number) => number,
): Parameter<number> {
  const [a, b] = [to(low), to(high)];
  return {
    kind,
    at: (u) => from(a + u * (b - a)),
    placeOf: (v) => (to(v as number) - a) / (b - a),
    zoom: (l, h) => scaled(kind, from(a + l * (b - a)), from(a + h * (b - a)), to, from),
    config: { kind, low, high },
  };
}

/**
 * Any number in [low, high), all alike.
 *
 * @example uniform(0, 0.5); // a dropout rate
 */
export function uniform(low: number, high: number): Parameter<number> {
  range("uniform", low, high);
  return scaled(
    "uniform",
    low,
    high,
    (v) => v,
    (s) => s,
  );
}

/**
 * A positive number whose logarithm is uniform: every decade is as likely (S-396).
 *
 * @example logUniform(1e-4, 1); // a learning rate
 */
export function logUniform(low: number, high: number): Parameter<number> {
  range("logUniform", low, high, 0);
  return scaled("logUniform", low, high, Math.log10, (s) => 10 ** s);
}

/**
 * A number below 1 whose distance from 1 is log-uniform: for averages over 1/(1 − β) steps (S-397).
 *
 * @example oneMinusLog(0.9, 0.999); // momentum: half of the draws above 0.99
 */
export function oneMinusLog(low: number, high: number): Parameter<number> {
  range("oneMinusLog", low, high, -Infinity, 1);
  return scaled(
    "oneMinusLog",
    low,
    high,
    (v) => -Math.log10(1 - v),
    (s) => 1 - 10 ** -s,
  );
}

/**
 * A whole number in low..high, both included; on a logarithmic scale with `log`.
 *
 * @example intUniform(16, 256, { log: true }); // units of a layer
 */
export function intUniform(low: number, high: number, options: { readonly log?: boolean } = {}): Parameter<number> {
  const { log = false } = options;
  range("intUniform", low, high, log ? 0 : -Infinity);
  if (!Number.isInteger(low) || !Number.isInteger(high))
    throw new ValueError(`[intUniform] low and high are whole numbers, got ${low} and ${high}.`);
  const to = log ? Math.log : (v: number): number => v;
  const from = log ? Math.exp : (s: number): number => s;
  // Each number owns the interval of half a unit around it.
  const [a, b] = [to(low - 0.5), to(high + 0.5)];
  const clamp = (v: number): number => Math.min(high, Math.max(low, v));
  return {
    kind: "intUniform",
    at: (u) => clamp(Math.round(from(a + u * (b - a)))),
    placeOf: (v) => (to(v as number) - a) / (b - a),
    zoom(l, h) {
      const [from0, to0] = [l, h].map((p) => clamp(Math.round(from(a + p * (b - a)))));
      return from0 < to0 ? intUniform(from0, to0, options) : choice([from0]);
    },
    config: { kind: "intUniform", low, high, log },
  };
}

/**
 * One of some values, all alike.
 *
 * @throws ValueError for an empty list.
 * @example choice(["relu", "tanh"]);
 */
export function choice<const T extends string | number | boolean>(values: readonly T[]): Parameter<T> {
  if (values.length === 0) throw new ValueError("[choice] needs at least one value.");
  const index = (place: number): number => Math.min(values.length - 1, Math.floor(place * values.length));
  return {
    kind: "choice",
    at: (u) => values[index(u)],
    placeOf: (v) => (values.indexOf(v as T) + 0.5) / values.length,
    zoom: (l, h) => choice(values.slice(index(l), index(Math.min(h, 1 - 1e-9)) + 1)),
    config: { kind: "choice", values },
  };
}

/** The uniform number of one parameter in one trial: the same for the same seed, whoever draws it and when. */
function place(seed: number, trial: number, parameter: number): number {
  const [high, low] = randomWords(foldKey(foldKey(keyOfSeed(seed), trial), parameter), 1);
  return ((high >>> 5) * 67108864 + (low >>> 6)) / 9007199254740992;
}

/**
 * The hyperparameters of trial number `trial` in a random search: points, not a grid (S-394).
 *
 * @example sampleSpace({ lr: logUniform(1e-4, 1), units: intUniform(8, 64) }, 1, 0).units; // → 30
 */
export function sampleSpace<S extends Space>(space: S, seed: number, trial: number): Params<S> {
  return Object.fromEntries(
    Object.entries(space).map(([name, p], i) => [name, p.at(place(seed, trial, i))]),
  ) as Params<S>;
}

/**
 * All points of a grid with `steps` places an axis (choices have all their values), in the order of the last axis first.
 *
 * @example gridOf({ x: uniform(0, 1), act: choice(["relu", "tanh"]) }, 3).length; // → 6
 */
export function gridOf<S extends Space>(space: S, steps: number): Params<S>[] {
  if (!Number.isInteger(steps) || steps < 1)
    throw new ValueError(`[gridOf] steps must be a whole number ≥ 1, got ${steps}.`);
  let points: Record<string, unknown>[] = [{}];
  for (const [name, p] of Object.entries(space)) {
    const { values } = p.config as { values?: readonly unknown[] };
    const axis =
      values ?? Array.from({ length: steps }, (_, i) => p.at(steps === 1 ? 0.5 : (i / (steps - 1)) * (1 - 1e-12)));
    points = points.flatMap((point) => [...new Set(axis)].map((v) => ({ ...point, [name]: v })));
  }
  return points as Params<S>[];
}

/**
 * A narrower space around the best trials: on each scale the range that they span, widened by a fifth of it and at most half as
 * wide as before (S-395). Choices keep the values that occur.
 *
 * @param best hyperparameters of the best trials, at least one
 * @example
 * const space = { x: uniform(-1, 1) };
 * const result = await search({ space, objective: ({ x }) => x ** 2, trials: 10 });
 * const fine = zoomSpace(space, result.top(3).map((t) => t.params));
 */
export function zoomSpace<S extends Space>(space: S, best: readonly Params<S>[]): S {
  if (best.length === 0) throw new ValueError("[zoomSpace] needs the hyperparameters of at least one trial.");
  return Object.fromEntries(
    Object.entries(space).map(([name, p]) => {
      const values = best.map((b) => b[name]);
      if (p.kind === "choice") return [name, choice([...new Set(values)] as string[])];
      const places = values.map((v) => p.placeOf(v));
      const [low, high] = [Math.min(...places), Math.max(...places)];
      const width = Math.min(0.5, Math.max(0.1, 1.2 * (high - low)));
      const start = Math.min(1 - width, Math.max(0, (low + high) / 2 - width / 2));
      return [name, p.zoom(start, start + width)];
    }),
  ) as unknown as S;
}
