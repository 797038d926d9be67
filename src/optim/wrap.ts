/**
 * Optimizers around optimizers: each takes one and gives another with more to its rule. Take a fresh one: steps that it has made
 * are not taken over. They nest: `withAverages(withWeightDecay(sgd(0.1), 1e-4))`.
 */
import { ValueError } from "../base/index.ts";
import * as t from "../tensor/index.ts";
import { eagerly, type HasVariables, type Tensor, type Variable } from "../tensor/index.ts";
import { decayed, fits, type VariableFilter, type WeightDecayOptions } from "./decay.ts";
import {
  clipGradients,
  firstSlots,
  makeOptimizer,
  type Next,
  type Optimizer,
  type Rule,
  type Schedule,
} from "./optimizer.ts";
import { needPositive, needShare } from "./options.ts";

/** The optimizer with another rule. */
function changed(optimizer: Optimizer, what: string, change: (rule: Rule) => Partial<Rule>): Optimizer {
  const { rule, learningRate, clip } = optimizer.recipe;
  return makeOptimizer({ ...rule, ...change(rule), name: `${rule.name}+${what}` }, learningRate, clip);
}

/**
 * Weight decay λ, a number or a schedule, for any optimizer (Keras: weight_decay, exclude_from_weight_decay; S-149).
 *
 * @example
 * const optimizer = withWeightDecay(sgd({ learningRate: 0.1, momentum: 0.9 }), 5e-4, { exclude: /bias|gamma|beta/, coupled: true });
 */
export function withWeightDecay(
  optimizer: Optimizer,
  decay: number | Schedule,
  options: WeightDecayOptions = {},
): Optimizer {
  if (typeof decay === "number") needPositive("withWeightDecay", "decay", decay);
  return changed(optimizer, "weightDecay", (rule) => decayed(rule, decay, options));
}

/** sign(x)·max(|x| − by, 0). */
const softThreshold = (x: Tensor, by: Tensor): Tensor => t.sub(x, t.clip(x, t.neg(by), by));

/**
 * L1 by its proximal step: after each update w ← sign(w)·max(|w| − α·λ, 0), which makes weights exactly 0, where the sub-gradient of
 * an `l1` penalty only hovers around it (S-152).
 *
 * @example model.compile({ optimizer: withProximalL1(sgd(0.1), 1e-3), loss: "mse" });
 */
export function withProximalL1(
  optimizer: Optimizer,
  factor: number,
  options: { readonly exclude?: VariableFilter } = {},
): Optimizer {
  needPositive("withProximalL1", "factor", factor);
  return changed(optimizer, "proximalL1", (rule) => ({
    apply: (steps) =>
      rule.apply(steps).map((next, i): Next => {
        const { variable, rate } = steps[i];
        return fits(options.exclude, variable) ? next : { ...next, w: softThreshold(next.w, t.mul(rate, factor)) };
      }),
  }));
}

/**
 * Another learning rate for some variables: factors by layer or variable name ("head", "block/dense", "dense/bias"; the longest
 * that fits counts), or a function of the variable (Keras: MultiOptimizer).
 *
 * @throws ValueError at the first update when a name fits no variable.
 * @example
 * const optimizer = withLearningRates(adam(1e-3), { backbone: 0.1 });
 */
export function withLearningRates(
  optimizer: Optimizer,
  factors: Readonly<Record<string, number>> | ((variable: Variable) => number),
): Optimizer {
  const names = typeof factors === "function" ? [] : Object.keys(factors).sort((a, b) => b.length - a.length);
  const belongs = (v: Variable, name: string): boolean => v.name === name || v.name.startsWith(`${name}/`);
  const factorOf = (v: Variable): number => {
    if (typeof factors === "function") return factors(v);
    const name = names.find((n) => belongs(v, n));
    return name === undefined ? 1 : factors[name];
  };
  return changed(optimizer, "learningRates", (rule) => ({
    scale: (v) => (rule.scale?.(v) ?? 1) * factorOf(v),
    apply(steps) {
      const strange = names.find((n) => !steps.some((step) => belongs(step.variable, n)));
      if (strange !== undefined) {
        const known = steps.map((step) => step.variable.name).join(", ");
        throw new ValueError(`[withLearningRates] no variable belongs to "${strange}": there are ${known}.`);
      }
      return rule.apply(steps);
    },
  }));
}

/**
 * Gradients of `steps` calls are averaged before one update is made of them: a batch as large as `steps` batches, in the memory of
 * one (Keras: gradient_accumulation_steps). Clipping, schedules and the counts of Adam see the updates; `iterations` counts calls.
 *
 * @example model.compile({ optimizer: withAccumulation(adam(1e-3), 4), loss: "mse" });
 */
export function withAccumulation(optimizer: Optimizer, steps: number): Optimizer {
  if (!Number.isInteger(steps) || steps < 1)
    throw new ValueError(`[withAccumulation] steps must be a whole number ≥ 1, got ${steps}.`);
  const { rule, learningRate, clip } = optimizer.recipe;
  const updates = (count: Tensor): Tensor => t.add(t.floor(t.div(t.sub(count, 1), steps)), 1);
  const isDue = (count: Tensor): Tensor => t.equal(t.mod(count, steps), 0);
  return makeOptimizer(
    {
      ...rule,
      name: `${rule.name}+accumulation`,
      slots: (v) => ({ ...firstSlots(rule, v), accumulated: t.zeros(v.shape, { dtype: v.dtype }) }),
      prepare(at) {
        const due = isDue(at.count);
        const made = { ...rule.prepare?.({ ...at, count: updates(at.count) }) };
        for (const name of Object.keys(rule.scalars ?? {})) made[name] = t.where(due, made[name], at.scalars[name]);
        return made;
      },
      apply(all) {
        const sums = all.map(({ g, slots }) => t.add(slots[slots.length - 1], t.div(g, steps)));
        const gs = clipGradients(sums, clip);
        const next = rule.apply(
          all.map((step, i) => ({ ...step, g: gs[i], count: updates(step.count), slots: step.slots.slice(0, -1) })),
        );
        return next.map(({ w, slots }, i): Next => {
          const due = isDue(all[i].count);
          return {
            w: t.where(due, w, all[i].w),
            slots: [...slots.map((s, k) => t.where(due, s, all[i].slots[k])), t.where(due, 0, sums[i])],
          };
        });
      },
    },
    typeof learningRate === "number" ? learningRate : (step) => learningRate(t.floor(t.div(step, steps))),
  );
}

/**
 * Keeps a running mean of the weights: a ← β·a + (1 − β)·w after each update, β 0 at the first (Keras: use_ema). `swapAverages`
 * puts the means into the model to evaluate it, and the weights back to go on.
 *
 * @example
 * const optimizer = withAverages(adam(1e-3), 0.999);
 */
export function withAverages(optimizer: Optimizer, momentum = 0.99): Optimizer {
  needShare("withAverages", "momentum", momentum);
  return changed(optimizer, "averages", (rule) => ({
    slots: (v) => ({ ...firstSlots(rule, v), average: t.zeros(v.shape, { dtype: v.dtype }) }),
    apply(steps) {
      const next = rule.apply(steps.map((step) => ({ ...step, slots: step.slots.slice(0, -1) })));
      return next.map(({ w, slots }, i): Next => {
        const { count, slots: old } = steps[i];
        const fresh = t.where(t.equal(count, 1), 1, t.scalar(1 - momentum, w.dtype));
        const average = old[old.length - 1];
        return { w, slots: [...slots, t.add(average, t.mul(t.sub(w, average), fresh))] };
      });
    },
  }));
}

const trainableOf = (target: HasVariables | readonly Variable[]): readonly Variable[] =>
  Array.isArray(target) ? (target as readonly Variable[]) : (target as HasVariables).trainableVariables;

/**
 * Exchanges the weights and the means that `withAverages` keeps; a second call puts them back (Keras: SwapEMAWeights).
 *
 * @throws ValueError when the optimizer keeps none, or has made no update yet.
 * @example
 * const optimizer = withAverages(adam(), 0.9);
 * model.compile({ optimizer, loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
 * await model.fit(train, { epochs: 2 });
 * swapAverages(optimizer, model);
 * await model.evaluate(dev);
 */
export function swapAverages(optimizer: Optimizer, target: HasVariables | readonly Variable[]): void {
  const pairs = trainableOf(target).map((v) => [v, optimizer.slot(v, "average")] as const);
  if (optimizer.iterations === 0 || pairs.some(([, a]) => a === undefined))
    throw new ValueError(
      `[swapAverages] "${optimizer.optimizer}" has no averages of these variables: train with withAverages(optimizer) first.`,
    );
  exchange(pairs as readonly (readonly [Variable, Variable])[]);
}

const exchange = (pairs: readonly (readonly [Variable, Variable])[]): void =>
  eagerly(() => {
    for (const [v, a] of pairs) {
      const kept = t.tensor(v.dataSync(), { shape: v.shape, dtype: v.dtype });
      v.assign(a);
      a.assign(kept);
    }
  });

/**
 * Runs `fn` with the weights moved to w + α·v, the point to which momentum carries them, and puts them back: with plain momentum
 * this is Nesterov's method in its look-ahead form (S-123), whose gradients are taken there.
 *
 * @example
 * const optimizer = sgd({ learningRate: 0.1, momentum: 0.9 });
 * const step = compiled((x: Tensor, y: Tensor) => {
 *   const [loss, grads] = atLookAhead(optimizer, model, 0.9, () => valueAndGrad(model, () => crossEntropy(model(x), y)));
 *   optimizer.update(model, grads);
 *   return loss;
 * });
 */
export function atLookAhead<R>(
  optimizer: Optimizer,
  target: HasVariables | readonly Variable[],
  momentum: number,
  fn: () => R,
): R {
  optimizer.build(target);
  const variables = trainableOf(target);
  const kept = variables.map((v) => t.mul(v, 1));
  for (const v of variables) {
    const velocity = optimizer.slot(v, "momentum");
    if (velocity === undefined)
      throw new ValueError(`[atLookAhead] "${optimizer.optimizer}" has no momentum: use sgd({ momentum: 0.9 }).`);
    v.assign(t.add(v, t.mul(velocity, momentum)));
  }
  try {
    return fn();
  } finally {
    variables.forEach((v, i) => v.assign(kept[i]));
  }
}
