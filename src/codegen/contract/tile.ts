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
  /** Multiply-adds wanted in one turn of the innermost loop. */
  readonly unroll: number;
  /** Every second row multiplies by its element of A straight from memory: fewer instructions, more loads. */
  readonly fold: boolean;
  /** Where to write what is read of B, as a padded panel. */
  readonly panel?: Var | undefined;
  /** A lies in squares (see squares.ts): bytes by which their lines are asked for early. */
  readonly early?: number | undefined;
}

/** Sums to begin with, [row][vector]. */
export function tileSums(asm: Asm, vtype: VecType, rows: number, nv: number): Var[][] {
  return Array.from({ length: rows }, () => Array.from({ length: nv }, () => asm.var(vtype, 0)));
}

/** Steps of k by which rows of B are asked for early: they come from far away. */
const AHEAD = 24;

/** Emits the loops that add to the sums. */
export function emitTile(asm: Asm, t: Tile, acc: readonly (readonly Var[])[]): void {
  const { vtype, es, lanes, rows, nv } = t;
  const step = (ap: Val, bp: Val): void => {
    const bs = Array.from({ length: nv }, (_, j) =>
      t.directB && j === nv - 1
        ? asm.loadPartial(vtype, t.last, bp, j * lanes * es)
        : asm.load(vtype, bp, j * lanes * es),
    );
    if (t.panel) {
      const to = asm.get(t.panel);
      for (let j = 0; j < nv; j++) {
        asm.prefetch(bp, AHEAD * t.k[t.k.length - 1].b + j * lanes * es);
        asm.store(to, j * lanes * es, bs[j]);
      }
      asm.set(t.panel, asm.ptrAdd(to, nv * lanes * es));
    }
    for (let r = 0; r < rows; r++) {
      const splat = (): Val => asm.loadSplat(vtype, ap, r * t.rowA);
      const x = t.fold && r % 2 === 1 ? undefined : splat();
      for (let j = 0; j < nv; j++) asm.set(acc[r][j], asm.fma(x ?? splat(), bs[j], asm.get(acc[r][j])));
    }
  };
  if (t.table) {
    const tp = asm.var("ptr", t.table);
    const bp = asm.var("ptr", t.b);
    asm.loop(0, t.k[0].size, 1, () => {
      // as a variable, so that it counts as a pointer and takes up the offsets of the rows
      step(asm.get(asm.var("ptr", asm.ptrAdd(t.a, asm.load("i32", asm.get(tp))))), asm.get(bp));
      asm.set(tp, asm.ptrAdd(asm.get(tp), 4));
      asm.set(bp, asm.ptrAdd(asm.get(bp), t.k[0].b));
    });
  } else {
    const fit = t.unroll / (rows * nv);
    const turns = fit >= 4 ? 4 : fit >= 2 ? 2 : 1;
    const walk = (level: number, a: Val, b: Val): void => {
      const l = t.k[level];
      if (!l) return step(a, b);
      const ap = asm.var("ptr", a);
      const bp = asm.var("ptr", b);
      // As many lines as there are rows, in as many steps as there are lanes.
      const early = level === t.k.length - 1 ? t.early : undefined;
      const soon = early === undefined ? undefined : asm.var("ptr", asm.ptrAdd(a, early));
      const advance = (n: number): void => {
        if (soon) asm.set(soon, asm.ptrAdd(asm.get(soon), n * rows * es));
        asm.set(ap, asm.ptrAdd(asm.get(ap), n * l.a));
        asm.set(bp, asm.ptrAdd(asm.get(bp), n * l.b));
      };
      if (level < t.k.length - 1 || turns === 1) {
        asm.loop(0, l.size, 1, () => {
          walk(level + 1, asm.get(ap), asm.get(bp));
          advance(1);
        });
        return;
      }
      const some = (n: number): void => {
        for (let i = 0; i < n; i++) {
          if (soon) asm.prefetch(asm.get(soon), i * rows * es, 1);
          step(asm.ptrAdd(asm.get(ap), i * l.a), asm.ptrAdd(asm.get(bp), i * l.b));
        }
        advance(n);
      };
      if (typeof l.size === "number") return byVectors(asm, l, turns, () => some(turns), some);
      const whole = asm.bin("and", l.size, -turns);
      asm.loop(0, whole, turns, () => some(turns));
      asm.loop(whole, l.size, 1, () => some(1));
    };
    walk(0, t.a, t.b);
  }
}

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
  const { vtype, es, columns } = d;
  const lanes = asm.lanesOf(vtype);
  // Few columns take several chains each.
  const chains = Math.max(1, Math.min(4, Math.floor(8 / columns)));
  const acc = Array.from({ length: chains }, () => Array.from({ length: columns }, () => asm.var(vtype, 0)));
  const ap = asm.var("ptr", d.a);
  const bp = asm.var("ptr", d.b);
  const step = (chain: number, n: number, from: number): void => {
    const x = asm.loadPartial(vtype, n, asm.get(ap), from * es);
    const p = asm.ptrAdd(asm.get(bp), from * es);
    acc[chain].forEach((v, c) =>
      asm.set(v, asm.fma(x, asm.loadPartial(vtype, n, asm.ptrAdd(p, c * d.column)), asm.get(v))),
    );
  };
  const advance = (n: number): void => {
    asm.set(ap, asm.ptrAdd(asm.get(ap), n * es));
    asm.set(bp, asm.ptrAdd(asm.get(bp), n * es));
  };
  byVectors(
    asm,
    d.k,
    lanes * chains,
    () => {
      for (let i = 0; i < chains; i++) step(i, lanes, i * lanes);
      advance(lanes * chains);
    },
    (rest) => {
      for (let i = 0; i * lanes < rest; i++) step(i, Math.min(lanes, rest - i * lanes), i * lanes);
    },
  );
  const all = acc.map((list) => list.map((v) => asm.get(v)));
  asm.pin(all.flat());
  const sums = Array.from({ length: columns }, (_, c) => all.map((list) => list[c]).reduce((x, y) => asm.add(x, y)));
  const out: Val[] = [];
  for (let c = 0; c < columns; c += lanes) {
    const group = Array.from({ length: lanes }, (_, i) => sums[c + i] ?? asm.konst(vtype, 0));
    let t = asm.transpose(group);
    while (t.length > 1) t = Array.from({ length: t.length / 2 }, (_, i) => asm.add(t[2 * i], t[2 * i + 1]));
    out.push(t[0]);
  }
  return out;
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
