import { ChainruleError, FormatError, ValueError } from "../base/index.ts";

/** Pixels row by row, 0..255; channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

type FastPng = typeof import("fast-png");
type Decoded = ReturnType<FastPng["decode"]>;

/** The optional package that knows PNG. */
async function fastPng(): Promise<FastPng> {
  try {
    return await import("fast-png");
  } catch (error) {
    throw new ChainruleError("[png] needs the package fast-png, which is not installed: npm install fast-png.", {
      cause: error,
    });
  }
}

/**
 * The pixels of a PNG: palettes are resolved, 16 bits become 8, 1 to 4 bits become 0..255.
 *
 * @param name of the file, for messages
 * @throws ChainruleError when the optional package fast-png is missing; FormatError when the bytes are not a whole PNG.
 * @example
 * const image = { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) } as const;
 * (await decodePng(await encodePng(image))).data; // → [0, 255]
 */
export async function decodePng(bytes: Uint8Array, name = "png"): Promise<Image> {
  const png = await fastPng();
  if (!png.hasPngSignature(bytes)) {
    throw new FormatError(`[png] "${name}" is not a PNG: it begins with ${kindOf(bytes)}. Convert it to PNG first.`);
  }
  try {
    const image = png.decode(bytes, { checkCrc: true });
    const { width, height } = image;
    if (image.palette !== undefined) {
      return { width, height, channels: image.palette[0].length, data: png.convertIndexedToRgb(image) };
    }
    return { width, height, channels: image.channels, data: toBytes(image) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(`[png] "${name}" cannot be read: ${reason}. Is it truncated or damaged?`, { cause: error });
  }
}

/**
 * The bytes of a PNG with 8 bits a channel.
 *
 * @example
 * const image = { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) } as const;
 * await writeFileSafely("two.png", await encodePng(image));
 */
export async function encodePng(image: Image): Promise<Uint8Array> {
  const { width, height, channels, data } = image;
  if (data.length !== width * height * channels) {
    throw new ValueError(
      `[png] ${width} × ${height} with ${channels} channels needs ${width * height * channels} bytes, got ${data.length}.`,
    );
  }
  return (await fastPng()).encode({ width, height, channels, data, depth: 8 });
}

/** Samples of any depth as 0..255. Rows of 1, 2 and 4 bits begin on a whole byte. */
function toBytes({ width, height, channels, depth, data }: Decoded): Uint8Array {
  if (depth === 8) return Uint8Array.from(data);
  if (depth === 16) return Uint8Array.from(data, (v) => v >>> 8);
  const perRow = Math.ceil((width * channels * depth) / 8);
  const top = (1 << depth) - 1;
  const out = new Uint8Array(width * height * channels);
  for (let y = 0, to = 0; y < height; y++) {
    for (let i = 0; i < width * channels; i++) {
      const bit = i * depth;
      out[to++] = (((data[y * perRow + (bit >> 3)] >> (8 - depth - (bit & 7))) & top) * 255) / top;
    }
  }
  return out;
}

/** What a file is instead, by its first bytes. */
function kindOf(bytes: Uint8Array): string {
  const starts = (...b: number[]): boolean => b.every((x, i) => bytes[i] === x);
  if (bytes.length === 0) return "nothing (it is empty)";
  if (starts(0xff, 0xd8)) return "the signature of a JPEG";
  if (starts(0x47, 0x49, 0x46)) return "the signature of a GIF";
  if (starts(0x52, 0x49, 0x46, 0x46)) return "the signature of a WebP";
  if (starts(0x42, 0x4d)) return "the signature of a BMP";
  return Array.from(bytes.subarray(0, 4), (b) => b.toString(16).padStart(2, "0")).join(" ");
}
