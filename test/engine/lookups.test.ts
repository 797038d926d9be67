// Products of looked-up rows: the table is multiplied before it is read, gradients are added up by row before they are multiplied.
import { describe, expect, test } from "vitest";
import * as c from "../../src/index.ts";
import { build as b } from "../../src/ir/index.ts";
import { traced } from "../support/execute.ts";
import { agrees, indices, leaf } from "./agrees.ts";

const matmul = { lhsBatch: [], rhsBatch: [], lhsContract: [1], rhsContract: [0] };

describe("agrees with the interpreter", () => {
  const cases: [string, () => void][] = [
    [
      "a look-up times weights",
      () => {
        const [t, i, w] = [leaf(3, 40), indices(5, 7), leaf(40, 6)];
        const x = b.gather(t, i, 0);
        agrees([t, i, w], [b.dot(x, w, { ...matmul, lhsContract: [2] })]);
      },
    ],
    [
      "a look-up of matrices, one of their axes contracted",
      () => {
        const [t, i, w] = [leaf(2, 5, 40), indices(9), leaf(40, 6)];
        agrees([t, i, w], [b.dot(b.gather(t, i, 0), w, { ...matmul, lhsContract: [2] })]);
      },
    ],
    [
      "rows that a product makes, added up",
      () => {
        const [i, z, w] = [indices(6, 4), leaf(6, 4, 20), leaf(50, 20)];
        const u = b.dot(z, w, { ...matmul, lhsContract: [2], rhsContract: [1] });
        agrees([i, z, w], [b.scatterAdd(b.full([3, 50], 0), i, u, 0)]);
      },
    ],
    [
      "the gradient of weights",
      () => {
        const [t, i, z] = [leaf(3, 40), indices(5, 7), leaf(20, 5, 7)];
        const at = { lhsBatch: [], rhsBatch: [], lhsContract: [0, 1], rhsContract: [1, 2] };
        agrees([t, i, z], [b.dot(b.gather(t, i, 0), z, at)]);
      },
    ],
    [
      "what is no such product",
      () => {
        const [t, i, z] = [leaf(3, 40), indices(40), leaf(40, 7)];
        const x = b.gather(t, i, 0);
        const turned = { lhsBatch: [], rhsBatch: [], lhsContract: [1, 0], rhsContract: [0, 1] };
        const sums = b.scatterAdd(b.full([2, 7], 0), b.slice(i, [0], [40]), z, 0);
        const base = b.scatterAdd(leaf(2, 7), i, z, 0);
        const both = { lhsBatch: [0], rhsBatch: [0], lhsContract: [1], rhsContract: [1] };
        agrees([t, i, z], [b.dot(x, z, { ...matmul, lhsContract: [0] }), b.dot(x, b.permute(x, [1, 0]), matmul)]);
        agrees([t, i, z], [b.dot(x, x, turned), b.dot(x, x, both), b.dot(sums, z, { ...matmul, rhsContract: [1] })]);
        agrees([t, i, z, base.srcs[0]], [base]);
      },
    ],
  ];
  test.each(cases)("%s", (_, body) => traced(body));
});

/** Kernels of a plan, with their multiply-adds. */
const flopsOf = (text: string): number[] =>
  [...text.matchAll(/contract .* ([\d.]+)([kM]?)flop/g)].map(
    ([, n, unit]) => Number(n) * { "": 1, k: 1e3, M: 1e6 }[unit]!,
  );

describe("in a training step", () => {
  const i = c.tensor(Int32Array.from({ length: 600 }, (_, k) => (k * k) % 5));
  const loss = (table: c.Tensor, w: c.Tensor): c.Tensor => c.take(table, i).matmul(w).square().mean();
  const parameters = (): [c.Tensor, c.Tensor] => [c.random.normal([6, 40]), c.random.normal([40, 4500])];

  test("products are as large as the table, not as the batch", () => {
    const [table, w] = parameters();
    const flops = flopsOf(c.explain((t: c.Tensor, v: c.Tensor) => c.grad(loss, { argnums: [0, 1] })(t, v))(table, w));
    expect(flops).toHaveLength(3);
    for (const n of flops) expect(n).toBeLessThan(3e6);
  });

  test("gradients are those of products with rows of zeros and a one", () => {
    const [table, w] = parameters();
    const hot = c.take(c.eye(6), i);
    const apart = (t: c.Tensor, v: c.Tensor): c.Tensor => hot.matmul(t).matmul(v).square().mean();
    const one = (f: typeof loss): c.Tensor[] =>
      c.compiled((t: c.Tensor, v: c.Tensor) => c.grad(f, { argnums: [0, 1] })(t, v))(table, w);
    const [got, want] = [one(loss), one(apart)];
    got.forEach((g, k) => expect(g.sub(want[k]).abs().max().item()).toBeLessThan(1e-5));
  });

  test("a row that nobody looks up changes nothing, whatever stands in it", () => {
    const [table, w] = parameters();
    // The squares modulo 5 are 0, 1 and 4.
    const rows = table.toArray() as number[][];
    rows[2].fill(NaN);
    rows[5].fill(Infinity);
    const g = c.compiled((t: c.Tensor, v: c.Tensor) => c.valueAndGrad(loss, { argnums: [0, 1] })(t, v));
    const [plain, [dt, dw]] = g(table, w);
    const [value, [gt, gw]] = g(c.tensor(rows), w);
    expect(value.item()).toBe(plain.item());
    expect(gw.toArray()).toEqual(dw.toArray());
    expect(gt.toArray()).toEqual(dt.toArray());
  });
});
