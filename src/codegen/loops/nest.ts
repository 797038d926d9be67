import { type DType, isFloat } from "../../base/index.ts";
import type { Ex, LoopKernel, Phase, Reduction } from "../../schedule/index.ts";
import type { Asm, Target, Val, Var } from "../asm/index.ts";
import { isVec } from "../asm/index.ts";
import { blockLoops, CHUNK, isColumns, isFlat, segmentsOf, unrollOf } from "./cut.ts";
import type { Loops } from "./ahead.ts";
import { Evaluator, type Lanes } from "./evaluate.ts";
import type { MathEx } from "./forms.ts";
import { extreme, regType, spread, unsignedLess } from "./ops.ts";

/** Turns after which a running float sum is put aside: keeps rounding errors small. */
const SUM_BLOCK = 64;
/** Lanes that a reduction along lanes has at the end, whatever a vector's are: every target makes the same sums. */
const LANES = 16;
/** Loops of so few turns are written out. */
const UNROLL = 4;

const identity = (kind: Reduction["kind"], dtype: DType): number => {
  if (kind === "sum") return 0;
  if (kind === "prod") return 1;
  const max = kind !== "min";
  if (isFloat(dtype)) return max ? -Infinity : Infinity;
  if (dtype === "int32") return max ? -(2 ** 31) : 2 ** 31 - 1;
  return max ? 0 : dtype === "uint8" ? 255 : -1;
};

/** Reductions with a second accumulator: the payload of pick; for float extremes, whether a NaN came by. */
const isDouble = (r: Reduction): boolean =>
  r.kind === "pick" || ((r.kind === "max" || r.kind === "min") && r.dtype === "float32");

/** The one operation that joins two partial results, or null. */
function joiner(r: Reduction): "add" | "mul" | "pmax" | "pmin" | "max" | "min" | null {
  if (r.kind === "sum") return "add";
  if (r.kind === "prod") return "mul";
  if (r.kind === "pick") return null;
  // NaN was watched for apart.
  if (isDouble(r)) return r.kind === "max" ? "pmax" : "pmin";
  return r.dtype === "int32" ? r.kind : null;
}

/** Bytes of scratch memory. */
export const loopScratch = (k: LoopKernel, target: Target): number => target.rows?.scratch(k) || k.scratch;

/** Adds the function `name(args, lo, hi)` that runs a loop kernel. */
export function emitLoopKernel(asm: Asm, name: string, k: LoopKernel): void {
  asm.fn(name, ["ptr", "i32", "i32"], undefined, (args, lo, hi) => {
    const pointers = k.args.map((_, i) => asm.load("ptr", args, asm.ptrBytes * i));
    if (loopScratch(k, asm.target) > 0) pointers.push(asm.load("ptr", args, asm.ptrBytes * k.args.length));
    if (k.routine !== undefined) k.routine.emit(asm as never, pointers as never[], lo as never, hi as never);
    else new Nest(asm, k, pointers).run(lo, hi);
  });
}

export class Nest implements Loops {
  readonly asm: Asm;
  readonly k: LoopKernel;
  readonly ev: Evaluator;
  /** Rows are asked for before they are read. */
  asks = true;
  private readonly unroll: number;
  /** Finished accumulators: phase, slot, vector of the outer loop (or the one scalar). */
  private finals: Val[][][] = [];
  /** Accumulators of the phase being written. */
  private running: { phase: number; vars: Var[][]; width: number } | null = null;

  constructor(asm: Asm, k: LoopKernel, pointers: readonly Val[]) {
    this.asm = asm;
    this.k = k;
    this.unroll = unrollOf(k, asm.lanes);
    const special = (ex: Ex, _: number, lanes: Lanes): Val => this.accumulator(ex as Ex & { k: "acc" }, lanes);
    this.ev = new Evaluator(asm, k.exs, pointers, special, k.phases);
  }

  private accumulator(ex: Ex & { k: "acc" }, lanes: Lanes): Val {
    const at = this.k.vec >= 0 ? lanes.offset / this.asm.lanes : 0;
    if (this.running !== null && this.running.phase === ex.phase) return this.asm.get(this.running.vars[ex.slot][at]);
    return this.finals[ex.phase][ex.slot][at];
  }

  private readonly ready = (e: Ex | MathEx): boolean => e.k !== "acc" || this.finals[e.phase] !== undefined;

  /** What a phase reads. */
  private wanted(p: Phase): number[] {
    return [
      ...p.reductions.flatMap((r) => (r.payload >= 0 ? [r.value, r.payload] : [r.value])),
      ...p.stores.flatMap((s) => [s.value, ...s.dyn.map((d) => d.ex)]),
    ];
  }

  /** Writes ahead what a phase reads, and where its stores go, as far as it is fixed from here on inwards. */
  hoist(p: Phase, outer: readonly Lanes[] = []): void {
    this.ev.hoist(this.wanted(p), this.ready, outer);
    for (const s of p.stores) {
      this.ev.hoistPlaces(s.dyn, s.dtype, this.ready);
      this.ev.hoistPointer(s.arg, s.index, s.dtype);
    }
  }

  run(lo: Val, hi: Val): void {
    const { asm, k } = this;
    k.phases.forEach((p) => this.hoist(p));
    if (isFlat(k)) return this.flat(lo, hi);
    if (isColumns(k)) return this.columns(0, lo, hi);
    if (k.outer.length === 0) return this.row(null);
    this.pastCaches(() => asm.target.rows?.emit(this, lo, hi) || this.outer(0, lo, hi));
  }

  /** Outer loop number `at` and all within. */
  private outer(at: number, lo: Val | number, hi: Val | number): void {
    const { k, asm, ev } = this;
    if (at === k.outer.length) return this.row(null);
    const loop = k.outer[at];
    const size = k.loops[loop];
    const whole = at > 0 || k.serial;
    if (!whole && blockLoops(k).length > 1) return this.turns(blockLoops(k), lo as Val, hi as Val);
    if (loop === k.vec) {
      ev.vec = loop;
      if (at === 0 && !k.serial && segmentsOf(k, loop).length === 1)
        this.splitLanes(loop, lo as Val, hi as Val, (instances) => this.row(instances));
      else this.lanes(loop, (instances) => this.row(instances));
      ev.vec = -1;
      return;
    }
    for (const [s, e] of segmentsOf(k, loop)) {
      const inside = (i: Val | number, from: number, to: number): void =>
        ev.inLoop({ loop, counter: i, from, to }, () => {
          k.phases.forEach((p) => this.hoist(p));
          this.outer(at + 1, 0, 0);
          this.finals = [];
        });
      if (whole && e - s === 1) inside(s, s, e);
      else if (whole) asm.loop(s, e, 1, (i) => inside(i, s, e));
      else if (s === 0 && e === size) asm.loop(lo, hi, 1, (i) => inside(i, s, e));
      else asm.loop(asm.bin("max", lo, s), asm.bin("min", hi, e), 1, (i) => inside(i, s, e));
    }
  }

  /** Several outer loops as one: blocks lo..hi of all their turns. */
  private turns(loops: readonly number[], lo: Val, hi: Val): void {
    const { k, asm, ev } = this;
    const inside = (counters: readonly Val[], at: number): void => {
      if (at === loops.length) return this.outer(at, 0, 0);
      const loop = loops[at];
      ev.inLoop({ loop, counter: counters[at], from: 0, to: k.loops[loop] }, () => {
        k.phases.forEach((p) => this.hoist(p));
        inside(counters, at + 1);
      });
    };
    asm.loop(lo, hi, 1, (turn) => {
      let rest = turn;
      const counters = loops.map(() => turn);
      for (let i = loops.length - 1; i > 0; i--) {
        counters[i] = asm.bin("remU", rest, k.loops[loops[i]]);
        rest = asm.bin("divU", rest, k.loops[loops[i]]);
      }
      counters[0] = rest;
      inside(counters, 0);
      this.finals = [];
    });
  }

  /** The vector loop over its whole range: vectors side by side, then what is left. */
  private lanes(loop: number, body: (instances: Lanes[]) => void): void {
    const { asm, ev } = this;
    const step = this.unroll * asm.lanes;
    const inside = (counter: Val | number, from: number, to: number, instances: Lanes[]): void =>
      ev.inLoop({ loop, counter, from, to }, () => {
        body(instances);
      });
    for (const [s, e] of segmentsOf(this.k, loop)) {
      const main = Math.floor((e - s) / step) * step;
      if (main === step) inside(s, s, e, this.vectors(step));
      else if (main > 0) asm.loop(s, s + main, step, (i) => inside(i, s, e, this.vectors(step)));
      if (s + main < e) inside(s + main, s, e, this.vectors(e - s - main));
    }
  }

  /** Vectors that hold `n` elements, the last one perhaps in part. */
  private vectors(n: number): Lanes[] {
    const { lanes } = this.asm;
    return Array.from({ length: Math.ceil(n / lanes) }, (_, i) => ({
      offset: i * lanes,
      count: Math.min(lanes, n - i * lanes),
    }));
  }

  /** The vector loop in blocks lo..hi of `unroll` vectors. */
  private splitLanes(loop: number, lo: Val, hi: Val, body: (instances: Lanes[]) => void): void {
    const { asm, ev } = this;
    const size = this.k.loops[loop];
    const step = this.unroll * asm.lanes;
    const full = Math.floor(size / step);
    const inside = (counter: Val | number, n: number): void =>
      ev.inLoop({ loop, counter, from: 0, to: size }, () => {
        body(this.vectors(n));
      });
    if (full > 0) asm.loop(asm.mul(lo, step), asm.mul(asm.bin("min", hi, full), step), step, (i) => inside(i, step));
    if (full * step < size)
      asm.if(asm.cmp("gt", hi, full), () => ev.scoped(() => inside(full * step, size - full * step)));
  }

  /** Turns number `at` and all within of a kernel of columns, blocks lo..hi of which are done. */
  private columns(at: number, lo: Val, hi: Val): void {
    const { asm, ev, k } = this;
    const [p] = k.phases;
    if (at < p.loops.length) {
      const loop = p.loops[at];
      for (const [from, to] of segmentsOf(k, loop))
        asm.loop(from, to, 1, (counter) =>
          ev.inLoop({ loop, counter, from, to }, () => {
            this.hoist(p);
            this.columns(at + 1, lo, hi);
          }),
        );
      return;
    }
    ev.vec = k.vec;
    this.splitLanes(k.vec, lo, hi, (instances) => this.turn(p, instances));
    ev.vec = -1;
  }

  /** One flat vector loop, cut in chunks. */
  private flat(lo: Val, hi: Val): void {
    const { asm, ev, k } = this;
    const [p] = k.phases;
    const size = k.loops[p.vec];
    // A serial kernel is one block, whatever its size.
    const chunk = k.serial ? Math.max(1, size) : CHUNK;
    const step = this.unroll * asm.lanes;
    const main = Math.floor(size / step) * step;
    ev.vec = p.vec;
    const inside = (counter: Val | number, n: number): void =>
      ev.inLoop({ loop: p.vec, counter, from: 0, to: size }, () => {
        if (ev.past.length > 0) asm.target.ahead?.flat(this, p, this.vectors(n));
        this.turn(p, this.vectors(n));
      });
    if (main > 0) {
      this.pastCaches(() =>
        asm.loop(asm.mul(lo, chunk), asm.bin("min", asm.mul(hi, chunk), main), step, (i) => inside(i, step)),
      );
    }
    if (main < size)
      asm.if(asm.cmp("eq", hi, Math.ceil(size / chunk)), () => ev.scoped(() => inside(main, size - main)));
    ev.vec = -1;
  }

  /** Writes `body`; once more with stores past the caches, where there is something for them. */
  private pastCaches(body: () => void): void {
    const { asm, ev } = this;
    const past = asm.target.ahead?.past(this) ?? [];
    if (past.length === 0) return ev.scoped(body);
    const bits = past.map((arg) => ev.args[arg]).reduce((a, b) => asm.bin("or", a, b));
    asm.if(
      asm.cmp("eq", asm.bin("and", bits, 4 * asm.lanes - 1), 0),
      () => {
        ev.past = past;
        ev.scoped(body);
        ev.past = [];
      },
      () => ev.scoped(body),
    );
  }

  /** All phases for one turn of the outer loops (or for some vectors of turns). */
  private row(instances: Lanes[] | null): void {
    this.part(0, this.k.phases.length, [], instances);
  }

  /** Phases `from` to `to` of a turn, after what earlier ones `found`; gives what is found by then. */
  part(from: number, to: number, found: Val[][][], instances: Lanes[] | null): Val[][][] {
    const phases = this.k.phases.slice(0, to);
    this.finals = found;
    for (let i = from; i < to; i++) {
      this.ev.hoist(
        phases.slice(i).flatMap((q) => this.wanted(q)),
        this.ready,
        instances ?? [],
      );
      this.phase(phases[i], i, instances);
    }
    this.finals = [];
    return found;
  }

  private phase(p: Phase, number: number, outer: Lanes[] | null): void {
    const { asm, k } = this;
    if (p.loops.some((l) => k.loops[l] === 0)) {
      this.finals[number] = p.reductions.map((r) =>
        (outer ?? [null]).map((o) => asm.konst(regType(r.dtype, o !== null), identity(r.kind, r.dtype))),
      );
      return;
    }
    if (outer === null && p.vec >= 0 && p.reductions.length > 0) return this.alongLanes(p, number);
    const inLanes = outer !== null;
    const width = outer?.length ?? 1;
    // Whether a NaN came by in a row is one question for all its lanes.
    const second = (r: Reduction): number => (isDouble(r) ? width : 0);
    const fresh = (): Var[][] =>
      p.reductions.map((r) => Array.from({ length: width + second(r) }, (_, j) => this.start(r, inLanes, j >= width)));
    const vars = fresh();
    const turns = p.loops.reduce((n, l) => n * k.loops[l], 1);
    const aside =
      turns > 2 * SUM_BLOCK && !p.ordered && p.reductions.some((r) => r.kind === "sum" && isFloat(r.dtype))
        ? fresh()
        : null;
    this.running = { phase: number, vars, width };
    const flush = aside === null ? null : (): void => this.putAside(p, vars, aside, inLanes);
    this.loopsOf(p, 0, outer, flush);
    this.running = null;
    const last = aside ?? vars;
    this.finals[number] = p.reductions.map((r, s) => this.results(r, last[s], width));
  }

  /**
   * A phase that reduces along lanes. Its sums are those of LANES lanes in vectors side by side; narrower targets go over the row
   * in passes, each for its part of these vectors, and vectors are added up in one order.
   */
  private alongLanes(p: Phase, number: number): void {
    const { asm, k, ev } = this;
    const loop = p.vec;
    const segments = segmentsOf(k, loop);
    const wide = LANES * unrollOf(k, LANES);
    const step = Math.min(wide, Math.max(LANES, 4 * asm.lanes));
    const by = asm.lanes < LANES ? LANES : wide;
    const width = Math.ceil(Math.min(LANES, Math.max(...segments.map(([s, e]) => e - s))) / asm.lanes);
    // Whether a NaN came by in a row is one question for all its lanes.
    const bad = p.reductions.map((r) => (isDouble(r) ? [this.start(r, true, true)] : []));
    const fresh = (vectors: number): Var[][] =>
      p.reductions.map((r, s) => [...Array.from({ length: vectors }, () => this.start(r, true, false)), ...bad[s]]);
    const add = (to: Var[][], from: Var[][], at = 0): void =>
      p.reductions.forEach((r, s) => {
        for (let i = 0; i < width; i++) asm.set(to[s][i], this.two(r, asm.get(to[s][i]), asm.get(from[s][at + i])));
      });
    /** The whole of the row, added to `sums`. */
    const row = (sums: Var[][]): void => {
      for (const [s, e] of segments) {
        const turn = (vars: Var[][], vectors: number, counter: Val | number, n: number): void => {
          this.running = { phase: number, vars, width: vectors };
          ev.inLoop({ loop, counter, from: s, to: e }, () => this.turn(p, this.vectors(n)));
        };
        const few = (from: number, to: number, n: number): void => {
          if (to - from > n) asm.loop(from, to, n, (i) => turn(sums, width, i, n));
          else if (to > from) turn(sums, width, from, to - from);
        };
        const many = (from: Val | number, to: Val | number): void => {
          const part = (at: Val | number): void => {
            const own = fresh(step / asm.lanes);
            asm.loop(at, to, wide, (i) => turn(own, step / asm.lanes, i, step));
            for (let v = 0; v < step; v += LANES) add(sums, own, v / asm.lanes);
          };
          if (step === wide) part(from);
          else asm.loop(0, wide, step, (i) => part(asm.add(i, from)));
        };
        const main = s + Math.floor((e - s) / wide) * wide;
        const rest = main + Math.floor((e - main) / by) * by;
        if (main === s + wide) few(s, main, step);
        else if (main > s + 2 * SUM_BLOCK * wide)
          asm.loop(s, main, SUM_BLOCK * wide, (b) => many(b, asm.bin("min", asm.add(b, SUM_BLOCK * wide), main)));
        else if (main > s) many(s, main);
        few(main, rest, by);
        few(rest, e, by);
      }
    };
    const total = fresh(width);
    this.loopsOf(p, 0, null, null, () => {
      ev.vec = loop;
      const sums = p.loops.length === 1 ? total : fresh(width);
      row(sums);
      if (sums !== total) add(total, sums);
      ev.vec = -1;
    });
    this.running = null;
    this.finals[number] = p.reductions.map((r, s) => {
      const [nan] = bad[s];
      const values = total[s].slice(0, width).map((v) => asm.get(v));
      const value = this.acrossLanes(r, values);
      return [nan ? asm.select(asm.cmp("ne", asm.bitmask(asm.get(nan)), 0), asm.konst("f32", NaN), value) : value];
    });
  }

  /** What the accumulators of a reduction come to, vector by vector. */
  private results(r: Reduction, vars: readonly Var[], width: number): Val[] {
    const { asm } = this;
    if (r.kind === "pick") return vars.slice(width).map((v) => asm.get(v));
    const values = vars.slice(0, width).map((v) => asm.get(v));
    if (!isDouble(r)) return values;
    return values.map((v, j) => asm.select(asm.get(vars[width + j]), asm.konst(v.type, NaN), v));
  }

  private start(r: Reduction, inLanes: boolean, second: boolean): Var {
    if (second && r.kind !== "pick") return this.asm.var(regType("bool", inLanes), 0);
    const payload = second;
    const dtype = r.kind === "pick" && !payload ? this.k.exs[r.value].dtype : r.dtype;
    return this.asm.var(regType(dtype, inLanes), payload ? 0 : identity(r.kind, dtype));
  }

  /** Adds partial sums to the totals and starts them anew; other reductions just move on. */
  private putAside(p: Phase, vars: Var[][], aside: Var[][], inLanes: boolean): void {
    const { asm } = this;
    p.reductions.forEach((r, s) =>
      vars[s].forEach((v, j) => {
        if (r.kind === "sum") {
          asm.set(aside[s][j], asm.add(asm.get(aside[s][j]), asm.get(v)));
          asm.set(v, asm.konst(regType(r.dtype, inLanes), 0));
        } else asm.set(aside[s][j], asm.get(v));
      }),
    );
  }

  /** Loop number `at` of a phase and all within. */
  private loopsOf(
    p: Phase,
    at: number,
    outer: Lanes[] | null,
    flush: (() => void) | null,
    alongLanes?: () => void,
  ): void {
    const { k, asm, ev } = this;
    if (at === p.loops.length) {
      if (p.loops.length === 0 || p.vec < 0) this.turn(p, outer);
      if (p.loops.length === 0) flush?.();
      return;
    }
    const loop = p.loops[at];
    const innermost = at === p.loops.length - 1;
    const size = k.loops[loop];
    if (loop === p.vec) {
      if (alongLanes) return alongLanes();
      ev.vec = loop;
      this.lanes(loop, (instances) => this.turn(p, instances));
      ev.vec = -1;
      return;
    }
    const inside = (i: Val | number, from: number, to: number): void =>
      ev.inLoop({ loop, counter: i, from, to }, () => {
        if (!innermost) this.hoist(p, outer ?? []);
        this.loopsOf(p, at + 1, outer, flush, alongLanes);
      });
    if (size <= UNROLL) {
      for (let i = 0; i < size; i++) inside(i, i, i + 1);
      if (innermost) flush?.();
      return;
    }
    for (const [s, e] of segmentsOf(k, loop)) {
      if (!innermost || flush === null || e - s <= 2 * SUM_BLOCK) asm.loop(s, e, 1, (i) => inside(i, s, e));
      else {
        asm.loop(s, e, SUM_BLOCK, (b) => {
          const end = asm.bin("min", asm.add(b, SUM_BLOCK), e);
          asm.loop(b, end, 1, (i) => inside(i, s, e));
          flush();
        });
      }
      if (innermost) flush?.();
    }
  }

  /** One turn of a phase: accumulate, then store. `instances` null: scalars. */
  private turn(p: Phase, instances: Lanes[] | null): void {
    const { asm, ev } = this;
    if (instances !== null && this.asks) asm.target.ahead?.nextRow(this, p, instances);
    const vars = this.running?.vars ?? [];
    const all: (Lanes | null)[] = instances ?? [null];
    // All values before the first store: one of them may go over what another reads.
    asm.interleave(
      (p.ordered ? [] : (instances ?? [])).map((lanes) => () => this.wanted(p).forEach((i) => ev.value(i, lanes))),
    );
    p.reductions.forEach((r, s) => all.forEach((lanes, j) => this.accumulate(p, r, vars[s], j, lanes)));
    for (const lanes of all) {
      const values = p.stores.map((st) =>
        lanes === null ? ev.scalar(st.value) : spread(asm, st.dtype, ev.value(st.value, lanes)),
      );
      p.stores.forEach((st, i) => ev.store(st, values[i], lanes));
    }
  }

  private accumulate(p: Phase, r: Reduction, vars: Var[], j: number, lanes: Lanes | null): void {
    const { asm, ev, k } = this;
    const inLanes = lanes !== null;
    const read = (i: number): Val => {
      const v = inLanes ? ev.value(i, lanes) : ev.scalar(i);
      return inLanes ? spread(asm, k.exs[i].dtype, v) : v;
    };
    let x = read(r.value);
    // Lanes past the end of a reduced row must not count.
    if (inLanes && p.vec >= 0 && lanes.count < asm.lanes)
      x = asm.select(this.firstLanes(lanes.count), x, asm.konst(x.type, identity(r.kind, r.dtype)));
    const acc = vars[j % (this.running?.width ?? 1)];
    const old = asm.get(acc);
    switch (r.kind) {
      case "sum":
        asm.set(acc, this.wrap(r.dtype, asm.add(old, x)));
        return;
      case "prod":
        asm.set(acc, this.wrap(r.dtype, asm.mul(old, x)));
        return;
      case "max":
      case "min": {
        if (!isDouble(r)) return asm.set(acc, extreme(asm, r.kind === "max", r.dtype, x, old));
        asm.set(acc, asm.bin(r.kind === "max" ? "pmax" : "pmin", old, x));
        const bad = vars[Math.min(this.running!.width + j, vars.length - 1)];
        return asm.set(bad, asm.bin("or", asm.get(bad), asm.cmp("ne", x, x)));
      }
      case "pick": {
        const kept = vars[this.running!.width + j];
        const better = this.isBetter(k.exs[r.value].dtype, x, old);
        asm.set(kept, asm.select(better, read(r.payload), asm.get(kept)));
        asm.set(acc, asm.select(better, x, old));
      }
    }
  }

  private wrap(dtype: DType, v: Val): Val {
    return dtype === "uint8" ? this.asm.bin("and", v, 255) : v;
  }

  /** x > best, or x is the first NaN. */
  private isBetter(dtype: DType, x: Val, best: Val): Val {
    const { asm } = this;
    const vec = isVec(x.type);
    if (dtype === "bool") return asm.bin("and", x, vec ? asm.un("not", best) : asm.cmp("eq", best, 0));
    if (!isFloat(dtype)) return dtype === "int32" ? asm.cmp("lt", best, x) : unsignedLess(asm, "lt", best, x);
    const notLess = asm.cmp("le", x, best);
    const known = asm.cmp("eq", best, best);
    return vec ? asm.bin("andnot", known, notLess) : asm.bin("and", known, asm.cmp("eq", notLess, 0));
  }

  /** A mask of the first `n` lanes. */
  private firstLanes(n: number): Val {
    const { asm } = this;
    let v = asm.konst("vi32", 0);
    for (let i = 0; i < n; i++) v = asm.insert(v, i, -1);
    return v;
  }

  /** Two partial results as one. */
  private two(r: Reduction, a: Val, b: Val): Val {
    const op = joiner(r);
    return op !== null ? this.asm.bin(op, a, b) : extreme(this.asm, r.kind === "max", r.dtype, a, b);
  }

  /** Vectors of LANES partial results as one scalar, in a fixed order. */
  private acrossLanes(r: Reduction, vectors: readonly Val[]): Val {
    const { asm } = this;
    let list = [...vectors];
    for (let n = LANES / asm.lanes / 2; n >= 1; n /= 2)
      list = list.slice(0, n).map((v, i) => (i + n < list.length ? this.two(r, v, list[i + n]) : v));
    return this.wrap(
      r.dtype,
      asm.reduce((x, y) => this.two(r, x, y), list[0]),
    );
  }
}
