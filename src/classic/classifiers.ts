import { ShapeError, ValueError } from "../base/index.ts";
import { crossEntropy } from "../nn/losses.ts";
import { adam, inverseTimeDecay, type Optimizer, sgd } from "../optim/index.ts";
import {
  argmax,
  concat,
  matmul,
  maximum,
  mean,
  oneHot,
  sigmoid,
  softmax,
  softplus,
  sum,
  takeAlongAxis,
  type Tensor,
  tensor,
} from "../tensor/index.ts";
import { descend, type Descended, type DescentOptions, type ScoreLoss } from "./descent.ts";
import { type Classifier, classesOf, fitted, labelsOf, samplesOf, type SampleData } from "./inputs.ts";
import { solveNormal } from "./normal.ts";
import { accuracyScore } from "./scores.ts";

/** Options of linear classifiers. */
export interface LinearClassifierOptions extends DescentOptions {
  /** Weight of ½‖w‖² beside the mean loss; default 1e-4. The bias is free. */
  readonly l2?: number;
}

/** What `logisticRegression`, `softmaxRegression` and `linearSvm` make. */
export interface LinearClassifier extends Classifier {
  /** [features, classes]; [features, 1] where one score decides between two classes. */
  readonly weights: Tensor;
  /** [classes] or [1]. */
  readonly bias: Tensor;
  /** Numbers learnt: weights and biases. */
  readonly parameters: number;
  /** x·w + b: [n, classes], or [n] where one score decides. */
  decisionFunction(x: SampleData): Tensor;
  /** Mean loss of each epoch. */
  readonly losses: readonly number[];
}

export interface LogisticOptions extends LinearClassifierOptions {
  /** "newton" (default): a few steps with the second derivative; "descent": steps of an optimizer on batches. */
  readonly solver?: "newton" | "descent";
}

/**
 * Logistic regression of two classes (S-200, S-201): P(second class | x) = σ(w·x + b); mean log loss + l2/2 ‖w‖² is least.
 *
 * @throws ValueError for another number of classes.
 * @example
 * const and = logisticRegression().fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]);
 * and.predict([[1, 1]]).array(); // [1]
 */
export function logisticRegression(options: LogisticOptions = {}): LinearClassifier {
  const { solver = "newton", l2 = 1e-4 } = options;
  const needsTwo = (count: number): number => {
    if (count === 2) return 1;
    throw new ValueError(
      `[logisticRegression] needs two classes, got ${count}.${count > 2 ? " Use softmaxRegression()." : ""}`,
    );
  };
  // y of 0 and 1: softplus(z) - y·z is -log P(y).
  const loss: ScoreLoss = (scores, y) => {
    const z = scores.reshape([-1]);
    return mean(softplus(z).sub(y.cast(z.dtype).mul(z)));
  };
  return linearClassifier(
    "logisticRegression",
    { ...options, l2 },
    {
      columns: needsTwo,
      loss,
      labels: (index) => tensor(index),
      probabilities: (scores) => {
        const z = scores.reshape([-1, 1]);
        return concat([sigmoid(z.mul(-1)), sigmoid(z)], 1);
      },
      defaults: { epochs: 200, batchSize: 256, optimizer: () => adam(0.01) },
      ...(solver === "newton" && { direct: (x: Tensor, index: Int32Array) => newton(x, index, l2, options) }),
    },
  );
}

/**
 * Softmax regression (S-204): P(c | x) = softmax(x·W + b); mean cross-entropy + l2/2 ‖W‖² is least. Of two classes it is logistic
 * regression on the difference of the scores.
 *
 * @example
 * const { data } = await iris();
 * softmaxRegression({ epochs: 300 }).fit(data).score(data);
 */
export const softmaxRegression = (options: LinearClassifierOptions = {}): LinearClassifier =>
  linearClassifier("softmaxRegression", options, {
    columns: (classes) => classes,
    loss: (scores, y) => crossEntropy(scores, y),
    labels: (index) => tensor(index),
    probabilities: (scores) => softmax(scores, -1),
    defaults: { epochs: 100, batchSize: 256, optimizer: () => adam(0.01) },
  });

export interface SvmOptions extends LinearClassifierOptions {
  /** Score by which the right class must lead; default 1. */
  readonly margin?: number;
}

/**
 * Linear support vector machine (S-205) by stochastic gradient descent: mean hinge loss + l2/2 ‖w‖² is least. Two classes: one score
 * f(x), max(0, margin - y f(x)) with y = ±1. More: Σ over wrong classes of max(0, s_c - s_right + margin). `predictProba` gives the
 * chosen class 1: margins are no probabilities.
 *
 * @throws ValueError for a single class.
 * @example linearSvm({ l2: 1e-3 }).fit([[-2], [-1], [1], [2]], [0, 0, 1, 1]).predict([[0.5]]).array(); // [1]
 */
export function linearSvm(options: SvmOptions = {}): LinearClassifier {
  const { margin = 1 } = options;
  const loss: ScoreLoss = (scores, y) => {
    if (scores.shape[1] === 1) {
      const z = scores.reshape([-1]);
      const side = y.cast(z.dtype).mul(2).sub(1);
      return mean(maximum(side.mul(z).mul(-1).add(margin), 0));
    }
    const right = takeAlongAxis(scores, y.reshape([-1, 1]), 1);
    // The right class itself always has `margin` in the sum.
    return mean(sum(maximum(scores.sub(right).add(margin), 0), 1).sub(margin));
  };
  return linearClassifier("linearSvm", options, {
    columns: (classes) => (classes === 2 ? 1 : classes),
    loss,
    labels: (index) => tensor(index),
    probabilities: (scores) =>
      scores.shape[1] === 1
        ? oneHot(scores.reshape([-1]).greater(0).cast("int32"), 2)
        : oneHot(argmax(scores, -1), scores.shape[1]),
    defaults: { epochs: 100, batchSize: 64, optimizer: () => sgd(inverseTimeDecay(0.05, 1000, 1)) },
  });
}

interface Kind {
  /** Columns of scores for a number of classes. */
  readonly columns: (classes: number) => number;
  readonly loss: ScoreLoss;
  readonly labels: (index: Int32Array) => Tensor;
  /** Of scores [n, columns]: [n, classes]. */
  readonly probabilities: (scores: Tensor) => Tensor;
  readonly defaults: { readonly epochs: number; readonly batchSize: number; readonly optimizer: () => Optimizer };
  /** Solves without steps of an optimizer. */
  readonly direct?: (x: Tensor, index: Int32Array) => Descended;
}

function linearClassifier(op: string, options: LinearClassifierOptions, kind: Kind): LinearClassifier {
  const { l2 = 1e-4 } = options;
  if (!(l2 >= 0)) throw new ValueError(`[${op}] l2 must be a number ≥ 0, got ${l2}.`);
  let state: (Descended & { classes: number[] }) | null = null;
  const need = (method: string): NonNullable<typeof state> => fitted(op, method, state);
  const scoresOf = (x: SampleData): Tensor => {
    const { weights, bias } = need("predict");
    return matmul(samplesOf(op, x, weights.shape[0]), weights).add(bias);
  };
  const model: LinearClassifier = {
    fit(x, y) {
      const samples = samplesOf(op, x);
      const { classes, index } = classesOf(op, labelsOf(op, x, y, samples.shape[0]));
      if (classes.length < 2)
        throw new ValueError(`[${op}] all labels are ${classes[0]}: there is nothing to tell apart.`);
      const columns = kind.columns(classes.length);
      const found =
        kind.direct?.(samples, index) ??
        descend(
          op,
          { x: samples, y: kind.labels(index), columns, loss: kind.loss, l2 },
          {
            epochs: options.epochs ?? kind.defaults.epochs,
            batchSize: options.batchSize === undefined ? kind.defaults.batchSize : options.batchSize,
            optimizer: options.optimizer ?? kind.defaults.optimizer,
            seed: options.seed ?? 0,
            tolerance: options.tolerance ?? 0,
            ...(options.onEpoch === undefined ? {} : { onEpoch: options.onEpoch }),
          },
        );
      state = { ...found, classes };
      return model;
    },
    predict(x) {
      const { classes } = need("predict");
      const scores = scoresOf(x);
      const at =
        scores.shape[1] === 1 ? scores.reshape([-1]).greater(0).cast("int32") : argmax(scores, -1).cast("int32");
      return tensor(Int32Array.from(at.dataSync(), (i) => classes[i]));
    },
    predictProba: (x) => kind.probabilities(scoresOf(x)),
    decisionFunction(x) {
      const scores = scoresOf(x);
      return scores.shape[1] === 1 ? scores.reshape([-1]) : scores;
    },
    score: (x, y) => accuracyScore(labelsOf("score", x, y, samplesOf("score", x).shape[0]), model.predict(x)),
    get classes() {
      return need("classes").classes;
    },
    get weights() {
      return need("weights").weights;
    },
    get bias() {
      return need("bias").bias;
    },
    get parameters() {
      const { weights, bias } = need("parameters");
      return weights.size + bias.size;
    },
    get losses() {
      return need("losses").losses;
    },
  };
  return model;
}

/** Newton's method, in float64: (XᵀRX/n + l2·I) Δ = gradient with R = p(1 - p); steps are halved until the loss falls. */
function newton(x: Tensor, index: Int32Array, l2: number, options: LogisticOptions): Descended {
  const [n, d] = x.shape;
  if (d > 2000)
    throw new ShapeError(`[logisticRegression] ${d} features are many for "newton": pass { solver: "descent" }.`);
  const ones = tensor(new Float64Array(n).fill(1)).reshape([n, 1]);
  const wide = concat([x.cast("float64"), ones], 1);
  const y = tensor(Float64Array.from(index));
  const ridge = Float64Array.from({ length: d + 1 }, (_, i) => (i < d ? l2 : 0));
  let theta = new Float64Array(d + 1);
  const lossAt = (at: Float64Array): number => {
    const z = matmul(wide, tensor(at));
    const half = at.reduce((a, w, i) => a + (ridge[i] * w * w) / 2, 0);
    return mean(softplus(z).sub(y.mul(z))).item() + half;
  };
  const losses = [lossAt(theta)];
  for (let step = 0; step < (options.epochs ?? 100); step++) {
    const p = sigmoid(matmul(wide, tensor(theta)));
    const gradient = matmul(wide.T, p.sub(y)).div(n).dataSync().slice() as Float64Array;
    const weighted = wide.mul(p.mul(p.mul(-1).add(1)).reshape([n, 1]));
    const hessian = matmul(wide.T, weighted).div(n).dataSync().slice() as Float64Array;
    for (let i = 0; i <= d; i++) {
      gradient[i] += ridge[i] * theta[i];
      // A floor, for columns that the data says nothing about.
      hessian[i * (d + 1) + i] += ridge[i] + 1e-12;
    }
    const direction = solveNormal(
      "logisticRegression",
      tensor(hessian).reshape([d + 1, d + 1]),
      tensor(gradient),
    ).dataSync();
    const last = losses[losses.length - 1];
    let [next, loss] = [theta, last];
    for (let share = 1; share > 1e-6; share /= 2) {
      next = theta.map((v, i) => v - share * direction[i]);
      loss = lossAt(next);
      if (loss <= last) break;
    }
    if (!(loss <= last)) break;
    theta = next;
    losses.push(loss);
    options.onEpoch?.(step, loss);
    if (last - loss <= 1e-14 * Math.abs(last)) break;
  }
  return {
    weights: tensor(theta.slice(0, d)).reshape([d, 1]).cast(x.dtype),
    bias: tensor(theta.slice(d)).cast(x.dtype),
    losses,
  };
}
