// Register tiles: how many rows and vectors of sums to keep in registers, from a small model of the processor.
import type { Target } from "../asm/index.ts";

/** Rows and vectors of one tile at most. */
export interface Shape {
  readonly rows: number;
  readonly nv: number;
}

/** Turns of a tile that its beginning and end are worth, and those for each vector of sums that is stored. */
const EDGE = 12;
const EDGE_VECTOR = 2;

/** Cycles from one addition to a sum to the next, with what the processor loses on the way. */
const LATENCY = 4.4;

/** Cycles of one step of k: two multiply-adds and two loads a cycle, five instructions. */
function stepCycles(rows: number, nv: number, folds: boolean): number {
  // Machine code multiplies by an element straight from memory; V8 loads it first.
  const splats = folds && nv === 1 ? 0 : rows;
  return Math.max((rows * nv) / 2, (rows + nv) / 2, (rows * nv + splats + nv + 3) / 5, LATENCY);
}

/** Most rows that leave registers for the columns of B and one element of A. */
export function mostRows(nv: number, target: Target): number {
  return Math.floor((target.registers - nv - 1) / nv);
}

/** Cycles of all tiles over `columns` by `rows`, `steps` of k each. */
function cycles(vectors: number, size: number, steps: number, nv: number, target: Target): number {
  const folds = target.lanes > 4;
  const tiles = Math.ceil(size / mostRows(nv, target));
  const rows = Math.ceil(size / tiles);
  const big = size - tiles * (rows - 1);
  const one = (r: number, v: number): number =>
    r === 0 || v === 0 ? 0 : steps * stepCycles(r, v, folds) + EDGE + EDGE_VECTOR * r * v;
  const panel = (v: number): number => big * one(rows, v) + (tiles - big) * one(rows - 1, v);
  return Math.floor(vectors / nv) * panel(nv) + panel(vectors % nv);
}

/** The fastest tile, and its cycles for the whole of `columns` by `size` rows. */
export function tileShape(
  columns: number,
  size: number,
  steps: number,
  target: Target,
  lanes: number,
): Shape & { readonly cycles: number } {
  const vectors = Math.max(1, Math.ceil(columns / lanes));
  if (size <= 1) {
    // One row waits for memory: long pieces of B's rows.
    const nv = Math.min(vectors, Math.max(8, target.registers >> 1));
    return { rows: 1, nv, cycles: (steps * vectors) / 2 };
  }
  let best = { rows: 1, nv: 1, cycles: Infinity };
  for (let nv = 1; nv <= Math.min(vectors, 4); nv++) {
    const most = mostRows(nv, target);
    const all = cycles(vectors, size, steps, nv, target);
    // Wider tiles need to be clearly better: they leave tails.
    if (all < best.cycles * 0.99) best = { rows: most, nv, cycles: all };
  }
  return best;
}
