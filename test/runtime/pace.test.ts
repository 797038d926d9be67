// Whether a plan is divided between threads, from simulated times of its runs.
import { expect, test } from "vitest";
import { Pace } from "../../src/runtime/pace.ts";

/** Runs a plan that takes `alone` or `together` milliseconds, all threads ready from run `ready` on; true: on all threads. */
function simulate(runs: number, alone: number, together: number, pace = new Pace(), ready = 0): boolean[] {
  return Array.from({ length: runs }, (_, i) => {
    const divided = pace.divides(i >= ready);
    pace.note(divided, i >= ready, divided && i >= ready ? together : alone);
    return divided;
  });
}
const share = (runs: readonly boolean[]): number => runs.filter(Boolean).length / runs.length;

test("a short plan is timed twice on one thread, then runs on all that are quicker", () => {
  expect(simulate(6, 1, 0.6)).toEqual([false, false, true, true, true, true]);
  expect(share(simulate(1000, 1, 0.6))).toBeGreaterThan(0.98);
});

test("a long plan begins on all threads and is tried on one only later", () => {
  const runs = simulate(1000, 80, 45);
  expect(runs.slice(1, 24)).toEqual(Array(23).fill(true));
  expect(runs.indexOf(false, 1)).toBe(24);
  expect(share(runs)).toBeGreaterThan(0.98);
});

test("threads that do not pay are left alone, and tried again ever more rarely", () => {
  const runs = simulate(4000, 1, 1);
  expect(share(runs)).toBeLessThan(0.04);
  expect(runs.lastIndexOf(true)).toBeGreaterThan(3000);
});

test("once others leave the processor, the threads return", () => {
  const pace = new Pace();
  expect(share(simulate(200, 1, 2, pace))).toBeLessThan(0.2);
  expect(share(simulate(1000, 1, 0.6, pace).slice(256))).toBeGreaterThan(0.98);
});

test("a short plan is tried until threads that sleep are awake", () => {
  const pace = new Pace();
  let [clock, used] = [0, 0];
  let awake = Infinity;
  const runs = Array.from({ length: 4000 }, () => {
    const divided = pace.divides(true);
    // They fall asleep a millisecond after they were used, and take a quarter of one to wake up.
    if (clock > used + 1) awake = Infinity;
    if (divided && awake === Infinity) awake = clock + 0.25;
    const ms = divided ? (clock >= awake ? 0.015 : 0.028) : 0.025;
    clock += ms;
    if (divided) used = clock;
    pace.note(divided, true, ms);
    return divided;
  });
  expect(share(runs)).toBeGreaterThan(0.98);
});

test("a machine that has become slower for one thread, too, is no reason to rest", () => {
  const pace = new Pace();
  simulate(1000, 1, 0.6, pace);
  expect(share(simulate(100, 2, 1.2, pace))).toBeGreaterThan(0.9);
  expect(share(simulate(100, 1, 0.6, pace))).toBeGreaterThan(0.9);
});

test("runs before the threads are there say nothing of them", () => {
  expect(simulate(10, 1, 0.6, new Pace(), 5)).toEqual([...Array(5).fill(true), false, false, true, true, true]);
});
