import { foldKey, keyOfSeed, permutationOf, ValueError } from "../base/index.ts";
import type { Dataset } from "./dataset.ts";

/** Positions of samples to learn from and of those held out. */
export interface Fold {
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

/** Options of `kFold` and `stratifiedKFold`. */
export interface KFoldOptions {
  /** Number of folds; default 5. */
  readonly splits?: number;
  /** Mix the samples first; default true. */
  readonly shuffle?: boolean;
  /** Of the order; default 0. */
  readonly seed?: number;
}

/**
 * Positions 0..n-1 as `splits` pairs: every sample is held out once and learnt from in the other pairs (S-400). Sizes differ by one at
 * most.
 *
 * @throws ValueError for fewer than two splits, or more than samples.
 * @example for (const { train, validation } of kFold(data.length)) console.log(data.select(train).length, data.select(validation).length);
 */
export function kFold(n: number, options: KFoldOptions = {}): Fold[] {
  const { splits = 5, shuffle = true, seed = 0 } = options;
  checkSplits("kFold", splits, n);
  const order = shuffle ? permutationOf(keyOfSeed(seed), n) : Int32Array.from({ length: n }, (_, i) => i);
  const fold = new Int32Array(n);
  order.forEach((at, i) => void (fold[at] = Math.floor((i * splits) / n)));
  return foldsOf(fold, splits);
}

/**
 * As `kFold`, with every class shared out evenly among the folds.
 *
 * @param labels class numbers or names [n]
 * @throws ValueError for fewer than two splits, or a class with fewer samples than splits.
 * @example stratifiedKFold(data.labels() ?? [], { splits: 5 });
 */
export function stratifiedKFold(labels: ArrayLike<number | string>, options: KFoldOptions = {}): Fold[] {
  const { splits = 5, shuffle = true, seed = 0 } = options;
  checkSplits("stratifiedKFold", splits, labels.length);
  const fold = new Int32Array(labels.length);
  let next = 0;
  for (const [label, members] of membersOf(labels, shuffle ? seed : null)) {
    if (members.length < splits) {
      throw new ValueError(
        `[stratifiedKFold] class ${label} has ${members.length} samples, fewer than ${splits} splits: take fewer splits.`,
      );
    }
    // One class goes on where the last one ended, so that the folds stay of one size.
    for (const at of members) fold[at] = next++ % splits;
  }
  return foldsOf(fold, splits);
}

function checkSplits(op: string, splits: number, n: number): void {
  if (!Number.isInteger(splits) || splits < 2 || splits > n)
    throw new ValueError(`[${op}] splits must be a whole number in 2..${n} (the samples), got ${splits}.`);
}

function foldsOf(fold: Int32Array, splits: number): Fold[] {
  const positions = Int32Array.from(fold.keys());
  return Array.from({ length: splits }, (_, k) => ({
    train: positions.filter((i) => fold[i] !== k),
    validation: positions.filter((i) => fold[i] === k),
  }));
}

/** Positions by class, classes in order of their values; mixed by the seed, if any. */
function membersOf(
  labels: ArrayLike<number | string>,
  seed: number | null,
): [label: number | string, positions: number[]][] {
  const classes = new Map<number | string, number[]>();
  for (let i = 0; i < labels.length; i++) {
    const members = classes.get(labels[i]);
    if (members === undefined) classes.set(labels[i], [i]);
    else members.push(i);
  }
  const sorted = [...classes].sort(([a], [b]) => (a < b ? -1 : 1));
  if (seed === null) return sorted;
  return sorted.map(([label, members], c) => {
    const order = permutationOf(foldKey(keyOfSeed(seed), c), members.length);
    return [label, Array.from(order, (i) => members[i])];
  });
}

/** Options of `trainTestSplit`. */
export interface SplitOptions {
  /** Share of the samples held out, or their number when ≥ 1; default 0.25. */
  readonly testSize?: number;
  /** Give both parts the same shares of classes; needs class numbers; default false. */
  readonly stratify?: boolean;
  /** Mix the samples first; default true. */
  readonly shuffle?: boolean;
  /** Of the order; default 0. */
  readonly seed?: number;
}

/**
 * Samples to learn from and samples to test on, mixed (scikit-learn: train_test_split).
 *
 * @throws ValueError when a part would be empty, or `stratify` finds no class numbers.
 * @example const { train, test } = trainTestSplit((await iris()).data, { testSize: 0.2, stratify: true });
 */
export function trainTestSplit(data: Dataset, options: SplitOptions = {}): { train: Dataset; test: Dataset } {
  const { testSize = 0.25 } = options;
  const count = countOf("trainTestSplit", "testSize", testSize, data.length);
  const [test, train] = partition("trainTestSplit", data, [count], options);
  return { train, test };
}

/** Options of `holdOut`. */
export interface HoldOutOptions extends Omit<SplitOptions, "testSize"> {
  /** Share of the samples to choose hyperparameters by, or their number when ≥ 1; default 0.1. */
  readonly dev?: number;
  /** Share of the samples kept for the last word, or their number when ≥ 1; default 0.1. */
  readonly test?: number;
}

/** Three disjoint parts; the last one is given out once. */
export interface HoldOut {
  /** To fit parameters on. */
  readonly train: Dataset;
  /** To choose hyperparameters by. */
  readonly dev: Dataset;
  /**
   * To score the finished model on. A score that was looked at and acted upon is no honest estimate any more, so a second call needs
   * `{ again: true }`.
   */
  test(options?: { readonly again?: boolean }): Dataset;
}

/**
 * Train, dev and test set (S-399).
 *
 * @throws ValueError when a part would be empty; at the second call of `test` without `{ again: true }`.
 * @example
 * const { train, dev, test } = holdOut(data, { dev: 0.2, test: 0.2, stratify: true });
 * const score = await model.evaluate(test()); // once
 */
export function holdOut(data: Dataset, options: HoldOutOptions = {}): HoldOut {
  const counts = [
    countOf("holdOut", "test", options.test ?? 0.1, data.length),
    countOf("holdOut", "dev", options.dev ?? 0.1, data.length),
  ];
  const [held, dev, train] = partition("holdOut", data, counts, options);
  let opened = false;
  const test = ({ again = false }: { readonly again?: boolean } = {}): Dataset => {
    if (opened && !again) {
      throw new ValueError(
        "[holdOut] the test set was given out already: scored twice, it is a dev set. If you mean it, call test({ again: true }).",
      );
    }
    opened = true;
    return held;
  };
  return { train, dev, test };
}

function countOf(op: string, what: string, size: number, n: number): number {
  const count = size > 0 && size < 1 ? Math.round(size * n) : size;
  if (!Number.isInteger(count) || count < 1 || count >= n) {
    throw new ValueError(
      `[${op}] ${what} must be a share in 0..1 or a number of samples below ${n}, got ${size}: a part would be empty.`,
    );
  }
  return count;
}

/** Parts of these sizes, and the rest. */
function partition(
  op: string,
  data: Dataset,
  sizes: readonly number[],
  { stratify = false, shuffle = true, seed = 0 }: SplitOptions,
): Dataset[] {
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total >= data.length) throw new ValueError(`[${op}] nothing is left to train on: the parts take all samples.`);
  let order: ArrayLike<number>;
  if (stratify) order = spread(classNumbers(op, data), shuffle ? seed : null);
  else order = shuffle ? permutationOf(keyOfSeed(seed), data.length) : Array.from({ length: data.length }, (_, i) => i);
  const positions = Array.from(order);
  const cuts = [0, ...sizes, data.length - total].map((_, i, all) => all.slice(0, i + 1).reduce((a, b) => a + b, 0));
  return cuts
    .slice(1)
    .map((end, i) => data.select(positions.slice(cuts[i], end).sort((a, b) => (shuffle ? 0 : a - b))));
}

/** An order in which every stretch has the classes in the proportions of the whole. */
function spread(labels: ArrayLike<number>, seed: number | null): number[] {
  const at: [number, number][] = [];
  for (const [, members] of membersOf(labels, seed))
    members.forEach((position, i) => at.push([(i + 0.5) / members.length, position]));
  return at.sort(([a, i], [b, j]) => a - b || i - j).map(([, position]) => position);
}

/** The class numbers of a dataset, or an error that says who needs them. */
export function classNumbers(op: string, data: Dataset): ArrayLike<number> {
  const labels = data.labels();
  if (labels === null || data.yShape?.length !== 0)
    throw new ValueError(
      `[${op}] needs class numbers [n], got ${labels === null ? "no labels" : "labels of more axes"}.`,
    );
  return labels;
}
