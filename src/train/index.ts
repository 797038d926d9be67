/**
 * train: compile, fit, evaluate and predict: batches through one compiled step, told as a stream of events, resumable bit for
 * bit.
 *
 * It is not: file formats (`io` writes the plain state that is taken here), nor drawing beyond the terminal's progress line.
 * The open form, `compiled` with `valueAndGrad` and `optimizer.update`, runs the same operations as `fit`.
 */
import "../engine.ts";

export { checkNumbers, terminateOnNaN } from "./anomaly.ts";
export type { Callback, CallbackState, RunControl } from "./callbacks.ts";
export type { BatchEnd, EpochBegin, EpochEnd, History, Logs, TrainBegin, TrainEnd, TrainEvent } from "./events.ts";
export type { FitOptions } from "./fit.ts";
export { classWeights } from "./inputs.ts";
export type { ArrayLikeInput, BatchSource, TrainingData } from "./inputs.ts";
export { model, modelFromConfig, sequential } from "./model.ts";
export type { CompileOptions, Model, ModelOptions } from "./model.ts";
export { earlyStopping } from "./monitor.ts";
export type { EarlyStoppingOptions } from "./monitor.ts";
export { clock, progress } from "./progress.ts";
export type { ProgressOptions, ProgressTarget } from "./progress.ts";
export { loadCheckpoint, loadModel, modelFromBytes, modelToBytes, saveCheckpoint, saveModel } from "./save.ts";
export type { LoadOptions, SaveOptions } from "./save.ts";
export type { Position, RunningSums, TrainingMeta, TrainingState } from "./state.ts";
