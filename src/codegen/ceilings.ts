// Kernels that do nothing but run into a ceiling of the machine: multiply-adds in registers, and streams through memory.
import type { Asm, Val } from "./asm/index.ts";

/** Sums in flight: enough for the latency of two multiply-add units, few enough for 16 registers. */
const CHAINS = 12;
const ROUNDS = 20_000;
/** Rounds and vectors a turn of a loop. */
const UNROLL = 4;
/** Bytes of each array that a block of a stream goes through. */
export const STREAM_BLOCK: number = 1 << 18;
/** A block's result has a line of its own. */
const LINE = 64;

/** Floating-point operations of one block of `fma`. */
export const fmaFlops = (lanes: number): number => ROUNDS * CHAINS * lanes * 2;

/** Arrays that a stream reads; it writes one more (past the caches, where a target can), or its sums. */
export const STREAMS = { read: 1, copy: 1, add: 2 } as const;
export type Stream = keyof typeof STREAMS;

/** Adds the kernel `fma`. Argument: a line a block, whose first number is read and written. */
export function emitFma(asm: Asm): void {
  asm.fn("fma", ["ptr", "i32", "i32"], undefined, (args, lo, hi) => {
    const lines = asm.load("ptr", args);
    asm.loop(lo, hi, 1, (block) => {
      const line = asm.ptrAdd(lines, asm.mul(block, LINE));
      const x = asm.loadSplat("vf32", line);
      const y = asm.add(x, 1);
      const sums = Array.from({ length: CHAINS }, () => asm.var("vf32", 0));
      asm.loop(0, ROUNDS, UNROLL, () => {
        for (let u = 0; u < UNROLL; u++) sums.forEach((s) => asm.set(s, asm.fma(x, y, asm.get(s))));
      });
      asm.pin(sums.map((s) => asm.get(s)));
      asm.store(
        line,
        0,
        asm.extract(
          sum(
            asm,
            sums.map((s) => asm.get(s)),
          ),
          0,
        ),
      );
    });
  });
}

/** Adds the kernel `zero` (argument: an array) and one a stream: the arrays that are read, then the one that is written. */
export function emitStreams(asm: Asm): void {
  asm.fn("zero", ["ptr", "i32", "i32"], undefined, (args, lo, hi) => {
    const array = asm.load("ptr", args);
    asm.loop(lo, hi, 1, (block) => asm.fill(asm.ptrAdd(array, asm.mul(block, STREAM_BLOCK)), 0, STREAM_BLOCK));
  });
  for (const name of Object.keys(STREAMS) as Stream[]) {
    asm.fn(name, ["ptr", "i32", "i32"], undefined, (args, lo, hi) => {
      const arrays = Array.from({ length: STREAMS[name] + 1 }, (_, i) => asm.load("ptr", args, asm.ptrBytes * i));
      asm.loop(lo, hi, 1, (block) => emitBlock(asm, name, arrays, block));
    });
  }
}

function emitBlock(asm: Asm, name: Stream, arrays: readonly Val[], block: Val): void {
  const bytes = asm.lanes * 4;
  const from = asm.mul(block, STREAM_BLOCK);
  const [out, ...sources] = [arrays[arrays.length - 1], ...arrays.slice(0, -1)].map((p) => asm.ptrAdd(p, from));
  const sums = name === "read" ? Array.from({ length: UNROLL }, () => asm.var("vf32", 0)) : [];
  asm.loop(0, STREAM_BLOCK, bytes * UNROLL, (at) => {
    const loaded = Array.from({ length: UNROLL }, (_, u) =>
      sources.map((p) => asm.load("vf32", asm.ptrAdd(p, at), u * bytes)),
    );
    loaded.forEach(([a, b], u) => {
      if (name === "read") asm.set(sums[u], asm.add(asm.get(sums[u]), a));
      else
        asm.store(asm.ptrAdd(out, at), u * bytes, b === undefined ? a : asm.add(a, b), asm.target.ahead !== undefined);
    });
  });
  if (name === "read") {
    const line = asm.ptrAdd(arrays[arrays.length - 1], asm.mul(block, LINE));
    asm.store(
      line,
      0,
      asm.extract(
        sum(
          asm,
          sums.map((s) => asm.get(s)),
        ),
        0,
      ),
    );
  }
}

const sum = (asm: Asm, values: readonly Val[]): Val => values.reduce((a, b) => asm.add(a, b));
