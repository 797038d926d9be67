import { ShapeError, showShape, sizeOf, type TypedArray, ValueError } from "../base/index.ts";
import { Dataset } from "../data/index.ts";
import { type Tensor, tensor } from "../tensor/index.ts";
import { type ArrayLikeInput, hostOf } from "../train/inputs.ts";

/** Samples [n, ...]: tensors, nested arrays, host arrays or a dataset. Axes after the first are flattened. */
export type SampleData = ArrayLikeInput | Dataset;
/** One label a sample: class numbers or values [n]; left out when the samples are a dataset, which has its own. */
export type Labels = ArrayLikeInput;

/** What learns from samples and labels. */
export interface Estimator {
  /** Learns; fitting again forgets what was learnt. */
  fit(x: SampleData, y?: Labels): this;
  /** One result a sample. */
  predict(x: SampleData): Tensor;
  /** How good the predictions are: more is better. */
  score(x: SampleData, y?: Labels): number;
}

/** `predict` gives class numbers int32 [n], `score` the share that is right. */
export interface Classifier extends Estimator {
  /** The class numbers seen by `fit`, sorted. */
  readonly classes: readonly number[];
  /** [n, classes], in the order of `classes`. */
  predictProba(x: SampleData): Tensor;
}

/** `predict` gives values [n], `score` R². */
export type Regressor = Estimator;

/** Samples as [n, features], float64 as they are, all else in float32. */
export function samplesOf(op: string, x: SampleData, features?: number): Tensor {
  const host = x instanceof Dataset ? x.all().x : hostOf(x, "x");
  if (host.shape.length === 0)
    throw new ShapeError(`[${op}] needs samples [n, features], got a single number. For one sample pass [[…]].`);
  const [n] = host.shape;
  const width = sizeOf(host.shape.slice(1));
  if (features !== undefined && width !== features) {
    const hint = host.shape.length === 1 && n === features ? " For a single sample pass [sample]." : "";
    throw new ShapeError(
      `[${op}] samples ${showShape(host.shape)} have ${width} features, fit saw ${features}: they must be the same.${hint}`,
    );
  }
  const t = tensor(host.data, { shape: [n, width], dtype: host.dtype });
  return t.dtype === "float64" ? t : t.cast("float32");
}

/** The labels, given or the dataset's own, one a sample. */
export function labelsOf(op: string, x: SampleData, y: Labels | undefined, samples: number): TypedArray {
  if (y === undefined && !(x instanceof Dataset))
    throw new ValueError(`[${op}] needs labels: call with (x, y), or with a dataset.`);
  if (y !== undefined && x instanceof Dataset)
    throw new ValueError(`[${op}] labels go with arrays: a dataset has its own.`);
  const own = x instanceof Dataset ? x.all().y : null;
  if (y === undefined && own === null) throw new ValueError(`[${op}] the dataset has no labels.`);
  const { data, shape } = y === undefined && own !== null ? own : hostOf(y as Labels, "y");
  if (sizeOf(shape) !== samples || shape[0] !== samples) {
    throw new ShapeError(
      `[${op}] ${samples} samples need labels [${samples}], got ${showShape(shape)}.` +
        (shape.length === 2 && shape[0] === samples ? " For one-hot labels pass argmax(y, -1)." : ""),
    );
  }
  return data;
}

/** Class numbers as positions in the sorted list of those that occur. */
export function classesOf(op: string, labels: TypedArray): { classes: number[]; index: Int32Array } {
  const classes = [...new Set(labels)].sort((a, b) => a - b);
  const odd = classes.find((c) => !Number.isInteger(c));
  if (odd !== undefined)
    throw new ValueError(`[${op}] needs class numbers, got the label ${odd}. Is this a regression?`);
  const at = new Map(classes.map((c, i) => [c, i]));
  return { classes, index: Int32Array.from(labels, (l) => at.get(l) ?? 0) };
}

/** What `fit` learnt, or an error that asks for it. */
export function fitted<T>(op: string, method: string, state: T | null): T {
  if (state === null) throw new ValueError(`[${op}] ${method} before fit: call fit(x, y) first.`);
  return state;
}
