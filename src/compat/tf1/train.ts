/** tf.train: gradient descent. */
import { ValueError } from "../../base/index.ts";
import { valueAndGrad } from "../../autodiff/index.ts";
import type { Tensor, Variable as Stored } from "../../tensor/index.ts";
import { type GraphTensor, Operation, reachable, Variable } from "./graph.ts";

/** Options of `minimize`. */
export interface MinimizeOptions {
  /** Default: all trainable variables that the loss stands on. */
  readonly var_list?: readonly Variable[];
}

/** w ← w - rate · gradient. */
export class GradientDescentOptimizer {
  private readonly rate: number;

  constructor(learning_rate: number) {
    if (!(learning_rate > 0))
      throw new ValueError(`[GradientDescentOptimizer] the learning rate must be > 0, got ${learning_rate}.`);
    this.rate = learning_rate;
  }

  /** An operation that, each time it runs, takes one step down the gradient of the loss (of its sum, when it is no scalar). */
  minimize(loss: GraphTensor, options: MinimizeOptions = {}): Operation {
    const variables =
      options.var_list ??
      [...reachable([loss])].filter((n): n is Variable => n instanceof Variable && n.trainable).reverse();
    if (variables.length === 0) throw new ValueError("[minimize] the loss stands on no trainable variable.");
    return new Operation("GradientDescent", [loss, ...variables], (scope) => {
      const stored = variables.map((v) => v.evaluate(scope()) as Stored);
      // A scope of its own: what the gradient goes through is recorded inside.
      const [, grads] = valueAndGrad(stored, (): Tensor => loss.evaluate(scope()).sum());
      return variables.map((v, i) => [v, stored[i].sub(grads[i].mul(this.rate))] as const);
    });
  }
}
