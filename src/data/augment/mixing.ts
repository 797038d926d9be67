/** Augmentations that mix samples and their labels. */
import { ShapeError, showShape, ValueError } from "../../base/index.ts";
import { mean, random, roll, sqrt, type Tensor, tensor, where } from "../../tensor/index.ts";
import type { Mixing } from "./augment.ts";
import { rectangle } from "./colour.ts";
import { imagesOf } from "./warp.ts";

/** Places of the table of quantiles. */
const KNOTS = 1024;

/**
 * Quantiles 0, 1/KNOTS, …, 1 of the Beta distribution with both parameters alpha. With x = t^(1/alpha) the density of t is smooth:
 * (1 - x)^(alpha - 1), added up for x ≤ ½; the rest is its mirror.
 */
function betaQuantiles(alpha: number): Float32Array {
  const steps = 16 * KNOTS;
  const top = 0.5 ** alpha;
  const density = (t: number): number => (1 - t ** (1 / alpha)) ** (alpha - 1);
  const sums = new Float64Array(steps + 1);
  for (let i = 1; i <= steps; i++)
    sums[i] = sums[i - 1] + density(((i - 1) / steps) * top) + density((i / steps) * top);
  const out = new Float32Array(KNOTS + 1);
  for (let k = 0, i = 0; k <= KNOTS / 2; k++) {
    const want = (k / (KNOTS / 2)) * sums[steps];
    while (i < steps - 1 && sums[i + 1] < want) i++;
    const part = (want - sums[i]) / (sums[i + 1] - sums[i]);
    out[k] = (((i + part) / steps) * top) ** (1 / alpha);
    out[KNOTS - k] = 1 - out[k];
  }
  return out;
}

/** Shares by the table: u in [0, 1) of any shape. */
function shares(table: Tensor, u: Tensor): Tensor {
  const at = u.mul(KNOTS);
  const low = at.floor();
  const index = low.cast("int32");
  const [a, b] = [table.gather(index), table.gather(index.add(1))];
  return a.add(b.sub(a).mul(at.sub(low)));
}

function checkPair(op: string, x: Tensor, y: Tensor): void {
  if (y.rank !== 2 || y.shape[0] !== x.shape[0]) {
    throw new ShapeError(
      `[${op}] needs labels [${x.shape[0]}, classes] for images ${showShape(x.shape)}, got ${showShape(y.shape)}.` +
        (y.rank === 1 ? " For class numbers use oneHot(labels, classes)." : ""),
    );
  }
}

function tableOf(op: string, alpha: number): Float32Array {
  if (!(alpha > 0)) throw new ValueError(`[${op}] alpha must be above 0, got ${alpha}.`);
  return betaQuantiles(alpha);
}

/**
 * λ·x + (1 - λ)·(the sample after x in the batch), labels alike, λ ~ Beta(alpha, alpha) (H. Zhang et al., "mixup", 2018).
 *
 * @example const [images, labels] = mixup({ alpha: 0.2 })(x, oneHot(y, 10));
 */
export function mixup(options: { readonly alpha?: number } = {}): Mixing {
  const quantiles = tableOf("mixup", options.alpha ?? 0.2);
  const mix = (images: Tensor, labels: Tensor, keyed = {}): [Tensor, Tensor] => {
    checkPair("mixup", images, labels);
    const n = images.shape[0];
    const share = shares(tensor(quantiles), random.uniform([n], keyed));
    const blend = (t: Tensor): Tensor => {
      const w = share.reshape([n, ...t.shape.slice(1).map(() => 1)]);
      return t.mul(w).add(roll(t, -1, 0).mul(w.mul(-1).add(1)));
    };
    return [blend(images), blend(labels)];
  };
  return Object.assign(mix, { mixes: true as const });
}

/**
 * A rectangle of each image from the sample after it in the batch; labels are mixed by area. Its share of the area is 1 - λ,
 * λ ~ Beta(alpha, alpha), less what lies beyond the border (S. Yun et al., "CutMix", 2019).
 *
 * @example const [images, labels] = cutmix()(x, oneHot(y, 10));
 */
export function cutmix(options: { readonly alpha?: number } = {}): Mixing {
  const quantiles = tableOf("cutmix", options.alpha ?? 1);
  const mix = (images: Tensor, labels: Tensor, keyed = {}): [Tensor, Tensor] => {
    const x = imagesOf("cutmix", images);
    checkPair("cutmix", x, labels);
    const [n, h, w] = x.shape;
    const u = random.uniform([n, 3], keyed);
    const share = shares(tensor(quantiles), u.slice(null, 0));
    const side = sqrt(share.mul(-1).add(1)).reshape([n, 1, 1, 1]);
    const cut = rectangle(x, side.mul(h).round(), side.mul(w).round(), u.slice(null, [1, 3]));
    const kept = mean(cut.logicalNot().cast("float32"), [1, 2, 3]).reshape([n, 1]);
    return [where(cut, roll(x, -1, 0), x), labels.mul(kept).add(roll(labels, -1, 0).mul(kept.mul(-1).add(1)))];
  };
  return Object.assign(mix, { mixes: true as const });
}
