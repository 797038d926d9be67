import type { Chapter } from "./row.ts";

export const training: Chapter = {
  title: "Training",
  mistakes: [
    {
      mistake: "fit before compile",
      code: `await nn.sequential([nn.dense(3)]).fit([xs(6, [2]), labels(6, 3)]);`,
      message: '[fit] model "sequential" is not compiled: call compile({ optimizer, loss }) first.',
    },
    {
      mistake: "x and y as two arguments",
      code: `await classifier().fit(xs(6, [2]), labels(6, 3), { epochs: 1, verbose: 0 });`,
      message: "[fit] data is one array: pass [x, y] or { x, y } as the first argument, or { x } alone.",
    },
    {
      mistake: "An optimizer that was not called",
      code: `nn.sequential([nn.dense(3)]).compile({ optimizer: adam, loss: "mse" });`,
      message: "[compile] optimizer must be an optimizer such as adam(1e-3), got a function: call it.",
    },
    {
      mistake: "A loss that does not exist",
      code: `nn.sequential([nn.dense(3)]).compile({ optimizer: adam(), loss: "sparseCategoricalCrossEntropy" });`,
      message:
        'unknown loss "sparseCategoricalCrossEntropy": did you mean "sparseCategoricalCrossentropy"? Otherwise use one of meanSquaredError, meanAbsoluteError, meanAbsolutePercentageError, meanSquaredLogarithmicError, huber, hinge, binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy. Others, such as poisson, are functions to import.',
    },
    {
      mistake: "An optimizer that does not exist",
      code: `nn.sequential([nn.dense(3)]).compile({ optimizer: "adm", loss: "meanSquaredError" });`,
      message: '[compile] optimizer must be an optimizer such as adam(1e-3), got "adm".',
    },
    {
      mistake: "A metric that does not exist",
      code: `nn.sequential([nn.dense(3)]).compile({ optimizer: adam(), loss: "meanSquaredError", metrics: ["accurracy"] });`,
      message:
        'unknown metric "accurracy": did you mean "accuracy"? Otherwise use one of accuracy, acc, binaryAccuracy, categoricalAccuracy, sparseCategoricalAccuracy, precision, recall, f1. Losses are metrics, too.',
    },
    {
      mistake: "A negative learning rate",
      code: `adam(-0.001);`,
      message: "[adam] learningRate must be a number ≥ 0 or a schedule, got -0.001.",
    },
    {
      mistake: "Labels that count from 1",
      code: `await classifier().fit([xs(6, [2]), tensor(new Int32Array([1, 2, 3, 1, 2, 3]))], { epochs: 1, verbose: 0 });`,
      message:
        "[fit] label 3 of sample 2 is not a class number: the model's output has 3 classes, so labels must be whole numbers in 0..2. Do the labels begin at 1?",
    },
    {
      mistake: 'A label of -1 for "unknown"',
      code: `await classifier().fit([xs(3, [2]), tensor(new Int32Array([0, -1, 2]))], { epochs: 1, verbose: 0 });`,
      message:
        "[fit] label -1 of sample 1 is not a class number: the model's output has 3 classes, so labels must be whole numbers in 0..2. Take samples without a label out, or give them a class and sampleWeight 0.",
    },
    {
      mistake: "One-hot labels for a sparse loss",
      code: `await classifier().fit([xs(2, [2]), tensor([[1, 0, 0], [0, 1, 0]])], { epochs: 1, verbose: 0 });`,
      message:
        '[sparseCategoricalCrossentropy] prediction [2, 3] needs class numbers [2], got target [2, 3]. For one-hot targets use "categoricalCrossentropy".',
    },
    {
      mistake: "Class numbers for a loss of one-hot labels",
      code: `await classifier("categoricalCrossentropy").fit([xs(6, [2]), labels(6, 3)], { epochs: 1, verbose: 0 });`,
      message:
        '[categoricalCrossentropy] prediction [6, 3] and target [6] need one shape. For class numbers use "sparseCategoricalCrossentropy", or oneHot(labels, classes).',
    },
    {
      mistake: "More samples than labels",
      code: `await classifier().fit([xs(6, [2]), labels(5, 3)], { epochs: 1, verbose: 0 });`,
      message: "[dataset] x [6, 2] has 6 samples, y [5] has 5: the first axes must be equal.",
    },
    {
      mistake: "A batch size of 0",
      code: `await classifier().fit([xs(6, [2]), labels(6, 3)], { batchSize: 0, verbose: 0 });`,
      message: "[fit] batchSize must be a whole number ≥ 1, got 0.",
    },
    {
      mistake: "A batch size that is not whole",
      code: `datasetOf({ x: host([6, 2]) }).steps(2.5);`,
      message: "[dataset] batchSize must be a whole number ≥ 1, got 2.5.",
    },
    {
      mistake: "A negative number of epochs",
      code: `await classifier().fit([xs(6, [2]), labels(6, 3)], { epochs: -1, verbose: 0 });`,
      message: "[fit] epochs must be a whole number ≥ 0, got -1.",
    },
    {
      mistake: "A validation split of 100 %",
      code: `await classifier().fit([xs(6, [2]), labels(6, 3)], { validationSplit: 1, verbose: 0 });`,
      message: "[fit] validationSplit must be in 0..1, got 1.",
    },
    {
      mistake: "NaN in the inputs",
      code: `const x = tensor([[1, 2], [NaN, 4], [5, 6]]);
await classifier().fit([x, labels(3, 3)], { epochs: 1, verbose: 0, callbacks: [checkNumbers()] });`,
      message:
        "[checkNumbers] epoch 1, batch 1: input x holds NaN in sample 0 of the batch: clean the data before training.",
    },
    {
      mistake: "predict with another shape than the model was trained on",
      code: `const model = classifier();
model.build([null, 2]);
await model.predict(zeros([5, 3]));`,
      message: '[dense "scores"] expects last axis 2, got input [5, 3]; weight [2, 3] needs [..., 2].',
    },
    {
      mistake: "predict with one sample that lacks the batch axis",
      code: `const model = classifier();
model.build([null, 2]);
await model.predict(zeros([2]));`,
      message: '[predict] model "net" takes batches of 2 axes, got [2]: for one sample reshape to [1, 2].',
    },
    {
      mistake: "A dataset whose x and y have different lengths",
      code: `datasetOf({ x: host([6, 2]), y: host([5]) });`,
      message: "[dataset] x [6, 2] has 6 samples, y [5] has 5: the first axes must be equal.",
    },
    {
      mistake: "A dataset with labels beyond its classes",
      code: `datasetOf({ x: host([2, 2]), y: { data: new Int32Array([0, 12]), shape: [2], dtype: "int32" }, classes: 10 });`,
      message:
        "[dataset] label 12 at index 1 is out of range: with 10 classes every label must be a whole number in 0..9. Does the last layer need 13 units or more?",
    },
    {
      mistake: "Splitting off 80 instead of 0.8",
      code: `datasetOf({ x: host([10, 2]) }).split(80);`,
      message: "[dataset] split needs the fraction of the first part, in 0..1, got 80. Did you mean 0.8?",
    },
    {
      mistake: "map that gives samples of different shapes",
      code: `let n = 0;
const ragged = datasetOf({ x: host([3, 2]) }).map((s) => ({ ...s, x: host([++n]) }));
[...ragged.batches(3)];`,
      message:
        "[dataset] map gave x float32 [2] for one sample and float32 [1] for the first: all samples of a dataset must have one shape and dtype.",
    },
    {
      mistake: "A learning rate so large that the loss is no number any more",
      code: `const model = nn.sequential([nn.dense(1)], { inputShape: [2], name: "net" });
model.compile({ optimizer: sgd(1e20), loss: "meanSquaredError" });
await model.fit([xs(4, [2]), zeros([4, 1])], { epochs: 5, verbose: 0, callbacks: [checkNumbers()] });`,
      message:
        '[checkNumbers] epoch 2, batch 1: the loss is Infinity and after the step the first variable that is not finite is "dense/kernel": lower the learning rate, clip gradients (globalClipNorm: 1), or look for log(0) and 0/0 in the loss.',
    },
    {
      mistake: "Training on nothing",
      code: `await classifier().fit([zeros([0, 2]), zeros([0])], { verbose: 0 });`,
      message: "[fit] the data has no samples.",
    },
    {
      mistake: "Samples without labels",
      code: `await classifier().fit({ x: xs(6, [2]) }, { verbose: 0 });`,
      message: "[fit] the data has samples [6, 2] but no labels: pass { x, y }.",
    },
    {
      mistake: "Fewer sample weights than samples",
      code: `await classifier().fit({ x: xs(6, [2]), y: labels(6, 3), sampleWeight: ones([5]) }, { verbose: 0 });`,
      message: "[dataset] x [6, 2] has 6 samples, sampleWeight [5] has 5: the first axes must be equal.",
    },
    {
      mistake: "Resuming with the state of another model",
      code: `const state = classifier().trainingState();
const other = nn.sequential([nn.dense(4)], { inputShape: [2], name: "other" });
other.compile({ optimizer: adam(), loss: "meanSquaredError" });
other.restoreTrainingState(state);`,
      message:
        '[setWeights] the weights do not fit model "other": dense/kernel [2, 4] is missing; dense/bias [4] is missing; scores/kernel is not in the model; scores/bias is not in the model.',
    },
  ],
};
