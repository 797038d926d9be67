import { ShapeError, showShape, ValueError } from "../base/index.ts";
import { grad } from "../autodiff/index.ts";
import { tapLayers } from "../nn/index.ts";
import { mean, relu, take, type Tensor, tensor, type TensorLike, zeros } from "../tensor/index.ts";
import { chosenScore, classesOf, type Explained, type ExplainOptions } from "./scores.ts";

/**
 * Class activation map: Σ_k w_k^c A_k of a network that ends in global average pooling and one dense layer, where A is what is
 * pooled and w the dense kernel (Zhou et al., 2016; S-425). The mean of the map plus the dense bias is the class score.
 *
 * @param x [batch, height, width, channels]
 * @returns [batch, h, w], at the resolution of the last feature maps
 * @throws ValueError when the network does not end in globalAvgPool and dense: use gradCam then.
 * @example
 * const cam = sequential([conv2d(4, 3), relu, globalAvgPool(), dense(10)], { inputShape: [28, 28, 1] });
 * const map = classActivationMap(cam, x);
 */
export function classActivationMap(net: Explained, x: TensorLike, options: ExplainOptions = {}): Tensor {
  const at = tensor(x);
  const classes = classesOf(net, at, options, "classActivationMap");
  let pooled: { maps: Tensor; out: Tensor } | null = null;
  let kernel: Tensor | null = null;
  tapLayers(
    (call) => {
      if (call.class === "globalAvgPool") pooled = { maps: call.inputs[0], out: call.outputs[0] };
      else if (call.class === "dense") kernel = call.inputs[0] === pooled?.out ? call.variables[0] : null;
    },
    () => net(at),
  );
  if (pooled === null || kernel === null)
    throw new ValueError(
      "[classActivationMap] needs a network that ends in globalAvgPool() and one dense layer; gradCam works for others.",
    );
  const { maps } = pooled as { maps: Tensor };
  // maps [batch, h, w, k] · kernel columns of each sample's class [batch, 1, 1, k], summed over k.
  const columns = take((kernel as Tensor).transpose(), classes, 0).reshape([maps.shape[0], 1, 1, -1]);
  return maps.mul(columns).sum(-1);
}

/** Options of `gradCam`. */
export interface GradCamOptions extends ExplainOptions {
  /** The layer whose maps are weighed, by name ("conv2d_1"). Default: the last that gives [batch, h, w, k]. */
  readonly layer?: string;
}

/**
 * Grad-CAM: ReLU(Σ_k α_k A_k) where A are the maps of a layer and α_k the mean of ∂y_c/∂A_k over the picture (Selvaraju et al.,
 * 2017).
 *
 * @param x [batch, height, width, channels]
 * @returns [batch, h, w], at the resolution of the layer's maps
 * @throws ValueError for an unknown layer, or when none gives maps.
 * @example const map = gradCam(net, x, { layer: "conv2d" });
 */
export function gradCam(net: Explained, x: TensorLike, options: GradCamOptions = {}): Tensor {
  const at = tensor(x);
  const classes = classesOf(net, at, options, "gradCam");
  const shapes = new Map<string, readonly number[]>();
  const values = new Map<string, Tensor>();
  tapLayers(
    (call) => {
      shapes.set(call.path, call.outputs[0].shape);
      if (call.outputs[0].rank === 4 && !call.isModel) values.set(call.path, call.outputs[0]);
    },
    () => net(at),
  );
  const layer = options.layer ?? [...values.keys()].at(-1);
  if (layer === undefined)
    throw new ValueError("[gradCam] no layer of the network gives maps [batch, height, width, channels].");
  if (!shapes.has(layer))
    throw new ValueError(`[gradCam] there is no layer "${layer}": there are ${[...values.keys()].join(", ")}.`);
  const maps = values.get(layer);
  if (maps === undefined)
    throw new ShapeError(
      `[gradCam] layer "${layer}" gives ${showShape(shapes.get(layer) as readonly number[])}, not maps [batch, height, width, channels].`,
    );
  // The gradient by what is added to the maps is that by the maps.
  const slope = grad((more: Tensor) =>
    tapLayers(
      (call) => (call.path === layer && !call.isModel ? call.outputs[0].add(more) : undefined),
      () => chosenScore(net, at, classes, "gradCam"),
    ),
  )(zeros(maps.shape));
  return relu(mean(slope, [1, 2], { keepdims: true }).mul(maps).sum(-1));
}
