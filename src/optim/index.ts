/**
 * optim: optimizers: rules that change variables by their gradients, with clipping and learning rates that may follow a
 * schedule.
 *
 * It is not: a training loop (`train`), nor a place for gradients (`autodiff`). An optimizer's numbers are variables, so that a
 * compiled step updates them in place with the weights; nothing here knows models beyond their list of variables.
 *
 * @module chainrule/optim
 */
export { clipGradients, each, firstSlots, globalNorm, makeOptimizer } from "./optimizer.ts";
export type {
  ClipOptions,
  Gradients,
  LearningRate,
  Next,
  Optimizer,
  OptimizerState,
  Recipe,
  Rule,
  Schedule,
  Step,
} from "./optimizer.ts";
export { adadelta, adagrad, adamax, amsgrad, ftrl, lion, nadam, rmsprop } from "./adaptive.ts";
export type {
  AdadeltaOptions,
  AdagradOptions,
  FtrlOptions,
  LionOptions,
  NadamOptions,
  RmspropOptions,
} from "./adaptive.ts";
export { adafactor, lamb, muon } from "./layerwise.ts";
export type { AdafactorOptions, LambOptions, MuonOptions } from "./layerwise.ts";
export type { VariableFilter, WeightDecayOptions } from "./decay.ts";
export { lbfgs } from "./lbfgs.ts";
export type { LbfgsOptions } from "./lbfgs.ts";
export { adam, adamw, momentum, nesterov, sgd } from "./rules.ts";
export type { AdamOptions, AdamWOptions, SgdOptions } from "./rules.ts";
export { scheduleFreeAdamW } from "./schedule-free.ts";
export type { ScheduleFreeOptions } from "./schedule-free.ts";
export {
  cosineDecay,
  cosineDecayRestarts,
  exponentialDecay,
  inverseTimeDecay,
  oneCycle,
  piecewiseConstant,
  polynomialDecay,
  squareRootDecay,
  warmUp,
} from "./schedules.ts";
export type { OneCycleOptions, WarmupOptions } from "./schedules.ts";
export {
  atLookAhead,
  swapAverages,
  withAccumulation,
  withAverages,
  withLearningRates,
  withProximalL1,
  withWeightDecay,
} from "./wrap.ts";
