// Rows of A in squares: as many steps of each row of a tile as a vector has lanes, then the next steps. No two rows fall into
// the same lines of the cache then, wherever they lay.
import type { Arg, Asm, Var } from "../asm/index.ts";
import { byVectors, ONE, outerLoops } from "./pack.ts";
import type { PackA, Run } from "./pack.ts";
import { product } from "./spec.ts";
import type { Norm } from "./spec.ts";
import { emitUnrolled, type Unrolled } from "./unrolled.ts";

/** Bytes after which rows of A fall into the same lines of the first-level cache. */
const PAGE = 4096;
/** Rows and columns that repay packing. */
const ROWS = 64;
const COLUMNS = 512;

/** True where rows of A begin at the same place of their pages: those of a tile would drive each other out of the cache. */
function fits({ mOuter, m, n, k }: Norm, es: number, lanes: number): boolean {
  const inLine = k[k.length - 1]?.a === 1 && k.slice(1).every((x) => x.size % lanes === 0);
  const pages = inLine && (m.a * es) % PAGE === 0 && mOuter.length === 0;
  return pages && m.size >= ROWS && n.size >= COLUMNS && product(k) >= 4 * lanes;
}

/** Packs the rows of some tiles. */
function copySquares(asm: Asm, p: PackA, run: Run): void {
  const { vtype, es, lanes } = p;
  const line = lanes * es;
  const square = run.rows * line;
  const l = p.k[p.k.length - 1] ?? ONE;
  const src = asm.var("ptr", run.src);
  const dst = asm.var("ptr", run.dst);
  asm.loop(0, run.tiles, 1, () => {
    const from = asm.var("ptr", asm.get(src));
    const to = asm.var("ptr", asm.get(dst));
    asm.loop(0, run.rows, 1, () => {
      const out = asm.var("ptr", asm.get(to));
      outerLoops(asm, p.k, "a", asm.get(from), (first) => {
        const s = asm.var("ptr", first);
        const copy = (n: number): void => {
          for (let i = 0; i * lanes < n; i++) {
            asm.prefetch(asm.get(s), p.row + i * line);
            const v = asm.loadPartial(vtype, Math.min(lanes, n - i * lanes), asm.get(s), i * line);
            asm.store(asm.get(out), i * square, v);
          }
          asm.set(s, asm.ptrAdd(asm.get(s), n * es));
          asm.set(out, asm.ptrAdd(asm.get(out), Math.ceil(n / lanes) * square));
        };
        byVectors(asm, l, 4 * lanes, () => copy(4 * lanes), copy);
      });
      asm.set(from, asm.ptrAdd(asm.get(from), p.row));
      asm.set(to, asm.ptrAdd(asm.get(to), line));
    });
    asm.set(src, asm.get(from));
    asm.set(dst, asm.ptrAdd(asm.get(dst), p.panel));
  });
}

/** Adds to the sums of a tile: `emitUnrolled` for rows that lie in squares. `k` is one loop. */
function emitSquares(asm: Asm, t: Unrolled, acc: readonly (readonly Var[])[]): void {
  const { es, lanes, rows } = t;
  const [{ size, b, last }] = t.k;
  const square = rows * lanes * es;
  const whole = typeof size === "number" ? Math.floor(size / lanes) : asm.bin("divU", size, lanes);
  const squares = [
    { size: whole, a: square, b: lanes * b, last: 0 },
    { size: lanes, a: es, b, last: lanes },
  ];
  emitUnrolled(asm, { ...t, k: squares }, acc);
  const rest = last % lanes;
  if (rest === 0) return;
  const ends = (): void => {
    const skip = (bytes: number): Arg => (typeof whole === "number" ? whole * bytes : asm.mul(whole, bytes));
    const a = asm.ptrAdd(t.a, skip(square));
    const k = [{ size: rest, a: es, b, last: rest }];
    emitUnrolled(asm, { ...t, a, b: asm.ptrAdd(t.b, skip(lanes * b)), k, early: undefined }, acc);
  };
  if (typeof size === "number") ends();
  else asm.if(asm.bin("and", size, lanes - 1), ends);
}

/** All of it, as a target brings it along. */
export interface Squares {
  readonly fits: (norm: Norm, es: number, lanes: number) => boolean;
  readonly pack: (asm: Asm, p: PackA, run: Run) => void;
  readonly tile: (asm: Asm, t: Unrolled, acc: readonly (readonly Var[])[]) => void;
}
export const squares: Squares = { fits, pack: copySquares, tile: emitSquares };
