// Writing float64 code: rows of doubles one after another, swept by vectors and a scalar tail.
import type { Arg, Asm, Val, Var } from "../codegen/index.ts";

/** What a sweep does at one place: by whole vectors, then by single doubles. */
export interface Lane {
  load(row: Val): Val;
  store(row: Val, x: Val): void;
  /** A double in every lane. */
  all(x: Arg): Val;
}

/** Bytes of a double. */
const WIDE = 8;

/** Short forms over an assembler. Rows are addresses; indices are whole numbers of the assembler or literals. */
export class Pen {
  readonly asm: Asm;
  private readonly lanes: number;

  constructor(asm: Asm) {
    this.asm = asm;
    this.lanes = asm.lanesOf("vf64");
  }

  /** The address of element `i` of a row, or of row `i` when `width` elements are one. */
  at(row: Val, i: Arg, width: Arg = 1): Val {
    const { asm } = this;
    const places = typeof i === "number" ? asm.i32(i) : i;
    return asm.ptrAdd(row, asm.mul(asm.mul(places, width), WIDE));
  }
  get(row: Val, i: Arg = 0): Val {
    return this.asm.load("f64", this.at(row, i));
  }
  set(row: Val, i: Arg, x: Arg): void {
    this.asm.store(this.at(row, i), 0, typeof x === "number" ? this.asm.f64(x) : x);
  }
  num(init: Arg): Var {
    return this.asm.var("f64", init);
  }
  int(init: Arg): Var {
    return this.asm.var("i32", init);
  }

  /** for (i = from; i < to; i++) */
  each(from: Arg, to: Arg, body: (i: Val) => void): void {
    this.asm.loop(from, to, 1, body);
  }
  /** for (i = from - 1; i >= to; i--) */
  down(from: Arg, to: Arg, body: (i: Val) => void): void {
    const { asm } = this;
    const top = typeof from === "number" ? asm.i32(from) : from;
    asm.loop(0, asm.sub(top, to), 1, (k) => body(asm.sub(asm.sub(top, 1), k)));
  }

  /** Elements from..to of rows, in any order. */
  sweep(from: Arg, to: Arg, body: (lane: Lane) => void): void {
    const { asm, lanes } = this;
    const start = typeof from === "number" ? asm.i32(from) : from;
    const whole = asm.add(start, asm.bin("and", asm.sub(typeof to === "number" ? asm.i32(to) : to, start), -lanes));
    const lane = (i: Val, type: "vf64" | "f64"): Lane => ({
      load: (row) => asm.load(type, this.at(row, i)),
      store: (row, x) => asm.store(this.at(row, i), 0, x),
      all: (x) => (type === "f64" ? (typeof x === "number" ? asm.f64(x) : x) : asm.splat("vf64", x)),
    });
    asm.loop(start, whole, lanes, (i) => body(lane(i, "vf64")));
    asm.loop(whole, to, 1, (i) => body(lane(i, "f64")));
  }

  /** Σ p[i] q[i] over from..to, in four sums. */
  dot(p: Val, q: Val, from: Arg, to: Arg): Val {
    const { asm, lanes } = this;
    const start = typeof from === "number" ? asm.i32(from) : from;
    const count = asm.sub(typeof to === "number" ? asm.i32(to) : to, start);
    const sums = [0, 1, 2, 3].map(() => asm.var("vf64", asm.splat("vf64", 0)));
    const term = (i: Val, k: number): void => {
      const [a, b] = [p, q].map((row) => asm.load("vf64", this.at(row, i), k * lanes * WIDE));
      asm.set(sums[k], asm.fma(a, b, asm.get(sums[k])));
    };
    const most = asm.add(start, asm.bin("and", count, -4 * lanes));
    const whole = asm.add(start, asm.bin("and", count, -lanes));
    asm.loop(start, most, 4 * lanes, (i) => [0, 1, 2, 3].forEach((k) => term(i, k)));
    asm.loop(most, whole, lanes, (i) => term(i, 0));
    const [a, b, c, d] = sums.map((s) => asm.get(s));
    const sum = this.num(asm.reduce((x, y) => asm.add(x, y), asm.add(asm.add(a, b), asm.add(c, d))));
    asm.loop(whole, to, 1, (i) => asm.set(sum, asm.fma(this.get(p, i), this.get(q, i), asm.get(sum))));
    return asm.get(sum);
  }

  /** y[i] += a x[i] over from..to. */
  axpy(y: Val, a: Val, x: Val, from: Arg, to: Arg): void {
    this.sweep(from, to, (l) => l.store(y, this.asm.fma(l.all(a), l.load(x), l.load(y))));
  }
  /** y[i] *= a. */
  scale(y: Val, a: Val, from: Arg, to: Arg): void {
    this.sweep(from, to, (l) => l.store(y, this.asm.mul(l.load(y), l.all(a))));
  }
  copy(to: Val, from: Val, count: Arg): void {
    this.asm.copy(to, from, this.asm.mul(typeof count === "number" ? this.asm.i32(count) : count, WIDE));
  }
  zero(to: Val, count: Arg): void {
    this.asm.fill(to, 0, this.asm.mul(typeof count === "number" ? this.asm.i32(count) : count, WIDE));
  }
  swap(p: Val, q: Val, count: Arg): void {
    this.sweep(0, count, (l) => {
      const [a, b] = [l.load(p), l.load(q)];
      l.store(p, b);
      l.store(q, a);
    });
  }
  /** (x, y) ← (c x + s y, c y - s x). */
  rotate(x: Val, y: Val, c: Val, s: Val, count: Arg): void {
    const { asm } = this;
    this.sweep(0, count, (l) => {
      const [a, b] = [l.load(x), l.load(y)];
      l.store(x, asm.fma(l.all(c), a, asm.mul(l.all(s), b)));
      l.store(y, asm.fnma(l.all(s), a, asm.mul(l.all(c), b)));
    });
  }
  /** √(a² + b²) without overflow. */
  hypot(a: Val, b: Val): Val {
    const { asm } = this;
    const [p, q] = [asm.un("abs", a), asm.un("abs", b)];
    const most = asm.bin("max", p, q);
    const safe = asm.select(asm.cmp("gt", most, 0), most, 1);
    const r = asm.div(asm.bin("min", p, q), safe);
    return asm.mul(most, asm.un("sqrt", asm.fma(r, r, 1)));
  }
  /** Whole rows of an identity of `count` rows and `width` columns. */
  identity(to: Val, count: number, width: number): void {
    this.zero(to, count * width);
    this.each(0, Math.min(count, width), (i) => this.set(this.at(to, i, width), i, 1));
  }
}
