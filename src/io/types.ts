import type { DType, TypedArray } from "../base/index.ts";

/** Elements on the host with their shape, row-major; bool as 0/1 bytes. */
export interface HostArray {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** What a file of weights holds, in order. */
export type NamedArrays = Readonly<Record<string, HostArray>>;

/** Plain JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
