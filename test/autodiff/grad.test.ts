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

describe("scan", () => {
  const rnn = (w: Tensor, xs: Tensor, h0: Tensor): Tensor =>
    c
      .scan(
        (h: Tensor, x: Tensor) => {
          const z = h.matmul(w).add(x).tanh();
          return [z, z.sum()] as const;
        },
        h0,
        xs,
      )[1]
      .square()
      .sum();
  const unrolled = (w: Tensor, xs: Tensor, h0: Tensor): Tensor => {
    let h = h0;
    const out: Tensor[] = [];
    for (let i = 0; i < xs.shape[0]; i++) out.push((h = h.matmul(w).add(xs.at(i)).tanh()).sum());
    return c.stack(out).square().sum();
  };
  const args = (): [Tensor, Tensor, Tensor] => [
    c.random.normal([3, 3], { dtype: "float64" }),
    c.random.normal([5, 2, 3], { dtype: "float64" }),
    c.random.normal([2, 3], { dtype: "float64" }),
  ];
  const same = (a: Tensor, b: Tensor): void => expect(a.sub(b).abs().max().item()).toBeLessThan(1e-12);

  test("agrees with the unrolled loop: value, gradients, second gradients, compiled", () => {
    const [w, xs, h0] = args();
    same(rnn(w, xs, h0), unrolled(w, xs, h0));
    const g = (f: typeof rnn): Tensor[] => c.grad(f, { argnums: [0, 1, 2] })(w, xs, h0);
    g(rnn).forEach((d, i) => same(d, g(unrolled)[i]));
    const once = c.compiled((a: Tensor, b: Tensor, d: Tensor) => c.grad(rnn, { argnums: [0, 1, 2] })(a, b, d));
    once(w, xs, h0).forEach((d, i) => same(d, g(unrolled)[i]));
    const twice = (f: typeof rnn): Tensor => c.grad((v: Tensor) => c.grad(f)(v, xs, h0).square().sum())(w);
    same(twice(rnn), twice(unrolled));
  });

  test("constants used in several places of the body: products, a table, sums", () => {
    const words = c.tensor(
      [
        [0, 2],
        [1, 1],
        [2, 0],
      ],
      { dtype: "int32" },
    );
    const body =
      (w: Tensor, table: Tensor) =>
      (h: Tensor, i: Tensor): Tensor =>
        h.matmul(w).add(table.gather(i)).tanh().matmul(w.T).add(table.gather(i, 1).sum()).add(w.at(0));
    const h0 = c.random.normal([2, 3], { dtype: "float64" });
    const looped = (w: Tensor, table: Tensor): Tensor => {
      const f = body(w, table);
      return c
        .scan((h: Tensor, i: Tensor) => [f(h, i), null] as const, h0, words)[0]
        .sin()
        .sum();
    };
    const plain = (w: Tensor, table: Tensor): Tensor => {
      let h = h0;
      for (let i = 0; i < 3; i++) h = body(w, table)(h, words.at(i));
      return h.sin().sum();
    };
    const xs = [c.random.normal([3, 3], { dtype: "float64" }), c.random.normal([3, 3], { dtype: "float64" })] as const;
    const [a, b] = [looped, plain].map((f) => c.grad(f, { argnums: [0, 1] })(...xs));
    a.forEach((g, i) => same(g, b[i]));
    const twice = (f: typeof plain): Tensor => c.grad((w: Tensor) => c.grad(f)(w, xs[1]).square().sum())(xs[0]);
    same(twice(looped), twice(plain));
  });

  test("variables and outer tensors are constants of the body, and get gradients", () => {
    const w = c.variable(f64([0.5]), { name: "w" });
    const f = (): Tensor => c.scan((h: Tensor) => [h.mul(w), null] as const, f64([2]), null, { length: 3 })[0].sum();
    const [value, [g]] = c.valueAndGrad([w], f);
    expect(value.item()).toBeCloseTo(0.25, 12);
    expect(g.item()).toBeCloseTo(1.5, 12);
  });

  test("each iteration draws its own numbers, each run new ones", () => {
    const walk = (): Tensor =>
      c.scan(
        (s: Tensor) => {
          const u = c.random.uniform([]);
          return [s.add(u), u] as const;
        },
        0,
        null,
        { length: 4 },
      )[1];
    const [a, b] = [walk().dataSync(), walk().dataSync()];
    expect(new Set([...a, ...b]).size).toBe(8);
    const f = c.compiled(walk);
    expect(new Set([...f().dataSync(), ...f().dataSync()]).size).toBe(8);
  });

  test("nested loops, trees, reverse, no iterations", () => {
    const table = (n: Tensor): Tensor =>
      c.scan(
        (t: Tensor, x: Tensor) =>
          [t, c.scan((s: Tensor, y: Tensor) => [s.add(y.mul(x)), s] as const, t, n)[0]] as const,
        0,
        n,
      )[1];
    expect(table(c.tensor([1, 2, 3])).array()).toEqual([6, 12, 18]);
    expect(
      c
        .grad((n: Tensor) => table(n).sum())(c.tensor([1, 2, 3]))
        .array(),
    ).toEqual([12, 12, 12]);
    const [last, seen] = c.scan(
      (s: { a: Tensor; b: Tensor }, [x]: Tensor[]) => [{ a: s.a.add(x), b: s.a }, { now: s.b }] as const,
      { a: 0, b: 0 },
      [c.tensor([1, 2, 3])],
      { reverse: true },
    );
    expect([last.a.item(), last.b.item(), seen.now.array()]).toEqual([6, 5, [3, 0, 0]]);
    const [end, ys] = c.scan((s: Tensor, x: Tensor) => [s.add(x), x] as const, 7, c.zeros([0]));
    expect([end.item(), ys.shape]).toEqual([7, [0]]);
  });

  test("mistakes", () => {
    const xs = c.tensor([1, 2]);
    expect(() => c.scan((s: Tensor) => [s.expandDims(0), null] as const, 0, xs)).toThrow(
      /carry 0 starts as float32 \[\] and comes out of the body as float32 \[1\]/,
    );
    expect(() => c.scan((s: Tensor) => s as never, 0, xs)).toThrow(/must return \[carry, y\]/);
    expect(() => c.scan((s: Tensor) => [s, null] as const, 0, null)).toThrow(/\{ length \}/);
    expect(() => c.scan((s: Tensor) => [s, null] as const, 0, [xs, c.zeros([3])])).toThrow(/has 3 slices, expected 2/);
    const v = c.variable(0, { name: "count" });
    expect(() => c.scan((s: Tensor) => [s, v.assign(1)] as const, 0, xs)).toThrow(
      /"count" cannot be assigned inside the body of scan/,
    );
    expect(() => c.scan((s: Tensor) => [s, s.item()] as const, 0, xs)).toThrow(/inside the body of scan/);
  });
});

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
