/** Catalogue rows on filters and feature maps. */
import { describe, expect, test } from "vitest";
import { setSeed } from "../../src/base/context.ts";
import { grad, valueAndGrad } from "../../src/autodiff/index.ts";
import * as nn from "../../src/nn/index.ts";
import { adam } from "../../src/optim/index.ts";
import { full, sum, type Tensor, tensor, zeros } from "../../src/tensor/index.ts";
import { list, near, numbers } from "./harness.ts";

type Rows = readonly (readonly number[])[];
const image = (rows: Rows): Tensor => tensor(rows.flat(), { shape: [1, rows.length, rows[0].length, 1] });
const turned = (rows: Rows): number[][] => rows[0].map((_, i) => rows.map((r) => r[i]));

function filter(rows: Rows, options: nn.ConvOptions = {}): nn.Layer {
  const layer = nn.conv2d(1, [rows.length, rows[0].length], { useBias: false, ...options });
  layer.build([null, 16, 16, 1]);
  layer.variables[0].assign(tensor(rows.flat(), { shape: [rows.length, rows[0].length, 1, 1] }));
  return layer;
}

const SOBEL = [
  [1, 0, -1],
  [2, 0, -2],
  [1, 0, -1],
];

test("S-216 Sobel and Scharr on an edge of 10: 40 and 160", () => {
  const edge = image(Array.from({ length: 6 }, () => [10, 10, 10, 0, 0, 0]));
  near(filter(SOBEL)(edge).slice(0, 0), [0, 40, 40, 0], 0);
  near(
    filter([
      [3, 0, -3],
      [10, 0, -10],
      [3, 0, -3],
    ])(edge).slice(0, 0),
    [0, 160, 160, 0],
    0,
  );
});

test("S-217 nine weights learn to imitate Sobel to 0.01", () => {
  setSeed(1);
  const [learner, teacher] = [nn.conv2d(1, 3, { useBias: false }), filter(SOBEL)];
  const x = numbers(1, [4, 12, 12, 1]);
  const want = teacher(x);
  learner(x);
  const optimizer = adam(0.05);
  for (let i = 0; i < 400; i++)
    optimizer.update(learner, valueAndGrad(learner, () => nn.meanSquaredError(learner(x), want))[1]);
  near(learner.variables[0], SOBEL.flat(), 0.01);
});

test("S-218 blur and sharpen sum to 1, edges to 0; blur leaves a constant image as it is", () => {
  const kernels = {
    blur: Array(3).fill(Array(3).fill(1 / 9)) as Rows,
    sharpen: [
      [0, -1, 0],
      [-1, 5, -1],
      [0, -1, 0],
    ],
    edge: [
      [-1, -1, -1],
      [-1, 8, -1],
      [-1, -1, -1],
    ],
  };
  const flat = full([1, 6, 6, 1], 7);
  near(filter(kernels.blur)(flat), Array<number>(16).fill(7), 1e-5);
  near(filter(kernels.sharpen)(flat), Array<number>(16).fill(7), 1e-5);
  near(filter(kernels.edge)(flat), Array<number>(16).fill(0), 1e-5);
});

test("S-219 a detector answers 9 to its own pattern and 1 to the other", () => {
  const vertical = [
    [-1, 1, -1],
    [-1, 1, -1],
    [-1, 1, -1],
  ];
  near(filter(vertical)(image(vertical)), [9], 0);
  near(filter(vertical)(image(turned(vertical))), [1], 0);
});

test("S-222 6×6 padded by one ring keeps its size under 3×3", () => {
  expect(nn.conv2d(1, 3, { padding: "same" }).outputShape([null, 6, 6, 1])).toEqual([null, 6, 6, 1]);
});

test("S-226 an edge filter on red alone is blind to green", () => {
  const layer = nn.conv2d(1, 3, { useBias: false });
  layer.build([null, 6, 6, 3]);
  const red = SOBEL.flat().flatMap((v) => [v, 0, 0]);
  layer.variables[0].assign(tensor(red, { shape: [3, 3, 3, 1] }));
  const edge = Array.from({ length: 36 }, (_, i) => (i % 6 < 3 ? 10 : 0));
  const colour = (c: number): Tensor =>
    tensor(
      edge.flatMap((v) => [0, 1, 2].map((k) => (k === c ? v : 0))),
      { shape: [1, 6, 6, 3] },
    );
  expect(list(layer(colour(1))).every((v) => v === 0)).toBe(true);
  expect(Math.max(...list(layer(colour(0))))).toBe(40);
});

test("S-230 convolution 456 parameters, dense to the same size 14 455 392", () => {
  const conv = nn.conv2d(6, 5);
  expect(conv.outputShape([null, 32, 32, 3])).toEqual([null, 28, 28, 6]);
  const dense = nn.dense(28 * 28 * 6, { kernelInitializer: "zeros" });
  dense.build([null, 32 * 32 * 3]);
  expect([conv, dense].map((l) => nn.countParameters(l.variables))).toEqual([456, 14_455_392]);
});

test("S-242 a 5×5 neuron has 25 inputs, three stacked 3×3 see 7×7", () => {
  const seen = (net: (x: Tensor) => Tensor): number => {
    const g = grad((x: Tensor) => sum(net(x).slice(0, 3, 3)))(numbers(1, [1, 14, 14, 1]));
    return list(g).filter((v) => v !== 0).length;
  };
  expect(seen(nn.conv2d(1, 5))).toBe(25);
  expect(seen(nn.sequential([nn.conv2d(2, 3), nn.conv2d(2, 3), nn.conv2d(1, 3)]))).toBe(49);
});

test("S-246 a bottleneck of 16 needs 12 443 648 multiplications instead of 120 422 400", () => {
  const multiplies = (layer: nn.Layer, shape: nn.OpenShape): number => {
    const out = layer.outputShape(shape);
    return (out[1] as number) * (out[2] as number) * layer.variables[0].size;
  };
  const plain = multiplies(nn.conv2d(32, 5, { padding: "same" }), [null, 28, 28, 192]);
  const narrow =
    multiplies(nn.conv2d(16, 1), [null, 28, 28, 192]) +
    multiplies(nn.conv2d(32, 5, { padding: "same" }), [null, 28, 28, 16]);
  expect([plain, narrow]).toEqual([120_422_400, 12_443_648]);
});

test("S-251 the convolution agrees with naive loops on 2×7×7×3, four filters, stride 2, padding 1", () => {
  const layer = nn.conv2d(4, 3, { strides: 2, padding: "same", biasInitializer: nn.normal({ seed: 1 }) });
  const x = numbers(1, [2, 7, 7, 3]);
  const y = layer(x);
  const [w, b, xs] = [list(layer.variables[0]), list(layer.variables[1]), list(x)];
  const want: number[] = [];
  for (let n = 0; n < 2; n++)
    for (let r = 0; r < 4; r++)
      for (let c = 0; c < 4; c++)
        for (let o = 0; o < 4; o++) {
          let total = b[o];
          for (let i = 0; i < 27; i++) {
            const [kr, kc, ch] = [Math.floor(i / 9), Math.floor(i / 3) % 3, i % 3];
            const [row, column] = [2 * r + kr - 1, 2 * c + kc - 1];
            if (row >= 0 && row < 7 && column >= 0 && column < 7)
              total += xs[((n * 7 + row) * 7 + column) * 3 + ch] * w[i * 4 + o];
          }
          want.push(total);
        }
  near(y, want, 1e-5);
});

test("S-253 the first layer of LeNet exports six maps of 28×28", () => {
  const x = nn.input([28, 28, 1]);
  const net = nn.sequential([nn.conv2d(6, 5, { padding: "same" }), nn.relu, nn.flatten(), nn.dense(10)], {
    inputShape: [28, 28, 1],
  });
  const maps = nn.model(x, net.layers[0](x));
  expect(maps(zeros([1, 28, 28, 1])).shape).toEqual([1, 28, 28, 6]);
  expect(maps.variables[0]).toBe(net.variables[0]);
});

describe("the notes' 5×5 image under a 3×3 kernel", () => {
  const NOTES = [
    [1, 2, 0, 3, 1],
    [1, 0, 0, 2, 2],
    [2, 1, 2, 1, 1],
    [0, 0, 1, 0, 0],
    [1, 2, 1, 1, 1],
  ];
  const KERNEL = [
    [-1, 1, 2],
    [1, 1, 0],
    [-1, -2, 0],
  ];
  test("S-212 valid: 3×3; with −1 in the corner the first entry is 0", () => {
    near(filter(KERNEL)(image(NOTES)), [-2, -1, 3, 2, 5, 8, -2, 0, -1], 0);
    near(filter(KERNEL)(image([[-1, 2, 0, 3, 1], ...NOTES.slice(1)])), [0, -1, 3, 2, 5, 8, -2, 0, -1], 0);
  });
  test("S-213 with a ring of zeros every pixel is a centre once: by the layer that pads, and by padding same", () => {
    const want = [-1, 2, 2, -1, -2, 2, -2, -1, 3, -1, 3, 2, 5, 8, 2, 2, -2, 0, -1, -3, 1, 5, 4, 1, 2];
    near(filter(KERNEL)(nn.zeroPadding2d(1)(image(NOTES))), want, 0);
    near(filter(KERNEL, { padding: "same" })(image(NOTES)), want, 0);
  });
});

test("S-190 local response normalisation: 1/2.0001^.75 = .594581 for a lone 1; neighbours within two channels count", () => {
  const layer = nn.localResponseNorm();
  near(layer(tensor([1], { shape: [1, 1, 1, 1], dtype: "float64" })), [0.594581], 1e-6);
  const x = tensor([3, 0, 0, 4, 0, 5, 0], { shape: [1, 1, 1, 7], dtype: "float64" });
  const strong = nn.localResponseNorm({ alpha: 1, k: 1, beta: 1 });
  near(strong(x), [3 / 10, 0, 0, 4 / 42, 0, 5 / 42, 0], 1e-12);
});
