import { type DType, isFloat, showShape, type TypedArray, ValueError } from "../base/index.ts";
import { eagerly, type HasVariables, tensor, type Tensor, Variable, zeros } from "../tensor/index.ts";
import * as t from "../tensor/index.ts";

/** The learning rate as a function of the number of updates already made (a float32 scalar, 0 at the first). */
export type Schedule = (step: Tensor) => Tensor | number;

export type LearningRate = number | Schedule;

/** What `valueAndGrad(model)` gives: a gradient for each trainable variable, in their order. */
export type Gradients = readonly Tensor[];

/** Host copies of an optimizer's numbers by name: `iterations`, `learning_rate`, `dense/kernel/m` … */
export type OptimizerState = Record<
  string,
  { readonly data: TypedArray; readonly shape: readonly number[]; readonly dtype: DType }
>;

/** Changes variables by their gradients. Its numbers are variables too: inside `compiled` everything is updated in place. */
export interface Optimizer {
  /** "adam". */
  readonly optimizer: string;
  /**
   * One update of all trainable variables, at once or recorded in a compiled step.
   *
   * @throws ValueError when the number or the shapes of the gradients are not those of the variables.
   */
  update(target: HasVariables | readonly Variable[], gradients: Gradients): void;
  /** Makes the variables of the optimizer now; `update` does it by itself. */
  build(target: HasVariables | readonly Variable[]): void;
  /** A variable: `optimizer.learningRate = 0.01` takes effect without compiling anew. Throws when a schedule was given. */
  learningRate: number;
  /** Updates made so far. */
  readonly iterations: number;
  /** All numbers, to be saved; names follow the variables of the model. */
  state(): OptimizerState;
  /** Puts saved numbers back; the optimizer must have been built for the same variables. */
  load(state: Readonly<OptimizerState>): void;
  /** The variables of the optimizer itself, in the order of `state()`. */
  readonly variables: readonly Variable[];
}

/** One optimizer's rule: from a gradient and the slots of its variable to the new values. */
export interface Rule {
  readonly name: string;
  /** Names of the per-variable slots, all zero at first. */
  readonly slots: readonly string[];
  /** Scalars that all variables share in a step, in the given dtype; `count` is the number of this update, from 1. */
  prepare?(at: {
    readonly rate: Tensor;
    readonly count: Tensor;
    readonly dtype: DType;
  }): Readonly<Record<string, Tensor>>;
  apply(at: {
    readonly w: Tensor;
    readonly g: Tensor;
    readonly rate: Tensor;
    readonly shared: Readonly<Record<string, Tensor>>;
    readonly slots: readonly Tensor[];
  }): { readonly w: Tensor; readonly slots: readonly Tensor[] };
}

export interface ClipOptions {
  /** Each gradient element is cut to ±this. */
  readonly clipValue?: number;
  /** Each gradient whose L2 norm is above this is scaled down to it. */
  readonly clipNorm?: number;
  /** All gradients together are scaled down to this L2 norm (S-139). */
  readonly globalClipNorm?: number;
}

const listOf = (target: HasVariables | readonly Variable[]): readonly Variable[] =>
  Array.isArray(target) ? (target as readonly Variable[]) : (target as HasVariables).trainableVariables;

function checkGradients(name: string, variables: readonly Variable[], gradients: Gradients): void {
  if (gradients.length !== variables.length) {
    throw new ValueError(
      `[${name}] ${variables.length} trainable variables and ${gradients.length} gradients: pass what valueAndGrad gave for the same model.`,
    );
  }
  variables.forEach((v, i) => {
    if (showShape(v.shape) === showShape(gradients[i].shape)) return;
    throw new ValueError(
      `[${name}] the gradient of "${v.name}" ${showShape(v.shape)} has shape ${showShape(gradients[i].shape)}: are they in the order of the variables?`,
    );
  });
}

/** An optimizer from its rule. */
export function makeOptimizer(rule: Rule, learningRate: LearningRate, clip: ClipOptions = {}): Optimizer {
  if (typeof learningRate === "number" && !(learningRate >= 0)) {
    throw new ValueError(
      `[${rule.name}] learningRate must be a number ≥ 0 or a schedule, got ${String(learningRate)}.`,
    );
  }
  const slots = new Map<Variable, Variable[]>();
  let counter: Variable | null = null;
  let rateVariable: Variable | null = null;
  /** The rate as it was given or set, which a float32 variable rounds. */
  let given = typeof learningRate === "number" ? learningRate : 0;

  const scalar = (name: string, value: number, dtype: DType): Variable =>
    eagerly(() => new Variable(tensor(value, { dtype }), { name, trainable: false }));
  const counterOf = (): Variable => (counter ??= scalar("iterations", 0, "int32"));
  const rateOf = (dtype: DType = "float32"): Variable | null =>
    typeof learningRate === "number" ? (rateVariable ??= scalar("learning_rate", given, dtype)) : null;

  const build = (target: HasVariables | readonly Variable[]): void => {
    const list = listOf(target);
    counterOf();
    rateOf(list.some((v) => v.dtype === "float64") ? "float64" : "float32");
    for (const v of list) {
      if (slots.has(v)) continue;
      if (!isFloat(v.dtype))
        throw new ValueError(`[${rule.name}] "${v.name}" is ${v.dtype}: only float variables have gradients.`);
      const make = (slot: string): Variable =>
        new Variable(zeros(v.shape, { dtype: v.dtype }), { name: `${v.name}/${slot}`, trainable: false });
      slots.set(
        v,
        eagerly(() => rule.slots.map(make)),
      );
    }
  };

  const update = (target: HasVariables | readonly Variable[], gradients: Gradients): void => {
    const variables = listOf(target);
    checkGradients(rule.name, variables, gradients);
    build(variables);
    const done = counterOf();
    const count = t.add(done, 1);
    const rateIn = (dtype: DType): Tensor => {
      const rate = typeof learningRate === "number" ? (rateOf() as Tensor) : learningRate(done.cast("float32"));
      return typeof rate === "number" ? t.scalar(rate, dtype) : rate.cast(dtype);
    };
    const kinds = new Map<DType, { rate: Tensor; shared: Readonly<Record<string, Tensor>> }>();
    const kindOf = (dtype: DType): { rate: Tensor; shared: Readonly<Record<string, Tensor>> } => {
      const known = kinds.get(dtype);
      if (known !== undefined) return known;
      const rate = rateIn(dtype);
      const made = { rate, shared: rule.prepare?.({ rate, count: count.cast(dtype), dtype }) ?? {} };
      kinds.set(dtype, made);
      return made;
    };
    const gs = clipGradients(gradients, clip);
    const next = variables.map((v, i) => {
      const { rate, shared } = kindOf(v.dtype);
      return rule.apply({ w: v, g: gs[i].cast(v.dtype), rate, shared, slots: slots.get(v) as Variable[] });
    });
    variables.forEach((v, i) => {
      v.assign(next[i].w);
      (slots.get(v) as Variable[]).forEach((s, k) => s.assign(next[i].slots[k]));
    });
    done.assign(count);
  };

  const all = (): Variable[] => {
    const shared = [counterOf(), rateOf()].filter((v): v is Variable => v !== null);
    return [...shared, ...[...slots.values()].flat()];
  };
  /** Slots are named after their variable at the time of asking: models may have renamed it. */
  const named = (): [string, Variable][] => {
    const out = new Map<string, Variable>();
    for (const v of all().slice(0, rateOf() === null ? 1 : 2)) out.set(v.name, v);
    for (const [v, list] of slots) {
      let name = v.name === "" ? "variable" : v.name;
      for (let i = 1; list.length > 0 && out.has(`${name}/${rule.slots[0]}`); i++)
        name = `${v.name === "" ? "variable" : v.name}_${i}`;
      list.forEach((s, k) => out.set(`${name}/${rule.slots[k]}`, s));
    }
    return [...out];
  };

  return {
    optimizer: rule.name,
    update,
    build,
    get learningRate(): number {
      if (typeof learningRate === "number") {
        const now = rateVariable?.item() ?? given;
        return Math.fround(given) === now ? given : now;
      }
      return tensor(learningRate(counterOf().cast("float32"))).item();
    },
    set learningRate(value: number) {
      if (typeof learningRate !== "number")
        throw new ValueError(`[${rule.name}] the learning rate follows a schedule and cannot be set.`);
      if (!(value >= 0))
        throw new ValueError(`[${rule.name}] learningRate must be a number ≥ 0, got ${String(value)}.`);
      given = value;
      rateVariable?.assign(tensor(value, { dtype: rateVariable.dtype }));
    },
    get iterations(): number {
      return counterOf().item();
    },
    get variables(): readonly Variable[] {
      return all();
    },
    state: () =>
      Object.fromEntries(named().map(([name, v]) => [name, { data: v.dataSync(), shape: v.shape, dtype: v.dtype }])),
    load(state) {
      const mine = named();
      const missing = mine.filter(
        ([name, v]) => !(name in state) || showShape(state[name].shape) !== showShape(v.shape),
      );
      if (missing.length > 0 || Object.keys(state).length !== mine.length) {
        const names = new Set(mine.map(([name]) => name));
        const strange = Object.keys(state).filter((name) => !names.has(name));
        throw new ValueError(
          `[${rule.name}] this state is of another optimizer or model: ` +
            `missing or of another shape: ${missing.map(([name]) => name).join(", ") || "none"}; not known here: ${strange.join(", ") || "none"}.`,
        );
      }
      for (const [name, v] of mine) v.assign(tensor(state[name].data, { shape: v.shape, dtype: v.dtype }));
    },
  };
}

/** Gradients cut by value, by their own norm, by their common norm, in this order (Keras: clipvalue, clipnorm, global_clipnorm). */
export function clipGradients(gradients: Gradients, clip: ClipOptions): Gradients {
  let gs = gradients;
  const { clipValue, clipNorm, globalClipNorm } = clip;
  if (clipValue !== undefined) gs = gs.map((g) => t.clip(g, -clipValue, clipValue));
  if (clipNorm !== undefined) gs = gs.map((g) => t.mul(g, shrink(t.sum(t.square(g)), clipNorm)));
  if (globalClipNorm !== undefined) {
    const total = gs.map((g) => t.sum(t.square(g))).reduce((a, b) => t.add(a, b));
    const factor = shrink(total, globalClipNorm);
    gs = gs.map((g) => t.mul(g, factor));
  }
  return gs;
}

/** min(1, limit/√squares): 1 below the limit, and for a zero gradient. */
const shrink = (squares: Tensor, limit: number): Tensor => t.div(limit, t.maximum(t.sqrt(squares), limit));

/** √Σ‖g‖²: the norm that `globalClipNorm` compares. */
export const globalNorm = (gradients: Gradients): Tensor =>
  t.sqrt(gradients.map((g) => t.sum(t.square(g))).reduce((a, b) => t.add(a, b)));
