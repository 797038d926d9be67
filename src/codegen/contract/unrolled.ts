// The register tile in machine code: several steps of k in a turn, what is read of B written as a panel, lines asked for early.
import type { Asm, Val, Var } from "../asm/index.ts";
import { byVectors } from "./pack.ts";
import { emitTile, type Tile, tileStep } from "./tile.ts";

export interface Unrolled extends Tile {
  /** Where to write what is read of B, as a padded panel. */
  readonly panel?: Var | undefined;
  /** A lies in squares (see squares.ts): bytes by which their lines are asked for early. */
  readonly early?: number | undefined;
}

/** Steps of k by which rows of B are asked for early: they come from far away. */
const AHEAD = 24;

/** Emits the loops that add to the sums. */
export function emitUnrolled(asm: Asm, t: Unrolled, acc: readonly (readonly Var[])[]): void {
  if (t.table) return emitTile(asm, t, acc);
  const { panel, rows, nv, es } = t;
  const size = t.lanes * es;
  const toPanel = (from: Val, bs: readonly Val[]): void => {
    if (!panel) return;
    const to = asm.get(panel);
    bs.forEach((b, j) => {
      asm.prefetch(from, AHEAD * t.k[t.k.length - 1].b + j * size);
      asm.store(to, j * size, b);
    });
    asm.set(panel, asm.ptrAdd(to, nv * size));
  };
  const step = tileStep(asm, t, acc, toPanel);
  // Multiply-adds wanted in one turn of the innermost loop.
  const fit = (4 * asm.lanes) / (rows * nv);
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
