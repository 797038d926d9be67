/** Augmentations: the catalogue's rows, the drawn amounts, seeds, pipelines and compiled functions. */
import { describe, expect, test } from "vitest";
import { compiled, oneHot, random, type Tensor, tensor } from "../../src/index.ts";
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  affineImages,
  augment,
  type Augmentation,
  centerCrop,
  colorComponents,
  colorJitter,
  compose,
  cutmix,
  cutout,
  datasetOf,
  elastic,
  flipImages,
  gaussianBlur,
  gaussianNoise,
  grayscale,
  invertImages,
  mixup,
  pcaColor,
  randomAffine,
  randomBlur,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomFlip,
  randomGrayscale,
  randomHue,
  randomRotation,
  randomSaturation,
  randomShear,
  randomTranslation,
  randomZoom,
  rotate90,
  subsample,
} from "../../src/data/index.ts";

const flat = (x: Tensor): number[] => Array.from(x.dataSync());
function close(got: Tensor | number[], want: Tensor | number[], off: number): void {
  const [a, b] = [got, want].map((v) => (Array.isArray(v) ? v : flat(v)));
  expect(a.length).toBe(b.length);
  expect(Math.max(...a.map((v, i) => Math.abs(v - b[i])))).toBeLessThanOrEqual(off);
}
const key = (n: number): { key: readonly [number, number] } => ({ key: random.key(n) });
/** A 4 × 4 image with another number in each pixel. */
const marked = tensor(Array.from({ length: 16 }, (_, i) => i)).reshape([1, 4, 4, 1]);
const photos = (n: number, h = 12, w = 10): Tensor => random.uniform([n, h, w, 3], key(77));

const ALL: Record<string, Augmentation> = {
  randomFlip: randomFlip({ horizontal: 0.5, vertical: 0.5 }),
  randomCrop: randomCrop([8, 8], { padding: 2 }),
  randomRotation: randomRotation(30),
  randomZoom: randomZoom([0.8, 1.2]),
  randomShear: randomShear(10),
  randomTranslation: randomTranslation(0.2, { outside: "nearest" }),
  randomAffine: randomAffine({ rotate: 10, scale: [0.9, 1.1], shear: 5, translate: 0.1, outside: "reflect" }),
  elastic: elastic({ alpha: 4, sigma: 2 }),
  randomBrightness: randomBrightness(0.2),
  randomContrast: randomContrast(0.4),
  randomSaturation: randomSaturation(0.4),
  randomHue: randomHue(30),
  randomGrayscale: randomGrayscale(0.5),
  colorJitter: colorJitter({ brightness: 0.1, contrast: 0.1, saturation: 0.1, hue: 10 }),
  randomBlur: randomBlur(1, 0.5),
  gaussianNoise: gaussianNoise(0.1),
  cutout: cutout({ size: 4 }),
  pcaColor: pcaColor(colorComponents(random.uniform([4, 8, 8, 3], key(1)))),
};

describe("rows of the catalogue", () => {
  test("S-165 flip twice and four quarter turns are the identity; crops have their shape; scaling", () => {
    for (const direction of ["horizontal", "vertical"] as const) {
      expect(flat(flipImages(marked, direction))).not.toEqual(flat(marked));
      expect(flat(flipImages(flipImages(marked, direction), direction))).toEqual(flat(marked));
    }
    expect(flat(flipImages(marked)).slice(0, 4)).toEqual([3, 2, 1, 0]);
    let turned = marked;
    for (let i = 0; i < 4; i++) {
      turned = rotate90(turned);
      if (i < 3) expect(flat(turned)).not.toEqual(flat(marked));
    }
    expect(flat(turned)).toEqual(flat(marked));
    // Counter-clockwise, as numpy.rot90: the last column becomes the first row.
    expect(flat(rotate90(marked)).slice(0, 4)).toEqual([3, 7, 11, 15]);
    expect(flat(rotate90(marked, -1))).toEqual(flat(rotate90(marked, 3)));
    close(affineImages(marked, { rotate: 90 }), rotate90(marked), 1e-5);
    close(affineImages(affineImages(marked, { rotate: 90 }), { rotate: -90 }), marked, 1e-5);
    expect(flat(centerCrop(marked, [2, 2]))).toEqual([5, 6, 9, 10]);
    expect(randomCrop([3, 2])(photos(5)).shape).toEqual([5, 3, 2, 3]);
    // Twice as large: the middle of the result lies between the four middle pixels.
    const grown = affineImages(marked, { scale: 2, outside: "nearest" });
    close(flat(grown).slice(5, 7), [6.25, 6.75], 1e-5);
    close(
      affineImages(marked, { right: 0.25, down: 0.5 }),
      [...Array(8).fill(0), 0, 0, 1, 2, 0, 4, 5, 6] as number[],
      1e-5,
    );
    close(affineImages(marked, {}), marked, 0);
  });

  test("S-166 blur leaves a constant image as it is, brightness is clipped to [0, 255], inversion", () => {
    const constant = tensor(new Float32Array(2 * 9 * 7 * 3).fill(0.37)).reshape([2, 9, 7, 3]);
    for (const sigma of [0.5, 1, 3]) close(gaussianBlur(constant, sigma), constant, 1e-6);
    const dot = tensor(Array.from({ length: 81 }, (_, i) => (i === 40 ? 1 : 0))).reshape([1, 9, 9, 1]);
    const spread = gaussianBlur(dot, 1);
    expect(spread.sum().item()).toBeCloseTo(1, 6);
    // The outer product of two Gaussians.
    const at = (y: number, x: number): number => flat(spread)[9 * y + x];
    expect(at(4, 5) / at(4, 4)).toBeCloseTo(Math.exp(-0.5), 5);
    expect(at(3, 5) / at(4, 4)).toBeCloseTo(Math.exp(-1), 5);
    const bytes = tensor([10, 200, 250]).reshape([1, 1, 3, 1]);
    expect(flat(adjustBrightness(bytes, 100, { range: [0, 255] }))).toEqual([110, 255, 255]);
    expect(flat(adjustBrightness(bytes, -100, { range: [0, 255] }))).toEqual([0, 100, 150]);
    expect(flat(invertImages(bytes, { range: [0, 255] }))).toEqual([245, 55, 5]);
    const x = photos(2);
    close(adjustContrast(x, 1), x, 1e-6);
    expect(adjustContrast(x, 0.5).std().item()).toBeLessThan(x.std().item());
    close(adjustSaturation(x, 0), grayscale(x), 1e-6);
    const grey = grayscale(x);
    close(adjustHue(grey, 50), grey, 1e-5);
    const range = [-9, 9] as const;
    close(adjustHue(adjustHue(x, 120, { range }), 240, { range }), x, 1e-4);
    expect(grayscale(x, { channels: 1 }).shape).toEqual([2, 12, 10, 1]);
    // Distortion keeps shape and range.
    const bent = elastic({ alpha: 6, sigma: 2 })(x, key(4));
    expect([bent.shape, bent.min().item() >= 0, bent.max().item() <= 1]).toEqual([x.shape, true, true]);
  });

  test("S-167 noise of the variance asked for ± 2 %, on inputs of any shape; subsampled pixels", () => {
    const zeros = tensor(new Float32Array(200_000)).reshape([2000, 100]);
    for (const std of [0.05, 2]) {
      const noisy = gaussianNoise(std)(zeros, key(12));
      expect(Math.abs(noisy.variance().item() / std ** 2 - 1)).toBeLessThan(0.02);
      expect(Math.abs(noisy.mean().item())).toBeLessThan(0.02 * std);
    }
    expect(flat(subsample(marked, 2))).toEqual([0, 2, 8, 10]);
  });

  test("S-169 PCA colour: α = 0 is the identity, every pixel moves by the same", () => {
    const x = photos(3);
    const look = colorComponents(x);
    close(pcaColor(look, { std: 0 })(x, key(1)), x, 0);
    const moved = pcaColor(look, { std: 0.5 })(x, key(1)).sub(x);
    const [first, ...rest] = flat(moved.slice(0).reshape([120, 3])).reduce<number[][]>((rows, v, i) => {
      if (i % 3 === 0) rows.push([]);
      rows.at(-1)?.push(v);
      return rows;
    }, []);
    expect(Math.hypot(...first)).toBeGreaterThan(1e-4);
    rest.forEach((row) => row.forEach((v, c) => expect(Math.abs(v - first[c])).toBeLessThan(1e-6)));
    const other = flat(moved.slice(1)).slice(0, 3);
    expect(other.some((v, c) => Math.abs(v - first[c]) > 1e-4)).toBe(true);
    // Colours that only vary along (1, 2, 0): moves follow it.
    const line = tensor(Array.from({ length: 50 }, (_, i) => [i / 50, (2 * i) / 50, 0.5])).reshape([1, 5, 10, 3]);
    const { vectors, values } = colorComponents(line);
    close(
      vectors[0].map((v) => Math.abs(v)),
      [1 / Math.sqrt(5), 2 / Math.sqrt(5), 0],
      1e-6,
    );
    expect(values[1]).toBeLessThan(1e-9);
    const step = flat(pcaColor({ vectors, values }, { std: 1 })(line, key(2)).sub(line)).slice(0, 3);
    expect(step[1] / step[0]).toBeCloseTo(2, 3);
  });
});

describe("drawing", () => {
  test.each(Object.entries(ALL))(
    "%s: the same key, the same images; another key, others; at once and compiled",
    (_, f) => {
      const x = photos(6);
      const once = f(x, key(5));
      expect(flat(f(x, key(5)))).toEqual(flat(once));
      expect(flat(f(x, key(6)))).not.toEqual(flat(once));
      expect(once.shape.slice(0, 1)).toEqual([6]);
      expect(flat(once).every(Number.isFinite)).toBe(true);
      const inside = compiled((images: Tensor, k: Tensor) => f(images, { key: k }));
      close(inside(x, tensor(Uint32Array.from(random.key(5)))), once, 1e-5);
      // Without a key a compiled function draws anew each time.
      const fresh = compiled((images: Tensor) => f(images));
      expect(flat(fresh(x))).not.toEqual(flat(fresh(x)));
    },
  );

  test("amounts: flips by half, crops at every corner, angles within their bounds", () => {
    const n = 4000;
    const arrow = tensor(Float32Array.from({ length: n * 2 }, (_, i) => i % 2)).reshape([n, 1, 2, 1]);
    const flipped = flat(randomFlip()(arrow, key(3))).filter((v, i) => i % 2 === 0 && v === 1).length;
    expect(Math.abs(flipped / n - 0.5)).toBeLessThan(0.03);
    const ramp = tensor(Float32Array.from({ length: n * 4 }, (_, i) => i % 4)).reshape([n, 1, 4, 1]);
    const starts = flat(randomCrop([1, 2])(ramp, key(4))).filter((_, i) => i % 2 === 0);
    for (const s of [0, 1, 2]) expect(Math.abs(starts.filter((v) => v === s).length / n - 1 / 3)).toBeLessThan(0.03);
    // Padded by reflection: 2 1 | 0 1 2 3 | 2 1.
    const padded = flat(
      randomCrop([1, 8], { padding: 2 })(
        ramp.slice([0, 1]).tile([1, 5, 1, 1]).slice(null, [0, 1]).broadcastTo([1, 1, 4, 1]).tile([1, 3, 1, 1]),
        key(1),
      ),
    );
    expect(padded).toEqual([2, 1, 0, 1, 2, 3, 2, 1]);
    const ones = tensor(new Float32Array(1000).fill(0.5)).reshape([1000, 1, 1, 1]);
    const bright = flat(randomBrightness(0.2)(ones, key(9)));
    expect([Math.min(...bright) >= 0.3 - 1e-6, Math.max(...bright) <= 0.7 + 1e-6]).toEqual([true, true]);
    expect(Math.max(...bright) - Math.min(...bright)).toBeGreaterThan(0.38);
    expect(() => randomFlip({ horizontal: 2 })).toThrow("horizontal must be a probability");
    expect(() => randomCrop([9, 9])(marked)).toThrow("[randomCrop] cannot cut [9, 9] out of [1, 4, 4, 1]");
    expect(() => randomFlip()(tensor([1, 2]))).toThrow("needs images [n, height, width, channels], got [2]");
    expect(() => randomHue(5)(marked)).toThrow("needs three colours");
  });

  test("cutout covers a square, less what lies beyond the border", () => {
    const full = tensor(new Float32Array(300 * 100).fill(1)).reshape([300, 10, 10, 1]);
    const covered = cutout({ size: 4 })(full, key(8));
    const gone = flat(covered.sum([1, 2, 3])).map((v) => 100 - v);
    expect(Math.max(...gone)).toBe(16);
    expect(Math.min(...gone)).toBe(4);
    const first = flat(covered.slice(0));
    const rows = Array.from(
      { length: 10 },
      (_, y) => first.slice(10 * y, 10 * y + 10).filter((v) => v === 0).length,
    ).filter((v) => v > 0);
    expect(new Set(rows).size).toBe(1);
  });
});

describe("mixing", () => {
  test("mixup blends neighbours of the batch and their labels by Beta(α, α)", () => {
    const n = 4000;
    const x = tensor(Float32Array.from({ length: n }, (_, i) => i % 2)).reshape([n, 1, 1, 1]);
    const y = oneHot(tensor(Int32Array.from({ length: n }, (_, i) => i % 2)), 2);
    for (const alpha of [0.2, 1, 4]) {
      const [mixed, labels] = mixup({ alpha })(x, y, key(2));
      // The value is the weight of class 1: it must be its label.
      close(
        mixed.reshape([n]),
        flat(labels).filter((_, i) => i % 2 === 1),
        1e-6,
      );
      close(labels.sum(1), new Array<number>(n).fill(1), 1e-6);
      const share = flat(mixed).map((v, i) => (i % 2 === 1 ? v : 1 - v));
      const mean = share.reduce((a, v) => a + v, 0) / n;
      const variance = share.reduce((a, v) => a + (v - mean) ** 2, 0) / n;
      expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
      // Variance of Beta(α, α).
      expect(Math.abs(variance * 4 * (2 * alpha + 1) - 1)).toBeLessThan(0.06);
    }
    expect(() => mixup({ alpha: 0 })).toThrow("alpha must be above 0");
    expect(() => mixup()(x, tensor(new Int32Array(n)))).toThrow("For class numbers use oneHot(labels, classes)");
  });

  test("cutmix pastes a rectangle and mixes labels by area", () => {
    const n = 500;
    const x = tensor(Float32Array.from({ length: n * 64 }, (_, i) => Math.floor(i / 64) % 2)).reshape([n, 8, 8, 1]);
    const y = oneHot(tensor(Int32Array.from({ length: n }, (_, i) => i % 2)), 2);
    const [mixed, labels] = cutmix()(x, y, key(3));
    // The share of ones is the label of class 1.
    close(
      mixed.mean([1, 2, 3]),
      flat(labels).filter((_, i) => i % 2 === 1),
      1e-6,
    );
    const kept = flat(labels).filter((_, i) => i % 4 === 0 || i % 4 === 3);
    expect(Math.min(...kept)).toBeLessThan(0.2);
    expect(Math.max(...kept)).toBe(1);
  });
});

describe("pipelines", () => {
  const data = datasetOf({
    x: {
      data: Uint8Array.from({ length: 10 * 8 * 8 * 3 }, (_, i) => (i * 37) % 256),
      shape: [10, 8, 8, 3],
      dtype: "uint8",
    },
    y: { data: Int32Array.from({ length: 10 }, (_, i) => i % 3), shape: [10], dtype: "int32" },
    classes: 3,
    scale: 1 / 255,
  });

  test("mapBatches(augment(…)): other images every epoch, the same for the same seed, also from the middle", () => {
    const stages = [randomCrop([8, 8], { padding: 2 }), randomFlip(), gaussianNoise(0.01)];
    const seen = data.mapBatches(augment(stages, { seed: 3 }));
    expect([seen.xShape, seen.xDtype]).toEqual([[8, 8, 3], "float32"]);
    const batches = (epoch: number, start = 0) => [...seen.batches(4, { epoch, start, shuffle: true })];
    expect(batches(0)).toEqual(batches(0));
    expect(batches(0)[0].x.data).not.toEqual(batches(1)[0].x.data);
    expect(batches(1, 1)).toEqual(batches(1).slice(1));
    expect([...data.mapBatches(augment(stages, { seed: 4 })).batches(4)][0].x.data).not.toEqual(
      [...seen.batches(4)][0].x.data,
    );
    // Labels of class numbers stay.
    expect(batches(0)[0].y).toEqual([...data.batches(4, { epoch: 0, shuffle: true })][0].y);
  });

  test("labels are mixed as rows of shares", () => {
    const seen = data.mapBatches(augment([randomFlip(), mixup({ alpha: 1 })], { classes: 3 }));
    expect([seen.yShape, seen.yDtype]).toEqual([[3], "float32"]);
    const { y } = seen.all();
    for (let i = 0; i < 10; i++) {
      const row = Array.from(y?.data.subarray(3 * i, 3 * i + 3) ?? []);
      expect(row.reduce((a, v) => a + v, 0)).toBeCloseTo(1, 6);
    }
    expect(() => data.mapBatches(augment([mixup()]))).toThrow("for class numbers pass { classes }");
  });

  test("compose: each stage draws for itself", () => {
    const x = photos(2000, 1, 2);
    const twice = compose([gaussianNoise(1), gaussianNoise(1)])(x, key(1)).sub(x);
    expect(Math.abs(twice.variance().item() / 2 - 1)).toBeLessThan(0.05);
    const k = tensor(Uint32Array.from(random.key(1)));
    const inside = compiled((images: Tensor, words: Tensor) =>
      compose([gaussianNoise(1), gaussianNoise(1)])(images, { key: words }),
    );
    expect(Math.abs(inside(x, k).sub(x).variance().item() / 2 - 1)).toBeLessThan(0.05);
  });
});
