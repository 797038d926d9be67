/** Several datasets as one. */
import { hostArray, sameShape, ShapeError, showShape, sizeOf, ValueError } from "../base/index.ts";
import type { HostArray } from "../io/index.ts";
import { type Dataset, datasetOf } from "./dataset.ts";

/**
 * The samples of one dataset with those of another as their labels (tf.data: zip). Held in memory.
 *
 * @throws ShapeError when the lengths differ.
 * @example zip(train, train).at(0).y!.shape; // → [28, 28, 1]
 */
export function zip(x: Dataset, y: Dataset): Dataset {
  if (x.length !== y.length)
    throw new ShapeError(`[zip] the datasets have ${x.length} and ${y.length} samples: they must have as many.`);
  return datasetOf({ x: x.all().x, y: y.all().x, classes: y.xShape.length === 0 ? y.classes : null });
}

/**
 * The samples of all datasets, one dataset after the other (tf.data: concatenate). Held in memory.
 *
 * @throws ShapeError when samples or labels differ in shape or dtype.
 * @example concatDatasets([train, dev]).length; // → 192
 */
export const concatDatasets = (datasets: readonly Dataset[]): Dataset => joined("concatDatasets", datasets);

/**
 * Samples of several datasets in turn: `blockLength` of the first, of the second …; one that is at its end is left out (tf.data:
 * interleave). Held in memory.
 *
 * @throws ShapeError when samples or labels differ in shape or dtype.
 * @example interleave([train, dev], { blockLength: 2 }).length; // → 192
 */
export function interleave(datasets: readonly Dataset[], options: { readonly blockLength?: number } = {}): Dataset {
  const { blockLength = 1 } = options;
  if (!Number.isInteger(blockLength) || blockLength < 1)
    throw new ValueError(`[interleave] blockLength must be a whole number ≥ 1, got ${blockLength}.`);
  const all = joined("interleave", datasets);
  const order: number[] = [];
  for (let block = 0; order.length < all.length; block++) {
    let start = 0;
    for (const { length } of datasets) {
      const end = Math.min(length, (block + 1) * blockLength);
      for (let i = block * blockLength; i < end; i++) order.push(start + i);
      start += length;
    }
  }
  return all.select(order);
}

function joined(op: string, datasets: readonly Dataset[]): Dataset {
  const [first] = datasets;
  if (first === undefined) throw new ValueError(`[${op}] needs at least one dataset.`);
  const batches = datasets.map((d) => d.all());
  const join = (what: "x" | "y" | "sampleWeight"): HostArray | null => {
    const arrays = batches.map((b) => b[what]);
    const a = arrays[0];
    arrays.forEach((b, i) => {
      const [one, other] = [a, b].map((v) => (v === null ? "none" : `${v.dtype} ${showShape(v.shape.slice(1))}`));
      if (one !== other)
        throw new ShapeError(`[${op}] ${what} of dataset ${i} is ${other}, that of the first ${one}: they must agree.`);
    });
    if (a === null) return null;
    const n = arrays.reduce((sum, b) => sum + (b?.shape[0] ?? 0), 0);
    const data = hostArray(a.dtype, n * sizeOf(a.shape.slice(1)));
    let at = 0;
    for (const b of arrays) {
      if (b === null) continue;
      data.set(b.data, at);
      at += b.data.length;
    }
    return { data, shape: [n, ...a.shape.slice(1)], dtype: a.dtype };
  };
  const classes = datasets.every((d) => d.classes === first.classes) ? first.classes : null;
  const x = join("x");
  if (x === null || !sameShape(x.shape.slice(1), first.xShape)) throw new ShapeError(`[${op}] the datasets differ.`);
  return datasetOf({ x, y: join("y"), sampleWeight: join("sampleWeight"), classes });
}
