import { ValueError } from "../base/index.ts";
import { type Optimizer, sgd } from "../optim/index.ts";
import { eye, matmul, mean, square, sum, type Tensor, tensor } from "../tensor/index.ts";
import { descend, type DescentOptions } from "./descent.ts";
import { fitted, labelsOf, type Regressor, samplesOf } from "./inputs.ts";
import { solveNormal } from "./normal.ts";
import { r2Score } from "./scores.ts";

/** Options of `linearRegression`. */
export interface LinearRegressionOptions extends DescentOptions {
  /**
   * "normal" (default): the normal equations; "gradientDescent": steps on all samples; "sgd": one sample a step; "miniBatch": 100
   * samples a step (`batchSize`).
   */
  readonly solver?: "normal" | "gradientDescent" | "sgd" | "miniBatch";
  /** Weight of ‖w‖² beside the sum of squared errors (ridge regression); default 0. The intercept is free. */
  readonly l2?: number;
}

/** What `linearRegression` makes. */
export interface LinearRegression extends Regressor {
  /** [features]. */
  readonly coefficients: Tensor;
  readonly intercept: number;
  /** Mean loss of each epoch; empty for the normal equations. */
  readonly losses: readonly number[];
}

/** Steps that the solvers take unless told otherwise. */
const DEFAULTS: Record<
  "gradientDescent" | "sgd" | "miniBatch",
  { epochs: number; batch: number | null; rate: number }
> = {
  gradientDescent: { epochs: 2000, batch: null, rate: 0.1 },
  sgd: { epochs: 50, batch: 1, rate: 0.002 },
  miniBatch: { epochs: 200, batch: 100, rate: 0.05 },
};

/**
 * Least squares y ≈ x·w + b (S-202): Σ(y - x·w - b)² + l2 ‖w‖² is least. The normal equations (S-203) θ = (XᵀX)⁻¹XᵀY are solved for
 * centred features; the other solvers minimise half the mean squared error by steps and want scaled features.
 *
 * @throws ValueError when the normal equations have no single solution, or steps lead away.
 * @example
 * const line = linearRegression().fit([[1], [2], [3]], [1, 2, 2]);
 * [line.intercept, line.coefficients.item()]; // 0.6667, 0.5
 */
export function linearRegression(options: LinearRegressionOptions = {}): LinearRegression {
  const { solver = "normal", l2 = 0 } = options;
  if (!(l2 >= 0)) throw new ValueError(`[linearRegression] l2 must be a number ≥ 0, got ${l2}.`);
  let state: { weights: Tensor; intercept: number; losses: readonly number[] } | null = null;
  const need = (method: string): NonNullable<typeof state> => fitted("linearRegression", method, state);
  const model: LinearRegression = {
    fit(x, y) {
      const samples = samplesOf("linearRegression", x);
      const labels = Float64Array.from(labelsOf("linearRegression", x, y, samples.shape[0]));
      const target = tensor(labels).cast(samples.dtype);
      if (solver === "normal") {
        state = { ...normalEquations(samples, target, l2), losses: [] };
        return model;
      }
      const { epochs, batch, rate } = DEFAULTS[solver];
      const found = descend(
        "linearRegression",
        {
          x: samples,
          y: target,
          columns: 1,
          loss: (scores, want) => mean(square(scores.reshape([-1]).sub(want))).mul(0.5),
          l2: l2 / samples.shape[0],
        },
        {
          epochs: options.epochs ?? epochs,
          batchSize: options.batchSize === undefined ? batch : options.batchSize,
          optimizer: options.optimizer ?? ((): Optimizer => sgd(rate)),
          seed: options.seed ?? 0,
          tolerance: options.tolerance ?? 0,
          ...(options.onEpoch === undefined ? {} : { onEpoch: options.onEpoch }),
        },
      );
      state = { weights: found.weights.reshape([-1]), intercept: found.bias.dataSync()[0], losses: found.losses };
      return model;
    },
    predict(x) {
      const { weights, intercept } = need("predict");
      return matmul(samplesOf("linearRegression", x, weights.size), weights).add(intercept);
    },
    score: (x, y) => r2Score(labelsOf("score", x, y, samplesOf("score", x).shape[0]), model.predict(x)),
    get coefficients() {
      return need("coefficients").weights;
    },
    get intercept() {
      return need("intercept").intercept;
    },
    get losses() {
      return need("losses").losses;
    },
  };
  return model;
}

/** w of (XᵀX + l2·I) w = Xᵀy with columns of mean 0 (sums in float64); the intercept follows from the means. */
function normalEquations(x: Tensor, y: Tensor, l2: number): { weights: Tensor; intercept: number } {
  const [n, d] = x.shape;
  const [wide, target] = [x.cast("float64"), y.cast("float64")];
  const means = mean(wide, 0);
  const centre = mean(target).item();
  const centred = wide.sub(means);
  const gram = matmul(centred.T, centred).add(eye(d, d, 0, { dtype: "float64" }).mul(l2));
  const right = matmul(centred.T, target.sub(centre));
  if (n < 2 && l2 === 0)
    throw new ValueError("[linearRegression] one sample fixes no line: give more, or pass { l2 }.");
  const weights = solveNormal("linearRegression", gram, right);
  const intercept = centre - sum(weights.mul(means)).item();
  return { weights: weights.cast(x.dtype), intercept };
}
