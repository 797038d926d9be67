import { FormatError, hostArray, ShapeError, showShape, ValueError } from "../base/index.ts";
import { decodeImage, type HostArray, type Image, listFolder, readFileBytes } from "../io/index.ts";
import { type Dataset, datasetOf } from "./dataset.ts";

/** Grey, RGB or RGBA. */
export type Channels = 1 | 3 | 4;

/** Options of `readImage`. */
export interface ImageOptions {
  /** Default: as the picture has them (grey with alpha becomes RGBA). Transparency is laid over white when it is dropped. */
  readonly channels?: Channels;
  /** Scale to [height, width]; default: as it is. */
  readonly size?: readonly [height: number, width: number];
}

/**
 * The pixels of a PNG or JPEG: uint8 [height, width, channels].
 *
 * @param source a path (Node) or the bytes
 * @throws FormatError when it is not a whole picture; ChainruleError without the package that reads it (fast-png, jpeg-js).
 * @example
 * const png = await encodePng({ width: 20, height: 10, channels: 1, data: new Uint8Array(200) });
 * (await readImage(png, { channels: 3, size: [64, 64] })).shape; // → [64, 64, 3]
 */
export async function readImage(source: string | Uint8Array, options: ImageOptions = {}): Promise<HostArray> {
  const [bytes, name] = typeof source === "string" ? [await readFileBytes(source), source] : [source, "image"];
  const image = await decodeImage(bytes, name);
  const channels = options.channels ?? (image.channels === 2 ? 4 : (image.channels as Channels));
  const pixels: HostArray = {
    data: withChannels(image, channels),
    shape: [image.height, image.width, channels],
    dtype: "uint8",
  };
  return options.size === undefined ? pixels : resizeImage(pixels, options.size);
}

/** Pixels with another number of channels. */
function withChannels({ channels, data }: Image, wanted: Channels): Uint8Array {
  if (channels === wanted) return data;
  const n = data.length / channels;
  const out = new Uint8Array(n * wanted);
  const [colours, alphas] = [channels >= 3 ? 3 : 1, channels % 2 === 0];
  for (let i = 0; i < n; i++) {
    const p = i * channels;
    const alpha = alphas ? data[p + colours] / 255 : 1;
    const over = (c: number): number => {
      const v = data[p + (colours === 1 ? 0 : c)];
      return wanted === 4 ? v : v * alpha + 255 * (1 - alpha);
    };
    if (wanted === 1) {
      // Luma of ITU-R BT.601.
      out[i] = Math.round(colours === 1 ? over(0) : 0.299 * over(0) + 0.587 * over(1) + 0.114 * over(2));
      continue;
    }
    for (let c = 0; c < 3; c++) out[i * wanted + c] = Math.round(over(c));
    if (wanted === 4) out[i * 4 + 3] = Math.round(255 * alpha);
  }
  return out;
}

/**
 * A picture [height, width, channels] in another size, bilinear; when it shrinks each pixel is an average over all that it covers (a
 * triangle filter, as Pillow's BILINEAR). uint8 is rounded, all else gives float32.
 *
 * @throws ShapeError when it is no picture; ValueError for a size below 1.
 * @example resizeImage(train.at(0).x, [32, 32]).shape; // → [32, 32, 1]
 */
export function resizeImage(image: HostArray, size: readonly [height: number, width: number]): HostArray {
  const { shape, data, dtype } = image;
  if (shape.length !== 3)
    throw new ShapeError(`[resizeImage] needs [height, width, channels], got ${showShape(shape)}.`);
  const [h, w, c] = shape;
  const [height, width] = size;
  if (!(height >= 1 && width >= 1 && Number.isInteger(height) && Number.isInteger(width)))
    throw new ValueError(`[resizeImage] size must be [height, width] of whole numbers ≥ 1, got [${size.join(", ")}].`);
  const across = taps(w, width);
  const rows = new Float64Array(h * width * c);
  const step = dtype === "uint8" ? Math.round : (v: number): number => v;
  for (let y = 0; y < h; y++) {
    across.forEach(({ from, weights }, x) => {
      for (let k = 0; k < c; k++) {
        let sum = 0;
        for (let t = 0; t < weights.length; t++) sum += weights[t] * data[(y * w + from + t) * c + k];
        rows[(y * width + x) * c + k] = step(sum);
      }
    });
  }
  const out = hostArray(dtype === "uint8" ? "uint8" : "float32", height * width * c);
  taps(h, height).forEach(({ from, weights }, y) => {
    for (let i = 0; i < width * c; i++) {
      let sum = 0;
      for (let t = 0; t < weights.length; t++) sum += weights[t] * rows[(from + t) * width * c + i];
      out[y * width * c + i] = step(sum);
    }
  });
  return { data: out, shape: [height, width, c], dtype: dtype === "uint8" ? "uint8" : "float32" };
}

/** For each of `to` pixels, which of `from` it is made of, and with what weights. */
function taps(from: number, to: number): { from: number; weights: number[] }[] {
  const scale = from / to;
  const reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - reach + 0.5));
    const last = Math.min(from, Math.floor(centre + reach + 0.5));
    const raw = Array.from({ length: Math.max(1, last - first) }, (_, t) =>
      Math.max(0, 1 - Math.abs((first + t + 0.5 - centre) / reach)),
    );
    const sum = raw.reduce((a, v) => a + v, 0);
    return { from: first, weights: raw.map((v) => v / sum) };
  });
}

/** Options of `imageFolder`. */
export interface ImageFolderOptions {
  /** All pictures are scaled to [height, width]; default: they must be of one size. */
  readonly size?: readonly [height: number, width: number];
  /** Default 3. */
  readonly channels?: Channels;
  /** Names of the sub-folders to take, in the order of their class numbers; default: all, sorted. */
  readonly classNames?: readonly string[];
  /** Called after each picture. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** What `imageFolder` gives. */
export interface ImageFolder {
  /** x float32 [n, height, width, channels] in 0..1, kept as bytes; y int32 [n]. */
  readonly data: Dataset;
  readonly classNames: readonly string[];
  /** Paths below the folder, in the order of the samples. */
  readonly files: readonly string[];
}

/**
 * The PNG and JPEG files of a folder with one sub-folder a class (Keras: image_dataset_from_directory). Node only.
 *
 * @throws FormatError without sub-folders or pictures, for a broken file, or different sizes without `size`.
 * @example
 * // not run: it needs such a folder
 * const { data, classNames } = await imageFolder("photos", { size: [64, 64] });
 * const { train, test } = trainTestSplit(data, { stratify: true });
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  const { size, channels = 3 } = options;
  const classNames = options.classNames ?? (await listFolder(folder)).folders;
  if (classNames.length === 0)
    throw new FormatError(`[imageFolder] "${folder}" has no sub-folders: it needs one a class.`);
  const found: { file: string; label: number }[] = [];
  for (const [label, name] of classNames.entries()) {
    const { files } = await listFolder(`${folder}/${name}`);
    const pictures = files.filter((f) => /\.(png|jpe?g)$/i.test(f));
    if (pictures.length === 0) throw new FormatError(`[imageFolder] "${folder}/${name}" has no .png or .jpg file.`);
    for (const f of pictures) found.push({ file: `${name}/${f}`, label });
  }
  let shape: readonly number[] = [];
  let x = new Uint8Array(0);
  for (const [i, { file }] of found.entries()) {
    const picture = await readImage(`${folder}/${file}`, size === undefined ? { channels } : { channels, size });
    if (i === 0) {
      shape = picture.shape;
      x = new Uint8Array(found.length * picture.data.length);
    } else if (showShape(picture.shape) !== showShape(shape)) {
      throw new FormatError(
        `[imageFolder] "${file}" is ${showShape(picture.shape)}, "${found[0].file}" is ${showShape(shape)}: pass { size: [height, width] }.`,
      );
    }
    x.set(picture.data, i * picture.data.length);
    options.onProgress?.({ done: i + 1, total: found.length });
  }
  const data = datasetOf({
    x: { data: x, shape: [found.length, ...shape], dtype: "uint8" },
    y: { data: Int32Array.from(found, (f) => f.label), shape: [found.length], dtype: "int32" },
    classes: classNames.length,
    scale: 1 / 255,
  });
  return { data, classNames, files: found.map((f) => f.file) };
}
