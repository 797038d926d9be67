/**
 * Values over thousands of runs: made, kept for long, overwritten, updated in place, disposed, brought back from where the
 * runtime had put them. Each has a host copy that it must agree with at every read.
 */
import { expect, test } from "vitest";
import "../../src/engine.ts";
import { build as b } from "../../src/ir/index.ts";
import { executor, type Program, type Value } from "../../src/tensor/executor.ts";
import { difference } from "../support/compare.ts";
import { traced } from "../support/execute.ts";
import { type Rng, rngOf } from "../support/random.ts";

interface Held {
  readonly value: Value;
  host: Float32Array;
  readonly size: number;
}

/** Sizes on both sides of every limit that the runtime may have: one element, a page, a mebibyte and more. */
const SIZES: readonly number[] = [1, 3, 255, 256, 257, 1000, 5000, 16_384, 70_000, 262_144, 300_000];

const program = (size: number): Program =>
  traced(() => {
    const [x, y] = [b.leaf([size], "float32"), b.leaf([size], "float32")];
    const out = b.binary("add", b.binary("mul", x, b.full([size], 0.5)), y);
    return executor().compile({
      inputs: [x, y],
      outputs: [out],
      updates: [{ input: 1, value: b.binary("sub", y, x) }],
    });
  });

const fresh = (rng: Rng, size: number): Held => {
  // A few distinct values, cheap to make; the place of a wrong one still shows.
  const first = rng.int(-100, 100);
  const host = Float32Array.from({ length: size }, (_, i) => (first + i) % 64);
  return { value: executor().fromHost(host, [size], "float32"), host, size };
};

function agrees(h: Held, step: number): void {
  const why = difference(h.value.read(), h.host, "float32", { relative: 1e-6, absolute: 1e-6 });
  if (why !== null) expect.fail(`step ${step}, [${h.size}]: ${why}`);
}

test("values keep their contents whatever is done around them", { timeout: 300_000 }, () => {
  const rng = rngOf(Number(process.env.FUZZ_SEED ?? 1));
  const held = new Map<number, Held[]>(SIZES.map((s) => [s, [fresh(rng, s), fresh(rng, s)]]));
  const steps = 10 * Number(process.env.FUZZ_RUNS ?? 200);
  for (let step = 0; step < steps; step++) {
    // Small sizes oftener; now and then one size alone for a while, so that the others grow old.
    const quiet = Math.floor(step / 400) % 2 === 1;
    const size = quiet
      ? SIZES[rng.int(0, 3)]
      : SIZES[Math.min(rng.int(0, SIZES.length - 1), rng.int(0, SIZES.length - 1))];
    const list = held.get(size) as Held[];
    const [x, y] = [rng.pick(list), rng.pick(list)];
    const what = rng.int(0, 9);
    if (what === 0) list.push(fresh(rng, size));
    else if (what === 1 && list.length > 2) {
      x.value.dispose();
      list.splice(list.indexOf(x), 1);
    } else if (what === 2) {
      x.host = x.host.map((v) => 1 - v);
      x.value.write(x.host);
    } else if (x !== y) {
      const [out] = program(size).run([x.value, y.value]);
      const made = { value: out, size, host: x.host.map((v, i) => (v / 2 + y.host[i]) % 1e6) };
      y.host = y.host.map((v, i) => v - x.host[i]);
      agrees(made, step);
      // Kept small, so that float32 stays exact enough.
      if (y.host.some((v) => Math.abs(v) > 1000)) {
        y.host = y.host.map((v) => v % 64);
        y.value.write(y.host);
      }
      if (list.length < 8 && Math.abs(made.host[0]) < 500) list.push(made);
      else if (rng.next() < 0.5) made.value.dispose();
    }
    if (step % 7 === 0) agrees(rng.pick(list), step);
  }
  for (const list of held.values()) for (const h of list) agrees(h, steps);
});
