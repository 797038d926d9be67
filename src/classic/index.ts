/**
 * classic: methods before and beside networks, with `fit`, `predict` and `score`: neighbours, linear models, support vectors,
 * principal components, clusters, baselines; and what chooses among models: cross-validation, search, bagging, ensembles.
 *
 * It is not: networks (`nn`), nor a study of trials in parallel. Models stand on public tensor operations; their loops are compiled
 * steps with the optimizers of `optim`.
 *
 * @module chainrule/classic
 */
import "../engine.ts";

export type { Classifier, Estimator, Labels, Regressor, SampleData } from "./inputs.ts";
export { accuracyScore, r2Score, rootMeanSquaredError } from "./scores.ts";
export { kNearestNeighbors, pairwiseDistances } from "./neighbors.ts";
export type { KNearestNeighbors, NeighborsOptions } from "./neighbors.ts";
export { linearRegression } from "./regression.ts";
export type { LinearRegression, LinearRegressionOptions } from "./regression.ts";
export { linearSvm, logisticRegression, softmaxRegression } from "./classifiers.ts";
export type { LinearClassifier, LinearClassifierOptions } from "./classifiers.ts";
export type { DescentOptions } from "./descent.ts";
export { pca } from "./pca.ts";
export type { Pca, PcaOptions } from "./pca.ts";
export { kMeans } from "./kmeans.ts";
export type { KMeans, KMeansOptions } from "./kmeans.ts";
export { baselineClassifier, baselineRegressor } from "./baselines.ts";
export type { ClassifierStrategy } from "./baselines.ts";
export { crossValidate, gridSearch, randomSearch } from "./validation.ts";
export type {
  Candidate,
  CrossValidation,
  Model,
  SearchOptions,
  SearchResult,
  ValidationOptions,
} from "./validation.ts";
export { averageEnsemble, bagging, bootstrap, ensembleError, expectedEnsembleError } from "./ensemble.ts";
export type { Averaged, Bagging, BaggingOptions, EnsembleError } from "./ensemble.ts";
