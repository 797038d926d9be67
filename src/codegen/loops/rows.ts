// Row kernels of several phases as a pipeline: one loop runs the first phase of a row, the second of the row before and so on,
// so that loads, arithmetic and stores of different rows fill each other's gaps. Targets that gain by it bring it along.
import { bytesOf } from "../../base/index.ts";
import type { LoopKernel, Store } from "../../schedule/index.ts";
import type { Val } from "../asm/index.ts";
import { segmentsOf } from "./cut.ts";
import { Nest } from "./nest.ts";
import { regType } from "./ops.ts";

/** What a target brings along. */
export interface Rows {
  /** Bytes of scratch memory, 0 where rows are done one by one. */
  scratch(k: LoopKernel): number;
  /** Writes rows lo..hi; false, and nothing, where they are done one by one. */
  emit(nest: Nest, lo: Val, hi: Val): boolean;
}

/** Elements of a row: shorter ones are not worth it, of longer ones the sums are cut. */
const LEAST = 128;
const MOST = 8192;
/** Phases at most: rows in flight stay in the first-level cache. */
const STAGES = 4;
/** Bytes of a row that is written for nothing. */
const SPARE = 1 << 16;
const LINE = 64;

const lines = (bytes: number): number => Math.ceil(bytes / LINE) * LINE;

/** The phases [from, to) of each stage, one of them over the row; none where rows are done one by one. */
function stagesOf(k: LoopKernel): [number, number][] {
  const [row] = k.outer;
  const wide = k.phases.filter((p) => p.loops.length > 0);
  const size = k.loops[wide[0]?.loops[0]];
  const read = new Set(k.exs.flatMap((e) => (e.k === "load" && e.arg < k.args.length ? [e.arg] : [])));
  const plain = (s: Store): boolean =>
    !s.add && s.dyn.length === 0 && !read.has(s.arg) && s.index.c >= 0 && s.index.t.every((f) => f >= 0);
  const fits =
    k.outer.length === 1 &&
    !k.serial &&
    k.vec < 0 &&
    k.routine === undefined &&
    size >= LEAST &&
    size <= MOST &&
    wide.length > 1 &&
    wide.length <= STAGES &&
    segmentsOf(k, row).length === 1 &&
    wide.every((p) => p.vec >= 0 && p.loops.length === 1 && !p.ordered && k.loops[p.vec] === size) &&
    wide.every((p) => segmentsOf(k, p.vec).length === 1) &&
    k.phases.every((p) => p.reductions.every((r) => r.kind !== "pick") && p.stores.every(plain)) &&
    spareOf(k) <= SPARE;
  if (!fits) return [];
  const begins = wide.map((p) => k.phases.indexOf(p));
  return begins.map((from, i) => [i === 0 ? 0 : from, begins[i + 1] ?? k.phases.length]);
}

/** Bytes of a row that takes what is not wanted. */
function spareOf(k: LoopKernel): number {
  const bytes = k.phases.flatMap((p) =>
    p.stores.map((s) => {
      const last = k.loops.reduce((n, size, l) => n + (l === k.outer[0] ? 0 : (s.index.t[l] ?? 0) * (size - 1)), 1);
      return s.arg < k.args.length ? last * bytesOf(s.dtype) : 0;
    }),
  );
  return lines(Math.max(0, ...bytes));
}

function emit(nest: Nest, lo: Val, hi: Val): boolean {
  const { asm, k, ev } = nest;
  const stages = stagesOf(k);
  if (stages.length === 0) return false;
  const [row] = k.outer;
  const { args } = ev;
  const count = asm.sub(hi, lo);
  const last = asm.sub(hi, 1);
  const size = lines(k.scratch);
  const room = args[k.args.length];
  const spare = asm.ptrAdd(room, stages.length * size);
  // Each row in flight has a row of scratch memory and what its phases found; both move on with it.
  const rooms = (k.scratch > 0 ? stages : []).map((_, s) => asm.var("ptr", asm.ptrAdd(room, s * size)));
  const found = stages.map(([from]) =>
    k.phases.slice(0, from).map((p) => p.reductions.map((r) => asm.var(regType(r.dtype, false), 0))),
  );
  const nests = stages.map(() => {
    const pointers = [...args];
    const own = new Nest(asm, k, pointers);
    own.ev.past = ev.past;
    own.asks = false;
    return { own, pointers };
  });
  const now: Val[][][][] = [];
  const stage = (s: number, turn: Val): void => {
    const [from, to] = stages[s];
    const { own, pointers } = nests[s];
    const wanted = asm.sub(turn, s);
    // Before the first row and after the last one some row is worked on for nothing.
    const late = s === 0 ? wanted : asm.bin("max", wanted, lo);
    const counter = s === stages.length - 1 ? late : asm.bin("min", late, last);
    if (k.scratch > 0) pointers[k.args.length] = asm.get(rooms[s]);
    for (const { arg, index, dtype } of k.phases.slice(from, to).flatMap((p) => p.stores)) {
      if (arg >= k.args.length) continue;
      const width = bytesOf(dtype);
      const aside = asm.ptrAdd(spare, asm.mul(counter, -(index.t[row] ?? 0) * width));
      const inside = asm.cmp("ltU", asm.sub(wanted, lo), count);
      pointers[arg] = asm.select(inside, args[arg], asm.ptrAdd(aside, -index.c * width));
    }
    own.ev.inLoop({ loop: row, counter, from: 0, to: k.loops[row] }, () => {
      k.phases.slice(from, to).forEach((p) => own.hoist(p));
      now[s] = own.part(
        from,
        to,
        found[s].map((p) => p.map((v) => [asm.get(v)])),
        null,
      );
    });
  };
  asm.loop(lo, asm.add(hi, stages.length - 1), 1, (turn) => {
    asm.interleave(stages.map((_, s) => () => stage(s, turn)));
    for (let s = stages.length - 1; s > 0; s--)
      found[s].forEach((p, n) => p.forEach((v, slot) => asm.set(v, now[s - 1][n][slot][0])));
    if (k.scratch === 0) return;
    const first = asm.get(rooms[stages.length - 1]);
    for (let s = stages.length - 1; s > 0; s--) asm.set(rooms[s], asm.get(rooms[s - 1]));
    asm.set(rooms[0], first);
  });
  return true;
}

export const rows: Rows = {
  scratch: (k) => {
    const stages = stagesOf(k).length;
    return stages === 0 ? 0 : stages * lines(k.scratch) + spareOf(k);
  },
  emit,
};
