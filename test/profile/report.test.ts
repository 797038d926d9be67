// Whose time is whose, and how it is shown: on clocks that are made up.
import { describe, expect, test } from "vitest";
import { type ProgramTimes, type SeenProgram, shareTime, type StepTimes } from "../../src/profile/recorder.ts";
import { ProfileReport, type Recording } from "../../src/profile/report.ts";
import { join, stepsOf } from "../../src/profile/segments.ts";
import { traceOf } from "./trace.ts";

describe("time is shared among what runs at once", () => {
  const share = (threads: number[][], order: number[]): { kernels: number[]; busy: number[]; covered: number } => {
    const kernels = new Float64Array(Math.max(...order) + 1);
    const busy = new Float64Array(kernels.length);
    const covered = shareTime(
      threads.map((t) => Float64Array.from(t)),
      order,
      kernels,
      busy,
    );
    return { kernels: [...kernels], busy: [...busy], covered };
  };

  test("one thread: the plain differences, equal kernels added up", () => {
    expect(share([[1, 3, 3, 4, 6, 10]], [0, 1, 0])).toEqual({ kernels: [6, 1], busy: [6, 1], covered: 7 });
  });

  test("two threads in one kernel take its time once", () => {
    expect(
      share(
        [
          [1, 5],
          [2, 5],
        ],
        [0],
      ),
    ).toEqual({ kernels: [4], busy: [7], covered: 4 });
  });

  test("two kernels at once have half of the moment each, and one that is waited for has all of it", () => {
    // Thread 0 runs kernel 0 until 4; thread 1 runs kernel 1 from 2 until 9.
    const both = share(
      [
        [0, 4, 0, 0],
        [0, 0, 2, 9],
      ],
      [0, 1],
    );
    expect(both).toEqual({ kernels: [3, 6], busy: [4, 7], covered: 9 });
  });

  test("shares add up to the time in which anything ran, whatever the threads do", () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
    const order = Array.from({ length: 40 }, (_, i) => i % 7);
    const threads = Array.from({ length: 3 }, () => {
      let now = 1 + random();
      return order.flatMap(() => {
        if (random() < 0.3) return [0, 0];
        const start = (now += random());
        return [start, (now += random())];
      });
    });
    const { kernels, busy, covered } = share(threads, order);
    const total = (list: number[]): number => list.reduce((a, b) => a + b, 0);
    expect(total(kernels)).toBeCloseTo(covered, 9);
    const all = threads.flatMap((t) => t.filter((_, i) => i % 2 === 1).map((end, i) => end - t[2 * i]));
    expect(total(busy)).toBeCloseTo(total(all), 9);
  });
});

describe("a made-up recording", () => {
  const seen = (number: number, names: string[]): SeenProgram => ({
    number,
    info: {
      kernels: names.map((name) => ({ name, kind: "loop", loops: "map[8]", flops: 2e6, bytes: 1e6 })),
      arenaBytes: 1e6,
      totalBytes: 3e6,
    },
    compileMs: 12,
  });
  const times = (kernels: number[], runs = 1): ProgramTimes => ({
    runs,
    ms: kernels.reduce((a, b) => a + b, 0) + 1,
    covered: kernels.reduce((a, b) => a + b, 0),
    calls: Float64Array.from(kernels, () => runs),
    kernels: Float64Array.from(kernels),
    busy: Float64Array.from(kernels, (ms) => 2 * ms),
  });
  const segment = (start: number, end: number, programs: [SeenProgram, ProgramTimes][]): StepTimes => ({
    start,
    end,
    noting: 0,
    compileMs: 0,
    programs: new Map(programs),
  });
  const [main, other] = [seen(1, ["hot", "cold", "hot"]), seen(2, ["aside"])];
  const one = { threads: 1, gflops: 10, read: 4, copy: 3, add: 2 };
  const recording = (steps: StepTimes[], rest: Partial<Recording> = {}): Recording => ({
    device: "paper",
    threads: 2,
    stepwise: true,
    steps,
    programs: [main, other],
    runs: [],
    compilations: [],
    lost: 0,
    ceilings: { one, all: { threads: 2, gflops: 20, read: 8, copy: 6, add: 4 } },
    ...rest,
  });

  test("figures are the mean of the faster half; equal kernels are one row", () => {
    const step = (ms: number): StepTimes => segment(0, ms, [[main, times([2, 0.5, 1])]]);
    const r = new ProfileReport(recording([step(30), step(5), step(7), step(90)]));
    expect(r.step).toMatchObject({ ms: 6, kernels: 3.5, between: 1, outside: 1.5, all: [30, 5, 7, 90] });
    const [hot, cold] = r.kernels;
    // 4 Mflop and 2 MB in 3 ms: 1.33 of 20 GFLOP/s, 0.67 of 8 GB/s.
    expect(hot).toMatchObject({ name: "hot", calls: 2, ms: 3, share: 0.5, threads: 2, flops: 4e6, bytes: 2e6 });
    expect(hot.ofPeak).toBeCloseTo(4 / 3 / 20, 9);
    expect(hot.ofMemory).toBeCloseTo(2 / 3 / 8, 9);
    expect(hot.bound).toBe("memory");
    expect(hot.floorMs).toBeCloseTo(0.25, 9);
    // 2 Mflop and 1 MB in 0.5 ms.
    expect(cold).toMatchObject({ name: "cold", gflops: 4, gbps: 2, bound: "memory" });
  });

  test("what moves more bytes than memory could is bound by neither", () => {
    const r = new ProfileReport(recording([segment(0, 2, [[main, times([0.01, 1, 0.01])]])]));
    const hot = r.kernels.find((k) => k.name === "hot");
    expect(hot?.bound).toBe("cache");
    expect(hot?.floorMs).toBe(hot?.ms);
  });

  test("the text: columns in line, hottest first, the rest as one row, the ceilings and what to do", () => {
    const step = segment(0, 6, [
      [main, times([2, 0.5, 1])],
      [other, times([0.1])],
    ]);
    const text = new ProfileReport(recording([step])).toString({ top: 1 });
    expect(text).toBe(`6.000 ms a step (mean of the faster half of 1; 6.000 to 6.000) · paper, 2 threads

time                ms  share  consists of
───────────────  ─────  ─────  ───────────────────────────────────────────────────────────────
kernels          3.600  60.0%  4 calls; 8.00 Mflop, 4.00 MB; threads are busy for 100.0% of it
between kernels  2.000  33.3%  2 runs of programs: handing over, waiting at barriers
outside          0.400   6.7%  JavaScript, and what it waits for

   ms  share  calls  threads  GFLOP/s  % peak  GB/s  % mem  bound   kernel
─────  ─────  ─────  ───────  ───────  ──────  ────  ─────  ──────  ──────────────
3.000  50.0%      2      2.0      1.3    6.7%   0.7   8.3%  memory  hot  map[8]
0.600  10.0%      2                                                 2 more kernels

program     ms  runs  kernels  compiled in  arena
───────  ─────  ────  ───────  ───────────  ───────────────────────────────
      1  4.500     1        3    12.000 ms  1.00 MB (3.00 MB without reuse)
      2  1.100     1        1    12.000 ms  1.00 MB (3.00 MB without reuse)

Ceilings measured here: 10.0 GFLOP/s, 4.0 GB/s on 1 thread (read 4.0, copy 3.0, add 2.0); 20.0 GFLOP/s, 8.0 GB/s on 2 threads (read 8.0, copy 6.0, add 4.0).
At their ceilings the kernels would take 0.475 ms, 13.2% of what they take.
Next: hot map[8] has most to gain, 2.750 ms.
Every call on a time line: writeTrace(file) or --trace file, for chrome://tracing and Perfetto. Plans: explain().`);
  });

  test("long names are cut, lines keep to the width that is asked for", () => {
    const long = seen(1, ["a+very+long+name+of+a+kernel+that+does+much", "short"]);
    const r = new ProfileReport(recording([segment(0, 6, [[long, times([2, 1])]])], { programs: [long] }));
    const table = r.toString({ columns: 98 }).split("\n\n")[2].split("\n");
    for (const line of table) expect(line.length).toBeLessThanOrEqual(98);
    expect(table[2]).toContain("a+very+long+name+of");
    expect(table[2]).toMatch(/…$/);
  });

  test("many small programs: the advice is to make one of them", () => {
    const r = new ProfileReport(recording([segment(0, 9, [[main, times([1, 1, 1], 5)]])]));
    expect(r.toString()).toContain("a step runs 5 programs one after the other");
    const idle = new ProfileReport(recording([segment(0, 90, [[main, times([1, 1, 1])]])]));
    expect(idle.toString()).toContain("most of the time is outside of programs");
  });

  test("when threads do not add up, others are to blame", () => {
    const steps = [segment(0, 6, [[main, times([2, 1, 1])]])];
    const crowded = { one, all: { ...one, threads: 2, gflops: 11 } };
    const text = new ProfileReport(recording(steps, { ceilings: crowded })).toString();
    expect(text).toContain("2 threads compute only 1.1 times as much as one: others use these cores.");
    expect(new ProfileReport(recording(steps)).toString()).not.toContain("others use");
  });

  test("nothing ran: it says so", () => {
    const text = new ProfileReport(recording([segment(0, 5, [])], { programs: [], ceilings: null })).toString();
    expect(text).toContain("No kernel ran.");
  });

  test("a lane a thread in the trace, and no event where a thread had no part", () => {
    const run = {
      program: main,
      start: 1,
      end: 9,
      order: [0, 1, 2],
      threads: [
        [1, 2, 2, 3, 0, 0],
        [1, 2.5, 0, 0, 3, 8],
      ].map((t) => Float64Array.from(t)),
    };
    const r = new ProfileReport(recording([segment(0, 10, [])], { runs: [run] }));
    const events = traceOf(r).traceEvents;
    const lane = (tid: number): [string, number, number][] =>
      events.filter((e) => e.cat === "loop" && e.tid === tid).map((e) => [e.name, e.ts, e.dur]);
    expect(lane(0)).toEqual([
      ["hot", 1000, 1000],
      ["cold", 2000, 1000],
    ]);
    expect(lane(1)).toEqual([
      ["hot", 1000, 1500],
      ["hot", 3000, 5000],
    ]);
    const names = events.filter((e) => e.name === "thread_name").map((e) => e.args?.name);
    expect(names).toEqual(["thread 0 (JavaScript)", "thread 1"]);
  });

  test("segments are joined to steps that end with the main program", () => {
    const segments = [
      segment(0, 50, [[other, times([49])]]),
      segment(51, 54, [[main, times([1, 1, 0])]]),
      segment(55, 56, [[other, times([0.5])]]),
      segment(57, 60, [[main, times([1, 1, 0])]]),
      segment(60, 65, [[main, times([2, 1, 0])]]),
      segment(65, 66, []),
    ];
    const steps = stepsOf(segments, 1, 5);
    expect(steps.map((s) => [s.start, s.end])).toEqual([
      [55, 60],
      [60, 65],
    ]);
    expect(steps[0].programs.get(other)?.runs).toBe(1);
    expect(steps[0].noting).toBe(1);
    expect(stepsOf(segments, 0, 2)).toHaveLength(2);
    expect(stepsOf([], 0, 2)).toEqual([]);
    const whole = join(segments);
    expect([whole.start, whole.end, whole.noting]).toEqual([0, 66, 3]);
    expect([...(whole.programs.get(main)?.kernels ?? [])]).toEqual([4, 3, 0]);
  });
});
