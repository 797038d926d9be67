import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type DType, type Tensor, tensor } from "../../src/index.ts";

type Num = number | "nan" | "inf" | "-inf";
interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly Num[];
}
export interface Case {
  readonly name: string;
  readonly xs: readonly Numbers[];
  readonly args: Record<string, never>;
  readonly outs: readonly Numbers[];
}

/** The cases of test/fixtures/<name>.json, made by make_arrays.py. */
export const casesOf = (name: string): Case[] =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8")) as Case[];

const value = (x: Num): number => (x === "nan" ? NaN : x === "inf" ? Infinity : x === "-inf" ? -Infinity : x);

export const load = (x: Numbers, dtype: DType = "float64"): Tensor =>
  tensor(x.data.map(value), { shape: x.shape, dtype });

/** Equal shapes; values within `off` of the larger of 1 and the largest wanted one. */
export function close(got: Tensor, want: Numbers, off: number, what: string): void {
  expect(got.shape, what).toEqual(want.shape);
  const data = got.dataSync();
  const scale = want.data.reduce(
    (m: number, v) => (Number.isFinite(value(v)) ? Math.max(m, Math.abs(value(v))) : m),
    1,
  );
  want.data.forEach((v, i) => {
    const [g, w] = [data[i], value(v)];
    const same = Number.isNaN(w) ? Number.isNaN(g) : g === w || Math.abs(g - w) <= off * scale;
    if (!same) expect.fail(`${what}: element ${i} is ${g}, wanted ${w}`);
  });
}
