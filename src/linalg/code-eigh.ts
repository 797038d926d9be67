// Symmetric matrices: Householder reduction to three diagonals, then implicit QL steps.
import type { Val } from "../codegen/index.ts";
import { reflector } from "./code-qr.ts";
import type { Pen } from "./pen.ts";
import { type MatrixOp, matrixRoutine } from "./routine.ts";

/** Steps one eigenvalue may take; it takes two or three. */
const MOST_STEPS = 60;

/** A symmetric [n, n] → [n + 1, n]: eigenvalues in ascending order, then their vectors as columns; params: 0 for values only. */
export const eighPacked: MatrixOp = matrixRoutine({
  name: "eigh",
  result: ([[n]], [vectors]) => [vectors === 1 ? n + 1 : 1, n],
  flops: ([[n]]) => 9 * n ** 3,
  scratch: ([[n]]) => 2 * n * n + 3 * n,
  write(pen, [a], out, room, [[n]], [vectors]) {
    const { asm } = pen;
    const work = room;
    const z = pen.at(work, n * n);
    const e = pen.at(z, n * n);
    const w = pen.at(e, n);
    const taus = pen.at(w, n);
    pen.copy(work, a, n * n);
    tridiagonal(pen, work, n, out, e, w, taus);
    if (vectors === 1) {
      pen.identity(z, n, n);
      // Rows of Z are eigenvectors in the end: Z = Qᵀ, from the last reflection on.
      pen.down(n - 1, 0, (k) => {
        const v = pen.at(work, k, n);
        const tau = pen.get(taus, k);
        asm.if(asm.cmp("ne", tau, 0), () =>
          pen.each(asm.add(k, 1), n, (i) => {
            const row = pen.at(z, i, n);
            const s = asm.mul(tau, pen.dot(row, v, asm.add(k, 1), n));
            pen.axpy(row, asm.un("neg", s), v, asm.add(k, 1), n);
          }),
        );
      });
    }
    implicitQL(pen, n, out, e, vectors === 1 ? z : null);
    ascending(pen, n, out, vectors === 1 ? z : null);
    if (vectors !== 1) return;
    pen.each(0, n, (i) => {
      const row = pen.at(out, asm.add(i, 1), n);
      pen.each(0, n, (j) => pen.set(row, j, pen.get(pen.at(z, j, n), i)));
    });
  },
});

/**
 * The diagonal into d, what stands beside it into e[0..n-2]. Row k of `a` then holds the vector of reflection k from k + 1 on.
 */
function tridiagonal(pen: Pen, a: Val, n: number, d: Val, e: Val, w: Val, taus: Val): void {
  const { asm } = pen;
  pen.each(0, n, (k) => {
    const v = pen.at(a, k, n);
    const next = asm.add(k, 1);
    pen.set(d, k, pen.get(v, k));
    asm.if(asm.cmp("lt", next, n), () => {
      const { tau, beta } = reflector(pen, v, next, n);
      pen.set(taus, k, tau);
      pen.set(e, k, beta);
      asm.if(asm.cmp("ne", tau, 0), () => {
        // p = τ A v, w = p - (τ/2 pᵀv) v, A -= v wᵀ + w vᵀ.
        pen.each(next, n, (i) => pen.set(w, i, asm.mul(tau, pen.dot(pen.at(a, i, n), v, next, n))));
        const half = asm.mul(asm.mul(tau, -0.5), pen.dot(w, v, next, n));
        pen.axpy(w, half, v, next, n);
        pen.each(next, n, (i) => {
          const row = pen.at(a, i, n);
          const [p, q] = [asm.un("neg", pen.get(v, i)), asm.un("neg", pen.get(w, i))];
          pen.sweep(next, n, (l) =>
            l.store(row, asm.fma(l.all(p), l.load(w), asm.fma(l.all(q), l.load(v), l.load(row)))),
          );
        });
      });
    });
  });
  pen.set(e, n - 1, 0);
}

/** Rotations until e is nothing beside d; the rows of z are turned along. */
function implicitQL(pen: Pen, n: number, d: Val, e: Val, z: Val | null): void {
  const { asm } = pen;
  /** The first m ≥ l where the matrix falls apart behind row m. */
  const split = (l: Val): Val => {
    const m = pen.int(l);
    const go = pen.int(0);
    const look = (): void => {
      const at = asm.get(m);
      asm.set(go, 0);
      asm.if(asm.cmp("lt", at, n - 1), () => {
        const size = asm.add(asm.un("abs", pen.get(d, at)), asm.un("abs", pen.get(d, asm.add(at, 1))));
        const beside = asm.un("abs", pen.get(e, at));
        asm.set(go, asm.cmp("gt", beside, asm.mul(size, 2 ** -53)));
      });
    };
    look();
    asm.if(asm.get(go), () =>
      asm.repeat(() => {
        asm.set(m, asm.add(asm.get(m), 1));
        look();
        return asm.get(go);
      }),
    );
    return asm.get(m);
  };
  pen.each(0, n, (l) => {
    const steps = pen.int(0);
    asm.repeat(() => {
      const m = split(l);
      const again = pen.int(asm.cmp("ne", m, l));
      asm.if(asm.get(again), () => {
        step(pen, l, m, n, d, e, z);
        asm.set(steps, asm.add(asm.get(steps), 1));
        asm.set(again, asm.cmp("lt", asm.get(steps), MOST_STEPS));
        // Without an end there are no values.
        asm.if(asm.cmp("eq", asm.get(again), 0), () => pen.set(d, l, NaN));
      });
      return asm.get(again);
    });
  });
}

/** One QL step with Wilkinson's shift over rows l..m. */
function step(pen: Pen, l: Val, m: Val, n: number, d: Val, e: Val, z: Val | null): void {
  const { asm } = pen;
  const [dl, el] = [pen.get(d, l), pen.get(e, l)];
  const slope = asm.div(asm.sub(pen.get(d, asm.add(l, 1)), dl), asm.mul(el, 2));
  const root = pen.hypot(slope, asm.f64(1));
  const signed = asm.bin("copysign", root, slope);
  const g = pen.num(asm.add(asm.sub(pen.get(d, m), dl), asm.div(el, asm.add(slope, signed))));
  const [s, c, p] = [pen.num(1), pen.num(1), pen.num(0)];
  const live = pen.int(1);
  pen.down(m, l, (i) =>
    asm.if(asm.get(live), () => {
      const next = asm.add(i, 1);
      const ei = pen.get(e, i);
      const f = asm.mul(asm.get(s), ei);
      const b = asm.mul(asm.get(c), ei);
      const r = pen.hypot(f, asm.get(g));
      pen.set(e, next, r);
      asm.if(
        asm.cmp("eq", r, 0),
        () => {
          pen.set(d, next, asm.sub(pen.get(d, next), asm.get(p)));
          pen.set(e, m, 0);
          asm.set(live, 0);
        },
        () => {
          asm.set(s, asm.div(f, r));
          asm.set(c, asm.div(asm.get(g), r));
          const [sn, cs] = [asm.get(s), asm.get(c)];
          const base = asm.sub(pen.get(d, next), asm.get(p));
          const t = asm.add(asm.mul(asm.sub(pen.get(d, i), base), sn), asm.mul(asm.mul(cs, b), 2));
          asm.set(p, asm.mul(sn, t));
          pen.set(d, next, asm.add(base, asm.get(p)));
          asm.set(g, asm.sub(asm.mul(cs, t), b));
          if (z !== null) pen.rotate(pen.at(z, next, n), pen.at(z, i, n), cs, sn, n);
        },
      );
    }),
  );
  asm.if(asm.get(live), () => {
    pen.set(d, l, asm.sub(pen.get(d, l), asm.get(p)));
    pen.set(e, l, asm.get(g));
    pen.set(e, m, 0);
  });
}

/** Values in ascending order, the rows of z with them. */
function ascending(pen: Pen, n: number, d: Val, z: Val | null): void {
  const { asm } = pen;
  pen.each(0, n - 1, (i) => {
    const least = pen.int(i);
    pen.each(asm.add(i, 1), n, (j) =>
      asm.if(asm.cmp("lt", pen.get(d, j), pen.get(d, asm.get(least))), () => asm.set(least, j)),
    );
    const k = asm.get(least);
    const [x, y] = [pen.get(d, i), pen.get(d, k)];
    pen.set(d, i, y);
    pen.set(d, k, x);
    if (z !== null) asm.if(asm.cmp("ne", k, i), () => pen.swap(pen.at(z, i, n), pen.at(z, k, n), n));
  });
}
