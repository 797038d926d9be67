import { describe, expect, it } from "vitest";
import { Asm } from "../../src/codegen/asm/index.ts";
import type { Type, Val, VecType } from "../../src/codegen/asm/index.ts";
import { compileWasm, compileWasmAsync, encodeWasm, probeWasm, wasmTarget } from "../../src/codegen/wasm/index.ts";

const features = probeWasm();
const targets = [wasmTarget(features), wasmTarget({ ...features, relaxed: false })];

function run(asm: Asm, host?: Record<string, (...a: number[]) => number>) {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const f = compileWasm(asm, { memory, host });
  return {
    f,
    f32: new Float32Array(memory.buffer),
    i32: new Int32Array(memory.buffer),
    f64: new Float64Array(memory.buffer),
    u8: new Uint8Array(memory.buffer),
  };
}

/** One function p -> () run over a memory prepared by `init`. */
function once(
  target: (typeof targets)[0],
  body: (asm: Asm, p: Val) => void,
  init: (m: ReturnType<typeof run>) => void,
) {
  const asm = new Asm(target);
  asm.fn("go", ["ptr"], undefined, (p) => body(asm, p));
  const m = run(asm);
  init(m);
  m.f.go(0);
  return m;
}

describe.each(targets)("asm on $name", (target) => {
  it("adds with a loop, a tail and an accumulator variable", () => {
    const asm = new Asm(target);
    asm.fn("sum", ["ptr", "i32"], "f32", (p, n) => {
      const acc = asm.var("f32", 0);
      asm.loop(0, n, 1, (i) => asm.set(acc, asm.add(asm.get(acc), asm.load("f32", asm.ptrAdd(p, asm.mul(i, 4))))));
      return asm.get(acc);
    });
    const { f, f32 } = run(asm);
    f32.set([1, 2, 3, 4, 5], 4);
    expect(f.sum(16, 5)).toBe(15);
    expect(f.sum(16, 0)).toBe(0);
    expect(f.sum(16, -3)).toBe(0);
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
    const { f } = run(asm);
    expect([0, 1, 2, 3, 10].map((n) => f.fib(n))).toEqual([0, 1, 1, 2, 55]);
    expect(f.outer(5)).toBe(3 * 10 + 8);
  });

  it("orders loads against stores", () => {
    const m = once(
      target,
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
      target,
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
    expect(run(asm).f.count(7, 3)).toBe(want);
  });

  it.each(["vf32", "vi32"] as VecType[])("loads and stores tails of %s and touches nothing beyond", (type) => {
    for (const n of [1, 2, 3, 4]) {
      const m = once(
        target,
        (asm, p) => {
          const v = asm.loadPartial(type, n, p, 16);
          asm.store(p, 32, v);
          asm.storePartial(n, p, 64, v);
        },
        (s) => s.i32.set([1, 2, 3, 4, 5, 6], 4),
      );
      const want = [1, 2, 3, 4].map((x, i) => (i < n ? x : 0));
      expect([...m.i32.subarray(8, 12)]).toEqual(want);
      expect([...m.i32.subarray(16, 20)]).toEqual(want);
    }
  });

  it("loads and stores bytes with tails", () => {
    for (const n of [1, 2, 3, 4]) {
      const m = once(
        target,
        (asm, p) => {
          const v = asm.loadU8("vi32", p, 16, n);
          asm.storeU8(p, 32, asm.add(v, 256 + 1), n);
          asm.store(p, 64, v);
          asm.storeU8(p, 100, asm.loadU8("i32", p, 17));
        },
        (s) => {
          s.u8.set([250, 2, 255, 4, 9], 16);
          s.u8.fill(77, 32, 40);
        },
      );
      expect([...m.i32.subarray(16, 20)]).toEqual([250, 2, 255, 4].map((x, i) => (i < n ? x : 0)));
      expect([...m.u8.subarray(32, 36)]).toEqual([251, 3, 0, 5].map((x, i) => (i < n ? x : 77)));
      expect(m.u8[100]).toBe(2);
    }
  });

  it("has vector arithmetic, masks, selection", () => {
    const m = once(
      target,
      (asm, p) => {
        const a = asm.load("vf32", p, 0);
        const b = asm.load("vf32", p, 16);
        let at = 32;
        const put = (v: Val): void => {
          asm.store(p, at, v);
          at += 16;
        };
        put(asm.fma(a, b, 1));
        put(asm.fnma(a, b, 1));
        put(asm.select(asm.cmp("lt", a, b), a, asm.splat("vf32", -1)));
        put(asm.maskTo01("vf32", asm.cmp("ge", a, b)));
        put(asm.bin("max", a, b));
        put(asm.bin("pmax", a, 0));
        put(asm.convert("vi32", asm.mul(a, 10)));
        put(asm.bin("copysign", a, b));
        put(asm.un("not", asm.cmp("eq", a, a)));
        asm.store(p, at, asm.reduceAdd(a));
        asm.store(p, at + 4, asm.reduceMax(b));
        asm.store(p, at + 8, asm.fma(asm.extract(a, 1), asm.extract(b, 1), asm.f32(1)));
        asm.store(p, at + 12, asm.bitmask(asm.cmp("lt", a, 0)));
      },
      (s) => s.f32.set([1, -2, 3.5, NaN, 2, 5, -1, 4]),
    );
    const row = (k: number): number[] => [...m.f32.subarray(8 + 4 * k, 12 + 4 * k)];
    expect(row(0)).toEqual([3, -9, -2.5, NaN]);
    expect(row(1)).toEqual([-1, 11, 4.5, NaN]);
    expect(row(2)).toEqual([1, -2, -1, -1]);
    expect(row(3)).toEqual([0, 0, 1, 0]);
    expect(row(4)).toEqual([2, 5, 3.5, NaN]);
    expect(row(5)).toEqual([1, 0, 3.5, NaN]);
    expect([...m.i32.subarray(32, 36)]).toEqual([10, -20, 35, 0]);
    expect(row(7)).toEqual([1, 2, -3.5, NaN]);
    expect([...m.i32.subarray(40, 44)]).toEqual([0, 0, 0, -1]);
    expect(m.f32[44]).toBeNaN();
    expect(m.f32[45]).toBe(5);
    expect(m.f32[46]).toBe(-9);
    expect(m.i32[47]).toBe(2);
  });

  it("transposes, converts to doubles and back", () => {
    const m = once(
      target,
      (asm, p) => {
        asm
          .transpose([0, 16, 32, 48].map((o) => asm.load("vf32", p, o)))
          .forEach((v, i) => asm.store(p, 64 + 16 * i, v));
        const v = asm.load("vf32", p, 0);
        const lo = asm.promote(v, false);
        const hi = asm.promote(v, true);
        asm.store(p, 128, lo);
        asm.store(p, 144, hi);
        asm.store(p, 160, asm.demote(asm.mul(lo, 2), asm.mul(hi, 3)));
        asm.store(p, 176, asm.i32FromF64(lo, hi));
        const k = asm.load("vi32", p, 176);
        asm.store(p, 192, asm.f64FromI32(k, true));
        const mask = asm.narrowMask(asm.cmp("gt", lo, 0), asm.cmp("gt", hi, 2));
        asm.store(p, 208, mask);
        asm.store(p, 224, asm.select(asm.widenMask(mask, true), hi, asm.konst("vf64", 9)));
      },
      (s) => s.f32.set(Array.from({ length: 16 }, (_, i) => i)),
    );
    expect([...m.f32.subarray(16, 32)]).toEqual(Array.from({ length: 16 }, (_, i) => (i % 4) * 4 + (i >> 2)));
    expect([...m.f64.subarray(16, 20)]).toEqual([0, 1, 2, 3]);
    expect([...m.f32.subarray(40, 44)]).toEqual([0, 2, 6, 9]);
    expect([...m.i32.subarray(44, 48)]).toEqual([0, 1, 2, 3]);
    expect([...m.f64.subarray(24, 26)]).toEqual([2, 3]);
    expect([...m.i32.subarray(52, 56)]).toEqual([0, -1, 0, -1]);
    expect([...m.f64.subarray(28, 30)]).toEqual([9, 3]);
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
      ["m01", "f32", "f32", (x) => asm.maskTo01("f32", asm.cmp("gt", x, 1)), 2, 1],
    ];
    for (const [name, from, to, f] of unary) asm.fn(name, [from], to, (x) => f(x));
    const { f } = run(asm);
    for (const [name, , , , x, want] of unary) expect([name, f[name](x)]).toEqual([name, want]);
  });

  it("calls functions of the module and of the host; copies and fills", () => {
    const asm = new Asm(target);
    const twice = asm.extern("twice", ["f64"], "f64");
    const inc = asm.fn("inc", ["f64"], "f64", (x) => asm.add(x, 1));
    asm.fn("go", ["ptr", "f64"], "f64", (p, x) => {
      asm.fill(p, 7, 16);
      asm.copy(asm.ptrAdd(p, 32), p, 8);
      asm.call(inc, x); // result dropped
      return asm.call(twice, asm.call(inc, x));
    });
    const m = run(asm, { twice: (x) => 2 * x });
    expect(m.f.go(0, 4)).toBe(10);
    expect([...m.u8.subarray(30, 42)]).toEqual([0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 0, 0]);
  });

  it("compiles without blocking, over shared memory, with names", async () => {
    const asm = new Asm(target);
    asm.fn("peek", ["ptr"], "i32", (p) => asm.load("i32", p, 4));
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
    new Int32Array(memory.buffer)[3] = 42;
    const f = await compileWasmAsync(asm, { memory, debugNames: true });
    expect(f.peek(8)).toBe(42);
    const text = String.fromCharCode(...encodeWasm(asm, { debugNames: true }));
    expect(text.split("peek").length).toBe(3); // export and name
  });

  it("names mistakes", () => {
    const asm = new Asm(target);
    expect(() => asm.fn("a", ["f32"], "i32", (x) => x)).toThrow('fn "a" must return i32');
    expect(() => asm.fn("b", ["f32"], undefined, (x) => void asm.add(x, asm.i32(1)))).toThrow("bin add of f32 and i32");
    const bad = new Asm(target);
    let leaked: Val | undefined;
    bad.fn("c", ["i32"], "i32", (n) => {
      bad.loop(0, n, 1, (i) => (leaked = bad.mul(i, 3)));
      return leaked!;
    });
    expect(() => run(bad)).toThrow("used outside of the block");
  });
});
