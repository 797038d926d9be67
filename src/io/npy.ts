import { type DType, FormatError, hostArray, ValueError } from "../base/index.ts";
import { bytesView } from "./safetensors.ts";
import type { HostArray } from "./types.ts";

/** NumPy's type codes of each dtype. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
const CODES: Readonly<Record<DType, string>> = {
  float32: "<f4",
  float64: "<f8",
  int32: "<i4",
  uint32: "<u4",
  uint8: "|u1",
  bool: "|b1",
};

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/**
 * The bytes of a `.npy` file, version 1.0.
 *
 * @example encodeNpy({ data: new Float32Array([1, 2]), shape: [2], dtype: "float32" });
 */
export function encodeNpy(array: HostArray): Uint8Array {
  const tuple = array.shape.length === 1 ? `(${array.shape[0]},)` : `(${array.shape.join(", ")})`;
  const text = `{'descr': '${CODES[array.dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Ten bytes before the text, a newline after it, data on a multiple of 64.
  const total = Math.ceil((10 + text.length + 1) / 64) * 64;
  const out = new Uint8Array(total + array.data.byteLength).fill(0x20, 10, total);
  out.set([...MAGIC, 1, 0, (total - 10) & 255, (total - 10) >>> 8]);
  out.set(new TextEncoder().encode(text), 10);
  out[total - 1] = 0x0a;
  out.set(bytesView(array.data), total);
  return out;
}

/**
 * The array in the bytes of a `.npy` file (versions 1 to 3, row-major, little-endian). int64 is read as int32 where every
 * value fits.
 *
 * @param name of the file, for messages
 * @throws FormatError naming the file and what is wrong with it.
 * @example decodeNpy(encodeNpy({ data: Float32Array.of(1, 2), shape: [2], dtype: "float32" })).data; // → [1, 2]
 */
export function decodeNpy(bytes: Uint8Array, name = "npy"): HostArray {
  const fail = (message: string): never => {
    throw new FormatError(`[npy] "${name}" ${message}`);
  };
  if (!MAGIC.every((b, i) => bytes[i] === b)) fail('is not an .npy file: it does not begin with "\\x93NUMPY".');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = bytes[6] === 1 ? 10 : 12;
  if (bytes.length < at) fail(`is truncated: it has ${bytes.length} bytes.`);
  const end = at + (bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (bytes.length < end) fail(`is truncated: its header needs ${end} bytes, the file has ${bytes.length}.`);
  const text = new TextDecoder().decode(bytes.subarray(at, end));
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const dims = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || dims === undefined)
    return fail(`has a header that is not understood: ${text.trim()}`);
  if (order === "True") fail("is stored column by column (fortran_order): save numpy.ascontiguousarray(a) instead.");
  const shape = dims
    .split(",")
    .map((d) => d.trim())
    .filter((d) => d !== "")
    .map(Number);
  const size = shape.reduce((n, d) => n * d, 1);
  const dtype = (Object.keys(CODES) as DType[]).find((d) => CODES[d] === descr);
  const wide = descr === "<i8";
  if (dtype === undefined && !wide) {
    return fail(
      `holds dtype "${descr}", which is not read. Known: ${Object.values(CODES).join(", ")}, <i8. Convert with .astype("float32").`,
    );
  }
  const width = Number(/\d+$/.exec(descr)?.[0]);
  if (bytes.length - end !== size * width) {
    fail(`needs ${size * width} bytes of data for (${dims}) ${descr}, but has ${bytes.length - end}.`);
  }
  // Not slice(): that of a Buffer is a view.
  const copy = new Uint8Array(bytes.subarray(end)).buffer;
  if (dtype !== undefined) return { data: hostArray(dtype, size, copy), shape, dtype };
  return { data: narrow(new BigInt64Array(copy), name), shape, dtype: "int32" };
}

function narrow(wide: BigInt64Array, name: string): Int32Array {
  return Int32Array.from(wide, (x, i) => {
    if (x !== BigInt.asIntN(32, x))
      throw new ValueError(`[npy] "${name}" holds ${x} at index ${i}, which does not fit int32.`);
    return Number(x);
  });
}
