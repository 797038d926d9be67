// The loop nest of a contraction: blocks of (batch, n, m), blocks of k, groups of tiles, panels; stores by a callback.
import type { Arg, Asm, Val, Var, VecType } from "../asm/index.ts";
import type { ContractIo, StoreCtx, StorePlace } from "./emit.ts";
import { emitPackA, emitPackB, kLoops } from "./pack.ts";
import type { KLoop, Run } from "./pack.ts";
import type { ContractPlan, Region } from "./plan.ts";
import type { ContractSpec, NAxis } from "./spec.ts";
import { emitDot, emitTile, mergeLoops, tileSums } from "./tile.ts";

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
const sizesOf = (axes: readonly { readonly size: number }[]): number[] => axes.map((x) => x.size);

/** What the tiles of one block of k share: operands, indices of the batch and of the outer m axes. */
interface Position {
  readonly kb: Val;
  readonly a: Val;
  readonly b: Val;
  /** B where it is not packed. */
  readonly source: Val;
  readonly batch: readonly Val[];
  readonly nb: Val;
  readonly k: readonly KLoop[];
  readonly outer: readonly Val[];
  /** Ordinal within the block of the first tile of this unit. */
  readonly ordinal: Arg;
}

/** A row of panels: where its tile begins. */
interface Row {
  readonly t: Val;
  readonly m0: Val;
  /** Rows of A: packed or not. */
  readonly a: Val;
  readonly partial: Val | undefined;
}

/** A panel: its columns in the output, its place in B and among the partial sums. */
interface Panel {
  readonly region: Region;
  readonly col: Val;
  readonly b: Val;
  readonly source: Val;
  readonly partial: Arg;
}

/** Instructions of an epilogue, per vector, from which on it is written once for all rows. */
const LONG_EPILOGUE = 10;

export class Nest {
  private readonly asm: Asm;
  private readonly spec: ContractSpec;
  private readonly p: ContractPlan;
  private readonly io: ContractIo;
  private readonly store: (list: readonly StoreCtx[]) => void;
  private readonly vtype: VecType;
  /** This block has to pack B; this panel is not packed yet (packsByTile). */
  private packs!: Var;
  private fresh!: Var;

  constructor(
    asm: Asm,
    spec: ContractSpec,
    p: ContractPlan,
    io: ContractIo,
    store: (list: readonly StoreCtx[]) => void,
  ) {
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
    if (p.zeroBytes > 0) asm.fill(asm.ptrAdd(io.scratch!, p.at.zeros), 0, p.zeroBytes);
    const given = [
      asm.ptrAdd(io.a, (this.spec.aOffset ?? 0) * p.es),
      asm.ptrAdd(io.b, (this.spec.bOffset ?? 0) * p.es),
    ];
    const [a0, b0] = p.norm.swapped ? [given[1], given[0]] : given;
    const packed = p.packB === "keep" ? asm.var("i32", io.packed ? asm.load("i32", io.packed) : -1) : undefined;
    if (p.packsByTile) {
      this.packs = asm.var("i32", 1);
      this.fresh = asm.var("i32", 1);
    }
    asm.loop(io.lo, io.hi, 1, (block) => {
      const [bi, nb, mb] = decode(asm, block, [p.batches, p.nBlocks, p.mBlocks]);
      const batch = decode(asm, p.batches === 1 ? asm.i32(0) : bi, sizesOf(p.norm.batch));
      const a = this.offset(a0, p.norm.batch, batch, "a");
      const b = this.offset(b0, p.norm.batch, batch, "b");
      if (packed) this.keepB(b, bi, nb, packed);
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

  // ---- B ----

  /** Packs all blocks of k, unless the last block of this call, or of the thread's last one, has used the same ones. */
  private keepB(b: Val, bi: Val, nb: Val, packed: Var): void {
    const { asm, p, io } = this;
    const own = p.norm.batch.some((x) => x.b !== 0);
    const wanted = own && p.batches > 1 ? asm.add(asm.mul(bi, p.nBlocks), nb) : nb;
    const differs = asm.cmp("ne", asm.get(packed), wanted);
    const note = (): void => {
      asm.set(packed, wanted);
      if (io.packed) asm.store(io.packed, 0, wanted);
    };
    if (p.packsByTile) {
      asm.set(this.packs, differs);
      return note();
    }
    asm.if(differs, () => {
      asm.loop(0, p.kBlocks, 1, (kb) => {
        const at = this.stepsOf(kb);
        this.packB(this.offset(b, at.axes, at.index, "b"), nb, at.k, this.placeB(kb));
      });
      note();
    });
  }

  /** Where the packed panels of a block of k are. */
  private placeB(kb: Val): Val {
    const { asm, p, io } = this;
    const first = asm.ptrAdd(io.scratch!, p.at.b);
    return p.packB === "keep" ? asm.ptrAdd(first, asm.mul(kb, p.blockBytes)) : first;
  }

  /** Packs the panels of one block of n. */
  private packB(b: Val, nb: Val, k: readonly KLoop[], dst: Val): void {
    const { asm, p } = this;
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
        panelStride: p.panelBytes,
        k,
      });
    if (p.main) {
      const first = asm.mul(nb, p.panelsPerBlock);
      const src = asm.ptrAdd(b, asm.mul(first, p.main.nv * p.lanes * column));
      one(p.main, this.panelCount(nb), src, dst);
    }
    if (p.tail) {
      const tail = p.tail;
      if (p.pairs)
        return asm.target.pairs!.pack(asm, { src: b, dst, vectors: p.pairs, columns: p.norm.n.size, column, k });
      this.lastBlock(nb, () =>
        one(tail, 1, asm.ptrAdd(b, tail.col * column), asm.ptrAdd(dst, p.panelsPerBlock * p.panelBytes)),
      );
    }
  }

  /** Main panels of block `nb`. */
  private panelCount(nb: Val): Arg {
    const { asm, p } = this;
    const panels = p.main?.panels ?? 0;
    if (panels % p.panelsPerBlock === 0 || p.nBlocks === 1) return Math.min(panels, p.panelsPerBlock);
    return asm.bin("min", asm.sub(panels, asm.mul(nb, p.panelsPerBlock)), p.panelsPerBlock);
  }

  /** The last block of n has the tail. */
  private lastBlock(nb: Val, body: () => void): void {
    const { asm, p } = this;
    asm.if(p.nBlocks === 1 ? 1 : asm.cmp("eq", nb, p.nBlocks - 1), body);
  }

  // ---- k ----

  /** The axes that a block of k fixes, with their indices, and the loops inside of it. */
  private stepsOf(kb: Val): { axes: NAxis[]; index: Val[]; k: KLoop[] } {
    const { asm, p } = this;
    const all = p.norm.k;
    const index = decode(asm, kb, [...sizesOf(all.slice(0, p.split)), p.chunks]);
    const axes = all.slice(0, p.split);
    const chunkAxis = all[p.split];
    if (!chunkAxis || p.chunks === 1) return { axes, index, k: this.inside(chunkAxis ? p.chunk : 1) };
    const start = asm.mul(index[p.split], p.chunk);
    const size: Arg =
      chunkAxis.size % p.chunk === 0 ? p.chunk : asm.bin("min", asm.sub(chunkAxis.size, start), p.chunk);
    return { axes: [...axes, chunkAxis], index: [...index.slice(0, p.split), start], k: this.inside(size) };
  }

  private kBlock(kb: Val, a0: Val, b0: Val, batch: readonly Val[], mb: Val, nb: Val): void {
    const { asm, p } = this;
    const { axes, index, k } = this.stepsOf(kb);
    const a = this.offset(a0, axes, index, "a");
    const b = this.offset(b0, axes, index, "b");
    if (p.packB === "block" && !p.packsByTile) this.packB(b, nb, k, this.placeB(kb));
    const at = { kb, batch, nb, k, a, source: b, b: p.packB === "no" ? b : this.placeB(kb), outer: [], ordinal: 0 };
    const from = this.share(mb, p.units, p.mBlocks);
    const to = this.share(asm.add(mb, 1), p.units, p.mBlocks);
    if (p.panelsFirst && !p.packA) this.eachPanel(at, (panel) => this.units(from, to, at, panel));
    else this.units(from, to, at, undefined);
  }

  /** Where part `i` begins when `n` are divided into equal parts. */
  private share(i: Val, n: number, parts: number): Val {
    const { asm } = this;
    return n % parts === 0 ? asm.mul(i, n / parts) : asm.bin("divU", asm.mul(i, n), parts);
  }

  /** First tile of a slice. */
  private slice(i: Val): Val {
    const { asm, p } = this;
    const steps = Math.ceil(p.tiles / p.unitStep);
    const tile = asm.mul(this.share(i, steps, p.slices), p.unitStep);
    return p.tiles % p.unitStep === 0 ? tile : asm.bin("min", tile, p.tiles);
  }

  /** The tiles of units from..to, for one panel or for all. */
  private units(from: Val, to: Val, at: Position, panel: Panel | undefined): void {
    const { asm, p } = this;
    const outerAxes = p.norm.mOuter;
    if (outerAxes.length === 0) {
      const first = this.slice(from);
      return this.groups(first, this.slice(to), { ...at, ordinal: asm.sub(0, first) }, panel);
    }
    asm.loop(from, to, 1, (u) => {
      const [o, s] = p.slices === 1 ? [u, asm.i32(0)] : decode(asm, u, [p.units / p.slices, p.slices]);
      const outer = decode(asm, o, sizesOf(outerAxes));
      const a = this.offset(at.a, outerAxes, outer, "a");
      const first = this.slice(s);
      const ordinal = asm.sub(asm.mul(asm.sub(u, from), p.tilesPerUnit), first);
      this.groups(first, this.slice(asm.add(s, 1)), { ...at, a, outer, ordinal }, panel);
    });
  }

  // ---- tiles ----

  /** First row of tile `t`. */
  private firstRow(t: Val): Val {
    const { asm, p } = this;
    if (p.bigTiles === p.tiles) return asm.mul(t, p.rows);
    return asm.add(asm.mul(t, p.rows - 1), asm.bin("min", t, p.bigTiles));
  }

  /** Tiles from..to, in groups whose rows of A are packed together. */
  private groups(from: Val, to: Val, at: Position, panel: Panel | undefined): void {
    const { asm, p } = this;
    const { packA } = p;
    if (!packA) return this.tiles(from, to, at, undefined, panel);
    const one = (g: Val, end: Val): void => {
      this.packA(g, end, at);
      this.tiles(g, end, at, g, panel);
    };
    if (packA.group >= p.tilesPerBlock) return one(from, to);
    asm.loop(from, to, packA.group, (g) =>
      one(g, packA.group === 1 ? asm.add(g, 1) : asm.bin("min", asm.add(g, packA.group), to)),
    );
  }

  private packA(from: Val, to: Val, at: Position): void {
    const { asm, p, io } = this;
    const packA = p.packA!;
    const row = p.norm.m.a * p.es;
    const dst = asm.ptrAdd(io.scratch!, p.at.a);
    const runs: Run[] = [];
    const run = (rows: number, first: Val, end: Val): void => {
      const src = asm.ptrAdd(at.a, asm.mul(this.firstRow(first), row));
      const skip = asm.mul(asm.sub(first, from), packA.bytes);
      runs.push({ rows, tiles: asm.sub(end, first), src, dst: asm.ptrAdd(dst, skip) });
    };
    if (p.bigTiles === p.tiles) run(p.rows, from, to);
    else {
      const middle = asm.bin("max", asm.bin("min", to, p.bigTiles), from);
      run(p.rows, from, middle);
      run(p.rows - 1, middle, to);
    }
    const { es, lanes } = p;
    const packing = { vtype: this.vtype, es, lanes, row, step: packA.step * es, panel: packA.bytes, k: at.k };
    if (packA.squares) runs.forEach((r) => asm.target.squares!.pack(asm, packing, r));
    else emitPackA(asm, packing, runs);
  }

  /** Some tiles, with `one` panel or all. `group` is the first tile whose rows are packed. */
  private tiles(from: Val, to: Val, at: Position, group: Val | undefined, one: Panel | undefined): void {
    const { asm, p, io } = this;
    const partials = p.kBlocks > 1 ? asm.ptrAdd(io.scratch!, p.at.partial) : undefined;
    const eachTile = (body: (row: Row) => void): void =>
      asm.loop(from, to, 1, (t) => {
        const m0 = this.firstRow(t);
        body({
          t,
          m0,
          a: group
            ? asm.ptrAdd(asm.ptrAdd(io.scratch!, p.at.a), asm.mul(asm.sub(t, group), p.packA!.bytes))
            : asm.ptrAdd(at.a, asm.mul(m0, p.norm.m.a * p.es)),
          partial: partials && asm.ptrAdd(partials, asm.mul(asm.add(t, at.ordinal), p.partialTile)),
        });
      });
    if (one) eachTile((row) => this.panel(row, one, at));
    else if (p.panelsFirst) this.eachPanel(at, (panel) => eachTile((row) => this.panel(row, panel, at)));
    else eachTile((row) => this.eachPanel(at, (panel) => this.panel(row, panel, at)));
  }

  private eachPanel(at: Position, each: (panel: Panel) => void): void {
    const { asm, p } = this;
    const { lanes, main, tail } = p;
    const column = p.norm.n.b * p.es;
    const body = (panel: Panel): void => {
      if (p.packsByTile) asm.set(this.fresh, asm.get(this.packs));
      each(panel);
    };
    // Panels of their own, or one for all.
    const apart = p.packsByTile && p.packB === "block" ? 0 : p.panelBytes;
    if (main) {
      const first = asm.mul(at.nb, p.panelsPerBlock);
      asm.loop(0, this.panelCount(at.nb), 1, (j) => {
        const col = asm.mul(asm.add(first, j), main.nv * lanes);
        const source = asm.ptrAdd(at.source, asm.mul(col, column));
        const b = p.packB === "no" ? source : apart === 0 ? at.b : asm.ptrAdd(at.b, asm.mul(j, apart));
        body({ region: main, col, b, source, partial: asm.mul(j, p.partialPanel) });
      });
    }
    if (tail) {
      const source = asm.ptrAdd(at.source, tail.col * column);
      const b = p.packB === "no" ? source : asm.ptrAdd(at.b, p.panelsPerBlock * apart);
      const partial = p.panelsPerBlock * p.partialPanel;
      this.lastBlock(at.nb, () => body({ region: tail, col: asm.i32(tail.col), b, source, partial }));
    }
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

  /** One tile: sums, and what becomes of them. */
  private panel(row: Row, panel: Panel, at: Position): void {
    const { asm, p, io } = this;
    const { norm, lanes, es } = p;
    const { region } = panel;
    const base = this.offset(
      this.offset(asm.i32(this.spec.cOffset ?? 0), norm.batch, at.batch, "c", 1),
      norm.mOuter,
      at.outer,
      "c",
      1,
    );
    const first = asm.add(asm.add(base, asm.mul(row.m0, norm.m.c)), asm.mul(panel.col, norm.n.c));
    const done = (i: Arg, j: number, acc: Val): StoreCtx => this.done(i, j, acc, region, row.m0, panel.col, first, at);
    const finish = (i: Arg, j: number, acc: Val): void => this.store([done(i, j, acc)]);
    // Long epilogues are written once, in a loop over the rows; the sums wait in memory.
    const slot = io.scratch && asm.ptrAdd(io.scratch, p.at.partial);
    const long =
      asm.cost(() => finish(0, 0, asm.konst(this.vtype, 1))) > LONG_EPILOGUE && p.rows > 1 && slot !== undefined;
    const partial = row.partial && asm.ptrAdd(row.partial, panel.partial);
    const spill = partial ?? (long ? slot : undefined);
    const where = (i: number, j: number): number => (i * region.nv + j) * lanes * es;
    const place = (i: Val, j: number): StorePlace => this.place(i, j, region, row.m0, panel.col, first, at);
    asm.target.ahead?.tile(asm, p, { a: row.a, col: panel.col, kb: at.kb, vectors: region.nv, ask: io.ahead, place });
    this.eachHeight(row.t, (rows) => {
      const acc = this.sums(rows, panel, row.a, at, partial, where);
      asm.pin(acc.flat());
      const each = (body: (v: Val, i: number, j: number) => void): void =>
        acc.forEach((list, i) => list.forEach((v, j) => body(v, i, j)));
      if (!spill) return each((v, i, j) => finish(i, j, v));
      const keep = (): void => each((v, i, j) => asm.store(spill, where(i, j), v));
      if (long || p.kBlocks === 1) return keep();
      asm.if(asm.cmp("eq", at.kb, p.kBlocks - 1), () => each((v, i, j) => finish(i, j, v)), keep);
    });
    if (!spill || !long) return;
    asm.if(p.kBlocks > 1 ? asm.cmp("eq", at.kb, p.kBlocks - 1) : 1, () => {
      const rows = p.bigTiles < p.tiles ? asm.sub(p.rows, asm.cmp("ge", row.t, p.bigTiles)) : p.rows;
      asm.loop(0, rows, 1, (i) => {
        const from = asm.ptrAdd(spill, asm.mul(i, where(1, 0)));
        this.store(Array.from({ length: region.nv }, (_, j) => done(i, j, asm.load(this.vtype, from, where(0, j)))));
      });
    });
  }

  /** The sums of one tile up to the end of a block of k; those `before` it go on, as if there were no blocks. */
  private sums(
    rows: number,
    panel: Panel,
    a: Val,
    { kb, k: steps }: Position,
    before: Val | undefined,
    where: (i: number, j: number) => number,
  ): Val[][] {
    const { asm, p, io } = this;
    const { region: r, b } = panel;
    const { es, lanes, vtype } = { ...p, vtype: this.vtype };
    const width = r.nv * lanes * es;
    if (p.dot) {
      const columns = (r.nv - 1) * lanes + r.last;
      return [emitDot(asm, { vtype, es, a, b, column: p.norm.n.b * es, columns, k: steps[0] })];
    }
    if (p.pairs) return asm.target.pairs!.tile(asm, { rows, vectors: p.pairs, a, rowA: p.norm.m.a * es, b, k: steps });
    let k = [...steps];
    if (p.packB !== "no") k = relinear(k, "b", width);
    const squares = p.packA?.squares ?? false;
    const inA = (list: KLoop[]): KLoop[] => (p.packA ? relinear(list, "a", squares ? es : p.packA.step * es) : list);
    k = inA(k);
    if (p.table) {
      const size = k.reduce((s: Arg, l): Arg => times(asm, s, l.size), 1);
      k = [{ size, a: 0, b: p.packB !== "no" ? width : k[k.length - 1].b, last: 0 }];
    }
    const load = (from: Val, i: number, j: number): Val => asm.load(vtype, from, where(i, j));
    let sums: Var[][];
    if (before && p.zeroBytes > 0) {
      const from = asm.select(asm.cmp("ne", kb, 0), before, asm.ptrAdd(io.scratch!, p.at.zeros));
      sums = tileSums(asm, vtype, rows, r.nv, (i, j) => load(from, i, j));
    } else {
      sums = tileSums(asm, vtype, rows, r.nv);
      if (before) asm.if(kb, () => sums.forEach((list, i) => list.forEach((v, j) => asm.set(v, load(before, i, j)))));
    }
    const tile = {
      vtype,
      es,
      lanes,
      rows,
      nv: r.nv,
      last: r.last,
      a,
      rowA: squares ? lanes * es : p.packA ? es : p.norm.m.a * es,
      b,
      directB: p.packB === "no",
      k: mergeLoops(asm, k),
      table: p.table ? asm.ptrAdd(io.scratch!, p.at.table) : undefined,
      early: squares ? rows * lanes * es : undefined,
    };
    const emit = squares ? asm.target.squares!.tile : (asm.target.tile ?? emitTile);
    if (!p.packsByTile) emit(asm, tile, sums);
    else
      asm.if(
        asm.get(this.fresh),
        () => {
          const inPlace = mergeLoops(asm, inA([...steps]));
          const to = asm.var("ptr", b);
          emit(asm, { ...tile, b: panel.source, directB: true, k: inPlace, panel: to }, sums);
          asm.set(this.fresh, 0);
        },
        () => emit(asm, tile, sums),
      );
    return sums.map((list) => list.map((v) => asm.get(v)));
  }

  /** The finished sums of row m0 + i, vector j, for the store. */
  private done(i: Arg, j: number, acc: Val, r: Region, m0: Val, col: Val, first: Val, at: Position): StoreCtx {
    // Not spread: the indices are made when the store asks for them.
    return Object.defineProperty(this.place(i, j, r, m0, col, first, at), "acc", { value: acc }) as StoreCtx;
  }

  /** Row m0 + i, vector j, with indices in the spec's own axes. */
  private place(i: Arg, j: number, r: Region, m0: Val, col: Val, first: Val, at: Position): StorePlace {
    const { asm, p, spec } = this;
    const { norm } = p;
    const zero = asm.i32(0);
    // Indices are made when the store asks for them.
    const indices = (group: "batch" | "m" | "n", list: readonly (readonly [NAxis, () => Val])[]): Val[] => {
      const out = spec[group].map(() => zero);
      for (const [x, index] of list) {
        if (!x.parts.some((q) => q.group === group)) continue;
        const values = decode(asm, index(), sizesOf(x.parts));
        x.parts.forEach((q, part) => q.group === group && (out[q.axis] = values[part]));
      }
      return out;
    };
    const batch = norm.batch.map((x, n) => [x, () => at.batch[n]] as const);
    const outer = norm.mOuter.map((x, n) => [x, () => at.outer[n]] as const);
    const columns = [norm.n, () => asm.add(col, j * p.lanes)] as const;
    const along = norm.n.parts[0]?.axis ?? Math.max(0, spec.n.length - 1);
    const lane = norm.swapped ? along - spec.m.length : along;
    return {
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
        if (norm.scattered) {
          const add = (sum: Val, index: readonly Val[], axes: ContractSpec["m"]): Val =>
            axes.reduce((v, x, q) => asm.add(v, asm.mul(index[q], x.c)), sum);
          return add(add(add(asm.i32(spec.cOffset ?? 0), this.batch, spec.batch), this.m, spec.m), this.n, spec.n);
        }
        const row = typeof i === "number" ? asm.i32(i * norm.m.c) : asm.mul(i, norm.m.c);
        return asm.add(asm.add(first, row), j * p.lanes * norm.n.c);
      },
    };
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
