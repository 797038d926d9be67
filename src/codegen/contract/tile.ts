// The register tile: rows x nv vectors of accumulators, one pass over the k steps of a block.
import type { Arg, Asm, Val, VecType } from "../asm/index.ts";
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
  /** Partial sums to begin with: address, else zero. */
  readonly init: Val | undefined;
}

/** Emits the loops and hands back the sums [row][vector]. */
export function emitTile(asm: Asm, t: Tile): Val[][] {
  const { vtype, es, lanes, rows, nv } = t;
  const acc = Array.from({ length: rows }, (_, r) =>
    Array.from({ length: nv }, (_, j) =>
      asm.var(vtype, t.init ? asm.load(vtype, t.init, (r * nv + j) * lanes * es) : 0),
    ),
  );
  const step = (ap: Val, bp: Val): void => {
    const bs = Array.from({ length: nv }, (_, j) =>
      t.directB && j === nv - 1
        ? asm.loadPartial(vtype, t.last, bp, j * lanes * es)
        : asm.load(vtype, bp, j * lanes * es),
    );
    for (let r = 0; r < rows; r++) {
      const x = asm.loadSplat(vtype, ap, r * t.rowA);
      for (let j = 0; j < nv; j++) asm.set(acc[r][j], asm.fma(x, bs[j], asm.get(acc[r][j])));
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
    const walk = (level: number, a: Val, b: Val): void => {
      const l = t.k[level];
      if (!l) return step(a, b);
      const ap = asm.var("ptr", a);
      const bp = asm.var("ptr", b);
      asm.loop(0, l.size, 1, () => {
        walk(level + 1, asm.get(ap), asm.get(bp));
        asm.set(ap, asm.ptrAdd(asm.get(ap), l.a));
        asm.set(bp, asm.ptrAdd(asm.get(bp), l.b));
      });
    };
    walk(0, t.a, t.b);
  }
  return acc.map((row) => row.map((v) => asm.get(v)));
}

/** One row times `columns` columns, all contiguous along k: `steps` elements each. Gives the sums as vectors of columns. */
export function emitDot(
  asm: Asm,
  vtype: VecType,
  es: number,
  a: Val,
  b: Val,
  column: number,
  columns: number,
  steps: number,
): Val[] {
  const lanes = asm.lanesOf(vtype);
  const acc = Array.from({ length: columns }, () => asm.var(vtype, 0));
  const ap = asm.var("ptr", a);
  const bp = asm.var("ptr", b);
  const step = (n: number): void => {
    const x = asm.loadPartial(vtype, n, asm.get(ap));
    const p = asm.get(bp);
    acc.forEach((v, c) => asm.set(v, asm.fma(x, asm.loadPartial(vtype, n, p, c * column), asm.get(v))));
  };
  const rest = steps % lanes;
  asm.loop(0, steps - rest, lanes, () => {
    step(lanes);
    asm.set(ap, asm.ptrAdd(asm.get(ap), lanes * es));
    asm.set(bp, asm.ptrAdd(asm.get(bp), lanes * es));
  });
  if (rest) step(rest);
  const sums = acc.map((v) => asm.get(v));
  asm.pin(sums);
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
      out[out.length - 1] = { size, a: x.a, b: x.b };
    } else out.push(x);
  }
  return out;
}
