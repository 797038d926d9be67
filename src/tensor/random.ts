/**
 * Random tensors from counter-based bits (Threefry-2x32): the same seed gives the same numbers on every device. Without a key
 * each draw takes the next one of the default stream (`seed` sets it); inside `compiled` each run draws anew.
 */
import {
  checkShape,
  type DType,
  DTypeError,
  foldKey,
  isFloat,
  type Key,
  keyOfSeed,
  permutationOf,
  showShape,
  ValueError,
} from "../base/index.ts";
import { nextKey, setSeed } from "../base/context.ts";
import { build, type Node } from "../ir/index.ts";
import { apply, fromNode } from "./apply.ts";
import { asTensor, constant, fromHost, type TensorLike, together } from "./convert.ts";
import * as n from "./nodes.ts";
import { Tensor } from "./tensor.ts";
import { currentTrace, nextStream } from "./trace.ts";

/** Options of everything that draws. */
export interface RandomOptions {
  /** A key of `key(seed)`, for a stream of one's own. Default: the next of the default stream. */
  readonly key?: Key | Tensor;
  /** Default: float32. */
  readonly dtype?: DType;
}

/**
 * Sets the seed of the default stream: the same program then draws the same numbers.
 *
 * @example
 * random.seed(1);
 * random.uniform([2]).array(); // → [0.38189, 0.43554]
 */
export const seed = (value: number): void => {
  if (!Number.isInteger(value)) throw new ValueError(`[random.seed] the seed must be a whole number, got ${value}.`);
  setSeed(value);
};

/**
 * The key of a whole-number seed.
 *
 * @example random.normal([2], { key: random.key(7) }).array(); // → [1.0122, -1.3668]
 */
export const key = (value: number): Key => keyOfSeed(value);
/** Streams from here on are keys of children. */
const CHILDREN = 0x5eed0000;

/**
 * The `index`-th child of a key: independent of its siblings. Of a key that is a tensor (uint32 [2], as inside `compiled`) another
 * child, made by the program itself.
 *
 * @example random.uniform([1], { key: random.fold(random.key(7), 3) }).array(); // → [0.20876]
 */
export function fold(parent: Key, index: number): Key;
export function fold(parent: Tensor, index: number): Tensor;
export function fold(parent: Key | Tensor, index: number): Key | Tensor {
  if (!(parent instanceof Tensor)) return foldKey(parent, index);
  return apply([parent], (k) => build.randomBits(k, [2], CHILDREN + index));
}

/** Runs `f` on nodes of `streams` independent words of `shape`. */
function draw(
  shape: readonly number[],
  options: RandomOptions,
  streams: number,
  f: (words: Node[], ...more: Node[]) => Node,
  more: readonly Tensor[] = [],
): Tensor {
  checkShape(shape, "random");
  const { source, stream } = keyTensor(options.key, streams);
  return apply([source, ...more], (k, ...rest) =>
    f(
      Array.from({ length: streams }, (_, i) => build.randomBits(k, shape, stream + i)),
      ...rest,
    ),
  );
}

/** The key to draw from, and the first stream of it that is free. */
function keyTensor(given: Key | Tensor | undefined, streams: number): { source: Tensor; stream: number } {
  if (given instanceof Tensor) return { source: given, stream: 0 };
  if (given !== undefined) return { source: fromHost(new Uint32Array(given), [2], "uint32"), stream: 0 };
  const trace = currentTrace();
  if (trace === null) return { source: fromHost(new Uint32Array(nextKey()), [2], "uint32"), stream: 0 };
  const { key: node, stream } = nextStream(trace, streams);
  return { source: fromNode(node), stream };
}

const floatType = (dtype: DType | undefined, op: string): DType => {
  const d = dtype ?? "float32";
  if (!isFloat(d))
    throw new DTypeError(`[random.${op}] dtype must be float32 or float64, got ${d}: use randint for whole numbers.`);
  return d;
};

/** [0, 1) of 24 bits in float32, of 48 bits in float64. */
function unit(words: readonly Node[], dtype: DType): Node {
  const part = (word: Node): Node => {
    const high = build.binary("shr", word, build.full(word.shape, 8, "uint32"));
    const f = build.cast(high, dtype);
    return n.mul(f, n.like(f, 2 ** -24));
  };
  const first = part(words[0]);
  if (dtype === "float32") return first;
  return n.add(first, n.mul(part(words[1]), n.like(first, 2 ** -24)));
}

const wordsFor = (dtype: DType): number => (dtype === "float64" ? 2 : 1);

/** Options of `random.uniform`. */
export interface UniformOptions extends RandomOptions {
  /** Default: 0. */
  readonly low?: number;
  /** Default: 1. */
  readonly high?: number;
}

/**
 * Evenly spread over [low, high).
 *
 * @example random.uniform([2, 3], { low: -1, high: 1 }).shape; // → [2, 3]
 */
export function uniform(shape: readonly number[], options: UniformOptions = {}): Tensor {
  const { low = 0, high = 1 } = options;
  const dtype = floatType(options.dtype, "uniform");
  if (!(low <= high)) throw new ValueError(`[random.uniform] low ${low} must not exceed high ${high}.`);
  return draw(shape, options, wordsFor(dtype), (w) => {
    const u = unit(w, dtype);
    return low === 0 && high === 1 ? u : n.add(n.mul(u, n.like(u, high - low)), n.like(u, low));
  });
}

/** Standard normal numbers by Box and Muller (1958). */
function gaussian(words: readonly Node[], dtype: DType): Node {
  const half = words.length / 2;
  // 1 - u is in (0, 1]: its logarithm is finite.
  const u = unit(words.slice(0, half), dtype);
  const radius = build.unary("sqrt", n.mul(n.like(u, -2), build.unary("log", n.sub(n.like(u, 1), u))));
  const angle = unit(words.slice(half), dtype);
  return n.mul(radius, build.unary("cos", n.mul(angle, n.like(angle, 2 * Math.PI))));
}

/** Options of `random.normal`. */
export interface NormalOptions extends RandomOptions {
  /** Default: 0. */
  readonly mean?: number;
  /** Standard deviation. Default: 1. */
  readonly std?: number;
}

const scaled = (x: Node, mean: number, std: number): Node => {
  const wide = std === 1 ? x : n.mul(x, n.like(x, std));
  return mean === 0 ? wide : n.add(wide, n.like(x, mean));
};

/**
 * Normally distributed numbers.
 *
 * @example random.normal([1000], { key: random.key(1) }).mean().item(); // → 0.039335
 */
export function normal(shape: readonly number[], options: NormalOptions = {}): Tensor {
  const { mean = 0, std = 1 } = options;
  const dtype = floatType(options.dtype, "normal");
  return draw(shape, options, 2 * wordsFor(dtype), (w) => scaled(gaussian(w, dtype), mean, std));
}

/** Options of `random.truncatedNormal`. */
export interface TruncatedNormalOptions extends NormalOptions {
  /** Nothing lies further than this many standard deviations from the mean. Default: 2, as in Keras. */
  readonly bound?: number;
}

/**
 * Normal numbers cut at ±bound standard deviations, by the inverse distribution function: √2 erf⁻¹ of uniform numbers over
 * ±erf(bound / √2). erf⁻¹ is Giles' polynomial (2010), sharpened by two Newton steps.
 *
 * @example random.truncatedNormal([1000]).abs().max().item() <= 2; // → true
 */
export function truncatedNormal(shape: readonly number[], options: TruncatedNormalOptions = {}): Tensor {
  const { mean = 0, std = 1, bound = 2 } = options;
  const dtype = floatType(options.dtype, "truncatedNormal");
  if (!(bound > 0 && bound <= 4))
    throw new ValueError(`[random.truncatedNormal] bound must be in (0, 4], got ${bound}.`);
  return draw(shape, options, wordsFor(dtype), (w) => {
    const u = unit(w, dtype);
    const edge = build.unary("erf", n.like(u, bound * Math.SQRT1_2));
    const y = n.mul(n.sub(n.mul(u, n.like(u, 2)), n.like(u, 1)), edge);
    const z = n.mul(inverseErf(y), n.like(u, Math.SQRT2));
    const limit = n.like(u, bound);
    const cut = build.binary("minimum", build.binary("maximum", z, build.unary("neg", limit)), limit);
    return scaled(cut, mean, std);
  });
}

const GILES: readonly number[] = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
];
const GILES_TAIL: readonly number[] = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
];

function inverseErf(y: Node): Node {
  const k = (v: number): Node => n.like(y, v);
  const horner = (cs: readonly number[], w: Node): Node =>
    cs.slice(1).reduce((p, c) => n.add(n.mul(p, w), k(c)), k(cs[0]));
  const w = build.unary("neg", build.unary("log", n.mul(n.sub(k(1), y), n.add(k(1), y))));
  const central = horner(GILES, n.sub(w, k(2.5)));
  const tail = horner(GILES_TAIL, n.sub(build.unary("sqrt", w), k(3)));
  let x = n.mul(build.where(build.compare("lt", w, k(5)), central, tail), y);
  for (let i = 0; i < 2; i++) {
    const slope = n.mul(k(2 / Math.sqrt(Math.PI)), build.unary("exp", build.unary("neg", n.mul(x, x))));
    x = n.sub(x, n.div(n.sub(build.unary("erf", x), y), slope));
  }
  return x;
}

/**
 * true with probability p (a number, or a tensor that broadcasts to `shape`).
 *
 * @example random.bernoulli([0, 1]).array(); // → [false, true]
 */
export function bernoulli(p: TensorLike, shape?: readonly number[], options: RandomOptions = {}): Tensor {
  if (typeof p === "number" && !(p >= 0 && p <= 1))
    throw new ValueError(`[random.bernoulli] p must be in 0..1, got ${p}.`);
  const prob = typeof p === "number" ? constant(p, "float32") : asTensor(p, "bernoulli").cast("float32");
  const out = shape ?? prob.shape;
  return draw(out, options, 1, ([w], q) => build.compare("lt", unit([w], "float32"), build.broadcast(q, out)), [prob]);
}

/**
 * Whole numbers evenly spread over [low, high), int32.
 *
 * @example random.randint([4], 0, 10, { key: random.key(1) }).array(); // → [0, 0, 8, 1]
 */
export function randint(shape: readonly number[], low: number, high: number, options: RandomOptions = {}): Tensor {
  if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low || high - low > 2 ** 31) {
    throw new ValueError(`[random.randint] needs whole numbers low < high, got ${low} and ${high}.`);
  }
  return draw(shape, options, 1, ([w]) => {
    const r = build.cast(build.binary("mod", w, n.like(w, high - low)), options.dtype ?? "int32");
    return low === 0 ? r : n.add(r, n.like(r, low));
  });
}

/**
 * Indices drawn from the distributions softmax(logits) along the last axis, by the Gumbel trick: [...S, C] → [...S] int32.
 *
 * @example random.categorical([[0, -Infinity], [-Infinity, 0]]).array(); // → [0, 1]
 */
export function categorical(logits: TensorLike, options: RandomOptions & { readonly samples?: number } = {}): Tensor {
  const { operands } = together("categorical", [logits]);
  const t = operands[0].cast("float32");
  if (t.rank < 1 || t.shape[t.rank - 1] < 1)
    throw new ValueError(`[random.categorical] logits need a last axis of classes, got ${showShape(t.shape)}.`);
  const shape = options.samples === undefined ? t.shape : [options.samples, ...t.shape];
  return draw(
    shape,
    options,
    1,
    ([w], l) => {
      const u = unit([w], "float32");
      // -ln(-ln u), with u kept off 0.
      const safe = build.binary("maximum", u, n.like(u, 2 ** -25));
      const gumbel = build.unary("neg", build.unary("log", build.unary("neg", build.unary("log", safe))));
      return build.argReduce("argmax", n.add(gumbel, build.broadcast(l, shape)), shape.length - 1);
    },
    [t],
  );
}

/** Largest permutation that can be drawn inside a recorded function, where it takes n² comparisons. */
const RECORDED_MAX = 4096;

/**
 * A random order of 0 … n-1 (int32), or x with its first axis in a random order.
 *
 * @example random.permutation(5, { key: random.key(1) }).array(); // → [1, 0, 4, 2, 3]
 */
export function permutation(x: number | TensorLike, options: RandomOptions = {}): Tensor {
  if (typeof x !== "number") {
    const t = asTensor(x, "permutation");
    return t.gather(permutation(t.shape[0] ?? 0, options));
  }
  checkShape([x], "permutation");
  const trace = currentTrace();
  const given = options.key;
  if (!(given instanceof Tensor) && (given !== undefined || trace === null || (!trace.deferred && !trace.inBody))) {
    return fromHost(permutationOf(given ?? nextKey(), x), [x], "int32");
  }
  if (x > RECORDED_MAX) {
    throw new ValueError(
      `[random.permutation] inside compiled() at most ${RECORDED_MAX} elements, got ${x}: draw it outside and pass it in.`,
    );
  }
  return draw([x], options, 1, ([w]) => {
    // The rank of each word among all: smaller ones before it, equal ones by place.
    const [rows, columns] = [
      build.expand(build.reshape(w, [x, 1]), [x, x]),
      build.expand(build.reshape(w, [1, x]), [x, x]),
    ];
    const earlier = build.compare("lt", build.iota([x, x], 1), build.iota([x, x], 0));
    const before = build.binary(
      "or",
      build.compare("lt", columns, rows),
      build.binary("and", build.compare("eq", columns, rows), earlier),
    );
    return build.reduce("sum", build.cast(before, "int32"), [1]);
  });
}

/**
 * A copy of x with its first axis in a random order.
 *
 * @example random.shuffle([[1, 1], [2, 2], [3, 3]], { key: random.key(2) }).array(); // → [[3, 3], [1, 1], [2, 2]]
 */
export const shuffle = (x: TensorLike, options: RandomOptions = {}): Tensor =>
  permutation(asTensor(x, "shuffle"), options);
