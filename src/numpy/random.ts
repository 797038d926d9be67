/**
 * numpy.random: after `seed(n)` the numbers that NumPy draws after np.random.seed(n). Inside `compiled` numbers are drawn anew by
 * each run, from Chainrule's own stream (random.seed of the main entry).
 */
import { checkShape, ValueError } from "../base/index.ts";
import { context, nextKey } from "../base/context.ts";
import { currentTrace, fromHost, random as own, type Tensor, type TensorLike } from "../tensor/index.ts";
import { array } from "./creation.ts";
import { Mersenne } from "./mersenne.ts";

/** A shape: one size or several. */
export type Size = number | readonly number[];

const shapeOf = (size: Size, op: string): readonly number[] => {
  const shape = typeof size === "number" ? [size] : size;
  checkShape(shape, `random.${op}`);
  return shape;
};

/** The stream in use; without a seed it starts from Chainrule's own. */
const stream = (): Mersenne => (context.numpy ??= new Mersenne(nextKey()[0])) as Mersenne;

/**
 * Starts the stream anew: a whole number in 0..2³²-1.
 *
 * @example
 * np.random.seed(1);
 * np.random.uniform(0, 1, [2]).array(); // → [0.41702, 0.72032]
 */
export function seed(value: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32)
    throw new ValueError(`[random.seed] takes a whole number in 0..4294967295, got ${value}.`);
  context.numpy = new Mersenne(value);
}

/** Numbers of one kind: of the stream, or inside `compiled` of its program. */
function draw(shape: readonly number[], next: (s: Mersenne) => number, recorded: () => Tensor): Tensor {
  if (currentTrace() !== null) return recorded();
  const s = stream();
  const host = new Float64Array(shape.reduce((n, d) => n * d, 1));
  for (let i = 0; i < host.length; i++) host[i] = next(s);
  return fromHost(host, shape, "float64");
}

/**
 * Uniform in 0..1: rand(2, 3) is [2, 3]; rand() is one number as a scalar tensor.
 *
 * @example
 * np.random.seed(1);
 * np.random.rand(2).array(); // → [0.41702, 0.72032]
 */
export function rand(...shape: readonly number[]): Tensor {
  return uniform(0, 1, shape);
}

/**
 * Standard normal: randn(2, 3) is [2, 3].
 *
 * @example
 * np.random.seed(1);
 * np.random.randn(2).array(); // → [1.6243, -0.61176]
 */
export function randn(...shape: readonly number[]): Tensor {
  return normal(0, 1, shape);
}

/**
 * Uniform in low..high. Default: one number in 0..1.
 *
 * @example
 * np.random.seed(1);
 * np.random.uniform(5, 6, [2]).array(); // → [5.417, 5.7203]
 */
export function uniform(low = 0, high = 1, size: Size = []): Tensor {
  const shape = shapeOf(size, "uniform");
  return draw(
    shape,
    (s) => low + (high - low) * s.uniform(),
    () => own.uniform(shape, { low, high, dtype: "float64" }),
  );
}
/**
 * Uniform in 0..1 of a shape given as one argument.
 *
 * @example
 * np.random.seed(1);
 * np.random.random([2]).array(); // → [0.41702, 0.72032]
 */
export const random = (size: Size = []): Tensor => uniform(0, 1, size);

/**
 * Normal with mean `loc` and standard deviation `scale`.
 *
 * @example
 * np.random.seed(1);
 * np.random.normal(10, 1, [2]).array(); // → [11.624, 9.3882]
 */
export function normal(loc = 0, scale = 1, size: Size = []): Tensor {
  const shape = shapeOf(size, "normal");
  if (!(scale >= 0)) throw new ValueError(`[random.normal] scale must be ≥ 0, got ${scale}.`);
  return draw(
    shape,
    (s) => loc + scale * s.normal(),
    () => own.normal(shape, { mean: loc, std: scale, dtype: "float64" }),
  );
}

/**
 * Whole numbers in low..high-1 (or 0..low-1 without `high`), int32.
 *
 * @example
 * np.random.seed(1);
 * np.random.randint(0, 10, [3]).array(); // → [5, 8, 9]
 */
export function randint(low: number, high: number | null = null, size: Size = []): Tensor {
  const [from, to] = high === null ? [0, low] : [low, high];
  if (!(Number.isInteger(from) && Number.isInteger(to) && from < to))
    throw new ValueError(`[random.randint] needs whole numbers low < high, got ${from} and ${to}.`);
  const shape = shapeOf(size, "randint");
  return draw(
    shape,
    (s) => from + s.below(to - from - 1),
    () => own.randint(shape, from, to),
  ).cast("int32");
}

/** 0..n-1 in random order. */
function shuffled(n: number): Int32Array {
  const s = stream();
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const k = s.below(i);
    [order[i], order[k]] = [order[k], order[i]];
  }
  return order;
}

/**
 * 0..n-1 in random order, or the rows of a tensor.
 *
 * @example
 * np.random.seed(1);
 * np.random.permutation(4).array(); // → [3, 2, 0, 1]
 */
export function permutation(x: number | TensorLike): Tensor {
  if (typeof x === "number") {
    return currentTrace() !== null ? own.permutation(x) : fromHost(shuffled(x), [x], "int32");
  }
  const t = array(x);
  return currentTrace() !== null ? own.shuffle(t) : t.gather(fromHost(shuffled(t.shape[0]), [t.shape[0]], "int32"));
}
/**
 * The rows of x in random order: a new tensor (NumPy shuffles in place).
 *
 * @example
 * np.random.seed(1);
 * np.random.shuffle([1, 2, 3]).array(); // → [1, 3, 2]
 */
export const shuffle = (x: TensorLike): Tensor => permutation(array(x));

/** Options of `np.random.choice`. */
export interface ChoiceOptions {
  readonly size?: Size;
  /** Whether an element may be drawn again. Default: true. */
  readonly replace?: boolean;
}

/**
 * Elements of a vector, or of 0..n-1, all equally likely.
 *
 * @example
 * np.random.seed(1);
 * np.random.choice([5, 6, 7], { size: [2] }).array(); // → [6, 5]
 */
export function choice(from: number | TensorLike, options: ChoiceOptions = {}): Tensor {
  const { size = [], replace = true } = options;
  const shape = shapeOf(size, "choice");
  const count = shape.reduce((n, d) => n * d, 1);
  const values = typeof from === "number" ? null : array(from);
  const n = values === null ? (from as number) : values.shape[0];
  if (!replace && count > n) throw new ValueError(`[random.choice] cannot draw ${count} of ${n} without replacement.`);
  const at = replace ? randint(0, n, shape) : permutation(n).slice([0, count]).reshape(shape);
  return values === null ? at : values.gather(at);
}
