import { describe, expect, test } from "vitest";
import * as c from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";

const f64 = (x: c.TensorLike): Tensor => c.tensor(x, { dtype: "float64" });

describe("grad and valueAndGrad", () => {
  test("value and gradient of the first argument", () => {
    const [y, dx] = c.valueAndGrad((x: Tensor) => x.square().sum())(c.tensor([1, 2]));
    expect(y.item()).toBe(5);
    expect(dx.array()).toEqual([2, 4]);
  });

  test("trees of tensors, argnums, aux", () => {
    const params = { w: c.tensor([1, 2]), layers: [c.tensor(3)] };
    const f = (p: typeof params, x: Tensor): Tensor => p.w.dot(x).mul(p.layers[0]);
    const g = c.grad(f)(params, c.tensor([5, 7]));
    expect(g.w.array()).toEqual([15, 21]);
    expect(g.layers[0].item()).toBe(19);
    const [gp, gx] = c.grad(f, { argnums: [0, 1] })(params, c.tensor([5, 7]));
    expect(gp.w.array()).toEqual([15, 21]);
    expect(gx.array()).toEqual([3, 6]);
    const [[loss, aux], d] = c.valueAndGrad((x: Tensor) => [x.sum(), { seen: x.mul(2), name: "x" }] as const, {
      hasAux: true,
    })(c.tensor([1, 2]));
    expect(loss.item()).toBe(3);
    expect(aux.seen.array()).toEqual([2, 4]);
    expect(aux.name).toBe("x");
    expect(d.array()).toEqual([1, 1]);
  });

  test("plain numbers are scalars; what is not used gets zeros", () => {
    expect((c.grad((x: number) => c.mul(x, x)) as unknown as (x: number) => Tensor)(3).item()).toBe(6);
    expect(
      c
        .grad((x: Tensor, y: Tensor) => y.sum())(c.tensor([1, 2]), c.tensor(1))
        .array(),
    ).toEqual([0, 0]);
  });

  test("a model's variables, also those made inside", () => {
    const w = c.variable([[1, 2]], { name: "w" });
    const late: c.Variable[] = [];
    const model: c.HasVariables = {
      get variables() {
        return [w, ...late];
      },
      get trainableVariables() {
        return [w, ...late];
      },
    };
    const f = (): Tensor => {
      if (late.length === 0) late.push(c.variable([10, 20], { name: "b" }));
      return c
        .matmul([[3]], w)
        .add(late[0])
        .square()
        .sum();
    };
    const [loss, grads] = c.valueAndGrad(model, f);
    expect(loss.item()).toBe(13 ** 2 + 26 ** 2);
    expect(grads.map((g) => g.array())).toEqual([[[78, 156]], [26, 52]]);
    expect(c.grad(model, f).map((g) => g.array())).toEqual(grads.map((g) => g.array()));
  });

  test("only what the function does is differentiated, not how a value from outside was made", () => {
    const w = c.variable([2], { name: "w" });
    const f = c.compiled(() => {
      const outside = w.mul(10);
      return c.grad([w], () => w.mul(outside).sum())[0];
    });
    expect(f().array()).toEqual([20]);
    // An equal argument passed twice is two arguments.
    const x = c.tensor([3]);
    expect(
      c
        .grad((a: Tensor, b: Tensor) => a.mul(b).sum())(x, x)
        .array(),
    ).toEqual([3]);
  });

  test("values can be read while differentiating at once", () => {
    const f = (x: Tensor): Tensor => (x.sum().item() > 0 ? x.mul(2).sum() : x.mul(3).sum());
    expect(
      c
        .grad(f)(c.tensor([1]))
        .array(),
    ).toEqual([2]);
    expect(
      c
        .grad(f)(c.tensor([-1]))
        .array(),
    ).toEqual([3]);
    const kept: Tensor[] = [];
    c.grad((x: Tensor) => {
      const y = x.mul(2);
      y.dataSync();
      kept.push(y);
      return y.sum();
    })(c.tensor([4]));
    expect(kept[0].add(1).array()).toEqual([9]);
  });

  test("a variable assigned inside reads as assigned, and keeps the value", () => {
    const [x, count] = [c.tensor([2]), c.variable([0], { name: "count" })];
    let seen = -1;
    const g = c.grad((v: Tensor) => {
      count.assign(count.add(5));
      seen = count.item();
      return v.mul(count).sum();
    })(x);
    expect([seen, g.item(), count.item()]).toEqual([5, 5, 5]);
  });

  test("the product's gradient holds at zeros", () => {
    expect(
      c
        .grad((v: Tensor) => v.prod())(f64([2, 0, 3]))
        .array(),
    ).toEqual([0, 6, 0]);
    expect(
      c
        .grad((v: Tensor) => v.prod())(f64([0, 0, 3]))
        .array(),
    ).toEqual([0, 0, 0]);
  });

  test("random numbers read inside are those that are differentiated", () => {
    let read: number[] = [];
    const g = c.grad((x: Tensor) => {
      const noise = c.random.uniform([3]);
      read = [...noise.dataSync()];
      return x.mul(noise).sum();
    })(c.ones([3]));
    expect([...g.dataSync()]).toEqual(read);
  });

  test("higher derivatives, at once and compiled", () => {
    let f = (x: Tensor): Tensor => x.pow(4).sum();
    for (const want of [32, 48, 48, 24]) {
      const g = f;
      f = (x: Tensor): Tensor => c.grad(g)(x).sum();
      expect(f(f64(2)).item()).toBeCloseTo(want, 9);
      expect(c.compiled(f)(f64(2)).item()).toBeCloseTo(want, 9);
    }
  });

  test("mixed dtypes: each gradient has its argument's dtype", () => {
    const [a, b] = c.grad((x: Tensor, y: Tensor) => x.mul(y).sum(), { argnums: [0, 1] })(c.tensor([2]), f64([3]));
    expect([a.dtype, b.dtype]).toEqual(["float32", "float64"]);
    expect([a.item(), b.item()]).toEqual([3, 2]);
  });

  test("where shields the side that is not taken", () => {
    const safe = (x: Tensor): Tensor => c.where(x.greater(0), x, 1).log();
    expect(
      c
        .grad((x: Tensor) => c.where(x.greater(0), safe(x), 0).sum())(f64([-1, 0, 2]))
        .array(),
    ).toEqual([0, 0, 0.5]);
  });

  test("sigmoid and softplus have finite gradients everywhere", () => {
    const x = f64([-1000, -20, 0, 20, 1000]);
    const ds = [
      ...c
        .grad((v: Tensor) => v.sigmoid().sum())(x)
        .dataSync(),
    ];
    expect(ds[0]).toBe(0);
    expect(ds[1]).toBeCloseTo(2.0611536e-9, 15);
    expect(ds[2]).toBe(0.25);
    expect(ds[4]).toBe(0);
    expect(
      [
        ...c
          .grad((v: Tensor) => v.softplus().sum())(x)
          .dataSync(),
      ].map((v) => Number(v.toFixed(9))),
    ).toEqual([0, 2e-9, 0.5, 0.999999998, 1]);
  });
});

describe("vjp, jacobian, hessian", () => {
  test("vjp pulls cotangents back, again and again", () => {
    const [y, pullback] = c.vjp((x: Tensor, w: Tensor) => x.mul(w), c.tensor([1, 2]), c.tensor([3, 4]));
    expect(y.array()).toEqual([3, 8]);
    expect(pullback(c.tensor([1, 10])).map((g) => g.array())).toEqual([
      [3, 40],
      [1, 20],
    ]);
    expect(pullback(c.tensor([0, 1])).map((g) => g.array())).toEqual([
      [0, 4],
      [0, 2],
    ]);
    expect(() => pullback(c.tensor([1]))).toThrow("[vjp] cotangent 0 is float32 [1], the result float32 [2].");
    const inside = c.compiled((x: Tensor) => c.vjp((v: Tensor) => v.square(), x)[1](c.ones([2]))[0]);
    expect(inside([3, 4]).array()).toEqual([6, 8]);
  });

  test("jacobian and hessian", () => {
    const x = f64([1, 2, 3]);
    expect(
      c
        .jacobian((v) => v.square())(x)
        .array(),
    ).toEqual([
      [2, 0, 0],
      [0, 4, 0],
      [0, 0, 6],
    ]);
    const a = f64([
      [2, 1, 0],
      [1, 3, 1],
      [0, 1, 4],
    ]);
    expect(
      c
        .hessian((v) => v.dot(a.matmul(v)).mul(0.5))(x)
        .array(),
    ).toEqual(a.array());
  });
});

describe("customVjp, checkpoint, stopGradient", () => {
  test("customVjp replaces the derivative, at once and compiled", () => {
    const through = c.customVjp(
      (x: Tensor) => x.round(),
      (ct) => [ct],
    );
    expect(through(c.tensor([1.4])).array()).toEqual([1]);
    expect(
      c
        .grad((x: Tensor) => through(x).mul(3).sum())(c.tensor([1.4]))
        .array(),
    ).toEqual([3]);
    expect(
      c
        .compiled((x: Tensor) => c.grad((v: Tensor) => through(v).mul(3).sum())(x))(c.tensor([1.4]))
        .array(),
    ).toEqual([3]);
    const clipped = c.customVjp(
      (x: Tensor, y: Tensor) => x.mul(y),
      (ct, _out, x, y) => [ct.mul(y).clip(-1, 1), ct.mul(x)],
    );
    expect(
      c
        .grad((x: Tensor, y: Tensor) => clipped(x, y).sum(), { argnums: [0, 1] })(c.tensor([2]), c.tensor([5]))
        .map((g) => g.item()),
    ).toEqual([1, 2]);
    const wrong = c.customVjp(
      (x: Tensor) => x,
      () => [c.ones([5])],
    );
    expect(() => c.grad((x: Tensor) => wrong(x).sum())(c.tensor([1]))).toThrow(
      /gradient of custom.*\[1\].*\[5\].*customVjp must return/,
    );
  });

  test("checkpoint computes the same gradients by computing twice", () => {
    const w = c.variable(c.random.normal([4, 4], { dtype: "float64" }), { name: "w" });
    const block = (x: Tensor): Tensor => x.matmul(w).tanh().matmul(w).sin();
    const x = c.random.normal([3, 4], { dtype: "float64" });
    const plain = c.grad([w], () => block(block(x)).sum())[0];
    const saved = c.checkpoint(block);
    expect(
      c
        .grad([w], () => saved(saved(x)).sum())[0]
        .sub(plain)
        .abs()
        .max()
        .item(),
    ).toBeLessThan(1e-12);
    const dx = c.grad((v: Tensor) => block(v).sum())(x);
    expect(
      c
        .compiled((v: Tensor) => c.grad((u: Tensor) => saved(u).sum())(v))(x)
        .sub(dx)
        .abs()
        .max()
        .item(),
    ).toBeLessThan(1e-12);
    const second = (f: (v: Tensor) => Tensor): Tensor =>
      c.grad((v: Tensor) =>
        c
          .grad((u: Tensor) => f(u).sum())(v)
          .square()
          .sum(),
      )(x);
    expect(second(saved).sub(second(block)).abs().max().item()).toBeLessThan(1e-12);
    const count = (f: (v: Tensor) => Tensor): number =>
      c
        .explain((v: Tensor) => c.valueAndGrad((u: Tensor) => f(u).sum())(v))(x)
        .split(/contract|dot/).length;
    expect(count(saved)).toBeGreaterThan(count(block));
  });

  test("stopGradient", () => {
    expect(
      c
        .grad((x: Tensor) => x.mul(c.stopGradient(x)).sum())(c.tensor([3]))
        .array(),
    ).toEqual([3]);
  });
});

describe("checkGradients", () => {
  test("names the worst component", () => {
    const w = c.variable(
      [
        [1, 2],
        [3, 4],
      ],
      { name: "dense/kernel" },
    );
    const wrong = c.customVjp(
      (x: Tensor) => x.square(),
      (ct, _o, x) => [
        ct.mul(x).mul(
          c.tensor(
            [
              [2, 2],
              [2.5, 2],
            ],
            { dtype: "float64" },
          ),
        ),
      ],
    );
    const report = c.checkGradients([w], () => wrong(w).sum(), { throws: false });
    expect(report.passed).toBe(false);
    expect(report.checked).toBe(4);
    expect(report.worst).toMatchObject({ name: "dense/kernel", index: [1, 0], analytic: 7.5 });
    expect(report.worst.numeric).toBeCloseTo(6, 6);
    expect(() => c.checkGradients([w], () => wrong(w).sum())).toThrow(
      /FAILED: 4 components, the worst is dense\/kernel\[1, 0\]: analytic 7\.5/,
    );
    expect(c.checkGradients([w], () => w.square().sum()).passed).toBe(true);
    expect(w.array()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test("float32 variables are checked in float64, with the same random numbers in every evaluation", () => {
    const w = c.variable([0.3, -0.7], { name: "w" });
    const x = c.tensor([
      [1, 2],
      [3, 4],
    ]);
    const f = (): Tensor =>
      x
        .matmul(w)
        .tanh()
        .mul(c.random.bernoulli(0.5, [2]))
        .sum();
    expect(c.checkGradients([w], f).passed).toBe(true);
    expect(() => c.checkGradients([w], () => w.cast("float32").cast("float32").sum().cast("float32"))).toThrow(
      /the loss came out as float32/,
    );
  });

  test("arguments are named by their place", () => {
    const bad = c.customVjp(
      (x: Tensor) => x.square(),
      (ct) => [ct],
    );
    expect(() =>
      c.checkGradients((p: { a: Tensor; b: Tensor }) => bad(p.b).add(p.a).sum(), [{ a: f64([1]), b: f64([3]) }]),
    ).toThrow(/argument 0\.b\[0\]/);
  });
});
