// How the loops of a kernel are cut: into blocks for threads, into segments between conditions, into vectors side by side.
import { PRIMITIVES } from "../../ir/index.ts";
import type { LoopKernel } from "../../schedule/index.ts";

/** Elements of one block of a flat kernel: what one thread takes at a time. */
export const CHUNK = 8192;
/** Blocks that are too few to be shared evenly. */
const FEW = 32;

/** How many parallel blocks lo..hi of a kernel counts. */
export function loopBlocks(k: LoopKernel, lanes: number): number {
  if (k.serial) return 1;
  if (k.outer.length > 0) {
    const [first] = k.outer;
    if (first !== k.vec) return blockLoops(k).reduce((n, l) => n * k.loops[l], 1);
    return segmentsOf(k, first).length > 1 ? 1 : Math.ceil(k.loops[first] / (unrollOf(k, lanes) * lanes));
  }
  return isFlat(k) ? Math.ceil(k.loops[k.phases[0].vec] / CHUNK) : 1;
}

/** The least number of blocks that is worth a call. */
export function loopGrain(k: LoopKernel, lanes: number): number {
  if (isColumns(k)) return loopBlocks(k, lanes);
  const turns = k.loops.reduce((n, size) => n * size, 1) * k.phases.length;
  return Math.max(1, Math.floor((CHUNK * loopBlocks(k, lanes)) / Math.max(1, turns)));
}

/** The first outer loops, whose turns are blocks: one, or several where the first has few turns. */
export function blockLoops(k: LoopKernel): readonly number[] {
  // Additions of different turns may meet in one element: only the first loop is known to be free of that.
  if (k.phases.some((p) => p.stores.some((s) => s.add))) return k.outer.slice(0, 1);
  let count = 1;
  const whole = (l: number): boolean => l !== k.vec && segmentsOf(k, l).length === 1;
  for (let turns = k.loops[k.outer[0]]; turns < FEW && whole(k.outer[0]) && count < k.outer.length; count++) {
    if (!whole(k.outer[count])) break;
    turns *= k.loops[k.outer[count]];
  }
  return k.outer.slice(0, count);
}

/** One vector loop without reductions: its range is cut in blocks. */
export const isFlat = (k: LoopKernel): boolean => {
  const [p] = k.phases;
  return (
    k.phases.length === 1 &&
    k.outer.length === 0 &&
    p.reductions.length === 0 &&
    p.loops.length === 1 &&
    p.vec >= 0 &&
    segmentsOf(k, p.vec).length === 1
  );
};

/** Columns that are added to: each has its own order, so the turns may go outside and the columns of a call inside. */
export const isColumns = (k: LoopKernel): boolean =>
  k.outer.length === 1 &&
  k.outer[0] === k.vec &&
  k.phases.length === 1 &&
  k.phases[0].reductions.length === 0 &&
  k.phases[0].stores.some((s) => s.add) &&
  segmentsOf(k, k.vec).length === 1;

/** Cuts of a loop's range where conditions on it alone change: `[from, to)` pairs. */
export function segmentsOf(k: LoopKernel, loop: number): [number, number][] {
  const size = k.loops[loop];
  const cuts = new Set([0, size]);
  for (const e of k.exs) {
    if (e.k !== "guard") continue;
    for (const c of e.conds) {
      const f = c.index.t[loop] ?? 0;
      if (f === 0 || c.index.t.some((x, l) => x !== 0 && l !== loop)) continue;
      for (const edge of [c.lo, c.hi]) {
        const at = f > 0 ? Math.ceil((edge - c.index.c) / f) : Math.floor((edge - 1 - c.index.c) / f) + 1;
        if (at > 0 && at < size) cuts.add(at);
      }
    }
  }
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((s, i) => [s, sorted[i + 1]]);
}

/** Vectors worked on side by side: enough for the latency of sums, few enough for the registers. */
export function unrollOf(k: LoopKernel, lanes: number): number {
  const cost = k.exs.reduce((n, e) => n + (e.k === "op" ? PRIMITIVES[e.op].cost : e.k === "random" ? 80 : 0), 0);
  // Equal factors round alike in every lane: the fewer lanes, the smaller the error of their product.
  if (k.phases.some((p) => p.reductions.some((r) => r.kind === "prod"))) return 1;
  const accumulators = k.phases.reduce((n, p) => Math.max(n, p.reductions.length), 0);
  // With many registers chains stand side by side.
  const dear = lanes < 16 ? 1 : 2;
  if (accumulators > 0) return accumulators > 2 || cost > 60 * dear ? 2 : 4;
  return cost > 40 * dear * dear ? 1 : cost > 12 * dear ** 3 ? 2 : 4;
}
