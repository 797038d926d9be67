/** Callbacks that follow one value of the logs. */
import { ValueError } from "../base/index.ts";
import type { HostArray } from "../nn/model.ts";
import type { Callback, CallbackState } from "./callbacks.ts";
import type { EpochEnd } from "./events.ts";

/** Which of an epoch's numbers is watched, and what is better. */
export interface MonitorOptions {
  /** A key of the epoch's logs; default "val_loss". */
  readonly monitor?: string;
  /** Less than this is no improvement; default 0. */
  readonly minDelta?: number;
  /** Default: "max" for names that hold "acc", "precision", "recall", "auc" or "f1", else "min". */
  readonly mode?: "min" | "max";
}

/** The best value so far. */
export class Best {
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

/** Options of `earlyStopping`. */
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

/** Options of `reduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** What the rate is multiplied by; default 0.1. */
  readonly factor?: number;
  /** Epochs without improvement before that; default 10. */
  readonly patience?: number;
  /** Default 1e-4. */
  readonly minDelta?: number;
  /** Epochs after a reduction that do not count; default 0. */
  readonly cooldown?: number;
  /** The rate goes no lower; default 0. */
  readonly minLR?: number;
}

/**
 * Lowers the learning rate when a value has stopped improving (Keras: ReduceLROnPlateau). The rate must be a number, not a schedule.
 *
 * @example
 * await model.fit(train, { epochs: 50, validationData: dev, callbacks: [reduceLROnPlateau({ factor: 0.5, patience: 3 })] });
 */
export function reduceLROnPlateau(options: ReduceLROnPlateauOptions = {}): Callback {
  const { factor = 0.1, patience = 10, minDelta = 1e-4, cooldown = 0, minLR = 0 } = options;
  if (!(factor > 0 && factor < 1))
    throw new ValueError(`[reduceLROnPlateau] factor must be in 0..1, got ${String(factor)}.`);
  const fresh = (): Best => new Best("reduceLROnPlateau", { ...options, minDelta });
  let best = fresh();
  let waited = 0;
  let resting = 0;
  return {
    name: "reduceLROnPlateau",
    onTrainBegin() {
      best = fresh();
      waited = resting = 0;
    },
    onEpochEnd(e, { optimizer }) {
      if (resting > 0) {
        resting--;
        waited = 0;
      }
      if (best.improved(e)) waited = 0;
      else if (resting === 0 && ++waited >= patience) {
        const rate = optimizer.learningRate;
        if (rate <= minLR) return;
        optimizer.learningRate = Math.max(rate * factor, minLR);
        resting = cooldown;
        waited = 0;
      }
    },
    state: () => ({ values: { best: String(best.value), epoch: best.epoch, waited, resting } }),
    load({ values }) {
      best.value = Number(values["best"]);
      best.epoch = Number(values["epoch"]);
      waited = Number(values["waited"]);
      resting = Number(values["resting"]);
    },
  };
}

/**
 * Sets the learning rate at the beginning of each epoch (Keras: LearningRateScheduler): `rate(epoch, now)`, epochs from 0. For rates by
 * step give the optimizer a schedule instead.
 *
 * @example
 * learningRateScheduler((epoch, now) => (epoch < 10 ? now : now * 0.9));
 */
export function learningRateScheduler(rate: (epoch: number, now: number) => number): Callback {
  let done = -1;
  return {
    name: "learningRateScheduler",
    onTrainBegin() {
      done = -1;
    },
    onEpochBegin({ epoch }, { optimizer }) {
      // An epoch that goes on after a restart has its rate already.
      if (epoch === done) return;
      optimizer.learningRate = rate(epoch, optimizer.learningRate);
      done = epoch;
    },
    state: () => ({ values: { done } }),
    load({ values }) {
      done = Number(values["done"]);
    },
  };
}

/**
 * A callback of functions by event (Keras: LambdaCallback); a plain object with them is one, too.
 *
 * @example
 * await model.fit(data, { callbacks: [lambdaCallback({ onEpochEnd: (epoch, logs) => console.log(epoch, logs) })] });
 */
export const lambdaCallback = (handlers: Callback): Callback => ({ ...handlers });
