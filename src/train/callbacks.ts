import type { Batch } from "../data/index.ts";
import type { HostArray, ModelBase } from "../nn/model.ts";
import type { Optimizer } from "../optim/index.ts";
import type { BatchEnd, EpochBegin, EpochEnd, TrainBegin, TrainEnd, TrainEvent } from "./events.ts";
import type { TrainingState } from "./state.ts";

/** What a callback may do to the run. */
export interface RunControl {
  /** The model being trained. */
  readonly model: ModelBase;
  /** Its optimizer: `run.optimizer.learningRate = 1e-4`. */
  readonly optimizer: Optimizer;
  /** All callbacks of the run. */
  readonly callbacks: readonly Callback[];
  /** Ends the run after this step. */
  stop(): void;
  /** Everything needed to go on from here, bit for bit. */
  state(): TrainingState;
  /** Goes on from a saved state; for `onTrainBegin`. `then` is called when all callbacks were told of the beginning. */
  restore(state: TrainingState, then?: () => void): void;
}

type Told = void | Promise<void>;

/** An object with the events it wants (Keras: Callback). Methods may be async: the run waits for them. */
export interface Callback {
  /** "earlyStopping". */
  readonly name?: string;
  /** Before the first epoch. */
  onTrainBegin?(event: TrainBegin, run: RunControl): Told;
  /** Before the first batch of an epoch. */
  onEpochBegin?(event: EpochBegin, run: RunControl): Told;
  /** Before a step, with its data, which are valid until the next one. */
  onBatchBegin?(event: { readonly epoch: number; readonly batch: Batch }, run: RunControl): Told;
  /** After a step. */
  onBatchEnd?(event: BatchEnd, run: RunControl): Told;
  /** After an epoch and its validation. */
  onEpochEnd?(event: EpochEnd, run: RunControl): Told;
  /** After the last epoch, also of a run that was stopped. */
  onTrainEnd?(event: TrainEnd, run: RunControl): Told;
  /** What `backupAndRestore` keeps of it, so that a run that goes on decides as the whole one would. */
  state?(): CallbackState;
  /** Puts that back, after the `onTrainBegin` of all. */
  load?(state: CallbackState): void;
}

/** The state of a callback: plain JSON, and arrays. */
export interface CallbackState {
  readonly values: Readonly<Record<string, number | string | boolean>>;
  readonly arrays?: Readonly<Record<string, HostArray>>;
}

/** Tells one callback one event; undefined when it had nothing to do or was done at once. */
export function tell(callback: Callback, event: TrainEvent, run: RunControl): Told {
  const { type } = event;
  const method = `on${type[0].toUpperCase()}${type.slice(1)}` as "onEpochEnd";
  return callback[method]?.(event as never, run);
}
