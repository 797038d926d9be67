import { appendToFile, encodeEvent, encodeRecord, type EventRecord, type HistogramValue } from "../io/index.ts";
import type { TypedArray } from "../base/index.ts";
import type { Callback } from "./callbacks.ts";

/** Options of `tensorBoard`. */
export interface TensorBoardOptions {
  /** Batch values, too: after each step, every so many steps, or "epoch": not at all. Default "epoch". */
  readonly updateFreq?: "batch" | "epoch" | number;
  /** Histograms of all weights every so many epochs; default 0: none. */
  readonly histogramFreq?: number;
}

/** Limits of TensorFlow's histograms: 1e-12·1.1ᵏ to 1e20, and their negatives. */
const limitsOf = /* @__PURE__ */ (() => {
  let made: number[] | null = null;
  return (): readonly number[] => {
    if (made !== null) return made;
    const up: number[] = [];
    for (let v = 1e-12; v < 1e20; v *= 1.1) up.push(v);
    return (made = [...up.map((v) => -v).reverse(), 0, ...up, Number.MAX_VALUE]);
  };
})();

/** The histogram of an array, without the empty ends. */
function histogramOf(tag: string, data: TypedArray): HistogramValue {
  const limits = limitsOf();
  const counts = new Float64Array(limits.length);
  let [min, max, sum, sumOfSquares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const x of data) {
    if (!Number.isFinite(x)) continue;
    let [lo, hi] = [0, limits.length - 1];
    while (lo < hi) {
      const middle = (lo + hi) >> 1;
      if (limits[middle] > x) hi = middle;
      else lo = middle + 1;
    }
    counts[lo]++;
    min = Math.min(min, x);
    max = Math.max(max, x);
    sum += x;
    sumOfSquares += x * x;
  }
  const count = counts.reduce((a, b) => a + b, 0);
  if (count === 0) return { tag, min: 0, max: 0, count, sum, sumOfSquares, limits: [0], counts: [0] };
  const first = counts.findIndex((n) => n > 0);
  const last = counts.findLastIndex((n) => n > 0);
  const from = Math.max(0, first - 1);
  return {
    tag,
    min,
    max,
    count,
    sum,
    sumOfSquares,
    limits: limits.slice(from, last + 1),
    counts: [...counts.subarray(from, last + 1)],
  };
}

/**
 * Event files for TensorBoard, in Keras' layout (Keras: TensorBoard): `<logDir>/train` and `<logDir>/validation`, with the tags
 * epoch_loss, epoch_accuracy …, epoch_learning_rate, batch_loss … and histograms by variable. `tensorboard --logdir <logDir>` shows them.
 *
 * @example
 * await model.fit(train, { epochs: 5, validationData: dev, callbacks: [tensorBoard("runs/logs", { histogramFreq: 1 })] });
 */
export function tensorBoard(logDir: string, options: TensorBoardOptions = {}): Callback {
  const { updateFreq = "epoch", histogramFreq = 0 } = options;
  const every = updateFreq === "epoch" ? 0 : updateFreq === "batch" ? 1 : updateFreq;
  const now = (): number => Date.now() / 1000;
  const begun = new Map<string, string>();
  const write = async (part: "train" | "validation", event: EventRecord): Promise<void> => {
    const records: Uint8Array[] = [];
    let path = begun.get(part);
    if (path === undefined) {
      const stamp = `${Math.floor(now())}.${Math.floor(Math.random() * 1e9)}`;
      path = `${logDir}/${part}/events.out.tfevents.${stamp}.chainrule.v2`;
      begun.set(part, path);
      records.push(encodeRecord(encodeEvent({ wallTime: now(), fileVersion: "brain.Event:2" })));
    }
    records.push(encodeRecord(encodeEvent(event)));
    const bytes = new Uint8Array(records.reduce((n, r) => n + r.length, 0));
    let at = 0;
    for (const r of records) {
      bytes.set(r, at);
      at += r.length;
    }
    await appendToFile(path, bytes);
  };
  return {
    name: "tensorBoard",
    onTrainBegin() {
      begun.clear();
    },
    async onBatchEnd(e) {
      if (every === 0 || e.step % every !== 0) return;
      const values = { ...e.metrics, loss: e.loss };
      const scalars = Object.entries(values).map(([k, value]) => ({ tag: `batch_${k}`, value }));
      await write("train", { wallTime: now(), step: e.step, scalars });
    },
    async onEpochEnd(e, { model, optimizer }) {
      const entries = Object.entries(e.logs);
      const tagged = (keep: boolean): { tag: string; value: number }[] =>
        entries
          .filter(([k]) => k.startsWith("val_") === keep)
          .map(([k, value]) => ({ tag: `epoch_${k.replace(/^val_/, "")}`, value }));
      const at = { wallTime: now(), step: e.epoch };
      const weighed = histogramFreq > 0 && e.epoch % histogramFreq === 0;
      await write("train", {
        ...at,
        scalars: [...tagged(false), { tag: "epoch_learning_rate", value: optimizer.learningRate }],
        histograms: weighed ? Object.entries(model.weights()).map(([name, w]) => histogramOf(name, w.data)) : [],
      });
      if (tagged(true).length > 0) await write("validation", { ...at, scalars: tagged(true) });
    },
  };
}
