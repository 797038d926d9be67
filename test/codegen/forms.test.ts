// Functions in place of several operations: which expressions become one.
import { expect, test } from "vitest";
import { withForms } from "../../src/codegen/loops/forms.ts";
import { gelu } from "../../src/codegen/loops/gelu.ts";
import type { Target } from "../../src/codegen/asm/index.ts";
import type { Ex } from "../../src/schedule/index.ts";

const dtype = "float32";
const op = (name: string, ...srcs: number[]): Ex => ({ k: "op", op: name, srcs, dtype }) as Ex;
const num = (value: number): Ex => ({ k: "const", value, dtype });

/** x · sigmoid(x (c x² + d)): 11 is the sigmoid, 12 the product. */
const exs: Ex[] = [
  { k: "tile", dtype },
  num(1),
  num(1.5957691),
  num(0.0713548),
  op("mul", 0, 0),
  op("mul", 3, 4),
  op("add", 2, 5),
  op("mul", 0, 6),
  op("neg", 7),
  op("exp", 8),
  op("add", 1, 9),
  op("div", 1, 10),
  op("mul", 0, 11),
];
const stores = (...values: number[]) => [
  {
    stores: values.map((value, arg) => ({ arg, index: { c: 0, t: [1] }, dyn: [], value, dtype, add: false }) as const),
  },
];
const kinds = (...values: number[]): string[] =>
  withForms(exs, stores(...values), { gelu } as Partial<Target> as Target).map((e) => e.k);

test("GELU is one function of its argument", () => {
  expect(kinds(12)[12]).toBe("math");
});

test("GELU beside its sigmoid is a product with it: the sigmoid is computed once", () => {
  const list = kinds(11, 12);
  expect(list[11]).toBe("math");
  expect(list[12]).toBe("op");
});
