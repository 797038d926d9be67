import { ValueError } from "../base/index.ts";
import type { Picture } from "./image.ts";

/** Pixels row by row, three bytes each (red, green, blue): what `encodePng` of chainrule/io writes with 3 channels. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
  readonly data: Uint8Array;
}

/** Red, green and blue in 0..1 for each pixel, row by row. */
export interface ColourPicture {
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
  readonly data: ArrayLike<number>;
}

/** Colours from low to high: grey, or blue over white to red, or black over red to yellow. */
export type Palette = "grey" | "signed" | "heat";

const clamp = (v: number): number => Math.min(1, Math.max(0, v));
const byte = (v: number): number => Math.round(255 * clamp(v));

/** Red, green and blue of a value in 0..1. */
function colourOf(v: number, palette: Palette): readonly [number, number, number] {
  if (palette === "grey") return [byte(v), byte(v), byte(v)];
  if (palette === "heat") return [byte(3 * v), byte(3 * v - 1), byte(3 * v - 2)];
  return v < 0.5 ? [byte(2 * v), byte(2 * v), 255] : [255, byte(2 - 2 * v), byte(2 - 2 * v)];
}

/** The colour of one pixel. */
function pixel(picture: Picture | ColourPicture, at: number, palette: Palette): readonly [number, number, number] {
  if (!("channels" in picture)) return colourOf(picture.data[at], palette);
  const [r, g, b] = [0, 1, 2].map((c) => byte(picture.data[3 * at + c]));
  return [r, g, b];
}

/**
 * Values stretched to 0..1; "signed" keeps 0 in the middle.
 *
 * @example stretch([2, 3, 4]); // → [0, 0.5, 1]
 */
export function stretch(values: ArrayLike<number>, signed = false): Float64Array {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  if (signed) {
    high = Math.max(Math.abs(low), Math.abs(high));
    low = -high;
  }
  const span = high - low || 1;
  return Float64Array.from(values, (v) => (v - low) / span);
}

/** Options of `pictureSheet`. */
export interface SheetOptions {
  /** Pictures in a row. Default: about a square. */
  readonly columns?: number;
  /** Pixels of the screen for each pixel. Default: pictures become about 96 pixels wide. */
  readonly zoom?: number;
  /** Of pictures without colours of their own. Default "grey". */
  readonly palette?: Palette;
  /** Pixels between pictures. Default 4. */
  readonly gap?: number;
}

/**
 * Pictures of one size side by side on a sheet: filters, feature maps, digits; or photographs, whose `channels: 3` says that
 * three values make a pixel.
 *
 * @throws ValueError when there is none, sizes differ, or a picture has more or fewer values than pixels.
 * @example pictureSheet([{ width: 2, height: 1, data: [0, 1] }], { zoom: 8 });
 * @example pictureSheet([{ width: 1, height: 1, channels: 3, data: [1, 0.5, 0] }]);
 */
export function pictureSheet(pictures: readonly (Picture | ColourPicture)[], options: SheetOptions = {}): RgbImage {
  const [first] = pictures;
  if (pictures.length === 0) throw new ValueError("[pictureSheet] needs at least one picture.");
  const odd = pictures.findIndex((p) => p.width !== first.width || p.height !== first.height);
  if (odd >= 0)
    throw new ValueError(
      `[pictureSheet] picture ${odd} is ${pictures[odd].width} × ${pictures[odd].height}, the first ${first.width} × ${first.height}: all must have one size.`,
    );
  pictures.forEach((p, i) => {
    const [size, many] = [
      "channels" in p ? `${p.width} × ${p.height} × 3` : `${p.width} × ${p.height}`,
      "channels" in p ? 3 : 1,
    ];
    if (p.data.length !== p.width * p.height * many)
      throw new ValueError(
        `[pictureSheet] picture ${i} is ${size} but has ${p.data.length} values: one is needed for each pixel, three with channels: 3.`,
      );
  });
  const { columns = Math.ceil(Math.sqrt(pictures.length)), palette = "grey", gap = 4 } = options;
  const zoom = options.zoom ?? Math.max(1, Math.round(96 / first.width));
  const rows = Math.ceil(pictures.length / columns);
  const [w, h] = [first.width * zoom + gap, first.height * zoom + gap];
  const [width, height] = [columns * w + gap, rows * h + gap];
  const data = new Uint8Array(width * height * 3).fill(255);
  pictures.forEach((p, i) => {
    const [left, top] = [gap + (i % columns) * w, gap + Math.floor(i / columns) * h];
    for (let y = 0; y < p.height * zoom; y++)
      for (let x = 0; x < p.width * zoom; x++) {
        const from = Math.floor(y / zoom) * p.width + Math.floor(x / zoom);
        data.set(pixel(p, from, palette), 3 * ((top + y) * width + left + x));
      }
  });
  return { width, height, channels: 3, data };
}

/**
 * A map of importance laid over a picture: heat where the map is high, the picture in grey elsewhere. The map may be coarser
 * than the picture; it is stretched over it.
 *
 * @example overlay({ width: 2, height: 2, data: [0, 1, 1, 0] }, { width: 1, height: 1, data: [0.5] });
 */
export function overlay(picture: Picture, map: Picture, options: { readonly strength?: number } = {}): RgbImage {
  const { strength = 0.6 } = options;
  const { width, height } = picture;
  const heat = stretch(map.data);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const v = heat[Math.floor((y * map.height) / height) * map.width + Math.floor((x * map.width) / width)];
      const grey = byte(picture.data[y * width + x]);
      const share = strength * v;
      data.set(
        colourOf(v, "heat").map((c) => Math.round(share * c + (1 - share) * grey)),
        3 * (y * width + x),
      );
    }
  return { width, height, channels: 3, data };
}
