// Records functions as structured instruction lists. Folds index arithmetic on the way, so that encoders stay plain.
import type { BinOp, CmpOp, Extern, Fn, Op, Target, Type, UnOp, Val, Var, VecType } from "./types.ts";
import { compareInts, evalInt, INT_OPS, isInt, make, same } from "./fold.ts";
import { bytesOf, elemOf, isVec, maskOf } from "./types.ts";

/** A value or a literal number of the type that the place asks for. */
export type Arg = Val | number;

const fail = (message: string): never => {
  throw new Error(`[asm] ${message}`);
};

/** Builder of one module: functions, host imports and one linear memory. See `index.ts` for the guide. */
export class Asm {
  readonly target: Target;
  /** float32 lanes of a vector (4 on wasm). */
  readonly lanes: number;
  /** Bytes of an address in memory: entries of argument tables. */
  readonly ptrBytes: number;
  readonly fns: Fn[] = [];
  readonly externs: Extern[] = [];
  private cur: Fn | undefined;
  private serials = 0;
  /** Integer operations recorded in each open block, outermost first: equal ones are shared. */
  private scopes: Map<number, Val>[] = [];

  constructor(target: Target) {
    this.target = target;
    this.lanes = target.lanes;
    this.ptrBytes = target.ptrBytes;
  }

  /** Lanes of a vector type, 1 for scalars. */
  lanesOf(t: Type): number {
    return !isVec(t) ? 1 : t === "vf64" || t === "vi64" ? this.lanes >> 1 : this.lanes;
  }

  // ---- module ----

  /** Defines and exports a function. The body records instructions; what it returns is the result. */
  fn(name: string, params: readonly Type[], result: Type | undefined, body: (...args: Val[]) => Val | void): Fn {
    if (this.cur) fail(`fn "${name}" inside of a function`);
    const ps = params.map((type, imm) => make(this.serials++, -1, "param", type, undefined, undefined, undefined, imm));
    const fn: Fn = {
      kind: "fn",
      index: this.fns.length,
      name,
      params: ps,
      result,
      code: [],
      vars: [],
      consts: new Map(),
      ret: undefined,
    };
    this.fns.push(fn);
    this.cur = fn;
    this.scopes = [new Map()];
    try {
      const out = body(...ps);
      if (result !== undefined && (!out || !same(out.type, result))) fail(`fn "${name}" must return ${result}`);
      fn.ret = result === undefined ? undefined : (out as Val);
    } finally {
      this.cur = undefined;
    }
    return fn;
  }

  /** Declares a function of the host, once per name. */
  extern(name: string, params: readonly Type[], result?: Type): Extern {
    const known = this.externs.find((e) => e.name === name);
    if (known) return known;
    const e: Extern = { kind: "extern", index: this.externs.length, name, params, result };
    this.externs.push(e);
    return e;
  }

  /** Calls a function of this module or of the host. Void functions yield a value that must not be used. */
  call(fn: Fn | Extern, ...args: Arg[]): Val {
    const types = fn.kind === "fn" ? fn.params.map((p) => p.type) : fn.params;
    if (types.length !== args.length) fail(`call of "${fn.name}" with ${args.length} arguments`);
    const vals = args.map((x, i) => this.arg(x, types[i]));
    return this.refer("call", fn.result ?? "i32", fn, undefined, vals);
  }

  // ---- constants ----

  /** A constant of any type (vectors: in all lanes). */
  konst(type: Type, value: number): Val {
    const v =
      type === "f32" || type === "vf32" ? Math.fround(value) : type === "f64" || type === "vf64" ? value : value | 0;
    const fn = this.here();
    let known = fn.consts.get(type);
    if (!known) fn.consts.set(type, (known = new Map()));
    const fresh = (): Val => make(this.serials++, -1, "const", type, undefined, undefined, undefined, v);
    // Maps take -0 for 0
    if (Object.is(v, -0)) return fresh();
    let k = known.get(v);
    if (!k) known.set(v, (k = fresh()));
    return k;
  }
  i32(c: number): Val {
    return this.konst("i32", c);
  }
  f32(c: number): Val {
    return this.konst("f32", c);
  }
  f64(c: number): Val {
    return this.konst("f64", c);
  }
  /** All lanes = `x`. */
  splat(type: VecType, x: Arg): Val {
    if (typeof x === "number") return this.konst(type, x);
    if (x.op === "const") return this.konst(type, x.imm);
    return this.push("splat", type, this.want(x, elemOf(type)));
  }

  // ---- arithmetic ----

  /**
   * Two-operand operation; a literal takes the other operand's type.
   * floats: add sub mul div min max (NaN in either gives NaN) pmin (b < a ? b : a) pmax (a < b ? b : a) copysign (scalar).
   * i32: add sub mul divS divU remS remU and or xor shl shrS shrU min max. vi32: add sub mul min max and or xor andnot
   * and shifts by one scalar count. Masks and floats as bits: and or xor andnot (a & ~b) on vectors.
   */
  bin(op: BinOp, a: Arg, b: Arg): Val {
    if (typeof a === "number" && typeof b === "number") return fail("two literals");
    const shift = op === "shl" || op === "shrS" || op === "shrU";
    if (shift && typeof a === "number") return this.bin(op, this.i32(a), b);
    const x = typeof a === "number" ? this.konst((b as Val).type, a) : a;
    const y = typeof b === "number" ? this.konst(shift && isVec(x.type) ? "i32" : x.type, b) : b;
    if (isInt(x.type) && isInt(y.type)) return this.foldInt(op, x, y);
    if (!(shift ? isInt(y.type) || same(x.type, y.type) : same(x.type, y.type))) {
      fail(`${op} of ${x.type} and ${y.type}`);
    }
    if (op === "copysign" && isVec(x.type)) {
      const sign = this.konst(x.type, -0);
      return this.bin("or", this.bin("andnot", x, sign), this.bin("and", y, sign));
    }
    if (!isVec(x.type) && op === "pmin") return this.select(this.cmp("lt", y, x), y, x);
    if (!isVec(x.type) && op === "pmax") return this.select(this.cmp("lt", x, y), y, x);
    return this.push(op, x.type, x, y);
  }
  add(a: Arg, b: Arg): Val {
    return this.bin("add", a, b);
  }
  sub(a: Arg, b: Arg): Val {
    return this.bin("sub", a, b);
  }
  mul(a: Arg, b: Arg): Val {
    return this.bin("mul", a, b);
  }
  div(a: Arg, b: Arg): Val {
    return this.bin("div", a, b);
  }

  /** floats: neg abs sqrt floor ceil trunc nearest (ties to even); vi32: neg abs; i32, vi32 and masks: not (bitwise). */
  un(op: UnOp, a: Val): Val {
    if (isInt(a.type)) {
      if (op === "neg") return this.bin("sub", this.konst(a.type, 0), a);
      if (op === "not") return this.bin("xor", a, -1);
      if (op === "abs") return this.select(this.cmp("lt", a, 0), this.un("neg", a), a);
    }
    return this.push(op, a.type, a);
  }

  /** Comparison: a mask for vectors (`vi32`, or `vi64` of doubles), i32 0|1 for scalars. Unordered is false but for `ne`. */
  cmp(op: CmpOp, a: Arg, b: Arg): Val {
    if (typeof a === "number" && typeof b === "number") return fail("two literals");
    const x = typeof a === "number" ? this.konst((b as Val).type, a) : a;
    const y = typeof b === "number" ? this.konst(x.type, b) : b;
    if (!same(x.type, y.type)) fail(`${op} of ${x.type} and ${y.type}`);
    if (isInt(x.type) && x.op === "const" && y.op === "const") return this.i32(compareInts(op, x.imm, y.imm) ? 1 : 0);
    return this.push(op, maskOf(x.type), x, y);
  }

  /** `mask ? a : b` lane by lane; masks are all ones or all zeros per lane. Scalar: i32 condition. */
  select(mask: Val, a: Arg, b: Arg): Val {
    if (typeof a === "number" && typeof b === "number") return fail("two literals");
    const x = typeof a === "number" ? this.konst((b as Val).type, a) : a;
    const y = typeof b === "number" ? this.konst(x.type, b) : b;
    if (!same(x.type, y.type) || maskOf(x.type) !== mask.type) fail(`select of ${x.type} and ${y.type}`);
    if (mask.op === "const" && isInt(mask.type)) return mask.imm ? x : y;
    return this.push("select", x.type, mask, x, y);
  }

  /** a*b + c, rounded once where the target has FMA. */
  fma(a: Val, b: Arg, c: Arg): Val {
    return this.push("fma", a.type, a, this.arg(b, a.type), this.arg(c, a.type));
  }
  /** c - a*b, rounded once where the target has FMA. */
  fnma(a: Val, b: Arg, c: Arg): Val {
    return this.push("fnma", a.type, a, this.arg(b, a.type), this.arg(c, a.type));
  }

  // ---- conversions and lanes ----

  /**
   * Value conversion, scalar or vector with the same number of lanes: f32<->i32 (to int: truncating, saturating, NaN -> 0),
   * scalar f32<->f64, i32<->f64; `unsigned` reads or writes the integer side as uint32.
   * Vectors of doubles change the lane count: see promoteLow and friends.
   */
  convert(to: Type, a: Val, unsigned = false): Val {
    if (same(to, a.type)) return a;
    if (this.lanesOf(to) !== this.lanesOf(a.type)) fail(`no conversion ${a.type} to ${to}`);
    const name = (t: Type): string => (isInt(t) || t === "vi32" ? (unsigned ? "u32" : "i32") : t.slice(-3));
    return this.push(`${name(to)}From${name(a.type).toUpperCase()}` as Op, to, a);
  }
  /** Reinterprets bits: f32 <-> i32, or between vector types. */
  bitcast(to: Type, a: Val): Val {
    return to === a.type ? a : this.push("bitcast", to, a);
  }
  /** Lane `i` (constant) of a vector. */
  extract(a: Val, i: number): Val {
    return this.push("extract", elemOf(a.type as VecType), a, undefined, undefined, i);
  }
  /** Copy of `a` with lane `i` replaced. */
  insert(a: Val, i: number, x: Arg): Val {
    return this.push("insert", a.type, a, this.arg(x, elemOf(a.type as VecType)), undefined, i);
  }
  /** Lower / upper half of vf32 as vf64. */
  promote(a: Val, high: boolean): Val {
    return this.push(high ? "promoteHigh" : "promoteLow", "vf64", this.want(a, "vf32"));
  }
  /** Two vf64 to one vf32. */
  demote(lo: Val, hi: Val): Val {
    return this.push("demote", "vf32", this.want(lo, "vf64"), this.want(hi, "vf64"));
  }
  /** Two vf64 to one vi32, truncating and saturating. */
  i32FromF64(lo: Val, hi: Val): Val {
    return this.push("i32FromF64Pair", "vi32", this.want(lo, "vf64"), this.want(hi, "vf64"));
  }
  /** Lower / upper half of a vi32 mask as vi64 mask. */
  widenMask(a: Val, high: boolean): Val {
    return this.push(high ? "maskHigh" : "maskLow", "vi64", this.want(a, "vi32"));
  }
  /** i32 with bit i = top bit of lane i: `cmp("ne", anyLane(mask), 0)`. */
  bitmask(mask: Val): Val {
    return this.push("bitmask", "i32", mask);
  }
  /** The lanes joined by `two` in a fixed order: halves, then pairs. */
  reduce(two: (x: Val, y: Val) => Val, a: Val): Val {
    const swaps: Op[] = ["swapHalves"];
    if (this.lanes >= 8) swaps.unshift("swap128");
    if (this.lanes >= 16) swaps.unshift("swap256");
    if (bytesOf(a.type) === 4) swaps.push("swapPairs");
    return this.extract(
      swaps.reduce((v, swap) => two(v, this.lanewise(swap, v)), a),
      0,
    );
  }
  /** An operation that moves lanes, by its name. */
  lanewise(op: Op, a: Val, b?: Val): Val {
    return this.push(op, a.type, a, b);
  }
  /** Transposes `lanes` vectors of 32-bit elements (or lanes/2 of 64-bit). */
  transpose(rows: readonly Val[]): Val[] {
    const { type } = rows[0];
    if (rows.length !== this.lanesOf(type)) fail(`transpose of ${rows.length} vectors`);
    const two = (op: Op, a: Val, b: Val): Val => this.lanewise(op, a, b);
    const inBlock = 16 / bytesOf(type);
    // within blocks of 128 bits, for each block of rows: [block of rows][column within a block]
    const groups: Val[][] = [];
    for (let r = 0; r < rows.length; r += inBlock) {
      const [a, b, c, d] = rows.slice(r, r + inBlock);
      if (inBlock === 2) groups.push([two("interleaveLow2", a, b), two("interleaveHigh2", a, b)]);
      else {
        const [p, q] = [two("interleaveLow", a, b), two("interleaveLow", c, d)];
        const [s, t] = [two("interleaveHigh", a, b), two("interleaveHigh", c, d)];
        groups.push([
          two("interleaveLow2", p, q),
          two("interleaveHigh2", p, q),
          two("interleaveLow2", s, t),
          two("interleaveHigh2", s, t),
        ]);
      }
    }
    const columns = Array.from({ length: inBlock }, (_, i) => {
      const list = groups.map((g) => g[i]);
      return list.length === 1 ? list : this.target.transposeBlocks!(this, list);
    });
    return rows.map((_, i) => columns[i % inBlock][Math.floor(i / inBlock)]);
  }
  /** Applies a scalar function to each lane. */
  perLane(out: VecType, args: readonly Val[], f: (...scalars: Val[]) => Val): Val {
    let v = this.konst(out, 0);
    for (let i = 0; i < this.lanesOf(out); i++) v = this.insert(v, i, f(...args.map((x) => this.extract(x, i))));
    return v;
  }

  // ---- memory ----

  /** p + bytes. */
  ptrAdd(p: Val, bytes: Arg): Val {
    return this.bin("add", p, bytes);
  }
  /** Loads a scalar or a whole vector (unaligned is fine). */
  load(type: Type, p: Val, offset = 0): Val {
    return this.access("load", type, p, offset);
  }
  /** `past`: past the caches, for what is not read again soon; whole vectors at addresses that are multiples of their size. */
  store(p: Val, offset: number, x: Val, past = false): void {
    this.access("store", x.type, p, offset, x, past ? 1 : 0);
  }
  /** Loads one element into all lanes. */
  loadSplat(type: VecType, p: Val, offset = 0): Val {
    return this.access("loadSplat", type, p, offset);
  }
  /** Loads the first `n` lanes (0 < n <= lanes), zero in the others; reads nothing beyond. */
  loadPartial(type: VecType, n: number, p: Val, offset = 0): Val {
    if (n === this.lanesOf(type)) return this.load(type, p, offset);
    return this.access("loadPartial", type, p, offset, undefined, this.count(n, type));
  }
  /** Stores the first `n` lanes; writes nothing beyond. */
  storePartial(n: number, p: Val, offset: number, x: Val): void {
    if (n === this.lanesOf(x.type)) return this.store(p, offset, x);
    this.access("storePartial", x.type, p, offset, x, this.count(n, x.type));
  }
  /** Loads bytes, zero-extended: one (`i32`), or the first `n` lanes of `vi32` (default all). */
  loadU8(type: "i32" | "vi32", p: Val, offset = 0, n: number = this.lanesOf(type)): Val {
    return this.access("loadU8", type, p, offset, undefined, n);
  }
  /** Stores the low byte of an i32, or of the first `n` lanes of vi32. */
  storeU8(p: Val, offset: number, x: Val, n: number = this.lanesOf(x.type)): void {
    this.access("storeU8", x.type, p, offset, x, n);
  }
  /** A hint: the line at this address is wanted soon in the cache of that level. The address need not be mapped. */
  prefetch(p: Val, offset = 0, level: 1 | 2 = 2): void {
    this.access("prefetch", "i32", p, offset, undefined, level);
  }
  /** Copies bytes (regions may overlap). */
  copy(dst: Val, src: Val, bytes: Arg): void {
    this.push("copy", "ptr", dst, src, this.arg(bytes, "i32"));
  }
  /** Sets bytes to the low byte of `value`. */
  fill(dst: Val, value: Arg, bytes: Arg): void {
    this.push("fill", "ptr", dst, this.arg(value, "i32"), this.arg(bytes, "i32"));
  }

  // ---- threads: sequentially consistent, on aligned i32 ----

  /** Adds and gives what was there before. */
  atomicAdd(p: Val, offset: number, x: Arg): Val {
    return this.access("atomicAdd", "i32", p, offset, this.arg(x, "i32"));
  }
  atomicLoad(p: Val, offset = 0): Val {
    return this.access("atomicLoad", "i32", p, offset);
  }
  atomicStore(p: Val, offset: number, x: Arg): void {
    this.access("atomicStore", "i32", p, offset, this.arg(x, "i32"));
  }
  /** Sleeps while the word is `expected`, at most `ms` milliseconds (a constant); may wake without a reason. */
  wait(p: Val, offset: number, expected: Arg, ms: number): void {
    this.access("wait", "i32", p, offset, this.arg(expected, "i32"), ms);
  }
  /** Wakes all that wait on the word. */
  notify(p: Val, offset = 0): void {
    this.access("notify", "i32", p, offset);
  }
  /** A turn of a loop that watches memory. */
  pause(): void {
    this.push("pause", "i32");
  }
  /** Ticks of a steady clock, f64; the unit is the device's. */
  clock(): Val {
    return this.push("clock", "f64");
  }
  /** Calls a kernel by its address (wasm: its place in the table): `fn(args: ptr, lo: i32, hi: i32)`. */
  callPtr(fn: Val, args: Val, lo: Arg, hi: Arg): void {
    this.refer("callPtr", "i32", undefined, fn, [this.want(args, "ptr"), this.arg(lo, "i32"), this.arg(hi, "i32")]);
  }

  // ---- variables and control ----

  /** A new mutable variable, set here. */
  var(type: Type, init: Arg): Var {
    const { vars } = this.here();
    const v: Var = { id: vars.length, type };
    vars.push(v);
    this.refer("decl", type, v, this.arg(init, type));
    return v;
  }
  get(v: Var): Val {
    return this.refer("get", v.type, v);
  }
  set(v: Var, x: Arg): void {
    this.refer("set", v.type, v, this.arg(x, v.type));
  }

  /**
   * for (i = start; i < end; i += step) with i32 bounds evaluated once; `step` is a positive constant. A loop that is known
   * to run once, or never, is not recorded as a loop.
   */
  loop(start: Arg, end: Arg, step: number, body: (i: Val) => void): void {
    const s = this.arg(start, "i32");
    const e = this.arg(end, "i32");
    if (!(step > 0)) fail(`loop step ${step}`);
    const known = s.op === "const" && e.op === "const";
    if (known && s.imm >= e.imm) return;
    if (known && s.imm + step >= e.imm) return body(s);
    const head = this.push("loop", "i32", s, e, undefined, step);
    this.scoped(() => body(head));
    this.refer("endloop", "i32", head);
  }

  /** Runs `body`, and again while the i32 that it returns is not zero. The condition may use values of the body. */
  repeat(body: () => Val): void {
    const head = this.push("repeat", "i32");
    this.scoped(() => {
      const again = this.want(body(), "i32");
      this.refer("again", "i32", head, again);
    });
  }

  /** Runs `then` when the i32 condition is not zero, otherwise `orElse`. Results leave through variables. */
  if(cond: Arg, then: () => void, orElse?: () => void): void {
    const c = this.arg(cond, "i32");
    if (c.op === "const") return c.imm ? then() : orElse?.();
    const head = this.push("if", "i32", c);
    this.scoped(then);
    if (orElse) {
      this.refer("else", "i32", head);
      this.scoped(orElse);
    }
    this.refer("endif", "i32", head);
  }

  /** How many instructions `body` would record; nothing of it stays. */
  cost(body: () => void): number {
    const { code, vars } = this.here();
    const [n, m] = [code.length, vars.length];
    this.scoped(body);
    const count = code.length - n;
    code.length = n;
    vars.length = m;
    return count;
  }

  /**
   * A hint, no operation: these vectors, accumulators of the loop just ended, were best computed in this order with their
   * operands loaded just before. Write it between such a loop and what uses its results.
   */
  pin(values: readonly Val[]): void {
    this.refer("pin", values[0].type, undefined, undefined, values);
  }

  /** Writes chains that do not wait for one another side by side, on targets that gain by it; others write them when used. */
  interleave(bodies: readonly (() => void)[]): void {
    this.target.interleave?.(this.here().code, bodies);
  }

  private scoped(body: () => void): void {
    this.scopes.push(new Map());
    body();
    this.scopes.pop();
  }
  /** Records an integer operation, or finds it: values are immutable, and outer blocks dominate inner ones. */
  private pushInt(op: BinOp, type: Type, x: Val, y: Val): Val {
    const key = (INT_OPS.indexOf(op) * 0x1000000 + x.serial) * 0x1000000 + y.serial;
    for (const scope of this.scopes) {
      const known = scope.get(key);
      if (known) return known;
    }
    const v = this.push(op, type, x, y);
    this.scopes[this.scopes.length - 1].set(key, v);
    return v;
  }
  private here(): Fn {
    return this.cur ?? fail("no function is open");
  }
  private arg(x: Arg, type: Type): Val {
    return typeof x === "number" ? this.konst(type, x) : this.want(x, type);
  }
  private want(x: Val, type: Type): Val {
    if (!same(x.type, type)) fail(`${x.op}: ${x.type} given, ${type} wanted`);
    return x;
  }
  private count(n: number, type: Type): number {
    return n > 0 && n < this.lanesOf(type) ? n : fail(`partial access of ${n} lanes of ${type}`);
  }
  private push(
    op: Op,
    type: Type,
    a?: Val,
    b?: Val,
    c?: Val,
    imm = 0,
    count = 0,
    ref?: Val["ref"],
    args?: readonly Val[],
  ): Val {
    const code = this.here().code;
    const v = make(this.serials++, code.length, op, type, a, b, c, imm, count, ref, args);
    code.push(v);
    return v;
  }
  /** What touches memory: a value that is stored, a number of elements. */
  private access(op: Op, type: Type, p: Val, offset: number, x?: Val, count = 0): Val {
    const [at, rest] = this.addr(p, offset);
    return this.push(op, type, at, x, undefined, rest, count);
  }
  /** What refers to a variable, a function or the head of a block. */
  private refer(op: Op, type: Type, ref: Val["ref"], a?: Val, args?: readonly Val[]): Val {
    return this.push(op, type, a, undefined, undefined, 0, 0, ref, args);
  }
  /** Moves a constant part of the address into the immediate offset. */
  private addr(p: Val, offset: number): [Val, number] {
    if (!isInt(p.type)) fail(`address of type ${p.type}`);
    if (p.op === "add" && p.b!.op === "const" && p.a!.positive && p.b!.imm + offset >= 0)
      return [p.a!, p.b!.imm + offset];
    if (offset < 0 || (offset > 0 && !p.positive)) return [this.bin("add", p, offset), 0];
    return [p, offset];
  }
  private foldInt(op: BinOp, x: Val, y: Val): Val {
    const type: Type = x.type === "ptr" || (y.type === "ptr" && op === "add") ? "ptr" : "i32";
    if (op === "andnot") return this.foldInt("and", x, this.bin("xor", y, -1));
    if (op === "min" || op === "max") return this.select(this.cmp(op === "min" ? "lt" : "gt", x, y), x, y);
    const xc = x.op === "const";
    const yc = y.op === "const";
    if (xc && yc) {
      const r = evalInt(op, x.imm, y.imm);
      if (r !== undefined) return this.konst(type, r);
    }
    if (xc && (op === "add" || op === "mul" || op === "and" || op === "or" || op === "xor")) {
      return this.foldInt(op, y, x.type === y.type ? x : this.konst(y.type, x.imm));
    }
    if (yc) {
      const c = y.imm;
      if (c === 0 && op !== "mul" && op !== "and" && !op.startsWith("div") && !op.startsWith("rem")) return x;
      if (op === "sub") return this.foldInt("add", x, this.i32(-c));
      if (op === "add" && x.op === "add" && x.b!.op === "const")
        return this.foldInt("add", x.a!, this.i32(x.b!.imm + c));
      if ((op === "mul" || op === "shl") && x.op === "add" && x.b!.op === "const" && isInt(x.type)) {
        return this.foldInt("add", this.foldInt(op, x.a!, y), this.konst("i32", evalInt(op, x.b!.imm, c)!));
      }
      if (op === "mul" || op === "divU" || op === "divS") {
        if (c === 1) return x;
        if (c === 0 && op === "mul") return this.i32(0);
        if (c > 1 && (c & (c - 1)) === 0 && op !== "divS") {
          return this.foldInt(op === "mul" ? "shl" : "shrU", x, this.i32(31 - Math.clz32(c)));
        }
      }
      if (op === "remU" && c > 0 && (c & (c - 1)) === 0)
        return c === 1 ? this.i32(0) : this.foldInt("and", x, this.i32(c - 1));
    }
    // constants come last, where addresses can take them up
    if (op === "add" && y.op === "add" && y.b!.op === "const")
      return this.foldInt("add", this.foldInt("add", x, y.a!), y.b!);
    if (op === "add" && x.op === "add" && x.b!.op === "const")
      return this.foldInt("add", this.foldInt("add", x.a!, y), x.b!);
    return this.pushInt(op, type, x, y);
  }
}
