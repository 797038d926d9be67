/** Linear models, neighbours, components and clusters: the catalogue's rows and scikit-learn's numbers. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  baselineClassifier,
  baselineRegressor,
  kMeans,
  kNearestNeighbors,
  linearRegression,
  linearSvm,
  logisticRegression,
  pairwiseDistances,
  pca,
  r2Score,
  softmaxRegression,
} from "../../src/classic/index.ts";
import { breastCancer, type Dataset, iris, mnist, standardScaler, trainTestSplit, wine } from "../../src/data/index.ts";
import { explain, matmul, random, sigmoid, type Tensor, tensor } from "../../src/index.ts";
import { adam, momentum, nesterov, sgd } from "../../src/optim/index.ts";

interface Fixture {
  linear: { ols: { coef: number[]; intercept: number }; ridge: { coef: number[] } };
  logistic: { coef: number[]; intercept: number; probability: number[] };
  softmax: { probability: number[][] };
  pca: { ratio: number[]; variance: number[]; components: number[][] };
  knn: { predicted: number[] };
  kmeans: { inertia: number; centers: number[][] };
}
const fixture = JSON.parse(readFileSync(new URL("../fixtures/classic.json", import.meta.url), "utf8")) as Fixture;

const f64 = (x: number[] | number[][]): Tensor => tensor(x, { dtype: "float64" });
const flat = (x: Tensor): number[] => Array.from(x.dataSync());
function close(got: ArrayLike<number>, want: readonly number[], off: number): void {
  expect(got.length).toBe(want.length);
  want.forEach((w, i) =>
    expect(Math.abs(got[i] - w), `element ${i}`).toBeLessThanOrEqual(off * Math.max(1, Math.abs(w))),
  );
}
/** x in float64, of mean 0 and deviation 1. */
const wide = (d: Dataset): Tensor => {
  const { x } = d.all();
  // Decimals as they were written, not as float32 keeps them.
  return tensor(
    Float64Array.from(x.data, (v) => Number(v.toPrecision(7))),
    { shape: x.shape },
  );
};
const scaled = (d: Dataset): Tensor => standardScaler().fitTransform(wide(d));
const labels = (d: Dataset): Int32Array => Int32Array.from(d.labels() ?? []);

describe("linear regression", () => {
  test("S-202 least squares of (1,1), (2,2), (3,2) is 0.6667 + 0.5 x", () => {
    const line = linearRegression().fit([[1], [2], [3]], [1, 2, 2]);
    expect(line.intercept).toBeCloseTo(2 / 3, 6);
    expect(line.coefficients.item()).toBeCloseTo(0.5, 6);
    close(flat(line.predict([[4], [0]])), [8 / 3, 2 / 3], 1e-6);
    expect(line.score([[1], [2], [3]], [1, 2, 2])).toBeCloseTo(0.75, 6);
  });

  test("S-203 the normal equations and gradient descent agree to 1e-6", () => {
    const [x, y] = [f64([[1], [2], [3]]), f64([1, 2, 2])];
    const exact = linearRegression().fit(x, y);
    const steps = linearRegression({ solver: "gradientDescent", epochs: 3000, optimizer: () => sgd(0.2) }).fit(x, y);
    for (const m of [exact, steps]) {
      expect(Math.abs(m.intercept - 2 / 3)).toBeLessThan(1e-6);
      expect(Math.abs(m.coefficients.item() - 0.5)).toBeLessThan(1e-6);
    }
    expect(steps.losses.at(-1)).toBeLessThan(steps.losses[0]);
  });

  test("as scikit-learn, with and without ridge; singular features are named", async () => {
    const all = scaled((await breastCancer()).data);
    const x = all.slice([], [1, 10]);
    const y = wide((await breastCancer()).data)
      .slice([], [0, 1])
      .reshape([-1]);
    const ols = linearRegression().fit(x, y);
    close(flat(ols.coefficients), fixture.linear.ols.coef, 1e-5);
    expect(ols.intercept).toBeCloseTo(fixture.linear.ols.intercept, 5);
    close(flat(linearRegression({ l2: 10 }).fit(x, y).coefficients), fixture.linear.ridge.coef, 1e-5);
    expect(() =>
      linearRegression().fit(
        [
          [1, 2],
          [2, 4],
          [3, 6],
        ],
        [1, 2, 3],
      ),
    ).toThrow("feature 1 depends on the others");
    expect(() => linearRegression().predict([[1]])).toThrow("[linearRegression] predict before fit");
    expect(() => linearRegression({ solver: "gradientDescent" }).fit([[1e3], [2e3]], [1, 2])).toThrow(
      "scale the features",
    );
  });

  test("stochastic and mini-batch descent come to within 1 % of the closed form", () => {
    random.seed(3);
    const x = random.normal([500, 4]);
    const y = matmul(x, tensor([1, -2, 0.5, 3]))
      .add(1)
      .add(random.normal([500]).mul(0.5));
    const best = linearRegression().fit(x, y).score(x, y);
    for (const solver of ["gradientDescent", "sgd", "miniBatch"] as const) {
      const r2 = linearRegression({ solver }).fit(x, y).score(x, y);
      expect(Math.sqrt((1 - r2) / (1 - best)), solver).toBeLessThan(1.01);
    }
  });
});

describe("classifiers", () => {
  test("S-200 probabilities lie in (0, 1) and .5 divides the labels", async () => {
    const { data } = await breastCancer();
    const x = scaled(data);
    const model = logisticRegression({ l2: 0.1 }).fit(x, labels(data));
    const p = flat(model.predictProba(x));
    expect(p.every((v) => v > 0 && v < 1)).toBe(true);
    const second = p.filter((_, i) => i % 2 === 1);
    expect(flat(model.predict(x))).toEqual(second.map((v) => (v > 0.5 ? 1 : 0)));
    p.forEach((v, i) => i % 2 === 1 && expect(v + p[i - 1]).toBeCloseTo(1, 12));
  });

  test("S-201 logistic regression: 12,289 parameters for 64×64×3 pictures; AND is learnt exactly", () => {
    const pictures = random.uniform([6, 64, 64, 3]);
    const cats = logisticRegression({ solver: "descent", epochs: 100, batchSize: null });
    expect(cats.fit(pictures, [0, 1, 0, 1, 1, 0]).parameters).toBe(12_289);
    expect(cats.losses.length).toBe(100);
    const corners = [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ];
    for (const solver of ["newton", "descent"] as const) {
      const and = logisticRegression({ solver, epochs: 500 }).fit(corners, [0, 0, 0, 1]);
      expect(flat(and.predict(corners)), solver).toEqual([0, 0, 0, 1]);
      expect(and.score(corners, [0, 0, 0, 1])).toBe(1);
    }
  });

  test("logistic regression as scikit-learn", async () => {
    const { data } = await breastCancer();
    const x = scaled(data);
    const { coef, intercept, probability } = fixture.logistic;
    // C = 1 weighs the sum of losses by 1: of their mean, l2 = 1/n.
    const model = logisticRegression({ l2: 1 / 569 }).fit(x, labels(data));
    close(flat(model.weights), coef, 1e-4);
    close(flat(model.bias), [intercept], 1e-4);
    close(flat(model.predictProba(x).slice([0, 20], [1, 2])), probability, 1e-5);
    expect(() => logisticRegression().fit([[1], [2], [3]], [0, 1, 2])).toThrow("needs two classes, got 3. Use softmax");
    expect(() => logisticRegression().fit([[1], [2]], [0.5, 1])).toThrow("got the label 0.5. Is this a regression?");
  });

  test(
    "S-204 softmax regression: ≥ 91 % on MNIST; of two classes, the sigmoid of the scores' difference",
    { timeout: 120_000 },
    async () => {
      const { train, test: held } = await mnist();
      const digits = softmaxRegression({ epochs: 4, batchSize: 128, optimizer: () => adam(2e-3), l2: 0 }).fit(train);
      expect(digits.score(held)).toBeGreaterThanOrEqual(0.91);
      expect(digits.parameters).toBe(7850);
      const { data } = await iris();
      const x = wide(data.take(100));
      const two = softmaxRegression({ epochs: 50, batchSize: null }).fit(x, labels(data.take(100)));
      const scores = two.decisionFunction(x);
      const p = two.predictProba(x).slice([], [1, 2]).reshape([-1]);
      const byDifference = sigmoid(
        scores
          .slice([], [1, 2])
          .sub(scores.slice([], [0, 1]))
          .reshape([-1]),
      );
      close(flat(p), flat(byDifference), 1e-12);
    },
  );

  test("softmax regression as scikit-learn", async () => {
    const { data } = await iris();
    const model = softmaxRegression({
      l2: 1 / 150,
      batchSize: null,
      epochs: 30_000,
      optimizer: () => nesterov({ learningRate: 0.05, momentum: 0.97 }),
    }).fit(wide(data), labels(data));
    const got = flat(model.predictProba(wide(data))).filter((_, i) => Math.floor(i / 3) % 10 === 0);
    close(got, fixture.softmax.probability.flat(), 1e-5);
  });

  test("S-205 a linear SVM separates the separable: no errors, margin ≥ 1", () => {
    const x = [
      [2, 2],
      [3, 1],
      [2.5, 4],
      [4, 3],
      [-1, -2],
      [-2, 0],
      [-3, -1],
      [0, -2],
    ];
    const y = [1, 1, 1, 1, -1, -1, -1, -1];
    const hard = linearSvm({ l2: 0, epochs: 500, optimizer: () => momentum(0.05) }).fit(x, y);
    expect(hard.score(x, y)).toBe(1);
    expect(hard.losses.at(-1)).toBe(0);
    const margins = flat(hard.decisionFunction(x)).map((f, i) => f * y[i]);
    expect(Math.min(...margins)).toBeGreaterThanOrEqual(1);
    // With L2 the margin is as wide as it can be: the nearest points of both sides stand on it.
    const soft = linearSvm({ l2: 1e-3, epochs: 3000, batchSize: 4 }).fit(x, y);
    expect(soft.score(x, y)).toBe(1);
    const side = flat(soft.decisionFunction(x)).map((f, i) => f * y[i]);
    expect(Math.min(...side)).toBeGreaterThan(0.97);
    expect(Math.min(...side)).toBeLessThan(1.03);
    expect(flat(soft.weights.square().sum())[0]).toBeLessThan(flat(hard.weights.square().sum())[0]);
  });

  test("a multi-class SVM on irises, several class numbers, mistakes", async () => {
    const { train, test: held } = trainTestSplit((await iris()).data, { stratify: true, seed: 2 });
    const scaler = standardScaler().fit(train);
    const model = linearSvm({ epochs: 200 }).fit(scaler.transform(train));
    expect(model.score(scaler.transform(held))).toBeGreaterThan(0.9);
    const far = linearSvm().fit([[-1], [1], [-2], [2]], [7, -3, 7, -3]);
    expect([far.classes, flat(far.predict([[5], [-5]]))]).toEqual([
      [-3, 7],
      [-3, 7],
    ]);
    expect(() => linearSvm().fit([[1], [2]], [3, 3])).toThrow("all labels are 3");
    expect(() => far.predict([[1, 2]])).toThrow("have 2 features, fit saw 1");
    expect(() => far.fit([[1], [2]], [1])).toThrow("2 samples need labels [2], got [1]");
    expect(() => far.fit([[1], [2]])).toThrow("needs labels: call with (x, y), or with a dataset");
    expect(() =>
      far.fit(
        [[1], [2]],
        [
          [1, 0],
          [0, 1],
        ],
      ),
    ).toThrow("For one-hot labels pass argmax");
  });
});

describe("neighbours", () => {
  const points = [
    [0, 0],
    [1, 0],
    [0, 2],
    [4, 4],
    [5, 4],
  ];
  const classes = [0, 0, 1, 1, 1];

  test("S-206 k nearest neighbours by hand; ≥ 90 % on MNIST with 5,000 samples", { timeout: 60_000 }, async () => {
    const one = kNearestNeighbors({ k: 1 }).fit(points, classes);
    expect(
      flat(
        one.predict([
          [0.2, 0.1],
          [0, 1.9],
          [4.4, 4],
        ]),
      ),
    ).toEqual([0, 1, 1]);
    const three = kNearestNeighbors({ k: 3 }).fit(points, classes);
    expect(
      flat(
        three.predict([
          [0.1, 1.2],
          [3, 3],
        ]),
      ),
    ).toEqual([0, 1]);
    // A tie: one vote each. The class of the nearest sample wins; of equal distances, that of the sample that came first.
    const two = kNearestNeighbors({ k: 2 }).fit([[0], [2], [9]], [1, 0, 0]);
    expect(flat(two.predict([[0.9], [1.1], [1]]))).toEqual([1, 0, 1]);
    expect(flat(two.predictProba([[0.9]]))).toEqual([0.5, 0.5]);
    const { train, test: held } = await mnist();
    const digits = kNearestNeighbors({ k: 3 }).fit(train.take(5000));
    expect(digits.score(held.take(1000))).toBeGreaterThanOrEqual(0.9);
  });

  test("S-207 vectorised distances equal the loop to 1e-6", () => {
    random.seed(5);
    const [x, y] = [random.normal([40, 30]), random.normal([50, 30])];
    const [a, b] = [flat(x), flat(y)];
    const got = flat(pairwiseDistances(x, y));
    for (let i = 0; i < 40; i++)
      for (let j = 0; j < 50; j++) {
        let s = 0;
        for (let k = 0; k < 30; k++) s += (a[i * 30 + k] - b[j * 30 + k]) ** 2;
        expect(Math.abs(got[i * 50 + j] / Math.sqrt(s) - 1)).toBeLessThan(1e-6);
      }
    expect(
      flat(
        pairwiseDistances(
          [
            [3, 4],
            [1e3, 1e3],
          ],
          [
            [3, 4],
            [1e3, 1e3],
          ],
        ),
      ).filter((v) => v < 0),
    ).toEqual([]);
    expect(() => pairwiseDistances([[1, 2]], [[1]])).toThrow("must have as many features");
  });

  test("S-208 distances concentrate as dimensions grow", () => {
    random.seed(11);
    const of = (n: number): { mean: number; cv: number } => {
      // Distinct pairs of uniform points.
      const d = flat(pairwiseDistances(random.uniform([400, n]), random.uniform([400, n])));
      const mean = d.reduce((a, v) => a + v, 0) / d.length;
      return { mean, cv: Math.sqrt(d.reduce((a, v) => a + (v - mean) ** 2, 0) / d.length) / mean };
    };
    const [many, one] = [of(1000), of(1)];
    expect(many.mean).toBeCloseTo(12.91, 1);
    expect(many.mean).toBeCloseTo(Math.sqrt((2 * 1000) / 12), 1);
    expect(many.cv).toBeCloseTo(0.0187, 3);
    expect(Math.abs(one.cv - 0.707)).toBeLessThan(0.03);
  });

  // Processor time of the best of several runs, both sizes in turn; other processes disturb it, so it may try again.
  test(
    "S-210 k-NN keeps all samples: ten times the samples, ten times the memory, work and time",
    { retry: 5, timeout: 60_000 },
    () => {
      const at = (m: number) => {
        const x = random.uniform([m, 784]);
        const model = kNearestNeighbors({ k: 5 }).fit(
          x,
          new Int32Array(m).map((_, i) => i % 2),
        );
        const text = explain((a: Tensor, b: Tensor) => matmul(a, b.T))(random.uniform([512, 784]), x);
        const [, count, unit] = /([\d.]+)([MG])flop/.exec(text) ?? [];
        return { model, flops: Number(count) * (unit === "G" ? 1e9 : 1e6), best: Infinity };
      };
      const [small, large] = [at(2048), at(20_480)];
      const queries = random.uniform([512, 784]);
      for (let turn = 0; turn < 5; turn++) {
        for (const one of [small, large]) {
          const before = process.cpuUsage();
          one.model.predict(queries);
          const { user, system } = process.cpuUsage(before);
          // The first turn compiles.
          if (turn > 0) one.best = Math.min(one.best, user + system);
        }
      }
      expect(large.model.bytes / small.model.bytes).toBe(10);
      expect(large.flops / small.flops).toBeCloseTo(10, 1);
      expect(large.best / small.best).toBeGreaterThan(7);
      expect(large.best / small.best).toBeLessThan(13);
    },
  );

  test("weights by distance, chunks, scikit-learn, mistakes", async () => {
    const near = kNearestNeighbors({ k: 3, weights: "distance" }).fit([[0], [2], [2.2]], [0, 1, 1]);
    expect(flat(near.predict([[0.3], [1.9], [0]]))).toEqual([0, 1, 0]);
    close(flat(near.predictProba([[0]])), [1, 0], 0);
    const { data } = await iris();
    const even = data.shard(2, 0);
    const odd = data.shard(2, 1);
    const whole = kNearestNeighbors().fit(even);
    expect(flat(whole.predict(odd))).toEqual(fixture.knn.predicted);
    expect(flat(kNearestNeighbors({ chunk: 100 }).fit(even).predict(odd))).toEqual(fixture.knn.predicted);
    expect(() => kNearestNeighbors({ k: 4 }).fit([[1], [2]], [0, 1])).toThrow("k = 4, but there are only 2 samples");
    expect(() => kNearestNeighbors({ k: 0 })).toThrow("k must be a whole number ≥ 1");
  });
});

describe("components and clusters", () => {
  test("principal components as scikit-learn", async () => {
    const { data } = await wine();
    const all = pca().fit(wide(data));
    close(all.explainedVarianceRatio, fixture.pca.ratio, 1e-9);
    const three = pca({ components: 3 });
    const x = scaled(data);
    const z = three.fitTransform(x);
    expect(z.shape).toEqual([178, 3]);
    close(three.explainedVariance, fixture.pca.variance, 1e-6);
    fixture.pca.components.forEach((row, i) => {
      const got = flat(three.components.slice([i, i + 1]));
      const sign = Math.sign(got.reduce((a, v, k) => a + v * row[k], 0));
      close(
        got.map((v) => sign * v),
        row,
        1e-6,
      );
    });
    close(flat(matmul(three.components, three.components.T)), [1, 0, 0, 0, 1, 0, 0, 0, 1], 1e-12);
    close(flat(pca().fit(x).inverseTransform(pca().fitTransform(x))), flat(x), 1e-10);
    const white = pca({ components: 5, whiten: true });
    const w = white.fitTransform(x);
    close(
      flat(matmul(w.T, w).div(177)),
      flat(tensor(Array.from({ length: 25 }, (_, i) => (i % 6 === 0 ? 1 : 0)))),
      1e-9,
    );
    close(
      flat(white.inverseTransform(w)),
      flat(
        pca({ components: 5 })
          .fit(x)
          .inverseTransform(pca({ components: 5 }).fitTransform(x)),
      ),
      1e-9,
    );
    expect(pca({ components: 0.9 }).fit(x).components.shape[0]).toBe(8);
    expect(() => pca({ components: 20 }).fit(x)).toThrow("components must be a whole number in 1..13");
  });

  test("eigenvectors of a matrix of 200: A v = λ v", () => {
    random.seed(2);
    const model = pca().fit(random.normal([400, 200]).cast("float64"));
    close(
      flat(matmul(model.components, model.components.T)),
      Array.from({ length: 40_000 }, (_, i) => (i % 201 === 0 ? 1 : 0)),
      1e-11,
    );
    expect(model.explainedVariance.every((v, i, all) => i === 0 || v <= all[i - 1])).toBe(true);
  });

  test("k-means as scikit-learn, from its own first centres too; an empty cluster is filled", async () => {
    const { data } = await iris();
    const x = wide(data);
    const first = x.gather(Int32Array.of(0, 60, 120));
    const given = kMeans({ clusters: 3, init: first }).fit(x);
    expect(given.inertia).toBeCloseTo(fixture.kmeans.inertia, 8);
    close(flat(given.centers), fixture.kmeans.centers.flat(), 1e-9);
    const own = kMeans({ clusters: 3, seed: 4 }).fit(data);
    expect(own.inertia).toBeCloseTo(fixture.kmeans.inertia, 2);
    expect(own.score(data)).toBeCloseTo(-own.inertia, 2);
    expect(new Set(flat(own.predict(data))).size).toBe(3);
    const empty = kMeans({ clusters: 2, init: [[0], [100]] }).fit([[0], [1], [10]]);
    expect(flat(empty.centers).sort((a, b) => a - b)).toEqual([0.5, 10]);
    expect(() => kMeans({ clusters: 3 }).fit([[1], [2]])).toThrow("3 clusters of 2 samples");
  });
});

describe("baselines", () => {
  test("majority, stratified, uniform; mean and median", () => {
    const x = Array.from({ length: 1000 }, (_, i) => [i]);
    const y = x.map(([i]) => (i % 10 < 7 ? 4 : i % 10 < 9 ? 1 : 2));
    expect(baselineClassifier().fit(x, y).score(x, y)).toBe(0.7);
    const share = (strategy: "stratified" | "uniform", c: number): number =>
      flat(baselineClassifier({ strategy, seed: 1 }).fit(x, y).predict(x)).filter((v) => v === c).length / 1000;
    expect(Math.abs(share("stratified", 4) - 0.7)).toBeLessThan(0.05);
    expect(Math.abs(share("stratified", 2) - 0.1)).toBeLessThan(0.04);
    expect(Math.abs(share("uniform", 2) - 1 / 3)).toBeLessThan(0.05);
    expect(
      flat(
        baselineClassifier({ strategy: "uniform" })
          .fit(x, y)
          .predictProba([[0]]),
      ),
    ).toEqual([1, 1, 1].map((v) => Math.fround(v / 3)));
    const values = [1, 2, 9];
    expect(
      flat(
        baselineRegressor()
          .fit([[0], [1], [2]], values)
          .predict([[5]]),
      ),
    ).toEqual([4]);
    expect(
      flat(
        baselineRegressor({ strategy: "median" })
          .fit([[0], [1], [2]], values)
          .predict([[5]]),
      ),
    ).toEqual([2]);
    expect(
      baselineRegressor()
        .fit([[0], [1], [2]], values)
        .score([[0], [1], [2]], values),
    ).toBe(0);
    expect(r2Score([1, 1], [1, 1])).toBe(1);
  });
});
