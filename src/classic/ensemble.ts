/** Several models as one (S-171, S-172, S-173). */
import { foldKey, keyOfSeed, randomWords, ShapeError, showShape, ValueError } from "../base/index.ts";
import { Dataset, datasetOf } from "../data/index.ts";
import { argmax, type Tensor, tensor } from "../tensor/index.ts";
import { type ArrayLikeInput, hostOf } from "../train/inputs.ts";
import { type Classifier, type Estimator, fitted, labelsOf, type SampleData, samplesOf } from "./inputs.ts";
import { accuracyScore, r2Score } from "./scores.ts";

/**
 * n positions drawn with replacement from 0..n-1: about 1 - 1/e = 63.2 % of the samples, some several times.
 *
 * @example train.select(bootstrap(train.length, 7));
 */
export function bootstrap(n: number, seed: number): Int32Array {
  const words = randomWords(keyOfSeed(seed), n);
  return Int32Array.from({ length: n }, (_, i) => Math.floor((words[2 * i] / 2 ** 32) * n));
}

/** Options of `bagging`. */
export interface BaggingOptions {
  /** Number of models; default 10. */
  readonly models?: number;
  /** Of the draws; default 0. */
  readonly seed?: number;
}

/** What `bagging` makes. */
export interface Bagging extends Estimator {
  readonly models: readonly Estimator[];
  /** Score over the samples by the models that did not see them; NaN when every model saw every sample. */
  readonly outOfBagScore: number;
}

const isClassifier = (m: Estimator): m is Classifier => "predictProba" in m;

/**
 * Models of one kind, each fitted on a bootstrap of the samples; classifiers vote with their probabilities, regressors are averaged
 * (L. Breiman, "Bagging predictors", 1996).
 *
 * @example bagging((i) => softmaxRegression({ seed: i }), { models: 10 }).fit(train).score(test);
 */
export function bagging(make: (index: number) => Estimator, options: BaggingOptions = {}): Bagging {
  const { models: count = 10, seed = 0 } = options;
  if (!Number.isInteger(count) || count < 1)
    throw new ValueError(`[bagging] models must be a whole number ≥ 1, got ${count}.`);
  let state: { models: Estimator[]; classes: number[]; outOfBag: number } | null = null;
  const need = (method: string): NonNullable<typeof state> => fitted("bagging", method, state);

  /** What one model says, [n][columns]: probabilities in the order of `classes`, or the value alone. */
  const say = (m: Estimator, x: SampleData, classes: readonly number[]): Float64Array[] => {
    if (!isClassifier(m)) return Array.from(m.predict(x).dataSync(), (v) => Float64Array.of(v));
    const own = m.classes.map((c) => classes.indexOf(c));
    const p = m.predictProba(x);
    const [n, width] = p.shape;
    const data = p.dataSync();
    return Array.from({ length: n }, (_, i) => {
      const row = new Float64Array(classes.length);
      own.forEach((c, k) => void (row[c] = data[i * width + k]));
      return row;
    });
  };
  const decide = (rows: readonly Float64Array[], classes: readonly number[]): Tensor =>
    classes.length === 0
      ? tensor(Float32Array.from(rows, (r) => r[0]))
      : tensor(Int32Array.from(rows, (r) => classes[r.reduce((b, v, c) => (v > r[b] ? c : b), 0)]));

  const model: Bagging = {
    fit(x, y) {
      const samples = samplesOf("bagging", x);
      const labels = labelsOf("bagging", x, y, samples.shape[0]);
      const n = labels.length;
      const data = x instanceof Dataset ? x : datasetOf({ x: hostOf(x, "x"), y: hostOf(y as ArrayLikeInput, "y") });
      const models: Estimator[] = [];
      const sums: (Float64Array | null)[] = new Array<null>(n).fill(null);
      let classes: number[] = [];
      for (let m = 0; m < count; m++) {
        const drawn = bootstrap(n, foldKey(keyOfSeed(seed), m)[0]);
        const one = make(m).fit(data.select(drawn));
        models.push(one);
        if (m === 0 && isClassifier(one)) classes = [...new Set(labels)].sort((a, b) => a - b);
        const seen = new Set(drawn);
        const left = Int32Array.from(labels.keys()).filter((i) => !seen.has(i));
        if (left.length === 0) continue;
        const votes = say(one, data.select(left), classes);
        votes.forEach((row, k) => {
          const sum = (sums[left[k]] ??= new Float64Array(row.length + 1));
          row.forEach((v, c) => void (sum[c] += v));
          sum[row.length]++;
        });
      }
      const voted = Array.from(sums.keys()).filter((i) => sums[i] !== null);
      const rows = voted.map((i) => {
        const sum = sums[i] as Float64Array;
        return sum.subarray(0, -1).map((v) => v / sum[sum.length - 1]);
      });
      const target = Float64Array.from(voted, (i) => labels[i]);
      const score = classes.length > 0 ? accuracyScore : r2Score;
      state = { models, classes, outOfBag: voted.length === 0 ? NaN : score(target, decide(rows, classes)) };
      return model;
    },
    predict(x) {
      const { models, classes } = need("predict");
      const all = models.map((m) => say(m, x, classes));
      const mean = all[0].map((row, i) => row.map((_, c) => all.reduce((a, rows) => a + rows[i][c], 0) / all.length));
      return decide(mean, classes);
    },
    score(x, y) {
      const target = labelsOf("score", x, y, samplesOf("score", x).shape[0]);
      return (need("score").classes.length > 0 ? accuracyScore : r2Score)(target, model.predict(x));
    },
    get models() {
      return need("models").models;
    },
    get outOfBagScore() {
      return need("outOfBagScore").outOfBag;
    },
  };
  return model;
}

/** What `averageEnsemble` gives. */
export interface Averaged {
  /** [n, classes] or [n]. */
  readonly mean: Tensor;
  /** Class numbers of the mean, int32 [n]; null for values. */
  readonly classes: Tensor | null;
}

/**
 * The mean of the outputs of several models on the same samples (S-172): probabilities [n, classes] or values [n].
 *
 * @throws ShapeError when they differ in shape.
 * @example
 * const nets = [net, net];
 * averageEnsemble(await Promise.all(nets.map(async (one) => softmax(await one.predict(x))))).classes;
 */
export function averageEnsemble(outputs: readonly Tensor[]): Averaged {
  const [first] = outputs;
  if (first === undefined) throw new ValueError("[averageEnsemble] needs the outputs of at least one model.");
  outputs.forEach((o, i) => {
    if (showShape(o.shape) !== showShape(first.shape))
      throw new ShapeError(
        `[averageEnsemble] output ${i} is ${showShape(o.shape)}, the first ${showShape(first.shape)}: they must be of the same samples.`,
      );
  });
  const mean = outputs.reduce((a, o) => a.add(o)).div(outputs.length);
  return { mean, classes: mean.rank === 2 ? argmax(mean, -1).cast("int32") : null };
}

/** What `ensembleError` gives. */
export interface EnsembleError {
  /** Mean squared error of the mean of the models. */
  readonly ensemble: number;
  /** Mean over models of their mean squared errors: E[e²]. */
  readonly single: number;
  /** Mean over pairs of different models: E[e_i e_j]. */
  readonly cross: number;
  /** `expectedEnsembleError` of these: equal to `ensemble`. */
  readonly formula: number;
}

/**
 * (1/k) E[e²] + ((k-1)/k) E[e_i e_j]: the squared error of the mean of k models (S-173).
 *
 * @example expectedEnsembleError(4, 1, 0.2); // → 0.4
 */
export const expectedEnsembleError = (k: number, single: number, cross: number): number =>
  single / k + ((k - 1) / k) * cross;

/**
 * How the squared error of an ensemble comes from its models' errors and how they go together.
 *
 * @param predictions of each model, all of one shape
 * @param target of that shape
 * @throws ShapeError when sizes differ.
 * @example ensembleError([[[1], [2]], [[3], [2]]].map((p) => tensor(p)), tensor([[2], [2]])).ensemble; // → 0
 */
export function ensembleError(predictions: readonly ArrayLikeInput[], target: ArrayLikeInput): EnsembleError {
  const k = predictions.length;
  if (k === 0) throw new ValueError("[ensembleError] needs the predictions of at least one model.");
  const want = hostOf(target, "target").data;
  const errors = predictions.map((p, i) => {
    const { data } = hostOf(p, "predictions");
    if (data.length !== want.length)
      throw new ShapeError(`[ensembleError] model ${i} has ${data.length} predictions for ${want.length} targets.`);
    return Float64Array.from(data, (v, j) => v - want[j]);
  });
  const product = (a: Float64Array, b: Float64Array): number => a.reduce((s, v, i) => s + v * b[i], 0) / want.length;
  let [single, cross] = [0, 0];
  errors.forEach((a, i) => errors.forEach((b, j) => (i === j ? (single += product(a, b)) : (cross += product(a, b)))));
  single /= k;
  cross = k === 1 ? 0 : cross / (k * (k - 1));
  const mean = want.length === 0 ? [] : Array.from(errors[0], (_, i) => errors.reduce((s, e) => s + e[i], 0) / k);
  const ensemble = mean.reduce((s, v) => s + v * v, 0) / want.length;
  return { ensemble, single, cross, formula: expectedEnsembleError(k, single, cross) };
}
