/** Cross-validation, search, bagging and ensembles. */
import { describe, expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import {
  accuracyScore,
  averageEnsemble,
  bagging,
  bootstrap,
  crossValidate,
  ensembleError,
  expectedEnsembleError,
  gridSearch,
  kNearestNeighbors,
  linearRegression,
  linearSvm,
  randomSearch,
  softmaxRegression,
} from "../../src/classic/index.ts";
import { bostonHousing, type Dataset, datasetOf, iris, mnist, standardScaler } from "../../src/data/index.ts";
import { random, softmax, type Tensor } from "../../src/index.ts";
import { dense, flatten, relu, sequential } from "../../src/nn/index.ts";
import { adam } from "../../src/optim/index.ts";

/** Two clouds, a fifth of the labels wrong. */
function noisy(n: number, seed: number): Dataset {
  random.seed(seed);
  const x = random.normal([n, 2]).dataSync().slice();
  const flips = random.uniform([n]).dataSync();
  const y = Int32Array.from(flips, (f, i) => (i % 2) ^ (f < 0.2 ? 1 : 0));
  for (let i = 0; i < n; i++) x[2 * i] += i % 2 === 0 ? -1.5 : 1.5;
  return datasetOf({
    x: { data: x, shape: [n, 2], dtype: "float32" },
    y: { data: y, shape: [n], dtype: "int32" },
    classes: 2,
  });
}

describe("cross-validation", () => {
  test("S-209 with noisy labels k-NN has no training error at K = 1, and cross-validation picks K > 1", async () => {
    const data = noisy(400, 1);
    expect(kNearestNeighbors({ k: 1 }).fit(data).score(data)).toBe(1);
    const { best, candidates } = await gridSearch(({ k }) => kNearestNeighbors({ k }), { k: [1, 3, 7, 15, 31] }, data);
    expect(best.params.k).toBeGreaterThan(1);
    expect(candidates[0].trainScores.every((s) => s === 1)).toBe(true);
    expect(best.mean).toBeGreaterThan(candidates[0].mean + 0.05);
    // Scores of what is kept can be left out; the others stay the same.
    const one = () => kNearestNeighbors({ k: 1 });
    const { scores, trainScores } = await crossValidate(one, data, undefined, { trainScores: false });
    expect([scores, trainScores]).toEqual([candidates[0].scores, []]);
  });

  test("scores of each fold, their mean and deviation; models of the trainer, too", { timeout: 60_000 }, async () => {
    const { data } = await iris();
    const cv = await crossValidate(() => kNearestNeighbors(), data, undefined, { splits: 5, seed: 3 });
    expect(cv.scores.length).toBe(5);
    expect(cv.mean).toBeCloseTo(cv.scores.reduce((a, s) => a + s, 0) / 5, 12);
    expect(cv.mean).toBeGreaterThan(0.94);
    const net = () => {
      const model = sequential([dense(3)], { inputShape: [4] });
      model.compile({ optimizer: adam(0.05), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
      return {
        fit: (d: Dataset) => model.fit(d, { epochs: 30, batchSize: 30, verbose: 0 }),
        predict: (d: Dataset): Promise<Tensor> => model.predict(d.all().x),
        score: async (d: Dataset) => (await model.evaluate(d))["accuracy"],
      };
    };
    expect((await crossValidate(net, data, undefined, { splits: 3 })).mean).toBeGreaterThan(0.9);
    const boston = (await bostonHousing()).data;
    const r2 = await crossValidate(() => linearRegression(), standardScaler().fitTransform(boston));
    expect(r2.mean).toBeGreaterThan(0.65);
    expect(r2.mean).toBeLessThan(0.8);
    const rightOnes = await crossValidate(() => kNearestNeighbors(), data, undefined, {
      scoring: (target, predicted) => accuracyScore(target, predicted) * 150,
    });
    expect(rightOnes.mean).toBeGreaterThan(140);
  });

  test("grid and random search", async () => {
    const data = noisy(120, 2);
    const seen: string[] = [];
    const { candidates } = await gridSearch(
      (p) => kNearestNeighbors(p),
      { k: [3, 5], weights: ["uniform", "distance"] as const },
      data,
      undefined,
      { splits: 3, onCandidate: ({ params }, i, n) => void seen.push(`${i + 1}/${n} ${String(params["k"])}`) },
    );
    expect(candidates.map((c) => c.params)).toEqual([
      { k: 3, weights: "uniform" },
      { k: 3, weights: "distance" },
      { k: 5, weights: "uniform" },
      { k: 5, weights: "distance" },
    ]);
    expect(seen).toEqual(["1/4 3", "2/4 3", "3/4 5", "4/4 5"]);
    const found = await randomSearch(
      (p) => linearSvm({ ...p, epochs: 20 }),
      { l2: (u: number) => 10 ** (-4 + 3 * u) },
      data,
      undefined,
      { trials: 4, splits: 3, seed: 8 },
    );
    expect(found.candidates.length).toBe(4);
    found.candidates.forEach(({ params }) => {
      expect(params.l2).toBeGreaterThanOrEqual(1e-4);
      expect(params.l2).toBeLessThanOrEqual(0.1);
    });
    expect(new Set(found.candidates.map((c) => c.params.l2)).size).toBe(4);
    await expect(gridSearch(() => kNearestNeighbors(), { k: [] }, data)).rejects.toThrow('"k" has no values');
  });
});

describe("ensembles", () => {
  test("S-171 a bootstrap holds about 1 - 1/e of the distinct samples", () => {
    for (const seed of [0, 1, 2, 3, 4]) {
      const drawn = bootstrap(1000, seed);
      expect(drawn.length).toBe(1000);
      expect(Math.abs(new Set(drawn).size / 1000 - 0.6323)).toBeLessThan(0.03);
    }
    expect(bootstrap(1000, 1)).toEqual(bootstrap(1000, 1));
    expect(bootstrap(1000, 1)).not.toEqual(bootstrap(1000, 2));
  });

  test("bagging smooths what one model makes of noise, and scores itself out of bag", async () => {
    // Nearly as many features as samples: one fit swings wildly.
    random.seed(9);
    const x = random.normal([540, 30]);
    const y = x.sum(1).add(random.normal([540]).mul(3));
    const part = (t: Tensor, from: number, to: number): Tensor => t.slice([from, to]);
    const one = linearRegression({ l2: 1e-6 }).fit(part(x, 0, 40), part(y, 0, 40));
    const many = bagging(() => linearRegression({ l2: 1e-6 }), { models: 50, seed: 6 });
    many.fit(part(x, 0, 40), part(y, 0, 40));
    expect(many.models.length).toBe(50);
    expect(many.score(part(x, 40, 540), part(y, 40, 540))).toBeGreaterThan(
      one.score(part(x, 40, 540), part(y, 40, 540)),
    );
    const { data } = await iris();
    const votes = bagging(() => kNearestNeighbors(), { models: 15 }).fit(data);
    expect(votes.score(data)).toBeGreaterThan(0.94);
    expect(Math.abs(votes.outOfBagScore - 0.96)).toBeLessThan(0.03);
    const boston = standardScaler().fitTransform((await bostonHousing()).data);
    const lines = bagging(() => linearRegression({ l2: 1 }), { models: 5 }).fit(boston);
    expect(lines.score(boston)).toBeGreaterThan(0.7);
    expect(Math.abs(lines.outOfBagScore - 0.7)).toBeLessThan(0.1);
  });

  test(
    "S-172 five small nets on MNIST: the ensemble errs no more than they do on average",
    { timeout: 120_000 },
    async () => {
      const { train, test: held } = await mnist();
      const target = held.labels() ?? [];
      const outputs: Tensor[] = [];
      for (let i = 0; i < 5; i++) {
        setSeed(i);
        const net = sequential([flatten(), dense(16), relu, dense(10)]);
        net.compile({ optimizer: adam(2e-3), loss: "sparseCategoricalCrossentropy" });
        await net.fit(train.shuffled(i).take(6000), { epochs: 3, batchSize: 64, verbose: 0 });
        outputs.push(softmax(await net.predict(held.all().x, { batchSize: 1000 }), -1));
      }
      const error = (o: Tensor[]): number => 1 - accuracyScore(Int32Array.from(target), averageEnsemble(o).classes!);
      const single = outputs.map((o) => error([o])).reduce((a, e) => a + e, 0) / 5;
      expect(error(outputs)).toBeLessThanOrEqual(single);
      expect(error(outputs)).toBeLessThan(0.12);
      expect(() => averageEnsemble([outputs[0], outputs[1].slice([0, 5])])).toThrow("must be of the same samples");
    },
  );

  test("S-173 error of an ensemble of ten: .1, .55 and 1 for covariances of 0, .5 and 1, simulated too", () => {
    const k = 10;
    const n = 100_000;
    for (const [cov, want] of [
      [0, 0.1],
      [0.5, 0.55],
      [1, 1],
    ]) {
      expect(expectedEnsembleError(k, 1, cov)).toBeCloseTo(want, 12);
      random.seed(20);
      const common = random.normal([n]).mul(Math.sqrt(cov));
      const errors = Array.from({ length: k }, () => common.add(random.normal([n]).mul(Math.sqrt(1 - cov))));
      const found = ensembleError(errors, new Float32Array(n));
      expect(Math.abs(found.single - 1)).toBeLessThan(0.02);
      expect(Math.abs(found.cross - cov)).toBeLessThan(0.02);
      expect(Math.abs(found.ensemble - want)).toBeLessThan(0.02);
      // With the measured means the formula is an identity.
      expect(found.formula).toBeCloseTo(found.ensemble, 9);
    }
  });

  test("bagged softmax regressions keep classes that a bootstrap missed", () => {
    const x = Array.from({ length: 12 }, (_, i) => [i]);
    const y = x.map(([i]) => (i === 11 ? 2 : i < 6 ? 0 : 1));
    const bag = bagging(() => softmaxRegression({ epochs: 600 }), { models: 6 }).fit(x, y);
    expect(bag.predict(x).shape).toEqual([12]);
    expect(bag.score(x, y)).toBeGreaterThan(0.7);
  });
});
