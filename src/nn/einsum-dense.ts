import { ShapeError, showShape, ValueError } from "../base/index.ts";
import { einsum } from "../tensor/index.ts";
import type { DenseOptions } from "./core.ts";
import { type Layer, makeLayer } from "./layer.ts";
import { weightsOf } from "./weights.ts";

/** Options of `einsumDense`. */
export interface EinsumDenseOptions extends Omit<DenseOptions, "useBias"> {
  /** Letters of the output that the bias has; default none, no bias. */
  readonly biasAxes?: string;
}

/** "ab", "bc" and "ac" of "ab,bc->ac"; `open` when a first "..." stands in input and output. */
function parts(equation: string): { input: string; kernel: string; output: string; open: boolean } {
  const found = /^(\.\.\.)?([a-zA-Z]+),([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)$/.exec(equation.replaceAll(" ", ""));
  if (found === null || (found[1] === undefined) !== (found[4] === undefined)) {
    throw new ValueError(
      `[einsumDense] the equation must be of the form "ab,bc->ac" or "...b,bc->...c", got ${JSON.stringify(equation)}.`,
    );
  }
  const [, open, input, kernel, , output] = found;
  for (const c of output)
    if (!input.includes(c) && !kernel.includes(c))
      throw new ValueError(
        `[einsumDense] the output's "${c}" stands neither in the input nor in the kernel: ${equation}`,
      );
  for (const c of kernel)
    if (!input.includes(c) && !output.includes(c))
      throw new ValueError(
        `[einsumDense] the kernel's "${c}" stands neither in the input nor in the output: ${equation}`,
      );
  return { input, kernel, output, open: open !== undefined };
}

/**
 * activation(einsum(equation, x, kernel) + b): any product with a kernel (Keras: EinsumDense).
 *
 * @param equation "abc,cd->abd": input, kernel → output; "...b,bc->...c" with any axes in front
 * @param outputShape the sizes of the output's letters but the first, the batch; of all letters after "..."; null where the input says it
 * @throws ValueError for an equation of another form; ShapeError when an input does not fit.
 * @example
 * const heads = einsumDense("btd,dhk->bthk", [null, 4, 16], { biasAxes: "hk" });
 * heads(zeros([2, 10, 64])).shape; // [2, 10, 4, 16], from 64 · 4 · 16 + 64 parameters
 */
export function einsumDense(
  equation: string,
  outputShape: number | readonly (number | null)[],
  options: EinsumDenseOptions = {},
): Layer {
  const { biasAxes = "" } = options;
  const { input, kernel, output, open } = parts(equation);
  const given = Array.isArray(outputShape) ? (outputShape as readonly (number | null)[]) : [outputShape as number];
  const letters = open ? output : output.slice(1);
  if (given.length !== letters.length || given.some((n) => n !== null && !(Number.isInteger(n) && n >= 1))) {
    throw new ValueError(
      `[einsumDense] outputShape must have a size (or null) for each of "${letters}" in ${equation}, got [${given.join(", ")}].`,
    );
  }
  const lost = [...biasAxes].find((c) => !output.includes(c));
  if (lost !== undefined)
    throw new ValueError(`[einsumDense] the bias' "${lost}" does not stand in the output: ${equation}`);
  const weights = weightsOf({ ...options, useBias: biasAxes !== "" }, options.kernelInitializer);
  const sizes = new Map<string, number>();
  const fit = ([shape]: readonly (readonly number[])[], tag: string): void => {
    const extra = shape.length - input.length;
    if (open ? extra < 1 : extra !== 0)
      throw new ShapeError(
        `${tag} ${equation} needs an input of ${open ? `more than ${input.length}` : input.length} axes, got ${showShape(shape)}.`,
      );
    for (const [i, c] of [...input].entries()) {
      // The batch may differ from call to call.
      if (!kernel.includes(c)) continue;
      const known = sizes.get(c);
      if (known !== undefined && known !== shape[extra + i])
        throw new ShapeError(`${tag} ${equation} has ${known} for "${c}", got input ${showShape(shape)}.`);
    }
  };
  return makeLayer({
    class: "einsumDense",
    options,
    activity: weights.activity,
    config: () => {
      const { useBias: _, ...rest } = weights.config();
      return { equation, outputShape: given, ...rest, ...(biasAxes === "" ? {} : { biasAxes }) };
    },
    build(shapes, variable, tag) {
      for (const [i, c] of [...letters].entries()) if (given[i] !== null) sizes.set(c, given[i]);
      fit(shapes, tag);
      const extra = shapes[0].length - input.length;
      for (const [i, c] of [...input].entries()) sizes.set(c, shapes[0][extra + i]);
      const open = [...output.slice(1), ...kernel].find((c) => !sizes.has(c));
      if (open !== undefined)
        throw new ShapeError(`${tag} nothing says how large "${open}" of ${equation} is: give it in outputShape.`);
      const size = (c: string): number => sizes.get(c) as number;
      const first = Math.min(...[...biasAxes].map((c) => output.indexOf(c)));
      const bias = [...output].slice(first).map((c) => (biasAxes.includes(c) ? size(c) : 1));
      weights.build(variable, [...kernel].map(size), biasAxes === "" ? [] : bias);
    },
    check: fit,
    call: ([x]) => weights.finish(einsum(equation.replaceAll(" ", ""), x, weights.kernel)),
  });
}
