import { test } from "vitest";
import { build as b } from "../../src/ir/index.ts";
import { traced } from "../support/execute.ts";
import { agrees, leaf } from "./agrees.ts";

test("a convolution that sees nothing but padding is zero", () =>
  traced(() => {
    const x = leaf(1, 1, 1, 2);
    const w = leaf(1, 1, 2, 3);
    agrees([x, w], [b.conv(x, w, { strides: [1], padding: [[0, 3]], lhsDilation: [2], rhsDilation: [1] })]);
  }));

test("the gradient of a stride is taken in parts, for every remainder", () =>
  traced(() => {
    for (const [d, k, lo, hi] of [
      [2, 3, 1, 2],
      [3, 2, 1, 4],
      [2, 1, 0, 1],
      [4, 3, 2, 2],
    ]) {
      const x = leaf(2, 4, 5, 1, 3);
      const w = leaf(k, k, 1, 3, 4);
      const padding: [number, number][] = [
        [lo, hi],
        [lo, lo],
      ];
      agrees([x, w], [b.conv(x, w, { strides: [1, 1], padding, lhsDilation: [d, d], rhsDilation: [1, 1] })]);
    }
  }));
