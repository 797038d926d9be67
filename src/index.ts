/**
 * chainrule: tensors, derivatives and compiled functions, with the engine that runs them. Layers, optimizers, data and
 * training are sub-paths: chainrule/nn, chainrule/optim, chainrule/data, chainrule/train.
 */
import "./engine.ts";

export * from "./base/index.ts";
export * from "./tensor/index.ts";
export * from "./autodiff/index.ts";
