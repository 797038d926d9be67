import { ValueError } from "../base/index.ts";
import { context, withContext } from "../base/context.ts";
import { Tensor, type Variable } from "../tensor/index.ts";
import { type ActivationLike, isActivation } from "./activations.ts";
import type { Layer, LayerCore } from "./layer.ts";

/** One call of a layer: the path of its name ("block/conv2d"), its class, what went in and what came out. */
export interface LayerCall {
  readonly path: string;
  readonly class: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** The layer's own variables, without those of its parts. */
  readonly variables: readonly Variable[];
  /** What the layer applies last: the name of its activation option, else its class ("relu"). */
  readonly activation: string;
  /** A model, whose parts were called before it. */
  readonly isModel: boolean;
}

/** What a layer applies last: the name of its activation option, else its class. */
function activationIn({ spec }: LayerCore): string {
  const given = (spec.options as { readonly activation?: ActivationLike }).activation;
  if (given === undefined) return spec.class;
  return typeof given === "string" ? given : isActivation(given) ? given.activation : (given as { name: string }).name;
}

/**
 * Runs `f` and shows `tap` every call of a layer inside it, each after what it needs. What `tap` returns stands in for the
 * layer's result; undefined leaves it. Works at once and inside `compiled` and `grad`, where it is called while recording.
 *
 * @example
 * const shapes: string[] = [];
 * tapLayers((call) => void shapes.push(`${call.path} ${call.outputs[0].shape}`), () => net(x));
 */
export function tapLayers<T>(tap: (call: LayerCall) => Tensor | undefined | void, f: () => T): T {
  const before = context.tap;
  const see = (layer: unknown, inputs: readonly unknown[], output: unknown): unknown => {
    const out = before === null ? output : before(layer, inputs, output);
    const core = layer as LayerCore;
    const other = tap({
      path: core.path + core.name,
      class: core.spec.class,
      inputs: inputs as readonly Tensor[],
      outputs: out instanceof Tensor ? [out] : (out as readonly Tensor[]),
      variables: core.own.map((o) => o.variable),
      activation: activationIn(core),
      isModel: core.layers.length > 0,
    });
    return other ?? out;
  };
  return withContext({ tap: see }, f);
}

/**
 * What every layer of a network gives for x, by path of its name; of a layer that is called several times, the last.
 *
 * @throws ValueError when no layer was called.
 * @example const maps = layerOutputs(net, x)["conv2d"]; // [batch, height, width, filters]
 */
export function layerOutputs(net: Layer | ((x: Tensor) => unknown), x: Tensor): Record<string, Tensor> {
  const found: Record<string, Tensor> = {};
  tapLayers(
    (call) => {
      if (!call.isModel) [found[call.path]] = call.outputs;
    },
    () => (net as (x: Tensor) => unknown)(x),
  );
  if (Object.keys(found).length === 0)
    throw new ValueError("[layerOutputs] no layer was called: pass a model, or a function that calls layers.");
  return found;
}
