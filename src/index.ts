/**
 * chainrule: tensors, derivatives and compiled functions, with the engine that runs them. Layers, optimizers, data and
 * training are sub-paths: chainrule/nn, chainrule/optim, chainrule/data, chainrule/train.
 *
 * @module chainrule
 */
import "./engine.ts";

export {
  ChainruleError,
  DTypeError,
  FormatError,
  ShapeError,
  TraceError,
  ValueError,
  type DType,
  type Key,
  type Shape,
  type Tree,
  type TypedArray,
} from "./base/index.ts";
export { Tensor } from "./tensor/tensor.ts";
export { Variable, variable, type HasVariables, type VariableOptions } from "./tensor/variable.ts";
export {
  tensor,
  type Loose,
  type LooseAll,
  type NestedArray,
  type TensorLike,
  type TensorOptions,
} from "./tensor/convert.ts";
export * from "./tensor/creation.ts";
export * from "./tensor/elementwise.ts";
export * from "./tensor/reduce.ts";
export * from "./tensor/movement.ts";
export * from "./tensor/slicing.ts";
export * from "./tensor/indexing.ts";
export * from "./tensor/matrices.ts";
export { dot, matmul, outer, tensordot } from "./tensor/matmul.ts";
export { einsum } from "./tensor/einsum.ts";
export {
  conv,
  convTranspose,
  depthwiseConv,
  type ConvOptions,
  type ConvPadding,
  type ConvTransposeOptions,
  type PerAxis,
} from "./tensor/conv.ts";
export { avgPool, maxPool, type PoolOptions } from "./tensor/pool.ts";
export * as random from "./tensor/random.ts";
export { compiled, explain, type Compiled } from "./tensor/compiled.ts";
export { detectAnomaly, type AnomalyOptions } from "./tensor/anomaly.ts";
export {
  checkGradients,
  checkpoint,
  customVjp,
  grad,
  hessian,
  jacobian,
  scan,
  valueAndGrad,
  vjp,
  type CheckedComponent,
  type CheckOptions,
  type CheckReport,
  type GradOptions,
  type ScanOptions,
} from "./autodiff/index.ts";
export * from "./arrays/index.ts";
export * as linalg from "./linalg/index.ts";
export {
  device,
  keptPrograms,
  leakReport,
  memory,
  setThreads,
  trackMemory,
  type DeviceInfo,
  type MemoryInfo,
} from "./engine.ts";
export {
  ceilings,
  profile,
  startProfile,
  type Ceilings,
  type KernelProfile,
  type ProfileOptions,
  type Profiler,
  type ProfileReport,
  type ProgramProfile,
  type ReportOptions,
  type StartProfileOptions,
  type StepProfile,
} from "./profile/index.ts";
