import type { Chapter } from "./row.ts";

export const layers: Chapter = {
  title: "Layers and models",
  mistakes: [
    {
      mistake: "A convolution without its kernel",
      code: `nn.conv2d(16);`,
      message: "[conv2d] kernelSize must be a whole number ≥ 1, got undefined.",
    },
    {
      mistake: "Images into dense after training on vectors: flatten() is missing",
      code: `const model = nn.sequential([nn.dense(10)]);
model.build([null, 784]);
model(zeros([8, 28, 28]));`,
      message:
        '[dense "dense"] expects last axis 784, got input [8, 28, 28]; weight [784, 10] needs [..., 784]. Did you forget flatten()?',
    },
    {
      mistake: "Images without the axis of channels",
      code: `nn.sequential([nn.conv2d(8, 3)]).build([null, 28, 28]);`,
      message:
        '[conv2d "conv2d"] expects [batch, height, width, channels], got input [2, 28, 28]. Is the channel axis missing? reshape to [2, 28, 28, 1]; or the batch axis: [1, 2, 28, 28].',
    },
    {
      mistake: "A kernel larger than its input",
      code: `nn.sequential([nn.conv2d(8, 5)]).build([null, 4, 4, 1]);`,
      message:
        '[conv2d "conv2d"] a window of 5 does not fit 4 on spatial axis 0 of input [2, 4, 4, 1]: use padding "same", a smaller kernel, or less pooling before.',
    },
    {
      mistake: "Pooling until nothing is left",
      code: `nn.sequential([nn.maxPool2d(2), nn.maxPool2d(2), nn.maxPool2d(2)]).build([null, 4, 4, 1]);`,
      message:
        '[maxPool2d "maxPool2d_2"] a window of 2 does not fit 1 on spatial axis 0 of input [2, 1, 1, 1]: pool less, or use padding "same".',
    },
    {
      mistake: "Strides of 0",
      code: `nn.conv2d(8, 3, { strides: 0 });`,
      message: "[conv2d] strides must be a whole number ≥ 1, got 0.",
    },
    {
      mistake: "An unknown kind of padding",
      code: `nn.conv2d(8, 3, { padding: "Same" });`,
      message: '[conv2d] padding must be "valid" or "same", got "Same".',
    },
    {
      mistake: "A dropout rate of 1 or more",
      code: `nn.dropout(50);`,
      message: "[dropout] rate is the share that is dropped, 0 ≤ rate < 1, got 50.",
    },
    {
      mistake: "A layer of -1 units",
      code: `nn.dense(-1);`,
      message: "[dense] units must be a whole number ≥ 1, got -1.",
    },
    {
      mistake: "Fractional units",
      code: `nn.dense(784 / 3);`,
      message: "[dense] units must be a whole number ≥ 1, got 261.3333333333333.",
    },
    {
      mistake: "An activation that does not exist",
      code: `nn.dense(10, { activation: "rleu" });`,
      message:
        'unknown activation "rleu": did you mean "relu"? Otherwise use one of linear, relu, relu6, leakyRelu, elu, selu, gelu, sigmoid, hardSigmoid, tanh, softplus, softsign, silu, mish, exponential, softmax, logSoftmax. A function of a tensor is one too.',
    },
    {
      mistake: "An initializer that does not exist",
      code: `nn.dense(10, { kernelInitializer: "heNorml" });`,
      message:
        'unknown initializer "heNorml": did you mean "heNormal"? Otherwise use one of zeros, ones, constant, uniform, normal, truncatedNormal, varianceScaling, lecunUniform, lecunNormal, glorotUniform, glorotNormal, heUniform, heNormal.',
    },
    {
      mistake: "Forgetting to call flatten",
      code: `nn.sequential([nn.flatten, nn.dense(10)]).build([null, 28, 28, 1]);`,
      message:
        '[lambda "lambda"] flatten returned a layer, not a tensor: did you mean flatten()? It makes a layer, which is what belongs here.',
    },
    {
      mistake: "Cropping more than there is",
      code: `nn.cropping2d(14)(zeros([1, 28, 28, 1]));`,
      message:
        '[cropping2d "cropping2d"] cuts 14 + 14 off 28 on spatial axis 0 of input [1, 28, 28, 1]: nothing is left.',
    },
    {
      mistake: "An option that one's own layer does not have",
      code: `const scaled = nn.defineLayer({ name: "scaled", options: { factor: 1 }, call: (x, { options }) => x.mul(options.factor) });
scaled({ facotr: 2 });`,
      message: '[scaled] has no option "facotr": did you mean "factor"? Otherwise use one of factor.',
    },
    {
      mistake: "The same layer twice",
      code: `const layer = nn.dense(10);
nn.sequential([layer, nn.relu, layer]);`,
      message: '[sequential] layer "dense" stands twice: make a second one, or share it with model(inputs, outputs).',
    },
    {
      mistake: "Adding a layer to a network that has its variables",
      code: `const model = nn.sequential([nn.dense(4)], { inputShape: [2] });
model.add(nn.dense(2));`,
      message: '[sequential "sequential"] is built: add() layers before that.',
    },
    {
      mistake: "Two layers of one name",
      code: `nn.sequential([nn.dense(10, { name: "fc" }), nn.dense(10, { name: "fc" })]);`,
      message: '[sequential] two layers are named "fc": names must be unique in a model.',
    },
    {
      mistake: "A functional model whose input is not passed",
      code: `const a = nn.input([4], { name: "a" });
const b = nn.input([4], { name: "b" });
nn.model(a, nn.concatenate()([a, b]));`,
      message: '[model] the outputs depend on an input() [batch, 4] "b" that is not among the inputs: pass it too.',
    },
    {
      mistake: "A layer by a name that is not there",
      code: `nn.sequential([nn.dense(10)]).layer("fc1");`,
      message: '[sequential "sequential"] has no layer "fc1": it has dense.',
    },
    {
      mistake: "Weights of another model",
      code: `const small = nn.sequential([nn.dense(4)], { inputShape: [2] });
const large = nn.sequential([nn.dense(8)], { inputShape: [2] });
large.setWeights(small.weights());`,
      message:
        '[setWeights] the weights do not fit model "sequential": dense/kernel is [2, 8], got [2, 4]; dense/bias is [8], got [4].',
    },
    {
      mistake: "A comma too many in the list of layers",
      code: `nn.sequential([nn.dense(10), , nn.dense(2)]);`,
      message:
        "[sequential] item 1 is undefined, not a layer or a function: did you forget a comma, or to call it, as in flatten()?",
    },
  ],
};
