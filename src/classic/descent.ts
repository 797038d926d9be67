/** Linear models that go downhill: x [n, d] · w [d, c] + b [c], a compiled step. */
import { foldKey, keyOfSeed, permutationOf, ValueError } from "../base/index.ts";
import { valueAndGrad } from "../autodiff/index.ts";
import type { Optimizer } from "../optim/index.ts";
import {
  compiled,
  matmul,
  square,
  sum as sumOf,
  type Tensor,
  tensor,
  variable,
  type Variable,
  zeros,
} from "../tensor/index.ts";

/** Options of models that are fitted by gradient descent. */
export interface DescentOptions {
  /** Passes over the samples. */
  readonly epochs?: number;
  /** Samples a step; null: all of them (gradient descent), 1: stochastic gradient descent. */
  readonly batchSize?: number | null;
  /** Makes the steps; a model fitted again needs a fresh one, so this is a function. */
  readonly optimizer?: () => Optimizer;
  /** Of the order of samples; default 0. */
  readonly seed?: number;
  /** Stop when the loss of an epoch changed by no more than this share; default 0: never. */
  readonly tolerance?: number;
  /** Called after each epoch with the mean loss of its steps. */
  readonly onEpoch?: (epoch: number, loss: number) => void;
}

export interface Descended {
  readonly weights: Tensor;
  readonly bias: Tensor;
  /** Mean loss of each epoch. */
  readonly losses: readonly number[];
}

/** Mean loss of scores [n, c] against labels [n]. */
export type ScoreLoss = (scores: Tensor, labels: Tensor) => Tensor;

/**
 * Minimises loss(x·w + b, y) + l2/2 · ‖w‖², from zeros.
 *
 * @param y labels [n] of the dtype that the loss wants
 */
export function descend(
  op: string,
  { x, y, columns, loss, l2 }: { x: Tensor; y: Tensor; columns: number; loss: ScoreLoss; l2: number },
  options: Required<Omit<DescentOptions, "onEpoch">> & Pick<DescentOptions, "onEpoch">,
): Descended {
  const { epochs, batchSize, seed, tolerance, onEpoch } = options;
  const [n, d] = x.shape;
  for (const [what, v] of [
    ["epochs", epochs],
    ["batchSize", batchSize ?? 1],
  ] as const) {
    if (!Number.isInteger(v) || v < 1) throw new ValueError(`[${op}] ${what} must be a whole number ≥ 1, got ${v}.`);
  }
  const optimizer = options.optimizer();
  const w: Variable = variable(zeros([d, columns], { dtype: x.dtype }), { name: "weights" });
  const b: Variable = variable(zeros([columns], { dtype: x.dtype }), { name: "bias" });
  const model = [w, b];
  const step = (xs: Tensor, ys: Tensor): Tensor => {
    const [value, grads] = valueAndGrad(model, () => {
      const data = loss(matmul(xs, w).add(b), ys);
      return l2 === 0 ? data : data.add(sumOf(square(w)).mul(l2 / 2));
    });
    optimizer.update(model, grads);
    return value;
  };
  const whole = compiled(step);
  // Losses add up on the device until the epoch ends.
  const sum = variable(zeros([], { dtype: x.dtype }), { name: "loss" });
  const some = compiled((xs: Tensor, ys: Tensor, rows: Tensor) => {
    const value = step(xs.gather(rows), ys.gather(rows));
    sum.assign(sum.add(value.mul(rows.size / n)));
  });
  const size = Math.min(batchSize ?? n, n);
  const losses: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    let total = 0;
    if (size === n) total = whole(x, y).item();
    else {
      const order = permutationOf(foldKey(keyOfSeed(seed), epoch), n);
      sum.assign(zeros([], { dtype: x.dtype }));
      for (let from = 0; from < n; from += size) some(x, y, order.subarray(from, Math.min(n, from + size)));
      total = sum.item();
    }
    if (!Number.isFinite(total)) {
      throw new ValueError(
        `[${op}] the loss is ${total} in epoch ${epoch + 1}: scale the features (standardScaler) or take smaller steps.`,
      );
    }
    onEpoch?.(epoch, total);
    const last = losses.at(-1);
    losses.push(total);
    if (last !== undefined && tolerance > 0 && Math.abs(last - total) <= tolerance * Math.abs(last)) break;
  }
  const copy = (v: Variable): Tensor => tensor(v.dataSync().slice(), { shape: v.shape, dtype: v.dtype });
  return { weights: copy(w), bias: copy(b), losses };
}
