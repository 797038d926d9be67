import { describe, test } from "vitest";
import * as nn from "../../src/nn/index.ts";
import { checkLayer, type LayerCase } from "./harness.ts";

const image = [2, 6, 5, 3];

const CASES: LayerCase[] = [
  { name: "dense", make: () => nn.dense(4), inputs: [[3, 5]], output: [3, 4], variables: [[5, 4], [4]] },
  {
    name: "dense on rows",
    make: () => nn.dense(4, { activation: "tanh", useBias: false }),
    inputs: [[2, 3, 5]],
    output: [2, 3, 4],
    variables: [[5, 4]],
  },
  { name: "conv1d", make: () => nn.conv1d(4, 3), inputs: [[2, 7, 3]], output: [2, 5, 4], variables: [[3, 3, 4], [4]] },
  {
    name: "conv1d causal",
    make: () => nn.conv1d(4, 3, { padding: "causal", dilationRate: 2 }),
    inputs: [[2, 7, 3]],
    output: [2, 7, 4],
    variables: [[3, 3, 4], [4]],
  },
  {
    name: "conv2d",
    make: () => nn.conv2d(4, 3),
    inputs: [image],
    output: [2, 4, 3, 4],
    variables: [[3, 3, 3, 4], [4]],
  },
  {
    name: "conv2d same, strided",
    make: () => nn.conv2d(4, [3, 2], { padding: "same", strides: 2, activation: "sigmoid" }),
    inputs: [image],
    output: [2, 3, 3, 4],
    variables: [[3, 2, 3, 4], [4]],
  },
  {
    name: "conv2d dilated",
    make: () => nn.conv2d(2, 3, { dilationRate: 2, useBias: false }),
    inputs: [image],
    output: [2, 2, 1, 2],
    variables: [[3, 3, 3, 2]],
  },
  {
    name: "conv2d grouped",
    make: () => nn.conv2d(6, 3, { groups: 3 }),
    inputs: [image],
    output: [2, 4, 3, 6],
    variables: [[3, 3, 1, 6], [6]],
  },
  {
    name: "conv2d 1×1",
    make: () => nn.conv2d(4, 1),
    inputs: [image],
    output: [2, 6, 5, 4],
    variables: [[1, 1, 3, 4], [4]],
  },
  {
    name: "conv3d",
    make: () => nn.conv3d(2, 2),
    inputs: [[1, 3, 4, 3, 2]],
    output: [1, 2, 3, 2, 2],
    variables: [[2, 2, 2, 2, 2], [2]],
  },
  {
    name: "depthwiseConv2d",
    make: () => nn.depthwiseConv2d(3),
    inputs: [image],
    output: [2, 4, 3, 3],
    variables: [[3, 3, 3, 1], [3]],
  },
  {
    name: "depthwiseConv2d ×2",
    make: () => nn.depthwiseConv2d(3, { depthMultiplier: 2, padding: "same", strides: 2 }),
    inputs: [image],
    output: [2, 3, 3, 6],
    variables: [[3, 3, 3, 2], [6]],
  },
  {
    name: "conv1dTranspose",
    make: () => nn.conv1dTranspose(2, 3, { strides: 2 }),
    inputs: [[2, 4, 3]],
    output: [2, 9, 2],
    variables: [[3, 2, 3], [2]],
  },
  {
    name: "conv2dTranspose",
    make: () => nn.conv2dTranspose(2, 3, { strides: 2, padding: "same" }),
    inputs: [image],
    output: [2, 12, 10, 2],
    variables: [[3, 3, 2, 3], [2]],
  },
  {
    name: "conv3dTranspose",
    make: () => nn.conv3dTranspose(2, 2),
    inputs: [[1, 2, 2, 2, 2]],
    output: [1, 3, 3, 3, 2],
    variables: [[2, 2, 2, 2, 2], [2]],
  },
  { name: "maxPool1d", make: () => nn.maxPool1d(), inputs: [[2, 7, 3]], output: [2, 3, 3] },
  { name: "maxPool2d", make: () => nn.maxPool2d(2), inputs: [image], output: [2, 3, 2, 3] },
  {
    name: "maxPool2d overlapping, same",
    make: () => nn.maxPool2d(3, { strides: 2, padding: "same" }),
    inputs: [image],
    output: [2, 3, 3, 3],
  },
  { name: "maxPool3d", make: () => nn.maxPool3d(2), inputs: [[1, 4, 4, 2, 2]], output: [1, 2, 2, 1, 2] },
  { name: "avgPool1d", make: () => nn.avgPool1d(3, { strides: 2 }), inputs: [[2, 7, 3]], output: [2, 3, 3] },
  { name: "avgPool2d", make: () => nn.avgPool2d(2), inputs: [image], output: [2, 3, 2, 3] },
  { name: "avgPool2d same", make: () => nn.avgPool2d(3, { padding: "same" }), inputs: [image], output: [2, 2, 2, 3] },
  { name: "avgPool3d", make: () => nn.avgPool3d(2), inputs: [[1, 4, 4, 2, 2]], output: [1, 2, 2, 1, 2] },
  { name: "globalAvgPool", make: () => nn.globalAvgPool(), inputs: [image], output: [2, 3] },
  { name: "globalMaxPool", make: () => nn.globalMaxPool({ keepdims: true }), inputs: [image], output: [2, 1, 1, 3] },
  { name: "flatten", make: () => nn.flatten(), inputs: [image], output: [2, 90] },
  { name: "reshape", make: () => nn.reshape([10, -1]), inputs: [image], output: [2, 10, 9] },
  { name: "dropout", make: () => nn.dropout(0.5), inputs: [[4, 9]], output: [4, 9], modes: true },
  {
    name: "batchNorm",
    make: () => nn.batchNorm(),
    inputs: [image],
    output: image,
    modes: true,
    variables: [[3], [3], [3], [3]],
  },
  {
    name: "batchNorm bare",
    make: () => nn.batchNorm({ center: false, scale: false, momentum: 0.9 }),
    inputs: [[5, 4]],
    output: [5, 4],
    modes: true,
    variables: [[4], [4]],
  },
  { name: "layerNorm", make: () => nn.layerNorm(), inputs: [[2, 3, 8]], output: [2, 3, 8], variables: [[8], [8]] },
  {
    name: "layerNorm of two axes",
    make: () => nn.layerNorm({ axes: 2 }),
    inputs: [[2, 3, 8]],
    output: [2, 3, 8],
    variables: [
      [3, 8],
      [3, 8],
    ],
  },
  {
    name: "embedding",
    make: () => nn.embedding(11, 4),
    inputs: [[3, 6]],
    output: [3, 6, 4],
    below: 11,
    variables: [[11, 4]],
  },
  {
    name: "add",
    make: () => nn.add(),
    inputs: [
      [2, 4],
      [2, 4],
      [2, 4],
    ],
    output: [2, 4],
  },
  {
    name: "subtract",
    make: () => nn.subtract(),
    inputs: [
      [2, 4],
      [2, 4],
    ],
    output: [2, 4],
  },
  {
    name: "multiply",
    make: () => nn.multiply(),
    inputs: [
      [2, 4],
      [2, 4],
    ],
    output: [2, 4],
  },
  {
    name: "average",
    make: () => nn.average(),
    inputs: [
      [2, 4],
      [2, 4],
    ],
    output: [2, 4],
  },
  {
    name: "maximum",
    make: () => nn.maximum(),
    inputs: [
      [2, 4],
      [2, 4],
    ],
    output: [2, 4],
  },
  {
    name: "minimum",
    make: () => nn.minimum(),
    inputs: [
      [2, 4],
      [2, 4],
    ],
    output: [2, 4],
  },
  {
    name: "concatenate",
    make: () => nn.concatenate(),
    inputs: [
      [2, 4],
      [2, 3],
    ],
    output: [2, 7],
  },
  {
    name: "concatenate channels",
    make: () => nn.concatenate({ axis: 1 }),
    inputs: [
      [2, 4, 3],
      [2, 1, 3],
    ],
    output: [2, 5, 3],
  },
  ...(
    [
      "linear",
      "relu",
      "relu6",
      "leakyRelu",
      "elu",
      "selu",
      "gelu",
      "sigmoid",
      "hardSigmoid",
      "tanh",
      "softplus",
      "softsign",
      "silu",
      "mish",
      "exponential",
      "softmax",
      "logSoftmax",
    ] as const
  ).map((name): LayerCase => ({ name, make: () => nn.activation(name), inputs: [[3, 5]], output: [3, 5] })),
  { name: "leakyRelu 0.1", make: () => nn.activation(nn.leakyRelu({ slope: 0.1 })), inputs: [[3, 5]], output: [3, 5] },
  { name: "gelu by tanh", make: () => nn.activation(nn.gelu({ approximate: true })), inputs: [[3, 5]], output: [3, 5] },
];

describe("every layer: shapes, modes, JSON round trip, gradients, a step", () => {
  test.each(CASES)("$name", (c) => checkLayer(c));
});
