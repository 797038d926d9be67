import { ShapeError, showShape, ValueError } from "../base/index.ts";
import { logitsBehind } from "../nn/activations.ts";
import { argmax, takeAlongAxis, Tensor, tensor } from "../tensor/index.ts";
import type { Symbolic } from "../nn/index.ts";

/** A network that can be explained: one image (or any sample) in, one score a class out. */
export type Explained = (x: Tensor) => Tensor | Symbolic;

/** Options of every explanation. */
export interface ExplainOptions {
  /** The class whose score is explained, for all samples or one each. Default: what the network predicts. */
  readonly classes?: number | readonly number[];
}

/** The scores [batch, classes] before a last softmax or sigmoid. */
export function scoresOf(net: Explained, x: Tensor, what: string): Tensor {
  const out = net(x);
  if (!(out instanceof Tensor) || out.rank !== 2)
    throw new ShapeError(
      `[${what}] the network must give one score a class, [batch, classes], got ${out instanceof Tensor ? showShape(out.shape) : typeof out}.`,
    );
  return logitsBehind(out)?.logits ?? out;
}

/** The asked class of each sample, int32 [batch]; the predicted one by default. */
export function classesOf(net: Explained, x: Tensor, options: ExplainOptions, what: string): Tensor {
  const { classes } = options;
  const scores = scoresOf(net, x, what);
  if (classes === undefined) return argmax(scores, -1).cast("int32");
  const [batch, count] = scores.shape;
  const list = typeof classes === "number" ? new Array<number>(batch).fill(classes) : [...classes];
  if (list.length !== batch) throw new ValueError(`[${what}] ${list.length} classes for ${batch} samples: one each.`);
  const wrong = list.find((c) => !Number.isInteger(c) || c < 0 || c >= count);
  if (wrong !== undefined)
    throw new ValueError(`[${what}] class ${wrong} is not in 0..${count - 1}: the network has ${count} classes.`);
  return tensor(list, { dtype: "int32" });
}

/** The sum over samples of the score of each one's class: samples do not meet, so its gradient is each one's own. */
export function chosenScore(net: Explained, x: Tensor, classes: Tensor, what: string): Tensor {
  return pick(scoresOf(net, x, what), classes).sum();
}

/** rows [batch, classes] at one class each → [batch]. */
export const pick = (rows: Tensor, classes: Tensor): Tensor =>
  takeAlongAxis(rows, classes.reshape([-1, 1]), -1).reshape([-1]);
