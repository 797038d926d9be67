/**
 * tune: hyperparameter search: spaces, random and grid search in parallel processes, stores that outlive a killed run, pruning,
 * coarse to fine.
 *
 * It is not: training itself. An objective is any function to a number; nothing here knows models.
 *
 * @module chainrule/tune
 */
export { choice, gridOf, intUniform, logUniform, oneMinusLog, sampleSpace, uniform, zoomSpace } from "./space.ts";
export type { Parameter, Params, Space } from "./space.ts";
export { loadStudy, search } from "./search.ts";
export type { Objective, SearchOptions, SearchResult, Trial } from "./search.ts";
export { medianPruner } from "./pruner.ts";
export type { MedianPrunerOptions, Pruner } from "./pruner.ts";
export type { TrialRecord, TrialState } from "./store.ts";
export { hyperparameters } from "./hyperparameters.ts";
export type { Hyperparameters } from "./hyperparameters.ts";
export { searchChart } from "./chart.ts";
