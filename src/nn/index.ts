/**
 * nn: layers, initializers, activations, losses and networks: sequential and functional.
 *
 * A layer is a function from tensors to tensors that carries its variables; plain functions are layers too. It is not:
 * training (`train` gives networks their `compile`, `fit`, `evaluate` and `predict`), optimizers (`optim`) or files (`io`).
 * Layers use public tensor operations only: what they cannot say with them, nobody could.
 *
 * This file is the face of `chainrule/nn` and the one file of the room that looks up, to `train`: `sequential` and `model`
 * are exported with their training methods.
 */
import "../engine.ts";

export { modelFromConfig, model, sequential } from "../train/model.ts";
export type { CompileOptions, Model, ModelOptions } from "../train/model.ts";
export {
  activationOf,
  elu,
  exponential,
  gelu,
  hardSigmoid,
  leakyRelu,
  linear,
  logSoftmax,
  mish,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  swish,
  tanh,
} from "./activations.ts";
export type { Activation, ActivationLike, ActivationName, Adjustable } from "./activations.ts";
export { layerFromConfig, layerTable } from "./config.ts";
export type { ConfigOptions, LayerConfig, LayerMaker } from "./config.ts";
export { conv1d, conv2d, conv3d, depthwiseConv2d } from "./conv.ts";
export type { ConvOptions, DepthwiseOptions } from "./conv.ts";
export { conv1dTranspose, conv2dTranspose, conv3dTranspose } from "./conv-transpose.ts";
export type { ConvTransposeOptions } from "./conv-transpose.ts";
export { activation, dense, dropout, embedding, flatten, lambda, prelu, reshapeTo as reshape } from "./core.ts";
export type { DenseOptions, DropoutOptions, EmbeddingOptions } from "./core.ts";
export {
  constant,
  fans,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  initializerOf,
  lecunNormal,
  lecunUniform,
  normal,
  ones,
  truncatedNormal,
  uniform,
  varianceScaling,
  zeros,
} from "./initializers.ts";
export type {
  Initializer,
  InitializerConfig,
  InitializerLike,
  InitializerName,
  Seeded,
  VarianceOptions,
} from "./initializers.ts";
export { isLayer, makeLayer } from "./layer.ts";
export type { AddVariable, CallOptions, Config, Json, Layer, LayerLike, LayerOptions, LayerSpec } from "./layer.ts";
export {
  binaryCrossentropy,
  categoricalCrossentropy,
  crossEntropy,
  hinge,
  huber,
  lossOf,
  meanAbsoluteError,
  meanSquaredError,
  sparseCategoricalCrossentropy,
} from "./losses.ts";
export type { CrossentropyOptions, Loss, LossLike, LossName } from "./losses.ts";
export { add, average, concatenate, maximum, minimum, multiply, subtract } from "./merge.ts";
export type { HostArray, ModelBase, ModelConfig, SequentialOptions } from "./model.ts";
export { batchNorm, layerNorm } from "./norm.ts";
export type { BatchNormOptions, LayerNormOptions, NormOptions } from "./norm.ts";
export {
  avgPool1d,
  avgPool2d,
  avgPool3d,
  globalAvgPool,
  globalMaxPool,
  maxPool1d,
  maxPool2d,
  maxPool3d,
} from "./pool.ts";
export type { GlobalPoolOptions, PoolOptions } from "./pool.ts";
export { l1, l1l2, l2 } from "./regularizers.ts";
export type { Regularizer, RegularizerConfig, RegularizerLike } from "./regularizers.ts";
export { countParameters } from "./summary.ts";
export { input, Symbolic } from "./symbolic.ts";
export { layerOutputs, tapLayers } from "./tap.ts";
export type { LayerCall } from "./tap.ts";
export type { OpenShape } from "./symbolic.ts";
