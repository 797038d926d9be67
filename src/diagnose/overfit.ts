import { valueAndGrad } from "../autodiff/index.ts";
import { ValueError } from "../base/index.ts";
import type { ModelBase } from "../nn/model.ts";
import { adam, type Optimizer } from "../optim/index.ts";
import { compiled, type Tensor, tensor, type TensorLike } from "../tensor/index.ts";

/** Options of `overfitBatch`. */
export interface OverfitOptions {
  /** Steps at most. Default 500. */
  readonly steps?: number;
  /** The loss that counts as fitted. Default 1e-3. */
  readonly target?: number;
  /** Default adam(1e-2). */
  readonly optimizer?: Optimizer;
}

/** What `overfitBatch` gives. */
export interface OverfitReport {
  readonly passed: boolean;
  /** The loss before each step. */
  readonly losses: readonly number[];
  readonly message: string;
}

/**
 * Can the network learn one small batch by heart? One that cannot has a bug, a learning rate that does not fit, or too few
 * weights (S-406). The weights are put back afterwards.
 *
 * @param loss of predictions and targets, a scalar
 * @example overfitBatch(net, x.slice([0, 10]), y.slice([0, 10]), crossEntropy).passed;
 */
export function overfitBatch(
  net: ModelBase,
  x: TensorLike,
  y: TensorLike,
  loss: (prediction: Tensor, target: Tensor) => Tensor,
  options: OverfitOptions = {},
): OverfitReport {
  const { steps = 500, target = 1e-3, optimizer = adam(1e-2) } = options;
  if (!Number.isInteger(steps) || steps < 1)
    throw new ValueError(`[overfitBatch] steps must be a whole number ≥ 1, got ${steps}.`);
  const [inputs, targets] = [tensor(x), tensor(y)];
  if (net.inputShapes === null) net.build([null, ...inputs.shape.slice(1)], inputs.dtype);
  const before = net.weights();
  const losses: number[] = [];
  try {
    const step = compiled((at: Tensor, want: Tensor) => {
      const [value, grads] = valueAndGrad(net, () => loss(net(at), want));
      optimizer.update(net, grads);
      return value;
    });
    for (let i = 0; i < steps; i++) {
      losses.push(step(inputs, targets).item());
      if (!(losses[i] > target)) break;
    }
  } finally {
    net.setWeights(before);
  }
  const [first, last] = [losses[0], losses[losses.length - 1]];
  const passed = last <= target;
  const went = `the loss went from ${first.toPrecision(3)} to ${last.toPrecision(3)} in ${losses.length} steps`;
  const message = passed
    ? `[overfitBatch] passed: ${went}.`
    : `[overfitBatch] FAILED: ${went} (target ${target}): ${Number.isFinite(last) ? "look at the loss and the labels, try another learning rate, a larger network, less regularisation" : "lower the learning rate; detectAnomaly names the operation"}.`;
  return { passed, losses, message };
}
