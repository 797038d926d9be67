import * as t from "../tensor/index.ts";
import type { Variable } from "../tensor/index.ts";
import type { Rule, Schedule, Step } from "./optimizer.ts";
import { now } from "./options.ts";

/** Which variables: those whose name fits, or of which a function says so. */
export type VariableFilter = RegExp | ((variable: Variable) => boolean);

export const fits = (filter: VariableFilter | undefined, v: Variable): boolean =>
  filter !== undefined && (typeof filter === "function" ? filter(v) : filter.test(v.name));

/** Options of `withWeightDecay`. */
export interface WeightDecayOptions {
  /** Variables without decay, such as /bias|gamma|beta/; default none. */
  readonly exclude?: VariableFilter;
  /** true: λ·w is added to the gradient, as an L2 penalty of λ/2·w² is (PyTorch: SGD, Adam); default false: w ← w − α·λ·w (AdamW). */
  readonly coupled?: boolean;
}

/** The rule with weight decay before it; decoupled, it does not pass through the moments. */
export const decayed = (rule: Rule, decay: number | Schedule, options: WeightDecayOptions = {}): Rule => ({
  ...rule,
  apply: (steps) =>
    rule.apply(
      steps.map((step): Step => {
        const { variable, w, g, rate, count } = step;
        if (decay === 0 || fits(options.exclude, variable)) return step;
        const by = now(decay, count, g.dtype);
        return options.coupled === true
          ? { ...step, g: t.add(g, t.mul(w, by)) }
          : { ...step, w: t.sub(w, t.mul(w, t.mul(rate, by))) };
      }),
    ),
});
