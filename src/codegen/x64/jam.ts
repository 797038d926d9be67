// Rows side by side: the code of several bodies with the same loops becomes one set of loops, so that what one row waits for
// (a sum across lanes, a division) is hidden behind the others.
import type { Val } from "../asm/index.ts";

const CONTROL = /^(loop|endloop|repeat|again|if|else|endif)$/;
/** Whole numbers that are computed from others: they may stand as early as these. */
const PLAIN = /^(const|add|sub|mul|shl|shr[SU]|and|or|xor|div[SU]|rem[SU]|select|eq|ne|[lg][te]U?)$/;

/** What is in front of the first loop, between loops, behind the last; and the loops' marks themselves. */
function cut(part: readonly Val[]): { pieces: Val[][]; marks: Val[] } {
  const pieces: Val[][] = [[]];
  const marks: Val[] = [];
  for (const v of part) {
    if (!CONTROL.test(v.op)) pieces[pieces.length - 1].push(v);
    else {
      marks.push(v);
      pieces.push([]);
    }
  }
  return { pieces, marks };
}

/** Writes the parts to `code` with their loops as one; false, and nothing written, where the loops are not the same. */
export function jam(code: Val[], parts: readonly Val[][]): boolean {
  const [first, ...others] = parts.map(cut);
  const twin = new Map<Val, Val>();
  const same = (x: Val | undefined, y: Val | undefined): boolean =>
    x === y ||
    (x !== undefined &&
      y !== undefined &&
      (twin.get(y) === x ||
        (x.op === y.op && x.type === y.type && x.imm === y.imm && PLAIN.test(x.op) && alike(x, y))));
  const alike = (x: Val, y: Val): boolean => same(x.a, y.a) && same(x.b, y.b) && same(x.c, y.c);
  if (first.marks.length === 0) return false;
  for (const o of others) {
    if (o.marks.length !== first.marks.length) return false;
    for (const [i, y] of o.marks.entries()) {
      const x = first.marks[i];
      if (x.op !== y.op || (x.op !== "loop" && x.op !== "endloop") || x.imm !== y.imm) return false;
      if (x.op === "loop" && !alike(x, y)) return false;
      if (x.op === "loop") twin.set(y, x);
    }
  }
  const left = new Set(parts.flat());
  const write = (v: Val): void => {
    if (!left.delete(v)) return;
    const w = v as { -readonly [K in keyof Val]: Val[K] };
    for (const k of ["a", "b", "c"] as const) {
      const x = v[k];
      if (x === undefined) continue;
      const y = twin.get(x) ?? x;
      w[k] = y;
      // Numbers are shared: one part may have what the other finds later.
      if (left.has(y)) write(y);
    }
    w.id = code.push(v) - 1;
  };
  const mine = parts.map((p) => new Set(p));
  parts.forEach((p, i) => {
    for (const v of p)
      for (const x of [v.a, v.b, v.c])
        if (x !== undefined && x.op !== "loop" && left.has(x) && !mine[i].has(x)) write(x);
  });
  first.pieces.forEach((piece, i) => {
    piece.forEach(write);
    for (const o of others) o.pieces[i].forEach(write);
    const mark = first.marks[i];
    if (mark === undefined) return;
    write(mark);
    for (const o of others) left.delete(o.marks[i]);
  });
  return true;
}
