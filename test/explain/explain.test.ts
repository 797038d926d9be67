import { beforeAll, describe, expect, test } from "vitest";
import { grad, random, type Tensor, tensor, zeros } from "../../src/index.ts";
import { setSeed } from "../../src/base/context.ts";
import { mnist } from "../../src/data/index.ts";
import {
  classActivationMap,
  featureMaps,
  filterPictures,
  gradCam,
  integratedGradients,
  occlusion,
  plotModel,
  saliency,
  smoothGrad,
} from "../../src/explain/index.ts";
import { decodePng, encodePng } from "../../src/io/index.ts";
import {
  add,
  conv2d,
  dense,
  dropout,
  flatten,
  globalAvgPool,
  input,
  layerOutputs,
  maxPool2d,
  model,
  type Model,
  relu,
  sequential,
  softmax,
  tapLayers,
} from "../../src/nn/index.ts";
import { adam } from "../../src/optim/index.ts";
import { pictureSheet } from "../../src/viz/index.ts";

const [SIDE, CLASSES] = [28, 10];
/** A network for digits, trained for some seconds; its last layer is a softmax that explanations must see through. */
let net: Model;
let images: Tensor;
let labels: number[];

beforeAll(async () => {
  const { train, test: held } = await mnist();
  setSeed(3);
  net = sequential(
    [
      conv2d(6, 5, { padding: "same", activation: "relu", name: "c1" }),
      maxPool2d(2),
      conv2d(24, 3, { activation: "relu", name: "c2" }),
      globalAvgPool(),
      dense(CLASSES),
      softmax,
    ],
    { inputShape: [SIDE, SIDE, 1] },
  );
  net.compile({ optimizer: adam(1e-2), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  await net.fit(train.take(6000), { epochs: 4, batchSize: 64, shuffle: true, verbose: 0 });
  const [batch] = held.batches(64, {});
  images = tensor(batch.x.data, { shape: batch.x.shape });
  labels = Array.from(batch.y!.data);
}, 120_000);

/** Whether a pixel belongs to the digit, with a margin of one pixel. */
function onDigit(pixels: ArrayLike<number>, at: number): boolean {
  const [row, column] = [Math.floor(at / SIDE), at % SIDE];
  for (let y = row - 1; y <= row + 1; y++)
    for (let x = column - 1; x <= column + 1; x++)
      if (y >= 0 && y < SIDE && x >= 0 && x < SIDE && pixels[y * SIDE + x] > 0.2) return true;
  return false;
}

const top = (values: ArrayLike<number>, n: number): number[] =>
  Array.from(values, (v, i) => [v, i])
    .sort((a, b) => b[0] - a[0])
    .slice(0, n)
    .map(([, i]) => i);

describe("saliency", () => {
  test("S-423 the 50 most salient pixels of a digit lie on it", async () => {
    const { train } = await mnist();
    const lenet = sequential(
      [
        conv2d(6, 5, { padding: "same" }),
        relu,
        maxPool2d(2),
        conv2d(16, 5),
        relu,
        maxPool2d(2),
        flatten(),
        dense(84),
        relu,
        dense(CLASSES),
      ],
      { inputShape: [SIDE, SIDE, 1] },
    );
    lenet.compile({ optimizer: adam(2e-3), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
    await lenet.fit(train.take(20000), { epochs: 3, batchSize: 64, verbose: 0 });
    const maps = saliency(lenet, images, { classes: labels }).dataSync();
    const shares = Array.from({ length: 64 }, (_, i) => {
      const pixels = images.dataSync().subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE);
      const best = top(maps.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE), 50);
      return best.filter((at) => onDigit(pixels, at)).length / 50;
    });
    expect(shares.reduce((a, b) => a + b) / 64).toBeGreaterThanOrEqual(0.6);
  });

  test("S-423 the gradient of the score before softmax agrees with differences to 1e-5", () => {
    const [w, v] = [random.normal([12, 5], { dtype: "float64" }), random.normal([5, 3], { dtype: "float64" })];
    const scores = (x: Tensor): Tensor => x.reshape([1, -1]).matmul(w).tanh().matmul(v);
    const x = random.normal([1, 2, 3, 2], { dtype: "float64" });
    const map = saliency((at: Tensor) => softmax(scores(at)), x, { classes: 1 });
    const at = Float64Array.from(x.dataSync());
    const slopes = Array.from(at, (_, i) => {
      const score = (by: number): number =>
        scores(
          tensor(
            at.map((u, j) => (j === i ? u + by : u)),
            { shape: x.shape, dtype: "float64" },
          ),
        ).dataSync()[1];
      return Math.abs(score(1e-5) - score(-1e-5)) / 2e-5;
    });
    map
      .dataSync()
      .forEach((m, i) => expect(Math.abs(m - Math.max(slopes[2 * i], slopes[2 * i + 1]))).toBeLessThan(1e-5));
  });

  test("SmoothGrad without noise is saliency, with noise repeatable", () => {
    const x = images.slice([0, 2]);
    expect(smoothGrad(net, x, { noise: 0, samples: 2 }).dataSync()).toEqual(saliency(net, x).dataSync());
    const twice = [1, 2].map(() => {
      setSeed(9);
      return smoothGrad(net, x, { samples: 3 }).dataSync();
    });
    expect(twice[0]).toEqual(twice[1]);
    expect(twice[0]).not.toEqual(saliency(net, x).dataSync());
  });

  test("integrated gradients add up to the difference of the scores", () => {
    const x = images.slice([0, 4]);
    const classes = labels.slice(0, 4);
    const parts = integratedGradients(net, x, { classes, steps: 200 });
    expect(parts.shape).toEqual(x.shape);
    const scores = (at: Tensor): Tensor => layerOutputs(net, at)["dense"];
    const [full, none] = [scores(x).dataSync(), scores(zeros(x.shape)).dataSync()];
    parts
      .sum([1, 2, 3])
      .dataSync()
      .forEach((sum, i) =>
        expect(Math.abs(sum - (full[10 * i + classes[i]] - none[10 * i + classes[i]]))).toBeLessThan(0.05),
      );
  });

  test("errors", () => {
    const x = images.slice([0, 1]);
    expect(() => saliency(net, x, { classes: 10 })).toThrow("[saliency] class 10 is not in 0..9");
    expect(() => saliency(net, x, { classes: [1, 2] })).toThrow("[saliency] 2 classes for 1 samples");
    expect(() => saliency((at: Tensor) => at, x)).toThrow("[saliency] the network must give one score a class");
    expect(() => integratedGradients(net, x, { baseline: zeros([3]) })).toThrow("baseline [3] does not broadcast");
    expect(() => smoothGrad(net, x, { samples: 0 })).toThrow("samples must be a whole number");
  });
});

describe("occlusion", () => {
  test("S-424 hiding the digit lowers its probability; the map has ((n − k)/s + 1)² places", () => {
    const right = labels.findIndex((label, i) => predicted(i) === label);
    const image = images.slice([right, right + 1]);
    const map = occlusion(net, image, { size: 8, stride: 4, classes: labels[right] });
    expect(map.shape).toEqual([6, 6]);
    const drops = map.dataSync();
    const pixels = image.dataSync();
    const ink = (place: number): number => {
      const [row, column] = [4 * Math.floor(place / 6), 4 * (place % 6)];
      let sum = 0;
      for (let y = row; y < row + 8; y++) for (let x = column; x < column + 8; x++) sum += pixels[y * SIDE + x];
      return sum;
    };
    const best = top(drops, 1)[0];
    expect(drops[best]).toBeGreaterThan(0.1);
    expect(ink(best)).toBeGreaterThan(0);
    // Where nothing is hidden nothing changes.
    drops.forEach((d, i) => ink(i) === 0 && expect(Math.abs(d)).toBeLessThan(1e-6));
    // Hiding the whole picture at once is the network on an empty one.
    const whole = occlusion(net, image, { size: SIDE, classes: labels[right] });
    const p = (x: Tensor): number => net(x).dataSync()[labels[right]];
    expect(whole.item()).toBeCloseTo(p(image) - p(zeros(image.shape)), 5);
  });

  const predicted = (i: number): number => top(net(images.slice([i, i + 1])).dataSync(), 1)[0];

  test("errors", () => {
    expect(() => occlusion(net, images, { size: 4 })).toThrow("[occlusion] takes one picture");
    expect(() => occlusion(net, images.slice([0, 1]), { size: 29 })).toThrow("does not fit into 28 × 28");
    expect(() => occlusion(net, images.slice([0, 1]), { size: 4, stride: 0 })).toThrow("stride must be a whole number");
  });
});

describe("class activation maps", () => {
  test("S-425 the mean of the map plus the bias is the class score", () => {
    const small = sequential(
      [conv2d(8, 3, { activation: "relu" }), globalAvgPool(), dense(4, { biasInitializer: "uniform" })],
      {
        inputShape: [9, 9, 2],
        inputDtype: "float64",
      },
    );
    const x = random.normal([5, 9, 9, 2], { dtype: "float64" });
    const classes = [0, 1, 2, 3, 1];
    const maps = classActivationMap(small, x, { classes });
    expect(maps.shape).toEqual([5, 7, 7]);
    const scores = small(x).dataSync();
    const bias = small.variables.find((v) => v.name === "dense/bias")!.dataSync();
    maps
      .mean([1, 2])
      .dataSync()
      .forEach((m, i) => expect(Math.abs(m + bias[classes[i]] - scores[4 * i + classes[i]])).toBeLessThan(1e-6));
  });

  test("S-425 the peak of the map lies on the digit", () => {
    const maps = classActivationMap(net, images, { classes: labels });
    const [batch, h, w] = maps.shape;
    expect([batch, h, w]).toEqual([64, 12, 12]);
    const hits = Array.from({ length: batch }, (_, i) => {
      const peak = top(maps.dataSync().subarray(i * h * w, (i + 1) * h * w), 1)[0];
      // A cell of the map sees the pixels around twice its place (pooling by 2, then 3 × 3).
      const [row, column] = [2 * Math.floor(peak / w) + 2, 2 * (peak % w) + 2];
      const pixels = images.dataSync().subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE);
      for (let y = row - 4; y <= row + 4; y++)
        for (let x = column - 4; x <= column + 4; x++) if (pixels[y * SIDE + x] > 0.2) return true;
      return false;
    }).filter(Boolean).length;
    expect(hits / batch).toBeGreaterThanOrEqual(0.7);
  });

  test("Grad-CAM of the pooled layer is the positive part of the class activation map over its area", () => {
    const some = images.slice([0, 4]);
    const [cam, grads] = [classActivationMap(net, some), gradCam(net, some, { layer: "c2" })];
    const area = cam.shape[1] * cam.shape[2];
    const want = cam.relu().dataSync();
    grads.dataSync().forEach((g, i) => expect(Math.abs(g * area - want[i])).toBeLessThan(1e-4));
    expect(gradCam(net, some).dataSync()).toEqual(grads.dataSync());
    expect(gradCam(net, some, { layer: "c1" }).shape).toEqual([4, SIDE, SIDE]);
  });

  test("errors", () => {
    const other = sequential([flatten(), dense(3)], { inputShape: [4, 4, 1] });
    expect(() => classActivationMap(other, zeros([1, 4, 4, 1]))).toThrow("ends in globalAvgPool() and one dense layer");
    expect(() => gradCam(other, zeros([1, 4, 4, 1]))).toThrow("no layer of the network gives maps");
    expect(() => gradCam(net, images, { layer: "c9" })).toThrow('there is no layer "c9": there are c1,');
    expect(() => gradCam(net, images, { layer: "dense" })).toThrow('layer "dense" gives [64, 10], not maps');
  });
});

describe("pictures", () => {
  test("S-426 six filters of 5 × 5 and six maps of 28 × 28, as PNG", async () => {
    const filters = filterPictures(net.layer("c1"));
    expect(filters.map((p) => [p.width, p.height])).toEqual(Array.from({ length: 6 }, () => [5, 5]));
    const maps = featureMaps(net, images.slice([0, 1]), "c1");
    expect(maps.map((p) => [p.width, p.height])).toEqual(Array.from({ length: 6 }, () => [28, 28]));
    // The filter's values, on one scale with 0 in the middle.
    const kernel = net.variables.find((v) => v.name === "c1/kernel")!.dataSync();
    const scale = Math.max(...kernel.map(Math.abs));
    expect(filters[2].data[7]).toBeCloseTo((kernel[7 * 6 + 2] / scale + 1) / 2, 6);
    for (const [pictures, options, size] of [
      [filters, { palette: "signed", zoom: 10, columns: 3, gap: 2 }, [158, 106]],
      [maps, { zoom: 2, columns: 3, gap: 4 }, [184, 124]],
    ] as const) {
      const image = await decodePng(await encodePng(pictureSheet(pictures, options)));
      expect([image.width, image.height, image.channels]).toEqual([...size, 3]);
    }
    expect(() => filterPictures(net.layer("dense"))).toThrow("take a conv2d layer");
    expect(() => featureMaps(net, images, "c1")).toThrow("takes one picture");
    expect(() => featureMaps(net, images.slice([0, 1]), "c7")).toThrow("there is no layer");
  });

  test("a model as a graph: branches, parameters, dropout told apart from what it passes on", async () => {
    const x = input([8, 8, 3]);
    const stem = relu(conv2d(4, 3, { padding: "same", name: "stem" })(x));
    const out = dense(2, { name: "head" })(globalAvgPool()(add()([stem, dropout(0.5)(stem)])));
    const svg = await plotModel(model(x, out));
    const text = [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, t]) => t);
    expect(text).toEqual(
      expect.arrayContaining([
        "input",
        "[batch, 8, 8, 3]",
        "stem (conv2d)",
        "112 parameters",
        "dropout",
        "add",
        "head (dense)",
        "10 parameters",
        "[batch, 2]",
      ]),
    );
    // input, stem, relu, dropout, add, pool, head; the sum has two edges.
    expect(svg.match(/<rect [^>]*rx=/g)).toHaveLength(7);
    expect(svg.match(/marker-end/g)).toHaveLength(7);
    const nested = sequential([sequential([dense(3)]), relu], { inputShape: [2] });
    expect((await plotModel(nested)).match(/<rect [^>]*rx=/g)).toHaveLength(3);
    await expect(plotModel(sequential([dense(3)]))).rejects.toThrow("is not built");
  });
});

test("taps see every call, may replace results, and nest; gradients pass through", () => {
  const small = sequential([dense(3, { name: "a" }), relu, dense(1, { name: "b" })], { inputShape: [2] });
  const seen: string[] = [];
  const x = tensor([[1, 2]]);
  const doubled = tapLayers(
    (call) => {
      seen.push(call.path);
      return call.path === "b" ? call.outputs[0].mul(2) : undefined;
    },
    () =>
      tapLayers(
        (call) => void seen.push(`inner ${call.path}`),
        () => small(x),
      ),
  );
  expect(seen).toEqual(["a", "inner a", "relu", "inner relu", "b", "inner b", "sequential", "inner sequential"]);
  expect(doubled.item()).toBeCloseTo(2 * small(x).item(), 6);
  const slope = grad((more: Tensor) =>
    tapLayers(
      (call) => (call.path === "a" ? call.outputs[0].add(more) : undefined),
      () => small(x).sum(),
    ),
  )(zeros([1, 3]));
  const kernel = small.variables.find((v) => v.name === "b/kernel")!.dataSync();
  const hidden = layerOutputs(small, x)["relu"].dataSync();
  expect([...slope.dataSync()]).toEqual(Array.from(kernel, (k, i) => (hidden[i] > 0 ? k : 0)));
  expect(() => layerOutputs((t: Tensor) => t, x)).toThrow("no layer was called");
});
