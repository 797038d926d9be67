/** Callbacks that look for numbers that are not finite. */
import { type TypedArray, ValueError } from "../base/index.ts";
import type { Callback } from "./callbacks.ts";

/** Index of the first element that is not finite, or -1. */
function firstOdd(data: TypedArray): number {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i;
  return -1;
}

const where = (epoch: number, batch: number): string => `epoch ${epoch + 1}, batch ${batch + 1}`;

/**
 * Checks inputs, loss and variables at every step and throws at the first number that is not finite: which batch and sample, or which
 * variable. Slow. `detectAnomaly` of the main entry names the operation.
 *
 * @throws ValueError from `fit`.
 * @example
 * await model.fit(data, { callbacks: [checkNumbers()] });
 */
export function checkNumbers(): Callback {
  return {
    name: "checkNumbers",
    onBatchBegin({ epoch, batch }) {
      for (const what of ["x", "y", "sampleWeight"] as const) {
        for (const a of [batch[what]].flat()) {
          const at = a === null ? -1 : firstOdd(a.data);
          if (a === null || at < 0) continue;
          const sample = Math.floor(at / (a.data.length / batch.size));
          throw new ValueError(
            `[checkNumbers] ${where(epoch, batch.index)}: input ${what} holds ${a.data[at]} in sample ${sample} of the batch: clean the data before training.`,
          );
        }
      }
    },
    onBatchEnd({ epoch, batch, loss }, { model }) {
      const odd = Object.entries(model.weights()).find(([, w]) => firstOdd(w.data) >= 0);
      if (Number.isFinite(loss) && odd === undefined) return;
      const variable =
        odd === undefined ? "all variables are finite" : `the first variable that is not finite is "${odd[0]}"`;
      throw new ValueError(
        `[checkNumbers] ${where(epoch, batch)}: the loss is ${loss} and after the step ${variable}: lower the learning rate, clip gradients (globalClipNorm: 1), or look for log(0) and 0/0 in the loss.`,
      );
    },
  };
}

/**
 * Ends training, with a line on the console, at the first batch whose loss is not finite (Keras: TerminateOnNaN).
 *
 * @example await model.fit(data, { epochs: 2, callbacks: [terminateOnNaN()] });
 */
export const terminateOnNaN = (): Callback => ({
  name: "terminateOnNaN",
  onBatchEnd({ epoch, batch, loss }, run) {
    if (Number.isFinite(loss)) return;
    console.warn(`[terminateOnNaN] ${where(epoch, batch)}: the loss is ${loss}: training ends.`);
    run.stop();
  },
});
