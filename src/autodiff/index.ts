/**
 * autodiff: reverse-mode derivatives of graphs: one vector-Jacobian product a primitive, the reverse walk, and what users
 * call: grad, valueAndGrad, vjp, jacobian, hessian, customVjp, checkpoint, checkGradients, and scan, which carries its
 * derivative. Derivatives are graphs again.
 *
 * It is not: forward mode, optimizers, or anything that runs or schedules a graph.
 */
export { grad, valueAndGrad, type GradOptions } from "./grad.ts";
export { overVariables } from "./loss.ts";
export { hessian, jacobian, vjp } from "./products.ts";
export { scan, type ScanOptions } from "./scan.ts";
export { checkpoint, customVjp } from "./transforms.ts";
export { checkGradients, type CheckedComponent, type CheckOptions, type CheckReport } from "./check.ts";
