/** Layers of one's own. */
import { ValueError } from "../base/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { type AddVariable, type Config, type Layer, type LayerOptions, makeLayer } from "./layer.ts";
import { didYouMean } from "./names.ts";

/** What `build` of a definition is given. */
export interface BuildAt<Options> {
  /** The shape of the input, batch included; of the first one with `many`. */
  readonly shape: readonly number[];
  readonly shapes: readonly (readonly number[])[];
  readonly options: Options;
  /** Makes a variable: `variable("w", [n, m], "glorotUniform", { regularizer, constraint, trainable })`. */
  readonly variable: AddVariable;
  /** `[name "layer"]`, how the messages of a layer begin. */
  readonly tag: string;
}

/** What `call` of a definition is given beside the input. */
export interface CallAt<Options, Weights> {
  readonly options: Options;
  /** What `build` returned. */
  readonly weights: Weights;
  readonly training: boolean;
  readonly tag: string;
}

/** A kind of layer: its name, its options with their defaults, its variables and what it computes. */
export interface LayerDefinition<Options extends Config, Weights> {
  /** The class in summaries and files: "squareDense". */
  readonly name: string;
  /** All options with their defaults; they are JSON. Default none. */
  readonly options?: Options;
  /** Makes the variables, once, on the first call. */
  readonly build?: (at: BuildAt<Options>) => Weights;
}

/** A maker of layers: what `loadModel` and `modelFromConfig` take in their `layers`. */
export interface DefinedLayer<Options> {
  (options?: Partial<Options> & LayerOptions): Layer;
  readonly class: string;
}

/**
 * A kind of layer of one's own. What it returns makes layers, and is handed to `loadModel` and `modelFromConfig` to have them
 * back from files: what a file may hold is said where it is read, not by which modules happen to be imported.
 *
 * @throws ValueError for an option that the definition does not have.
 * @example
 * const scaled = defineLayer({
 *   name: "scaled",
 *   options: { start: 1 },
 *   build: ({ shape, options, variable }) => ({
 *     factor: variable("factor", shape.slice(-1), { name: "constant", value: options.start }),
 *   }),
 *   call: (x, { weights }) => x.mul(weights.factor),
 * });
 * const net = sequential([dense(4), scaled({ start: 0.5 }), relu], { inputShape: [3] });
 * await saveModel(net, "net.safetensors");
 * const again = await loadModel("net.safetensors", { layers: [scaled] });
 */
export function defineLayer<Options extends Config = {}, Weights = undefined>(
  definition: LayerDefinition<Options, Weights> & {
    readonly many?: false;
    call(x: Tensor, at: CallAt<Options, Weights>): Tensor;
  },
): DefinedLayer<Options>;
export function defineLayer<Options extends Config = {}, Weights = undefined>(
  definition: LayerDefinition<Options, Weights> & {
    /** Takes a list of tensors. */
    readonly many: true;
    call(xs: readonly Tensor[], at: CallAt<Options, Weights>): Tensor;
  },
): DefinedLayer<Options>;
export function defineLayer<Options extends Config, Weights>(
  definition: LayerDefinition<Options, Weights> & {
    readonly many?: boolean;
    call(x: never, at: CallAt<Options, Weights>): Tensor;
  },
): DefinedLayer<Options> {
  const { name, many = false, options: defaults = {} as Options, build } = definition;
  const make = (given: Partial<Options> & LayerOptions = {}): Layer => {
    const { name: _, trainable: __, ...own } = given as Config & LayerOptions;
    const odd = Object.keys(own).find((key) => !(key in defaults));
    if (odd !== undefined) {
      const known = Object.keys(defaults);
      throw new ValueError(
        `[${name}] has no option "${odd}": ${known.length === 0 ? "it has none but name and trainable." : didYouMean(odd, known)}`,
      );
    }
    const options = { ...defaults, ...own };
    let weights = undefined as Weights;
    return makeLayer({
      class: name,
      options: given,
      config: options,
      many,
      ...(build === undefined
        ? {}
        : {
            build(shapes, variable, tag): void {
              weights = build({ shape: shapes[0], shapes, options, variable, tag });
            },
          }),
      call: (xs, { training, tag }) =>
        definition.call((many ? xs : xs[0]) as never, { options, weights, training, tag }),
    });
  };
  return Object.assign(make, { class: name });
}
