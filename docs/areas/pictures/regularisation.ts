/** Weights by the factor of a penalty, learning curves of regularised networks, and what augmentation does to digits. */
import { compiled, mean, random, type Tensor, tensor, valueAndGrad, variable } from "chainrule";
import { linearRegression } from "chainrule/classic";
import {
  type Augmentation, bostonHousing, cutout, elastic, gaussianNoise, mnist, randomBlur, randomBrightness, randomRotation, randomShear, randomTranslation, randomZoom,
  standardScaler,
} from "chainrule/data";
import { dense, dropout, flatten, l2, type LayerLike, relu, sequential } from "chainrule/nn";
import { adam, sgd, withProximalL1 } from "chainrule/optim";
import { lineChart, pictureSheet } from "chainrule/viz";
import { grid, type Pictures, pixels, range, svg } from "./lib.ts";

const factors = range(-3, 0.7, 24).map((e) => 10 ** e);

/** Weights of a regression on the Boston table for each factor λ of a penalty. */
async function weightPaths() {
  const table = await bostonHousing();
  const data = standardScaler().fitTransform(table.data);
  const n = data.length;
  const [batch] = data.batches(n);
  const x = tensor(batch.x.data, { shape: batch.x.shape });
  const y = standardScaler().fitTransform(tensor(batch.y!.data)).reshape([n]);
  const names = ["rm", "lstat", "ptratio", "dis", "nox", "zn"];
  const places = names.map((name) => table.featureNames.indexOf(name));
  const curves = (weights: readonly ArrayLike<number>[]) =>
    Object.fromEntries(names.map((name, k) => [name, weights.map((w) => w[places[k]])]));
  const ridge = factors.map((l) => linearRegression({ l2: l * n }).fit(x, Array.from(y.dataSync())).coefficients.dataSync());
  const lasso = factors.map((l) => {
    const w = variable(new Array<number>(13).fill(0), { name: "w" });
    const optimizer = withProximalL1(sgd(0.1), l / 2);
    const step = compiled(() => {
      const [loss, grads] = valueAndGrad([w], () => mean(x.matmul(w).sub(y).square()).mul(0.5));
      optimizer.update([w], grads);
      return loss;
    });
    for (let i = 0; i < 800; i++) step();
    return w.dataSync();
  });
  return { ridge: curves(ridge), lasso: curves(lasso) };
}

/** Loss by epoch of a network on 500 digits, on those and on 2,000 others. */
async function learning(layers: () => LayerLike[]) {
  random.seed(3);
  const { train, test } = await mnist();
  const net = sequential([flatten(), ...layers()], { inputShape: [28, 28, 1] });
  net.compile({ optimizer: adam(1e-3), loss: "sparseCategoricalCrossentropy", metrics: ["sparseCategoricalCrossentropy"] });
  const name = "sparseCategoricalCrossentropy";
  const { history } = await net.fit(train.take(500), { epochs: 60, batchSize: 32, validationData: test.take(2000), verbose: 0 });
  return { train: history[name].map((v) => Math.max(v, 1e-3)), dev: history[`val_${name}`] };
}

async function augmented(): Promise<string> {
  const { test } = await mnist();
  const [batch] = test.batches(4);
  const digits = tensor(batch.x.data, { shape: batch.x.shape }).astype("float32");
  const looks: Readonly<Record<string, Augmentation | null>> = {
    original: null,
    rotate: randomRotation(25),
    zoom: randomZoom([0.7, 1.3]),
    shear: randomShear(25),
    shift: randomTranslation(0.2),
    elastic: elastic({ alpha: 12, sigma: 3 }),
    blur: randomBlur(1.2, 1),
    noise: gaussianNoise(0.2),
    bright: randomBrightness(0.5),
    cutout: cutout({ size: 10, fill: 0.5 }),
  };
  const columns = Object.values(looks).map((f): Tensor => (f === null ? digits : f(digits, { key: random.key(8) })));
  const pictures = [0, 1, 2, 3].flatMap((row) =>
    columns.map((c) => ({ width: 28, height: 28, data: Array.from(c.at(row).dataSync()) })),
  );
  return pixels(pictureSheet(pictures, { columns: columns.length, zoom: 2 }), { columns: Object.keys(looks), scale: 1.1 });
}

export async function draw(): Promise<Pictures> {
  const { ridge, lasso } = await weightPaths();
  const options = { xs: factors, logX: true, points: false, x: "λ", y: "weight", width: 280, height: 190 };
  const plain = await learning(() => [dense(128), relu, dense(10)]);
  const dropped = await learning(() => [dense(128), relu, dropout(0.5), dense(10)]);
  const decayed = await learning(() => [dense(128, { kernelRegularizer: l2(3e-3) }), relu, dense(10, { kernelRegularizer: l2(3e-3) })]);
  const curve = { x: "epoch", y: "cross-entropy", logY: true, points: false, width: 280, height: 190 };
  return {
    "regularisation-weights": await svg(
      grid([lineChart(ridge, { ...options, title: "L2: weights shrink" }), lineChart(lasso, { ...options, title: "L1: weights become 0" })]),
    ),
    "regularisation-curves": await svg(
      grid([
        lineChart({ plain: plain.train, "dropout 0.5": dropped.train, "L2 0.003": decayed.train }, { ...curve, title: "on the 500 digits trained on" }),
        lineChart(
          { plain: plain.dev.slice(8), "dropout 0.5": dropped.dev.slice(8), "L2 0.003": decayed.dev.slice(8) },
          { ...curve, logY: false, xs: range(9, 60, 52), title: "on 2,000 others" },
        ),
      ]),
    ),
    "regularisation-augment": await augmented(),
  };
}
