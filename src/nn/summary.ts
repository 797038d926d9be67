import { bytesOf } from "../base/index.ts";
import type { Variable } from "../tensor/index.ts";
import type { Layer } from "./layer.ts";
import { type OpenShape, showOpen } from "./symbolic.ts";

/** One call of a layer in a model; shapes are null as long as the model has seen no input. */
export interface SummaryRow {
  readonly layer: Layer;
  readonly shapes: readonly OpenShape[] | null;
  /** The layers it reads, in a functional model. */
  readonly from: readonly string[];
}

/**
 * Number of values in these variables.
 *
 * @example countParameters(sequential([dense(10)], { inputShape: [4] }).variables); // → 50
 */
export const countParameters = (variables: readonly Variable[]): number => variables.reduce((n, v) => n + v.size, 0);

const grouped = (n: number): string => n.toLocaleString("en-US");

function showBytes(n: number): string {
  if (n < 1024) return `${n} B`;
  return n < 1024 ** 2 ? `${(n / 1024).toFixed(2)} KB` : `${(n / 1024 ** 2).toFixed(2)} MB`;
}

/**
 * A table of layers, output shapes and parameters with totals, in the manner of Keras' `summary()`. A layer that is called
 * twice counts once.
 */
export function summaryOf(model: Layer, rows: readonly SummaryRow[]): string {
  const graph = rows.some((r) => r.from.length > 0);
  const head = ["Layer (class)", "Output shape", "Parameters", ...(graph ? ["Reads"] : [])];
  const seen = new Set<Layer>();
  const body = rows.map(({ layer, shapes, from }) => {
    const again = seen.has(layer);
    seen.add(layer);
    const count = !layer.built ? "not built" : again ? "shared" : grouped(countParameters(layer.variables));
    const frozen = layer.trainable || layer.variables.length === 0 ? "" : " frozen";
    const shape = shapes === null ? "?" : shapes.map(showOpen).join(", ");
    return [`${layer.name} (${layer.class})${frozen}`, shape, count, ...(graph ? [from.join(", ")] : [])];
  });
  const widths = head.map((h, i) => Math.max(h.length, ...body.map((r) => r[i].length)));
  const line = (cells: readonly string[]): string =>
    `│ ${cells.map((c, i) => (i === 2 ? c.padStart(widths[i]) : c.padEnd(widths[i]))).join(" │ ")} │`;
  const rule = (l: string, m: string, r: string): string => `${l}${widths.map((w) => "─".repeat(w + 2)).join(m)}${r}`;
  const all = model.variables;
  const trainable = model.trainableVariables;
  const total = (what: string, vs: readonly Variable[]): string =>
    `${what}: ${grouped(countParameters(vs))} (${showBytes(vs.reduce((n, v) => n + v.size * bytesOf(v.dtype), 0))})`;
  return [
    `Model "${model.name}"`,
    rule("┌", "┬", "┐"),
    line(head),
    rule("├", "┼", "┤"),
    ...body.map(line),
    rule("└", "┴", "┘"),
    total("Total parameters", all),
    total("Trainable", trainable),
    total(
      "Not trainable",
      all.filter((v) => !trainable.includes(v)),
    ),
    ...(rows.every((r) => r.layer.built)
      ? []
      : ["Not built yet: call build([null, ...sampleShape]), or the model on data, first."]),
  ].join("\n");
}
