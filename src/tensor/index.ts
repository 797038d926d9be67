/**
 * tensor: the Tensor handle and Variable, and everything NumPy would call an array function: creation, element-wise
 * mathematics, reductions, views, products, convolution, pooling, random numbers, and `compiled`; how loops are recorded.
 *
 * It is not: derivatives (autodiff), layers (nn), or how anything is run (an Executor is injected by engine.ts).
 */
export { Tensor } from "./tensor.ts";
export * from "./variable.ts";
export * from "./apply.ts";
export {
  asTensor,
  asIndices,
  fromHost,
  isTensorLeaf,
  tensor,
  type Loose,
  type LooseAll,
  type NestedArray,
  type TensorLike,
  type TensorOptions,
} from "./convert.ts";
export * from "./creation.ts";
export * from "./elementwise.ts";
export * from "./reduce.ts";
export * from "./movement.ts";
export * from "./slicing.ts";
export * from "./indexing.ts";
export * from "./matrices.ts";
export { matmul, dot, outer, tensordot } from "./matmul.ts";
export { einsum } from "./einsum.ts";
export * from "./compiled.ts";
export { detectAnomaly, type AnomalyOptions } from "./anomaly.ts";
export { close, currentTrace, record, runRecorded, Trace, type Recorded } from "./trace.ts";
export { executor, type Executor, type Graph, type Program, type Value } from "./executor.ts";
export { recordLoop, substitute, outerNodes, type LoopResult, type LoopSpec } from "./loop.ts";
export {
  conv,
  convTranspose,
  depthwiseConv,
  type ConvOptions,
  type ConvPadding,
  type ConvTransposeOptions,
  type PerAxis,
} from "./conv.ts";
export { avgPool, maxPool, type PoolOptions } from "./pool.ts";
export * as random from "./random.ts";
