// Triangular factors and solutions: LU with row exchanges, Cholesky, substitution.
import type { Val } from "../codegen/index.ts";
import type { Pen } from "./pen.ts";
import { type MatrixOp, matrixRoutine } from "./routine.ts";

/**
 * A [n, n] → [n + 2, n]: L below the diagonal (ones on it) and U, then the number of the row of A that stands in each row, then the
 * sign of that permutation.
 */
export const luPacked: MatrixOp = matrixRoutine({
  name: "lu",
  result: ([[n]]) => [n + 2, n],
  flops: ([[n]]) => (2 / 3) * n ** 3,
  scratch: () => 0,
  write(pen, [a], out, _room, [[n]]) {
    const { asm } = pen;
    pen.copy(out, a, n * n);
    const perm = pen.at(out, n, n);
    const row = (i: Val): Val => pen.at(out, i, n);
    pen.each(0, n, (i) => pen.set(perm, i, asm.convert("f64", i)));
    const sign = pen.num(1);
    pen.each(0, n, (k) => {
      const best = pen.num(asm.un("abs", pen.get(row(k), k)));
      const at = pen.int(k);
      pen.each(asm.add(k, 1), n, (i) => {
        const size = asm.un("abs", pen.get(row(i), k));
        asm.if(asm.cmp("gt", size, asm.get(best)), () => {
          asm.set(best, size);
          asm.set(at, i);
        });
      });
      const p = asm.get(at);
      asm.if(asm.cmp("ne", p, k), () => {
        pen.swap(row(k), row(p), n);
        const [x, y] = [pen.get(perm, k), pen.get(perm, p)];
        pen.set(perm, k, y);
        pen.set(perm, p, x);
        asm.set(sign, asm.un("neg", asm.get(sign)));
      });
      const top = row(k);
      const pivot = pen.get(top, k);
      asm.if(asm.cmp("ne", pivot, 0), () =>
        pen.each(asm.add(k, 1), n, (i) => {
          const here = row(i);
          const factor = asm.div(pen.get(here, k), pivot);
          pen.set(here, k, factor);
          pen.axpy(here, asm.un("neg", factor), top, asm.add(k, 1), n);
        }),
      );
    });
    pen.each(0, n, (i) => pen.set(pen.at(out, n + 1, n), i, asm.get(sign)));
  },
});

/** A symmetric positive definite [n, n] (its lower part is read) → L with A = L Lᵀ; NaN where A is not. */
export const choleskyLower: MatrixOp = matrixRoutine({
  name: "cholesky",
  result: ([[n]]) => [n, n],
  flops: ([[n]]) => n ** 3 / 3,
  scratch: () => 0,
  write(pen, [a], out, _room, [[n]]) {
    const { asm } = pen;
    pen.zero(out, n * n);
    pen.each(0, n, (j) => {
      const here = pen.at(out, j, n);
      const rest = asm.sub(pen.get(pen.at(a, j, n), j), pen.dot(here, here, 0, j));
      const root = asm.un("sqrt", rest);
      pen.set(here, j, root);
      pen.each(asm.add(j, 1), n, (i) => {
        const row = pen.at(out, i, n);
        const left = asm.sub(pen.get(pen.at(a, i, n), j), pen.dot(row, here, 0, j));
        pen.set(row, j, asm.div(left, root));
      });
    });
  },
});

/** Bits of the parameter of `substitute`. */
export const UPPER = 1;
export const TRANSPOSED = 2;
export const UNIT = 4;

/** T [n, n] triangular, B [n, m] → X with T X = B (or Tᵀ X = B). The other triangle is not read. */
export const substitute: MatrixOp = matrixRoutine({
  name: "substitute",
  result: (shapes) => shapes[1],
  flops: ([[n], [, m]]) => n * n * m,
  scratch: () => 0,
  write(pen, [t, b], out, _room, [[n], [, m]], [how]) {
    const { asm } = pen;
    pen.copy(out, b, n * m);
    const trans = (how & TRANSPOSED) !== 0;
    const at = (i: Val, j: Val): Val => (trans ? pen.get(pen.at(t, j, n), i) : pen.get(pen.at(t, i, n), j));
    // From the top where T (as it is applied) is lower.
    const fromTop = ((how & UPPER) !== 0) === trans;
    const one = (i: Val): void => {
      const row = pen.at(out, i, m);
      const known = (j: Val): void => subtract(pen, row, at(i, j), pen.at(out, j, m), m);
      if (fromTop) pen.each(0, i, known);
      else pen.each(asm.add(i, 1), n, known);
      if ((how & UNIT) !== 0) return;
      const d = at(i, i);
      pen.sweep(0, m, (l) => l.store(row, asm.div(l.load(row), l.all(d))));
    };
    if (fromTop) pen.each(0, n, one);
    else pen.down(n, 0, one);
  },
});

const subtract = (pen: Pen, y: Val, a: Val, x: Val, count: number): void =>
  pen.axpy(y, pen.asm.un("neg", a), x, 0, count);
