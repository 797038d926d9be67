/** Element types. float32 is the default; bool and uint8 are stored as one byte an element. */
export type DType = "float32" | "float64" | "int32" | "uint32" | "uint8" | "bool";

/** The typed array that holds elements of each dtype on the host. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

interface DTypeInfo {
  readonly bytes: number;
  readonly kind: "float" | "int" | "bool";
  /** Rank in promotion: the higher of two wins. */
  readonly rank: number;
}

const TABLE: Record<DType, DTypeInfo> = {
  bool: { bytes: 1, kind: "bool", rank: 0 },
  uint8: { bytes: 1, kind: "int", rank: 1 },
  int32: { bytes: 4, kind: "int", rank: 2 },
  uint32: { bytes: 4, kind: "int", rank: 3 },
  float32: { bytes: 4, kind: "float", rank: 4 },
  float64: { bytes: 8, kind: "float", rank: 5 },
};

export const DTYPES: readonly DType[] = Object.keys(TABLE) as DType[];

export const bytesOf = (dtype: DType): number => TABLE[dtype].bytes;
export const isFloat = (dtype: DType): boolean => TABLE[dtype].kind === "float";
export const isInt = (dtype: DType): boolean => TABLE[dtype].kind === "int";

/** The dtype of a result of two operands: the higher in bool < uint8 < int32 < uint32 < float32 < float64. */
export const promote = (a: DType, b: DType): DType => (TABLE[a].rank >= TABLE[b].rank ? a : b);

/** A zero-filled host array of `n` elements, or a view of `buffer`. */
export function hostArray(dtype: DType, n: number, buffer?: ArrayBufferLike, byteOffset = 0): TypedArray {
  const at = buffer ?? new ArrayBuffer(n * bytesOf(dtype));
  switch (dtype) {
    case "float32":
      return new Float32Array(at, byteOffset, n);
    case "float64":
      return new Float64Array(at, byteOffset, n);
    case "int32":
      return new Int32Array(at, byteOffset, n);
    case "uint32":
      return new Uint32Array(at, byteOffset, n);
    default:
      return new Uint8Array(at, byteOffset, n);
  }
}

/** The dtype of a typed array (a Uint8Array is uint8, never bool). */
export function dtypeOfArray(array: TypedArray): DType {
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Float64Array) return "float64";
  if (array instanceof Int32Array) return "int32";
  if (array instanceof Uint32Array) return "uint32";
  return "uint8";
}
