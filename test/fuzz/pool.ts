import { ChainruleError, type DType, isFloat, sameShape, sizeOf, type TypedArray } from "../../src/base/index.ts";
import { interpret } from "../../src/codegen/interp/index.ts";
import { build as b, type Node } from "../../src/ir/index.ts";
import { largest } from "../support/compare.ts";
import { type Draw, randomArray, rngOf } from "../support/random.ts";

/** A node with its values, in float64 and rounded as its dtype has it: so the generator knows what it is building on. */
export interface Entry {
  readonly node: Node;
  readonly wide: TypedArray;
  readonly near: TypedArray;
  /** Largest difference of the two: how much rounding moves this value. */
  readonly error: number;
}

/** Numbers that stand for every choice of one step; each is taken modulo the number of options, so any will do. */
export type Choice = readonly number[];

/** How large the graphs are. */
export interface Scale {
  /** Sizes of the axes of leaves; the last is drawn rarely. */
  readonly sizes: readonly number[];
  /** The same for three axes and more. */
  readonly inner: number;
  /** Free sizes of the second operand of a contraction. */
  readonly widths: readonly number[];
  readonly elements: number;
}

export const SMALL: Scale = {
  sizes: [1, 2, 3, 4, 5, 7, 8, 16, 17, 33, 0],
  inner: 8,
  widths: [1, 3, 4, 8, 10, 17],
  elements: 20_000,
};
/** Past the blocks and tails of tiled kernels. */
export const LARGE: Scale = {
  sizes: [1, 5, 15, 16, 17, 31, 33, 64, 65, 100, 130, 257, 3],
  inner: 20,
  widths: [1, 10, 15, 16, 33, 64, 100, 130],
  elements: 120_000,
};

/** A step is kept when moving its operands by NUDGE moves its result by at most SHAKE, and rounding by at most DRIFT. */
const NUDGE = 5e-4;
const SHAKE = 0.05;
const DRIFT = 2e-5;

const spread = (rng: ReturnType<typeof rngOf>, dtype: DType): number => {
  if (!isFloat(dtype)) return dtype === "bool" ? rng.int(0, 1) : rng.int(dtype === "int32" ? -5 : 0, 6);
  // Multiples of 1/8, so that ties and exact sums occur, or normal values.
  return rng.next() < 0.3 ? rng.int(-16, 16) / 8 : rng.normal();
};

/** The graph so far. Steps take operands from it and add to it. */
export class Pool {
  readonly entries: Entry[] = [];
  readonly leaves: Map<Node, TypedArray> = new Map();
  readonly scale: Scale;

  constructor(scale: Scale = SMALL) {
    this.scale = scale;
  }

  /** A new leaf of seeded data. */
  leaf(shape: readonly number[], dtype: DType, draw: Draw = spread): Node {
    const node = b.leaf(shape, dtype);
    const data = randomArray(rngOf(this.leaves.size + 1), shape, dtype, draw);
    this.leaves.set(node, data);
    this.entries.push({ node, wide: isFloat(dtype) ? Float64Array.from(data) : data, near: data, error: 0 });
    return node;
  }

  shape(k: Choice): number[] {
    const { sizes, inner } = this.scale;
    const rank = [2, 1, 3, 2, 4, 1, 0][(k[0] ?? 0) % 7];
    return Array.from({ length: rank }, (_, i) => {
      const rare = i === 0 && (k[i + 1] ?? 0) % 40 === sizes.length - 1;
      const n = sizes[(k[i + 1] ?? 0) % (rare ? sizes.length : sizes.length - 1)];
      return rank > 2 ? Math.min(n, inner) : n;
    });
  }

  /** A node of the pool that satisfies `want`, the later the likelier, or a new float leaf. */
  pick(at: number, want: (n: Node) => boolean = (): boolean => true): Node {
    const fit = this.entries.filter((e) => want(e.node));
    if (fit.length === 0) return this.leaf([3, 5], "float32");
    return fit[fit.length - 1 - (at % fit.length)].node;
  }

  float(at: number): Node {
    return this.pick(at, (n) => isFloat(n.dtype));
  }

  /** A node of this very shape and dtype, or one that broadcasts to it, or a constant, or a new leaf. */
  like(at: number, shape: readonly number[], dtype: DType): Node {
    if (at % 9 === 8) return b.full(shape, [1, 2, 0, 3, 0.5][at % 5], dtype);
    const fits = this.entries.filter((e) => e.node.dtype === dtype && sameShape(e.node.shape, shape));
    const choice = at % (fits.length + 2);
    if (choice < fits.length) return fits[fits.length - 1 - choice].node;
    if (choice === fits.length && shape.length > 0) {
      const kept = shape.map((d, i) => (((at >> i) & 1) === 0 ? d : 1));
      return b.expand(this.leaf(kept, dtype), shape);
    }
    return this.leaf(shape, dtype);
  }

  /** Adds what `make` builds, unless it is too large, not finite, or not stable under rounding. */
  add(make: () => Node | null): void {
    let node: Node | null;
    try {
      node = make();
    } catch (e) {
      // A choice that the builder refuses.
      if (e instanceof ChainruleError) return;
      throw e;
    }
    if (
      node === null ||
      sizeOf(node.shape) > this.scale.elements ||
      work(node) > 100 * this.scale.elements ||
      this.entries.some((e) => e.node === node)
    )
      return;
    const made = node;
    const run = (value: (e: Entry) => TypedArray, precision: "float64" | "native"): TypedArray =>
      interpret([made], new Map(this.entries.map((e) => [e.node, value(e)])), { precision })[0];
    const wide = run((e) => e.wide, "float64");
    const near = run((e) => e.near, "native");
    const scale = largest(wide);
    if (!wide.every((v) => Number.isFinite(v)) || (isFloat(made.dtype) && scale > 1e5)) return;
    const error = farthest(wide, near);
    if (error > (isFloat(made.dtype) ? DRIFT * scale : 0)) return;
    if (this.entries.some((e) => e.error > 0)) {
      for (const sign of [1, -1]) {
        const moved = farthest(
          wide,
          run((e) => nudged(e, sign), "float64"),
        );
        if (moved > (isFloat(made.dtype) ? SHAKE * scale : 0)) return;
      }
    }
    this.entries.push({ node: made, wide, near, error });
  }
}

/** Multiply-adds of a contraction; 0 for the rest. */
function work(n: Node): number {
  if (n.op === "dot") return Math.sqrt(sizeOf(n.shape) * sizeOf(n.srcs[0].shape) * sizeOf(n.srcs[1].shape));
  return n.op === "reshape" && n.srcs[0].op === "conv"
    ? sizeOf(n.shape) * sizeOf(n.srcs[0].srcs[1].shape.slice(0, -1))
    : 0;
}

function farthest(a: TypedArray, c: TypedArray): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const off = Math.abs(a[i] - c[i]);
    if (!(off <= most)) most = Number.isNaN(off) ? Infinity : off;
  }
  return most;
}

/** The values with every element moved a little; exact ones stay. */
function nudged(e: Entry, sign: number): TypedArray {
  if (e.error === 0) return e.wide;
  const scale = largest(e.wide);
  const rng = rngOf(e.node.shape.length + 1);
  return e.wide.map((v) => v + sign * (rng.next() < 0.5 ? -1 : 1) * NUDGE * (Math.abs(v) + 0.01 * scale));
}
