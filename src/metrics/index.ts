/**
 * metrics: how good predictions are: accuracies, errors, precision and recall, confusion matrices, all streaming over batches.
 *
 * It is not: what is minimised (losses are in `nn`). A metric is sums of a batch on the device and a number from the sums on the
 * host.
 */
export {
  absoluteError,
  accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  f1,
  meanMetric,
  metricOf,
  precision,
  recall,
  sparseCategoricalAccuracy,
  squaredError,
  Streaming,
  topKAccuracy,
} from "./metric.ts";
export type { Metric, MetricContext, MetricLike } from "./metric.ts";
export { confusionMatrix } from "./confusion.ts";
