import { ShapeError, ValueError } from "../base/index.ts";

/** Error rates in 0..1. */
export interface ErrorRates {
  readonly train: number;
  readonly dev: number;
  /** What the best possible predictor, or a person, gets wrong. Default 0. */
  readonly optimal?: number;
}

/** What is wrong by three errors. */
export type Verdict = "fine" | "bias" | "variance" | "bias and variance";

/** Options of `diagnoseErrors`. */
export interface DiagnoseOptions {
  /** A gap above this is a problem. Default 0.02. */
  readonly threshold?: number;
}

/** What `diagnoseErrors` gives. */
export interface Diagnosis {
  /** train − optimal: what the network cannot fit (avoidable bias). */
  readonly bias: number;
  /** dev − train: what it has learned of the training set alone. */
  readonly variance: number;
  readonly verdict: Verdict;
  /** What to try, in this order. */
  readonly advice: readonly string[];
  /** One sentence with the numbers. */
  readonly message: string;
}

const AGAINST_BIAS = [
  "train longer, or with a better optimizer and learning rate",
  "take a larger network",
  "take an architecture that suits the data better",
  "regularise less",
];
const AGAINST_VARIANCE = [
  "get more training data, or augment what there is",
  "regularise: weight decay, dropout, early stopping",
  "take an architecture that suits the data better, or fewer inputs",
];

const ADVICE: Readonly<Record<Verdict, readonly string[]>> = {
  fine: ["read the test error once, and stop here"],
  bias: AGAINST_BIAS,
  variance: AGAINST_VARIANCE,
  // Fit the training set first: what helps against variance makes bias worse.
  "bias and variance": [...AGAINST_BIAS.slice(0, 3), ...AGAINST_VARIANCE.slice(0, 2)],
};

const percent = (x: number): string => `${Number((100 * x).toFixed(2))} %`;

/**
 * Bias and variance from two or three error rates, with what to try (Ng's recipe; S-410, S-411, S-412).
 *
 * @throws ValueError for a rate outside 0..1: percentages are divided by 100 first.
 * @example diagnoseErrors({ train: 0.15, dev: 0.3 }).verdict; // "bias and variance"
 */
export function diagnoseErrors(rates: ErrorRates, options: DiagnoseOptions = {}): Diagnosis {
  const { train, dev, optimal = 0 } = rates;
  const { threshold = 0.02 } = options;
  for (const [name, rate] of Object.entries({ train, dev, optimal }))
    if (!(rate >= 0 && rate <= 1))
      throw new ValueError(
        `[diagnoseErrors] the ${name} error is a rate in 0..1, got ${rate}.${rate > 1 && rate <= 100 ? ` Did you mean ${rate / 100}?` : ""}`,
      );
  // Differences of decimal fractions carry rounding errors.
  const [bias, variance] = [train - optimal, dev - train].map((x) => Number(x.toFixed(12)));
  const [high, wide] = [bias > threshold, variance > threshold];
  const verdict = high ? (wide ? "bias and variance" : "bias") : wide ? "variance" : "fine";
  const [first] = ADVICE[verdict];
  const found = verdict === "fine" ? "neither bias nor variance" : `a problem of ${verdict}`;
  const message =
    `training error ${percent(train)}, dev error ${percent(dev)}, ${percent(optimal)} at best: bias ${percent(bias)}, ` +
    `variance ${percent(variance)}: ${found}; ${first}.`;
  return { bias, variance, verdict, advice: ADVICE[verdict], message };
}

/** The mean over points of the squared error of a predictor, taken apart. */
export interface BiasVariance {
  /** (mean prediction − truth)²: what all fits get wrong alike. */
  readonly bias2: number;
  /** How much the fits differ among each other. */
  readonly variance: number;
  /** bias2 + variance: the mean squared error over fits and points. */
  readonly error: number;
}

/**
 * Bias and variance as they are defined: of predictions at the same points by models that were fitted to different data sets
 * (S-410).
 *
 * @param predictions one array of values for each fit, all at the same points
 * @param truth the noise-free values at these points
 * @throws ShapeError when a fit has another number of points than the truth.
 * @example biasVariance([[1, 2], [3, 2]], [2, 2]); // { bias2: 0, variance: 0.5, error: 0.5 }
 */
export function biasVariance(predictions: readonly ArrayLike<number>[], truth: ArrayLike<number>): BiasVariance {
  if (predictions.length === 0) throw new ValueError("[biasVariance] needs the predictions of at least one fit.");
  const odd = predictions.findIndex((p) => p.length !== truth.length);
  if (odd >= 0)
    throw new ShapeError(
      `[biasVariance] fit ${odd} has ${predictions[odd].length} predictions for ${truth.length} points: one each.`,
    );
  let [bias2, variance] = [0, 0];
  for (let i = 0; i < truth.length; i++) {
    const mean = predictions.reduce((sum, p) => sum + p[i], 0) / predictions.length;
    bias2 += (mean - truth[i]) ** 2 / truth.length;
    for (const p of predictions) variance += (p[i] - mean) ** 2 / predictions.length / truth.length;
  }
  return { bias2, variance, error: bias2 + variance };
}
