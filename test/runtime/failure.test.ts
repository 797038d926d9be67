/**
 * A kernel that fails, on this thread or on a worker: an error that names it, and an engine that goes on. (WebAssembly:
 * machine code that leaves its memory takes the process with it.)
 */
import { beforeAll, expect, test } from "vitest";
import { Asm, type Val } from "../../src/codegen/asm/index.ts";
import { Clocks, PlanRunner } from "../../src/runtime/index.ts";
import type { LoopKernel, Plan, Step } from "../../src/schedule/index.ts";

process.env["CHAINRULE_DEVICE"] = "wasm";
const { engine } = await import("../../src/engine.ts");
const { ones, setThreads } = await import("../../src/index.ts");
const { divideAll, gather } = await import("./crew.ts");

const BLOCKS = 64;

beforeAll(async () => {
  divideAll();
  await gather(2);
});

/** A plan of one kernel whose code is given: `block` is one block of it. */
function planOf(name: string, block: (asm: Asm, i: Val) => void): PlanRunner {
  const asm = new Asm(engine.device.code.target);
  asm.fn(name, ["ptr", "i32", "i32"], undefined, (_, lo, hi) => asm.loop(lo, hi, 1, (i) => block(asm, i)));
  const { fns, needs } = engine.device.code.add(asm);
  const kernel: LoopKernel = {
    kind: "loop",
    loops: [BLOCKS],
    outer: [0],
    phases: [],
    exs: [],
    args: [],
    serial: false,
    vec: -1,
    scratch: 0,
  };
  const step: Step = { kernel, args: [], name, flops: 1, bytes: 1 };
  const plan: Plan = { steps: [step], inputs: [], outputs: [], arenaBytes: 0, totalBytes: 0 };
  const code = { fn: fns[0], blocks: BLOCKS, grain: 1, scratchBytes: 0, needs };
  return new PlanRunner(plan, new Map([[step, code]]), engine.device.crew);
}

/** Beyond the end of any memory: the address wraps to the last bytes of the 4 GiB. */
const fail = (asm: Asm): void => asm.store(asm.ptrAdd(asm.konst("ptr", 0), asm.i32(-16)), 0, asm.i32(1));

/** Takes a while, so that both threads get a part. */
const dawdle = (asm: Asm): void => {
  const x = asm.var("f32", 1);
  asm.loop(0, 100_000, 1, () => asm.set(x, asm.add(asm.get(x), 1)));
  asm.if(asm.cmp("lt", asm.get(x), 0), () => fail(asm));
};

test("a kernel that fails on a worker", () => {
  // The last blocks are the worker's own.
  const runner = planOf("bad", (asm, i) => {
    dawdle(asm);
    asm.if(asm.cmp("ge", i, BLOCKS / 2), () => fail(asm));
  });
  for (let i = 0; i < 20; i++)
    expect(() => runner.run()).toThrow(/The kernel "bad \[64\]" failed: RuntimeError: memory access out of bounds/);
  expect(
    ones([1 << 16])
      .sum()
      .item(),
  ).toBe(1 << 16);
});

test("a kernel that fails on the calling thread", () => {
  const runner = planOf("worse", (asm, i) => {
    dawdle(asm);
    asm.if(asm.cmp("lt", i, BLOCKS / 2), () => fail(asm));
  });
  for (let i = 0; i < 20; i++) expect(() => runner.run()).toThrow(/The kernel "worse \[64\]" failed: /);
  setThreads(1);
  const alone = planOf("alone", (asm) => fail(asm));
  expect(() => alone.run()).toThrow(/The kernel "alone \[64\]" failed: /);
  setThreads(2);
  expect(
    ones([1 << 16])
      .sum()
      .item(),
  ).toBe(1 << 16);
});

test("workers serve on after their kernel failed", async () => {
  await gather(2);
  const runner = planOf("slow", (asm) => dawdle(asm));
  const clocks = (runner.clocks = new Clocks(runner));
  let shared = false;
  for (let i = 0; i < 50 && !shared; i++) {
    runner.run();
    shared = clocks.stamps().every((of) => of.some((ms) => ms > 0));
  }
  expect(shared).toBe(true);
});
