// Decides, for one recorded function, what lives where: which values stay on the operand stack (used once, movable to their
// use), which reads of variables need no copy, which instructions are dead, and which local every other value gets.
import type { Fn, Op, Type, Val, Var } from "../asm/index.ts";
import { READING, WRITING } from "../asm/index.ts";

/** Value classes of WebAssembly in the order in which locals are grouped: i32, f32, f64, v128. */
export const classOf = (t: Type): number => (t === "i32" || t === "ptr" ? 0 : t === "f32" ? 1 : t === "f64" ? 2 : 3);

export interface Layout {
  /** 1: dropped, emitted at its use, or an alias of a variable; nothing is emitted at its own position. */
  readonly skip: Int32Array;
  /** 1: emitted at its only use. */
  readonly inline: Int32Array;
  /** Local of a value or variable: rank within its class * 4 + class; -1 none. */
  readonly local: Int32Array;
  readonly varLocal: Int32Array;
  /** Vector constants that are used in loops, made once at entry. */
  readonly constLocal: Map<Val, number>;
  /** Values computed before a loop (by its position) and used nowhere else, which V8 would compute anew in every round. */
  readonly anchors: ReadonlyMap<number, readonly Val[]>;
  /** Local of a condition that never holds, though V8 cannot know; -1 when it is not needed. */
  readonly neverLocal: number;
  /** Number of locals of each class. */
  readonly counts: number[];
}

const EFFECTS: ReadonlySet<Op> = new Set<Op>([
  ...WRITING,
  "set",
  "decl",
  "notify",
  "pause",
  "clock",
  "loop",
  "endloop",
  "repeat",
  "again",
  "if",
  "else",
  "endif",
  "pin",
]);
const WRITES: ReadonlySet<Op> = new Set(WRITING);
const READS: ReadonlySet<Op> = new Set(READING);
const MAX_DEPTH = 64;

/** Operands that the encoder must push twice; bit 0: a, bit 1: b. */
function twice(v: Val): number {
  switch (v.op) {
    case "swapHalves":
    case "swapPairs":
    case "promoteHigh":
      return 1;
    case "loadPartial":
      return v.count === 3 ? 1 : 0;
    case "storePartial":
      return v.count === 3 ? 3 : 0;
    case "loadU8":
      return v.type === "vi32" && v.count === 3 ? 1 : 0;
    case "storeU8":
      return v.type === "vi32" ? (v.count === 3 ? 3 : 2) : 0;
    case "loop":
      return 2;
    default:
      return 0;
  }
}

/** Results that are dearer to make than to keep in a register or a stack slot. */
function worthKeeping(v: Val): boolean {
  if (EFFECTS.has(v.op) || READS.has(v.op) || v.op === "get") return false;
  return classOf(v.type) !== 0 || v.op === "divU" || v.op === "remU" || v.op === "divS" || v.op === "remS";
}

/** Working memory of `layoutOf`, shared by the functions of a module: typed arrays are dear to make. */
export class LayoutMemory {
  private readonly all: Int32Array;
  private used = 0;
  constructor(fns: readonly Fn[]) {
    this.all = new Int32Array(15 * Math.max(0, ...fns.map((f) => f.code.length + f.vars.length + 2)));
  }
  /** The next `n` numbers, set to `value`. */
  take(n: number, value = 0): Int32Array {
    return this.all.subarray(this.used, (this.used += n)).fill(value);
  }
  reset(): void {
    this.used = 0;
  }
}

/** Valid until `memory` is used for the next function. */
export function layoutOf(fn: Fn, memory: LayoutMemory): Layout {
  const code = fn.code;
  const n = code.length;
  memory.reset();
  // Structure: enclosing block and loop of every position, partner ends, writes so far, assignments per variable.
  const block = memory.take(n + 1, -1);
  const parent = memory.take(n + 1, -1);
  const loopOf = memory.take(n + 1, -1);
  const endOf = memory.take(n + 1, -1);
  const writes = memory.take(n + 2);
  const sets: number[][] = fn.vars.map(() => []);
  const declAt = memory.take(fn.vars.length);
  let b = -1;
  let l = -1;
  const loops: number[] = [];
  for (let i = 0; i < n; i++) {
    const v = code[i];
    if (v.op === "endloop" || v.op === "endif" || v.op === "else") {
      const outer = parent[b];
      if (v.op === "endloop") {
        endOf[(v.ref as Val).id] = i;
        loops.pop();
        l = loops.length ? loops[loops.length - 1] : -1;
      }
      b = outer;
    }
    block[i] = b;
    loopOf[i] = l;
    if (v.op === "again") {
      endOf[(v.ref as Val).id] = i;
      loops.pop();
      l = loops.length ? loops[loops.length - 1] : -1;
      b = parent[b];
    }
    writes[i + 1] = writes[i] + (WRITES.has(v.op) ? 1 : 0);
    if (v.op === "set") sets[(v.ref as Var).id].push(i);
    if (v.op === "decl") declAt[(v.ref as Var).id] = i;
    if (v.op === "loop" || v.op === "repeat" || v.op === "if" || v.op === "else") {
      parent[i] = b;
      b = i;
      if (v.op === "loop" || v.op === "repeat") {
        loops.push(i);
        l = i;
      }
    }
  }
  writes[n + 1] = writes[n];

  // Backwards: uses are complete when a definition is reached.
  const uses = memory.take(n + 1);
  const user = memory.take(n + 1);
  const emitPos = memory.take(n + 1);
  const depth = memory.take(n + 1);
  const skip = memory.take(n);
  const inline = memory.take(n);
  const hot = new Set<Val>();
  const use = (x: Val | undefined, at: number, times: number): void => {
    if (!x) return;
    if (x.op === "const") {
      if (classOf(x.type) === 3 && loopOf[at] >= 0 && !Object.is(x.imm, 0)) hot.add(x);
      return;
    }
    if (x.id < 0) return;
    if (x.id >= at || code[x.id] !== x)
      throw new Error(`[wasm] ${fn.name}: ${x.op} used before or outside of its function`);
    uses[x.id] += times;
    user[x.id] = at;
  };
  const between = (list: readonly number[], from: number, to: number): boolean => {
    for (const p of list) if (p > from && p < to) return true;
    return false;
  };
  emitPos[n] = n;
  use(fn.ret, n, 1);
  for (let i = n - 1; i >= 0; i--) {
    const v = code[i];
    const effect = EFFECTS.has(v.op);
    if (!effect && uses[i] === 0) {
      skip[i] = 1;
      continue;
    }
    emitPos[i] = i;
    if (!effect && uses[i] === 1) {
      const u = user[i];
      const at = emitPos[u];
      const free = READS.has(v.op)
        ? writes[i] === writes[at]
        : v.op === "get"
          ? !between(sets[(v.ref as Var).id], i, at)
          : true;
      if (free && block[i] === block[u] && depth[u] < MAX_DEPTH) {
        inline[i] = 1;
        skip[i] = 1;
        emitPos[i] = at;
        depth[i] = depth[u] + 1;
      }
    }
    const t = twice(v);
    use(v.a, i, t & 1 ? 2 : 1);
    use(v.b, i, t & 2 ? 2 : 1);
    use(v.c, i, 1);
    if (v.args) for (const x of v.args) use(x, i, 1);
  }

  // Last position at which each value is needed; a use inside a loop that began after the definition lasts to its end.
  const last = memory.take(n + 1, -1);
  const lastVar = memory.take(fn.vars.length, -1);
  const reach = (def: number, at: number): number => {
    let end = at;
    for (let k = loopOf[at]; k > def; k = loopOf[k]) end = endOf[k];
    return end;
  };
  const visible = (def: number, at: number): void => {
    const want = block[def];
    let k = block[at];
    while (k !== want && k >= 0) k = parent[k];
    if (k !== want && code[def].op !== "loop") {
      throw new Error(`[wasm] ${fn.name}: ${code[def].op} used outside of the block that defines it`);
    }
  };
  // The one loop, outermost where there are several, that holds all uses of a value from outside of it; -1 unknown, -2 none.
  const onlyIn = memory.take(n + 1, -1);
  const live = (x: Val | undefined, at: number, pos: number): void => {
    if (!x || x.id < 0) return;
    if (block[x.id] !== block[at]) visible(x.id, at);
    last[x.id] = Math.max(last[x.id], reach(x.id, pos));
    let top = -2;
    for (let k = loopOf[pos === endOf[at] ? at : pos]; k > x.id; k = loopOf[k]) top = k;
    onlyIn[x.id] = onlyIn[x.id] === -1 || onlyIn[x.id] === top ? top : -2;
  };
  live(fn.ret, n, n);
  for (let i = 0; i < n; i++) {
    const v = code[i];
    if (skip[i] && !inline[i]) continue;
    const at = emitPos[i];
    live(v.a, i, at);
    live(v.b, i, v.op === "loop" ? endOf[i] : at);
    live(v.c, i, at);
    if (v.args) for (const x of v.args) live(x, i, at);
    if (v.op === "loop") last[i] = Math.max(last[i], endOf[i]);
  }
  for (let i = 0; i < n; i++) {
    const v = code[i];
    if (v.op !== "get" && v.op !== "set" && v.op !== "decl") continue;
    if (skip[i] && !inline[i]) continue;
    const id = (v.ref as Var).id;
    let end = emitPos[i];
    if (v.op === "get" && !inline[i] && !between(sets[id], i, last[i])) {
      skip[i] = 2; // an alias: read the variable where the value is used
      end = last[i];
    }
    lastVar[id] = Math.max(lastVar[id], reach(declAt[id], end));
  }

  // Linear scan over positions.
  const local = memory.take(n + 1, -1);
  const varLocal = memory.take(fn.vars.length, -1);
  const counts = [0, 0, 0, 0];
  const freed: number[][] = [[], [], [], []];
  const expire = new Map<number, number[]>();
  const take = (cls: number, end: number): number => {
    const slot = freed[cls].pop() ?? counts[cls]++ * 4 + cls;
    const list = expire.get(end);
    if (list) list.push(slot);
    else expire.set(end, [slot]);
    return slot;
  };
  const constLocal = new Map<Val, number>();
  const anchors = new Map<number, Val[]>();
  let pins = false;
  for (let i = 0; i < n; i++) {
    const v = code[i];
    pins ||= v.op === "pin";
    if (skip[i] || onlyIn[i] < 0 || !worthKeeping(v)) continue;
    const list = anchors.get(onlyIn[i]);
    if (list) list.push(v);
    else anchors.set(onlyIn[i], [v]);
  }
  const neverLocal = hot.size > 0 || pins || anchors.size > 0 ? counts[0]++ * 4 : -1;
  for (const k of hot) constLocal.set(k, counts[3]++ * 4 + 3);
  for (let i = 0; i < n; i++) {
    const gone = expire.get(i);
    if (gone) for (const slot of gone) freed[slot & 3].push(slot);
    const v = code[i];
    if (skip[i]) continue;
    if (v.op === "decl") {
      const id = (v.ref as Var).id;
      varLocal[id] = take(classOf(v.type), Math.max(lastVar[id], i + 1));
    } else if (v.op === "loop" || (last[i] >= 0 && uses[i] > 0)) {
      local[i] = take(classOf(v.type), last[i]);
    }
  }
  for (let i = 0; i < n; i++) if (skip[i] === 2) local[i] = varLocal[(code[i].ref as Var).id];
  return { skip, inline, local, varLocal, constLocal, anchors, neverLocal, counts };
}
