/** Augmentation by a look from the side, and by covering parts. */
import { ShapeError, showShape, ValueError } from "../../base/index.ts";
import { exp, random, sqrt, type Tensor, tensor, where } from "../../tensor/index.ts";
import { type Augmentation, keyed } from "./augment.ts";
import { rectangle } from "./colour.ts";
import { imagesOf, type Outside, places, sample } from "./warp.ts";

/**
 * Images read through the quadrilaterals whose corners are given, bilinearly: each becomes a whole image (P. Heckbert, 1989, "Fundamentals
 * of texture mapping", the map of a square to a quadrilateral).
 *
 * @param corners [n, 4, 2] or [4, 2]: (x, y) of the upper left, upper right, lower right and lower left corner, as shares 0..1 of
 * width and height
 * @example perspectiveImages(x, [[0.1, 0], [0.9, 0], [1, 1], [0, 1]]);
 */
export function perspectiveImages(
  images: Tensor,
  corners: Tensor | readonly (readonly [number, number])[],
  options: { readonly outside?: Outside } = {},
): Tensor {
  const x = imagesOf("perspectiveImages", images);
  const [n, h, w] = x.shape;
  const given = "dataSync" in corners ? corners : tensor(corners.map((c) => [...c]));
  if (!(given.shape.at(-1) === 2 && given.shape.at(-2) === 4 && (given.rank === 2 || given.shape[0] === n)))
    throw new ShapeError(`[perspectiveImages] corners must be [${n}, 4, 2] or [4, 2], got ${showShape(given.shape)}.`);
  const quad = given.broadcastTo([n, 4, 2]);
  const at = (i: number, axis: number): Tensor => quad.slice(null, [i, i + 1], [axis, axis + 1]);
  const [xs, ys] = [0, 1].map((axis) => [0, 1, 2, 3].map((i) => at(i, axis)));
  const across = (p: Tensor[]): Tensor[] => [p[1].sub(p[2]), p[3].sub(p[2]), p[0].sub(p[1]).add(p[2]).sub(p[3])];
  const [[dx1, dx2, sx], [dy1, dy2, sy]] = [across(xs), across(ys)];
  const det = dx1.mul(dy2).sub(dx2.mul(dy1));
  const g = sx.mul(dy2).sub(dx2.mul(sy)).div(det);
  const k = dx1.mul(sy).sub(sx.mul(dy1)).div(det);
  const [v, u] = [places(h, 1).div(Math.max(1, h - 1)), places(w, 2).div(Math.max(1, w - 1))];
  const below = u.mul(g).add(v.mul(k)).add(1);
  const along = (p: Tensor[], size: number): Tensor => {
    const a = p[1].sub(p[0]).add(g.mul(p[1]));
    const b = p[3].sub(p[0]).add(k.mul(p[3]));
    return u
      .mul(a)
      .add(v.mul(b))
      .add(p[0])
      .div(below)
      .mul(size - 1);
  };
  return sample(x, along(ys, h), along(xs, w), options.outside ?? 0);
}

/**
 * Each image seen from the side with some probability: every corner moves inward by up to half of `scale` of height and width (Keras:
 * RandomPerspective).
 *
 * @throws ValueError when scale is not in 0..1.
 * @example randomPerspective({ scale: 0.3 })(x);
 */
export function randomPerspective(
  options: { readonly scale?: number; readonly probability?: number; readonly outside?: Outside } = {},
): Augmentation {
  const { scale = 0.3, probability = 1, outside = 0 } = options;
  if (!(scale >= 0 && scale < 1))
    throw new ValueError(`[randomPerspective] scale must be a share in 0..1, below 1, got ${scale}.`);
  return (images, keys) => {
    const x = imagesOf("randomPerspective", images);
    const n = x.shape[0];
    const u = random.uniform([n, 9], keys ?? {});
    const inward = u
      .slice(null, [0, 8])
      .reshape([n, 4, 2])
      .mul(scale / 2);
    const square = tensor([
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ]);
    // 0 + r or 1 - r.
    const corners = square.add(inward.mul(square.mul(-2).add(1)));
    const seen = perspectiveImages(x, corners, { outside });
    if (probability === 1) return seen;
    return where(u.slice(null, [8, 9]).reshape([n, 1, 1, 1]).less(probability), seen, x);
  };
}

/** Options of `randomErasing`. */
export interface ErasingOptions {
  /** Default 0.5. */
  readonly probability?: number;
  /** Share of the area, [low, high]; default [0.02, 0.33]. */
  readonly scale?: readonly [low: number, high: number];
  /** Height over width, [low, high]; default [0.3, 3.3]. */
  readonly ratio?: readonly [low: number, high: number];
  /** What is filled in: a number, or "noise", normal of deviation 1; default 0. */
  readonly fill?: number | "noise";
}

/**
 * A rectangle of some images covered (Z. Zhong et al., "Random erasing", 2020; Keras: RandomErasing). At the border it is cut off.
 *
 * @throws ValueError for shares or ratios that are not above 0.
 * @example randomErasing({ probability: 0.5 })(x);
 */
export function randomErasing(options: ErasingOptions = {}): Augmentation {
  const { probability = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], fill = 0 } = options;
  if (!(scale[0] > 0 && scale[0] <= scale[1] && ratio[0] > 0 && ratio[0] <= ratio[1])) {
    throw new ValueError(
      `[randomErasing] scale and ratio must be [low, high] with 0 < low ≤ high, got [${scale.join(", ")}] and [${ratio.join(", ")}].`,
    );
  }
  return (images, keys) => {
    const x = imagesOf("randomErasing", images);
    const [n, h, w] = x.shape;
    const u = random.uniform([n, 5], keyed(keys?.key, 0));
    const one = (i: number): Tensor => u.slice(null, [i, i + 1]).reshape([n, 1, 1, 1]);
    const area = one(0)
      .mul(scale[1] - scale[0])
      .add(scale[0])
      .mul(h * w);
    const [a, b] = ratio.map((r) => Math.log(r));
    const aspect = exp(
      one(1)
        .mul(b - a)
        .add(a),
    );
    const side = (t: Tensor): Tensor => sqrt(t).round();
    const there = rectangle(x, side(area.mul(aspect)), side(area.div(aspect)), u.slice(null, [2, 4]));
    const filling = fill === "noise" ? random.normal(x.shape, keyed(keys?.key, 1)) : fill;
    return where(there.logicalAnd(one(4).less(probability)), filling, x);
  };
}
