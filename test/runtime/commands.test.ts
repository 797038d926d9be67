/** Which kernels run together, where barriers stand, what one thread does alone: plans by hand, commands as text. */
import { expect, test } from "vitest";
import { COMMAND, OP } from "../../src/base/records.ts";
import { eventsOf } from "../../src/runtime/clocks.ts";
import { Commands, type KernelCode } from "../../src/runtime/commands.ts";
import type { Kernel, LoopKernel, Place, Plan, ScanKernel, Step } from "../../src/schedule/index.ts";

const speeds = { contract: 1, loop: 1, bytes: 1 };
const codes = new Map<Step, KernelCode>();

/** A kernel that reads and writes what is named: `us` is how long it takes. */
function step(reads: readonly Place[], writes: Place, us: number, blocks = 64): Step {
  const args = [...reads, writes];
  const kernel: LoopKernel = {
    kind: "loop",
    loops: [blocks],
    outer: [0],
    phases: [
      {
        loops: [],
        reductions: [],
        stores: [{ arg: reads.length, index: { c: 0, t: [1] }, dyn: [], value: 0, dtype: "float32", add: false }],
        ordered: false,
        vec: -1,
      },
    ],
    exs: [],
    args: args.map(() => "float32"),
    serial: false,
    vec: -1,
    scratch: 0,
  };
  const made: Step = { kernel, args, name: "kernel", flops: us, bytes: 0 };
  codes.set(made, { fn: codes.size, blocks, grain: 1, scratchBytes: 0, needs: 1 });
  return made;
}

const arena = (offset: number, bytes = 64): Place => ({ at: "arena", offset, bytes });
const input = (index: number): Place => ({ at: "input", index });
const output = (index: number): Place => ({ at: "output", index });

const planOf = (steps: readonly Step[], inputs = 2, outputs = 2): Plan => ({
  steps,
  inputs: Array.from({ length: inputs }, () => ({ shape: [64], dtype: "float32" as const })),
  outputs: Array.from({ length: outputs }, () => ({ shape: [64], dtype: "float32" as const })),
  arenaBytes: 1024,
  totalBytes: 1024,
});

const NAMES = new Map<number, string>(Object.entries(OP).map(([name, op]) => [op, name]));

function commands(steps: readonly Step[], threads = 2): Commands {
  const all = (list: readonly Step[]): Step[] =>
    list.flatMap((s) => (s.kernel.kind === "scan" ? all(s.kernel.body.steps) : [s]));
  const table = new Map(all(steps).map((s) => [s, codes.get(s) as KernelCode]));
  return new Commands(planOf(steps), table, { threads, speeds, ptrBytes: 4 });
}

/** Operations in order: `kernel/piece`, `barrier/blocks`, `serial/kernels`, `loop×turns`. */
const text = (c: Commands): string =>
  c.list
    .map((x) => {
      const name = NAMES.get(x.op) as string;
      if (x.op === OP.kernel) return `${name}/${x.c}`;
      if (x.op === OP.loop) return `${name}×${x.a}`;
      return x.op === OP.barrier || x.op === OP.serial ? `${name}/${x.a}` : name;
    })
    .join(" ");

test("kernels that touch different memory run together", () => {
  const c = commands([step([input(0)], arena(0), 100), step([input(1)], arena(64), 100)]);
  expect(text(c)).toBe("kernel/4 kernel/4 barrier/128 end");
  expect([c.threads, c.slots, c.barriers]).toEqual([2, 2, 1]);
});

test.each<[string, Step[]]>([
  ["reads what was written", [step([input(0)], arena(0), 100), step([arena(0)], output(0), 100)]],
  ["writes what was read", [step([arena(0)], output(0), 100), step([input(0)], arena(0), 100)]],
  ["writes what was written", [step([input(0)], arena(0), 100), step([input(1)], arena(0), 100)]],
  ["touches a part of it", [step([input(0)], arena(0, 128), 100), step([arena(64, 64)], output(0), 100)]],
  ["changes an input that was read", [step([input(0)], arena(0), 100), step([input(1)], input(0), 100)]],
])("a barrier stands where a kernel %s", (_, steps) => {
  expect(text(commands(steps))).toBe("kernel/4 barrier/64 kernel/4 barrier/64 end");
});

test("small kernels are a chain of one thread, beside what does not concern them", () => {
  const chain = [step([input(0)], arena(0), 1), step([arena(0)], arena(64), 1)];
  const c = commands([...chain, step([input(1)], output(0), 100), step([arena(64)], output(1), 100)]);
  expect(text(c)).toBe("serial/2 kernel/1 kernel/1 kernel/4 barrier/65 kernel/4 barrier/64 end");
  // The length of what others pass over.
  expect(c.list[0].b).toBe(2 * COMMAND.bytes);
});

test("a plan with little to divide stays on one thread", () => {
  const c = commands([
    step([input(0)], arena(0), 10),
    step([arena(0)], output(0), 10),
    step([input(0)], output(1), 500, 1),
  ]);
  expect(c.threads).toBe(1);
  expect(text(c)).toBe("kernel/1 kernel/1 kernel/1 end");
});

test("pieces are no shorter than is worth a call, and leave each thread its part", () => {
  expect(text(commands([step([input(0)], output(0), 80)]))).toBe("kernel/4 barrier/64 end");
  expect(text(commands([step([input(0)], output(0), 64)]))).toBe("kernel/5 barrier/64 end");
  expect(text(commands([step([input(0)], output(0), 1000, 2)]))).toBe("kernel/1 barrier/2 end");
  expect(text(commands([step([input(0)], output(0), 1000)], 16))).toBe("kernel/1 barrier/64 end");
});

/** A loop over time: carry in, xs; final carry, ys. */
function scan(body: Step[], length: number): Step {
  const kernel: ScanKernel = {
    kind: "scan",
    length,
    reverse: false,
    carries: 1,
    xs: 1,
    consts: 0,
    xsBytes: [64],
    ysBytes: [64],
    carryBytes: [64],
    stacks: [{ before: -1, after: -1 }],
    body: { ...planOf(body), arenaBytes: 64 },
  };
  return {
    kernel: kernel satisfies Kernel,
    args: [input(0), input(1), output(0), output(1)],
    name: "scan",
    flops: 0,
    bytes: 0,
  };
}

test("a loop of large kernels meets at a barrier in every turn; counters are there for all turns", () => {
  const c = commands([scan([step([input(0), input(1)], output(0), 50), step([output(0)], output(1), 1)], 10)]);
  expect(text(c)).toBe("loop×10 kernel/7 barrier/64 serial/1 kernel/1 barrier/1 next end");
  expect([c.slots, c.barriers]).toEqual([30, 20]);
  expect(eventsOf(c.list)).toHaveLength(20);
});

test("a loop of small kernels is done by one thread", () => {
  const c = commands([
    scan([step([input(0), input(1)], output(0), 1), step([output(0)], output(1), 1)], 10),
    step([output(1)], arena(512), 100),
  ]);
  expect(text(c)).toBe("serial/20 loop×10 kernel/1 kernel/1 next barrier/1 kernel/4 barrier/64 end");
  expect([c.slots, c.barriers]).toEqual([22, 2]);
});

test("a loop around nothing is left out", () => {
  const c = commands([scan([], 10), step([input(0)], arena(512), 100)]);
  expect(text(c)).toBe("kernel/4 barrier/64 end");
  expect([c.slots, c.barriers]).toEqual([1, 1]);
});

test("a loop without turns copies what it carries", () => {
  const c = commands([scan([step([input(0), input(1)], output(0), 50)], 0), step([input(0)], arena(512), 100)]);
  expect(text(c)).toBe("serial/1 copy kernel/4 barrier/65 end");
});
