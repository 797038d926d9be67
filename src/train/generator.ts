import { type DType, ValueError } from "../base/index.ts";
import type { Batch } from "../data/index.ts";
import type { HostArray } from "../nn/model.ts";
import { type ArrayLikeInput, type BatchSource, floatWeights, hostOf } from "./inputs.ts";

/** What a generator yields: one batch, its size by the first axis of x. */
export type GeneratedBatch =
  | readonly [x: ArrayLikeInput, y: ArrayLikeInput]
  | { readonly x: ArrayLikeInput; readonly y?: ArrayLikeInput; readonly sampleWeight?: ArrayLikeInput };

type Batches = Iterable<GeneratedBatch> | AsyncIterable<GeneratedBatch>;

/** Options of `fromGenerator`. */
export interface GeneratorOptions {
  /** Batches an epoch: a generator without end needs it. Default: until it ends, counted in a first pass. */
  readonly stepsPerEpoch?: number;
}

/**
 * Batches that a generator makes, as data for `fit` and `evaluate` (Keras: fit on a generator). `make` is called anew for each epoch,
 * with its number: what it yields for one number must always be the same for runs that are resumed. Batch sizes are the generator's:
 * `batchSize` and `shuffle` of `fit` do not concern it.
 *
 * @throws ValueError when the first batch cannot be read.
 * @example
 * const drawn = await fromGenerator(function* () {
 *   for (let i = 0; i < 10; i++) yield { x: random.normal([16, 28, 28, 1]), y: random.randint([16], 0, 10) };
 * });
 * await model.fit(drawn, { epochs: 2 });
 */
export async function fromGenerator(
  make: (epoch: number) => Batches,
  options: GeneratorOptions = {},
): Promise<BatchSource> {
  const { stepsPerEpoch } = options;
  if (stepsPerEpoch !== undefined && (!Number.isInteger(stepsPerEpoch) || stepsPerEpoch < 1))
    throw new ValueError(`[fromGenerator] stepsPerEpoch must be a whole number ≥ 1, got ${stepsPerEpoch}.`);
  let first: Batch | null = null;
  let steps = 0;
  let samples = 0;
  for await (const given of make(0)) {
    const batch = batchOf(given, steps);
    first ??= batch;
    samples += batch.size;
    steps++;
    if (stepsPerEpoch !== undefined) break;
  }
  if (first === null) throw new ValueError("[fromGenerator] the generator ended before its first batch.");
  if (stepsPerEpoch !== undefined) {
    steps = stepsPerEpoch;
    samples = first.size * stepsPerEpoch;
  }
  const { shape, dtype }: { shape: readonly number[]; dtype: DType } = first.x;
  return {
    length: samples,
    xShape: shape.slice(1),
    xDtype: dtype,
    steps: () => steps,
    async *batches(_, { epoch = 0, start = 0 }): AsyncGenerator<Batch> {
      let index = 0;
      for await (const given of make(epoch)) {
        if (index >= start) yield batchOf(given, index);
        if (++index >= steps) return;
      }
    },
  };
}

function batchOf(given: GeneratedBatch, index: number): Batch {
  const parts: Exclude<GeneratedBatch, readonly unknown[]> = Array.isArray(given)
    ? { x: (given as readonly ArrayLikeInput[])[0], y: (given as readonly ArrayLikeInput[])[1] }
    : (given as Exclude<GeneratedBatch, readonly unknown[]>);
  const { x, y, sampleWeight } = parts;
  const host = hostOf(x, "x");
  const optional = (a: ArrayLikeInput | undefined, what: string): HostArray | null => {
    if (a === undefined) return null;
    const made = hostOf(a, what);
    if (made.shape[0] === host.shape[0]) return made;
    throw new ValueError(
      `[fromGenerator] batch ${index}: x has ${host.shape[0]} samples, ${what} has ${made.shape[0]}: the first axes must be equal.`,
    );
  };
  const w = optional(sampleWeight, "sampleWeight");
  return {
    x: host,
    y: optional(y, "y"),
    sampleWeight: w === null ? null : floatWeights(w),
    size: host.shape[0],
    index,
  };
}
