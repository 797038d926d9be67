/** Choosing among models by samples that they have not seen. */
import { foldKey, keyOfSeed, randomWords, ValueError } from "../base/index.ts";
import { Dataset, datasetOf, type Fold, kFold, stratifiedKFold } from "../data/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { hostOf } from "../train/inputs.ts";
import { type Labels, type SampleData } from "./inputs.ts";

/** What can be cross-validated: the models of this room, and any object with these methods, which may be asynchronous. */
export interface Model {
  /** Learns from samples. */
  fit(data: Dataset): unknown;
  /** One answer a sample. */
  predict(data: Dataset): Tensor | Promise<Tensor>;
  /** How good the answers are; larger is better. */
  score(data: Dataset): number | Promise<number>;
}

/** Options of `crossValidate`. */
export interface ValidationOptions {
  /** Number of folds, or the folds themselves; default 5. */
  readonly splits?: number | readonly Fold[];
  /** Share out classes evenly; default: when the labels are class numbers. */
  readonly stratify?: boolean;
  /** Of the folds; default 0. */
  readonly seed?: number;
  /** Of target and prediction: more is better. Default: the model's own `score`. */
  readonly scoring?: (target: Labels, predicted: Tensor) => number;
  /** Score the samples learnt from, too; default true. Of neighbours it is most of the work. */
  readonly trainScores?: boolean;
}

/** What `crossValidate` gives. */
export interface CrossValidation {
  /** Score on each held-out fold. */
  readonly scores: readonly number[];
  /** Score on the samples learnt from, fold by fold; empty when not asked for. */
  readonly trainScores: readonly number[];
  readonly mean: number;
  /** Standard deviation of `scores`, by 1/folds. */
  readonly std: number;
  readonly seconds: number;
}

const asDataset = (x: SampleData, y: Labels | undefined): Dataset =>
  x instanceof Dataset ? x : datasetOf({ x: hostOf(x, "x"), y: y === undefined ? null : hostOf(y, "y") });

function foldsOf(data: Dataset, options: ValidationOptions): readonly Fold[] {
  const { splits = 5, seed = 0 } = options;
  if (typeof splits !== "number") return splits;
  const labels = data.labels();
  const stratify = options.stratify ?? (data.yDtype === "int32" && data.yShape?.length === 0);
  if (!stratify) return kFold(data.length, { splits, seed });
  if (labels === null) throw new ValueError("[crossValidate] stratify needs labels.");
  return stratifiedKFold(labels, { splits, seed });
}

const meanOf = (values: readonly number[]): number => values.reduce((a, v) => a + v, 0) / values.length;

/**
 * Scores on folds that the model did not see (S-400): a fresh model for each.
 *
 * @param make a model that is not fitted
 * @example
 * const { mean, std } = await crossValidate(() => kNearestNeighbors({ k: 5 }), (await iris()).data);
 */
export async function crossValidate(
  make: () => Model,
  x: SampleData,
  y?: Labels,
  options: ValidationOptions = {},
): Promise<CrossValidation> {
  const data = asDataset(x, y);
  const started = performance.now();
  const { scoring, trainScores: both = true } = options;
  const score = async (model: Model, part: Dataset): Promise<number> => {
    if (scoring === undefined) return model.score(part);
    const target = part.all().y;
    if (target === null) throw new ValueError("[crossValidate] scoring needs labels.");
    return scoring(target, await model.predict(part));
  };
  const scores: number[] = [];
  const trainScores: number[] = [];
  for (const { train, validation } of foldsOf(data, options)) {
    const model = make();
    const learnt = data.select(train);
    await model.fit(learnt);
    scores.push(await score(model, data.select(validation)));
    if (both) trainScores.push(await score(model, learnt));
  }
  const mean = meanOf(scores);
  const std = Math.sqrt(meanOf(scores.map((s) => (s - mean) ** 2)));
  return { scores, trainScores, mean, std, seconds: (performance.now() - started) / 1000 };
}

/** One choice of hyperparameters and how it did. */
export interface Candidate<P> extends CrossValidation {
  readonly params: P;
}

/** What `gridSearch` and `randomSearch` give. */
export interface SearchResult<P> {
  /** The one with the best mean score; of equals the first. */
  readonly best: Candidate<P>;
  readonly candidates: readonly Candidate<P>[];
}

/** Options of `gridSearch` and `randomSearch`. */
export interface SearchOptions extends ValidationOptions {
  /** Called after each candidate. */
  readonly onCandidate?: (candidate: Candidate<Record<string, unknown>>, index: number, total: number) => void;
}

/**
 * Cross-validates every combination of the given values.
 *
 * @throws ValueError for a grid without values.
 * @example
 * const { best } = await gridSearch(({ k }) => kNearestNeighbors({ k }), { k: [1, 3, 5, 9] }, train);
 * const model = kNearestNeighbors(best.params).fit(train);
 */
export async function gridSearch<P extends Record<string, unknown>>(
  make: (params: P) => Model,
  grid: { readonly [K in keyof P]: readonly P[K][] },
  x: SampleData,
  y?: Labels,
  options: SearchOptions = {},
): Promise<SearchResult<P>> {
  let combinations: Record<string, unknown>[] = [{}];
  for (const [name, values] of Object.entries<readonly unknown[]>(grid)) {
    if (values.length === 0) throw new ValueError(`[gridSearch] "${name}" has no values to try.`);
    combinations = combinations.flatMap((c) => values.map((v) => ({ ...c, [name]: v })));
  }
  return search(make, combinations as P[], asDataset(x, y), options);
}

/**
 * Cross-validates `trials` random choices. Each parameter is a list of values or a function of a uniform number in 0..1.
 *
 * @example
 * await randomSearch((p) => linearSvm(p), { l2: (u) => 10 ** (-5 + 4 * u) }, train, undefined, { trials: 3 });
 */
export async function randomSearch<P extends Record<string, unknown>>(
  make: (params: P) => Model,
  space: { readonly [K in keyof P]: readonly P[K][] | ((uniform: number) => P[K]) },
  x: SampleData,
  y?: Labels,
  options: SearchOptions & { readonly trials?: number } = {},
): Promise<SearchResult<P>> {
  const { trials = 10, seed = 0 } = options;
  if (!Number.isInteger(trials) || trials < 1)
    throw new ValueError(`[randomSearch] trials must be a whole number ≥ 1, got ${trials}.`);
  const names = Object.keys(space) as (keyof P & string)[];
  const choices = Array.from({ length: trials }, (_, t) => {
    const words = randomWords(foldKey(keyOfSeed(seed), t), names.length);
    const entries = names.map((name, i) => {
      const uniform = words[2 * i] / 2 ** 32;
      const from = space[name];
      return [name, typeof from === "function" ? from(uniform) : from[Math.floor(uniform * from.length)]];
    });
    return Object.fromEntries(entries) as P;
  });
  return search(make, choices, asDataset(x, y), options);
}

async function search<P extends Record<string, unknown>>(
  make: (params: P) => Model,
  choices: readonly P[],
  data: Dataset,
  options: SearchOptions,
): Promise<SearchResult<P>> {
  // The same folds for all, so that they are compared on the same samples.
  const splits = foldsOf(data, options);
  const candidates: Candidate<P>[] = [];
  for (const [i, params] of choices.entries()) {
    const candidate = { params, ...(await crossValidate(() => make(params), data, undefined, { ...options, splits })) };
    candidates.push(candidate);
    options.onCandidate?.(candidate, i, choices.length);
  }
  return { best: candidates.reduce((a, c) => (c.mean > a.mean ? c : a)), candidates };
}
