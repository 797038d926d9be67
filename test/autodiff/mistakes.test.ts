import { describe, expect, test } from "vitest";
import * as c from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";

describe("mistakes", () => {
  const x = c.tensor([1, 2]);
  test.each<[string, () => unknown, RegExp]>([
    [
      "a loss that is no scalar",
      () => c.grad((v: Tensor) => v.mul(2))(x),
      /\[grad\] the loss must be a scalar, got float32 \[2\]: reduce it with \.mean\(\) or \.sum\(\)/,
    ],
    [
      "a loss of whole numbers",
      () => c.grad((v: Tensor) => v.argmax())(x),
      /\[grad\] the loss must be a float, got int32/,
    ],
    ["a missing return", () => c.grad(((v: Tensor) => void v) as never)(x), /got nothing: is a return missing\?/],
    ["an async loss", () => c.grad((async (v: Tensor) => v.sum()) as never)(x), /is async/],
    [
      "an argument of whole numbers",
      () => c.grad((v: Tensor) => v.sum())(c.arange(3)),
      /\[grad\] argument 0 is int32 \[3\]: derivatives need float32 or float64/,
    ],
    [
      "argnums out of range",
      () => c.grad((v: Tensor) => v.sum(), { argnums: 1 })(x),
      /argnums names argument 1, but the function was called with 1/,
    ],
    [
      "nothing to differentiate by",
      () => c.grad((() => x.sum()) as never)("text" as never),
      /argument 0 holds no tensor/,
    ],
    [
      "[loss, aux] without hasAux",
      () => c.grad((v: Tensor) => [v.sum(), v] as never)(x),
      /with hasAux: true, \[loss, aux\] is allowed/,
    ],
    [
      "hasAux without aux",
      () => c.valueAndGrad((v: Tensor) => v.sum(), { hasAux: true })(x),
      /with hasAux the function must return \[loss, aux\]/,
    ],
    ["no model", () => c.valueAndGrad({} as never, () => x.sum()), /needs a model/],
    ["no function", () => c.grad(3 as never), /\[grad\] takes a function/],
  ])("%s", (_, f, message) => expect(f).toThrow(message));
});
