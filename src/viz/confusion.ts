import { formatTable } from "./text.ts";

/**
 * How often each class was taken for each other: counts[true][predicted].
 *
 * @example confusionCounts([0, 1, 1], [0, 1, 0], 2); // [[1, 0], [1, 1]]
 */
export function confusionCounts(truth: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < truth.length; i++) counts[truth[i]][predicted[i]]++;
  return counts;
}

/**
 * A confusion matrix as a table: a row for each true class with its recall, a column for each predicted class with its
 * precision; dots stand for zeros.
 *
 * @param counts [classes][classes], true × predicted
 * @example console.log(formatConfusion([[8, 2], [1, 9]], ["cat", "dog"]));
 */
export function formatConfusion(counts: readonly (readonly number[])[], names?: readonly string[]): string {
  const n = counts.length;
  const name = (i: number): string => names?.[i] ?? String(i);
  const classes = Array.from({ length: n }, (_, i) => i);
  const columnSum = (c: number): number => counts.reduce((s, row) => s + row[c], 0);
  const rows = counts.map((row, r) => [
    name(r),
    ...row.map((v) => (v === 0 ? "·" : String(v))),
    ratio(
      row[r],
      row.reduce((a, b) => a + b, 0),
    ),
  ]);
  const head = ["true \\ predicted", ...classes.map(name), "recall"];
  const foot = ["precision", ...classes.map((c) => ratio(counts[c][c], columnSum(c))), ""];
  return formatTable([head, ...rows, foot], { header: true, align: new Array<"right">(n + 2).fill("right") });
}

const ratio = (a: number, b: number): string => (b === 0 ? "–" : `${((100 * a) / b).toFixed(1)}%`);
