import { foldKey, keyOfSeed, randomWords, ValueError } from "../base/index.ts";
import { type Tensor, tensor } from "../tensor/index.ts";
import { type Classifier, classesOf, fitted, labelsOf, type Regressor, samplesOf, type SampleData } from "./inputs.ts";
import { accuracyScore, r2Score } from "./scores.ts";

/** "majority": the most frequent class; "stratified": drawn by the shares of the classes; "uniform": all classes alike. */
export type ClassifierStrategy = "majority" | "stratified" | "uniform";

/**
 * What one reaches without looking at x: any model must be better (scikit-learn: DummyClassifier).
 *
 * @example baselineClassifier().fit(train).score(test); // share of the most frequent class
 */
export function baselineClassifier(
  options: { readonly strategy?: ClassifierStrategy; readonly seed?: number } = {},
): Classifier {
  const { strategy = "majority", seed = 0 } = options;
  if (!["majority", "stratified", "uniform"].includes(strategy))
    throw new ValueError(`[baselineClassifier] strategy must be majority, stratified or uniform, got "${strategy}".`);
  let state: { classes: number[]; share: Float64Array } | null = null;
  const need = (method: string): NonNullable<typeof state> => fitted("baselineClassifier", method, state);
  const count = (x: SampleData): number => samplesOf("baselineClassifier", x).shape[0];
  const draw = (n: number): number[] => {
    const { share } = need("predict");
    if (strategy === "majority") {
      const best = share.reduce((b, v, c) => (v > share[b] ? c : b), 0);
      return new Array<number>(n).fill(best);
    }
    const words = randomWords(foldKey(keyOfSeed(seed), 1), n);
    return Array.from({ length: n }, (_, i) => {
      let left = words[2 * i] / 2 ** 32;
      if (strategy === "uniform") return Math.floor(left * share.length);
      let c = 0;
      while (c < share.length - 1 && (left -= share[c]) >= 0) c++;
      return c;
    });
  };
  const model: Classifier = {
    fit(x, y) {
      const { classes, index } = classesOf("baselineClassifier", labelsOf("baselineClassifier", x, y, count(x)));
      const share = new Float64Array(classes.length);
      index.forEach((c) => (share[c] += 1 / index.length));
      state = { classes, share };
      return model;
    },
    predict(x) {
      const { classes } = need("predict");
      return tensor(Int32Array.from(draw(count(x)), (c) => classes[c]));
    },
    predictProba(x) {
      const { classes, share } = need("predictProba");
      const n = count(x);
      const rows = new Float32Array(n * classes.length);
      const picked = strategy === "majority" ? draw(n) : null;
      for (let i = 0; i < rows.length; i++) {
        const c = i % classes.length;
        const row = Math.floor(i / classes.length);
        rows[i] = picked !== null ? Number(picked[row] === c) : strategy === "uniform" ? 1 / classes.length : share[c];
      }
      return tensor(rows).reshape([n, classes.length]);
    },
    score: (x, y) => accuracyScore(labelsOf("score", x, y, count(x)), model.predict(x)),
    get classes() {
      return need("classes").classes;
    },
  };
  return model;
}

/**
 * The mean (default) or the median of the labels, whatever x (scikit-learn: DummyRegressor).
 *
 * @example baselineRegressor().fit(train).score(test); // about 0
 */
export function baselineRegressor(options: { readonly strategy?: "mean" | "median" } = {}): Regressor {
  let state: number | null = null;
  const count = (x: SampleData): number => samplesOf("baselineRegressor", x).shape[0];
  const model: Regressor = {
    fit(x, y) {
      const labels = Float64Array.from(labelsOf("baselineRegressor", x, y, count(x)));
      if (options.strategy === "median") {
        const sorted = labels.sort();
        const half = sorted.length / 2;
        state = (sorted[Math.floor(half - 0.5)] + sorted[Math.floor(half)]) / 2;
      } else state = labels.reduce((a, v) => a + v, 0) / labels.length;
      return model;
    },
    predict: (x): Tensor => tensor(new Float32Array(count(x)).fill(fitted("baselineRegressor", "predict", state))),
    score: (x, y) => r2Score(labelsOf("score", x, y, count(x)), model.predict(x)),
  };
  return model;
}
