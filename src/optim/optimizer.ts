import { type DType, isFloat, showShape, type TypedArray, ValueError } from "../base/index.ts";
import { eagerly, type HasVariables, tensor, type Tensor, Variable, zeros } from "../tensor/index.ts";
import * as t from "../tensor/index.ts";

/** The learning rate as a function of the number of updates already made (a float32 scalar, 0 at the first). */
export type Schedule = (step: Tensor) => Tensor | number;

/** A rate, or a schedule of the number of updates so far. */
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
  /** A slot of a variable by name, "momentum" say; undefined when there is none (yet). */
  slot(variable: Variable, name: string): Variable | undefined;
  /** What it was made of: `withAccumulation` and its like make another optimizer from these. */
  readonly recipe: Recipe;
}

/** The arguments of `makeOptimizer`. */
export interface Recipe {
  readonly rule: Rule;
  readonly learningRate: LearningRate;
  readonly clip: ClipOptions;
}

/** What a rule sees of one variable in one update. */
export interface Step {
  readonly variable: Variable;
  /** The value: the variable itself, or what another rule made of it before. */
  readonly w: Tensor;
  readonly g: Tensor;
  readonly rate: Tensor;
  /** The number of this update, from 1. */
  readonly count: Tensor;
  readonly shared: Readonly<Record<string, Tensor>>;
  readonly slots: readonly Tensor[];
}

/** The new values of a variable and its slots. */
export interface Next {
  readonly w: Tensor;
  readonly slots: readonly Tensor[];
}

/** One optimizer's rule: from gradients and the slots of their variables to the new values. */
export interface Rule {
  readonly name: string;
  /** Names of the slots of every variable, of its shape and zero at first; or the slots of one variable with their first values. */
  readonly slots: readonly string[] | ((variable: Variable) => Readonly<Record<string, Tensor>>);
  /** Numbers of the whole optimizer by name, with their first values; `prepare` gives their next ones. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** What multiplies the learning rate for one variable; default 1. */
  scale?(variable: Variable): number;
  /** Scalars that all variables share in a step, in the given dtype; `count` is the number of this update, from 1. */
  prepare?(at: {
    readonly rate: Tensor;
    readonly count: Tensor;
    readonly dtype: DType;
    readonly scalars: Readonly<Record<string, Tensor>>;
  }): Readonly<Record<string, Tensor>>;
  /** One update of all variables; `each` makes it of a function of one. */
  apply(steps: readonly Step[]): readonly Next[];
}

/**
 * The slots of a variable as they are at first.
 *
 * @example Object.keys(firstSlots(adam().recipe.rule, variable([1, 2]))); // → ["m", "v"]
 */
export const firstSlots = ({ slots }: Rule, v: Variable): Readonly<Record<string, Tensor>> =>
  typeof slots === "function"
    ? slots(v)
    : Object.fromEntries(slots.map((slot) => [slot, zeros(v.shape, { dtype: v.dtype })]));

/**
 * The update of all variables, each by itself.
 *
 * @example
 * const plain = makeOptimizer(
 *   { name: "plain", slots: [], apply: each(({ w, g, rate }) => ({ w: w.sub(g.mul(rate)), slots: [] })) },
 *   0.1,
 * );
 * const w = variable([1, 2]);
 * plain.update([w], [tensor([10, 10])]);
 * w.array(); // → [0, 1]
 */
export const each =
  (one: (step: Step) => Next): Rule["apply"] =>
  (steps) =>
    steps.map(one);

/** Limits on gradients, options of every optimizer. */
export interface ClipOptions {
  /** Each gradient element is cut to ±this. */
  readonly clipValue?: number;
  /** Each gradient whose L2 norm is above this is scaled down to it. */
  readonly clipNorm?: number;
  /** All gradients together are scaled down to this L2 norm (S-139). */
  readonly globalClipNorm?: number;
}

const mapValues = <A, B>(from: Readonly<Record<string, A>>, f: (x: A, name: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(from).map(([name, x]) => [name, f(x, name)]));

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

/**
 * An optimizer from its rule.
 *
 * @example
 * const plain = makeOptimizer(
 *   { name: "plain", slots: [], apply: each(({ w, g, rate }) => ({ w: w.sub(g.mul(rate)), slots: [] })) },
 *   0.1,
 * );
 * const w = variable([1, 2]);
 * plain.update([w], [tensor([10, 10])]);
 * w.array(); // → [0, 1]
 */
export function makeOptimizer(rule: Rule, learningRate: LearningRate, clip: ClipOptions = {}): Optimizer {
  if (typeof learningRate === "number" && !(learningRate >= 0)) {
    throw new ValueError(
      `[${rule.name}] learningRate must be a number ≥ 0 or a schedule, got ${String(learningRate)}.`,
    );
  }
  const fixed = typeof learningRate === "number";
  /** The rate as it was given or set, which a float32 variable rounds. */
  let given = fixed ? learningRate : 0;
  /** Numbers of the whole optimizer. */
  const own = new Map<string, Variable>();
  const slots = new Map<Variable, Readonly<Record<string, Variable>>>();

  const begin = (dtype: DType): void => {
    const first = { iterations: 0, ...(fixed ? { learning_rate: given } : {}), ...rule.scalars };
    for (const [name, value] of Object.entries(first)) {
      if (own.has(name)) continue;
      const kind = name === "iterations" ? "int32" : dtype;
      own.set(
        name,
        eagerly(() => new Variable(tensor(value, { dtype: kind }), { name, trainable: false })),
      );
    }
  };
  const ownOf = (name: string): Variable => {
    begin("float32");
    return own.get(name) as Variable;
  };

  const build = (target: HasVariables | readonly Variable[]): void => {
    const list = listOf(target);
    begin(list.some((v) => v.dtype === "float64") ? "float64" : "float32");
    for (const v of list) {
      if (slots.has(v)) continue;
      if (!isFloat(v.dtype))
        throw new ValueError(`[${rule.name}] "${v.name}" is ${v.dtype}: only float variables have gradients.`);
      slots.set(
        v,
        eagerly(() =>
          mapValues(firstSlots(rule, v), (x, slot) => new Variable(x, { name: `${v.name}/${slot}`, trainable: false })),
        ),
      );
    }
  };

  const update = (target: HasVariables | readonly Variable[], gradients: Gradients): void => {
    const variables = listOf(target);
    checkGradients(rule.name, variables, gradients);
    build(variables);
    const done = ownOf("iterations");
    const count = t.add(done, 1);
    const kinds = new Map<string, Pick<Step, "rate" | "count" | "shared">>();
    const kindOf = (v: Variable): Pick<Step, "rate" | "count" | "shared"> => {
      const { dtype } = v;
      const scale = rule.scale?.(v) ?? 1;
      const key = `${dtype} ${scale}`;
      const known = kinds.get(key);
      if (known !== undefined) return known;
      const base = fixed ? ownOf("learning_rate") : learningRate(done.cast("float32"));
      const full = typeof base === "number" ? t.scalar(base, dtype) : base.cast(dtype);
      const rate = scale === 1 ? full : t.mul(full, scale);
      const at = { rate, count: count.cast(dtype), dtype };
      const scalars = mapValues(rule.scalars ?? {}, (_, name) => ownOf(name).cast(dtype));
      const made = { ...at, shared: rule.prepare?.({ ...at, scalars }) ?? {} };
      kinds.set(key, made);
      return made;
    };
    const gs = clipGradients(gradients, clip);
    const next = rule.apply(
      variables.map((v, i) => ({
        variable: v,
        w: v,
        g: gs[i].cast(v.dtype),
        ...kindOf(v),
        slots: Object.values(slots.get(v) as Record<string, Variable>),
      })),
    );
    variables.forEach((v, i) => {
      v.assign(v.constraint?.(next[i].w) ?? next[i].w);
      Object.values(slots.get(v) as Record<string, Variable>).forEach((s, k) => s.assign(next[i].slots[k]));
    });
    const [kind] = kinds.values();
    for (const name of Object.keys(rule.scalars ?? {})) {
      const into = ownOf(name);
      if (kind !== undefined) into.assign(kind.shared[name].cast(into.dtype));
    }
    done.assign(count);
  };

  /** Slots are named after their variable at the time of asking: models may have renamed it. */
  const named = (): [string, Variable][] => {
    begin("float32");
    const out = new Map(own);
    for (const [v, list] of slots) {
      const base = v.name === "" ? "variable" : v.name;
      const [first] = Object.keys(list);
      let name = base;
      for (let i = 1; out.has(`${name}/${first}`); i++) name = `${base}_${i}`;
      for (const [slot, s] of Object.entries(list)) out.set(`${name}/${slot}`, s);
    }
    return [...out];
  };

  return {
    optimizer: rule.name,
    get recipe(): Recipe {
      return { rule, learningRate: fixed ? given : learningRate, clip };
    },
    slot: (variable, name) => slots.get(variable)?.[name],
    update,
    build,
    get learningRate(): number {
      if (!fixed) return tensor(learningRate(ownOf("iterations").cast("float32"))).item();
      const now = own.get("learning_rate")?.item() ?? given;
      return Math.fround(given) === now ? given : now;
    },
    set learningRate(value: number) {
      if (!fixed) throw new ValueError(`[${rule.name}] the learning rate follows a schedule and cannot be set.`);
      if (!(value >= 0))
        throw new ValueError(`[${rule.name}] learningRate must be a number ≥ 0, got ${String(value)}.`);
      given = value;
      const rate = own.get("learning_rate");
      rate?.assign(tensor(value, { dtype: rate.dtype }));
    },
    get iterations(): number {
      return ownOf("iterations").item();
    },
    get variables(): readonly Variable[] {
      return named().map(([, v]) => v);
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

/**
 * Gradients cut by value, by their own norm, by their common norm, in this order (Keras: clipvalue, clipnorm, global_clipnorm).
 *
 * @example clipGradients([tensor([3, 4])], { clipNorm: 1 })[0].array(); // → [0.6, 0.8]
 */
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

/**
 * √Σ‖g‖²: the norm that `globalClipNorm` compares.
 *
 * @example globalNorm([tensor([3]), tensor([4])]).item(); // → 5
 */
export const globalNorm = (gradients: Gradients): Tensor =>
  t.sqrt(gradients.map((g) => t.sum(t.square(g))).reduce((a, b) => t.add(a, b)));
