/** What layers with a kernel and a bias have in common. */
import { add, type Tensor } from "../tensor/index.ts";
import { activationJson, type ActivationLike, activationOf } from "./activations.ts";
import type { Constraint } from "./constraints.ts";
import { type InitializerLike, initializerOf } from "./initializers.ts";
import type { AddVariable, Config, LayerOptions } from "./layer.ts";
import { partsJson, type Regularizer, type RegularizerLike, regularizerOf } from "./regularizers.ts";

/** Options of a layer that ends in activation(… + b). */
export interface WeightOptions extends LayerOptions {
  /** A penalty on the kernel; default none. */
  readonly kernelRegularizer?: RegularizerLike;
  /** A penalty on the bias; default none. */
  readonly biasRegularizer?: RegularizerLike;
  /** A penalty on the layer's result; default none. */
  readonly activityRegularizer?: RegularizerLike;
  /** What the kernel is held to after each update, `maxNorm()` say; default none. */
  readonly kernelConstraint?: Constraint;
  /** What the bias is held to after each update; default none. */
  readonly biasConstraint?: Constraint;
  /** Default: none. */
  readonly activation?: ActivationLike;
  /** Default true. */
  readonly useBias?: boolean;
  /** Default "zeros". */
  readonly biasInitializer?: InitializerLike;
}

/** The kernel and bias of one layer. */
export interface Weights {
  /** The options as JSON. */
  config(): Config;
  /** Makes the variables. */
  build(variable: AddVariable, kernelShape: readonly number[], biasShape: readonly number[]): void;
  /** The kernel of a built layer. */
  readonly kernel: Tensor;
  readonly activity: Regularizer | null;
  /** activation(y + b). */
  finish(y: Tensor): Tensor;
}

/** `option` and `short` are what the kernel's initializer and variable are called. */
export function weightsOf(
  options: WeightOptions,
  initializer: InitializerLike | undefined,
  option = "kernelInitializer",
  short = "kernel",
): Weights {
  const { useBias = true } = options;
  const kernelInitializer = initializerOf(initializer ?? "glorotUniform");
  const biasInitializer = initializerOf(options.biasInitializer ?? "zeros");
  const kernelRegularizer = regularizerOf(options.kernelRegularizer);
  const biasRegularizer = regularizerOf(options.biasRegularizer);
  const activityRegularizer = regularizerOf(options.activityRegularizer);
  const { kernelConstraint = null, biasConstraint = null } = options;
  const act = activationOf(options.activation ?? "linear");
  let kernel: Tensor | null = null;
  let bias: Tensor | null = null;
  return {
    config: () => ({
      activation: activationJson(act),
      useBias,
      [option]: kernelInitializer.config,
      biasInitializer: biasInitializer.config,
      ...partsJson({ kernelRegularizer, biasRegularizer, activityRegularizer, kernelConstraint, biasConstraint }),
    }),
    build(variable, kernelShape, biasShape) {
      const on = { regularizer: kernelRegularizer, constraint: kernelConstraint };
      kernel = variable(short, kernelShape, kernelInitializer, on);
      if (useBias)
        bias = variable("bias", biasShape, biasInitializer, {
          regularizer: biasRegularizer,
          constraint: biasConstraint,
        });
    },
    activity: activityRegularizer,
    get kernel(): Tensor {
      return kernel as Tensor;
    },
    finish: (y) => act(bias === null ? y : add(y, bias)),
  };
}
