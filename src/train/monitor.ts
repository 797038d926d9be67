/** Callbacks that follow one value of the logs. */
import { ValueError } from "../base/index.ts";
import type { HostArray } from "../nn/model.ts";
import type { Callback, CallbackState } from "./callbacks.ts";
import type { EpochEnd } from "./events.ts";

interface MonitorOptions {
  /** A key of the epoch's logs; default "val_loss". */
  readonly monitor?: string;
  /** Less than this is no improvement; default 0. */
  readonly minDelta?: number;
  /** Default: "max" for names that hold "acc", "precision", "recall", "auc" or "f1", else "min". */
  readonly mode?: "min" | "max";
}

/** The best value so far. */
class Best {
  value: number;
  epoch = -1;
  private readonly name: string;
  private readonly monitor: string;
  private readonly minDelta: number;
  private readonly sign: number;

  constructor(name: string, options: MonitorOptions & { readonly baseline?: number | null }) {
    const { monitor = "val_loss", minDelta = 0, mode, baseline = null } = options;
    this.name = name;
    this.monitor = monitor;
    this.minDelta = Math.abs(minDelta);
    this.sign = (mode ?? (/acc|precision|recall|auc|f1/i.test(monitor) ? "max" : "min")) === "max" ? -1 : 1;
    this.value = baseline ?? this.sign * Number.POSITIVE_INFINITY;
  }

  /** The monitored value of an epoch. Throws ValueError when the logs have none. */
  of({ logs }: EpochEnd): number {
    const value = logs[this.monitor] as number | undefined;
    if (value !== undefined) return value;
    throw new ValueError(
      `[${this.name}] there is no "${this.monitor}" in the logs: they have ${Object.keys(logs).join(", ")}. Is validationData given?`,
    );
  }

  /** Whether an epoch is better than the best so far, and is the best now. */
  improved(event: EpochEnd): boolean {
    const value = this.of(event);
    if (!(this.sign * value < this.sign * this.value - this.minDelta)) return false;
    this.value = value;
    this.epoch = event.epoch;
    return true;
  }
}

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without improvement after which training ends; default 0, as Keras. */
  readonly patience?: number;
  /** Put the weights of the best epoch back at the end; default false. */
  readonly restoreBestWeights?: boolean;
  /** The value is looked at every so many epochs, and patience counts those looks (S-162: every 10); default 1. */
  readonly every?: number;
  /** Looks before this epoch do not count; default 0. */
  readonly startFromEpoch?: number;
  /** A value that must be beaten; default none. */
  readonly baseline?: number;
}

/**
 * Ends training when a value has stopped improving (Keras: EarlyStopping): at the first look that is worse than the one before
 * (S-162), or after `patience` of them, with the best weights at the end (S-163).
 *
 * @throws ValueError from `fit` when the logs do not have the value.
 * @example
 * await model.fit(train, { epochs: 100, validationData: dev, callbacks: [earlyStopping({ patience: 5, restoreBestWeights: true })] });
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback & { readonly bestEpoch: number } {
  const { patience = 0, restoreBestWeights = false, every = 1, startFromEpoch = 0 } = options;
  if (!Number.isInteger(every) || every < 1)
    throw new ValueError(`[earlyStopping] every must be a whole number ≥ 1, got ${every}.`);
  const fresh = (): Best => new Best("earlyStopping", options);
  let best = fresh();
  let waited = 0;
  let weights: Readonly<Record<string, HostArray>> | null = null;
  return {
    name: "earlyStopping",
    get bestEpoch(): number {
      return best.epoch;
    },
    onTrainBegin() {
      best = fresh();
      waited = 0;
      weights = null;
    },
    onEpochEnd(e, run) {
      if (e.epoch < startFromEpoch || (e.epoch + 1) % every !== 0) return;
      if (best.improved(e)) {
        waited = 0;
        if (restoreBestWeights) weights = run.model.weights();
        return;
      }
      waited++;
      if (waited >= Math.max(1, patience)) run.stop();
    },
    onTrainEnd({ reason }, run) {
      // A run that was broken off is to go on from where it was.
      if (weights !== null && reason !== "aborted") run.model.setWeights(weights);
    },
    state: (): CallbackState => ({
      values: { best: String(best.value), epoch: best.epoch, waited },
      ...(weights === null ? {} : { arrays: weights }),
    }),
    load({ values, arrays = {} }) {
      best.value = Number(values["best"]);
      best.epoch = Number(values["epoch"]);
      waited = Number(values["waited"]);
      weights = Object.keys(arrays).length === 0 ? null : arrays;
    },
  };
}
