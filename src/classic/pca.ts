import { ValueError } from "../base/index.ts";
import { eigh } from "../linalg/index.ts";
import { matmul, mean, type Tensor, tensor } from "../tensor/index.ts";
import { fitted, type SampleData, samplesOf } from "./inputs.ts";

/** Options of `pca`. */
export interface PcaOptions {
  /** Components to keep; a share below 1: as many as explain that share of the variance. Default: all. */
  readonly components?: number;
  /** Divide each component by its standard deviation; default false. */
  readonly whiten?: boolean;
}

/** What `pca` makes. */
export interface Pca {
  /** Finds mean and axes. */
  fit(x: SampleData): this;
  /** Coordinates [n, components]. */
  transform(x: SampleData): Tensor;
  /** `fit`, then `transform` of the same samples. */
  fitTransform(x: SampleData): Tensor;
  /** Samples [n, features] from coordinates. */
  inverseTransform(z: SampleData): Tensor;
  /** [components, features], orthonormal rows; the largest entry of each is positive. */
  readonly components: Tensor;
  /** Variance along each component, by 1/(n - 1). */
  readonly explainedVariance: Float64Array;
  /** Its share of the whole. */
  readonly explainedVarianceRatio: Float64Array;
  /** [features]. */
  readonly mean: Tensor;
}

/**
 * Principal components: the directions in which the samples vary most, from the eigenvectors of their covariance.
 *
 * @throws ValueError for fewer than two samples, or more components than features.
 * @example
 * const plane = pca({ components: 2 }).fitTransform((await iris()).data);
 * plane.shape; // [150, 2]
 */
export function pca(options: PcaOptions = {}): Pca {
  const { whiten = false } = options;
  let state: { components: Tensor; mean: Tensor; variance: Float64Array; ratio: Float64Array } | null = null;
  const need = (method: string): NonNullable<typeof state> => fitted("pca", method, state);
  const deviations = (): Tensor => tensor(Float64Array.from(need("transform").variance, (v) => Math.sqrt(v) || 1));
  const model: Pca = {
    fit(x) {
      const samples = samplesOf("pca", x);
      const [n, d] = samples.shape;
      if (n < 2) throw new ValueError(`[pca] ${n} sample does not vary: give two or more.`);
      const wide = samples.cast("float64");
      const centre = mean(wide, 0);
      const centred = wide.sub(centre);
      const { w, v: columns } = eigh(matmul(centred.T, centred).div(n - 1));
      const vectors = columns.T.dataSync() as Float64Array;
      const variance = (w.dataSync() as Float64Array).map((v) => Math.max(0, v)).reverse();
      const total = variance.reduce((a, v) => a + v, 0);
      const ratio = variance.map((v) => (total === 0 ? 0 : v / total));
      const kept = keep(options.components ?? Math.min(n, d), ratio, d);
      const rows = new Float64Array(kept * d);
      for (let i = 0; i < kept; i++) {
        const vector = vectors.subarray((d - 1 - i) * d, (d - i) * d);
        const peak = vector.reduce((a, v) => (Math.abs(v) > Math.abs(a) ? v : a), 0);
        rows.set(peak < 0 ? vector.map((v) => -v) : vector, i * d);
      }
      state = {
        components: tensor(rows).reshape([kept, d]).cast(samples.dtype),
        mean: centre.cast(samples.dtype),
        variance: variance.slice(0, kept),
        ratio: ratio.slice(0, kept),
      };
      return model;
    },
    transform(x) {
      const { components, mean: centre } = need("transform");
      const z = matmul(samplesOf("pca", x, centre.size).sub(centre), components.T);
      return whiten ? z.div(deviations().cast(z.dtype)) : z;
    },
    fitTransform: (x) => model.fit(x).transform(x),
    inverseTransform(z) {
      const { components, mean: centre } = need("inverseTransform");
      const given = samplesOf("pca", z, components.shape[0]);
      return matmul(whiten ? given.mul(deviations().cast(given.dtype)) : given, components).add(centre);
    },
    get components() {
      return need("components").components;
    },
    get mean() {
      return need("mean").mean;
    },
    get explainedVariance() {
      return need("explainedVariance").variance;
    },
    get explainedVarianceRatio() {
      return need("explainedVarianceRatio").ratio;
    },
  };
  return model;
}

function keep(components: number, ratio: Float64Array, features: number): number {
  if (components > 0 && components < 1) {
    let sum = 0;
    const at = ratio.findIndex((r) => (sum += r) >= components - 1e-12);
    return at < 0 ? features : at + 1;
  }
  if (Number.isInteger(components) && components >= 1 && components <= features) return components;
  throw new ValueError(
    `[pca] components must be a whole number in 1..${features} (the features) or a share in 0..1, got ${components}.`,
  );
}
