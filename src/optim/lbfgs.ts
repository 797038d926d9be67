import { ValueError } from "../base/index.ts";
import * as t from "../tensor/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { type ClipOptions, type LearningRate, makeOptimizer, type Optimizer } from "./optimizer.ts";
import { split } from "./options.ts";

/** Options of `lbfgs`. */
export interface LbfgsOptions extends ClipOptions {
  /** The length of a step along the direction; the first is also at most 1/‖g‖₁. Default 1. */
  readonly learningRate?: LearningRate;
  /** Pairs of steps and changes of the gradient that are kept; default 10. */
  readonly history?: number;
}

/**
 * L-BFGS (Nocedal, 1980; PyTorch: LBFGS without line search): the step is −H·g, H from the last pairs s of steps and y of
 * changes of the gradient by the two-loop recursion. For the whole data in one batch: gradients of other samples are no change
 * of the same function. A pair with s·y ≤ 1e-10 is not kept. Takes 2·history + 2 times the memory of the variables.
 *
 * @example
 * const line = sequential([dense(1)]);
 * line.compile({ optimizer: lbfgs(), loss: "mse" });
 * const at = tensor([[0], [1], [2], [3]]);
 * await line.fit({ x: at, y: at.mul(2).add(1) }, { epochs: 20, batchSize: 4, verbose: 0 });
 * line(tensor([[4]])).array(); // → [[9]]
 */
export function lbfgs(options?: LearningRate | LbfgsOptions): Optimizer {
  const { rate, rest } = split<LbfgsOptions>(options, 1);
  const { history = 10 } = rest;
  if (!Number.isInteger(history) || history < 1)
    throw new ValueError(`[lbfgs] history must be a whole number ≥ 1, got ${history}.`);
  const pairs = Array.from({ length: history }, (_, i) => i);
  return makeOptimizer(
    {
      name: "lbfgs",
      slots(v) {
        const like = { dtype: v.dtype };
        const names = ["gradient", "step", ...pairs.map((i) => `s${i}`), ...pairs.map((i) => `y${i}`)];
        const own = Object.fromEntries(names.map((name) => [name, t.zeros(v.shape, like)]));
        // The same for all variables: 1/(s·y) of each pair, oldest first, 0 where there is none; and s·y/y·y of the last.
        return { ...own, rho: t.zeros([history], like), scale: t.ones([], like) };
      },
      apply(steps) {
        const { rate: e, count, slots } = steps[0];
        const [oldRho, oldScale] = slots.slice(-2);
        const dots = (xs: readonly Tensor[], ys: readonly Tensor[]): Tensor =>
          xs.map((x, i) => t.sum(t.mul(x, ys[i]))).reduce((a, b) => t.add(a, b));
        const of = (slot: number): Tensor[] => steps.map((step) => step.slots[slot]);
        const g = steps.map((step) => step.g);
        const change = g.map((x, i) => t.sub(x, steps[i].slots[0]));
        const sy = dots(of(1), change);
        const keep = t.greater(sy, 1e-10);
        const shift = (at: number, last: readonly Tensor[]): Tensor[][] =>
          pairs.map((k) => {
            const next = k + 1 < history ? of(at + k + 1) : last;
            return of(at + k).map((x, i) => t.where(keep, next[i], x));
          });
        const s = shift(2, of(1));
        const y = shift(2 + history, change);
        const fresh = t.reshape(t.div(1, t.maximum(sy, 1e-10)), [1]);
        const shifted = history === 1 ? fresh : t.concat([t.slice(oldRho, [1, history]), fresh]);
        const rho = t.where(keep, shifted, oldRho);
        const scale = t.where(keep, t.div(sy, t.maximum(dots(change, change), 1e-30)), oldScale);
        // A pair that is not there yet is all zero and changes nothing.
        let q = g.map((x) => t.neg(x));
        const alpha: Tensor[] = [];
        for (let k = history - 1; k >= 0; k--) {
          const a = (alpha[k] = t.mul(dots(s[k], q), t.slice(rho, k)));
          q = q.map((x, i) => t.sub(x, t.mul(y[k][i], a)));
        }
        let r = q.map((x) => t.mul(x, scale));
        for (const k of pairs) {
          const by = t.sub(alpha[k], t.mul(dots(y[k], r), t.slice(rho, k)));
          r = r.map((x, i) => t.add(x, t.mul(s[k][i], by)));
        }
        const most = g.map((x) => t.sum(t.abs(x))).reduce((a, b) => t.add(a, b));
        const size = t.mul(e, t.where(t.equal(count, 1), t.div(1, t.maximum(most, 1)), 1));
        return steps.map((step, i) => {
          const move = t.mul(r[i], size);
          const past = [...s, ...y].map((list) => list[i]);
          return { w: t.add(step.w, move), slots: [step.g, move, ...past, rho, scale] };
        });
      },
    },
    rate,
    rest,
  );
}
