/** The functions of arrays against NumPy's results, their gradients, and inside compiled(). */
import { describe, expect, test } from "vitest";
import * as c from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";
import { casesOf, close, load } from "./support.ts";

type Args = Record<string, never>;

const CALLS: Record<string, (xs: Tensor[], a: Args) => Tensor | Tensor[]> = {
  sort: ([x], a) => c.sort(x, a.axis),
  argsort: ([x], a) => c.argsort(x, a.axis),
  searchSorted: ([s, v], a) => c.searchSorted(s, v, a),
  quantile: ([x], a) => c.quantile(x, a.q, a.axis, a),
  percentile: ([x], a) => c.percentile(x, a.q, a.axis),
  median: ([x], a) => c.median(x, a.axis),
  unique: ([x]) => {
    const { values, indices, inverse, counts } = c.unique(x);
    return [values, indices, inverse, counts];
  },
  nonzero: ([x]) => c.nonzero(x),
  argWhere: ([x]) => c.argWhere(x),
  countNonzero: ([x], a) => c.countNonzero(x, a.axis),
  bincount: ([x, w], a) => c.bincount(x.cast("int32"), w === undefined ? a : { ...(a as object), weights: w }),
  histogram: ([x], a) => {
    const { counts, edges } = c.histogram(x, a);
    return [counts, edges];
  },
  cumprod: ([x], a) => c.cumprod(x, a.axis),
  cummax: ([x], a) => c.cummax(x, a.axis),
  cummin: ([x], a) => c.cummin(x, a.axis),
  diff: ([x], a) => c.diff(x, a.times, a.axis),
  isInf: ([x]) => c.isInf(x),
  nanToNum: ([x]) => c.nanToNum(x),
  trunc: ([x]) => c.trunc(x),
  hypot: ([x, y]) => c.hypot(x, y),
  atan2: ([x, y]) => c.atan2(x, y),
  logAddExp: ([x, y]) => c.logAddExp(x, y),
  asin: ([x]) => c.asin(x),
  acos: ([x]) => c.acos(x),
  atan: ([x]) => c.atan(x),
  meshgrid: (xs, a) => c.meshgrid(xs, a),
  logspace: (_, a) => c.logspace(a.start, a.stop, a.count, { ...(a as object), dtype: "float64" }),
  diagonal: ([x], a) => c.diagonal(x, a.k, a.axes),
};

const cases = casesOf("arrays");
/** Their result has a size that depends on values. */
const OUTSIDE: ReadonlySet<string> = new Set(["unique", "nonzero", "argWhere", "bincount"]);

test("every function has a case", () => {
  expect(new Set(cases.map((k) => k.name))).toEqual(new Set(Object.keys(CALLS)));
});

describe.each(Object.keys(CALLS))("%s as in NumPy", (name) => {
  test.each(cases.filter((k) => k.name === name).map((k, i) => [i, k] as const))("case %i", (_, k) => {
    const list = (out: Tensor | Tensor[]): Tensor[] => (Array.isArray(out) ? out : [out]);
    const xs = k.xs.map((x) => load(x));
    const call = CALLS[name];
    const what = `${name} ${JSON.stringify(k.args)}`;
    list(call(xs, k.args)).forEach((got, i) => close(got, k.outs[i], 4e-16 * 8, what));
    const narrow = k.xs.every((x) =>
      x.data.every((v) => typeof v === "string" || v === 0 || (Math.abs(v) < 1e30 && Math.abs(v) > 1e-30)),
    );
    if (narrow && !["searchSorted", "histogram"].includes(name)) {
      const limits = (t: Tensor): boolean => t.dataSync().some((v) => Math.abs(v) > 1e30 && Number.isFinite(v));
      list(
        call(
          xs.map((x) => x.cast("float32")),
          k.args,
        ),
      ).forEach((got, i) => {
        if (!limits(got) && got.dtype === "float32") close(got, k.outs[i], 4e-7, `${what} float32`);
      });
    }
    if (OUTSIDE.has(name)) return;
    const program = c.compiled((...ts: Tensor[]) => list(call(ts, k.args)));
    program(...xs).forEach((got, i) => close(got, k.outs[i], 4e-16 * 8, `${what} compiled`));
  });
});

describe("order", () => {
  const data = (n: number, seed: number): Float32Array => {
    c.random.seed(seed);
    return c.random.normal([n]).dataSync() as Float32Array;
  };

  test.each([1, 24, 25, 1000, 4095, 4096, 100_003])("%i elements sort as the host sorts them", (n) => {
    const x = data(n, n);
    expect(c.sort(x).dataSync()).toEqual(x.slice().sort());
    expect(c.sort(x, 0, { descending: true }).dataSync()).toEqual(x.slice().sort().reverse());
    const wide = Float64Array.from(x, (v, i) => v * 1e100 ** (i % 3));
    expect(c.sort(wide).dataSync()).toEqual(wide.slice().sort());
    const whole = Int32Array.from(x, (v) => v * 1e9);
    expect(c.sort(whole).dataSync()).toEqual(whole.slice().sort());
    const bytes = Uint8Array.from(x, (v) => v * 99);
    expect(c.sort(c.tensor(bytes)).dataSync()).toEqual(bytes.slice().sort());
  });

  test("equal elements keep their order, whatever the sign of zero", () => {
    expect(c.argsort([0, -0, 0, -0]).array()).toEqual([0, 1, 2, 3]);
    expect(c.argsort([1, 2, 1, 2], 0, { descending: true }).array()).toEqual([1, 3, 0, 2]);
    expect(c.argsort([true, false, true]).array()).toEqual([1, 0, 2]);
  });

  test("topK along any axis, from either end", () => {
    const x = c.tensor([
      [1, 9, 3],
      [7, 2, 8],
    ]);
    const { values, indices } = c.topK(x, 2);
    expect(values.array()).toEqual([
      [9, 3],
      [8, 7],
    ]);
    expect(indices.array()).toEqual([
      [1, 2],
      [2, 0],
    ]);
    expect(c.topK(x, 1, { axis: 0, largest: false }).values.array()).toEqual([[1, 2, 3]]);
    expect(() => c.topK(x, 4)).toThrow("[topK] k must be a whole number in 0..3, the size of axis 1, got 4.");
  });

  test("gradients go back to where the elements came from", () => {
    c.random.seed(1);
    const x = c.random.normal([4, 6], { dtype: "float64" });
    const w = c.random.normal([4, 6], { dtype: "float64" });
    c.checkGradients((t: Tensor) => c.sort(t, 1).mul(w).sum(), [x]);
    c.checkGradients((t: Tensor) => c.sort(t, 0, { descending: true }).mul(w).square().sum(), [x]);
    c.checkGradients((t: Tensor) => c.topK(t, 3).values.square().sum(), [x]);
    c.checkGradients((t: Tensor) => c.quantile(t, [0.2, 0.7], 1).square().sum(), [x]);
    c.checkGradients((t: Tensor) => c.cumprod(t, 1).mul(w).sum(), [x]);
    c.checkGradients((t: Tensor) => c.cummax(t, 0).mul(w).sum(), [x]);
    c.checkGradients((t: Tensor) => c.diff(t, 2).square().sum(), [x]);
    c.checkGradients((t: Tensor) => c.diagonal(t, 1).square().sum(), [x]);
    c.checkGradients((t: Tensor, u: Tensor) => c.hypot(t, u).mul(w).sum(), [x, w]);
    c.checkGradients((t: Tensor, u: Tensor) => c.atan2(t, u).mul(w).sum(), [x, w.add(0.3)]);
    c.checkGradients((t: Tensor, u: Tensor) => c.logAddExp(t, u).mul(w).sum(), [x, w]);
    c.checkGradients(
      (t: Tensor) =>
        c
          .atan(t)
          .add(c.asin(t.mul(0.2)))
          .sub(c.acos(t.mul(0.2)))
          .square()
          .sum(),
      [x],
    );
    c.checkGradients(
      (t: Tensor) =>
        c
          .grad((u: Tensor) => c.sort(u).pow(3).sum())(t)
          .sum(),
      [x],
    );
  });

  test("inside a loop over time, and in a compiled step that writes over what it sorts", () => {
    const rows = c.tensor([
      [3, 1, 2],
      [6, 5, 4],
    ]);
    const [, sorted] = c.scan((n: Tensor, x: Tensor) => [n.add(1), c.sort(x)], c.tensor(0), rows);
    expect(sorted.array()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const v = c.variable(c.tensor(data(3000, 3)));
    const want = (v.dataSync() as Float32Array).slice().sort();
    const order = c.compiled(() => {
      v.assign(c.sort(v));
      return c.argsort(v);
    });
    order();
    expect(v.dataSync()).toEqual(want);
    expect(order().dataSync()).toEqual(Int32Array.from({ length: 3000 }, (_, i) => i));
  });
});

describe("inside compiled, what depends on values", () => {
  test.each([
    ["unique", (t: Tensor) => c.unique(t).values, "call it outside, or count with bincount(x, { length })"],
    ["nonzero", (t: Tensor) => c.nonzero(t)[0], "use where() with the mask instead"],
    ["argWhere", (t: Tensor) => c.argWhere(t), "use where() with the mask instead"],
    ["bincount", (t: Tensor) => c.bincount(t.cast("int32")), "name its length, as in bincount(x, { length: 10 })"],
  ])("%s says so", (name, f, repair) => {
    expect(() => c.compiled(f)(c.tensor([1, 2]))).toThrow(
      `[${name}] the size of its result depends on values, which are not known inside compiled(): ${repair}.`,
    );
  });

  test("bincount with a length runs", () => {
    const count = c.compiled((t: Tensor) => c.bincount(t, { length: 4 }));
    expect(count(Int32Array.of(1, 3, 3, 9, -1)).array()).toEqual([0, 1, 0, 2]);
  });
});

describe("mistakes", () => {
  test.each([
    [() => c.searchSorted([[1, 2]], 1), "[searchSorted] looks in one sorted vector, got [1, 2]: flatten() it first."],
    [() => c.quantile([1, 2], 50), "[quantile] q must be in 0..1, got 50: percentile() takes 0..100."],
    [() => c.median(c.zeros([0])), "[quantile] of an empty axis of [0] has no value."],
    [() => c.bincount([0, 1], { weights: [1] }), "[bincount] weights [1] must have the shape of x [2]."],
    [() => c.bincount([0, -1]), "[bincount] counts whole numbers ≥ 0, got -1."],
    [() => c.histogram([1], { bins: 0 }), "[histogram] bins must be a whole number ≥ 1 or the edges, got 0."],
    [() => c.meshgrid([[[1]]]), "[meshgrid] takes vectors, got [1, 1]: flatten() it first."],
    [() => c.diagonal([1, 2]), "[diagonal] takes matrices, got [2]."],
    [() => c.diff([1, 2], -1), "[diff] takes differences a whole number ≥ 0 of times, got -1."],
  ])("%s", (f, message) => {
    expect(f).toThrow(message);
  });
});
