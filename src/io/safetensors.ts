import {
  bytesOf,
  type DType,
  FormatError,
  hostArray,
  showShape,
  sizeOf,
  type TypedArray,
  ValueError,
} from "../base/index.ts";
import type { HostArray, NamedArrays } from "./types.ts";

/**
 * Safetensors: 8 bytes of header length (little-endian), a JSON header of names, dtypes, shapes and offsets, then the
 * elements, little-endian, without gaps. https://huggingface.co/docs/safetensors
 */
export interface Safetensors {
  readonly tensors: NamedArrays;
  /** The header's `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
}

const CODES: Readonly<Record<DType, string>> = {
  float32: "F32",
  float64: "F64",
  int32: "I32",
  uint32: "U32",
  uint8: "U8",
  bool: "BOOL",
};

/** What is stored for each code and how it is read; F16 and BF16 become float32, which holds them exactly. */
const READERS: Readonly<Record<string, { bytes: number; dtype: DType; widen?: (bits: Uint16Array) => Float32Array }>> =
  {
    ...Object.fromEntries(
      Object.entries(CODES).map(([d, code]) => [code, { bytes: bytesOf(d as DType), dtype: d as DType }]),
    ),
    F16: { bytes: 2, dtype: "float32", widen: (bits) => Float32Array.from(bits, halfToFloat) },
    BF16: {
      bytes: 2,
      dtype: "float32",
      widen: (bits) => new Float32Array(Uint32Array.from(bits, (b) => b << 16).buffer),
    },
  };

/** The header may not be larger: the limit of the reference reader. */
const MAX_HEADER = 100_000_000;

/**
 * Bytes of named arrays. The header keeps their order; the data lies widest dtype first, so that all of it is aligned.
 *
 * @throws ValueError for a name that cannot be stored or an array that does not fill its shape.
 * @example encodeSafetensors({ w: { data: new Float32Array(6), shape: [2, 3], dtype: "float32" } }, { author: "me" });
 */
export function encodeSafetensors(tensors: NamedArrays, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const names = Object.keys(tensors);
  const ranges = new Map<string, [number, number]>();
  let end = 0;
  for (const name of names.toSorted((a, b) => bytesOf(tensors[b].dtype) - bytesOf(tensors[a].dtype))) {
    checkTensor(name, tensors[name]);
    const from = end;
    end += tensors[name].data.byteLength;
    ranges.set(name, [from, end]);
  }
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [["__metadata__", metadata]] : [];
  for (const name of names) {
    const { dtype, shape } = tensors[name];
    header.push([name, { dtype: CODES[dtype], shape, data_offsets: ranges.get(name) }]);
  }
  // Written by hand: a JavaScript object would move names such as "0" to the front.
  const fields = header.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`);
  const json = new TextEncoder().encode(`{${fields.join(",")}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  const out = new Uint8Array(8 + padded + end).fill(0x20, 8, 8 + padded);
  new DataView(out.buffer).setBigUint64(0, BigInt(padded), true);
  out.set(json, 8);
  for (const [name, [from]] of ranges) out.set(bytesView(tensors[name].data), 8 + padded + from);
  return out;
}

/** The bytes under a typed array. */
export const bytesView = (a: TypedArray): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

function checkTensor(name: string, t: HostArray): void {
  if (name === "__metadata__") throw new ValueError('[safetensors] "__metadata__" cannot be the name of a tensor.');
  if (t.data.length !== sizeOf(t.shape) || t.data.BYTES_PER_ELEMENT !== bytesOf(t.dtype)) {
    throw new ValueError(
      `[safetensors] tensor "${name}" is ${t.dtype} ${showShape(t.shape)} but its array is a ${t.data.constructor.name} of ` +
        `${t.data.length} elements.`,
    );
  }
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

/**
 * The named arrays in safetensors bytes, each a copy. Everything is checked before anything is read: the header's length
 * and JSON, dtypes, shapes, offsets, gaps, overlaps and the length of the file.
 *
 * @param name of the file, for messages
 * @throws FormatError naming the file, the tensor and the rule.
 * @example
 * const bytes = encodeSafetensors({ w: { data: Float32Array.of(1, 2), shape: [2], dtype: "float32" } });
 * decodeSafetensors(bytes).tensors["w"].data; // → [1, 2]
 */
export function decodeSafetensors(bytes: Uint8Array, name = "safetensors"): Safetensors {
  const fail = (message: string): never => {
    throw new FormatError(`[safetensors] "${name}" ${message}`);
  };
  if (bytes.length < 8)
    fail(`has ${bytes.length} bytes: a header length of 8 was expected. Is the file empty or truncated?`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER)
    fail(`says its header has ${length} bytes, more than the limit of ${MAX_HEADER}: this is not a safetensors file.`);
  if (8 + length > bytes.length) {
    fail(`is truncated: its header needs ${8 + length} bytes, the file has ${bytes.length}.`);
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch (error) {
    fail(`has a damaged header: ${error instanceof Error ? error.message : String(error)}.`);
  }
  if (!isObject(header)) return fail("has a header that is not a JSON object.");
  const { __metadata__: meta = {}, ...rest } = header;
  if (!isObject(meta) || !Object.values(meta).every((v) => typeof v === "string")) {
    return fail("has __metadata__ that is not a map of strings.");
  }
  const entries = Object.entries(rest).map(
    ([key, e]) => [key, checkEntry(e, (m) => fail(`tensor "${key}" ${m}`))] as const,
  );
  checkRanges(entries, bytes.length - 8 - length, fail);
  const data = bytes.subarray(8 + length);
  const tensors = Object.fromEntries(entries.map(([key, e]) => [key, readEntry(data, e)]));
  return { tensors, metadata: meta as Record<string, string> };
}

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === "object" && x !== null && !Array.isArray(x);
const isSize = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

function checkEntry(e: unknown, fail: (message: string) => never): Entry {
  if (!isObject(e)) return fail("has no description: an object with dtype, shape and data_offsets was expected.");
  const { dtype, shape, data_offsets: offsets } = e;
  const reader = typeof dtype === "string" ? READERS[dtype] : undefined;
  if (reader === undefined) {
    return fail(`has dtype ${JSON.stringify(dtype)}, which is not known. Known: ${Object.keys(READERS).join(", ")}.`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize))
    return fail(`has shape ${JSON.stringify(shape)}: a list of whole numbers ≥ 0 was expected.`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize) || offsets[0] > offsets[1]) {
    return fail(`has data_offsets ${JSON.stringify(offsets)}: [begin, end] with 0 ≤ begin ≤ end was expected.`);
  }
  const [from, to] = offsets as [number, number];
  const needed = sizeOf(shape) * reader.bytes;
  if (to - from !== needed) {
    return fail(
      `is ${String(dtype)} ${showShape(shape)} and needs ${needed} bytes, but its offsets [${from}, ${to}] give it ${to - from}.`,
    );
  }
  return { dtype: dtype as string, shape, from, to };
}

/** Together the tensors must cover the data exactly: no gap, no overlap, nothing missing, nothing left over. */
function checkRanges(
  entries: readonly (readonly [string, Entry])[],
  size: number,
  fail: (message: string) => never,
): void {
  let end = 0;
  let before = "the header";
  for (const [key, e] of entries.toSorted((a, b) => a[1].from - b[1].from || a[1].to - b[1].to)) {
    if (e.from < end)
      fail(`is damaged: tensor "${key}" [${e.from}, ${e.to}] overlaps ${before}, which ends at ${end}.`);
    if (e.from > end)
      fail(`is damaged: there is a gap of ${e.from - end} bytes between ${before} and tensor "${key}".`);
    end = e.to;
    before = `tensor "${key}"`;
  }
  if (size < end) fail(`is truncated: its tensors need ${end} bytes, the file has ${size} after the header.`);
  if (size > end) fail(`has ${size - end} bytes left over after its last tensor.`);
}

function readEntry(data: Uint8Array, e: Entry): HostArray {
  const { bytes, dtype, widen } = READERS[e.dtype];
  // Not slice(): that of a Buffer is a view.
  const copy = new Uint8Array(data.subarray(e.from, e.to));
  const n = (e.to - e.from) / bytes;
  const array = widen === undefined ? hostArray(dtype, n, copy.buffer) : widen(new Uint16Array(copy.buffer, 0, n));
  return { data: array, shape: e.shape, dtype };
}

/** IEEE 754 binary16 as a number. */
function halfToFloat(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >>> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
