import { type DType, FormatError, hostArray, sizeOf, type TypedArray } from "../base/index.ts";
import type { HostArray } from "../io/index.ts";

/**
 * IDX, the format of the MNIST files: bytes 0 0 type rank, then rank big-endian sizes, then big-endian elements.
 * int8 and int16 are widened to int32.
 */
interface IdxType {
  readonly bytes: number;
  readonly dtype: DType;
  readonly read: (view: DataView, at: number) => number;
}

const TYPES: Readonly<Record<number, IdxType>> = {
  0x08: { bytes: 1, dtype: "uint8", read: (v, at) => v.getUint8(at) },
  0x09: { bytes: 1, dtype: "int32", read: (v, at) => v.getInt8(at) },
  0x0b: { bytes: 2, dtype: "int32", read: (v, at) => v.getInt16(at) },
  0x0c: { bytes: 4, dtype: "int32", read: (v, at) => v.getInt32(at) },
  0x0d: { bytes: 4, dtype: "float32", read: (v, at) => v.getFloat32(at) },
  0x0e: { bytes: 8, dtype: "float64", read: (v, at) => v.getFloat64(at) },
};

/** What a caller knows about the file; -1 stands for any size. */
export interface IdxExpectation {
  readonly shape?: readonly number[];
  readonly dtype?: DType;
}

const hex = (n: number): string => `0x${n.toString(16).padStart(8, "0")}`;
const plain = (shape: readonly number[]): string => shape.map((d) => (d < 0 ? "n" : String(d))).join(" × ");

/**
 * Reads IDX bytes. uint8 data is a view of `bytes`, not a copy.
 *
 * @param name of the file, for messages
 * @throws FormatError naming the file, its magic number and sizes, and the bytes it should have.
 * @example parseIdx(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 2, 7, 3]), "labels").data; // Uint8Array [7, 3]
 */
export function parseIdx(bytes: Uint8Array, name: string, expect: IdxExpectation = {}): HostArray {
  const fail = (message: string): never => {
    throw new FormatError(`[idx] "${name}" ${message}`);
  };
  if (bytes.length < 4)
    fail(`has ${bytes.length} bytes: an IDX file begins with a magic number of 4. Is it empty or truncated?`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  if (magic >>> 16 === 0x1f8b) fail("is compressed with gzip: unpack it first (it begins with 0x1f8b).");
  const type = TYPES[(magic >>> 8) & 255];
  if (magic >>> 16 !== 0 || type === undefined) {
    return fail(
      `is not an IDX file: its magic number is ${hex(magic)}; 0x00000803 (images) or 0x00000801 (labels) was expected.`,
    );
  }
  const rank = magic & 255;
  const header = 4 + 4 * rank;
  if (bytes.length < header) fail(`is truncated: ${rank} sizes need ${header} bytes, the file has ${bytes.length}.`);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  if (expect.shape !== undefined && !fits(shape, expect.shape)) {
    const other =
      expect.shape.length === 3 && rank === 1
        ? " Is this the label file?"
        : expect.shape.length === 1 && rank === 3
          ? " Is this the image file?"
          : "";
    fail(`holds ${plain(shape)} (magic number ${hex(magic)}), but ${plain(expect.shape)} was expected.${other}`);
  }
  if (expect.dtype !== undefined && type.dtype !== expect.dtype) {
    fail(`holds ${type.dtype} (magic number ${hex(magic)}), but ${expect.dtype} was expected.`);
  }
  const expected = header + sizeOf(shape) * type.bytes;
  if (bytes.length !== expected) {
    fail(
      `${bytes.length < expected ? "is truncated" : "has bytes left over"}: magic number ${hex(magic)} with sizes ` +
        `${plain(shape)} needs ${expected} bytes, the file has ${bytes.length}.`,
    );
  }
  const n = sizeOf(shape);
  if (type.dtype === "uint8") return { data: bytes.subarray(header), shape, dtype: "uint8" };
  const data: TypedArray = hostArray(type.dtype, n);
  for (let i = 0; i < n; i++) data[i] = type.read(view, header + i * type.bytes);
  return { data, shape, dtype: type.dtype };
}

const fits = (shape: readonly number[], want: readonly number[]): boolean =>
  shape.length === want.length && shape.every((d, i) => want[i] < 0 || want[i] === d);

/**
 * The IDX bytes of an array of uint8, int32, float32 or float64.
 *
 * @example encodeIdx({ data: Uint8Array.of(1, 2), shape: [2], dtype: "uint8" }); // → [0, 0, 8, 1, 0, 0, 0, 2, 1, 2]
 */
export function encodeIdx(array: HostArray): Uint8Array {
  const code = { uint8: 0x08, int32: 0x0c, float32: 0x0d, float64: 0x0e, bool: 0, uint32: 0 }[array.dtype];
  if (code === 0) throw new FormatError(`[idx] has no type for ${array.dtype}: use uint8, int32, float32 or float64.`);
  const header = 4 + 4 * array.shape.length;
  const size = TYPES[code].bytes;
  const out = new Uint8Array(header + array.data.length * size);
  const view = new DataView(out.buffer);
  view.setUint32(0, (code << 8) | array.shape.length);
  array.shape.forEach((d, i) => view.setUint32(4 + 4 * i, d));
  array.data.forEach((x, i) => {
    const at = header + i * size;
    if (code === 0x08) out[at] = x;
    else if (code === 0x0c) view.setInt32(at, x);
    else if (code === 0x0d) view.setFloat32(at, x);
    else view.setFloat64(at, x);
  });
  return out;
}
