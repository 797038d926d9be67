import { ShapeError, showShape, ValueError } from "../base/index.ts";
import { build } from "../ir/index.ts";
import { apply } from "./apply.ts";
import { asTensor, type TensorLike, together } from "./convert.ts";
import { arrange, contract, type Labelled, productType, sumOut } from "./matmul.ts";
import type { Tensor } from "./tensor.ts";

/** A parsed subscript: one label an axis; axes of an ellipsis are "…k", counted from the right. */
interface Parsed {
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/** The labels of one term; an ellipsis stands for all axes that the letters leave over. */
function termLabels(term: string, rank: number, spec: string): string[] {
  const letters = term.replace("...", "");
  if (!/^[A-Za-z]*$/.test(letters))
    throw new ValueError(`[einsum] "${spec}": a term holds letters and at most one "...", got "${term}".`);
  const spread = rank - letters.length;
  if (!term.includes("...")) return [...term];
  const at = term.indexOf("...");
  return [
    ...term.slice(0, at),
    ...Array.from({ length: Math.max(0, spread) }, (_, i) => `…${spread - 1 - i}`),
    ...term.slice(at + 3),
  ];
}

function parse(spec: string, shapes: readonly (readonly number[])[]): Parsed {
  const text = spec.replaceAll(" ", "");
  const [left, right, ...rest] = text.split("->");
  if (rest.length > 0) throw new ValueError(`[einsum] "${spec}" has more than one "->".`);
  const terms = left.split(",");
  if (terms.length !== shapes.length) {
    throw new ValueError(`[einsum] "${spec}" names ${terms.length} operands, got ${shapes.length}.`);
  }
  const inputs = terms.map((term, i) => {
    const labels = termLabels(term, shapes[i].length, spec);
    if (labels.length !== shapes[i].length) {
      throw new ShapeError(
        `[einsum] "${spec}": operand ${i} is "${term}" (${labels.length} axes), but has shape ${showShape(shapes[i])}.`,
      );
    }
    return labels;
  });
  const ellipsis = [...new Set(inputs.flat().filter((l) => l.startsWith("…")))].sort(
    (a, b) => Number(b.slice(1)) - Number(a.slice(1)),
  );
  if (right !== undefined) {
    const output = right.includes("...") ? termLabels(right, right.length - 3 + ellipsis.length, spec) : [...right];
    for (const [i, l] of output.entries()) {
      if (!inputs.some((t) => t.includes(l)))
        throw new ValueError(`[einsum] "${spec}": the output index "${l}" is in no operand.`);
      if (output.indexOf(l) !== i) throw new ValueError(`[einsum] "${spec}": the output index "${l}" is named twice.`);
    }
    return { inputs, output };
  }
  // Implicit: the ellipsis, then the letters that occur once, in alphabetical order.
  const all = inputs.flat();
  const once = [...new Set(all)].filter((l) => !l.startsWith("…") && all.indexOf(l) === all.lastIndexOf(l)).sort();
  return { inputs, output: [...ellipsis, ...once] };
}

/** Sizes of all labels; a label of two sizes is an error, but for 1, which broadcasts. */
function sizesOf(
  spec: string,
  inputs: readonly (readonly string[])[],
  shapes: readonly (readonly number[])[],
): Map<string, number> {
  const sizes = new Map<string, { size: number; operand: number }>();
  inputs.forEach((labels, operand) =>
    labels.forEach((l, axis) => {
      const size = shapes[operand][axis];
      const known = sizes.get(l);
      if (known === undefined || known.size === 1) sizes.set(l, { size, operand });
      else if (size !== known.size && size !== 1) {
        throw new ShapeError(
          `[einsum] "${spec}": index "${l}" is ${known.size} in operand ${known.operand} ${showShape(shapes[known.operand])} and ` +
            `${size} in operand ${operand} ${showShape(shapes[operand])}.`,
        );
      }
    }),
  );
  return new Map([...sizes].map(([l, s]) => [l, s.size]));
}

/** Repeated labels of one operand taken on the diagonal. */
function diagonal(x: Labelled): Labelled {
  let { node } = x;
  const labels = [...x.labels];
  for (let i = 0; i < labels.length; i++) {
    for (let j = labels.indexOf(labels[i], i + 1); j >= 0; j = labels.indexOf(labels[i], i + 1)) {
      if (node.shape[i] !== node.shape[j]) {
        throw new ShapeError(
          `[einsum] the repeated index "${labels[i]}" is ${node.shape[i]} and ${node.shape[j]} in one operand: a diagonal needs equal sizes.`,
        );
      }
      const hit = build.compare("eq", build.iota(node.shape, i), build.iota(node.shape, j));
      node = build.reduce("sum", build.where(hit, node, build.full(node.shape, 0, node.dtype)), [j]);
      labels.splice(j, 1);
    }
  }
  return { node, labels };
}

/**
 * Einstein's summation: products over named indices, summed over those that the output leaves out. Any number of operands
 * (taken two at a time, from the left), repeated indices (diagonals), "..." for batch axes, and without "->" the
 * output of NumPy's implicit form. Throws ShapeError for sizes that differ, ValueError for a malformed specification.
 *
 * @example
 * const a = tensor([[1, 2], [3, 4]]);
 * einsum("ij,jk->ik", a, a).array(); // → [[7, 10], [15, 22]]
 * einsum("ii", a).item(); // → 5
 * einsum("...qd,...kd->...qk", ones([8, 4, 16]), ones([8, 6, 16])).shape; // → [8, 4, 6]
 */
export function einsum(spec: string, ...operands: readonly TensorLike[]): Tensor {
  if (typeof spec !== "string")
    throw new ValueError('[einsum] the first argument is the specification, such as "ij,jk->ik".');
  if (operands.length === 0) throw new ValueError(`[einsum] "${spec}" needs at least one operand.`);
  const tensors = operands.map((x) => asTensor(x, "einsum"));
  const shapes = tensors.map((t) => t.shape);
  const { inputs, output } = parse(spec, shapes);
  const sizes = sizesOf(spec, inputs, shapes);
  const dtype = productType(together("einsum", tensors).dtype);
  return apply(tensors, (...nodes) => {
    const parts = nodes.map((n, i) => diagonal({ node: build.cast(n, dtype), labels: inputs[i] }));
    let at = parts[0];
    for (let i = 1; i < parts.length; i++) {
      const later = parts.slice(i + 1).flatMap((p) => p.labels);
      at = contract(at, parts[i], new Set([...output, ...later]));
    }
    const done = sumOut(at, new Set(output));
    return build.expand(
      arrange(done, output),
      output.map((l) => sizes.get(l) as number),
    );
  });
}
