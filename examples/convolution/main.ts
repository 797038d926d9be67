/** SYS-06: convolutional networks of the LeNet-5 family on MNIST, Fashion-MNIST and CIFAR-10. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { random } from "chainrule";
import { accuracyScore } from "chainrule/classic";
import {
  augment,
  CIFAR10_CLASSES,
  cifar10,
  type Dataset,
  FASHION_CLASSES,
  fashionMnist,
  type MapBatchFunction,
  mnist,
  randomCrop,
  randomFlip,
} from "chainrule/data";
import { encodePng } from "chainrule/io";
import {
  batchNorm,
  conv2d,
  countParameters,
  dense,
  flatten,
  maxPool2d,
  type Model,
  relu,
  sequential,
} from "chainrule/nn";
import { adam, cosineDecay } from "chainrule/optim";
import { confusionCounts, formatConfusion, learningCurves, pictureSheet, renderSvg } from "chainrule/viz";
import { outputFolder, showGoals } from "../lib/goals.ts";
import { compareAugmentation } from "./compare.ts";

const { values: options } = parseArgs({
  options: {
    data: { type: "string", default: "mnist,fashion" },
    epochs: { type: "string" },
    train: { type: "string", default: "60000" },
    folder: { type: "string" },
    augmentation: { type: "string" },
    compare: { type: "string" },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(
    "npm run example -- convolution [--data mnist,fashion,cifar10] [--epochs n] [--train 60000] [--folder FOLDER] [--seed 1]\n" +
      "  [--augmentation on|off] [--compare SEEDS]",
  );
  process.exit(0);
}
const output = outputFolder("convolution");
const DIGITS = Array.from({ length: 10 }, (_, i) => String(i));
const where = options.folder === undefined ? {} : { folder: options.folder };
const { augmentation } = options;
if (augmentation !== undefined && augmentation !== "on" && augmentation !== "off")
  throw new Error(`--augmentation takes on or off, got ${augmentation}`);
const seed = Number(options.seed);

/** LeNet-5 with today's parts: ReLU and maximum pooling. */
const lenet5 = (): Model =>
  sequential(
    [
      conv2d(6, 5, { padding: "same" }),
      relu,
      maxPool2d(2),
      conv2d(16, 5),
      relu,
      maxPool2d(2),
      flatten(),
      dense(120),
      relu,
      dense(84),
      relu,
      dense(10),
    ],
    { inputShape: [28, 28, 1], name: "lenet5" },
  );

/** Five convolutions, each normalised: one at 32 × 32, two at 16 × 16 and at 8 × 8. */
const small = (width = 32): Model => {
  const conv = (channels: number) => [conv2d(channels, 3, { padding: "same", useBias: false }), batchNorm(), relu];
  const pairs = [2 * width, 4 * width].flatMap((c) => [...conv(c), ...conv(c), maxPool2d(2)]);
  return sequential([...conv(width), maxPool2d(2), ...pairs, flatten(), dense(10)], {
    inputShape: [32, 32, 3],
    name: "small",
  });
};

interface Job {
  readonly title: string;
  readonly load: () => Promise<{ readonly train: Dataset; readonly test: Dataset }>;
  readonly classes: readonly string[];
  readonly net: () => Model;
  /** Numbers in the network, trained ones. */
  readonly parameters: number;
  readonly epochs: number;
  readonly goal: number;
  /** With fewer samples than all. */
  readonly lowGoal: number;
  readonly augmented: boolean;
}

const JOBS: Readonly<Record<string, Job>> = {
  mnist: {
    title: "MNIST",
    load: () => mnist(where),
    classes: DIGITS,
    net: lenet5,
    parameters: 61_706,
    epochs: 5,
    goal: 0.985,
    lowGoal: 0.9,
    augmented: false,
  },
  fashion: {
    title: "Fashion-MNIST",
    load: () => fashionMnist(where),
    classes: FASHION_CLASSES,
    net: lenet5,
    parameters: 61_706,
    epochs: 10,
    goal: 0.89,
    lowGoal: 0.7,
    augmented: false,
  },
  cifar10: {
    title: "CIFAR-10",
    load: () => cifar10(where),
    classes: CIFAR10_CLASSES,
    net: small,
    parameters: 298_666,
    epochs: 5,
    goal: 0.75,
    lowGoal: 0.3,
    augmented: true,
  },
};

const goals: Parameters<typeof showGoals>[1][number][] = [];
for (const name of options.data.split(",")) {
  const job = JOBS[name];
  if (job === undefined) throw new Error(`--data takes ${Object.keys(JOBS).join(", ")}, got ${name}`);
  let sets: Awaited<ReturnType<Job["load"]>>;
  try {
    sets = await job.load();
  } catch (error) {
    // Asked for by name it must be there; as a part of the default it may be missing.
    if (process.argv.includes("--data")) throw error;
    console.log(`\n${job.title}: left out. ${error instanceof Error ? error.message : String(error)}`);
    continue;
  }
  const train = sets.train.take(Number(options.train));
  if (options.compare === undefined) await learn(name, job, train, sets.test);
  else {
    if (!job.augmented) throw new Error(`--compare is for pictures in colour: --data cifar10`);
    const epochs = Number(options.epochs ?? 20);
    const [net, test] = [() => small(16), sets.test.take(2000)];
    goals.push(
      ...(await compareAugmentation({ net, train, test, moved: moved(train), epochs, seeds: Number(options.compare) })),
    );
  }
}
showGoals("SYS-06 convolutional networks", goals);

/** Cut out of the picture and its mirrored border of 4 pixels at a random place; every other one mirrored. */
function moved(data: Dataset): MapBatchFunction {
  const [h, w] = data.xShape;
  return augment([randomCrop([h, w], { padding: 4 }), randomFlip()]);
}

async function learn(name: string, job: Job, train: Dataset, test: Dataset): Promise<void> {
  const epochs = options.epochs === undefined ? job.epochs : Number(options.epochs);
  random.seed(seed);
  const net = job.net();
  console.log(`\n${job.title}: ${train.length} pictures to learn from, ${test.length} to test on\n${net.summary()}`);
  net.compile({
    optimizer: adam(cosineDecay(2e-3, epochs * train.steps(64))),
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
  });
  const [h, w] = train.xShape;
  const seen = job.augmented && augmentation !== "off" ? train.mapBatches(moved(train)) : train;
  const { history } = await net.fit(seen, { epochs, batchSize: 64, seed, validationData: test });
  await writeFile(path.join(output, `${name}.svg`), await renderSvg(learningCurves(history, { title: job.title })));

  const scores = await net.predict(test.all().x, { batchSize: 500 });
  const predicted = scores.argmax(-1).dataSync();
  const labels = test.labels() ?? [];
  console.log(formatConfusion(confusionCounts(labels, predicted, 10)));
  console.log(job.classes.map((c, i) => `${i} ${c}`).join(", "));
  const accuracy = accuracyScore(Int32Array.from(labels), predicted);
  const wrong = Array.from(predicted.keys())
    .filter((i) => predicted[i] !== labels[i])
    .slice(0, 40);
  const misread = wrong.map((i) => {
    const picture = { width: w, height: h, data: Float32Array.from(test.at(i).x.data) };
    return job.augmented ? { ...picture, channels: 3 as const } : picture;
  });
  if (misread.length > 0) {
    const sheet = pictureSheet(misread, { columns: 10, zoom: 2 });
    await writeFile(path.join(output, `${name}-misread.png`), await encodePng(sheet));
  }
  console.log(`${output}: ${name}.svg (learning curves), ${name}-misread.png`);
  goals.push(
    {
      what: `${job.title}, test accuracy after ${epochs} epochs`,
      value: accuracy,
      is: "≥",
      goal: train.length < 50_000 ? job.lowGoal : job.goal,
      digits: 4,
    },
    {
      what: `${job.title}: parameters off the table's ${job.parameters}`,
      value: Math.abs(countParameters(net.trainableVariables) - job.parameters),
      is: "≤",
      goal: 0,
      digits: 0,
    },
  );
}
