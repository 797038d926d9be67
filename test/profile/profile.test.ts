// Profiles of real programs: what is counted, and when. No time is asserted.
import { afterEach, describe, expect, test } from "vitest";
import {
  add,
  ceilings,
  compiled,
  device,
  exp,
  matmul,
  ones,
  profile,
  scan,
  setThreads,
  startProfile,
  sum,
  type Tensor,
  variable,
} from "../../src/index.ts";
import { executor } from "../../src/tensor/executor.ts";
import { traceOf } from "./trace.ts";

describe("what runs is counted", () => {
  afterEach(() => expect(executor().observer).toBe(null));

  const w = variable(ones([64, 32]));
  const step = compiled((x: Tensor) => {
    const y = exp(matmul(x, w));
    w.assign(add(w, 1e-3));
    return sum(y);
  });
  const x = ones([16, 64]);

  test("kernels with the work that explain() shows, programs, every step", async () => {
    const r = await profile(() => step(x), { steps: 4, warmup: 1, ceilings: false });
    expect(r.step.all).toHaveLength(4);
    expect(r.programs).toMatchObject([{ number: 1, runs: 1 }]);
    expect(r.programs[0].compileMs).toBeGreaterThan(0);
    const lines = step.explain(x).split("\n");
    expect(r.programs[0].kernels).toBe(lines.length - 1);
    for (const k of r.kernels) expect(lines.some((line) => line.includes(k.name) && line.includes(k.loops))).toBe(true);
    const dot = r.kernels.find((k) => k.kind === "contract");
    expect(dot?.calls).toBe(1);
    expect(dot?.flops).toBeGreaterThanOrEqual(2 * 16 * 64 * 32);
    expect(r.step.flops).toBe(r.kernels.reduce((n, k) => n + k.flops, 0));
    const parts = [r.step.kernels, r.step.between, r.step.compiling, r.step.outside];
    expect(parts.reduce((a, b) => a + b, 0)).toBeCloseTo(r.step.ms, 6);
    expect(r.kernels.reduce((n, k) => n + k.ms, 0)).toBeCloseTo(r.step.kernels, 6);
    const sorted = r.kernels.map((k) => k.ms);
    expect(sorted).toEqual(sorted.toSorted((a, b) => b - a));
    expect(r.ceilings).toBe(null);
    expect(r.kernels.every((k) => k.ofPeak === null && k.bound === null && k.floorMs === null)).toBe(true);
    expect(r.toString()).not.toContain("% peak");
  });

  test("a known program was compiled before; one that is new within a step is a part of it", async () => {
    const known = await profile(() => step(x), { steps: 1, warmup: 0, ceilings: false });
    expect(known.programs[0].compileMs).toBe(null);
    expect(known.step.compiling).toBe(0);
    const f = compiled((a: Tensor) => sum(exp(add(a, 0.123))));
    const fresh = await profile(() => f(x), { steps: 1, warmup: 0, ceilings: false });
    expect(fresh.step.compiling).toBeGreaterThan(0);
    expect(fresh.step.compiling).toBe(fresh.programs[0].compileMs);
  });

  test("operations that run at once are programs too, equal ones the same", async () => {
    const r = await profile(
      () => {
        for (let i = 0; i < 3; i++) exp(x);
        return add(x, x);
      },
      { steps: 2, warmup: 1, ceilings: false },
    );
    expect(r.programs.map((p) => p.runs)).toEqual([3, 1]);
    expect(r.kernels.map((k) => [k.name, k.calls])).toContainEqual(["exp", 3]);
  });

  test("the turns of a loop over time are counted, and its work once a turn", async () => {
    const xs = ones([9, 4]);
    const f = compiled((seq: Tensor) => scan((c: Tensor, e: Tensor) => [add(c, e), c], ones([4]), seq)[0]);
    const r = await profile(() => f(xs), { steps: 2, warmup: 1, ceilings: false });
    expect(r.kernels.find((k) => k.name === "add")).toMatchObject({ calls: 9, flops: 9 * 4 });
  });

  test("results are the same bits with and without", async () => {
    const f = compiled((a: Tensor) => exp(matmul(a, ones([64, 48]))));
    const plain = f(x).dataSync();
    let seen: ArrayLike<number> = [];
    await profile(() => (seen = f(x).dataSync()), { steps: 2, warmup: 0, ceilings: false });
    expect(seen).toEqual(plain);
    expect(f(x).dataSync()).toEqual(plain);
  });

  test("async functions are waited for, and what they wait for is outside", async () => {
    let done = 0;
    const wait = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      step(x);
      done++;
    };
    const r = await profile(wait, { steps: 2, warmup: 1, ceilings: false });
    expect(done).toBe(3);
    expect(r.step.outside).toBeGreaterThan(1);
  });

  test("a session notes all that runs until it is stopped", () => {
    const profiler = startProfile({ ceilings: false });
    for (let i = 0; i < 5; i++) step(x);
    const r = profiler.stop();
    expect(r.stepwise).toBe(false);
    expect(r.programs.map((p) => p.runs)).toEqual([5]);
    step(x);
    expect(r.toString()).toContain("ms in all");
  });

  test("a session in steps leaves the first out and ends by itself", () => {
    let ended = 0;
    const profiler = startProfile({ steps: 3, warmup: 2, ceilings: false, onEnd: () => void ended++ });
    for (let i = 0; i < 9; i++) {
      exp(ones([2]));
      step(x);
    }
    expect(ended).toBe(1);
    const r = profiler.stop();
    expect(r.stepwise).toBe(true);
    expect(r.step.all).toHaveLength(3);
  });

  test("one profile at a time, and what fails ends it", async () => {
    const profiler = startProfile({ ceilings: false });
    await expect(profile(() => step(x))).rejects.toThrow("a profile is being taken already");
    profiler.stop();
    await expect(
      profile(() => {
        throw new Error("broken");
      }),
    ).rejects.toThrow("broken");
    await expect(profile(() => step(x), { steps: 0 })).rejects.toThrow("steps must be a whole number from 1 on, got 0");
    await expect(profile(() => step(x), { warmup: 1.5 })).rejects.toThrow("warmup must be a whole number from 0 on");
    expect(() => startProfile({ steps: -1 })).toThrow("[startProfile] steps");
  });

  test("the time line: steps hold programs, programs hold kernels", async () => {
    const r = await profile(() => step(x), { steps: 2, warmup: 1, ceilings: false });
    const events = traceOf(r).traceEvents.filter((e) => e.ph === "X" && e.tid === 0);
    const of = (cat: string): typeof events => events.filter((e) => e.cat === cat);
    expect(of("step").map((e) => e.name)).toEqual(["step 1", "step 2"]);
    expect(of("program")).toHaveLength(2);
    const kernels = events.filter((e) => ["loop", "contract"].includes(e.cat ?? ""));
    expect(kernels).toHaveLength(2 * r.programs[0].kernels);
    const inside = (e: (typeof events)[0], list: typeof events): boolean =>
      list.some((o) => e.ts >= o.ts - 0.002 && e.ts + e.dur <= o.ts + o.dur + 0.002);
    for (const e of kernels) expect(inside(e, of("program"))).toBe(true);
    for (const e of of("program")) expect(inside(e, of("step"))).toBe(true);
  });
});

test("ceilings are numbers, for as many threads as are asked for, and leave the setting alone", () => {
  const { threads } = device();
  for (const n of [1, 2]) {
    const c = ceilings({ threads: n });
    expect(c.threads).toBe(n);
    for (const x of [c.gflops, c.read, c.copy, c.add]) expect(x > 0 && Number.isFinite(x)).toBe(true);
  }
  expect(device().threads).toBe(threads);
  setThreads(1);
  expect(ceilings().threads).toBe(1);
  setThreads(threads);
});
