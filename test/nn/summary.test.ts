/** What `summary()` says of well-known networks; parameters and multiply-adds are worked out here by hand. */
import { describe, expect, test } from "vitest";
import * as nn from "../../src/nn/index.ts";
import { scan } from "../../src/autodiff/index.ts";
import { add, matmul, type Tensor, tensor } from "../../src/tensor/index.ts";

const { batchNorm, conv2d, dense, flatten, globalAvgPool, input, maxPool2d, relu, sequential } = nn;

/** Parameters and multiply-adds of a table's last row. */
const totals = (text: string): number[] =>
  /^Total +([\d,]+) +([\d,]+)$/m
    .exec(text)!
    .slice(1)
    .map((n) => Number(n.replaceAll(",", "")));
const rowOf = (text: string, name: string): string[] =>
  text
    .split("\n")
    .find((line) => line.startsWith(`${name} (`))!
    .split(/ {2,}/);

/** 1×1, 3×3, 1×1 with a shortcut; `first` says which convolution has the stride. */
function bottleneck(x: nn.Symbolic, width: number, strides: number, first: boolean): nn.Symbolic {
  const conv = (filters: number, size: number, s: number, at: nn.Symbolic): nn.Symbolic =>
    batchNorm()(conv2d(filters, size, { strides: s, padding: "same", kernelInitializer: "zeros" })(at));
  const projected = strides > 1 || x.shape[3] !== 4 * width ? conv(4 * width, 1, strides, x) : x;
  const a = relu1(conv(width, 1, first ? strides : 1, x));
  const b = relu1(conv(width, 3, first ? 1 : strides, a));
  return relu1(nn.add()([conv(4 * width, 1, 1, b), projected]));
}
const relu1 = (x: nn.Symbolic): nn.Symbolic => nn.activation("relu")(x);

function resnet50(first: boolean): nn.ModelBase {
  const x = input([224, 224, 3]);
  let y = conv2d(64, 7, { strides: 2, padding: "same", kernelInitializer: "zeros" })(x);
  y = maxPool2d(3, { strides: 2, padding: "same" })(relu1(batchNorm()(y)));
  for (const [stage, blocks] of [3, 4, 6, 3].entries())
    for (let i = 0; i < blocks; i++) y = bottleneck(y, 64 * 2 ** stage, i === 0 && stage > 0 ? 2 : 1, first);
  return nn.model(x, dense(1000, { kernelInitializer: "zeros" })(globalAvgPool()(y)));
}

/** The same by hand: every convolution is (size of its output) · (products an output). */
function resnet50ByHand(first: boolean): number {
  let sum = 112 ** 2 * 64 * 49 * 3;
  let channels = 64;
  for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
    const width = 64 * 2 ** stage;
    const out = (56 / 2 ** stage) ** 2;
    for (let i = 0; i < blocks; i++) {
      const before = i === 0 && stage > 0 ? 4 * out : out;
      sum += (first ? out : before) * channels * width + out * (9 * width * width + width * 4 * width);
      if (i === 0) sum += out * channels * 4 * width;
      channels = 4 * width;
    }
  }
  return sum + 2048 * 1000;
}

describe("summary", () => {
  test("LeNet-5: the whole table", () => {
    const lenet = sequential(
      [
        conv2d(6, 5, { padding: "same" }), relu, maxPool2d(2), conv2d(16, 5), relu, maxPool2d(2),
        flatten(), dense(120), relu, dense(84), relu, dense(10),
      ],
      { inputShape: [28, 28, 1], name: "lenet5" },
    ); // prettier-ignore
    expect(lenet.summary()).toMatchInlineSnapshot(`
      "Model "lenet5"

      Layer (class)            Output shape         Parameters  Multiply-adds
      conv2d (conv2d)          [batch, 28, 28, 6]          156        117,600
      relu (relu)              [batch, 28, 28, 6]            0              0
      maxPool2d (maxPool2d)    [batch, 14, 14, 6]            0              0
      conv2d_1 (conv2d)        [batch, 10, 10, 16]       2,416        240,000
      relu_1 (relu)            [batch, 10, 10, 16]           0              0
      maxPool2d_1 (maxPool2d)  [batch, 5, 5, 16]             0              0
      flatten (flatten)        [batch, 400]                  0              0
      dense (dense)            [batch, 120]             48,120         48,000
      relu_2 (relu)            [batch, 120]                  0              0
      dense_1 (dense)          [batch, 84]              10,164         10,080
      relu_3 (relu)            [batch, 84]                   0              0
      dense_2 (dense)          [batch, 10]                 850            840
      Total                                             61,706        416,520

      Trainable 61,706, not trainable 0, 242 KB."
    `);
    const products = 28 ** 2 * 25 * 6 + 10 ** 2 * 25 * 6 * 16 + 400 * 120 + 120 * 84 + 84 * 10;
    expect(totals(lenet.summary())).toEqual([61_706, products]);
    expect(nn.costsOf(lenet).multiplyAdds).toBe(products);
  });

  test("VGG-16: 15.47 G with its three dense layers, 15.35 G without", () => {
    const convs = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0];
    const vgg = convs.map((filters) =>
      filters === 0 ? maxPool2d(2) : conv2d(filters, 3, { padding: "same", kernelInitializer: "zeros" }),
    );
    let [size, channels, byHand] = [224, 3, 0];
    for (const filters of convs) {
      if (filters === 0) size /= 2;
      else {
        byHand += size * size * 9 * channels * filters;
        channels = filters;
      }
    }
    expect(totals(sequential(vgg, { inputShape: [224, 224, 3] }).summary())).toEqual([14_714_688, byHand]);
    const head = [flatten(), dense(4096), dense(4096), dense(1000)];
    const whole = nn.costsOf([...vgg, ...head], [224, 224, 3]).multiplyAdds;
    expect(whole).toBe(byHand + 25_088 * 4096 + 4096 * 4096 + 4096 * 1000);
    expect(Math.round(whole / 1e7) / 100).toBe(15.47);
  });

  test("ResNet-50: 4.09 G with the stride in the 3×3 convolutions, 3.86 G in the first of each block", () => {
    for (const [first, billions] of [
      [false, 4.09],
      [true, 3.86],
    ] as const) {
      const text = resnet50(first).summary();
      const [parameters, products] = totals(text);
      expect(products).toBe(resnet50ByHand(first));
      expect(Math.round(products / 1e7) / 100).toBe(billions);
      // Keras' count, with the biases of its convolutions.
      expect(parameters).toBe(25_636_712);
      expect(text).toContain("Trainable 25,583,592, not trainable 53,120,");
    }
  });

  test("what is inside counts: nested models, wrappers, a loop of one's own; dtypes go from layer to layer", () => {
    const inner = sequential([dense(8), relu, dense(4)]);
    const w = tensor([[1, 2], [3, 4]]); // prettier-ignore
    const loop = nn.lambda((x: Tensor) => scan((h: Tensor) => [add(matmul(h, w), 1), null], x, null, { length: 7 })[0]);
    const net = sequential([nn.embedding(9, 6), nn.timeDistributed(inner), flatten(), dense(2), loop], {
      inputShape: [5],
      inputDtype: "int32",
    });
    const text = net.summary();
    expect(rowOf(text, "timeDistributed")[3]).toBe(String(5 * (6 * 8 + 8 * 4)));
    expect(rowOf(text, "dense")[3]).toBe("40");
    expect(rowOf(text, "lambda")[3]).toBe(String(7 * 4));
    expect(totals(text)).toEqual([54 + 56 + 36 + 42, 400 + 40 + 28]);
  });

  test("sizes that are open leave the count open; a shared layer counts its products at each call", () => {
    const open = nn.model(...(([x]) => [x, dense(3)(x)] as const)([input([null, 4])]));
    expect(rowOf(open.summary(), "dense").slice(1)).toEqual(["[batch, ?, 3]", "15", "?", "input"]);
    const shared = dense(4);
    const x = input([4]);
    const twice = nn.model(x, shared(shared(x))).summary();
    expect(totals(twice)).toEqual([20, 32]);
    expect(twice).toMatch(/shared +16/);
    expect(sequential([dense(2)]).summary()).toMatch(/dense \(dense\) +\? +\? +\?\nTotal +\? +\?\n\nNot built yet/);
  });
});
