/**
 * Threefry-2x32, 20 rounds: counter-based random words (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * 2011). The same key and counter give the same word on every backend; the kernels repeat these very steps.
 */
export const THREEFRY_ROTATIONS: readonly number[] = [13, 15, 26, 6, 17, 29, 16, 24];
export const THREEFRY_PARITY = 0x1bd11bda;

const [a, b, c, d, e, f, g, h] = THREEFRY_ROTATIONS;
const [a1, b1, c1, d1, e1, f1, g1, h1] = THREEFRY_ROTATIONS.map((r) => 32 - r);

/** A 64-bit key as two words. */
export type Key = readonly [number, number];

/**
 * Both words for each of the counters (first, second), (first + 1, second) … The twenty rounds stand written out: drawing weights is part
 * of the time to a network's first step, and this runs ten times as fast as loops do before they are optimised.
 */
export function randomWords(key: Key, blocks: number, first = 0, second = 0): Uint32Array {
  const out = new Uint32Array(2 * blocks);
  const k0 = key[0] | 0;
  const k1 = key[1] | 0;
  const k2 = k0 ^ k1 ^ THREEFRY_PARITY;
  for (let i = 0; i < blocks; i++) {
    let x = (first + i + k0) | 0;
    let y = (second + k1) | 0;
    // Four rounds: x += y; y = rotate(y) ^ x. Then a key injection.
    x = (x + y) | 0;
    y = ((y << a) | (y >>> a1)) ^ x;
    x = (x + y) | 0;
    y = ((y << b) | (y >>> b1)) ^ x;
    x = (x + y) | 0;
    y = ((y << c) | (y >>> c1)) ^ x;
    x = (x + y) | 0;
    y = ((y << d) | (y >>> d1)) ^ x;
    x = (x + k1) | 0;
    y = (y + k2 + 1) | 0;
    x = (x + y) | 0;
    y = ((y << e) | (y >>> e1)) ^ x;
    x = (x + y) | 0;
    y = ((y << f) | (y >>> f1)) ^ x;
    x = (x + y) | 0;
    y = ((y << g) | (y >>> g1)) ^ x;
    x = (x + y) | 0;
    y = ((y << h) | (y >>> h1)) ^ x;
    x = (x + k2) | 0;
    y = (y + k0 + 2) | 0;
    x = (x + y) | 0;
    y = ((y << a) | (y >>> a1)) ^ x;
    x = (x + y) | 0;
    y = ((y << b) | (y >>> b1)) ^ x;
    x = (x + y) | 0;
    y = ((y << c) | (y >>> c1)) ^ x;
    x = (x + y) | 0;
    y = ((y << d) | (y >>> d1)) ^ x;
    x = (x + k0) | 0;
    y = (y + k1 + 3) | 0;
    x = (x + y) | 0;
    y = ((y << e) | (y >>> e1)) ^ x;
    x = (x + y) | 0;
    y = ((y << f) | (y >>> f1)) ^ x;
    x = (x + y) | 0;
    y = ((y << g) | (y >>> g1)) ^ x;
    x = (x + y) | 0;
    y = ((y << h) | (y >>> h1)) ^ x;
    x = (x + k1) | 0;
    y = (y + k2 + 4) | 0;
    x = (x + y) | 0;
    y = ((y << a) | (y >>> a1)) ^ x;
    x = (x + y) | 0;
    y = ((y << b) | (y >>> b1)) ^ x;
    x = (x + y) | 0;
    y = ((y << c) | (y >>> c1)) ^ x;
    x = (x + y) | 0;
    y = ((y << d) | (y >>> d1)) ^ x;
    out[2 * i] = x + k2;
    out[2 * i + 1] = y + k0 + 5;
  }
  return out;
}

/** Two random 32-bit words for the counter (first, second) under the key (k0, k1). */
export function threefry2x32(k0: number, k1: number, first: number, second: number): [number, number] {
  const [x, y] = randomWords([k0, k1], 1, first, second);
  return [x, y];
}

/** The key of a whole-number seed. */
export const keyOfSeed = (seed: number): Key => threefry2x32(Math.floor(seed / 2 ** 32) | 0, seed | 0, 0, 0);

/** The `index`-th child of a key: independent of its siblings and of its parent's stream. */
export const foldKey = (key: Key, index: number): Key => threefry2x32(key[0], key[1], index | 0, 0x5eed);

/** A random permutation of 0..n-1 (Fisher–Yates on the key's stream), for the host. */
export function permutationOf(key: Key, n: number): Int32Array {
  const out = Int32Array.from({ length: n }, (_, i) => i);
  const words = randomWords(key, n);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor((words[2 * i] / 2 ** 32) * (i + 1));
    const t = out[i];
    out[i] = out[j];
    out[j] = t;
  }
  return out;
}
