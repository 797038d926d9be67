import { ChainruleError, type DType, isFloat, showShape, ValueError } from "../base/index.ts";
import { context, withContext } from "../base/context.ts";
import { currentTrace, eagerly, type HasVariables, Tensor, Variable } from "../tensor/index.ts";
import type { Constraint } from "./constraints.ts";
import { type InitializerLike, initializerOf } from "./initializers.ts";
import type { Regularizer } from "./regularizers.ts";
import { inferShapes, type OpenShape, Symbolic } from "./symbolic.ts";

/** Plain JSON: what a layer can be made again from. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
/** A layer's options as JSON. */
export type Config = { readonly [key: string]: Json };

/** Options of every layer. */
export interface LayerOptions {
  /** Unique in a model; default: the class with a number. */
  readonly name?: string;
  /** False freezes the layer's variables; default true. Can be changed later: `layer.trainable = false`. */
  readonly trainable?: boolean;
}

/** How a layer is called. */
export interface CallOptions {
  /** Train or evaluate, for dropout and batch normalisation; default: what the surrounding call has, else false. */
  readonly training?: boolean;
}

/**
 * A function from tensors to tensors that carries its variables. Called on `input(...)` it extends a functional graph instead.
 * Variables are made on the first call, when the input's shape is known, or by `build`.
 */
export interface Layer extends HasVariables {
  (x: Tensor | readonly Tensor[], options?: CallOptions): Tensor;
  (x: Symbolic | readonly Symbolic[], options?: CallOptions): Symbolic;
  /** The constructor's name: "dense". */
  readonly class: string;
  name: string;
  /** False hides the layer's variables, and those of its parts, from optimizers. */
  trainable: boolean;
  readonly built: boolean;
  readonly variables: readonly Variable[];
  readonly trainableVariables: readonly Variable[];
  /** The layers inside; empty but for models. */
  readonly layers: readonly Layer[];
  /** Makes the variables for inputs of this shape (batch axis included, null for any size). No-op when built. */
  build(shape: OpenShape | readonly OpenShape[], dtype?: DType): void;
  /** The shape of the result for inputs of this shape; builds the layer. */
  outputShape(shape: OpenShape | readonly OpenShape[], dtype?: DType): OpenShape;
  /** The options as JSON; `layerFromConfig` makes the layer again. Throws for plain functions, which have no JSON form. */
  config(): Config;
  /** Internal: what models and summaries reach. */
  readonly core: LayerCore;
}

/** A layer, or any function that can stand where a layer is expected. */
export type LayerLike = Layer | ((x: Tensor) => Tensor);

/** Makes a variable of the layer in `build`: its short name, shape and initial values. */
export type AddVariable = (
  name: string,
  shape: readonly number[],
  initializer: InitializerLike,
  options?: {
    readonly trainable?: boolean;
    readonly regularizer?: Regularizer | null;
    readonly constraint?: Constraint | null;
  },
) => Variable;

/** What a kind of layer says about itself; `makeLayer` turns it into a callable. */
export interface LayerSpec {
  readonly class: string;
  readonly options: LayerOptions;
  /** The JSON options, without name and trainable; a function may throw when there is no JSON form. */
  readonly config: Config | (() => Config);
  /** Takes a list of tensors instead of one. */
  readonly many?: boolean;
  /** Makes the variables; shapes have the sizes of the first call. */
  build?(shapes: readonly (readonly number[])[], add: AddVariable, tag: string): void;
  /** Throws when built variables do not fit this input; `tag` is how the message begins. */
  check?(shapes: readonly (readonly number[])[], tag: string): void;
  /** What the layer computes; `xs` are the inputs. */
  call(xs: readonly Tensor[], at: { readonly training: boolean; readonly tag: string }): Tensor | readonly Tensor[];
  readonly layers?: readonly Layer[];
  /** A penalty on the result of each call. */
  readonly activity?: Regularizer | null;
}

/** The state behind a callable layer. */
export class LayerCore {
  readonly spec: LayerSpec;
  readonly own: { readonly short: string; readonly variable: Variable; readonly regularizer: Regularizer | null }[] =
    [];
  /** The path of enclosing models, for the names of variables: "block/". */
  path = "";
  name: string;
  /** The name was given by the user: never changed to make it unique. */
  readonly named: boolean;
  /** A model has taken the layer in and fixed its name. */
  adopted = false;
  trainable: boolean;
  built = false;
  /** What `spec.activity` asks for the calls since the outermost one began, and where each was recorded. */
  activity: { readonly trace: unknown; readonly value: Tensor }[] = [];

  constructor(spec: LayerSpec) {
    this.spec = spec;
    this.named = spec.options.name !== undefined;
    this.name = spec.options.name ?? spec.class;
    this.trainable = spec.options.trainable ?? true;
    if (this.name === "" || this.name.includes("/")) {
      throw new ValueError(
        `[${spec.class}] a layer's name must not be empty nor contain "/", got ${JSON.stringify(this.name)}.`,
      );
    }
  }

  get layers(): readonly Layer[] {
    return this.spec.layers ?? [];
  }

  get variables(): Variable[] {
    return [...new Set([...this.own.map((o) => o.variable), ...this.layers.flatMap((l) => l.variables)])];
  }

  get trainableVariables(): Variable[] {
    if (!this.trainable) return [];
    const own = this.own.map((o) => o.variable).filter((v) => v.trainable);
    return [...new Set([...own, ...this.layers.flatMap((l) => l.trainableVariables)])];
  }

  /** The penalties of all regularized variables and of the results of the last call, each once. */
  penalties(out: Map<object, () => Tensor> = new Map()): Map<object, () => Tensor> {
    for (const { variable, regularizer } of this.own)
      if (regularizer !== null) out.set(variable, () => regularizer(variable));
    for (const a of this.activity) if (a.trace === currentTrace()) out.set(a, () => a.value);
    for (const l of this.layers) l.core.penalties(out);
    return out;
  }

  /** A new outermost call begins. */
  private forget(): void {
    this.activity = [];
    for (const l of this.layers) l.core.forget();
  }

  /** Sets the name and the path in front of it, through all parts. */
  rename(name: string, path: string): void {
    this.name = name;
    this.path = path;
    for (const { short, variable } of this.own) variable.name = `${path}${name}/${short}`;
    for (const l of this.layers) l.core.rename(l.name, this.innerPath());
  }

  /** The path of the parts: a model at the top adds nothing to its variables' names. */
  innerPath(): string {
    return this.path === "" && !this.adopted ? "" : `${this.path}${this.name}/`;
  }

  /** `[dense "fc1"]`, as messages begin. */
  get tag(): string {
    return `[${this.spec.class} "${this.name}"]`;
  }

  build(shapes: readonly (readonly number[])[], dtype: DType): void {
    if (this.built) return;
    const kind = isFloat(dtype) ? dtype : "float32";
    const add: AddVariable = (short, shape, initializer, options = {}) => {
      const make = initializerOf(initializer);
      const variable = eagerly(
        () =>
          new Variable(make(shape, kind), {
            name: `${this.path}${this.name}/${short}`,
            trainable: options.trainable ?? true,
          }),
      );
      variable.constraint = options.constraint ?? null;
      this.own.push({ short, variable, regularizer: options.regularizer ?? null });
      return variable;
    };
    this.spec.build?.(shapes, add, this.tag);
    this.built = this.layers.every((l) => l.built);
  }

  /** Runs the layer on tensors. */
  call(xs: readonly Tensor[], options: CallOptions): Tensor | readonly Tensor[] {
    const run = (): Tensor | readonly Tensor[] => {
      const shapes = xs.map((x) => x.shape);
      if (context.scope.length === 0) this.forget();
      context.scope.push(this.name);
      try {
        if (!this.built) this.build(shapes, xs[0].dtype);
        this.spec.check?.(shapes, this.tag);
        const out = this.spec.call(xs, { training: context.training, tag: this.tag });
        this.built = true;
        const { activity } = this.spec;
        if (activity) this.activity.push({ trace: currentTrace(), value: activity(out as Tensor) });
        return context.tap === null ? out : (context.tap(this, xs, out) as typeof out);
      } catch (error) {
        throw located(error, this, shapes);
      } finally {
        context.scope.pop();
      }
    };
    const { training } = options;
    return training === undefined || training === context.training ? run() : withContext({ training }, run);
  }
}

/** An error that already begins with, or ends in, the name of a layer. */
const PLACED = /^\[\w+ "|\n {2}in \[/;

/** Adds which layer was being called, once. */
function located(error: unknown, core: LayerCore, shapes: readonly (readonly number[])[]): unknown {
  if (!(error instanceof ChainruleError) || PLACED.test(error.message)) return error;
  error.message += `\n  in ${core.tag}, called on ${shapes.map(showShape).join(", ")}`;
  return error;
}

const isSymbolic = (x: unknown): x is Symbolic => x instanceof Symbolic;
const isTensor = (x: unknown): x is Tensor => x instanceof Tensor;

const shapesOf = (shape: OpenShape | readonly OpenShape[]): readonly OpenShape[] =>
  Array.isArray(shape[0]) ? (shape as readonly OpenShape[]) : [shape as OpenShape];

/** A tensor for each input, or an error that says what came instead. */
function operands(core: LayerCore, x: unknown): readonly Tensor[] | readonly Symbolic[] {
  const list: readonly unknown[] = Array.isArray(x) ? x : [x];
  const many = core.spec.many ?? false;
  if (list.length > 0 && (list.every(isSymbolic) || list.every(isTensor))) {
    if (many || list.length === 1) return list;
    throw new ValueError(
      `${core.tag} takes one tensor, got a list of ${list.length}: join them first with concatenate() or add().`,
    );
  }
  const what = list.find((t) => !isTensor(t)) ?? x;
  const name =
    what === null || what === undefined ? String(what) : typeof what === "object" ? what.constructor.name : typeof what;
  throw new ValueError(
    `${core.tag} takes ${many ? "a list of tensors" : "a tensor"}, got ${name}: wrap numbers with tensor(data, { shape }).`,
  );
}

/** Adds members to a callable, getters and setters as such. */
export function attach(to: object, members: object): void {
  for (const [key, member] of Object.entries(Object.getOwnPropertyDescriptors(members))) {
    // A function's own name is read-only, but can be defined anew.
    Object.defineProperty(to, key, { ...member, enumerable: false });
  }
}

/** Extends a functional graph by one call. */
function symbolicCall(layer: Layer, xs: readonly Symbolic[]): Symbolic | readonly Symbolic[] {
  let single = true;
  const specs = inferShapes(xs, (tensors) => {
    const out = layer.core.call(tensors, {});
    single = out instanceof Tensor;
    return [out].flat();
  });
  const outputs = specs.map((s) => new Symbolic(s.shape, s.dtype));
  const call = { layer, inputs: xs, outputs };
  for (const o of outputs) o.call = call;
  return single ? outputs[0] : outputs;
}

/**
 * The callable of a spec.
 *
 * @example
 * const double = makeLayer({ class: "double", options: {}, config: {}, call: ([a]) => a.mul(2) });
 * double(tensor([1, 2])).array(); // → [2, 4]
 */
export function makeLayer(spec: LayerSpec): Layer {
  const core = new LayerCore(spec);
  const layer = ((x: unknown, options: CallOptions = {}): unknown => {
    const xs = operands(core, x);
    return isSymbolic(xs[0])
      ? symbolicCall(layer, xs as readonly Symbolic[])
      : core.call(xs as readonly Tensor[], options);
  }) as unknown as Layer;
  const infer = (shape: OpenShape | readonly OpenShape[], dtype: DType): OpenShape => {
    const inputs = shapesOf(shape).map((s) => ({ shape: s, dtype }));
    return inferShapes(inputs, (xs) => [core.call(xs, {})].flat())[0].shape;
  };
  attach(layer, {
    build(shape: OpenShape | readonly OpenShape[], dtype: DType = "float32"): void {
      if (!core.built) infer(shape, dtype);
    },
    outputShape: (shape: OpenShape | readonly OpenShape[], dtype: DType = "float32"): OpenShape => infer(shape, dtype),
    config: (): Config => (typeof spec.config === "function" ? spec.config() : spec.config),
    class: spec.class,
    core,
    get name(): string {
      return core.name;
    },
    set name(name: string) {
      core.rename(name, core.path);
    },
    get trainable(): boolean {
      return core.trainable;
    },
    set trainable(on: boolean) {
      core.trainable = on;
    },
    get built(): boolean {
      return core.built;
    },
    get layers(): readonly Layer[] {
      return core.layers;
    },
    get variables(): readonly Variable[] {
      return core.variables;
    },
    get trainableVariables(): readonly Variable[] {
      return core.trainableVariables;
    },
  });
  return layer;
}

/**
 * Whether a value is a layer: one that was made by a constructor, not a plain function.
 *
 * @example [isLayer(dense(3)), isLayer(relu)]; // → [true, false]
 */
export const isLayer = (x: unknown): x is Layer =>
  typeof x === "function" && (x as Partial<Layer>).core instanceof LayerCore;
