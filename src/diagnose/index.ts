/**
 * diagnose: does training go as it should: gradients checked by parameter, gradient norms and update ratios, dead and saturated
 * units, the overfit-one-batch test, bias and variance with advice, and whose fault a wrong translation is.
 *
 * It is not: why a network answers as it does (`explain`), or where time goes (`profile`). Nothing here changes a model: what is
 * trained for a test is put back.
 *
 * @module chainrule/diagnose
 */
import "../engine.ts";

export { biasVariance, diagnoseErrors } from "./errors.ts";
export type { BiasVariance, DiagnoseOptions, Diagnosis, ErrorRates, Verdict } from "./errors.ts";
export { checkModel } from "./check.ts";
export type { CheckModelOptions, ModelCheck, VariableCheck } from "./check.ts";
export { gradientNorms, updateRatios } from "./gradients.ts";
export type { GradientNorms, GradientRow, UpdateRow } from "./gradients.ts";
export { unitMonitor } from "./units.ts";
export type { UnitReport, UnitRow } from "./units.ts";
export { overfitBatch } from "./overfit.ts";
export type { OverfitOptions, OverfitReport } from "./overfit.ts";
export { beamErrorAnalysis } from "./beam.ts";
export type { BeamErrorReport } from "./beam.ts";
