import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type DType, tensor, type Tensor } from "../../src/index.ts";
import { difference } from "./compare.ts";

/** An array of a fixture file. */
export interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** The cases of test/fixtures/<name>.json; see make_fixtures.py. */
export const readFixture = <T>(name: string): T[] =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8")) as T[];

export const load = (x: Numbers, dtype: DType = "float32"): Tensor => tensor([...x.data], { shape: x.shape, dtype });

/** Shapes equal, floats within 1e-5 (float32) or 1e-8 (float64) of the largest element, integers exact. */
export function expectNumbers(got: Tensor, want: Numbers, what: string): void {
  expect(got.shape, what).toEqual(want.shape);
  const off = got.dtype === "float64" ? 1e-8 : 1e-5;
  const why = difference(got.dataSync(), Float64Array.from(want.data), got.dtype, {
    relative: off,
    ofLargest: off,
    absolute: off / 100,
  });
  if (why !== null) expect.fail(`${what}: ${why}`);
}
