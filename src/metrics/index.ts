/**
 * metrics: how good predictions are: accuracies, errors, precision and recall, confusion matrices, all streaming over batches.
 *
 * It is not: what is minimised (losses are in `nn`). A metric is sums of a batch on the device and a number from the sums on the
 * host; functions whose names end in Score, and the curves, take whole arrays on the host instead.
 *
 * @module chainrule/metrics
 */
export {
  accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  f1,
  meanMetric,
  metricOf,
  precision,
  recall,
  sparseCategoricalAccuracy,
  Streaming,
  topKAccuracy,
} from "./metric.ts";
export type { Metric, MetricContext, MetricLike } from "./metric.ts";
export {
  accuracyScore,
  cohenKappa,
  fBetaScore,
  logLossScore,
  matthewsCorrelation,
  meanAbsoluteErrorScore,
  meanIoUScore,
  meanSquaredErrorScore,
  precisionScore,
  r2Score,
  recallScore,
  rootMeanSquaredErrorScore,
  specificityScore,
} from "./arrays.ts";
export type { BinaryOptions, Numbers, Weighted } from "./arrays.ts";
export { averagePrecision, prAuc, precisionRecallCurve, rocAuc, rocCurve } from "./curves.ts";
export type { PrecisionRecallCurve, RocCurve } from "./curves.ts";
export { confusionMatrix } from "./confusion.ts";
export {
  auc,
  concordanceCorrelation,
  confusion,
  fBeta,
  kappa,
  logLoss,
  matthews,
  meanCosineSimilarity,
  meanIoU,
  pearsonCorrelation,
  r2,
  rootMeanSquaredError,
  specificity,
} from "./streaming-more.ts";
export type { AucOptions, ConfusionMetric } from "./streaming-more.ts";
