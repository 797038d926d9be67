import { ShapeError, showShape, sizeOf, ValueError } from "../base/index.ts";
import { greater, matmul, mul, random, reshape, take, Tensor, where } from "../tensor/index.ts";
import { type ActivationLike, activationLayer } from "./activations.ts";
import type { Constraint } from "./constraints.ts";
import { type InitializerLike, initializerOf } from "./initializers.ts";
import { type Layer, type LayerOptions, makeLayer } from "./layer.ts";
import { partsJson, type RegularizerLike, regularizerOf } from "./regularizers.ts";
import { type WeightOptions, weightsOf } from "./weights.ts";

/** Throws unless `value` is a whole number of at least `least`. */
export function needWhole(layer: string, option: string, value: number, least = 1): void {
  if (!Number.isInteger(value) || value < least) {
    throw new ValueError(`[${layer}] ${option} must be a whole number ≥ ${least}, got ${String(value)}.`);
  }
}

/** Options of `dense`. */
export interface DenseOptions extends WeightOptions {
  /** Default "glorotUniform". */
  readonly kernelInitializer?: InitializerLike;
}

/**
 * y = activation(x·W + b): x [..., in], kernel W [in, units], bias b [units] → [..., units] (Keras: Dense; S-434).
 *
 * @example
 * const y = dense(3, { activation: "relu" })(zeros([2, 8])); // [2, 3]
 */
export function dense(units: number, options: DenseOptions = {}): Layer {
  needWhole("dense", "units", units);
  const weights = weightsOf(options, options.kernelInitializer);
  return makeLayer({
    class: "dense",
    options,
    activity: weights.activity,
    config: () => ({ units, ...weights.config() }),
    build([shape], variable, tag) {
      if (shape.length < 2) {
        throw new ShapeError(
          `${tag} expects [batch, ..., features], got input ${showShape(shape)}: give it a batch axis in front, reshape([1, -1]).`,
        );
      }
      weights.build(variable, [shape[shape.length - 1], units], [units]);
    },
    check([shape], tag) {
      const [want] = weights.kernel.shape;
      const last = shape[shape.length - 1];
      if (last === want && shape.length >= 2) return;
      const flat = sizeOf(shape.slice(1)) === want ? " Did you forget flatten()?" : "";
      throw new ShapeError(
        `${tag} expects last axis ${want}, got input ${showShape(shape)}; weight [${want}, ${units}] needs [..., ${want}].${flat}`,
      );
    },
    call: ([x]) => weights.finish(matmul(x, weights.kernel)),
  });
}

/**
 * Applies an activation (Keras: Activation); a bare `relu` in a list of layers is the same.
 *
 * @example activation("relu")(tensor([[-1, 2]])).array(); // → [[0, 2]]
 */
export const activation = (like: ActivationLike, options: { readonly name?: string } = {}): Layer =>
  activationLayer(like, options);

/** Options of `prelu`. */
export interface PreluOptions extends LayerOptions {
  /** Default 0.25, as in the paper; Keras begins at 0. */
  readonly alphaInitializer?: InitializerLike;
  /** The axes of a sample, from 1, that have one α; default all but the last (Keras: none). */
  readonly sharedAxes?: readonly number[];
}

/**
 * x for x > 0, else α·x with a learned α for each channel (Keras: PReLU with all axes but the last shared; He et al. 2015; S-070,
 * S-250).
 *
 * @example prelu()(tensor([[-1, 2]])).array(); // → [[-0.25, 2]]
 */
export function prelu(options: PreluOptions = {}): Layer {
  const { sharedAxes } = options;
  const alphaInitializer = initializerOf(options.alphaInitializer ?? { name: "constant", value: 0.25 });
  let alpha: Tensor | null = null;
  return makeLayer({
    class: "prelu",
    options,
    config: {
      alphaInitializer: alphaInitializer.config,
      ...(sharedAxes === undefined ? {} : { sharedAxes }),
    },
    build([shape], variable) {
      const own = sharedAxes === undefined ? shape.slice(-1) : shape.slice(1);
      alpha = variable(
        "alpha",
        own.map((d, i) => (sharedAxes?.includes(i + 1) === true ? 1 : d)),
        alphaInitializer,
      );
    },
    call: ([x]) => where(greater(x, 0), x, mul(x, alpha as Tensor)),
  });
}

/**
 * [batch, ...] → [batch, product of the rest], the last axis fastest (Keras: Flatten).
 *
 * @example
 * const y = flatten()(zeros([2, 5, 5, 16])); // [2, 400]
 */
export const flatten = (options: LayerOptions = {}): Layer =>
  makeLayer({
    class: "flatten",
    options,
    config: {},
    call: ([x]) => reshape(x, [x.shape[0] ?? 1, sizeOf(x.shape.slice(1))]),
  });

/**
 * [batch, ...] → [batch, ...shape], one size of which may be -1 (Keras: Reshape).
 *
 * @example reshape([7, -1])(zeros([2, 28])).shape; // → [2, 7, 4]
 */
export const reshapeTo = (shape: readonly number[], options: LayerOptions = {}): Layer =>
  makeLayer({
    class: "reshape",
    options,
    config: { shape },
    check([from], tag) {
      const size = sizeOf(from.slice(1));
      const known = shape.reduce((n, d) => (d === -1 ? n : n * d), 1);
      const holes = shape.filter((d) => d === -1).length;
      if (holes === 0 ? known !== size : holes > 1 || size % known !== 0) {
        throw new ShapeError(
          `${tag} cannot make ${showShape(shape)} of samples ${showShape(from.slice(1))}: the batch axis stays, and the element counts must agree.`,
        );
      }
    },
    call: ([x]) => {
      const size = sizeOf(x.shape.slice(1));
      const known = shape.reduce((n, d) => (d === -1 ? n : n * d), 1);
      return reshape(x, [x.shape[0], ...shape.map((d) => (d === -1 ? size / known : d))]);
    },
  });

/** Options of `dropout`. */
export interface DropoutOptions extends LayerOptions {
  /** The axes that share a mask have size 1 here, others null (Keras: noise_shape); default: a mask for every element. */
  readonly noiseShape?: readonly (number | null)[];
  /**
   * true: training divides what is kept by 1 − rate and evaluation does nothing; false: training only drops and evaluation
   * multiplies by 1 − rate (S-156, A-17). Default true.
   */
  readonly inverted?: boolean;
}

/**
 * In training sets a share `rate` of the elements to 0 and divides the rest by 1 − rate; in evaluation x itself (inverted
 * dropout; Keras: Dropout; S-157 with keep = 1 − rate, S-158, S-159).
 *
 * @throws ValueError unless 0 ≤ rate < 1.
 * @example dropout(0.5)(zeros([2, 3]), { training: true }).shape; // → [2, 3]
 */
export function dropout(rate: number, options: DropoutOptions = {}): Layer {
  if (!(rate >= 0 && rate < 1)) {
    throw new ValueError(`[dropout] rate is the share that is dropped, 0 ≤ rate < 1, got ${rate}.`);
  }
  const { noiseShape, inverted = true } = options;
  return makeLayer({
    class: "dropout",
    options,
    config: { rate, ...(noiseShape === undefined ? {} : { noiseShape }), ...(inverted ? {} : { inverted }) },
    call([x], { training }) {
      if (rate === 0) return x;
      if (!training) return inverted ? x : mul(x, 1 - rate);
      const shape = noiseShape === undefined ? x.shape : noiseShape.map((d, i) => d ?? x.shape[i]);
      return where(random.bernoulli(rate, shape), 0, inverted ? mul(x, 1 / (1 - rate)) : x);
    },
  });
}

/** Options of `embedding`. */
export interface EmbeddingOptions extends LayerOptions {
  /** Default "uniform" in ±0.05, as Keras. */
  readonly embeddingsInitializer?: InitializerLike;
  /** A penalty on the table; default none. */
  readonly embeddingsRegularizer?: RegularizerLike;
  /** What the table is held to after each update; default none. */
  readonly embeddingsConstraint?: Constraint;
}

/**
 * Rows of a table [count, size] at whole-number indices: x int32 [...] → [..., size] (Keras: Embedding). Indices outside
 * 0..count-1 are clamped inside compiled functions; data sets check theirs when they are made.
 *
 * @example embedding(1000, 16)(tensor([[4, 20, 3]], { dtype: "int32" })).shape; // → [1, 3, 16]
 */
export function embedding(count: number, size: number, options: EmbeddingOptions = {}): Layer {
  needWhole("embedding", "count", count);
  needWhole("embedding", "size", size);
  const embeddingsInitializer = initializerOf(options.embeddingsInitializer ?? "uniform");
  const embeddingsRegularizer = regularizerOf(options.embeddingsRegularizer);
  const { embeddingsConstraint = null } = options;
  let table: Tensor | null = null;
  return makeLayer({
    class: "embedding",
    options,
    config: {
      count,
      size,
      embeddingsInitializer: embeddingsInitializer.config,
      ...partsJson({ embeddingsRegularizer, embeddingsConstraint }),
    },
    build(_, variable) {
      table = variable("embeddings", [count, size], embeddingsInitializer, {
        regularizer: embeddingsRegularizer,
        constraint: embeddingsConstraint,
      });
    },
    call: ([x]) => take(table as Tensor, x.cast("int32"), 0),
  });
}

/**
 * A plain function as a layer, of one tensor or of a list with `many` (Keras: Lambda). It has no JSON form.
 *
 * @example lambda((x) => x.square())(zeros([2, 3])).shape; // → [2, 3]
 */
export function lambda(f: (x: Tensor) => Tensor, options?: LayerOptions & { readonly many?: false }): Layer;
export function lambda(f: (xs: readonly Tensor[]) => Tensor, options: LayerOptions & { readonly many: true }): Layer;
export function lambda(f: (x: never) => Tensor, options: LayerOptions & { readonly many?: boolean } = {}): Layer {
  const { many = false } = options;
  return makeLayer({
    class: "lambda",
    options,
    many,
    config: () => {
      throw new ValueError(
        `[lambda] ${f.name === "" ? "a function" : `"${f.name}"`} has no JSON form: use an activation's name, or write a layer and pass its constructor to modelFromConfig.`,
      );
    },
    call(xs, { tag }) {
      const out: unknown = f((many ? xs : xs[0]) as never);
      if (out instanceof Tensor) return out;
      const name = f.name === "" ? "the function" : f.name;
      const repair =
        typeof out === "function"
          ? ` did you mean ${name}()? It makes a layer, which is what belongs here`
          : "it must return a tensor";
      throw new ValueError(
        `${tag} ${name} returned ${typeof out === "function" ? "a layer" : String(out)}, not a tensor:${typeof out === "function" ? "" : " "}${repair}.`,
      );
    },
  });
}
