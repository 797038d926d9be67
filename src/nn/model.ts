import { type DType, ShapeError, showShape, type TypedArray, ValueError } from "../base/index.ts";
import { type Tensor, tensor, type Variable } from "../tensor/index.ts";
import { namedActivation } from "./activations.ts";
import { activation, lambda } from "./core.ts";
import {
  attach,
  type CallOptions,
  type Config,
  isLayer,
  type Json,
  type Layer,
  type LayerLike,
  makeLayer,
} from "./layer.ts";
import { type Call, type OpenShape, showOpen, Symbolic } from "./symbolic.ts";
import { type SummaryCall, summaryOf } from "./summary.ts";

/** One host array with its shape: what weights are read and written as. */
export interface HostArray {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A network as JSON: its class, name, layers and inputs. */
export type ModelConfig = Config & { readonly class: "sequential" | "model"; readonly name: string };

/** A layer made of layers. What training adds to it is in the `train` room. */
export interface ModelBase<Out = Tensor> extends Omit<Layer, "config"> {
  (x: Tensor | readonly Tensor[], options?: CallOptions): Out extends Tensor ? Tensor : Tensor[];
  (x: Symbolic | readonly Symbolic[], options?: CallOptions): Out extends Tensor ? Symbolic : Symbolic[];
  /** The architecture as JSON: `modelFromConfig` makes the model again, without its weights. */
  config(): ModelConfig;
  /** The shape of one batch at each input, null where any size goes; null as long as a sequential model is not built. */
  readonly inputShapes: readonly OpenShape[] | null;
  /** The layer of this name, also inside nested models by path ("block/dense"). Throws when there is none. */
  layer(name: string): Layer;
  /** All variables by unique name: "dense/kernel", "batchNorm/moving_mean". */
  namedVariables(): Record<string, Variable>;
  /** Host copies of all variables (Keras: get_weights, by name). */
  weights(): Record<string, HostArray>;
  /** Writes all variables; throws a list of what is missing, unexpected or of another shape, and then writes nothing. */
  setWeights(weights: Readonly<Record<string, HostArray>>): void;
  /**
   * The sum of what regularizers ask, null when no layer has one. `fit` adds it to the loss; the open form adds it itself:
   * `crossEntropy(net(x), y).add(net.penalty() ?? 0)`.
   */
  penalty(): Tensor | null;
  /** A table of layers, output shapes, parameters and multiply-adds of one sample (Keras: summary). */
  summary(): string;
}

/** Wraps what is not a layer yet: known activations keep their name, other functions become `lambda`. */
export const layerOf = (x: unknown, index: number): Layer => {
  if (isLayer(x)) return x;
  const known = namedActivation(x);
  if (known !== null) return activation(known);
  if (typeof x === "function") return lambda(x as (x: Tensor) => Tensor);
  throw new ValueError(
    `[sequential] item ${index} is ${x === null ? "null" : typeof x}, not a layer or a function: did you forget a comma, or to call it, as in flatten()?`,
  );
};

/** Gives each layer a name that is unique among `layers`. */
function nameAll(owner: Layer, layers: readonly Layer[]): void {
  const taken = new Set<string>();
  for (const l of layers) {
    if (!l.core.named) continue;
    if (taken.has(l.name))
      throw new ValueError(`[${owner.class}] two layers are named "${l.name}": names must be unique in a model.`);
    taken.add(l.name);
  }
  for (const l of layers) {
    let name = l.name;
    if (!l.core.named && (!l.core.adopted || taken.has(name))) {
      name = l.class;
      for (let i = 1; taken.has(name); i++) name = `${l.class}_${i}`;
    }
    taken.add(name);
    l.core.adopted = true;
    l.core.rename(name, owner.core.innerPath());
  }
}

function namedVariables(owner: Layer, path = ""): [string, Variable][] {
  const own = owner.core.own.map((o): [string, Variable] => [`${path}${o.short}`, o.variable]);
  return [...own, ...owner.layers.flatMap((l) => namedVariables(l, `${path}${l.name}/`))];
}

function findLayer(owner: Layer, name: string): Layer {
  const [head, ...rest] = name.split("/");
  const found = owner.layers.find((l) => l.name === head);
  if (found === undefined) {
    throw new ValueError(
      `[${owner.class} "${owner.name}"] has no layer "${name}": it has ${owner.layers.map((l) => l.name).join(", ")}.`,
    );
  }
  return rest.length === 0 ? found : findLayer(found, rest.join("/"));
}

function setWeights(model: Layer, weights: Readonly<Record<string, HostArray>>): void {
  const variables = new Map(namedVariables(model));
  const wrong: string[] = [];
  for (const [name, v] of variables) {
    const w = weights[name] as HostArray | undefined;
    if (w === undefined) wrong.push(`${name} ${showShape(v.shape)} is missing`);
    else if (showShape(w.shape) !== showShape(v.shape))
      wrong.push(`${name} is ${showShape(v.shape)}, got ${showShape(w.shape)}`);
  }
  for (const name of Object.keys(weights)) if (!variables.has(name)) wrong.push(`${name} is not in the model`);
  if (wrong.length > 0) {
    const more = wrong.length > 8 ? `; and ${wrong.length - 8} more` : "";
    const unbuilt = variables.size === 0 ? " The model is not built yet: call build(shape) first." : "";
    throw new ValueError(
      `[setWeights] the weights do not fit model "${model.name}": ${wrong.slice(0, 8).join("; ")}${more}.${unbuilt}`,
    );
  }
  for (const [name, v] of variables) {
    v.assign(tensor(weights[name].data, { shape: v.shape, dtype: v.dtype }));
  }
}

/** Adds what models have beyond layers. */
function modelOf<Out>(
  layer: Layer,
  inputShapes: () => readonly OpenShape[] | null,
  rows: () => SummaryCall[],
): ModelBase<Out> {
  nameAll(layer, layer.layers);
  attach(layer, {
    get inputShapes(): readonly OpenShape[] | null {
      return inputShapes();
    },
    layer: (name: string): Layer => findLayer(layer, name),
    namedVariables: (): Record<string, Variable> => Object.fromEntries(namedVariables(layer)),
    weights: (): Record<string, HostArray> =>
      Object.fromEntries(
        namedVariables(layer).map(([name, v]) => [name, { data: v.dataSync(), shape: v.shape, dtype: v.dtype }]),
      ),
    setWeights: (weights: Readonly<Record<string, HostArray>>): void => setWeights(layer, weights),
    summary: (): string => summaryOf(layer, rows()),
    penalty: (): Tensor | null => {
      const all = [...layer.core.penalties().values()].map((f) => f());
      return all.length === 0 ? null : all.reduce((a, b) => a.add(b));
    },
  });
  return layer as unknown as ModelBase<Out>;
}

/** Options of `sequential`. */
export interface SequentialOptions {
  readonly name?: string;
  readonly trainable?: boolean;
  /** The shape of one sample: builds the variables at once. */
  readonly inputShape?: OpenShape;
  readonly inputDtype?: DType;
}

const isModel = (l: Layer): boolean => l.class === "sequential" || l.class === "model";

const headJson = (l: Layer): Config => ({ class: l.class, name: l.name, ...(l.trainable ? {} : { trainable: false }) });

/** A layer's class, name and options; models have theirs flat, without `config`. */
export const layerJson = (l: Layer): Config => (isModel(l) ? l.config() : { ...headJson(l), config: l.config() });

/** Layers one after the other; see `sequential` of chainrule/nn. */
export function makeSequential(
  items: readonly LayerLike[],
  options: SequentialOptions = {},
): ModelBase & { add(item: LayerLike): void } {
  if (!Array.isArray(items))
    throw new ValueError("[sequential] takes a list of layers: sequential([dense(10), relu]).");
  const layers: Layer[] = [];
  const push = (item: LayerLike): void => {
    const l = layerOf(item, layers.length);
    if (l.core.spec.build !== undefined && layers.includes(l))
      throw new ValueError(
        `[sequential] layer "${l.name}" stands twice: make a second one, or share it with model(inputs, outputs).`,
      );
    layers.push(l);
  };
  for (const item of items) push(item);
  let shape: OpenShape | null = null;
  let dtype: DType = "float32";
  const layer = makeLayer({
    class: "sequential",
    options,
    layers,
    config: () => ({
      ...headJson(layer),
      inputShape: shape === null ? null : shape.slice(1),
      inputDtype: dtype,
      layers: layers.map(layerJson),
    }),
    call(xs) {
      if (shape === null) {
        shape = [null, ...xs[0].shape.slice(1)];
        dtype = xs[0].dtype;
      }
      return layers.reduce<Tensor>((x, l) => l(x), xs[0]);
    },
  });
  const rows = (): SummaryCall[] =>
    layers.map((l, i) => (i > 0 ? { layer: l } : { layer: l, inputs: shape && [{ shape, dtype }] }));
  const result = modelOf<Tensor>(layer, () => (shape === null ? null : [shape]), rows);
  attach(layer, {
    add(item: LayerLike): void {
      if (layer.built) throw new ValueError(`${layer.core.tag} is built: add() layers before that.`);
      push(item);
      nameAll(layer, layers);
    },
  });
  if (options.inputShape !== undefined) {
    shape = [null, ...options.inputShape];
    dtype = options.inputDtype ?? "float32";
    layer.build(shape, dtype);
  }
  return result as ReturnType<typeof makeSequential>;
}

/** All calls that `outputs` stand on, each after what it needs. */
function callsOf(outputs: readonly Symbolic[], inputs: readonly Symbolic[]): Call[] {
  const order: Call[] = [];
  const seen = new Set<Call>();
  const visit = (s: Symbolic): void => {
    if (inputs.includes(s)) return;
    if (s.call === null) {
      throw new ValueError(
        `[model] the outputs depend on an input() ${showOpen(s.shape)}${s.name === "" ? "" : ` "${s.name}"`} that is not among the inputs: pass it too.`,
      );
    }
    if (seen.has(s.call)) return;
    seen.add(s.call);
    s.call.inputs.forEach(visit);
    order.push(s.call);
  };
  outputs.forEach(visit);
  return order;
}

/** A graph of layers from inputs to outputs; see `model` of chainrule/nn. */
export function makeModel<Out>(
  inputs: Symbolic | readonly Symbolic[],
  outputs: Symbolic | readonly Symbolic[],
  options: { readonly name?: string; readonly trainable?: boolean } = {},
): ModelBase<Out> {
  const ins = [inputs].flat();
  const outs = [outputs].flat();
  if (![...ins, ...outs].every((s) => s instanceof Symbolic) || ins.length === 0 || outs.length === 0) {
    throw new ValueError("[model] takes what input() gave and what layers returned for it: model(x, dense(10)(x)).");
  }
  const calls = callsOf(outs, ins);
  const layers = [...new Set(calls.map((c) => c.layer))];
  const nodes = [...ins, ...calls.flatMap((c) => c.outputs)];
  const layer = makeLayer({
    class: "model",
    options,
    layers,
    many: ins.length > 1,
    config: () => ({
      ...headJson(layer),
      inputs: ins.map((s): Json => ({ shape: s.shape.slice(1), dtype: s.dtype, name: s.name })),
      layers: layers.map(layerJson),
      calls: calls.map((c): Json => ({ layer: c.layer.name, inputs: c.inputs.map((s) => nodes.indexOf(s)) })),
      outputs: outs.map((s) => nodes.indexOf(s)),
      single: outputs instanceof Symbolic,
    }),
    check(shapes, tag) {
      shapes.forEach((shape, i) => {
        const want = ins[i].shape;
        if (shape.length !== want.length || shape.some((d, a) => want[a] !== null && want[a] !== d)) {
          throw new ShapeError(`${tag} input ${i} is ${showOpen(want)}, got ${showShape(shape)}.`);
        }
      });
      if (shapes.length !== ins.length)
        throw new ValueError(`${tag} takes ${ins.length} tensors, got ${shapes.length}.`);
    },
    call(xs) {
      const values = new Map<Symbolic, Tensor>(ins.map((s, i) => [s, xs[i]]));
      for (const c of calls) {
        const args = c.inputs.map((s) => values.get(s) as Tensor);
        const out: Tensor | readonly Tensor[] = c.layer.core.spec.many === true ? c.layer(args) : c.layer(args[0]);
        [out].flat().forEach((t, i) => values.set(c.outputs[i], t));
      }
      const results = outs.map((s) => values.get(s) as Tensor);
      return outputs instanceof Symbolic ? results[0] : results;
    },
  });
  layer.core.built = true;
  const nameOf = (s: Symbolic): string => (s.call === null ? s.name || "input" : s.call.layer.name);
  const rows = (): SummaryCall[] =>
    calls.map((c) => ({ layer: c.layer, inputs: c.inputs, from: c.inputs.map(nameOf).join(", ") }));
  return modelOf<Out>(layer, () => ins.map((s) => s.shape), rows);
}
