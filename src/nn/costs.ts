/** What a network costs, layer by layer, before any weight exists. */
import { ShapeError, sizeOf, ValueError } from "../base/index.ts";
import { withContext } from "../base/context.ts";
import { record, type Tensor, type Variable, zeros } from "../tensor/index.ts";
import { layerFromConfig, type LayerConfig } from "./config.ts";
import type { Layer, LayerCore, LayerLike } from "./layer.ts";
import { layerJson, layerOf, type ModelBase } from "./model.ts";
import { grouped, multiplyAdds, table } from "./summary.ts";
import { type OpenShape, showOpen } from "./symbolic.ts";

/** What one call of a layer costs. */
export interface LayerCost {
  readonly name: string;
  readonly class: string;
  /** The shape for one sample, without the batch. */
  readonly output: readonly number[];
  /** Values in its variables; of a layer that is called again, 0. */
  readonly parameters: number;
  /** Products of a kernel with its input, for one sample: those with padding count, the additions of biases do not. */
  readonly multiplyAdds: number;
}

/** What `costsOf` gives: the layers and their sums. */
export interface Costs {
  readonly layers: readonly LayerCost[];
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** A table. */
  toString(): string;
}

/** Lets a fresh layer and its parts stand for their variables with zeros of a recording, which take no memory. */
function withoutWeights({ core, layers }: Layer, count: Map<LayerCore, number>): void {
  core.build = (shapes, dtype): void => {
    if (core.built) return;
    const add = (short: string, shape: readonly number[]): Variable => {
      count.set(core, (count.get(core) ?? 0) + sizeOf(shape));
      const variable = zeros(shape, { dtype }) as Variable;
      core.own.push({ short, variable, regularizer: null });
      return variable;
    };
    core.spec.build?.(shapes, add, core.tag);
    core.built = core.layers.every((l) => l.built);
  };
  for (const l of layers) withoutWeights(l, count);
}

/** The same layer again, not built; a plain function, which has no variables, is taken as it is. */
const fresh = (layer: Layer): Layer =>
  layer.class === "lambda" ? layer : layerFromConfig(layerJson(layer) as unknown as LayerConfig);

/**
 * Shapes, parameters and multiply-adds of a list of layers or a network for samples of a shape. No weight is allocated for layers
 * that are not built yet, so a large network is counted in an instant (S-269).
 *
 * @throws ShapeError when the shape of a sample has unknown sizes or does not fit.
 * @example
 * const costs = costsOf([conv2d(6, 5, { padding: "same" }), relu, maxPool2d(2), flatten(), dense(10)], [28, 28, 1]);
 * console.log(costs.parameters, costs.multiplyAdds, `\n${costs}`); // 11926 129360
 */
export function costsOf(network: readonly LayerLike[] | ModelBase, sample?: OpenShape): Costs {
  const list = typeof network !== "function";
  const model = network as ModelBase;
  const shapes = sample === undefined ? (list ? null : model.inputShapes?.map((s) => s.slice(1))) : [sample];
  if (shapes === null || shapes === undefined)
    throw new ValueError("[costsOf] needs the shape of a sample: costsOf(layers, [28, 28, 1]).");
  const open = shapes.find((s) => s.some((d) => d === null));
  if (open !== undefined)
    throw new ShapeError(`[costsOf] sizes of a sample must be known, got ${showOpen([1, ...open])}: pass the shape.`);
  const count = new Map<LayerCore, number>();
  let layers: readonly Layer[];
  if (list) layers = network.map((l, i) => fresh(layerOf(l, i)));
  else layers = [model.class === "sequential" ? fresh(model) : model];
  const named = new Map<string, number>();
  for (const l of layers) if (!l.core.built) withoutWeights(l, count);
  const rows: LayerCost[] = [];
  const seen = new Set<LayerCore>();
  const tap = (layer: unknown, ins: readonly unknown[], out: unknown): unknown => {
    const core = layer as LayerCore;
    const parameters = count.get(core) ?? core.own.reduce((n, o) => n + o.variable.size, 0);
    // What is inside has rows of its own.
    const whole = core.layers.length === 0;
    if (!whole && parameters === 0) return out;
    const outs = (Array.isArray(out) ? out : [out]) as Tensor[];
    const times = named.get(core.name) ?? 0;
    named.set(core.name, times + 1);
    rows.push({
      name: core.named || core.adopted || times === 0 ? core.name : `${core.name}_${times}`,
      class: core.spec.class,
      output: outs[0].shape.slice(1),
      parameters: seen.has(core) ? 0 : parameters,
      multiplyAdds: whole ? multiplyAdds(outs, ins as Tensor[]) : 0,
    });
    seen.add(core);
    return out;
  };
  withContext({ tap, training: false }, () =>
    record(() => {
      const xs = shapes.map((s) => zeros([1, ...(s as readonly number[])]));
      const [first] = layers;
      if (!list && xs.length > 1) (first as unknown as (x: readonly Tensor[]) => unknown)(xs);
      else layers.reduce<Tensor>((x, l) => l(x), xs[0]);
      return null;
    }, true),
  );
  const sum = (key: "parameters" | "multiplyAdds"): number => rows.reduce((n, r) => n + r[key], 0);
  const total = { parameters: sum("parameters"), multiplyAdds: sum("multiplyAdds") };
  const line = (name: string, shape: string, of: typeof total): string[] => [
    name,
    shape,
    grouped(of.parameters),
    grouped(of.multiplyAdds),
  ];
  const text = (): string =>
    table([
      ["Layer", "Output", "Parameters", "Multiply-adds"],
      ...rows.map((r) => line(r.name, `[${r.output.join(", ")}]`, r)),
      line("total", "", total),
    ]);
  return { layers: rows, ...total, toString: text };
}
