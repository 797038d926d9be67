/** Losses by what they compare, and the slope that reaches the score. */
import { grad, type Tensor, tensor } from "chainrule";
import {
  binaryCrossentropy, binaryFocalCrossentropy, hinge, huber, logCosh, type Loss, meanAbsoluteError, meanSquaredError, squaredHinge,
} from "chainrule/nn";
import { lineChart } from "chainrule/viz";
import { grid, type Pictures, range, svg } from "./lib.ts";

const column = (xs: readonly number[]): Tensor => tensor(xs.map((x) => [x]));
const N = 81;

/** The loss of each prediction against one target. */
const losses = (loss: Loss, predictions: readonly number[], target: number): number[] =>
  Array.from(loss.perSample(column(predictions), column(predictions.map(() => target))).dataSync());

export async function draw(): Promise<Pictures> {
  const errors = range(-3, 3, N);
  const scores = range(-4, 4, N);
  const probabilities = range(0.01, 0.99, N);
  const ce = binaryCrossentropy({ fromLogits: true });
  const all = (of: Readonly<Record<string, Loss>>, at: readonly number[], target: number) =>
    Object.fromEntries(Object.entries(of).map(([name, loss]) => [name, losses(loss, at, target)]));
  const slope = (f: (z: Tensor) => Tensor): number[] => Array.from(grad((z: Tensor) => f(z).sum())(column(scores)).dataSync());
  const one = column(scores.map(() => 1));
  const options = { points: false, width: 280, height: 180 };
  return {
    loss: await svg(
      grid([
        lineChart(
          all({ "squared error": meanSquaredError, "absolute error": meanAbsoluteError, "huber, δ = 1": huber(), "log cosh": logCosh }, errors, 0),
          { ...options, xs: errors, x: "error ŷ − y", y: "loss", title: "numbers" },
        ),
        lineChart(all({ "cross-entropy": ce, hinge, "squared hinge": squaredHinge }, scores, 1), {
          ...options, xs: scores, x: "score z of the right class (y = 1)", y: "loss", title: "two classes, by the score",
        }),
        lineChart(
          all({ "cross-entropy": binaryCrossentropy({ fromLogits: false }), "squared error": meanSquaredError, "focal, γ = 2": binaryFocalCrossentropy({ fromLogits: false }) }, probabilities, 1),
          { ...options, xs: probabilities, x: "probability ŷ of the truth", y: "loss", title: "two classes, by the probability" },
        ),
        lineChart(
          {
            "cross-entropy: σ(z) − 1": slope((z) => ce.perSample(z, one)),
            "½(σ(z) − 1)²": slope((z) => meanSquaredError.perSample(z.sigmoid(), one).mul(0.5)),
          },
          { ...options, xs: scores, x: "score z of the right class", y: "slope by z", title: "what reaches the score" },
        ),
      ]),
      2,
    ),
  };
}
