/** Augmentations that choose among others, for each image by itself. */
import { ValueError } from "../../base/index.ts";
import { log, random, sum, type Tensor, where } from "../../tensor/index.ts";
import { type Augmentation, type AugmentOptions, keyed } from "./augment.ts";
import { randomBrightness, type RangeOptions, randomContrast, randomSaturation } from "./colour.ts";
import { randomAffine, randomTranslation } from "./geometry.ts";
import { autoContrast, equalize, posterize, randomSharpness, randomSolarize } from "./tone.ts";
import { imagesOf } from "./warp.ts";

/** What a policy chooses from, at a magnitude of 0..1; pixels from outside are the border's. */
function operations(magnitude: number, colours: boolean, options: RangeOptions): Augmentation[] {
  const [low, high] = options.range ?? [0, 1];
  const outside = "nearest";
  return [
    (x) => x,
    (x) => autoContrast(x, options),
    (x) => equalize(x, options),
    (x) => posterize(x, Math.max(1, Math.round(8 - 4 * magnitude)), options),
    randomSolarize({ range: [high - magnitude * (high - low), high] }),
    randomBrightness(0.9 * magnitude * (high - low), options),
    randomContrast(0.9 * magnitude, options),
    randomSharpness(0.9 * magnitude, options),
    randomAffine({ rotate: 30 * magnitude, outside }),
    randomAffine({ shear: 17 * magnitude, outside }),
    randomTranslation(0.45 * magnitude, { outside }),
    ...(colours ? [randomSaturation(0.9 * magnitude, options)] : []),
  ];
}

/** One of the operations for each image, all equally likely. */
function oneOf(x: Tensor, list: readonly Augmentation[], options: AugmentOptions | undefined): Tensor {
  const key = options?.key;
  const choice = random.uniform([x.shape[0], 1, 1, 1], keyed(key, 0)).mul(list.length).floor();
  return list.reduce((out, op, i) => where(choice.equal(i), op(x, keyed(key, i + 1)), out), x);
}

function checked(op: string, magnitude: number, counts: Record<string, number>): void {
  if (!(magnitude >= 0 && magnitude <= 1))
    throw new ValueError(`[${op}] magnitude must be a number in 0..1, got ${magnitude}.`);
  for (const [name, count] of Object.entries(counts))
    if (!(Number.isInteger(count) && count >= 1))
      throw new ValueError(`[${op}] ${name} must be a whole number ≥ 1, got ${count}.`);
}

/** Options of `randAugment`. */
export interface RandAugmentOptions extends RangeOptions {
  /** How many, one after the other; default 2. */
  readonly operations?: number;
  /** How strong, 0..1; default 0.5. */
  readonly magnitude?: number;
}

/**
 * Each image changed by some operations out of eleven (of colour images twelve): none, contrast stretched, histogram equalised, fewer
 * bits, solarised, brightness, contrast, sharpness, turned, sheared, moved, saturation (E. Cubuk et al., "RandAugment", 2020; Keras:
 * RandAugment). Every operation is computed for the whole batch, so it costs about as much as ten of them.
 *
 * @throws ValueError for a magnitude outside 0..1, or no operation.
 * @example randAugment({ operations: 2, magnitude: 0.3 })(x);
 */
export function randAugment(options: RandAugmentOptions = {}): Augmentation {
  const { operations: count = 2, magnitude = 0.5 } = options;
  checked("randAugment", magnitude, { operations: count });
  return (images, keys) => {
    let x = imagesOf("randAugment", images);
    const list = operations(magnitude, x.shape[3] === 3, options);
    for (let i = 0; i < count; i++) x = oneOf(x, list, keyed(keys?.key, i));
    return x;
  };
}

/** Options of `augMix`. */
export interface AugMixOptions extends RangeOptions {
  /** Default 3. */
  readonly chains?: number;
  /** Operations of a chain, at most: 1, 2, … or this many, at random; default 3. */
  readonly depth?: number;
  /** How strong, 0..1; default 0.3. */
  readonly magnitude?: number;
}

/**
 * m·x + (1 - m)·(chains of operations, mixed), m uniform in 0..1 and the shares of the chains uniform among all that add up to 1
 * (D. Hendrycks et al., "AugMix", 2020, with its α = 1; Keras: AugMix).
 *
 * @throws ValueError for a magnitude outside 0..1, no chain or no operation.
 * @example augMix()(x);
 */
export function augMix(options: AugMixOptions = {}): Augmentation {
  const { chains = 3, depth = 3, magnitude = 0.3 } = options;
  checked("augMix", magnitude, { chains, depth });
  return (images, keys) => {
    const x = imagesOf("augMix", images);
    const n = x.shape[0];
    const list = operations(magnitude, x.shape[3] === 3, options);
    const u = random.uniform([n, 1 + 2 * chains], keyed(keys?.key, 0));
    const column = (i: number): Tensor => u.slice(null, [i, i + 1]).reshape([n, 1, 1, 1]);
    // Exponential numbers over their sum are uniform on the simplex.
    const weights = log(
      u
        .slice(null, [1, 1 + chains])
        .mul(-1)
        .add(1),
    ).neg();
    const shares = weights.div(sum(weights, 1, { keepdims: true }));
    let mixed = x.mul(0);
    for (let k = 0; k < chains; k++) {
      const length = column(1 + chains + k).mul(depth);
      let chain = x;
      for (let d = 0; d < depth; d++) {
        const next = oneOf(chain, list, keyed(keys?.key, 1 + k * depth + d));
        chain = where(length.greaterEqual(d), next, chain);
      }
      mixed = mixed.add(chain.mul(shares.slice(null, [k, k + 1]).reshape([n, 1, 1, 1])));
    }
    const m = column(0);
    return x.mul(m).add(mixed.mul(m.mul(-1).add(1)));
  };
}
