/** Augmentations of tone, perspective and policies beside Pillow and OpenCV (test/fixtures/images.json, by make_images.py). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compiled, random, type Tensor, tensor } from "../../src/index.ts";
import {
  adjustSharpness,
  augMix,
  type Augmentation,
  autoContrast,
  equalize,
  perspectiveImages,
  posterize,
  randAugment,
  randomAutoContrast,
  randomEqualize,
  randomErasing,
  randomInvert,
  randomPerspective,
  randomPosterize,
  randomSharpness,
  randomSolarize,
  solarize,
} from "../../src/data/index.ts";

type Fixture = Record<string, number[]>;
const fixture = JSON.parse(readFileSync(new URL("../fixtures/images.json", import.meta.url), "utf8")) as Fixture;
const { shape } = fixture;
const picture = tensor(fixture.picture, { dtype: "float32" }).reshape(shape);
const bytes = { range: [0, 255] as const };
const flat = (x: Tensor): number[] => Array.from(x.dataSync());

function close(got: Tensor, want: number[], off: number): void {
  const values = flat(got);
  expect(values.length).toBe(want.length);
  expect(Math.max(...values.map((v, i) => Math.abs(v - want[i])))).toBeLessThanOrEqual(off);
}

describe("beside Pillow and OpenCV", () => {
  test("posterize and solarize are exact", () => {
    close(posterize(picture, 3, bytes), fixture.posterize, 1e-3);
    close(solarize(picture, 100, bytes), fixture.solarize, 0);
  });
  // Pillow rounds to whole bytes; its table of autocontrast rounds down.
  test("autoContrast and sharpness, to the byte", () => {
    close(autoContrast(picture, bytes), fixture.autoContrast, 1);
    close(adjustSharpness(picture, 0, bytes), fixture.smooth, 0.51);
    close(adjustSharpness(picture, 1.7, bytes), fixture.sharp, 1.5);
    close(adjustSharpness(picture, 1, bytes), fixture.picture, 1e-4);
  });
  test("equalize is exact", () => {
    close(equalize(picture, bytes), fixture.equalize, 1e-3);
    close(equalize(picture.div(255)).mul(255), fixture.equalize, 1e-3);
  });
  test("perspectiveImages, bilinear", () => {
    const corners = tensor(fixture.corners)
      .reshape([4, 2])
      .div([shape[2] - 1, shape[1] - 1]);
    close(perspectiveImages(picture, corners, { outside: "nearest" }), fixture.perspective, 1e-2);
  });
});

test("flat channels stay", () => {
  const gray = tensor(new Float32Array(2 * 5 * 4 * 3).fill(0.3)).reshape([2, 5, 4, 3]);
  for (const f of [autoContrast, equalize]) close(f(gray), flat(gray), 0);
  close(adjustSharpness(gray, 3), flat(gray), 1e-6);
  close(
    perspectiveImages(gray, [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ]),
    flat(gray),
    1e-6,
  );
});

const photos = random.uniform([64, 10, 12, 3], { key: random.key(3) });
const changed = (x: Tensor): boolean[] => {
  const [a, b] = [flat(x), flat(photos)];
  const size = a.length / 64;
  return Array.from({ length: 64 }, (_, i) =>
    a.slice(i * size, (i + 1) * size).some((v, j) => Math.abs(v - b[i * size + j]) > 1e-6),
  );
};

const ALL: Record<string, Augmentation> = {
  randomAutoContrast: randomAutoContrast(0.5),
  randomEqualize: randomEqualize(0.5),
  randomInvert: randomInvert(0.5),
  randomPosterize: randomPosterize(3, 0.5),
  randomSolarize: randomSolarize(),
  randomSharpness: randomSharpness(0.8),
  randomPerspective: randomPerspective({ scale: 0.4 }),
  randomErasing: randomErasing({ probability: 0.5, fill: "noise" }),
  randAugment: randAugment(),
  augMix: augMix(),
};

test.each(Object.keys(ALL))("%s: the same key, the same images; another key, others; at once and compiled", (name) => {
  const f = ALL[name];
  const key = (i: number): { key: readonly [number, number] } => ({ key: random.key(i) });
  const first = f(photos, key(1));
  expect(first.shape).toEqual(photos.shape);
  expect(flat(first).every(Number.isFinite)).toBe(true);
  expect(flat(f(photos, key(1)))).toEqual(flat(first));
  expect(flat(f(photos, key(2)))).not.toEqual(flat(first));
  close(
    compiled((x: Tensor, k: Tensor) => f(x, { key: k }))(photos, tensor(Uint32Array.from(random.key(1)))),
    flat(first),
    1e-5,
  );
});

test("as many images are changed as the probability says", () => {
  for (const name of ["randomAutoContrast", "randomEqualize", "randomInvert", "randomPosterize", "randomErasing"]) {
    const share = changed(ALL[name](photos, { key: random.key(5) })).filter(Boolean).length / 64;
    // Five deviations of a mean of 64 coins are 0.31.
    expect(Math.abs(share - 0.5), name).toBeLessThan(0.32);
  }
  expect(
    changed(randAugment({ magnitude: 0.5 })(photos, { key: random.key(6) })).filter(Boolean).length,
  ).toBeGreaterThan(48);
});

test("randomErasing covers a share within its scale; augMix stays within the range", () => {
  const erased = randomErasing({ probability: 1, scale: [0.1, 0.2], fill: -1 })(photos, { key: random.key(8) });
  const shares = flat(erased.equal(-1).cast("float32").mean([1, 2, 3]));
  // The border cuts some off; sides are whole pixels.
  expect(Math.max(...shares)).toBeLessThan(0.26);
  expect(shares.filter((s) => s > 0.08).length).toBeGreaterThan(20);
  const mixed = flat(augMix({ magnitude: 1 })(photos, { key: random.key(9) }));
  expect(Math.min(...mixed)).toBeGreaterThanOrEqual(-1e-5);
  expect(Math.max(...mixed)).toBeLessThanOrEqual(1 + 1e-5);
});

test("mistakes", () => {
  expect(() => posterize(photos, 0)).toThrow("[posterize] bits must be a whole number in 1..8, got 0.");
  expect(() => randomPerspective({ scale: 1 })).toThrow("[randomPerspective] scale must be a share");
  expect(() => perspectiveImages(photos, tensor([[0, 0]]))).toThrow("corners must be [64, 4, 2] or [4, 2], got [1, 2]");
  expect(() => randomErasing({ scale: [0.5, 0.1] })).toThrow("[randomErasing] scale and ratio");
  expect(() => randAugment({ magnitude: 3 })).toThrow("[randAugment] magnitude must be a number in 0..1, got 3.");
  expect(() => augMix({ chains: 0 })).toThrow("[augMix] chains must be a whole number ≥ 1, got 0.");
});
