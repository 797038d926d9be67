import { foldKey, keyOfSeed, randomWords } from "../base/index.ts";
import type { Dataset } from "./dataset.ts";
import { classNumbers } from "./splits.ts";

/** Options of `overSample` and `underSample`. */
export interface BalanceOptions {
  /** Of what is drawn; default 0. */
  readonly seed?: number;
}

/**
 * Every class as often as the most frequent one: all samples, then draws with replacement from the classes that lack some. For training
 * data only, after splitting. `classWeights` of chainrule/train weighs instead.
 *
 * @throws ValueError without class numbers.
 * @example const balanced = overSample(train, { seed: 1 });
 */
export function overSample(data: Dataset, options: BalanceOptions = {}): Dataset {
  const classes = positionsOf("overSample", data);
  const most = Math.max(0, ...classes.map((c) => c.length));
  const drawn = classes.map((members, c) => {
    const extra = most - members.length;
    const words = randomWords(foldKey(keyOfSeed(options.seed ?? 0), c), extra);
    return Array.from({ length: extra }, (_, i) => members[Math.floor((words[2 * i] / 2 ** 32) * members.length)]);
  });
  return data.select([...Array.from({ length: data.length }, (_, i) => i), ...drawn.flat()]);
}

/**
 * Every class as often as the rarest one, drawn without replacement; the samples keep their order.
 *
 * @throws ValueError without class numbers.
 * @example const balanced = underSample(train, { seed: 1 });
 */
export function underSample(data: Dataset, options: BalanceOptions = {}): Dataset {
  const classes = positionsOf("underSample", data);
  const least = Math.min(...classes.map((c) => c.length));
  const kept = classes.map((members, c) => {
    const words = randomWords(foldKey(keyOfSeed(options.seed ?? 0), c), members.length);
    return members
      .map((position, i) => ({ position, at: words[2 * i] }))
      .sort((a, b) => a.at - b.at)
      .slice(0, least)
      .map(({ position }) => position);
  });
  return data.select(kept.flat().sort((a, b) => a - b));
}

/** Positions of each class that occurs. */
function positionsOf(op: string, data: Dataset): number[][] {
  const classes = new Map<number, number[]>();
  const labels = classNumbers(op, data);
  for (let i = 0; i < labels.length; i++) {
    const members = classes.get(labels[i]);
    if (members === undefined) classes.set(labels[i], [i]);
    else members.push(i);
  }
  return [...classes].sort(([a], [b]) => a - b).map(([, members]) => members);
}
