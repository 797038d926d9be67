import { describe, expect, test } from "vitest";
import * as c from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";

const f64 = (x: c.TensorLike): Tensor => c.tensor(x, { dtype: "float64" });

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

  test("carries that are stacked: before a turn, after it, both, beside the last one; forwards, backwards, of one turn", () => {
    for (const reverse of [false, true]) {
      for (const length of [1, 2, 5]) {
        const xs = c.tensor(Array.from({ length: 2 * length }, (_, i) => i + 1)).reshape([length, 2]);
        const start = c.tensor([100, 200]);
        const [befores, afters]: number[][][] = [[], []];
        let at = [100, 200];
        for (let i = 0; i < length; i++) {
          const row = xs.at(reverse ? length - 1 - i : i).array() as number[];
          befores.push(at);
          afters.push((at = at.map((v, k) => v + row[k])));
        }
        if (reverse) for (const list of [befores, afters]) list.reverse();
        type Found = Readonly<Record<"before" | "after" | "last", Tensor>>;
        const loop = (t: Tensor, x: Tensor): Found => {
          const [last, [before, after]] = c.scan((s: Tensor, v: Tensor) => [s.add(v), [s, s.add(v)]] as const, t, x, {
            reverse,
          });
          return { before, after, last };
        };
        const wanted = { before: befores, after: afters, last: at };
        const keys = ["before", "after", "last"] as const;
        for (const some of [["before"], ["after"], ["before", "after"], ["before", "last"], keys] as const) {
          const run = c.compiled((t: Tensor, x: Tensor) => some.map((k) => loop(t, x)[k]));
          // What only sums read has no place given by a caller.
          const sums = c.compiled((t: Tensor, x: Tensor) => some.map((k) => loop(t, x)[k].sum(0)));
          for (let again = 0; again < 2; again++) {
            expect(run(start, xs).map((v) => v.array())).toEqual(some.map((k) => wanted[k]));
            const total = (k: "before" | "after"): number[] =>
              [0, 1].map((j) => wanted[k].reduce((n, r) => n + r[j], 0));
            expect(sums(start, xs).map((v) => v.array())).toEqual(
              some.map((k) => (k === "last" ? at[0] + at[1] : total(k))),
            );
          }
        }
      }
    }
  });

  test("products of slices with constants are one product for all turns: value, gradients, second gradients", () => {
    const cell =
      (u: Tensor, w: Tensor) =>
      (h: Tensor, x: Tensor): readonly [Tensor, Tensor] => {
        const z = h.matmul(w).add(x.matmul(u.T)).tanh();
        return [z, x.matmul(u.T).mul(z).add(x.matmul(w))];
      };
    type Loss = (u: Tensor, w: Tensor, xs: Tensor) => Tensor;
    const h0 = c.random.normal([2, 3], { dtype: "float64" });
    for (const reverse of [false, true]) {
      const looped: Loss = (u, w, xs) => c.scan(cell(u, w), h0, xs, { reverse })[1].square().sum();
      const unrolled: Loss = (u, w, xs) => {
        const turn = cell(u, w);
        let [h, total] = [h0, c.tensor(0, { dtype: "float64" })];
        for (let i = 0; i < 4; i++) {
          const [next, y] = turn(h, xs.at(reverse ? 3 - i : i));
          [h, total] = [next, total.add(y.square().sum())];
        }
        return total;
      };
      const at = [
        [3, 3],
        [3, 3],
        [4, 2, 3],
      ].map((shape) => c.random.normal(shape, { dtype: "float64" }).mul(0.5));
      const [u, w, xs] = at;
      const gradients = (f: Loss): Tensor[] => c.grad(f, { argnums: [0, 1, 2] })(u, w, xs);
      const second = (f: Loss): Tensor =>
        c.grad((v: Tensor) =>
          c
            .grad(f, { argnums: [0, 1, 2] })(v, w, xs)
            .reduce((s, d) => s.add(d.square().sum()), c.tensor(0, { dtype: "float64" })),
        )(u);
      same(looped(u, w, xs), unrolled(u, w, xs));
      gradients(looped).forEach((d, i) => same(d, gradients(unrolled)[i]));
      same(second(looped), second(unrolled));
      const plan = c.explain(looped)(u, w, xs);
      const turn = plan.split("\n").filter((line) => /^ {6,}\d+ +contract/.test(line));
      expect(turn).toHaveLength(1);
    }
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

  test("a recurrent cell and its gradient copy no carry", () => {
    const step = c.compiled((w: Tensor, xs: Tensor, h0: Tensor) =>
      c.grad((v: Tensor) =>
        c
          .scan((h: Tensor, x: Tensor) => [h.matmul(v).add(x).tanh(), h.matmul(v).add(x).tanh()] as const, h0, xs)[1]
          .sum(),
      )(w),
    );
    const bodies = step
      .explain(...args())
      .split("\n")
      .filter((line) => line.startsWith("       "));
    expect(bodies.length).toBeGreaterThan(2);
    expect(bodies.filter((line) => line.includes("copy"))).toEqual([]);
  });
});
