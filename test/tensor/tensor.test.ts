import { describe, expect, test } from "vitest";
import * as c from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";

describe("creation and conversion", () => {
  test("dtypes of data", () => {
    expect(c.tensor([1, 2]).dtype).toBe("float32");
    expect(c.tensor([true, false]).dtype).toBe("bool");
    expect(c.tensor(new Float64Array(2)).dtype).toBe("float64");
    expect(c.tensor(new Int16Array(2)).dtype).toBe("int32");
    expect(c.tensor(new Uint8ClampedArray([300])).array()).toEqual([255]);
    expect(c.tensor([0, 2], { dtype: "bool" }).array()).toEqual([false, true]);
    expect(
      c
        .tensor(
          [
            [1, 2],
            [3, 4],
          ],
          { shape: [4] },
        )
        .array(),
    ).toEqual([1, 2, 3, 4]);
    expect(c.tensor(new Int32Array(6), { shape: [2, -1] }).shape).toEqual([2, 3]);
    expect(c.tensor([[], []]).shape).toEqual([2, 0]);
  });

  test("data are copied", () => {
    const data = new Float32Array([1, 2]);
    const t = c.tensor(data);
    data[0] = 9;
    t.dataSync()[1] = 9;
    expect(t.array()).toEqual([1, 2]);
  });

  test("ranges, identities, one-hot", () => {
    expect(c.arange(3).array()).toEqual([0, 1, 2]);
    expect(c.arange(3).dtype).toBe("int32");
    expect(c.arange(1, 2, 0.25).array()).toEqual([1, 1.25, 1.5, 1.75]);
    expect(c.arange(5, 0, -2).array()).toEqual([5, 3, 1]);
    expect(c.arange(2, 1).shape).toEqual([0]);
    expect(c.linspace(0, 1, 5).array()).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(c.eye(2, 3, 1).array()).toEqual([
      [0, 1, 0],
      [0, 0, 1],
    ]);
    expect(c.tri(3).array()).toEqual([
      [1, 0, 0],
      [1, 1, 0],
      [1, 1, 1],
    ]);
    expect(c.oneHot([[0], [5]], 2, { onValue: 0.9, offValue: 0.1, dtype: "float64" }).array()).toEqual([
      [[0.9, 0.1]],
      [[0.1, 0.1]],
    ]);
    expect(c.fullLike(c.arange(2), 7).dtype).toBe("int32");
  });
});

describe("promotion", () => {
  const dtypes = (...pairs: [c.TensorLike, c.TensorLike, c.DType][]): void => {
    for (const [a, b, want] of pairs) expect(c.add(a, b).dtype).toBe(want);
  };
  test("a bare number follows the other operand", () => {
    const [i, u, b, d] = [
      c.arange(2),
      c.tensor([1], { dtype: "uint8" }),
      c.tensor([true]),
      c.tensor([1], { dtype: "float64" }),
    ];
    dtypes(
      [i, 2, "int32"],
      [i, 0.5, "float32"],
      [u, 2, "uint8"],
      [u, -1, "int32"],
      [u, 300, "int32"],
      [b, 1, "int32"],
      [d, 0.1, "float64"],
      [1, 2, "float32"],
    );
    expect(d.mul(0.1).item()).toBe(0.1);
    expect(c.add(u, 300).array()).toEqual([301]);
  });
  test("the higher dtype wins; functions into the reals give floats", () => {
    const [i, u, f, d] = [
      c.arange(2),
      c.tensor([1], { dtype: "uint8" }),
      c.tensor([1]),
      c.tensor([1], { dtype: "float64" }),
    ];
    dtypes([i, u, "int32"], [i, f, "float32"], [f, d, "float64"], [c.tensor([true]), c.tensor([true]), "int32"]);
    expect(i.div(2).dtype).toBe("float32");
    expect(i.exp().dtype).toBe("float32");
    expect(i.mean().dtype).toBe("float32");
    expect(u.sum().dtype).toBe("int32");
    expect(c.tensor([200, 100], { dtype: "uint8" }).sum().item()).toBe(300);
    expect(c.matmul(c.tensor([[200]], { dtype: "uint8" }), c.tensor([[200]], { dtype: "uint8" })).item()).toBe(40000);
  });
});

describe("element-wise", () => {
  test("Python's division and remainder", () => {
    const [a, b] = [c.tensor([7, -7, 7, -7], { dtype: "int32" }), c.tensor([2, 2, -2, -2], { dtype: "int32" })];
    expect(a.floorDiv(b).array()).toEqual([3, -4, -4, 3]);
    expect(a.mod(b).array()).toEqual([1, 1, -1, -1]);
    expect(c.floorDiv([7, -7], 2).array()).toEqual([3, -4]);
  });
  test("comparisons, logic, where, tests for NaN", () => {
    const x = c.tensor([1, NaN, Infinity, -2]);
    expect(x.isNaN().array()).toEqual([false, true, false, false]);
    expect(x.isFinite().array()).toEqual([true, false, false, true]);
    expect(c.isFinite(c.arange(2)).array()).toEqual([true, true]);
    expect(x.greater(0).logicalAnd(x.isFinite()).array()).toEqual([true, false, false, false]);
    expect(c.logicalXor([true, false], [true, true]).array()).toEqual([false, true]);
    expect(c.where(x.isNaN(), 0, x).array()).toEqual([1, 0, Infinity, -2]);
    expect(c.where([[true], [false]], [1, 2], 0).array()).toEqual([
      [1, 2],
      [0, 0],
    ]);
    expect(c.greaterEqual([1, 2, 3], 2).array()).toEqual([false, true, true]);
    expect(c.notEqual(c.arange(2), 1).array()).toEqual([true, false]);
  });
  test("rounding goes to even, casts truncate", () => {
    expect(c.round([0.5, 1.5, 2.5, -1.4]).array()).toEqual([0, 2, 2, -1]);
    expect(c.cast([1.9, -1.9], "int32").array()).toEqual([1, -1]);
  });
  test("composite functions", () => {
    const near = (t: Tensor, want: number[], digits = 5): void =>
      want.forEach((v, i) => expect(t.dataSync()[i]).toBeCloseTo(v, digits));
    near(c.sigmoid([-1000, 0, 2, 1000]), [0, 0.5, 0.880797, 1]);
    near(c.softplus([0, 1, 1000]), [0.693147, 1.313262, 1000]);
    near(c.logSigmoid([0, -1000]), [-0.693147, -1000]);
    near(c.gelu([1, -1]), [0.841345, -0.158655]);
    near(c.gelu([1, -1], { approximate: true }), [0.841192, -0.158808]);
    near(c.rsqrt([4]), [0.5]);
    near(c.reciprocal([4]), [0.25]);
    near(c.tan([1]), [1.557408]);
    expect(c.clip([-1, 0.5, 2], 0, 1).array()).toEqual([0, 0.5, 1]);
  });
});

describe("reductions", () => {
  const x = c.tensor([
    [3, 1, 2],
    [6, 5, 4],
  ]);
  test("axes", () => {
    expect(x.sum().item()).toBe(21);
    expect(x.sum([0, -1], { keepdims: true }).array()).toEqual([[21]]);
    expect(x.max(1).array()).toEqual([3, 6]);
    expect(x.argmax().item()).toBe(3);
    expect(x.argmin(1, { keepdims: true }).array()).toEqual([[1], [2]]);
    expect(x.sum([]).array()).toEqual(x.array());
    expect(c.zeros([0, 3]).sum(0).array()).toEqual([0, 0, 0]);
    expect(c.zeros([0]).prod().item()).toBe(1);
    expect(c.mean(c.zeros([0])).item()).toBeNaN();
  });
  test("any, all, max of bool", () => {
    const b = c.tensor([
      [true, false],
      [true, true],
    ]);
    expect(b.any(1).array()).toEqual([true, true]);
    expect(b.all(1).array()).toEqual([false, true]);
    expect(b.min(0).array()).toEqual([true, false]);
    expect(b.sum().item()).toBe(3);
    expect(c.all(c.zeros([0])).item()).toBe(1);
  });
  test("statistics", () => {
    expect(x.mean(0).array()).toEqual([4.5, 3, 3]);
    expect(c.variance([1, 2, 3, 4], null, { ddof: 1 }).item()).toBeCloseTo(5 / 3, 6);
    expect(c.std([1, 1, 1]).item()).toBe(0);
    expect(
      c
        .norm(
          [
            [1, 2],
            [2, 4],
          ],
          1,
          { ord: 1 },
        )
        .array(),
    ).toEqual([3, 6]);
    expect(c.norm([1, 2, 2], null, { ord: 3 }).item()).toBeCloseTo(17 ** (1 / 3), 5);
    expect(x.softmax(0).sum(0).sub(1).abs().max().item()).toBeLessThan(1e-6);
    expect(c.softmax([[1000, 1000]]).array()).toEqual([[0.5, 0.5]]);
    expect(c.cumsum([1, 2, 3], 0, { exclusive: true }).array()).toEqual([0, 1, 3]);
    expect(c.cumsum([1, 2, 3], 0, { reverse: true }).array()).toEqual([6, 5, 3]);
  });
});

describe("movement and indexing", () => {
  const x = c.arange(6).reshape([2, 3]);
  test("shapes", () => {
    expect(x.T.array()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(c.zeros([2, 1, 3, 1]).squeeze().shape).toEqual([2, 3]);
    expect(c.zeros([2, 1, 3]).squeeze(1).shape).toEqual([2, 3]);
    expect(x.expandDims([0, -1]).shape).toEqual([1, 2, 3, 1]);
    expect(c.zeros([2, 3, 4]).moveaxis(0, -1).shape).toEqual([3, 4, 2]);
    expect(c.zeros([2, 3, 4]).swapaxes(0, 2).shape).toEqual([4, 3, 2]);
    expect(c.zeros([2, 3, 4]).flatten(1).shape).toEqual([2, 12]);
    expect(c.broadcastTo([[1], [2]], [2, 2]).array()).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });
  test("joining and cutting", () => {
    expect(c.concat([x, [[9, 9, 9]]]).array()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [9, 9, 9],
    ]);
    expect(
      c
        .stack(
          [
            [1, 2],
            [3, 4],
          ],
          -1,
        )
        .array(),
    ).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(x.split(3, 1).map((t) => t.array())).toEqual([
      [[0], [3]],
      [[1], [4]],
      [[2], [5]],
    ]);
    expect(x.split([1, -1], 1).map((t) => t.shape)).toEqual([
      [2, 1],
      [2, 2],
    ]);
    expect(x.tile([1, 2]).shape).toEqual([2, 6]);
    expect(c.repeat([1, 2], 2).array()).toEqual([1, 1, 2, 2]);
    expect(x.repeat(2, 0).array()).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [3, 4, 5],
      [3, 4, 5],
    ]);
  });
  test("padding", () => {
    expect(c.pad([1, 2, 3], [[2, 1]], { mode: "reflect" }).array()).toEqual([3, 2, 1, 2, 3, 2]);
    expect(c.pad([1, 2, 3], [[2, 1]], { mode: "edge" }).array()).toEqual([1, 1, 1, 2, 3, 3]);
    expect(c.pad([[1]], 1, { value: 7 }).array()).toEqual([
      [7, 7, 7],
      [7, 1, 7],
      [7, 7, 7],
    ]);
  });
  test("slices and indices", () => {
    expect(x.at(-1).array()).toEqual([3, 4, 5]);
    expect(x.at(1, 2).item()).toBe(5);
    expect(x.slice(null, [null, null, -1]).array()).toEqual([
      [2, 1, 0],
      [5, 4, 3],
    ]);
    expect(x.gather([-1, 0]).array()).toEqual([
      [3, 4, 5],
      [0, 1, 2],
    ]);
    expect(x.take(c.tensor([[0], [2]], { dtype: "int32" }), 1).shape).toEqual([2, 2, 1]);
    expect(x.takeAlongAxis(x.argmax(1, { keepdims: true }), 1).array()).toEqual([[2], [5]]);
    expect(
      c
        .gatherND(x, [
          [1, 0],
          [0, -1],
        ])
        .array(),
    ).toEqual([3, 2]);
    expect(c.zeros([3]).scatterAdd([0, 2, 0], [1, 2, 3]).array()).toEqual([4, 0, 2]);
    expect(c.zeros([3]).scatterAdd([1, 1], 1).array()).toEqual([0, 2, 0]);
    expect(c.gather(x, c.tensor([7], { dtype: "int32" })).array()).toEqual([[3, 4, 5]]);
  });
});

describe("matrices and more", () => {
  test("triangles, diagonals, roll, allClose", () => {
    const x = c.arange(1, 10).reshape([3, 3]);
    expect(c.tril(x).array()).toEqual([
      [1, 0, 0],
      [4, 5, 0],
      [7, 8, 9],
    ]);
    expect(c.triu(x, 1).array()).toEqual([
      [0, 2, 3],
      [0, 0, 6],
      [0, 0, 0],
    ]);
    expect(c.diag(x).array()).toEqual([1, 5, 9]);
    expect(c.diag(c.arange(6).reshape([2, 3])).array()).toEqual([0, 4]);
    expect(c.diag([1, 2]).array()).toEqual([
      [1, 0],
      [0, 2],
    ]);
    expect(c.roll([1, 2, 3, 4], 1).array()).toEqual([4, 1, 2, 3]);
    expect(c.roll(x, -4, 1).array()).toEqual([
      [2, 3, 1],
      [5, 6, 4],
      [8, 9, 7],
    ]);
    expect(c.allClose([1, 2], [1, 2 + 1e-6])).toBe(true);
    expect(c.allClose([1, Infinity], [1, Infinity])).toBe(true);
    expect(c.allClose([1, NaN], [1, NaN])).toBe(false);
    expect(c.allClose([1, 2], [1, 2.1])).toBe(false);
  });
  test("hyperbolic functions and other logarithms", () => {
    expect(c.allClose(c.sinh([-2, 1e-4, 3]), [Math.sinh(-2), Math.sinh(1e-4), Math.sinh(3)])).toBe(true);
    expect(c.allClose(c.cosh([-2, 0, 3]), [Math.cosh(-2), 1, Math.cosh(3)])).toBe(true);
    expect(c.allClose(c.log2([8, 0.5]), [3, -1])).toBe(true);
    expect(c.allClose(c.log10([1000]), [3])).toBe(true);
  });
});

describe("convolution sizes", () => {
  test.each([
    { groups: 2, strides: 2, padding: "same" },
    { groups: 3, strides: 1, padding: "valid" },
    { groups: 6, strides: [2, 1], padding: "same" },
  ] as const)("a grouped transposed convolution is the gradient of the convolution: %j", (options) => {
    const x = c.random.normal([2, 8, 6, 6]);
    const w = c.random.normal([3, 3, 6 / options.groups, 12]);
    const y = c.conv(x, w, options);
    const ct = c.random.normal(y.shape);
    const dx = c.grad((t: Tensor) => c.conv(t, w, options).mul(ct).sum())(x);
    expect(c.allClose(c.convTranspose(ct, w, options), dx, { rtol: 1e-4, atol: 1e-4 })).toBe(true);
  });
  test("nothing scattered into an empty axis has a gradient", () => {
    const none = c.tensor(new Int32Array(0));
    const f = (u: Tensor): Tensor => c.zeros([0, 3]).scatterAdd(none, u).sum();
    expect(c.grad(f)(c.zeros([0, 3])).shape).toEqual([0, 3]);
  });
  test("same, valid, transposed, pooled, as in Keras", () => {
    const x = c.ones([1, 5, 5, 2]);
    expect(c.conv(x, c.ones([3, 3, 2, 4]), { strides: 2, padding: "same" }).shape).toEqual([1, 3, 3, 4]);
    expect(c.conv(x, c.ones([2, 2, 2, 4]), { strides: 2 }).shape).toEqual([1, 2, 2, 4]);
    expect(c.convTranspose(x, c.ones([3, 3, 4, 2]), { strides: 2, padding: "same" }).shape).toEqual([1, 10, 10, 4]);
    expect(c.convTranspose(x, c.ones([3, 3, 4, 2]), { strides: 2 }).shape).toEqual([1, 11, 11, 4]);
    expect(c.convTranspose(x, c.ones([1, 1, 4, 2]), { strides: 3 }).shape).toEqual([1, 15, 15, 4]);
    expect(c.depthwiseConv(x, c.ones([3, 3, 2, 3])).shape).toEqual([1, 3, 3, 6]);
    expect(c.maxPool(x, 2).shape).toEqual([1, 2, 2, 2]);
    expect(c.avgPool(x, 3, { strides: 2, padding: "same" }).shape).toEqual([1, 3, 3, 2]);
    expect(c.avgPool(x, 3, { padding: "same", strides: 1 }).sub(1).abs().max().item()).toBeLessThan(1e-6);
    expect(c.conv(c.zeros([0, 5, 5, 2]), c.ones([3, 3, 2, 4])).shape).toEqual([0, 3, 3, 4]);
  });
});
