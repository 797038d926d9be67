/**
 * explain: why a network answers as it does: saliency, SmoothGrad, integrated gradients, occlusion, class activation maps,
 * Grad-CAM; what its filters and layers look like, and how it is put together.
 *
 * It is not: whether training goes well (`diagnose`), nor drawing (`viz` turns the pictures made here into sheets and SVG).
 *
 * @module chainrule/explain
 */
import "../engine.ts";

export { integratedGradients, saliency, smoothGrad } from "./gradients.ts";
export type { IntegratedOptions, SmoothGradOptions } from "./gradients.ts";
export { occlusion } from "./occlusion.ts";
export type { OcclusionOptions } from "./occlusion.ts";
export { classActivationMap, gradCam } from "./cam.ts";
export type { GradCamOptions } from "./cam.ts";
export { featureMaps, filterPictures } from "./pictures.ts";
export { plotModel } from "./plot-model.ts";
export type { Explained, ExplainOptions } from "./scores.ts";
