import { type DType, ValueError } from "../base/index.ts";
import { ACTIVATIONS, type ActivationLike, activationLayer, type ActivationName } from "./activations.ts";
import { conv1d, conv2d, conv3d, type ConvOptions, depthwiseConv2d, type DepthwiseOptions } from "./conv.ts";
import { conv1dTranspose, conv2dTranspose, conv3dTranspose, type ConvTransposeOptions } from "./conv-transpose.ts";
import {
  dense,
  type DenseOptions,
  dropout,
  type DropoutOptions,
  embedding,
  flatten,
  prelu,
  reshapeTo,
} from "./core.ts";
import type { Config, Json, Layer, LayerOptions } from "./layer.ts";
import { add, average, concatenate, maximum, minimum, multiply, subtract } from "./merge.ts";
import { makeModel, makeSequential, type ModelBase, type ModelConfig } from "./model.ts";
import { didYouMean } from "./names.ts";
import { batchNorm, layerNorm } from "./norm.ts";
import {
  avgPool1d,
  avgPool2d,
  avgPool3d,
  globalAvgPool,
  globalMaxPool,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type PoolOptions,
} from "./pool.ts";
import { input, Symbolic } from "./symbolic.ts";

/** A layer as JSON. */
export interface LayerConfig {
  readonly class: string;
  readonly name: string;
  readonly trainable?: boolean;
  readonly config: Config;
}

/** Makes a layer from its JSON options, name and trainable among them. */
export type LayerMaker = (config: Config & LayerOptions) => Layer;

export interface ConfigOptions {
  /** Makers of layers that are not Chainrule's own, by class. */
  readonly layers?: Readonly<Record<string, LayerMaker>>;
}

type Spread = Config & LayerOptions;

/** The maker of layers `f(count, options)`. */
const from =
  <O>(key: string, f: (value: never, options: O) => Layer): LayerMaker =>
  (c: Spread) =>
    f(c[key] as never, c as unknown as O);

const convolution =
  <O>(f: (filters: number, size: never, options: O) => Layer): LayerMaker =>
  (c: Spread) =>
    f(c["filters"] as number, c["kernelSize"] as never, c as unknown as O);

const plain = (f: (options: never) => Layer): LayerMaker => f as unknown as LayerMaker;

/** How each class is made again from its JSON form. Plain data: nothing is ever added to it. */
export const layerTable: Readonly<Record<string, LayerMaker>> = {
  dense: from<DenseOptions>("units", dense),
  flatten: plain(flatten),
  prelu: plain(prelu),
  reshape: from<LayerOptions>("shape", reshapeTo),
  dropout: from<DropoutOptions>("rate", dropout),
  embedding: (c) => embedding(c["count"] as number, c["size"] as number, c),
  batchNorm: plain(batchNorm),
  layerNorm: plain(layerNorm),
  conv1d: convolution<ConvOptions>(conv1d),
  conv2d: convolution<ConvOptions>(conv2d),
  conv3d: convolution<ConvOptions>(conv3d),
  depthwiseConv2d: from<DepthwiseOptions>("kernelSize", depthwiseConv2d),
  conv1dTranspose: convolution<ConvTransposeOptions>(conv1dTranspose),
  conv2dTranspose: convolution<ConvTransposeOptions>(conv2dTranspose),
  conv3dTranspose: convolution<ConvTransposeOptions>(conv3dTranspose),
  maxPool1d: from<PoolOptions>("poolSize", maxPool1d),
  maxPool2d: from<PoolOptions>("poolSize", maxPool2d),
  maxPool3d: from<PoolOptions>("poolSize", maxPool3d),
  avgPool1d: from<PoolOptions>("poolSize", avgPool1d),
  avgPool2d: from<PoolOptions>("poolSize", avgPool2d),
  avgPool3d: from<PoolOptions>("poolSize", avgPool3d),
  globalAvgPool: plain(globalAvgPool),
  globalMaxPool: plain(globalMaxPool),
  add: plain(add),
  subtract: plain(subtract),
  multiply: plain(multiply),
  average: plain(average),
  maximum: plain(maximum),
  minimum: plain(minimum),
  concatenate: plain(concatenate),
};

const isActivationName = (name: string): name is ActivationName => name in ACTIVATIONS;

/** The layer that `layerJson` described. Throws ValueError for a class that is neither ours nor in `options.layers`. */
export function layerFromConfig(json: LayerConfig, options: ConfigOptions = {}): Layer {
  const { class: kind, name, trainable, config } = json;
  if (kind === "sequential" || kind === "model") return baseFromConfig(json as unknown as ModelConfig, options);
  const given: Spread = { ...config, name, ...(trainable === undefined ? {} : { trainable }) };
  const maker = (options.layers?.[kind] ?? layerTable[kind]) as LayerMaker | undefined;
  if (maker !== undefined) return maker(given);
  if (isActivationName(kind)) {
    const like = (Object.keys(config).length === 0 ? kind : { name: kind, ...config }) as ActivationLike;
    return activationLayer(like, { name });
  }
  throw new ValueError(
    `[modelFromConfig] unknown layer class "${kind}" ("${name}"): ${didYouMean(kind, [...Object.keys(layerTable), ...Object.keys(ACTIVATIONS)])} ` +
      `For a layer of your own pass { layers: { ${kind}: (config) => ... } }.`,
  );
}

/** A list of the description; its items are checked where they are used. */
function listOf(value: Json | undefined, what: string): readonly Json[] {
  if (Array.isArray(value)) return value as readonly Json[];
  throw new ValueError(
    `[modelFromConfig] the description has no list of ${what}: the file is damaged or of another program.`,
  );
}

/** A network from its JSON form, without training. */
export function baseFromConfig(json: ModelConfig, options: ConfigOptions = {}): ModelBase {
  const { class: kind, name, trainable } = json;
  const config: Config = json;
  if (kind !== "sequential" && kind !== "model") {
    throw new ValueError(
      `[modelFromConfig] a network is of class "sequential" or "model", got ${JSON.stringify(kind)}.`,
    );
  }
  const layers = (listOf(config["layers"], "layers") as unknown as LayerConfig[]).map((l) =>
    layerFromConfig(l, options),
  );
  const common = { name, ...(trainable === false ? { trainable } : {}) };
  if (kind === "sequential") {
    const shape = config["inputShape"] as readonly (number | null)[] | null;
    return makeSequential(layers, {
      ...common,
      ...(shape === null ? {} : { inputShape: shape, inputDtype: config["inputDtype"] as DType }),
    });
  }
  const inputs = listOf(config["inputs"], "inputs") as unknown as { shape: number[]; dtype: DType; name: string }[];
  const calls = listOf(config["calls"], "calls") as unknown as { layer: string; inputs: number[] }[];
  const outputs = listOf(config["outputs"], "outputs") as unknown as number[];
  const nodes: Symbolic[] = inputs.map((s) => input(s.shape, { dtype: s.dtype, name: s.name }));
  const ins = nodes.slice();
  for (const call of calls) {
    const layer = layers.find((l) => l.name === call.layer);
    if (layer === undefined)
      throw new ValueError(`[modelFromConfig] a call names layer "${call.layer}", which is not in the list of layers.`);
    const args = call.inputs.map((i) => nodes[i]);
    const out: Symbolic | readonly Symbolic[] = layer.core.spec.many === true ? layer(args) : layer(args[0]);
    nodes.push(...(out instanceof Symbolic ? [out] : (out as readonly Symbolic[])));
  }
  const outs = outputs.map((i) => nodes[i]);
  return makeModel(ins.length === 1 ? ins[0] : ins, config["single"] === true ? outs[0] : outs, common);
}
