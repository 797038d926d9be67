// The bridge to machine code: pages, calls, addresses, threads, and what the processor says of itself.
import { describe, expect, it, type TestContext } from "vitest";
import { existsSync, readFileSync } from "node:fs";
import { Code } from "../../src/codegen/x64/encode.ts";
import * as F from "../../src/codegen/x64/forms.ts";
import { describe as describeCpu, readCpu } from "../../src/codegen/x64/cpuid.ts";
import { HostFunctions } from "../../src/codegen/x64/host.ts";
import { hostOps } from "../../src/codegen/loops/index.ts";
import { hostMath } from "../../src/codegen/math/index.ts";
import { type NativeBridge, openNative as openInBrowser } from "../../src/runtime/native.browser.ts";
import { openNative } from "../../src/runtime/native.node.ts";

const answer = openNative();
/** A test of the bridge; skipped, with the reason, where there is none. */
const onNative = (name: string, body: (native: NativeBridge) => void | Promise<void>): void =>
  it(name, (context: TestContext) => (answer.native ? body(answer.native) : context.skip(answer.why)));

const { rax, rcx, rdx, rsi, rdi } = F.GPR;
/** First and second argument of the calling convention. */
const args = (native: NativeBridge): readonly [number, number] => (native.windows ? [rcx, rdx] : [rdi, rsi]);
const build = (body: (c: Code) => void): Uint8Array => {
  const c = new Code();
  body(c);
  c.ret();
  return c.finish();
};

describe("the native bridge", () => {
  it("says why there is none", () => {
    expect(openInBrowser()).toEqual({ why: "a browser runs no machine code" });
    const before = process.env.CHAINRULE_DEVICE;
    process.env.CHAINRULE_DEVICE = "wasm";
    try {
      expect(openNative()).toEqual({ why: "CHAINRULE_DEVICE=wasm" });
    } finally {
      if (before === undefined) delete process.env.CHAINRULE_DEVICE;
      else process.env.CHAINRULE_DEVICE = before;
    }
  });

  onNative("calls code with whole numbers and doubles", (native) => {
    const [a, b] = args(native);
    const sum = native.loadCode(build((c) => c.mem(F.lea | F.Q, rax, -1, a, b, 4, -3)));
    expect(native.fn(sum, ["ptr", "ptr"], "ptr")(2 ** 46, 5)).toBe(2 ** 46 + 17);
    expect(native.fn(sum, ["i32", "i32"], "i32")(-(2 ** 31), 1)).toBe(-(2 ** 31) + 1);
    const fused = native.loadCode(build((c) => c.reg(F.vfmadd213sd, 0, 1, 2)));
    expect(native.fn(fused, ["f64", "f64", "f64"], "f64")(1 + 2 ** -30, 1 - 2 ** -30, -1)).toBe(-(2 ** -60));
    const doubled = native.loadCode(build((c) => c.reg(F.vaddss, 0, 0, 0)));
    expect(native.fn(doubled, ["f32"], "f32")(0.75)).toBe(1.5);
    for (const code of [sum, fused, doubled]) native.dropCode(code);
    expect(() => native.dropCode(sum)).toThrow(`[native] no code begins at ${sum}`);
  });

  onNative("keeps code executable and never writable", (native) => {
    const at = native.loadCode(new Uint8Array(10_000).fill(0xc3));
    const maps = existsSync("/proc/self/maps") ? readFileSync("/proc/self/maps", "utf8").split("\n") : [];
    const rights = maps.flatMap((line) => {
      const [range, rights] = line.split(" ");
      const [from, to] = range.split("-").map((x) => parseInt(x, 16));
      return from <= at && at + 10_000 <= to ? [rights] : [];
    });
    if (maps.length > 0) expect(rights).toEqual(["r-xp"]);
    native.fn(at + 9_999, [], "void")();
    native.dropCode(at);
  });

  onNative("reaches WebAssembly memory, which stays in place", (native) => {
    const [a] = args(native);
    const mark = native.loadCode(build((c) => c.mem(F.movImm, -1, -1, a, -1, 1, 8, 0, false, 77)));
    const run = native.fn(mark, ["ptr"], "void");
    for (const shared of [false, true]) {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared });
      const base = native.addressOf(memory.buffer);
      run(base);
      expect(new Int32Array(memory.buffer)[2]).toBe(77);
      memory.grow(1000);
      expect(native.addressOf(memory.buffer)).toBe(base);
      run(base + 65536 * 1000);
      expect(new Int32Array(memory.buffer)[(65536 * 1000) / 4 + 2]).toBe(77);
    }
    native.dropCode(mark);
  });

  onNative("gives memory outside of WebAssembly", (native) => {
    const bytes = 5 * 2 ** 30;
    const at = native.allocate(bytes);
    const far = new Float64Array(native.view(at + bytes - 4096, 4096));
    expect(far[0]).toBe(0);
    far[1] = 1.25;
    expect(new Float64Array(native.view(at + bytes - 4096, 16))[1]).toBe(1.25);
    expect(() => native.view(at, bytes)).toThrow("[native] a view of 5368709120 bytes; 4294967295 is the most");
    native.free(at, bytes);
    expect(() => native.allocate(2 ** 52)).toThrow("[native] the system gives no 4503599627.4 MB of memory");
  });

  onNative("knows the functions of C", (native) => {
    const f64 = (name: string): ((...x: number[]) => number) => native.fn(native.symbol(name), ["f64", "f64"], "f64");
    expect(f64("exp")(1, 0)).toBeCloseTo(Math.E, 14);
    expect(f64("fmod")(7.5, 2)).toBe(1.5);
    expect(() => native.symbol("no_such_function")).toThrow('[native] this system has no function "no_such_function"');
  });

  onNative("starts threads", async (native) => {
    const [a] = args(native);
    const at = native.allocate(4096);
    const words = new Int32Array(native.view(at, 4096));
    const start = native.loadCode(
      build((c) => {
        c.const32(rax, 5);
        c.lock();
        c.mem(F.xaddStore, rax, -1, a, -1, 1, 64);
      }),
    );
    for (let i = 0; i < 3; i++) native.startThread(start, at);
    for (let i = 0; i < 2000 && Atomics.load(words, 16) < 15; i++) await new Promise((done) => setTimeout(done, 1));
    expect(Atomics.load(words, 16)).toBe(15);
  });
});

describe("functions of the host", () => {
  const values = [0, -0, 1, -1, 0.5, -0.3, 2.5, -7.25, 20, -20, 700, -745.2, 1e-300, -1e300, Infinity, -Infinity, NaN];

  onNative("are those that WebAssembly imports", (native) => {
    const host = new HostFunctions(native);
    const wrong: string[] = [];
    for (const [name, wanted] of Object.entries({ ...hostMath, ...hostOps })) {
      const two = wanted.length === 2;
      const call = native.fn(host.address(name), two ? ["f64", "f64"] : ["f64"], "f64");
      expect(host.address(name)).toBe(host.address(name));
      for (const x of values) {
        for (const y of two ? values : [0]) {
          const [got, want] = [call(x, y), wanted(x, y)];
          // erf of the host is a series; the others are within 1 ulp of each other
          const near = Math.abs(got - want) <= Math.abs(want) * (name === "erf" ? 1e-14 : 3e-16);
          if (!(near || Object.is(got, want))) wrong.push(`${name}(${x}, ${y}) = ${got}, not ${want}`);
          else if (want === 0 && !Object.is(got, want)) wrong.push(`${name}(${x}, ${y}): the sign of zero`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(() => host.address("noSuchFunction")).toThrow('[native] this system has no function "noSuchFunction"');
  });
});

describe("cpuid", () => {
  onNative("agrees with the system", (native) => {
    const cpu = readCpu(native);
    expect(cpu.vendor).toMatch(/^\w+$/);
    expect(cpu.l1).toBeGreaterThanOrEqual(8192);
    expect(cpu.l2 % 1024).toBe(0);
    if (!existsSync("/proc/cpuinfo")) return;
    const info = readFileSync("/proc/cpuinfo", "utf8");
    const flags = new Set(/flags\s*: (.*)/.exec(info)![1].split(" "));
    const has = (...names: string[]): boolean => names.every((name) => flags.has(name));
    expect(cpu.avx2).toBe(has("avx2", "fma", "bmi1", "bmi2", "abm", "popcnt"));
    expect(cpu.avx512).toBe(cpu.avx2 && has("avx512f", "avx512vl", "avx512dq", "avx512bw"));
    expect(cpu.brand).toBe(/model name\s*: (.*)/.exec(info)![1].replaceAll(/\s+/g, " ").trim());
  });

  const words = (s: string): number[] => [...new Uint32Array(new TextEncoder().encode(s).buffer)];
  /** A processor from its answers. */
  const fake = (answers: Readonly<Record<string, readonly number[]>>, xcr0: number): ReturnType<typeof describeCpu> =>
    describeCpu(
      (leaf, sub = 0) => new Uint32Array(answers[`${(leaf >>> 0).toString(16)}.${sub}`] ?? [0, 0, 0, 0]),
      () => xcr0,
    );
  const [b, d, c] = words("AuthenticAMD");
  const amd = {
    "0.0": [16, b, c, d],
    "1.0": [0, 0, (1 << 12) | (1 << 23) | (1 << 27) | (1 << 28), 0],
    "7.0": [0, (1 << 3) | (1 << 5) | (1 << 8) | (1 << 16) | (1 << 17) | (1 << 30) | (1 << 31), 0, 0],
    "80000000.0": [0x80000020, 0, 0, 0],
    "80000001.0": [0, 0, (1 << 5) | (1 << 22), 0],
    "80000002.0": words("AMD Ryzen 7 3700"),
    "80000003.0": words("X 8-Core\0\0\0\0\0\0\0\0"),
    // 32 KB of 8 ways, instructions, 512 KB of 8 ways, 16 MB of 16 ways
    "8000001d.0": [0x4121, (7 << 22) | 63, 63, 0],
    "8000001d.1": [0x4122, (7 << 22) | 63, 63, 0],
    "8000001d.2": [0x4143, (7 << 22) | 63, 1023, 0],
    "8000001d.3": [0x4163, ((15 << 22) | 63) >>> 0, 16383, 0],
  };

  it("reads an AMD processor, and what the system saves", () => {
    const cpu = fake(amd, 0xe7);
    expect(cpu).toEqual({
      vendor: "AuthenticAMD",
      brand: "AMD Ryzen 7 3700X 8-Core",
      avx2: true,
      avx512: true,
      l1: 32768,
      l2: 512 * 1024,
      l3: 16 << 20,
      tscHz: 0,
    });
    expect(fake(amd, 0x07)).toMatchObject({ avx2: true, avx512: false });
    expect(fake(amd, 0x03)).toMatchObject({ avx2: false, avx512: false });
    expect(fake({ ...amd, "1.0": [0, 0, 0, 0] }, 0xe7)).toMatchObject({ avx2: false, avx512: false });
  });

  it("reads a processor that knows little", () => {
    const old = fake({ "0.0": [1, ...words("GenuntelineI")] }, 0);
    expect(old).toMatchObject({
      vendor: "GenuineIntel",
      brand: "GenuineIntel",
      avx2: false,
      avx512: false,
      l1: 0,
      l3: 0,
    });
  });

  it("knows the ticks of its clock", () => {
    expect(fake({ "0.0": [0x16, b, c, d], "15.0": [2, 160, 25_000_000, 0] }, 0).tscHz).toBe(2_000_000_000);
  });
});
