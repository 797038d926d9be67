import { ChainruleError, FormatError } from "../base/index.ts";
import { decodePng, type Image } from "./png.ts";

/** The optional package that knows JPEG. */
async function jpegJs(): Promise<typeof import("jpeg-js")> {
  try {
    return await import("jpeg-js");
  } catch (error) {
    throw new ChainruleError("[jpeg] needs the package jpeg-js, which is not installed: npm install jpeg-js.", {
      cause: error,
    });
  }
}

/**
 * The pixels of a JPEG, as RGB.
 *
 * @param name of the file, for messages
 * @throws ChainruleError when the optional package jpeg-js is missing; FormatError when the bytes are not a whole JPEG.
 * @example
 * // not run: it needs such a file
 * const { width, height, data } = await decodeJpeg(await readFileBytes("cat.jpg"));
 */
export async function decodeJpeg(bytes: Uint8Array, name = "jpeg"): Promise<Image> {
  if (!isJpeg(bytes)) throw new FormatError(`[jpeg] "${name}" is not a JPEG: it does not begin with ff d8.`);
  const { decode } = await jpegJs();
  try {
    const { width, height, data } = decode(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false });
    return { width, height, channels: 3, data };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(`[jpeg] "${name}" cannot be read: ${reason}. Is it truncated or damaged?`, { cause: error });
  }
}

const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8;

/**
 * The pixels of a PNG or a JPEG, by its first bytes; see `decodePng` and `decodeJpeg`.
 *
 * @example
 * const png = await encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) });
 * (await decodeImage(png)).width; // → 2
 */
export const decodeImage = (bytes: Uint8Array, name = "image"): Promise<Image> =>
  isJpeg(bytes) ? decodeJpeg(bytes, name) : decodePng(bytes, name);
