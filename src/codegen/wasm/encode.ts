// The wasm encoder: recorded functions to module bytes.
import type { Asm, Extern, Fn, Op, Type, Val, Var } from "../asm/index.ts";
import { bytesOf, isVec } from "../asm/index.ts";
import { Bytes } from "./bytes.ts";
import { LayoutMemory, classOf, layoutOf } from "./layout.ts";
import type { Layout } from "./layout.ts";
import * as A from "./atomic.ts";
import { OPCODE, SHUFFLE } from "./opcodes.ts";
import * as V from "./simd.ts";

/** How the module sees its memory (imported as `host.memory`; functions for `callPtr` as `host.table`). */
export interface EncodeOptions {
  /** The memory is shared between threads. */
  shared?: boolean;
}

const WASM_TYPE = [0x7f, 0x7d, 0x7c, 0x7b];
const form = (type: Type, op: string): number | undefined => OPCODE.get(type === "ptr" ? "i32" : type)?.get(op);
const typeByte = (t: Type): number => WASM_TYPE[classOf(t)];

const VALUED: ReadonlySet<Op> = new Set<Op>(["atomicLoad", "atomicAdd", "wait", "notify", "clock"]);
/** True when something that is emitted for its effect leaves a result on the stack. */
const leavesValue = (v: Val): boolean =>
  v.op === "call" ? (v.ref as Fn | Extern).result !== undefined : VALUED.has(v.op);

/** Encodes all functions of `asm`; every one is exported under its name. */
export function encodeWasm(asm: Asm, options: EncodeOptions = {}): Uint8Array {
  const out = new Bytes();
  out.raw([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const section = (id: number, body: Bytes): void => {
    out.u8(id).sized(body);
  };

  const types = new Map<string, number>();
  const typeBytes: Bytes[] = [];
  const typeIndex = (params: readonly Type[], result: Type | undefined): number => {
    const key = `${params.map(classOf).join("")}>${result === undefined ? "" : classOf(result)}`;
    let k = types.get(key);
    if (k === undefined) {
      types.set(key, (k = types.size));
      const b = new Bytes().u8(0x60).uleb(params.length);
      for (const p of params) b.u8(typeByte(p));
      if (result === undefined) b.u8(0);
      else b.u8(1).u8(typeByte(result));
      typeBytes.push(b);
    }
    return k;
  };

  const used = new Set(asm.fns.flatMap((f) => f.code.map((v) => v.op)));
  const table = used.has("callPtr");
  if (used.has("clock")) asm.extern("now", [], "f64");
  const imports = new Bytes()
    .uleb(asm.externs.length + 1 + (table ? 1 : 0))
    .str("host")
    .str("memory")
    .u8(2);
  // A shared memory has a maximum: any.
  if (options.shared) imports.u8(3).uleb(1).uleb(65536);
  else imports.u8(0).uleb(1);
  if (table) imports.str("host").str("table").u8(1).u8(0x70).u8(0).uleb(0);
  for (const e of asm.externs) imports.str("host").str(e.name).u8(0).uleb(typeIndex(e.params, e.result));

  const kernelType = table ? typeIndex(["ptr", "i32", "i32"], undefined) : -1;
  const memory = new LayoutMemory(asm.fns);
  const decls = new Bytes().uleb(asm.fns.length);
  const exports = new Bytes().uleb(asm.fns.length);
  const codes = new Bytes().uleb(asm.fns.length);
  asm.fns.forEach((f, i) => {
    decls.uleb(
      typeIndex(
        f.params.map((p) => p.type),
        f.result,
      ),
    );
    exports
      .str(f.name)
      .u8(0)
      .uleb(asm.externs.length + i);
    codes.sized(new FnEncoder(asm, f, memory, kernelType).encode());
  });
  const typeSection = new Bytes().uleb(typeBytes.length);
  for (const b of typeBytes) typeSection.raw(b.done());
  section(1, typeSection);
  section(2, imports);
  section(3, decls);
  section(7, exports);
  section(10, codes);
  return out.done().slice();
}

/** Encodes one function body. */
class FnEncoder {
  private readonly asm: Asm;
  private readonly fn: Fn;
  private readonly lay: Layout;
  private readonly base: number[];
  /** Type of the functions that `callPtr` calls. */
  private readonly kernelType: number;
  private readonly o: Bytes = new Bytes();

  constructor(asm: Asm, fn: Fn, memory: LayoutMemory, kernelType: number) {
    this.kernelType = kernelType;
    this.asm = asm;
    this.fn = fn;
    this.lay = layoutOf(fn, memory);
    const [i, f, d] = this.lay.counts;
    const p = fn.params.length;
    this.base = [p, p + i, p + i + f, p + i + f + d];
  }

  encode(): Bytes {
    const o = this.o;
    const { counts, skip, local } = this.lay;
    const groups = counts.map((n, cls) => [n, WASM_TYPE[cls]]).filter(([n]) => n > 0);
    o.uleb(groups.length);
    for (const [n, t] of groups) o.uleb(n).u8(t);
    this.never();
    this.hotConstants();
    const code = this.fn.code;
    for (let i = 0; i < code.length; i++) {
      if (skip[i]) continue;
      const v = code[i];
      if (this.statement(v)) continue;
      this.expr(v);
      if (local[i] >= 0) this.set(local[i]);
      else if (leavesValue(v)) o.u8(0x1a);
    }
    if (this.fn.ret) this.push(this.fn.ret);
    return o.u8(0x0b);
  }

  /** A condition that never holds: memory has at most 2^16 pages. */
  private never(): void {
    if (this.lay.neverLocal < 0) return;
    this.o.u8(0x3f).u8(0).u8(0x41).sleb(17).u8(0x76);
    this.set(this.lay.neverLocal);
  }

  /** Writes `body` under that condition. */
  private inVain(body: () => void): void {
    this.get(this.lay.neverLocal).u8(0x04).u8(0x40);
    body();
    this.o.u8(0x0b);
  }

  /**
   * V8 makes vector constants anew where they are used, three instructions each. It must think that they may differ to keep
   * them in registers or stack slots across a loop: under the condition that never holds they become zero.
   */
  private hotConstants(): void {
    const { constLocal } = this.lay;
    if (!constLocal.size) return;
    const setAll = (imm?: number): void =>
      constLocal.forEach((slot, k) => {
        this.constant(k.type, imm ?? k.imm);
        this.set(slot);
      });
    setAll();
    this.inVain(() => setAll(0));
  }

  /**
   * V8 moves what only a loop needs into the loop, where it is computed in every round (loops tested at the top keep it from
   * moving it out again). A value that may have changed since stays where it is.
   */
  private anchor(values: readonly Val[] | undefined): void {
    if (!values) return;
    this.inVain(() => {
      for (const v of values) {
        this.constant(v.type, 0);
        this.set(this.lay.local[v.id]);
      }
    });
  }

  /**
   * V8 schedules a loop by the order in which its results are met from the end of the function. Read after other loads, as
   * an epilogue does, they are met the wrong way round, and all loads of the loop go before its arithmetic (64 -> 29 GFLOP/s).
   * Stores that never happen, met first, set the order.
   */
  private pin(v: Val): void {
    this.inVain(() =>
      v.args!.forEach((x, i) => {
        this.o.u8(0x41).sleb(0);
        this.push(x);
        this.mem(V.store, 16 * i);
      }),
    );
  }

  private slot(packed: number): number {
    return this.base[packed & 3] + (packed >> 2);
  }
  private get(packed: number): Bytes {
    return this.o.u8(0x20).uleb(this.slot(packed));
  }
  private set(packed: number): void {
    this.o.u8(0x21).uleb(this.slot(packed));
  }
  private simd(op: number): Bytes {
    return this.o.u8(0xfd).uleb(op);
  }
  private mem(op: number, offset: number): Bytes {
    return this.simd(op).u8(0).uleb(offset);
  }
  private atomic(op: number, offset: number): void {
    this.o.u8(0xfe).uleb(op).u8(2).uleb(offset);
  }
  private shuffle(bytes: readonly number[]): void {
    this.simd(V.shuffle).raw(bytes);
  }

  /** Pushes the value of an operand. */
  private push(v: Val): void {
    if (v.op === "const") {
      const slot = this.lay.constLocal.get(v);
      if (slot === undefined) this.constant(v.type, v.imm);
      else this.get(slot);
    } else if (v.op === "param") this.o.u8(0x20).uleb(v.imm);
    else if (this.lay.inline[v.id]) this.expr(v);
    else this.get(this.lay.local[v.id]);
  }

  private constant(type: Type, x: number): void {
    const o = this.o;
    if (type === "f32") o.u8(0x43).f32(x);
    else if (type === "f64") o.u8(0x44).f64(x);
    else if (!isVec(type)) o.u8(0x41).sleb(x);
    else {
      this.simd(V.constant);
      for (let k = 0; k < 16; k += bytesOf(type)) {
        if (type === "vf32") o.f32(x);
        else if (type === "vf64") o.f64(x);
        else if (type === "vi32") o.i32(x);
        else o.i32(x).i32(x);
      }
    }
  }

  /** Emits what has no value; false when `v` is an expression. */
  private statement(v: Val): boolean {
    const o = this.o;
    switch (v.op) {
      case "set":
      case "decl":
        this.push(v.a!);
        this.set(this.lay.varLocal[(v.ref as Var).id]);
        return true;
      case "store": {
        this.push(v.a!);
        this.push(v.b!);
        if (isVec(v.type)) this.mem(V.store, v.imm);
        else
          o.u8(v.type === "f32" ? 0x38 : v.type === "f64" ? 0x39 : 0x36)
            .u8(0)
            .uleb(v.imm);
        return true;
      }
      case "storePartial":
        this.storeLanes(v, bytesOf(v.type) * v.count);
        return true;
      case "storeU8":
        if (v.type === "vi32") this.storeBytes(v);
        else {
          this.push(v.a!);
          this.push(v.b!);
          o.u8(0x3a).u8(0).uleb(v.imm);
        }
        return true;
      case "copy":
      case "fill":
        this.push(v.a!);
        this.push(v.b!);
        this.push(v.c!);
        if (v.op === "copy") o.raw([0xfc, 0x0a, 0, 0]);
        else o.raw([0xfc, 0x0b, 0]);
        return true;
      case "loop": {
        // Tested at the top: V8 then interleaves loads and arithmetic of the body, where a test at the bottom makes it
        // hoist all loads of the body and spill (6x8 tile on Node 20: 68 against 29 GFLOP/s).
        const i = this.slot(this.lay.local[v.id]);
        this.anchor(this.lay.anchors.get(v.id));
        this.push(v.a!);
        o.u8(0x21).uleb(i).u8(0x02).u8(0x40).u8(0x03).u8(0x40).u8(0x20).uleb(i);
        this.push(v.b!);
        o.u8(0x4e).u8(0x0d).u8(1);
        return true;
      }
      case "endloop": {
        const head = v.ref as Val;
        const i = this.slot(this.lay.local[head.id]);
        o.u8(0x20).uleb(i).u8(0x41).sleb(head.imm).u8(0x6a).u8(0x21).uleb(i).u8(0x0c).u8(0).u8(0x0b).u8(0x0b);
        return true;
      }
      case "repeat":
        this.anchor(this.lay.anchors.get(v.id));
        o.u8(0x03).u8(0x40);
        return true;
      case "again":
        this.push(v.a!);
        o.u8(0x0d).u8(0).u8(0x0b);
        return true;
      case "atomicStore":
        this.push(v.a!);
        this.push(v.b!);
        this.atomic(A.store, v.imm);
        return true;
      case "callPtr":
        for (const x of v.args!) this.push(x);
        this.push(v.a!);
        o.u8(0x11).uleb(this.kernelType).u8(0);
        return true;
      // WebAssembly has no such hint.
      case "pause":
        return true;
      case "pin":
        this.pin(v);
        return true;
      case "if":
        this.push(v.a!);
        o.u8(0x04).u8(0x40);
        return true;
      case "else":
        o.u8(0x05);
        return true;
      case "endif":
        o.u8(0x0b);
        return true;
      default:
        return false;
    }
  }

  private expr(v: Val): void {
    const o = this.o;
    const { a, b, c, type } = v;
    switch (v.op) {
      case "get":
        this.get(this.lay.varLocal[(v.ref as Var).id]);
        return;
      case "call":
        for (const x of v.args!) this.push(x);
        o.u8(0x10).uleb(
          (v.ref as Fn | Extern).index + ((v.ref as Fn | Extern).kind === "fn" ? this.asm.externs.length : 0),
        );
        return;
      case "clock":
        o.u8(0x10).uleb(this.asm.extern("now", [], "f64").index);
        return;
      case "atomicLoad":
        this.push(a!);
        this.atomic(A.load, v.imm);
        return;
      case "atomicAdd":
        this.push(a!);
        this.push(b!);
        this.atomic(A.add, v.imm);
        return;
      case "notify":
        this.push(a!);
        o.u8(0x41).sleb(-1);
        this.atomic(A.notify, v.imm);
        return;
      case "wait":
        this.push(a!);
        this.push(b!);
        o.u8(0x42).sleb(v.count * 1e6);
        this.atomic(A.wait, v.imm);
        return;
      case "load":
        this.push(a!);
        if (isVec(type)) this.mem(V.load, v.imm);
        else
          o.u8(type === "f32" ? 0x2a : type === "f64" ? 0x2b : 0x28)
            .u8(0)
            .uleb(v.imm);
        return;
      case "loadSplat":
        this.push(a!);
        this.mem(bytesOf(type) === 8 ? V.loadSplat64 : V.loadSplat32, v.imm);
        return;
      case "loadPartial":
        this.loadLanes(v, bytesOf(type) * v.count);
        return;
      case "loadU8":
        this.loadBytes(v);
        return;
      case "select":
        this.push(b!);
        this.push(c!);
        this.push(a!);
        if (!isVec(type)) o.u8(0x1b);
        else if (!this.asm.target.fma) this.simd(V.bitselect);
        else this.simd(bytesOf(type) === 8 ? V.laneSelect64 : V.laneSelect32);
        return;
      case "fma":
      case "fnma":
        this.fused(v);
        return;
      case "splat":
        this.push(a!);
        this.simd(type === "vf32" ? V.splatF32 : type === "vf64" ? V.splatF64 : V.splatI32);
        return;
      case "extract":
        this.push(a!);
        this.simd(type === "f32" ? V.extractF32 : type === "f64" ? V.extractF64 : V.extractI32).u8(v.imm);
        return;
      case "insert":
        this.push(a!);
        this.push(b!);
        this.simd(type === "vf32" ? V.insertF32 : type === "vf64" ? V.insertF64 : V.insertI32).u8(v.imm);
        return;
      case "bitcast":
        this.push(a!);
        if (!isVec(type)) o.u8(form(a!.type, "bitcast")!);
        return;
      case "interleaveLow":
      case "interleaveHigh":
      case "interleaveLow2":
      case "interleaveHigh2":
        this.push(a!);
        this.push(b!);
        this.shuffle(SHUFFLE[v.op]);
        return;
      case "swapHalves":
      case "swapPairs":
        this.push(a!);
        this.push(a!);
        this.shuffle(SHUFFLE[v.op]);
        return;
      case "promoteHigh":
        this.push(a!);
        this.push(a!);
        this.shuffle(SHUFFLE.swapHalves);
        this.simd(V.promoteLow);
        return;
      case "demote":
      case "i32FromF64Pair": {
        const op = v.op === "demote" ? V.demote : V.truncF64;
        this.push(a!);
        this.simd(op);
        this.push(b!);
        this.simd(op);
        this.shuffle(SHUFFLE.interleaveLow2);
        return;
      }
      default: {
        this.push(a!);
        if (b) this.push(b);
        const code = form(a!.type, v.op);
        if (code === undefined) throw new Error(`[wasm] no form of ${v.op} for ${a!.type}`);
        if (code >= 0x20000) o.u8(0xfc).uleb(code - 0x20000);
        else if (code >= 0x10000) this.simd(code - 0x10000);
        else o.u8(code);
      }
    }
  }

  /** a*b + c or c - a*b: fused where the target promises it, scalars by way of a vector so that bits agree. */
  private fused(v: Val): void {
    const { a, b, c, type } = v;
    const wide = bytesOf(type) === 8;
    const negative = v.op === "fnma";
    if (!this.asm.target.fma) {
      const op = (name: string): void => {
        const code = form(type, name)!;
        if (code >= 0x10000) this.simd(code - 0x10000);
        else this.o.u8(code);
      };
      this.push(c!);
      this.push(a!);
      this.push(b!);
      op("mul");
      op(negative ? "sub" : "add");
      return;
    }
    const scalar = !isVec(type);
    for (const x of [a!, b!, c!]) {
      this.push(x);
      if (scalar) this.simd(wide ? V.splatF64 : V.splatF32);
    }
    this.simd(negative ? (wide ? V.nmaddF64 : V.nmaddF32) : wide ? V.maddF64 : V.maddF32);
    if (scalar) this.simd(wide ? V.extractF64 : V.extractF32).u8(0);
  }

  private loadLanes(v: Val, bytes: number): void {
    if (bytes === 12) this.push(v.a!);
    this.push(v.a!);
    this.mem(bytes === 4 ? V.load32Zero : V.load64Zero, v.imm);
    if (bytes === 12) this.mem(V.load32Lane, v.imm + 8).u8(2);
  }

  private storeLanes(v: Val, bytes: number): void {
    this.push(v.a!);
    this.push(v.b!);
    this.mem(bytes === 4 ? V.store32Lane : V.store64Lane, v.imm).u8(0);
    if (bytes !== 12) return;
    this.push(v.a!);
    this.push(v.b!);
    this.mem(V.store32Lane, v.imm + 8).u8(2);
  }

  private loadBytes(v: Val): void {
    const n = v.count;
    if (v.type !== "vi32") {
      this.push(v.a!);
      this.o.u8(0x2d).u8(0).uleb(v.imm);
      return;
    }
    if (n === 3) this.push(v.a!);
    this.push(v.a!);
    if (n === 4) this.mem(V.load32Zero, v.imm);
    else {
      this.simd(V.constant).f64(0).f64(0);
      this.mem(n === 1 ? V.load8Lane : V.load16Lane, v.imm).u8(0);
      if (n === 3) this.mem(V.load8Lane, v.imm + 2).u8(2);
    }
    this.simd(V.widen8);
    this.simd(V.widen16);
  }

  private storeBytes(v: Val): void {
    const bytes = (): void => {
      this.push(v.a!);
      this.push(v.b!);
      this.push(v.b!);
      this.shuffle(SHUFFLE.lowBytes);
    };
    bytes();
    if (v.count === 4) this.mem(V.store32Lane, v.imm).u8(0);
    else this.mem(v.count === 1 ? V.store8Lane : V.store16Lane, v.imm).u8(0);
    if (v.count !== 3) return;
    bytes();
    this.mem(V.store8Lane, v.imm + 2).u8(2);
  }
}
