import { foldKey, keyOfSeed, randomWords, ValueError } from "../base/index.ts";
import { argmin, compiled, matmul, min, oneHot, sum, type Tensor, tensor } from "../tensor/index.ts";
import { fitted, type SampleData, samplesOf } from "./inputs.ts";
import { pairwiseDistances } from "./neighbors.ts";

/** Options of `kMeans`. */
export interface KMeansOptions {
  readonly clusters: number;
  /** First centres [clusters, features]; default: k-means++ (D. Arthur, S. Vassilvitskii, 2007). */
  readonly init?: SampleData;
  /** Runs from other first centres, of which the best counts; default 10, with `init` 1. */
  readonly runs?: number;
  /** Steps of one run at most; default 300. */
  readonly maxSteps?: number;
  /** Of the first centres; default 0. */
  readonly seed?: number;
}

/** What `kMeans` makes. */
export interface KMeans {
  /** Finds the centres. */
  fit(x: SampleData): this;
  /** The nearest cluster of each sample: int32 [n]. */
  predict(x: SampleData): Tensor;
  /** -Σ squared distances to the nearest centre: more is better. */
  score(x: SampleData): number;
  /** [clusters, features]. */
  readonly centers: Tensor;
  /** Σ squared distances of the samples of `fit` to their centres. */
  readonly inertia: number;
  /** Steps of the best run. */
  readonly steps: number;
}

/**
 * k-means (S. P. Lloyd, 1982): centres move to the mean of the samples nearest to them until none changes its cluster. A centre that no
 * sample is nearest to moves to the sample farthest from its own.
 *
 * @throws ValueError for more clusters than samples.
 * @example kMeans({ clusters: 3, seed: 1 }).fit((await iris()).data).inertia; // 78.85
 */
export function kMeans(options: KMeansOptions): KMeans {
  const { clusters, maxSteps = 300, seed = 0, runs = options.init === undefined ? 10 : 1 } = options;
  if (!Number.isInteger(clusters) || clusters < 1)
    throw new ValueError(`[kMeans] clusters must be a whole number ≥ 1, got ${clusters}.`);
  let state: { centers: Tensor; inertia: number; steps: number } | null = null;
  const need = (method: string): NonNullable<typeof state> => fitted("kMeans", method, state);
  const step = compiled((x: Tensor, centers: Tensor) => {
    const distances = pairwise(x, centers);
    const nearest = argmin(distances, -1);
    const member = oneHot(nearest, clusters).cast(x.dtype);
    const counts = sum(member, 0);
    const sums = matmul(member.T, x);
    return [nearest, min(distances, -1), counts, sums];
  });
  const run = (x: Tensor, first: Tensor): NonNullable<typeof state> => {
    const d = x.shape[1];
    let centers = first;
    let last: ArrayLike<number> = [];
    for (let steps = 1; ; steps++) {
      const [nearest, distances, counts, sums] = step(x, centers).map((t) => t.dataSync());
      const inertia = Float64Array.from(distances).reduce((a, v) => a + v, 0);
      if (steps > maxSteps || (last.length > 0 && nearest.every((c, i) => c === last[i])))
        return { centers, inertia, steps };
      last = nearest.slice();
      const next = Float64Array.from(sums, (v, i) => v / Math.max(1, counts[Math.floor(i / d)]));
      const empty = Array.from(counts.keys()).filter((c) => counts[c] === 0);
      if (empty.length > 0) {
        const far = Array.from(distances.keys()).sort((i, j) => distances[j] - distances[i]);
        const rows = x.dataSync();
        empty.forEach((c, e) => next.set(Float64Array.from(rows.subarray(far[e] * d, (far[e] + 1) * d)), c * d));
      }
      centers = tensor(next).reshape([clusters, d]).cast(x.dtype);
    }
  };
  const model: KMeans = {
    fit(x) {
      const samples = samplesOf("kMeans", x);
      const [n, d] = samples.shape;
      if (clusters > n) throw new ValueError(`[kMeans] ${clusters} clusters of ${n} samples: take fewer.`);
      // Moved by the mean, so that distances lose less to rounding.
      const centre = samples.mean(0);
      const moved = samples.sub(centre);
      const given = options.init === undefined ? null : samplesOf("kMeans", options.init, d);
      if (given !== null && given.shape[0] !== clusters)
        throw new ValueError(`[kMeans] init has ${given.shape[0]} centres for ${clusters} clusters.`);
      let best: NonNullable<typeof state> | null = null;
      for (let r = 0; r < runs; r++) {
        const first = given === null ? spread(moved, clusters, seed, r) : given.cast(samples.dtype).sub(centre);
        const found = run(moved, first);
        if (best === null || found.inertia < best.inertia) best = found;
      }
      state = best === null ? null : { ...best, centers: best.centers.add(centre) };
      return model;
    },
    predict(x) {
      const { centers } = need("predict");
      return argmin(pairwiseDistances(samplesOf("kMeans", x, centers.shape[1]), centers, { squared: true }), -1).cast(
        "int32",
      );
    },
    score(x) {
      const { centers } = need("score");
      const squared = pairwiseDistances(samplesOf("kMeans", x, centers.shape[1]), centers, { squared: true });
      return -min(squared, -1).sum().item();
    },
    get centers() {
      return need("centers").centers;
    },
    get inertia() {
      return need("inertia").inertia;
    },
    get steps() {
      return need("steps").steps;
    },
  };
  return model;
}

/** Squared distances [n, clusters], but for ‖x‖², which changes no comparison, added again. */
function pairwise(x: Tensor, centers: Tensor): Tensor {
  const cross = matmul(x, centers.T)
    .mul(-2)
    .add(sum(centers.mul(centers), 1));
  return cross.add(sum(x.mul(x), 1, { keepdims: true })).maximum(0);
}

/** k-means++: each centre a sample, drawn by the squared distance to the centres before. */
function spread(x: Tensor, clusters: number, seed: number, run: number): Tensor {
  const [n, d] = x.shape;
  const rows = x.dataSync();
  const words = randomWords(foldKey(keyOfSeed(seed), run), clusters);
  const chosen = [Math.floor((words[0] / 2 ** 32) * n)];
  const least = new Float64Array(n).fill(Infinity);
  while (chosen.length < clusters) {
    const at = chosen[chosen.length - 1] * d;
    let total = 0;
    for (let i = 0; i < n; i++) {
      let s = 0;
      for (let k = 0; k < d; k++) s += (rows[i * d + k] - rows[at + k]) ** 2;
      least[i] = Math.min(least[i], s);
      total += least[i];
    }
    let left = (words[2 * chosen.length] / 2 ** 32) * total;
    let next = 0;
    while (next < n - 1 && (left -= least[next]) >= 0) next++;
    chosen.push(next);
  }
  return x.gather(Int32Array.from(chosen));
}
