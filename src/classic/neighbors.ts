import { bytesOf, ShapeError, showShape, ValueError } from "../base/index.ts";
import { compiled, concat, matmul, maximum, mean, sqrt, square, sum, type Tensor, tensor } from "../tensor/index.ts";
import { type Classifier, classesOf, fitted, labelsOf, type SampleData, samplesOf } from "./inputs.ts";
import { accuracyScore } from "./scores.ts";

/** ‖x‖² + ‖y‖² - 2xy, not below 0. */
const squaredDistances = (x: Tensor, y: Tensor): Tensor => {
  const cross = matmul(x, y.T).mul(-2);
  const own = sum(square(x), 1, { keepdims: true });
  return maximum(cross.add(own).add(sum(square(y), 1)), 0);
};

/**
 * Euclidean distances of every x [n, d] to every y [m, d]: [n, m], by ‖x - y‖² = ‖x‖² + ‖y‖² - 2xᵀy (S-207). Both are moved by the mean
 * of y first: distances stay, and small ones lose less to rounding.
 *
 * @throws ShapeError when the numbers of features differ.
 * @example pairwiseDistances([[0, 0]], [[3, 4], [0, 0]]).array(); // [[5, 0]]
 */
export function pairwiseDistances(x: SampleData, y: SampleData, options: { readonly squared?: boolean } = {}): Tensor {
  const [a, b] = [samplesOf("pairwiseDistances", x), samplesOf("pairwiseDistances", y)];
  if (a.shape[1] !== b.shape[1]) {
    throw new ShapeError(
      `[pairwiseDistances] x ${showShape(a.shape)} and y ${showShape(b.shape)} must have as many features.`,
    );
  }
  const centre = mean(b, 0);
  const squared = squaredDistances(a.sub(centre), b.sub(centre));
  return options.squared === true ? squared : sqrt(squared);
}

/** Options of `kNearestNeighbors`. */
export interface NeighborsOptions {
  /** How many neighbours vote; default 5. */
  readonly k?: number;
  /** Every vote counts alike (default), or by 1/distance. */
  readonly weights?: "uniform" | "distance";
  /** Elements of a block of distances, at most; default 2²⁰ (4 MB in float32). */
  readonly chunk?: number;
}

export interface Neighbors {
  /** Positions among the samples of `fit`, the nearest first: [n][k]. */
  readonly indices: readonly Int32Array[];
  readonly distances: readonly Float64Array[];
}

/** What `kNearestNeighbors` makes. */
export interface KNearestNeighbors extends Classifier {
  /** The k nearest samples of each x. */
  neighbors(x: SampleData, k?: number): Neighbors;
  /** Bytes of the samples that it keeps. */
  readonly bytes: number;
}

/**
 * k nearest neighbours (S-206): the class that most of the k nearest samples have. Of classes with as many votes the one with the
 * nearest member wins; of equal distances the sample that came first. All samples are kept (S-210); distances are computed in blocks.
 *
 * @throws ValueError when k is not a whole number between 1 and the samples.
 * @example
 * const model = kNearestNeighbors({ k: 3 }).fit([[0], [1], [5], [6]], [0, 0, 1, 1]);
 * model.predict([[0.4], [5.2]]).array(); // [0, 1]
 */
export function kNearestNeighbors(options: NeighborsOptions = {}): KNearestNeighbors {
  const { k = 5, weights = "uniform", chunk = 2 ** 20 } = options;
  if (!Number.isInteger(k) || k < 1)
    throw new ValueError(`[kNearestNeighbors] k must be a whole number ≥ 1, got ${k}.`);
  // Kept samples in blocks, each of which meets all queries before the next.
  const columns = Math.max(1, Math.floor(chunk / QUERIES));
  const block = compiled((x: Tensor, kept: Tensor, centre: Tensor) => squaredDistances(x.sub(centre), kept));
  let state: { blocks: Tensor[]; centre: Tensor; index: Int32Array; classes: number[] } | null = null;

  const neighbors = (x: SampleData, count = k): Neighbors => {
    const { blocks, centre, index } = fitted("kNearestNeighbors", "predict", state);
    const m = index.length;
    if (count > m) throw new ValueError(`[kNearestNeighbors] k = ${count}, but fit saw only ${m} samples.`);
    const samples = samplesOf("kNearestNeighbors", x, centre.size);
    const [n] = samples.shape;
    const indices = Array.from({ length: n }, () => new Int32Array(count));
    const distances = Array.from({ length: n }, () => new Float64Array(count).fill(Infinity));
    const parts: Tensor[] = [];
    for (let from = 0; from < n; from += QUERIES) parts.push(samples.slice([from, Math.min(n, from + QUERIES)]));
    blocks.forEach((some, at) => {
      const width = some.shape[0];
      parts.forEach((part, p) => {
        const data = block(part, some, centre).dataSync();
        for (let r = 0; r < part.shape[0]; r++) {
          const i = p * QUERIES + r;
          nearest(data, r * width, width, at * columns, indices[i], distances[i]);
        }
      });
    });
    for (const d of distances) d.forEach((v, rank) => void (d[rank] = Math.sqrt(v)));
    return { indices, distances };
  };

  /** Votes by class, [n][classes]. */
  const votes = (x: SampleData): { share: Float64Array; first: Int32Array }[] => {
    const { index, classes } = fitted("kNearestNeighbors", "predict", state);
    const { indices, distances } = neighbors(x);
    return indices.map((at, i) => {
      const share = new Float64Array(classes.length);
      const first = new Int32Array(classes.length).fill(at.length);
      // At distance 0 only those there have a say.
      const exact = weights === "distance" && distances[i][0] === 0;
      at.forEach((row, rank) => {
        const d = distances[i][rank];
        const vote = weights === "uniform" ? 1 : exact ? (d === 0 ? 1 : 0) : 1 / d;
        share[index[row]] += vote;
        first[index[row]] = Math.min(first[index[row]], rank);
      });
      return { share, first };
    });
  };

  const model: KNearestNeighbors = {
    fit(x, y) {
      const samples = samplesOf("kNearestNeighbors", x);
      const { classes, index } = classesOf("kNearestNeighbors", labelsOf("kNearestNeighbors", x, y, samples.shape[0]));
      if (k > index.length)
        throw new ValueError(`[kNearestNeighbors] k = ${k}, but there are only ${index.length} samples: take fewer.`);
      const centre = mean(samples, 0);
      const kept = samples.sub(centre);
      const blocks = Array.from({ length: Math.ceil(index.length / columns) }, (_, i) =>
        kept.slice([i * columns, Math.min(index.length, (i + 1) * columns)]),
      );
      state = { blocks, centre, index, classes };
      return model;
    },
    get classes() {
      return fitted("kNearestNeighbors", "classes", state).classes;
    },
    get bytes() {
      const { blocks } = fitted("kNearestNeighbors", "bytes", state);
      return blocks.reduce((sum, b) => sum + b.size * bytesOf(b.dtype), 0);
    },
    neighbors,
    predict(x) {
      const { classes } = fitted("kNearestNeighbors", "predict", state);
      return tensor(
        Int32Array.from(votes(x), ({ share, first }) => {
          let best = 0;
          for (let c = 1; c < share.length; c++)
            if (share[c] > share[best] || (share[c] === share[best] && first[c] < first[best])) best = c;
          return classes[best];
        }),
      );
    },
    predictProba(x) {
      const all = votes(x).map(({ share }) => {
        const total = share.reduce((a, v) => a + v, 0);
        return tensor(Float32Array.from(share, (v) => v / total)).reshape([1, share.length]);
      });
      return concat(all, 0);
    },
    score: (x, y) => accuracyScore(labelsOf("score", x, y, samplesOf("score", x).shape[0]), model.predict(x)),
  };
  return model;
}

/** Queries that meet a block of samples at a time. */
const QUERIES = 512;

/** Merges `m` numbers from `from` on, of samples from `first` on, into the smallest so far, in order; of equals the earlier stays. */
function nearest(
  data: ArrayLike<number>,
  from: number,
  m: number,
  first: number,
  at: Int32Array,
  squared: Float64Array,
): void {
  const last = at.length - 1;
  let worst = squared[last];
  for (let j = 0; j < m; j++) {
    const d = data[from + j];
    if (d >= worst) continue;
    let i = last;
    for (; i > 0 && squared[i - 1] > d; i--) {
      squared[i] = squared[i - 1];
      at[i] = at[i - 1];
    }
    squared[i] = d;
    at[i] = first + j;
    worst = squared[last];
  }
}
