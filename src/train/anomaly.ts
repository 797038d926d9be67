import { type TypedArray, ValueError } from "../base/index.ts";
import type { Batch } from "../data/index.ts";
import type { ModelBase } from "../nn/model.ts";

/** Index of the first element that is not finite, or -1. */
function firstOdd(data: TypedArray): number {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i;
  return -1;
}

const where = (epoch: number, batch: number): string => `epoch ${epoch + 1}, batch ${batch + 1}`;

/** Throws when a batch holds a number that is not finite. */
export function checkInput(batch: Batch, epoch: number): void {
  for (const [what, a] of [
    ["x", batch.x],
    ["y", batch.y],
    ["sampleWeight", batch.sampleWeight],
  ] as const) {
    if (a === null) continue;
    const at = firstOdd(a.data);
    if (at < 0) continue;
    const sample = Math.floor(at / (a.data.length / batch.size));
    throw new ValueError(
      `[detectAnomaly] ${where(epoch, batch.index)}: input ${what} holds ${a.data[at]} in sample ${sample} of the batch: clean the data before training.`,
    );
  }
}

/** Throws when a step gave a loss or left a variable that is not finite. */
export function checkStep(model: ModelBase, loss: number, epoch: number, batch: number): void {
  const odd = Object.entries(model.weights()).find(([, w]) => firstOdd(w.data) >= 0);
  if (Number.isFinite(loss) && odd === undefined) return;
  const variable =
    odd === undefined ? "all variables are finite" : `the first variable that is not finite is "${odd[0]}"`;
  throw new ValueError(
    `[detectAnomaly] ${where(epoch, batch)}: the loss is ${loss} and after the step ${variable}: lower the learning rate, clip gradients (globalClipNorm: 1), or look for log(0) and 0/0 in the loss.`,
  );
}
