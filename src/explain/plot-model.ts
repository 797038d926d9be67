import { showShape, ValueError } from "../base/index.ts";
import { countParameters, type LayerCall, type ModelBase, tapLayers } from "../nn/index.ts";
import type { Tensor } from "../tensor/index.ts";
import { type GraphNode, graphSvg } from "../viz/index.ts";

/** What is drawn of a model. */
type Plotted = Pick<ModelBase, "name" | "inputShapes" | "variables" | "outputShape">;

/** The size that stands for open axes. */
const OPEN = 96;

/** Each call of a layer, in order; models are shown by their parts. */
function callsOf(model: Plotted): readonly LayerCall[] {
  const shapes = model.inputShapes;
  if (shapes === null)
    throw new ValueError(`[plotModel] model "${model.name}" is not built: give inputShape, or call it on data first.`);
  const calls: LayerCall[] = [];
  tapLayers(
    (call) => {
      // A layer that passes its input on (dropout in evaluation) gets a result of its own, to be told apart.
      const same = call.inputs.includes(call.outputs[0]) ? call.outputs[0].add(0) : undefined;
      calls.push(same === undefined ? call : { ...call, outputs: [same] });
      return same;
    },
    // Any size stands for an open one: nothing is computed.
    () => model.outputShape(shapes.map((shape) => shape.map((d) => d ?? OPEN))),
  );
  return calls.filter((call) => !call.isModel);
}

/**
 * The layers of a model with their output shapes and parameters as an SVG graph (Keras: plot_model). Needs the optional package
 * @dagrejs/dagre.
 *
 * @throws ValueError for a model without shapes; ChainruleError when the package is missing.
 * @example
 * import { writeFileSync } from "node:fs";
 * writeFileSync("model.svg", await plotModel(net));
 */
export async function plotModel(model: Plotted): Promise<string> {
  const calls = callsOf(model);
  const parameters = new Map<string, number>();
  for (const v of model.variables) {
    const layer = v.name.slice(0, v.name.lastIndexOf("/"));
    parameters.set(layer, (parameters.get(layer) ?? 0) + countParameters([v]));
  }
  const open = (shape: readonly number[]): string =>
    showShape(shape.slice(1)).replace("[", shape.length > 1 ? "[batch, " : "[batch");
  const from = new Map<Tensor, string>();
  const nodes: GraphNode[] = [];
  const edges: [string, string][] = [];
  const add = (lines: readonly string[]): string => {
    nodes.push({ id: String(nodes.length), lines });
    return String(nodes.length - 1);
  };
  for (const call of calls) {
    const count = parameters.get(call.path) ?? 0;
    const weights = count === 0 ? [] : [`${count.toLocaleString("en-US")} parameters`];
    const title = call.path.endsWith(call.class) ? call.path : `${call.path} (${call.class})`;
    const sources = call.inputs.map((x) => {
      const known = from.get(x);
      if (known !== undefined) return known;
      const id = add(["input", open(x.shape)]);
      from.set(x, id);
      return id;
    });
    const id = add([title, ...call.outputs.map((o) => open(o.shape)), ...weights]);
    for (const source of sources) edges.push([source, id]);
    for (const o of call.outputs) from.set(o, id);
  }
  return graphSvg(nodes, edges);
}
