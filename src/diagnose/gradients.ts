import { valueAndGrad } from "../autodiff/index.ts";
import { ValueError } from "../base/index.ts";
import { compiled, type HasVariables, sqrt, type Tensor, type Variable } from "../tensor/index.ts";
import { formatTable } from "../viz/index.ts";

/** One variable's gradient. */
export interface GradientRow {
  readonly name: string;
  readonly shape: readonly number[];
  /** ‖w‖₂ and ‖∂L/∂w‖₂. */
  readonly weightNorm: number;
  readonly gradientNorm: number;
  /** gradientNorm / weightNorm. */
  readonly ratio: number;
}

/** What `gradientNorms` gives. */
export interface GradientNorms {
  readonly loss: number;
  readonly rows: readonly GradientRow[];
  /** Gradient norm of the first kernel over that of the last. */
  readonly firstToLast: number;
  /** "vanishing" below 0.1, "exploding" above 10 (S-405, S-414). */
  readonly trend: "even" | "vanishing" | "exploding";
  /** A table. */
  toString(): string;
}

const norm = (t: Tensor): Tensor => sqrt(t.square().sum());

/**
 * Norms of the gradients of a loss by layer, and whether they vanish or explode on the way back (S-414, S-415).
 *
 * @throws ValueError when the model has no trainable variable.
 * @example console.log(String(gradientNorms(net, () => crossEntropy(net(x), y))));
 */
export function gradientNorms(model: HasVariables, loss: () => Tensor): GradientNorms {
  const variables = model.trainableVariables;
  if (variables.length === 0)
    throw new ValueError("[gradientNorms] there is no trainable variable: build the model, or call it once, first.");
  const [value, weights, slopes] = compiled(() => {
    const [at, grads] = valueAndGrad(model, loss);
    return [at, variables.map((v) => norm(v)), grads.map((g) => norm(g))] as const;
  })() as unknown as [Tensor, Tensor[], Tensor[]];
  const rows = variables.map((v, i): GradientRow => {
    const [weightNorm, gradientNorm] = [weights[i].item(), slopes[i].item()];
    return { name: v.name, shape: v.shape, weightNorm, gradientNorm, ratio: gradientNorm / weightNorm };
  });
  const kernels = rows.filter((r) => r.shape.length > 1);
  const [first, last] = [kernels[0] ?? rows[0], kernels.at(-1) ?? rows[0]];
  const firstToLast = first.gradientNorm / last.gradientNorm;
  const trend = firstToLast < 0.1 ? "vanishing" : firstToLast > 10 ? "exploding" : "even";
  const show = (x: number): string => (Number.isFinite(x) ? x.toExponential(2) : "–");
  const table = formatTable(
    [
      ["variable", "shape", "‖w‖", "‖∂L/∂w‖", "ratio"],
      ...rows.map((r) => [r.name, `[${r.shape.join(", ")}]`, show(r.weightNorm), show(r.gradientNorm), show(r.ratio)]),
    ],
    { header: true, align: ["left", "left", "right", "right", "right"] },
  );
  const text = `${table}\nfirst over last kernel: ${show(firstToLast)} (${trend})`;
  return { loss: value.item(), rows, firstToLast, trend, toString: () => text };
}

/** How far one step moved a variable. */
export interface UpdateRow {
  readonly name: string;
  /** ‖Δw‖ / ‖w‖; about 1e-3 is healthy. */
  readonly ratio: number;
}

/**
 * How far a training step moves each variable, as a share of its norm: about 1e-3 is healthy, 1e-1 too fast, 1e-5 too slow. The
 * step is run and counts.
 *
 * @example updateRatios(net, () => net.variables.forEach((v) => v.assign(v.mul(0.99))))[0].ratio; // → 0.01
 */
export function updateRatios(model: HasVariables, step: () => unknown): UpdateRow[] {
  const variables: readonly Variable[] = model.trainableVariables;
  const before = variables.map((v) => v.dataSync());
  step();
  return variables.map((v, i) => {
    const after = v.dataSync();
    let [moved, size] = [0, 0];
    for (let j = 0; j < after.length; j++) {
      moved += (after[j] - before[i][j]) ** 2;
      size += before[i][j] ** 2;
    }
    return { name: v.name, ratio: Math.sqrt(moved) / Math.sqrt(size) };
  });
}
