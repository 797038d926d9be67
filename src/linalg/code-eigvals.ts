// Eigenvalues of any square matrix: Hessenberg form, then Francis' double-shift QR steps.
import type { Arg, Val, Var } from "../codegen/index.ts";
import { reflector, reflectRows } from "./code-qr.ts";
import type { Pen } from "./pen.ts";
import { type MatrixOp, matrixRoutine } from "./routine.ts";

/** Steps that one or two eigenvalues may take. */
const MOST_STEPS = 90;

/** A [n, n] → [2, n]: real and imaginary parts; NaN for what does not converge. */
export const eigvalsPacked: MatrixOp = matrixRoutine({
  name: "eigvals",
  result: ([[n]]) => [2, n],
  flops: ([[n]]) => 10 * n ** 3,
  scratch: ([[n]]) => n * n + 2 * n,
  write(pen, [a], out, room, [[n]]) {
    const h = room;
    const v = pen.at(h, n * n);
    pen.copy(h, a, n * n);
    hessenberg(pen, h, n, v, pen.at(v, n));
    pen.each(0, 2 * n, (i) => pen.set(out, i, NaN));
    new Francis(pen, h, n, out, pen.at(out, n)).run();
  },
});

/** Zeros below what stands under the diagonal. */
function hessenberg(pen: Pen, h: Val, n: number, v: Val, w: Val): void {
  const { asm } = pen;
  pen.each(0, n - 2, (k) => {
    const next = asm.add(k, 1);
    pen.each(next, n, (i) => pen.set(v, i, pen.get(pen.at(h, i, n), k)));
    const { tau, beta } = reflector(pen, v, next, n);
    pen.each(next, n, (i) => pen.set(pen.at(h, i, n), k, 0));
    pen.set(pen.at(h, next, n), k, beta);
    asm.if(asm.cmp("ne", tau, 0), () => {
      reflectRows(pen, h, n, [next, n], [next, n], v, tau, w);
      pen.each(0, n, (i) => {
        const row = pen.at(h, i, n);
        pen.axpy(row, asm.un("neg", asm.mul(tau, pen.dot(row, v, next, n))), v, next, n);
      });
    });
  });
}

class Francis {
  private readonly pen: Pen;
  private readonly h: Val;
  private readonly n: number;
  private readonly re: Val;
  private readonly im: Val;
  /** The last row that is still open. */
  private readonly hi: Var;
  private readonly steps: Var;

  constructor(pen: Pen, h: Val, n: number, re: Val, im: Val) {
    this.pen = pen;
    this.h = h;
    this.n = n;
    this.re = re;
    this.im = im;
    this.hi = pen.int(n - 1);
    this.steps = pen.int(0);
  }

  private at(i: Arg, j: Arg): Val {
    return this.pen.get(this.pen.at(this.h, i, this.n), j);
  }
  private put(i: Arg, j: Arg, x: Arg): void {
    this.pen.set(this.pen.at(this.h, i, this.n), j, x);
  }

  run(): void {
    const { pen, hi, steps } = this;
    const { asm } = pen;
    asm.repeat(() => {
      const last = asm.get(hi);
      const lo = this.split(last);
      const found = asm.sub(last, lo);
      asm.if(
        asm.cmp("le", found, 1),
        () => {
          asm.if(
            asm.cmp("eq", found, 0),
            () => this.note(last, this.at(last, last), 0),
            () => this.pair(lo, last),
          );
          asm.set(hi, asm.sub(lo, 1));
          asm.set(steps, 0);
        },
        () => {
          this.step(lo, last);
          asm.set(steps, asm.add(asm.get(steps), 1));
          asm.if(asm.cmp("gt", asm.get(steps), MOST_STEPS), () => asm.set(hi, -1));
        },
      );
      return asm.cmp("ge", asm.get(hi), 0);
    });
  }

  private note(i: Val, re: Val, im: Arg): void {
    this.pen.set(this.re, i, re);
    this.pen.set(this.im, i, im);
  }

  /** The first row of the block that ends with row `last`. */
  private split(last: Val): Val {
    const { pen } = this;
    const { asm } = pen;
    const l = pen.int(last);
    const go = pen.int(0);
    const look = (): void => {
      const i = asm.get(l);
      asm.set(go, 0);
      asm.if(asm.cmp("gt", i, 0), () => {
        const before = asm.sub(i, 1);
        const size = asm.add(asm.un("abs", this.at(before, before)), asm.un("abs", this.at(i, i)));
        const beside = asm.un("abs", this.at(i, before));
        asm.set(go, asm.cmp("gt", beside, asm.mul(size, 2 ** -53)));
      });
    };
    look();
    asm.if(asm.get(go), () =>
      asm.repeat(() => {
        asm.set(l, asm.sub(asm.get(l), 1));
        look();
        return asm.get(go);
      }),
    );
    return asm.get(l);
  }

  /** Both eigenvalues of the block of rows i and k = i + 1. */
  private pair(i: Val, k: Val): void {
    const { pen } = this;
    const { asm } = pen;
    const [a, b, c, d] = [this.at(i, i), this.at(i, k), this.at(k, i), this.at(k, k)];
    const p = asm.mul(asm.sub(a, d), 0.5);
    const bc = asm.mul(b, c);
    const q = asm.fma(p, p, bc);
    const root = asm.un("sqrt", asm.un("abs", q));
    asm.if(
      asm.cmp("ge", q, 0),
      () => {
        const z = asm.add(p, asm.bin("copysign", root, p));
        const first = asm.add(d, z);
        this.note(i, first, 0);
        this.note(k, asm.select(asm.cmp("eq", z, 0), first, asm.sub(d, asm.div(bc, z))), 0);
      },
      () => {
        const re = asm.add(d, p);
        this.note(i, re, root);
        this.note(k, re, asm.un("neg", root));
      },
    );
  }

  /** One double-shift step over rows lo..hi (three at least). */
  private step(lo: Val, hi: Val): void {
    const { pen, steps } = this;
    const { asm } = pen;
    const [b, next] = [asm.sub(hi, 1), asm.add(lo, 1)];
    const [hh, bb] = [this.at(hi, hi), this.at(b, b)];
    const sum = pen.num(asm.add(hh, bb));
    const product = pen.num(asm.fnma(this.at(hi, b), this.at(b, hi), asm.mul(hh, bb)));
    // Every tenth time a shift out of order breaks a circle.
    const stuck = asm.bin(
      "and",
      asm.cmp("eq", asm.bin("remU", asm.get(steps), 10), 9),
      asm.cmp("gt", asm.get(steps), 0),
    );
    asm.if(stuck, () => {
      const size = asm.add(asm.un("abs", this.at(hi, b)), asm.un("abs", this.at(b, asm.sub(b, 1))));
      asm.set(sum, asm.mul(size, 1.5));
      asm.set(product, asm.mul(size, size));
    });
    const [s, t] = [asm.get(sum), asm.get(product)];
    const [l0, l1, under] = [this.at(lo, lo), this.at(next, next), this.at(next, lo)];
    const x = pen.num(asm.add(asm.fma(l0, asm.sub(l0, s), asm.mul(this.at(lo, next), under)), t));
    const y = pen.num(asm.mul(under, asm.sub(asm.add(l0, l1), s)));
    const z = pen.num(asm.mul(under, this.at(asm.add(lo, 2), next)));
    pen.each(lo, b, (k) => {
      this.chase(k, lo, hi, [asm.get(x), asm.get(y), asm.get(z)]);
      asm.set(x, this.at(asm.add(k, 1), k));
      asm.set(y, this.at(asm.add(k, 2), k));
      asm.set(z, 0);
      const far = asm.add(k, 3);
      asm.if(asm.cmp("le", far, hi), () => asm.set(z, this.at(far, k)));
    });
    this.chase(b, lo, hi, [asm.get(x), asm.get(y)]);
  }

  /** The reflection of rows k, k + 1 (and k + 2) that takes `head` to its first place, from both sides. */
  private chase(k: Val, lo: Val, hi: Val, head: readonly Val[]): void {
    const { pen } = this;
    const { asm } = pen;
    const size = head.map((x) => asm.un("abs", x)).reduce((p, q) => asm.add(p, q));
    asm.if(asm.cmp("ne", size, 0), () => {
      const [first, ...rest] = head.map((x) => asm.div(x, size));
      const norm = asm.un(
        "sqrt",
        rest.reduce((sum, x) => asm.fma(x, x, sum), asm.mul(first, first)),
      );
      const alpha = asm.bin("copysign", norm, first);
      const lead = asm.add(first, alpha);
      const tau = asm.div(lead, alpha);
      const v = rest.map((x) => asm.div(x, lead));
      const rows = head.map((_, i) => pen.at(this.h, asm.add(k, i), this.n));
      const left = asm.select(asm.cmp("gt", k, lo), asm.sub(k, 1), lo);
      const dotted = (xs: readonly Val[], all: (x: Val) => Val): Val =>
        asm.mul(
          v.reduce((sum, vi, i) => asm.fma(all(vi), xs[i + 1], sum), xs[0]),
          all(tau),
        );
      pen.sweep(left, asm.add(hi, 1), (l) => {
        const xs = rows.map((row) => l.load(row));
        const s = dotted(xs, (c) => l.all(c));
        l.store(rows[0], asm.sub(xs[0], s));
        v.forEach((vi, i) => l.store(rows[i + 1], asm.fnma(l.all(vi), s, xs[i + 1])));
      });
      asm.if(asm.cmp("gt", k, lo), () => v.forEach((_, i) => pen.set(rows[i + 1], left, 0)));
      const below = asm.add(k, 3);
      const end = asm.select(asm.cmp("lt", below, hi), below, hi);
      pen.each(lo, asm.add(end, 1), (i) => {
        const places = head.map((_, j) => asm.add(k, j));
        const xs = places.map((j) => this.at(i, j));
        const s = dotted(xs, (c) => c);
        this.put(i, places[0], asm.sub(xs[0], s));
        v.forEach((vi, j) => this.put(i, places[j + 1], asm.fnma(vi, s, xs[j + 1])));
      });
    });
  }
}
