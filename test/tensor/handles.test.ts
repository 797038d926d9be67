/** Printing, random numbers, variables and dispose. */
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import * as c from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";

describe("printing", () => {
  test("as NumPy does, with shape and dtype", () => {
    expect(
      String(
        c.tensor([
          [1, 2.5],
          [-3, 4],
        ]),
      ),
    ).toBe("tensor([[ 1.0,  2.5],\n        [-3.0,  4.0]], shape=[2, 2], dtype=float32)");
    expect(String(c.arange(3))).toBe("tensor([0, 1, 2], shape=[3], dtype=int32)");
    expect(inspect(c.tensor(3.5))).toBe("tensor(3.5, shape=[], dtype=float32)");
    expect(String(c.tensor([true, false]))).toBe("tensor([ true, false], shape=[2], dtype=bool)");
    expect(String(c.tensor([1e-6, 1e6, NaN, -Infinity]))).toContain("nan");
    expect(String(c.zeros([0, 2]))).toBe("tensor([], shape=[0, 2], dtype=float32)");
    const long = String(c.arange(10_000).reshape([100, 100]));
    expect(long.split("\n").length).toBe(7);
    expect(long).toContain("...");
  });
  test("symbolic tensors print what is known", () => {
    let text = "";
    c.compiled((x: Tensor) => {
      text = String(x);
      return x;
    })([1, 2]);
    expect(text).toBe("tensor(<symbolic>, shape=[2], dtype=float32)");
  });
});

describe("random", () => {
  test("a seed fixes the default stream, a key its own", () => {
    const draw = (): number[] => [...c.random.normal([4]).dataSync()];
    c.random.seed(7);
    const [a, b] = [draw(), draw()];
    expect(a).not.toEqual(b);
    c.random.seed(7);
    expect([draw(), draw()]).toEqual([a, b]);
    const key = c.random.key(3);
    expect(c.random.uniform([2], { key }).array()).toEqual(c.random.uniform([2], { key }).array());
    expect(c.random.uniform([2], { key: c.random.fold(key, 1) }).array()).not.toEqual(
      c.random.uniform([2], { key }).array(),
    );
  });
  test("distributions", () => {
    c.random.seed(11);
    const t = c.random.truncatedNormal([200_000], { mean: 1, std: 2 });
    expect(t.sub(1).abs().max().item()).toBeLessThanOrEqual(4);
    expect(t.mean().item()).toBeCloseTo(1, 1);
    expect(t.std().item() / 2).toBeCloseTo(0.8796, 2);
    expect(c.random.bernoulli(0.3, [100_000]).cast("float32").mean().item()).toBeCloseTo(0.3, 2);
    const r = c.random.randint([100_000], -2, 3);
    expect([r.min().item(), r.max().item(), r.dtype]).toEqual([-2, 2, "int32"]);
    expect(Math.abs(r.mean().item())).toBeLessThan(0.02);
    const k = c.random.categorical(c.log([0.1, 0.6, 0.3]), { samples: 100_000 });
    expect(k.shape).toEqual([100_000]);
    expect(k.equal(1).cast("float32").mean().item()).toBeCloseTo(0.6, 2);
    expect(c.random.normal([1000], { dtype: "float64" }).dtype).toBe("float64");
  });
  test("permutations, at once and recorded", () => {
    const sorted = (t: Tensor): number[] => [...t.dataSync()].sort((a, b) => a - b);
    const range = [...c.arange(50).dataSync()];
    expect(sorted(c.random.permutation(50))).toEqual(range);
    const f = c.compiled(() => c.random.permutation(50));
    const [a, b] = [f(), f()];
    expect(sorted(a)).toEqual(range);
    expect(a.array()).not.toEqual(b.array());
    expect(sorted(c.random.shuffle(range))).toEqual(range);
  });
});

describe("variables", () => {
  test("assign in place, at once and inside compiled", () => {
    const v = c.variable([1, 2], { name: "v" });
    v.assign(v.add(1));
    expect(v.array()).toEqual([2, 3]);
    const f = c.compiled((x: Tensor) => {
      v.assign(v.mul(x));
      return v.sum();
    });
    expect(f(10).item()).toBe(50);
    expect(v.array()).toEqual([20, 30]);
    expect(() => v.assign([1])).toThrow('[assign] variable "v" is float32 [2], got float32 [1]');
    expect(() => v.assign(c.arange(2))).toThrow(/got int32 \[2\]/);
  });
  test("a copy of the value is taken", () => {
    const t = c.tensor([1]);
    const v = c.variable(t);
    v.assign([5]);
    expect(t.array()).toEqual([1]);
  });
});

describe("dispose", () => {
  test("is never needed, and using a disposed tensor says so", () => {
    const t = c.tensor([1, 2]);
    t.dispose();
    t.dispose();
    expect(() => t.add(1)).toThrow("A float32 tensor [2] is used after dispose()");
    expect(() => t.dataSync()).toThrow(/after dispose/);
    expect(String(t)).toBe("tensor(<disposed>, shape=[2], dtype=float32)");
    expect(t[Symbol.dispose]).toBeTypeOf("function");
  });
});
