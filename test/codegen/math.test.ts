import { describe, expect, it } from "vitest";
import { Asm } from "../../src/codegen/asm/index.ts";
import { emitMath, erf64, hostMath } from "../../src/codegen/math/index.ts";
import type { MathName } from "../../src/codegen/math/index.ts";
import { type Backend, backends, machines } from "../support/backends.ts";

const N = 1 << 16;
const bits = new Int32Array(1);
const asFloat = new Float32Array(bits.buffer);
const fromBits = (b: number): number => ((bits[0] = b), asFloat[0]);

/** Runs `name` over float32 arguments, results of `op`, in vector and scalar form. */
function runner(name: MathName, on: Backend, op = "") {
  const asm = new Asm(on.target);
  const arity = name === "pow" ? 2 : 1;
  for (const [fn, type, step] of [
    ["vec", "vf32", asm.lanes],
    ["one", "f32", 1],
  ] as const) {
    asm.fn(fn, ["ptr", "i32"], undefined, (base, n) => {
      asm.loop(0, n, step, (i) => {
        const p = asm.ptrAdd(base, asm.mul(i, 4));
        const args = Array.from({ length: arity }, (_, k) => asm.load(type, p, k * N * 4));
        asm.store(p, 2 * N * 4, emitMath(asm, name, args, on.target.rounded?.(name, op)));
      });
    });
  }
  const { f, base, f32: all } = on.load(asm, 3 * N * 4);
  return (xs: Float32Array, ys?: Float32Array, scalar = false): Float32Array => {
    all.set(xs);
    if (ys) all.set(ys, N);
    (scalar ? f.one : f.vec)(base, xs.length);
    return all.slice(2 * N, 2 * N + xs.length);
  };
}

/** Distance in units of the last place of float32 at the exact value. */
function ulps(got: number, exact: number): number {
  if (Object.is(got, exact) || (Number.isNaN(got) && Number.isNaN(exact))) return 0;
  const rounded = Math.fround(exact);
  if (!Number.isFinite(rounded) || !Number.isFinite(got)) return Object.is(got, rounded) ? 0 : Infinity;
  if (rounded === 0 && got === 0) return Object.is(rounded, got) ? 0 : Infinity;
  const e = Math.max(-126, Math.floor(Math.log2(Math.abs(exact) || 1e-300)));
  return Math.abs(got - exact) / 2 ** (e - 23);
}

/** Arguments spread evenly over all bit patterns of a range, both signs. */
function sweep(lo: number, hi: number, positive = false): Float32Array {
  const out = new Float32Array(N);
  asFloat[0] = lo;
  const a = bits[0];
  asFloat[0] = hi;
  const b = bits[0];
  for (let i = 0; i < N; i++) out[i] = (positive || i % 2 ? 1 : -1) * fromBits(a + Math.floor(((b - a) * i) / (N - 1)));
  return out;
}

/** Name, what it should be, the limit in ulp, ranges, and which arguments it is for (default: all). */
type Row = [MathName, (x: number) => number, number, [number, number][], ((x: number) => boolean)?];
const rows: Row[] = [
  [
    "exp",
    Math.exp,
    1,
    [
      [1e-45, 120],
      [0.1, 90],
      [80, 110],
    ],
  ],
  [
    "expBelow",
    (x) => (x < -87.33654 ? 0 : Math.exp(x)),
    1,
    [
      [1e-45, 120],
      [0.1, 90],
      [80, 110],
    ],
    (x) => !(x > 0),
  ],
  [
    "expm1",
    Math.expm1,
    2,
    [
      [1e-45, 120],
      [1e-3, 3],
      [0.1, 90],
    ],
  ],
  [
    "log",
    Math.log,
    1.5,
    [
      [1e-45, 3.4e38],
      [0.5, 2],
      [0.9, 1.1],
    ],
  ],
  [
    "log1p",
    Math.log1p,
    2,
    [
      [1e-45, 3.4e38],
      [1e-3, 3],
      [0.4, 1.2],
    ],
  ],
  [
    "tanh",
    Math.tanh,
    2,
    [
      [1e-45, 100],
      [1e-3, 1],
      [0.1, 12],
    ],
  ],
  [
    "sigmoid",
    (x) => (x < -88.3 ? 0 : hostMath.sigmoid(x)),
    2,
    [
      [1e-45, 120],
      [0.1, 90],
      [80, 110],
    ],
  ],
  [
    "erf",
    erf64,
    2,
    [
      [1e-45, 100],
      [1e-3, 1.5],
      [0.8, 5],
    ],
  ],
  [
    "sin",
    Math.sin,
    2,
    [
      [1e-45, 1e5],
      [0.01, 7],
      [1, 20000],
      [1e4, 3.4e38],
    ],
  ],
  [
    "cos",
    Math.cos,
    2,
    [
      [1e-45, 1e5],
      [0.01, 7],
      [1, 20000],
      [1e4, 3.4e38],
    ],
  ],
];
const special = Float32Array.of(
  0,
  -0,
  Infinity,
  -Infinity,
  NaN,
  1e-45,
  -1e-45,
  1,
  -1,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  0.5,
);

describe.each(backends.filter((b) => !b.name.startsWith("evaluator")))("math on $name", (on) => {
  it.each(rows)("%s", (name, exact, limit, ranges, takes = () => true) => {
    const f = runner(name, on);
    const bound = on.target.fma ? limit : limit + 1;
    const worst = ranges.map(([lo, hi]) => {
      const xs = sweep(lo, hi).filter(takes);
      const ys = f(xs);
      let at = 0;
      let max = 0;
      xs.forEach((v, i) => {
        const u = ulps(ys[i], exact(v));
        if (u > max) [max, at] = [u, v];
      });
      if (process.env.ULPS) console.log(`${on.name} ${name} [${lo}, ${hi}] ${max.toFixed(2)} ulp at ${at}`);
      return { max, at };
    });
    for (const w of worst) expect(w.max, `at ${w.at}`).toBeLessThanOrEqual(bound);
    const edges = special.filter(takes);
    const got = f(edges);
    edges.forEach((v, i) => expect(ulps(got[i], exact(v)), `${name}(${v}) = ${got[i]}`).toBeLessThanOrEqual(bound));
    const xs = sweep(1e-3, 30).subarray(0, 4096);
    expect(f(xs, undefined, true)).toEqual(f(xs));
  });

  it("sigmoid of an argument that is rounded: as much off as half an ulp of the argument makes it", () => {
    const f = runner("sigmoid", on, "mul");
    const bound = (x: number): number => 3 + (on.target.rounded ? 1.3 * Math.max(0, -x) : 0);
    for (const [lo, hi] of [
      [1e-45, 88.3],
      [0.1, 20],
      [20, 88.3],
    ]) {
      const xs = sweep(lo, hi);
      const bad = [...f(xs)].flatMap((y, i) =>
        ulps(y, hostMath.sigmoid(xs[i])) > bound(xs[i]) ? [`sigmoid(${xs[i]}) = ${y}`] : [],
      );
      expect(bad.slice(0, 5)).toEqual([]);
    }
    const edges = special.map((x) => (Math.abs(x) > 1 ? x : x * 2));
    expect([...f(edges)].map((y, i) => ulps(y, hostMath.sigmoid(edges[i])) <= 3)).toEqual([...edges].map(() => true));
    const xs = sweep(1e-3, 30).subarray(0, 4096);
    expect(f(xs, undefined, true)).toEqual(f(xs));
  });

  it("pow", () => {
    const f = runner("pow", on);
    const exact = hostMath.pow;
    let seed = 1;
    const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) / 0x7fffffff;
    let max = 0;
    for (let round = 0; round < 4; round++) {
      const xs = Float32Array.from(
        { length: N },
        () =>
          [
            fromBits(Math.floor(random() * 0x7f800000)),
            random() * 4,
            1 + (random() - 0.5) / 8,
            -Math.floor(random() * 9),
          ][round],
      );
      const ys = Float32Array.from(
        { length: N },
        () =>
          [(random() - 0.5) * 4, (random() - 0.5) * 60, (random() - 0.5) * 2000, Math.floor(random() * 40) - 20][round],
      );
      const got = f(xs, ys);
      got.forEach((v, i) => {
        const u = ulps(v, exact(xs[i], ys[i]));
        if (u > 1) throw new Error(`pow(${xs[i]}, ${ys[i]}) = ${v}, exact ${exact(xs[i], ys[i])}`);
        max = Math.max(max, u);
      });
    }
    if (process.env.ULPS) console.log(`${on.name} pow ${max.toFixed(2)} ulp`);
    const s = [...special, 2, -2, 3, -3, 2.5, -2.5, 16777217, 4294967296];
    const xs = Float32Array.from(s.flatMap((v) => s.map(() => v)));
    const ys = Float32Array.from(s.flatMap(() => s));
    const got = f(xs, ys);
    const bad = [...got].flatMap((v, i) =>
      ulps(v, exact(xs[i], ys[i])) > 1 ? [`pow(${xs[i]}, ${ys[i]}) = ${v}, not ${exact(xs[i], ys[i])}`] : [],
    );
    expect(bad).toEqual([]);
  });
});

describe("float64", () => {
  it.each(machines)("calls the host per lane and alone on $name", (on) => {
    const asm = new Asm(on.target);
    const half = on.target.lanes / 2;
    asm.fn("go", ["ptr", "f64"], "f64", (p, x) => {
      asm.store(p, 64, emitMath(asm, "log1p", [asm.load("vf64", p)]));
      return emitMath(asm, "pow", [x, asm.f64(3)]);
    });
    const { f, f64, base } = on.load(asm);
    const xs = [0.3, 7, 1e-9, 2, 5, 0.5, 1, 100].slice(0, half);
    f64.set(xs);
    expect(f.go(base, 5)).toBe(125);
    // The C library's may differ from JavaScript's in the last place
    xs.forEach((x, i) => expect(Math.abs(f64[8 + i] - Math.log1p(x))).toBeLessThanOrEqual(2 ** -52 * Math.log1p(x)));
  });
  it("erf", () => {
    // Abramowitz & Stegun, table 7.1, and further digits by series
    const table: [number, number][] = [
      [0, 0],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [2, 0.9953222650189527],
      [3, 0.9999779095030014],
      [3.5, 0.9999992569016276],
      [5, 0.9999999999984626],
      [-1, -0.8427007929497149],
      [40, 1],
    ];
    for (const [v, want] of table) expect(erf64(v)).toBeCloseTo(want, 14);
    expect(erf64(NaN)).toBeNaN();
    expect(erf64(-Infinity)).toBe(-1);
    expect(erf64(-0)).toBe(-0);
  });
});
