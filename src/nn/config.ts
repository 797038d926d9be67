import { type DType, ValueError } from "../base/index.ts";
import { ACTIVATIONS, activationLayer, type ActivationName, type Adjustable } from "./activations.ts";
import { MORE_ACTIVATIONS } from "./activations-more.ts";
import {
  conv1d,
  conv2d,
  conv3d,
  type ConvOptions,
  depthwiseConv1d,
  depthwiseConv2d,
  type DepthwiseOptions,
  separableConv1d,
  separableConv2d,
  type SeparableOptions,
} from "./conv.ts";
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
import type { DefinedLayer } from "./define.ts";
import { einsumDense } from "./einsum-dense.ts";
import type { Config, Json, Layer, LayerOptions } from "./layer.ts";
import { add, average, concatenate, dot, maximum, minimum, multiply, subtract } from "./merge.ts";
import { makeModel, makeSequential, type ModelBase, type ModelConfig } from "./model.ts";
import { didYouMean } from "./names.ts";
import {
  alphaDropout,
  gaussianDropout,
  gaussianNoise,
  spatialDropout1d,
  spatialDropout2d,
  spatialDropout3d,
} from "./noise.ts";
import { batchNorm, layerNorm, type NormOptions } from "./norm.ts";
import { groupNorm, instanceNorm, localResponseNorm, rmsNorm, unitNormalization } from "./norm-groups.ts";
import {
  avgPool1d,
  avgPool2d,
  avgPool3d,
  globalAvgPool,
  globalAvgPool1d,
  globalAvgPool2d,
  globalAvgPool3d,
  globalMaxPool,
  globalMaxPool1d,
  globalMaxPool2d,
  globalMaxPool3d,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type PoolOptions,
} from "./pool.ts";
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
} from "./pool-adaptive.ts";
import { revived } from "./revive.ts";
import {
  cropping1d,
  cropping2d,
  cropping3d,
  permute,
  repeatVector,
  upSampling1d,
  upSampling2d,
  upSampling3d,
  type UpSamplingOptions,
  zeroPadding1d,
  zeroPadding2d,
  zeroPadding3d,
} from "./space.ts";
import { input, Symbolic } from "./symbolic.ts";
import { activityRegularization, maxout, type MaxoutOptions, spectralNorm, timeDistributed } from "./wrappers.ts";

/** A layer as JSON. */
export interface LayerConfig {
  readonly class: string;
  readonly name: string;
  readonly trainable?: boolean;
  readonly config: Config;
}

/** Makes a layer from its JSON options, name and trainable among them. */
export type LayerMaker = (config: Config & LayerOptions) => Layer;

/** Options of `layerFromConfig` and `modelFromConfig`. */
export interface ConfigOptions {
  /** Layers that are not Chainrule's own: what `defineLayer` gave, or makers by class. */
  readonly layers?: readonly DefinedLayer<never>[] | Readonly<Record<string, LayerMaker>>;
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
  einsumDense: (c) => einsumDense(c["equation"] as string, c["outputShape"] as number[], c),
  flatten: plain(flatten),
  prelu: plain(prelu),
  maxout: from<MaxoutOptions>("units", maxout),
  reshape: from<LayerOptions>("shape", reshapeTo),
  permute: from<LayerOptions>("dims", permute),
  repeatVector: from<LayerOptions>("count", repeatVector),
  timeDistributed: from<LayerOptions>("layer", timeDistributed),
  spectralNorm: from<LayerOptions>("layer", spectralNorm),
  activityRegularization: plain(activityRegularization),
  dropout: from<DropoutOptions>("rate", dropout),
  spatialDropout1d: from<LayerOptions>("rate", spatialDropout1d),
  spatialDropout2d: from<LayerOptions>("rate", spatialDropout2d),
  spatialDropout3d: from<LayerOptions>("rate", spatialDropout3d),
  alphaDropout: from<LayerOptions>("rate", alphaDropout),
  gaussianDropout: from<LayerOptions>("rate", gaussianDropout),
  gaussianNoise: from<LayerOptions>("stddev", gaussianNoise),
  embedding: (c) => embedding(c["count"] as number, c["size"] as number, c),
  batchNorm: plain(batchNorm),
  layerNorm: plain(layerNorm),
  groupNorm: from<NormOptions>("groups", groupNorm),
  instanceNorm: plain(instanceNorm),
  rmsNorm: plain(rmsNorm),
  unitNormalization: plain(unitNormalization),
  localResponseNorm: plain(localResponseNorm),
  zeroPadding1d: from<LayerOptions>("padding", zeroPadding1d),
  zeroPadding2d: from<LayerOptions>("padding", zeroPadding2d),
  zeroPadding3d: from<LayerOptions>("padding", zeroPadding3d),
  cropping1d: from<LayerOptions>("cropping", cropping1d),
  cropping2d: from<LayerOptions>("cropping", cropping2d),
  cropping3d: from<LayerOptions>("cropping", cropping3d),
  upSampling1d: from<UpSamplingOptions>("size", upSampling1d),
  upSampling2d: from<UpSamplingOptions>("size", upSampling2d),
  upSampling3d: from<UpSamplingOptions>("size", upSampling3d),
  conv1d: convolution<ConvOptions>(conv1d),
  conv2d: convolution<ConvOptions>(conv2d),
  conv3d: convolution<ConvOptions>(conv3d),
  depthwiseConv1d: from<DepthwiseOptions>("kernelSize", depthwiseConv1d),
  separableConv1d: convolution<SeparableOptions>(separableConv1d),
  separableConv2d: convolution<SeparableOptions>(separableConv2d),
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
  adaptiveAvgPool1d: from<LayerOptions>("outputSize", adaptiveAvgPool1d),
  adaptiveAvgPool2d: from<LayerOptions>("outputSize", adaptiveAvgPool2d),
  adaptiveAvgPool3d: from<LayerOptions>("outputSize", adaptiveAvgPool3d),
  adaptiveMaxPool1d: from<LayerOptions>("outputSize", adaptiveMaxPool1d),
  adaptiveMaxPool2d: from<LayerOptions>("outputSize", adaptiveMaxPool2d),
  adaptiveMaxPool3d: from<LayerOptions>("outputSize", adaptiveMaxPool3d),
  globalAvgPool: plain(globalAvgPool),
  globalAvgPool1d: plain(globalAvgPool1d),
  globalAvgPool2d: plain(globalAvgPool2d),
  globalAvgPool3d: plain(globalAvgPool3d),
  globalMaxPool: plain(globalMaxPool),
  globalMaxPool1d: plain(globalMaxPool1d),
  globalMaxPool2d: plain(globalMaxPool2d),
  globalMaxPool3d: plain(globalMaxPool3d),
  add: plain(add),
  subtract: plain(subtract),
  multiply: plain(multiply),
  average: plain(average),
  maximum: plain(maximum),
  minimum: plain(minimum),
  concatenate: plain(concatenate),
  dot: plain(dot),
};

/**
 * The layer that `layerJson` described. Throws ValueError for a class that is neither ours nor in `options.layers`.
 *
 * @example layerFromConfig({ class: "dense", name: "fc", config: { units: 3 } })(zeros([2, 5])).shape; // → [2, 3]
 */
export function layerFromConfig(json: LayerConfig, options: ConfigOptions = {}): Layer {
  const { class: kind, name, trainable, config } = json;
  if (kind === "sequential" || kind === "model") return baseFromConfig(json as unknown as ModelConfig, options);
  const { layers = {} } = options;
  const inner = config["layer"] as unknown as LayerConfig | undefined;
  const given: Spread = {
    ...revived(config),
    name,
    ...(trainable === undefined ? {} : { trainable }),
    ...(inner === undefined ? {} : { layer: layerFromConfig(inner, options) as unknown as Json }),
  };
  const own = Array.isArray(layers)
    ? (layers as readonly DefinedLayer<never>[]).find((l) => l.class === kind)
    : (layers as Readonly<Record<string, LayerMaker>>)[kind];
  const maker = (own ?? layerTable[kind]) as LayerMaker | undefined;
  if (maker !== undefined) return maker(given);
  const found = ACTIVATIONS[kind as ActivationName] ?? MORE_ACTIVATIONS[kind];
  if (found !== undefined)
    return activationLayer(Object.keys(config).length === 0 ? found : (found as Adjustable<Config>)(config), { name });
  throw new ValueError(
    `[modelFromConfig] unknown layer class "${kind}" ("${name}"): ` +
      didYouMean(
        kind,
        [...Object.keys(layerTable), ...Object.keys(ACTIVATIONS), ...Object.keys(MORE_ACTIVATIONS)],
        `for a layer of your own pass what defineLayer gave, { layers: [${kind}] }, or a maker, { layers: { ${kind}: (config) => ... } }. The classes that are known are the keys of layerTable.`,
      ),
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
