import { isOp, type Node, PRIMITIVES } from "../ir/index.ts";
import { addAffine, constant, flatten, isConstant, ofLoop, reshapeIndex, sameAffine, scaleAffine } from "./affine.ts";
import type { Affine, Cond, Dynamic, Ex } from "./kernel.ts";

/** Thrown when an index through `node` is not affine: its source has to be in memory. */
export class NotAffine extends Error {
  readonly node: Node;
  constructor(node: Node) {
    super("not affine");
    this.node = node;
  }
}

/** The node whose bytes hold `n`: a reshape is its source, seen otherwise. */
export function baseOf(n: Node): Node {
  let at = n;
  while (at.op === "reshape") at = at.srcs[0];
  return at;
}

interface Visit {
  readonly idx: readonly Affine[];
  readonly ex: number;
}

/** True for indices that are written alike. */
const sameIndex = (a: readonly Affine[], b: readonly Affine[]): boolean =>
  a === b || (a.length === b.length && a.every((x, i) => x.t.length === b[i].t.length && sameAffine(x, b[i])));

/** An expression as text: equal for equal ones. JSON has no text for some numbers. */
const exKey = (ex: Ex): string =>
  JSON.stringify(ex) + ("value" in ex ? (Object.is(ex.value, -0) ? "-0" : ex.value) : "");

/**
 * Turns nodes at an index into expressions of one kernel. `member` answers for values that the kernel itself computes;
 * what is `inMemory` is loaded; all else is written out in place.
 */
export class ExBuilder {
  readonly sizes: readonly number[];
  readonly exs: Ex[] = [];
  /** Nodes whose buffers are the kernel's arguments. */
  readonly args: Node[];
  private readonly known: Map<string, number> = new Map();
  /** Where a node was visited at which index. */
  private readonly memo: Map<Node, Visit[]> = new Map();
  /** Keys in the order in which they came, so that the latest can be taken back. */
  private readonly knownKeys: string[] = [];
  private readonly memoKeys: Node[] = [];
  private readonly inMemory: (n: Node) => boolean;
  private readonly member: (n: Node, idx: readonly Affine[]) => number | null;

  constructor(
    sizes: readonly number[],
    inMemory: (n: Node) => boolean,
    member: (n: Node, idx: readonly Affine[]) => number | null,
    args: Node[] = [],
  ) {
    this.sizes = sizes;
    this.inMemory = inMemory;
    this.member = member;
    this.args = args;
  }

  /** The number of an expression, the known one if it was written before. */
  add(ex: Ex): number {
    const key = exKey(ex);
    let at = this.known.get(key);
    if (at === undefined) {
      at = this.exs.push(ex) - 1;
      this.known.set(key, at);
      this.knownKeys.push(key);
    }
    return at;
  }

  /** Where the builder stands: `undo` takes back what was added since. */
  mark(): readonly number[] {
    return [this.exs.length, this.args.length, this.knownKeys.length, this.memoKeys.length];
  }

  undo([exs, args, known, memo]: readonly number[]): void {
    this.exs.length = exs;
    this.args.length = args;
    for (const key of this.knownKeys.splice(known)) this.known.delete(key);
    for (const n of this.memoKeys.splice(memo)) this.memo.get(n)?.pop();
  }

  argOf(base: Node): number {
    const at = this.args.indexOf(base);
    return at >= 0 ? at : this.args.push(base) - 1;
  }

  load(n: Node, idx: readonly Affine[], dyn: readonly Dynamic[] = []): number {
    const index = flatten(idx, n.shape);
    return this.add({ k: "load", arg: this.argOf(baseOf(n)), index, dyn, dtype: n.dtype });
  }

  /** The value of `n` at `idx` (one index an axis). */
  visit(n: Node, idx: readonly Affine[]): number {
    let visits = this.memo.get(n);
    if (visits === undefined) this.memo.set(n, (visits = []));
    for (const v of visits) if (sameIndex(v.idx, idx)) return v.ex;
    const ex = this.member(n, idx) ?? this.write(n, idx);
    visits.push({ idx, ex });
    this.memoKeys.push(n);
    return ex;
  }

  private write(n: Node, idx: readonly Affine[]): number {
    if (isOp(n, "const") && !this.inMemory(n)) return this.add({ k: "const", value: n.attrs.value, dtype: n.dtype });
    if (this.inMemory(n) && n.op !== "reshape") return this.load(n, idx);
    const [x] = n.srcs;
    switch (n.op) {
      case "iota":
        return this.add({ k: "iota", index: idx[(n as Node<"iota">).attrs.axis], dtype: n.dtype });
      case "randomBits": {
        const key = [0, 1].map((i) => this.visit(x, [constant(i)])) as [number, number];
        const { stream } = (n as Node<"randomBits">).attrs;
        return this.add({ k: "random", key, index: flatten(idx, n.shape), stream, dtype: "uint32" });
      }
      case "barrier":
        return this.visit(x, idx);
      case "reshape": {
        const to = reshapeIndex(idx, n.shape, x.shape, this.sizes);
        if (to !== null) return this.visit(x, to);
        if (this.inMemory(baseOf(x))) return this.load(n, idx);
        throw new NotAffine(baseOf(x));
      }
      case "gather":
        return this.gather(n as Node<"gather">, idx);
      case "pad":
        return this.pad(n as Node<"pad">, idx);
      default: {
        const to = moveIndex(n, idx);
        if (to !== null) return this.visit(x, to);
        const kind = PRIMITIVES[n.op].kind;
        if (kind === "unary" || kind === "binary" || kind === "compare" || kind === "where") {
          return this.add({ k: "op", op: n.op, srcs: n.srcs.map((s) => this.visit(s, idx)), dtype: n.dtype });
        }
        throw new NotAffine(n);
      }
    }
  }

  private gather(n: Node<"gather">, idx: readonly Affine[]): number {
    const [x, indices] = n.srcs;
    const { axis } = n.attrs;
    const rank = indices.shape.length;
    const base = baseOf(x);
    if (!this.inMemory(base)) throw new NotAffine(base);
    const ex = this.visit(indices, idx.slice(axis, axis + rank));
    let stride = 1;
    for (let i = axis + 1; i < x.shape.length; i++) stride *= x.shape[i];
    const at = [...idx.slice(0, axis), constant(0), ...idx.slice(axis + rank)];
    return this.load(x, at, [{ ex, stride, size: x.shape[axis] }]);
  }

  private pad(n: Node<"pad">, idx: readonly Affine[]): number {
    const { padding, value } = n.attrs;
    const conds: Cond[] = [];
    const at = idx.map((a, i) => {
      const [lo, hi] = padding[i];
      const index = addAffine(a, constant(-lo));
      if (lo > 0 || hi > 0) conds.push({ index, lo: 0, hi: n.srcs[0].shape[i] });
      return index;
    });
    if (conds.some((c) => isConstant(c.index) && !(c.index.c >= c.lo && c.index.c < c.hi))) {
      return this.add({ k: "const", value, dtype: n.dtype });
    }
    const then = this.visit(n.srcs[0], at);
    return this.add({ k: "guard", conds: conds.filter((c) => !isConstant(c.index)), then, value, dtype: n.dtype });
  }
}

/** The index into the source of a movement node that only relabels axes; null for other nodes. */
function moveIndex(n: Node, idx: readonly Affine[]): Affine[] | null {
  if (isOp(n, "permute")) {
    const out = new Array<Affine>(idx.length);
    n.attrs.perm.forEach((p, i) => (out[p] = idx[i]));
    return out;
  }
  if (isOp(n, "expand")) return idx.map((a, i) => (n.srcs[0].shape[i] === 1 ? constant(0) : a));
  if (isOp(n, "slice"))
    return idx.map((a, i) => addAffine(scaleAffine(a, n.attrs.step[i]), constant(n.attrs.start[i])));
  if (isOp(n, "flip")) {
    return idx.map((a, i) => (n.attrs.axes.includes(i) ? addAffine(constant(n.shape[i] - 1), scaleAffine(a, -1)) : a));
  }
  return null;
}

/** Axes of a kernel as loops: an axis is one loop, or several after splits. */
export class Axes {
  readonly sizes: number[] = [];
  readonly index: Affine[] = [];
  readonly loopsOf: number[][] = [];

  /** `splits[axis]` lists the sizes that axis is cut into, outermost first. */
  constructor(shape: readonly number[], splits: ReadonlyMap<number, readonly number[]>) {
    shape.forEach((size, axis) => {
      const parts = splits.get(axis) ?? [size];
      const loops: number[] = [];
      let at = constant(0);
      for (const part of parts) {
        const loop = this.sizes.push(part) - 1;
        loops.push(loop);
        at = addAffine(scaleAffine(at, part), ofLoop(loop));
      }
      this.loopsOf.push(loops);
      this.index.push(at);
    });
  }

  /** The splits with `loop` cut into an outer part and `inner` turns. */
  split(splits: ReadonlyMap<number, readonly number[]>, loop: number, inner: number): Map<number, readonly number[]> {
    const next = new Map(splits);
    this.loopsOf.forEach((loops, axis) => {
      const pos = loops.indexOf(loop);
      if (pos < 0) return;
      const parts = loops.map((l) => this.sizes[l]);
      parts.splice(pos, 1, this.sizes[loop] / inner, inner);
      next.set(axis, parts);
    });
    return next;
  }
}
