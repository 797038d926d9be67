// Products whose columns of A are packed, as a target brings them along: each block packs its own, and its tiles B.

interface Sizes {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly kSteps: number;
  readonly batches: number;
  /** Blocks that the work is good for. */
  readonly wanted: number;
  readonly es: number;
  readonly l2: number;
}

/** Blocks at most, and what a column of B is to pack against one of A where the cache holds B. */
const BLOCKS = 8;
const NEAR = 0.25;
/** Columns of a block at least. */
const COLUMNS = 64;

/**
 * Blocks of n and of m with the least to pack. Packed rows of A stay in a quarter of the second-level cache, and partial sums do not
 * go far beyond it.
 */
export function turned({ M, N, K, kSteps, batches, wanted, es, l2 }: Sizes): {
  readonly n: number;
  readonly m: number;
} {
  const parts = Math.max(Math.ceil(Math.min(wanted, BLOCKS) / batches), Math.ceil((M * N * es) / (2 * l2)));
  const least = Math.ceil((M * kSteps * es) / (l2 / 4));
  const ofB = N * (K * N * es > l2 / 2 ? 1 : NEAR);
  let best = { n: 1, m: Math.max(parts, least) };
  for (let n = 2; n <= Math.min(parts, N / COLUMNS); n++) {
    const m = Math.max(Math.ceil(parts / n), least);
    if (n * M + m * ofB < best.n * M + best.m * ofB) best = { n, m };
  }
  return best;
}
export type Turned = typeof turned;
