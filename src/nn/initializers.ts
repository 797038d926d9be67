import { type DType, hostArray, keyOfSeed, type Key, sizeOf, type TypedArray, ValueError } from "../base/index.ts";
import { nextKey } from "../base/context.ts";
import type { Tensor } from "../tensor/index.ts";
import { tensor } from "../tensor/index.ts";
import { didYouMean } from "./names.ts";
import { sampleNormal, sampleUniform } from "./sampling.ts";

/** Makes the first value of a variable. `config` is its JSON form: a name, or a name with options. */
export interface Initializer {
  (shape: readonly number[], dtype?: DType): Tensor;
  readonly config: InitializerConfig;
}

/** The JSON form of an initializer. */
export type InitializerConfig = string | ({ readonly name: string } & Readonly<Record<string, number | string | null>>);

/** What layer options take: a name (`"heNormal"`), an initializer (`heNormal({ seed: 1 })`), or its JSON form. */
export type InitializerLike =
  | Initializer
  | InitializerName
  | ({ readonly name: InitializerName } & Readonly<Record<string, number | string | null>>);

/** Initializers that options know by name. */
export type InitializerName =
  | "zeros"
  | "ones"
  | "constant"
  | "uniform"
  | "normal"
  | "truncatedNormal"
  | "varianceScaling"
  | "lecunUniform"
  | "lecunNormal"
  | "glorotUniform"
  | "glorotNormal"
  | "heUniform"
  | "heNormal";

/** Options of initializers that draw. */
export interface Seeded {
  /** Fixes the numbers of this initializer; default: the next draw of the stream that `setSeed` starts. */
  readonly seed?: number;
}

/** The options other than undefined ones, behind the name; the bare name when there are none. */
function configOf(name: string, options: object): InitializerConfig {
  const given = Object.entries(options).filter(([, v]) => v !== undefined);
  return given.length === 0 ? name : { name, ...Object.fromEntries(given) };
}

/** An initializer from what fills its array; also for initializers-more.ts. */
export function make(
  name: string,
  options: object,
  fill: (shape: readonly number[], dtype: DType, key: () => Key) => TypedArray,
): Initializer {
  const seed = (options as Seeded).seed;
  const key = (): Key => (seed === undefined ? nextKey() : keyOfSeed(seed));
  const init = (shape: readonly number[], dtype: DType = "float32"): Tensor =>
    tensor(fill(shape, dtype, key), { shape, dtype });
  return Object.assign(init, { config: configOf(name, options) });
}

const filled = (shape: readonly number[], dtype: DType, value: number): TypedArray =>
  hostArray(dtype, sizeOf(shape)).fill(value);

/**
 * All zeros: the default of biases (Keras: Zeros).
 *
 * @example dense(2, { kernelInitializer: "zeros" })(tensor([[1, 2]])).array(); // → [[0, 0]]
 */
export const zeros = (): Initializer => make("zeros", {}, (shape, dtype) => filled(shape, dtype, 0));
/**
 * All ones (Keras: Ones).
 *
 * @example dense(2, { kernelInitializer: "ones" })(tensor([[1, 2]])).array(); // → [[3, 3]]
 */
export const ones = (): Initializer => make("ones", {}, (shape, dtype) => filled(shape, dtype, 1));
/**
 * One value everywhere (Keras: Constant).
 *
 * @example dense(8, { kernelInitializer: constant(0.1) });
 */
export const constant = (value: number): Initializer =>
  make("constant", { value }, (shape, dtype) => filled(shape, dtype, value));

/**
 * Uniform in (min, max), default ±0.05 (Keras: RandomUniform).
 *
 * @example dense(8, { kernelInitializer: uniform({ min: -0.1, max: 0.1 }) });
 */
export const uniform = (options: Seeded & { min?: number; max?: number } = {}): Initializer =>
  make("uniform", options, (shape, dtype, key) =>
    sampleUniform(key(), shape, dtype, options.min ?? -0.05, options.max ?? 0.05),
  );

/**
 * Normal, default mean 0 and deviation 0.05 (Keras: RandomNormal; S-083 with deviation 0.01).
 *
 * @example dense(8, { kernelInitializer: normal({ stddev: 0.01 }) });
 */
export const normal = (options: Seeded & { mean?: number; stddev?: number } = {}): Initializer =>
  make("normal", options, (shape, dtype, key) =>
    sampleNormal(key(), shape, dtype, options.mean ?? 0, options.stddev ?? 0.05),
  );

/**
 * Normal cut at two deviations, default mean 0 and deviation 0.05 before the cut (Keras: TruncatedNormal).
 *
 * @example dense(8, { kernelInitializer: truncatedNormal({ stddev: 0.01 }) });
 */
export const truncatedNormal = (options: Seeded & { mean?: number; stddev?: number } = {}): Initializer =>
  make("truncatedNormal", options, (shape, dtype, key) =>
    sampleNormal(key(), shape, dtype, options.mean ?? 0, options.stddev ?? 0.05, true),
  );

/**
 * Inputs and outputs of one unit, by Keras' rules: [n] counts as n and n, [in, out] as is, kernels [...window, in, out] times
 * the window's size.
 *
 * @example fans([3, 3, 8, 16]); // → { fanIn: 72, fanOut: 144 }
 */
export function fans(shape: readonly number[]): { fanIn: number; fanOut: number } {
  if (shape.length < 2) return { fanIn: shape[0] ?? 1, fanOut: shape[0] ?? 1 };
  const window = sizeOf(shape.slice(0, -2));
  return { fanIn: window * shape[shape.length - 2], fanOut: window * shape[shape.length - 1] };
}

/** Options of `varianceScaling`. */
export interface VarianceOptions extends Seeded {
  /** Variance = scale / fan; default 1. */
  readonly scale?: number;
  /** Default "fanIn". */
  readonly mode?: "fanIn" | "fanOut" | "fanAvg";
  /** Default "truncatedNormal" (corrected so that the variance after the cut is right). */
  readonly distribution?: "truncatedNormal" | "normal" | "uniform";
}

/** The deviation of a standard normal cut at ±2. */
const CUT_STDDEV = 0.8796256610342398;

function scaled(options: VarianceOptions): (shape: readonly number[], dtype: DType, key: () => Key) => TypedArray {
  const { scale = 1, mode = "fanIn", distribution = "truncatedNormal" } = options;
  if (!(scale > 0)) throw new ValueError(`[varianceScaling] scale must be > 0, got ${scale}.`);
  return (shape, dtype, key) => {
    const { fanIn, fanOut } = fans(shape);
    const fan = mode === "fanIn" ? fanIn : mode === "fanOut" ? fanOut : (fanIn + fanOut) / 2;
    const variance = scale / Math.max(1, fan);
    if (distribution === "uniform") {
      const limit = Math.sqrt(3 * variance);
      return sampleUniform(key(), shape, dtype, -limit, limit);
    }
    const cut = distribution === "truncatedNormal";
    return sampleNormal(key(), shape, dtype, 0, Math.sqrt(variance) / (cut ? CUT_STDDEV : 1), cut);
  };
}

/**
 * Variance scale/fan (Keras: VarianceScaling); the named ones below are its cases.
 *
 * @example dense(8, { kernelInitializer: varianceScaling({ scale: 2, mode: "fanIn" }) });
 */
export const varianceScaling = (options: VarianceOptions = {}): Initializer =>
  make("varianceScaling", options, scaled(options));

const named =
  (name: InitializerName, scale = 1, mode?: "fanAvg") =>
  (options: Seeded = {}): Initializer =>
    make(name, options, scaled({ scale, mode, distribution: name.endsWith("Uniform") ? "uniform" : undefined }));

/**
 * Variance 1/fanIn (Keras: LecunUniform).
 *
 * @example dense(8, { kernelInitializer: lecunUniform({ seed: 1 }) })(zeros([2, 4])).shape; // → [2, 8]
 */
export const lecunUniform: (options?: Seeded) => Initializer = named("lecunUniform");
/**
 * Variance 1/fanIn, for tanh and selu: "Xavier" of the notes (Keras: LecunNormal; S-084).
 *
 * @example dense(8, { kernelInitializer: lecunNormal({ seed: 1 }) })(zeros([2, 4])).shape; // → [2, 8]
 */
export const lecunNormal: (options?: Seeded) => Initializer = named("lecunNormal");
/**
 * Uniform in ±√(6/(fanIn+fanOut)): the default of kernels (Keras: GlorotUniform; S-086).
 *
 * @example dense(8, { kernelInitializer: glorotUniform({ seed: 1 }) })(zeros([2, 4])).shape; // → [2, 8]
 */
export const glorotUniform: (options?: Seeded) => Initializer = named("glorotUniform", 1, "fanAvg");
/**
 * Variance 2/(fanIn+fanOut) (Keras: GlorotNormal; S-085).
 *
 * @example dense(8, { kernelInitializer: glorotNormal({ seed: 1 }) })(zeros([2, 4])).shape; // → [2, 8]
 */
export const glorotNormal: (options?: Seeded) => Initializer = named("glorotNormal", 1, "fanAvg");
/**
 * Variance 2/fanIn, uniform (Keras: HeUniform).
 *
 * @example dense(8, { kernelInitializer: heUniform({ seed: 1 }) })(zeros([2, 4])).shape; // → [2, 8]
 */
export const heUniform: (options?: Seeded) => Initializer = named("heUniform", 2);
/**
 * Variance 2/fanIn, for relu (Keras: HeNormal; S-087).
 *
 * @example dense(8, { kernelInitializer: heNormal({ seed: 1 }) })(zeros([2, 4])).shape; // → [2, 8]
 */
export const heNormal: (options?: Seeded) => Initializer = named("heNormal", 2);

type Options = Readonly<Record<string, number | string | null>>;

const TABLE: Record<InitializerName, (options: Options) => Initializer> = {
  zeros,
  ones,
  constant: (o) => constant(Number(o["value"])),
  uniform,
  normal,
  truncatedNormal,
  varianceScaling,
  lecunUniform,
  lecunNormal,
  glorotUniform,
  glorotNormal,
  heUniform,
  heNormal,
};

/**
 * The initializer of an option: itself, or made from its name or JSON form.
 *
 * @example initializerOf("ones")([2], "float32").array(); // → [1, 1]
 */
export function initializerOf(like: InitializerLike): Initializer {
  if (typeof like === "function") return like;
  const { name, ...options } = typeof like === "string" ? { name: like } : like;
  const maker = TABLE[name] as ((o: Options) => Initializer) | undefined;
  if (maker === undefined) {
    throw new ValueError(`unknown initializer "${name}": ${didYouMean(name, Object.keys(TABLE))}`);
  }
  return maker(options);
}
