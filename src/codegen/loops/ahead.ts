// Memory in time, for targets that can ask for it: what is read soon comes early, outputs that no cache holds go past them.
import { bytesOf } from "../../base/index.ts";
import type { Affine, ContractKernel, Ex, LoopKernel, Phase, Store } from "../../schedule/index.ts";
import type { Asm, Val } from "../asm/index.ts";
import type { StorePlace } from "../contract/index.ts";
import type { ContractPlan } from "../contract/plan.ts";
import { segmentsOf } from "./cut.ts";
import type { Tile } from "./epilogue.ts";
import { canPass, Evaluator, type Lanes } from "./evaluate.ts";

/** Bytes that memory gives at a time. */
const LINE = 64;
/** Bytes of an output that no cache holds until it is read. */
const PAST_CACHES = 16 << 20;
/** Bytes from what is worked on to what is asked for: a page, which the processor's own guesses do not leave. */
const AHEAD = 4096;

/** A loop kernel that is being written. */
export interface Loops {
  readonly asm: Asm;
  readonly k: LoopKernel;
  readonly ev: Evaluator;
}

/**
 * Asks for the memory that the epilogue will read at a tile, but for what all rows share; where the second-level cache cannot hold
 * the results, for the places that they will be written to, too.
 */
function epilogue(asm: Asm, k: ContractKernel, args: readonly Val[], tile: Omit<Tile, "acc">): void {
  const rows = k.batch.length + k.m.length;
  const out = [...k.batch, ...k.m, ...k.n].reduce((bytes, x) => bytes * x.size, bytesOf(k.dtype));
  const far = out * k.stores.length > (asm.target.l2Bytes ?? Infinity);
  const apart = (a: Affine): boolean => a.t.some((f, l) => f !== 0 && (l < rows || tile.lane < rows));
  const ev: Evaluator = new Evaluator(asm, k.exs, args, () => asm.i32(0));
  const open = (loop: number): void => {
    if (loop < tile.at.length) {
      ev.inLoop({ loop, counter: tile.at[loop], from: -1, to: -1 }, () => open(loop + 1));
      return;
    }
    for (const e of k.exs)
      if (e.k === "load" && e.dyn.length === 0 && apart(e.index)) ev.ahead(e.arg, e.index, e.dtype);
    if (far) for (const x of k.stores) ev.ahead(x.arg, x.index, x.dtype);
  };
  open(0);
}

/** Asks the cache of a level for what these lanes read `by` elements further on, load by load; not where that is nothing. */
function ask(
  { k, ev }: Loops,
  p: Phase,
  instances: readonly Lanes[],
  level: 1 | 2,
  by: (load: Ex & { k: "load" }) => number,
): void {
  for (const e of k.exs) {
    if (e.k !== "load" || e.dyn.length > 0 || e.arg >= k.args.length || e.index.t[p.vec] !== 1) continue;
    const step = by(e);
    for (const { offset } of instances)
      if (step > 0 && (offset * bytesOf(e.dtype)) % LINE === 0)
        ev.ahead(e.arg, { c: e.index.c + step + offset, t: e.index.t }, e.dtype, level);
  }
}

/** While a row is in its second phase, the next row is on its way from memory. */
function nextRow(loops: Loops, p: Phase, instances: readonly Lanes[]): void {
  const { k } = loops;
  const [first, second] = k.phases.filter((q) => q.vec >= 0);
  const row = k.outer.at(-1);
  if (p !== second || p.vec !== first.vec || row === undefined) return;
  ask(loops, p, instances, 2, (e) => e.index.t[row] ?? 0);
}

/** Lines from an address on. */
function lines(asm: Asm, from: Val, bytes: number): void {
  asm.loop(0, bytes, 4 * LINE, (i) => {
    const at = asm.ptrAdd(from, i);
    for (let j = 0; j < 4; j++) asm.prefetch(at, j * LINE);
  });
}

/** A tile of a contraction that is about to be summed. */
interface Summed {
  /** Address of its rows, its first column, the block of k, vectors of a row. */
  readonly a: Val;
  readonly col: Val;
  readonly kb: Val;
  readonly vectors: number;
  /** Asks for what the store at a place will touch. */
  readonly ask: ((t: StorePlace) => void) | undefined;
  readonly place: (i: Val, j: number) => StorePlace;
}

/**
 * While the last sums of a tile are made, the memory that it will be stored with is on its way; and where rows of tiles slide over
 * an image, with the first panel, the row of it that the next ones will read.
 */
function tile(asm: Asm, p: ContractPlan, { a, col, kb, vectors, ask: wants, place }: Summed): void {
  if (wants && asm.cost(() => wants(place(asm.i32(0), 0))) > 0)
    asm.if(p.kBlocks > 1 ? asm.cmp("eq", kb, p.kBlocks - 1) : 1, () =>
      asm.loop(0, p.rows, 1, (i) => {
        for (let j = 0; j < vectors; j++) wants(place(i, j));
      }),
    );
  const { m, mOuter, k } = p.norm;
  const slides = k.length > 1 && p.kBlocks === 1 && !p.packA && mOuter[mOuter.length - 1]?.a === k[0].a;
  if (slides)
    asm.if(asm.cmp("eq", col, 0), () => lines(asm, asm.ptrAdd(a, k[0].size * k[0].a * p.es), p.rows * m.a * p.es));
}

/** Arguments that are written only, in whole vectors, and too large to be found in a cache again. */
function past({ k }: Loops): number[] {
  const read = new Set(k.exs.flatMap((e) => (e.k === "load" ? [e.arg] : [])));
  const whole = (p: Phase): boolean => p.vec >= 0 && segmentsOf(k, p.vec).length === 1;
  const stores = k.phases.flatMap((p) => (whole(p) ? p.stores.filter((s) => canPass(s, p.vec)) : []));
  const large = ({ index }: Store): boolean =>
    k.loops.reduce((n, size, l) => n * ((index.t[l] ?? 0) === 0 ? 1 : size), 4) >= PAST_CACHES;
  return stores.flatMap((s) => (large(s) && !read.has(s.arg) ? [s.arg] : []));
}

/** All of it, as a target brings it along. */
export interface Ahead {
  readonly epilogue: typeof epilogue;
  readonly flat: (loops: Loops, p: Phase, instances: readonly Lanes[]) => void;
  readonly nextRow: typeof nextRow;
  readonly tile: typeof tile;
  readonly past: typeof past;
}
export const ahead: Ahead = {
  epilogue,
  flat: (loops, p, instances) => ask(loops, p, instances, 1, (e) => AHEAD / bytesOf(e.dtype)),
  nextRow,
  tile,
  past,
};
