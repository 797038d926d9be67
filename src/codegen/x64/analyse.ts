// Looks a recorded function over before instructions are selected: what is dead, what can wait until its use (loads and
// addresses that become memory operands, comparisons that become jumps), what is another name of a variable, which masks can
// live in mask registers.
import type { Fn, Op, Val, Var } from "../asm/index.ts";
import { isVec, READING, WRITING } from "../asm/index.ts";

/** Emitted at its own position; at its use or uses; never; under the name of a variable. */
export const HERE = 0;
export const AT_USE = 1;
const DEAD = 2;
export const ALIAS = 3;

/** Bits of OPS. */
const EFFECT = 1;
const WRITES = 2;
const READS = 4;
const OPENS = 8;
const CLOSES = 16;
const LOOPS = 32;
const COMPARE = 64;
const ARITHMETIC = 128;
const LOGIC = 256;

const OPS: ReadonlyMap<Op, number> = new Map<Op, number>([
  ...(["set", "decl", "notify", "pause", "prefetch", "clock", "pin"] as Op[]).map((o) => [o, EFFECT] as const),
  ...WRITING.map((o) => [o, EFFECT | WRITES] as const),
  ...READING.map((o) => [o, READS] as const),
  ["loop", EFFECT | OPENS | LOOPS],
  ["repeat", EFFECT | OPENS | LOOPS],
  ["endloop", EFFECT | CLOSES | LOOPS],
  ["again", EFFECT | CLOSES | LOOPS],
  ["if", EFFECT | OPENS],
  ["else", EFFECT | OPENS | CLOSES],
  ["endif", EFFECT | CLOSES],
  ...(["eq", "ne", "lt", "le", "gt", "ge", "ltU", "leU", "gtU", "geU"] as Op[]).map((o) => [o, COMPARE] as const),
  ...(["and", "or", "xor", "andnot"] as Op[]).map((o) => [o, ARITHMETIC | LOGIC] as const),
  ...(["add", "sub", "mul", "div", "pmin", "pmax", "fma", "fnma"] as Op[]).map((o) => [o, ARITHMETIC] as const),
]);

/** What is known of the positions of a function; arrays are shared by the functions of a module. */
export class Analysis {
  /** HERE, AT_USE, DEAD or ALIAS. */
  mode: Uint8Array = new Uint8Array(0);
  /** The variable whose register takes the value, or -1. */
  target: Int32Array = new Int32Array(0);
  /** 1: a mask that lives in a mask register. */
  mask: Uint8Array = new Uint8Array(0);
  maskVar: Uint8Array = new Uint8Array(0);
  /** 1: a comparison of floats of which only the opposite is wanted. */
  inverse: Uint8Array = new Uint8Array(0);
  /** 1: a chain of inserted constants, that is a constant with lanes of its own. */
  constant: Uint8Array = new Uint8Array(0);
  private what: Int32Array = new Int32Array(0);
  private block: Int32Array = new Int32Array(0);
  private parent: Int32Array = new Int32Array(0);
  private loopOf: Int32Array = new Int32Array(0);
  private endOf: Int32Array = new Int32Array(0);
  private writes: Int32Array = new Int32Array(0);
  private uses: Int32Array = new Int32Array(0);
  private addressUses: Int32Array = new Int32Array(0);
  private user: Int32Array = new Int32Array(0);
  private last: Int32Array = new Int32Array(0);
  private readsSince: Int32Array = new Int32Array(0);
  private pending: Int32Array = new Int32Array(0);
  private lastSet: Int32Array = new Int32Array(0);
  private nextSet: Int32Array = new Int32Array(0);
  private fn!: Fn;
  private embedded = false;
  /** Some lanes are integers, or masks. */
  private integers = false;

  /** `masks`: there are mask registers (and broadcasts within instructions). */
  run(fn: Fn, masks: boolean): void {
    this.fn = fn;
    this.embedded = masks;
    this.room(fn.code.length + 2, fn.vars.length + 1);
    this.structure();
    if (masks && this.integers) {
      this.masks();
      this.invert();
    }
    this.backward();
  }

  private room(n: number, vars: number): void {
    if (this.mode.length < n) {
      const size = 2 * n;
      this.mode = new Uint8Array(size);
      this.mask = new Uint8Array(size);
      this.constant = new Uint8Array(size);
      this.inverse = new Uint8Array(size);
      for (const k of [
        "target",
        "what",
        "block",
        "parent",
        "loopOf",
        "endOf",
        "writes",
        "uses",
        "addressUses",
        "user",
        "last",
        "nextSet",
      ] as const)
        this[k] = new Int32Array(size);
    } else {
      this.mode.fill(0, 0, n);
      this.mask.fill(0, 0, n);
      this.constant.fill(0, 0, n);
      this.inverse.fill(0, 0, n);
      this.uses.fill(0, 0, n);
      this.addressUses.fill(0, 0, n);
      this.last.fill(0, 0, n);
    }
    if (this.maskVar.length < vars) {
      this.maskVar = new Uint8Array(2 * vars);
      for (const k of ["readsSince", "pending", "lastSet"] as const) this[k] = new Int32Array(2 * vars);
    } else {
      this.maskVar.fill(0, 0, vars);
      this.readsSince.fill(0, 0, vars);
    }
    this.target.fill(-1, 0, n);
    this.pending.fill(-1, 0, vars);
    this.lastSet.fill(-1, 0, vars);
  }

  /** Blocks, loops and writes, forwards. */
  private structure(): void {
    const { what, block, parent, loopOf, endOf, writes, lastSet, nextSet } = this;
    const { code } = this.fn;
    this.integers = false;
    let b = -1;
    let l = -1;
    let wrote = 0;
    const loops: number[] = [];
    for (let i = 0; i < code.length; i++) {
      const v = code[i];
      const w = OPS.get(v.op) ?? 0;
      what[i] = w;
      if ((w & CLOSES) !== 0 && v.op !== "again") {
        b = parent[b];
        if ((w & LOOPS) !== 0) {
          endOf[loops.pop()!] = i;
          l = loops.length > 0 ? loops[loops.length - 1] : -1;
        }
      }
      block[i] = b;
      loopOf[i] = l;
      if (v.op === "again") {
        b = parent[b];
        endOf[loops.pop()!] = i;
        l = loops.length > 0 ? loops[loops.length - 1] : -1;
      }
      if ((w & WRITES) !== 0) wrote++;
      writes[i] = wrote;
      if (v.type === "vi32" || v.type === "vi64") this.integers = true;
      if ((w & OPENS) !== 0) {
        parent[i] = b;
        b = i;
        if ((w & LOOPS) !== 0) {
          loops.push(i);
          l = i;
        }
      }
      if (v.op === "insert" && v.b!.op === "const" && (v.a!.op === "const" || this.constant[v.a!.id] === 1))
        this.constant[i] = 1;
      if (v.op === "set") {
        // Assignments of a variable are linked from the first on.
        const id = (v.ref as Var).id;
        nextSet[i] = lastSet[id];
        lastSet[id] = i;
      }
    }
    block[code.length] = -1;
    loopOf[code.length] = -1;
    writes[code.length] = wrote;
  }

  private isMask(v: Val): boolean {
    return v.op === "const" ? isFlag(v) : v.id >= 0 && this.mask[v.id] === 1;
  }

  /** Masks whose sources are masks all the way; variables are taken for such until one assignment is not. */
  private masks(): void {
    const { code } = this.fn;
    const { mask, maskVar, what } = this;
    for (const v of code)
      if (v.op === "decl" && (v.type === "vi32" || v.type === "vi64")) maskVar[(v.ref as Var).id] = 1;
    for (let again = true; again;) {
      again = false;
      for (let i = 0; i < code.length; i++) {
        const v = code[i];
        if (v.op === "set" || v.op === "decl") {
          const id = (v.ref as Var).id;
          if (maskVar[id] === 1 && !this.isMask(v.a!)) {
            maskVar[id] = 0;
            again = true;
          }
        } else if (v.type === "vi32" || v.type === "vi64") mask[i] = this.yieldsMask(v, what[i]) ? 1 : 0;
      }
    }
  }

  private yieldsMask(v: Val, what: number): boolean {
    if ((what & COMPARE) !== 0) return true;
    if ((what & LOGIC) !== 0) return this.isMask(v.a!) && this.isMask(v.b!) && v.a!.op !== "const";
    switch (v.op) {
      case "get":
        return this.maskVar[(v.ref as Var).id] === 1;
      case "insert":
        return this.constant[v.id] === 1 && isFlag(v.b!) && (v.a!.op === "const" ? isFlag(v.a!) : this.isMask(v.a!));
      case "not":
      case "maskLow":
      case "maskHigh":
        return this.isMask(v.a!) && v.a!.op !== "const";
      case "select":
        return this.isMask(v.b!) && this.isMask(v.c!) && (v.b!.op !== "const" || v.c!.op !== "const");
      default:
        return false;
    }
  }

  /** Comparisons that only clear lanes of vectors: what is kept is the opposite. */
  private invert(): void {
    const { code, ret } = this.fn;
    const { inverse, mask, what } = this;
    const under = (x: Val | undefined): number =>
      x === undefined || x.id < 0 ? -1 : x.op === "bitcast" ? under(x.a) : x.id;
    const clear = (x: Val | undefined): void => void (under(x) >= 0 && (inverse[under(x)] = 0));
    for (let i = 0; i < code.length; i++)
      if (mask[i] === 1 && (what[i] & COMPARE) !== 0 && code[i].a!.type === "vf32") inverse[i] = 1;
    for (const v of code) {
      if (v.op === "bitcast") continue;
      clear(v.a);
      if (v.op !== "andnot" || mask[v.id] === 1) clear(v.b);
      clear(v.c);
      v.args?.forEach(clear);
    }
    clear(ret);
  }

  /** Uses, backwards: those of a value are known when it is reached. */
  private backward(): void {
    const { what, mode, uses, addressUses, last, readsSince, pending } = this;
    const { code, ret } = this.fn;
    const n = code.length;
    last[n] = n;
    if (ret) this.use(ret, n, n);
    for (let i = n - 1; i >= 0; i--) {
      const v = code[i];
      const w = what[i];
      if ((w & EFFECT) === 0 && uses[i] === 0 && addressUses[i] === 0) {
        mode[i] = DEAD;
        continue;
      }
      if (this.constant[i] === 1) {
        mode[i] = AT_USE;
        continue;
      }
      let at = i;
      if (v.op === "set" || v.op === "decl") {
        this.use(v.a!, i, i);
        const id = (v.ref as Var).id;
        pending[id] = i;
        readsSince[id] = 0;
        continue;
      } else if (v.op === "get") {
        const id = (v.ref as Var).id;
        readsSince[id]++;
        mode[i] = this.setBetween(id, i, last[i]) ? HERE : ALIAS;
        if (mode[i] === HERE) this.join(v, i);
        continue;
      } else if ((w & EFFECT) === 0) {
        if (this.canWait(v, i, w)) {
          mode[i] = AT_USE;
          at = last[i];
        } else if (v.op === "bitcast" && isVec(v.type)) {
          mode[i] = this.isMask(v.a!) ? AT_USE : ALIAS;
          at = last[i];
        } else this.join(v, i);
      } else if (uses[i] > 0) this.join(v, i);
      this.operands(v, i, at, w);
    }
  }

  /** Lets a value be computed straight into the variable that it is assigned to. */
  private join(v: Val, i: number): void {
    if (this.uses[i] !== 1 || this.addressUses[i] !== 0) return;
    const s = this.user[i];
    if (s >= this.fn.code.length) return;
    const set = this.fn.code[s];
    if ((set.op !== "set" && set.op !== "decl") || this.block[s] !== this.block[i]) return;
    const id = (set.ref as Var).id;
    if (this.pending[id] !== s || this.readsSince[id] !== 0) return;
    if (this.embedded && (isVec(v.type) ? this.isMask(v) : false) !== (this.maskVar[id] === 1)) return;
    this.target[i] = id;
  }

  private canWait(v: Val, i: number, w: number): boolean {
    if ((w & READS) !== 0) {
      if (this.uses[i] !== 1 || v.op === "loadPartial" || (v.op === "loadU8" && isVec(v.type))) return false;
      const u = this.user[i];
      const at = u >= this.fn.code.length ? u : this.mode[u] === AT_USE ? this.last[u] : u;
      return (
        this.block[at] === this.block[i] &&
        this.writes[at] - (this.wroteAt(at) ? 1 : 0) === this.writes[i] &&
        this.takesMemory(v, u)
      );
    }
    if ((w & COMPARE) !== 0) {
      if (isVec(v.a!.type) || this.uses[i] !== 1) return false;
      const u = this.user[i];
      const op = u < this.fn.code.length ? this.fn.code[u].op : "const";
      return op === "if" || op === "again" || op === "select";
    }
    // Sums and shifts that are addresses only
    return this.uses[i] === 0;
  }

  private wroteAt(i: number): boolean {
    return i < this.fn.code.length && (this.what[i] & WRITES) !== 0;
  }

  /** Whether the instruction at `u` can read the loaded `v` from memory; of several operands the last goes first. */
  private takesMemory(v: Val, u: number): boolean {
    if (u >= this.fn.code.length) return false;
    const at = this.fn.code[u];
    const w = this.what[u];
    if (v.op === "loadU8") return false;
    if (v.op === "loadSplat" && !this.embedded) return false;
    if ((w & (ARITHMETIC | COMPARE)) === 0) {
      // One operand
      if (at.a !== v || at.b !== undefined || v.op === "loadSplat") return false;
      return at.op === "sqrt" || at.op === "splat" || at.op.includes("From");
    }
    const waits = (x: Val | undefined): boolean =>
      x !== undefined && x !== v && x.id >= 0 && (this.what[x.id] & READS) !== 0 && this.mode[x.id] === AT_USE;
    if (waits(at.a) || waits(at.b) || waits(at.c)) return false;
    if (at.a === at.b || at.b === at.c || at.a === at.c) return false;
    if (at.op === "fma" || at.op === "fnma") return true;
    if (at.b === v) return at.b.type === at.a!.type || !isVec(at.type);
    return at.op === "add" || at.op === "mul" || at.op === "and" || at.op === "or" || at.op === "xor";
  }

  private operands(v: Val, i: number, at: number, w: number): void {
    const memory =
      (w & READS) !== 0 ||
      v.op === "store" ||
      v.op === "storePartial" ||
      v.op === "storeU8" ||
      v.op.startsWith("atomic");
    if (memory) {
      this.address(v.a!, i, at);
      if (v.b) this.use(v.b, i, at);
      return;
    }
    if (this.mode[i] === AT_USE && (w & COMPARE) === 0) {
      // An address: sums pass on what they are used for
      const { a, b } = v;
      if (v.op === "add" && b!.op === "const") this.address(a!, i, at);
      else if (v.op === "add") {
        const scaled = isScaled(b!) ? b! : isScaled(a!) ? a! : undefined;
        this.part(a!, i, at, a === scaled);
        this.part(b!, i, at, b === scaled);
      } else this.use(a!, i, at);
      return;
    }
    if (v.a) this.use(v.a, i, at);
    // The end of a loop is compared with in every round
    if (v.b) this.use(v.b, i, v.op === "loop" ? this.endOf[i] : at);
    if (v.c) this.use(v.c, i, at);
    if (v.args) for (const x of v.args) this.use(x, i, at);
  }

  /** A register of an address, or a scaled index. */
  private part(x: Val, i: number, at: number, scaled: boolean): void {
    if (scaled && this.block[x.id] === this.block[i]) {
      this.note(x, at);
      this.addressUses[x.id]++;
    } else this.use(x, i, at);
  }

  /** The use of `x` as an address. */
  private address(x: Val, i: number, at: number): void {
    if (x.id < 0) return;
    if (x.op === "add" && x.type === "ptr" && this.block[x.id] === this.block[i] && isPlain(x)) {
      this.note(x, at);
      this.addressUses[x.id]++;
    } else this.use(x, i, at);
  }

  private use(x: Val, i: number, at: number): void {
    if (x.id < 0) return;
    if (x.id >= i || this.fn.code[x.id] !== x)
      throw new Error(`[x64] ${this.fn.name}: ${x.op} used before or outside of its function`);
    if (this.block[x.id] !== this.block[i]) this.visible(x, i);
    this.uses[x.id]++;
    this.user[x.id] = i;
    this.note(x, at);
  }

  /** Remembers how long `x` is needed; a use in a loop that began after it lasts to the loop's end. */
  private note(x: Val, at: number): void {
    let end = at;
    for (let k = this.loopOf[at]; k > x.id; k = this.loopOf[k]) end = this.endOf[k];
    if (end > this.last[x.id]) this.last[x.id] = end;
    this.reads(x, 0);
  }

  /** Notes that a variable is read, now or by what may be computed at its use. */
  private reads(x: Val, depth: number): void {
    if (x.op === "get") this.readsSince[(x.ref as Var).id]++;
    else if (
      x.id >= 0 &&
      depth < 4 &&
      (x.op === "bitcast" || x.op === "add" || x.op === "shl" || (this.what[x.id] & (READS | COMPARE)) !== 0)
    ) {
      if (x.a) this.reads(x.a, depth + 1);
      if (x.b) this.reads(x.b, depth + 1);
    }
  }

  private visible(x: Val, i: number): void {
    const want = this.block[x.id];
    let k = this.block[i];
    while (k !== want && k >= 0) k = this.parent[k];
    if (k !== want && x.op !== "loop")
      throw new Error(`[x64] ${this.fn.name}: ${x.op} used outside of the block that defines it`);
  }

  /** An assignment to variable `id` after position `from` and before `to`. */
  private setBetween(id: number, from: number, to: number): boolean {
    for (let s = this.lastSet[id]; s > from; s = this.nextSet[s]) if (s < to) return true;
    return false;
  }
}

/** A constant of no ones or all ones. */
const isFlag = (v: Val): boolean => v.imm === 0 || v.imm === -1;

/** x << 1, 2 or 3 with x not negative: a scaled index. */
const isScaled = (x: Val): boolean =>
  x.op === "shl" && x.type === "i32" && x.b!.op === "const" && x.b!.imm > 0 && x.b!.imm < 4 && x.positive && x.id >= 0;

/** A sum whose parts need no sign extension. */
const isPlain = (x: Val): boolean => wide(x.a!) && wide(x.b!);
const wide = (x: Val): boolean => x.op === "const" || x.type === "ptr" || x.positive;
