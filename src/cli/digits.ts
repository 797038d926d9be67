import { ValueError } from "../base/index.ts";
import type { Image } from "../io/index.ts";
import type { Picture } from "../viz/index.ts";

/** Brightness in 0..1, row by row, of any image; transparent pixels show white paper. */
export function toGrey(image: Image): Picture {
  const { width, height, channels, data } = image;
  const colours = channels >= 3 ? 3 : 1;
  const out = new Float32Array(width * height);
  for (let i = 0; i < out.length; i++) {
    const p = i * channels;
    // Luma of ITU-R BT.601.
    const v = colours === 1 ? data[p] : 0.299 * data[p] + 0.587 * data[p + 1] + 0.114 * data[p + 2];
    const alpha = channels === colours ? 1 : data[p + colours] / 255;
    out[i] = (v / 255) * alpha + (1 - alpha);
  }
  return { width, height, data: out };
}

/** What was done to an image before the network saw it. */
export interface Prepared {
  readonly picture: Picture;
  readonly inverted: boolean;
  readonly resized: boolean;
}

/**
 * An image as MNIST shows digits: bright ink on black, `size` × `size`, the ink's box scaled to 20/28 of it and its centre
 * of mass in the middle (Y. LeCun, C. Cortes, C. Burges, "The MNIST database"). An image of that size already is only
 * inverted, when its border is light.
 *
 * @throws ValueError when nothing stands out from the background.
 */
export function prepareDigit(image: Image, size = 28): Prepared {
  const grey = toGrey(image);
  const paper = median(border(grey));
  const inverted = paper > 0.5;
  const ink = Float32Array.from(grey.data, (v) => Math.max(0, inverted ? paper - v : v - paper));
  const peak = ink.reduce((a, b) => Math.max(a, b), 0);
  if (peak < 0.05) {
    throw new ValueError("the image is empty: nothing stands out from its background.");
  }
  if (grey.width === size && grey.height === size) {
    const data = inverted ? Float32Array.from(grey.data, (v) => 1 - v) : grey.data;
    return { picture: { width: size, height: size, data }, inverted, resized: false };
  }
  const sharp = ink.map((v) => v / peak);
  const box = boxOf(sharp, grey.width, grey.height);
  return { picture: centre(sharp, grey.width, box, size), inverted, resized: true };
}

/** The outermost pixels: what the background looks like. */
function border({ width, height, data }: Picture): number[] {
  const out: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (y === 0 || x === 0 || y === height - 1 || x === width - 1) out.push(data[y * width + x]);
    }
  }
  return out;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The smallest box around clear ink (a quarter of the darkest or more). */
function boxOf(ink: Float32Array, width: number, height: number): Box {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x] < 0.25) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The box, scaled by area averages so that its longer side is 20/28 of `size`, with its centre of mass in the middle. */
function centre(ink: Float32Array, stride: number, box: Box, size: number): Picture {
  const inner = Math.max(1, Math.round((size * 20) / 28));
  const scale = Math.max(box.width, box.height) / inner;
  const w = Math.max(1, Math.round(box.width / scale));
  const h = Math.max(1, Math.round(box.height / scale));
  const small = new Float32Array(w * h);
  let [sum, sumX, sumY] = [0, 0, 0];
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const v = mean(
        ink,
        stride,
        box,
        (x * box.width) / w,
        ((x + 1) * box.width) / w,
        (y * box.height) / h,
        ((y + 1) * box.height) / h,
      );
      small[y * w + x] = v;
      sum += v;
      sumX += v * (x + 0.5);
      sumY += v * (y + 0.5);
    }
  }
  const dx = clamp(Math.round(size / 2 - sumX / sum), 0, size - w);
  const dy = clamp(Math.round(size / 2 - sumY / sum), 0, size - h);
  const data = new Float32Array(size * size);
  for (let y = 0; y < h; y++) data.set(small.subarray(y * w, (y + 1) * w), (y + dy) * size + dx);
  return { width: size, height: size, data };
}

const clamp = (v: number, lo: number, hi: number): number => Math.min(hi, Math.max(lo, v));

/** The mean over x0..x1, y0..y1 of the box, pixels at the edges counted by what of them lies inside. */
function mean(ink: Float32Array, stride: number, box: Box, x0: number, x1: number, y0: number, y1: number): number {
  let [sum, area] = [0, 0];
  for (let y = Math.floor(y0); y < Math.ceil(y1); y++) {
    for (let x = Math.floor(x0); x < Math.ceil(x1); x++) {
      const a = (Math.min(x + 1, x1) - Math.max(x, x0)) * (Math.min(y + 1, y1) - Math.max(y, y0));
      sum += a * ink[(box.top + y) * stride + box.left + x];
      area += a;
    }
  }
  return area === 0 ? 0 : sum / area;
}

/** Class probabilities of outputs [n][classes]: as they are when they are probabilities, else their softmax. */
export function toProbabilities(row: ArrayLike<number>): number[] {
  const values = Array.from(row);
  const sum = values.reduce((a, b) => a + b, 0);
  if (values.every((v) => v >= 0 && v <= 1) && Math.abs(sum - 1) < 1e-3) return values;
  const top = Math.max(...values);
  const exps = values.map((v) => Math.exp(v - top));
  const total = exps.reduce((a, b) => a + b, 0);
  return exps.map((e) => e / total);
}

/** The index of the greatest value. */
export function argmax(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}
