import { ValueError } from "../base/index.ts";
import { valueAndGrad } from "../autodiff/index.ts";
import type { Metric } from "../metrics/index.ts";
import { type Loss, reduceLoss } from "../nn/losses.ts";
import type { ModelBase } from "../nn/model.ts";
import type { Optimizer } from "../optim/index.ts";
import { compiled, mean, type Tensor } from "../tensor/index.ts";

/** What one batch gives: its mean loss, and the sums of each metric. */
export type StepResult = readonly Tensor[];

export type Step = (x: Tensor, y: Tensor, sampleWeight: Tensor | null) => StepResult;

/** The compiled functions behind `fit`, `evaluate` and `predict`: each is compiled once for each shape of batch. */
export interface Steps {
  /** Forward, loss, gradients, optimizer update and metric sums in one function. */
  readonly train: Step;
  readonly test: Step;
}

/** The loss of one batch, reduced. Both `fit` and the open form come to these very operations. */
function lossOfBatch(loss: Loss, prediction: Tensor, target: Tensor, weight: Tensor | null): Tensor {
  const value = loss(prediction, target, weight);
  return value.rank === 0 ? value : weight === null ? mean(value) : reduceLoss(value, weight);
}

/** The steps of a model with this optimizer, loss and these metrics. */
export function makeSteps(model: ModelBase, optimizer: Optimizer, loss: Loss, metrics: readonly Metric[]): Steps {
  const forward = (x: Tensor, training: boolean): Tensor => {
    const out: Tensor | Tensor[] = model(x, { training });
    if (Array.isArray(out)) throw new ValueError(`[fit] model "${model.name}" has several outputs: train it with the open form (valueAndGrad).`);
    return out;
  };
  const sums = (prediction: Tensor, y: Tensor, w: Tensor | null): Tensor[] =>
    metrics.map((m) => m.batch(prediction, y, { sampleWeight: w, logits: /crossentropy/i.test(loss.loss) }));
  return {
    train: compiled((x: Tensor, y: Tensor, w: Tensor | null) => {
      let prediction: Tensor | null = null;
      const [value, gradients] = valueAndGrad(model, () => {
        prediction = forward(x, true);
        return lossOfBatch(loss, prediction, y, w);
      });
      optimizer.update(model, gradients);
      return [value, ...sums(prediction as unknown as Tensor, y, w)];
    }),
    test: compiled((x: Tensor, y: Tensor, w: Tensor | null) => {
      const prediction = forward(x, false);
      return [lossOfBatch(loss, prediction, y, w), ...sums(prediction, y, w)];
    }),
  };
}
