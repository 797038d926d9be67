/** Number of single-letter edits between two words; two neighbours swapped count as one. */
function distance(a: string, b: string): number {
  let [last, row] = [[] as number[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const kept = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, kept, swapped ? last[j - 2] + 1 : kept));
    }
    [last, row] = [row, next];
  }
  return row[b.length];
}

/** Letters only, so that "sparse_categorical_crossentropy" meets "sparseCategoricalCrossentropy". */
const bare = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/** ` did you mean "relu"? Otherwise` for a name that is nearly one of `known`; then `rest`, the whole list by default. */
export function didYouMean(
  name: unknown,
  known: readonly string[],
  rest: string = `use one of ${known.join(", ")}.`,
): string {
  if (typeof name !== "string") return rest;
  const near = known
    .map((k) => ({ k, d: distance(bare(name), bare(k)) }))
    .sort((a, b) => a.d - b.d)
    .at(0);
  return near !== undefined && near.d <= Math.max(1, Math.floor(near.k.length / 3))
    ? `did you mean "${near.k}"? Otherwise ${rest}`
    : rest;
}
