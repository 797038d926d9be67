import { ValueError } from "../base/index.ts";

const largest = (xs: ArrayLike<number>): number => Array.from(xs).reduce((a, b) => Math.max(a, b), -1);

/**
 * Counts of (target, predicted) class numbers: row = target, column = prediction (S-191 for two classes).
 *
 * @param classes default: one more than the largest number
 * @throws ValueError when the lists differ in length or hold a number outside 0..classes-1.
 *
 * @example
 * confusionMatrix([0, 1, 1], [0, 1, 0], 2); // [[1, 0], [1, 1]]
 */
export function confusionMatrix(
  targets: ArrayLike<number>,
  predictions: ArrayLike<number>,
  classes: number = 1 + Math.max(largest(targets), largest(predictions)),
): number[][] {
  if (targets.length !== predictions.length) {
    throw new ValueError(
      `[confusionMatrix] ${targets.length} targets and ${predictions.length} predictions: one of each a sample.`,
    );
  }
  const out = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < targets.length; i++) {
    const row = out[targets[i]] as number[] | undefined;
    if (row === undefined || row[predictions[i]] === undefined) {
      throw new ValueError(
        `[confusionMatrix] sample ${i}: target ${targets[i]}, prediction ${predictions[i]}; both must be in 0..${classes - 1}.`,
      );
    }
    row[predictions[i]]++;
  }
  return out;
}
