// Packers: copy a block of B into panels [panel][k][columns of a tile] (zero padded), rows of A into panels [tile][k][rows].
import type { Arg, Asm, Val, VecType } from "../asm/index.ts";
import type { NAxis } from "./spec.ts";

/** One loop over k inside of a block: length (a value when chunks differ) and byte strides in A and B. */
export interface KLoop {
  readonly size: Arg;
  readonly a: number;
  readonly b: number;
  /** The last chunk's steps modulo any number of lanes are this number's; those of others are whole vectors. */
  readonly last: number;
}

/** Byte-strided loops of the k axes inside of a block. */
export function kLoops(axes: readonly NAxis[], firstSize: Arg, es: number): KLoop[] {
  return axes.map((x, i) => ({ size: i === 0 ? firstSize : x.size, a: x.a * es, b: x.b * es, last: x.size }));
}

/** Full vectors of steps, then the `rest` of them, for a length that may be a value. */
export function byVectors(asm: Asm, l: KLoop, lanes: number, full: () => void, some: (rest: number) => void): void {
  if (typeof l.size === "number") {
    const rest = l.size % lanes;
    asm.loop(0, l.size - rest, lanes, full);
    if (rest) some(rest);
    return;
  }
  asm.loop(0, asm.bin("and", l.size, -lanes), lanes, full);
  const rest = l.last % lanes;
  if (rest) asm.if(asm.bin("and", l.size, lanes - 1), () => some(rest));
}

/** Walks the loops outside of the last one; `body` gets the address there. */
export function outerLoops(asm: Asm, k: readonly KLoop[], of: "a" | "b", src: Val, body: (from: Val) => void): void {
  if (k.length <= 1) return body(src);
  const s = asm.var(src.type, src);
  asm.loop(0, k[0].size, 1, () => {
    outerLoops(asm, k.slice(1), of, asm.get(s), body);
    asm.set(s, asm.ptrAdd(asm.get(s), k[0][of]));
  });
}

export const ONE: KLoop = { size: 1, a: 0, b: 0, last: 1 };

export interface PackB {
  readonly vtype: VecType;
  readonly es: number;
  /** Lanes of `vtype`. */
  readonly lanes: number;
  /** First element of the block (k = 0, column 0 of the region). */
  readonly src: Val;
  readonly dst: Val;
  /** Panels of `nv` vectors; their number may be a value. The last vector holds `last` columns when panels are one. */
  readonly panels: Arg;
  readonly nv: number;
  readonly last: number;
  /** Bytes between columns, between panels of the destination. */
  readonly column: number;
  readonly panelStride: number;
  readonly k: readonly KLoop[];
}

/** Packs one region of one block. */
export function emitPackB(asm: Asm, p: PackB): void {
  const { es, lanes, nv, vtype } = p;
  const width = nv * lanes * es;
  const out = asm.var("ptr", p.dst); // destination of (panel 0, current k)
  const inner = p.k[p.k.length - 1] ?? ONE;
  const columns = (nv - 1) * lanes + p.last;
  const valid = (j: number): number => (j === nv - 1 ? p.last : lanes);
  const eachPanel = (src: Val, body: (s: Val, d: Val) => void): void => {
    const s = asm.var("ptr", src);
    const d = asm.var("ptr", asm.get(out));
    asm.loop(0, p.panels, 1, () => {
      body(asm.get(s), asm.get(d));
      asm.set(s, asm.ptrAdd(asm.get(s), nv * lanes * p.column));
      asm.set(d, asm.ptrAdd(asm.get(d), p.panelStride));
    });
  };
  // `count` consecutive k from `src`, all panels.
  const copyRows = (src: Val, count: number): void =>
    eachPanel(src, (s, d) => {
      for (let i = 0; i < count; i++) {
        const row = at(asm, s, i * inner.b);
        for (let j = 0; j < nv; j++) {
          asm.store(d, i * width + j * lanes * es, asm.loadPartial(vtype, valid(j), row, j * lanes * es));
        }
      }
    });
  const transposeRows = (src: Val, count: number): void =>
    eachPanel(src, (s, d) => {
      for (let j = 0; j < nv; j++) {
        const rows = Array.from({ length: lanes }, (_, i) =>
          i < valid(j) ? asm.loadPartial(vtype, count, at(asm, s, (j * lanes + i) * p.column)) : asm.konst(vtype, 0),
        );
        const steps = asm.transpose(rows).slice(0, count);
        steps.forEach((v, i) => asm.store(d, i * width + j * lanes * es, v));
      }
    });
  const scalar = es === 8 ? "f64" : "f32";
  const gather = (src: Val): void =>
    eachPanel(src, (s, d) => {
      for (let c = 0; c < nv * lanes; c++) {
        asm.store(d, c * es, c < columns ? asm.load(scalar, at(asm, s, c * p.column)) : asm.konst(scalar, 0));
      }
    });
  outerLoops(asm, p.k, "b", p.src, (from) => {
    const s = asm.var("ptr", from);
    const steps = (n: number, write: (src: Val, n: number) => void): void => {
      write(asm.get(s), n);
      asm.set(s, asm.ptrAdd(asm.get(s), n * inner.b));
      asm.set(out, asm.ptrAdd(asm.get(out), n * width));
    };
    if (p.column === es || columns === 1) {
      byVectors(
        asm,
        inner,
        4,
        () => steps(4, copyRows),
        (rest) => steps(rest, copyRows),
      );
    } else if (inner.b === es) {
      byVectors(
        asm,
        inner,
        lanes,
        () => steps(lanes, transposeRows),
        (rest) => steps(rest, transposeRows),
      );
    } else asm.loop(0, inner.size, 1, () => steps(1, gather));
  });
}

/** Tiles of one height that lie behind each other. */
export interface Run {
  readonly rows: number;
  readonly tiles: Arg;
  readonly src: Val;
  readonly dst: Val;
}

export interface PackA {
  readonly vtype: VecType;
  readonly es: number;
  readonly lanes: number;
  /** Bytes between rows of the source; in the destination between steps of k, and between tiles. */
  readonly row: number;
  readonly step: number;
  readonly panel: number;
  readonly k: readonly KLoop[];
}

/** Packs the rows of some tiles. */
export function emitPackA(asm: Asm, p: PackA, runs: readonly Run[]): void {
  if (p.row === p.es) copyColumns(asm, p, runs);
  else runs.forEach((run) => transposeTiles(asm, p, run));
}

/** Rows lie next to each other: all tiles of a step, then the next step. */
function copyColumns(asm: Asm, p: PackA, runs: readonly Run[]): void {
  const { vtype, es, lanes } = p;
  const done = asm.var("i32", 0); // bytes within the panels
  const l = p.k[p.k.length - 1] ?? ONE;
  // relative to the first step of the first run
  outerLoops(asm, p.k, "a", asm.i32(0), (from) => {
    const s = asm.var("i32", from);
    asm.loop(0, l.size, 1, () => {
      for (const run of runs) {
        const src = asm.var("ptr", asm.ptrAdd(run.src, asm.get(s)));
        const dst = asm.var("ptr", asm.ptrAdd(run.dst, asm.get(done)));
        asm.loop(0, run.tiles, 1, () => {
          for (let r = 0; r < run.rows; r += lanes) {
            const n = Math.min(lanes, run.rows - r);
            storeUpTo(asm, p, r, n, asm.get(dst), 0, asm.loadPartial(vtype, n, asm.get(src), r * es));
          }
          asm.set(src, asm.ptrAdd(asm.get(src), run.rows * es));
          asm.set(dst, asm.ptrAdd(asm.get(dst), p.panel));
        });
      }
      asm.set(s, asm.add(asm.get(s), l.a));
      asm.set(done, asm.add(asm.get(done), p.step));
    });
  });
}

/** Steps lie next to each other: tile by tile, squares of lanes x lanes. */
function transposeTiles(asm: Asm, p: PackA, run: Run): void {
  const { vtype, lanes } = p;
  const src = asm.var("ptr", run.src);
  const dst = asm.var("ptr", run.dst);
  const l = p.k[p.k.length - 1] ?? ONE;
  const square = (count: number, s: Val, d: Val): void => {
    for (let r0 = 0; r0 < run.rows; r0 += lanes) {
      const rows = Array.from({ length: lanes }, (_, i) =>
        r0 + i < run.rows ? asm.loadPartial(vtype, count, at(asm, s, (r0 + i) * p.row)) : asm.konst(vtype, 0),
      );
      const n = Math.min(lanes, run.rows - r0);
      const steps = asm.transpose(rows).slice(0, count);
      steps.forEach((v, i) => storeUpTo(asm, p, r0, n, d, i * p.step, v));
    }
  };
  asm.loop(0, run.tiles, 1, () => {
    const out = asm.var("ptr", asm.get(dst));
    outerLoops(asm, p.k, "a", asm.get(src), (from) => {
      const s = asm.var("ptr", from);
      const steps = (n: number): void => {
        square(n, asm.get(s), asm.get(out));
        asm.set(s, asm.ptrAdd(asm.get(s), n * l.a));
        asm.set(out, asm.ptrAdd(asm.get(out), n * p.step));
      };
      byVectors(asm, l, lanes, () => steps(lanes), steps);
    });
    asm.set(src, asm.ptrAdd(asm.get(src), run.rows * p.row));
    asm.set(dst, asm.ptrAdd(asm.get(dst), p.panel));
  });
}

/** Stores `n` rows from row `r` on, or a whole vector where the step has room for it. */
function storeUpTo(asm: Asm, p: PackA, r: number, n: number, d: Val, offset: number, v: Val): void {
  const room = (r + p.lanes) * p.es <= p.step;
  asm.storePartial(room ? p.lanes : n, d, offset + r * p.es, v);
}

/** Address with a constant part of either sign. */
function at(asm: Asm, p: Val, bytes: number): Val {
  return bytes === 0 ? p : asm.ptrAdd(p, bytes);
}
