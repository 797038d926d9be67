import { expect, test } from "vitest";
import { engine } from "../../src/engine.ts";
import { build as b, familyOf, type Node } from "../../src/ir/index.ts";
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

test("long sums for few results are taken in parts, and what follows is done where they are added up", () =>
  traced(() => {
    const x = leaf(12, 17, 16, 1, 5);
    const dy = leaf(12, 15, 14, 1, 7);
    const w = leaf(3, 3, 1, 5, 7);
    const kernel = b.conv(b.permute(x, [4, 1, 2, 3, 0]), b.permute(dy, [1, 2, 3, 0, 4]), {
      strides: [1, 1],
      padding: [
        [0, 0],
        [0, 0],
      ],
      lhsDilation: [1, 1],
      rhsDilation: [1, 1],
    });
    const gradient = b.permute(kernel, [1, 2, 3, 0, 4]);
    const stepped = b.binary("sub", w, b.binary("mul", gradient, b.full(w.shape, 0.01, "float32")));
    const inputs = [x, dy, w];
    agrees(inputs, [gradient], [[2, stepped]]);
    const plan = engine.compile({ inputs, outputs: [], updates: [{ input: 2, value: stepped }] }).explain();
    expect(plan).toMatch(/contract conv\+sub +b\[\d+\].*\n.*loop +conv\+sub .* sum\[\d+\] map\[\] → 1 .*\n2 kernels/);
    // Rows and columns that are nowhere near 64 and a sum that only halves evenly.
    const p = leaf(6, 2 * 2111);
    const q = leaf(2 * 2111, 10);
    const whole = b.dot(p, q, { lhsBatch: [], rhsBatch: [], lhsContract: [1], rhsContract: [0] });
    const r = leaf(4, 1024, 6);
    const t = leaf(4, 1024, 10);
    const parts = b.dot(r, t, { lhsBatch: [], rhsBatch: [], lhsContract: [0, 1], rhsContract: [0, 1] });
    agrees([p, q, r, t], [b.unary("abs", whole), b.unary("neg", b.permute(parts, [1, 0]))]);
  }));

test("the image of a gradient by a kernel of many channels is padded in slices of them", () =>
  traced(() => {
    for (const [groups, stride, sliced] of [
      [1, 1, true],
      [2, 1, true],
      [1, 2, true],
      [1, 1, false],
    ] as const) {
      const channels = sliced ? 272 : 264;
      const x = leaf(2, 6, 5, groups, channels);
      const w = leaf(3, 3, groups, channels, 7);
      const attrs = { strides: [stride, stride], lhsDilation: [1, 1], rhsDilation: [1, 1] };
      const padding: [number, number][] = [
        [1, 1],
        [2, 0],
      ];
      const y = b.conv(x, w, { ...attrs, padding });
      const dy = leaf(...y.shape);
      const dw = familyOf(y)?.vjp(y as never, dy as never, [false, true])[1] as Node;
      agrees([x, dy, w], [dw]);
      const plan = engine.compile({ inputs: [x, dy, w], outputs: [dw], updates: [] }).explain();
      expect(plan).toMatch(sliced ? / outer\[17,.* map\[16v\]/ : / map\[264v\]/);
    }
  }));

test("values that are stacked are computed where the stack lies, and read elsewhere too", () =>
  traced(() => {
    const x = leaf(6, 5);
    const w = leaf(5, 7);
    const v = leaf(5, 7);
    const by = (m: Node): Node => b.dot(x, m, { lhsBatch: [], rhsBatch: [], lhsContract: [1], rhsContract: [0] });
    const [p, q] = [by(w), by(v)];
    const stack = b.concat(
      [p, q, b.full([6, 7], 3, "float32"), p].map((n) => b.reshape(n, [1, 6, 7])),
      0,
    );
    const woven = b.reshape(b.permute(stack, [1, 2, 0]), [6, 28]);
    const inputs = [x, w, v];
    agrees(inputs, [b.unary("abs", woven), b.unary("exp", q)]);
    agrees(inputs, [stack, b.reduce("sum", stack, [0]), p]);
    const plan = engine.compile({ inputs, outputs: [b.unary("abs", woven)], updates: [] }).explain();
    // Two products, the constant, and the product that is in the stack twice.
    expect(plan.match(/loop +concat/g)).toHaveLength(2);
    expect(plan).toContain("\n5 kernels");
  }));
