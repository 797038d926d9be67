import { checkGradients, type CheckedComponent } from "../autodiff/index.ts";
import { ValueError } from "../base/index.ts";
import { withContext } from "../base/context.ts";
import type { ModelBase } from "../nn/model.ts";
import { type Tensor, tensor, type TensorLike } from "../tensor/index.ts";
import { formatTable } from "../viz/index.ts";

/** Options of `checkModel`. */
export interface CheckModelOptions {
  /** Distance of the two points of a difference. Default 1e-5. */
  readonly eps?: number;
  /** Components tried per variable, evenly spread; Infinity for all. Default 16. */
  readonly samples?: number;
  /** Train mode, for batch normalisation. Default false; models with dropout are checked without it. */
  readonly training?: boolean;
}

/** One variable, both ways. */
export interface VariableCheck {
  readonly name: string;
  /** ‖analytic − numeric‖ / (‖analytic‖ + ‖numeric‖) over the components tried. */
  readonly distance: number;
  readonly worst: CheckedComponent;
}

/** What `checkModel` gives. */
export interface ModelCheck {
  /** Distance over all variables: "good" up to 1e-7, a "bug" from 1e-3 on, in between "look". */
  readonly verdict: "good" | "look" | "bug";
  readonly distance: number;
  /** Worst first. */
  readonly variables: readonly VariableCheck[];
  readonly message: string;
  /** A table with the worst component of each variable. */
  toString(): string;
}

const GOOD = 1e-7;
const BUG = 1e-3;

function distanceOf(components: readonly CheckedComponent[]): number {
  const norm = (f: (c: CheckedComponent) => number): number => Math.sqrt(components.reduce((s, c) => s + f(c) ** 2, 0));
  const scale = norm((c) => c.analytic) + norm((c) => c.numeric);
  return scale === 0 ? 0 : norm((c) => c.analytic - c.numeric) / scale;
}

/**
 * Gradient checking of a whole model, parameter by parameter: for finding bugs, not for training; penalties of regularizers
 * belong to the loss, dropout is off, and a check at the start and one after some training find different bugs (S-417).
 *
 * @param loss of predictions and targets, a scalar
 * @throws ValueError for dropout in train mode, which has no derivative that differences could show.
 * @example console.log(String(checkModel(net, x, y, crossEntropy)));
 */
export function checkModel(
  net: ModelBase,
  x: TensorLike,
  y: TensorLike,
  loss: (prediction: Tensor, target: Tensor) => Tensor,
  options: CheckModelOptions = {},
): ModelCheck {
  const { eps = 1e-5, samples = 16, training = false } = options;
  const [inputs, targets] = [tensor(x), tensor(y)];
  const dropped = net.layers.find((l) => l.class === "dropout");
  if (training && dropped !== undefined)
    throw new ValueError(
      `[checkModel] "${dropped.name}" drops units at random in train mode: check with training false, or set its rate to 0.`,
    );
  if (net.inputShapes === null) net.build([null, ...inputs.shape.slice(1)], inputs.dtype);
  const { components } = withContext({ training }, () =>
    checkGradients(
      net,
      () => {
        const data = loss(net(inputs), targets);
        const penalty = net.penalty();
        return penalty === null ? data : data.add(penalty);
      },
      { eps, samples, throws: false },
    ),
  );
  const byName = new Map<string, CheckedComponent[]>();
  for (const c of components) byName.set(c.name, [...(byName.get(c.name) ?? []), c]);
  const variables = [...byName]
    .map(([name, list]) => ({
      name,
      distance: distanceOf(list),
      worst: list.reduce((a, b) => (b.error > a.error ? b : a)),
    }))
    .sort((a, b) => b.distance - a.distance);
  const distance = distanceOf(components);
  const verdict = distance <= GOOD ? "good" : distance < BUG ? "look" : "bug";
  const [first] = variables;
  const at = `${first.name}[${first.worst.index.join(", ")}]`;
  const message =
    `[checkModel] ${verdict}: distance ${distance.toExponential(2)} over ${components.length} components` +
    (verdict === "good" ? "." : `; look at ${at}: analytic ${first.worst.analytic}, numeric ${first.worst.numeric}.`);
  const table = (): string =>
    formatTable(
      [
        ["variable", "distance", "worst component", "analytic", "numeric"],
        ...variables.map(({ name, distance: d, worst: w }) => [
          name,
          d.toExponential(2),
          `[${w.index.join(", ")}]`,
          w.analytic.toPrecision(6),
          w.numeric.toPrecision(6),
        ]),
      ],
      { header: true, align: ["left", "right", "left", "right", "right"] },
    );
  return { verdict, distance, variables, message, toString: () => `${message}\n${table()}` };
}
