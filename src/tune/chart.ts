import { type ChartSpec, scatterChart } from "../viz/index.ts";
import type { SearchResult } from "./search.ts";
import type { Space } from "./space.ts";

/** Kinds whose scale is logarithmic. */
const LOG = new Set(["logUniform"]);

/**
 * The value of every finished trial over each hyperparameter, one panel each: which of them matter, and where to zoom in.
 *
 * @example
 * const result = await search({ space: { x: uniform(-1, 1) }, objective: ({ x }) => x ** 2, trials: 5 });
 * const svg = await renderSvg(searchChart(result));
 */
export function searchChart<S extends Space>(result: SearchResult<S>): ChartSpec {
  const done = result.trials.filter((t) => t.state === "done");
  const panels = Object.entries(result.space).map(([name, parameter]) => {
    const points = done.map((t) => ({ x: t.params[name] as number, y: t.value as number }));
    const {
      $schema: _,
      background: __,
      ...panel
    } = scatterChart(points, { x: name, y: "value", width: 220, height: 180 });
    const encoding = panel["encoding"] as { x: Record<string, unknown> };
    const numbers = points.every(({ x }) => typeof x === "number");
    const x = numbers
      ? LOG.has(parameter.kind)
        ? { ...encoding.x, scale: { type: "log" } }
        : encoding.x
      : { field: "x", type: "nominal", title: name };
    return { ...panel, encoding: { ...encoding, x } };
  });
  const { $schema } = scatterChart([]);
  return { $schema, background: "white", title: `${result.study}: ${done.length} trials`, columns: 3, concat: panels };
}
