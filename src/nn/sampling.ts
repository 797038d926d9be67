import { type DType, hostArray, type Key, randomWords, sizeOf, type TypedArray } from "../base/index.ts";

/**
 * Random numbers for initial weights, drawn on the host: a network's first step then compiles no kernel for them, and the
 * weights of a seed are the same on every device.
 */

/** Words at a time: what is called again and again is compiled sooner than what loops for long, in half of the time in all. */
const BLOCK = 1024;

function fill(key: Key, out: TypedArray, of: (word: number) => number): TypedArray {
  const part = (words: Uint32Array, at: number): void => {
    const n = Math.min(BLOCK, out.length - at);
    for (let i = 0; i < n; i++) out[at + i] = of(words[i]);
  };
  for (let at = 0; at < out.length; at += BLOCK) part(randomWords(key, BLOCK / 2, at / 2), at);
  return out;
}

/** Uniform in (low, high); never the ends. */
export function sampleUniform(key: Key, shape: readonly number[], dtype: DType, low: number, high: number): TypedArray {
  const scale = (high - low) / 2 ** 32;
  return fill(key, hostArray(dtype, sizeOf(shape)), (word) => low + (word + 0.5) * scale);
}

/** P(Z > 2) to five digits: what the weights of a seed have always been drawn with. */
const TAIL = 0.022750356910445902;

/** Normal; with `cut` two standard deviations at most from the mean (redistributed, as in a truncated normal). */
export function sampleNormal(
  key: Key,
  shape: readonly number[],
  dtype: DType,
  mean: number,
  stddev: number,
  cut = false,
): TypedArray {
  const tail = cut ? TAIL : 0;
  const scale = (1 - 2 * tail) / 2 ** 32;
  const of = (word: number): number => mean + stddev * normalQuantile(tail + (word + 0.5) * scale);
  return fill(key, hostArray(dtype, sizeOf(shape)), of);
}

/** Horner's scheme, degree 7. */
const poly = (c: readonly number[], x: number): number =>
  ((((((c[7] * x + c[6]) * x + c[5]) * x + c[4]) * x + c[3]) * x + c[2]) * x + c[1]) * x + c[0];

// Wichura's algorithm AS 241 (1988), PPND16, without its far tail: about 1e-16 relative.
const CENTRE_P = [
  3.387132872796366, 133.14166789178438, 1971.590950306551, 13731.693765509461, 45921.95393154987, 67265.7709270087,
  33430.57558358813, 2509.0809287301227,
];
const CENTRE_Q = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943,
  5226.495278852854,
];
const MIDDLE_P = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
  0.022723844989269184, 7.745450142783414e-4,
];
const MIDDLE_Q = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  5.475938084995345e-4, 1.0507500716444169e-9,
];

/** The x with P(Z < x) = p, for p at least 2^-36 away from 0 and 1: half a step of 32-bit words is 2^-33. */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * poly(CENTRE_P, r)) / poly(CENTRE_Q, r);
  }
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const x = poly(MIDDLE_P, r - 1.6) / poly(MIDDLE_Q, r - 1.6);
  return q < 0 ? -x : x;
}
