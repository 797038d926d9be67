import { bytesOf, sizeOf } from "../base/index.ts";
import type { Tensor, Variable } from "../tensor/index.ts";
import type { Layer } from "./layer.ts";
import { inferShapes, showOpen, type Symbolic } from "./symbolic.ts";

type Node = Tensor["node"];
type Spec = Pick<Symbolic, "shape" | "dtype">;

/** Products of a kernel with its input in what `outs` are made of, as far as the nodes in `seen`. */
function products(outs: readonly Node[], seen: Set<Node>): number {
  let sum = 0;
  for (const n of outs) {
    if (seen.has(n)) continue;
    seen.add(n);
    const [x, w] = n.srcs.map((s) => s.shape);
    const a = n.attrs as unknown as { lhsContract: number[]; length: number; body: { outs: Node[]; params: Node[] } };
    sum += products(n.srcs, seen);
    if (n.op === "dot") sum += sizeOf(n.shape) * sizeOf(a.lhsContract.map((axis) => x[axis]));
    // Each result reads its window of all channels of its group: w [...K, G, I, O].
    if (n.op === "conv") sum += (sizeOf(n.shape) * sizeOf(w)) / w.at(-3)! / w.at(-1)!;
    if (n.op === "scan") sum += a.length * products(a.body.outs, new Set(a.body.params));
  }
  return sum;
}

/** Multiply-adds of what `outs` are made of, as far as `ins`. */
export const multiplyAdds = (outs: readonly Tensor[], ins: readonly Tensor[]): number =>
  products(
    outs.map((t) => t.node),
    new Set(ins.map((t) => t.node)),
  );

/** One call of a layer in a model. */
export interface SummaryCall {
  readonly layer: Layer;
  /** What it reads; left out: what the call before gives; null as long as the model has seen no input. */
  readonly inputs?: readonly Spec[] | null;
  /** The layers it reads, in a functional model. */
  readonly from?: string;
}

/**
 * Number of values in these variables.
 *
 * @example countParameters(sequential([dense(10)], { inputShape: [4] }).variables); // → 50
 */
export const countParameters = (variables: readonly Variable[]): number => variables.reduce((n, v) => n + v.size, 0);

/** 1,234,567; a question mark for what is not known. */
export const grouped = (n: number): string => (n >= 0 ? n.toLocaleString("en-US") : "?");

/** Columns of text; the third and fourth hold numbers. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  return rows
    .map((r) =>
      r
        .map((cell, i) => cell[i === 2 || i === 3 ? "padStart" : "padEnd"](widths[i]))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/**
 * A table of layers, output shapes, parameters and multiply-adds of one sample with totals, in the manner of Keras' `summary()`. A
 * layer that is called twice counts its parameters once.
 */
export function summaryOf(model: Layer, calls: readonly SummaryCall[]): string {
  const seen = new Set<Layer>();
  let sum = 0;
  let at: readonly Spec[] | null = null;
  const body = calls.map(({ layer, inputs = at, from = "" }) => {
    const again = seen.has(layer);
    seen.add(layer);
    // Two numbers that differ when they depend on sizes that are open.
    const found: number[] = [];
    at =
      inputs &&
      inferShapes(inputs, (xs) => {
        const out = [layer.core.call(xs, {})].flat();
        found.push(multiplyAdds(out, xs) / xs[0].shape[0]);
        return out;
      });
    const each = found[0] === found.at(-1) ? found[0] : NaN;
    sum += each;
    return [
      `${layer.name} (${layer.class})${layer.trainable || layer.variables.length === 0 ? "" : " frozen"}`,
      at?.map((o) => showOpen(o.shape)).join(", ") ?? "?",
      again ? "shared" : grouped(layer.built ? countParameters(layer.variables) : NaN),
      grouped(each),
      from,
    ];
  });
  const count = model.built ? countParameters(model.variables) : NaN;
  const trained = countParameters(model.trainableVariables);
  const bytes = model.variables.reduce((n, v) => n + v.size * bytesOf(v.dtype), 0);
  return [
    `Model "${model.name}"`,
    "",
    table([
      ["Layer (class)", "Output shape", "Parameters", "Multiply-adds", body.some((r) => r[4]) ? "Reads" : ""],
      ...body,
      ["Total", "", grouped(count), grouped(sum), ""],
    ]),
    "",
    model.built
      ? `Trainable ${grouped(trained)}, not trainable ${grouped(count - trained)}, ${grouped(Math.ceil(bytes / 1024))} KB.`
      : "Not built yet: call build([null, ...sampleShape]) first.",
  ].join("\n");
}
