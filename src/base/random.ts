/**
 * Threefry-2x32, 20 rounds: counter-based random words (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * 2011). The same key and counter give the same word on every backend; the kernels repeat these very steps.
 */
export const THREEFRY_ROTATIONS: readonly number[] = [13, 15, 26, 6, 17, 29, 16, 24];
export const THREEFRY_PARITY = 0x1bd11bda;

/** Two random 32-bit words for the counter (c0, c1) under the key (k0, k1). */
export function threefry2x32(k0: number, k1: number, c0: number, c1: number): [number, number] {
  const ks = [k0 | 0, k1 | 0, k0 ^ k1 ^ THREEFRY_PARITY];
  let x0 = (c0 + ks[0]) | 0;
  let x1 = (c1 + ks[1]) | 0;
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 4; i++) {
      const r = THREEFRY_ROTATIONS[(round % 2) * 4 + i];
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    }
    x0 = (x0 + ks[(round + 1) % 3]) | 0;
    x1 = (x1 + ks[(round + 2) % 3] + round + 1) | 0;
  }
  return [x0 >>> 0, x1 >>> 0];
}

/** A 64-bit key as two words. */
export type Key = readonly [number, number];

/** The key of a whole-number seed. */
export const keyOfSeed = (seed: number): Key => threefry2x32(Math.floor(seed / 2 ** 32) | 0, seed | 0, 0, 0);

/** The `index`-th child of a key: independent of its siblings and of its parent's stream. */
export const foldKey = (key: Key, index: number): Key => threefry2x32(key[0], key[1], index | 0, 0x5eed);

/** A random permutation of 0..n-1 (Fisher–Yates on the key's stream), for the host. */
export function permutationOf(key: Key, n: number): Int32Array {
  const out = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const [word] = threefry2x32(key[0], key[1], i, 0);
    const j = Math.floor((word / 2 ** 32) * (i + 1));
    const t = out[i];
    out[i] = out[j];
    out[j] = t;
  }
  return out;
}
