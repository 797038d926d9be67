import { tensor } from "../index.ts";
import type { Dataset } from "../data/index.ts";
import type { Model } from "../train/index.ts";
import { arrangeBlocks, confusionCounts, drawImage, formatConfusion } from "../viz/index.ts";
import { argmax, toProbabilities } from "./digits.ts";
import type { Terminal } from "./terminal.ts";

/** What a model answered to every test image. */
export interface TestResult {
  readonly accuracy: number;
  readonly truth: ArrayLike<number>;
  readonly predicted: Int32Array;
  /** Probability that the model gave to its answer. */
  readonly confidence: Float64Array;
}

/** Asks the model about all images of a labelled dataset. */
export async function testModel(model: Model, test: Dataset): Promise<TestResult> {
  const truth = test.labels() ?? new Int32Array(test.length);
  const predicted = new Int32Array(test.length);
  const confidence = new Float64Array(test.length);
  let at = 0;
  for (const batch of test.batches(500)) {
    const output = await model.predict(tensor(batch.x.data, { shape: batch.x.shape }), { batchSize: 500 });
    const values = await output.data();
    const classes = values.length / batch.size;
    for (let i = 0; i < batch.size; i++, at++) {
      const p = toProbabilities(values.subarray(i * classes, (i + 1) * classes));
      predicted[at] = argmax(p);
      confidence[at] = p[predicted[at]];
    }
  }
  const right = predicted.reduce((n, p, i) => n + (p === truth[i] ? 1 : 0), 0);
  return { accuracy: right / Math.max(1, test.length), truth, predicted, confidence };
}

/** The confusion matrix, and a dozen digits: the most confident mistakes first, then some that were read rightly. */
export function formatReport(test: Dataset, result: TestResult, terminal: Terminal, dozen = 12): string {
  const { truth, predicted } = result;
  const counts = confusionCounts(truth, predicted, 10);
  const wrong = Array.from(predicted.keys()).filter((i) => predicted[i] !== truth[i]);
  wrong.sort((a, b) => result.confidence[b] - result.confidence[a]);
  const right = Array.from(predicted.keys()).filter((i) => predicted[i] === truth[i]);
  const mistakes = wrong.slice(0, Math.max(dozen - 3, dozen - right.length));
  const shown = [...mistakes, ...right.slice(0, dozen - mistakes.length)];
  const blocks = shown.map((i) => drawDigit(test, result, i, terminal));
  return [
    formatConfusion(counts),
    "",
    `${wrong.length} of ${test.length} test images misread; the surest mistakes first:`,
    "",
    arrangeBlocks(blocks, terminal.columns),
    "",
  ].join("\n");
}

/** A caption and the drawing of test image `i`. */
function drawDigit(test: Dataset, result: TestResult, i: number, terminal: Terminal): string[] {
  const { x } = test.slice(i, i + 1).all();
  const [answer, truth] = [result.predicted[i], result.truth[i]];
  const sure = `${(100 * result.confidence[i]).toFixed(0)}%`;
  const wrong = answer !== truth;
  const text = wrong ? `✗ ${truth} read as ${answer} (${sure})` : `✓ ${answer} (${sure})`;
  const caption = terminal.colour ? `\x1b[${wrong ? 31 : 32}m${text}\x1b[0m` : text;
  return [caption, ...drawImage({ width: 28, height: 28, data: x.data }, terminal)];
}
