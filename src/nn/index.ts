/**
 * nn: layers, initializers, activations, losses and networks: sequential and functional.
 *
 * A layer is a function from tensors to tensors that carries its variables; plain functions are layers too. It is not:
 * training (`train` gives networks their `compile`, `fit`, `evaluate` and `predict`), optimizers (`optim`) or files (`io`).
 * Layers use public tensor operations only: what they cannot say with them, nobody could.
 *
 * This file is the face of `chainrule/nn` and the one file of the room that looks up, to `train`: `sequential` and `model`
 * are exported with their training methods.
 *
 * @module chainrule/nn
 */
import "../engine.ts";

export { modelFromConfig, model, sequential } from "../train/model.ts";
export type { CompileOptions, Model, ModelOptions, Sequential } from "../train/model.ts";
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
  silu as swish,
  softmax,
  softplus,
  softsign,
  tanh,
} from "./activations.ts";
export type { Activation, ActivationLike, ActivationName, Adjustable } from "./activations.ts";
export {
  celu,
  glu,
  hardShrink,
  hardSwish,
  hardSwish as hardSilu,
  hardTanh,
  logSigmoid,
  softShrink,
  sparsemax,
  sparsePlus,
  sparseSigmoid,
  squareplus,
  tanhShrink,
  thresholdedRelu,
} from "./activations-more.ts";
export { layerFromConfig, layerTable } from "./config.ts";
export type { ConfigOptions, LayerConfig, LayerMaker } from "./config.ts";
export { maxNorm, minMaxNorm, nonNeg, unitNorm } from "./constraints.ts";
export type { Constraint, MinMaxNormOptions, NormConstraintOptions } from "./constraints.ts";
export { conv1d, conv2d, conv3d, depthwiseConv1d, depthwiseConv2d, separableConv1d, separableConv2d } from "./conv.ts";
export type { ConvOptions, DepthwiseOptions, SeparableOptions } from "./conv.ts";
export { conv1dTranspose, conv2dTranspose, conv3dTranspose } from "./conv-transpose.ts";
export type { ConvTransposeOptions } from "./conv-transpose.ts";
export { costsOf } from "./costs.ts";
export type { Costs, LayerCost } from "./costs.ts";
export { activation, dense, dropout, embedding, flatten, lambda, prelu, reshapeTo as reshape } from "./core.ts";
export type { DenseOptions, DropoutOptions, EmbeddingOptions, PreluOptions } from "./core.ts";
export { defineLayer } from "./define.ts";
export { einsumDense } from "./einsum-dense.ts";
export type { EinsumDenseOptions } from "./einsum-dense.ts";
export type { BuildAt, CallAt, DefinedLayer, LayerDefinition } from "./define.ts";
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
export { identity, orthogonal } from "./initializers-more.ts";
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
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  sparseCategoricalCrossentropy,
} from "./losses.ts";
export {
  binaryFocalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalHinge,
  circle,
  cosineSimilarity,
  dice,
  generalizedCrossentropy,
  klDivergence,
  logCosh,
  poisson,
  reduced,
  squaredHinge,
  tversky,
} from "./losses-more.ts";
export type { FocalOptions, Reduction } from "./losses-more.ts";
export type { CrossentropyOptions, Loss, LossLike, LossName } from "./losses.ts";
export { add, average, concatenate, dot, maximum, minimum, multiply, subtract } from "./merge.ts";
export type { DotOptions } from "./merge.ts";
export type { HostArray, ModelBase, ModelConfig, SequentialOptions } from "./model.ts";
export {
  alphaDropout,
  gaussianDropout,
  gaussianNoise,
  spatialDropout1d,
  spatialDropout2d,
  spatialDropout3d,
} from "./noise.ts";
export { batchNorm, layerNorm } from "./norm.ts";
export type { BatchNormOptions, LayerNormOptions, NormOptions } from "./norm.ts";
export { groupNorm, instanceNorm, localResponseNorm, rmsNorm, unitNormalization } from "./norm-groups.ts";
export type { LocalResponseOptions, RmsNormOptions } from "./norm-groups.ts";
export {
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
} from "./pool.ts";
export type { GlobalPoolOptions, PoolOptions } from "./pool.ts";
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
} from "./pool-adaptive.ts";
export { l1, l1l2, l2 } from "./regularizers.ts";
export type { Regularizer, RegularizerConfig, RegularizerLike } from "./regularizers.ts";
export { orthogonalRegularizer } from "./regularizers-more.ts";
export {
  cropping1d,
  cropping2d,
  cropping3d,
  permute,
  repeatVector,
  upSampling1d,
  upSampling2d,
  upSampling3d,
  zeroPadding1d,
  zeroPadding2d,
  zeroPadding3d,
} from "./space.ts";
export type { SidesOption, UpSamplingOptions } from "./space.ts";
export { countParameters } from "./summary.ts";
export { input, Symbolic } from "./symbolic.ts";
export { layerOutputs, tapLayers } from "./tap.ts";
export type { LayerCall } from "./tap.ts";
export type { OpenShape } from "./symbolic.ts";
export { activityRegularization, maxout, spectralNorm, timeDistributed } from "./wrappers.ts";
export type { MaxoutOptions, SpectralNormOptions } from "./wrappers.ts";
