import { ChainruleError, type DType, FormatError, hostArray } from "../base/index.ts";
import type { HostArray, Json, NamedArrays } from "./types.ts";

type H5wasm = typeof import("h5wasm");
type Dataset = InstanceType<H5wasm["Dataset"]>;
type Attribute = InstanceType<H5wasm["Attribute"]>;
type Metadata = Dataset["metadata"];
type Node = InstanceType<H5wasm["Group"]> | Dataset;

/** What an HDF5 file holds. Paths have no leading slash: "dense/kernel"; the root is "". */
export interface Hdf5 {
  /** Datasets of numbers by path. */
  readonly arrays: NamedArrays;
  /** Datasets of text by path, in row-major order. */
  readonly texts: Readonly<Record<string, readonly string[]>>;
  /** Attributes by the path of their group or dataset. Whole numbers beyond 2⁵³ are given as text. */
  readonly attributes: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** What was not read, by path (of an attribute: "path@name"), each with the reason: "a compound", "a link to nothing". */
  readonly skipped: Readonly<Record<string, string>>;
}

/** The optional package that knows HDF5. */
async function h5wasm(): Promise<H5wasm> {
  try {
    return await import("h5wasm");
  } catch (error) {
    throw new ChainruleError("[hdf5] needs the package h5wasm, which is not installed: npm install h5wasm.", {
      cause: error,
    });
  }
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Where the signature may stand: at 0 or at 512, 1024, 2048, … (HDF5 file format 3.0, II.A). */
function isHdf5(bytes: Uint8Array): boolean {
  for (let at = 0; at + SIGNATURE.length <= bytes.length; at = at === 0 ? 512 : 2 * at)
    if (SIGNATURE.every((b, i) => bytes[at + i] === b)) return true;
  return false;
}

/**
 * Everything in an HDF5 file (.h5, .hdf5): float32, float64, integers, booleans and text, packed or not, in either byte order.
 * int8, int16 and uint16 become int32, and so do int64 and uint64 where every value fits. Soft links are followed.
 *
 * @param name of the file, for messages
 * @throws ChainruleError when the optional package h5wasm is missing; FormatError when the bytes are not a whole HDF5 file.
 * @example
 * // not run: it needs such a file
 * const { arrays, attributes } = await decodeHdf5(await readFileBytes("weights.h5"), "weights.h5");
 * arrays["dense/kernel"].shape; // [784, 10]
 */
export async function decodeHdf5(bytes: Uint8Array, name = "hdf5"): Promise<Hdf5> {
  if (!isHdf5(bytes)) throw new FormatError(`[hdf5] "${name}" is not an HDF5 file: it has no signature of one.`);
  const h5 = await h5wasm();
  const lib = await h5.ready;
  // From here on nothing waits, so that one name in the library's memory does.
  const place = "/chainrule.h5";
  lib.FS.writeFile(place, bytes);
  lib.activate_throwing_error_handler();
  try {
    const file = new h5.File(place, "r");
    try {
      return readAll(h5, file);
    } finally {
      file.close();
    }
  } catch (error) {
    throw new FormatError(`[hdf5] "${name}" cannot be read: ${reasonOf(error)}. Is it truncated or damaged?`, {
      cause: error,
    });
  } finally {
    lib.deactivate_throwing_error_handler();
    lib.FS.unlink(place);
  }
}

/** The innermost line of the library's trace: `  #006: … in H5F__super_read(): truncated file: eof = 3000, …`. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.match(/(?<=\(\): ).+/g)?.at(-1) ?? text.trim();
}

function readAll(h5: H5wasm, root: InstanceType<H5wasm["Group"]>): Hdf5 {
  const arrays: Record<string, HostArray> = {};
  const texts: Record<string, readonly string[]> = {};
  const attributes: Record<string, Record<string, Json>> = {};
  const skipped: Record<string, string> = {};
  const visit = (node: Node, path: string): void => {
    for (const [key, attribute] of Object.entries(node.attrs)) {
      const reason = unreadable(attribute.metadata);
      if (reason === null) (attributes[path] ??= {})[key] = jsonOf(attribute);
      else skipped[`${path}@${key}`] = reason;
    }
    if (node instanceof h5.Dataset) {
      const found = unreadable(node.metadata) ?? contentOf(node);
      if (typeof found === "string") skipped[path] = found;
      else if ("dtype" in found) arrays[path] = found;
      else texts[path] = found;
      return;
    }
    for (const key of node.keys()) {
      const at = path === "" ? key : `${path}/${key}`;
      const child = node.get(key);
      if (child instanceof h5.Dataset) visit(child, at);
      // Links of groups can lead in circles.
      else if (child instanceof h5.Group && root.get_link(`/${at}`)) skipped[at] = "a link to a group";
      else if (child instanceof h5.Group) visit(child, at);
      else if (child instanceof h5.BrokenSoftLink) skipped[at] = "a link to nothing";
      else if (child instanceof h5.ExternalLink) skipped[at] = "a link to another file";
      else skipped[at] = "neither group nor dataset";
    }
  };
  visit(root, "");
  return { arrays, texts, attributes, skipped };
}

// H5T_class_t of the HDF5 library.
const [INTEGER, FLOAT, STRING, ENUM] = [0, 1, 3, 8];
const OTHERS: Readonly<Record<number, string>> = {
  4: "a bit field",
  5: "opaque",
  6: "a compound",
  7: "a reference",
  9: "of rows of different lengths",
  10: "of arrays",
};

/** Why a type is not read; null when it is. */
function unreadable({ type, size }: Metadata): string | null {
  if (type === FLOAT && size !== 4 && size !== 8) return `float of ${8 * size} bits`;
  return [INTEGER, FLOAT, STRING, ENUM].includes(type) ? null : (OTHERS[type] ?? `of HDF5's type class ${type}`);
}

/** An enumeration of FALSE and TRUE, as h5py writes booleans. */
const isBool = ({ type, enum_type: names }: Metadata): boolean =>
  type === ENUM && names?.members["FALSE"] === 0 && names.members["TRUE"] === 1;

/** Numbers, or texts, or why neither. */
function contentOf(dataset: Dataset): HostArray | readonly string[] | string {
  const { metadata, shape } = dataset;
  const value: unknown = dataset.value;
  if (shape === null || value === null) return "empty: it has no shape";
  const { type, size, signed } = metadata;
  if (type === STRING)
    return shape.length === 0 ? [value as string] : ((value as unknown[]).flat(shape.length) as string[]);
  const values = (shape.length === 0 ? [value] : value) as ArrayLike<number | bigint>;
  const numbers = (dtype: DType): HostArray => {
    const data = hostArray(dtype, values.length);
    for (let i = 0; i < values.length; i++) data[i] = Number(values[i]);
    return { data, shape, dtype };
  };
  if (type === FLOAT) return numbers(size === 4 ? "float32" : "float64");
  if (isBool(metadata)) return numbers("bool");
  if (size < 8) return numbers(signed || size === 2 ? "int32" : size === 1 ? "uint8" : "uint32");
  const fits = Array.from(values, Number).every((v) => v >= -(2 ** 31) && v < 2 ** 31);
  return fits ? numbers("int32") : `${signed ? "" : "u"}int64 with values beyond int32`;
}

/** An attribute as JSON: text, numbers, booleans, lists of them. */
function jsonOf(attribute: Attribute): Json {
  const flag = isBool(attribute.metadata);
  const plain = (v: unknown): Json => {
    if (Array.isArray(v)) return v.map(plain);
    if (flag && v !== null) return Number(v) === 1;
    if (typeof v !== "bigint") return v as Json;
    return Number.isSafeInteger(Number(v)) ? Number(v) : String(v);
  };
  const value: unknown = attribute.value;
  return plain(ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<unknown>) : value);
}
