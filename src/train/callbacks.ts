import { ValueError } from "../base/index.ts";
import type { HostArray, ModelBase } from "../nn/model.ts";
import type { BatchEnd, EpochBegin, EpochEnd, TrainBegin, TrainEnd, TrainEvent } from "./events.ts";

/** What a callback may do to the run. */
export interface RunControl {
  /** The model being trained. */
  readonly model: ModelBase;
  /** Ends the run after this step. */
  stop(): void;
}

type Told = void | Promise<void>;

/** An object with the events it wants (Keras: Callback). Methods may be async: the run waits for them. */
export interface Callback {
  onTrainBegin?(event: TrainBegin, run: RunControl): Told;
  onEpochBegin?(event: EpochBegin, run: RunControl): Told;
  onBatchEnd?(event: BatchEnd, run: RunControl): Told;
  onEpochEnd?(event: EpochEnd, run: RunControl): Told;
  onTrainEnd?(event: TrainEnd, run: RunControl): Told;
}

/** Tells one callback one event; undefined when it had nothing to do or was done at once. */
export function tell(callback: Callback, event: TrainEvent, run: RunControl): Told {
  switch (event.type) {
    case "trainBegin":
      return callback.onTrainBegin?.(event, run);
    case "epochBegin":
      return callback.onEpochBegin?.(event, run);
    case "batchEnd":
      return callback.onBatchEnd?.(event, run);
    case "epochEnd":
      return callback.onEpochEnd?.(event, run);
    default:
      return callback.onTrainEnd?.(event, run);
  }
}

export interface EarlyStoppingOptions {
  /** A key of the epoch's logs; default "val_loss". */
  readonly monitor?: string;
  /** Epochs without improvement after which training ends; default 0, as Keras. */
  readonly patience?: number;
  /** Less than this is no improvement; default 0. */
  readonly minDelta?: number;
  /** Default: "max" for names that hold "acc", "precision", "recall" or "f1", else "min". */
  readonly mode?: "min" | "max";
  /** Put the weights of the best epoch back when training is stopped; default false. */
  readonly restoreBestWeights?: boolean;
}

/** Ends training when a value has stopped improving (Keras: EarlyStopping; S-162, S-163). */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback & { readonly bestEpoch: number } {
  const { monitor = "val_loss", patience = 0, minDelta = 0, restoreBestWeights = false } = options;
  const sign = (options.mode ?? (/acc|precision|recall|f1/i.test(monitor) ? "max" : "min")) === "max" ? -1 : 1;
  let best = Number.POSITIVE_INFINITY;
  let bestEpoch = -1;
  let weights: Record<string, HostArray> | null = null;
  return {
    get bestEpoch(): number {
      return bestEpoch;
    },
    onTrainBegin() {
      best = Number.POSITIVE_INFINITY;
      bestEpoch = -1;
      weights = null;
    },
    onEpochEnd(e, run) {
      const value = e.logs[monitor] as number | undefined;
      if (value === undefined) {
        throw new ValueError(
          `[earlyStopping] there is no "${monitor}" in the logs: they have ${Object.keys(e.logs).join(", ")}. Is validationData given?`,
        );
      }
      if (sign * value < best - minDelta) {
        best = sign * value;
        bestEpoch = e.epoch;
        if (restoreBestWeights) weights = run.model.weights();
      } else if (e.epoch - bestEpoch >= Math.max(1, patience)) {
        run.stop();
        if (weights !== null) run.model.setWeights(weights);
      }
    },
  };
}
