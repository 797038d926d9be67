import { ValueError } from "../base/index.ts";
import { add, convTranspose, slice, type Tensor } from "../tensor/index.ts";
import { activationJson, type ActivationLike, activationOf } from "./activations.ts";
import { needImages, type Sizes, sizesOf } from "./conv.ts";
import { initJson, needWhole } from "./core.ts";
import type { InitializerLike } from "./initializers.ts";
import { type Layer, type LayerOptions, makeLayer } from "./layer.ts";

export interface ConvTransposeOptions extends LayerOptions {
  /** How many times larger the result is; default 1. */
  readonly strides?: Sizes;
  /** "valid": size n·s + max(k − s, 0); "same": n·s. Default "valid". */
  readonly padding?: "valid" | "same";
  /** Distance between taps; default 1. */
  readonly dilationRate?: Sizes;
  readonly activation?: ActivationLike;
  /** Default true. */
  readonly useBias?: boolean;
  /** Default "glorotUniform". */
  readonly kernelInitializer?: InitializerLike;
  /** Default "zeros". */
  readonly biasInitializer?: InitializerLike;
}
