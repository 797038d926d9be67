import { overVariables } from "../autodiff/index.ts";
import type { Metric } from "../metrics/index.ts";
import { logitsBehind } from "../nn/activations.ts";
import { type Loss, reduceLoss } from "../nn/losses.ts";
import type { ModelBase } from "../nn/model.ts";
import type { Optimizer } from "../optim/index.ts";
import type { OutputMetric, SeveralLoss } from "./several.ts";
import { compiled, mean, type Tensor, type Variable } from "../tensor/index.ts";

/** What one batch gives: its mean loss, and the sums of each metric. */
export type StepResult = readonly Tensor[];

type Batch = [x: Tensor, y: Tensor, sampleWeight: Tensor | null];

export type Step = (...batch: Batch) => StepResult;

/** The compiled functions behind `fit`, `evaluate` and `predict`: each is compiled once for each shape of batch. */
export interface Steps {
  /** Forward, loss, gradients, optimizer update and metric sums in one function. */
  readonly train: Step;
  readonly test: Step;
}

/** The loss of one batch, reduced, with the penalties. Both `fit` and the open form come to these very operations. */
function lossOfBatch(model: ModelBase, loss: Loss, prediction: Tensor, target: Tensor, weight: Tensor | null): Tensor {
  const value = loss(prediction, target, weight);
  const reduced = value.rank === 0 ? value : weight === null ? mean(value) : reduceLoss(value, weight);
  const penalty = model.penalty();
  return penalty === null ? reduced : reduced.add(penalty);
}

/**
 * The steps of a model with this optimizer, loss and these metrics. A step holds which variables it trains: when layers have been
 * frozen or thawed since, `fit` gets fresh ones.
 */
export function makeSteps(model: ModelBase, optimizer: Optimizer, loss: Loss, metrics: readonly Metric[]): () => Steps {
  let steps = freshSteps(model, optimizer, loss, metrics);
  let trained: readonly Variable[] | null = null;
  return () => {
    const now = model.trainableVariables;
    const same = trained === null || (trained.length === now.length && trained.every((v, i) => v === now[i]));
    if (!same) steps = freshSteps(model, optimizer, loss, metrics);
    trained = model.built ? now : null;
    return steps;
  };
}

function freshSteps(model: ModelBase, optimizer: Optimizer, loss: Loss, metrics: readonly Metric[]): Steps {
  const forward = (x: Tensor, training: boolean): Tensor => {
    // A list where the network has several outputs: its loss and metrics take lists.
    const out = model(x, { training });
    // Whether it ended in softmax or sigmoid: seen while recording, since results of a program are plain tensors.
    activated = [out].flat().map((o) => logitsBehind(o) !== null);
    return out;
  };
  let activated: boolean[] = [];
  const names = (loss as Partial<SeveralLoss>).parts ?? [loss.loss];
  const sums = (prediction: Tensor, y: Tensor, w: Tensor | null): Tensor[] =>
    metrics.map((m) => {
      const { output = 0 } = m as Partial<OutputMetric>;
      return m.batch(prediction, y, {
        sampleWeight: w,
        activated: activated[output],
        logits: !activated[output] && /crossentropy/i.test(names[output]),
      });
    });
  const train = compiled<Batch, Tensor[]>((x, y, w) => {
    const run = (): readonly [Tensor, Tensor] => {
      const out = forward(x, true);
      return [lossOfBatch(model, loss, out, y, w), out];
    };
    const [pair, gradients] = overVariables(model, run, true, "valueAndGrad");
    const [value, prediction] = pair as [Tensor, Tensor];
    optimizer.update(model, gradients);
    return [value, ...(metrics.length === 0 ? [] : [prediction])];
  });
  // Metrics are a program of their own: inside the step they would be fused with the loss and could change its last bit.
  const judge = compiled<Batch, Tensor[]>(sums);
  const test = compiled<Batch, Tensor[]>((x, y, w) => {
    const prediction = forward(x, false);
    return [lossOfBatch(model, loss, prediction, y, w), ...sums(prediction, y, w)];
  });
  return {
    train(x, y, w) {
      const [value, prediction] = train(x, y, w);
      if (prediction === undefined) return [value];
      const sums = judge(prediction, y, w);
      for (const p of [prediction].flat()) p.dispose();
      return [value, ...sums];
    },
    test,
  };
}
