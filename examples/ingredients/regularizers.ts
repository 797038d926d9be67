/** Regularisers, on a thousand images that the network would learn by heart; each with the numbers of its row. */
import { grad, ones, random, type Tensor, variable } from "chainrule";
import * as data from "chainrule/data";
import * as nn from "chainrule/nn";
import { momentum, sgd, withProximalL1, withWeightDecay } from "chainrule/optim";
import { type EpochEnd, earlyStopping, type EarlyStoppingOptions, type RunControl } from "chainrule/train";
import type { Check, Ingredient } from "./net.ts";
import { check, f64, list, onGradients } from "./paths.ts";

const usual = () => momentum(0.03);

/** w = 1 after a step at 0.1 of a loss of slope 0.5 and this penalty. */
function stepped(row: string, penalty: nn.Regularizer, wanted: number): Check {
  const w = variable(f64([1]));
  sgd(0.1).update(
    [w],
    grad([w], () => w.mul(0.5).sum().add(penalty(w))),
  );
  return check(row, "w = 1 after a step", list(w), [wanted]);
}

/** Where early stopping ends a run with these values, and from which epoch it takes the weights; epochs count from 1. */
function stops(options: EarlyStoppingOptions, values: readonly number[]): [stopped: number, restored: number] {
  const callback = earlyStopping({ restoreBestWeights: true, ...options });
  let [epoch, stopped, restored] = [0, 0, 0];
  const control = {
    model: { weights: () => ({ epoch }), setWeights: (w: { epoch: number }) => (restored = w.epoch + 1) },
    stop: () => (stopped = epoch + 1),
  } as unknown as RunControl;
  void callback.onTrainBegin?.({} as never, control);
  for (const value of values) {
    void callback.onEpochEnd?.({ type: "epochEnd", epoch, logs: { val_loss: value } } as unknown as EpochEnd, control);
    epoch++;
    if (stopped > 0) break;
  }
  void callback.onTrainEnd?.({ type: "trainEnd" } as never, control);
  return [stopped, restored];
}
const TRACE = [0.9, 0.7, 0.6, 0.65].flatMap((v) => new Array<number>(10).fill(v));

/** What a layer that disturbs does to 40,000 ones: its values, their mean and deviation. */
function disturbed(layer: nn.Layer): { values: number[]; mean: number; std: number } {
  random.seed(1);
  const y = layer(ones([200, 200]), { training: true });
  return { values: [...new Set(list(y))].sort((a, b) => a - b), mean: y.mean().item(), std: y.std().item() };
}
/** A layer that disturbs, after both ReLUs, or where `place` says. */
const noisy = (name: string, make: (place: number) => nn.Layer | null, checks: Ingredient["checks"]): Ingredient => ({
  name,
  parts: { after: make },
  checks,
});
const penalised = (name: string, regularizer: nn.Regularizer, checks: Ingredient["checks"]): Ingredient => ({
  name,
  parts: { regularizer },
  checks,
});
const seen = (
  name: string,
  stages: readonly (data.Augmentation | data.Mixing)[],
  checks: Ingredient["checks"],
  mixes = false,
): Ingredient => ({
  name,
  data: (train) => train.mapBatches(data.augment(stages, { seed: 1, classes: 10 })),
  ...(mixes ? { loss: "categoricalCrossentropy" as const } : {}),
  checks,
});
/** A 4×4 image of 0 to 15. */
const marked = (): Tensor =>
  f64(Array.from({ length: 16 }, (_, i) => i))
    .cast("float32")
    .reshape([1, 4, 4, 1]);

export const penalties: readonly Ingredient[] = [
  { name: "none", checks: () => [] },
  penalised("L2, λ·Σw²", nn.l2(3e-3), () => [stepped("S-148", nn.l2(0.01), 0.948)]),
  penalised("L2, λ/2m·Σw²", nn.l2(4 / (2 * 1000)), () => [stepped("S-148", nn.l2(0.01 / (2 * 10)), 0.9499)]),
  penalised("L2, α/2·Σw²", nn.l2(0.01 / 2), () => [stepped("S-148", nn.l2(0.01 / 2), 0.949)]),
  {
    name: "weight decay",
    optimizer: () => withWeightDecay(usual(), 0.02, { exclude: /bias/ }),
    checks: () => [
      check(
        "S-149",
        "sgd: w(1 − αλ) − αg",
        onGradients(withWeightDecay(sgd(0.1), 0.02), [[0.5]], [1])[0],
        [0.948],
        1e-15,
      ),
    ],
  },
  penalised("L1, λ·Σ|w|", nn.l1(3e-4), () => [stepped("S-151", nn.l1(0.01), 0.949)]),
  {
    name: "L1 by its proximal step",
    optimizer: () => withProximalL1(usual(), 3e-3, { exclude: /bias/ }),
    checks: () => {
      const at = (start: number): number[] => onGradients(withProximalL1(sgd(0.1), 0.01), [[0]], [start])[0];
      return [check("S-152", "w = 1 and 0.0005 without a gradient", [...at(1), ...at(0.0005)], [0.999, 0], 1e-12)];
    },
  },
  penalised("elastic net", nn.l1l2({ l1: 1e-4, l2: 1e-3 }), () => {
    const penalty = nn
      .l1l2({ l1: 1 / 10, l2: 1 / 20 })(f64([1, -2]))
      .item();
    return [stepped("S-153", nn.l1l2({ l1: 0.01, l2: 0.01 }), 0.947), check("S-099", "θ = (1, −2)", [penalty], [0.55])];
  }),
  {
    name: "activity L1",
    parts: { activity: nn.l1(1e-5) },
    checks: () => [],
  },
  {
    name: "max norm 0.8",
    parts: { constraint: (rank) => nn.maxNorm({ maxValue: 0.8, axis: rank === 4 ? [0, 1, 2] : 0 }) },
    checks: () => [
      check(
        "",
        "(3, 4) and (.6, .8) at 1",
        list(nn.maxNorm({ maxValue: 1 })(f64([3, 0.6, 4, 0.8]).reshape([2, 2]))),
        [0.6, 0.6, 0.8, 0.8],
        1e-6,
      ),
    ],
  },
  {
    name: "unit norm",
    parts: { constraint: (rank) => nn.unitNorm({ axis: rank === 4 ? [0, 1, 2] : 0 }) },
    checks: () => [check("", "(3, 4)", list(nn.unitNorm()(f64([3, 4]).reshape([2, 1]))), [0.6, 0.8], 1e-6)],
  },
];

export const disturbances: readonly Ingredient[] = [
  { name: "none", checks: () => [] },
  noisy(
    "dropout, inverted",
    () => nn.dropout(0.3),
    () => {
      const { values, mean } = disturbed(nn.dropout(0.2));
      return [
        check("S-157", "keep .8 of ones: values", values, [0, 1.25]),
        check("S-157", "their mean", [mean], [1], 0.01),
      ];
    },
  ),
  noisy(
    "dropout, scaled in evaluation",
    () => nn.dropout(0.3, { inverted: false }),
    () => {
      const layer = nn.dropout(0.3, { inverted: false });
      return [
        check(
          "S-156",
          "mean in training is the output in evaluation",
          [disturbed(layer).mean],
          [layer(ones([1, 1])).item()],
          0.01,
        ),
      ];
    },
  ),
  noisy(
    "spatial dropout (convolution)",
    (place) => (place === 0 ? nn.spatialDropout2d(0.25) : null),
    () => {
      random.seed(1);
      const y = nn.spatialDropout2d(0.5)(ones([4, 3, 3, 8]), { training: true });
      return [
        check(
          "",
          "channels are kept or dropped as wholes",
          [...new Set(list(y.mean([1, 2])))].sort((a, b) => a - b),
          [0, 2],
        ),
      ];
    },
  ),
  noisy(
    "Gaussian dropout",
    () => nn.gaussianDropout(0.3),
    () => {
      const { mean, std } = disturbed(nn.gaussianDropout(0.2));
      return [check("", "ones become N(1, ¼)", [mean, std], [1, 0.5], 0.01)];
    },
  ),
  noisy(
    "alpha dropout",
    () => nn.alphaDropout(0.1),
    () => {
      random.seed(1);
      const y = nn.alphaDropout(0.2)(random.normal([400, 400]), { training: true });
      return [check("", "N(0, 1) keeps mean and deviation", [y.mean().item(), y.std().item()], [0, 1], 0.01)];
    },
  ),
  {
    name: "noise on the input",
    parts: { first: () => nn.gaussianNoise(0.2) },
    checks: () => [check("S-167", "variance over .04", [disturbed(nn.gaussianNoise(0.2)).std ** 2 / 0.04], [1], 0.02)],
  },
  noisy(
    "noise on hidden units",
    () => nn.gaussianNoise(0.3),
    () => [check("S-167", "variance over .09", [disturbed(nn.gaussianNoise(0.3)).std ** 2 / 0.09], [1], 0.02)],
  ),
  {
    name: "label smoothing 0.1",
    loss: nn.sparseCategoricalCrossentropy({ labelSmoothing: 0.1 }),
    checks: () => {
      // Slopes by the logits are p − y, and p is .1 at zeros.
      const loss = nn.categoricalCrossentropy({ labelSmoothing: 0.1, fromLogits: true });
      const y = f64([1, ...new Array<number>(9).fill(0)]).reshape([1, 10]);
      const slopes = grad((z: Tensor) => loss(z, y))(y.mul(0));
      const smooth = list(slopes).map((g) => 0.1 - g);
      return [check("S-168", "labels of ten classes", smooth, [0.91, ...new Array<number>(9).fill(0.01)], 1e-6)];
    },
  },
  {
    name: "early stopping, first rise",
    epochs: 20,
    holdOut: 0.2,
    callbacks: () => [earlyStopping({ every: 2, restoreBestWeights: true })],
    checks: () => [check("S-162", ".9, .7, .6, .65: stops, restores", stops({ every: 10 }, TRACE), [40, 30])],
  },
  {
    name: "early stopping, best of all",
    holdOut: 0.2,
    callbacks: () => [earlyStopping({ patience: 5, restoreBestWeights: true })],
    checks: () => [
      check("S-163", "the same trace to its end: restores", [stops({ every: 10, patience: 9 }, TRACE)[1]], [30]),
    ],
  },
];

export const augmentations: readonly Ingredient[] = [
  { name: "none", checks: () => [] },
  seen("shifted by up to 2 pixels", [data.randomCrop([28, 28], { padding: 2 })], () => {
    const moved = data.affineImages(marked(), { right: 0.25 });
    return [check("S-165", "a pixel to the right: first row", list(moved).slice(0, 4), [0, 0, 1, 2], 1e-5)];
  }),
  seen("turned by up to 10°", [data.randomRotation(10)], () => {
    const four = [0, 1, 2, 3].reduce((x) => data.rotate90(x), marked());
    return [check("S-165", "four quarter turns", list(four), list(marked()), 0)];
  }),
  seen("scaled by up to 10 %", [data.randomZoom([0.9, 1.1])], () => [
    check("S-165", "at scale 1 as it was", list(data.affineImages(marked(), { scale: 1 })), list(marked()), 0),
  ]),
  seen("sheared", [data.randomShear(10)], () => []),
  seen("elastic", [data.elastic({ alpha: 6, sigma: 3 })], () => [
    check("S-166", "α 0 changes nothing", list(data.elastic({ alpha: 0, sigma: 2 })(marked())), list(marked()), 1e-5),
  ]),
  seen("blurred", [data.randomBlur(1, 0.5)], () => {
    const flat = ones([1, 9, 7, 1]).mul(0.37);
    return [check("S-166", "a constant image", list(data.gaussianBlur(flat, 1)), list(flat), 1e-6)];
  }),
  seen("brightness, contrast", [data.randomBrightness(0.2), data.randomContrast(0.3)], () => {
    const bytes = f64([10, 200, 250]).cast("float32").reshape([1, 1, 3, 1]);
    const found = list(data.adjustBrightness(bytes, 100, { range: [0, 255] }));
    return [check("S-166", "10, 200, 250 brighter by 100, clipped", found, [110, 255, 255])];
  }),
  seen("cutout", [data.cutout({ size: 8 })], () => {
    random.seed(1);
    const holes = list(data.cutout({ size: 4 })(ones([1, 64, 64, 1]))).filter((v) => v === 0).length;
    return [check("", "a hole of 4 × 4 pixels, less beyond the border", [Number(holes >= 4 && holes <= 16)], [1])];
  }),
  seen("mixup", [data.mixup({ alpha: 0.2 })], () => mixes(data.mixup({ alpha: 0.4 })), true),
  seen("CutMix", [data.cutmix()], () => mixes(data.cutmix()), true),
];

/** Images that show their class: mixed, their mean brightness is what the mixed labels say. */
function mixes(mixing: data.Mixing): Check[] {
  random.seed(3);
  const labels = f64([0, 1, 1, 0, 0, 1]).cast("float32").reshape([3, 2]);
  const images = labels
    .slice([0, 3], [1, 2])
    .reshape([3, 1, 1, 1])
    .mul(ones([3, 8, 8, 1]));
  const [x, y] = mixing(images, labels);
  return [check("", "labels are mixed as images are", list(x.mean([1, 2, 3])), list(y.slice([0, 3], [1, 2])), 1e-5)];
}
