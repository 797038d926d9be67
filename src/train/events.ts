/** Running means of one epoch, or final values: `{ loss: 0.1, accuracy: 0.97, val_loss: … }`. */
export type Logs = Readonly<Record<string, number>>;

/** Training begins. */
export interface TrainBegin {
  readonly type: "trainBegin";
  readonly model: string;
  readonly epochs: number;
  /** Where this run starts: above 0 after a resume. */
  readonly epoch: number;
  readonly batch: number;
  /** Batches in an epoch. */
  readonly batches: number;
  readonly batchSize: number;
  /** Samples in an epoch. */
  readonly samples: number;
  /** Trainable numbers in the model. */
  readonly parameters: number;
}

/** An epoch begins. */
export interface EpochBegin {
  readonly type: "epochBegin";
  /** 0-based. */
  readonly epoch: number;
  readonly epochs: number;
  readonly batches: number;
}

/** A step was made. */
export interface BatchEnd {
  readonly type: "batchEnd";
  readonly epoch: number;
  readonly epochs: number;
  /** 0-based number of the batch in its epoch. */
  readonly batch: number;
  readonly batches: number;
  /** Steps taken since the start of training, this one included. */
  readonly step: number;
  /** Samples in this batch. */
  readonly size: number;
  /** Samples of this epoch so far, and in all. */
  readonly seen: number;
  readonly samples: number;
  /** The loss of this batch alone. */
  readonly loss: number;
  /** Means over the epoch so far, the loss among them. */
  readonly metrics: Logs;
  readonly samplesPerSecond: number;
  /** Seconds since the epoch began, and to its end at this rate. */
  readonly elapsed: number;
  readonly eta: number;
}

/** An epoch has ended, validation included. */
export interface EpochEnd {
  readonly type: "epochEnd";
  readonly epoch: number;
  readonly epochs: number;
  /** Loss and metrics over the epoch; those of the validation data begin with `val_`. */
  readonly logs: Logs;
  readonly seconds: number;
  readonly samplesPerSecond: number;
}

/** Training has ended. */
export interface TrainEnd {
  readonly type: "trainEnd";
  /** All epochs were run, the signal was aborted, or `stopTraining` was set. */
  readonly reason: "done" | "aborted" | "stopped";
  readonly seconds: number;
  readonly steps: number;
  readonly history: History;
}

/** What a training run tells: terminals, reports and files all read this one stream. Plain data, safe to post to a thread. */
export type TrainEvent = TrainBegin | EpochBegin | BatchEnd | EpochEnd | TrainEnd;

/** What `evaluate` and `predict` tell after each batch: samples so far and in all, and the means so far (none of `predict`). */
export interface PassEvent {
  readonly type: "passBatchEnd";
  readonly seen: number;
  readonly samples: number;
  readonly metrics: Logs;
}

/** What `fit` returns (Keras: History). */
export interface History {
  /** Numbers of the epochs that were finished. */
  readonly epoch: readonly number[];
  /** One value an epoch for each of `loss`, the metrics, and their `val_` twins. */
  readonly history: Readonly<Record<string, readonly number[]>>;
}
