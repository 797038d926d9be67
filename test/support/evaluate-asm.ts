// Runs recorded assembler functions one instruction at a time: slow and obvious, for any number of lanes. What encoders are
// held against, and where code for wider vectors runs before its machine is at hand.
import type { Asm, Extern, Fn, Op, Target, Type, Val, Var } from "../../src/codegen/asm/index.ts";
import { bytesOf, isVec } from "../../src/codegen/asm/index.ts";
import { compareInts, evalInt, isInt } from "../../src/codegen/asm/fold.ts";
import { pairs } from "../../src/codegen/contract/pairs.ts";
import { squares } from "../../src/codegen/contract/squares.ts";
import { emitUnrolled } from "../../src/codegen/contract/unrolled.ts";
import { transposeBlocks } from "../../src/codegen/x64/blocks.ts";
import type { BinOp, CmpOp } from "../../src/codegen/asm/types.ts";
import { fmaF32, fmaF64, saturate } from "./float-bits.ts";

/** Lanes: vf32 Float32Array, vi32 and vi64 (pairs) Int32Array, vf64 Float64Array; scalars and addresses are numbers. */
type Lanes = Float32Array | Int32Array | Float64Array;
type Value = number | Lanes;
export type Evaluated = Record<string, (...args: number[]) => number | void>;

export interface EvaluateOptions {
  /** Address 0 is its first byte. */
  readonly memory: { readonly buffer: ArrayBufferLike };
  readonly host?: Readonly<Record<string, (...args: number[]) => number>>;
  /** What `callPtr` calls, by address. */
  readonly pointers?: ReadonlyMap<number, (args: number, lo: number, hi: number) => void>;
}

/** A target of `lanes` lanes for the evaluator. */
export const evaluatorTarget = (lanes: number, ptrBytes: 4 | 8 = 8, fma = true): Target => ({
  name: `evaluator-${lanes}`,
  lanes,
  ptrBytes,
  fma,
  registers: lanes > 8 ? 32 : 16,
  pairs,
  ...(lanes > 4 && { squares, tile: emitUnrolled, transposeBlocks }),
});

/** Callable functions of `asm`, by name. */
export function evaluateAsm(asm: Asm, options: EvaluateOptions): Evaluated {
  const out: Evaluated = {};
  const fns: Evaluator[] = asm.fns.map((f) => new Evaluator(asm, f, options, (n, args) => fns[n].call(args)));
  for (const f of fns) out[f.fn.name] = (...args) => f.call(args) as number | void;
  return out;
}

const elements = (type: Type, lanes: number): Lanes =>
  type === "vf32" ? new Float32Array(lanes) : type === "vf64" ? new Float64Array(lanes >> 1) : new Int32Array(lanes);
const ints = (x: Value): Int32Array => {
  const v = x as Lanes;
  return new Int32Array(v.buffer, v.byteOffset, v.byteLength / 4);
};
const view = (type: Type, x: Int32Array): Lanes =>
  type === "vf32" ? new Float32Array(x.buffer) : type === "vf64" ? new Float64Array(x.buffer) : x;

/** Even ties, and the signs of zeros, as machines do. */
function nearest(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x;
  const f = Math.floor(x);
  const r = x - f < 0.5 ? f : x - f > 0.5 ? f + 1 : f % 2 === 0 ? f : f + 1;
  return r === 0 ? (x < 0 || Object.is(x, -0) ? -0 : 0) : r;
}

const FLOAT_TWO: Partial<Record<Op, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
  pmin: (a, b) => (b < a ? b : a),
  pmax: (a, b) => (a < b ? b : a),
  copysign: (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a)),
};
const FLOAT_ONE: Partial<Record<Op, (a: number) => number>> = {
  neg: (a) => -a,
  abs: Math.abs,
  sqrt: Math.sqrt,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  nearest,
};
const INT_TWO: Partial<Record<Op, (a: number, b: number) => number>> = {
  min: Math.min,
  max: Math.max,
  andnot: (a, b) => a & ~b,
};
const COMPARES: ReadonlySet<Op> = new Set(["eq", "ne", "lt", "le", "gt", "ge", "ltU", "leU", "gtU", "geU"]);
const BITWISE: ReadonlySet<Op> = new Set(["and", "or", "xor", "andnot", "not"]);
const compareFloats = (op: Op, a: number, b: number): boolean =>
  op === "eq"
    ? a === b
    : op === "ne"
      ? a !== b
      : op === "lt"
        ? a < b
        : op === "le"
          ? a <= b
          : op === "gt"
            ? a > b
            : a >= b;

/** Which 32-bit lane of (a, b) stands at lane i of the result, within 128 bits. */
const WITHIN: Partial<Record<Op, readonly number[]>> = {
  interleaveLow: [0, 4, 1, 5],
  interleaveHigh: [2, 6, 3, 7],
  interleaveLow2: [0, 1, 4, 5],
  interleaveHigh2: [2, 3, 6, 7],
  swapHalves: [2, 3, 0, 1],
  swapPairs: [1, 0, 3, 2],
};

class Evaluator {
  readonly fn: Fn;
  private readonly asm: Asm;
  private readonly o: EvaluateOptions;
  private readonly callFn: (index: number, args: Value[]) => Value | void;
  private values: Map<Val, Value> = new Map();
  private vars: Value[] = [];
  private readonly ends: Map<Val, number> = new Map();
  private readonly elses: Map<Val, number> = new Map();

  constructor(asm: Asm, fn: Fn, o: EvaluateOptions, callFn: (index: number, args: Value[]) => Value | void) {
    this.asm = asm;
    this.fn = fn;
    this.o = o;
    this.callFn = callFn;
    fn.code.forEach((v, i) => {
      if (v.op === "endloop" || v.op === "endif") this.ends.set(v.ref as Val, i);
      if (v.op === "else") this.elses.set(v.ref as Val, i);
    });
  }

  call(args: Value[]): Value | void {
    const [values, vars] = [this.values, this.vars];
    this.values = new Map();
    this.vars = [];
    this.fn.params.forEach((p, i) => this.values.set(p, p.type === "i32" ? (args[i] as number) | 0 : args[i]));
    this.run();
    const out = this.fn.ret && this.get(this.fn.ret);
    [this.values, this.vars] = [values, vars];
    return out;
  }

  private run(): void {
    const code = this.fn.code;
    for (let pc = 0; pc < code.length; pc++) {
      const v = code[pc];
      switch (v.op) {
        case "loop":
          this.values.set(v, this.int(v.a!));
          if (this.int(v) >= this.int(v.b!)) pc = this.ends.get(v)!;
          break;
        case "endloop": {
          const head = v.ref as Val;
          this.values.set(head, (this.int(head) + head.imm) | 0);
          if (this.int(head) < this.int(head.b!)) pc = head.id;
          break;
        }
        case "again":
          if (this.int(v.a!) !== 0) pc = (v.ref as Val).id;
          break;
        case "if":
          if (this.int(v.a!) === 0) pc = this.elses.get(v) ?? this.ends.get(v)!;
          break;
        case "else":
          pc = this.ends.get(v.ref as Val)!;
          break;
        default:
          this.step(v);
      }
    }
  }

  private get(v: Val): Value {
    if (v.op === "const") {
      if (!isVec(v.type)) return v.imm;
      return elements(v.type, this.asm.lanes).fill(v.imm);
    }
    const x = this.values.get(v);
    if (x === undefined) throw new Error(`[evaluate] ${this.fn.name}: ${v.op} used before it was computed`);
    return x;
  }
  private int(v: Val): number {
    return this.get(v) as number;
  }
  private vec(v: Val): Lanes {
    return this.get(v) as Lanes;
  }
  private memory(): DataView {
    return new DataView(this.o.memory.buffer);
  }
  /** Offsets are added as encoders do: an address is as wide as `ptrBytes`. */
  private at(v: Val): number {
    return this.int(v.a!) + v.imm;
  }

  private step(v: Val): void {
    const { op } = v;
    if (op === "set" || op === "decl") this.vars[(v.ref as Var).id] = this.get(v.a!);
    else if (op === "get") this.values.set(v, this.vars[(v.ref as Var).id]);
    else if (!this.memoryOp(v)) {
      const x = this.compute(v);
      if (x !== undefined) this.values.set(v, x);
    }
  }

  private compute(v: Val): Value | undefined {
    switch (v.op) {
      case "repeat":
      case "endif":
      case "pin":
      case "pause":
      case "prefetch":
      case "notify":
        return undefined;
      case "wait":
        return undefined;
      case "clock":
        return performance.now();
      case "callPtr": {
        const target = this.o.pointers?.get(this.int(v.a!));
        if (!target) throw new Error(`[evaluate] no function at address ${this.int(v.a!)}`);
        const [args, lo, hi] = v.args!.map((x) => this.int(x));
        target(args, lo, hi);
        return undefined;
      }
      case "call": {
        const ref = v.ref as Fn | Extern;
        const args = v.args!.map((x) => this.get(x));
        if (ref.kind === "fn") return this.callFn(ref.index, args) as Value | undefined;
        const out = this.o.host![ref.name](...(args as number[]));
        return ref.result === "f32" ? Math.fround(out) : ref.result === "i32" ? out | 0 : out;
      }
      case "bitcast":
        return this.bitcast(v);
      default:
        return isVec(v.type) || (v.a && isVec(v.a.type)) ? this.lanes(v) : this.scalar(v);
    }
  }

  private bitcast(v: Val): Value {
    const x = this.get(v.a!);
    if (typeof x === "number")
      return v.type === "f32"
        ? new Float32Array(Int32Array.of(x).buffer)[0]
        : new Int32Array(Float32Array.of(x).buffer)[0];
    return view(v.type, ints(x).slice());
  }

  // ---- scalars ----

  private scalar(v: Val): Value {
    const { op, type } = v;
    const [a, b, c] = [v.a, v.b, v.c].map((x) => (x ? (this.get(x) as number) : 0));
    const from = v.a!.type;
    if (op === "select") return a !== 0 ? b : c;
    if (COMPARES.has(op)) {
      const yes = isInt(from) ? compareInts(op as CmpOp, a, b) : compareFloats(op, a, b);
      return yes ? 1 : 0;
    }
    if (isInt(type) && isInt(from)) return type === "ptr" ? this.address(v, a, b) : this.whole(op, a, b);
    return this.float(op, type, a, b, c);
  }

  private whole(op: Op, a: number, b: number): number {
    const r = evalInt(op as BinOp, a, b);
    if (r === undefined) throw new Error(`[evaluate] ${this.fn.name}: ${op} of ${a} by ${b}`);
    return r;
  }

  /** Addresses do not wrap but on 32-bit targets; an i32 added is unsigned when it is known not to be negative. */
  private address(v: Val, a: number, b: number): number {
    const wide = (x: Val, n: number): number => (x.type === "i32" && x.positive ? n >>> 0 : n);
    const [x, y] = [wide(v.a!, a), wide(v.b!, b)];
    if (v.op !== "add" && v.op !== "sub") return this.whole(v.op, a, b);
    const sum = v.op === "add" ? x + y : x - y;
    return this.asm.ptrBytes === 4 ? sum >>> 0 : sum;
  }

  private float(op: Op, type: Type, a: number, b: number, c: number): number {
    const round = type === "f32" ? Math.fround : (x: number): number => x;
    const two = FLOAT_TWO[op];
    if (two) return round(two(a, b));
    const one = FLOAT_ONE[op];
    if (one) return round(one(a));
    if (op === "fma" || op === "fnma") return this.fused(type, op === "fnma" ? -a : a, b, c);
    if (op.startsWith("f32From") || op.startsWith("f64From")) return round(op.endsWith("U32") ? a >>> 0 : a);
    if (op.startsWith("i32From")) return saturate(a, false);
    if (op.startsWith("u32From")) return saturate(a, true);
    throw new Error(`[evaluate] no meaning of ${op} for ${type}`);
  }

  private fused(type: Type, a: number, b: number, c: number): number {
    const single = type === "f32" || type === "vf32";
    if (this.asm.target.fma) return single ? fmaF32(a, b, c) : fmaF64(a, b, c);
    return single ? Math.fround(Math.fround(a * b) + c) : a * b + c;
  }

  // ---- vectors ----

  private lanes(v: Val): Value {
    const { op, type } = v;
    const from = v.a!.type;
    const a = this.get(v.a!);
    const n = this.asm.lanes;
    const out = isVec(type) ? elements(type, n) : new Int32Array(0);
    if (op === "splat") return out.fill(a as number);
    const x = a as Lanes;
    if (op === "extract") return x[v.imm];
    if (op === "insert") {
      out.set(x);
      out[v.imm] = this.get(v.b!) as number;
      return out;
    }
    if (op === "select") {
      const [m, p, q, r] = [ints(x), ints(this.vec(v.b!)), ints(this.vec(v.c!)), ints(out)];
      for (let i = 0; i < n; i++) r[i] = (m[i] & p[i]) | (~m[i] & q[i]);
      return out;
    }
    if (op === "bitmask") {
      const step = bytesOf(from) / 4;
      return ints(x).reduce((s, e, i) => (i % step === step - 1 && e < 0 ? s | (1 << Math.floor(i / step)) : s), 0);
    }
    if (BITWISE.has(op)) return this.bits(v, x, out);
    if (COMPARES.has(op)) return this.compare(op, x, this.vec(v.b!), out as Int32Array);
    if (op === "fma" || op === "fnma") {
      const [p, q] = [this.vec(v.b!), this.vec(v.c!)];
      for (let i = 0; i < out.length; i++) out[i] = this.fused(type, op === "fnma" ? -x[i] : x[i], p[i], q[i]);
      return out;
    }
    if (this.rearrange(v, x, out)) return out;
    if (type === "vi32" && from === "vi32") {
      const b = v.b && this.get(v.b);
      for (let i = 0; i < n; i++) out[i] = this.wholeLane(op, x[i], typeof b === "number" ? b : b ? b[i] : 0);
      return out;
    }
    const y = v.b && this.vec(v.b);
    for (let i = 0; i < out.length; i++) out[i] = this.float(op, type, x[i], y ? y[i] : 0, 0);
    return out;
  }

  private wholeLane(op: Op, a: number, b: number): number {
    if (op === "neg") return -a | 0;
    if (op === "abs") return Math.abs(a) | 0;
    return INT_TWO[op]?.(a, b) ?? this.whole(op, a, b);
  }

  private bits(v: Val, x: Lanes, out: Lanes): Lanes {
    const [p, q, r] = [ints(x), v.b ? ints(this.vec(v.b)) : ints(x), ints(out)];
    for (let i = 0; i < r.length; i++)
      r[i] = v.op === "not" ? ~p[i] : (INT_TWO[v.op]?.(p[i], q[i]) ?? this.whole(v.op, p[i], q[i]));
    return out;
  }

  private compare(op: Op, x: Lanes, y: Lanes, out: Int32Array): Int32Array {
    const whole = x instanceof Int32Array;
    const step = out.length / x.length;
    for (let i = 0; i < x.length; i++) {
      const yes = whole ? compareInts(op as CmpOp, x[i], y[i]) : compareFloats(op, x[i], y[i]);
      out.fill(yes ? -1 : 0, i * step, (i + 1) * step);
    }
    return out;
  }

  /** Moves between lanes, and changes of the number of lanes. */
  private rearrange(v: Val, x: Lanes, out: Lanes): boolean {
    const n = this.asm.lanes;
    const half = n >> 1;
    const y = v.b && isVec(v.b.type) ? this.vec(v.b) : x;
    const [p, q, r] = [ints(x), ints(y), ints(out)];
    const picks = WITHIN[v.op];
    if (picks) {
      for (let i = 0; i < n; i++) {
        const k = picks[i & 3];
        r[i] = (k < 4 ? p : q)[(i & ~3) + (k & 3)];
      }
      return true;
    }
    switch (v.op) {
      case "swap128":
      case "swap256":
        for (let i = 0; i < n; i++) r[i] = p[i ^ (v.op === "swap128" ? 4 : 8)];
        return true;
      case "evenBlocks":
      case "oddBlocks":
        for (let b = 0; b < n / 4; b++) {
          const from = 2 * (b % (n / 8)) + (v.op === "oddBlocks" ? 1 : 0);
          for (let i = 0; i < 4; i++) r[4 * b + i] = (b < n / 8 ? p : q)[4 * from + i];
        }
        return true;
      case "promoteLow":
        out.set(x.subarray(0, half));
        return true;
      case "promoteHigh":
        out.set(x.subarray(half));
        return true;
      case "maskLow":
      case "maskHigh":
        for (let i = 0; i < n; i++) r[i] = p[(i >> 1) + (v.op === "maskHigh" ? half : 0)];
        return true;
      case "demote":
        out.set(x);
        out.set(y, half);
        return true;
      case "i32FromF64Pair":
        for (let i = 0; i < half; i++) [r[i], r[i + half]] = [saturate(x[i], false), saturate(y[i], false)];
        return true;
      default:
        return false;
    }
  }

  // ---- memory ----

  private memoryOp(v: Val): boolean {
    switch (v.op) {
      case "load":
        this.values.set(
          v,
          isVec(v.type) ? this.loadLanes(v, this.asm.lanesOf(v.type)) : this.loadOne(v.type, this.at(v)),
        );
        return true;
      case "loadPartial":
        this.values.set(v, this.loadLanes(v, v.count));
        return true;
      case "loadSplat": {
        const one = this.loadOne(v.type === "vf32" ? "f32" : v.type === "vf64" ? "f64" : "i32", this.at(v));
        this.values.set(v, elements(v.type, this.asm.lanes).fill(one));
        return true;
      }
      case "loadU8": {
        const at = this.at(v);
        if (!isVec(v.type)) this.values.set(v, this.memory().getUint8(at));
        else
          this.values.set(
            v,
            new Int32Array(this.asm.lanes).map((_, i) => (i < v.count ? this.memory().getUint8(at + i) : 0)),
          );
        return true;
      }
      case "store":
      case "storePartial":
        this.store(v);
        return true;
      case "storeU8": {
        const x = this.get(v.b!);
        const list = typeof x === "number" ? [x] : [...x].slice(0, v.count);
        list.forEach((e, i) => this.memory().setUint8(this.at(v) + i, e & 255));
        return true;
      }
      case "copy":
        new Uint8Array(this.o.memory.buffer).copyWithin(
          this.int(v.a!),
          this.int(v.b!),
          this.int(v.b!) + this.int(v.c!),
        );
        return true;
      case "fill":
        new Uint8Array(this.o.memory.buffer).fill(this.int(v.b!), this.int(v.a!), this.int(v.a!) + this.int(v.c!));
        return true;
      case "atomicLoad":
        this.values.set(v, Atomics.load(new Int32Array(this.o.memory.buffer), this.at(v) / 4));
        return true;
      case "atomicStore":
        Atomics.store(new Int32Array(this.o.memory.buffer), this.at(v) / 4, this.int(v.b!));
        return true;
      case "atomicAdd":
        this.values.set(v, Atomics.add(new Int32Array(this.o.memory.buffer), this.at(v) / 4, this.int(v.b!)));
        return true;
      default:
        return false;
    }
  }

  private loadOne(type: Type, at: number): number {
    const m = this.memory();
    if (type === "f32") return m.getFloat32(at, true);
    if (type === "f64") return m.getFloat64(at, true);
    if (type === "i32") return m.getInt32(at, true);
    return m.getUint32(at, true) + (this.asm.ptrBytes === 8 ? m.getUint32(at + 4, true) * 2 ** 32 : 0);
  }

  private loadLanes(v: Val, count: number): Lanes {
    const out = elements(v.type, this.asm.lanes);
    const bytes = new Uint8Array(this.o.memory.buffer, this.at(v), count * bytesOf(v.type));
    new Uint8Array(out.buffer).set(bytes);
    return out;
  }

  private store(v: Val): void {
    const at = this.at(v);
    const x = this.get(v.b!);
    if (typeof x !== "number") {
      const count = v.op === "store" ? this.asm.lanesOf(v.type) : v.count;
      new Uint8Array(this.o.memory.buffer, at, count * bytesOf(v.type)).set(
        new Uint8Array(x.buffer, 0, count * bytesOf(v.type)),
      );
      return;
    }
    const m = this.memory();
    if (v.type === "f32") m.setFloat32(at, x, true);
    else if (v.type === "f64") m.setFloat64(at, x, true);
    else m.setInt32(at, x | 0, true);
    if (v.type === "ptr" && this.asm.ptrBytes === 8) m.setInt32(at + 4, Math.floor(x / 2 ** 32), true);
  }
}
