/**
 * optim: optimizers: rules that change variables by their gradients, with clipping and learning rates that may follow a
 * schedule.
 *
 * It is not: a training loop (`train`), nor a place for gradients (`autodiff`). An optimizer's numbers are variables, so that a
 * compiled step updates them in place with the weights; nothing here knows models beyond their list of variables.
 */
export { clipGradients, globalNorm, makeOptimizer } from "./optimizer.ts";
export type { ClipOptions, Gradients, LearningRate, Optimizer, OptimizerState, Rule, Schedule } from "./optimizer.ts";
export { adagrad, adam, adamw, momentum, nesterov, rmsprop, sgd } from "./rules.ts";
export type { AdagradOptions, AdamOptions, AdamWOptions, RmspropOptions, SgdOptions } from "./rules.ts";
export { cosineDecay, exponentialDecay, inverseTimeDecay, piecewiseConstant, squareRootDecay } from "./schedules.ts";
export type { WarmupOptions } from "./schedules.ts";
