import { FormatError, showShape, ValueError } from "../base/index.ts";
import type { HostArray } from "./types.ts";

/** What `decodeWav` gives. */
export interface Wav {
  /** Samples a second of each channel. */
  readonly sampleRate: number;
  /** float32 in -1..1: [n] of one channel, [n, channels] of several. */
  readonly audio: HostArray;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/**
 * The sound of a WAV file: PCM of 8, 16, 24 or 32 bits (divided by 2^(bits-1)) and float of 32 or 64 bits.
 *
 * @param name of the file, for messages
 * @throws FormatError when the bytes are not a whole WAV file, or compressed.
 * @example
 * // not run: it needs such a file
 * decodeWav(await readFileBytes("one-second.wav")).audio.shape; // [16000]
 */
export function decodeWav(bytes: Uint8Array, name = "wav"): Wav {
  const fail = (message: string): never => {
    throw new FormatError(`[wav] "${name}" ${message}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || tag(0) !== "RIFF" || tag(8) !== "WAVE") return fail("is not a WAV file (RIFF … WAVE).");
  let format: { code: number; channels: number; rate: number; bits: number } | null = null;
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (tag(at) === "fmt ") {
      if (body + 16 > bytes.length || size < 16) fail("is truncated in its format.");
      let code = view.getUint16(body, true);
      // The first two bytes of the sub-format are the real code.
      if (code === EXTENSIBLE && size >= 26) code = view.getUint16(body + 24, true);
      format = {
        code,
        channels: view.getUint16(body + 2, true),
        rate: view.getUint32(body + 4, true),
        bits: view.getUint16(body + 14, true),
      };
    } else if (tag(at) === "data") {
      if (format === null) return fail("has sound before its format.");
      const there = bytes.length - body;
      // Streams that did not know their length write 0 or 2^32-1.
      const open = size === 0xffffffff || size === 0;
      if (!open && size > there) fail(`is truncated: its sound needs ${size} bytes, ${there} are there.`);
      return { sampleRate: format.rate, audio: samplesOf(view, body, open ? there : size, format, fail) };
    }
    at = body + size + (size & 1);
  }
  return fail("has no sound in it (no data chunk).");
}

type Read = (view: DataView, at: number) => number;

const READERS: Readonly<Record<string, Read>> = {
  "1/8": (v, at) => (v.getUint8(at) - 128) / 128,
  "1/16": (v, at) => v.getInt16(at, true) / 2 ** 15,
  "1/24": (v, at) => ((v.getInt8(at + 2) << 16) | v.getUint16(at, true)) / 2 ** 23,
  "1/32": (v, at) => v.getInt32(at, true) / 2 ** 31,
  "3/32": (v, at) => v.getFloat32(at, true),
  "3/64": (v, at) => v.getFloat64(at, true),
};

function samplesOf(
  view: DataView,
  from: number,
  size: number,
  { code, channels, bits }: { code: number; channels: number; bits: number },
  fail: (message: string) => never,
): HostArray {
  const read = READERS[`${code}/${bits}`];
  if (read === undefined) {
    fail(`holds sound of kind ${code} with ${bits} bits: PCM (1) of 8, 16, 24, 32 and float (3) of 32, 64 are read.`);
  }
  if (channels === 0) fail("says that it has no channel.");
  const step = bits / 8;
  const frames = Math.floor(size / (step * channels));
  const data = new Float32Array(frames * channels);
  for (let i = 0; i < data.length; i++) data[i] = read(view, from + i * step);
  return { data, shape: channels === 1 ? [frames] : [frames, channels], dtype: "float32" };
}

/**
 * A WAV file of sound [n] or [n, channels] in -1..1 (what is beyond is cut off), as 16-bit PCM or float32.
 *
 * @throws ValueError for another shape or rate.
 * @example encodeWav({ data: new Float32Array(16000), shape: [16000], dtype: "float32" }, 16000);
 */
export function encodeWav(
  audio: HostArray,
  sampleRate: number,
  options: { readonly format?: "int16" | "float32" } = {},
): Uint8Array {
  const { shape, data } = audio;
  if (shape.length < 1 || shape.length > 2)
    throw new ValueError(`[wav] sound must be [n] or [n, channels], got ${showShape(shape)}.`);
  if (!Number.isInteger(sampleRate) || sampleRate < 1)
    throw new ValueError(`[wav] sampleRate must be a whole number ≥ 1, got ${sampleRate}.`);
  const channels = shape[1] ?? 1;
  const float = options.format === "float32";
  const step = float ? 4 : 2;
  const out = new Uint8Array(44 + data.length * step);
  const view = new DataView(out.buffer);
  const text = (at: number, s: string): void => {
    for (let i = 0; i < s.length; i++) out[at + i] = s.charCodeAt(i);
  };
  text(0, "RIFF");
  view.setUint32(4, out.length - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, float ? FLOAT : PCM, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * step, true);
  view.setUint16(32, channels * step, true);
  view.setUint16(34, 8 * step, true);
  text(36, "data");
  view.setUint32(40, data.length * step, true);
  for (let i = 0; i < data.length; i++) {
    const at = 44 + i * step;
    if (float) view.setFloat32(at, data[i], true);
    else view.setInt16(at, Math.max(-32768, Math.min(32767, Math.round(data[i] * 32768))), true);
  }
  return out;
}
