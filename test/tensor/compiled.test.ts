import { describe, expect, test } from "vitest";
import * as c from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";
import { context, withContext } from "../../src/base/context.ts";

describe("compiled", () => {
  test("trees in and out; the function itself runs once a structure", () => {
    let calls = 0;
    const f = c.compiled((batch: { x: Tensor; more: Tensor[] }, mode: string) => {
      calls++;
      return { out: batch.x.add(batch.more[0]), mode, none: null, twice: [batch.x.mul(2)] };
    });
    const r = f({ x: [1, 2], more: [c.tensor(10)] }, "train");
    expect(r.out.array()).toEqual([11, 12]);
    expect(r.twice[0].array()).toEqual([2, 4]);
    expect([r.mode, r.none]).toEqual(["train", null]);
    f({ x: [3, 4], more: [c.tensor(1)] }, "train");
    expect(calls).toBe(1);
    f({ x: [3, 4], more: [c.tensor(1)] }, "eval");
    f({ x: [3, 4, 5], more: [c.tensor(1)] }, "eval");
    f({ x: c.arange(3), more: [c.tensor(1)] }, "eval");
    expect(calls).toBe(4);
  });

  test("a call like the one before takes its program, any other its own", () => {
    const f = c.compiled((x: Tensor | Tensor[]) =>
      Array.isArray(x)
        ? x[0].add(100)
        : x instanceof c.Variable
          ? x.add(10)
          : context.training
            ? x.mul(2)
            : x.add(x.rank),
    );
    const x = c.tensor([1, 2]);
    const calls: [() => Tensor, number[]][] = [
      [() => f(c.tensor([1, 2])), [2, 3]],
      [() => f([x] as never), [101, 102]],
      [() => f(c.variable([1, 2])), [11, 12]],
      [() => withContext({ training: true }, () => f(x)), [2, 4]],
      [() => f(c.tensor([1, 2], { dtype: "int32" })), [2, 3]],
      [() => f(c.tensor([[1], [2]])).flatten(), [3, 4]],
    ];
    for (const [before] of calls)
      for (const [call, want] of calls) {
        before();
        expect(call().array()).toEqual(want);
        expect(call().array()).toEqual(want);
      }
  });

  test("numbers are inputs, not constants", () => {
    let calls = 0;
    const f = c.compiled((x: Tensor, rate: Tensor) => {
      calls++;
      return x.mul(rate);
    });
    expect([0.1, 0.2, 0.3].map((r) => f(10, r).item())).toEqual([1, 2, 3].map((v) => Math.fround(v)));
    expect(calls).toBe(1);
  });

  test("the training mode is part of the key", () => {
    const f = c.compiled((x: Tensor) => (context.training ? x.mul(2) : x));
    expect(f(3).item()).toBe(3);
    expect(withContext({ training: true }, () => f(3).item())).toBe(6);
    expect(f(3).item()).toBe(3);
  });

  test("variables are read at each call and updated in place; the order of assignments holds", () => {
    const v = c.variable([1], { name: "v" });
    const f = c.compiled(() => {
      const before = v.mul(1);
      v.assign(v.add(1));
      v.assign(v.mul(10));
      return [before, v.add(0)];
    });
    expect(f().map((t) => t.item())).toEqual([1, 20]);
    v.assign([0]);
    expect(f().map((t) => t.item())).toEqual([0, 10]);
  });

  test("variables that swap their values", () => {
    const [a, b] = [c.variable([1], { name: "a" }), c.variable([2], { name: "b" })];
    const swap = c.compiled(() => {
      const old = a.add(0);
      a.assign(b.add(0));
      b.assign(old);
    });
    swap();
    expect([a.item(), b.item()]).toEqual([2, 1]);
    swap();
    expect([a.item(), b.item()]).toEqual([1, 2]);
  });

  test("a variable as an argument is known by identity, and can be assigned", () => {
    const [a, b] = [c.variable([1]), c.variable([2])];
    const inc = c.compiled((v: c.Variable) => v.assign(v.add(1)));
    inc(a);
    inc(b);
    inc(b);
    expect([a.item(), b.item()]).toEqual([2, 4]);
  });

  test("compiled functions nest, also under grad", () => {
    const inner = c.compiled((x: Tensor) => x.square());
    const outer = c.compiled((x: Tensor) => inner(x).add(inner(3)));
    expect(outer(2).item()).toBe(13);
    expect(
      c
        .grad((x: Tensor) => inner(x).sum())(c.tensor([5]))
        .array(),
    ).toEqual([10]);
    expect(
      c
        .compiled(c.grad((x: Tensor) => outer(x)))(2)
        .item(),
    ).toBe(4);
  });

  test("random numbers are new in each run and repeat with the seed", () => {
    const f = c.compiled(() => [c.random.uniform([2]), c.random.uniform([2])]);
    c.random.seed(5);
    const first = [f(), f()].flat().map((t) => String(t.array()));
    expect(new Set(first).size).toBe(4);
    c.random.seed(5);
    expect([f(), f()].flat().map((t) => String(t.array()))).toEqual(first);
  });

  test("an argument, a variable or a constant can be the result", () => {
    const v = c.variable([4]);
    const f = c.compiled((x: Tensor) => [x, x, v, c.ones([2])] as const);
    const [x1, x2, w, o] = f([7]);
    expect([x1.array(), x2.array(), w.array(), o.array()]).toEqual([[7], [7], [4], [1, 1]]);
    v.assign([5]);
    expect(w.array()).toEqual([4]);
  });

  test("no arguments, no results", () => {
    expect(c.compiled(() => undefined)()).toBeUndefined();
    expect(() => c.compiled(() => c.ones([1]).item())()).toThrow(/asked for inside compiled/);
  });

  test("explain lists what runs without running it", () => {
    const v = c.variable([1]);
    const f = c.compiled((x: Tensor) => v.assign(v.add(x)));
    expect(f.explain([1])).toMatch(/\S/);
    expect(c.explain((x: Tensor) => x.softmax())([[1, 2]])).toMatch(/\S/);
    expect(v.item()).toBe(1);
  });

  test("mistakes", async () => {
    expect(() => c.compiled((x: Tensor) => (x.item() > 0 ? x : x.neg()))(1)).toThrow(
      /value was asked for inside compiled\(\): there only shapes are known\. Return the tensor and read it outside, or use where\(\)/,
    );
    expect(() => c.compiled(async (x: Tensor) => x)(1)).toThrow(/the function is async/);
    const v = c.variable([1], { name: "rate" });
    expect(() => c.compiled((x: Tensor) => x.mul(v.item()))(1)).toThrow(
      /variable "rate" was asked for inside compiled\(\)/,
    );
    const leaked: Tensor[] = [];
    c.compiled((x: Tensor) => {
      leaked.push(x.mul(2));
      return x;
    })(1);
    expect(() => leaked[0].dataSync()).toThrow(
      /made inside a compiled function or a gradient and has no value outside: return it/,
    );
    expect(() => leaked[0].add(1)).toThrow(/made inside another compiled function or gradient/);
    expect(() => c.compiled((x: Tensor) => x.add(leaked[0]))(1)).toThrow(
      /made inside another compiled function or gradient/,
    );
  });
});
