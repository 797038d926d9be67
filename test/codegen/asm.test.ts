import { describe, expect, it } from "vitest";
import { Asm } from "../../src/codegen/asm/index.ts";
import type { Type, Val, VecType } from "../../src/codegen/asm/index.ts";
import { compileWasmAsync, probeWasm, wasmTarget } from "../../src/codegen/wasm/index.ts";
import { type Backend, backends, type Loaded } from "../support/backends.ts";

/** One function p -> () run over a memory prepared by `init`. */
function once(on: Backend, body: (asm: Asm, p: Val) => void, init: (m: Loaded) => void): Loaded {
  const asm = new Asm(on.target);
  asm.fn("go", ["ptr"], undefined, (p) => body(asm, p));
  const m = on.load(asm);
  init(m);
  m.f.go(m.base);
  return m;
}

const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe.each(backends)("asm on $name", (on) => {
  const { target } = on;
  const L = target.lanes;
  /** Bytes of a vector. */
  const V = 4 * L;
  it("adds with a loop, a tail and an accumulator variable", () => {
    const asm = new Asm(target);
    asm.fn("sum", ["ptr", "i32"], "f32", (p, n) => {
      const acc = asm.var("f32", 0);
      asm.loop(0, n, 1, (i) => asm.set(acc, asm.add(asm.get(acc), asm.load("f32", asm.ptrAdd(p, asm.mul(i, 4))))));
      return asm.get(acc);
    });
    const { f, f32, base } = on.load(asm);
    f32.set([1, 2, 3, 4, 5], 4);
    expect(f.sum(base + 16, 5)).toBe(15);
    expect(f.sum(base + 16, 0)).toBe(0);
    expect(f.sum(base + 16, -3)).toBe(0);
  });

  it("keeps the value of a variable read before it changes", () => {
    const asm = new Asm(target);
    asm.fn("fib", ["i32"], "i32", (n) => {
      const a = asm.var("i32", 0);
      const b = asm.var("i32", 1);
      asm.loop(0, n, 1, () => {
        const x = asm.get(a);
        const y = asm.get(b);
        asm.set(a, y);
        asm.set(b, asm.add(x, y));
      });
      return asm.get(a);
    });
    asm.fn("outer", ["i32"], "i32", (n) => {
      const v = asm.var("i32", 3);
      const seen = asm.get(v); // read once, used while v changes in the loop
      const acc = asm.var("i32", 0);
      asm.loop(0, n, 1, (i) => {
        asm.set(acc, asm.add(asm.get(acc), asm.mul(seen, i)));
        asm.set(v, asm.add(asm.get(v), 1));
      });
      return asm.add(asm.get(acc), asm.get(v));
    });
    const { f } = on.load(asm);
    expect([0, 1, 2, 3, 10].map((n) => f.fib(n))).toEqual([0, 1, 1, 2, 55]);
    expect(f.outer(5)).toBe(3 * 10 + 8);
  });

  it("orders loads against stores", () => {
    const m = once(
      on,
      (asm, p) => {
        const old = asm.load("f32", p, 0);
        asm.store(p, 0, asm.f32(7));
        asm.store(p, 4, old);
        asm.store(p, 8, asm.load("f32", p, 0));
      },
      (s) => s.f32.set([1]),
    );
    expect([...m.f32.subarray(0, 3)]).toEqual([7, 1, 7]);
  });

  it("folds offsets only into addresses that cannot wrap", () => {
    const m = once(
      on,
      (asm, p) => {
        asm.loop(0, 5, 1, (i) => {
          const back = asm.ptrAdd(p, asm.mul(i, -4)); // below zero from the second round on
          asm.store(asm.ptrAdd(p, asm.mul(i, 4)), 64, asm.load("f32", back, 16));
          asm.store(asm.ptrAdd(p, asm.mul(i, 4)), 96, asm.load("f32", asm.ptrAdd(back, 16)));
          asm.store(
            asm.ptrAdd(p, asm.mul(asm.add(i, 8), 4)),
            96,
            asm.load("f32", asm.ptrAdd(p, asm.mul(asm.sub(4, i), 4))),
          );
        });
      },
      (s) => s.f32.set([1, 2, 3, 4, 5]),
    );
    for (const at of [16, 24, 32]) expect([...m.f32.subarray(at, at + 5)]).toEqual([5, 4, 3, 2, 1]);
  });

  it("branches, nests loops, reuses locals", () => {
    const asm = new Asm(target);
    asm.fn("count", ["i32", "i32"], "i32", (n, k) => {
      const c = asm.var("i32", 0);
      asm.loop(0, n, 1, (i) => {
        const row = asm.mul(i, n);
        asm.loop(0, n, 2, (j) => {
          const s = asm.add(row, j);
          asm.if(
            asm.cmp("eq", asm.bin("remU", s, k), 0),
            () => asm.set(c, asm.add(asm.get(c), 1)),
            () => {
              asm.if(asm.cmp("gt", s, 20), () => asm.set(c, asm.add(asm.get(c), 100)));
            },
          );
        });
      });
      return asm.get(c);
    });
    let want = 0;
    for (let i = 0; i < 7; i++)
      for (let j = 0; j < 7; j += 2) {
        const s = i * 7 + j;
        if (s % 3 === 0) want += 1;
        else if (s > 20) want += 100;
      }
    expect(on.load(asm).f.count(7, 3)).toBe(want);
  });

  it.each(["vf32", "vi32"] as VecType[])("loads and stores tails of %s and touches nothing beyond", (type) => {
    for (let n = 1; n <= L; n++) {
      const m = once(
        on,
        (asm, p) => {
          const v = asm.loadPartial(type, n, p, 64);
          asm.store(p, 256, v);
          asm.storePartial(n, p, 512, v);
        },
        (s) => s.i32.set(count(L + 2), 16),
      );
      const want = count(L).map((x) => (x < n ? x : 0));
      expect([...m.i32.subarray(64, 64 + L)]).toEqual(want);
      expect([...m.i32.subarray(128, 128 + L)]).toEqual(want);
    }
  });

  it("loads and stores tails of vf64", () => {
    for (let n = 1; n <= L / 2; n++) {
      const m = once(
        on,
        (asm, p) => {
          const v = asm.loadPartial("vf64", n, p, 64);
          asm.store(p, 256, v);
          asm.storePartial(n, p, 512, v);
        },
        (s) => s.f64.set(count(L + 2), 8),
      );
      const want = count(L / 2).map((x) => (x < n ? x : 0));
      expect([...m.f64.subarray(32, 32 + L / 2)]).toEqual(want);
      expect([...m.f64.subarray(64, 64 + L / 2)]).toEqual(want);
    }
  });

  it("loads and stores bytes with tails", () => {
    for (let n = 1; n <= L; n++) {
      const m = once(
        on,
        (asm, p) => {
          const v = asm.loadU8("vi32", p, 16, n);
          asm.storeU8(p, 64, asm.add(v, 256 + 1), n);
          asm.store(p, 128, v);
          asm.storeU8(p, 100, asm.loadU8("i32", p, 17));
        },
        (s) => {
          s.u8.set(
            count(L + 1).map((i) => 250 + i),
            16,
          );
          s.u8.fill(77, 64, 90);
        },
      );
      const bytes = count(L).map((i) => (250 + i) & 255);
      expect([...m.i32.subarray(32, 32 + L)]).toEqual(bytes.map((x, i) => (i < n ? x : 0)));
      expect([...m.u8.subarray(64, 64 + L)]).toEqual(bytes.map((x, i) => (i < n ? (x + 1) & 255 : 77)));
      expect(m.u8[100]).toBe(251);
    }
  });

  it("has vector arithmetic, masks, selection", () => {
    const a4 = [1, -2, 3.5, NaN];
    const b4 = [2, 5, -1, 4];
    const of = (four: readonly number[]): number[] => count(L).map((i) => four[i % 4]);
    const m = once(
      on,
      (asm, p) => {
        const a = asm.load("vf32", p, 0);
        const b = asm.load("vf32", p, V);
        let at = 2 * V;
        const put = (v: Val): void => {
          asm.store(p, at, v);
          at += V;
        };
        put(asm.fma(a, b, 1));
        put(asm.fnma(a, b, 1));
        put(asm.select(asm.cmp("lt", a, b), a, asm.splat("vf32", -1)));
        put(asm.bin("and", asm.bitcast("vf32", asm.cmp("ge", a, b)), 1));
        put(asm.bin("max", a, b));
        put(asm.bin("pmax", a, 0));
        put(asm.convert("vi32", asm.mul(a, 10)));
        put(asm.bin("copysign", a, b));
        put(asm.un("not", asm.cmp("eq", a, a)));
        asm.store(
          p,
          at,
          asm.reduce((x, y) => asm.add(x, y), a),
        );
        asm.store(
          p,
          at + 4,
          asm.reduce((x, y) => asm.bin("max", x, y), b),
        );
        asm.store(p, at + 8, asm.fma(asm.extract(a, 1), asm.extract(b, 1), asm.f32(1)));
        asm.store(p, at + 12, asm.bitmask(asm.cmp("lt", a, 0)));
      },
      (s) => {
        s.f32.set(of(a4));
        s.f32.set(of(b4), L);
      },
    );
    const row = (k: number): number[] => [...m.f32.subarray((2 + k) * L, (3 + k) * L)];
    const ints = (k: number): number[] => [...m.i32.subarray((2 + k) * L, (3 + k) * L)];
    expect(row(0)).toEqual(of([3, -9, -2.5, NaN]));
    expect(row(1)).toEqual(of([-1, 11, 4.5, NaN]));
    expect(row(2)).toEqual(of([1, -2, -1, -1]));
    expect(row(3)).toEqual(of([0, 0, 1, 0]));
    expect(row(4)).toEqual(of([2, 5, 3.5, NaN]));
    expect(row(5)).toEqual(of([1, 0, 3.5, NaN]));
    expect(ints(6)).toEqual(of([10, -20, 35, 0]));
    expect(row(7)).toEqual(of([1, 2, -3.5, NaN]));
    expect(ints(8)).toEqual(of([0, 0, 0, -1]));
    const at = 11 * L;
    expect(m.f32[at]).toBeNaN();
    expect(m.f32[at + 1]).toBe(5);
    expect(m.f32[at + 2]).toBe(-9);
    expect(m.i32[at + 3]).toBe(count(L / 4).reduce((s, i) => s | (2 << (4 * i)), 0));
  });

  it("transposes, converts to doubles and back", () => {
    const H = L / 2;
    const m = once(
      on,
      (asm, p) => {
        const rows = count(L).map((i) => asm.load("vf32", p, V * i));
        asm.transpose(rows).forEach((v, i) => asm.store(p, 4096 + V * i, v));
        let at = 8192;
        const put = (v: Val): void => {
          asm.store(p, at, v);
          at += V;
        };
        const v = asm.load("vf32", p, 0);
        const lo = asm.promote(v, false);
        const hi = asm.promote(v, true);
        put(lo);
        put(hi);
        put(asm.demote(asm.mul(lo, 2), asm.mul(hi, 3)));
        put(asm.i32FromF64(lo, hi));
        const mask = asm.cmp("gt", v, H);
        put(asm.select(asm.widenMask(mask, true), hi, asm.konst("vf64", 99)));
      },
      (s) => s.f32.set(count(L * L)),
    );
    expect([...m.f32.subarray(1024, 1024 + L * L)]).toEqual(count(L * L).map((i) => (i % L) * L + Math.floor(i / L)));
    const low = count(H);
    const high = low.map((i) => H + i);
    const at = (k: number): number => 2048 + k * L;
    const doubles = (k: number): number[] => [...m.f64.subarray(at(k) / 2, at(k) / 2 + H)];
    expect(doubles(0)).toEqual(low);
    expect(doubles(1)).toEqual(high);
    expect([...m.f32.subarray(at(2), at(3))]).toEqual([...low.map((x) => 2 * x), ...high.map((x) => 3 * x)]);
    expect([...m.i32.subarray(at(3), at(4))]).toEqual([...low, ...high]);
    expect(doubles(4)).toEqual(high.map((x) => (x === H ? 99 : x)));
  });

  it("has scalar operations of every type", () => {
    const asm = new Asm(target);
    const unary: [string, Type, Type, (x: Val) => Val, number, number][] = [
      ["sqrt", "f32", "f32", (x) => asm.un("sqrt", x), 9, 3],
      ["near", "f64", "f64", (x) => asm.un("nearest", x), 2.5, 2],
      ["u2f", "i32", "f32", (x) => asm.convert("f32", x, true), -1, 4294967296],
      ["f2i", "f32", "i32", (x) => asm.convert("i32", x), -1e20, -2147483648],
      ["f2u", "f32", "i32", (x) => asm.convert("i32", x, true), 3e9, 3e9 | 0],
      ["bits", "f32", "i32", (x) => asm.bitcast("i32", x), 1, 0x3f800000],
      ["pm", "f32", "f32", (x) => asm.bin("pmax", x, 0), -3, 0],
      ["div", "i32", "i32", (x) => asm.bin("divS", x, 3), -7, -2],
      ["max", "i32", "i32", (x) => asm.bin("max", x, 3), -7, 3],
      ["abs", "i32", "i32", (x) => asm.un("abs", x), -7, 7],
      ["u2d", "i32", "f64", (x) => asm.convert("f64", x, true), -1, 4294967295],
    ];
    for (const [name, from, to, f] of unary) asm.fn(name, [from], to, (x) => f(x));
    const { f } = on.load(asm);
    for (const [name, , , , x, want] of unary) expect([name, f[name](x)]).toEqual([name, want]);
  });

  it("calls functions of the module and of the host; copies and fills", () => {
    const asm = new Asm(target);
    const mod = asm.extern("floorMod", ["f64", "f64"], "f64");
    const inc = asm.fn("inc", ["f64"], "f64", (x) => asm.add(x, 1));
    asm.fn("go", ["ptr", "f64"], "f64", (p, x) => {
      asm.fill(p, 7, 16);
      asm.copy(asm.ptrAdd(p, 32), p, 8);
      asm.call(inc, x); // result dropped
      return asm.call(mod, asm.call(inc, x), 7);
    });
    const m = on.load(asm);
    expect(m.f.go(m.base, 8)).toBe(2);
    expect([...m.u8.subarray(30, 42)]).toEqual([0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 0, 0]);
  });

  it("names mistakes", () => {
    const asm = new Asm(target);
    expect(() => asm.fn("a", ["f32"], "i32", (x) => x)).toThrow('fn "a" must return i32');
    expect(() => asm.fn("b", ["f32"], undefined, (x) => void asm.add(x, asm.i32(1)))).toThrow("add of f32 and i32");
    const bad = new Asm(target);
    let leaked: Val | undefined;
    bad.fn("c", ["i32"], "i32", (n) => {
      bad.loop(0, n, 1, (i) => (leaked = bad.mul(i, 3)));
      return leaked!;
    });
    // The evaluator runs it, as it stands
    if (!on.name.startsWith("evaluator")) expect(() => on.load(bad)).toThrow("used outside of the block");
  });
});

describe("wasm", () => {
  const target = wasmTarget(probeWasm());
  it("compiles without blocking, over shared memory", async () => {
    const asm = new Asm(target);
    asm.fn("peek", ["ptr"], "i32", (p) => asm.load("i32", p, 4));
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
    new Int32Array(memory.buffer)[3] = 42;
    const f = await compileWasmAsync(asm, { memory });
    expect(f.peek(8)).toBe(42);
  });
});
