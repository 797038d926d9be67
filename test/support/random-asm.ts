// Random assembler functions: straight lines, loops, branches, variables, calls, many values alive at once. Grown from a
// tape of numbers, so that a failing one shrinks.
import type { Asm, Fn, Type, Val, Var, VecType } from "../../src/codegen/asm/index.ts";
import { isVec } from "../../src/codegen/asm/index.ts";
import type { BinOp, CmpOp, UnOp } from "../../src/codegen/asm/types.ts";

/** Bytes that functions read, then bytes that they write. */
export const READ = 4096;
export const WRITTEN = 16384;

const FLOAT_TWO: readonly BinOp[] = ["add", "sub", "mul", "div", "min", "max", "pmin", "pmax"];
const FLOAT_ONE: readonly UnOp[] = ["neg", "abs", "sqrt", "floor", "ceil", "trunc", "nearest"];
const INT_TWO: readonly BinOp[] = ["add", "sub", "mul", "and", "or", "xor", "min", "max"];
const LANE_TWO: readonly BinOp[] = [...INT_TWO, "andnot"];
const COMPARE: readonly CmpOp[] = ["eq", "ne", "lt", "le", "gt", "ge"];
const UNSIGNED: readonly CmpOp[] = [...COMPARE, "ltU", "leU", "gtU", "geU"];
const SHIFT: readonly BinOp[] = ["shl", "shrS", "shrU"];
const FLOATS = [0, -0, 1, -1.5, 0.1, 3, 2.5, -7, 1e10, -3e9, 2147483648, 1e-3, 1e30, Infinity, -Infinity];
const INTS = [0, 1, -1, 2, 7, 255, 65536, 0x7fffffff, -0x80000000, 12345, -99];
const KINDS: readonly Type[] = ["vf32", "vf32", "vi32", "vf64", "f32", "f64", "i32", "i32"];
const VECTORS: readonly VecType[] = ["vf32", "vi32", "vf64"];

class Grower {
  private readonly asm: Asm;
  private readonly tape: readonly number[];
  private readonly helper: Fn;
  private at = 0;
  private readonly pools: Map<Type, Val[]> = new Map();
  private masks: Val[] = [];
  private readonly vars: Var[] = [];
  private readonly p: Val;
  private out = READ;
  private depth = 0;

  constructor(asm: Asm, tape: readonly number[], helper: Fn, p: Val, n: Val) {
    this.asm = asm;
    this.tape = tape;
    this.helper = helper;
    this.p = p;
    this.pool("i32").push(n);
  }

  run(): Val {
    const { asm } = this;
    for (const t of KINDS) this.load(t);
    while (this.at < this.tape.length) this.step();
    // All that is alive is used at the end.
    for (const t of ["vf32", "vi32", "vf64", "f32", "f64", "i32"] as const) for (const v of this.pool(t)) this.store(v);
    for (const m of this.masks) this.store(asm.bin("and", m, 1));
    for (const v of this.vars) this.store(asm.get(v));
    return this.of("i32");
  }

  private next(): number {
    return this.tape[this.at++] ?? 0;
  }
  private pick<T>(list: readonly T[]): T {
    return list[this.next() % list.length];
  }
  private pool(t: Type): Val[] {
    let list = this.pools.get(t);
    if (!list) this.pools.set(t, (list = []));
    return list;
  }
  private of(t: Type): Val {
    const list = this.pool(t);
    if (list.length === 0 || this.next() % 8 === 0)
      return this.asm.konst(t, this.pick(t === "i32" || t === "vi32" ? INTS : FLOATS));
    return this.pick(list);
  }
  private keep(v: Val): void {
    const t = v.type === "ptr" ? "i32" : v.type;
    if (t === "vi64") return;
    this.pool(t).push(v);
  }
  private load(t: Type): void {
    this.keep(this.asm.load(t, this.p, 4 * (this.next() % 512)));
  }
  private store(v: Val): void {
    if (this.out + 64 > READ + WRITTEN) return;
    this.asm.store(this.p, this.out, v);
    this.out += isVec(v.type) ? 64 : 8;
  }

  private step(): void {
    const { asm } = this;
    const kind = this.next() % 16;
    const t = this.pick(KINDS);
    if (kind < 5) this.arithmetic(t);
    else if (kind === 5) this.load(t);
    else if (kind === 6) this.compare(this.pick(["vf32", "vi32"] as const));
    else if (kind === 7) this.masked();
    else if (kind === 8) this.convert();
    else if (kind === 9) this.lanes(this.pick(VECTORS));
    else if (kind === 10) this.control();
    else if (kind === 11) this.variable(t);
    else if (kind === 12) this.memory();
    else if (kind === 13) this.scalar();
    else if (kind === 14) this.keep(asm.call(this.helper, this.of("f64"), this.of("i32")));
    else this.doubles();
  }

  private arithmetic(t: Type): void {
    const { asm } = this;
    const a = this.of(t);
    const which = this.next();
    if (t === "i32" || t === "vi32") {
      if (which % 4 === 0) {
        const count = which % 8 === 0 ? asm.i32(this.next() % 40) : this.of("i32");
        this.keep(asm.bin(this.pick(SHIFT), a, count));
      } else if (which % 4 === 1) this.keep(asm.un(this.pick(["neg", "abs", "not"] as const), this.real(a)));
      else this.keep(asm.bin(this.pick(t === "i32" ? INT_TWO : LANE_TWO), this.real(a), this.of(t)));
    } else if (which % 4 === 0) this.keep(asm.un(this.pick(FLOAT_ONE), this.real(a)));
    else if (which % 4 === 1) {
      const [x, y, z] = [this.plain(a), this.plain(this.of(t)), this.plain(this.of(t))];
      this.keep(which % 8 === 1 ? asm.fma(x, y, z) : asm.fnma(x, y, z));
    } else this.keep(asm.bin(this.pick(FLOAT_TWO), this.real(a), this.of(t)));
  }

  /** A value that was computed: constants alone fold. */
  private real(v: Val): Val {
    if (v.op !== "const") return v;
    const list = this.pool(v.type);
    return list.length > 0 ? list[0] : this.asm.load(v.type, this.p, 0);
  }
  /** Not NaN: its bits differ from machine to machine. */
  private known(v: Val): Val {
    if (v.op === "const") return v;
    return this.asm.select(this.asm.cmp("eq", v, v), v, 0);
  }
  /** Doubles of moderate size, where the evaluator's fma is exact. */
  private plain(v: Val): Val {
    if ((v.type !== "f64" && v.type !== "vf64") || v.op === "const") return this.real(v);
    const { asm } = this;
    const a = asm.un("abs", v);
    return asm.select(asm.bin("and", asm.cmp("lt", a, 1e30), asm.cmp("gt", a, 1e-30)), v, 1);
  }

  private compare(t: VecType): void {
    const { asm } = this;
    const m = asm.cmp(this.pick(t === "vi32" ? UNSIGNED : COMPARE), this.real(this.of(t)), this.of(t));
    this.masks.push(m);
    if (this.masks.length > 12) this.masks.shift();
  }

  private masked(): void {
    const { asm } = this;
    if (this.masks.length === 0) return this.compare("vf32");
    const m = this.pick(this.masks);
    const other = this.pick(this.masks);
    switch (this.next() % 9) {
      case 0:
        return this.keep(asm.select(m, this.real(this.of("vf32")), this.of("vf32")));
      case 1:
        return this.keep(asm.select(m, this.real(this.of("vi32")), this.of("vi32")));
      case 2:
        return void this.masks.push(asm.bin(this.pick(["and", "or", "xor", "andnot"] as const), m, other));
      case 3:
        return void this.masks.push(asm.un("not", m));
      case 4:
        return this.keep(asm.bitmask(m));
      case 5:
        return this.keep(asm.bin("and", m, 1));
      case 6: {
        const x = this.known(this.of("vf32"));
        return this.keep(asm.bin(this.pick(["and", "andnot"] as const), this.real(x), asm.bitcast("vf32", m)));
      }
      case 7:
        // A mask as a number
        return this.keep(asm.add(m, this.real(this.of("vi32"))));
      default: {
        const wide = asm.widenMask(m, this.next() % 2 === 0);
        return this.keep(asm.select(wide, this.real(this.of("vf64")), this.of("vf64")));
      }
    }
  }

  private convert(): void {
    const { asm } = this;
    const unsigned = this.next() % 2 === 0;
    switch (this.next() % 6) {
      case 0:
        return this.keep(asm.convert("vi32", this.real(this.of("vf32")), unsigned));
      case 1:
        return this.keep(asm.convert("vf32", this.real(this.of("vi32")), unsigned));
      case 2:
        return this.keep(asm.convert(this.pick(["f32", "f64"] as const), this.real(this.of("i32")), unsigned));
      case 3:
        return this.keep(asm.convert("i32", this.real(this.of(this.pick(["f32", "f64"] as const))), unsigned));
      case 4:
        return this.keep(asm.convert("f64", this.real(this.of("f32"))));
      default:
        return this.keep(asm.convert("f32", this.real(this.of("f64"))));
    }
  }

  private lanes(t: VecType): void {
    const { asm } = this;
    const lanes = asm.lanesOf(t);
    const a = this.real(this.of(t));
    const elem = t === "vf32" ? "f32" : t === "vf64" ? "f64" : "i32";
    switch (this.next() % 6) {
      case 5: {
        // Lanes of constants: numbers, or a mask
        const mask = t === "vi32" && this.next() % 2 === 0;
        let v = asm.konst(t, mask ? 0 : this.next() % 9);
        for (let i = 0; i < lanes; i++)
          if (this.next() % 3) v = asm.insert(v, i, mask ? -(this.next() % 2) : this.next() % 99);
        if (mask) this.masks.push(v);
        return this.keep(v);
      }
      case 0:
        return this.keep(asm.extract(a, this.next() % lanes));
      case 1:
        return this.keep(asm.insert(a, this.next() % lanes, this.of(elem)));
      case 2:
        return this.keep(asm.splat(t, this.real(this.of(elem))));
      case 3:
        return this.keep(asm.reduce((x, y) => asm.bin(t === "vi32" ? "add" : "max", x, y), a));
      default: {
        const rows = Array.from({ length: lanes }, () => this.of(t));
        const out = asm.transpose(rows);
        return this.keep(out[this.next() % lanes]);
      }
    }
  }

  private doubles(): void {
    const { asm } = this;
    const high = this.next() % 2 === 0;
    switch (this.next() % 4) {
      case 0:
        return this.keep(asm.promote(this.real(this.of("vf32")), high));
      case 1:
        return this.keep(asm.demote(this.real(this.of("vf64")), this.of("vf64")));
      case 2:
        return this.keep(asm.i32FromF64(this.real(this.of("vf64")), this.of("vf64")));
      default: {
        const x = this.known(this.of("vf64"));
        return this.keep(asm.bin("copysign", this.real(x), this.known(this.of("vf64"))));
      }
    }
  }

  private scalar(): void {
    const { asm } = this;
    const t = this.pick(["f32", "f64", "i32"] as const);
    const [a, b] = [this.real(this.of(t)), this.of(t)];
    const c = asm.cmp(this.pick(t === "i32" ? UNSIGNED : COMPARE), a, b);
    switch (this.next() % 6) {
      case 0:
        return this.keep(c);
      case 1:
        return this.keep(asm.select(c, this.real(this.of("i32")), this.of("i32")));
      case 2:
        return this.keep(asm.select(c, this.real(this.of("f32")), this.of("f32")));
      case 3:
        return this.keep(asm.select(c, this.real(this.of("f64")), this.of("f64")));
      case 4: {
        const by =
          this.next() % 2
            ? asm.i32(3 + (this.next() % 1000))
            : asm.bin("or", asm.bin("and", this.real(this.of("i32")), 1023), 1);
        return this.keep(asm.bin(this.pick(["divU", "remU", "divS", "remS"] as const), this.real(this.of("i32")), by));
      }
      default:
        return this.keep(asm.bitcast("i32", this.real(this.known(this.of("f32")))));
    }
  }

  private variable(t: Type): void {
    const { asm } = this;
    if (this.vars.length < 20 && this.next() % 2 === 0) this.vars.push(asm.var(t, this.of(t)));
    else if (this.vars.length > 0) {
      const v = this.pick(this.vars);
      if (this.next() % 2 === 0) this.keep(asm.get(v));
      else asm.set(v, this.of(v.type));
    }
  }

  private memory(): void {
    const { asm, p } = this;
    const t = this.pick(["vf32", "vi32"] as const);
    const n = 1 + (this.next() % asm.lanes);
    const from = 4 * (this.next() % 512);
    switch (this.next() % 7) {
      case 0:
        return this.keep(asm.loadPartial(t, n, p, from));
      case 1:
        return this.keep(asm.loadU8("vi32", p, from, n));
      case 2:
        return this.keep(asm.loadSplat(this.pick(VECTORS), p, from));
      case 3:
        asm.storePartial(n, p, from, this.known(this.of(t)));
        return;
      case 4:
        asm.storeU8(p, from, this.of("vi32"), n);
        return;
      case 5:
        asm.copy(asm.ptrAdd(p, from), asm.ptrAdd(p, 4 * (this.next() % 512)), this.next() % 100);
        return;
      default: {
        // By an index that is known to lie within
        const i = asm.bin("and", this.of("i32"), 511);
        return this.keep(asm.load(t, asm.ptrAdd(p, asm.mul(i, 4)), 4 * (this.next() % 8)));
      }
    }
  }

  /** Loops and branches; what is computed inside leaves by variables. */
  private control(): void {
    const { asm } = this;
    if (this.depth > 2 || this.vars.length === 0) return this.variable(this.pick(KINDS));
    const steps = 1 + (this.next() % 8);
    const before = new Map([...this.pools].map(([t, list]) => [t, list.length]));
    const [masks, vars] = [[...this.masks], this.vars.length];
    const inside = (): void => {
      this.depth++;
      for (let i = 0; i < steps; i++) this.step();
      const v = this.vars[this.next() % vars];
      asm.set(v, this.of(v.type));
      this.depth--;
      for (const [t, list] of this.pools) list.length = Math.min(list.length, before.get(t) ?? 0);
      this.masks = [...masks];
      this.vars.length = vars;
    };
    const which = this.next() % 3;
    if (which === 0) {
      const end = this.next() % 2 ? asm.i32(1 + (this.next() % 5)) : asm.bin("and", this.of("i32"), 3);
      asm.loop(this.next() % 3, end, 1 + (this.next() % 2), (i) => {
        this.pool("i32").push(i);
        inside();
      });
    } else if (which === 1) {
      const left = asm.var("i32", 1 + (this.next() % 3));
      asm.repeat(() => {
        inside();
        asm.set(left, asm.sub(asm.get(left), 1));
        return asm.cmp("gt", asm.get(left), 0);
      });
    } else asm.if(this.of("i32"), inside, this.next() % 2 ? inside : undefined);
  }
}

/** Adds `helper` and `go(p: ptr, n: i32): i32`. */
export function growAsm(asm: Asm, tape: readonly number[]): void {
  const helper = asm.fn("helper", ["f64", "i32"], "f64", (x, n) => asm.add(asm.mul(x, 0.5), asm.convert("f64", n)));
  asm.fn("go", ["ptr", "i32"], "i32", (p, n) => new Grower(asm, tape, helper, p, n).run());
}
