// Singular values by one-sided Jacobi rotations: slow but for small matrices, and right in every digit.
import type { Val } from "../codegen/index.ts";
import type { Pen } from "./pen.ts";
import { type MatrixOp, matrixRoutine } from "./routine.ts";

/** Sweeps over all pairs; it takes six to ten. */
const MOST_SWEEPS = 42;
/** Rows shorter than this (of a matrix whose largest element is 1) have no direction left. */
const NOTHING = 1e-150;

/** A square [n, n] → [n + 2 n²]: singular values in descending order, then Uᵀ and Vᵀ, vectors as rows: A = U S Vᵀ. */
export const svdPacked: MatrixOp = matrixRoutine({
  name: "svd",
  result: ([[n]]) => [n + 2 * n * n],
  flops: ([[n]]) => 80 * n ** 3,
  scratch: () => 0,
  write(pen, [a], out, _room, [[n]]) {
    const { asm } = pen;
    const u = pen.at(out, n);
    const w = pen.at(u, n * n);
    const largest = pen.num(0);
    pen.each(0, n * n, (i) => asm.set(largest, asm.bin("max", asm.get(largest), asm.un("abs", pen.get(a, i)))));
    const scale = asm.select(asm.cmp("gt", asm.get(largest), 0), asm.get(largest), 1);
    pen.sweep(0, n * n, (l) => l.store(w, asm.div(l.load(a), l.all(scale))));
    pen.identity(u, n, n);
    orthogonalRows(pen, w, u, n);
    pen.each(0, n, (i) => {
      const row = pen.at(w, i, n);
      pen.set(out, i, asm.un("sqrt", pen.dot(row, row, 0, n)));
    });
    descending(pen, n, out, [u, w]);
    pen.each(0, n, (i) => {
      const row = pen.at(w, i, n);
      const size = pen.get(out, i);
      asm.if(
        asm.cmp("lt", size, NOTHING),
        () => complete(pen, w, i, n),
        () => pen.sweep(0, n, (l) => l.store(row, asm.div(l.load(row), l.all(size)))),
      );
      pen.set(out, i, asm.mul(size, scale));
    });
  },
});

/** Turns pairs of rows of w (and u along) until all are orthogonal. */
function orthogonalRows(pen: Pen, w: Val, u: Val, n: number): void {
  const { asm } = pen;
  const sweeps = pen.int(0);
  asm.repeat(() => {
    const turned = pen.int(0);
    pen.each(0, n - 1, (i) =>
      pen.each(asm.add(i, 1), n, (k) => {
        const [p, q] = [pen.at(w, i, n), pen.at(w, k, n)];
        const [alpha, beta, gamma] = [pen.dot(p, p, 0, n), pen.dot(q, q, 0, n), pen.dot(p, q, 0, n)];
        const limit = asm.mul(asm.mul(asm.un("sqrt", alpha), asm.un("sqrt", beta)), 2 ** -52);
        asm.if(asm.cmp("gt", asm.un("abs", gamma), limit), () => {
          asm.set(turned, 1);
          const zeta = asm.div(asm.sub(beta, alpha), asm.mul(gamma, 2));
          const size = asm.add(asm.un("abs", zeta), asm.un("sqrt", asm.fma(zeta, zeta, 1)));
          const t = asm.bin("copysign", asm.div(1, size), zeta);
          const c = asm.div(1, asm.un("sqrt", asm.fma(t, t, 1)));
          const s = asm.un("neg", asm.mul(c, t));
          pen.rotate(p, q, c, s, n);
          pen.rotate(pen.at(u, i, n), pen.at(u, k, n), c, s, n);
        });
      }),
    );
    asm.set(sweeps, asm.add(asm.get(sweeps), 1));
    return asm.bin("and", asm.get(turned), asm.cmp("lt", asm.get(sweeps), MOST_SWEEPS));
  });
}

/** Values in descending order, the rows of each of `along` with them. */
function descending(pen: Pen, n: number, values: Val, along: readonly Val[]): void {
  const { asm } = pen;
  pen.each(0, n - 1, (i) => {
    const most = pen.int(i);
    pen.each(asm.add(i, 1), n, (j) =>
      asm.if(asm.cmp("gt", pen.get(values, j), pen.get(values, asm.get(most))), () => asm.set(most, j)),
    );
    const k = asm.get(most);
    const [x, y] = [pen.get(values, i), pen.get(values, k)];
    pen.set(values, i, y);
    pen.set(values, k, x);
    asm.if(asm.cmp("ne", k, i), () => along.forEach((z) => pen.swap(pen.at(z, i, n), pen.at(z, k, n), n)));
  });
}

/** Row j of w becomes a unit vector orthogonal to the rows before it. */
function complete(pen: Pen, w: Val, j: Val, n: number): void {
  const { asm } = pen;
  const row = pen.at(w, j, n);
  const tries = pen.int(0);
  const size = pen.num(0);
  asm.repeat(() => {
    const t = asm.get(tries);
    pen.zero(row, n);
    pen.set(row, t, 1);
    // Twice is enough.
    for (let again = 0; again < 2; again++)
      pen.each(0, j, (i) => {
        const other = pen.at(w, i, n);
        pen.axpy(row, asm.un("neg", pen.dot(row, other, 0, n)), other, 0, n);
      });
    asm.set(size, pen.dot(row, row, 0, n));
    asm.set(tries, asm.add(t, 1));
    // Of n unit vectors one keeps at least this.
    return asm.bin("and", asm.cmp("lt", asm.get(size), 0.5 / n), asm.cmp("lt", asm.get(tries), n));
  });
  pen.scale(row, asm.div(1, asm.un("sqrt", asm.get(size))), 0, n);
}
