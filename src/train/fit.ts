import { ValueError } from "../base/index.ts";
import type { Batch } from "../data/index.ts";
import { Samples } from "../data/samples.ts";
import type { Metric } from "../metrics/index.ts";
import type { Loss } from "../nn/losses.ts";
import type { ModelBase } from "../nn/model.ts";
import { countParameters } from "../nn/summary.ts";
import type { Optimizer } from "../optim/index.ts";
import { type Callback, type RunControl, tell } from "./callbacks.ts";
import type { History, Logs, PassEvent, TrainEvent } from "./events.ts";
import {
  type ArrayLikeInput,
  type BatchSource,
  checkClasses,
  needLabels,
  onDevice,
  sourceOf,
  splitOff,
  type TrainingData,
  weighByClass,
} from "./inputs.ts";
import { progress } from "./progress.ts";
import { applyState, captureState, type Position, randomNow, type RunningSums, type TrainingState } from "./state.ts";
import type { Step, StepResult, Steps } from "./step.ts";

/** A model with what `compile` gave it. */
export interface Compilation {
  readonly model: ModelBase;
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
  /** The steps for the layers that are trainable now. */
  readonly steps: () => Steps;
}

/** Options of `model.fit`. */
export interface FitOptions {
  /** Passes over the data; default 1. With `initialEpoch` or `resume`: the number of the last epoch, not how many more. */
  readonly epochs?: number;
  /** Samples a step; default 32. */
  readonly batchSize?: number;
  /** Evaluated after each epoch; its logs begin with `val_`. */
  readonly validationData?: TrainingData;
  /** The last share of the samples becomes validation data; default 0. */
  readonly validationSplit?: number;
  readonly callbacks?: readonly Callback[];
  /** Every event of the run. */
  readonly onEvent?: (event: TrainEvent) => void;
  /** Another order each epoch, from `seed` and the epoch's number; default true. */
  readonly shuffle?: boolean;
  /** Of the order of batches; default 0. Weights and dropout follow `setSeed`. */
  readonly seed?: number;
  /** 0: silent; 1: a progress bar, or lines; 2: one line an epoch. Default 1. */
  readonly verbose?: 0 | 1 | 2;
  /** What the progress counts; default "samples/s". */
  readonly unit?: string;
  /** One weight a sample, for `{ x, y }`. */
  readonly sampleWeight?: ArrayLikeInput;
  /** A weight for each class number, times the sample weights: one weight a class, for a loss of class numbers (Keras: class_weight). */
  readonly classWeight?: readonly number[];
  /** Ends the run after the step in progress. */
  readonly signal?: AbortSignal;
  /** Number of the first epoch; default 0. */
  readonly initialEpoch?: number;
  /** Goes on from a saved state, bit for bit, also in the middle of an epoch. */
  readonly resume?: TrainingState;
}

/** Running sums of an epoch on the host. */
export class Sums {
  loss = 0;
  samples = 0;
  readonly metrics: Float64Array[] = [];

  constructor(from: RunningSums | null = null) {
    if (from === null) return;
    this.loss = from.loss;
    this.samples = from.samples;
    this.metrics = from.metrics.map((m) => Float64Array.from(m));
  }

  /** Adds a batch; returns its loss. */
  add(result: StepResult, size: number): number {
    const [loss, ...metrics] = result.map((t) => t.dataSync());
    this.loss += loss[0] * size;
    this.samples += size;
    metrics.forEach((m, i) => {
      this.metrics[i] ??= new Float64Array(m.length);
      const into = this.metrics[i];
      for (let k = 0; k < m.length; k++) into[k] += m[k];
    });
    return loss[0];
  }

  logs(metrics: readonly Metric[], prefix = ""): Record<string, number> {
    const out: Record<string, number> = { [`${prefix}loss`]: this.samples === 0 ? 0 : this.loss / this.samples };
    metrics.forEach((m, i) => {
      out[`${prefix}${m.name}`] = this.metrics[i] === undefined ? 0 : m.result(this.metrics[i]);
    });
    return out;
  }

  plain(): RunningSums {
    return { loss: this.loss, samples: this.samples, metrics: this.metrics.map((m) => [...m]) };
  }
}

/** A run: what `fit` does, and what a saved state is taken from. */
export class Run implements RunControl {
  readonly callbacks: readonly Callback[];
  private readonly at: Compilation;
  private readonly options: FitOptions;
  private readonly source: BatchSource;
  private readonly validation: BatchSource | null;
  private readonly listeners: ((event: TrainEvent) => void)[];
  private readonly epochs: number;
  private readonly batchSize: number;
  private readonly shuffle: boolean;
  private readonly seed: number;
  private readonly epochNumbers: number[] = [];
  private readonly history: Record<string, number[]> = {};
  private sums = new Sums();
  private position: Position;
  /** The random stream after the last step: what other code draws later is not of this run. */
  private random = randomNow();
  private stopped = false;
  private begun: (() => void) | undefined;
  private lastPause = 0;

  constructor(at: Compilation, data: TrainingData, options: FitOptions) {
    this.at = at;
    this.options = options;
    const { resume, validationSplit = 0, verbose = 1 } = options;
    this.epochs = options.epochs ?? 1;
    this.batchSize = options.batchSize ?? resume?.meta.batchSize ?? 32;
    this.shuffle = options.shuffle ?? resume?.meta.shuffle ?? true;
    this.seed = options.seed ?? resume?.meta.seed ?? 0;
    checkWhole("epochs", this.epochs, 0);
    checkWhole("batchSize", this.batchSize, 1);
    const given = sourceOf(data, options.sampleWeight);
    const all = options.classWeight === undefined ? given : weighByClass(given, options.classWeight);
    const [source, split] = validationSplit === 0 ? [all, null] : splitOff(all, validationSplit);
    this.source = source;
    this.validation = options.validationData === undefined ? split : sourceOf(options.validationData);
    if (source.length === 0) throw new ValueError("[fit] the data has no samples.");
    this.listeners = [
      ...(verbose === 0 ? [] : [progress({ verbose, unit: options.unit ?? "samples/s" })]),
      ...(options.onEvent === undefined ? [] : [options.onEvent]),
    ];
    this.callbacks = options.callbacks ?? [];
    this.position = { epoch: options.initialEpoch ?? 0, batch: 0, step: at.optimizer.iterations };
    prepare(at, source, this.validation);
    at.optimizer.build(at.model);
    if (resume !== undefined) this.restore(resume);
  }

  get model(): ModelBase {
    return this.at.model;
  }
  get optimizer(): Optimizer {
    return this.at.optimizer;
  }
  stop(): void {
    this.stopped = true;
  }
  get isStopped(): boolean {
    return this.stopped;
  }

  /** Everything needed to go on from here. */
  state(): TrainingState {
    const { batchSize, shuffle, seed, random } = this;
    return captureState(this.at.model, this.at.optimizer, {
      position: this.position,
      batchSize,
      shuffle,
      seed,
      random,
      running: this.sums.plain(),
      history: this.historySoFar(),
    });
  }

  /** Goes on from a saved state. */
  restore(state: TrainingState, then?: () => void): void {
    this.begun = then;
    const { meta } = state;
    for (const [name, mine, theirs] of [
      ["batchSize", this.batchSize, meta.batchSize],
      ["seed", this.seed, meta.seed],
      ["shuffle", this.shuffle, meta.shuffle],
    ] as const) {
      if (mine !== theirs) {
        throw new ValueError(
          `[fit] the saved run has ${name} ${theirs}, this one ${mine}: leave it out to go on as before.`,
        );
      }
    }
    applyState(this.at.model, this.at.optimizer, state);
    this.position = state.position;
    this.sums = new Sums(meta.running);
    this.random = randomNow();
    this.epochNumbers.push(...meta.history.epoch);
    for (const [k, v] of Object.entries(meta.history.history)) this.history[k] = [...v];
  }

  private historySoFar(): History {
    return {
      epoch: [...this.epochNumbers],
      history: Object.fromEntries(Object.entries(this.history).map(([k, v]) => [k, [...v]])),
    };
  }

  private async emit(event: TrainEvent): Promise<void> {
    for (const listen of this.listeners) listen(event);
    for (const callback of this.callbacks) {
      const told = tell(callback, event, this);
      if (told instanceof Promise) await told;
    }
  }

  private get over(): boolean {
    return this.stopped || this.options.signal?.aborted === true;
  }

  async fit(): Promise<History> {
    const { model } = this.at;
    const begun = performance.now();
    const batches = this.source.steps(this.batchSize);
    let firstStep = this.position.step;
    await this.emit({
      type: "trainBegin",
      model: model.name,
      epochs: this.epochs,
      epoch: this.position.epoch,
      batch: this.position.batch,
      batches,
      batchSize: this.batchSize,
      samples: this.source.length,
      parameters: countParameters(model.trainableVariables),
    });
    this.begun?.();
    firstStep = this.position.step;
    while (this.position.epoch < this.epochs && !this.over) await this.epoch(batches);
    const history = this.historySoFar();
    await this.emit({
      type: "trainEnd",
      reason: this.stopped ? "stopped" : this.options.signal?.aborted === true ? "aborted" : "done",
      seconds: (performance.now() - begun) / 1000,
      steps: this.position.step - firstStep,
      history,
    });
    return history;
  }

  /** One epoch from the batch where the run stands; ends early when the run is over. */
  private async epoch(batches: number): Promise<void> {
    const { epoch, batch: start } = this.position;
    const { source, epochs, at } = this;
    await this.emit({ type: "epochBegin", epoch, epochs, batches });
    if (start === 0) this.sums = new Sums();
    const begun = performance.now();
    const before = this.sums.samples;
    const { shuffle, seed } = this;
    const step = at.steps().train;
    for await (const b of source.batches(this.batchSize, { shuffle, seed, epoch, start, reuse: true })) {
      for (const callback of this.callbacks) await callback.onBatchBegin?.({ epoch, batch: b }, this);
      const loss = runBatch(step, b, this.sums);
      this.position = { epoch, batch: b.index + 1, step: this.position.step + 1 };
      this.random = randomNow();
      const elapsed = (performance.now() - begun) / 1000;
      const rate = (this.sums.samples - before) / Math.max(elapsed, 1e-9);
      await this.emit({
        type: "batchEnd",
        epoch,
        epochs,
        batch: b.index,
        batches,
        step: this.position.step,
        size: b.size,
        seen: this.sums.samples,
        samples: source.length,
        loss,
        metrics: this.sums.logs(at.metrics),
        samplesPerSecond: rate,
        elapsed,
        eta: (source.length - this.sums.samples) / rate,
      });
      await this.breathe();
      if (this.over) break;
    }
    if (this.over && this.position.batch < batches) return;
    const seconds = (performance.now() - begun) / 1000;
    const logs: Logs = {
      ...this.sums.logs(at.metrics),
      ...(this.validation === null ? {} : await evaluate(at, this.validation, this.batchSize, "val_")),
    };
    this.epochNumbers.push(epoch);
    for (const [k, v] of Object.entries(logs)) (this.history[k] ??= []).push(v);
    const samplesPerSecond = (this.sums.samples - before) / Math.max(seconds, 1e-9);
    this.position = { epoch: epoch + 1, batch: 0, step: this.position.step };
    await this.emit({ type: "epochEnd", epoch, epochs, logs, seconds, samplesPerSecond });
  }

  /** Lets signals, timers and other tasks in, a few times a second. */
  private async breathe(): Promise<void> {
    const now = performance.now();
    if (now - this.lastPause < 50) return;
    await macrotask();
    this.lastPause = performance.now();
  }
}

/** The next turn of the event loop: not by a timer, which browsers hold back for a second in a hidden tab. */
const macrotask = (): Promise<void> =>
  new Promise((resume) => {
    const { setImmediate: immediate } = globalThis as { setImmediate?: (f: () => void) => unknown };
    if (immediate !== undefined) {
      immediate(resume);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      resume();
    });
    port1.start();
    port2.postMessage(null);
  });

/** Runs one batch and adds it up; returns its loss. What was made for it is given back at once: no batch leaves a trace. */
export function runBatch(step: Step, batch: Batch, sums: Sums): number {
  const { x, y, w } = onDevice(batch);
  const results = step(x, needLabels(y, x), w);
  const loss = sums.add(results, batch.size);
  for (const t of [x, y, w, ...results].flat()) t?.dispose();
  return loss;
}

function checkWhole(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw new ValueError(`[fit] ${name} must be a whole number ≥ ${least}, got ${String(value)}.`);
}

/** Builds the model for the data and checks class numbers against its output. */
export function prepare(at: Compilation, source: BatchSource, validation: BatchSource | null = null): void {
  const shape = [null, ...source.xShape];
  if (!at.model.built) at.model.build(shape, source.xDtype);
  if (!at.loss.sparse || !(source instanceof Samples)) return;
  const out = at.model.outputShape(shape, source.xDtype);
  const classes = out[out.length - 1];
  if (classes === null) return;
  checkClasses(source, classes);
  if (validation !== null) checkClasses(validation, classes);
}

/** Mean loss and metrics over a source. */
export async function evaluate(
  at: Compilation,
  source: BatchSource,
  batchSize: number,
  prefix = "",
  onEvent?: (event: PassEvent) => void,
): Promise<Record<string, number>> {
  const sums = new Sums();
  const step = at.steps().test;
  for await (const b of source.batches(batchSize, { reuse: true })) {
    runBatch(step, b, sums);
    onEvent?.({ type: "passBatchEnd", seen: sums.samples, samples: source.length, metrics: sums.logs(at.metrics) });
  }
  return sums.logs(at.metrics, prefix);
}
