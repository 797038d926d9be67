/**
 * train: compile, fit, evaluate and predict: batches through one compiled step, told as a stream of events, resumable bit for
 * bit.
 *
 * It is not: file formats (`io` writes the plain state that is taken here), nor drawing beyond the terminal's progress line.
 * The open form, `compiled` with `valueAndGrad` and `optimizer.update`, runs the same operations as `fit`.
 *
 * @module chainrule/train
 */
import "../engine.ts";

export { checkNumbers, terminateOnNaN } from "./anomaly.ts";
export type { Callback, CallbackState, RunControl } from "./callbacks.ts";
export { backupAndRestore, csvLogger, modelCheckpoint } from "./checkpoints.ts";
export type { BackupOptions, CsvLoggerOptions, ModelCheckpointOptions } from "./checkpoints.ts";
export type {
  BatchEnd,
  EpochBegin,
  EpochEnd,
  History,
  Logs,
  PassEvent,
  TrainBegin,
  TrainEnd,
  TrainEvent,
} from "./events.ts";
export type { FitOptions } from "./fit.ts";
export { fromGenerator } from "./generator.ts";
export type { GeneratedBatch, GeneratorOptions } from "./generator.ts";
export { classWeights } from "./inputs.ts";
export type { ArrayLikeInput, BatchSource, SeveralData, TrainingData } from "./inputs.ts";
export { model, modelFromConfig, sequential } from "./model.ts";
export type { CompileOptions, Model, ModelOptions, PassOptions } from "./model.ts";
export { earlyStopping, lambdaCallback, learningRateScheduler, reduceLROnPlateau } from "./monitor.ts";
export type { EarlyStoppingOptions, MonitorOptions, ReduceLROnPlateauOptions } from "./monitor.ts";
export { batchSizes, predictOnBatch, testOnBatch, trainOnBatch } from "./on-batch.ts";
export type { OnBatchOptions } from "./on-batch.ts";
export { precompute } from "./precompute.ts";
export type { PrecomputeOptions } from "./precompute.ts";
export { clock, passProgress, progress } from "./progress.ts";
export type { ProgressOptions, ProgressTarget } from "./progress.ts";
export { loadCheckpoint, loadModel, modelFromBytes, modelToBytes, saveCheckpoint, saveModel } from "./save.ts";
export type { LoadOptions, SaveOptions } from "./save.ts";
export type { Position, RunningSums, TrainingMeta, TrainingState } from "./state.ts";
export type { Each } from "./several.ts";
export { trainEvents } from "./stream.ts";
export { tensorBoard } from "./tensorboard.ts";
export type { TensorBoardOptions } from "./tensorboard.ts";
