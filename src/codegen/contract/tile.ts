// The register tile: rows x nv vectors of accumulators, one pass over the k steps of a block.
import type { Arg, Asm, Val, Var, VecType } from "../asm/index.ts";
import { byVectors } from "./pack.ts";
import type { KLoop } from "./pack.ts";

export interface Tile {
  readonly vtype: VecType;
  readonly es: number;
  readonly lanes: number;
  readonly rows: number;
  readonly nv: number;
  /** Valid lanes of the last vector, for loads straight from B. */
  readonly last: number;
  /** Address of (row 0, k 0) of A, and bytes between rows. */
  readonly a: Val;
  readonly rowA: number;
  /** Address of (k 0, column 0) of B. */
  readonly b: Val;
  /** B comes from memory, not from a padded panel. */
  readonly directB: boolean;
  /** k loops, outermost first; one loop when everything is linear. */
  readonly k: readonly KLoop[];
  /** Offsets of A per step (i32 table): then `k` is one loop. */
  readonly table: Val | undefined;
}

/** Sums to begin with, [row][vector]: zeros, or those up to here. */
export function tileSums(
  asm: Asm,
  vtype: VecType,
  rows: number,
  nv: number,
  before: (row: number, vector: number) => Arg = () => 0,
): Var[][] {
  return Array.from({ length: rows }, (_, i) => Array.from({ length: nv }, (_, j) => asm.var(vtype, before(i, j))));
}

/** Adds one step of k, whose elements of A and B begin at these addresses; `seen` gets what was read of B. */
export function tileStep(
  asm: Asm,
  t: Tile,
  acc: readonly (readonly Var[])[],
  seen?: (from: Val, bs: readonly Val[]) => void,
): (ap: Val, bp: Val) => void {
  const { vtype, rows, nv } = t;
  const size = t.lanes * t.es;
  return (ap, bp) => {
    const bs = Array.from({ length: nv }, (_, j) =>
      t.directB && j === nv - 1 ? asm.loadPartial(vtype, t.last, bp, j * size) : asm.load(vtype, bp, j * size),
    );
    seen?.(bp, bs);
    for (let r = 0; r < rows; r++) {
      const splat = (): Val => asm.loadSplat(vtype, ap, r * t.rowA);
      // With 16 lanes every second row multiplies by its element straight from memory: fewer instructions, more loads.
      const x = asm.lanes === 16 && r % 2 === 1 ? undefined : splat();
      for (let j = 0; j < nv; j++) asm.set(acc[r][j], asm.fma(x ?? splat(), bs[j], asm.get(acc[r][j])));
    }
  };
}

/** Emits the loops that add to the sums. */
export function emitTile(asm: Asm, t: Tile, acc: readonly (readonly Var[])[]): void {
  const step = tileStep(asm, t, acc);
  const walk = (level: number, a: Val, b: Val): void => {
    const l = t.k[level];
    if (!l) return step(a, b);
    const ap = asm.var("ptr", t.table ?? a);
    const bp = asm.var("ptr", b);
    asm.loop(0, l.size, 1, () => {
      // as a variable, so that it counts as a pointer and takes up the offsets of the rows
      const from = t.table ? asm.get(asm.var("ptr", asm.ptrAdd(a, asm.load("i32", asm.get(ap))))) : asm.get(ap);
      walk(level + 1, from, asm.get(bp));
      asm.set(ap, asm.ptrAdd(asm.get(ap), t.table ? 4 : l.a));
      asm.set(bp, asm.ptrAdd(asm.get(bp), l.b));
    });
  };
  walk(0, t.a, t.b);
}

/** Lanes of one chain of sums along k, whatever the target's are (half as many doubles), and bytes that they have. */
export const DOT_LANES = 16;
const DOT_BYTES = 64;

export interface Dot {
  readonly vtype: VecType;
  readonly es: number;
  readonly a: Val;
  readonly b: Val;
  /** Bytes between columns of B, and their number. */
  readonly column: number;
  readonly columns: number;
  readonly k: KLoop;
}

/** One row times some columns, all contiguous along k. Gives the sums as vectors of columns. */
export function emitDot(asm: Asm, d: Dot): Val[] {
  const { vtype, columns } = d;
  const lanes = asm.lanesOf(vtype);
  // Vectors of a column's sums, and columns at a time.
  const parts = DOT_BYTES / (lanes * d.es);
  const some = ((asm.target.registers + 1) >> 1) / parts;
  const sums: Val[][] = [];
  for (let c = 0; c < columns; c += some) sums.push(...dotColumns(asm, d, parts, c, Math.min(some, columns - c)));
  const halved = (list: Val[]): Val =>
    list.length === 1
      ? list[0]
      : halved(Array.from({ length: list.length / 2 }, (_, i) => asm.add(list[2 * i], list[2 * i + 1])));
  // Neighbouring lanes first.
  return Array.from({ length: Math.ceil(columns / lanes) }, (_, v) =>
    halved(
      Array.from({ length: parts }, (_q, part) =>
        halved(
          asm.transpose(Array.from({ length: lanes }, (_r, i) => sums[v * lanes + i]?.[part] ?? asm.konst(vtype, 0))),
        ),
      ),
    ),
  );
}

/** The sums of `count` columns from column `from` on, in vectors along k. */
function dotColumns(asm: Asm, d: Dot, parts: number, from: number, count: number): Val[][] {
  const { vtype, es } = d;
  const lanes = asm.lanesOf(vtype);
  const acc = tileSums(asm, vtype, count, parts);
  const ap = asm.var("ptr", d.a);
  const bp = asm.var("ptr", asm.ptrAdd(d.b, from * d.column));
  const steps = (n: number): void => {
    for (let i = 0; i * lanes < n; i++) {
      const some = Math.min(lanes, n - i * lanes);
      const x = asm.loadPartial(vtype, some, asm.get(ap), i * lanes * es);
      const p = asm.ptrAdd(asm.get(bp), i * lanes * es);
      acc.forEach((list, c) =>
        asm.set(list[i], asm.fma(x, asm.loadPartial(vtype, some, asm.ptrAdd(p, c * d.column)), asm.get(list[i]))),
      );
    }
    for (const q of [ap, bp]) asm.set(q, asm.ptrAdd(asm.get(q), n * es));
  };
  byVectors(asm, d.k, lanes * parts, () => steps(lanes * parts), steps);
  const all = acc.map((list) => list.map((v) => asm.get(v)));
  asm.pin(all.flat());
  return all;
}

/** Merges neighbouring loops that step both operands in one stride. Sizes that are values stay outermost. */
export function mergeLoops(asm: Asm, loops: readonly KLoop[]): KLoop[] {
  const out: KLoop[] = [];
  for (const x of loops) {
    const o = out[out.length - 1];
    if (o && typeof x.size === "number" && o.a === x.a * x.size && o.b === x.b * x.size) {
      const size: Arg = typeof o.size === "number" ? o.size * x.size : asm.mul(o.size, x.size);
      out[out.length - 1] = { size, a: x.a, b: x.b, last: o.last * x.size };
    } else out.push(x);
  }
  return out;
}
