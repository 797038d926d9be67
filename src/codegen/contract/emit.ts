// The loop nest of a contraction: blocks of (batch, m, n), blocks of k, tiles, panels; stores by a callback.
import type { Arg, Asm, Val, VecType } from "../asm/index.ts";
import { emitPackA, emitPackB, kLoops } from "./pack.ts";
import type { KLoop } from "./pack.ts";
import { planContract } from "./plan.ts";
import type { ContractPlan, Region } from "./plan.ts";
import type { ContractSpec, NAxis } from "./spec.ts";
import { emitDot, emitTile, mergeLoops } from "./tile.ts";

/** Addresses and block range that a kernel works with. `c` is needed by the default store only. */
export interface ContractIo {
  readonly a: Val;
  readonly b: Val;
  readonly c?: Val;
  /** `contractScratchBytes` bytes of this thread's own; needed when that is not 0. */
  readonly scratch?: Val;
  readonly lo: Arg;
  readonly hi: Arg;
}

/** One finished vector of sums. Indices are those of the spec's axes, as given there. */
export interface StoreCtx {
  readonly acc: Val;
  readonly batch: readonly Val[];
  readonly m: readonly Val[];
  /** Index of the first lane; the lanes run along `lane`. */
  readonly n: readonly Val[];
  /** The n axis that the lanes run along; from -1 down, an m axis counted from the last (a product with a vector). */
  readonly lane: number;
  /** Valid lanes. */
  readonly count: number;
  /** Element offset in the output of the first lane. */
  readonly outOffset: Val;
  /** Elements between lanes in the output. */
  readonly laneStride: number;
}

/** Number of outer blocks: the range of lo..hi. */
export function contractBlocks(spec: ContractSpec, lanes = 4): number {
  return planContract(spec, lanes).blocks;
}
/** Bytes of scratch memory that one thread needs. */
export function contractScratchBytes(spec: ContractSpec, lanes = 4): number {
  return planContract(spec, lanes).at.size;
}

/** Stores sums to `c`. */
function storePlain(asm: Asm, c: Val, es: number): (t: StoreCtx) => void {
  return (t) => {
    const p = asm.ptrAdd(c, asm.mul(t.outOffset, es));
    if (t.laneStride === 1) return asm.storePartial(t.count, p, 0, t.acc);
    for (let i = 0; i < t.count; i++) asm.store(asm.ptrAdd(p, i * t.laneStride * es), 0, asm.extract(t.acc, i));
  };
}

/** Splits a linear index over axes, outermost first. */
function decode(asm: Asm, index: Val, sizes: readonly number[]): Val[] {
  const out: Val[] = [];
  let rest = index;
  for (let i = sizes.length - 1; i > 0; i--) {
    out.unshift(asm.bin("remU", rest, sizes[i]));
    rest = asm.bin("divU", rest, sizes[i]);
  }
  if (sizes.length) out.unshift(rest);
  return out;
}

/**
 * Emits the contraction into the open function; `store` defaults to writing `io.c`. It is called several times, once more to
 * see how long its code is: it must record the same code for the same context and keep nothing.
 */
export function emitContract(asm: Asm, spec: ContractSpec, io: ContractIo, store?: (t: StoreCtx) => void): void {
  const p = planContract(spec, asm.lanes);
  if (p.norm.empty) return;
  if (p.needsScratch && !io.scratch) throw new Error("[contract] this contraction needs scratch memory");
  if (!store && !io.c) throw new Error("[contract] no store and no output");
  new Nest(asm, spec, p, io, store ?? storePlain(asm, io.c!, p.es)).emit();
}

/** Where a tile stands: block of k, operands, indices of the batch and of the outer m axes. */
interface Position {
  readonly kb: Val;
  readonly a: Val;
  readonly b: Val;
  readonly batch: readonly Val[];
  readonly nb: Val;
  readonly k: readonly KLoop[];
  readonly outer: readonly Val[];
}

/** Instructions of an epilogue, per vector, from which on it is written once for all rows. */
const LONG_EPILOGUE = 10;

class Nest {
  private readonly asm: Asm;
  private readonly spec: ContractSpec;
  private readonly p: ContractPlan;
  private readonly io: ContractIo;
  private readonly store: (t: StoreCtx) => void;
  private readonly vtype: VecType;

  constructor(asm: Asm, spec: ContractSpec, p: ContractPlan, io: ContractIo, store: (t: StoreCtx) => void) {
    this.asm = asm;
    this.spec = spec;
    this.p = p;
    this.io = io;
    this.store = store;
    this.vtype = p.es === 8 ? "vf64" : "vf32";
  }

  emit(): void {
    const { asm, p, io } = this;
    if (p.table) this.emitTable();
    const given = [
      asm.ptrAdd(io.a, (this.spec.aOffset ?? 0) * p.es),
      asm.ptrAdd(io.b, (this.spec.bOffset ?? 0) * p.es),
    ];
    const [a0, b0] = p.norm.swapped ? [given[1], given[0]] : given;
    if (p.packB === "call") this.packB(b0, asm.i32(0), this.inside(p.chunk));
    asm.loop(io.lo, io.hi, 1, (block) => {
      const [bi, mb, nb] = decode(asm, block, [p.batches, p.mBlocks, p.nBlocks]);
      const batch = decode(
        asm,
        p.batches === 1 ? asm.i32(0) : bi,
        p.norm.batch.map((x) => x.size),
      );
      const a = this.offset(a0, p.norm.batch, batch, "a");
      const b = this.offset(b0, p.norm.batch, batch, "b");
      if (p.kBlocks > 1) {
        const tiles = p.unitsPerBlock * (p.unitIsTile ? 1 : p.tiles);
        asm.fill(asm.ptrAdd(io.scratch!, p.at.partial), 0, tiles * p.partialTile);
      }
      asm.loop(0, p.kBlocks, 1, (kb) => this.kBlock(kb, a, b, batch, mb, nb));
    });
  }

  /** Byte offsets of A for every k step of a block. */
  private emitTable(): void {
    const { asm, p, io } = this;
    const out = asm.var("ptr", asm.ptrAdd(io.scratch!, p.at.table));
    const walk = (loops: readonly KLoop[], at: Val): void => {
      const [l, ...rest] = loops;
      if (!l) {
        asm.store(asm.get(out), 0, at);
        return asm.set(out, asm.ptrAdd(asm.get(out), 4));
      }
      asm.loop(0, l.size, 1, (i) => walk(rest, asm.add(at, asm.mul(i, l.a))));
    };
    walk(this.inside(p.chunk), asm.i32(0));
  }

  /** Loops of k inside of a block whose first axis has `size` steps. */
  private inside(size: Arg): KLoop[] {
    return kLoops(this.p.norm.k.slice(this.p.split), size, this.p.es);
  }

  /** base + sum of index * stride, in bytes. */
  private offset(base: Val, axes: readonly NAxis[], index: readonly Val[], of: "a" | "b" | "c", unit = this.p.es): Val {
    const { asm } = this;
    return axes.reduce((v, x, i) => (x[of] === 0 ? v : asm.ptrAdd(v, asm.mul(index[i], x[of] * unit))), base);
  }

  /** Packs the panels of one block of n. */
  private packB(b: Val, nb: Val, k: readonly KLoop[]): void {
    const { asm, p, io } = this;
    const dst = asm.ptrAdd(io.scratch!, p.at.b);
    const column = p.norm.n.b * p.es;
    const one = (r: Region, panels: Arg, src: Val, to: Val): void =>
      emitPackB(asm, {
        vtype: this.vtype,
        es: p.es,
        lanes: p.lanes,
        src,
        dst: to,
        panels,
        nv: r.nv,
        last: r.last,
        column,
        panelStride: r.nv * p.lanes * p.es * p.kSteps,
        k,
      });
    if (p.main) {
      const first = asm.mul(nb, p.panelsPerBlock);
      const src = asm.ptrAdd(b, asm.mul(first, p.main.nv * p.lanes * column));
      one(p.main, this.panelCount(nb), src, dst);
    }
    if (p.tail) {
      const tail = p.tail;
      asm.if(asm.cmp("eq", nb, p.nBlocks - 1), () => {
        one(tail, 1, asm.ptrAdd(b, tail.col * column), asm.ptrAdd(dst, this.tailAt()));
      });
    }
  }

  /** Main panels of block `nb`. */
  private panelCount(nb: Val): Arg {
    const { asm, p } = this;
    const panels = p.main?.panels ?? 0;
    if (panels % p.panelsPerBlock === 0 || p.nBlocks === 1) return Math.min(panels, p.panelsPerBlock);
    return asm.bin("min", asm.sub(panels, asm.mul(nb, p.panelsPerBlock)), p.panelsPerBlock);
  }

  /** Bytes before the packed tail panel. */
  private tailAt(): number {
    const { p } = this;
    return p.panelsPerBlock * (p.main?.nv ?? 0) * p.lanes * p.es * p.kSteps;
  }

  private kBlock(kb: Val, a0: Val, b0: Val, batch: readonly Val[], mb: Val, nb: Val): void {
    const { asm, p } = this;
    const axes = p.norm.k;
    const index = decode(asm, kb, [...axes.slice(0, p.split).map((x) => x.size), p.chunks]);
    const outer = axes.slice(0, p.split);
    const chunkAxis = axes[p.split];
    const start = asm.mul(index[p.split], p.chunk);
    let a = this.offset(a0, outer, index, "a");
    let b = this.offset(b0, outer, index, "b");
    let size: Arg = chunkAxis ? p.chunk : 1;
    if (chunkAxis && p.chunks > 1) {
      a = asm.ptrAdd(a, asm.mul(start, chunkAxis.a * p.es));
      b = asm.ptrAdd(b, asm.mul(start, chunkAxis.b * p.es));
      if (chunkAxis.size % p.chunk !== 0) size = asm.bin("min", asm.sub(chunkAxis.size, start), p.chunk);
    }
    const k = this.inside(size);
    if (p.packB === "block") this.packB(b, nb, k);

    const from = asm.mul(mb, p.unitsPerBlock);
    const to =
      p.units % p.unitsPerBlock === 0
        ? asm.add(from, p.unitsPerBlock)
        : asm.bin("min", asm.add(from, p.unitsPerBlock), p.units);
    const at = { kb, b, batch, nb, k };
    if (p.unitIsTile) {
      asm.loop(from, to, 1, (t) => this.tile(t, asm.sub(t, from), { ...at, a, outer: [] }));
      return;
    }
    asm.loop(from, to, 1, (u) => {
      const outer = decode(
        asm,
        u,
        p.norm.mOuter.map((x) => x.size),
      );
      const au = this.offset(a, p.norm.mOuter, outer, "a");
      const ordinal = asm.mul(asm.sub(u, from), p.tiles);
      asm.loop(0, p.tiles, 1, (t) => this.tile(t, asm.add(ordinal, t), { ...at, a: au, outer }));
    });
  }

  /** Writes `body` for tiles of `rows` rows and, where there are such, for tiles with one row less. */
  private eachHeight(t: Val, body: (rows: number) => void): void {
    const { asm, p } = this;
    if (p.bigTiles === p.tiles) return body(p.rows);
    asm.if(
      asm.cmp("lt", t, p.bigTiles),
      () => body(p.rows),
      () => body(p.rows - 1),
    );
  }

  /** Tile t of the m axis: one row of panels. `ordinal` counts the tiles of the block. */
  private tile(t: Val, ordinal: Val, at: Position): void {
    const { asm, p, io } = this;
    const { es, lanes, norm } = p;
    const mixed = p.bigTiles < p.tiles;
    const m0 = mixed ? asm.add(asm.mul(t, p.rows - 1), asm.bin("min", t, p.bigTiles)) : asm.mul(t, p.rows);
    let a = asm.ptrAdd(at.a, asm.mul(m0, norm.m.a * es));
    if (p.packA) {
      const [from, panel] = [a, asm.ptrAdd(io.scratch!, p.at.a)];
      this.eachHeight(t, (rows) => emitPackA(asm, this.vtype, es, rows, from, panel, at.k));
      a = panel;
    }
    const base = this.offset(
      this.offset(asm.i32(this.spec.cOffset ?? 0), norm.batch, at.batch, "c", 1),
      norm.mOuter,
      at.outer,
      "c",
      1,
    );
    const row0 = asm.add(base, asm.mul(m0, norm.m.c));
    const slot = io.scratch && asm.ptrAdd(io.scratch, p.at.partial);
    const partial0 = p.kBlocks > 1 ? asm.ptrAdd(slot!, asm.mul(ordinal, p.partialTile)) : undefined;

    const panel = (r: Region, col: Val, b: Val, partial: Val | undefined): void => {
      const first = asm.add(row0, asm.mul(col, norm.n.c));
      const finish = (i: Arg, j: number, acc: Val): void => this.finish(i, j, acc, r, m0, col, first, at);
      // Long epilogues are written once, in a loop over the rows; the sums wait in memory.
      const long =
        asm.cost(() => finish(0, 0, asm.konst(this.vtype, 1))) > LONG_EPILOGUE && p.rows > 1 && slot !== undefined;
      const spill = partial ?? (long ? slot : undefined);
      const where = (i: number, j: number): number => (i * r.nv + j) * lanes * es;
      this.eachHeight(t, (rows) => {
        const acc = this.sums(rows, r, a, b, at.k, partial);
        asm.pin(acc.flat());
        acc.forEach((row, i) => row.forEach((v, j) => (spill ? asm.store(spill, where(i, j), v) : finish(i, j, v))));
      });
      if (!spill) return;
      asm.if(p.kBlocks > 1 ? asm.cmp("eq", at.kb, p.kBlocks - 1) : 1, () => {
        const rows = mixed ? asm.sub(p.rows, asm.cmp("ge", t, p.bigTiles)) : p.rows;
        asm.loop(0, rows, 1, (i) => {
          const row = asm.ptrAdd(spill, asm.mul(i, where(1, 0)));
          for (let j = 0; j < r.nv; j++) finish(i, j, asm.load(this.vtype, row, where(0, j)));
        });
      });
    };

    const packed = p.packB !== "no" ? asm.ptrAdd(io.scratch!, p.at.b) : undefined;
    const column = norm.n.b * es;
    if (p.main) {
      const main = p.main;
      const first = asm.mul(at.nb, p.panelsPerBlock);
      asm.loop(0, this.panelCount(at.nb), 1, (j) => {
        const col = asm.mul(asm.add(first, j), main.nv * lanes);
        const b = packed
          ? asm.ptrAdd(packed, asm.mul(j, main.nv * lanes * es * p.kSteps))
          : asm.ptrAdd(at.b, asm.mul(col, column));
        panel(main, col, b, partial0 && asm.ptrAdd(partial0, asm.mul(j, p.partialPanel)));
      });
    }
    if (p.tail) {
      const tail = p.tail;
      asm.if(asm.cmp("eq", at.nb, p.nBlocks - 1), () => {
        const b = packed ? asm.ptrAdd(packed, this.tailAt()) : asm.ptrAdd(at.b, tail.col * column);
        panel(tail, asm.i32(tail.col), b, partial0 && asm.ptrAdd(partial0, p.panelsPerBlock * p.partialPanel));
      });
    }
  }

  /** The sums of one tile over the k steps of a block, upon those so far. */
  private sums(rows: number, r: Region, a: Val, b: Val, steps: readonly KLoop[], partial: Val | undefined): Val[][] {
    const { asm, p, io } = this;
    const { es, lanes } = p;
    const width = r.nv * lanes * es;
    if (p.dot) {
      const columns = (r.nv - 1) * lanes + r.last;
      return [emitDot(asm, this.vtype, es, a, b, p.norm.n.b * es, columns, p.kSteps)];
    }
    let k = [...steps];
    if (p.packB !== "no") k = relinear(k, "b", width);
    if (p.packA) k = relinear(k, "a", rows * es);
    if (p.table) {
      const size = k.reduce((s: Arg, l): Arg => times(asm, s, l.size), 1);
      k = [{ size, a: 0, b: p.packB !== "no" ? width : k[k.length - 1].b }];
    }
    return emitTile(asm, {
      vtype: this.vtype,
      es,
      lanes,
      rows,
      nv: r.nv,
      last: r.last,
      a,
      rowA: p.packA ? es : p.norm.m.a * es,
      b,
      directB: p.packB === "no",
      k: mergeLoops(asm, k),
      table: p.table ? asm.ptrAdd(io.scratch!, p.at.table) : undefined,
      init: partial,
    });
  }

  /** Hands the finished sums of row m0 + i, vector j to the store, indices in the spec's own axes. */
  private finish(i: Arg, j: number, acc: Val, r: Region, m0: Val, col: Val, first: Val, at: Position): void {
    const { asm, p, spec } = this;
    const { norm } = p;
    const zero = asm.i32(0);
    // Indices are made when the store asks for them.
    const indices = (group: "batch" | "m" | "n", list: readonly (readonly [NAxis, () => Val])[]): Val[] => {
      const out = spec[group].map(() => zero);
      for (const [x, index] of list) {
        if (!x.parts.some((q) => q.group === group)) continue;
        const values = decode(
          asm,
          index(),
          x.parts.map((q) => q.size),
        );
        x.parts.forEach((q, part) => q.group === group && (out[q.axis] = values[part]));
      }
      return out;
    };
    const batch = norm.batch.map((x, n) => [x, () => at.batch[n]] as const);
    const outer = norm.mOuter.map((x, n) => [x, () => at.outer[n]] as const);
    const columns = [norm.n, () => asm.add(col, j * p.lanes)] as const;
    const along = norm.n.parts[0]?.axis ?? Math.max(0, spec.n.length - 1);
    const lane = norm.swapped ? along - spec.m.length : along;
    this.store({
      acc,
      lane,
      laneStride: norm.n.size === 1 ? 1 : norm.n.c,
      count: j === r.nv - 1 ? r.last : p.lanes,
      get batch() {
        return indices("batch", batch);
      },
      get m() {
        return indices("m", [...batch, ...outer, [norm.m, () => asm.add(m0, i)], columns]);
      },
      get n() {
        return indices("n", [...batch, columns]);
      },
      get outOffset() {
        const row = typeof i === "number" ? asm.i32(i * norm.m.c) : asm.mul(i, norm.m.c);
        return asm.add(asm.add(first, row), j * p.lanes * norm.n.c);
      },
    });
  }
}

const times = (asm: Asm, x: Arg, y: Arg): Arg =>
  typeof x === "number" ? (typeof y === "number" ? x * y : asm.mul(y, x)) : asm.mul(x, y);

/** Gives the loops the strides of a packed operand: `step` bytes per k step. */
function relinear(k: readonly KLoop[], of: "a" | "b", step: number): KLoop[] {
  const out: KLoop[] = [];
  let stride = step;
  for (let i = k.length - 1; i >= 0; i--) {
    out.unshift({ ...k[i], [of]: stride });
    if (i > 0) stride *= k[i].size as number;
  }
  return out;
}
