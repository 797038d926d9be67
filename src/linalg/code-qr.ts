// Orthogonal factors by Householder reflections, in LAPACK's convention of signs.
import type { Arg, Val } from "../codegen/index.ts";
import type { Pen } from "./pen.ts";
import { type MatrixOp, matrixRoutine } from "./routine.ts";

/**
 * The reflection H = I - τ v vᵀ, v[0] = 1, that takes x (elements from..to of `row`) to (β, 0, …): v stands in x's place after
 * this. Gives τ (0: nothing to do) and β.
 */
export function reflector(pen: Pen, row: Val, from: Val, to: Arg): { tau: Val; beta: Val } {
  const { asm } = pen;
  const next = asm.add(from, 1);
  // By the largest, so that squares neither overflow nor vanish.
  const most = pen.num(0);
  pen.each(next, to, (i) => asm.set(most, asm.bin("pmax", asm.get(most), asm.un("abs", pen.get(row, i)))));
  const alpha = pen.get(row, from);
  const tau = pen.num(0);
  const beta = pen.num(alpha);
  const size = asm.get(most);
  asm.if(asm.cmp("ne", size, 0), () => {
    const scale = asm.bin("max", size, asm.un("abs", alpha));
    pen.sweep(next, to, (l) => l.store(row, asm.div(l.load(row), l.all(scale))));
    const head = asm.div(alpha, scale);
    const norm = asm.un("sqrt", asm.fma(head, head, pen.dot(row, row, next, to)));
    const end = asm.select(asm.cmp("lt", head, 0), norm, asm.un("neg", norm));
    asm.set(tau, asm.div(asm.sub(end, head), end));
    const inverse = asm.div(1, asm.sub(head, end));
    pen.scale(row, inverse, next, to);
    asm.set(beta, asm.mul(end, scale));
  });
  pen.set(row, from, 1);
  return { tau: asm.get(tau), beta: asm.get(beta) };
}

/** A[i] -= τ v[i] w with w = vᵀ A, over rows from..to and columns left..right; `w` is working memory. */
export function reflectRows(
  pen: Pen,
  a: Val,
  width: number,
  rows: readonly [Val, Arg],
  columns: readonly [Arg, Arg],
  v: Val,
  tau: Val,
  w: Val,
): void {
  const { asm } = pen;
  pen.sweep(columns[0], columns[1], (l) => l.store(w, l.all(0)));
  pen.each(rows[0], rows[1], (i) => pen.axpy(w, pen.get(v, i), pen.at(a, i, width), columns[0], columns[1]));
  pen.each(rows[0], rows[1], (i) =>
    pen.axpy(pen.at(a, i, width), asm.un("neg", asm.mul(tau, pen.get(v, i))), w, columns[0], columns[1]),
  );
}

/** A [m, n] → [m q + q n]: Q [m, q] with orthonormal columns, then R [q, n] upper triangular; params: q (min(m, n) or m). */
export const qrPacked: MatrixOp = matrixRoutine({
  name: "qr",
  result: ([[m, n]], [q]) => [m * q + q * n],
  flops: ([[m, n]]) => 4 * m * n * Math.min(m, n),
  scratch: ([[m, n]]) => m * n + Math.min(m, n) * (m + 1) + Math.max(m, n),
  write(pen, [a], out, room, [[m, n]], [q]) {
    const { asm } = pen;
    const k = Math.min(m, n);
    const work = room;
    const vs = pen.at(work, m * n);
    const taus = pen.at(vs, k * m);
    const w = pen.at(taus, k);
    pen.copy(work, a, m * n);
    pen.each(0, k, (j) => {
      const v = pen.at(vs, j, m);
      pen.each(j, m, (i) => pen.set(v, i, pen.get(pen.at(work, i, n), j)));
      const { tau, beta } = reflector(pen, v, j, m);
      pen.set(taus, j, tau);
      pen.set(pen.at(work, j, n), j, beta);
      asm.if(asm.cmp("ne", tau, 0), () => reflectRows(pen, work, n, [j, m], [asm.add(j, 1), n], v, tau, w));
    });
    const r = pen.at(out, m * q);
    pen.zero(r, q * n);
    pen.each(0, k, (i) => {
      const [to, from] = [r, work].map((x) => pen.at(x, i, n));
      pen.sweep(i, n, (l) => l.store(to, l.load(from)));
    });
    pen.identity(out, m, q);
    pen.down(k, 0, (j) => reflectRows(pen, out, q, [j, m], [j, q], pen.at(vs, j, m), pen.get(taus, j), w));
  },
});
